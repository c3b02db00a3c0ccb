/* api_private.h - what the resources of the API share.
 *
 * A handler reads the request (checked by its row in routes.c), calls the desk and writes JSON.
 * Everything that changes a ticket goes through app/work.h in one write transaction; what is shown
 * after it is read afresh. Who may what is policy's to say. */
#ifndef MAILDESK_APP_API_PRIVATE_H
#define MAILDESK_APP_API_PRIVATE_H

#include <maildesk/app/account.h>
#include <maildesk/app/api.h>
#include <maildesk/app/work.h>
#include <maildesk/net/limit.h>
#include <maildesk/store/messages.h>

#include <semaphore.h>

enum { API_PER_PAGE = 10, API_PER_PAGE_MAX = 100, API_CURSOR_MAX = 600 };

enum { API_WORKERS_MIN = 2, API_WORKERS_MAX = 16, API_THREADS_MAX = HTTP_THREADS(API_WORKERS_MAX) };

struct api {
	struct desk *desk;
	struct desk_worker workers[API_THREADS_MAX];
	struct http_server *server;
	struct limiter *sign_ins;
	struct account_queue *account_mails;
	struct retries *retries;
	struct events *events;
	sem_t verifying; /* passwords: 19 MiB each while they are verified */
	struct buf document;
	struct calendar zone; /* of the desk: where its days begin */
	/* dashboard.c */
	struct buf figures;
	int64_t figures_at;
	struct buf gauges; /* metrics.c; under the same lock */
	int64_t gauges_at;
	pthread_mutex_t figures_lock;
};

/* Who calls: q->caller of a signed-in request. */
struct api_caller {
	struct work_by by;
	int64_t session;
	int64_t key; /* the API key that was shown; 0: a person's own token */
	unsigned scopes;
	bool in_console;
};
static inline const struct work_by *api_by(const struct http_request *q)
{
	return &((const struct api_caller *)q->caller)->by;
}
static inline int64_t api_session(const struct http_request *q)
{
	return ((const struct api_caller *)q->caller)->session;
}
/* May the caller do that, which is about no ticket? Else the answer is 403. */
bool api_may(struct http_request *q, struct http_response *r, enum policy_action action);
bool api_allowed(const struct http_request *q, enum policy_action action);

/* auth_caller.c: hooks of http_service */
int api_identify(void *ctx, struct http_request *q, struct md_err *err);
/* api_keys.c: has the key that was shown, if it was one, the scope for that route? */
bool api_permit(void *ctx, struct http_request *q, struct http_response *r,
		const struct http_route *route);
/* routes.c: the table of routes */
const struct http_service *api_service(void);
/* "API keys: tickets:read or admin." */
void api_tell_scopes(const struct http_route *route, struct buf *out);
/* notes.c: of the document */
extern const char api_about[];
extern const struct http_note api_notes[];
void api_tell_callers(const struct http_route *r, struct buf *out);
/* retry.c: hooks of http_service */
int api_retries_new(struct retries **ret, struct md_err *err);
void api_retries_free(struct retries *t);
bool api_enter(void *ctx, struct http_request *q, struct http_response *r,
	       const struct http_route *route);
void api_leave(void *ctx, struct http_request *q, struct http_response *r);
/* reading.c: db_read(); all that a GET shows is of one state of the database. What it notes beside
 * that (an audit, the last use of a key) it does not read. */
int api_read(struct api *api, struct http_request *q, struct db_conn **ret, struct md_err *err);
void api_settle(void *ctx, struct http_request *q); /* hook of http_service */
/* What a handler changes: db_txn(), and nothing when the request did it before, as its
 * Idempotency-Key says; then *made is set to what it was after `fn`. A handler that answers by
 * what is in the database, and of `fn` needs *made only, answers the same then. `made` may be NULL.
 */
int api_once(struct api *api, struct http_request *q, db_txn_fn fn, void *ctx, int64_t *made,
	     struct md_err *err);
