/* The four rules of mail-in.md in order, with what takes precedence over them: a wrong tag in an
 * address ends everything; tokens of different tickets cancel each other; a forward is a new matter
 * unless it was sent to a signed address or quotes our marker; what the mail system itself sends
 * never becomes a ticket. */
#include <maildesk/desk/route.h>
#include <maildesk/base/mem.h>
#include <maildesk/base/utf8.h>

#include <string.h>

enum { VIA_SHOWN = 120, EVIDENCE_MAX = 1000 };

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
static void note_ignored(struct buf *out, const struct route_input *in, bool disagree)
{
	static const char *const why[] = {
		[TOKEN_BAD] = "with a bad signature ignored",
		[TOKEN_EXPIRED] = "with an expired token ignored",
	};

	if (disagree)
		buf_adds(out, "; tokens of different tickets ignored");
	for (size_t i = 0; i < in->hit_count; i++) {
		const struct route_hit *h = &in->hits[i];

		if (h->token == TOKEN_BAD || h->token == TOKEN_EXPIRED)
			buf_addf(out, "; %s %s", rule_names[h->rule], why[h->token]);
	}
}

/* A customer writes on a closed ticket: too late, or the workflow lets nobody out of it. */
static bool is_over(const struct route_input *in, const struct route_ticket *t)
{
	if (!t->is_closed || t->sender_is_staff || !is_by_a_person(in->kind))
		return false;
	return !t->can_reopen || in->now_ms - t->closed_at_ms > in->reopen_window_ms;
}

static void follow(const struct route_input *in, const struct route_hit *h,
		   struct route_decision *d, struct buf *evidence)
{
	const struct route_ticket *t = &h->ticket;

	d->rule = h->rule;
	d->hit = (size_t)(h - in->hits);
	d->ticket = t->id;
	buf_addf(evidence, "%.*s names #%lld", (int)utf8_cut(h->via, strlen(h->via), VIA_SHOWN),
		 h->via, (long long)(t->merged_from ? t->merged_from : t->id));
	if (t->merged_from)
		buf_addf(evidence, ", merged into #%lld", (long long)t->id);

	if (is_report(in->kind)) {
		d->outcome = ROUTE_DELIVERY_EVENT;
	} else if (h->rule == RULE_SUBJECT && !t->sender_on_ticket) {
		d->outcome = ROUTE_NEW_LINKED;
		buf_adds(evidence, ", in which the sender takes no part");
	} else if (is_over(in, t)) {
		d->outcome = ROUTE_NEW_LINKED;
		buf_adds(evidence, t->can_reopen ? ", closed too long ago" : ", closed for good");
	} else if (!t->sender_on_ticket) {
		d->outcome = ROUTE_COMMENT_HELD;
		buf_adds(evidence, ", in which the sender takes no part");
	} else {
		d->outcome = ROUTE_COMMENT;
	}
}

static void quarantine(struct route_decision *d, const char *cause, enum route_rule rule)
{
	d->outcome = ROUTE_QUARANTINE;
	d->cause = cause;
	d->rule = rule;
}

static void decide(const struct route_input *in, struct route_decision *d, struct buf *evidence)
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
		buf_addf(evidence, "%.*s has a tag we did not sign",
			 (int)utf8_cut(bad->via, strlen(bad->via), VIA_SHOWN), bad->via);
		return;
	}
	hit = first_hit(in, last, disagree);
	if (hit) {
		follow(in, hit, d, evidence);
	} else if (is_report(in->kind)) {
		quarantine(d, "bounce_unknown", RULE_NONE);
		buf_addf(evidence, "%s of nothing we sent", message_kind_name(in->kind));
	} else {
		d->rule = forward ? RULE_FORWARD : RULE_NONE;
		buf_adds(evidence,
			 forward ? "a forward opens a new ticket" : "nothing in it names a ticket");
	}
	note_ignored(evidence, in, disagree);
}

int route_decide(const struct route_input *in, struct arena *arena, struct route_decision *ret,
		 struct md_err *err)
{
	md_auto(buf_done) struct buf evidence = BUF_INIT(EVIDENCE_MAX);
	struct route_decision d = { .outcome = ROUTE_NEW, .hit = in->hit_count };

	decide(in, &d, &evidence);
	/* Evidence that outgrew its ceiling is cut, not lost. */
	d.evidence = arena_strdup(arena, buf_str(&evidence));
	if (arena->failed || evidence.status == MD_NOMEM)
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
			 const char **ret_evidence)
{
	const char *cause = NULL, *why = NULL;

	if (m->bomb) {
		cause = "malformed";
		why = "built to break its reader";
	} else if (!m->from_readable || !names_somebody(m)) {
		cause = "malformed";
		why = "From cannot be read";
	} else if (bears_mark(m, desk_id)) {
		cause = "loop";
		why = "X-Maildesk-Loop is ours";
	} else if (is_from_us(m, own)) {
		cause = "loop";
		why = "From is one of our own addresses";
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
