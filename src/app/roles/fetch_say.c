/* What a session says to the desk. */
#include "fetch_private.h"

#include <maildesk/base/utf8.h>

#include <string.h>

enum { ERROR_MAX = 900 }; /* bytes of a report */

struct outgoing *session_say(struct session *s, enum frame_type type)
{
	struct outgoing *o = md_calloc(1, sizeof *o);

	if (!o)
		return NULL;
	o->type = type;
	o->fd = -1;
	*s->out_end = o;
	s->out_end = &o->next;
	return o;
}

void session_say_state(struct session *s, const char *state, const char *error, int64_t retry_ms)
{
	md_auto(buf_done) struct buf clean = BUF_INIT(4 * sizeof((struct md_err){ 0 }.text));
	struct outgoing *o;

	if (!error && s->state && strcmp(s->state, state) == 0)
		return;
	utf8_clean_line(&clean, error ? error : "",
			error ? strlen(error) : 0); /* a server's words */
	buf_cut(&clean, utf8_cut(buf_str(&clean), clean.len, ERROR_MAX));
	o = session_say(s, FRAME_STATE);
	if (!o)
		return; /* only a report; the next one will do */
	o->memory = error ? buf_steal(&clean) : NULL;
	o->state = (struct frame_state){
		.mailbox = s->id, .state = state, .error = o->memory, .retry_ms = retry_ms
	};
	s->state = error && strcmp(state, "ok") == 0 ? NULL : state;
}

int session_say_selected(struct session *s, const struct imap_folder *f, struct md_err *err)
{
	const char *since = s->settings->box.since;
	uint32_t first = 1;
	int rc = *since ? imap_first_since(s->imap, since, &first, err) : MD_OK;
	struct outgoing *o = rc == MD_OK ? session_say(s, FRAME_SELECTED) : NULL;

	if (rc != MD_OK)
		return rc;
	if (!o)
		return md_fail(err, MD_NOMEM, 0, "out of memory");
	o->selected = (struct frame_selected){ .mailbox = s->id,
					       .uidvalidity = f->uidvalidity,
					       .uidnext = f->uidnext,
					       .exists = f->exists,
					       .first = first ? first : f->uidnext };
	return MD_OK;
}