/* reading.c: http_match() by what that transaction sees. */
int api_match(struct db_conn *c, struct http_request *q, struct md_err *err);
/* audit.c: the same as api_once(), if it is of the version that was meant, and noted in the audit
 * log if the route is one of those that are; `made` may be NULL where the path has the id. For
 * changes by routes of other methods than POST as well. */
int api_txn(struct api *api, struct http_request *q, db_txn_fn fn, void *ctx, int64_t *made,
	    struct md_err *err);
/* The same for what is told this once: `show` writes the answer, and the answer is kept with what
 * it tells of in one transaction, so that a crash never parts them. It may run more than once. */
struct api_telling {
	struct http_response *r;
	db_txn_fn fn, show;
	void *ctx; /* of both */
};
int api_txn_tell(struct api *api, struct http_request *q, const struct api_telling *t,
		 int64_t *made, struct md_err *err);
/* Note what was done already, to the object of that id. */
int api_note(struct api *api, struct http_request *q, int64_t id, struct md_err *err);
/* One more refusal of that kind: `account` is an address or NULL, `actor` a user or 0. */
void api_note_refusal(struct api *api, struct http_request *q, const char *action,
		      const char *account, int64_t actor);
void api_refused(void *ctx, struct http_request *q, struct http_response *r);
/* Whether it had been, so that `fn` did not run. */
bool api_was_done(const struct http_request *q);
/* One of several transactions of a request, each for itself. */
int api_txn_part(struct api *api, struct http_request *q, int64_t part, db_txn_fn fn, void *ctx,
		 struct md_err *err);
/* console.c: what no route names */
bool console_page(void *ctx, struct http_request *q, struct http_response *r);
bool api_key_is_admin(const struct api_caller *caller);
/* metrics.c */
void api_finished(void *ctx, const struct http_request *q, const char *method, int status,
		  int64_t us);
/* fail.c */
void api_failed(void *ctx, struct http_request *q, struct http_response *r, int rc,
		const struct md_err *err);

/* ---- show.c: JSON, member after member; commas are put where they belong ---- */
void show_begin(struct buf *out, const char *key,
		char bracket); /* key NULL in arrays, at the top */
void show_end(struct buf *out, char bracket);
void show_text(struct buf *out, const char *key, const char *text); /* NULL: null */
void show_int(struct buf *out, const char *key, int64_t v);
void show_id(struct buf *out, const char *key, int64_t id); /* 0: null */
void show_number(struct buf *out, const char *key, double v);
void show_bool(struct buf *out, const char *key, bool v);
void show_time(struct buf *out, const char *key, int64_t ms); /* 0: null */
void show_null(struct buf *out, const char *key);
void show_raw(struct buf *out, const char *key, const char *json);
/* After that sentence: "code" and "values" (desk/reason.h), if it is one that is known. */
void show_reason(struct buf *out, const char *text);
/* {id, name, role}, or null for id 0 */
void show_actor(struct buf *out, const char *key, int64_t id, const char *name, const char *role);
void show_texts(struct buf *out, const char *key, const struct rec_strs *texts);

/* commands.c: "lines" of what was run or refused. */
void api_show_lines(struct buf *out, const struct work *w);

/* ---- page.c: the envelope of lists ---- */
#define API_PAGE_FIELDS                                                    \
	{ "page", HTTP_INT, 0, 1, 1000000000, NULL, NULL },                \
		{ "cursor", HTTP_LINE, 0, 0, API_CURSOR_MAX, NULL, NULL }, \
	{                                                                  \
		"per_page", HTTP_INT, 0, 1, API_PER_PAGE_MAX, NULL, NULL   \
	}
/* Where a walk by `cursor=` stands: behind the row of that id, which was at that place of the list.
 * Lists in another order keep what they sort by as well. */
