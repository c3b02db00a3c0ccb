/* factor.h - the secret of a second factor (desk/totp.h), at rest and in use: sealed by
 * app/vault.h, so that a copy of the database alone signs nobody in. */
#ifndef MAILDESK_APP_FACTOR_H
#define MAILDESK_APP_FACTOR_H

#include <maildesk/app/vault.h>
#include <maildesk/store/otp.h>

/* As store/otp.h keeps it, and back; appended to `out`, which buf_wipe() ends. Codes are those of
 * vault_seal() and vault_unseal(). */
int factor_seal(struct vault *v, const void *secret, size_t n, struct buf *out, struct md_err *err);
int factor_open(struct vault *v, const struct otp_row *o, struct buf *out, struct md_err *err);
/* Seal what desks of before 2026-12 left in clear, in one transaction; nothing to do at nearly
 * every start. */
int factors_seal_all(struct db *db, struct vault *v, struct md_err *err);

#endif
