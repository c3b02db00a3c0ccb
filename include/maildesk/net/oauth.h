/* oauth.h - access tokens from a token server (OAuth 2: RFC 6749, RFC 8628), by libcurl.
 *
 * Every call is one POST: over TLS with certificate and host verified, or, to this machine only, in
 * the clear (the configuration sees to that); no redirects; an answer of at most 64 KiB. Codes:
 *	MD_AGAIN	the server was not reached, is in trouble, or says nothing sensible
 *	MD_REFUSED	it says no; err->native is enum oauth_no
 *	MD_BROKEN	a person must act: its certificate is not trusted
 * err->text never holds a token or secret, even when the server's words do. */
#ifndef MAILDESK_NET_OAUTH_H
#define MAILDESK_NET_OAUTH_H

#include <maildesk/base/err.h>
#include <maildesk/base/mem.h>

#include <stdatomic.h>
#include <stdint.h>

struct oauth_client {
	const char *token_url, *device_url;
	const char *id, *secret, *scope; /* secret and scope may be "" */
	const char *ca_file;             /* "" for the system's */
	int64_t timeout_ms;
	const atomic_bool *stop; /* set: end soon; may be NULL */
};

enum oauth_no {
	OAUTH_OTHER =
		1,     /* the client is not known, its secret is wrong, the scope is not allowed */
	OAUTH_GRANT,   /* invalid_grant: the refresh token is used up or withdrawn */
	OAUTH_PENDING, /* the person has not answered yet */
	OAUTH_SLOW_DOWN, /* the same, and: ask less often */
	OAUTH_DENIED,    /* the person said no */
	OAUTH_EXPIRED,   /* the person took too long */
};

struct oauth_tokens {
	char *access;
	char *refresh;   /* NULL: none came, the one used stays good (RFC 6749, section 6) */
	int64_t life_ms; /* of access */
};
void oauth_tokens_done(struct oauth_tokens *t); /* wipes; fits md_auto */

int oauth_by_secret(const struct oauth_client *c, struct oauth_tokens *ret, struct md_err *err);
/* Whatever comes back takes the place of `refresh`, which may be good for nothing any more. */
int oauth_by_refresh(const struct oauth_client *c, const char *refresh, struct oauth_tokens *ret,
		     struct md_err *err);

struct oauth_device {
	char *code;      /* of ours, secret */
	char *user_code; /* for the person, to be entered at */
	char *url;
	char *whole_url; /* with the code in it; may be NULL */
	int64_t interval_ms, life_ms;
};
void oauth_device_done(struct oauth_device *d); /* fits md_auto */
int oauth_device_begin(const struct oauth_client *c, struct oauth_device *ret, struct md_err *err);
int oauth_device_ask(const struct oauth_client *c, const char *code, struct oauth_tokens *ret,
		     struct md_err *err);

#endif
