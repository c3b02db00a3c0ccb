/* tickets.c - rows of tickets by id. Lists with filters are in ticket_list.c. */
#include <maildesk/store/tickets.h>

#include "query.h"
#include "ticket_columns.h"

enum { TAGS_MAX = 10000, PARTICIPANTS_MAX = 1000 };

DB_SQL(sql_insert,
       "INSERT INTO tickets (id, title, status, priority, category, requester_id, created_by,"
       " assignee_id, mailbox_id, channel, created_at, updated_at, first_response_at, resolved_at,"
       " closed_at, due_at, merged_into, deleted_at, team_id, organisation_id, deadline_at)"
       " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18,"
       " $19, $20, $21)");
DB_SQL(sql_get, "SELECT " TICKET_COLUMNS " FROM tickets t WHERE t.id = $1");
DB_SQL(sql_save, "UPDATE tickets SET title = $1, status = $2, priority = $3, category = $4,"
		 " requester_id = $5, assignee_id = $6, mailbox_id = $7, updated_at = $8,"
		 " first_response_at = $9, resolved_at = $10, closed_at = $11, due_at = $12,"
		 " merged_into = $13, deleted_at = $14, team_id = $15, organisation_id = $16,"
		 " snoozed_until = $17, time_spent_ms = $18, fields = $19, version = version + 1,"
		 /* the clock sees to it by itself when it is written (clocks.c) */
		 " deadline_at = CASE WHEN due_at IS NOT DISTINCT FROM $12 THEN deadline_at"
		 " ELSE COALESCE((SELECT CASE WHEN $12 < k.due_at THEN $12 ELSE k.due_at END"
		 " FROM clocks k WHERE k.ticket_id = $20 AND k.metric = 'resolution'"
		 " ORDER BY k.cycle DESC LIMIT 1), $12) END"
		 " WHERE id = $20 AND version = $21");

DB_SQL(sql_raise_epoch, "UPDATE tickets SET epoch = epoch + 1 WHERE id = $1");
DB_SQL(sql_set_alias, "UPDATE tickets SET alias = $1 WHERE id = $2");

static const struct db_col ticket_cols[] = { TICKET_MAP_COLUMNS(struct ticket, ) };
static const struct db_map ticket_map = DB_MAP(ticket, ticket_cols);

int ticket_insert(struct db_conn *c, const struct ticket *t, int64_t *ret_id, struct md_err *err)
{
	int64_t id;
	int rc = db_new_id(c, "tickets", &id, err);

	if (rc == MD_OK)
		rc = db_insert(c, &sql_insert,
			       DB_ARGS(DB_INT(id), DB_TEXT(t->title), DB_TEXT(t->status),
				       DB_INT(t->priority), DB_TEXT(t->category),
				       DB_INT(t->requester_id), DB_ID(t->created_by),
				       DB_ID(t->assignee_id), DB_ID(t->mailbox_id),
				       DB_TEXT(t->channel), DB_INT(t->created_at),
				       DB_INT(t->updated_at), DB_ID(t->first_response_at),
				       DB_ID(t->resolved_at), DB_ID(t->closed_at), DB_ID(t->due_at),
				       DB_ID(t->merged_into), DB_ID(t->deleted_at),
				       DB_ID(t->team_id), DB_ID(t->organisation_id),
				       DB_ID(t->due_at)),
			       err);
	if (rc == MD_OK)
		*ret_id = id;
	return rc;
}

int ticket_get(struct db_conn *c, int64_t id, struct arena *a, struct ticket *ret,
	       struct md_err *err)
{
	return db_one(c, &sql_get, DB_ARGS(DB_INT(id)), &ticket_map, a, ret, err);
}

