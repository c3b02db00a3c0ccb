/* frames.h - what desk, fetch and read say to each other: one record per frame type.
 *
 * fetch has no memory. At each SELECT it tells the desk what it found (SELECTED) and is told where
 * to go on (CURSOR); it hands over mails (MAIL) with at most FETCH_WINDOW of a mailbox unanswered,
 * marks them on the server only after STORED, and reports that (MARKED). */
#ifndef MAILDESK_APP_FRAMES_H
#define MAILDESK_APP_FRAMES_H

#include <maildesk/base/record.h>
#include <maildesk/mail/message.h>

enum { FETCH_WINDOW = 200, FRAME_INLINE_MAX = 64 << 10 };

enum frame_type {
	/* desk -> fetch */
	/* watch this mailbox (again, with new settings; one whose access token alone is new
	 * stays connected); with its ca_file, open for reading, as
	 * descriptor, for the jail has no way to it */
	FRAME_MAILBOX = 1,
	FRAME_CURSOR,
	FRAME_STORED,
	FRAME_POLL, /* look now (admin's "poll"); struct frame_uids without uids */
	FRAME_DROP, /* watch it no more: it is another daemon's; likewise */
	/* fetch -> desk */
	FRAME_SELECTED,
	FRAME_MAIL, /* raw inline, or as descriptor of an unlinked spool file */
	FRAME_MARKED,
	FRAME_STATE,
	/* desk -> read, read -> desk */
	FRAME_READ,
	FRAME_FIELDS,
};

struct frame_mailbox {
	int64_t id; /* of the mailboxes row; names the mailbox in all frames */
	const char *name, *host, *user, *secret, *folder;
	int64_t port;
	const char *tls;     /* "tls", "starttls", "none" */
	const char *ca_file; /* "" for the system's */
	const char *auth;    /* "password" or "xoauth2" (secret is the access token then) */
	const char *after;   /* "seen", "delete", "move:FOLDER" */
	const char *since;   /* "2026-01-31": what an import begins with; NULL or "": the first */
	bool idle;
	int64_t poll_interval_ms, timeout_ms, max_message_bytes;
};
struct frame_uid {
	int64_t uid;
};
struct frame_uids { /* CURSOR (marks still owed), STORED, MARKED, POLL, DROP */
	int64_t mailbox, uidvalidity;
	int64_t last_uid;     /* CURSOR: go on after this one */
	struct rec_list uids; /* struct frame_uid */
};
struct frame_selected {
	int64_t mailbox, uidvalidity, uidnext, exists;
	int64_t first; /* uid that an import begins with */
};
struct frame_mail {
	int64_t mailbox, uidvalidity, uid;
	int64_t size;            /* RFC822.SIZE */
	int64_t internaldate_ms; /* 0 when unknown */
	bool too_large;          /* raw is the header only */
	struct rec_bytes raw;    /* empty when a descriptor comes along */
};
struct frame_state {
	int64_t mailbox;
	const char *state; /* "connecting", "ok", "backoff", "auth_failed" */
	const char *error; /* NULL when ok; with "ok": mail comes in, but cannot be marked */
	int64_t retry_ms;  /* until the next try; 0 when ok */
};
struct frame_read {
	int64_t seq;
	struct rec_strs fields; /* header fields to bring along: message.fields */
	struct rec_bytes raw;   /* empty when a descriptor comes along */
};
struct frame_fields {
	int64_t seq;
	struct message message;
};

extern const struct rec frame_mailbox_rec, frame_uids_rec, frame_selected_rec, frame_mail_rec,
	frame_state_rec, frame_read_rec, frame_fields_rec;

#endif
