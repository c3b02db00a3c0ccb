#include <maildesk/desk/evidence.h>
#include <maildesk/base/buf.h>
#include <maildesk/base/err.h>
#include <maildesk/base/mem.h>

#include <string.h>

enum { TEXT_MAX = 1000 };

/* "{}" is a value; what begins with a comma goes on with the sentence before it. */
static const struct {
	const char *name, *text;
} rows[EVIDENCE_COUNT] = {
	[EVIDENCE_NAMES] = { "names", "{} names #{}" },
	[EVIDENCE_MERGED] = { "merged", ", merged into #{}" },
	[EVIDENCE_NO_PART] = { "no_part", ", in which the sender takes no part" },
	[EVIDENCE_CLOSED_LONG] = { "closed_long", ", closed too long ago" },
	[EVIDENCE_CLOSED_FOR_GOOD] = { "closed_for_good", ", closed for good" },
	[EVIDENCE_BAD_TAG] = { "bad_tag", "{} has a tag we did not sign" },
	[EVIDENCE_NOT_OURS] = { "not_ours", "{} of nothing we sent" },
	[EVIDENCE_FORWARD] = { "forward", "a forward opens a new ticket" },
	[EVIDENCE_NAMES_NONE] = { "names_none", "nothing in it names a ticket" },
	[EVIDENCE_TOKENS_DISAGREE] = { "tokens_disagree", "tokens of different tickets ignored" },
	[EVIDENCE_BAD_IGNORED] = { "bad_ignored", "{} with a bad signature ignored" },
	[EVIDENCE_EXPIRED_IGNORED] = { "expired_ignored", "{} with an expired token ignored" },
	[EVIDENCE_RELEASED] = { "released", "released from quarantine" },
	[EVIDENCE_CROSS_POSTED] = { "cross_posted", "each mailbox has its own ticket" },
	[EVIDENCE_NAMED_BY_ON] = { "named_by_on", "named by #on" },
	[EVIDENCE_DUPLICATE] = { "duplicate", "message {}" },
	[EVIDENCE_CONFIRMS] = { "confirms", "confirms message {}" },
	[EVIDENCE_CONFIRMED_BEFORE] = { "confirmed_before",
					"confirmed before: nothing is done twice" },
	[EVIDENCE_CONFIRM_LATE] = { "confirm_late", "the hour for confirming is over" },
	[EVIDENCE_BOMB] = { "bomb", "built to break its reader" },
	[EVIDENCE_NO_FROM] = { "no_from", "From cannot be read" },
	[EVIDENCE_LOOP_MARK] = { "loop_mark", "X-Maildesk-Loop is ours" },
	[EVIDENCE_OWN_ADDRESS] = { "own_address", "From is one of our own addresses" },
	[EVIDENCE_FROM_NOT_PLAIN] = { "from_not_plain", "From is not exactly one plain address" },
	[EVIDENCE_OTHER_SENDER] = { "other_sender", "another Sender stands behind From" },
	[EVIDENCE_OTHER_REPLY_TO] = { "other_reply_to", "another Reply-To takes over" },
	[EVIDENCE_LOOKS_LIKE_OURS] = { "looks_like_ours", "the domain of From looks like ours" },
	[EVIDENCE_FROM_KNOWN] = { "from_known", "From of a known user" },
	[EVIDENCE_FROM_UNKNOWN] = { "from_unknown", "From of nobody we know" },
	[EVIDENCE_NO_PROOF] = { "no_proof", "no proof" },
	[EVIDENCE_OTHERS_TOKEN] = { "others_token",
				    "the reply address was issued to somebody else" },
	[EVIDENCE_SIGNED] = { "signed", "signed reply address issued to the user of From" },
	[EVIDENCE_SIGNED_TOO] = { "signed_too", ", and a signed reply address issued to them" },
	[EVIDENCE_CONFIRMED] = { "confirmed", "confirmed by answering a one-time address" },
	[EVIDENCE_CONTACT_FORM] = { "contact_form", "Reply-To of a contact form" },
	[EVIDENCE_NO_RESULT] = { "no_result", "no result of {}" },
	[EVIDENCE_BELOW_HOPS] = { "below_hops", "the result of {} stands below our own hops" },
	[EVIDENCE_CONTRADICTS] = { "contradicts", "results of {} contradict each other" },
	[EVIDENCE_DMARC_FAIL] = { "dmarc_fail", "dmarc=fail by {}" },
	[EVIDENCE_DMARC_PASS] = { "dmarc_pass", "dmarc=pass header.from={} by {}" },
	[EVIDENCE_DKIM_PASS] = { "dkim_pass", "dkim=pass header.d={} by {}" },
	[EVIDENCE_NO_PASS] = { "no_pass", "no passing result of {} for {}" },
};

void evidence_add(struct evidence *e, enum evidence_code code, const char *value,
		  const char *second)
{
	if (e->n < EVIDENCE_FACTS)
		e->facts[e->n++] = (struct evidence_fact){ code, { value, second } };
}

struct evidence evidence_of(enum evidence_code code, const char *value)
{
	struct evidence e = { 0 };

	evidence_add(&e, code, value, NULL);
	return e;
}

const char *evidence_name(enum evidence_code code)
{
	return rows[code].name;
}

static void say(struct buf *out, const struct evidence_fact *f)
{
	const char *text = rows[f->code].text;

	for (size_t i = 0; i < EVIDENCE_VALUES && f->values[i]; i++) {
		const char *hole = strstr(text, "{}");

		buf_add(out, text, (size_t)(hole - text));
		buf_adds(out, f->values[i]);
		text = hole + 2;
	}
	buf_adds(out, text);
}

const char *evidence_text(const struct evidence *e, struct arena *a)
{
	md_auto(buf_done) struct buf out = BUF_INIT(TEXT_MAX);

	for (size_t i = 0; i < e->n; i++) {
		if (i > 0 && *rows[e->facts[i].code].text != ',')
			buf_adds(&out, "; ");
		say(&out, &e->facts[i]);
	}
	/* What outgrew its ceiling is cut, not lost. */
	return out.status == MD_NOMEM ? NULL : arena_strdup(a, buf_str(&out));
}
