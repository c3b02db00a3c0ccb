#include <maildesk/store/users.h>

#include "query.h"

#include <maildesk/base/utf8.h>
#include <maildesk/store/teams.h>

#include <string.h>

enum { ADDRESSES_MAX = 100, AGENTS_MAX = 10000, FOLDED_MAX = 4096 };

#define USER_COLUMNS                                                                         \
	"u.id, u.name, u.email, u.role, u.password_hash, u.locale, u.timezone, u.epoch,"     \
	" u.created_at, u.disabled_at, u.undeliverable_at, u.organisation_id, u.away_until," \
	" u.signature, u.erased_at, u.digest"
#define USER_COLS                                                                                \
	{ DB_COL_INT, offsetof(struct user, id) }, { DB_COL_TEXT, offsetof(struct user, name) }, \
		{ DB_COL_TEXT, offsetof(struct user, email) },                                   \
		{ DB_COL_TEXT, offsetof(struct user, role) },                                    \
		{ DB_COL_TEXT, offsetof(struct user, password_hash) },                           \
		{ DB_COL_TEXT, offsetof(struct user, locale) },                                  \
		{ DB_COL_TEXT, offsetof(struct user, timezone) },                                \
		{ DB_COL_INT, offsetof(struct user, epoch) },                                    \
		{ DB_COL_INT, offsetof(struct user, created_at) },                               \
		{ DB_COL_INT, offsetof(struct user, disabled_at) },                              \
		{ DB_COL_INT, offsetof(struct user, undeliverable_at) },                         \
		{ DB_COL_INT, offsetof(struct user, organisation_id) },                          \
		{ DB_COL_INT, offsetof(struct user, away_until) },                               \
		{ DB_COL_TEXT, offsetof(struct user, signature) },                               \
		{ DB_COL_INT, offsetof(struct user, erased_at) },                                \
	{                                                                                        \
		DB_COL_TEXT, offsetof(struct user, digest)                                       \
	}
static const struct db_col user_cols[] = { USER_COLS };
static const struct db_map user_map = DB_MAP(user, user_cols);
_Static_assert(offsetof(struct user_found, user) == 0, "it begins as a user does");
static const struct db_col found_cols[] = { USER_COLS,
					    { DB_COL_TEXT, offsetof(struct user_found, address) } };
static const struct db_map found_map = DB_MAP(user_found, found_cols);

DB_SQL(sql_get, "SELECT " USER_COLUMNS " FROM users u WHERE u.id = $1");
DB_SQL(sql_get_in_session,
       "SELECT " USER_COLUMNS " FROM users u WHERE u.id = $1 AND NOT EXISTS (SELECT 1"
       " FROM refresh_tokens s WHERE s.family = $2 AND s.revoked_at IS NOT NULL)");
DB_SQL(sql_by_address, "SELECT " USER_COLUMNS " FROM user_addresses a"
		       " JOIN users u ON u.id = a.user_id WHERE a.address = $1");
#define USER_INSERT                                                                          \
	"INSERT INTO users (id, name, email, folded, role, password_hash, locale, timezone," \
	" created_at, organisation_id) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)"
DB_SQL(sql_insert, USER_INSERT);
DB_SQL(sql_insert_new, USER_INSERT " ON CONFLICT (email) DO NOTHING");
DB_SQL(sql_address_owner, "SELECT user_id FROM user_addresses WHERE address = $1");
DB_SQL(sql_insert_address, "INSERT INTO user_addresses (address, user_id) VALUES ($1, $2)");
DB_SQL(sql_save, "UPDATE users SET name = $1, folded = $2, role = $3, password_hash = $4,"
		 " locale = $5, timezone = $6, disabled_at = $7, undeliverable_at = $8, epoch = $9,"
		 " organisation_id = $10, away_until = $11, signature = $12, digest = "
		 "COALESCE($13, 'off') WHERE id = $14");
DB_SQL(sql_addresses, "SELECT address FROM user_addresses WHERE user_id = $1 ORDER BY address");
DB_SQL(sql_agents, "SELECT " USER_COLUMNS " FROM users u WHERE u.role IN ('agent', $1)"
		   " AND u.disabled_at IS NULL ORDER BY u.id");

int user_get(struct db_conn *c, int64_t id, struct arena *a, struct user *ret, struct md_err *err)
{
	return db_one(c, &sql_get, DB_ARGS(DB_INT(id)), &user_map, a, ret, err);
}

int user_get_in_session(struct db_conn *c, int64_t id, const char *family, struct arena *a,
			struct user *ret, struct md_err *err)
{
	return db_one(c, &sql_get_in_session, DB_ARGS(DB_INT(id), DB_TEXT(family)), &user_map, a,
		      ret, err);
}

