/* The executor of the command language: rows of command.h become changes of work.h, in order; the
 * first refusal ends it, and the caller takes back what was done. */
#include <maildesk/base/utf8.h>

#include "execute_priv.h"

#include <stdlib.h>
#include <string.h>

enum { LINE_SHOWN = 200 }; /* bytes */
static const char not_done[] = "not done, because another was refused";

/* #note and #reply say what the mail's text is; the comment is made by whoever has the text. */
static int say(struct step *s, struct md_err *err)
{
	(void)s;
	(void)err;
	return MD_OK;
}

static const execute_fn run[VERB_COUNT] = {
	[VERB_STATUS] = execute_status,
	[VERB_ASSIGN] = execute_assign,
	[VERB_PRIORITY] = execute_priority,
	[VERB_TAG] = execute_tag,
	[VERB_CATEGORY] = execute_category,
	[VERB_TITLE] = execute_title,
	[VERB_DUE] = execute_due,
	[VERB_SNOOZE] = execute_snooze,
	[VERB_TIME] = execute_time,
	[VERB_FIELD] = execute_field,
	[VERB_NOTE] = say,
	[VERB_REPLY] = say,
	[VERB_CANNED] = execute_canned,
	[VERB_CC] = execute_cc,
	[VERB_WATCH] = execute_watch,
	[VERB_MUTE] = execute_mute,
	[VERB_REQUESTER] = execute_requester,
	[VERB_MERGE] = execute_merge,
	[VERB_UNMERGE] = execute_unmerge,
	[VERB_LINK] = execute_link,
	[VERB_SPLIT] = execute_split,
	[VERB_SPAM] = execute_spam,
	[VERB_DELETE] = execute_delete,
	[VERB_UNDO] = execute_undo,
	[VERB_HELP] = execute_query,
	[VERB_LIST] = execute_query,
	[VERB_SHOW] = execute_query,
	[VERB_SEARCH] = execute_query,
};

/* "resolve" on an open ticket is the mistake everybody makes once: say how it is done. */
static void add_hint(const struct work *w, const struct work_change *ch, struct md_err *err)
{
	const struct workflow_status *to =
		ch->status ? workflow_status(w->by->desk->workflow, ch->status) : NULL;

	if (!err || err->native != WORK_NO_TRANSITION || w->ticket.assignee_id || !to ||
	    to->phase != PHASE_RESOLVED)
		return;
	md_wrap(err, err->code, "take it first, [take; resolve]");
}

int execute_one(struct work *w, const struct command *cmd, const char **ret_result,
		struct md_err *err)
{
	struct step s = { .w = w, .cmd = cmd, .ch = WORK_CHANGE_NONE };
	enum policy_action action = cmd->row->action;
	int rc = MD_OK;

	if (action == ACTION_SET_REQUESTER)
		action = work_requester_action(w);

	if (!command_is_query(cmd->row)) {
		if (!w->ticket.id)
			return work_refuse(err, MD_INPUT, WORK_BAD_VALUE,
					   "for which ticket? put [#N] into the subject");
		rc = cmd->row->verb == VERB_UNMERGE ? work_ask_frozen(w, action, err)
						    : work_ask(w, action, err);
	}
	if (rc == MD_OK)
		rc = run[cmd->row->verb](&s, err);
	if (rc == MD_OK && s.changes)
		rc = work_change(w, &s.ch, err);
	if (rc != MD_OK)
		add_hint(w, &s.ch, err);
	*ret_result = s.result ? s.result : "done";
	return rc;
}

int execute_flush(struct work *w, struct md_err *err)
{
	int rc = work_save(w, err);

	w->before = w->ticket;
	w->n_events = 0;
	w->created = w->touched = w->customer_wrote = w->agent_replied = false;
	return rc;
}

int execute_reload(struct work *w, struct md_err *err)
{
	struct work fresh;
	int rc;

	/* Numbers and pointers without padding: what differs was set, if only to the same again. */
	if (!w->ticket.id || w->touched || memcmp(&w->ticket, &w->before, sizeof w->ticket) != 0)
		return MD_OK;
	rc = work_load(w->by, w->c, w->arena, w->ticket.id, &fresh, err);
	if (rc != MD_OK)
		return rc;
	w->ticket = w->before = fresh.ticket;
	w->participants = fresh.participants;
	w->n_participants = fresh.n_participants;
	work_see(w);
	return MD_OK;
}

/* ---- the transcript ---- */

/* A line as it is shown again: nobody needs the whole of a long one. */
static const char *shown(struct arena *a, const char *line)
{
	size_t n = strlen(line), cut = utf8_cut(line, n, LINE_SHOWN);

	return cut == n ? line : arena_printf(a, "%.*s...", (int)cut, line);
}

static void add_line(struct work *w, const char *line, const char *reason, bool ok)
{
	w->lines[w->n_lines++] = (struct work_line){ shown(w->arena, line), reason, ok };
}

