/* Mails in and out. Agents see all of them; a customer those on their ticket that became public,
 * and what was sent to them. Of others' mails they are not shown who wrote them to whom. */
#include "api_private.h"

#include <maildesk/store/blobs.h>

#include <string.h>

static const char *const directions[] = { "in", "out", NULL };
static const char *const outcomes[] = { "ticket_created", "comment_added",
					"commands_run",   "delivery_event",
					"duplicate",      "quarantined",
					"discarded",      NULL };

const struct http_field message_query[] = {
	{ "message_id", HTTP_LINE, 0, 1, 1000, NULL, NULL },
	{ "ticket", HTTP_NUMBERS, 0, 0, 0, NULL, NULL },
	{ "direction", HTTP_WORDS, 0, 0, 0, directions, NULL },
	{ "kind", HTTP_WORDS, 0, 0, 0, NULL, NULL },
	{ "outcome", HTTP_WORDS, 0, 0, 0, outcomes, NULL },
	{ "mailbox", HTTP_WORDS, 0, 0, 0, NULL, NULL },
	API_PAGE_FIELDS,
	HTTP_END,
};

static int no_message(struct http_request *q, struct http_response *r)
{
	return http_refuse(q, r, 404, "not_found", "no such message");
}

/* ---- showing ---- */

struct attached {
	struct attachment_row *rows;
	size_t n;
};

static void show_attached(struct buf *out, const struct attached *all, int64_t message)
{
	show_begin(out, "attachments", '[');
	for (size_t i = 0; i < all->n; i++)
		if (all->rows[i].message_id == message)
			api_show_attachment(out, &all->rows[i]);
	show_end(out, ']');
}

/* What is not known yet of a mail that waits to be written, its row in the outbox knows. */
static void show_head(struct buf *out, const struct message_view *v, bool whole)
{
	static const char nothing[] = "\"in_reply_to\":[],\"references\":[],\"to\":[],\"cc\":[]";

	if (whole && !v->m.head && v->recipient) {
		buf_adds(out, ",\"in_reply_to\":[],\"references\":[]");
		show_texts(out, "to", &(struct rec_strs){ 1, (const char *[]){ v->recipient } });
		show_texts(out, "cc", &(struct rec_strs){ 0 });
		return;
	}
	buf_addc(out, ',');
	buf_adds(out, whole && v->m.head ? v->m.head : nothing);
}

static void show_message(struct buf *out, const struct message_view *v, const struct attached *at,
			 bool whole)
{
	const struct message_row *m = &v->m;

	show_begin(out, NULL, '{');
	show_int(out, "id", m->id);
	show_text(out, "direction", m->direction);
	show_text(out, "message_id", m->message_id);
	show_head(out, v, whole);
	show_text(out, "subject", m->subject);
	show_text(out, "from", whole ? m->from_address : NULL);
	show_time(out, "date", m->date_at ? m->date_at : m->created_at);
	show_text(out, "kind", m->kind);
	show_int(out, "trust", m->trust);
	show_id(out, "ticket", m->ticket_id);
	show_id(out, "comment", v->comment_id);
	show_text(out, "mailbox", v->mailbox);
	show_int(out, "size", m->size);
	show_text(out, "state", v->state);
	show_text(out, "smtp_reply", whole ? v->last_reply : NULL);
	show_attached(out, at, m->id);
	show_time(out, "created_at", m->created_at);
	show_end(out, '}');
}

/* ---- lists ---- */

static bool is_mine(const struct message_view *v, const struct rec_strs *addresses, int64_t user)
{
	if (v->recipient_id == user)
		return true;
	for (size_t i = 0; i < addresses->n && v->m.from_address; i++)
		if (strcasecmp(addresses->v[i], v->m.from_address) == 0)
			return true;
	return false;
}

static int show_page(struct api *api, struct http_request *q, struct http_response *r,
		     struct message_filter *f, struct md_err *err)
{
	struct api_page page = page_of(q);
	md_auto(db_read_done_p) struct db_conn *c = NULL;
	int64_t ids[API_PER_PAGE_MAX], total, user = api_by(q)->user.id;
	struct rec_strs mine = { 0 };
	struct attached attached = { 0 };
	struct message_view *rows;
	size_t n;
	int rc = api_read(api, q, &c, err);

	f->behind = page.behind.id;
	f->offset = page.offset;
	f->limit = page.limit;
	if (rc == MD_OK)
		rc = message_list(c, f, q->arena, &rows, &n, &total, err);
	n = rc == MD_OK ? PAGE_ROWS(&page, rows, n, m.id) : 0;
	for (size_t i = 0; i < n; i++)
		ids[i] = rows[i].m.id;
	if (rc == MD_OK)
		rc = attachment_list_of(c, ids, n, q->arena, &attached.rows, &attached.n, err);
	if (rc == MD_OK && f->public_to)
		rc = user_addresses(c, user, q->arena, &mine, err);
	if (rc != MD_OK)
		return rc;
	page_begin(r);
	for (size_t i = 0; i < n; i++)
		show_message(&r->body, &rows[i], &attached,
			     !f->public_to || is_mine(&rows[i], &mine, user));
	page_end(q, r, &page, n, total);
	return MD_OK;
}

