#include <maildesk/app/probe.h>
#include <maildesk/app/vault.h>
#include <maildesk/base/clock.h>
#include <maildesk/base/random.h>
#include <maildesk/mail/compose.h>
#include <maildesk/mail/message.h>
#include <maildesk/store/blobs.h>
#include <maildesk/store/messages.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	CA_FILE_MAX = 4 << 20,
	HEADER_MAX = 256 << 10,
	LOOK_MS = 500,
	MAIL_MAX = 16 << 10,
	TOKEN_MAX = 64 << 10,
	TOKEN_WAIT_MS = 10000,
};

/* ---- signing in ---- */

static int load_trust(const char *path, struct wire_trust **ret, struct md_err *err)
{
	md_auto(md_close_p) int fd = open(path, O_RDONLY | O_CLOEXEC);
	md_auto(md_free_p) char *pem = NULL;
	struct stat st;
	ssize_t n;

	if (fd < 0 || fstat(fd, &st) != 0)
		return md_fail(err, MD_BROKEN, errno, "ca_file %s: %s", path, strerror(errno));
	if (st.st_size <= 0 || st.st_size > CA_FILE_MAX)
		return md_fail(err, MD_BROKEN, 0, "ca_file %s: empty or too large", path);
	pem = md_malloc((size_t)st.st_size);
	n = pem ? read(fd, pem, (size_t)st.st_size) : -1;
	return n < 0 ? md_fail(err, MD_BROKEN, 0, "ca_file %s: cannot be read", path)
		     : wire_trust_new(pem, (size_t)n, ret, err);
}

/* The first one may be on its way. MD_REFUSED: a person must act, err says how. */
static int get_token(struct bearer *b, const char *section, const char *user, struct buf *out,
		     struct md_err *err)
{
	int64_t until = clock_mono(&clock_system) + TOKEN_WAIT_MS, serial;
	int rc;

	while ((rc = bearer_token(b, section, user, out, &serial, err)) == MD_AGAIN &&
	       clock_mono(&clock_system) < until)
		poll(NULL, 0, LOOK_MS);
	return rc;
}

int probe_open(const struct conf_mailbox *m, struct bearer *bearer, struct probe_mailbox *ret,
	       struct md_err *err)
{
	md_auto(buf_wipe) struct buf token = BUF_INIT(TOKEN_MAX);
	md_auto(wire_trust_unref_p) struct wire_trust *trust = NULL;
	md_auto(imap_close_p) struct imap *imap = NULL;
	struct imap_config c = { .host = m->host,
				 .port = (int)m->port,
				 .tls = m->tls,
				 .user = m->user,
				 .secret = m->password,
				 .xoauth2 = m->oauth != NULL,
				 .timeout_ms = m->timeout_ms };
	int rc = MD_OK;

	if (*m->ca_file)
		rc = load_trust(m->ca_file, &trust, err);
	else if (strcmp(m->tls, "none") != 0)
		rc = wire_trust_system(&trust, err);
	c.trust = trust;
	if (rc == MD_OK && m->oauth) {
		rc = get_token(bearer, m->oauth, m->user, &token, err);
		c.secret = buf_str(&token);
	}
	if (rc == MD_OK)
		rc = imap_open(&c, &imap, err);
	if (rc != MD_OK)
		return rc;
	rc = imap_select(imap, m->folder, &ret->folder, err);
	if (rc == MD_REFUSED)
		err->code = rc = MD_NOTFOUND;
	if (rc == MD_OK)
		ret->imap = md_take(imap);
	return rc;
}

/* ---- a mail to itself ---- */

static void address_of(const struct conf_mailbox *m, enum probe_way way, const char *token,
		       char ret[320])
{
	const char *at = strrchr(m->address, '@');

	if (way == PROBE_PLAIN || !at)
		snprintf(ret, 320, "%s", m->address);
	else
		snprintf(ret, 320, "%.*s+%s%s", (int)(at - m->address), m->address, token, at);
}

