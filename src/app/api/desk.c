/* The desk itself: health, mailboxes, what intake decided, what waits to be sent. */
#include "api_private.h"

#include <maildesk/store/mailboxes.h>

#include <string.h>

/* ---- mailboxes ---- */

static const char *mailbox_name(struct api *api, int64_t id)
{
	const struct desk_mailbox *m = desk_mailbox(api->desk, id);

	return m ? m->conf->title : NULL;
}

/* Seconds since all that the server has was here; null: it never was. */
static void show_lag(struct buf *out, const struct desk_mailbox *m, int64_t now_ms)
{
	int64_t lag_ms = now_ms - m->last_success_at;

	if (strcmp(m->state, "ok") == 0)
		show_int(out, "lag", 0);
	else if (!m->last_success_at)
		show_null(out, "lag");
	else
		show_int(out, "lag", lag_ms > 0 ? lag_ms / 1000 : 0);
}

static void show_mailbox(struct api *api, struct buf *out, struct desk_mailbox *m,
			 bool with_address, const char *wished, int64_t now_ms)
{
	pthread_mutex_lock(&api->desk->lock);
	show_begin(out, NULL, '{');
	show_text(out, "name", m->conf->title);
	if (with_address)
		show_text(out, "address", m->conf->address);
	show_text(out, "state", wished ? wished : m->state);
	show_lag(out, m, now_ms);
	show_time(out, "last_success", m->last_success_at);
	show_text(out, "last_error", m->error[0] ? m->error : NULL);
	show_end(out, '}');
	pthread_mutex_unlock(&api->desk->lock);
}

int mailboxes_page(void *ctx, struct http_request *q, struct http_response *r, struct md_err *err)
{
	struct api *api = ctx;
	struct api_page page = page_of(q);
	size_t total = api->desk->n_mailboxes, n, first;

	(void)err;
	n = PAGE_PART(&page, api->desk->mailboxes, total, id, &first);
	page_begin(r);
	for (size_t i = first; i < first + n; i++)
		show_mailbox(api, &r->body, &api->desk->mailboxes[i], true, NULL, q->now_ms);
	page_end(q, r, &page, n, (int64_t)total);
	return MD_OK;
}

struct order {
	int64_t mailbox, now_ms;
	bool poll, paused;
};

static int order_in_txn(struct db_conn *c, void *ctx, struct md_err *err)
{
	const struct order *o = ctx;

	return o->poll ? mailbox_poll(c, o->mailbox, o->now_ms, err)
		       : mailbox_pause(c, o->mailbox, o->paused, err);
}

/* The state shown is the one wished for: the thread of mailboxes takes a moment. */
static int give_order(struct api *api, struct http_request *q, struct http_response *r,
		      struct order o, struct md_err *err)
{
	struct desk *d = api->desk;
	struct desk_mailbox *m = NULL;
	int rc;

	for (size_t i = 0; i < d->n_mailboxes; i++)
		if (strcmp(d->mailboxes[i].conf->title, q->word) == 0)
			m = &d->mailboxes[i];
	if (!m)
		return http_refuse(q, r, 404, "not_found", "there is no such mailbox");
	o.mailbox = m->id;
	o.now_ms = q->now_ms;
	rc = api_txn(api, q, order_in_txn, &o, &o.mailbox, err);
	if (rc != MD_OK)
		return rc;
	desk_wake(d, DESK_MAILBOXES);
	show_mailbox(api, &r->body, m, true,
		     o.poll     ? NULL
		     : o.paused ? "paused"
				: "connecting",
		     q->now_ms);
	return MD_OK;
}

int mailbox_poll_now(void *ctx, struct http_request *q, struct http_response *r, struct md_err *err)
{
	return give_order(ctx, q, r, (struct order){ .poll = true }, err);
}

int mailbox_pause_it(void *ctx, struct http_request *q, struct http_response *r, struct md_err *err)
{
	return give_order(ctx, q, r, (struct order){ .paused = true }, err);
}

int mailbox_resume_it(void *ctx, struct http_request *q, struct http_response *r,
		      struct md_err *err)
{
	return give_order(ctx, q, r, (struct order){ 0 }, err);
}

/* ---- health ---- */

