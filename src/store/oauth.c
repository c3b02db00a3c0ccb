#include <maildesk/store/oauth.h>

static const struct db_col grant_cols[] = {
	{ DB_COL_TEXT, offsetof(struct oauth_grant, section) },
	{ DB_COL_TEXT, offsetof(struct oauth_grant, login) },
	{ DB_COL_INT, offsetof(struct oauth_grant, version) },
	{ DB_COL_BLOB, offsetof(struct oauth_grant, refresh) },
	{ DB_COL_BLOB, offsetof(struct oauth_grant, access) },
	{ DB_COL_INT, offsetof(struct oauth_grant, renew_at) },
	{ DB_COL_INT, offsetof(struct oauth_grant, expires_at) },
	{ DB_COL_INT, offsetof(struct oauth_grant, retry_at) },
	{ DB_COL_INT, offsetof(struct oauth_grant, failures) },
	{ DB_COL_INT, offsetof(struct oauth_grant, refused) },
	{ DB_COL_TEXT, offsetof(struct oauth_grant, error) },
};
static const struct db_map grant_map = DB_MAP(oauth_grant, grant_cols);

#define COLUMNS                                                                      \
	"section, login, version, refresh, access, renew_at, expires_at, retry_at, " \
	"failures, refused, error"
#define NEW_ROW "INSERT INTO oauth_grants (" COLUMNS ") VALUES ($1, $2, $3, $4, $5, $6, $7, "

DB_SQL(sql_get, "SELECT " COLUMNS " FROM oauth_grants g WHERE g.section = $1 AND g.login = $2");
/* A row that only tells of a failure has no token yet, and version 0. */
DB_SQL(sql_save, NEW_ROW "0, 0, 0, NULL) ON CONFLICT (section, login) DO UPDATE"
			 " SET version = oauth_grants.version + 1, refresh = excluded.refresh,"
			 " access = excluded.access, renew_at = excluded.renew_at,"
			 " expires_at = excluded.expires_at, retry_at = 0, failures = 0,"
			 " refused = 0, error = NULL WHERE oauth_grants.version = $8");
DB_SQL(sql_replace, NEW_ROW "0, 0, 0, NULL) ON CONFLICT (section, login) DO UPDATE"
			    " SET version = oauth_grants.version + 1, refresh = excluded.refresh,"
			    " access = excluded.access, renew_at = excluded.renew_at,"
			    " expires_at = excluded.expires_at, retry_at = 0, failures = 0,"
			    " refused = 0, error = NULL");
DB_SQL(sql_failed, "INSERT INTO oauth_grants (section, login, version, retry_at, failures,"
		   " refused, error) VALUES ($1, $2, 0, $3, $4, $5, $6)"
		   " ON CONFLICT (section, login) DO UPDATE SET retry_at = excluded.retry_at,"
		   " failures = excluded.failures, refused = excluded.refused,"
		   " error = excluded.error WHERE oauth_grants.version = $7");

static struct db_arg bytes(const struct rec_bytes *b)
{
	return b->n ? DB_BLOB(b->v, b->n) : (struct db_arg){ .kind = DB_KIND_NULL };
}

int oauth_grant_get(struct db_conn *c, const char *section, const char *login, struct arena *a,
		    struct oauth_grant *ret, struct md_err *err)
{
	return db_one(c, &sql_get, DB_ARGS(DB_TEXT(section), DB_TEXT(login)), &grant_map, a, ret,
		      err);
}

int oauth_grant_save(struct db_conn *c, const struct oauth_grant *g, struct md_err *err)
{
	int64_t changed;
	int rc = db_exec(c, &sql_save,
			 DB_ARGS(DB_TEXT(g->section), DB_TEXT(g->login), DB_INT(g->version + 1),
				 bytes(&g->refresh), bytes(&g->access), DB_INT(g->renew_at),
				 DB_INT(g->expires_at), DB_INT(g->version)),
			 &changed, err);

	return rc == MD_OK && !changed
		       ? md_fail(err, MD_CONFLICT, 0, "there are newer tokens of %s", g->section)
		       : rc;
}

int oauth_grant_replace(struct db_conn *c, const struct oauth_grant *g, struct md_err *err)
{
	return db_exec(c, &sql_replace,
		       DB_ARGS(DB_TEXT(g->section), DB_TEXT(g->login), DB_INT(1),
			       bytes(&g->refresh), bytes(&g->access), DB_INT(g->renew_at),
			       DB_INT(g->expires_at)),
		       NULL, err);
}

int oauth_grant_failed(struct db_conn *c, const struct oauth_grant *g, struct md_err *err)
{
	return db_exec(c, &sql_failed,
		       DB_ARGS(DB_TEXT(g->section), DB_TEXT(g->login), DB_INT(g->retry_at),
			       DB_INT(g->failures), DB_INT(g->refused), DB_TEXT(g->error),
			       DB_INT(g->version)),
		       NULL, err);
}