struct api_cursor {
	int64_t id, at, keys[2];
	const char *text;
};
struct api_page {
	int64_t page, per_page;
	int64_t offset, limit; /* what to read; of a walk, one row more than is shown */
	bool walk, bad;        /* by a cursor, which is none of this list: page_end() refuses it */
	struct api_cursor behind, last; /* id 0: from the start; of the last row shown */
	bool more;
};
struct api_page page_of(struct http_request *q);
/* Of `n` rows that were read, how many are shown, and where the next page goes on. */
#define PAGE_ROWS(p, rows, n, member)                                                              \
	page_rows(p, (n) ? (const char *)(rows) + offsetof(__typeof__(*(rows)), member) : NULL, n, \
		  sizeof *(rows))
size_t page_rows(struct api_page *p, const char *ids, size_t n, size_t size);
/* The same for a list that was read whole: those from *ret_first on. */
#define PAGE_PART(p, rows, n, member, ret_first)                                                   \
	page_part(p, (n) ? (const char *)(rows) + offsetof(__typeof__(*(rows)), member) : NULL, n, \
		  sizeof *(rows), ret_first)
size_t page_part(struct api_page *p, const char *ids, size_t n, size_t size, size_t *ret_first);
void page_begin(struct http_response *r);
/* After the items, of which there were `n`; totals above 1,000 are estimates (store/tickets.h). */
void page_end(struct http_request *q, struct http_response *r, const struct api_page *p, size_t n,
	      int64_t total);
/* A query parameter as an integer; `otherwise` without it. */
int64_t api_query_int(const struct http_request *q, const char *name, int64_t otherwise);
/* As words parted by commas; none without it. */
struct rec_strs api_query_words(struct http_request *q, const char *name);
struct rec_ints api_query_ids(struct http_request *q, const char *name); /* HTTP_NUMBERS */
/* As an instant; 0 without it, and the first millisecond of 1970 for its beginning. */
int64_t api_query_time(const struct http_request *q, const char *name);

/* ---- people.c ---- */
/* The user meant by an id or address of a body; with `add`, an unknown address becomes a customer.
 * MD_INPUT (WORK_BAD_VALUE) for nobody. */
int api_person(struct db_conn *c, struct arena *a, const json_t *who, bool add, int64_t now_ms,
	       int64_t *ret, struct md_err *err);

/* ---- ticket_show.c ---- */
/* Write the ticket as the caller sees it, and r->etag if r is not NULL. */
int api_show_ticket(struct api *api, struct http_request *q, int64_t id, struct buf *out,
		    struct http_response *r, struct md_err *err);
void api_show_participant(struct buf *out, const struct participant *p);
/* A link as seen from that ticket. */
void api_show_link(struct buf *out, int64_t ticket, const struct ticket_link *l);
/* A page of rows. */
int api_show_tickets(struct api *api, struct http_request *q, struct db_conn *c,
		     const struct ticket_row *rows, size_t n, struct buf *out, struct md_err *err);
/* The answer is the comment; its ETag has the version of its ticket. */
int api_show_comment(struct api *api, struct http_request *q, int64_t id, struct http_response *r,
		     struct md_err *err);
/* r->etag of what has that version. */
int api_tag(struct http_request *q, struct http_response *r, int64_t id, int64_t version,
	    struct md_err *err);
void api_show_attachment(struct buf *out, const struct attachment_row *at);
/* A comment that the caller may read; others are not there. */
int api_open_comment(struct http_request *q, struct db_conn *c, int64_t id, struct comment *m,
		     struct md_err *err);
/* The files named by `attachments` of the body become those of the comment. */
int api_attach(struct http_request *q, struct db_conn *c, int64_t comment, struct md_err *err);
/* Whether If-Match and `version` of the body, if there, agree to it; `id`: of the ETag. */
bool api_wants_version(const struct http_request *q, int64_t id, int64_t version);
/* The 409 that carries the present state. */
int api_version_conflict(struct api *api, struct http_request *q, struct http_response *r,
			 int64_t ticket, struct md_err *err);
