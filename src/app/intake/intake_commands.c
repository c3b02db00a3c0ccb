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

/* Nothing of the subject is run; the tickets it names then count no more. */
static void drop_subject(struct command_list *list)
{
	size_t kept = 0;

	for (size_t i = 0; i < list->count; i++)
		if (!list->commands[i].in_subject)
			list->commands[kept++] = list->commands[i];
	list->count = kept;
	list->leftover_count = 0;
	if (kept == 0)
		list->ticket_count = 0;
}

/* An answer brings its parent's subject along: a block that was run there is an echo here. */
static int drop_echo(struct intake *in, const struct command_input *as, struct md_err *err)
{
	struct command_list *list = &in->list;
	struct command_input input = *as;
	struct command_list before;
	struct message_row parent;
	struct decision d;
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
	drop_subject(list);
	return MD_OK;
}

/* What others wrote into a subject is no command of whoever answers or passes it on: a title that
 * looks like one comes back with our tag, a forward brings its old subject along. */
static int drop_planted(struct intake *in, struct md_err *err)
{
	struct command_list *list = &in->list;
	const char *old = in->m->is_forward ? in->m->forwarded_subject : NULL;
	struct ticket t = { 0 };
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
	drop_subject(list);
	list->subject = in->m->subject;
	return MD_OK;
}

/* Words in the place of commands, and no command beside them: an agent who answers a ticket is told
 * that they were none, unless they came with its title. */
static int drop_words(struct intake *in, struct md_err *err)
{
	struct command_list *list = &in->list;
	struct ticket t = { 0 };
	bool mean_it = in->f.is_staff && in->route.outcome == ROUTE_COMMENT;
	int rc = MD_OK;

	if (list->subject_block[0] || list->leftover_count == 0)
		return MD_OK;
	if (mean_it)
		rc = ticket_get(in->c, in->route.ticket, in->a, &t, err);
	for (size_t i = 0; i < list->leftover_count; i++)
		mean_it &= t.title && !strstr(t.title, list->leftovers[i].line);
	if (!mean_it)
		list->leftover_count = 0;
	return rc;
}

/* "[#1 #2]" without commands is a comment on the first, and links the others to it. */
static int link_the_rest(struct intake *in, struct md_err *err)
{
	struct command_list *list = &in->list;

	if (list->count || list->refusal_count || list->ticket_count < 2 || !in->f.is_staff ||
	    in->route.outcome != ROUTE_COMMENT || in->route.ticket != list->tickets[0])
		return MD_OK;
	for (size_t i = 1; i < list->ticket_count && i < COMMAND_MAX; i++)
		list->commands[list->count++] = (struct command){
			.row = command_find("link", strlen("link")),
			.args = "",
			.numbers = &list->tickets[i],
			.number_count = 1,
			.key = "relates",
			.line = arena_printf(in->a, "link #%lld", (long long)list->tickets[i]),
			.in_subject = true,
		};
	list->ticket_count = 0;
	return in->a->failed ? md_fail(err, MD_NOMEM, 0, "out of memory") : MD_OK;
}

/* "#on 12": the mail is about that ticket, if there is one for them. */
static void lead_to_ticket(struct intake *in)
{
	struct work w;

	if (in->route.outcome != ROUTE_NEW || in->list.ticket_count == 0 ||
	    work_open(&in->by, in->c, in->a, in->list.tickets[0], &w, NULL) != MD_OK ||
	    w.ticket.merged_into)
		return;
	in->route.outcome = ROUTE_COMMENT;
	in->route.ticket = w.ticket.id;
	in->route.evidence = evidence_of(EVIDENCE_NAMED_BY_ON, NULL);
}

static bool asks_only(const struct command_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		if (!command_is_query(list->commands[i].row))
			return false;
	return true;
}

static bool asks(const struct command_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		if (command_is_query(list->commands[i].row))
			return true;
	return false;
}

/* A subject that names a ticket which is not there, or not for them: its commands are for that one,
 * and not for the new ticket that the mail may open. Both are refused in the same words. */
