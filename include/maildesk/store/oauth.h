/* oauth.h - sign-ins at token servers, with tokens sealed (app/vault.h). All daemons of a desk use
 * the same rows: one renews a token (it holds a lease meanwhile), all have it. */
#ifndef MAILDESK_STORE_OAUTH_H
#define MAILDESK_STORE_OAUTH_H

#include <maildesk/base/record.h>
#include <maildesk/store/db.h>

struct oauth_grant {
	const char *section;              /* title of the oauth section */
	const char *login;                /* who signed in; "": the desk itself, by its secret */
	int64_t version;                  /* grows with every token; 0: there is no row */
	struct rec_bytes refresh, access; /* empty: none */
	int64_t renew_at, expires_at;     /* of access, by the database's clock */
	/* of the last try to renew; the database's clock */
	int64_t retry_at; /* not before */
	int64_t failures; /* in a row */
	int64_t refused;  /* enum oauth_no; 0: the server was not reached, or had its own trouble */
	const char *error;
};
/* MD_NOTFOUND. */
int oauth_grant_get(struct db_conn *c, const char *section, const char *login, struct arena *a,
		    struct oauth_grant *ret, struct md_err *err);
/* New tokens, in place of those of g->version; failures are forgotten. MD_CONFLICT when somebody
 * was quicker: the row has other ones. */
int oauth_grant_save(struct db_conn *c, const struct oauth_grant *g, struct md_err *err);
/* A person has signed in: whatever was there is replaced. */
int oauth_grant_replace(struct db_conn *c, const struct oauth_grant *g, struct md_err *err);
/* retry_at, failures, refused and error of a try to renew g->version; forgotten when that is not
 * the newest one any more. */
int oauth_grant_failed(struct db_conn *c, const struct oauth_grant *g, struct md_err *err);

#endif
