/* smtp.h - hand one mail for one recipient to a submission server, by libcurl.
 *
 * One struct smtp is one account with one kept connection; it is used by one thread and never
 * shared between accounts: libcurl 7.88 would reuse a connection made under other TLS settings. */
#ifndef MAILDESK_NET_SMTP_H
#define MAILDESK_NET_SMTP_H

#include <maildesk/base/err.h>
#include <maildesk/base/mem.h>

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct smtp_account {
	const char *host;
	int64_t port;
	const char *tls;             /* "tls", "starttls" (never without), "none" */
	const char *ca_file;         /* "" for the system's */
	const char *user, *password; /* "": no authentication */
	int64_t timeout_ms;          /* of silence, and for connecting; seen within a second */
	const atomic_bool *stop;     /* set: end what can be ended without a double; may be NULL */
};

enum smtp_outcome {
	SMTP_SENT,
	SMTP_TEMPORARY, /* 4xx, network: later */
	SMTP_PERMANENT, /* 5xx for this mail: never */
	SMTP_ACCOUNT,   /* credentials or certificate: nothing can be sent until somebody acts */
};
struct smtp_result {
	enum smtp_outcome outcome;
	bool answered;   /* it is what the server said of this mail, not of the way to it */
	bool no_login;   /* SMTP_ACCOUNT, because of the credentials */
	char reply[400]; /* the server's last words, or what went wrong */
};

struct smtp;
/* The account's strings are borrowed for the life of the session. */
int smtp_new(const struct smtp_account *account, struct smtp **ret, struct md_err *err);
void smtp_free(struct smtp *s);
MD_DEFINE_AUTO(struct smtp *, smtp_free)

/* From now on sign in by this access token (XOAUTH2) instead of a password. MD_NOMEM. */
int smtp_set_token(struct smtp *s, const char *token, struct md_err *err);

/* Send `bytes` (a whole mail with CRLF line ends) within most_ms, however lively the server is.
 * Addresses must pass mail_address_valid(). MD_INPUT for one that does not; otherwise MD_OK and the
 * outcome in *ret. After a time-out behind the data the server may have the mail: the caller sends
 * it again under the same Message-ID. */
int smtp_send(struct smtp *s, const char *sender, const char *recipient, const char *bytes,
	      size_t n, int64_t most_ms, struct smtp_result *ret, struct md_err *err);

#endif