static int out_of_memory(struct md_err *err)
{
	return md_fail(err, MD_NOMEM, 0, "user: out of memory");
}

/* An address as it is stored and compared. */
static int fold(struct buf *out, const char *address, struct md_err *err)
{
	utf8_fold(out, address, strlen(address));
	if (out->status == MD_NOMEM)
		return out_of_memory(err);
	return out->status == MD_OK ? MD_OK : md_fail(err, MD_INPUT, 0, "address too long");
}

int user_by_address(struct db_conn *c, const char *address, struct arena *a, struct user *ret,
		    struct md_err *err)
{
	md_auto(buf_done) struct buf folded = BUF_INIT(FOLDED_MAX);
	int rc = fold(&folded, address, err);

	if (rc != MD_OK)
		return rc;
	return db_one(c, &sql_by_address, DB_ARGS(DB_TEXT(buf_str(&folded))), &user_map, a, ret,
		      err);
}

int user_by_addresses(struct db_conn *c, const struct rec_strs *folded, struct arena *a,
		      struct user_found **ret, size_t *ret_n, struct md_err *err)
{
	md_auto(query_done) struct query q = QUERY_INIT;
	int rc = query_check_list(folded->n, err);

	*ret_n = 0;
	if (rc != MD_OK || folded->n == 0)
		return rc;
	query_add_texts(&q,
			"SELECT " USER_COLUMNS ", a.address FROM user_addresses a"
			" JOIN users u ON u.id = a.user_id WHERE a.address IN ",
			folded->v, folded->n);
	return query_all(&q, c, &found_map, folded->n, a, ret, ret_n, err);
}

/* What a search looks into; the line break keeps a match from reaching across both. */
static int fold_for_search(struct buf *out, const struct user *u, struct md_err *err)
{
	utf8_fold(out, u->name, strlen(u->name));
	buf_addc(out, '\n');
	return fold(out, u->email, err);
}

static int insert_user(struct db_conn *c, const struct user *u, int64_t id, const char *email,
		       const char *folded, bool late, struct md_err *err)
{
	const struct db_args row =
		DB_ARGS(DB_INT(id), DB_TEXT(u->name), DB_TEXT(email), DB_TEXT(folded),
			DB_TEXT(u->role), DB_TEXT(u->password_hash), DB_TEXT(u->locale),
			DB_TEXT(u->timezone), DB_INT(u->created_at), DB_ID(u->organisation_id));
	int64_t changed = 1;
	int rc = late ? db_insert(c, &sql_insert, row, err)
		      : db_exec(c, &sql_insert_new, row, &changed, err);

	if (rc == MD_OK && changed == 0)
		rc = md_fail(err, MD_CONFLICT, 0, "the address is taken");
	return rc == MD_OK
		       ? db_insert(c, &sql_insert_address, DB_ARGS(DB_TEXT(email), DB_INT(id)), err)
		       : rc;
}

static int add(struct db_conn *c, struct user *u, bool late, int64_t *ret_id, struct md_err *err)
{
	md_auto(buf_done) struct buf email = BUF_INIT(FOLDED_MAX);
	md_auto(buf_done) struct buf folded = BUF_INIT(2 * FOLDED_MAX);
	int64_t id;
	int rc = fold(&email, u->email, err);

	if (rc == MD_OK)
		rc = fold_for_search(&folded, u, err);
	if (rc != MD_OK)
		return rc;
	/* Asked first: a failed INSERT would end the whole transaction on some engines. */
	rc = late ? MD_NOTFOUND
		  : db_int(c, &sql_address_owner, DB_ARGS(DB_TEXT(buf_str(&email))), &id, err);
	if (rc == MD_OK)
		return md_fail(err, MD_CONFLICT, 0, "the address is user %lld's", (long long)id);
	if (rc != MD_NOTFOUND)
		return rc;
	rc = MD_OK;
	if (!u->organisation_id && strcmp(u->role, "customer") == 0)
		rc = organisation_of_address(c, buf_str(&email), &u->organisation_id, err);
	if (rc == MD_OK)
		rc = db_new_id(c, "users", &id, err);
	if (rc == MD_OK)
		rc = insert_user(c, u, id, buf_str(&email), buf_str(&folded), late, err);
	if (rc == MD_OK)
		*ret_id = id;
	return rc;
}

int user_add(struct db_conn *c, struct user *u, int64_t *ret_id, struct md_err *err)
{
	return add(c, u, false, ret_id, err);
}

int user_add_unknown(struct db_conn *c, struct user *u, int64_t *ret_id, struct md_err *err)
{
	return add(c, u, db_keeps_rows(c), ret_id, err);
}