static void compose(const struct probe_mail *p, enum probe_way way, const char *to, struct buf *out)
{
	char date[32];

	if (way == PROBE_PLAIN && p->authserv_id)
		buf_addf(out,
			 "Authentication-Results: %s%sdmarc=pass header.from=" PROBE_FORGED "\r\n",
			 strcmp(p->authserv_id, "-") == 0 ? "" : p->authserv_id,
			 strcmp(p->authserv_id, "-") == 0 ? "" : "; ");
	buf_addf(out, "From: <%s>\r\nTo: <%s>\r\nSubject: maildesk tries its mailbox\r\n",
		 p->mailbox->address, to);
	buf_addf(out, "Date: %s\r\nMessage-ID: <%s>\r\n",
		 compose_date(clock_wall(&clock_system), date), p->ids[way]);
	buf_adds(out,
		 "Auto-Submitted: auto-generated\r\nMIME-Version: 1.0\r\n"
		 "Content-Type: text/plain; charset=us-ascii\r\n\r\n"
		 "maildesk sent this mail to its own address, to see that it arrives. It may be "
		 "deleted.\r\n");
}

static int send_one(struct probe_mail *p, enum probe_way way, struct md_err *err)
{
	const struct conf_smtp *conf = p->smtp;
	const struct smtp_account account = { conf->host,       conf->port, conf->tls,
					      conf->ca_file,    conf->user, conf->password,
					      conf->timeout_ms, NULL };
	md_auto(buf_done) struct buf mail = BUF_INIT(MAIL_MAX);
	md_auto(buf_wipe) struct buf access = BUF_INIT(TOKEN_MAX);
	md_auto(smtp_free_p) struct smtp *session = NULL;
	struct smtp_result result = { 0 };
	char to[320], token[20];
	uint64_t dice;
	int rc;

	random_fill(&random_system, &dice, sizeof dice);
	snprintf(token, sizeof token, "%016llx", (unsigned long long)dice);
	snprintf(p->ids[way], sizeof p->ids[way], "try.%s%s", token,
		 strrchr(p->mailbox->address, '@'));
	address_of(p->mailbox, way, token, to);
	compose(p, way, to, &mail);
	rc = smtp_new(&account, &session, err);
	if (rc == MD_OK && conf->oauth)
		rc = get_token(p->bearer, conf->oauth, conf->user, &access, err);
	if (rc == MD_OK && conf->oauth)
		rc = smtp_set_token(session, buf_str(&access), err);
	if (rc == MD_OK)
		rc = smtp_send(session, p->mailbox->address, to, mail.data, mail.len,
			       conf->timeout_ms, &result, err);
	p->refused[way] = result.outcome != SMTP_SENT;
	snprintf(p->reply[way], sizeof p->reply[way], "%s", result.reply);
	return rc;
}

struct found {
	struct probe_mail *p;
	struct arena *a;
	const struct imap_mail *mail;
};

static bool counts(int64_t received, int64_t above, int64_t hops, bool below)
{
	return received >= hops && above < hops + (below ? 1 : 0);
}

static bool is_forged(const struct auth_field *f)
{
	return f->dmarc_from && strcmp(f->dmarc_from, PROBE_FORGED) == 0;
}

/* The topmost field is our server's. What stands above our topmost Received nobody else can have
 * written; below it, whether the next Received is ours too cannot be seen in a mail that only we
 * have handled. */
void probe_read_trust(struct probe_mail *p, const struct message *m)
{
	const struct auth_field *fields = m->auth_fields.v;
	struct probe_trust *t = &p->trust;

	t->received = m->received_count;
	for (size_t i = 0; i < m->auth_fields.n && !t->authserv_id; i++) {
		const struct auth_field *f = &fields[i];

		if (is_forged(f) || !f->authserv_id)
			continue;
		t->authserv_id = *f->authserv_id ? f->authserv_id : "-";
		t->passes = f->dkim_pass_domains.n || (f->dmarc && strcmp(f->dmarc, "pass") == 0);
		t->above = f->received_above;
		t->below = t->above > 0;
		t->hops = t->below ? t->above : 1;
	}
	for (size_t i = 0; i < m->auth_fields.n; i++)
		if (is_forged(&fields[i])) {
			t->forged_kept = true;
			t->forged_counts |=
				t->authserv_id ? t->below
					       : counts(m->received_count, fields[i].received_above,
							p->hops, p->below);
		}
}

