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
 * recognised. */
#include <maildesk/app/intake.h>
#include <maildesk/app/mailboxes.h>
#include <maildesk/app/reader.h>
#include <maildesk/app/work.h>
#include <maildesk/base/fault.h>
#include <maildesk/base/log.h>
#include <maildesk/store/mailboxes.h>
#include <maildesk/store/messages.h>

#include "mailboxes_priv.h"

#include <errno.h>
#include <malloc.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- jobs ---- */

static void job_free(struct job *j)
{
	arena_done(&j->arena);
	blob_done(&j->blob);
	md_close_p(&j->fd);
	free(j->raw);
	free(j);
}

/* Take out every job for which `gone` holds. */
static void jobs_drop(struct mailboxes *m, bool (*gone)(const struct job *))
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

static bool is_stored(const struct job *j)
{
	return j->state == JOB_STORED;
}

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

static size_t count(const struct mailboxes *m, enum job_state state)
{
	size_t n = 0;

	for (const struct job *j = m->jobs; j; j = j->next)
		n += j->state == state;
	return n;
}

/* An earlier job of its mailbox is not finished. */
static bool is_held(const struct mailboxes *m, const struct job *j)
{
	for (const struct job *e = m->jobs; e != j; e = e->next)
		if (e->mailbox == j->mailbox && !e->gone && e->state != JOB_READY &&
		    e->state != JOB_KNOWN && e->state != JOB_STORED)
			return true;
	return false;
}

/* ---- attempts ---- */

static int count_attempt(struct db_conn *c, struct job *j, struct md_err *err)
{
	return uid_attempt(c, j->mailbox, j->uidvalidity, j->uid, &j->attempts, &j->known, err);
}

/* New jobs of one mailbox. */
struct news {
	struct job *jobs[NEWS_MAX];
	int64_t uids[NEWS_MAX];
	size_t n;
};

static void look_for_more(struct job *first, struct news *ret)
{
	ret->n = 0;
	for (struct job *j = first; j && ret->n < NEWS_MAX; j = j->next) {
		if (j->state != JOB_NEW || j->seen || j->mailbox != first->mailbox ||
		    j->uidvalidity != first->uidvalidity)
			continue;
		j->seen = true;
		ret->uids[ret->n] = j->uid;
		ret->jobs[ret->n++] = j;
	}
}

static int count_news(struct mailboxes *m, struct db_conn *c, const struct news *news,
		      struct md_err *err)
{
	md_auto(arena_done) struct arena arena = ARENA_INIT(1 << 20);
	const struct job *first = news->jobs[0];
	struct uid_row *rows = NULL;
	size_t n = 0;
	bool lost;
	int rc = mailboxes_lost(m, c, first->mailbox, &lost, err);

	if (rc == MD_OK && !lost)
		rc = uid_tried(c, first->mailbox, first->uidvalidity, news->uids, news->n, &arena,
			       &rows, &n, err);
	for (size_t i = 0; i < news->n && rc == MD_OK; i++) {
		struct job *j = news->jobs[i];
		size_t k = 0;

		j->gone = lost;
		while (k < n && rows[k].uid != j->uid)
			k++;
		j->attempts = k < n ? rows[k].attempts : 0;
		j->known = k < n && rows[k].done;
		j->suspect = j->attempts > 0;
		if (k == n && !lost) {
			j->attempts = 1;
			rc = uid_first_attempt(c, j->mailbox, j->uidvalidity, j->uid, err);
		}
	}
	return rc;
}

/* The first attempts are counted together, those of suspects only looked up. */
static int count_attempts(struct db_conn *c, void *ctx, struct md_err *err)
{
	struct mailboxes *m = ctx;
	int rc = MD_OK;

	for (struct job *j = m->jobs; j; j = j->next)
		j->seen = false;
	for (struct job *j = m->jobs; j && rc == MD_OK; j = j->next) {
		struct news news;

		if (j->state != JOB_NEW || j->seen)
			continue;
		look_for_more(j, &news);
		rc = count_news(m, c, &news, err);
	}
	return rc;
}

/* Every new job's attempt is on disk before any of them is tried. */
static void admit(struct mailboxes *m)
{
	struct md_err err = { 0 };

	if (count(m, JOB_NEW) == 0)
		return;
	if (db_txn(m->d->db, count_attempts, m, &err) != MD_OK) {
		mailboxes_stall(m, err.text);
		return;
	}
	fault_point("attempt_recorded");
	for (struct job *j = m->jobs; j; j = j->next) {
		if (j->gone)
			mailboxes_let_go(m, j->mailbox, "another daemon has taken it over");
		if (j->state != JOB_NEW || j->gone)
			continue;
		j->state = j->known ? JOB_KNOWN : j->suspect ? JOB_SUSPECT : JOB_WAITING;
	}
}

