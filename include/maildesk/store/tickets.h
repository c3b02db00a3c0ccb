/* tickets.h - rows of tickets, their tags, participants and links. Decides nothing. */
#ifndef MAILDESK_STORE_TICKETS_H
#define MAILDESK_STORE_TICKETS_H

#include <maildesk/desk/searchquery.h>
#include <maildesk/store/db.h>

struct ticket {
	int64_t id;
	const char *title, *status;
	int64_t priority; /* 0 low, 1 medium, 2 high, 3 critical */
	const char *category;
	int64_t requester_id, created_by, assignee_id, team_id, organisation_id,
		mailbox_id; /* 0: none */
	const char *channel;
	int64_t created_at, updated_at, first_response_at, resolved_at, closed_at, due_at;
	int64_t snoozed_until, time_spent_ms;
	const char *fields; /* JSON object of texts; NULL: none */
	int64_t merged_into, deleted_at;
	int64_t epoch;     /* raised by ticket_raise_epoch() alone */
	const char *alias; /* address of the mailbox that the requester wrote to; NULL: its own */
	int64_t version;
};

int ticket_insert(struct db_conn *c, const struct ticket *t, int64_t *ret_id, struct md_err *err);
/* Deleted ones too: the caller decides. */
int ticket_get(struct db_conn *c, int64_t id, struct arena *a, struct ticket *ret,
	       struct md_err *err);
/* Writes every column but id, created_at, created_by, channel, if the row still has t->version;
 * the row's version goes up by one. MD_CONFLICT otherwise. */
int ticket_save(struct db_conn *c, const struct ticket *t, struct md_err *err);

/* All mail tokens of the ticket made so far are worth nothing. */
int ticket_raise_epoch(struct db_conn *c, int64_t id, struct md_err *err);
int ticket_set_alias(struct db_conn *c, int64_t id, const char *alias, struct md_err *err);

/* What a list row needs beside the ticket, in the same query. */
struct ticket_row {
	struct ticket t;
	const char *requester_name, *requester_email, *assignee_name, *assignee_email;
	const char *mailbox, *team_name, *organisation_name;
	int64_t sla_due_at; /* earliest due of its running clocks; 0: none */
	int64_t breached;   /* number of its breached clocks */
};
enum ticket_sort {
	TICKET_SORT_ID,
	TICKET_SORT_CREATED,
	TICKET_SORT_UPDATED,
	TICKET_SORT_PRIORITY,
	TICKET_SORT_STATUS,
	TICKET_SORT_DUE, /* the earlier of its own date and its resolution clock's; without last */
	TICKET_SORT_COUNT
};
/* Where a ticket stands in a sorted list; what `sort` does not need is not looked at. */
struct ticket_place {
	int64_t key; /* created_at, priority, due */
	const char *status;
	int64_t updated_at, id;
};
enum { TICKET_FILTER_MAX = 16, TICKET_FILTER_ANY_MAX = 50 };
/* Any of these; n = 0: whatever it is. At most TICKET_FILTER_ANY_MAX, which the caller checks. */
struct ticket_any_id {
	const int64_t *v; /* -1: none */
	size_t n;
};
struct ticket_any_name {
	const char *const *v;
	size_t n;
};
struct ticket_filter {
	/* lists are OR, everything else AND; n = 0 means any */
	const char *status[TICKET_FILTER_MAX];
	size_t n_status;
	int64_t priority[4];
	size_t n_priority;
	int64_t assignee_id, requester_id; /* 0: any, -1 (assignee): none */
	const char *tag, *category, *mailbox;
	const char *field; /* one of `fields` and its value, as JSON: "asset":"4711" */
	int64_t created_after, created_before, updated_after, updated_before; /* 0: any */
	int64_t breached_after; /* a target of it was missed since then; 0: any */
	/* Unresolved and beyond one of its service levels, as the dashboard counts them, or not. */
	bool breached, not_breached;
	int64_t overdue_at, not_overdue_at; /* is it overdue at that time, or not; 0: any */
	const struct search_query *words;   /* NULL, and without terms: any; of the newest
					       SEARCH_DEPTH matches (search.h) */
	bool words_internal;                /* internal notes are looked at too */
	int64_t visible_to;                 /* a customer who must take part; 0: sees all */
	int64_t shared_with;                /* or is of this organisation; 0: none is shared */
	int64_t team_id, organisation_id;   /* 0: any; -1 (team): none */
	struct ticket_any_id assignees, requesters, teams, organisations;
	struct ticket_any_name tags, categories, mailboxes;
	enum ticket_sort sort;
	bool descending;
	const struct ticket_place *behind; /* only what follows that place; NULL: all */
	int64_t offset, limit;
};
struct ticket_row;
/* The place of a row that ticket_list() gave, as it was then. */
int ticket_place_of(struct db_conn *c, const struct ticket_filter *f, const struct ticket_row *row,
		    struct ticket_place *ret, struct md_err *err);
