/* Marking on the server what the desk has: seen, moved or deleted, as the configuration says. */
#include "fetch_private.h"

#include <maildesk/base/fault.h>
#include <maildesk/base/log.h>

#include <stdlib.h>
#include <string.h>

enum {
	MARK_RETRY_MS = 60 * 1000,
	MARKS_MAX = 2000, /* by one command */
};

static int say_marked(struct session *s, const uint32_t *uids, size_t n, struct md_err *err)
{
	struct frame_uid *list = md_calloc(n, sizeof *list);
	struct outgoing *o = list ? session_say(s, FRAME_MARKED) : NULL;

	if (!o) {
		free(list);
		return md_fail(err, MD_NOMEM, 0, "out of memory");
	}
	for (size_t i = 0; i < n; i++)
		list[i].uid = uids[i];
	o->memory = list;
	o->uids = (struct frame_uids){ .mailbox = s->id,
				       .uidvalidity = s->uidvalidity,
				       .uids = { n, list } };
	return MD_OK;
}

static int compare(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

static int mark_refused(struct session *s, int rc, struct md_err *err)
{
	struct log_ctx ctx = session_log_ctx(s);

	md_wrap(err, rc, "mails cannot be marked (%s)", s->settings->box.after);
	s->mark_at_ms = session_now_ms() + MARK_RETRY_MS;
	log_warn(&ctx, "%s", err->text);
	session_say_state(s, "ok", err->text, MARK_RETRY_MS);
	return MD_OK;
}

int session_make_marks(struct session *s, struct md_err *err)
{
	size_t done = 0;
	int rc = MD_OK;

	if (!s->owed.n || session_now_ms() < s->mark_at_ms)
		return MD_OK;
	qsort(s->owed.v, s->owed.n, sizeof *s->owed.v, compare);
	while (rc == MD_OK && done < s->owed.n) {
		const uint32_t *uids = s->owed.v + done;
		size_t n = s->owed.n - done < MARKS_MAX ? s->owed.n - done : MARKS_MAX;

		rc = s->read_only ? md_fail(err, MD_REFUSED, 0, "the folder is read-only")
				  : imap_mark(s->imap, uids, n, s->settings->box.after, err);
		if (rc == MD_OK) {
			fault_point("marked");
			rc = say_marked(s, uids, n, err);
			done += n;
		}
	}
	s->owed.n -= done;
	if (done)
		memmove(s->owed.v, s->owed.v + done, s->owed.n * sizeof *s->owed.v);
	return rc == MD_REFUSED || rc == MD_BROKEN ? mark_refused(s, rc, err) : rc;
}
