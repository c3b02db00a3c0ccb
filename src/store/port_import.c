/* port_import.c - a line into a row.
 *
 * What is absent or cannot be used gets the table's default, or a NULL, and is told of; a line
 * without what it needs is left out, and told of. The table "imports" knows which ticket, comment
 * or mail of which system is which row here: a line that comes again is known, so an import can be
 * run again, also with more in it. */
#include "port_table.h"

#include "db_conn.h"

#include <maildesk/base/clock.h>
#include <maildesk/base/utf8.h>
#include <maildesk/mail/compose.h>
#include <maildesk/store/messages.h>
#include <maildesk/store/search.h>
#include <maildesk/store/tickets.h>
#include <maildesk/store/users.h>

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum {
	LINE_ARENA = 64 << 20,
	SQL_MAX = 8 << 10,
	ID_TEXT_MAX = 200,
	UNMAPPED_MAX = 1000,
	LINE_CHARACTERS = 500
};

DB_SQL(sql_find, "SELECT i.local_id FROM imports i WHERE i.source = $1 AND i.kind = $2"
		 " AND i.foreign_id = $3");
DB_SQL(sql_note, "INSERT INTO imports (source, kind, foreign_id, local_id) VALUES ($1, $2, $3, $4)"
		 " ON CONFLICT (source, kind, foreign_id) DO UPDATE SET local_id ="
		 " excluded.local_id");
DB_SQL(sql_team, "SELECT t.id FROM teams t WHERE t.name = $1");
DB_SQL(sql_organisation, "SELECT o.id FROM organisations o WHERE o.name = $1");
DB_SQL(sql_mailbox, "SELECT b.id FROM mailboxes b WHERE b.name = $1");
DB_SQL(sql_tag, "SELECT g.id FROM tags g WHERE g.name = $1");
DB_SQL(sql_tag_add, "INSERT INTO tags (name, color) VALUES ($1, '#808080') RETURNING id");
DB_SQL(sql_team_add, "INSERT INTO teams (name) VALUES ($1) RETURNING id");
DB_SQL(sql_organisation_add, "INSERT INTO organisations (name) VALUES ($1) RETURNING id");
DB_SQL(sql_ticket_there, "SELECT t.id FROM tickets t WHERE t.id = $1");
DB_SQL(sql_merge, "UPDATE tickets SET merged_into = $1 WHERE id = $2");
DB_SQL(sql_attach, "INSERT INTO attachments (comment_id, blob_id, uploader_id, uploaded_at,"
		   " filename, content_type, content_id, size, sha256, is_inline, raw_offset,"
		   " raw_length, encoding) SELECT m.id, CAST($1 AS {INT}), m.author_id,"
		   " m.created_at, CAST($2 AS TEXT), CAST($3 AS TEXT), CAST($4 AS TEXT),"
		   " CAST($5 AS {INT}), CAST($6 AS TEXT), CAST($7 AS {INT}), 0, CAST($5 AS {INT}),"
		   " 'identity' FROM comments m WHERE m.id = $8");

/* ---- the report ---- */

int port_report_new(struct port_report *ret, struct md_err *err)
{
	*ret = (struct port_report){ json_object(), json_object() };
	return ret->done && ret->unmapped ? MD_OK
					  : md_fail(err, MD_NOMEM, 0, "import: out of memory");
}

void port_report_done(struct port_report *r)
{
	json_decref(r->done);
	json_decref(r->unmapped);
	*r = (struct port_report){ 0 };
}

static void count(json_t *in, const char *key, json_int_t more)
{
	json_int_t before = json_integer_value(json_object_get(in, key));

	json_object_set_new(in, key, json_integer(before + more));
}

/* At most `max` keys. */
static void add_counts(json_t *to, json_t *more, size_t max)
{
	for (void *it = json_object_iter(more); it; it = json_object_iter_next(more, it)) {
		const char *what = json_object_iter_key(it);

		if (json_object_size(to) < max || json_object_get(to, what))
			count(to, what, json_integer_value(json_object_iter_value(it)));
	}
}

