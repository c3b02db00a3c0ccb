#include <maildesk/desk/mention.h>

#include <maildesk/base/buf.h>
#include <maildesk/base/err.h>
#include <maildesk/base/mem.h>
#include <maildesk/base/utf8.h>
#include <string.h>

enum { FORM_MAX = 600, TEXT_MAX = 4 << 20 };

/* Part of a word, as names and addresses have them; every octet beyond ASCII is a letter's. */
static bool is_word(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' ||
	       (unsigned char)c >= 0x80;
}

/* Does "@form" stand in the folded text, not as the beginning of a longer word? */
static bool names(const char *text, const char *form, size_t n)
{
	for (const char *at = text; n && (at = strchr(at, '@')) != NULL; at++) {
		const char *end = at + 1 + n;

		if (at > text && (is_word(at[-1]) || at[-1] == '.'))
			continue;
		if (strncmp(at + 1, form, n) != 0 || is_word(*end) || *end == '@')
			continue;
		/* "@anna.weber" is not Anna, "@anna." and "@anna-" are */
		if ((*end != '.' && *end != '-') || !is_word(end[1]))
			return true;
	}
	return false;
}

static size_t first_word(const char *s)
{
	return strcspn(s, " ");
}

static bool is_alone_with(const struct mention_person *people, size_t n, size_t me,
			  const struct buf *folded)
{
	size_t len = first_word(buf_str(folded));

	for (size_t i = 0; i < n; i++) {
		md_auto(buf_done) struct buf other = BUF_INIT(FORM_MAX);

		utf8_fold(&other, people[i].name, strlen(people[i].name));
		if (i != me && first_word(buf_str(&other)) == len &&
		    memcmp(buf_str(&other), buf_str(folded), len) == 0 &&
		    strcmp(people[i].email, people[me].email) != 0)
			return false;
	}
	return true;
}

static bool is_named(const char *text, const struct mention_person *people, size_t n, size_t me)
{
	md_auto(buf_done) struct buf name = BUF_INIT(FORM_MAX);
	md_auto(buf_done) struct buf email = BUF_INIT(FORM_MAX);
	char *space;

	utf8_fold(&name, people[me].name, strlen(people[me].name));
	utf8_fold(&email, people[me].email, strlen(people[me].email));
	if (names(text, buf_str(&name), name.len) || names(text, buf_str(&email), email.len) ||
	    names(text, buf_str(&email), strcspn(buf_str(&email), "@")))
		return true;
	if (names(text, buf_str(&name), first_word(buf_str(&name))) &&
	    is_alone_with(people, n, me, &name))
		return true;
	while (name.len && (space = strchr(name.data, ' ')) != NULL)
		*space = '.';
	return names(text, buf_str(&name), name.len);
}

int mention_find(const char *text, struct mention_person *people, size_t n)
{
	md_auto(buf_done) struct buf folded = BUF_INIT(TEXT_MAX);

	for (size_t i = 0; i < n; i++)
		people[i].is_named = false;
	if (!text || !strchr(text, '@'))
		return MD_OK;
	utf8_fold(&folded, text, strlen(text));
	if (folded.status == MD_NOMEM)
		return MD_NOMEM;
	for (size_t i = 0; i < n; i++)
		people[i].is_named = is_named(buf_str(&folded), people, n, i);
	return MD_OK;
}