static int aim_at_missing(struct intake *in, struct md_err *err)
{
	const struct route_decision *r = &in->route;
	const struct route_hit *hit = in->f.hits, *end = hit + in->f.n_hits;
	struct command_list *list = &in->list;
	int64_t ticket = command_ticket_tag(in->m->subject, in->d->config->desk.subject_tag);

	while (hit < end && hit->rule != RULE_SUBJECT)
		hit++;
	if (hit == end || !ticket || list->ticket_count || asks_only(list) ||
	    !(r->rule == RULE_NONE ? !hit->has_ticket
				   : r->rule == RULE_SUBJECT && !hit->ticket.sender_on_ticket))
		return MD_OK;
	list->tickets = arena_copy(in->a, &ticket, sizeof ticket);
	list->ticket_count = 1;
	return list->tickets ? MD_OK : md_fail(err, MD_NOMEM, 0, "out of memory");
}

struct command_input intake_command_input(const struct intake *in)
{
	return (struct command_input){
		.subject = in->m->subject,
		.text = in->m->reply_text,
		.tag_format = in->d->config->desk.subject_tag,
		.mode = command_subjects_from_name(in->d->config->desk.subject_commands),
		.is_staff = in->f.is_staff,
		.fields = work_field_names(in->d, in->a),
	};
}

int intake_parse_commands(struct intake *in, struct md_err *err)
{
	const struct command_input input = intake_command_input(in);
	int rc;

	in->commands = in->f.user.id && !in->f.automatic && in->f.trust.level >= TRUST_VERIFIED &&
		       in->route.outcome != ROUTE_COMMENT_HELD;
	if (!in->commands)
		return MD_OK;
	rc = command_parse(&input, in->a, &in->list, err);
	if (rc == MD_OK)
		rc = drop_planted(in, err);
	if (rc == MD_OK)
		rc = drop_words(in, err);
	if (rc == MD_OK)
		rc = drop_echo(in, &input, err);
	if (rc == MD_OK)
		lead_to_ticket(in);
	if (rc == MD_OK)
		rc = aim_at_missing(in, err);
	if (rc == MD_OK)
		rc = link_the_rest(in, err);
	/* What proves the sender is a token whose commands were run: once more, and they are asked.
	 */
	if (rc == MD_OK && !asks_only(&in->list) && in->f.proof_ran &&
	    in->f.trust.auth != AUTH_PASS && in->f.trust.level < TRUST_CONFIRMED)
		in->confirm = in->refused = true;
	return rc;
}

bool intake_only_asks(const struct intake *in)
{
	const struct command_list *list = &in->list;

	if (!in->commands || list->body[0] || in->m->attachments.n ||
	    (in->route.outcome != ROUTE_NEW && in->route.outcome != ROUTE_NEW_LINKED) ||
	    list->count + list->refusal_count == 0)
		return false;
	/* A subject with a command that went wrong may still be the matter of a new ticket. */
	for (size_t i = 0; i < list->refusal_count; i++)
		if (list->refusals[i].in_subject)
			return false;
	return list->ticket_count || asks_only(list);
}

bool intake_has_commands(const struct intake *in)
{
	const struct command_list *list = &in->list;

	return in->commands && (list->count || list->refusal_count || list->leftover_count);
}

bool intake_ends_ticket(const struct intake *in)
{
	for (size_t i = 0; i < in->list.count && in->commands && !in->refused; i++)
		switch (in->list.commands[i].row->verb) {
		case VERB_MERGE:
		case VERB_SPAM:
		case VERB_DELETE:
			return true;
		default:
			break;
		}
	return false;
}

int intake_run_commands(struct intake *in, struct work *w, struct md_err *err)
{
	const char *when = in->d->config->desk.transcript;
	bool told = asks(&in->list) || strcmp(when, "always") == 0;
	int rc = MD_OK;

	if (!in->commands || in->confirm)
		return MD_OK;
	if (in->refused) {
		w->lines = in->lines;
		w->n_lines = in->n_lines;
		return told || strcmp(when, "never") != 0 ? work_transcript(w, err) : MD_OK;
	}
	if (intake_has_commands(in)) {
		rc = work_commands(w, &in->list, err);
		in->lines = w->lines;
		in->n_lines = w->n_lines;
	}
	if (rc != MD_OK || !in->n_lines)
		return rc;
	told = told || (strcmp(when, "errors") == 0 && !in->lines[in->n_lines - 1].ok);
	return told ? work_transcript(w, err) : MD_OK;
}

const char *intake_body(const struct intake *in, const char *canned)
{
	if (!in->commands || in->refused)
		return in->m->reply_text;
	if (!canned)
		return in->list.body;
	return in->list.body[0] ? arena_printf(in->a, "%s\n\n%s", in->list.body, canned) : canned;
}
