/* Commands that set a field: each fills in a change of work.h. */
#include <maildesk/app/zone.h>
#include <maildesk/desk/when.h>

#include "execute_priv.h"

#include <string.h>
#include <strings.h>

static bool is_none(const struct command *cmd)
{
	return strcasecmp(cmd->args, "none") == 0;
}

int execute_status(struct step *s, struct md_err *err)
{
	const struct work *w = s->w;
	const struct workflow *wf = w->by->desk->workflow;
	md_auto(buf_done) struct buf names = BUF_INIT(1000);
	int rc;

	s->changes = true;
	s->ch.status = workflow_target(wf, s->cmd->args);
	if (!s->ch.status) {
		for (size_t i = 0; i < wf->status_count; i++)
			buf_addf(&names, "%s%s", i ? ", " : "", wf->statuses[i].name);
		return md_fail(err, MD_INPUT, WORK_BAD_VALUE, "no status \"%s\"; there are: %s",
			       s->cmd->args, buf_str(&names));
	}
	s->result = arena_printf(w->arena, "%s -> %s", w->ticket.status, s->ch.status);
	if (strcmp(s->ch.status, w->ticket.status) != 0)
		return MD_OK;
	/* Asked for by name, staying is no move: it is refused with what is possible. */
	rc = workflow_move(wf, w->ticket.status, s->ch.status, w->who, w->ticket.assignee_id != 0,
			   err);
	if (rc != MD_OK && err)
		err->native = WORK_NO_TRANSITION;
	return rc;
}

int execute_priority(struct step *s, struct md_err *err)
{
	(void)err;
	s->changes = true;
	s->ch.priority = work_priority_from_name(s->cmd->args);
	return MD_OK;
}

int execute_tag(struct step *s, struct md_err *err)
{
	const struct rec_strs *words = &s->cmd->words;
	struct arena *a = s->w->arena;

	s->changes = true;
	s->ch.add_tags.v = arena_array(a, words->n, sizeof(char *));
	s->ch.remove_tags.v = arena_array(a, words->n, sizeof(char *));
	if (!s->ch.add_tags.v || !s->ch.remove_tags.v)
		return md_fail(err, MD_NOMEM, 0, "out of memory");
	for (size_t i = 0; i < words->n; i++) {
		struct rec_strs *list =
			words->v[i][0] == '-' ? &s->ch.remove_tags : &s->ch.add_tags;

		list->v[list->n++] = words->v[i] + 1;
	}
	return MD_OK;
}

int execute_category(struct step *s, struct md_err *err)
{
	(void)err;
	s->changes = true;
	s->ch.category = is_none(s->cmd) ? "" : s->cmd->args;
	return MD_OK;
}

int execute_title(struct step *s, struct md_err *err)
{
	(void)err;
	s->changes = true;
	s->ch.title = s->cmd->args;
	return MD_OK;
}

/* The instant a command names, in its writer's zone. */
static int instant(struct step *s, int64_t *ret, struct md_err *err)
{
	const struct work_by *by = s->w->by;
	const char *zone = by->user.timezone && by->user.timezone[0]
				   ? by->user.timezone
				   : by->desk->config->desk.timezone;
	md_auto(calendar_done) struct calendar c = { 0 };
	char text[TIME_TEXT_MAX];

	*ret = 0;
	if (is_none(s->cmd))
		return MD_OK;
	/* a zone that this system does not know is UTC */
	if (zone && zone[0])
		(void)zone_load(zone, &c, NULL);
	if (!when_instant(s->cmd->args, c.tz, by->now_ms, ret))
		return work_refuse(err, MD_INPUT, WORK_BAD_VALUE, "no time that can be read");
	if (*ret <= by->now_ms)
		return md_fail(err, MD_INPUT, WORK_BAD_VALUE, "%s is in the past",
			       time_format(*ret, 0, text));
	s->result = arena_printf(s->w->arena, "until %s", time_format(*ret, 0, text));
	return MD_OK;
}

int execute_due(struct step *s, struct md_err *err)
{
	s->changes = true;
	s->ch.set_due = true;
	return instant(s, &s->ch.due_at, err);
}

int execute_snooze(struct step *s, struct md_err *err)
{
	s->changes = true;
	s->ch.set_snoozed = true;
	return instant(s, &s->ch.snoozed_until, err);
}

int execute_time(struct step *s, struct md_err *err)
{
	(void)err;
	s->changes = true;
	s->ch.add_time_ms = s->cmd->amount_ms;
	return MD_OK;
}

int execute_field(struct step *s, struct md_err *err)
{
	(void)err;
	s->changes = true;
	s->ch.field = s->cmd->key;
	s->ch.value = is_none(s->cmd) ? "" : s->cmd->args;
	return MD_OK;
}
