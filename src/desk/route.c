/* The four rules of mail-in.md in order, with what takes precedence over them: a wrong tag in an
 * address ends everything; tokens of different tickets cancel each other; a forward is a new matter
 * unless it was sent to a signed address or quotes our marker; what the mail system itself sends
 * never becomes a ticket. */
#include <maildesk/desk/route.h>
#include <maildesk/base/mem.h>
#include <maildesk/base/utf8.h>

#include <string.h>

enum { VIA_SHOWN = 120 };

static const char *const rule_names[RULE_COUNT] = {
	[RULE_ADDRESS] = "address", [RULE_REFERENCE] = "reference", [RULE_MARKER] = "marker",
	[RULE_SUBJECT] = "subject", [RULE_NONE] = "none",           [RULE_FORWARD] = "forward",
	[RULE_SCREEN] = "screen",
};

const char *route_rule_name(enum route_rule rule)
{
	return rule_names[rule];
}

static bool is_token_rule(enum route_rule rule)
{
	return rule == RULE_ADDRESS || rule == RULE_MARKER;
}

static bool is_valid_token(const struct route_hit *h)
{
	return is_token_rule(h->rule) && h->token == TOKEN_VALID && h->has_ticket;
}

static bool tokens_disagree(const struct route_input *in)
{
	int64_t ticket = 0;

	for (size_t i = 0; i < in->hit_count; i++) {
		if (!is_valid_token(&in->hits[i]))
			continue;
		if (ticket && ticket != in->hits[i].ticket.id)
			return true;
		ticket = in->hits[i].ticket.id;
	}
	return false;
}

static const struct route_hit *find_hit(const struct route_input *in, enum route_rule rule,
					enum token_result token)
{
	for (size_t i = 0; i < in->hit_count; i++)
		if (in->hits[i].rule == rule && in->hits[i].token == token)
			return &in->hits[i];
	return NULL;
}

/* Reports of the mail system about something we sent. */
static bool is_report(enum message_kind kind)
{
	return kind == KIND_BOUNCE || kind == KIND_DELAY || kind == KIND_RECEIPT;
}

static bool is_by_a_person(enum message_kind kind)
{
	return kind == KIND_NORMAL || kind == KIND_LIST;
}

static bool usable(const struct route_hit *h, bool disagree)
{
	if (is_token_rule(h->rule))
		return is_valid_token(h) && !disagree;
	return h->has_ticket && h->token != TOKEN_BAD;
}

/* The first usable hit of the rules up to `last`, or NULL. */
static const struct route_hit *first_hit(const struct route_input *in, enum route_rule last,
					 bool disagree)
{
	for (int rule = RULE_ADDRESS; rule <= (int)last; rule++)
		for (size_t i = 0; i < in->hit_count; i++)
			if ((int)in->hits[i].rule == rule && usable(&in->hits[i], disagree))
				return &in->hits[i];
	return NULL;
}

/* What became of everything that pointed somewhere and was not followed. */
static void note_ignored(struct evidence *e, const struct route_input *in, bool disagree)
{
	if (disagree)
		evidence_add(e, EVIDENCE_TOKENS_DISAGREE, NULL, NULL);
	for (size_t i = 0; i < in->hit_count; i++) {
		const struct route_hit *h = &in->hits[i];

		if (h->token == TOKEN_BAD || h->token == TOKEN_EXPIRED)
			evidence_add(e,
				     h->token == TOKEN_BAD ? EVIDENCE_BAD_IGNORED
							   : EVIDENCE_EXPIRED_IGNORED,
				     rule_names[h->rule], NULL);
	}
}

/* A number of a ticket, in the arena. */
static const char *number(struct arena *a, int64_t id)
{
	return arena_printf(a, "%lld", (long long)id);
}

/* As much of what named a ticket as is shown. */
static const char *shown(struct arena *a, const char *via)
{
	return arena_strndup(a, via, utf8_cut(via, strlen(via), VIA_SHOWN));
}

/* A customer writes on a closed ticket: too late, or the workflow lets nobody out of it. */
static bool is_over(const struct route_input *in, const struct route_ticket *t)
{
	if (!t->is_closed || t->sender_is_staff || !is_by_a_person(in->kind))
		return false;
	return !t->can_reopen || in->now_ms - t->closed_at_ms > in->reopen_window_ms;
}

static void follow(const struct route_input *in, const struct route_hit *h,
		   struct route_decision *d, struct arena *a)
{
	const struct route_ticket *t = &h->ticket;
	enum evidence_code so = EVIDENCE_NONE;

	d->rule = h->rule;
	d->hit = (size_t)(h - in->hits);
	d->ticket = t->id;
	evidence_add(&d->evidence, EVIDENCE_NAMES, shown(a, h->via),
		     number(a, t->merged_from ? t->merged_from : t->id));
	if (t->merged_from)
		evidence_add(&d->evidence, EVIDENCE_MERGED, number(a, t->id), NULL);

