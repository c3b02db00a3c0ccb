#include <maildesk/net/field.h>

#include <maildesk/base/clock.h>
#include <maildesk/base/utf8.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void http_complain(struct http_complaints *c, const char *field, const char *fmt, ...)
{
	char text[400];
	va_list ap;

	if (c->n == MD_COUNT(c->v))
		return;
	va_start(ap, fmt);
	if (vsnprintf(text, sizeof text, fmt, ap) < 0)
		text[0] = '\0';
	va_end(ap);
	c->v[c->n].field = arena_strndup(c->arena, field, utf8_cut(field, strlen(field), 80));
	c->v[c->n].text = arena_strdup(c->arena, text);
	if (c->v[c->n].field && c->v[c->n].text)
		c->n++;
}

bool http_clean(const char *s, size_t n, bool breaks)
{
	for (size_t i = 0; i < n; i++) {
		unsigned char c = (unsigned char)s[i];

		if (c == 0xc2 && i + 1 < n && (unsigned char)s[i + 1] < 0xa0)
			return false; /* U+0080 to U+009F */
		if (c >= 0x20 && c != 0x7f)
			continue;
		if (!breaks)
			return false;
		if (c != '\t' && c != '\n' && !(c == '\r' && i + 1 < n && s[i + 1] == '\n'))
			return false;
	}
	return true;
}

static const struct http_field *find(const struct http_field *fields, const char *name)
{
	for (const struct http_field *f = fields; f && f->name; f++)
		if (strcmp(f->name, name) == 0)
			return f;
	return NULL;
}

static bool is_word(const char *const *words, const char *s, size_t n)
{
	for (; *words; words++)
		if (strlen(*words) == n && memcmp(*words, s, n) == 0)
			return true;
	return false;
}

static void complain_words(struct http_complaints *c, const char *name, const char *const *words)
{
	char list[320] = "";
	size_t at = 0;

	for (; *words && at < sizeof list; words++) {
		int n = snprintf(list + at, sizeof list - at, "%s%s", at ? ", " : "", *words);
		at += n > 0 ? (size_t)n : 0;
	}
	http_complain(c, name, "must be one of %s", list);
}

/* ---- texts ---- */

static void check_text(const struct http_field *f, const char *name, const char *s, size_t n,
		       struct http_complaints *c)
{
	int64_t length = (int64_t)utf8_length(s, n);

	if (!http_clean(s, n, f->type == HTTP_TEXT))
		http_complain(c, name, "contains a control character");
	else if (f->words && !is_word(f->words, s, n))
		complain_words(c, name, f->words);
	else if (length < f->min && f->min == 1)
		http_complain(c, name, "must not be empty");
	else if (length < f->min)
		http_complain(c, name, "must have at least %lld characters", (long long)f->min);
	else if (f->max && length > f->max)
		http_complain(c, name, "must have at most %lld characters", (long long)f->max);
}

static void check_int(const struct http_field *f, const char *name, int64_t v,
		      struct http_complaints *c)
{
	if (v < f->min)
		http_complain(c, name, "must be at least %lld", (long long)f->min);
	else if (f->max && v > f->max)
		http_complain(c, name, "must be at most %lld", (long long)f->max);
}

/* ---- bodies ---- */

static void check_value(const struct http_field *f, const char *name, const json_t *v,
			struct http_complaints *c);

static void check_texts(const struct http_field *f, const json_t *texts, struct http_complaints *c)
{
	struct http_field member = { .type = HTTP_TEXT, .flags = HTTP_NULLABLE, .max = f->max };
	const char *key;
	char name[80];
	json_t *v;

	if (!json_is_object(texts) || json_object_size(texts) > HTTP_LIST_MAX) {
		http_complain(c, f->name, "must be an object with at most %d members",
			      HTTP_LIST_MAX);
		return;
	}
	json_object_foreach((json_t *)(uintptr_t)texts, key, v)
	{
		snprintf(name, sizeof name, "%s.%s", f->name, key);
		check_value(&member, name, v, c);
	}
}