void port_report_add(struct port_report *to, const struct port_report *more)
{
	for (void *it = json_object_iter(more->done); it;
	     it = json_object_iter_next(more->done, it)) {
		const char *type = json_object_iter_key(it);

		if (!json_object_get(to->done, type))
			json_object_set_new(to->done, type, json_object());
		add_counts(json_object_get(to->done, type), json_object_iter_value(it), SIZE_MAX);
	}
	add_counts(to->unmapped, more->unmapped, UNMAPPED_MAX);
}

static void done(const struct port_import *im, const char *type, const char *what)
{
	if (!json_object_get(im->report->done, type))
		json_object_set_new(im->report->done, type, json_object());
	count(json_object_get(im->report->done, type), what, 1);
}

void port_unmapped(struct port_report *r, const char *type, const char *what)
{
	md_auto(buf_done) struct buf text = BUF_INIT(1 << 10);

	buf_addf(&text, "%s: %s", type, what);
	if (text.status == MD_OK)
		count(r->unmapped, buf_str(&text), 1);
}

/* ---- ids and names ---- */

int port_position(struct db_conn *c, const char *name, int64_t *ret, struct md_err *err)
{
	int rc = db_int(c, &sql_find, DB_ARGS(DB_TEXT(name), DB_TEXT("line"), DB_TEXT("")), ret,
			err);

	if (rc == MD_NOTFOUND)
		*ret = 0;
	return rc == MD_NOTFOUND ? MD_OK : rc;
}

int port_set_position(struct db_conn *c, const char *name, int64_t position, struct md_err *err)
{
	return db_exec(c, &sql_note,
		       DB_ARGS(DB_TEXT(name), DB_TEXT("line"), DB_TEXT(""), DB_INT(position)), NULL,
		       err);
}

struct line {
	struct db_conn *c;
	const struct port_import *im;
	const struct port_table *t;
	const json_t *json;
	const struct blob *blob;
	struct arena arena;
	struct db_arg values[PORT_COLUMNS_MAX];
	size_t n;
	char id[ID_TEXT_MAX]; /* "": it has none */
	bool left_out;
};

static void tell(struct line *l, const char *key, const char *what)
{
	md_auto(buf_done) struct buf text = BUF_INIT(1 << 10);

	buf_addf(&text, "%s %s", key, what);
	if (text.status == MD_OK)
		port_unmapped(l->im->report, l->t->type, buf_str(&text));
}

/* Numbers and texts are both ids. False: neither, or too long. */
static bool id_text(const json_t *v, char out[ID_TEXT_MAX])
{
	int n = -1;

	if (json_is_integer(v))
		n = snprintf(out, ID_TEXT_MAX, "%" JSON_INTEGER_FORMAT, json_integer_value(v));
	else if (json_is_string(v))
		n = snprintf(out, ID_TEXT_MAX, "%s", json_string_value(v));
	return n > 0 && n < ID_TEXT_MAX;
}

static int find_mapped(struct line *l, const char *kind, const json_t *v, int64_t *ret,
		       struct md_err *err)
{
	char id[ID_TEXT_MAX];

	if (!id_text(v, id))
		return MD_NOTFOUND;
	return db_int(l->c, &sql_find, DB_ARGS(DB_TEXT(l->im->source), DB_TEXT(kind), DB_TEXT(id)),
		      ret, err);
}

static int find_user(struct line *l, const char *address, int64_t *ret, struct md_err *err)
{
	struct user u = {
		.name = address, .email = address, .role = "customer", .created_at = l->im->now_ms
	};
	struct user found;
	int rc;

	if (!mail_address_valid(address))
		return MD_NOTFOUND;
	rc = user_by_address(l->c, address, &l->arena, &found, err);
	if (rc == MD_OK)
		*ret = found.id;
	if (rc != MD_NOTFOUND)
		return rc;
	rc = user_add(l->c, &u, ret, err);
	if (rc == MD_OK)
		done(l->im, "user", "made, named by other lines alone");
	return rc;
}

static int find_named(struct line *l, const struct db_sql *find, const struct db_sql *add,
		      const char *name, int64_t *ret, struct md_err *err)
{
	int rc = db_int(l->c, find, DB_ARGS(DB_TEXT(name)), ret, err);

	return rc == MD_NOTFOUND && add ? db_int(l->c, add, DB_ARGS(DB_TEXT(name)), ret, err) : rc;
}

