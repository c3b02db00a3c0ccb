/* audit.h - noting what admins did and what was refused (store/audit.h). */
#ifndef MAILDESK_APP_AUDIT_H
#define MAILDESK_APP_AUDIT_H

#include <maildesk/app/desk.h>
#include <maildesk/store/audit.h>

/* The key of the hashes, at the start. */
int audit_load_key(struct desk *d, struct md_err *err);
/* Another daemon may have replaced a lost one since; to be called now and then. */
int audit_look_key(struct desk *d, struct md_err *err);
/* The keyed hash of an address (folded) or a network, "" without one. MD_NOMEM. */
int audit_mac(struct desk *d, const char *text, char ret[AUDIT_MAC], struct md_err *err);
/* What the daemon itself did, in a transaction of its own; a failure is logged. */
void audit_note(struct desk *d, const char *action, const char *detail);
/* What the command line does, in the transaction that does it. */
int audit_cli_add(struct db_conn *c, const char *action, const char *about, int64_t about_id,
		  struct md_err *err);
/* `fn` in a transaction that notes it; *about_id (NULL: none) is looked at behind it. */
struct audit_deed {
	const char *action, *about;
	const int64_t *about_id;
};
int audit_cli_txn(struct db *db, const struct audit_deed *deed, db_txn_fn fn, void *ctx,
		  struct md_err *err);
/* Close the rows of minutes that are over. */
int audit_settle(struct desk *d, struct md_err *err);

#endif
