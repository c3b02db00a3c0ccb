/* port_names.c - the rows that a line's ids and names stand for.
 *
 * The table "imports" knows which ticket, comment or mail of which system is which row here, and,
 * as the row without an id, how far an import has come. */
#include "port_line.h"

#include <maildesk/mail/compose.h>
#include <maildesk/store/users.h>

#include <inttypes.h>
#include <stdio.h>

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

int line_note_id(const struct line *l, int64_t id, struct md_err *err)
{
	return db_exec(l->c, &sql_note,
		       DB_ARGS(DB_TEXT(l->im->source), DB_TEXT(l->t->type), DB_TEXT(l->id),
			       DB_INT(id)),
		       NULL, err);
}

bool line_id(const json_t *v, char out[PORT_ID_MAX])
{
	int n = -1;

	if (json_is_integer(v))
		n = snprintf(out, PORT_ID_MAX, "%" JSON_INTEGER_FORMAT, json_integer_value(v));
	else if (json_is_string(v))
		n = snprintf(out, PORT_ID_MAX, "%s", json_string_value(v));
	return n > 0 && n < PORT_ID_MAX;
}

int line_find_mapped(struct line *l, const char *kind, const json_t *v, int64_t *ret,
		     struct md_err *err)
{
	char id[PORT_ID_MAX];

	if (!line_id(v, id))
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
		port_done(l->im, "user", "made, named by other lines alone");
	return rc;
}

static int find_named(struct line *l, const struct db_sql *find, const struct db_sql *add,
		      const char *name, int64_t *ret, struct md_err *err)
{
	int rc = db_int(l->c, find, DB_ARGS(DB_TEXT(name)), ret, err);

	return rc == MD_NOTFOUND && add ? db_int(l->c, add, DB_ARGS(DB_TEXT(name)), ret, err) : rc;
}

int line_find_row(struct line *l, enum port_kind kind, const json_t *v, int64_t *ret,
		  struct md_err *err)
{
	const char *name = json_string_value(v);

	if (kind == PORT_TICKET)
		return line_find_mapped(l, "ticket", v, ret, err);
	if (kind == PORT_COMMENT)
		return line_find_mapped(l, "comment", v, ret, err);
	if (kind == PORT_MAIL)
		return line_find_mapped(l, "mail", v, ret, err);
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
