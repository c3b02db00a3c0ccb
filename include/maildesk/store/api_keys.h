/* api_keys.h - keys for programs: only their hashes are stored. */
#ifndef MAILDESK_STORE_API_KEYS_H
#define MAILDESK_STORE_API_KEYS_H

#include <maildesk/store/db.h>

struct api_key {
	int64_t id, user_id;
	const char *name, *scopes;                    /* parted by spaces */
	int64_t created_at, expires_at, last_used_at; /* 0: never */
};
int api_key_add(struct db_conn *c, const struct api_key *k, const char *hash, int64_t *ret_id,
		struct md_err *err);
/* MD_NOTFOUND. */
int api_key_find(struct db_conn *c, const char *hash, struct arena *a, struct api_key *ret,
		 struct md_err *err);
int api_key_get(struct db_conn *c, int64_t id, struct arena *a, struct api_key *ret,
		struct md_err *err);
/* Name, scopes and end of it; whose it is stays. */
int api_key_save(struct db_conn *c, const struct api_key *k, struct md_err *err);
int api_key_list(struct db_conn *c, struct arena *a, struct api_key **ret, size_t *ret_n,
		 struct md_err *err);
/* MD_NOTFOUND. */
int api_key_remove(struct db_conn *c, int64_t id, struct md_err *err);
/* Is there still one of that id, which has not ended? */
int api_key_is_good(struct db_conn *c, int64_t id, int64_t now_ms, bool *ret, struct md_err *err);
int api_key_used(struct db_conn *c, int64_t id, int64_t now_ms, struct md_err *err);

#endif