int ticket_save(struct db_conn *c, const struct ticket *t, struct md_err *err)
{
	int64_t changed;
	int rc = db_exec(c, &sql_save,
			 DB_ARGS(DB_TEXT(t->title), DB_TEXT(t->status), DB_INT(t->priority),
				 DB_TEXT(t->category), DB_INT(t->requester_id),
				 DB_ID(t->assignee_id), DB_ID(t->mailbox_id), DB_INT(t->updated_at),
				 DB_ID(t->first_response_at), DB_ID(t->resolved_at),
				 DB_ID(t->closed_at), DB_ID(t->due_at), DB_ID(t->merged_into),
				 DB_ID(t->deleted_at), DB_ID(t->team_id), DB_ID(t->organisation_id),
				 DB_ID(t->snoozed_until), DB_INT(t->time_spent_ms),
				 DB_TEXT(t->fields), DB_INT(t->id), DB_INT(t->version)),
			 &changed, err);

	if (rc == MD_OK && changed == 0)
		rc = md_fail(err, MD_CONFLICT, 0, "ticket %lld is not at version %lld any more",
			     (long long)t->id, (long long)t->version);
	return rc;
}

int ticket_raise_epoch(struct db_conn *c, int64_t id, struct md_err *err)
{
	return db_exec(c, &sql_raise_epoch, DB_ARGS(DB_INT(id)), NULL, err);
}

int ticket_set_alias(struct db_conn *c, int64_t id, const char *alias, struct md_err *err)
{
	return db_exec(c, &sql_set_alias, DB_ARGS(DB_TEXT(alias), DB_INT(id)), NULL, err);
}

/* ---- tags ---- */

DB_SQL(sql_tag_make, "INSERT INTO tags (name, color) VALUES ($1, '#808080')"
		     " ON CONFLICT (name) DO NOTHING");
DB_SQL(sql_tag_add, "INSERT INTO ticket_tags (ticket_id, tag_id)"
		    " SELECT CAST($1 AS {INT}), g.id FROM tags g WHERE g.name = $2"
		    " ON CONFLICT (ticket_id, tag_id) DO NOTHING");
DB_SQL(sql_tag_remove, "DELETE FROM ticket_tags WHERE ticket_id = $1"
		       " AND tag_id = (SELECT g.id FROM tags g WHERE g.name = $2)");

static const struct db_col tag_cols[] = {
	{ DB_COL_INT, offsetof(struct tag, ticket_id) },
	{ DB_COL_TEXT, offsetof(struct tag, name) },
	{ DB_COL_TEXT, offsetof(struct tag, color) },
};
static const struct db_map tag_map = DB_MAP(tag, tag_cols);

#define TAGS_OF                                                  \
	"SELECT x.ticket_id, g.name, g.color FROM ticket_tags x" \
	" JOIN tags g ON g.id = x.tag_id WHERE x.ticket_id "
DB_SQL(sql_tags_of_one, TAGS_OF "= $1 ORDER BY g.name");

int ticket_tags_of(struct db_conn *c, const int64_t *ids, size_t n, struct arena *a,
		   struct tag **ret, size_t *ret_n, struct md_err *err)
{
	md_auto(query_done) struct query q = QUERY_INIT;
	int rc = query_check_list(n, err);

	if (rc != MD_OK)
		return rc;
	if (n == 0) {
		*ret_n = 0;
		return MD_OK;
	}
	if (n == 1)
		return db_all(c, &sql_tags_of_one, DB_ARGS(DB_INT(ids[0])), &tag_map, TAGS_MAX, a,
			      ret, ret_n, err);
	query_add_ints(&q, TAGS_OF "IN ", ids, n);
	query_add(&q, " ORDER BY x.ticket_id, g.name");
	return query_all(&q, c, &tag_map, TAGS_MAX, a, ret, ret_n, err);
}

int ticket_tag_add(struct db_conn *c, int64_t ticket, const char *name, struct md_err *err)
{
	int rc = db_exec(c, &sql_tag_make, DB_ARGS(DB_TEXT(name)), NULL, err);

	if (rc == MD_OK)
		rc = db_exec(c, &sql_tag_add, DB_ARGS(DB_INT(ticket), DB_TEXT(name)), NULL, err);
	return rc;
}