static void add_all(struct work *w, const struct command_refusal *v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		add_line(w, v[i].line, v[i].reason, false);
}

/* All of them on one ticket, told in the lines of `teller`; among several tickets each line says
 * which, and questions are answered once. */
static int run_list(struct work *w, struct work *teller, const struct command_list *list,
		    bool among_several, struct md_err *err)
{
	bool first = teller->n_lines == 0;
	int rc = MD_OK;

	for (size_t i = 0; i < list->count && rc == MD_OK; i++) {
		const struct command *cmd = &list->commands[i];
		const char *line = cmd->line, *result = NULL;
		struct md_err why = { 0 };

		if (among_several && command_is_query(cmd->row) && !first)
			continue;
		if (among_several)
			line = arena_printf(w->arena, "#%lld: %s", (long long)w->ticket.id, line);
		rc = execute_one(command_is_query(cmd->row) ? teller : w, cmd, &result, &why);
		if (rc != MD_OK)
			result = arena_strdup(w->arena, why.text);
		add_line(teller, line ? line : "", result ? result : "", rc == MD_OK);
		if (rc != MD_OK && err)
			*err = why;
	}
	return rc;
}

/* One of the tickets that the mail names: it may be the one that it is about. */
static int run_on(struct work *w, const struct command_list *list, int64_t ticket,
		  struct md_err *err)
{
	bool among_several = list->ticket_count > 1;
	struct work other;
	int rc;

	if (ticket == w->ticket.id) {
		rc = among_several ? work_ask(w, ACTION_BULK, err) : MD_OK;
		return rc == MD_OK ? run_list(w, w, list, among_several, err) : rc;
	}
	rc = work_open(w->by, w->c, w->arena, ticket, &other, err);
	if (rc == MD_OK && among_several)
		rc = work_ask(&other, ACTION_BULK, err);
	if (rc == MD_OK)
		rc = run_list(&other, w, list, among_several, err);
	if (rc == MD_OK && other.canned)
		w->canned = other.canned;
	if (rc == MD_OK)
		rc = work_save(&other, err);
	return rc == MD_OK ? execute_reload(w, err) : rc;
}

static int run_all(struct work *w, const struct command_list *list, struct md_err *err)
{
	int rc = MD_OK;

	if (list->ticket_count == 0)
		return run_list(w, w, list, false, err);
	for (size_t i = 0; i < list->ticket_count && rc == MD_OK; i++) {
		size_t before = w->n_lines;
		struct md_err why = { 0 };

		rc = run_on(w, list, list->tickets[i], &why);
		/* refused before any command was looked at */
		if (rc != MD_OK && (w->n_lines == before || w->lines[w->n_lines - 1].ok))
			add_line(w, arena_printf(w->arena, "#%lld", (long long)list->tickets[i]),
				 arena_strdup(w->arena, why.text), false);
		if (rc != MD_OK && err)
			*err = why;
	}
	return rc;
}

int work_commands(struct work *w, const struct command_list *list, struct md_err *err)
{
	size_t tickets = list->ticket_count ? list->ticket_count : 1;
	int rc = MD_OK;

	w->lines = arena_array(w->arena,
			       tickets * (list->count + 1) + list->refusal_count +
				       list->leftover_count,
			       sizeof *w->lines);
	w->n_lines = 0;
	w->answers = w->canned = NULL;
	if (!w->lines)
		return md_fail(err, MD_NOMEM, 0, "out of memory");
	add_all(w, list->refusals, list->refusal_count);
	if (list->refusal_count) {
		rc = work_refuse(err, MD_INPUT, WORK_BAD_VALUE, list->refusals[0].reason);
		for (size_t i = 0; i < list->count; i++)
			add_line(w, list->commands[i].line, not_done, false);
	} else {
		rc = run_all(w, list, err);
	}
	for (size_t i = 0; i + 1 < w->n_lines && rc != MD_OK; i++)
		if (w->lines[i].ok)
			w->lines[i] = (struct work_line){ w->lines[i].line, not_done, false };
	/* Words in the place of commands fail nothing, but are mentioned. */
	if (rc == MD_OK)
		add_all(w, list->leftovers, list->leftover_count);
	if (w->arena->failed)
		return md_fail(err, MD_NOMEM, 0, "out of memory");
	return rc;
}

void work_none(const struct work_by *by, struct db_conn *c, struct arena *a, struct work *ret)
{
	*ret = (struct work){ .by = by, .c = c, .arena = a };
	/* tells apart the mails about no ticket */
	ret->ticket.version = by->message;
	ret->who = policy_who(&by->actor, NULL);
}

int work_transcript(struct work *w, struct md_err *err)
{
	w->touched = true; /* another version, another Message-ID: it is no answer to a comment */
	return work_event(w, "transcript", 0, NULL, err);
}
