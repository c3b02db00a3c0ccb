/* Storing: what has been read is taken in by groups, each in one transaction, then fetch is told
 * which mails it may mark. */
#include <maildesk/app/work.h>
#include <maildesk/base/fault.h>
#include <maildesk/base/log.h>
#include <maildesk/store/mailboxes.h>

#include "mailboxes_priv.h"

#include <stdatomic.h>

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
	if (rc == MD_OK)
		rc = mailboxes_forget_marked(c, s->m, err);
	if (rc == MD_OK)
		rc = mailboxes_count_attempts(c, s->m, err);
	fault_point("before_commit");
	return rc;
}

/* Mailboxes with a job that is not finished: those behind it are held. */
struct holders {
	int64_t mailboxes[JOBS_MAX];
	size_t n;
};

static bool is_held_by(const struct holders *h, const struct job *j)
{
	for (size_t i = 0; i < h->n; i++)
		if (h->mailboxes[i] == j->mailbox)
			return true;
	return false;
}

/* The next group: ready jobs that no earlier, unfinished job of their mailbox holds back. */
static size_t gather(struct mailboxes *m, struct job **group, bool *ret_urgent)
{
	struct holders held = { .n = 0 };
	size_t n = 0;

	for (struct job *j = m->jobs; j && n < GROUP_MAX; j = j->next) {
		if (j->gone || j->state == JOB_STORED || is_held_by(&held, j))
			continue;
		if (!mailboxes_is_finished(j)) {
			held.mailboxes[held.n++] = j->mailbox;
			continue;
		}
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

static bool is_stored(const struct job *j)
{
	return j->state == JOB_STORED;
}

void mailboxes_store(struct mailboxes *m)
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
	if (n < GROUP_MAX && !urgent && mailboxes_count_jobs(m, JOB_READING) &&
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
	if (s.n) {
		mailboxes_marks_forgotten(m);
		mailboxes_admit(m);
		m->has_admitted = true;
	}
	n = settle(m, group, n);
	m->has_stored = true;
	for (size_t i = 0; i < n; i++)
		count_taken(m, group[i]);
	mailboxes_report_stored(m, group, n);
	mailboxes_flow(m, group, n);
	mailboxes_drop_jobs(m, is_stored);
	work_done(m->d);
}