static void check_list(const struct http_field *f, const json_t *list, struct http_complaints *c)
{
	struct http_field member = *f;
	char name[80];

	if (!json_is_array(list)) {
		http_complain(c, f->name, "must be an array");
		return;
	}
	if (json_array_size(list) > HTTP_LIST_MAX) {
		http_complain(c, f->name, "must have at most %d members", HTTP_LIST_MAX);
		return;
	}
	member.type = f->type == HTTP_LINES ? HTTP_LINE : HTTP_PERSON;
	member.flags = 0;
	for (size_t i = 0; i < json_array_size(list); i++) {
		snprintf(name, sizeof name, "%s.%zu", f->name, i);
		check_value(&member, name, json_array_get(list, i), c);
	}
}

static void check_ids(const struct http_field *f, const json_t *list, struct http_complaints *c)
{
	const json_t *id;
	char name[80];
	size_t i;

	if (!json_is_array(list) || json_array_size(list) < (size_t)f->min ||
	    json_array_size(list) > (size_t)f->max) {
		http_complain(c, f->name, "must be an array of %lld to %lld ids", (long long)f->min,
			      (long long)f->max);
		return;
	}
	json_array_foreach(list, i, id)
	{
		snprintf(name, sizeof name, "%s.%zu", f->name, i);
		if (!json_is_integer(id) || json_integer_value(id) < 1)
			http_complain(c, name, "must be an id");
	}
}

static void check_value(const struct http_field *f, const char *name, const json_t *v,
			struct http_complaints *c)
{
	int64_t ms;

	if (json_is_null(v)) {
		if (!(f->flags & HTTP_NULLABLE))
			http_complain(c, name, "must not be null");
		return;
	}
	switch (f->type) {
	case HTTP_PERSON:
	case HTTP_NAMED:
		if (json_is_string(v))
			check_text(f, name, json_string_value(v), json_string_length(v), c);
		else if (!json_is_integer(v) || json_integer_value(v) < 1)
			http_complain(c, name,
				      f->type == HTTP_NAMED ? "must be an id or a name"
							    : "must be an id or an address");
		return;
	case HTTP_TEXTS:
		check_texts(f, v, c);
		return;
	case HTTP_LINE:
	case HTTP_TEXT:
		if (!json_is_string(v))
			http_complain(c, name, "must be a string");
		else
			check_text(f, name, json_string_value(v), json_string_length(v), c);
		return;
	case HTTP_TIME:
		if (!json_is_string(v) || time_parse(json_string_value(v), &ms) != MD_OK)
			http_complain(c, name, "must be an instant like 2026-11-20T16:02:03Z");
		else if (ms <= 0) /* 0 stands for none in the database */
			http_complain(c, name, "must lie after 1970-01-01T00:00:00Z");
		return;
	case HTTP_INT:
		if (!json_is_integer(v))
			http_complain(c, name, "must be an integer");
		else
			check_int(f, name, json_integer_value(v), c);
		return;
	case HTTP_BOOL:
		if (!json_is_boolean(v))
			http_complain(c, name, "must be true or false");
		return;
	case HTTP_IDS:
		check_ids(f, v, c);
		return;
	default:
		check_list(f, v, c);
	}
}

bool http_body_needed(const struct http_field *fields)
{
	for (; fields->name; fields++)
		if (fields->flags & HTTP_REQUIRED)
			return true;
	return false;
}

bool http_check_body(const struct http_field *fields, const json_t *body,
		     struct http_complaints *ret)
{
	const char *key;
	json_t *v;

	if (!json_is_object(body)) {
		http_complain(ret, "", "must be an object");
		return false;
	}
	/* jansson's iteration changes nothing but is declared for mutable objects */
	json_object_foreach((json_t *)(uintptr_t)body, key, v)
	{
		const struct http_field *f = find(fields, key);

		if (f)
			check_value(f, f->name, v, ret);
		else
			http_complain(ret, key, "is not known here");
	}
	for (const struct http_field *f = fields; f && f->name; f++)
		if ((f->flags & HTTP_REQUIRED) && !json_object_get(body, f->name))
			http_complain(ret, f->name, "is required");
	return ret->n == 0;
}

