/* tz.h - an IANA time zone from the bytes of its TZif file (RFC 8536).
 *
 * glibc keeps one zone a process behind TZ and tzset(3); a desk reads many zones in many threads,
 * so a zone is a value here. Version 1 to 4 files; past the table the POSIX TZ footer goes on.
 * Files with leap seconds ("right/") are refused: our instants are POSIX time. */
#ifndef MAILDESK_DESK_TZ_H
#define MAILDESK_DESK_TZ_H

#include <maildesk/base/err.h>
#include <maildesk/base/mem.h>
#include <stddef.h>
#include <stdint.h>

struct tz;

/* "Never again", in seconds: some 34,000 years away, and safe to multiply by 1000. */
#define TZ_FOREVER ((int64_t)1 << 40)

/* The bytes are not kept. Expected codes: MD_INPUT, MD_NOMEM. *ret is the caller's. */
int tz_parse(const void *bytes, size_t n, struct tz **ret, struct md_err *err);
void tz_free(struct tz *tz);
MD_DEFINE_AUTO(struct tz *, tz_free)

/* Seconds to add to UTC `t` (seconds since 1970) for local time, NULL being UTC itself. The offset
 * holds up to `*ret_until`, exclusive, which may be NULL. */
int32_t tz_offset(const struct tz *tz, int64_t t, int64_t *ret_until);

#endif
