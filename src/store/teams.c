#include <maildesk/store/teams.h>

#include "query.h"

#include <string.h>

enum { TEAMS_MAX = 1000, MEMBERS_MAX = 500, ORGANISATIONS_MAX = 10000 };

/* ---- teams ---- */

static const struct db_col team_cols[] = {
	{ DB_COL_INT, offsetof(struct team, id) },
	{ DB_COL_TEXT, offsetof(struct team, name) },
	{ DB_COL_INT, offsetof(struct team, last_assigned_id) },
};
static const struct db_map team_map = DB_MAP(team, team_cols);

DB_SQL(sql_add, "INSERT INTO teams (name) VALUES ($1) ON CONFLICT (name) DO NOTHING RETURNING id");
/* What would not be the only one of its name changes nothing: an error would end the transaction.
 */
DB_SQL(sql_rename, "UPDATE teams SET name = $1 WHERE id = $2 AND NOT EXISTS"
		   " (SELECT 1 FROM teams o WHERE o.name = $1 AND o.id <> $2)");
DB_SQL(sql_in_use, "SELECT COUNT(*) FROM (SELECT 1 FROM tickets t WHERE t.team_id = $1 LIMIT 1)"
		   " AS used");
DB_SQL(sql_remove, "DELETE FROM teams WHERE id = $1");
DB_SQL(sql_get, "SELECT t.id, t.name, t.last_assigned_id FROM teams t WHERE t.id = $1");
DB_SQL(sql_by_name, "SELECT t.id, t.name, t.last_assigned_id FROM teams t WHERE t.name = $1");
DB_SQL(sql_list, "SELECT t.id, t.name, t.last_assigned_id FROM teams t ORDER BY t.name, t.id");
DB_SQL(sql_turn, "UPDATE teams SET last_assigned_id = $1 WHERE id = $2");
DB_SQL(sql_member_add, "INSERT INTO team_members (team_id, user_id) VALUES ($1, $2)"
		       " ON CONFLICT (team_id, user_id) DO NOTHING");
DB_SQL(sql_members_clear, "DELETE FROM team_members WHERE team_id = $1");
DB_SQL(sql_member_ids, "SELECT m.user_id FROM team_members m JOIN users u ON u.id = m.user_id"
		       " WHERE m.team_id = $1 AND u.role IN ('agent', 'admin')"
		       " AND u.disabled_at IS NULL ORDER BY m.user_id");

static int taken(struct md_err *err)
{
	return md_fail(err, MD_CONFLICT, 0, "the name is taken");
}

int team_add(struct db_conn *c, const char *name, int64_t *ret_id, struct md_err *err)
{
	int rc = db_int(c, &sql_add, DB_ARGS(DB_TEXT(name)), ret_id, err);

	return rc == MD_NOTFOUND ? taken(err) : rc;
}

int team_rename(struct db_conn *c, int64_t id, const char *name, struct md_err *err)
{
	int64_t changed;
	int rc = db_exec(c, &sql_rename, DB_ARGS(DB_TEXT(name), DB_INT(id)), &changed, err);

	return rc == MD_OK && changed == 0 ? taken(err) : rc;
}

int team_remove(struct db_conn *c, int64_t id, struct md_err *err)
{
	int64_t used = 0;
	int rc = db_int(c, &sql_in_use, DB_ARGS(DB_INT(id)), &used, err);

	if (rc == MD_OK && used)
		return md_fail(err, MD_CONFLICT, 0, "it has tickets: give them to another team");
	if (rc == MD_OK)
		rc = db_exec(c, &sql_members_clear, DB_ARGS(DB_INT(id)), NULL, err);
	return rc == MD_OK ? db_exec(c, &sql_remove, DB_ARGS(DB_INT(id)), NULL, err) : rc;
}

int team_get(struct db_conn *c, int64_t id, struct arena *a, struct team *ret, struct md_err *err)
{
	return db_one(c, &sql_get, DB_ARGS(DB_INT(id)), &team_map, a, ret, err);
}