/* ---- queries ---- */

static bool read_int(const char *s, int64_t *ret)
{
	char *end;

	errno = 0;
	*ret = strtoll(s, &end, 10);
	return *s >= '0' && *s <= '9' && !*end && errno == 0;
}

enum { ID_DIGITS = 18 };

static void check_words(const struct http_field *f, const char *s, struct http_complaints *c)
{
	if (!http_clean(s, strlen(s), false)) {
		http_complain(c, f->name, "contains a control character");
		return;
	}
	for (size_t count = 1;; s++, count++) {
		size_t n = strcspn(s, ",");
		bool is_id = n && n <= ID_DIGITS && *s != '0' && strspn(s, "0123456789") == n;

		if (count > HTTP_WORDS_MAX) {
			http_complain(c, f->name, "must have at most %d values", HTTP_WORDS_MAX);
			return;
		}
		if (f->type == HTTP_NUMBERS && !is_id) {
			http_complain(c, f->name, "must be an id, or ids with commas between");
			return;
		}

		if (!n || (f->words && !is_word(f->words, s, n))) {
			if (f->words)
				complain_words(c, f->name, f->words);
			else
				http_complain(c, f->name, "must not be empty");
			return;
		}
		s += n;
		if (!*s)
			return;
	}
}

int http_date_parse(const char *text, int64_t *ret_ms)
{
	char instant[24];

	if (strlen(text) != strlen("2026-11-20"))
		return MD_INPUT;
	snprintf(instant, sizeof instant, "%sT00:00:00Z", text);
	return time_parse(instant, ret_ms);
}

static void check_parameter(const struct http_field *f, const char *s, struct http_complaints *c)
{
	int64_t v;

	switch (f->type) {
	case HTTP_INT:
		if (!read_int(s, &v))
			http_complain(c, f->name, "must be an integer");
		else
			check_int(f, f->name, v, c);
		break;
	case HTTP_TIME:
		if (time_parse(s, &v) != MD_OK)
			http_complain(c, f->name, "must be an instant like 2026-11-20T16:02:03Z");
		break;
	case HTTP_DAY:
		if (time_parse(s, &v) != MD_OK && http_date_parse(s, &v) != MD_OK)
			http_complain(c, f->name,
				      "must be an instant like 2026-11-20T16:02:03Z, or a date "
				      "like 2026-11-20");
		break;
	case HTTP_WORDS:
	case HTTP_NUMBERS:
		check_words(f, s, c);
		break;
	default:
		check_text(f, f->name, s, strlen(s), c);
	}
}

bool http_check_query(const struct http_field *fields, const struct http_pair *query, size_t n,
		      struct http_complaints *ret)
{
	for (size_t i = 0; i < n; i++) {
		const struct http_field *f = find(fields, query[i].name);
		bool again = false;

		for (size_t k = 0; k < i; k++)
			again = again || strcmp(query[k].name, query[i].name) == 0;
		if (!f) {
			http_complain(ret, query[i].name, "is not known here");
			if (ret->n)
				ret->v[ret->n - 1].unknown = true;
		} else if (again) {
			http_complain(ret, f->name, "is given twice");
		} else if (!query[i].value) {
			http_complain(ret, f->name,
				      "must be UTF-8 without NUL, each percent sign followed by "
				      "two digits of its byte");
		} else {
			check_parameter(f, query[i].value, ret);
		}
	}
	for (const struct http_field *f = fields; f && f->name; f++) {
		bool given = !(f->flags & HTTP_REQUIRED);

		for (size_t i = 0; i < n; i++)
			given = given || strcmp(query[i].name, f->name) == 0;
		if (!given)
			http_complain(ret, f->name, "is required");
	}
	return ret->n == 0;
}