int ticket_tag_remove(struct db_conn *c, int64_t ticket, const char *name, struct md_err *err)
{
	return db_exec(c, &sql_tag_remove, DB_ARGS(DB_INT(ticket), DB_TEXT(name)), NULL, err);
}

/* ---- participants and links ---- */

#define PARTICIPANT_INSERT                                                     \
	"INSERT INTO ticket_participants (ticket_id, user_id, role, since_at)" \
	" VALUES ($1, $2, $3, $4) ON CONFLICT (ticket_id, user_id)"
DB_SQL(sql_participant_add, PARTICIPANT_INSERT " DO NOTHING");
DB_SQL(sql_participant_put,
       PARTICIPANT_INSERT " DO UPDATE SET role = excluded.role, pending = 0, origin_id = NULL");
DB_SQL(sql_participant_propose,
       "INSERT INTO ticket_participants (ticket_id, user_id, role, pending, since_at)"
       " VALUES ($1, $2, 'cc', 1, $3) ON CONFLICT (ticket_id, user_id) DO NOTHING");
DB_SQL(sql_participant_remove,
       "DELETE FROM ticket_participants WHERE ticket_id = $1 AND user_id = $2");
DB_SQL(sql_participants,
       "SELECT p.user_id, p.role, p.muted, p.since_at, u.name, u.email, u.role, u.locale,"
       " u.timezone,"
       " CASE WHEN u.disabled_at IS NULL THEN 0 ELSE 1 END,"
       " CASE WHEN u.undeliverable_at IS NULL THEN 0 ELSE 1 END, p.pending, p.origin_id, u.epoch,"
       " u.digest"
       " FROM ticket_participants p JOIN users u ON u.id = p.user_id"
       " WHERE p.ticket_id = $1 AND p.pending <= $2 ORDER BY p.user_id");
DB_SQL(sql_participant_mute,
       "UPDATE ticket_participants SET muted = $1 WHERE ticket_id = $2 AND user_id = $3");
DB_SQL(sql_participant_is, "SELECT COUNT(*) FROM ticket_participants"
			   " WHERE ticket_id = $1 AND user_id = $2 AND pending = 0");
DB_SQL(sql_link_add, "INSERT INTO ticket_links (ticket_id, type, other_id) VALUES ($1, $2, $3)"
		     " ON CONFLICT (ticket_id, type, other_id) DO NOTHING");

DB_SQL(sql_look, "SELECT t.id, t.status, t.assignee_id, t.closed_at, t.merged_into, t.deleted_at,"
		 " t.epoch, (SELECT COUNT(*) FROM ticket_participants p WHERE p.ticket_id = t.id"
		 " AND p.user_id = $1 AND p.pending = 0) FROM tickets t WHERE t.id = $2");
static const struct db_col glance_cols[] = {
	{ DB_COL_INT, offsetof(struct ticket_glance, id) },
	{ DB_COL_TEXT, offsetof(struct ticket_glance, status) },
	{ DB_COL_INT, offsetof(struct ticket_glance, assignee_id) },
	{ DB_COL_INT, offsetof(struct ticket_glance, closed_at) },
	{ DB_COL_INT, offsetof(struct ticket_glance, merged_into) },
	{ DB_COL_INT, offsetof(struct ticket_glance, deleted_at) },
	{ DB_COL_INT, offsetof(struct ticket_glance, epoch) },
	{ DB_COL_INT, offsetof(struct ticket_glance, takes_part) },
};
static const struct db_map glance_map = DB_MAP(ticket_glance, glance_cols);

