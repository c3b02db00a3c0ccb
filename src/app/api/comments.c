/* Comments. Customers never see internal ones, nor what is held: those answer like none at all. */
#include "api_private.h"

#include <maildesk/base/utf8.h>
#include <maildesk/desk/markdown_html.h>
#include <maildesk/desk/text_html.h>

#include <cmark.h>
#include <stdlib.h>
#include <string.h>

enum { HTML_MAX = 48 << 20 }; /* of a body of a mebibyte, all of it lines of one letter */

static int out_of_memory(struct md_err *err)
{
	return md_fail(err, MD_NOMEM, 0, "out of memory");
}

/* ---- showing ---- */

/* What people type here is CommonMark; cmark leaves out raw HTML and unsafe links by itself. */
static void show_html(struct buf *out, const struct comment *m, bool whole)
{
	md_auto(buf_done) struct buf plain = BUF_INIT(HTML_MAX);
	char *html;

	if (strcmp(m->channel, "mail") == 0) {
		show_text(out, "body_html", whole ? m->body_html : NULL);
		return;
	}
	if (strlen(m->body) > MARKDOWN_MAX) {
		text_html(&plain, m->body, strlen(m->body));
		show_text(out, "body_html", plain.status == MD_OK ? buf_str(&plain) : NULL);
		return;
	}
	html = cmark_markdown_to_html(m->body, strlen(m->body), CMARK_OPT_DEFAULT);
	show_text(out, "body_html", html);
	free(html);
}

static void show_attachments(struct buf *out, int64_t comment, const struct attachment_row *rows,
			     size_t n)
{
	show_begin(out, "attachments", '[');
	for (size_t i = 0; i < n; i++)
		if (rows[i].comment_id == comment)
			api_show_attachment(out, &rows[i]);
	show_end(out, ']');
}

/* The whole of a mail has the commands in it and what it quotes: of an agent's that may be a
 * notification with internal notes and signed addresses. It is for agents and for its writer. */
static void show_comment(const struct http_request *q, struct buf *out, const struct comment *m,
			 const struct attachment_row *attachments, size_t n)
{
	bool whole = api_allowed(q, ACTION_SEE_CUSTOMERS) ||
		     (m->author_id && m->author_id == api_by(q)->actor.user);

	show_begin(out, NULL, '{');
	show_int(out, "id", m->id);
	show_int(out, "ticket", m->ticket_id);
	show_actor(out, "author", m->author_id, m->author_name, m->author_role);
	show_text(out, "body", m->body);
	show_text(out, "body_full", whole && m->body_full ? m->body_full : m->body);
	show_html(out, m, whole);
	show_bool(out, "is_internal", m->is_internal);
	show_text(out, "held", m->held);
	show_text(out, "channel", m->channel);
	show_id(out, "message", m->message_id);
	show_attachments(out, m->id, attachments, n);
	show_time(out, "created_at", m->created_at);
	show_time(out, "edited_at", m->edited_at);
	show_end(out, '}');
}

int api_show_comment(struct api *api, struct http_request *q, int64_t id, struct http_response *r,
		     struct md_err *err)
{
	md_auto(db_read_done_p) struct db_conn *c = NULL;
	struct attachment_row *attachments;
	struct comment m;
	struct ticket t;
	size_t n;
	int rc = api_read(api, q, &c, err);

	if (rc == MD_OK)
		rc = comment_get(c, id, q->arena, &m, err);
	if (rc == MD_OK)
		rc = ticket_get(c, m.ticket_id, q->arena, &t, err);
	if (rc == MD_OK)
		rc = attachment_list(c, m.ticket_id, q->arena, &attachments, &n, err);
	if (rc != MD_OK)
		return rc;
	show_comment(q, &r->body, &m, attachments, n);
	return api_tag(q, r, id, t.version, err);
}

/* ---- finding ---- */

int find_comment(void *ctx, struct http_request *q, struct md_err *err)
{
	struct api *api = ctx;
	md_auto(db_read_done_p) struct db_conn *c = NULL;
	struct comment *m = arena_alloc(q->arena, sizeof *m);
	int rc = m ? api_read(api, q, &c, err) : out_of_memory(err);

	if (rc == MD_OK)
		rc = api_open_comment(q, c, q->ids[0], m, err);
	q->found = m;
	return rc;
}

