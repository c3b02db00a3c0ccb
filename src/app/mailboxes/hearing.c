/* What fetch says: a mailbox was selected, a mail, marks that were made, the state of a mailbox. */
#include <maildesk/base/log.h>
#include <maildesk/store/mailboxes.h>

#include "mailboxes_priv.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

enum { UNMARKED_MAX = 10000 }; /* marks owed that fetch is told at once */

struct selecting {
	struct mailboxes *m;
	struct arena arena;
	struct desk_mailbox *mailbox;
	struct frame_selected f;
	struct frame_uids cursor;
	bool rescan, lost;
};

/* Where to go on: from now, from the cursor, or, under a new UIDVALIDITY, from the beginning. */
static int find_cursor(struct db_conn *c, void *ctx, struct md_err *err)
{
	struct selecting *s = ctx;
	const struct frame_selected *f = &s->f;
	struct mailbox_row row;
	int64_t *uids = NULL;
	bool first, import;
	int rc;

	arena_reset(&s->arena);
	rc = mailboxes_lost(s->m, c, f->mailbox, &s->lost, err);
	if (rc == MD_OK && !s->lost)
		rc = mailbox_get(c, f->mailbox, &s->arena, &row, err);
	if (rc != MD_OK || s->lost)
		return rc;
	first = row.uidvalidity == 0;
	import = strcmp(s->mailbox->conf->import, "now") != 0;
	s->rescan = !first && row.uidvalidity != f->uidvalidity;
	if (first && !import)
		row.last_uid = f->uidnext > 0 ? f->uidnext - 1 : 0;
	else if (first)
		row.last_uid = f->first > 0 ? f->first - 1 : 0;
	else if (s->rescan)
		row.last_uid = 0;
	if (first || s->rescan) {
		row.import_below = first && import ? f->uidnext : 0;
		rc = mailbox_reset(c, f->mailbox, f->uidvalidity, row.last_uid, row.import_below,
				   err);
	}
	s->mailbox->import_below = row.import_below;
	s->cursor = (struct frame_uids){ .mailbox = f->mailbox,
					 .uidvalidity = f->uidvalidity,
					 .last_uid = row.last_uid };
	/* struct frame_uid is one int64_t: the rows are the list */
	if (rc == MD_OK)
		rc = uid_unmarked(c, f->mailbox, f->uidvalidity, UNMARKED_MAX, &s->arena, &uids,
				  &s->cursor.uids.n, err);
	s->cursor.uids.v = uids;
	return rc;
}

static int answer_selected(struct mailboxes *m, struct selecting *s, struct md_err *err)
{
	struct log_ctx about = { .mailbox = s->mailbox->conf->title };
	struct md_err why = { 0 };
	int rc = db_txn(m->d->db, find_cursor, s, &why);

	if (rc != MD_OK || s->lost) { /* if it is still ours, it is asked again */
		mailboxes_let_go(m, s->f.mailbox,
				 s->lost ? "another daemon has taken it over" : why.text);
		return MD_OK;
	}
	if (s->rescan)
		log_warn(&about,
			 "the server numbers its mails anew (UIDVALIDITY %lld): all are looked at "
			 "again, known ones are recognised",
			 (long long)s->f.uidvalidity);
	mailboxes_selected(m, s->f.mailbox);
	return channel_send(m->fetch.channel, FRAME_CURSOR, &frame_uids_rec, &s->cursor, -1, err);
}

static int on_selected(struct mailboxes *m, const struct frame *frame, struct md_err *err)
{
	struct selecting s = { .m = m, .arena = ARENA_INIT(16 << 20) };
	int rc = rec_unpack(&frame_selected_rec, frame->bytes, frame->n, &s.arena, &s.f, err);

	s.mailbox = desk_mailbox(m->d, s.f.mailbox);
	if (rc == MD_OK && !s.mailbox)
		rc = md_fail(err, MD_INPUT, 0, "no such mailbox");
	if (rc == MD_OK)
		rc = answer_selected(m, &s, err);
	arena_done(&s.arena);
	return rc;
}

