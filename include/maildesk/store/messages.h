/* messages.h - mails in and out, their attachments, thread ids, decisions. */
#ifndef MAILDESK_STORE_MESSAGES_H
#define MAILDESK_STORE_MESSAGES_H

#include <maildesk/mail/message.h>
#include <maildesk/store/db.h>

/* The kind of mails that hold a one-time link: their bytes are for their reader alone. */
#define ACCOUNT_MESSAGE_KIND "account"

struct message_row {
	int64_t id;
	const char *direction; /* "in", "out" */
	int64_t mailbox_id, ticket_id;
	const char *message_id, *identity, *subject, *from_address, *from_name, *kind;
	int64_t trust, size, date_at, blob_id, created_at;
	int64_t comment_id; /* of an outgoing one */
	const char *head;   /* members of a JSON object: in_reply_to, references, to, cc; or NULL */
};
/* MD_CONFLICT: it is stored already. */
int message_insert(struct db_conn *c, const struct message_row *m, int64_t *ret_id,
		   struct md_err *err);
/* In two steps, where something refers to the row before it can be complete. */
int message_new_id(struct db_conn *c, int64_t *ret, struct md_err *err);
int message_insert_as(struct db_conn *c, const struct message_row *m, int64_t id,
		      struct md_err *err);
int message_get(struct db_conn *c, int64_t id, struct arena *a, struct message_row *ret,
		struct md_err *err);
/* An incoming one of the same identity and Message-ID. MD_NOTFOUND. */
int message_find(struct db_conn *c, const char *identity, const char *message_id, struct arena *a,
		 struct message_row *ret, struct md_err *err);
/* Those of these Message-IDs that any mail has, in no order; one query. */
int message_known(struct db_conn *c, const struct rec_strs *ids, struct arena *a,
		  struct rec_strs *ret, struct md_err *err);
/* The newest incoming one of that Message-ID. MD_NOTFOUND. */
int message_received(struct db_conn *c, const char *message_id, struct arena *a,
		     struct message_row *ret, struct md_err *err);
/* The first incoming one behind that row. MD_NOTFOUND. */
int message_next_in(struct db_conn *c, int64_t after, struct arena *a, struct message_row *ret,
		    struct md_err *err);
/* Mails taken in from that (folded) address since then. */
int message_count_from(struct db_conn *c, const char *address, int64_t since_ms, int64_t *ret,
		       struct md_err *err);
/* A mail as it is shown. */
struct message_view {
	struct message_row m;
	int64_t comment_id;             /* what it became, or tells of */
	const char *mailbox;            /* NULL: none, or one that is gone */
	const char *state, *last_reply; /* of an outgoing one that is still known to the outbox */
	const char *recipient;          /* likewise */
	int64_t recipient_id;           /* likewise: the user */
};
struct message_filter { /* 0, NULL: any; lists are OR */
	struct rec_ints ticket;
	struct rec_strs message_id, mailbox, direction, kind, outcome;
	/* Of the mails on a ticket those that a customer may know of: what became a public comment,
	 * and what was sent to them. */
	int64_t public_to;
	int64_t behind; /* only what follows this row of the list; 0: all */
	int64_t offset, limit;
};
/* The newest first; `total` as in tickets.h. */
int message_list(struct db_conn *c, const struct message_filter *f, struct arena *a,
		 struct message_view **ret, size_t *ret_n, int64_t *ret_total, struct md_err *err);
int message_view_get(struct db_conn *c, int64_t id, struct arena *a, struct message_view *ret,
		     struct md_err *err);
/* Where it came to, and what it was trusted with there: less, once it was held back. */
int message_set_ticket(struct db_conn *c, int64_t message, int64_t ticket, int64_t trust,
		       struct md_err *err);

/* Message-IDs of the mails on a ticket that this address sent, was sent or had a copy of before the
 * message row `before`, oldest first, the newest `limit` of them: what its mail client can thread
 * by. */
