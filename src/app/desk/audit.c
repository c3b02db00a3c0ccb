#include <maildesk/app/audit.h>
#include <maildesk/app/key_setting.h>
#include <maildesk/base/log.h>
#include <maildesk/base/utf8.h>

#include <sodium.h>
#include <string.h>

enum { MINUTE_MS = 60000, ADDRESS_MAX = 4096 };
static const struct key_setting setting = { .name = "audit_key",
					    .n_keys = DESK_AUDIT_KEY_BYTES,
					    .n_clear = DESK_AUDIT_KEY_BYTES };

int audit_load_key(struct desk *d, struct md_err *err)
{
	return key_setting_secret(d->db, d->vault, &setting, d->random, d->audit_key, err);
}

int audit_look_key(struct desk *d, struct md_err *err)
{
	md_auto(db_read_done_p) struct db_conn *c = NULL;
	uint8_t key[KEY_SETTING_MAX];
	enum key_state state;
	int rc = db_read(d->db, &c, err);

	if (rc == MD_OK)
		rc = key_setting_get(c, d->vault, &setting, NULL, key, &state, err);
	if (rc == MD_OK && state == KEYS_SEALED) {
		pthread_mutex_lock(&d->lock);
		memcpy(d->audit_key, key, sizeof d->audit_key);
		pthread_mutex_unlock(&d->lock);
	}
	sodium_memzero(key, sizeof key);
	return rc;
}

int audit_mac(struct desk *d, const char *text, char ret[AUDIT_MAC], struct md_err *err)
{
	md_auto(buf_done) struct buf folded = BUF_INIT(ADDRESS_MAX);
	uint8_t mac[(AUDIT_MAC - 1) / 2];

	ret[0] = '\0';
	if (!text || !*text)
		return MD_OK;
	utf8_fold(&folded, text, strlen(text));
	if (folded.status != MD_OK)
		return md_fail(err, (enum md_code)folded.status, 0, "the address is too long");
	pthread_mutex_lock(&d->lock);
	crypto_generichash(mac, sizeof mac, (const uint8_t *)folded.data, folded.len, d->audit_key,
			   sizeof d->audit_key);
	pthread_mutex_unlock(&d->lock);
	sodium_bin2hex(ret, AUDIT_MAC, mac, sizeof mac);
	return MD_OK;
}

static int add_in_txn(struct db_conn *c, void *ctx, struct md_err *err)
{
	return audit_add(c, ctx, err);
}

void audit_note(struct desk *d, const char *action, const char *detail)
{
	struct audit_row row = { .daemon = d->instance,
				 .at = clock_wall(d->clock),
				 .source = "daemon",
				 .action = action,
				 .detail = detail };
	struct md_err err = { 0 };

	if (db_txn(d->db, add_in_txn, &row, &err) != MD_OK)
		log_error(NULL, "%s is not in the audit log: %s", action, err.text);
}

int audit_cli_add(struct db_conn *c, const char *action, const char *about, int64_t about_id,
		  struct md_err *err)
{
	const struct audit_row row = { .daemon = AUDIT_CLI,
				       .at = clock_wall(&clock_system),
				       .source = "cli",
				       .action = action,
				       .about = about,
				       .about_id = about_id };

	return audit_add(c, &row, err);
}

struct doing {
	const struct audit_deed *deed;
	db_txn_fn fn;
	void *ctx;
};

static int cli_in_txn(struct db_conn *c, void *ctx, struct md_err *err)
{
	const struct doing *d = ctx;
	const int64_t *id = d->deed->about_id;
	int rc = d->fn(c, d->ctx, err);

	return rc == MD_OK ? audit_cli_add(c, d->deed->action, d->deed->about, id ? *id : 0, err)
			   : rc;
}

int audit_cli_txn(struct db *db, const struct audit_deed *deed, db_txn_fn fn, void *ctx,
		  struct md_err *err)
{
	struct doing d = { deed, fn, ctx };

	return db_txn(db, cli_in_txn, &d, err);
}

static int seal_in_txn(struct db_conn *c, void *ctx, struct md_err *err)
{
	const struct desk *d = ctx;

	return audit_seal(c, d->instance, clock_wall(d->clock) / MINUTE_MS, err);
}

int audit_settle(struct desk *d, struct md_err *err)
{
	return db_txn(d->db, seal_in_txn, d, err);
}