static bool is_in_hand(const struct mailboxes *m, const struct frame_mail *f)
{
	for (const struct job *j = m->jobs; j; j = j->next)
		if (!j->gone && j->mailbox == f->mailbox && j->uidvalidity == f->uidvalidity &&
		    j->uid == f->uid)
			return true;
	return false;
}

static int fill_job(struct job *j, const struct frame_mail *f, int *fd, struct md_err *err)
{
	struct stat st;

	j->mailbox = f->mailbox;
	j->uidvalidity = f->uidvalidity;
	j->uid = f->uid;
	j->size = f->size;
	j->too_large = f->too_large;
	if (*fd >= 0) {
		j->fd = *fd;
		*fd = -1;
		if (fstat(j->fd, &st) != 0)
			return md_fail(err, MD_BROKEN, errno, "spool file: %s", strerror(errno));
		return blob_prepare_fd(j->fd, st.st_size, &j->blob, err);
	}
	j->n = f->raw.n;
	j->raw = md_malloc(j->n);
	if (!j->raw)
		return md_fail(err, MD_NOMEM, 0, "out of memory");
	memcpy(j->raw, f->raw.v, j->n);
	return blob_prepare(j->raw, j->n, &j->blob, err);
}

static int on_mail(struct mailboxes *m, struct frame *frame, struct md_err *err)
{
	md_auto(arena_done) struct arena arena = ARENA_INIT(FRAME_INLINE_MAX + 4096);
	struct desk_mailbox *mailbox;
	struct frame_mail f;
	struct job *j;
	int rc = rec_unpack(&frame_mail_rec, frame->bytes, frame->n, &arena, &f, err);

	if (rc != MD_OK)
		return rc;
	mailbox = desk_mailbox(m->d, f.mailbox);
	if (!mailbox)
		return md_fail(err, MD_INPUT, 0, "no such mailbox");
	if (!mailboxes_expects(m, f.mailbox) || is_in_hand(m, &f))
		return MD_OK;
	j = mailboxes_add_job(m);
	if (!j)
		return md_fail(err, MD_NOMEM, 0, "out of memory");
	j->import = f.uid < mailbox->import_below;
	return fill_job(j, &f, &frame->fd, err);
}

static int on_marked(struct mailboxes *m, const struct frame *frame, struct md_err *err)
{
	md_auto(arena_done) struct arena arena = ARENA_INIT(16 << 20);
	struct frame_uids f;
	int rc = rec_unpack(&frame_uids_rec, frame->bytes, frame->n, &arena, &f, err);

	if (rc == MD_OK)
		mailboxes_keep_marks(m, &f);
	return rc;
}

static int on_state(struct mailboxes *m, const struct frame *frame, struct md_err *err)
{
	md_auto(arena_done) struct arena arena = ARENA_INIT(64 << 10);
	const struct desk_mailbox *mailbox;
	struct log_ctx about = { 0 };
	struct md_err room;
	struct frame_state f;
	int rc = rec_unpack(&frame_state_rec, frame->bytes, frame->n, &arena, &f, err);

	if (rc != MD_OK)
		return rc;
	if (!f.state)
		return md_fail(err, MD_INPUT, 0, "state is missing");
	about.mailbox = mailboxes_title(m, f.mailbox);
	mailbox = desk_mailbox(m->d, f.mailbox);
	if (mailbox)
		mailboxes_judge(m, mailbox, &f.state, &f.error, &room);
	desk_mailbox_state(m->d, f.mailbox, f.state, f.error);
	if (f.error)
		log_warn(&about, "%s: %s; next try in %lld s", f.state, f.error,
			 (long long)(f.retry_ms / 1000));
	else
		log_info(&about, "%s", f.state);
	if (strcmp(f.state, "ok") == 0)
		m->fetch_failures = 0;
	return MD_OK;
}

int mailboxes_take_frame(struct mailboxes *m, struct frame *f, struct md_err *err)
{
	switch (f->type) {
	case FRAME_SELECTED:
		return on_selected(m, f, err);
	case FRAME_MAIL:
		return on_mail(m, f, err);
	case FRAME_MARKED:
		return on_marked(m, f, err);
	case FRAME_STATE:
		return on_state(m, f, err);
	default:
		return md_fail(err, MD_INPUT, 0, "unexpected frame %u", f->type);
	}
}
