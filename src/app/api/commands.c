/* The command language: on one ticket with a transcript, or on many with a result for each. */
#include "api_private.h"

#include <maildesk/base/utf8.h>

#include <string.h>

enum { STEP_MAX = 32 << 20, TEXT_MAX = 1 << 20 };

struct command_step {
	struct http_request *q;
	struct arena arena; /* of one run of the transaction */
	struct work w;
	int64_t ticket;
	const char *text;
	bool dry_run;
	bool guarded, conflict; /* by a version; which is another */
	bool ok;                /* all was done, or would have been */
	bool looked;            /* the commands were looked at: what was refused is their answer */
};

static int commands_in_txn(struct db_conn *c, void *ctx, struct md_err *err)
{
	struct command_step *s = ctx;
	int64_t comment;
	int rc;

	arena_reset(&s->arena);
	s->ok = s->looked = false;
	rc = work_open(api_by(s->q), c, &s->arena, s->ticket, &s->w, err);
	if (rc != MD_OK)
		return rc;
	s->conflict = s->guarded && !api_wants_version(s->q, s->ticket, s->w.ticket.version);
	if (s->conflict)
		return md_fail(err, MD_CONFLICT, 0, "another version");
	rc = work_box(&s->w, s->text, NULL, &comment, err);
	s->looked = rc == MD_OK || rc == MD_INPUT || rc == MD_REFUSED || rc == MD_CONFLICT ||
		    rc == MD_NOTFOUND;
	if (rc == MD_OK)
		rc = work_save(&s->w, err);
	s->ok = rc == MD_OK;
	/* what was tried is taken back */
	return rc == MD_OK && s->dry_run ? md_fail(err, MD_REFUSED, 0, "a dry run") : rc;
}

/* MD_OK when the step has an answer, refused or done. */
static int run(struct api *api, struct command_step *s, bool is_part, struct md_err *err)
{
	struct md_err why = { 0 };
	int rc = is_part ? api_txn_part(api, s->q, s->ticket, commands_in_txn, s, &why)
			 : api_txn(api, s->q, commands_in_txn, s, NULL, &why);

	s->ok = s->ok || rc == MD_OK; /* also when it was done the last time */
	if (rc == MD_OK)
		work_done(api->desk);
	if (rc == MD_OK || (s->looked && (s->ok ? s->dry_run : rc != MD_BROKEN && rc != MD_AGAIN)))
		return MD_OK;
	if (err)
		*err = why;
	return rc;
}

static int clean_text(const struct http_request *q, struct buf *out, struct md_err *err)
{
	const char *text = json_get_string(q->json, "text");

	utf8_clean_text(out, text, strlen(text));
	return out->status == MD_OK ? MD_OK : md_fail(err, MD_NOMEM, 0, "out of memory");
}

void api_show_lines(struct buf *out, const struct work *w)
{
	show_begin(out, "lines", '[');
	for (size_t i = 0; i < w->n_lines; i++) {
		show_begin(out, NULL, '{');
		show_text(out, "line", w->lines[i].line);
		show_bool(out, "ok", w->lines[i].ok);
		show_text(out, "reason", w->lines[i].reason);
		show_reason(out, w->lines[i].reason);
		show_end(out, '}');
	}
	show_end(out, ']');
}

/* The ticket as it is now; null when it is gone for the caller, as after #delete. */
static int show_present(struct api *api, struct http_request *q, struct buf *out,
			struct md_err *err)
{
	size_t before = out->len;
	int rc;

	show_raw(out, "ticket", "");
	rc = api_show_ticket(api, q, q->ids[0], out, NULL, err);
	if (rc != MD_NOTFOUND)
		return rc;
	buf_cut(out, before);
	show_null(out, "ticket");
	return MD_OK;
}

int ticket_commands(void *ctx, struct http_request *q, struct http_response *r, struct md_err *err)
{
	md_auto(buf_done) struct buf text = BUF_INIT(TEXT_MAX);
	struct command_step s = { .q = q,
				  .arena = ARENA_INIT(STEP_MAX),
				  .ticket = q->ids[0],
				  .guarded = true,
				  .dry_run = json_is_true(json_object_get(q->json, "dry_run")) };
	struct buf *out = &r->body;
	int rc = clean_text(q, &text, err);

	s.text = buf_str(&text);
	if (rc == MD_OK)
		rc = run(ctx, &s, false, err);
	if (rc == MD_CONFLICT && s.conflict)
		rc = api_version_conflict(ctx, q, r, q->ids[0], err);
	else if (rc == MD_OK) {
		show_begin(out, NULL, '{');
		show_bool(out, "ok", s.ok);
		api_show_lines(out, &s.w);
		if (s.ok && s.w.answers)
			show_raw(out, "answers", arena_printf(q->arena, "[%s]", s.w.answers));
		rc = show_present(ctx, q, out, err);
		show_end(out, '}');
	}
	arena_done(&s.arena);
	return rc;
}

/* ---- many tickets ---- */

/* Why it was refused: the last line says so. */
static const char *message_of(const struct command_step *s, int rc, const struct md_err *why)
{
	if (rc != MD_OK)
		return rc == MD_NOTFOUND || rc == MD_REFUSED || rc == MD_INPUT || rc == MD_CONFLICT
			       ? why->text
			       : "the desk cannot do that now; try again later";
	return s->ok || s->w.n_lines == 0 ? NULL : s->w.lines[s->w.n_lines - 1].reason;
}

static void run_one(struct api *api, struct http_request *q, struct buf *out, int64_t ticket,
		    const char *text)
{
	struct command_step s = {
		.q = q, .arena = ARENA_INIT(STEP_MAX), .ticket = ticket, .text = text
	};
	struct md_err why = { 0 };
	int rc = run(api, &s, true, &why);
	const char *message = message_of(&s, rc, &why);

	show_begin(out, NULL, '{');
	show_int(out, "id", ticket);
	show_bool(out, "ok", rc == MD_OK && s.ok);
	show_text(out, "message", message);
	show_reason(out, message);
	show_end(out, '}');
	arena_done(&s.arena);
}

int tickets_bulk(void *ctx, struct http_request *q, struct http_response *r, struct md_err *err)
{
	md_auto(buf_done) struct buf text = BUF_INIT(TEXT_MAX);
	const json_t *ids = json_object_get(q->json, "ids");
	struct buf *out = &r->body;
	int rc = clean_text(q, &text, err);

	if (rc != MD_OK)
		return rc;
	show_begin(out, NULL, '{');
	show_begin(out, "results", '[');
	for (size_t i = 0; i < json_array_size(ids); i++)
		run_one(ctx, q, out, json_integer_value(json_array_get(ids, i)), buf_str(&text));
	show_end(out, ']');
	show_end(out, '}');
	return MD_OK;
}
