/* factor.h - the secret of a second factor, at rest and in use. */
#ifndef MAILDESK_APP_FACTOR_H
#define MAILDESK_APP_FACTOR_H

#include <maildesk/app/vault.h>
#include <maildesk/store/otp.h>

/* As store/otp.h keeps it. Appended to `out`. */
int factor_seal(struct vault *v, const void *secret, size_t n, struct buf *out, struct md_err *err);
int factor_open(struct vault *v, const struct otp_row *o, struct buf *out, struct md_err *err);
/* Seal what desks of before 2026-12 left in clear. */
int factors_seal_all(struct db *db, struct vault *v, struct md_err *err);

#endif
