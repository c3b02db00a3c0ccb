#include <maildesk/app/key_setting.h>
#include <maildesk/store/settings.h>

#include <sodium.h>
#include <string.h>

enum { VALUE_MAX = 2 * KEY_SETTING_MAX + VAULT_OVERHEAD };

/* Not for a moment, as when this daemon waits for another one's answer. */
static int settle_unopened(struct vault *v, int rc, enum key_state *ret)
{
	if (rc != MD_INPUT && !(rc == MD_AGAIN && vault_is_ready(v)))
		return rc;
	*ret = KEYS_LOST;
	return MD_OK;
}

int key_setting_get(struct db_conn *c, struct vault *v, const struct key_setting *s, uint8_t *head,
		    uint8_t *keys, enum key_state *ret, struct md_err *err)
{
	md_auto(buf_wipe) struct buf opened = BUF_INIT(KEY_SETTING_MAX);
	uint8_t value[VALUE_MAX];
	size_t n = 0;
	int rc = setting_get(c, s->name, value, sizeof value, &n, err);

	if (rc != MD_OK)
		return rc;
	if (n == s->n_clear) {
		*ret = KEYS_CLEAR;
		memcpy(keys, value, n);
		sodium_memzero(value, sizeof value);
		return MD_OK;
	}
	if (n != s->n_head + s->n_keys + VAULT_OVERHEAD)
		return md_fail(err, MD_BROKEN, 0, "setting %s has %zu bytes, expected %zu", s->name,
			       n, s->n_head + s->n_keys + VAULT_OVERHEAD);
	*ret = KEYS_SEALED;
	if (s->n_head)
		memcpy(head, value, s->n_head);
	rc = vault_unseal(v, s->name, value + s->n_head, n - s->n_head, &opened, err);
	if (rc == MD_OK)
		memcpy(keys, opened.data, s->n_keys);
	return rc == MD_OK ? rc : settle_unopened(v, rc, ret);
}

int key_setting_put(struct db_conn *c, struct vault *v, const struct key_setting *s,
		    const uint8_t *head, const uint8_t *keys, struct md_err *err)
{
	md_auto(buf_done) struct buf value = BUF_INIT(VALUE_MAX);
	int rc;

	if (s->n_head)
		buf_add(&value, head, s->n_head);
	rc = vault_seal(v, s->name, keys, s->n_keys, &value, err);
	return rc == MD_OK ? setting_put(c, s->name, value.data, value.len, err) : rc;
}

struct secret {
	struct vault *vault;
	const struct key_setting *setting;
	struct random *random;
	uint8_t bytes[KEY_SETTING_MAX];
};

static int secret_in_txn(struct db_conn *c, void *ctx, struct md_err *err)
{
	struct secret *s = ctx;
	enum key_state state;
	int rc = key_setting_get(c, s->vault, s->setting, NULL, s->bytes, &state, err);

	if (rc == MD_NOTFOUND || (rc == MD_OK && state == KEYS_LOST))
		random_fill(s->random, s->bytes, s->setting->n_keys);
	else if (rc != MD_OK || state == KEYS_SEALED)
		return rc;
	return key_setting_put(c, s->vault, s->setting, NULL, s->bytes, err);
}

int key_setting_secret(struct db *db, struct vault *v, const struct key_setting *s,
		       struct random *random, uint8_t *ret, struct md_err *err)
{
	struct secret secret = { v, s, random, { 0 } };
	int rc = db_txn(db, secret_in_txn, &secret, err);

	if (rc == MD_OK)
		memcpy(ret, secret.bytes, s->n_keys);
	sodium_memzero(secret.bytes, sizeof secret.bytes);
	return rc;
}
