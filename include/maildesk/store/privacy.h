/* privacy.h - what is known of a person, and how it is forgotten.
 *
 * Erasing leaves the shape of what happened: tickets, comments and history stay rows, without what
 * the person wrote, sent or was called. Bytes of mails and files are gone with the next look for
 * unused content (blobs.h). */
#ifndef MAILDESK_STORE_PRIVACY_H
#define MAILDESK_STORE_PRIVACY_H

#include <maildesk/base/record.h>
#include <maildesk/store/db.h>

/* Erase a person: name "Erased user N", an address that is none, no password, no session. Their
 * former addresses are strangers' from now on. MD_NOTFOUND. */
int person_erase(struct db_conn *c, int64_t user, int64_t now_ms, struct arena *a,
		 struct md_err *err);
/* All that is one person's becomes another's, addresses too; the first is an empty, disabled user.
 * MD_NOTFOUND. */
int person_merge(struct db_conn *c, int64_t from, int64_t into, int64_t now_ms, struct md_err *err);

/* One more address of theirs. MD_CONFLICT: it is somebody's. */
int person_address_add(struct db_conn *c, int64_t user, const char *address, struct md_err *err);
/* The address they are known by, in place of the one before. MD_CONFLICT: it is somebody else's. */
int person_email_set(struct db_conn *c, int64_t user, const char *address, struct md_err *err);
/* MD_NOTFOUND: none of theirs; MD_CONFLICT: it is the one they are known by. */
int person_address_remove(struct db_conn *c, int64_t user, const char *address, struct md_err *err);

/* ---- what is theirs, for an export: ids after `after`, in order, at most `limit` ---- */
int person_tickets(struct db_conn *c, int64_t user, int64_t after, size_t limit, struct arena *a,
		   int64_t **ret, size_t *ret_n, struct md_err *err);
int person_comments(struct db_conn *c, int64_t user, int64_t after, size_t limit, struct arena *a,
		    int64_t **ret, size_t *ret_n, struct md_err *err);
int person_messages(struct db_conn *c, int64_t user, int64_t after, size_t limit, struct arena *a,
		    int64_t **ret, size_t *ret_n, struct md_err *err);

/* ---- what has been kept long enough: the next of them, at most `limit` ---- */
int purge_deleted_tickets(struct db_conn *c, int64_t deleted_before, size_t limit, struct arena *a,
			  int64_t **ret, size_t *ret_n, struct md_err *err);
/* In that status since before then (while not resolved: and nothing was written since), and not
 * anonymised yet. */
int purge_aged_tickets(struct db_conn *c, const char *status, int64_t before, size_t limit,
		       struct arena *a, int64_t **ret, size_t *ret_n, struct md_err *err);
/* Is that ticket one of them still? */
int purge_is_aged(struct db_conn *c, int64_t ticket, const char *status, int64_t before, bool *ret,
		  struct md_err *err);
/* The ticket and all that is on it. Its mails stay known, so that none is taken in again. */
int ticket_purge(struct db_conn *c, int64_t ticket, int64_t now_ms, struct md_err *err);
/* What was written on it, and who asked, is forgotten; status, times and figures stay. */
int ticket_anonymise(struct db_conn *c, int64_t ticket, int64_t now_ms, struct md_err *err);
/* The bytes of mails that became nothing (discarded), taken in before then. */
int purge_discarded(struct db_conn *c, int64_t before_ms, int64_t *ret_n, struct md_err *err);
int purge_discarded_count(struct db_conn *c, int64_t before_ms, int64_t *ret_n, struct md_err *err);

#endif
