/* quarantine.h - mails kept away from tickets, and senders whose mails always are. */
#ifndef MAILDESK_STORE_QUARANTINE_H
#define MAILDESK_STORE_QUARANTINE_H

#include <maildesk/base/record.h>
#include <maildesk/store/db.h>

/* A mail that is in it stays as it is: what brought it there first is what a person decides on. */
int quarantine_add(struct db_conn *c, int64_t message, const char *cause, const char *detail,
		   int64_t now_ms, struct md_err *err);
/* The raw mail and its decision stay. */
int quarantine_remove(struct db_conn *c, int64_t id, struct md_err *err);
/* What is in it as spam of that ticket's comments. */
int quarantine_remove_ticket(struct db_conn *c, int64_t ticket, struct md_err *err);
struct quarantine_row {
	int64_t id, message_id;
	const char *cause, *detail;
	int64_t created_at;
	/* of the mail */
	int64_t mailbox_id, size, blob_id;
	const char *from_address, *subject, *mail_id;
};
int quarantine_get(struct db_conn *c, int64_t id, struct arena *a, struct quarantine_row *ret,
		   struct md_err *err);
/* Newest first. */
int quarantine_list(struct db_conn *c, int64_t before, int64_t offset, int64_t limit,
		    struct arena *a, struct quarantine_row **ret, size_t *ret_n, int64_t *ret_total,
		    struct md_err *err);

struct blocked_sender {
	int64_t id;
	const char *sender; /* folded: "ann@example.com", or "@example.com" for a whole domain */
	int64_t created_by, created_at;
};
/* No-op when it is blocked already; *ret_id is its row either way. */
int blocked_add(struct db_conn *c, const char *sender, int64_t by, int64_t now_ms, int64_t *ret_id,
		struct md_err *err);
/* MD_NOTFOUND. */
int blocked_remove(struct db_conn *c, int64_t id, struct md_err *err);
int blocked_list(struct db_conn *c, int64_t before, int64_t offset, int64_t limit, struct arena *a,
		 struct blocked_sender **ret, size_t *ret_n, int64_t *ret_total,
		 struct md_err *err);
/* *ret = the (folded) address or its domain is blocked. */
int blocked_is(struct db_conn *c, const char *address, bool *ret, struct md_err *err);
/* Those of a list of blocked_sender.sender that are blocked. */
int blocked_among(struct db_conn *c, const struct rec_strs *senders, struct arena *a,
		  struct rec_strs *ret, struct md_err *err);

#endif