static int look_at(void *ctx, size_t index, const char *raw, size_t n, struct md_err *err)
{
	struct found *f = ctx;
	struct probe_mail *p = f->p;
	struct message m;
	int rc = message_read((const uint8_t *)raw, n, f->a, &m, err);

	(void)index;
	for (int way = 0; rc == MD_OK && way < PROBE_WAYS; way++) {
		if (p->arrived[way] || !m.message_id || strcmp(m.message_id, p->ids[way]) != 0)
			continue;
		p->arrived[way] = true;
		p->uids[way] = f->mail->uid;
		if (f->mail->internaldate_ms)
			p->clock_ahead_ms = clock_wall(&clock_system) - f->mail->internaldate_ms;
		if (way == PROBE_PLAIN)
			probe_read_trust(p, &m);
	}
	return rc;
}

/* What is done with mails that were taken in may be to delete or to move them. */
static int look_in_database(struct probe_mail *p, enum probe_way way, struct arena *a,
			    struct md_err *err)
{
	md_auto(db_read_done_p) struct db_conn *c = NULL;
	md_auto(md_free_p) uint8_t *raw = NULL;
	struct imap_mail none = { 0 };
	struct found f = { p, a, &none };
	struct message_row row = { 0 };
	size_t n = 0;
	int rc = db_read(p->db, &c, err);

	if (rc == MD_OK)
		rc = message_received(c, p->ids[way], a, &row, err);
	if (rc == MD_OK && row.blob_id)
		rc = blob_get(c, row.blob_id, &raw, &n, err);
	if (rc == MD_OK && n)
		rc = look_at(&f, 0, (const char *)raw, n, err);
	return rc == MD_NOTFOUND ? MD_OK : rc;
}

static int look(struct probe_mail *p, struct arena *a, uint32_t *after, struct md_err *err)
{
	md_auto(md_free_p) uint32_t *uids = NULL;
	bool all;
	size_t n = 0;
	int rc = imap_noop(p->imap, err);

	if (rc == MD_OK)
		rc = imap_list(p->imap, *after, &uids, &n, &all, err);
	for (size_t i = 0; i < n && rc == MD_OK; i++) {
		struct imap_mail mail = { .uid = uids[i] };
		struct found f = { p, a, &mail };

		rc = imap_sizes(p->imap, &mail, 1, err);
		if (rc == MD_OK)
			rc = imap_fetch_header(p->imap, &mail, HEADER_MAX, look_at, &f, err);
		*after = uids[i];
	}
	for (int way = 0; p->db && way < PROBE_WAYS && rc == MD_OK; way++)
		if (!p->arrived[way] && !p->refused[way])
			rc = look_in_database(p, (enum probe_way)way, a, err);
	return rc;
}

static bool all_there(const struct probe_mail *p)
{
	for (int way = 0; way < PROBE_WAYS; way++)
		if (!p->refused[way] && !p->arrived[way])
			return false;
	return true;
}

int probe_send(struct probe_mail *p, struct arena *a, struct md_err *err)
{
	int64_t from = clock_mono(&clock_system);
	uint32_t after = p->after;
	int rc = MD_OK;

	for (int way = 0; way < PROBE_WAYS && rc == MD_OK; way++)
		rc = send_one(p, (enum probe_way)way, err);
	while (rc == MD_OK && !all_there(p) && clock_mono(&clock_system) < from + p->wait_ms) {
		rc = look(p, a, &after, err);
		p->took_ms = clock_mono(&clock_system) - from;
		if (rc == MD_OK && !all_there(p))
			poll(NULL, 0, LOOK_MS);
	}
	return rc;
}
