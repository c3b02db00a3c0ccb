/* comments.h - public replies and internal notes, and the history of a ticket. */
#ifndef MAILDESK_STORE_COMMENTS_H
#define MAILDESK_STORE_COMMENTS_H

#include <maildesk/store/db.h>

struct comment {
	int64_t id, ticket_id, author_id, message_id; /* 0: none */
	int64_t origin_id;                            /* the merged ticket it came from */
	bool is_internal;
	const char *held; /* "unverified", "not_participant", NULL */
	const char *channel;
	const char *body, *body_full; /* body_full NULL when the same */
	const char *body_html;        /* safe HTML of a mail; NULL: it had none */
	int64_t created_at, edited_at, deleted_at;
	const char *author_name, *author_role; /* filled by get and list */
};
int comment_insert(struct db_conn *c, const struct comment *m, int64_t *ret_id, struct md_err *err);
int comment_get(struct db_conn *c, int64_t id, struct arena *a, struct comment *ret,
		struct md_err *err);
/* Oldest first, without deleted ones. */
int comment_list(struct db_conn *c, int64_t ticket, bool with_internal, int64_t after,
		 int64_t offset, int64_t limit, struct arena *a, struct comment **ret,
		 size_t *ret_n, int64_t *ret_total, struct md_err *err);
/* What an author wrote, newest first, without deleted ones and those of deleted tickets. */
struct comment_reader {
	bool with_internal;
	int64_t visible_to;  /* a customer who must take part; 0: sees all tickets */
	int64_t shared_with; /* or the ticket is of this organisation; 0: none is shared */
};
int comment_list_by(struct db_conn *c, int64_t author, const struct comment_reader *reader,
		    int64_t before, int64_t offset, int64_t limit, struct arena *a,
		    struct comment **ret, size_t *ret_n, int64_t *ret_total, struct md_err *err);
/* Writes is_internal, held, body, body_full, body_html, edited_at, deleted_at. */
int comment_save(struct db_conn *c, const struct comment *m, struct md_err *err);
/* Those of an author that are held, oldest first. */
int comment_held_by(struct db_conn *c, int64_t ticket, int64_t author, struct arena *a,
		    struct comment **ret, size_t *ret_n, struct md_err *err);
/* The comment the ticket began with: not one that came with a merge. 0: there is none. */
int comment_first(struct db_conn *c, int64_t ticket, int64_t *ret_id, struct md_err *err);
/* Body of the ticket's first comment, public or not; "" without one, and when it was deleted. */
int comment_first_body(struct db_conn *c, int64_t ticket, struct arena *a, const char **ret,
		       struct md_err *err);

struct history {
	int64_t id, ticket_id, actor_id;
	const char *action, *old_value, *new_value, *source;
	int64_t old_number, new_number; /* what is behind the texts, by action; 0: nothing */
	int64_t version;                /* of the ticket before the step; 0: of no step */
	int64_t trust, message_id;      /* trust -1: none */
	bool is_public;
	int64_t at;
	const char *actor_name, *actor_role; /* filled by list */
};
int history_add(struct db_conn *c, const struct history *h, struct md_err *err);
/* Those of one actor since then, newest first, of steps only. */
int history_of_actor(struct db_conn *c, int64_t ticket, int64_t actor, int64_t since_ms,
		     struct arena *a, struct history **ret, size_t *ret_n, struct md_err *err);
int history_list(struct db_conn *c, int64_t ticket, bool public_only, int64_t after, int64_t offset,
		 int64_t limit, struct arena *a, struct history **ret, size_t *ret_n,
		 int64_t *ret_total, struct md_err *err);

#endif
