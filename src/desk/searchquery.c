/* Queries are read in one walk: blanks part the pieces, quotes hold one together. A piece that
 * looks like a filter and cannot be one is words. */
#include <maildesk/desk/searchquery.h>

#include <maildesk/base/clock.h>
#include <maildesk/base/mem.h>
#include <maildesk/desk/searchtext.h>

#include <stdio.h>
#include <string.h>

enum { QUERY_BYTES = 4096, DATE_LENGTH = 10 };
#define DAY_MS INT64_C(86400000)

struct reader {
	const struct workflow *workflow;
	struct arena *a;
	struct search_query *q;
};

/* ---- words ---- */

static bool same_term(const struct search_term *a, const struct search_term *b)
{
	if (a->n != b->n || a->prefix != b->prefix)
		return false;
	for (size_t i = 0; i < a->n; i++)
		if (a->words[i].n != b->words[i].n ||
		    memcmp(a->words[i].s, b->words[i].s, a->words[i].n) != 0)
			return false;
	return true;
}

static void keep_term(struct reader *r, const struct search_term *t)
{
	struct search_query *q = r->q;

	for (size_t i = 0; i < q->n; i++)
		if (same_term(&q->terms[i], t))
			return;
	if (t->n && q->n < SEARCH_TERMS_MAX)
		q->terms[q->n++] = *t;
}

/* What stands together is a phrase. The last character of a run without spaces is in its last pair;
 * alone it is the beginning of pairs. */
static void add_words(struct reader *r, const char *s, size_t n, bool prefix)
{
	struct search_term t = { .prefix = prefix };
	enum searchtext_kind kind = SEARCHTEXT_WORD, before = SEARCHTEXT_WORD;
	struct searchtext it;
	struct searchtext_word w;

	t.words = arena_array(r->a, SEARCH_PHRASE_MAX, sizeof *t.words);
	searchtext_begin(&it, s, n);
	while (t.words && t.n < SEARCH_PHRASE_MAX && searchtext_next(&it, &w)) {
		t.words[t.n++] = (struct search_word){ arena_strndup(r->a, w.s, w.n), w.n };
		before = kind;
		kind = w.kind;
	}
	if (r->a->failed || t.n == 0)
		return;
	if (kind == SEARCHTEXT_LAST && before == SEARCHTEXT_PAIR)
		t.n--;
	else if (kind == SEARCHTEXT_LAST)
		t.prefix = true;
	else if (t.words[t.n - 1].n < 2)
		t.prefix = false;
	keep_term(r, &t);
}

/* ---- filters ---- */

/* "2026-01-31": its first instant. */
static bool read_day(const char *s, size_t n, int64_t *ret_ms)
{
	char text[DATE_LENGTH + 12];

	if (n != DATE_LENGTH)
		return false;
	snprintf(text, sizeof text, "%.10sT00:00:00Z", s);
	return time_parse(text, ret_ms) == MD_OK;
}

/* Days a..b, both included; one of them may be missing. */
static bool read_range(const char *s, int64_t *from, int64_t *before)
{
	const char *dots = strstr(s, "..");
	int64_t a = 0, b = 0;

	if (!dots || strlen(s) == 2)
		return false;
	if (dots > s && !read_day(s, (size_t)(dots - s), &a))
		return false;
	if (dots[2] && !read_day(dots + 2, strlen(dots + 2), &b))
		return false;
	if (a)
		*from = a;
	if (b)
		*before = b + DAY_MS;
	return true;
}

static bool read_days(const char *s, int64_t *from, int64_t *before)
{
	bool less = *s == '<', more = *s == '>', equal;
	int64_t day;

	if (!less && !more && strstr(s, ".."))
		return read_range(s, from, before);
	s += less || more;
	equal = (less || more) && *s == '=';
	s += equal;
	if (!read_day(s, strlen(s), &day))
		return false;
	if (!less)
		*from = more && !equal ? day + DAY_MS : day;
	if (!more)
		*before = less && !equal ? day : day + DAY_MS;
	return true;
}

static bool read_created(struct reader *r, const char *value)
{
	return read_days(value, &r->q->created_from, &r->q->created_before);
}

static bool read_updated(struct reader *r, const char *value)
{
	return read_days(value, &r->q->updated_from, &r->q->updated_before);
}

/* Calls `one` for each name of a list with commas; false if one is none. */
static bool read_list(struct reader *r, const char *value,
		      bool (*one)(struct reader *r, const char *name))
{
	while (*value) {
		size_t n = strcspn(value, ",");
		const char *name = arena_strndup(r->a, value, n);

		if (!name || !one(r, name))
			return false;
		value += n + (value[n] == ',');
	}
	return true;
}

