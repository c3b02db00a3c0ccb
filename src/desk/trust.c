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

static enum trust_auth judge(const struct trust_input *in, const char *domain, struct arena *arena,
			     const char **ret_why)
{
	const char *id = in->config.authserv_id;
	struct verdict v = read_fields(in, domain);

	if (v.counted == 0) {
		*ret_why = v.below ? arena_printf(arena,
						  "the result of %s stands below our own hops", id)
				   : arena_printf(arena, "no result of %s", id);
		return AUTH_NONE;
	}
	if (v.contradicts) {
		*ret_why = arena_printf(arena, "results of %s contradict each other", id);
		return AUTH_NONE;
	}
	if (v.dmarc && strcasecmp(v.dmarc, "fail") == 0) {
		*ret_why = arena_printf(arena, "dmarc=fail by %s", id);
		return AUTH_FAIL;
	}
	if (v.dmarc && strcasecmp(v.dmarc, "pass") == 0 && v.dmarc_from &&
	    strcasecmp(v.dmarc_from, domain) == 0) {
		*ret_why = arena_printf(arena, "dmarc=pass header.from=%s by %s", domain, id);
		return AUTH_PASS;
	}
	if (v.dkim_domain) {
		*ret_why = arena_printf(arena, "dkim=pass header.d=%s by %s", v.dkim_domain, id);
		return AUTH_PASS;
	}
	*ret_why = arena_printf(arena, "no passing result of %s for %s", id, domain);
	return AUTH_NONE;
}

/* The From address's domain, or NULL when there is not exactly one plain address. */
static const char *from_domain(const struct message *m)
{
	const struct mail_address *from = m->from.v;
	const char *at = m->from_is_plain && m->from.n == 1 ? strrchr(from[0].address, '@') : NULL;

	return at && at[1] ? at + 1 : NULL;
}

int trust_assess(const struct trust_input *in, struct arena *arena, struct trust *ret,
		 struct md_err *err)
{
	const char *domain = from_domain(in->message);
	bool has_id = in->config.authserv_id && *in->config.authserv_id;
	bool proven = in->from_user && in->proof_user == in->from_user;
	struct trust t = { .level = TRUST_ANONYMOUS, .auth = AUTH_NONE };

	if (!domain || in->trick) {
		t.flagged = true;
		t.evidence = domain ? in->trick : "From is not exactly one plain address";
	} else {
		if (has_id)
			t.auth = judge(in, domain, arena, &t.evidence);
		if (t.auth == AUTH_FAIL) {
			t.flagged = true;
		} else if (t.auth == AUTH_PASS && proven) {
			t.level = TRUST_CONFIRMED;
			t.evidence =
				arena_printf(arena, "%s, and a signed reply address issued to them",
					     t.evidence);
		} else if (t.auth == AUTH_PASS) {
			t.level = TRUST_VERIFIED;
		} else if (!has_id && proven) {
			t.level = TRUST_VERIFIED;
			t.evidence = "signed reply address issued to the user of From";
		} else if (in->from_user) {
			t.level = TRUST_CLAIMED;
			t.evidence = arena_printf(
				arena, "From of a known user; %s",
				has_id           ? t.evidence
				: in->proof_user ? "the reply address was issued to somebody else"
						 : "no proof");
		} else {
			t.evidence = arena_printf(arena, "From of nobody we know; %s",
						  has_id ? t.evidence : "no proof");
		}
	}
	if (arena->failed)
		return md_fail(err, MD_NOMEM, 0, "no memory to assess a sender");
	*ret = t;
	return MD_OK;
}
