/* Which Authentication-Results field counts: the id is ours to the letter, and it stands above the
 * lowest of the Received fields that our own servers wrote. Everything below came with the mail and
 * may be forged. All fields that count are taken together; if two of them say different things of
 * one method, none of them says anything (RFC 8601 section 5 and 7.1).
 *
 * Only dmarc=fail is a failing result. SPF speaks of the envelope and breaks with every forwarder,
 * DKIM with every list; neither alone says that the From address is not the sender's. */
#include <maildesk/desk/trust.h>
#include <maildesk/base/mem.h>

#include <string.h>
#include <strings.h>

/* What the fields that count say together. */
struct verdict {
	const char *dmarc, *dmarc_from;
	const char *dkim_domain; /* of a pass that is aligned with From */
	int64_t counted, foreign, below;
	bool contradicts;
};

const char *trust_level_name(int level)
{
	static const char *const names[] = { "anonymous", "claimed", "verified", "confirmed" };

	return level >= 0 && level < (int)MD_COUNT(names) ? names[level] : names[0];
}

const char *trust_auth_name(enum trust_auth auth)
{
	static const char *const names[] = { "none", "pass", "fail" };

	return names[auth];
}

/* May `signer` speak for `domain`? It may when it is the domain or one above it, but not a
 * top-level one. Signers below are refused: without a list of public suffixes nobody can tell whose
 * they are. */
static bool aligned(const char *signer, const char *domain)
{
	size_t n = strlen(signer), all = strlen(domain);

	if (strcasecmp(signer, domain) == 0)
		return true;
	return strchr(signer, '.') && n < all && domain[all - n - 1] == '.' &&
	       strcasecmp(domain + all - n, signer) == 0;
}

static bool differ(const char *a, const char *b)
{
	return a && b && strcasecmp(a, b) != 0;
}

static void add_field(struct verdict *v, const struct auth_field *f, const char *domain)
{
	v->counted++;
	if (differ(v->dmarc, f->dmarc) || (f->dmarc && differ(v->dmarc_from, f->dmarc_from)))
		v->contradicts = true;
	if (f->dmarc) {
		v->dmarc = f->dmarc;
		v->dmarc_from = f->dmarc_from ? f->dmarc_from : v->dmarc_from;
	}
	for (size_t i = 0; i < f->dkim_pass_domains.n; i++)
		if (aligned(f->dkim_pass_domains.v[i], domain))
			v->dkim_domain = f->dkim_pass_domains.v[i];
}

static struct verdict read_fields(const struct trust_input *in, const char *domain)
{
	const struct message *m = in->message;
	const struct auth_field *fields = m->auth_fields.v;
	int64_t hops = in->config.trusted_hops;
	struct verdict v = { 0 };

	for (size_t i = 0; i < m->auth_fields.n; i++) {
		const char *id = fields[i].authserv_id;

		if (!id || strcmp(*id ? id : "-", in->config.authserv_id) != 0)
			v.foreign++;
		else if (m->received_count < hops ||
			 fields[i].received_above >= hops + (in->config.below ? 1 : 0))
			v.below++;
		else
			add_field(&v, &fields[i], domain);
	}
	return v;
}

static enum trust_auth judge(const struct trust_input *in, const char *domain, struct evidence *ret)
{
	const char *id = in->config.authserv_id;
	struct verdict v = read_fields(in, domain);

	if (v.counted == 0) {
		evidence_add(ret, v.below ? EVIDENCE_BELOW_HOPS : EVIDENCE_NO_RESULT, id, NULL);
		return AUTH_NONE;
	}
	if (v.contradicts) {
		evidence_add(ret, EVIDENCE_CONTRADICTS, id, NULL);
		return AUTH_NONE;
	}
	if (v.dmarc && strcasecmp(v.dmarc, "fail") == 0) {
		evidence_add(ret, EVIDENCE_DMARC_FAIL, id, NULL);
		return AUTH_FAIL;
	}
	if (v.dmarc && strcasecmp(v.dmarc, "pass") == 0 && v.dmarc_from &&
	    strcasecmp(v.dmarc_from, domain) == 0) {
		evidence_add(ret, EVIDENCE_DMARC_PASS, domain, id);
		return AUTH_PASS;
	}
	if (v.dkim_domain) {
		evidence_add(ret, EVIDENCE_DKIM_PASS, v.dkim_domain, id);
		return AUTH_PASS;
	}
	evidence_add(ret, EVIDENCE_NO_PASS, id, domain);
	return AUTH_NONE;
}

/* The From address's domain, or NULL when there is not exactly one plain address. */
static const char *from_domain(const struct message *m)
{
	const struct mail_address *from = m->from.v;
	const char *at = m->from_is_plain && m->from.n == 1 ? strrchr(from[0].address, '@') : NULL;

	return at && at[1] ? at + 1 : NULL;
}

/* What is known of who wrote it, before what our server says of that. */
static struct evidence claim(const struct trust_input *in, const struct evidence *found)
{
	struct evidence e =
		evidence_of(in->from_user ? EVIDENCE_FROM_KNOWN : EVIDENCE_FROM_UNKNOWN, NULL);
	bool others = in->from_user && in->proof_user;

	if (found->n > 0)
		e.facts[e.n++] = found->facts[0];
	else
		evidence_add(&e, others ? EVIDENCE_OTHERS_TOKEN : EVIDENCE_NO_PROOF, NULL, NULL);
	return e;
}

struct trust trust_assess(const struct trust_input *in)
{
	const char *domain = from_domain(in->message);
	bool has_id = in->config.authserv_id && *in->config.authserv_id;
	bool proven = in->from_user && in->proof_user == in->from_user;
	struct trust t = { .level = TRUST_ANONYMOUS, .auth = AUTH_NONE };

	if (!domain || in->trick) {
		t.flagged = true;
		t.evidence = evidence_of(domain ? in->trick : EVIDENCE_FROM_NOT_PLAIN, NULL);
		return t;
	}
	if (has_id)
		t.auth = judge(in, domain, &t.evidence);
	if (t.auth == AUTH_FAIL) {
		t.flagged = true;
	} else if (t.auth == AUTH_PASS) {
		t.level = proven ? TRUST_CONFIRMED : TRUST_VERIFIED;
		if (proven)
			evidence_add(&t.evidence, EVIDENCE_SIGNED_TOO, NULL, NULL);
	} else if (!has_id && proven) {
		t.level = TRUST_VERIFIED;
		t.evidence = evidence_of(EVIDENCE_SIGNED, NULL);
	} else {
		t.level = in->from_user ? TRUST_CLAIMED : TRUST_ANONYMOUS;
		t.evidence = claim(in, &t.evidence);
	}
	return t;
}
