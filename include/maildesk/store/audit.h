/* audit.h - what admins did, and what was refused: rows that are only ever added.
 *
 * Each daemon has a chain of its own (and the command line one, AUDIT_CLI): a row's hash is made of
 * the row and of the hash before it, so a row that is changed, taken out or put in later shows.
 * Rows hold ids and keyed hashes, no names and no addresses, so nobody has to be forgotten in them.
 *
 * What strangers can cause by the thousand is counted: one row for each account, network and
 * minute. Such a row is open while its minute lasts, and gets its place in the chain after that. */
#ifndef MAILDESK_STORE_AUDIT_H
#define MAILDESK_STORE_AUDIT_H

#include <maildesk/base/record.h>
#include <maildesk/store/db.h>

#define AUDIT_CLI "cli"
enum { AUDIT_HASH = 65, AUDIT_MAC = 33 }; /* texts, with their NUL */

struct audit_row {
	int64_t id;
	const char *daemon;
	int64_t seq;        /* in its chain, from 1; 0: still open */
	int64_t at, actor;  /* user; 0: nobody, or the command line */
	const char *source; /* "api", "console", "cli", "daemon" */
	const char *action; /* "user.change", "sign_in.refused" */
	const char *about;  /* kind of the object: "user"; NULL: none */
	int64_t about_id;
	const char *detail;            /* names of fields, a role; NULL: none */
	const char *account, *network; /* keyed hashes of an address, of a network; NULL: none */
	int64_t minute, count;         /* minute 0: not counted */
	const char *hash;              /* hex; NULL: open */
	const char *actor_name, *actor_role; /* of audit_list(), as they are now */
};

/* At the end of that daemon's chain, in the transaction that does it. */
int audit_add(struct db_conn *c, const struct audit_row *row, struct md_err *err);
/* One more of its minute. */
int audit_count(struct db_conn *c, const struct audit_row *row, struct md_err *err);
/* The open rows of minutes before that one get their places. */
int audit_seal(struct db_conn *c, const char *daemon, int64_t minute, struct md_err *err);

struct audit_filter { /* 0, NULL: any */
	struct rec_ints actor, about_id;
	int64_t after_ms, before_ms;
	struct rec_strs action, about, account;
	int64_t behind; /* id; only older ones */
	int64_t offset, limit;
};
/* Newest first. */
int audit_list(struct db_conn *c, const struct audit_filter *f, struct arena *a,
	       struct audit_row **ret, size_t *ret_n, int64_t *ret_total, struct md_err *err);

struct audit_chain { /* what audit_verify() found */
	const char *daemon;
	int64_t rows, open;
	char hash[AUDIT_HASH];         /* of the last row */
	int64_t broken_seq, broken_id; /* the first row that is not what it was; 0: none */
	const char *why;
};
/* All chains, by name; texts in `a`. */
int audit_verify(struct db *db, struct arena *a, struct audit_chain **ret, size_t *ret_n,
		 struct md_err *err);

#endif