struct job *mailboxes_next_suspect(const struct mailboxes *m)
{
	struct job *first = NULL;

	for (struct job *j = m->jobs; j; j = j->next) {
		if (!j->suspect || j->gone)
			continue;
		if (j->state == JOB_WAITING || j->state == JOB_READING ||
		    (j->state == JOB_READY && !is_held(m, j)))
			return NULL; /* one is being tried, and storing it is a part of that */
		if (!first && j->state == JOB_SUSPECT)
			first = j;
	}
	return first;
}

struct admission {
	struct mailboxes *m;
	struct job *j;
};

static int count_suspect(struct db_conn *c, void *ctx, struct md_err *err)
{
	struct admission *a = ctx;
	int rc = mailboxes_lost(a->m, c, a->j->mailbox, &a->j->gone, err);

	return rc != MD_OK || a->j->gone ? rc : count_attempt(c, a->j, err);
}

static void admit_suspect(struct mailboxes *m)
{
	struct job *j = mailboxes_next_suspect(m);
	struct md_err err = { 0 };

	if (!j)
		return;
	if (j->attempts >= ATTEMPTS_MAX) {
		mailboxes_give_up(m, j, "parser_crashed");
		return;
	}
	if (db_txn(m->d->db, count_suspect, &(struct admission){ m, j }, &err) != MD_OK) {
		mailboxes_stall(m, err.text);
		return;
	}
	if (j->gone) {
		mailboxes_let_go(m, j->mailbox, "another daemon has taken it over");
		return;
	}
	fault_point("attempt_recorded");
	j->state = JOB_WAITING;
}

/* It is stored without having been read. */
void mailboxes_give_up(struct mailboxes *m, struct job *j, const char *cause)
{
	j->state = JOB_READY;
	j->cause = cause;
	j->ready_ms = clock_mono(m->d->clock);
}

/* ---- storing ---- */

static int store_job(struct db_conn *c, struct storing *s, struct job *j, struct md_err *err)
{
	struct intake_mail mail = {
		.mailbox = j->mailbox,
		.uidvalidity = j->uidvalidity,
		.uid = j->uid,
		.size = j->size,
		.too_large = j->too_large,
		.import = j->import,
		.fresh = j->fresh,
		.message = j->cause ? NULL : &j->message,
		.cause = j->cause,
		.blob = &j->blob,
		.known = s->stale || !j->sender.sender ? NULL : &j->sender,
		.hopeful = !s->apart,
	};
	int rc = intake_take(s->m->d, c, &s->arena, &mail, &j->result, err);

	s->stale |= rc != MD_OK || !j->result.plain;
	return rc;
}

/* A daemon that was stopped may hold mails of a mailbox that is another's now. */
static int check_leases(struct db_conn *c, struct storing *s, struct md_err *err)
{
	int rc = MD_OK;

	for (size_t i = 0; i < s->n && rc == MD_OK; i++) {
		struct job *j = s->group[i];
		size_t k = 0;

		while (s->group[k]->mailbox != j->mailbox)
			k++;
		if (k < i)
			j->gone = s->group[k]->gone;
		else
			rc = mailboxes_lost(s->m, c, j->mailbox, &j->gone, err);
	}
	return rc;
}

static bool is_last(const struct storing *s, const struct job *j)
{
	for (size_t i = 0; i < s->n; i++)
		if (s->group[i]->mailbox == j->mailbox &&
		    s->group[i]->uidvalidity == j->uidvalidity && s->group[i]->uid > j->uid)
			return false;
	return true;
}

static int move_cursors(struct db_conn *c, struct storing *s, struct md_err *err)
{
	int rc = MD_OK;

	for (size_t i = 0; i < s->n && rc == MD_OK; i++) {
		const struct job *j = s->group[i];

		if (!j->gone && is_last(s, j))
			rc = mailbox_advance(c, j->mailbox, j->uidvalidity, j->uid, err);
	}
	return rc;
}

static int store_group(struct db_conn *c, void *ctx, struct md_err *err)
{
	struct storing *s = ctx;
	int rc = check_leases(c, s, err);

	if (rc == MD_OK)
		rc = mailboxes_look_up(c, s, err);
	for (size_t i = 0; i < s->n && rc == MD_OK; i++) {
		if (!s->group[i]->gone)
			rc = store_job(c, s, s->group[i], err);
	}
	if (rc == MD_OK)
		rc = move_cursors(c, s, err);
	fault_point("before_commit");
	return rc;
}

