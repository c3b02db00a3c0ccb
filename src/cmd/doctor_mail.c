/* Mailboxes and ways out, tried for real; what our own mail server writes above a mail and what it
 * takes away; what the DNS says of the desk's domains. */
#include "doctor.h"

#include <maildesk/base/clock.h>
#include <maildesk/net/dns.h>
#include <maildesk/store/messages.h>
#include <maildesk/store/quarantine.h>

#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

enum { ARENA_MAX = 16 << 20, CLOCK_OFF_MS = 60000, TAKEN_WAIT_MS = 10000, LOOK_MS = 200 };

static const struct conf_smtp *way_out(const struct config *c, const struct conf_mailbox *m)
{
	const struct conf_smtp *s = config_smtp(c, m->smtp);

	return s ? s : c->n_smtp ? &c->smtp[0] : NULL;
}

/* ---- one mailbox ---- */

static void say_refusal(struct doctor *d, const struct conf_mailbox *m, int rc,
			const struct md_err *err)
{
	const char *way =
		rc == MD_REFUSED && m->oauth ? "check that the mailbox may be read by IMAP with it"
		: rc == MD_REFUSED  ? "check user and password_file; some providers want an "
				      "app password or OAuth"
		: rc == MD_NOTFOUND ? "create the folder or change folder"
		: rc == MD_AGAIN    ? "check host, port and firewall"
				    : "check tls, host, ca_file, the server's certificate and this "
				      "machine's clock";

	doctor_say(d, FAILED, "mailbox", m->title, "%s: %s.", err->text, way);
}

static bool open_mailbox(struct doctor *d, const struct conf_mailbox *m, struct probe_mailbox *box)
{
	struct imap_folder target;
	struct md_err err = { 0 };
	int rc = probe_open(m, d->bearer, box, &err);

	if (rc != MD_OK) {
		say_refusal(d, m, rc, &err);
		return false;
	}
	if (box->folder.read_only) {
		doctor_say(d, FAILED, "mailbox", m->title,
			   "%s is read-only for %s: give it the right to set flags, or mails "
			   "cannot be "
			   "marked.",
			   m->folder, m->user);
		return true;
	}
	doctor_say(d, FINE, "mailbox", m->title, "Signed in; %s has %u mails%s.", m->folder,
		   box->folder.exists,
		   imap_has_idle(box->imap) ? ", new ones are told at once" : "");
	if (!imap_has_idle(box->imap) && m->idle)
		doctor_say(d, WARNING, "mailbox", m->title,
			   "The server has no IDLE: mail is seen each poll_interval only.");
	if (strncmp(m->after, "move:", 5) != 0)
		return true;
	rc = imap_select(box->imap, m->after + 5, &target, &err);
	if (rc != MD_OK)
		doctor_say(d, FAILED, "mailbox", m->title,
			   "after: there is no folder %s: create it, or change after.",
			   m->after + 5);
	if (imap_select(box->imap, m->folder, &box->folder, &err) != MD_OK)
		doctor_say(d, FAILED, "mailbox", m->title, "%s.", err.text);
	return true;
}

/* ---- what came with the mail to itself ---- */

static void say_trust(struct doctor *d, const struct probe_mail *p)
{
	const struct conf_trust *conf = &d->config->trust;
	const struct probe_trust *t = &p->trust;
	const char *name = p->mailbox->title;
	/* fields count that have fewer Received fields above them */
	int64_t reach = conf->trusted_hops + (strcmp(conf->position, "below") == 0);

	if (t->forged_kept && t->forged_counts) {
		doctor_say(d, FAILED, "trust", name,
			   "A forged Authentication-Results of \"%s\" reached the mailbox where it "
			   "would be believed: let the mail server remove such fields, or set "
			   "trust.authserv_id = \"\".",
			   t->authserv_id ? t->authserv_id : conf->authserv_id);
		return;
	}
	if (!t->authserv_id && *conf->authserv_id) {
		doctor_say(d, FINE, "trust", name,
			   "A forged result of \"%s\" %s. Mail to itself has none of its own: that "
			   "the id is right shows with a mail from outside.",
			   conf->authserv_id,
			   t->forged_kept ? "does not count, where it stands" : "was removed");
		return;
	}
	if (!t->authserv_id) {
		doctor_say(d, FINE, "trust", name,
			   "The mail server writes no Authentication-Results on mail to itself; "
			   "signed reply addresses are the proof.");
		return;
	}
	if (!*conf->authserv_id) {
		doctor_say(d, WARNING, "trust", name,
			   "The mail server proves senders; use it: trust { authserv_id = \"%s\"  "
			   "trusted_hops = %lld%s }, and try a forged one by doctor again.",
			   t->authserv_id, (long long)t->hops,
			   t->below ? "  position = \"below\"" : "");
		return;
	}
	if (strcmp(conf->authserv_id, t->authserv_id) != 0)
		doctor_say(d, WARNING, "trust", name,
			   "The topmost Authentication-Results is of \"%s\", not of \"%s\": set "
			   "trust.authserv_id to the one your server writes.",
			   t->authserv_id, conf->authserv_id);
	else if (reach < t->above + 1)
		doctor_say(
			d, WARNING, "trust", name,
			"The field of \"%s\" stands too low to count: set trust { trusted_hops = "
			"%lld%s }.",
			t->authserv_id, (long long)t->hops,
			t->below ? "  position = \"below\"" : "");
	else if (t->forged_kept && reach > t->above + 1)
		doctor_say(
			d, FAILED, "trust", name,
			"Forged fields of \"%s\" come through, and further down than its own they "
			"would be believed: set trust { trusted_hops = %lld }.",
			t->authserv_id, (long long)t->hops);
	else
		doctor_say(d, FINE, "trust", name, "Results of \"%s\" count, and a forged one %s.",
			   t->authserv_id,
			   t->forged_kept ? "does not, where it stands" : "was removed");
}

