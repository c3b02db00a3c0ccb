/* Attempts: how often it was tried to read a mail is counted in the database before a reader sees
 * it, so that a mail which kills its reader, or the desk, is known by that. Those of new mails are
 * counted many at a time: with the group that is stored meanwhile, or on their own when readers
 * would else run dry. A suspect's is counted alone. */
#include <maildesk/base/fault.h>
#include <maildesk/base/log.h>
#include <maildesk/store/mailboxes.h>

#include "mailboxes_priv.h"

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
int mailboxes_count_attempts(struct db_conn *c, struct mailboxes *m, struct md_err *err)
{
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

void mailboxes_admit(struct mailboxes *m)
{
	fault_point("attempt_recorded");
	for (struct job *j = m->jobs; j; j = j->next) {
		if (j->gone)
			mailboxes_let_go(m, j->mailbox, "another daemon has taken it over");
		if (j->state != JOB_NEW || j->gone)
			continue;
		j->state = j->known ? JOB_KNOWN : j->suspect ? JOB_SUSPECT : JOB_WAITING;
	}
}

static int count_in_txn(struct db_conn *c, void *ctx, struct md_err *err)
{
	int rc = mailboxes_count_attempts(c, ctx, err);

	return rc == MD_OK ? mailboxes_forget_marked(c, ctx, err) : rc;
}

void mailboxes_admit_new(struct mailboxes *m)
{
	struct md_err err = { 0 };

	if (!mailboxes_count_jobs(m, JOB_NEW) || mailboxes_readers_have_enough(m))
		return;
	if (db_txn(m->d->db, count_in_txn, m, &err) != MD_OK) {
		mailboxes_stall(m, err.text);
		return;
	}
	mailboxes_marks_forgotten(m);
	mailboxes_admit(m);
}

struct job *mailboxes_next_suspect(const struct mailboxes *m)
{
	struct job *first = NULL;

	for (struct job *j = m->jobs; j; j = j->next) {
		if (!j->suspect || j->gone)
			continue;
		if (j->state == JOB_WAITING || j->state == JOB_READING ||
		    (j->state == JOB_READY && !mailboxes_is_held(m, j)))
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

void mailboxes_admit_suspect(struct mailboxes *m)
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

static bool is_counted(const struct job *j)
{
	return j->attempts > 0 && !j->known && !j->gone && j->state != JOB_NEW &&
	       j->state != JOB_SUSPECT;
}

int mailboxes_uncount(struct mailboxes *m, struct db_conn *c, int64_t mailbox, struct md_err *err)
{
	int rc = MD_OK;

	for (const struct job *j = m->jobs; j && rc == MD_OK; j = j->next) {
		bool lost;

		if (!is_counted(j) || (mailbox && j->mailbox != mailbox))
			continue;
		rc = mailboxes_lost(m, c, j->mailbox, &lost, err);
		if (rc == MD_OK && !lost)
			rc = uid_set_attempts(c, j->mailbox, j->uidvalidity, j->uid,
					      j->attempts - 1, err);
	}
	return rc;
}

static int uncount_all(struct db_conn *c, void *ctx, struct md_err *err)
{
	return mailboxes_uncount(ctx, c, 0, err);
}

void mailboxes_give_back(struct mailboxes *m)
{
	struct md_err err = { 0 };

	if (m->jobs && db_txn(m->d->db, uncount_all, m, &err) != MD_OK)
		log_warn(NULL, "attempts not taken back: %s", err.text);
}
