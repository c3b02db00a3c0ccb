/* Who a mail speaks for, how well that is proven, and which tickets it points at. */
#include <maildesk/base/mem.h>
#include <maildesk/base/utf8.h>
#include <maildesk/mail/alike.h>
#include <maildesk/store/messages.h>
#include <maildesk/store/proofs.h>
#include <maildesk/store/tickets.h>
#include <maildesk/store/users.h>

#include "intake_priv.h"

#include <string.h>

enum {
	TICKETS_MAX = 8,
	MERGES_MAX = 16,
	DEAD_AFTER_DAYS = 30, /* tokens of a ticket, once it is closed */
};

struct gather {
	struct desk *d;
	struct db_conn *c;
	struct arena *a;
	int64_t now_ms;
	struct intake_facts *f;
	struct route_ticket tickets[TICKETS_MAX]; /* each is looked up once */
	int64_t named[TICKETS_MAX];
	bool exists[TICKETS_MAX];
	int64_t epochs[TICKETS_MAX]; /* -1: it was merged, its tokens go by the user's alone */
	size_t n_tickets;
	struct md_err *err;
};

static bool listed(const struct conf_strs *list, const char *address)
{
	for (size_t i = 0; i < list->n; i++)
		if (strcasecmp(list->v[i], address) == 0)
			return true;
	return false;
}

/* A contact form writes in its own name; the person is in Reply-To (mail-in.md). */
static int find_sender(struct gather *g)
{
	struct intake_facts *f = g->f;
	const struct mail_address *from = f->m->from.n ? f->m->from.v : NULL;
	const struct mail_address *reply_to = f->m->reply_to.n ? f->m->reply_to.v : NULL;

	md_auto(buf_done) struct buf folded = BUF_INIT(1 << 16);

	f->by_form = from && reply_to && f->mailbox &&
		     listed(&f->mailbox->conf->contact_form_senders, from->address);
	if (f->by_form)
		from = reply_to;
	if (!from)
		return MD_OK;
	utf8_fold(&folded, from->address, strlen(from->address));
	f->sender = arena_strdup(g->a, buf_str(&folded));
	f->sender_name = from->name;
	return folded.status == MD_OK && f->sender ? MD_OK
						   : md_fail(g->err, MD_NOMEM, 0, "out of memory");
}

static int look_up_user(struct gather *g, const struct intake_known *known)
{
	struct intake_facts *f = g->f;

	if (!f->sender)
		return MD_NOTFOUND;
	if (!known || !known->user || strcmp(known->sender, f->sender) != 0)
		return user_by_address(g->c, f->sender, g->a, &f->user, g->err);
	f->user = *known->user;
	return MD_OK;
}

static int find_user(struct gather *g, const struct intake_known *known)
{
	struct intake_facts *f = g->f;
	int rc = look_up_user(g, known);

	/* Who left the desk keeps the tickets, and none of the rights. */
	if (rc == MD_OK && f->user.disabled_at)
		f->user.role = "customer";
	f->is_staff = rc == MD_OK && strcmp(f->user.role, "customer") != 0;
	return rc == MD_NOTFOUND ? MD_OK : rc;
}

/* ---- tickets ---- */

/* The ticket that now stands for a number, merges followed. */
static int follow(struct gather *g, int64_t id, struct ticket_glance *ret)
{
	int64_t user = g->f->user.id;
	int rc = ticket_look(g->c, id, user, g->a, ret, g->err);

	for (int i = 0; i < MERGES_MAX && rc == MD_OK && ret->merged_into; i++)
		rc = ticket_look(g->c, ret->merged_into, user, g->a, ret, g->err);
	if (rc == MD_OK && (ret->deleted_at || ret->merged_into))
		rc = MD_NOTFOUND;
	return rc;
}

static int describe(struct gather *g, int64_t id, struct route_ticket *ret, int64_t *ret_epoch)
{
	const struct workflow *wf = g->d->workflow;
	const struct workflow_status *status;
	struct ticket_glance t;
	int rc = follow(g, id, &t);

	if (rc != MD_OK)
		return rc;
	*ret_epoch = t.id == id ? t.epoch : -1;
	status = workflow_status(wf, t.status);
	*ret = (struct route_ticket){
		.id = t.id,
		.merged_from = t.id == id ? 0 : id,
		.sender_is_staff = g->f->is_staff,
		.sender_on_ticket = t.takes_part || g->f->is_staff,
		.is_closed = status && status->phase == PHASE_CLOSED,
		.closed_at_ms = t.closed_at,
		.can_reopen = workflow_by_itself(wf, t.status, TRIGGER_CUSTOMER_REPLY,
						 t.assignee_id != 0) != NULL,
	};
	return MD_OK;
}

