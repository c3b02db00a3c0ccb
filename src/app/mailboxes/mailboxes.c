/* One thread between three kinds of process:
 *
 *	fetch --MAIL--> [jobs] --READ--> read --FIELDS--> [jobs, ready] --group--> one transaction
 *	fetch <-------------------------- STORED -------------------------------------'
 *
 * A job is one mail. Its attempt is counted in the database before a reader sees it. A mail with
 * attempts behind it is a suspect, for whatever died may have died of it: suspects are counted and
 * tried one at a time, each with a reader of its own. So a mail that kills a reader or the desk is
 * blamed alone, not the two hundred that were in hand with it, and other mails go on beside it.
 * Three readers seen to die of it are enough; a desk that died with it in hand was most likely
 * killed by somebody else, so that takes ATTEMPTS_MAX. Jobs of one mailbox are stored in the order
 * of their uids, because the cursor passes over what is stored. A group is committed when it is
 * large, or when no reader is at work, or when it has waited for one for GROUP_WAIT_MS: a single
 * mail does not wait, a flood shares the cost of the disk. While JOBS_MAX mails wait, fetch is not
 * read from. Jobs outlive the fetch that brought them: what the next one brings again is
 * recognised.
 *
 * The list of jobs is in jobs.c, counting attempts in attempts.c, storing in storing.c, the loop
 * here. */
#include "mailboxes_priv.h"

#include <malloc.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A reader's answer is waited for, or it would be taken for that to another mail. */
static bool is_gone(const struct job *j)
{
	return j->gone && j->state != JOB_READING;
}

static bool any(const struct job *j)
{
	(void)j;
	return true;
}

/* Until something is due, in milliseconds for poll(). */
static int time_out(const struct mailboxes *m)
{
	int64_t now = mono(m), next = INT64_MAX;

	if (m->pause_until_ms > now)
		next = m->pause_until_ms;
	else if (m->has_admitted || mailboxes_next_suspect(m))
		return 0;
	else if (m->store_at_ms)
		next = m->store_at_ms;
	if (m->hold_at_ms < next)
		next = m->hold_at_ms;
	if (!m->fetch.channel && m->fetch_again_ms < next)
		next = m->fetch_again_ms;
	for (int i = 0; i < m->n_readers; i++)
		if (!m->readers[i].role.channel && m->readers[i].again_ms < next)
			next = m->readers[i].again_ms;
	for (const struct job *j = m->jobs; j; j = j->next)
		if (j->state == JOB_READING && j->sent_ms + READER_TIMEOUT_MS < next)
			next = j->sent_ms + READER_TIMEOUT_MS;
	return next <= now ? 0 : (int)(next - now) + 1;
}

static void wait_for_something(struct mailboxes *m)
{
	struct pollfd fds[2 + READERS_MAX];
	int timeout = time_out(m), n_ready;
	bool may_trim = m->has_stored && m->n_jobs == 0;
	nfds_t n = 0;
	uint64_t wakes;

	if (may_trim && (timeout < 0 || timeout > QUIET_MS))
		timeout = QUIET_MS;
	fds[n++] = (struct pollfd){ .fd = m->d->wake_fd[DESK_MAILBOXES], .events = POLLIN };
	if (m->fetch.channel && m->n_jobs < JOBS_MAX)
		fds[n++] = mailboxes_pollfd(m->fetch.channel);
	for (int i = 0; i < m->n_readers && !mailboxes_paused(m); i++)
		if (m->readers[i].role.channel)
			fds[n++] = mailboxes_pollfd(m->readers[i].role.channel);
	desk_idle(m->d, DESK_MAILBOXES);
	n_ready = poll(fds, n, timeout);
	desk_busy(m->d, DESK_MAILBOXES);
	if (n_ready == 0 && may_trim) {
		db_slim(m->d->db); /* what a flood needed, an idle desk need not keep */
		malloc_trim(0);
		m->has_stored = false;
	}
	if (n_ready > 0 && (fds[0].revents & POLLIN)) {
		(void)!read(fds[0].fd, &wakes, sizeof wakes);
		m->hold_at_ms = 0; /* leases have changed */
	}
}

static void *run(void *arg)
{
	struct mailboxes *m = arg;

	while (!atomic_load(&m->stopping)) {
		wait_for_something(m);
		m->has_admitted = false;
		mailboxes_keep_roles(m); /* after the wait: what is started here is fed below */
		mailboxes_hold(m);
		mailboxes_tell_tokens(m);
		if (m->n_jobs < JOBS_MAX)
			mailboxes_hear_fetch(m);
		if (!mailboxes_paused(m)) {
			mailboxes_hear_readers(m);
			mailboxes_admit_new(m);
			mailboxes_drop_jobs(m, is_gone);
			mailboxes_admit_suspect(m);
			mailboxes_feed_readers(m);
			mailboxes_store(m);
			mailboxes_settle_marks(m);
		}
	}
	mailboxes_give_back(m);
	mailboxes_drop_jobs(m, any);
	mailboxes_settle_marks(m);
	mailboxes_end_roles(m);
	mailboxes_release(m);
	desk_idle(m->d, DESK_MAILBOXES);
	return NULL;
}

static void mailboxes_free(struct mailboxes *m)
{
	free(m->holds);
	free(m);
}

int mailboxes_start(struct desk *d, int readers, int spool_fd, struct mailboxes **ret,
		    struct md_err *err)
{
	struct mailboxes *m = md_calloc(1, sizeof *m);
	int rc;

	if (m)
		m->holds = md_calloc(d->n_mailboxes, sizeof *m->holds);
	if (!m || !m->holds) {
		free(m);
		return md_fail(err, MD_NOMEM, 0, "out of memory");
	}
	m->d = d;
	m->spool_fd = spool_fd;
	m->tail = &m->jobs;
	m->n_readers = readers < READERS_MIN   ? READERS_MIN
		       : readers > READERS_MAX ? READERS_MAX
					       : readers;
	rc = pthread_create(&m->thread, NULL, run, m);
	if (rc != 0) {
		mailboxes_free(m);
		return md_fail(err, MD_BROKEN, rc, "thread: %s", strerror(rc));
	}
	*ret = m;
	return MD_OK;
}

void mailboxes_stop(struct mailboxes *m)
{
	if (!m)
		return;
	atomic_store(&m->stopping, true);
	desk_wake(m->d, DESK_MAILBOXES);
	pthread_join(m->thread, NULL);
	mailboxes_free(m);
}