/* The same for what its state forbids, in the words of err. */
int api_ticket_conflict(struct api *api, struct http_request *q, struct http_response *r,
			int64_t ticket, struct md_err *err);
/* The field of the body that names no time zone or language: "timezone", "locale"; NULL: none. */
const char *api_bad_place(const struct http_request *q, const char **ret_why);
/* 422 for that field of the body, in the words of err. */
void api_refuse_field(struct http_request *q, struct http_response *r, const char *field,
		      const struct md_err *err);
/* 400 for that parameter of the query; MD_OK, as http_refuse(). */
int api_refuse_parameter(struct http_request *q, struct http_response *r, const char *name,
			 const char *why);

/* ---- finders of routes: q->found ---- */
int find_ticket(void *ctx, struct http_request *q, struct md_err *err);       /* struct work */
int find_whole_ticket(void *ctx, struct http_request *q, struct md_err *err); /* to show it all */
int find_comment(void *ctx, struct http_request *q, struct md_err *err);      /* struct comment */
int find_person(void *ctx, struct http_request *q, struct md_err *err);       /* struct user */
/* Whose tickets the caller may see: those they take part in (0: all), or of the organisation. */
void api_reader(struct api *api, const struct http_request *q, int64_t *ret_visible_to,
		int64_t *ret_shared_with);

#define API_HANDLER(name) \
	int name(void *ctx, struct http_request *q, struct http_response *r, struct md_err *err)
API_HANDLER(auth_token);
API_HANDLER(auth_refresh);
API_HANDLER(auth_logout);
API_HANDLER(auth_me);
API_HANDLER(auth_me_patch);
API_HANDLER(auth_sessions);
API_HANDLER(auth_sessions_end);
API_HANDLER(auth_session_end);
API_HANDLER(auth_otp_set);
API_HANDLER(auth_otp_drop);
API_HANDLER(api_keys_page);
API_HANDLER(api_keys_add);
API_HANDLER(api_keys_get);
API_HANDLER(api_keys_patch);
API_HANDLER(api_keys_drop);
API_HANDLER(auth_register);
API_HANDLER(auth_verify_address);
API_HANDLER(auth_forgot);
API_HANDLER(auth_reset);
API_HANDLER(auth_link);
API_HANDLER(auth_link_use);
API_HANDLER(tickets_list);
/* Would a list of tickets take these parameters? False: r is refused. */
bool api_can_list(struct api *api, const struct http_request *q, const struct http_pair *query,
		  size_t n, struct http_response *r);