/* Where a ticket stands among those looked up; TICKETS_MAX when there is no room for it. */
static int find_ticket(struct gather *g, int64_t ticket, size_t *ret)
{
	size_t i = 0;
	int rc;

	while (i < g->n_tickets && g->named[i] != ticket)
		i++;
	*ret = i;
	if (i < g->n_tickets || i == TICKETS_MAX)
		return MD_OK;
	g->named[g->n_tickets++] = ticket;
	rc = describe(g, ticket, &g->tickets[i], &g->epochs[i]);
	g->exists[i] = rc == MD_OK;
	return rc == MD_NOTFOUND ? MD_OK : rc;
}

static int add_hit(struct gather *g, enum route_rule rule, const char *via, enum token_result token,
		   int64_t ticket)
{
	struct route_hit *h;
	size_t i;
	int rc;

	if (g->f->n_hits == INTAKE_HITS_MAX)
		return MD_OK;
	h = &g->f->hits[g->f->n_hits++];
	*h = (struct route_hit){ .rule = rule, .via = via, .token = token };
	if (!ticket)
		return MD_OK;
	rc = find_ticket(g, ticket, &i);
	if (rc == MD_OK && i < TICKETS_MAX) {
		h->has_ticket = g->exists[i];
		h->ticket = g->tickets[i];
	}
	return rc;
}

/* ---- the four rules ---- */

/* Was that token revoked since, or is its ticket closed for so long that nobody answers it? Both
 * make it none. The low bits of its serial are the epoch of ticket and user. */
static int is_over(struct gather *g, const struct token *t, bool *ret)
{
	const struct user *user = &g->f->user;
	struct user other;
	size_t i;
	int rc = find_ticket(g, t->ticket, &i);

	*ret = false;
	if (rc != MD_OK || i == TICKETS_MAX || !g->exists[i])
		return rc;
	if (g->tickets[i].is_closed &&
	    g->now_ms - g->tickets[i].closed_at_ms > DEAD_AFTER_DAYS * INT64_C(86400000)) {
		*ret = true;
		return MD_OK;
	}
	if (t->user != user->id) {
		rc = user_get(g->c, t->user, g->a, &other, g->err);
		user = &other;
	}
	if (rc == MD_OK && g->epochs[i] >= 0)
		*ret = (t->serial & TOKEN_EPOCH_MASK) !=
		       ((g->epochs[i] + user->epoch) & TOKEN_EPOCH_MASK);
	return rc == MD_NOTFOUND ? MD_OK : rc;
}

static int token_hit(struct gather *g, enum route_rule rule, const char *via,
		     enum token_result result, const struct token *t)
{
	bool over = false;
	int rc = MD_OK;

	if (result == TOKEN_NONE)
		return MD_OK;
	if (result == TOKEN_VALID && t->purpose != TOKEN_BOUNCE)
		rc = is_over(g, t, &over);
	if (over)
		result = TOKEN_EXPIRED;
	return rc == MD_OK ? add_hit(g, rule, via, result, result == TOKEN_VALID ? t->ticket : 0)
			   : rc;
}

/* Signed addresses: they route; one that was sent to this very user proves them; others say what
 * the mail is about. */
static int read_address(struct gather *g, const char *address)
{
	struct intake_facts *f = g->f;
	struct token t = { 0 };
	size_t before = f->n_hits;
	enum token_result r =
		token_read_address(g->d->token_keys, address, &g->d->own, token_day(g->now_ms), &t);
	int rc;

	if (r == TOKEN_VALID && t.purpose == TOKEN_CONFIRM) {
		f->confirmation = t.serial;
		return MD_OK;
	}
	rc = token_hit(g, RULE_ADDRESS, address, r, &t);
	if (rc != MD_OK || f->n_hits == before || f->hits[before].token != TOKEN_VALID)
		return rc;
	if (t.purpose == TOKEN_BOUNCE)
		f->bounced = t;
	else if (!f->proof.user || f->proof.user != f->user.id)
		f->proof = t;
	return rc;
}

static int read_addresses(struct gather *g)
{
	const struct message *m = g->f->m;
	const struct rec_list *lists[] = { &m->to, &m->cc };
	int rc = MD_OK;

	for (size_t i = 0; i < m->delivered_to.n && rc == MD_OK; i++)
		rc = read_address(g, m->delivered_to.v[i]);
	for (size_t l = 0; l < MD_COUNT(lists); l++)
		for (size_t i = 0; i < lists[l]->n && rc == MD_OK; i++)
			rc = read_address(g, ((const struct mail_address *)lists[l]->v)[i].address);
	return rc;
}

