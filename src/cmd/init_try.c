/* The new mailbox tried: signing in, a mail to itself and to address+something, and, when a server
 * of ours says something about the sender, a second one that forges that, for it has to go. */
#include "init.h"

#include <maildesk/app/probe.h>

#include <stdio.h>
#include <string.h>

enum { WAIT_MS = 30000, TIMEOUT_MS = 15000, PROBLEMS_MAX = 64 << 10 };

static void tidy(struct probe_mail *p)
{
	for (int way = 0; way < PROBE_WAYS; way++)
		if (p->arrived[way])
			(void)imap_mark(p->imap, &p->uids[way], 1, "delete", NULL);
}

static int send(struct probe_mail *p, struct arena *a, struct md_err *err)
{
	int rc = probe_send(p, a, err);

	tidy(p);
	return rc;
}

static void believe(const struct probe_mail *first, struct arena *a, struct init_found *ret)
{
	const struct probe_trust *t = &first->trust;
	struct probe_mail second = { .mailbox = first->mailbox,
				     .smtp = first->smtp,
				     .imap = first->imap,
				     .after = first->uids[PROBE_PLAIN],
				     .authserv_id = t->authserv_id,
				     .hops = t->hops,
				     .below = t->below,
				     .wait_ms = WAIT_MS };
	struct md_err err = { 0 };

	if (!t->authserv_id)
		return;
	if (send(&second, a, &err) != MD_OK || !second.arrived[PROBE_PLAIN])
		return;
	if (second.trust.forged_counts) {
		printf("A forged Authentication-Results of \"%s\" came through: it is not "
		       "trusted.\n",
		       t->authserv_id);
		return;
	}
	printf("Senders are proven by \"%s\".\n", t->authserv_id);
	ret->any = true;
	ret->authserv_id = t->authserv_id;
	ret->hops = t->hops;
	ret->below = t->below;
}

static void conclude(struct probe_mail *p, struct arena *a, struct init_found *ret)
{
	if (p->refused[PROBE_PLAIN]) {
		printf("%s does not take mail from %s: %s\n", p->smtp->host, p->mailbox->address,
		       p->reply[PROBE_PLAIN]);
		return;
	}
	if (!p->arrived[PROBE_PLAIN]) {
		printf("A mail to %s did not arrive within %d s.\n", p->mailbox->address,
		       WAIT_MS / 1000);
		return;
	}
	printf("A mail to %s arrived.\n", p->mailbox->address);
	ret->works = true;
	if (!p->arrived[PROBE_PLUS]) {
		puts("Mail to address+anything does not: plus_addressing is off.");
		ret->any = ret->no_plus = true;
	}
	believe(p, a, ret);
}

static void try_with(struct config *c, struct arena *a, struct init_found *ret)
{
	struct probe_mailbox box = { 0 };
	struct probe_mail p = { .mailbox = &c->mailboxes[0],
				.smtp = &c->smtp[0],
				.wait_ms = WAIT_MS };
	struct md_err err = { 0 };
	int rc;

	c->mailboxes[0].timeout_ms = c->smtp[0].timeout_ms = TIMEOUT_MS;
	rc = probe_open(p.mailbox, NULL, &box, &err);
	if (rc == MD_OK) {
		p.imap = box.imap;
		p.after = box.folder.uidnext ? box.folder.uidnext - 1 : 0;
		rc = send(&p, a, &err);
	}
	if (rc == MD_OK)
		conclude(&p, a, ret);
	else
		printf("The mailbox cannot be used yet: %s\n", err.text);
	if (box.imap)
		imap_close(box.imap);
}

void init_try(const struct plan *p, struct arena *a, struct init_found *ret)
{
	md_auto(buf_done) struct buf problems = BUF_INIT(PROBLEMS_MAX);
	md_auto(config_free_p) struct config *c = NULL;

	if (config_load(p->config, &c, &problems) == MD_OK && c->n_mailboxes && c->n_smtp)
		try_with(c, a, ret);
}