/* The next group: ready jobs that no earlier, unfinished job of their mailbox holds back. */
static size_t gather(struct mailboxes *m, struct job **group, bool *ret_urgent)
{
	size_t n = 0;

	for (struct job *j = m->jobs; j && n < GROUP_MAX; j = j->next) {
		if (j->gone || (j->state != JOB_READY && j->state != JOB_KNOWN) || is_held(m, j))
			continue;
		*ret_urgent |= j->suspect;
		group[n++] = j;
	}
	return n;
}

static void log_stored(struct mailboxes *m, const struct job *j)
{
	struct log_ctx about = { .mailbox = mailboxes_title(m, j->mailbox),
				 .uid = j->uid,
				 .message = j->result.message,
				 .message_id = j->cause ? NULL : j->message.message_id,
				 .ticket = j->result.ticket };

	if (j->result.cause)
		log_warn(&about, "quarantined: %s", j->result.cause);
	else if (j->result.outcome)
		log_info(&about, "%s", j->result.outcome);
}

/* After the commit: how many of the group were stored; these come first in it. */
static size_t settle(struct mailboxes *m, struct job **group, size_t n)
{
	size_t stored = 0;

	for (size_t i = 0; i < n; i++) {
		if (group[i]->gone) {
			mailboxes_let_go(m, group[i]->mailbox, "another daemon has taken it over");
			continue;
		}
		group[i]->state = JOB_STORED;
		log_stored(m, group[i]);
		group[stored++] = group[i];
	}
	return stored;
}

static void count_taken(struct mailboxes *m, const struct job *j)
{
	struct desk_mailbox *mailbox = desk_mailbox(m->d, j->mailbox);

	if (mailbox)
		atomic_fetch_add(&mailbox->taken, 1);
}

static void store(struct mailboxes *m)
{
	struct job *group[GROUP_MAX], *fresh[GROUP_MAX];
	struct storing s = { .m = m,
			     .group = fresh,
			     .arena = ARENA_INIT(READER_ARENA_MAX),
			     .known = ARENA_INIT(READER_ARENA_MAX) };
	struct md_err err = { 0 };
	bool urgent = false; /* the next suspect waits for it */
	size_t n = gather(m, group, &urgent);
	int rc = MD_OK;

	m->store_at_ms = 0;
	if (n == 0)
		return;
	if (n < GROUP_MAX && !urgent && count(m, JOB_READING) &&
	    clock_mono(m->d->clock) < group[0]->ready_ms + GROUP_WAIT_MS) {
		m->store_at_ms = group[0]->ready_ms + GROUP_WAIT_MS;
		return;
	}
	for (size_t i = 0; i < n; i++)
		if (group[i]->state == JOB_READY)
			fresh[s.n++] = group[i];
	if (s.n)
		rc = db_txn(m->d->db, store_group, &s, &err);
	if (intake_is_its_own(rc)) { /* one of them: found and kept apart from the others */
		s.apart = true;
		rc = db_txn(m->d->db, store_group, &s, &err);
	}
	arena_done(&s.arena);
	arena_done(&s.known);
	if (rc != MD_OK) {
		mailboxes_stall(m, err.text);
		return;
	}
	fault_point("committed");
	n = settle(m, group, n);
	m->has_stored = true;
	for (size_t i = 0; i < n; i++)
		count_taken(m, group[i]);
	mailboxes_report_stored(m, group, n);
	mailboxes_flow(m, group, n);
	jobs_drop(m, is_stored);
	work_done(m->d);
}

/* ---- the loop ---- */

static void wait_for_something(struct mailboxes *m)
{
	struct pollfd fds[2 + READERS_MAX];
	int timeout = mailboxes_timeout(m), n_ready;
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
		mailboxes_keep_roles(m); /* after the wait: what is started here is fed below */
		mailboxes_hold(m);
		mailboxes_tell_tokens(m);
		if (m->n_jobs < JOBS_MAX)
			mailboxes_hear_fetch(m);
		if (!mailboxes_paused(m)) {
			admit(m);
			mailboxes_hear_readers(m);
			jobs_drop(m, is_gone);
			admit_suspect(m);
			mailboxes_feed_readers(m);
			store(m);
		}
	}
	mailboxes_give_back(m);
	jobs_drop(m, any);
	mailboxes_end_roles(m);
	mailboxes_release(m);
	desk_idle(m->d, DESK_MAILBOXES);
	return NULL;
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