int user_save(struct db_conn *c, const struct user *u, struct md_err *err)
{
	md_auto(buf_done) struct buf folded = BUF_INIT(2 * FOLDED_MAX);
	int64_t changed;
	int rc = fold_for_search(&folded, u, err);

	if (rc == MD_OK)
		rc = db_exec(c, &sql_save,
			     DB_ARGS(DB_TEXT(u->name), DB_TEXT(buf_str(&folded)), DB_TEXT(u->role),
				     DB_TEXT(u->password_hash), DB_TEXT(u->locale),
				     DB_TEXT(u->timezone), DB_ID(u->disabled_at),
				     DB_ID(u->undeliverable_at), DB_INT(u->epoch),
				     DB_ID(u->organisation_id), DB_ID(u->away_until),
				     DB_TEXT(u->signature), DB_TEXT(u->digest), DB_INT(u->id)),
			     &changed, err);
	if (rc == MD_OK && changed == 0)
		rc = md_fail(err, MD_NOTFOUND, 0, "no user %lld", (long long)u->id);
	return rc;
}

struct address {
	const char *text;
};
static const struct db_col address_cols[] = { { DB_COL_TEXT, offsetof(struct address, text) } };
static const struct db_map address_map = DB_MAP(address, address_cols);
_Static_assert(sizeof(struct address) == sizeof(const char *), "rows are the array of rec_strs");

int user_addresses(struct db_conn *c, int64_t id, struct arena *a, struct rec_strs *ret,
		   struct md_err *err)
{
	return db_all(c, &sql_addresses, DB_ARGS(DB_INT(id)), &address_map, ADDRESSES_MAX, a,
		      &ret->v, &ret->n, err);
}

int user_agents(struct db_conn *c, bool with_admins, struct arena *a, struct user **ret,
		size_t *ret_n, struct md_err *err)
{
	return db_all(c, &sql_agents, DB_ARGS(DB_TEXT(with_admins ? "admin" : "agent")), &user_map,
		      AGENTS_MAX, a, ret, ret_n, err);
}

/* ---- list ---- */

/* %, _ and the escape itself mean themselves. */
static char *like_pattern(struct arena *a, const char *q)
{
	md_auto(buf_done) struct buf b = BUF_INIT(FOLDED_MAX);

	buf_addc(&b, '%');
	for (; *q; q++) {
		if (strchr("%_\\", *q))
			buf_addc(&b, '\\');
		buf_addc(&b, *q);
	}
	buf_addc(&b, '%');
	return b.status == MD_OK ? arena_strdup(a, b.data) : NULL;
}

static void add_filter(struct query *q, const struct user_filter *f, const char *pattern)
{
	query_add(q, " WHERE 1 = 1");
	if (f->role)
		query_add_arg(q, " AND u.role = ?", DB_TEXT(f->role));
	if (f->roles.n)
		query_add_texts(q, " AND u.role IN ", f->roles.v, f->roles.n);
	if (f->staff_or_self)
		query_add_arg(q, " AND (u.role IN ('admin', 'agent') OR u.id = ?)",
			      DB_INT(f->self_id));
	if (pattern)
		query_add_arg(q, " AND u.folded LIKE ? ESCAPE '\\'", DB_TEXT(pattern));
}

int user_list(struct db_conn *c, const struct user_filter *f, struct arena *a, struct user **ret,
	      size_t *ret_n, int64_t *ret_total, struct md_err *err)
{
	md_auto(query_done) struct query page = QUERY_INIT, count = QUERY_INIT;
	const char *pattern = f->q ? like_pattern(a, f->q) : NULL;
	int64_t *total;
	size_t n;
	int rc;

	if (f->q && !pattern)
		return out_of_memory(err);
	query_add(&count, QUERY_COUNT_BEGIN " FROM users u");
	add_filter(&count, f, pattern);
	query_add(&count, QUERY_COUNT_END);
	rc = query_all(&count, c, &db_map_int, 1, a, &total, &n, err);
	if (rc != MD_OK)
		return rc;
	query_add(&page, "SELECT " USER_COLUMNS " FROM users u");
	add_filter(&page, f, pattern);
	if (f->behind)
		query_add_arg(&page, " AND u.id > ?", DB_INT(f->behind));
	query_add_arg(&page, " ORDER BY u.id LIMIT ?", DB_INT(f->limit));
	query_add_arg(&page, " OFFSET ?", DB_INT(f->offset));
	rc = query_all(&page, c, &user_map, (size_t)f->limit, a, ret, ret_n, err);
	if (rc == MD_OK)
		*ret_total = *total;
	return rc;
}
