#include <maildesk/store/settings.h>

#include <maildesk/base/record.h>

#include <string.h>

enum { SETTING_MAX = 64 << 10 };

DB_SQL(sql_get, "SELECT value FROM settings WHERE name = $1");
DB_SQL(sql_put, "INSERT INTO settings (name, value) VALUES ($1, $2)"
		" ON CONFLICT (name) DO UPDATE SET value = excluded.value");
DB_SQL(sql_offer, "INSERT INTO settings (name, value) VALUES ($1, $2)"
		  " ON CONFLICT (name) DO NOTHING");

struct value {
	struct rec_bytes bytes;
};
static const struct db_col value_cols[] = { { DB_COL_BLOB, offsetof(struct value, bytes) } };
static const struct db_map value_map = DB_MAP(value, value_cols);

int setting_get(struct db_conn *c, const char *name, void *out, size_t room, size_t *ret_n,
		struct md_err *err)
{
	md_auto(arena_done) struct arena a = ARENA_INIT(SETTING_MAX);
	struct value value;
	int rc = db_one(c, &sql_get, DB_ARGS(DB_TEXT(name)), &value_map, &a, &value, err);

	if (rc != MD_OK)
		return rc;
	if (value.bytes.n > room)
		return md_fail(err, MD_BROKEN, 0, "setting %s has %zu bytes, expected at most %zu",
			       name, value.bytes.n, room);
	memcpy(out, value.bytes.v, value.bytes.n);
	*ret_n = value.bytes.n;
	return MD_OK;
}

int setting_put(struct db_conn *c, const char *name, const void *bytes, size_t n,
		struct md_err *err)
{
	return db_exec(c, &sql_put, DB_ARGS(DB_TEXT(name), DB_BLOB(n ? bytes : "", n)), NULL, err);
}

struct setting {
	const char *name;
	struct rec_bytes bytes;
};
static const struct db_col setting_cols[] = {
	{ DB_COL_TEXT, offsetof(struct setting, name) },
	{ DB_COL_BLOB, offsetof(struct setting, bytes) },
};
static const struct db_map setting_map = DB_MAP(setting, setting_cols);
enum { SETTINGS_MAX = 100 };

DB_SQL(sql_all, "SELECT name, value FROM settings ORDER BY name");

int setting_copy(struct db_conn *from, struct db_conn *to, struct arena *a, struct md_err *err)
{
	struct setting *all;
	size_t n;
	int rc = db_all(from, &sql_all, DB_NONE, &setting_map, SETTINGS_MAX, a, &all, &n, err);

	for (size_t i = 0; rc == MD_OK && i < n; i++)
		rc = setting_put(to, all[i].name, all[i].bytes.v, all[i].bytes.n, err);
	return rc;
}

struct secret {
	const char *name;
	const void *offer;
	void *out;
	size_t n;
};

static int settle_secret(struct db_conn *c, void *ctx, struct md_err *err)
{
	struct secret *s = ctx;
	size_t got = 0;
	int rc = db_exec(c, &sql_offer, DB_ARGS(DB_TEXT(s->name), DB_BLOB(s->offer, s->n)), NULL,
			 err);

	if (rc == MD_OK)
		rc = setting_get(c, s->name, s->out, s->n, &got, err);
	if (rc == MD_OK && got != s->n)
		rc = md_fail(err, MD_BROKEN, 0, "setting %s has %zu bytes, expected %zu", s->name,
			     got, s->n);
	return rc;
}

/* Made before the transaction and offered in it: the first daemon's offer wins for all. */
int setting_secret(struct db *db, const char *name, struct random *random, void *out, size_t n,
		   struct md_err *err)
{
	md_auto(md_free_p) void *offer = md_malloc(n);
	struct secret s = { name, offer, out, n };
	int rc;

	if (!offer)
		return md_fail(err, MD_NOMEM, 0, "setting %s: out of memory", name);
	random_fill(random, offer, n);
	rc = db_txn(db, settle_secret, &s, err);
	explicit_bzero(offer, n);
	return rc;
}
