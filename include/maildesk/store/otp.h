/* otp.h - second factors of users: the secret of their authenticator, and hashes of the codes for
 * when they have lost it. */
#ifndef MAILDESK_STORE_OTP_H
#define MAILDESK_STORE_OTP_H

#include <maildesk/base/record.h>
#include <maildesk/store/db.h>

struct otp_row {
	int64_t user_id;
	struct rec_bytes secret; /* sealed (app/vault.h) */
	int64_t confirmed_at;    /* 0: offered, not asked for yet */
	int64_t last_step;
};
/* MD_NOTFOUND. */
int otp_get(struct db_conn *c, int64_t user, struct arena *a, struct otp_row *ret,
	    struct md_err *err);
/* Takes the place of what was offered before, with its codes. MD_CONFLICT when one is confirmed. */
int otp_offer(struct db_conn *c, int64_t user, const void *secret, size_t n, struct md_err *err);
int otp_confirm(struct db_conn *c, int64_t user, int64_t now_ms, struct md_err *err);
/* The code of that step was used: MD_CONFLICT when it, or a later one, was before. */
int otp_spend(struct db_conn *c, int64_t user, int64_t step, struct md_err *err);
int otp_remove(struct db_conn *c, int64_t user, struct md_err *err);
/* Those of so many bytes, which are not sealed; and the sealed one in its place. */
int otp_of_length(struct db_conn *c, size_t bytes, struct arena *a, struct otp_row **ret,
		  size_t *ret_n, struct md_err *err);
int otp_replace(struct db_conn *c, int64_t user, const void *secret, size_t n, struct md_err *err);

int recovery_code_add(struct db_conn *c, int64_t user, const char *hash, struct md_err *err);
/* Once. MD_NOTFOUND. */
int recovery_code_spend(struct db_conn *c, int64_t user, const char *hash, int64_t now_ms,
			struct md_err *err);

#endif
