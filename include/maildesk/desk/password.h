/* password.h - passwords as argon2id hashes (RFC 9106; 2 passes over 19 MiB).
 *
 * A hash costs some 12 ms and its 19 MiB, by intent: callers limit how many run at once. The salt
 * is the kernel's randomness, the one place of this layer that is not handed in. sodium_init()
 * first. */
#ifndef MAILDESK_DESK_PASSWORD_H
#define MAILDESK_DESK_PASSWORD_H

#include <maildesk/base/err.h>

#include <stdbool.h>

enum { PASSWORD_MIN = 10, PASSWORD_MAX = 1024, PASSWORD_HASH_MAX = 128 };

/* MD_INPUT unless it has 10 to 1024 octets; people are told of characters. */
int password_check(const char *password, struct md_err *err);
/* Checks, then hashes. MD_INPUT, MD_NOMEM. */
int password_hash(const char *password, char ret_hash[PASSWORD_HASH_MAX], struct md_err *err);
/* Takes as long when `hash` is NULL (no such user, or one without password), and is false then. */
bool password_verify(const char *hash, const char *password);

#endif
