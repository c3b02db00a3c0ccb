/* Mails held back: looking at them, letting them in, throwing them away, and their senders. */
#include "api_private.h"

#include <maildesk/app/quarantine.h>

#include <string.h>

const struct http_field blocked_body[] = {
	{ "address", HTTP_LINE, 0, 3, 320, NULL, NULL },
	{ "domain", HTTP_LINE, 0, 1, 255, NULL, NULL },
	HTTP_END,
};

static void show_held(struct api *api, struct buf *out, const struct quarantine_row *row)
{
	const struct desk_mailbox *m = desk_mailbox(api->desk, row->mailbox_id);

	show_begin(out, NULL, '{');
	show_int(out, "id", row->id);
	show_text(out, "cause", row->cause);
	show_text(out, "detail", row->detail);
	show_int(out, "message", row->message_id);
	show_text(out, "mailbox", m ? m->conf->title : NULL);
	show_text(out, "from", row->from_address);
	show_text(out, "subject", row->subject);
	show_text(out, "message_id", row->mail_id);
	show_int(out, "size", row->size);
	show_time(out, "created_at", row->created_at);
	show_end(out, '}');
}

int quarantine_page(void *ctx, struct http_request *q, struct http_response *r, struct md_err *err)
{
	struct api *api = ctx;
	struct api_page page = page_of(q);
	md_auto(db_read_done_p) struct db_conn *c = NULL;
	struct quarantine_row *rows;
	int64_t total;
	size_t n;
	int rc;

	if (!api_may(q, r, ACTION_MANAGE_DESK))
		return MD_OK;
	rc = api_read(api, q, &c, err);
	if (rc == MD_OK)
		rc = quarantine_list(c, page.behind.id, page.offset, page.limit, q->arena, &rows,
				     &n, &total, err);
	if (rc != MD_OK)
		return rc;
	page_begin(r);
	n = PAGE_ROWS(&page, rows, n, id);
	for (size_t i = 0; i < n; i++)
		show_held(api, &r->body, &rows[i]);
	page_end(q, r, &page, n, total);
	return MD_OK;
}

static int none_such(struct http_request *q, struct http_response *r)
{
	return http_refuse(q, r, 404, "not_found", "no such mail in quarantine");
}

static int read_held(struct api *api, struct http_request *q, struct quarantine_row *ret,
		     struct md_err *err)
{
	md_auto(db_read_done_p) struct db_conn *c = NULL;
	int rc = api_read(api, q, &c, err);

	return rc == MD_OK ? quarantine_get(c, q->ids[0], q->arena, ret, err) : rc;
}

int quarantine_get_one(void *ctx, struct http_request *q, struct http_response *r,
		       struct md_err *err)
{
	struct quarantine_row row;
	int rc;

	if (!api_may(q, r, ACTION_MANAGE_DESK))
		return MD_OK;
	rc = read_held(ctx, q, &row, err);
	if (rc == MD_NOTFOUND)
		return none_such(q, r);
	if (rc == MD_OK)
		show_held(ctx, &r->body, &row);
	return rc;
}

/* The release of a request, noted with it. */
struct letting_go {
	struct api *api;
	struct http_request *q;
	struct intake_result *done;
};

static int let_go_txn(void *ctx, db_txn_fn fn, void *fn_ctx, struct md_err *err)
{
	struct letting_go *l = ctx;

	return api_txn(l->api, l->q, fn, fn_ctx, &l->done->message, err);
}

/* What came of it when this request was asked before: the mail is not in quarantine any more. */
static int recall_release(struct letting_go *l, struct md_err *err)
{
	md_auto(db_read_done_p) struct db_conn *c = NULL;
	struct decision was;
	int rc = let_go_txn(l, NULL, NULL, err);

	if (rc == MD_OK)
		rc = db_read(l->api->desk->db, &c, err);
	if (rc == MD_OK)
		rc = decision_get(c, l->done->message, l->q->arena, &was, err);
	if (rc != MD_OK)
		return rc;
	l->done->outcome = was.outcome;
	l->done->ticket = was.ticket_id;
	l->done->comment = was.comment_id;
	return MD_OK;
}

int quarantine_let_go(void *ctx, struct http_request *q, struct http_response *r,
		      struct md_err *err)
{
	struct api *api = ctx;
	md_auto(arena_done) struct arena arena = ARENA_INIT(64 << 20);
	struct quarantine_releasing as = { .by = api_by(q)->user.id,
					   .source = api_by(q)->actor.source,
					   .txn = let_go_txn };
	struct intake_result *done = &as.result;
	struct letting_go l = { api, q, done };
	struct md_err why = { 0 };
	int rc;

	if (!api_may(q, r, ACTION_MANAGE_DESK))
		return MD_OK;
	as.ctx = &l;
	rc = api_was_done(q) ? recall_release(&l, &why)
			     : quarantine_release(api->desk, q->ids[0], &arena, &as, &why);
	if (rc == MD_NOTFOUND)
		return none_such(q, r);
	if (rc != MD_OK) {
		*err = why;
		return rc;
	}
	show_begin(&r->body, NULL, '{');
	show_int(&r->body, "message", done->message);
	show_text(&r->body, "outcome", done->outcome);
	show_id(&r->body, "ticket", done->ticket);
	show_id(&r->body, "comment", done->comment);
	show_end(&r->body, '}');
	return MD_OK;
}

