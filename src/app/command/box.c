/* Commands from a box or the API: the same executor, on one ticket, without a mail around them. */
#include "execute_priv.h"

#include <string.h>

static int parse(struct work *w, const char *text, struct command_list *ret, struct md_err *err)
{
	const struct desk *d = w->by->desk;
	const struct command_input in = { .text = text,
					  .tag_format = d->config->desk.subject_tag,
					  .fields = work_field_names(d, w->arena) };
	int rc = command_parse_box(&in, w->arena, ret, err);

	/* a refusal in the transcript, as all others */
	if (rc == MD_OK && ret->ticket_count)
		ret->refusals[ret->refusal_count++] =
			(struct command_refusal){ "on", "these commands are for one ticket",
						  false };
	return rc;
}

int work_box(struct work *w, const char *text, struct work_comment *said, int64_t *ret_comment,
	     struct md_err *err)
{
	struct work_comment m = { 0 };
	struct command_list list;
	int rc = parse(w, text, &list, err);

	if (rc == MD_OK && said && list.comment != COMMENT_BY_DEFAULT)
		list.refusals[list.refusal_count++] =
			(struct command_refusal){ list.comment == COMMENT_NOTE ? "note" : "reply",
						  "the comment has a text of its own", false };
	if (rc == MD_OK)
		rc = work_commands(w, &list, err);
	if (rc != MD_OK)
		return rc;
	if (said)
		m = *said;
	else
		m = (struct work_comment){ .body = list.body,
					   .is_internal = list.comment == COMMENT_NOTE };
	if (w->canned)
		m.body = m.body[0] ? arena_printf(w->arena, "%s\n\n%s", m.body, w->canned)
				   : w->canned;
	if (!m.body)
		return md_fail(err, MD_NOMEM, 0, "out of memory");
	return m.body[0] ? work_comment(w, &m, ret_comment, err) : MD_OK;
}
