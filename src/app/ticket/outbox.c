#include <maildesk/app/outbox.h>
#include <maildesk/base/json.h>
#include <maildesk/base/utf8.h>

#include "ticket_priv.h"

#include <stdlib.h>
#include <string.h>

enum { STEP_ARENA_MAX = 4 << 20, DATA_DEPTH = 32, DATA_MAX = 4 << 20 };

/* ---- by hand ---- */

struct step {
	const char *what; /* of the history */
	int (*change)(struct db_conn *c, int64_t id, int64_t now_ms, struct md_err *err);
};

static int change(const struct step *s, const struct work_by *by, struct db_conn *c, int64_t id,
		  struct md_err *err)
{
	md_auto(arena_done) struct arena a = ARENA_INIT(STEP_ARENA_MAX);
	struct outbox_row row;
	int rc = outbox_get(c, id, &a, &row, err);

	if (rc == MD_OK)
		rc = s->change(c, id, by->now_ms, err);
	if (rc != MD_OK || !row.ticket_id)
		return rc;
	const struct history h = {
		.ticket_id = row.ticket_id,
		.actor_id = by->user.id,
		.action = "delivery",
		.old_value = row.recipient,
		.new_value = s->what,
		.source = source_name(by->actor.source),
		.trust = -1,
		.message_id = row.message_id,
		.at = by->now_ms,
	};
	return history_add(c, &h, err);
}

int outbox_do_retry(const struct work_by *by, struct db_conn *c, int64_t id, struct md_err *err)
{
	static const struct step s = { "queued again", outbox_retry };

	return change(&s, by, c, id, err);
}

int outbox_do_cancel(const struct work_by *by, struct db_conn *c, int64_t id, struct md_err *err)
{
	static const struct step s = { "cancelled", outbox_cancel };

	return change(&s, by, c, id, err);
}

/* ---- with the comment it is about ---- */

static int set_body(struct work *w, const struct outbox_row *row, const char *body,
		    struct md_err *err)
{
	md_auto(json_decref_p) json_t *data = NULL;
	md_auto(md_free_p) char *text = NULL;
	json_t *comment;
	int rc = json_read(row->data, strlen(row->data), DATA_DEPTH, &data, err);

	comment = json_object_get(data, "comment");
	if (rc != MD_OK || !json_get_string(comment, "body"))
		return rc; /* a mail that says nothing of it */
	if (json_object_set_new(comment, "body", json_string(body)) != 0 ||
	    !(text = json_dumps(data, JSON_COMPACT)))
		return md_fail(err, MD_NOMEM, 0, "out of memory");
	return outbox_set_data(w->c, row->id, text, err);
}

int work_outbox_edit(struct work *w, int64_t comment, const char *body, struct md_err *err)
{
	struct outbox_row *rows = NULL;
	size_t n = 0;
	int rc = outbox_of_comment(w->c, w->ticket.id, comment, w->arena, &rows, &n, err);

	for (size_t i = 0; i < n && rc == MD_OK; i++)
		rc = set_body(w, &rows[i], body, err);
	return rc;
}

/* ---- that cannot be delivered ---- */

int work_undelivered(struct work *w, const char *address, const char *reply, struct md_err *err)
{
	int rc = work_event(w, "undelivered", 0, NULL, err);

	if (rc != MD_OK)
		return rc;
	w->events[w->n_events - 1].address = address;
	w->events[w->n_events - 1].reply = reply;
	w->touched = true; /* a version of its own, and so mails of their own */
	return MD_OK;
}

int outbox_tell_failure(struct desk *d, struct db_conn *c, struct arena *a,
			const struct outbox_row *row, const char *reply, struct md_err *err)
{
	const struct work_by by = {
		.desk = d,
		.actor = { .role = ROLE_ADMIN, .level = 3, .source = SOURCE_TIMER },
		.channel = "cli",
		.now_ms = clock_wall(d->clock),
		.message = row->message_id,
	};
	struct user to = { .role = "customer" };
	struct work w;
	int rc = MD_OK;

	if (!row->ticket_id)
		return MD_OK;
	if (row->user_id)
		rc = user_get(c, row->user_id, a, &to, err);
	if (rc == MD_OK)
		rc = work_load(&by, c, a, row->ticket_id, &w, err);
	if (rc == MD_NOTFOUND)
		return MD_OK;
	if (rc == MD_OK)
		rc = work_history(&w, "delivery", row->recipient,
				  arena_printf(a, "failed %s", reply), false, err);
	if (rc == MD_OK && strcmp(to.role, "customer") == 0)
		rc = work_undelivered(&w, row->recipient, reply, err);
	return rc == MD_OK ? work_save(&w, err) : rc;
}