/* MD_NOTFOUND: it names nothing. */
static int find_row(struct line *l, enum port_kind kind, const json_t *v, int64_t *ret,
		    struct md_err *err)
{
	const char *name = json_string_value(v);

	if (kind == PORT_TICKET)
		return find_mapped(l, "ticket", v, ret, err);
	if (kind == PORT_COMMENT)
		return find_mapped(l, "comment", v, ret, err);
	if (kind == PORT_MAIL)
		return find_mapped(l, "mail", v, ret, err);
	if (!name || !*name)
		return MD_NOTFOUND;
	if (kind == PORT_USER)
		return find_user(l, name, ret, err);
	if (kind == PORT_TEAM)
		return find_named(l, &sql_team, &sql_team_add, name, ret, err);
	if (kind == PORT_ORGANISATION)
		return find_named(l, &sql_organisation, &sql_organisation_add, name, ret, err);
	if (kind == PORT_TAG)
		return find_named(l, &sql_tag, &sql_tag_add, name, ret, err);
	return find_named(l, &sql_mailbox, NULL, name, ret, err);
}

/* ---- values ---- */

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
	md_auto(buf_done) struct buf out = BUF_INIT(LINE_ARENA / 2);

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
		tell(l, k->key, "is no text");
	if (text && !k->choice)
		return clean(l, k->kind, text);
	if (k->choice && (!text || !is_choice(k->choice, text))) {
		if (text)
			tell(l, k->key, text);
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
		tell(l, "status", name);
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
		tell(l, "priority", name ? name : "is no text");
	return DB_INT(1);
}

static struct db_arg json_value(struct line *l, const struct port_column *k, const json_t *v)
{
	md_auto(buf_done) struct buf out = BUF_INIT(1 << 20);
	bool members = k->kind == PORT_MEMBERS;

	if (!json_is_object(v) && (members || !json_is_array(v))) {
		tell(l, k->key, "is no object");
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
	tell(l, k->key, "is no time as 2026-11-20T16:02:03Z");
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
	int rc = find_row(l, k->kind, v, &id, err);

	if (rc == MD_NOTFOUND)
		tell(l, k->key, "names nothing that is there");
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
		tell(l, k->key,
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
			tell(l, k->key, "is not there");
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
		tell(l, k->key,
		     v ? "cannot be used, so the line is left out"
		       : "is missing, so the line is left out");
		l->left_out = true;
	}
	return rc;
}

static int values(struct line *l, struct md_err *err)
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
			tell(l, key, "is not known here");
	}
	if (l->arena.failed)
		return md_fail(err, MD_NOMEM, 0, "import: out of memory");
	return rc;
}

static const struct db_arg *value_of(const struct line *l, const char *key)
{
	for (size_t i = 0; i < l->n; i++)
		if (strcmp(l->t->columns[i].key, key) == 0)
			return &l->values[i];
	return NULL;
}

static const char *text_of(struct line *l, const char *key)
{
	const struct db_arg *v = value_of(l, key);

	return v && v->kind == DB_KIND_TEXT ? v->bytes : NULL;
}

/* ---- rows ---- */

static int keep_id(const struct db_arg *row, size_t n, void *ctx, struct md_err *err)
{
	(void)n;
	(void)err;
	*(int64_t *)ctx = row[0].kind == DB_KIND_INT ? row[0].integer : 1;
	return MD_OK;
}

/* The row that the first columns name; 0: there is none. NULLs name nothing. */
static int find_natural(struct line *l, int64_t *ret, struct md_err *err)
{
	md_auto(buf_done) struct buf sql = BUF_INIT(SQL_MAX);

	*ret = 0;
	for (size_t i = 0; i < l->t->natural; i++)
		if (l->values[i].kind == DB_KIND_NULL)
			return MD_OK;
	if (!l->t->natural)
		return MD_OK;
	buf_addf(&sql, "SELECT x.%s FROM %s x WHERE", l->t->keys[0], l->t->table);
	for (size_t i = 0; i < l->t->natural; i++)
		buf_addf(&sql, "%s x.%s = $%zu", i ? " AND" : "", l->t->columns[i].column, i + 1);
	if (sql.status != MD_OK)
		return md_fail(err, MD_NOMEM, 0, "import: out of memory");
	return db_values(l->c, buf_str(&sql), (struct db_args){ l->values, l->t->natural }, keep_id,
			 ret, err);
}