int message_thread(struct db_conn *c, int64_t ticket, const char *address, int64_t before,
		   size_t limit, struct arena *a, struct rec_strs *ret, struct md_err *err);

int attachment_insert(struct db_conn *c, int64_t message, int64_t comment,
		      const struct attachment *at, struct md_err *err);
struct attachment_row {
	int64_t id, message_id, comment_id;
	const char *filename, *content_type;
	int64_t size;
	const char *sha256, *content_id;
	bool is_inline;
	int64_t raw_offset, raw_length;
	const char *encoding;
	int64_t blob_id;     /* the raw mail it lies in, or an upload; 0: that is gone */
	int64_t uploader_id; /* 0: it came by mail */
};
/* Those of one comment belong to another from now on. */
int attachment_move(struct db_conn *c, int64_t from_comment, int64_t to_comment,
		    struct md_err *err);
int attachment_get(struct db_conn *c, int64_t id, struct arena *a, struct attachment_row *ret,
		   struct md_err *err);
/* Of one comment, in the order they stand in its mail. */
int attachment_of_comment(struct db_conn *c, int64_t comment, struct arena *a,
			  struct attachment_row **ret, size_t *ret_n, struct md_err *err);
/* Append its bytes, out of those of its raw mail. MD_BROKEN when it cannot lie there. */
int attachment_bytes(const struct attachment_row *row, const uint8_t *raw, size_t n,
		     struct buf *out, struct md_err *err);
/* ---- uploads (uploads.c): files that came without a mail ---- */
struct upload {
	const char *filename, *content_type, *sha256;
	int64_t size, blob_id, uploader_id, at;
};
int upload_add(struct db_conn *c, const struct upload *u, int64_t *ret_id, struct md_err *err);
/* Bytes of what they uploaded and did not attach to anything yet. */
int upload_waiting(struct db_conn *c, int64_t uploader, int64_t *ret_bytes, struct md_err *err);
/* It belongs to the comment. MD_NOTFOUND: it is no upload of theirs that waits for one. */
int upload_attach(struct db_conn *c, int64_t id, int64_t uploader, int64_t comment,
		  struct md_err *err);
int upload_expired(struct db_conn *c, int64_t before_ms, int64_t *ret_n, struct md_err *err);
/* Removes those that have waited since before then. */
int upload_purge(struct db_conn *c, int64_t before_ms, int64_t *ret_removed, struct md_err *err);

/* Of all comments of a ticket, by comment and id: one query for a page. */
int attachment_list(struct db_conn *c, int64_t ticket, struct arena *a, struct attachment_row **ret,
		    size_t *ret_n, struct md_err *err);

/* Of several mails, or comments (at most 100), by mail or comment, and id. */
int attachment_list_of(struct db_conn *c, const int64_t *messages, size_t n, struct arena *a,
		       struct attachment_row **ret, size_t *ret_n, struct md_err *err);
int attachment_list_of_comments(struct db_conn *c, const int64_t *comments, size_t n,
				struct arena *a, struct attachment_row **ret, size_t *ret_n,
				struct md_err *err);

/* Which tickets these ids belong to, in the order of `ids`, unknown ones left out; one query. */
struct thread_hit {
	const char *message_id;
	int64_t ticket_id;
};
int thread_find(struct db_conn *c, const struct rec_strs *ids, struct arena *a,
		struct thread_hit **ret, size_t *ret_n, struct md_err *err);
/* The first ticket to claim an id keeps it. */
int thread_add(struct db_conn *c, const char *message_id, int64_t ticket, struct md_err *err);

struct decision {
	int64_t message_id;
	const char *outcome, *cause; /* mail-in.md, "The decision" */
	int64_t ticket_id, comment_id;
	const char *auth;                   /* "pass", "fail", "none" */
	const char *rules, *commands, *sla; /* JSON arrays; sla NULL: [] */
	int64_t at;
};
int decision_put(struct db_conn *c, const struct decision *d, struct md_err *err);
int decision_get(struct db_conn *c, int64_t message, struct arena *a, struct decision *ret,
		 struct md_err *err);

#endif
