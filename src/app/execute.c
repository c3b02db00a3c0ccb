/* The executor of the command language: one row of command.h is one change of work.h. */
#include <maildesk/base/utf8.h>

#include "work_priv.h"

#include <stdlib.h>
#include <string.h>

enum { LINE_SHOWN = 200 }; /* bytes */

static int find_assignee(struct work *w, const char *word, int64_t *ret, struct md_err *err);

static int run_status(struct work *w, const struct command *cmd, struct work_change *ch,
		      struct md_err *err)
{
	const struct workflow *wf = w->by->desk->workflow;
	md_auto(buf_done) struct buf names = BUF_INIT(1000);
	const char *word = cmd->row->preset ? cmd->row->preset : cmd->args;

	ch->status = workflow_target(wf, word);
	if (!ch->status) {
		for (size_t i = 0; i < wf->status_count; i++)
			buf_addf(&names, "%s%s", i ? ", " : "", wf->statuses[i].name);
		return md_fail(err, MD_INPUT, WORK_BAD_VALUE, "no status \"%s\"; there are: %s",
			       word, buf_str(&names));
	}
	/* Asked for by name, staying is no move: it is refused with what is possible. */
	if (strcmp(ch->status, w->ticket.status) == 0) {
		int rc = workflow_move(wf, w->ticket.status, ch->status, w->who,
				       w->ticket.assignee_id != 0, err);

		if (rc != MD_OK && err)
			err->native = WORK_NO_TRANSITION;
		return rc;
	}
	return MD_OK;
}

static int run_assign(struct work *w, const struct command *cmd, struct work_change *ch,
		      struct md_err *err)
{
	ch->set_assignee = true;
	return find_assignee(w, cmd->row->preset ? cmd->row->preset : cmd->args, &ch->assignee,
			     err);
}

static int run_priority(struct work *w, const struct command *cmd, struct work_change *ch,
			struct md_err *err)
{
	(void)w;
	ch->priority = work_priority_from_name(cmd->args);
	if (ch->priority < 0)
		return work_refuse(err, MD_INPUT, WORK_BAD_VALUE,
				   "priority is low, medium, high or critical");
	return MD_OK;
}

static int run_tag(struct work *w, const struct command *cmd, struct work_change *ch,
		   struct md_err *err)
{
	const struct rec_strs *words = &cmd->words;

	ch->add_tags.v = arena_array(w->arena, words->n, sizeof(char *));
	ch->remove_tags.v = arena_array(w->arena, words->n, sizeof(char *));
	if (!ch->add_tags.v || !ch->remove_tags.v)
		return md_fail(err, MD_NOMEM, 0, "out of memory");
	for (size_t i = 0; i < words->n; i++) {
		struct rec_strs *list = words->v[i][0] == '-' ? &ch->remove_tags : &ch->add_tags;

		list->v[list->n++] = words->v[i] + 1;
	}
	return MD_OK;
}

static int run_category(struct work *w, const struct command *cmd, struct work_change *ch,
			struct md_err *err)
{
	(void)w;
	(void)err;
	ch->category = cmd->args;
	return MD_OK;
}

static int run_title(struct work *w, const struct command *cmd, struct work_change *ch,
		     struct md_err *err)
{
	(void)w;
	(void)err;
	ch->title = cmd->args;
	return MD_OK;
}

/* #note and #reply say what the mail's text is; the comment is made by whoever has the text. */
static int run_nothing(struct work *w, const struct command *cmd, struct work_change *ch,
		       struct md_err *err)
{
	(void)w;
	(void)cmd;
	(void)ch;
	(void)err;
	return MD_OK;
}

typedef int (*run_fn)(struct work *w, const struct command *cmd, struct work_change *ch,
		      struct md_err *err);
static const run_fn run[] = {
	[VERB_STATUS] = run_status, [VERB_ASSIGN] = run_assign,     [VERB_PRIORITY] = run_priority,
	[VERB_TAG] = run_tag,       [VERB_CATEGORY] = run_category, [VERB_TITLE] = run_title,
	[VERB_NOTE] = run_nothing,  [VERB_REPLY] = run_nothing,
};

/* ---- "assign ann" ---- */

static bool folded_equal(const char *a, const char *b, size_t n)
{
	md_auto(buf_done) struct buf fa = BUF_INIT(4096);
	md_auto(buf_done) struct buf fb = BUF_INIT(4096);

	utf8_fold(&fa, a, strlen(a));
	utf8_fold(&fb, b, strlen(b));
	if (n && fa.len >= fb.len)
		return memcmp(buf_str(&fa), buf_str(&fb), fb.len) == 0;
	return fa.len == fb.len && strcmp(buf_str(&fa), buf_str(&fb)) == 0;
}