static bool has_id(const struct rec_strs *ids, const char *id)
{
	for (size_t i = 0; i < ids->n; i++)
		if (strcmp(ids->v[i], id) == 0)
			return true;
	return false;
}

/* In-Reply-To, then References newest first; a bounce names its original. Each once: the newest
 * reference is what In-Reply-To says already. */
static int collect_ids(struct gather *g, struct rec_strs *ret)
{
	const struct message *m = g->f->m;

	ret->n = 0;
	ret->v =
		arena_array(g->a, m->in_reply_to.n + m->references.n + m->bounce.n, sizeof(char *));
	if (!ret->v)
		return md_fail(g->err, MD_NOMEM, 0, "out of memory");
	for (size_t i = 0; i < m->bounce.n; i++) {
		const char *id = ((const struct bounce *)m->bounce.v)[i].original_message_id;

		if (id)
			ret->v[ret->n++] = id;
	}
	for (size_t i = 0; i < m->in_reply_to.n; i++)
		ret->v[ret->n++] = m->in_reply_to.v[i];
	if (ret->n > INTAKE_HITS_MAX)
		ret->n = INTAKE_HITS_MAX;
	for (size_t i = m->references.n; i-- > 0 && ret->n < INTAKE_HITS_MAX;)
		if (!has_id(ret, m->references.v[i]))
			ret->v[ret->n++] = m->references.v[i];
	return MD_OK;
}

static int find_confirmation(struct gather *g, const char *mail_id)
{
	struct confirmation asked;
	int rc = confirmation_by_mail(g->c, mail_id, g->a, &asked, g->err);

	if (rc == MD_OK)
		g->f->confirmation = asked.id;
	return rc == MD_NOTFOUND ? MD_OK : rc;
}

static int read_references(struct gather *g)
{
	struct rec_strs ids;
	struct thread_hit *known = NULL;
	size_t n = 0;
	int rc = collect_ids(g, &ids);

	if (rc == MD_OK && ids.n)
		rc = thread_find(g->c, &ids, g->a, &known, &n, g->err);
	for (size_t i = 0; i < ids.n && rc == MD_OK; i++) {
		struct token t = { 0 };
		enum token_result r =
			token_read_message_id(g->d->token_keys, ids.v[i], token_day(g->now_ms), &t);
		int64_t ticket = r == TOKEN_VALID ? t.ticket : 0;

		for (size_t k = 0; k < n && !ticket && r != TOKEN_BAD; k++)
			if (strcmp(known[k].message_id, ids.v[i]) == 0)
				ticket = known[k].ticket_id;
		/* the mail that asks for a confirmation, answered without its address */
		if (r == TOKEN_VALID && i < g->f->m->in_reply_to.n &&
		    (t.serial & TOKEN_INDEX_MASK) == TOKEN_INDEX_MASK)
			rc = find_confirmation(g, ids.v[i]);
		if (rc == MD_OK && (ticket || r == TOKEN_BAD))
			rc = add_hit(g, RULE_REFERENCE, ids.v[i], r, ticket);
	}
	return rc;
}

static int read_marks(struct gather *g)
{
	const struct message *m = g->f->m;
	int64_t number = command_ticket_tag(m->subject, g->d->config->desk.subject_tag);
	int rc = MD_OK;

	for (size_t i = 0; i < m->markers.n && rc == MD_OK; i++) {
		struct token t = { 0 };
		enum token_result r = token_read_marker(g->d->token_keys, m->markers.v[i],
							token_day(g->now_ms), &t);

		rc = token_hit(g, RULE_MARKER, m->markers.v[i], r, &t);
	}
	if (rc == MD_OK && number)
		rc = add_hit(g, RULE_SUBJECT, m->subject, TOKEN_NONE, number);
	return rc;
}

static bool is_automatic(const struct message *m)
{
	switch ((enum message_kind)m->kind) {
	case KIND_AUTO_REPLY:
	case KIND_BOUNCE:
	case KIND_DELAY:
	case KIND_RECEIPT:
	case KIND_CALENDAR_REPLY:
	case KIND_LOOP:
	case KIND_ABUSE_REPORT:
		return true;
	default:
		return false;
	}
}

/* Tokens of different tickets in one mail: nobody knows which was meant, so none of them proves. */
static bool tokens_disagree(const struct intake_facts *f)
{
	int64_t ticket = 0;

	for (size_t i = 0; i < f->n_hits; i++) {
		const struct route_hit *h = &f->hits[i];

		if ((h->rule != RULE_ADDRESS && h->rule != RULE_MARKER) ||
		    h->token != TOKEN_VALID || !h->has_ticket)
			continue;
		if (ticket && ticket != h->ticket.id)
			return true;
		ticket = h->ticket.id;
	}
	return false;
}