/* ---- reading ---- */

int user_comments(void *ctx, struct http_request *q, struct http_response *r, struct md_err *err)
{
	struct api *api = ctx;
	struct api_page page = page_of(q);
	struct comment_reader reader = { .with_internal = api_allowed(q, ACTION_SEE_CUSTOMERS) };
	md_auto(db_read_done_p) struct db_conn *c = NULL;
	struct attachment_row *attachments;
	struct comment *rows;
	size_t n, n_attachments;
	int64_t total, *ids;
	int rc = api_read(api, q, &c, err);

	api_reader(api, q, &reader.visible_to, &reader.shared_with);
	if (rc == MD_OK)
		rc = comment_list_by(c, q->ids[0], &reader, page.behind.id, page.offset, page.limit,
				     q->arena, &rows, &n, &total, err);
	if (rc != MD_OK)
		return rc;
	n = PAGE_ROWS(&page, rows, n, id);
	ids = arena_array(q->arena, n, sizeof *ids);
	if (!ids)
		return out_of_memory(err);
	for (size_t i = 0; i < n; i++)
		ids[i] = rows[i].id;
	rc = attachment_list_of_comments(c, ids, n, q->arena, &attachments, &n_attachments, err);
	if (rc != MD_OK)
		return rc;
	page_begin(r);
	for (size_t i = 0; i < n; i++)
		show_comment(q, &r->body, &rows[i], attachments, n_attachments);
	page_end(q, r, &page, n, total);
	return MD_OK;
}

int comments_list(void *ctx, struct http_request *q, struct http_response *r, struct md_err *err)
{
	struct api *api = ctx;
	const struct work *w = q->found;
	struct api_page page = page_of(q);
	bool all = policy_may(&api_by(q)->actor, ACTION_READ_INTERNAL, &w->facts) == POLICY_YES;
	md_auto(db_read_done_p) struct db_conn *c = NULL;
	struct attachment_row *attachments;
	struct comment *rows;
	size_t n, n_attachments;
	int64_t total;
	int rc = api_read(api, q, &c, err);

	if (rc == MD_OK)
		rc = comment_list(c, q->ids[0], all, page.behind.id, page.offset, page.limit,
				  q->arena, &rows, &n, &total, err);
	if (rc == MD_OK)
		rc = attachment_list(c, q->ids[0], q->arena, &attachments, &n_attachments, err);
	if (rc != MD_OK)
		return rc;
	page_begin(r);
	n = PAGE_ROWS(&page, rows, n, id);
	for (size_t i = 0; i < n; i++)
		show_comment(q, &r->body, &rows[i], attachments, n_attachments);
	page_end(q, r, &page, n, total);
	return MD_OK;
}

int comment_get_one(void *ctx, struct http_request *q, struct http_response *r, struct md_err *err)
{
	return api_show_comment(ctx, q, q->ids[0], r, err);
}

/* ---- writing ---- */

struct comment_step {
	struct http_request *q;
	struct arena arena; /* of one run of the transaction */
	struct work w;
	int64_t ticket, comment;
	const char *body;
	bool conflict;
	bool refused; /* by a command beside the comment */
	int (*change)(struct comment_step *s, struct md_err *err);
};

static int say(struct comment_step *s, struct md_err *err)
{
	struct work_comment m = {
		.body = s->body,
		.is_internal = json_is_true(json_object_get(s->q->json, "is_internal")),
	};

	const char *commands = json_get_string(s->q->json, "commands");
	int rc;

	/* Reply and resolve are one step, and one mail. */
	rc = commands ? work_box(&s->w, commands, &m, &s->comment, err)
		      : work_comment(&s->w, &m, &s->comment, err);
	s->refused = commands &&
		     (rc == MD_INPUT || rc == MD_REFUSED || rc == MD_CONFLICT || rc == MD_NOTFOUND);
	return rc == MD_OK ? api_attach(s->q, s->w.c, s->comment, err) : rc;
}

