/* Commands that are more than a field. */
#include "execute_priv.h"

int execute_merge(struct step *s, struct md_err *err)
{
	return work_merge(s->w, s->cmd->numbers[0], err);
}

/* Of the ticket itself, or of another by its number: a mail is always about what that was folded
 * into. */
int execute_unmerge(struct step *s, struct md_err *err)
{
	struct work *w = s->w;
	struct work other;
	int rc;

	if (s->cmd->number_count == 0)
		return work_unmerge(w, err);
	/* taking it out changes this ticket's row, too */
	rc = execute_flush(w, err);
	if (rc == MD_OK)
		rc = work_open(w->by, w->c, w->arena, s->cmd->numbers[0], &other, err);
	if (rc == MD_OK && other.ticket.merged_into != w->ticket.id)
		return md_fail(err, MD_INPUT, WORK_BAD_VALUE, "#%lld was not merged into #%lld",
			       (long long)other.ticket.id, (long long)w->ticket.id);
	if (rc == MD_OK)
		rc = work_unmerge(&other, err);
	if (rc == MD_OK)
		rc = work_save(&other, err);
	return rc == MD_OK ? execute_reload(w, err) : rc;
}

int execute_link(struct step *s, struct md_err *err)
{
	return work_link(s->w, s->cmd->key, s->cmd->numbers[0], true, err);
}

int execute_split(struct step *s, struct md_err *err)
{
	int64_t ticket = 0;
	int rc = work_split(s->w, s->cmd->numbers[0], &ticket, err);

	s->result = arena_printf(s->w->arena, "made #%lld", (long long)ticket);
	return rc;
}

int execute_spam(struct step *s, struct md_err *err)
{
	return work_spam(s->w, err);
}

int execute_delete(struct step *s, struct md_err *err)
{
	return work_delete(s->w, err);
}

int execute_undo(struct step *s, struct md_err *err)
{
	return work_undo(s->w, err);
}
