/* sessions.h - refresh tokens: only their hashes are stored; a family is one sign-in. */
#ifndef MAILDESK_STORE_SESSIONS_H
#define MAILDESK_STORE_SESSIONS_H

#include <maildesk/store/db.h>

struct session_row {
	int64_t id, user_id;
	const char *family, *token_hash;
	int64_t created_at, expires_at, used_at, revoked_at;
};
int session_add(struct db_conn *c, const struct session_row *s, struct md_err *err);
/* MD_NOTFOUND. */
int session_find(struct db_conn *c, const char *token_hash, struct arena *a,
		 struct session_row *ret, struct md_err *err);
/* Mark as used, once: MD_CONFLICT when it was used or revoked before. */
int session_use(struct db_conn *c, int64_t id, int64_t now_ms, struct md_err *err);
int session_end_family(struct db_conn *c, const char *family, int64_t now_ms, struct md_err *err);
int session_end_user(struct db_conn *c, int64_t user, int64_t now_ms, struct md_err *err);

#endif