	if (is_report(in->kind)) {
		d->outcome = ROUTE_DELIVERY_EVENT;
	} else if (h->rule == RULE_SUBJECT && !t->sender_on_ticket) {
		d->outcome = ROUTE_NEW_LINKED;
		so = EVIDENCE_NO_PART;
	} else if (is_over(in, t)) {
		d->outcome = ROUTE_NEW_LINKED;
		so = t->can_reopen ? EVIDENCE_CLOSED_LONG : EVIDENCE_CLOSED_FOR_GOOD;
	} else if (!t->sender_on_ticket) {
		d->outcome = ROUTE_COMMENT_HELD;
		so = EVIDENCE_NO_PART;
	} else {
		d->outcome = ROUTE_COMMENT;
	}
	if (so != EVIDENCE_NONE)
		evidence_add(&d->evidence, so, NULL, NULL);
}

static void quarantine(struct route_decision *d, const char *cause, enum route_rule rule)
{
	d->outcome = ROUTE_QUARANTINE;
	d->cause = cause;
	d->rule = rule;
}

static void decide(const struct route_input *in, struct route_decision *d, struct arena *a)
{
	const struct route_hit *bad = find_hit(in, RULE_ADDRESS, TOKEN_BAD), *hit;
	bool disagree = tokens_disagree(in);
	bool forward =
		in->is_forward && !is_report(in->kind) && !find_hit(in, RULE_MARKER, TOKEN_VALID);
	/* Anybody may write a number into a subject: that makes no delivery event. */
	enum route_rule last = forward               ? RULE_ADDRESS
			       : is_report(in->kind) ? RULE_MARKER
						     : RULE_SUBJECT;

	if (bad) {
		quarantine(d, "bad_signature", RULE_ADDRESS);
		d->hit = (size_t)(bad - in->hits);
		evidence_add(&d->evidence, EVIDENCE_BAD_TAG, shown(a, bad->via), NULL);
		return;
	}
	hit = first_hit(in, last, disagree);
	if (hit) {
		follow(in, hit, d, a);
	} else if (is_report(in->kind)) {
		quarantine(d, "bounce_unknown", RULE_NONE);
		evidence_add(&d->evidence, EVIDENCE_NOT_OURS, message_kind_name(in->kind), NULL);
	} else {
		d->rule = forward ? RULE_FORWARD : RULE_NONE;
		evidence_add(&d->evidence, forward ? EVIDENCE_FORWARD : EVIDENCE_NAMES_NONE, NULL,
			     NULL);
	}
	note_ignored(&d->evidence, in, disagree);
}

int route_decide(const struct route_input *in, struct arena *arena, struct route_decision *ret,
		 struct md_err *err)
{
	struct route_decision d = { .outcome = ROUTE_NEW, .hit = in->hit_count };

	decide(in, &d, arena);
	if (arena->failed)
		return md_fail(err, MD_NOMEM, 0, "no memory to route a mail");
	*ret = d;
	return MD_OK;
}

static bool is_from_us(const struct message *m, const struct rec_strs *own)
{
	const struct mail_address *from = m->from.v;

	for (size_t i = 0; i < m->from.n; i++)
		if (token_is_own_address(from[i].address, own))
			return true;
	return false;
}

static bool bears_mark(const struct message *m, const char *desk_id)
{
	for (size_t i = 0; i < m->loop_ids.n; i++)
		if (strcmp(m->loop_ids.v[i], desk_id) == 0)
			return true;
	return false;
}

/* Whether the first address has something on both sides of its "@": else it is nobody's, and cannot
 * be the requester's. */
static bool names_somebody(const struct message *m)
{
	const struct mail_address *from = m->from.v;
	const char *at = m->from.n > 0 ? strrchr(from[0].address, '@') : NULL;

	return at && at > from[0].address && at[1];
}

const char *route_screen(const struct message *m, const struct rec_strs *own, const char *desk_id,
			 enum evidence_code *ret_evidence)
{
	enum evidence_code why = EVIDENCE_NONE;
	const char *cause = NULL;

	if (m->bomb) {
		cause = "malformed";
		why = EVIDENCE_BOMB;
	} else if (!m->from_readable || !names_somebody(m)) {
		cause = "malformed";
		why = EVIDENCE_NO_FROM;
	} else if (bears_mark(m, desk_id)) {
		cause = "loop";
		why = EVIDENCE_LOOP_MARK;
	} else if (is_from_us(m, own)) {
		cause = "loop";
		why = EVIDENCE_OWN_ADDRESS;
	}
	if (cause)
		*ret_evidence = why;
	return cause;
}

bool route_may_answer(const struct message *m, const struct rec_strs *own)
{
	return m->kind == KIND_NORMAL && !m->no_answer && m->from_readable && m->from.n &&
	       !is_from_us(m, own);
}
