/* What fetch has marked on its servers: rows that nobody needs any more. Not noted is no harm, the
 * mark is made again at the next SELECT. So they go with the next transaction that there is for
 * mails, and have one of their own only when no mail is in hand or many wait. */
#include <maildesk/base/log.h>
#include <maildesk/store/mailboxes.h>

#include "mailboxes_priv.h"

/* How many from `at` on are of one folder; their uids. */
static size_t run_of(const struct mailboxes *m, size_t at, int64_t uids[MARKS_KEPT])
{
	const struct mark *first = &m->marks[at];
	size_t n = 0;

	while (at + n < m->n_marks && m->marks[at + n].mailbox == first->mailbox &&
	       m->marks[at + n].uidvalidity == first->uidvalidity) {
		uids[n] = m->marks[at + n].uid;
		n++;
	}
	return n;
}

int mailboxes_forget_marked(struct db_conn *c, struct mailboxes *m, struct md_err *err)
{
	md_auto(arena_done) struct arena arena = ARENA_INIT(1 << 20);
	int64_t uids[MARKS_KEPT];
	int rc = MD_OK;

	for (size_t at = 0, n; at < m->n_marks && rc == MD_OK; at += n) {
		n = run_of(m, at, uids);
		rc = uid_marked(c, m->marks[at].mailbox, m->marks[at].uidvalidity, uids, n, &arena,
				err);
	}
	return rc;
}

void mailboxes_marks_forgotten(struct mailboxes *m)
{
	m->n_marks = 0;
}

static int forget_in_txn(struct db_conn *c, void *ctx, struct md_err *err)
{
	return mailboxes_forget_marked(c, ctx, err);
}

static void forget_now(struct mailboxes *m)
{
	struct md_err err = { 0 };

	if (m->n_marks && db_txn(m->d->db, forget_in_txn, m, &err) != MD_OK)
		log_warn(NULL, "marks not noted, they are repeated later: %s", err.text);
	m->n_marks = 0;
}

void mailboxes_keep_marks(struct mailboxes *m, const struct frame_uids *f)
{
	const struct frame_uid *v = f->uids.v;

	for (size_t i = 0; i < f->uids.n; i++) {
		if (m->n_marks == MARKS_KEPT)
			forget_now(m);
		m->marks[m->n_marks++] = (struct mark){ f->mailbox, f->uidvalidity, v[i].uid };
	}
}

void mailboxes_settle_marks(struct mailboxes *m)
{
	if (m->n_jobs == 0)
		forget_now(m);
}
