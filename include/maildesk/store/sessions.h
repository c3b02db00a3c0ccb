/* sessions.h - refresh tokens: only their hashes are stored; a family is one sign-in. */
#ifndef MAILDESK_STORE_SESSIONS_H
#define MAILDESK_STORE_SESSIONS_H

#include <maildesk/store/db.h>

struct session_row {
	int64_t id, user_id;
	const char *family, *token_hash;
	const char *user_agent; /* of the sign-in; may be NULL */
	int64_t created_at, expires_at, used_at, revoked_at;
};
/* Removes those of the user that expired, too. */
int session_add(struct db_conn *c, const struct session_row *s, struct md_err *err);
/* MD_NOTFOUND. */
int session_find(struct db_conn *c, const char *token_hash, struct arena *a,
		 struct session_row *ret, struct md_err *err);
/* Mark as used, once: MD_CONFLICT when it was used or revoked before. */
int session_use(struct db_conn *c, int64_t id, int64_t now_ms, struct md_err *err);
int session_end_family(struct db_conn *c, const char *family, int64_t now_ms, struct md_err *err);
/* One session, or all of a user but that one (NULL: all). */
struct session_summary {
	const char *family, *user_agent;
	int64_t created_at, last_used_at, expires_at;
};
/* Those that go on, the one used last first. */
int session_list(struct db_conn *c, int64_t user, int64_t now_ms, struct arena *a,
		 struct session_summary **ret, size_t *ret_n, struct md_err *err);
/* MD_NOTFOUND: that user has no such session. */
int session_end_own(struct db_conn *c, int64_t user, const char *family, int64_t now_ms,
		    struct md_err *err);
int session_end_others(struct db_conn *c, int64_t user, const char *family, int64_t now_ms,
		       struct md_err *err);
int session_end_user(struct db_conn *c, int64_t user, int64_t now_ms, struct md_err *err);

#endif
