/* The clocks of a ticket, each second of them explained. */
#include "api_private.h"

#include <maildesk/app/clock_story.h>

enum { SECOND_MS = 1000 };

static void show_lines(struct buf *out, const struct clock_story *s)
{
	const char *code, *about;

	show_begin(out, "explain", '[');
	for (size_t i = 0; i < s->n_lines; i++) {
		show_begin(out, NULL, '{');
		show_time(out, "from", s->lines[i].from_ms);
		show_time(out, "to", s->lines[i].to_ms);
		show_bool(out, "counted", s->lines[i].counted);
		code = clock_line_code(s->lines[i].why, &about);
		show_text(out, "why", s->lines[i].why);
		show_text(out, "code", code);
		show_text(out, "about", about);
		show_end(out, '}');
	}
	show_end(out, ']');
}

static void show_clock(struct buf *out, const struct clock_story *s)
{
	const struct clock_row *k = &s->row;

	show_begin(out, NULL, '{');
	show_text(out, "metric", k->metric);
	show_int(out, "cycle", k->cycle);
	show_text(out, "policy", k->policy);
	show_text(out, "state", k->state);
	show_time(out, "started_at", k->started_at);
	show_int(out, "target", k->target_ms / SECOND_MS);
	show_int(out, "used", s->used_ms / SECOND_MS);
	show_int(out, "rest", s->rest_ms / SECOND_MS);
	show_time(out, "due", k->due_at);
	show_time(out, "breached_at", k->breached_at);
	show_lines(out, s);
	show_end(out, '}');
}

int ticket_sla(void *ctx, struct http_request *q, struct http_response *r, struct md_err *err)
{
	struct api *api = ctx;
	const struct work *w = q->found;
	md_auto(db_read_done_p) struct db_conn *c = NULL;
	struct clock_story *stories = NULL;
	size_t n = 0;
	int rc = api_read(api, q, &c, err);

	if (rc == MD_OK)
		rc = clock_stories(api->desk, c, &w->ticket, q->now_ms, q->arena, &stories, &n,
				   err);
	if (rc != MD_OK)
		return rc;
	show_begin(&r->body, NULL, '{');
	show_int(&r->body, "ticket", w->ticket.id);
	show_begin(&r->body, "clocks", '[');
	for (size_t i = 0; i < n; i++)
		show_clock(&r->body, &stories[i]);
	show_end(&r->body, ']');
	show_end(&r->body, '}');
	return MD_OK;
}
