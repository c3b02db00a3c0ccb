/* port_values.c - the members of a line as the columns of a row. */
#include "port_line.h"

#include <maildesk/base/clock.h>
#include <maildesk/base/utf8.h>

#include <stdlib.h>
#include <string.h>

enum { LINE_CHARACTERS = 500 };

static bool is_choice(const char *choice, const char *v)
{
	size_t n = strlen(v);

	for (const char *at = choice; n && (at = strstr(at, v)); at += n)
		if ((at == choice || at[-1] == ' ') && (at[n] == ' ' || at[n] == '\0'))
			return true;
	return false;
}

static struct db_arg first_choice(struct line *l, const char *choice)
{
	return DB_TEXT(arena_strndup(&l->arena, choice, strcspn(choice, " ")));
}

/* Bytes of the first `most` characters. */
static size_t characters(const char *s, size_t n, size_t most)
{
	size_t at = 0;
	uint32_t cp;

	for (size_t i = 0; i < most && at < n; i++)
		at += utf8_decode(s + at, n - at, &cp); /* clean: never 0 */
	return at;
}

static struct db_arg clean(struct line *l, enum port_kind kind, const char *text)
{
	md_auto(buf_done) struct buf out = BUF_INIT(PORT_LINE_ARENA / 2);

	if (kind == PORT_LINE)
		utf8_clean_line(&out, text, strlen(text));
	else
		utf8_clean_text(&out, text, strlen(text));
	if (out.status != MD_OK)
		return DB_TEXT(NULL);
	if (kind == PORT_LINE)
		out.len = characters(buf_str(&out), out.len, LINE_CHARACTERS);
	return DB_TEXT(arena_strndup(&l->arena, buf_str(&out), out.len));
}

static struct db_arg text_value(struct line *l, const struct port_column *k, const json_t *v)
{
	const char *text = json_string_value(v);

	if (v && !text && !json_is_null(v))
		line_tell(l, k->key, "is no text");
	if (text && !k->choice)
		return clean(l, k->kind, text);
	if (k->choice && (!text || !is_choice(k->choice, text))) {
		if (text)
			line_tell(l, k->key, text);
		return first_choice(l, k->choice);
	}
	return DB_TEXT(text);
}

static struct db_arg status_value(struct line *l, const json_t *v)
{
	const struct workflow *wf = l->im->workflow;
	const char *name = json_string_value(v);
	const struct workflow_status *status = name ? workflow_status(wf, name) : NULL;
	bool over = json_is_string(json_object_get(l->json, "closed_at"));

	if (status)
		return DB_TEXT(status->name);
	if (name)
		line_tell(l, "status", name);
	status = &wf->statuses[0];
	for (size_t i = 0; over && i < wf->status_count; i++)
		if (wf->statuses[i].phase == PHASE_CLOSED)
			status = &wf->statuses[i];
	return DB_TEXT(status->name);
}

static struct db_arg priority_value(struct line *l, const json_t *v)
{
	const char *name = json_string_value(v);

	for (int i = 0; name && i < (int)MD_COUNT(port_priorities); i++)
		if (strcmp(name, port_priorities[i]) == 0)
			return DB_INT(i);
	if (v)
		line_tell(l, "priority", name ? name : "is no text");
	return DB_INT(1);
}

static struct db_arg json_value(struct line *l, const struct port_column *k, const json_t *v)
{
	md_auto(buf_done) struct buf out = BUF_INIT(1 << 20);
	bool members = k->kind == PORT_MEMBERS;

	if (!json_is_object(v) && (members || !json_is_array(v))) {
		line_tell(l, k->key, "is no object");
		return DB_TEXT(NULL);
	}
	json_write(&out, v);
	if (out.status != MD_OK)
		return DB_TEXT(NULL);
	return DB_TEXT(members ? arena_strndup(&l->arena, buf_str(&out) + 1, out.len - 2)
			       : arena_strndup(&l->arena, buf_str(&out), out.len));
}

static struct db_arg time_value(struct line *l, const struct port_column *k, const json_t *v)
{
	int64_t ms;

	if (json_is_string(v) && time_parse(json_string_value(v), &ms) == MD_OK)
		return DB_INT(ms);
	line_tell(l, k->key, "is no time as 2026-11-20T16:02:03Z");
	return DB_TEXT(NULL);
}

static struct db_arg otherwise(struct line *l, const struct port_column *k)
{
	const char *text = k->otherwise;

