/* webhook.h - HTTP POSTs to addresses that people gave, many at a time, on one thread.
 *
 * A target could be chosen to reach what only this machine can (SSRF). So the address of every
 * connection is judged as it is made, after the name was resolved for it: what is not public is
 * refused, whatever the name says and however often it changes. Only http and https, no proxy, no
 * redirect, no connection is used twice; answers are cut at WEBHOOK_ANSWER_MAX bytes, and each
 * request has an end. */
#ifndef MAILDESK_NET_WEBHOOK_H
#define MAILDESK_NET_WEBHOOK_H

#include <maildesk/base/buf.h>
#include <maildesk/base/err.h>
#include <maildesk/base/mem.h>

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

enum { WEBHOOK_REPLY_MAX = 300, WEBHOOK_ANSWER_MAX = 64 << 10, WEBHOOK_URL_MAX = 2000 };

/* May a webhook go there? NULL, or why not. Names are looked up only when it is called. */
const char *webhook_url_fault(const char *url, bool allow_private);
/* Is it of the public internet? Addresses of IPv4 within IPv6 count as what they lead to. */
bool webhook_address_is_public(const struct sockaddr *at);

struct webhook_call {
	int64_t id; /* the caller's */
	const char *url, *secret, *body, *event;
	int64_t at_s; /* of the signature */
};
struct webhook_result {
	int64_t id;
	int status;                    /* HTTP; 0: there was no answer */
	bool refused;                  /* the address is not public */
	char reply[WEBHOOK_REPLY_MAX]; /* the beginning of the answer, or what went wrong */
};

struct webhooks_client;
int webhooks_client_new(bool allow_private, int64_t timeout_ms, struct webhooks_client **ret,
			struct md_err *err);
/* What is under way is given up. */
void webhooks_client_free(struct webhooks_client *c);
MD_DEFINE_AUTO(struct webhooks_client *, webhooks_client_free)
/* Begin it; what is pointed to is copied. Signed: X-Maildesk-Signature: t=SECONDS,v1=HEX, the
 * HMAC-SHA-256 of "SECONDS.BODY" with the secret. */
int webhooks_begin(struct webhooks_client *c, const struct webhook_call *call, struct md_err *err);
/* Go on until something is done, `wake_fd` is readable (-1: none), or for so long. */
int webhooks_wait(struct webhooks_client *c, int wake_fd, int timeout_ms, struct md_err *err);
/* The next that is done; false: none. */
bool webhooks_next(struct webhooks_client *c, struct webhook_result *ret);

/* The value of the signature field, appended. */
void webhook_sign(struct buf *out, const char *secret, const char *body, int64_t at_s);

#endif
