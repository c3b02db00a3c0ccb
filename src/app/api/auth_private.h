/* auth_private.h - what the routes of signing in share. */
#ifndef MAILDESK_APP_API_AUTH_PRIVATE_H
#define MAILDESK_APP_API_AUTH_PRIVATE_H

#include "api_private.h"

#include <maildesk/app/account.h>
#include <maildesk/base/codec.h>
#include <maildesk/desk/password.h>
#include <maildesk/store/account_links.h>
#include <maildesk/store/sessions.h>

enum { AUTH_REFRESH_TEXT = 44, AUTH_FAMILY_MAX = 24 };

/* Why nobody was signed in: err->native beside MD_REFUSED. */
enum auth_refusal {
	AUTH_BAD = 100,    /* 401 */
	AUTH_OTP_REQUIRED, /* 401 otp_required */
	AUTH_TOO_OFTEN,    /* 429 */
};

struct grant { /* a session begun or continued */
	struct api *api;
	struct http_request *q;
	const char *used; /* hash of the refresh or one-time token that was shown; else NULL */
	struct user user;
	const char *user_agent; /* of the sign-in */
	char family[AUTH_FAMILY_MAX];
	char refresh[AUTH_REFRESH_TEXT];
	bool reused, cookie; /* cookie: the refresh token goes into one */
};

/* auth_otp.c: in a transaction, the second factor of that user, if they have one: MD_REFUSED (enum
 * auth_refusal) unless the body's `otp` is good, which is spent then. */
int auth_demand_otp(struct db_conn *c, struct api *api, struct http_request *q, int64_t user,
		    struct md_err *err);

/* auth_grant.c */
void auth_hash(const char *token, char ret[SHA256_HEX]);
/* Before the transaction: a random refresh token; with `begin`, of a new session. */
int grant_prepare(struct grant *g, bool begin, struct md_err *err);
/* In the transaction: the row of g->refresh. */
int grant_add(struct db_conn *c, const struct grant *g, struct md_err *err);
/* After it: the answer. */
int grant_show(const struct grant *g, struct http_response *r, struct md_err *err);

/* auth_cookie.c */
void auth_cookie_set(struct http_request *q, struct http_response *r, const char *token,
		     int64_t seconds);
/* NULL: there is none. */
const char *auth_cookie_get(const struct http_request *q);
/* Was it sent by a page of ours? */
bool auth_own_origin(const struct api *api, const struct http_request *q);

/* api_keys.c */
bool auth_is_key(const char *token);
/* Fills the key's members of `caller`. MD_REFUSED. */
int auth_by_key(struct api *api, struct http_request *q, const char *token, struct user *ret,
		struct api_caller *caller, struct md_err *err);

/* auth.c */
/* Take one try from the account and the network of the caller; false: the answer is 429. */
bool auth_may_try(struct api *api, struct http_request *q, struct http_response *r,
		  const char *account);
/* As long for a stranger (NULL) as for somebody we know. */
bool auth_verify(struct api *api, const char *hash, const char *password);
/* Of a new one; MD_INPUT, then the answer is written. */
int auth_hash_password(struct api *api, struct http_request *q, struct http_response *r,
		       char ret[PASSWORD_HASH_MAX], struct md_err *err);
int auth_unauthorized(struct http_request *q, struct http_response *r, const char *why);
int auth_refuse(struct md_err *err, enum auth_refusal why, const char *text);
/* What a transaction of signing in failed with, as an answer. */
int auth_refused(struct http_request *q, struct http_response *r, int rc, struct md_err *err);
/* 422 */
int auth_bad_field(struct http_request *q, struct http_response *r, const char *field,
		   const char *why);

#endif