/* Not deleted, not merged. `total` is exact up to 1,000 and 1,001 means more. */
int ticket_list(struct db_conn *c, const struct ticket_filter *f, struct arena *a,
		struct ticket_row **ret, size_t *ret_n, int64_t *ret_total, struct md_err *err);
int ticket_row_get(struct db_conn *c, int64_t id, struct arena *a, struct ticket_row *ret,
		   struct md_err *err);

struct tag {
	int64_t ticket_id; /* of ticket_tags_of() */
	const char *name, *color;
};
/* Tags of several tickets in one query, by ticket and name. */
int ticket_tags_of(struct db_conn *c, const int64_t *ids, size_t n, struct arena *a,
		   struct tag **ret, size_t *ret_n, struct md_err *err);
/* Make the tag if there is none of that name (colour "#808080"). No-op when already there/absent.
 */
int ticket_tag_add(struct db_conn *c, int64_t ticket, const char *name, struct md_err *err);
int ticket_tag_remove(struct db_conn *c, int64_t ticket, const char *name, struct md_err *err);

struct participant {
	int64_t user_id;
	const char *role; /* "requester", "cc", "watcher" */
	bool muted;
	int64_t since_at;
	const char *name, *email, *user_role, *locale, *timezone;
	bool disabled, undeliverable;
	bool pending;
	int64_t origin_id;  /* the merged ticket they came from; 0: none */
	int64_t epoch;      /* of the user */
	const char *digest; /* likewise */
};
/* Adds one who does not take part yet. */
int participant_add(struct db_conn *c, int64_t ticket, int64_t user, const char *role,
		    int64_t now_ms, struct md_err *err);
/* Adds, or changes the role of, a participant. */
int participant_put(struct db_conn *c, int64_t ticket, int64_t user, const char *role,
		    int64_t now_ms, struct md_err *err);
/* Names somebody whose joining waits for an agent. Who takes part already stays. They are no
 * participant to the functions below until participant_put(). */
int participant_propose(struct db_conn *c, int64_t ticket, int64_t user, int64_t now_ms,
			struct md_err *err);
int participant_remove(struct db_conn *c, int64_t ticket, int64_t user, struct md_err *err);
int participant_list(struct db_conn *c, int64_t ticket, struct arena *a, struct participant **ret,
		     size_t *ret_n, struct md_err *err);
/* With those who wait. */
int participant_list_all(struct db_conn *c, int64_t ticket, struct arena *a,
			 struct participant **ret, size_t *ret_n, struct md_err *err);
/* No-op for who takes no part. */
int participant_mute(struct db_conn *c, int64_t ticket, int64_t user, bool muted,
		     struct md_err *err);
/* *ret = does this user take part? */
/* What routing asks of a ticket, in one row: it is asked of each that a mail names. */
struct ticket_glance {
	int64_t id;
	const char *status;
	int64_t assignee_id, closed_at, merged_into, deleted_at, epoch;
	int64_t takes_part; /* the user: 1, else 0 */
};
int ticket_look(struct db_conn *c, int64_t id, int64_t user, struct arena *a,
		struct ticket_glance *ret, struct md_err *err);
int participant_is(struct db_conn *c, int64_t ticket, int64_t user, bool *ret, struct md_err *err);

int ticket_link_add(struct db_conn *c, int64_t ticket, const char *type, int64_t other,
		    struct md_err *err);
/* MD_NOTFOUND: there was none. */
int ticket_link_remove(struct db_conn *c, int64_t ticket, const char *type, int64_t other,
		       struct md_err *err);
struct ticket_link {
	int64_t ticket_id; /* the one that `type` is said of: it blocks, duplicates, is the parent
			    */
	const char *type;
	int64_t other_id;
	const char *title, *status; /* of the one at the other end than asked for */
};
/* From and to that ticket, without ends that were deleted. */
int ticket_link_list(struct db_conn *c, int64_t ticket, struct arena *a, struct ticket_link **ret,
		     size_t *ret_n, struct md_err *err);

/* ---- merging (merges.c) ---- */

/* Comments, mails and participants of `from` go to `into`, each remembering where it came from. The
 * requester arrives as "cc"; who takes part there already stays as they are. */
int ticket_contents_merge(struct db_conn *c, int64_t from, int64_t into, int64_t now_ms,
			  struct md_err *err);
/* What came to `into`, or from there further on, with `ticket` or with one of those merged into it
 * goes back to `ticket`; its row is the caller's to change. */
int ticket_contents_unmerge(struct db_conn *c, int64_t ticket, int64_t into, int64_t now_ms,
			    struct arena *a, struct md_err *err);
/* The tickets merged into this one, at first hand. */
int ticket_merged_list(struct db_conn *c, int64_t ticket, struct arena *a, int64_t **ret,
		       size_t *ret_n, struct md_err *err);
/* The comment, its mail and that mail's thread id become those of another ticket. */
int ticket_comment_move(struct db_conn *c, int64_t comment, int64_t to, struct md_err *err);

#endif