static bool one_status(struct reader *r, const char *name)
{
	if (r->q->n_status == SEARCH_LIST_MAX || !workflow_status(r->workflow, name))
		return false;
	r->q->status[r->q->n_status++] = name;
	return true;
}

static bool read_status(struct reader *r, const char *value)
{
	size_t n = r->q->n_status;

	if (read_list(r, value, one_status))
		return true;
	r->q->n_status = n;
	return false;
}

static bool one_priority(struct reader *r, const char *name)
{
	static const char *const names[] = { "low", "medium", "high", "critical" };

	for (size_t i = 0; i < MD_COUNT(names); i++)
		if (strcmp(names[i], name) == 0 && r->q->n_priority < MD_COUNT(r->q->priority)) {
			r->q->priority[r->q->n_priority++] = (int64_t)i;
			return true;
		}
	return false;
}

static bool read_priority(struct reader *r, const char *value)
{
	size_t n = r->q->n_priority;

	if (read_list(r, value, one_priority))
		return true;
	r->q->n_priority = n;
	return false;
}

static bool read_overdue(struct reader *r, const char *value)
{
	static const char *const words[] = { "yes", "no", "true", "false", "1", "0" };

	for (size_t i = 0; i < MD_COUNT(words); i++)
		if (strcmp(words[i], value) == 0) {
			r->q->overdue = i % 2 ? SEARCH_NO : SEARCH_YES;
			return true;
		}
	return false;
}

static bool read_assignee(struct reader *r, const char *value)
{
	r->q->assignee = value;
	return true;
}

static bool read_requester(struct reader *r, const char *value)
{
	r->q->requester = value;
	return true;
}

static bool read_tag(struct reader *r, const char *value)
{
	r->q->tag = value;
	return true;
}

static bool read_mailbox(struct reader *r, const char *value)
{
	r->q->mailbox = value;
	return true;
}

static const struct {
	const char *name;
	bool (*read)(struct reader *r, const char *value);
} filters[] = {
	{ "status:", read_status },     { "priority:", read_priority },
	{ "assignee:", read_assignee }, { "requester:", read_requester },
	{ "tag:", read_tag },           { "mailbox:", read_mailbox },
	{ "created:", read_created },   { "updated:", read_updated },
	{ "overdue:", read_overdue },
};

/* ---- pieces ---- */

/* The length of what stands in quotes at s, without them; `whole` with the closing one. A quote
 * that is not closed holds the rest. */
static size_t quoted(const char *s, size_t *ret_whole)
{
	size_t n = strcspn(s + 1, "\"");

	*ret_whole = n + 1 + (s[n + 1] == '"');
	return n;
}

/* How much of s is a filter; 0: none. */
static size_t take_filter(struct reader *r, const char *s)
{
	for (size_t i = 0; i < MD_COUNT(filters); i++) {
		size_t name = strlen(filters[i].name), n, whole;
		const char *at = s + name, *value;

		if (strncmp(s, filters[i].name, name) != 0)
			continue;
		n = whole = strcspn(at, " \t\r\n\"");
		if (*at == '"')
			n = quoted(at++, &whole);
		value = arena_strndup(r->a, at, n);
		return value && *value && filters[i].read(r, value) ? name + whole : 0;
	}
	return 0;
}

static size_t take_words(struct reader *r, const char *s)
{
	size_t n, whole;

	if (*s == '"') {
		n = quoted(s, &whole);
		add_words(r, s + 1, n, s[n] == '*' || s[whole] == '*');
		return whole + (s[whole] == '*');
	}
	n = strcspn(s, " \t\r\n\"");
	add_words(r, s, n, s[n - 1] == '*');
	return n;
}

int search_parse(const char *text, const struct workflow *workflow, struct arena *a,
		 struct search_query *ret, struct md_err *err)
{
	struct search_query q = { 0 };
	struct reader r = { workflow, a, &q };
	char *copy = arena_strndup(a, text, strnlen(text, QUERY_BYTES));

	for (const char *at = copy; at && *at;) {
		size_t n = strspn(at, " \t\r\n");

		at += n;
		if (!*at)
			break;
		n = take_filter(&r, at);
		at += n ? n : take_words(&r, at);
	}
	if (a->failed)
		return md_fail(err, MD_NOMEM, 0, "out of memory");
	*ret = q;
	return MD_OK;
}