/* Paths and keys of the configuration are for those on this machine. */
static void show_configuration(struct api *api, const struct http_request *q, struct buf *out)
{
	struct desk_reload reload;

	desk_reload_state(api->desk, &reload);
	show_begin(out, "configuration", '{');
	show_text(out, "state",
		  reload.refused_at ? "refused"
		  : *reload.restart ? "needs_restart"
				    : "ok");
	show_time(out, "loaded_at", reload.loaded_at);
	show_time(out, "refused_at", reload.refused_at);
	if (http_address_is_local(q->address)) {
		show_text(out, "error", reload.refused_at ? reload.reason : NULL);
		show_text(out, "needs_restart", *reload.restart ? reload.restart : NULL);
	}
	show_end(out, '}');
}

static void show_health(struct api *api, const struct http_request *q, struct http_response *r)
{
	show_begin(&r->body, NULL, '{');
	show_text(&r->body, "status", "ok");
	show_text(&r->body, "desk", api->desk->id);
	pthread_mutex_lock(&api->desk->lock);
	show_text(&r->body, "templates", api->desk->templates_alarm ? "alarm" : "ok");
	pthread_mutex_unlock(&api->desk->lock);
	show_configuration(api, q, &r->body);
	show_begin(&r->body, "mailboxes", '[');
	for (size_t i = 0; i < api->desk->n_mailboxes; i++)
		show_mailbox(api, &r->body, &api->desk->mailboxes[i], false, NULL, q->now_ms);
	show_end(&r->body, ']');
	show_end(&r->body, '}');
}

int health(void *ctx, struct http_request *q, struct http_response *r, struct md_err *err)
{
	(void)err;
	show_health(ctx, q, r);
	return MD_OK;
}

int ready(void *ctx, struct http_request *q, struct http_response *r, struct md_err *err)
{
	struct api *api = ctx;
	md_auto(db_read_done_p) struct db_conn *c = NULL;
	struct user u;
	int rc = api_read(api, q, &c, err);

	/* There need not be a user 1: that the database says so is the answer. */
	if (rc == MD_OK)
		rc = user_get(c, 1, q->arena, &u, err);
	if (rc != MD_OK && rc != MD_NOTFOUND)
		return rc;
	show_health(api, q, r);
	return MD_OK;
}

/* ---- what intake decided ---- */

/* They are kept in words alone. */
static void show_commands(struct buf *out, const char *kept)
{
	md_auto(json_decref_p) json_t *lines = json_loads(kept, 0, NULL);
	json_t *line;
	size_t i;

	show_begin(out, "commands", '[');
	json_array_foreach(lines, i, line)
	{
		const char *reason = json_get_string(line, "reason");

		show_begin(out, NULL, '{');
		show_text(out, "line", json_get_string(line, "line"));
		show_bool(out, "ok", json_is_true(json_object_get(line, "ok")));
		show_text(out, "reason", reason);
		show_reason(out, reason);
		show_end(out, '}');
	}
	show_end(out, ']');
}

int message_decision(void *ctx, struct http_request *q, struct http_response *r, struct md_err *err)
{
	struct api *api = ctx;
	md_auto(db_read_done_p) struct db_conn *c = NULL;
	struct buf *out = &r->body;
	struct message_row m;
	struct decision d;
	int rc;

	if (!api_may(q, r, ACTION_SEE_MESSAGES))
		return MD_OK;
	rc = api_read(api, q, &c, err);
	if (rc == MD_OK)
		rc = decision_get(c, q->ids[0], q->arena, &d, err);
	if (rc == MD_OK)
		rc = message_get(c, q->ids[0], q->arena, &m, err);
	if (rc == MD_NOTFOUND)
		return http_refuse(q, r, 404, "not_found", "no decision on such a message");
	if (rc != MD_OK)
		return rc;
	show_begin(out, NULL, '{');
	show_int(out, "message", d.message_id);
	show_text(out, "mailbox", mailbox_name(api, m.mailbox_id));
	show_text(out, "outcome", d.outcome);
	show_text(out, "cause", d.cause);
	show_id(out, "ticket", d.ticket_id);
	show_id(out, "comment", d.comment_id);
	show_int(out, "trust", m.trust);
	show_text(out, "auth", d.auth);
	show_raw(out, "rules", d.rules);
	show_commands(out, d.commands);
	show_raw(out, "sla", d.sla);
	show_time(out, "at", d.at);
	show_end(out, '}');
	return MD_OK;
}

int openapi_document(void *ctx, struct http_request *q, struct http_response *r, struct md_err *err)
{
	const struct api *api = ctx;

	(void)q, (void)err;
	buf_add(&r->body, api->document.data, api->document.len);
	return MD_OK;
}
