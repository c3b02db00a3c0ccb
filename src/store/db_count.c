/* db_count.c - totals of lists. A connection keeps what it counted last, and the version of the
 * database that it was counted in. */
#include "db_conn.h"

#include <string.h>

static int one_number(struct db_conn *c, const char *sql, struct db_args args, struct arena *arena,
		      int64_t *ret, struct md_err *err)
{
	int64_t *rows;
	size_t n;
	int rc = db_query(c, sql, args, &db_map_int, 1, arena, &rows, &n, err);

	if (rc == MD_OK)
		*ret = n ? rows[0] : 0;
	return rc;
}

/* False: what was asked cannot be told from other things. */
static bool name_count(const char *sql, struct db_args args, uint8_t ret[SHA256_BYTES])
{
	struct sha256 *h = sha256_new();

	if (!h)
		return false;
	sha256_add(h, sql, strlen(sql) + 1);
	for (size_t i = 0; i < args.n; i++) {
		const struct db_arg *a = &args.v[i];
		const int64_t head[] = { a->kind, a->integer, (int64_t)a->n };

		sha256_add(h, head, sizeof head);
		if (a->n)
			sha256_add(h, a->bytes, a->n);
	}
	sha256_end(h, ret);
	return true;
}

static struct db_count *find_count(struct db_conn *c, const uint8_t what[SHA256_BYTES])
{
	for (size_t i = 0; i < DB_COUNTS_KEPT; i++)
		if (memcmp(c->counts[i].what, what, SHA256_BYTES) == 0)
			return &c->counts[i];
	return NULL;
}

int db_count(struct db_conn *c, const char *sql, struct db_args args, struct arena *arena,
	     int64_t *ret, struct md_err *err)
{
	const char *version_sql = c->use == DB_USE_READ ? c->db->driver->version_sql : NULL;
	struct db_count *known, now;
	int rc;

	if (!version_sql || !name_count(sql, args, now.what))
		return one_number(c, sql, args, arena, ret, err);
	rc = one_number(c, version_sql, DB_NONE, arena, &now.version, err);
	if (rc != MD_OK)
		return rc;
	known = find_count(c, now.what);
	if (known && known->version == now.version) {
		*ret = known->n;
		return MD_OK;
	}
	rc = one_number(c, sql, args, arena, &now.n, err);
	if (rc != MD_OK)
		return rc;
	if (!known)
		known = &c->counts[c->next_count++ % DB_COUNTS_KEPT];
	*known = now;
	*ret = now.n;
	return MD_OK;
}