static int edit(struct comment_step *s, struct md_err *err)
{
	return work_comment_edit(&s->w, s->comment, s->body, err);
}

static int drop(struct comment_step *s, struct md_err *err)
{
	return work_comment_delete(&s->w, s->comment, err);
}

static int step_in_txn(struct db_conn *c, void *ctx, struct md_err *err)
{
	struct comment_step *s = ctx;
	int rc;

	arena_reset(&s->arena);
	rc = work_open(api_by(s->q), c, &s->arena, s->ticket, &s->w, err);
	if (rc != MD_OK)
		return rc;
	/* by the ticket's ETag or the comment's own */
	s->conflict = !api_wants_version(s->q, s->ticket, s->w.ticket.version) &&
		      (!s->comment || !api_wants_version(s->q, s->comment, s->w.ticket.version));
	if (s->conflict)
		return md_fail(err, MD_CONFLICT, 0, "another version");
	rc = s->change(s, err);
	return rc == MD_OK ? work_save(&s->w, err) : rc;
}

/* 422 with the transcript: nothing was done. */
static int refuse_commands(struct comment_step *s, struct http_response *r,
			   const struct md_err *why)
{
	api_refuse_field(s->q, r, "commands", why);
	api_show_lines(http_refuse_extra(r), &s->w);
	return MD_OK;
}

static bool is_blank(const char *text)
{
	return text[strspn(text, " \t\r\n")] == '\0';
}

/* Run the step; on success *ret_comment is what it was about. */
static int run_step(struct api *api, struct http_request *q, struct http_response *r,
		    int64_t ticket, int64_t comment,
		    int (*change)(struct comment_step *s, struct md_err *err), int64_t *ret_comment,
		    struct md_err *err)
{
	md_auto(buf_done) struct buf clean = BUF_INIT(4 << 20);
	struct comment_step *s = arena_alloc(q->arena, sizeof *s);
	const char *body = json_get_string(q->json, "body");
	struct md_err why = { 0 };
	int rc;

	if (body)
		utf8_clean_text(&clean, body, strlen(body));
	if (!s || clean.status != MD_OK)
		return out_of_memory(err);
	if (body && is_blank(buf_str(&clean))) {
		http_refuse(q, r, 422, "validation", "the body cannot be used");
		http_refuse_field(r, "body", "must not be empty");
		return MD_OK;
	}
	*s = (struct comment_step){ .q = q,
				    .arena = ARENA_INIT(32 << 20),
				    .ticket = ticket,
				    .comment = comment,
				    .body = buf_str(&clean),
				    .change = change };
	rc = api_txn(api, q, step_in_txn, s, &s->comment, &why);
	if (rc != MD_OK && s->refused)
		rc = refuse_commands(s, r, &why);
	else if (rc != MD_OK && err)
		*err = why;
	arena_done(&s->arena);
	if (rc == MD_CONFLICT && s->conflict)
		return api_version_conflict(api, q, r, ticket, err);
	if (rc == MD_CONFLICT)
		return api_ticket_conflict(api, q, r, ticket, err);
	if (rc != MD_OK || r->code)
		return rc;
	work_done(api->desk);
	*ret_comment = s->comment;
	return MD_OK;
}

int comments_add(void *ctx, struct http_request *q, struct http_response *r, struct md_err *err)
{
	int64_t id = 0;
	int rc = run_step(ctx, q, r, q->ids[0], 0, say, &id, err);

	if (rc != MD_OK || r->code)
		return rc;
	http_made(q, r, id);
	return api_show_comment(ctx, q, id, r, err);
}

int comment_patch(void *ctx, struct http_request *q, struct http_response *r, struct md_err *err)
{
	const struct comment *m = q->found;
	int64_t id = 0;
	int rc = run_step(ctx, q, r, m->ticket_id, m->id, edit, &id, err);

	return rc != MD_OK || r->code ? rc : api_show_comment(ctx, q, id, r, err);
}

int comment_remove(void *ctx, struct http_request *q, struct http_response *r, struct md_err *err)
{
	const struct comment *m = q->found;
	int64_t id;

	return run_step(ctx, q, r, m->ticket_id, m->id, drop, &id, err);
}
