/* Mails to send: looking at them, sending them again, taking them back. */
#include "api_private.h"

#include <maildesk/app/outbox.h>
#include <maildesk/base/utf8.h>

#include <string.h>

const struct http_field outbox_query[] = {
	{ "state", HTTP_WORDS, 0, 0, 0, outbox_states, NULL },
	{ "ticket", HTTP_NUMBERS, 0, 0, 0, NULL, NULL },
	{ "to", HTTP_WORDS, 0, 0, 0, NULL, NULL },
	API_PAGE_FIELDS,
	HTTP_END,
};

static void show_outgoing(struct buf *out, const struct outbox_row *row)
{
	show_begin(out, NULL, '{');
	show_int(out, "id", row->id);
	show_int(out, "message", row->message_id);
	show_id(out, "ticket", row->ticket_id);
	show_text(out, "to", row->recipient);
	show_text(out, "subject", row->subject);
	show_text(out, "message_id", row->mail_id);
	show_text(out, "state", row->state);
	show_int(out, "attempts", row->attempts);
	show_time(out, "next_at", row->next_at);
	show_text(out, "last_reply", row->last_reply);
	show_time(out, "created_at", row->created_at);
	show_end(out, '}');
}

static struct rec_strs read_recipients(struct http_request *q)
{
	struct rec_strs to = api_query_words(q, "to");

	for (size_t i = 0; i < to.n; i++) {
		md_auto(buf_done) struct buf folded = BUF_INIT(4096);

		utf8_fold(&folded, to.v[i], strlen(to.v[i]));
		to.v[i] = arena_strdup(q->arena, buf_str(&folded));
	}
	return to;
}

int outbox_page(void *ctx, struct http_request *q, struct http_response *r, struct md_err *err)
{
	struct api *api = ctx;
	struct api_page page = page_of(q);
	md_auto(db_read_done_p) struct db_conn *c = NULL;
	struct outbox_filter f = { .states = api_query_words(q, "state"),
				   .ticket = api_query_ids(q, "ticket"),
				   .recipient = read_recipients(q),
				   .behind = page.behind.id,
				   .offset = page.offset,
				   .limit = page.limit };
	struct outbox_row *rows;
	int64_t total;
	size_t n;
	int rc;

	if (!api_may(q, r, ACTION_MANAGE_DESK))
		return MD_OK;
	rc = api_read(api, q, &c, err);
	if (rc == MD_OK)
		rc = outbox_list(c, &f, q->arena, &rows, &n, &total, err);
	if (rc != MD_OK)
		return rc;
	page_begin(r);
	n = PAGE_ROWS(&page, rows, n, id);
	for (size_t i = 0; i < n; i++)
		show_outgoing(&r->body, &rows[i]);
	page_end(q, r, &page, n, total);
	return MD_OK;
}

int outbox_get_one(void *ctx, struct http_request *q, struct http_response *r, struct md_err *err)
{
	struct api *api = ctx;
	md_auto(db_read_done_p) struct db_conn *c = NULL;
	struct outbox_row row;
	int rc;

	if (!api_may(q, r, ACTION_MANAGE_DESK))
		return MD_OK;
	rc = api_read(api, q, &c, err);
	if (rc == MD_OK)
		rc = outbox_get(c, q->ids[0], q->arena, &row, err);
	if (rc == MD_NOTFOUND)
		return http_refuse(q, r, 404, "not_found", "no such mail in the outbox");
	if (rc == MD_OK)
		show_outgoing(&r->body, &row);
	return rc;
}

struct step {
	const struct http_request *q;
	int (*how)(const struct work_by *by, struct db_conn *c, int64_t id, struct md_err *err);
};

static int step_in_txn(struct db_conn *c, void *ctx, struct md_err *err)
{
	const struct step *s = ctx;

	return s->how(api_by(s->q), c, s->q->ids[0], err);
}

static int change(struct api *api, struct http_request *q, struct http_response *r, struct step *s,
		  struct md_err *err)
{
	struct md_err why = { 0 };
	int rc;

	if (!api_may(q, r, ACTION_MANAGE_DESK))
		return MD_OK;
	rc = api_txn(api, q, step_in_txn, s, NULL, &why);
	if (rc == MD_CONFLICT)
		return http_refuse(q, r, 409, "conflict", "%s", why.text);
	if (rc != MD_OK && rc != MD_NOTFOUND) {
		*err = why;
		return rc;
	}
	if (rc == MD_OK)
		desk_wake(api->desk, DESK_SENDER);
	return outbox_get_one(api, q, r, err);
}

int outbox_send_again(void *ctx, struct http_request *q, struct http_response *r,
		      struct md_err *err)
{
	return change(ctx, q, r, &(struct step){ q, outbox_do_retry }, err);
}

int outbox_take_back(void *ctx, struct http_request *q, struct http_response *r, struct md_err *err)
{
	return change(ctx, q, r, &(struct step){ q, outbox_do_cancel }, err);
}