int team_by_name(struct db_conn *c, const char *name, struct arena *a, struct team *ret,
		 struct md_err *err)
{
	return db_one(c, &sql_by_name, DB_ARGS(DB_TEXT(name)), &team_map, a, ret, err);
}

int team_list(struct db_conn *c, struct arena *a, struct team **ret, size_t *ret_n,
	      struct md_err *err)
{
	return db_all(c, &sql_list, DB_NONE, &team_map, TEAMS_MAX, a, ret, ret_n, err);
}

int team_members(struct db_conn *c, int64_t id, struct arena *a, struct user **ret, size_t *ret_n,
		 struct md_err *err)
{
	struct user *users;
	int64_t *ids;
	size_t n;
	int rc = db_all(c, &sql_member_ids, DB_ARGS(DB_INT(id)), &db_map_int, MEMBERS_MAX, a, &ids,
			&n, err);

	if (rc != MD_OK)
		return rc;
	users = arena_array(a, n + 1, sizeof *users);
	if (!users)
		return md_fail(err, MD_NOMEM, 0, "team: out of memory");
	for (size_t i = 0; i < n && rc == MD_OK; i++)
		rc = user_get(c, ids[i], a, &users[i], err);
	*ret = users;
	*ret_n = n;
	return rc;
}

int team_set_members(struct db_conn *c, int64_t id, const int64_t *users, size_t n,
		     struct md_err *err)
{
	int rc = db_exec(c, &sql_members_clear, DB_ARGS(DB_INT(id)), NULL, err);

	for (size_t i = 0; i < n && rc == MD_OK; i++)
		rc = db_exec(c, &sql_member_add, DB_ARGS(DB_INT(id), DB_INT(users[i])), NULL, err);
	return rc;
}

int team_set_turn(struct db_conn *c, int64_t id, int64_t user, struct md_err *err)
{
	return db_exec(c, &sql_turn, DB_ARGS(DB_ID(user), DB_INT(id)), NULL, err);
}

struct load {
	int64_t user, tickets;
};
static const struct db_col load_cols[] = { { DB_COL_INT, offsetof(struct load, user) },
					   { DB_COL_INT, offsetof(struct load, tickets) } };
static const struct db_map load_map = DB_MAP(load, load_cols);

int team_load(struct db_conn *c, const int64_t *users, size_t n, const char *const *statuses,
	      size_t n_statuses, struct arena *a, int64_t **ret, struct md_err *err)
{
	md_auto(query_done) struct query q = QUERY_INIT;
	int64_t *loads = arena_array(a, n + 1, sizeof *loads);
	struct load *rows;
	size_t n_rows;
	int rc = loads ? query_check_list(n, err) : md_fail(err, MD_NOMEM, 0, "out of memory");

	if (rc != MD_OK)
		return rc;
	*ret = loads;
	if (n == 0 || n_statuses == 0)
		return MD_OK;
	query_add_ints(&q,
		       "SELECT t.assignee_id, COUNT(*) FROM tickets t WHERE t.deleted_at IS NULL"
		       " AND t.merged_into IS NULL AND t.assignee_id IN ",
		       users, n);
	query_add_texts(&q, " AND t.status IN ", statuses, n_statuses);
	query_add(&q, " GROUP BY t.assignee_id");
	rc = query_all(&q, c, &load_map, n, a, &rows, &n_rows, err);
	for (size_t i = 0; rc == MD_OK && i < n_rows; i++)
		for (size_t k = 0; k < n; k++)
			if (users[k] == rows[i].user)
				loads[k] = rows[i].tickets;
	return rc;
}

/* ---- organisations ---- */

static const struct db_col organisation_cols[] = {
	{ DB_COL_INT, offsetof(struct organisation, id) },
	{ DB_COL_TEXT, offsetof(struct organisation, name) },
	{ DB_COL_TEXT, offsetof(struct organisation, domains) },
};
static const struct db_map organisation_map = DB_MAP(organisation, organisation_cols);

#define ORGANISATION "SELECT o.id, o.name, o.domains FROM organisations o"
DB_SQL(sql_org_add, "INSERT INTO organisations (name, domains) VALUES ($1, $2)"
		    " ON CONFLICT (name) DO NOTHING RETURNING id");
