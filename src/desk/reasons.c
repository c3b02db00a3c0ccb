#include "reasons.h"

#include <stdbool.h>
#include <string.h>

enum { HOLES_MAX = 4, DEPTH_MAX = 3 };

static const char *const locales[REASON_LANGUAGES] = { "de", "es", "fr" };
static const char *const colons[REASON_LANGUAGES] = { ": ", ": ", "\xc2\xa0: " };

struct saying {
	const struct reason *rows;
	size_t n, language;
	struct buf *out;
};

struct hole {
	const char *at;
	size_t n;
};

/* Does the text read like that? What stands in its holes; each ends where its right side begins. */
static bool fits(const char *pattern, const char *text, struct hole holes[HOLES_MAX])
{
	while (*pattern) {
		size_t n = strcspn(pattern, "%");
		const char *rest, *end;
		struct hole *h;

		if (strncmp(text, pattern, n) != 0)
			return false;
		text += n;
		pattern += n;
		if (!*pattern)
			break;
		h = &holes[pattern[1] - '0'];
		rest = pattern += 2;
		n = strcspn(rest, "%");
		end = n ? text : text + strlen(text);
		while (n && *end && (strncmp(end, rest, n) != 0 || (!rest[n] && end[n])))
			end++;
		if (end == text)
			return false;
		*h = (struct hole){ text, (size_t)(end - text) };
		text = end;
	}
	return *text == '\0';
}

static bool say(const struct saying *s, const char *text, int depth);

static void fill(const struct saying *s, const struct reason *r, const struct hole holes[HOLES_MAX],
		 int depth)
{
	const char *pattern = r->in[s->language];

	for (size_t n; pattern[n = strcspn(pattern, "%")]; pattern += n + 2) {
		const struct hole *h = &holes[pattern[n + 1] - '0'];

		buf_add(s->out, pattern, n);
		/* a sentence goes to the end of the text */
		if (h != holes || depth == 0 || !say(s, h->at, depth - 1))
			buf_add(s->out, h->at, h->n);
	}
	buf_adds(s->out, pattern);
}

static bool say(const struct saying *s, const char *text, int depth)
{
	struct hole holes[HOLES_MAX];
	const char *colon = strstr(text, ": ");

	for (size_t i = 0; i < s->n; i++)
		if (fits(s->rows[i].en, text, holes)) {
			fill(s, &s->rows[i], holes, depth);
			return true;
		}
	/* what something is about, and what is said of it */
	if (!colon || depth == 0)
		return false;
	buf_add(s->out, text, (size_t)(colon - text));
	buf_adds(s->out, colons[s->language]);
	if (!say(s, colon + 2, depth - 1))
		buf_adds(s->out, colon + 2);
	return true;
}

void reason_say(const struct reason *rows, size_t n, struct buf *out, const char *text,
		const char *locale)
{
	struct saying s = { .rows = rows, .n = n, .out = out };

	while (s.language < REASON_LANGUAGES && strcmp(locales[s.language], locale) != 0)
		s.language++;
	if (s.language == REASON_LANGUAGES || !say(&s, text, DEPTH_MAX))
		buf_adds(out, text);
}
