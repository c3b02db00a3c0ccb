/* mailboxes.h - how far each mailbox has been taken in (mail-in.md, "Fetching").
 *
 * A mail's row in mailbox_uids lives from the first attempt to the mark on the server; the cursor
 * (uidvalidity, last_uid) moves in the transaction that stored the mail. */
#ifndef MAILDESK_STORE_MAILBOXES_H
#define MAILDESK_STORE_MAILBOXES_H

#include <maildesk/store/db.h>

struct mailbox_row {
	int64_t id;
	const char *name;
	int64_t uidvalidity, last_uid; /* uidvalidity 0: never selected */
	int64_t import_below;          /* mails of lower uids were there before the desk */
};
/* Makes the row if there is none. */
int mailbox_ensure(struct db_conn *c, const char *name, int64_t *ret_id, struct md_err *err);
int mailbox_get(struct db_conn *c, int64_t id, struct arena *a, struct mailbox_row *ret,
		struct md_err *err);
/* Start over with a new UIDVALIDITY: cursor set, rows of the old one dropped. */
int mailbox_reset(struct db_conn *c, int64_t id, int64_t uidvalidity, int64_t last_uid,
		  int64_t import_below, struct md_err *err);
/* Cursor forward (never back). */
int mailbox_advance(struct db_conn *c, int64_t id, int64_t uidvalidity, int64_t uid,
		    struct md_err *err);

/* What admins want: told to the daemons as a change of leases. */
struct mailbox_order {
	int64_t mailbox;
	bool paused;
	int64_t polled_at; /* 0: never */
};
int mailbox_orders(struct db_conn *c, struct arena *a, struct mailbox_order **ret, size_t *ret_n,
		   struct md_err *err);
int mailbox_pause(struct db_conn *c, int64_t id, bool paused, struct md_err *err);
/* Look now. MD_CONFLICT: it is paused. */
int mailbox_poll(struct db_conn *c, int64_t id, int64_t now_ms, struct md_err *err);

/* Count an attempt; *ret_attempts is the number with this one, *ret_done whether it is stored
 * already. */
int uid_attempt(struct db_conn *c, int64_t mailbox, int64_t uidvalidity, int64_t uid,
		int64_t *ret_attempts, bool *ret_done, struct md_err *err);
/* Those of these uids (at most 500) that were tried, or are stored already, in no order. */
struct uid_row {
	int64_t uid, attempts;
	bool done;
};
int uid_tried(struct db_conn *c, int64_t mailbox, int64_t uidvalidity, const int64_t *uids,
	      size_t n, struct arena *a, struct uid_row **ret, size_t *ret_n, struct md_err *err);
/* Count the attempt of one that uid_tried(), in this transaction, does not know. */
int uid_first_attempt(struct db_conn *c, int64_t mailbox, int64_t uidvalidity, int64_t uid,
		      struct md_err *err);
/* Attempts were spent on somebody else's crash: put them back to `attempts`. */
int uid_set_attempts(struct db_conn *c, int64_t mailbox, int64_t uidvalidity, int64_t uid,
		     int64_t attempts, struct md_err *err);
int uid_done(struct db_conn *c, int64_t mailbox, int64_t uidvalidity, int64_t uid,
	     struct md_err *err);
/* The server has these marks: the rows are no longer needed. */
int uid_marked(struct db_conn *c, int64_t mailbox, int64_t uidvalidity, const int64_t *uids,
	       size_t n, struct arena *a, struct md_err *err);
/* Marks owed, by uid, at most `limit`. */
int uid_unmarked(struct db_conn *c, int64_t mailbox, int64_t uidvalidity, size_t limit,
		 struct arena *a, int64_t **ret_uids, size_t *ret_n, struct md_err *err);

#endif
