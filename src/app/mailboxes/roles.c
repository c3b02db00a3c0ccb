/* The desk's side of its two other roles: keeping them alive and, here, what goes to fetch and
 * comes from it; readers.c does the same for read. */
#include <maildesk/base/log.h>
#include <maildesk/store/mailboxes.h>

#include "mailboxes_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>

enum {
	BACKOFF_FIRST_MS = 100,
	BACKOFF_MAX_MS = 10000,
	UNMARKED_MAX = 10000,
	SECRET_MAX = 64 << 10
};

/* The first restart is at once: one bad mail is nothing to wait for. */
int64_t mailboxes_backoff_ms(int failures)
{
	int64_t ms = failures > 1 ? BACKOFF_FIRST_MS : 0;

	for (int i = 2; i < failures && ms < BACKOFF_MAX_MS; i++)
		ms *= 2;
	return ms < BACKOFF_MAX_MS ? ms : BACKOFF_MAX_MS;
}

const char *mailboxes_title(const struct mailboxes *m, int64_t id)
{
	const struct desk_mailbox *mailbox = desk_mailbox(m->d, id);

	return mailbox ? mailbox->conf->title : "?";
}

struct pollfd mailboxes_pollfd(const struct channel *ch)
{
	short events = POLLIN;

	if (channel_pending(ch))
		events |= POLLOUT;
	return (struct pollfd){ .fd = channel_fd(ch), .events = events };
}

void mailboxes_stall(struct mailboxes *m, const char *why)
{
	log_error(NULL, "%zu mails wait on their servers: %s", m->n_jobs, why);
	for (const struct job *j = m->jobs; j; j = j->next)
		desk_mailbox_state(m->d, j->mailbox, "backoff", why);
	m->stalled = true;
	m->pause_until_ms = mono(m) + PAUSE_MS;
}

void mailboxes_flow(struct mailboxes *m, struct job *const *group, size_t n)
{
	for (size_t i = 0; i < n; i++)
		desk_mailbox_stored(m->d, group[i]->mailbox, m->stalled);
	m->stalled = false;
}

bool mailboxes_paused(const struct mailboxes *m)
{
	return m->pause_until_ms > mono(m);
}

void mailboxes_log_end(const char *role, int status)
{
	if (WIFSIGNALED(status))
		log_warn(NULL, "%s died of signal %d (%s); it is started again", role,
			 WTERMSIG(status), strsignal(WTERMSIG(status)));
	else
		log_warn(NULL, "%s ended with %d; it is started again", role, WEXITSTATUS(status));
}

/* ---- fetch ---- */

static int send_mailbox(struct mailboxes *m, const struct desk_mailbox *mailbox, bool anew,
			struct md_err *err)
{
	md_auto(vault_wipe) struct buf secret = BUF_INIT(SECRET_MAX);
	const struct conf_mailbox *conf = mailbox->conf;
	int rc = mailboxes_credential(m, mailbox, &secret, err);
	struct frame_mailbox f = {
		.id = mailbox->id,
		.name = conf->title,
		.host = conf->host,
		.user = conf->user,
		.secret = buf_str(&secret),
		.folder = conf->folder,
		.port = conf->port,
		.tls = conf->tls,
		.ca_file = conf->ca_file,
		.auth = conf->oauth ? "xoauth2" : "password",
		.after = conf->after,
		.since = conf_import_since(conf->import),
		.idle = conf->idle,
		.poll_interval_ms = conf->poll_interval_ms,
		.timeout_ms = conf->timeout_ms,
		.max_message_bytes = conf->max_message_bytes,
	};

	/* fetch can open no file of the admin's: its authorities come along */
	md_auto(md_close_p) int ca =
		conf->ca_file[0] ? open(conf->ca_file, O_RDONLY | O_CLOEXEC) : -1;

	if (anew)
		m->holds[mailbox - m->d->mailboxes].selected = false;
	if (rc != MD_OK) /* it is told when there is a token */
		return rc == MD_AGAIN || rc == MD_REFUSED ? MD_OK : rc;
	return channel_send(m->fetch.channel, FRAME_MAILBOX, &frame_mailbox_rec, &f, ca, err);
}

static void lose_fetch(struct mailboxes *m, const char *why)
{
	int status = role_end(&m->fetch);

	m->fetch.channel = NULL;
	m->fetch_failures++;
	m->fetch_again_ms = mono(m) + mailboxes_backoff_ms(m->fetch_failures);
	log_warn(NULL, "lost fetch: %s", why);
	mailboxes_log_end("fetch", status);
}

