/* intake.h - one mail's effect on the desk, exactly once.
 *
 * intake_take() runs inside the caller's write transaction (mailboxes.h groups them, `maildesk
 * ingest` takes one): it decides what the mail is, whose, for which ticket and how much it may do,
 * and writes message, decision, ticket or comment, history, clocks, timers and outbox rows
 * together. The cursor of the mailbox is the caller's. Nothing is parsed here: the fields come from
 * the `read` role. */
#ifndef MAILDESK_APP_INTAKE_H
#define MAILDESK_APP_INTAKE_H

#include <maildesk/app/desk.h>
#include <maildesk/mail/message.h>
#include <maildesk/store/blobs.h>
#include <maildesk/store/users.h>

/* What was asked once for all mails of a group: of the address in From. */
struct intake_known {
	const char *sender;      /* folded; NULL: nothing was asked */
	const struct user *user; /* whose it is; NULL: nobody's, or who knows */
	bool welcome;            /* surely not blocked */
};

struct intake_mail {
	int64_t mailbox;          /* row */
	int64_t uidvalidity, uid; /* uid 0: it came by `ingest` */
	int64_t size;             /* as the server said */
	bool too_large;           /* only the header was fetched */
	bool import;              /* older than the desk: causes no mail */
	int64_t released;         /* row of this mail, when it comes out of quarantine; else 0 */
	bool fresh;               /* surely no other of its Message-ID is stored */
	const struct message *message; /* NULL: it could not be read, see cause */
	const char *detail;            /* for people, beside cause; may be NULL */
	const char *cause;             /* "parser_crashed", "parser_timed_out": quarantine cause */
	const struct blob *blob;       /* the raw mail */
	const struct intake_known *known; /* or NULL */
	bool hopeful; /* all of a group: a failure is the whole transaction's, see below */
};

struct intake_result {
	const char
		*outcome;  /* "ticket_created", "comment_added", ...: mail-in.md, "The decision" */
	const char *cause; /* of a quarantine */
	int64_t message, ticket, comment;
	bool plain; /* it changed nothing that an intake_known is about */
};

/* A mail that cannot be taken for a reason of its own is quarantined as "database_rejected". The
 * arena is reset; results live in it. Expected codes: MD_AGAIN (the transaction runs again),
 * MD_NOMEM, MD_BROKEN: nothing was written, the mail waits.
 *
 * To be undone alone a mail is a part of its transaction, and SQLite copies each page that is
 * touched in a part: for nothing, where all goes well. A `hopeful` mail is none; when it fails the
 * caller rolls back, and where intake_is_its_own() takes all of them again without hope. */
int intake_take(struct desk *d, struct db_conn *c, struct arena *a, const struct intake_mail *mail,
		struct intake_result *ret, struct md_err *err);
/* Is a failure the mail's own, and no trouble of the database's? */
bool intake_is_its_own(int rc);

#endif