static void say_plus(struct doctor *d, const struct probe_mail *p)
{
	const struct conf_mailbox *m = p->mailbox;
	bool works = p->arrived[PROBE_PLUS];

	if (works && !m->plus_addressing)
		doctor_say(d, WARNING, "plus-addressing", m->title,
			   "It works here: set plus_addressing = true for signed reply addresses.");
	else if (works)
		doctor_say(d, FINE, "plus-addressing", m->title, "address+anything arrives.");
	else if (!m->plus_addressing)
		doctor_say(d, FINE, "plus-addressing", m->title,
			   "It is off, and would not work here.");
	else
		doctor_say(
			d, FAILED, "plus-addressing", m->title,
			"Mail to address+anything does not arrive%s%s: let the mail server deliver "
			"it (recipient_delimiter = +), or set plus_addressing = false.",
			p->refused[PROBE_PLUS] ? ", " : "",
			p->refused[PROBE_PLUS] ? p->reply[PROBE_PLUS] : "");
}

static void say_arrival(struct doctor *d, const struct probe_mail *p)
{
	const char *name = p->mailbox->title;

	if (p->refused[PROBE_PLAIN]) {
		doctor_say(d, FAILED, "smtp", p->smtp->title,
			   "%s did not take a mail from %s: %s; check host, port, tls, user and "
			   "password_file.",
			   p->smtp->host, p->mailbox->address, p->reply[PROBE_PLAIN]);
		return;
	}
	doctor_say(d, FINE, "smtp", p->smtp->title, "%s took a mail of %s.", p->smtp->host,
		   p->mailbox->address);
	if (!p->arrived[PROBE_PLAIN]) {
		doctor_say(
			d, FAILED, "delivery", name,
			"It did not arrive in %s within %lld s: look for it in other folders and "
			"in the mail server's log, or try --wait.",
			p->mailbox->folder, (long long)(d->wait_ms / 1000));
		return;
	}
	doctor_say(d, FINE, "delivery", name, "It arrived after %.1f s.",
		   (double)p->took_ms / 1000);
	if (p->clock_ahead_ms > CLOCK_OFF_MS || p->clock_ahead_ms < -CLOCK_OFF_MS)
		doctor_say(
			d, WARNING, "clock", name,
			"The mail server's clock is %lld s away from this machine's: set both by "
			"NTP.",
			(long long)(p->clock_ahead_ms < 0 ? -p->clock_ahead_ms
							  : p->clock_ahead_ms) /
				1000);
	say_plus(d, p);
	say_trust(d, p);
}

/* ---- tidying up ---- */

struct tidying {
	const char *id;
	bool done;
};

static int tidy_in_txn(struct db_conn *c, void *ctx, struct md_err *err)
{
	md_auto(arena_done) struct arena a = ARENA_INIT(ARENA_MAX);
	struct tidying *t = ctx;
	struct quarantine_row *rows;
	int64_t total;
	size_t n = 0;
	int rc = quarantine_list(c, 0, 0, 50, &a, &rows, &n, &total, err);

	t->done = false;
	for (size_t i = 0; i < n && rc == MD_OK; i++)
		if (rows[i].mail_id && strcmp(rows[i].mail_id, t->id) == 0) {
			rc = quarantine_remove(c, rows[i].id, err);
			t->done = true;
		}
	return rc;
}

/* A daemon takes the mail for one of its own, which it keeps away from tickets. */
static void forget_in_database(struct doctor *d, const char *id)
{
	int64_t until = clock_mono(&clock_system) + TAKEN_WAIT_MS;
	struct tidying t = { id, false };

	while (d->db && !t.done && clock_mono(&clock_system) < until) {
		if (db_txn(d->db, tidy_in_txn, &t, NULL) != MD_OK)
			return;
		if (!t.done)
			poll(NULL, 0, LOOK_MS);
	}
}

static void tidy(struct doctor *d, struct probe_mail *p)
{
	for (int way = 0; way < PROBE_WAYS; way++) {
		if (!p->arrived[way])
			continue;
		if (d->daemon_works)
			forget_in_database(d, p->ids[way]);
		if (p->uids[way])
			(void)imap_mark(p->imap, &p->uids[way], 1, "delete", NULL);
	}
}

