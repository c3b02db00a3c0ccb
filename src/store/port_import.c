/* port_import.c - a line into a row.
 *
 * What is absent or cannot be used gets the table's default, or a NULL, and is told of; a line
 * without what it needs is left out, and told of. The table "imports" knows which ticket, comment
 * or mail of which system is which row here: a line that comes again is known, so an import can be
 * run again, also with more in it. */
#include "db_conn.h"
#include "port_line.h"

#include <maildesk/mail/compose.h>
#include <maildesk/store/messages.h>
#include <maildesk/store/search.h>
#include <maildesk/store/users.h>

#include <stdlib.h>
#include <string.h>

enum { SQL_MAX = 8 << 10 };

DB_SQL(sql_ticket_there, "SELECT t.id FROM tickets t WHERE t.id = $1");
DB_SQL(sql_merge, "UPDATE tickets SET merged_into = $1 WHERE id = $2");
DB_SQL(sql_attach, "INSERT INTO attachments (comment_id, blob_id, uploader_id, uploaded_at,"
		   " filename, content_type, content_id, size, sha256, is_inline, raw_offset,"
		   " raw_length, encoding) SELECT m.id, CAST($1 AS {INT}), m.author_id,"
		   " m.created_at, CAST($2 AS TEXT), CAST($3 AS TEXT), CAST($4 AS TEXT),"
		   " CAST($5 AS {INT}), CAST($6 AS TEXT), CAST($7 AS {INT}), 0, CAST($5 AS {INT}),"
		   " 'identity' FROM comments m WHERE m.id = $8");

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
		port_done(l->im, "ticket", "made, with another number, as theirs is taken");
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
	const char *email = line_text(l, "email");
	struct user u = { .name = line_text(l, "name"),
			  .email = email,
			  .role = line_text(l, "role"),
			  .locale = line_text(l, "locale"),
			  .timezone = line_text(l, "timezone"),
			  .signature = line_text(l, "signature"),
			  .organisation_id = line_value(l, "organisation")->integer,
			  .created_at = line_value(l, "created_at")->integer,
			  .disabled_at = line_value(l, "disabled_at")->integer,
			  .undeliverable_at = line_value(l, "undeliverable_at")->integer };
	int rc;

	u.name = u.name ? u.name : email;
	u.created_at = u.created_at ? u.created_at : l->im->now_ms;
	rc = user_add(l->c, &u, ret_id, err);
	u.id = rc == MD_OK ? *ret_id : 0;
	u.organisation_id = line_value(l, "organisation")->integer; /* not by the address */
	return rc == MD_OK ? user_save(l->c, &u, err) : rc;
}

static int import_user(struct line *l, int64_t *ret, bool *ret_known, struct md_err *err)
{
	const char *email = line_text(l, "email");
	struct user found;
	int rc = MD_NOTFOUND;

	if (!mail_address_valid(email)) {
		line_tell(l, "email", "is no mail address, so the line is left out");
		l->left_out = true;
		return MD_OK;
	}
	rc = user_by_address(l->c, email, &l->arena, &found, err);
	*ret_known = rc == MD_OK;
	return rc == MD_NOTFOUND ? insert_user(l, ret, err) : rc;
}

static int import_attachment(struct line *l, struct md_err *err)
{
	const struct db_arg *blob = line_value(l, "file");

	if (blob->kind == DB_KIND_NULL) {
		l->left_out = true;
		return MD_OK;
	}
	return db_exec(l->c, &sql_attach,
		       DB_ARGS(*blob, *line_value(l, "filename"), *line_value(l, "content_type"),
			       *line_value(l, "content_id"), DB_INT(l->blob->size),
			       DB_TEXT(l->blob->sha256), *line_value(l, "inline"),
			       *line_value(l, "comment")),
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
/* What it is sorted by; clocks are not imported. */
DB_SQL(sql_deadline,
       "UPDATE tickets SET deadline_at = due_at WHERE id = $1 AND due_at IS NOT NULL");

static int follow_up_ticket(struct db_conn *c, int64_t id, struct md_err *err)
{
	int rc = db_exec(c, &sql_deadline, DB_ARGS(DB_INT(id)), NULL, err);

	return rc == MD_OK ? search_queue_ticket(c, id, err) : rc;
}

static int follow_up(struct line *l, int64_t id, struct md_err *err)
{
	const struct db_arg *ticket = line_value(l, "ticket");
	const char *message_id = line_text(l, "message_id");

	if (strcmp(l->t->type, "ticket") == 0)
		return follow_up_ticket(l->c, id, err);
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
	int rc = line_read_values(l, err);

	if (rc == MD_OK && !l->left_out)
		rc = import_row(l, &id, &known, err);
	if (rc != MD_OK || l->left_out)
		return rc;
	if (*l->id)
		rc = line_note_id(l, id, err);
	if (rc == MD_OK && !known)
		rc = follow_up(l, id, err);
	if (rc == MD_OK)
		port_done(l->im, l->t->type, known ? "there already" : "made");
	return rc;
}

static int in_part(struct db_conn *c, void *ctx, struct md_err *err)
{
	struct line *l = ctx;
	const json_t *id = json_object_get(l->json, "id");
	int64_t there;
	int rc = MD_NOTFOUND;

	l->c = c;
	if (l->t->has_id && id && !line_id(id, l->id)) {
		line_tell(l, "id", "is neither a number nor a text");
		l->left_out = true;
		return MD_OK;
	}
	if (*l->id)
		rc = line_find_mapped(l, l->t->type, id, &there, err);
	if (rc == MD_OK)
		port_done(l->im, l->t->type, "there already");
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
			  .arena = ARENA_INIT(PORT_LINE_ARENA) };
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
		port_done(im, type, "left out");
	return rc;
}