struct change {
	const struct http_request *q;
	const char *sender;
	int64_t id;
	struct blocked_sender row;
};

static int remove_held(struct db_conn *c, void *ctx, struct md_err *err)
{
	const struct change *ch = ctx;

	return quarantine_remove(c, ch->q->ids[0], err);
}

int quarantine_drop(void *ctx, struct http_request *q, struct http_response *r, struct md_err *err)
{
	struct api *api = ctx;
	struct change ch = { .q = q };
	int rc;

	if (!api_may(q, r, ACTION_MANAGE_DESK))
		return MD_OK;
	rc = api_txn(api, q, remove_held, &ch, NULL, err);
	return rc == MD_NOTFOUND ? none_such(q, r) : rc;
}

/* ---- blocked senders ---- */

static void show_blocked(struct buf *out, const struct blocked_sender *b)
{
	bool domain = b->sender[0] == '@';

	show_begin(out, NULL, '{');
	show_int(out, "id", b->id);
	show_text(out, "address", domain ? NULL : b->sender);
	show_text(out, "domain", domain ? b->sender + 1 : NULL);
	show_id(out, "created_by", b->created_by);
	show_time(out, "created_at", b->created_at);
	show_end(out, '}');
}

static int add_blocked(struct db_conn *c, void *ctx, struct md_err *err)
{
	struct change *ch = ctx;
	const struct work_by *by = api_by(ch->q);

	return blocked_add(c, ch->sender, by->user.id, by->now_ms, &ch->row.id, err);
}

static int block(struct api *api, struct http_request *q, struct http_response *r,
		 const char *sender, struct md_err *err)
{
	struct change ch = { .q = q, .sender = sender };
	int rc;

	ch.row = (struct blocked_sender){ .sender = sender,
					  .created_by = api_by(q)->user.id,
					  .created_at = q->now_ms };
	rc = api_txn(api, q, add_blocked, &ch, &ch.row.id, err);

	if (rc != MD_OK)
		return rc;
	r->status = 201;
	show_blocked(&r->body, &ch.row);
	return MD_OK;
}

int quarantine_block(void *ctx, struct http_request *q, struct http_response *r, struct md_err *err)
{
	struct quarantine_row row;
	int rc;

	if (!api_may(q, r, ACTION_MANAGE_DESK))
		return MD_OK;
	rc = read_held(ctx, q, &row, err);
	if (rc == MD_NOTFOUND)
		return none_such(q, r);
	if (rc != MD_OK)
		return rc;
	if (!row.from_address)
		return md_fail(err, MD_INPUT, 0, "this mail names no sender");
	return block(ctx, q, r, row.from_address, err);
}

int blocked_senders_add(void *ctx, struct http_request *q, struct http_response *r,
			struct md_err *err)
{
	md_auto(buf_done) struct buf sender = BUF_INIT(4096);
	const char *address = json_string_value(json_object_get(q->json, "address"));
	const char *domain = json_string_value(json_object_get(q->json, "domain"));
	struct md_err why;

	if (!api_may(q, r, ACTION_MANAGE_DESK))
		return MD_OK;
	if (!address == !domain) {
		http_refuse(q, r, 422, "validation", "one of address and domain is needed");
		http_refuse_field(r, "address", "is needed, or domain instead");
		return MD_OK;
	}
	if (quarantine_sender(address, domain, &sender, &why) != MD_OK) {
		api_refuse_field(q, r, address ? "address" : "domain", &why);
		return MD_OK;
	}
	return block(ctx, q, r, buf_str(&sender), err);
}

int blocked_senders_page(void *ctx, struct http_request *q, struct http_response *r,
			 struct md_err *err)
{
	struct api *api = ctx;
	struct api_page page = page_of(q);
	md_auto(db_read_done_p) struct db_conn *c = NULL;
	struct blocked_sender *rows;
	int64_t total;
	size_t n;
	int rc;

	if (!api_may(q, r, ACTION_MANAGE_DESK))
		return MD_OK;
	rc = api_read(api, q, &c, err);
	if (rc == MD_OK)
		rc = blocked_list(c, page.behind.id, page.offset, page.limit, q->arena, &rows, &n,
				  &total, err);
	if (rc != MD_OK)
		return rc;
	page_begin(r);
	n = PAGE_ROWS(&page, rows, n, id);
	for (size_t i = 0; i < n; i++)
		show_blocked(&r->body, &rows[i]);
	page_end(q, r, &page, n, total);
	return MD_OK;
}

static int remove_blocked(struct db_conn *c, void *ctx, struct md_err *err)
{
	const struct change *ch = ctx;

	return blocked_remove(c, ch->q->ids[0], err);
}

int blocked_sender_remove(void *ctx, struct http_request *q, struct http_response *r,
			  struct md_err *err)
{
	struct api *api = ctx;
	struct change ch = { .q = q };
	int rc;

	if (!api_may(q, r, ACTION_MANAGE_DESK))
		return MD_OK;
	rc = api_txn(api, q, remove_blocked, &ch, NULL, err);
	return rc == MD_NOTFOUND ? http_refuse(q, r, 404, "not_found", "no such blocked sender")
				 : rc;
}
