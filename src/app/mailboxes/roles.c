/* The desk's side of its two other roles: keeping them alive and, here, what is said to fetch. What
 * fetch says is in hearing.c, the same for read in readers.c. */
#include <maildesk/base/log.h>

#include "mailboxes_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

enum { BACKOFF_FIRST_MS = 100, BACKOFF_MAX_MS = 10000, SECRET_MAX = 64 << 10 };

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
	md_auto(buf_wipe) struct buf secret = BUF_INIT(SECRET_MAX);
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

void mailboxes_hear_fetch(struct mailboxes *m)
{
	struct md_err err = { 0 };
	int rc = m->fetch.channel ? channel_flush(m->fetch.channel, &err) : MD_AGAIN;

	while (rc == MD_OK && m->n_jobs < JOBS_MAX) {
		struct frame f;

		rc = channel_receive(m->fetch.channel, &f, &err);
		if (rc != MD_OK)
			break;
		rc = mailboxes_take_frame(m, &f, &err);
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
