#include <maildesk/app/factor.h>

#include <maildesk/base/log.h>
#include <maildesk/desk/totp.h>

enum { FACTORS_ARENA = 4 << 20, SEALED_MAX = 200 };
static const char purpose[] = "second factor";

int factor_seal(struct vault *v, const void *secret, size_t n, struct buf *out, struct md_err *err)
{
	return vault_seal(v, purpose, secret, n, out, err);
}

int factor_open(struct vault *v, const struct otp_row *o, struct buf *out, struct md_err *err)
{
	return vault_unseal(v, purpose, o->secret.v, o->secret.n, out, err);
}

struct sealing {
	struct vault *vault;
	struct arena arena;
	struct otp_row *rows;
	size_t n;
};

static int find_clear(struct db_conn *c, struct sealing *s, struct md_err *err)
{
	arena_reset(&s->arena);
	return otp_of_length(c, TOTP_SECRET_BYTES, &s->arena, &s->rows, &s->n, err);
}

static int seal_all(struct db_conn *c, void *ctx, struct md_err *err)
{
	struct sealing *s = ctx;
	int rc = find_clear(c, s, err);

	for (size_t i = 0; i < s->n && rc == MD_OK; i++) {
		md_auto(buf_done) struct buf sealed = BUF_INIT(SEALED_MAX);
		const struct otp_row *o = &s->rows[i];

		rc = factor_seal(s->vault, o->secret.v, o->secret.n, &sealed, err);
		if (rc == MD_OK)
			rc = otp_replace(c, o->user_id, sealed.data, sealed.len, err);
	}
	return rc;
}

/* A reader's look first: at nearly every start there is nothing to do. */
int factors_seal_all(struct db *db, struct vault *v, struct md_err *err)
{
	struct sealing s = { .vault = v, .arena = ARENA_INIT(FACTORS_ARENA) };
	struct db_conn *c = NULL;
	int rc = db_read(db, &c, err);

	if (rc == MD_OK) {
		rc = find_clear(c, &s, err);
		db_read_done(c);
	}
	if (rc == MD_OK && s.n)
		rc = db_txn(db, seal_all, &s, err);
	if (rc == MD_OK && s.n)
		log_notice(NULL, "%zu second factors are encrypted from now on", s.n);
	arena_done(&s.arena);
	return rc;
}