/* How well a word fits a person: 2 the address or the whole name, 1 how the name begins. */
static int fits(const struct user *u, const char *word)
{
	if (folded_equal(u->email, word, 0) || folded_equal(u->name, word, 0))
		return 2;
	return folded_equal(u->name, word, 1) ? 1 : 0;
}

static int find_assignee(struct work *w, const char *word, int64_t *ret, struct md_err *err)
{
	md_auto(buf_done) struct buf names = BUF_INIT(1000);
	struct user *staff = NULL;
	size_t n = 0, hits = 0;
	int best = 0, rc;

	*ret = 0;
	if (folded_equal("none", word, 0))
		return MD_OK;
	if (folded_equal("me", word, 0)) {
		*ret = w->by->user.id;
		return MD_OK;
	}
	rc = user_agents(w->c, true, w->arena, &staff, &n, err);
	if (rc != MD_OK)
		return rc;
	for (size_t i = 0; i < n; i++) {
		int fit = fits(&staff[i], word);

		if (fit == 0 || fit < best)
			continue;
		if (fit > best) {
			hits = 0;
			buf_reset(&names);
		}
		best = fit;
		*ret = staff[i].id;
		buf_addf(&names, "%s%s <%s>", hits++ ? ", " : "", staff[i].name, staff[i].email);
	}
	if (hits == 1)
		return MD_OK;
	if (hits > 1)
		return md_fail(err, MD_INPUT, WORK_BAD_VALUE, "\"%s\" could be %s: use the address",
			       word, buf_str(&names));
	return md_fail(err, MD_INPUT, WORK_BAD_VALUE, "no agent is called \"%s\"", word);
}

/* ---- */

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

static int run_one(struct work *w, const struct command *cmd, struct md_err *err)
{
	struct work_change ch = WORK_CHANGE_NONE;
	int rc = run[cmd->row->verb](w, cmd, &ch, err);

	if (rc == MD_OK)
		rc = work_change(w, &ch, err);
	if (rc != MD_OK)
		add_hint(w, &ch, err);
	return rc;
}

/* A line as it is shown again: nobody needs the whole of a long one. */
static const char *shown(struct arena *a, const char *line)
{
	size_t n = strlen(line), cut = utf8_cut(line, n, LINE_SHOWN);

	return cut == n ? line : arena_printf(a, "%.*s...", (int)cut, line);
}

int work_commands(struct work *w, const struct command_list *list, struct md_err *err)
{
	struct work_line *lines =
		arena_array(w->arena, list->count + list->refusal_count + list->leftover_count,
			    sizeof *lines);
	int rc = MD_OK;

	if (!lines)
		return md_fail(err, MD_NOMEM, 0, "out of memory");
	w->lines = lines;
	for (size_t i = 0; i < list->refusal_count; i++)
		lines[w->n_lines++] = (struct work_line){ shown(w->arena, list->refusals[i].line),
							  list->refusals[i].reason, false };
	if (list->refusal_count)
		rc = work_refuse(err, MD_INPUT, WORK_BAD_VALUE, list->refusals[0].reason);
	for (size_t i = 0; i < list->count && rc == MD_OK; i++) {
		const struct command *cmd = &list->commands[i];
		struct md_err why = { 0 };

		rc = run_one(w, cmd, &why);
		lines[w->n_lines++] =
			(struct work_line){ shown(w->arena, cmd->line),
					    rc == MD_OK ? "done" : arena_strdup(w->arena, why.text),
					    rc == MD_OK };
		if (rc != MD_OK && err)
			*err = why;
	}
	for (size_t i = 0; i + 1 < w->n_lines && rc != MD_OK; i++)
		if (lines[i].ok)
			lines[i] = (struct work_line){ lines[i].line,
						       "not done, because another was refused",
						       false };
	/* Words beside commands of the subject fail nothing, but are mentioned. */
	for (size_t i = 0; i < list->leftover_count && rc == MD_OK && list->subject_block[0]; i++)
		lines[w->n_lines++] = (struct work_line){ shown(w->arena, list->leftovers[i].line),
							  list->leftovers[i].reason, false };
	if (w->arena->failed)
		return md_fail(err, MD_NOMEM, 0, "out of memory");
	return rc;
}

int work_transcript(struct work *w, struct md_err *err)
{
	w->touched = true; /* another version, another Message-ID: it is no answer to a comment */
	return work_event(w, "transcript", 0, NULL, err);
}
