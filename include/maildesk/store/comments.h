/* comments.h - public replies and internal notes, and the history of a ticket. */
#ifndef MAILDESK_STORE_COMMENTS_H
#define MAILDESK_STORE_COMMENTS_H

#include <maildesk/store/db.h>

struct comment {
	int64_t id, ticket_id, author_id, message_id; /* 0: none */
	bool is_internal;
	const char *held; /* "unverified", "not_participant", NULL */
	const char *channel;
	const char *body, *body_full; /* body_full NULL when the same */
	int64_t created_at, edited_at, deleted_at;
	const char *author_name, *author_role; /* filled by get and list */
};
int comment_insert(struct db_conn *c, const struct comment *m, int64_t *ret_id, struct md_err *err);
int comment_get(struct db_conn *c, int64_t id, struct arena *a, struct comment *ret,
		struct md_err *err);
/* Oldest first, without deleted ones. */
int comment_list(struct db_conn *c, int64_t ticket, bool with_internal, int64_t offset,
		 int64_t limit, struct arena *a, struct comment **ret, size_t *ret_n,
		 int64_t *ret_total, struct md_err *err);
/* Writes is_internal, held, body, body_full, edited_at, deleted_at. */
int comment_save(struct db_conn *c, const struct comment *m, struct md_err *err);
/* Body of the ticket's first comment, public or not; "" without one, and when it was deleted. */
int comment_first_body(struct db_conn *c, int64_t ticket, struct arena *a, const char **ret,
		       struct md_err *err);

struct history {
	int64_t id, ticket_id, actor_id;
	const char *action, *old_value, *new_value, *source;
	int64_t trust, message_id; /* trust -1: none */
	bool is_public;
	int64_t at;
	const char *actor_name, *actor_role; /* filled by list */
};
int history_add(struct db_conn *c, const struct history *h, struct md_err *err);
int history_list(struct db_conn *c, int64_t ticket, bool public_only, int64_t offset, int64_t limit,
		 struct arena *a, struct history **ret, size_t *ret_n, int64_t *ret_total,
		 struct md_err *err);

#endif
