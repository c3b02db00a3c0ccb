/* err.h - how every fallible function of maildesk says what went wrong.
 *
 * A function returns MD_OK or a negative enum md_code that tells its caller what can be done;
 * the detail goes into an optional struct md_err (last parameter, may be NULL), filled once where
 * the failure happens and given context on the way up. Outputs named ret_* are written only on
 * success. Library code never logs: whoever decides what to do about a failure logs it. */
#ifndef MAILDESK_BASE_ERR_H
#define MAILDESK_BASE_ERR_H

enum md_code {
	MD_OK = 0,
	MD_AGAIN = -1,    /* transient: the same call may succeed later (network, busy database) */
	MD_NOTFOUND = -2, /* an expected miss */
	MD_CONFLICT = -3, /* somebody else changed the row, or a constraint holds: look again */
	MD_INPUT = -4,    /* the bytes we were given are bad; retrying cannot help */
	MD_REFUSED = -5,  /* a permanent no: 5xx, bad credentials, not allowed */
	MD_NOMEM = -6,
	MD_BROKEN = -7,  /* local trouble (disk, schema, bug): an operator must look */
	MD_UNKNOWN = -8, /* a commit whose outcome nobody saw: settle it by the idempotency key */
};

struct md_err {
	enum md_code code;
	int native;     /* errno, SQLite, CURLcode or libetpan value; 0 if none */
	char text[400]; /* for logs and people; never credentials or message bodies */
};

/* Record a failure and return its code, so that `return md_fail(...)` reads as one step. */
int md_fail(struct md_err *err, enum md_code code, int native, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

/* Put context in front of an existing failure; keeps code and native value. Returns `code`. */
int md_wrap(struct md_err *err, int code, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* "busy, try again", "not found", ... for messages and tests. */
const char *md_code_name(int code);

#endif