/* A Message-ID may be given as it stands in a mail. */
static const char *bare_id(struct http_request *q, const char *id)
{
	size_t n = id ? strlen(id) : 0;

	return n > 2 && id[0] == '<' && id[n - 1] == '>' ? arena_strndup(q->arena, id + 1, n - 2)
							 : id;
}

/* Ids may hold commas: what was given counts as a whole, and in its parts. */
static struct rec_strs read_ids(struct http_request *q)
{
	const char *whole = http_query(q, "message_id");
	struct rec_strs ids = api_query_words(q, "message_id");

	for (size_t i = 0; i < ids.n; i++)
		ids.v[i] = bare_id(q, ids.v[i]);
	if (ids.n > 1)
		ids.v[ids.n++] = bare_id(q, whole);
	return ids;
}

static bool has_too_many(const char *list)
{
	size_t n = 1;

	while (list && (list = strchr(list, ',')) != NULL)
		n++, list++;
	return n > HTTP_WORDS_MAX;
}

int messages_page(void *ctx, struct http_request *q, struct http_response *r, struct md_err *err)
{
	struct message_filter f = { .message_id = read_ids(q),
				    .ticket = api_query_ids(q, "ticket"),
				    .mailbox = api_query_words(q, "mailbox"),
				    .direction = api_query_words(q, "direction"),
				    .kind = api_query_words(q, "kind"),
				    .outcome = api_query_words(q, "outcome") };

	for (size_t i = 0; i < f.kind.n; i++)
		if (message_kind_from_name(f.kind.v[i]) == KIND_COUNT)
			return api_refuse_parameter(q, r, "kind", "is no kind of mail");
	if (has_too_many(http_query(q, "message_id")))
		return api_refuse_parameter(q, r, "message_id", "must have at most 50 values");
	return api_may(q, r, ACTION_SEE_MESSAGES) ? show_page(ctx, q, r, &f, err) : MD_OK;
}

int ticket_messages(void *ctx, struct http_request *q, struct http_response *r, struct md_err *err)
{
	struct message_filter f = { .ticket = { 1, &q->ids[0] } };

	if (!api_allowed(q, ACTION_SEE_MESSAGES))
		f.public_to = api_by(q)->user.id;
	return show_page(ctx, q, r, &f, err);
}

/* ---- one ---- */

int message_get_one(void *ctx, struct http_request *q, struct http_response *r, struct md_err *err)
{
	struct api *api = ctx;
	md_auto(db_read_done_p) struct db_conn *c = NULL;
	struct attached attached = { 0 };
	struct message_view v;
	int rc;

	if (!api_may(q, r, ACTION_SEE_MESSAGES))
		return MD_OK;
	rc = api_read(api, q, &c, err);
	if (rc == MD_OK)
		rc = message_view_get(c, q->ids[0], q->arena, &v, err);
	if (rc == MD_OK)
		rc = attachment_list_of(c, &q->ids[0], 1, q->arena, &attached.rows, &attached.n,
					err);
	if (rc == MD_NOTFOUND)
		return no_message(q, r);
	if (rc == MD_OK)
		show_message(&r->body, &v, &attached, true);
	return rc;
}

/* As a file, never as a page: it is somebody else's HTML. */
int message_raw(void *ctx, struct http_request *q, struct http_response *r, struct md_err *err)
{
	struct api *api = ctx;
	md_auto(db_read_done_p) struct db_conn *c = NULL;
	struct message_row m;
	uint8_t *bytes;
	size_t n;
	int rc;

	if (!api_may(q, r, ACTION_SEE_MESSAGES))
		return MD_OK;
	rc = api_read(api, q, &c, err);
	if (rc == MD_OK)
		rc = message_get(c, q->ids[0], q->arena, &m, err);
	/* Whoever reads a link to set a password may set it. */
	if (rc == MD_NOTFOUND ||
	    (rc == MD_OK && (!m.blob_id || strcmp(m.kind, ACCOUNT_MESSAGE_KIND) == 0)))
		return http_refuse(q, r, 404, "not_found", "no such message, or not its bytes");
	if (rc == MD_OK)
		rc = blob_get(c, m.blob_id, &bytes, &n, err);
	if (rc != MD_OK)
		return rc;
	http_answer_bytes(r, bytes, n, "message/rfc822");
	r->etag = arena_printf(q->arena, "\"%lld\"", (long long)m.id); /* they never change */
	http_disposition(q, r, "attachment",
			 arena_printf(q->arena, "message-%lld.eml", (long long)m.id));
	http_header_add(q, r, "Content-Security-Policy", "sandbox; default-src 'none'");
	return MD_OK;
}