static const struct db_col participant_cols[] = {
	{ DB_COL_INT, offsetof(struct participant, user_id) },
	{ DB_COL_TEXT, offsetof(struct participant, role) },
	{ DB_COL_BOOL, offsetof(struct participant, muted) },
	{ DB_COL_INT, offsetof(struct participant, since_at) },
	{ DB_COL_TEXT, offsetof(struct participant, name) },
	{ DB_COL_TEXT, offsetof(struct participant, email) },
	{ DB_COL_TEXT, offsetof(struct participant, user_role) },
	{ DB_COL_TEXT, offsetof(struct participant, locale) },
	{ DB_COL_TEXT, offsetof(struct participant, timezone) },
	{ DB_COL_BOOL, offsetof(struct participant, disabled) },
	{ DB_COL_BOOL, offsetof(struct participant, undeliverable) },
	{ DB_COL_BOOL, offsetof(struct participant, pending) },
	{ DB_COL_INT, offsetof(struct participant, origin_id) },
	{ DB_COL_INT, offsetof(struct participant, epoch) },
	{ DB_COL_TEXT, offsetof(struct participant, digest) },
};
static const struct db_map participant_map = DB_MAP(participant, participant_cols);

int participant_add(struct db_conn *c, int64_t ticket, int64_t user, const char *role,
		    int64_t now_ms, struct md_err *err)
{
	return db_insert(c, &sql_participant_add,
			 DB_ARGS(DB_INT(ticket), DB_INT(user), DB_TEXT(role), DB_INT(now_ms)), err);
}

int participant_put(struct db_conn *c, int64_t ticket, int64_t user, const char *role,
		    int64_t now_ms, struct md_err *err)
{
	return db_exec(c, &sql_participant_put,
		       DB_ARGS(DB_INT(ticket), DB_INT(user), DB_TEXT(role), DB_INT(now_ms)), NULL,
		       err);
}

int participant_propose(struct db_conn *c, int64_t ticket, int64_t user, int64_t now_ms,
			struct md_err *err)
{
	return db_exec(c, &sql_participant_propose,
		       DB_ARGS(DB_INT(ticket), DB_INT(user), DB_INT(now_ms)), NULL, err);
}

int participant_remove(struct db_conn *c, int64_t ticket, int64_t user, struct md_err *err)
{
	return db_exec(c, &sql_participant_remove, DB_ARGS(DB_INT(ticket), DB_INT(user)), NULL,
		       err);
}

int participant_list(struct db_conn *c, int64_t ticket, struct arena *a, struct participant **ret,
		     size_t *ret_n, struct md_err *err)
{
	return db_all(c, &sql_participants, DB_ARGS(DB_INT(ticket), DB_INT(0)), &participant_map,
		      PARTICIPANTS_MAX, a, ret, ret_n, err);
}

int participant_list_all(struct db_conn *c, int64_t ticket, struct arena *a,
			 struct participant **ret, size_t *ret_n, struct md_err *err)
{
	return db_all(c, &sql_participants, DB_ARGS(DB_INT(ticket), DB_INT(1)), &participant_map,
		      PARTICIPANTS_MAX, a, ret, ret_n, err);
}

int participant_mute(struct db_conn *c, int64_t ticket, int64_t user, bool muted,
		     struct md_err *err)
{
	return db_exec(c, &sql_participant_mute,
		       DB_ARGS(DB_INT(muted), DB_INT(ticket), DB_INT(user)), NULL, err);
}

int ticket_look(struct db_conn *c, int64_t id, int64_t user, struct arena *a,
		struct ticket_glance *ret, struct md_err *err)
{
	return db_one(c, &sql_look, DB_ARGS(DB_INT(user), DB_INT(id)), &glance_map, a, ret, err);
}

int participant_is(struct db_conn *c, int64_t ticket, int64_t user, bool *ret, struct md_err *err)
{
	int64_t n;
	int rc = db_int(c, &sql_participant_is, DB_ARGS(DB_INT(ticket), DB_INT(user)), &n, err);

	if (rc == MD_OK)
		*ret = n > 0;
	return rc;
}

int ticket_link_add(struct db_conn *c, int64_t ticket, const char *type, int64_t other,
		    struct md_err *err)
{
	return db_exec(c, &sql_link_add, DB_ARGS(DB_INT(ticket), DB_TEXT(type), DB_INT(other)),
		       NULL, err);
}