/* Its number, where nobody has that here: people know it. */
static int keep_number(struct line *l, int64_t *ret, struct md_err *err)
{
	char *end;
	int64_t wanted = strtoll(l->id, &end, 10), last = 0, there;
	int rc;

	*ret = 0;
	if (strcmp(l->t->table, "tickets") != 0 || *end || wanted < 1 || wanted > INT32_MAX)
		return MD_OK;
	rc = db_int(l->c, &sql_ticket_there, DB_ARGS(DB_INT(wanted)), &there, err);
	if (rc == MD_OK) {
		done(l->im, "ticket", "made, with another number, as theirs is taken");
		return MD_OK;
	}
	if (rc == MD_NOTFOUND)
		rc = l->c->db->driver->last_id(l->c->link, "tickets", &last, err);
	if (rc == MD_OK && wanted > last)
		rc = l->c->db->driver->set_last_id(l->c->link, "tickets", wanted, err);
	*ret = wanted;
	return rc;
}

static int insert(struct line *l, int64_t *ret_id, struct md_err *err)
{
	md_auto(buf_done) struct buf sql = BUF_INIT(SQL_MAX);
	struct db_arg args[PORT_COLUMNS_MAX + 1];
	size_t n = 0;
	int64_t number;
	int rc = keep_number(l, &number, err);

	if (number)
		args[n++] = DB_INT(number);
	buf_addf(&sql, "INSERT INTO %s (%s", l->t->table, number ? "id" : "");
	for (size_t i = 0; i < l->n; i++) {
		buf_addf(&sql, "%s%s", n ? ", " : "", l->t->columns[i].column);
		args[n++] = l->values[i];
	}
	buf_adds(&sql, ") VALUES (");
	for (size_t i = 0; i < n; i++)
		buf_addf(&sql, "%s$%zu", i ? ", " : "", i + 1);
	buf_addf(&sql, ") RETURNING %s", l->t->keys[0]);
	if (sql.status != MD_OK)
		return md_fail(err, MD_NOMEM, 0, "import: out of memory");
	return rc == MD_OK ? db_values(l->c, buf_str(&sql), (struct db_args){ args, n }, keep_id,
				       ret_id, err)
			   : rc;
}

static int insert_user(struct line *l, int64_t *ret_id, struct md_err *err)
{
	const char *email = text_of(l, "email");
	struct user u = { .name = text_of(l, "name"),
			  .email = email,
			  .role = text_of(l, "role"),
			  .locale = text_of(l, "locale"),
			  .timezone = text_of(l, "timezone"),
			  .signature = text_of(l, "signature"),
			  .organisation_id = value_of(l, "organisation")->integer,
			  .created_at = value_of(l, "created_at")->integer,
			  .disabled_at = value_of(l, "disabled_at")->integer,
			  .undeliverable_at = value_of(l, "undeliverable_at")->integer };
	int rc;

	u.name = u.name ? u.name : email;
	u.created_at = u.created_at ? u.created_at : l->im->now_ms;
	rc = user_add(l->c, &u, ret_id, err);
	u.id = rc == MD_OK ? *ret_id : 0;
	u.organisation_id = value_of(l, "organisation")->integer; /* not by the address */
	return rc == MD_OK ? user_save(l->c, &u, err) : rc;
}

static int import_user(struct line *l, int64_t *ret, bool *ret_known, struct md_err *err)
{
	const char *email = text_of(l, "email");
	struct user found;
	int rc = MD_NOTFOUND;

	if (!mail_address_valid(email)) {
		tell(l, "email", "is no mail address, so the line is left out");
		l->left_out = true;
		return MD_OK;
	}
	rc = user_by_address(l->c, email, &l->arena, &found, err);
	*ret_known = rc == MD_OK;
	return rc == MD_NOTFOUND ? insert_user(l, ret, err) : rc;
}

