/* Bodies and queries of the API: what passes the table keeps every limit of it. The input is BODY
 * NUL NAME NUL VALUE NUL NAME ... */
#include "fuzz.h"

#include <maildesk/net/field.h>

enum { QUERY_MAX = 8, TEXT_MAX = 20 };

static const char *const words[] = { "low", "high", NULL };
static const struct http_field fields[] = {
	{ "title", HTTP_LINE, HTTP_REQUIRED, 1, TEXT_MAX, NULL, NULL },
	{ "text", HTTP_TEXT, HTTP_NULLABLE, 0, TEXT_MAX, NULL, NULL },
	{ "priority", HTTP_LINE, 0, 0, 0, words, NULL },
	{ "number", HTTP_INT, 0, -5, 5, NULL, NULL },
	{ "flag", HTTP_BOOL, 0, 0, 0, NULL, NULL },
	{ "when", HTTP_TIME, HTTP_NULLABLE, 0, 0, NULL, NULL },
	{ "who", HTTP_PERSON, 0, 0, 0, NULL, NULL },
	{ "tags", HTTP_LINES, 0, 1, TEXT_MAX, NULL, NULL },
	{ "people", HTTP_PERSONS, 0, 0, 0, NULL, NULL },
	HTTP_END,
};
static const struct http_field parameters[] = {
	{ "q", HTTP_LINE, 0, 0, TEXT_MAX, NULL, NULL },
	{ "limit", HTTP_INT, 0, 1, 100, NULL, NULL },
	{ "status", HTTP_WORDS, 0, 0, 0, words, NULL },
	{ "since", HTTP_TIME, 0, 0, 0, NULL, NULL },
	HTTP_END,
};

static void check_string(const json_t *j, size_t min, bool breaks)
{
	const char *s = json_string_value(j);
	size_t n = json_string_length(j);

	check(s && strlen(s) == n && utf8_length(s, n) >= min && utf8_length(s, n) <= TEXT_MAX);
	check(http_clean(s, n, breaks));
}

static void check_good(const json_t *body)
{
	const json_t *number = json_object_get(body, "number"), *tag;
	const json_t *text = json_object_get(body, "text");
	size_t i;

	check_string(json_object_get(body, "title"), 1, false);
	if (text && !json_is_null(text))
		check_string(text, 0, true);
	if (number)
		check(json_integer_value(number) >= -5 && json_integer_value(number) <= 5);
	check(json_array_size(json_object_get(body, "tags")) <= HTTP_LIST_MAX);
	json_array_foreach(json_object_get(body, "tags"), i, tag) check_string(tag, 1, false);
	check(json_object_size(body) <= 9);
}

static void check_complaints(const struct http_complaints *c, bool good)
{
	check(good == (c->n == 0) && c->n <= MD_COUNT(c->v));
	for (size_t i = 0; i < c->n; i++) {
		check_utf8(c->v[i].field);
		check_utf8(c->v[i].text);
	}
}

static void query(struct arena *a, struct span rest)
{
	struct http_complaints c = { .arena = a };
	struct http_pair pairs[QUERY_MAX];
	size_t n = 0;

	for (; n < QUERY_MAX && rest.n; n++) {
		struct span s = take_part(&rest), v = take_part(&rest);

		/* The server refuses what is no UTF-8 before; controls come through. */
		if (!utf8_valid(s.p, s.n) || !utf8_valid(v.p, v.n))
			return;
		pairs[n].name = arena_strndup(a, s.p, s.n);
		pairs[n].value = arena_strndup(a, v.p, v.n);
	}
	check_complaints(&c, http_check_query(parameters, pairs, n, &c));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	md_auto(arena_done) struct arena a = ARENA_INIT(FUZZ_ARENA_MAX);
	md_auto(json_decref_p) json_t *body = NULL, *again = NULL;
	md_auto(buf_done) struct buf text = BUF_INIT(FUZZ_ARENA_MAX);
	struct http_complaints c = { .arena = &a };
	struct span rest = { (const char *)data, n }, first = take_part(&rest);

	if (json_read(first.p, first.n, 8, &body, NULL) == MD_OK) {
		bool good = http_check_body(fields, body, &c);

		check_complaints(&c, good);
		if (good)
			check_good(body);
		json_write(&text, body);
		check(text.status == MD_OK);
		check(json_read(text.data, text.len, 8, &again, NULL) == MD_OK);
	}
	query(&a, rest);
	return 0;
}
