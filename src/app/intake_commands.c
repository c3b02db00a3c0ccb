/* The commands of a mail that may be run: of who is proven, and not brought back by an answer. */
#include <maildesk/base/json.h>
#include <maildesk/store/messages.h>

#include "intake_priv.h"

#include <string.h>

/* Did the mail do all that its subject asked for? `lines` as in its decision: subject first. */
static bool all_done(const struct command_list *list, const char *lines)
{
	md_auto(json_decref_p) json_t *all = NULL;

	if (json_read(lines, strlen(lines), 4, &all, NULL) != MD_OK)
		return false;
	for (size_t i = 0; i < list->count; i++)
		if (!json_is_true(json_object_get(json_array_get(all, i), "ok")))
			return false;
	return true;
}

/* An answer brings its parent's subject along: a block that was run there is an echo here. */
static int drop_echo(struct intake *in, const struct command_input *as, struct md_err *err)
{
	struct command_list *list = &in->list;
	struct command_input input = *as;
	struct command_list before;
	struct message_row parent;
	struct decision d;
	size_t kept = 0;
	int rc;

	if (!list->subject_block[0] || !in->m->in_reply_to.n)
		return MD_OK;
	rc = message_received(in->c, in->m->in_reply_to.v[0], in->a, &parent, err);
	if (rc == MD_OK)
		rc = decision_get(in->c, parent.id, in->a, &d, err);
	if (rc == MD_OK) {
		input.subject = parent.subject;
		input.text = NULL;
		rc = command_parse(&input, in->a, &before, err);
	}
	if (rc != MD_OK)
		return rc == MD_NOTFOUND ? MD_OK : rc;
	if (strcmp(before.subject_block, list->subject_block) != 0 ||
	    !all_done(&before, d.commands))
		return MD_OK;
	for (size_t i = 0; i < list->count; i++)
		if (!list->commands[i].in_subject)
			list->commands[kept++] = list->commands[i];
	list->count = kept;
	list->leftover_count = 0;
	return MD_OK;
}

/* What others wrote into a subject is no command of whoever answers or passes it on: a title that
 * looks like one comes back with our tag, a forward brings its old subject along. */
static int drop_planted(struct intake *in, struct md_err *err)
{
	struct command_list *list = &in->list;
	const char *old = in->m->is_forward ? in->m->forwarded_subject : NULL;
	struct ticket t = { 0 };
	size_t kept = 0;
	int rc = MD_OK;

	if (!list->subject_block[0])
		return MD_OK;
	if (in->route.outcome == ROUTE_COMMENT)
		rc = ticket_get(in->c, in->route.ticket, in->a, &t, err);
	if (rc != MD_OK)
		return rc;
	if (!(t.title && strstr(t.title, list->subject_block)) &&
	    !(old && strstr(old, list->subject_block)))
		return MD_OK;
	for (size_t i = 0; i < list->count; i++)
		if (!list->commands[i].in_subject)
			list->commands[kept++] = list->commands[i];
	list->count = kept;
	list->leftover_count = 0;
	list->subject = in->m->subject;
	return MD_OK;
}

int intake_parse_commands(struct intake *in, struct md_err *err)
{
	const struct command_input input = {
		.subject = in->m->subject,
		.text = in->m->reply_text,
		.tag_format = in->d->config->desk.subject_tag,
		.mode = command_subjects_from_name(in->d->config->desk.subject_commands),
		.is_staff = in->f.is_staff,
	};
	int rc;

	in->commands = in->f.user.id && !in->f.automatic && in->f.trust.level >= TRUST_VERIFIED &&
		       in->route.outcome != ROUTE_COMMENT_HELD;
	if (!in->commands)
		return MD_OK;
	rc = command_parse(&input, in->a, &in->list, err);
	if (rc == MD_OK)
		rc = drop_planted(in, err);
	if (rc == MD_OK)
		rc = drop_echo(in, &input, err);
	/* What proves the sender is a token whose commands were run: once more, and they are asked.
	 */
	if (rc == MD_OK && in->list.count && in->f.proof_ran && in->f.trust.auth != AUTH_PASS &&
	    in->f.trust.level < TRUST_CONFIRMED)
		in->confirm = in->refused = true;
	return rc;
}