static int import_attachment(struct line *l, struct md_err *err)
{
	const struct db_arg *blob = value_of(l, "file");

	if (blob->kind == DB_KIND_NULL) {
		l->left_out = true;
		return MD_OK;
	}
	return db_exec(l->c, &sql_attach,
		       DB_ARGS(*blob, *value_of(l, "filename"), *value_of(l, "content_type"),
			       *value_of(l, "content_id"), DB_INT(l->blob->size),
			       DB_TEXT(l->blob->sha256), *value_of(l, "inline"),
			       *value_of(l, "comment")),
		       NULL, err);
}

static int import_row(struct line *l, int64_t *ret, bool *ret_known, struct md_err *err)
{
	int rc;

	if (strcmp(l->t->type, "user") == 0)
		return import_user(l, ret, ret_known, err);
	if (strcmp(l->t->type, "attachment") == 0)
		return import_attachment(l, err);
	if (strcmp(l->t->type, "merged") == 0)
		return db_exec(l->c, &sql_merge, DB_ARGS(l->values[1], l->values[0]), NULL, err);
	rc = find_natural(l, ret, err);
	*ret_known = rc == MD_OK && *ret;
	return rc == MD_OK && !*ret ? insert(l, ret, err) : rc;
}

/* What is found by words, and what a reply is known by. */
static int follow_up(struct line *l, int64_t id, struct md_err *err)
{
	const struct db_arg *ticket = value_of(l, "ticket");
	const char *message_id = text_of(l, "message_id");

	if (strcmp(l->t->type, "ticket") == 0)
		return search_queue_ticket(l->c, id, err);
	if (strcmp(l->t->type, "comment") == 0)
		return search_queue_comment(l->c, id, err);
	if (strcmp(l->t->type, "mail") == 0 && message_id && ticket->kind == DB_KIND_INT)
		return thread_add(l->c, message_id, ticket->integer, err);
	return MD_OK;
}

static int import_new(struct line *l, struct md_err *err)
{
	bool known = false;
	int64_t id = 0;
	int rc = values(l, err);

	if (rc == MD_OK && !l->left_out)
		rc = import_row(l, &id, &known, err);
	if (rc != MD_OK || l->left_out)
		return rc;
	if (*l->id)
		rc = db_exec(l->c, &sql_note,
			     DB_ARGS(DB_TEXT(l->im->source), DB_TEXT(l->t->type), DB_TEXT(l->id),
				     DB_INT(id)),
			     NULL, err);
	if (rc == MD_OK && !known)
		rc = follow_up(l, id, err);
	if (rc == MD_OK)
		done(l->im, l->t->type, known ? "there already" : "made");
	return rc;
}

static int in_part(struct db_conn *c, void *ctx, struct md_err *err)
{
	struct line *l = ctx;
	const json_t *id = json_object_get(l->json, "id");
	int64_t there;
	int rc = MD_NOTFOUND;

	l->c = c;
	if (l->t->has_id && id && !id_text(id, l->id)) {
		tell(l, "id", "is neither a number nor a text");
		l->left_out = true;
		return MD_OK;
	}
	if (*l->id)
		rc = find_mapped(l, l->t->type, id, &there, err);
	if (rc == MD_OK)
		done(l->im, l->t->type, "there already");
	return rc == MD_NOTFOUND ? import_new(l, err) : rc;
}

static const struct port_table *table_of(const char *type)
{
	for (size_t i = 0; type && i < port_n_tables; i++)
		if (strcmp(port_tables[i].type, type) == 0)
			return &port_tables[i];
	return NULL;
}

int port_import_line(struct db_conn *c, const struct port_import *im, const json_t *line,
		     const struct blob *blob, struct md_err *err)
{
	const char *type = json_string_value(json_object_get(line, "type"));
	struct line l = { .im = im,
			  .t = table_of(type),
			  .json = line,
			  .blob = blob,
			  .arena = ARENA_INIT(LINE_ARENA) };
	int rc;

	if (!l.t) {
		port_unmapped(im->report, type ? type : "a line",
			      type ? "is no type that is known here" : "has no type");
		return MD_OK;
	}
	rc = db_savepoint(c, in_part, &l, err);
	arena_done(&l.arena);
	if (rc == MD_CONFLICT || rc == MD_INPUT) {
		port_unmapped(im->report, type, err->text);
		l.left_out = true;
		rc = MD_OK;
	}
	if (rc == MD_OK && l.left_out)
		done(im, type, "left out");
	return rc;
}
