/* totp.h - time-based one-time passwords (RFC 6238; HMAC-SHA-1, 30 seconds, 6 digits: what every
 * authenticator app can do). */
#ifndef MAILDESK_DESK_TOTP_H
#define MAILDESK_DESK_TOTP_H

#include <maildesk/base/buf.h>
#include <maildesk/base/err.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { TOTP_SECRET_BYTES = 20, TOTP_STEP_S = 30, TOTP_DIGITS = 6 };

/* The code of that step (seconds since 1970 / TOTP_STEP_S). MD_BROKEN: no SHA-1 here. */
int totp_code(const uint8_t *secret, size_t n, int64_t step, char ret[TOTP_DIGITS + 1],
	      struct md_err *err);
/* Is it the code of this step, the one before or the one after, and of none up to `spent`? MD_OK,
 * with the step to be spent now; MD_REFUSED. */
int totp_check(const uint8_t *secret, size_t n, const char *code, int64_t now_ms, int64_t spent,
	       int64_t *ret_step, struct md_err *err);
/* The secret for people: base32 in capitals. */
void totp_secret_text(struct buf *out, const uint8_t *secret, size_t n);
/* otpauth://totp/ISSUER:ACCOUNT?..., for a QR code. */
void totp_uri(struct buf *out, const char *issuer, const char *account, const uint8_t *secret,
	      size_t n);

#endif