API_HANDLER(tickets_add);
API_HANDLER(search_page);
API_HANDLER(ticket_get_one);
API_HANDLER(ticket_patch);
API_HANDLER(ticket_put);
API_HANDLER(ticket_delete);
API_HANDLER(ticket_restore);
API_HANDLER(ticket_watch);
API_HANDLER(ticket_mute);
API_HANDLER(ticket_merge);
API_HANDLER(ticket_unmerge);
API_HANDLER(ticket_split);
API_HANDLER(participants_page);
API_HANDLER(participants_add);
API_HANDLER(participant_drop);
API_HANDLER(participant_approve);
API_HANDLER(links_page);
API_HANDLER(links_add);
API_HANDLER(links_drop);
API_HANDLER(comment_approve);
API_HANDLER(ticket_history);
API_HANDLER(ticket_sla);
API_HANDLER(ticket_commands);
API_HANDLER(tickets_bulk);
API_HANDLER(api_teams_page);
API_HANDLER(api_teams_get);
API_HANDLER(api_teams_save);
API_HANDLER(api_teams_drop);
API_HANDLER(api_organisations_page);
API_HANDLER(api_organisations_get);
API_HANDLER(api_organisations_save);
API_HANDLER(api_organisations_drop);
API_HANDLER(api_tags_page);
API_HANDLER(api_tags_get);
API_HANDLER(api_tags_save);
API_HANDLER(api_tags_drop);
API_HANDLER(api_replies_page);
API_HANDLER(api_replies_get);
API_HANDLER(api_replies_save);
API_HANDLER(api_replies_drop);
API_HANDLER(comments_list);
API_HANDLER(user_comments);
API_HANDLER(comments_add);
API_HANDLER(comment_get_one);
API_HANDLER(comment_patch);
API_HANDLER(comment_remove);
API_HANDLER(unsubscribe_page);
API_HANDLER(unsubscribe);
API_HANDLER(file_by_link);
API_HANDLER(users_list);
API_HANDLER(user_tickets);
API_HANDLER(users_add);
API_HANDLER(user_get_one);
API_HANDLER(user_patch);
API_HANDLER(user_addresses_page);
API_HANDLER(user_address_add);
API_HANDLER(user_address_drop);
API_HANDLER(user_drop);
API_HANDLER(user_merge);
API_HANDLER(user_erase);
API_HANDLER(user_export);
API_HANDLER(message_decision);
API_HANDLER(messages_page);
API_HANDLER(ticket_messages);
API_HANDLER(message_get_one);
API_HANDLER(message_raw);
API_HANDLER(attachment_get_one);
API_HANDLER(attachments_add);
API_HANDLER(quarantine_page);
API_HANDLER(quarantine_get_one);
API_HANDLER(quarantine_let_go);
API_HANDLER(quarantine_block);
API_HANDLER(quarantine_drop);
API_HANDLER(blocked_senders_page);
API_HANDLER(blocked_senders_add);
API_HANDLER(blocked_sender_remove);
API_HANDLER(outbox_page);
API_HANDLER(outbox_get_one);
API_HANDLER(outbox_send_again);
API_HANDLER(outbox_take_back);
API_HANDLER(mailboxes_page);
API_HANDLER(dashboard_show);
API_HANDLER(events_watch);
API_HANDLER(report_volume_show);
API_HANDLER(report_sla_show);
API_HANDLER(report_agents_show);
API_HANDLER(audit_page);
API_HANDLER(mailbox_poll_now);
API_HANDLER(mailbox_pause_it);
API_HANDLER(mailbox_resume_it);
API_HANDLER(webhooks_page);
API_HANDLER(webhook_get_one);
API_HANDLER(webhooks_save);
API_HANDLER(webhook_drop);
API_HANDLER(webhook_calls);
API_HANDLER(webhook_test);
API_HANDLER(views_page);
API_HANDLER(view_get_one);
API_HANDLER(views_save);
API_HANDLER(view_drop);
API_HANDLER(ticket_view);
API_HANDLER(ticket_viewers);
API_HANDLER(openapi_document);
API_HANDLER(health);
API_HANDLER(metrics);
API_HANDLER(ready);
void api_show_user(struct buf *out, const char *key, const struct user *u, bool whole);

/* tables of bodies and queries: beside the handlers of their resource, or in schema.c */
extern const struct http_field outbox_query[], views_body[], view_changes[], no_fields[],
	webhooks_body[], webhook_changes[], audit_query[], report_volume_query[],
	report_sla_query[], report_agents_query[];
extern const struct http_field blocked_body[], message_query[], attachment_query[], address_body[],
	user_merge_body[];
extern const struct http_field teams_body[], teams_changes[], organisations_body[],
	organisations_changes[], tags_body[], tags_changes[], replies_body[], replies_changes[];
extern const struct http_field auth_register_body[], auth_email_body[], auth_token_body[],
	auth_reset_body[], auth_link_body[], auth_otp_body[], auth_otp_proof[], api_keys_body[],
	api_key_changes[], auth_me_changes[];
extern const struct http_field token_body[], refresh_body[], logout_body[], ticket_body[],
	ticket_changes[], ticket_whole[], participant_body[], watch_body[], mute_body[],
	merge_body[], version_body[], split_body[], link_body[], ticket_query[], comment_body[],
	comment_changes[], command_box[], command_bulk[], user_body[], user_changes[], user_query[],
	page_query[], search_query_fields[];

#endif
