/* The list of jobs: one for each mail in hand, in the order in which fetch brought them. */
#include "mailboxes_priv.h"

#include <stdlib.h>

static void job_free(struct job *j)
{
	arena_done(&j->arena);
	blob_done(&j->blob);
	md_close_p(&j->fd);
	free(j->raw);
	free(j);
}

void mailboxes_drop_jobs(struct mailboxes *m, bool (*gone)(const struct job *))
{
	struct job **slot = &m->jobs;

	while (*slot) {
		struct job *j = *slot;

		if (!gone(j)) {
			slot = &j->next;
			continue;
		}
		*slot = j->next;
		m->n_jobs--;
		job_free(j);
	}
	m->tail = slot;
}

size_t mailboxes_count_jobs(const struct mailboxes *m, enum job_state state)
{
	size_t n = 0;

	for (const struct job *j = m->jobs; j; j = j->next)
		n += j->state == state && !j->gone;
	return n;
}

bool mailboxes_is_finished(const struct job *j)
{
	return j->gone || j->state == JOB_READY || j->state == JOB_KNOWN || j->state == JOB_STORED;
}

bool mailboxes_is_held(const struct mailboxes *m, const struct job *j)
{
	for (const struct job *e = m->jobs; e != j; e = e->next)
		if (e->mailbox == j->mailbox && !mailboxes_is_finished(e))
			return true;
	return false;
}

struct job *mailboxes_add_job(struct mailboxes *m)
{
	struct job *j = md_calloc(1, sizeof *j);

	if (!j)
		return NULL;
	j->fd = -1;
	j->arena.max = READER_ARENA_MAX;
	*m->tail = j;
	m->tail = &j->next;
	m->n_jobs++;
	return j;
}

void mailboxes_give_up(struct mailboxes *m, struct job *j, const char *cause)
{
	j->state = JOB_READY;
	j->cause = cause;
	j->ready_ms = clock_mono(m->d->clock);
}
