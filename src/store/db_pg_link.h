/* db_pg_link.h - a connection to PostgreSQL that never waits for ever; for db_postgres.c. */
#ifndef MAILDESK_STORE_DB_PG_LINK_H
#define MAILDESK_STORE_DB_PG_LINK_H

#include "db_driver.h"

#include <maildesk/base/buf.h>

#include <libpq-fe.h>

struct db_link {
	PGconn *pg;
	bool lost;         /* nothing can be said on it any more */
	int64_t answer_ms; /* the longest that a statement may take, and its answer */
	/* The row in `commits` of this session: a random name, and the number of its transaction.
	 */
	char session[33];
	int64_t n;
	bool has_commits;  /* false until the schema is there */
	char xid[24];      /* of the transaction, while it lasts */
	unsigned topics;   /* to be told with its commit */
	char state[6];     /* SQLSTATE of the last failure */
	unsigned prepared; /* statements so far, for their names */
	struct buf stale;  /* "DEALLOCATE s3;": to be said between transactions */
};

int pg_connect(const char *conninfo, int64_t wait_ms, struct db_link **ret, struct md_err *err);
void pg_disconnect(struct db_link *l);
bool pg_has_password(const char *conninfo);
MD_DEFINE_AUTO(struct db_link *, pg_disconnect)

static inline void pg_clear(PGresult **r)
{
	PQclear(*r);
	*r = NULL;
}

/* What was sent is answered; -1: `until_ms` of the monotonic clock for no limit. The result is the
 * last one, or the first that failed; MD_OK, or the failure by its SQLSTATE. `what` comes first in
 * its text. *ret may be NULL. */
int pg_finish(struct db_link *l, const char *what, int64_t until_ms, PGresult **ret,
	      struct md_err *err);
/* The same for one result; *ret is NULL after the last. */
int pg_next(struct db_link *l, const char *what, int64_t until_ms, PGresult **ret,
	    struct md_err *err);
/* SQL without parameters, from sending to the end. */
int pg_run(struct db_link *l, const char *sql, const char *what, int64_t until_ms, PGresult **ret,
	   struct md_err *err);
/* The connection is gone; what was asked on it may or may not have happened. */
bool pg_is_lost(const struct db_link *l);
/* Nothing could be sent. */
int pg_lost(struct db_link *l, const char *what, struct md_err *err);
/* When a statement that starts now has to be over. */
int64_t pg_deadline(const struct db_link *l);

#endif