static void start_fetch(struct mailboxes *m)
{
	struct md_err err = { 0 };
	int rc = role_spawn("fetch", m->spool_fd, &m->fetch, &err);

	if (rc != MD_OK) {
		m->fetch.channel = NULL;
		m->fetch_failures++;
		m->fetch_again_ms = mono(m) + mailboxes_backoff_ms(m->fetch_failures);
		log_error(NULL, "fetch cannot be started: %s", err.text);
		return;
	}
	for (size_t i = 0; i < m->d->n_mailboxes && rc == MD_OK; i++)
		if (m->holds[i].held)
			rc = send_mailbox(m, &m->d->mailboxes[i], true, &err);
	if (rc != MD_OK)
		lose_fetch(m, err.text);
}

void mailboxes_watch(struct mailboxes *m, const struct desk_mailbox *mailbox)
{
	struct md_err err = { 0 };

	if (m->fetch.channel && send_mailbox(m, mailbox, true, &err) != MD_OK)
		lose_fetch(m, err.text);
}

void mailboxes_refresh(struct mailboxes *m, const struct desk_mailbox *mailbox)
{
	struct md_err err = { 0 };

	if (m->fetch.channel && send_mailbox(m, mailbox, false, &err) != MD_OK)
		lose_fetch(m, err.text);
}

void mailboxes_unwatch(struct mailboxes *m, int64_t mailbox)
{
	const struct frame_uids f = { .mailbox = mailbox };
	struct md_err err = { 0 };

	if (m->fetch.channel &&
	    channel_send(m->fetch.channel, FRAME_DROP, &frame_uids_rec, &f, -1, &err) != MD_OK)
		lose_fetch(m, err.text);
}

/* ---- what fetch says ---- */

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

static int forget_marked(struct db_conn *c, void *ctx, struct md_err *err)
{
	md_auto(arena_done) struct arena arena = ARENA_INIT(1 << 20);
	const struct frame_uids *f = ctx;

	/* struct frame_uid is one int64_t */
	return uid_marked(c, f->mailbox, f->uidvalidity, f->uids.v, f->uids.n, &arena, err);
}

static int on_marked(struct mailboxes *m, const struct frame *frame, struct md_err *err)
{
	md_auto(arena_done) struct arena arena = ARENA_INIT(16 << 20);
	struct frame_uids f;
	struct md_err why = { 0 };
	int rc = rec_unpack(&frame_uids_rec, frame->bytes, frame->n, &arena, &f, err);

	/* Not noted is no harm: the mark is made again at the next SELECT. */
	if (rc == MD_OK && db_txn(m->d->db, forget_marked, &f, &why) != MD_OK)
		log_warn(NULL, "marks not noted, they are repeated later: %s", why.text);
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

static int on_frame(struct mailboxes *m, struct frame *f, struct md_err *err)
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

void mailboxes_hear_fetch(struct mailboxes *m)
{
	struct md_err err = { 0 };
	int rc = m->fetch.channel ? channel_flush(m->fetch.channel, &err) : MD_AGAIN;

	while (rc == MD_OK && m->n_jobs < JOBS_MAX) {
		struct frame f;

		rc = channel_receive(m->fetch.channel, &f, &err);
		if (rc != MD_OK)
			break;
		rc = on_frame(m, &f, &err);
		md_close_p(&f.fd);
	}
	if (rc != MD_OK && rc != MD_AGAIN)
		lose_fetch(m, err.text);
}

/* The fetch of these mails may be gone; then the marks are owed at its next SELECT. */
void mailboxes_report_stored(struct mailboxes *m, struct job *const *group, size_t n)
{
	struct md_err err = { 0 };

	for (size_t i = 0; i < n && m->fetch.channel; i++) {
		struct frame_uid uids[GROUP_MAX];
		struct frame_uids f = { .mailbox = group[i]->mailbox,
					.uidvalidity = group[i]->uidvalidity,
					.uids = { 0, uids } };

		/* one frame for each run of one mailbox */
		while (i + f.uids.n < n && group[i + f.uids.n]->mailbox == f.mailbox &&
		       group[i + f.uids.n]->uidvalidity == f.uidvalidity) {
			uids[f.uids.n].uid = group[i + f.uids.n]->uid;
			f.uids.n++;
		}
		i += f.uids.n - 1;
		if (channel_send(m->fetch.channel, FRAME_STORED, &frame_uids_rec, &f, -1, &err) !=
		    MD_OK)
			lose_fetch(m, err.text);
	}
}

/* ---- all of them ---- */

void mailboxes_keep_roles(struct mailboxes *m)
{
	if (!m->fetch.channel && m->fetch_again_ms <= mono(m))
		start_fetch(m);
	mailboxes_keep_readers(m);
}

void mailboxes_end_roles(struct mailboxes *m)
{
	if (m->fetch.channel)
		role_end(&m->fetch);
	mailboxes_end_readers(m);
}

int mailboxes_timeout(const struct mailboxes *m)
{
	int64_t now = mono(m), next = INT64_MAX;

	if (m->pause_until_ms > now)
		next = m->pause_until_ms;
	else if (mailboxes_next_suspect(m))
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
