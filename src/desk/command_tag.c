/* Which tickets a subject names. */
#include <maildesk/base/mem.h>
#include <maildesk/base/utf8.h>

#include "command_priv.h"

#include <string.h>
#include <strings.h>

bool command_tag_format_valid(const char *format)
{
	const char *percent = strchr(format, '%');

	if (!percent || percent[1] != 'd' || strchr(percent + 1, '%') || strlen(format) < 3 ||
	    !utf8_valid(format, strlen(format)))
		return false;
	for (const char *c = format; *c; c++)
		if ((unsigned char)*c < 0x20 || *c == 0x7f)
			return false;
	return true;
}

/* Finds a tag in s; *ret_n is its length. */
static const char *find_tag(const char *s, const char *format, int64_t *ret_ticket, size_t *ret_n)
{
	size_t before = strcspn(format, "%");
	const char *after = format + before + 2;

	for (; *s; s++) {
		const char *digits = s + before;
		size_t n;
		int64_t value = 0;

		if (strncasecmp(s, format, before) != 0)
			continue;
		n = strspn(digits, "0123456789");
		if (n == 0 || n > 18 || strncasecmp(digits + n, after, strlen(after)) != 0)
			continue;
		for (size_t i = 0; i < n; i++)
			value = value * 10 + (digits[i] - '0');
		if (value == 0)
			continue;
		*ret_ticket = value;
		*ret_n = before + n + strlen(after);
		return s;
	}
	return NULL;
}

/* The numbers up to the "]" of what begins behind a "["; 0 when anything else stands there. */
static size_t read_list(const char *s, int64_t out[COMMAND_TICKETS_MAX + 1])
{
	size_t n = 0;

	for (s += strspn(s, " "); *s && *s != ']';) {
		int64_t number = *s == '#' ? command_next_number(&s) : 0;
		size_t i = 0;

		if (number == 0)
			return 0;
		while (i < n && out[i] != number)
			i++;
		if (i == n && n <= COMMAND_TICKETS_MAX)
			out[n++] = number;
	}
	return *s == ']' ? n : 0;
}

/* The first bracket with two numbers or more. */
static size_t find_list(const char *subject, int64_t out[COMMAND_TICKETS_MAX + 1])
{
	size_t n = 0;

	for (const char *s = strchr(subject, '['); s && n < 2; s = strchr(s + 1, '['))
		n = read_list(s + 1, out);
	return n < 2 ? 0 : n;
}

int64_t command_ticket_tag(const char *subject, const char *format)
{
	int64_t ticket, list[COMMAND_TICKETS_MAX + 1];
	size_t n;

	if (!subject)
		return 0;
	if (find_tag(subject, format, &ticket, &n))
		return ticket;
	return find_list(subject, list) ? list[0] : 0;
}

const char *command_tag_subject(struct arena *arena, const char *format, int64_t ticket,
				const char *title)
{
	size_t before = strcspn(format, "%");

	if (command_ticket_tag(title, format) == ticket)
		return title;
	return arena_printf(arena, "%.*s%lld%s %s", (int)before, format, (long long)ticket,
			    format + before + 2, title);
}

int command_ticket_list(const char *subject, struct arena *arena, int64_t **ret, size_t *ret_n,
			struct md_err *err)
{
	*ret = NULL;
	*ret_n = 0;
	if (!subject || !strstr(subject, "[#"))
		return MD_OK;
	*ret = arena_array(arena, COMMAND_TICKETS_MAX + 1, sizeof **ret);
	if (!*ret)
		return md_fail(err, MD_NOMEM, 0, "no memory for the tickets of a subject");
	*ret_n = find_list(subject, *ret);
	return MD_OK;
}