DB_SQL(sql_org_save, "UPDATE organisations SET name = $1, domains = $2 WHERE id = $3 AND NOT EXISTS"
		     " (SELECT 1 FROM organisations o WHERE o.name = $1 AND o.id <> $3)");
DB_SQL(sql_org_remove, "DELETE FROM organisations WHERE id = $1");
DB_SQL(sql_org_users, "UPDATE users SET organisation_id = NULL WHERE organisation_id = $1");
DB_SQL(sql_org_tickets, "UPDATE tickets SET organisation_id = NULL WHERE organisation_id = $1");
DB_SQL(sql_org_get, ORGANISATION " WHERE o.id = $1");
DB_SQL(sql_org_list, ORGANISATION " ORDER BY o.name, o.id");
/* The pattern is put together here: SQLite would plan the statement anew for each that is bound. */
DB_SQL(sql_org_of, "SELECT o.id FROM organisations o WHERE o.domains <> ''"
		   " AND ' ' || o.domains || ' ' LIKE '% ' || CAST($1 AS TEXT) || ' %'"
		   " ESCAPE '\\' ORDER BY o.id LIMIT 1");
DB_SQL(sql_take_tickets, "UPDATE tickets SET organisation_id = $1 WHERE requester_id = $2");

int organisation_add(struct db_conn *c, const struct organisation *o, int64_t *ret_id,
		     struct md_err *err)
{
	int rc = db_int(c, &sql_org_add, DB_ARGS(DB_TEXT(o->name), DB_TEXT(o->domains)), ret_id,
			err);

	return rc == MD_NOTFOUND ? taken(err) : rc;
}

int organisation_save(struct db_conn *c, const struct organisation *o, struct md_err *err)
{
	int64_t changed;
	int rc = db_exec(c, &sql_org_save,
			 DB_ARGS(DB_TEXT(o->name), DB_TEXT(o->domains), DB_INT(o->id)), &changed,
			 err);

	return rc == MD_OK && changed == 0 ? taken(err) : rc;
}

int organisation_remove(struct db_conn *c, int64_t id, struct md_err *err)
{
	int rc = db_exec(c, &sql_org_users, DB_ARGS(DB_INT(id)), NULL, err);

	if (rc == MD_OK)
		rc = db_exec(c, &sql_org_tickets, DB_ARGS(DB_INT(id)), NULL, err);
	return rc == MD_OK ? db_exec(c, &sql_org_remove, DB_ARGS(DB_INT(id)), NULL, err) : rc;
}

int organisation_get(struct db_conn *c, int64_t id, struct arena *a, struct organisation *ret,
		     struct md_err *err)
{
	return db_one(c, &sql_org_get, DB_ARGS(DB_INT(id)), &organisation_map, a, ret, err);
}

int organisation_list(struct db_conn *c, struct arena *a, struct organisation **ret, size_t *ret_n,
		      struct md_err *err)
{
	return db_all(c, &sql_org_list, DB_NONE, &organisation_map, ORGANISATIONS_MAX, a, ret,
		      ret_n, err);
}

int organisation_of_address(struct db_conn *c, const char *address, int64_t *ret,
			    struct md_err *err)
{
	md_auto(buf_done) struct buf escaped = BUF_INIT(4096);
	const char *domain = strrchr(address, '@');
	int rc;

	*ret = 0;
	if (!domain)
		return MD_OK;
	for (const char *p = domain + 1; *p; p++) {
		if (strchr("%_\\", *p))
			buf_addc(&escaped, '\\');
		buf_addc(&escaped, *p);
	}
	if (escaped.status != MD_OK)
		return MD_OK; /* longer than any domain */
	rc = db_int(c, &sql_org_of, DB_ARGS(DB_TEXT(buf_str(&escaped))), ret, err);
	return rc == MD_NOTFOUND ? MD_OK : rc;
}

int organisation_take_tickets(struct db_conn *c, int64_t user, int64_t organisation,
			      struct md_err *err)
{
	return db_exec(c, &sql_take_tickets, DB_ARGS(DB_ID(organisation), DB_INT(user)), NULL, err);
}