/* Is that address From's own, or another one of the same user? */
static int is_theirs(struct gather *g, const char *address, bool *ret)
{
	const struct mail_address *from = g->f->m->from.v;
	struct user other;
	int rc;

	*ret = token_same_mailbox(address, from->address);
	if (*ret || !g->f->user.id)
		return MD_OK;
	rc = user_by_address(g->c, address, g->a, &other, g->err);
	*ret = rc == MD_OK && other.id == g->f->user.id;
	return rc == MD_OK || rc == MD_NOTFOUND || rc == MD_INPUT ? MD_OK : rc;
}

/* What makes a From that reads well one that is not to be believed. */
static int find_trick(struct gather *g, enum evidence_code *ret)
{
	const struct intake_facts *f = g->f;
	const struct mail_address *from = f->m->from.n ? f->m->from.v : NULL;
	const char *domain = from ? strrchr(from->address, '@') : NULL;
	const struct {
		const struct rec_list *list;
		enum evidence_code why;
	} others[] = { { &f->m->sender, EVIDENCE_OTHER_SENDER },
		       { &f->m->reply_to, EVIDENCE_OTHER_REPLY_TO } };
	bool theirs = true;
	int rc = MD_OK;

	/* Lists and forms write for others: that is what they are there for. */
	if (!domain || f->by_form || f->by_own_list)
		return MD_OK;
	for (size_t i = 0; i < g->d->own.n && !*ret; i++) {
		const char *own = strrchr(g->d->own.v[i], '@');

		if (own && alike_domains(domain + 1, own + 1))
			*ret = EVIDENCE_LOOKS_LIKE_OURS;
	}
	for (size_t l = 0; l < MD_COUNT(others) && !*ret; l++)
		for (size_t i = 0; i < others[l].list->n && rc == MD_OK && theirs; i++) {
			const struct mail_address *a = others[l].list->v;

			rc = is_theirs(g, a[i].address, &theirs);
			if (rc == MD_OK && !theirs)
				*ret = others[l].why;
		}
	return rc;
}

static int assess(struct gather *g)
{
	struct intake_facts *f = g->f;
	const struct conf_trust *conf = &g->d->config->trust;
	bool has_id = conf->authserv_id && conf->authserv_id[0];
	struct trust_input in = {
		.message = f->m,
		.config = { conf->authserv_id, conf->trusted_hops,
			    strcmp(conf->position, "below") == 0 },
		.from_user = f->user.id,
		/* Beside another proof it is there for commands, and those run once. */
		.proof_user = tokens_disagree(f) || f->proof_dead || (has_id && f->proof_ran)
				      ? 0
				      : f->proof.user,
	};
	int rc = find_trick(g, &in.trick);

	if (rc == MD_OK)
		f->trust = trust_assess(&in);

	/* What is proven of a form's own address says nothing of the person it names. */
	if (rc == MD_OK && f->by_form && f->trust.level > TRUST_ANONYMOUS) {
		f->trust.level = f->user.id ? TRUST_CLAIMED : TRUST_ANONYMOUS;
		f->trust.evidence = evidence_of(EVIDENCE_CONTACT_FORM, NULL);
	}
	return rc;
}

int intake_facts(struct desk *d, struct db_conn *c, struct arena *a, const struct intake_mail *mail,
		 int64_t now_ms, struct intake_facts *ret, struct md_err *err)
{
	struct intake_facts *f = ret;
	struct gather g = { .d = d, .c = c, .a = a, .now_ms = now_ms, .f = f, .err = err };
	int rc;

	*f = (struct intake_facts){ .m = mail->message, .mailbox = desk_mailbox(d, mail->mailbox) };
	rc = find_sender(&g);
	f->automatic = is_automatic(f->m);
	f->by_own_list = f->m->kind == KIND_LIST && f->m->list_id && f->mailbox &&
			 listed(&f->mailbox->conf->own_lists, f->m->list_id);
	if (rc == MD_OK)
		rc = find_user(&g, mail->known);
	if (rc == MD_OK)
		rc = read_addresses(&g);
	/* Nobody writes there: only mail systems know the address. */
	f->automatic |= f->bounced.user != 0;
	if (rc == MD_OK)
		rc = read_references(&g);
	if (rc == MD_OK)
		rc = read_marks(&g);
	if (rc == MD_OK)
		rc = intake_proof_state(c, a, f, err);
	if (rc == MD_OK)
		rc = assess(&g);
	return rc;
}
