#include <maildesk/desk/reason.h>
#include <maildesk/base/json.h>

#include <string.h>

enum { HOLES_MAX = REASON_VALUES + 1, DEPTH_MAX = 3 };

static const char *const locales[REASON_LANGUAGES] = { "de", "es", "fr" };
static const char *const colons[REASON_LANGUAGES] = { ": ", ": ", "\xc2\xa0: " };

struct saying {
	const struct reason_row *rows;
	size_t language;
	struct buf *out;
};

struct hole {
	const char *at;
	size_t n;
};

/* Does the text read like that? What stands in its holes; each ends where its right side begins. */
static bool fits(const char *pattern, const char *text, struct hole holes[HOLES_MAX])
{
	memset(holes, 0, HOLES_MAX * sizeof *holes);
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

/* Behind "tags.%1: ", or the whole. */
static const char *behind_field(const char *s)
{
	size_t n = strspn(s, "abcdefghijklmnopqrstuvwxyz_.%0123456789");

	return n && strncmp(s + n, ": ", 2) == 0 ? s + n + 2 : s;
}

static const struct reason_row *find(const struct reason_row *rows, const char *text,
				     struct hole holes[HOLES_MAX])
{
	for (const struct reason_row *r = rows; r->en; r++) {
		/* what is told to people alone has other things in front: "login: %0" */
		const char *bare = r->code ? behind_field(r->en) : r->en;

		if (fits(r->en, text, holes) || (bare != r->en && fits(bare, text, holes)))
			return r;
	}
	return NULL;
}

bool reason_find(const char *text, struct reason *ret)
{
	struct hole holes[HOLES_MAX];
	const struct reason_row *r = find(reason_rows, text, holes);

	if (!r && behind_field(text) != text)
		r = find(reason_rows, behind_field(text), holes);
	if (!r)
		return false;
	*ret = (struct reason){ .code = r->code };
	for (size_t i = 1; i <= HOLES_MAX; i++) {
		const struct hole *h = &holes[i % HOLES_MAX];

		if (h->at && ret->n < REASON_VALUES)
			ret->values[ret->n++] = (struct reason_value){ h->at, h->n };
	}
	return true;
}

void reason_json(struct buf *out, const struct reason *r)
{
	buf_addf(out, "\"code\":\"%s\",\"values\":[", r->code);
	for (size_t i = 0; i < r->n; i++) {
		buf_adds(out, i ? "," : "");
		json_write_string(out, r->values[i].at, r->values[i].n);
	}
	buf_addc(out, ']');
}

/* ---- in other languages ---- */

static bool say(const struct saying *s, const char *text, int depth);

static void fill(const struct saying *s, const struct reason_row *r,
		 const struct hole holes[HOLES_MAX], int depth)
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
	const struct reason_row *r = find(s->rows, text, holes);
	const char *colon = strstr(text, ": ");

	if (r) {
		fill(s, r, holes, depth);
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

void reason_say(const struct reason_row *rows, struct buf *out, const char *text,
		const char *locale)
{
	struct saying s = { .rows = rows, .out = out };

	while (s.language < REASON_LANGUAGES && strcmp(locales[s.language], locale) != 0)
		s.language++;
	if (s.language == REASON_LANGUAGES || !say(&s, text, DEPTH_MAX))
		buf_adds(out, text);
}