static void send_to_itself(struct doctor *d, const struct conf_mailbox *m,
			   const struct probe_mailbox *box)
{
	md_auto(arena_done) struct arena a = ARENA_INIT(ARENA_MAX);
	struct probe_mail p = { .mailbox = m,
				.smtp = way_out(d->config, m),
				.bearer = d->bearer,
				.imap = box->imap,
				.db = d->daemon_works ? d->db : NULL,
				.after = box->folder.uidnext ? box->folder.uidnext - 1 : 0,
				.authserv_id = *d->config->trust.authserv_id
						       ? d->config->trust.authserv_id
						       : NULL,
				.hops = d->config->trust.trusted_hops,
				.below = strcmp(d->config->trust.position, "below") == 0,
				.wait_ms = d->wait_ms };
	struct md_err err = { 0 };
	int rc;

	if (!p.smtp)
		return;
	rc = probe_send(&p, &a, &err);
	if (rc != MD_OK)
		doctor_say(d, FAILED, "delivery", m->title, "%s.", err.text);
	else
		say_arrival(d, &p);
	tidy(d, &p);
}

/* ---- DNS ---- */

/* RFC 2606, RFC 6762, and addresses: nobody outside knows them. */
static bool is_private(const char *domain)
{
	static const char *const tops[] = { "test",        "example",     "invalid",    "localhost",
					    "local",       "internal",    "home.arpa",  "lan",
					    "example.com", "example.org", "example.net" };
	size_t n = strlen(domain);

	for (size_t i = 0; i < MD_COUNT(tops); i++) {
		size_t k = strlen(tops[i]);

		if (n >= k && strcasecmp(domain + n - k, tops[i]) == 0 &&
		    (n == k || domain[n - k - 1] == '.'))
			return true;
	}
	return !strchr(domain, '.') || domain[0] == '[';
}

static bool has_text(const char *name, const char *prefix, struct arena *a, int *ret_rc)
{
	struct rec_strs texts = { 0 };
	struct md_err err;

	*ret_rc = dns_look_up(name, DNS_TXT, a, &texts, &err);
	for (size_t i = 0; *ret_rc == MD_OK && i < texts.n; i++)
		if (strncasecmp(texts.v[i], prefix, strlen(prefix)) == 0)
			return true;
	return false;
}

static void look_up(struct doctor *d, const char *domain)
{
	md_auto(arena_done) struct arena a = ARENA_INIT(ARENA_MAX);
	const char *dmarc = arena_printf(&a, "_dmarc.%s", domain);
	struct rec_strs hosts = { 0 };
	struct md_err err;
	bool spf, has_dmarc;
	int rc = dns_look_up(domain, DNS_MX, &a, &hosts, &err), rc_text;

	if (rc == MD_AGAIN || rc == MD_NOMEM || !dmarc) {
		doctor_say(d, WARNING, "dns", domain,
			   "It cannot be looked up (%s): check "
			   "/etc/resolv.conf.",
			   err.text);
		return;
	}
	if (rc == MD_NOTFOUND)
		doctor_say(
			d, WARNING, "dns", domain,
			"It has no MX record: add one, or mail goes to the host of that name, if "
			"there is one.");
	spf = has_text(domain, "v=spf1", &a, &rc_text);
	has_dmarc = has_text(dmarc, "v=DMARC1", &a, &rc_text);
	if (!spf)
		doctor_say(d, WARNING, "dns", domain,
			   "It has no SPF record: add a TXT \"v=spf1 ... -all\" that names %s, or "
			   "answers end up as spam.",
			   d->config->n_smtp ? d->config->smtp[0].host : "your SMTP server");
	if (!has_dmarc)
		doctor_say(d, WARNING, "dns", domain,
			   "It has no DMARC record: add a TXT \"v=DMARC1; p=none\" at %s.", dmarc);
	if (rc == MD_OK && spf && has_dmarc)
		doctor_say(d, FINE, "dns", domain, "MX %s, SPF and DMARC are there.", hosts.v[0]);
}

static void look_up_domains(struct doctor *d)
{
	const struct config *c = d->config;

	for (size_t i = 0; i < c->n_mailboxes; i++) {
		const char *domain = strrchr(c->mailboxes[i].address, '@') + 1;
		bool seen = false;

		for (size_t k = 0; k < i; k++)
			seen |= strcasecmp(strrchr(c->mailboxes[k].address, '@') + 1, domain) == 0;
		if (seen)
			continue;
		if (is_private(domain))
			doctor_say(d, SKIPPED, "dns", domain,
				   "Not looked up: no public DNS knows such a domain.");
		else
			look_up(d, domain);
	}
}

/* ---- all of it ---- */

void doctor_mail(struct doctor *d)
{
	for (size_t i = 0; i < d->config->n_mailboxes; i++) {
		const struct conf_mailbox *m = &d->config->mailboxes[i];
		struct probe_mailbox box = { 0 };

		if (!open_mailbox(d, m, &box))
			continue;
		if (!d->no_mail)
			send_to_itself(d, m, &box);
		imap_close(box.imap);
	}
	look_up_domains(d);
}