	if (!text)
		return DB_TEXT(NULL);
	if (strcmp(text, "$now") == 0)
		return DB_INT(l->im->now_ms);
	if (*text == '\'')
		return DB_TEXT(arena_strndup(&l->arena, text + 1, strlen(text) - 2));
	return DB_INT(strtoll(text, NULL, 10));
}

static int reference(struct line *l, const struct port_column *k, const json_t *v,
		     struct db_arg *ret, struct md_err *err)
{
	int64_t id = 0;
	int rc = line_find_row(l, k->kind, v, &id, err);

	if (rc == MD_NOTFOUND)
		line_tell(l, k->key, "names nothing that is there");
	*ret = DB_ID(id);
	return rc == MD_NOTFOUND ? MD_OK : rc;
}

static int plain(struct line *l, const struct port_column *k, const json_t *v, struct db_arg *ret)
{
	switch (k->kind) {
	case PORT_TEXT:
	case PORT_LINE:
		*ret = text_value(l, k, v);
		return MD_OK;
	case PORT_STATUS:
		*ret = status_value(l, v);
		return MD_OK;
	case PORT_PRIORITY:
		*ret = priority_value(l, v);
		return MD_OK;
	case PORT_BOOL:
		*ret = json_is_boolean(v) ? DB_INT(json_is_true(v)) : DB_TEXT(NULL);
		break;
	case PORT_INT:
		*ret = json_is_integer(v) ? DB_INT(json_integer_value(v)) : DB_TEXT(NULL);
		break;
	default:
		return MD_INPUT;
	}
	if (v && ret->kind == DB_KIND_NULL)
		line_tell(l, k->key,
			  k->kind == PORT_BOOL ? "is neither true nor false" : "is no number");
	return MD_OK;
}

static int value(struct line *l, const struct port_column *k, struct db_arg *ret,
		 struct md_err *err)
{
	const json_t *v = json_object_get(l->json, k->key);
	int rc = MD_OK;

	v = json_is_null(v) ? NULL : v;
	*ret = (struct db_arg){ .kind = DB_KIND_NULL };
	if (k->kind == PORT_RAW || k->kind == PORT_BYTES) {
		int64_t id = 0;

		if (v && !l->blob)
			line_tell(l, k->key, "is not there");
		if (l->blob)
			rc = blob_put(l->c, l->blob, &id, err);
		*ret = DB_ID(id);
		return rc;
	}
	if (plain(l, k, v, ret) != MD_OK && v) {
		if (k->kind == PORT_TIME)
			*ret = time_value(l, k, v);
		else if (k->kind == PORT_JSON || k->kind == PORT_MEMBERS)
			*ret = json_value(l, k, v);
		else
			rc = reference(l, k, v, ret, err);
	}
	if (rc == MD_OK && ret->kind == DB_KIND_NULL)
		*ret = otherwise(l, k);
	if (rc == MD_OK && ret->kind == DB_KIND_NULL && k->required && !l->left_out) {
		line_tell(l, k->key,
			  v ? "cannot be used, so the line is left out"
			    : "is missing, so the line is left out");
		l->left_out = true;
	}
	return rc;
}

int line_read_values(struct line *l, struct md_err *err)
{
	json_t *line = (json_t *)(uintptr_t)l->json;
	int rc = MD_OK;

	for (l->n = 0; rc == MD_OK && l->n < PORT_COLUMNS_MAX && l->t->columns[l->n].key; l->n++)
		rc = value(l, &l->t->columns[l->n], &l->values[l->n], err);
	for (void *it = json_object_iter(line); it; it = json_object_iter_next(line, it)) {
		const char *key = json_object_iter_key(it);
		bool known = strcmp(key, "type") == 0 || (strcmp(key, "id") == 0 && l->t->has_id);

		for (size_t i = 0; i < l->n && !known; i++)
			known = strcmp(key, l->t->columns[i].key) == 0;
		if (!known)
			line_tell(l, key, "is not known here");
	}
	if (l->arena.failed)
		return md_fail(err, MD_NOMEM, 0, "import: out of memory");
	return rc;
}

const struct db_arg *line_value(const struct line *l, const char *key)
{
	for (size_t i = 0; i < l->n; i++)
		if (strcmp(l->t->columns[i].key, key) == 0)
			return &l->values[i];
	return NULL;
}

const char *line_text(struct line *l, const char *key)
{
	const struct db_arg *v = line_value(l, key);

	return v && v->kind == DB_KIND_TEXT ? v->bytes : NULL;
}
