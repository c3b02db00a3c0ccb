/* rule.h - inbound rules: what an admin wants done with certain mail (sections `rule`).
 *
 * A rule matches when all its patterns do (PCRE2, caseless, UTF). Patterns are an admin's, the text
 * is a stranger's: each rule has RULE_DEADLINE_MS for one mail, and limits of matching, depth and
 * memory; one that hits them counts as not matched and is named in the evidence. Nothing is
 * compiled by JIT, which would need memory that is writable and executable. Pure but for the clock,
 * which is an argument. */
#ifndef MAILDESK_DESK_RULE_H
#define MAILDESK_DESK_RULE_H

#include <maildesk/base/arena.h>
#include <maildesk/base/clock.h>
#include <maildesk/base/err.h>
#include <maildesk/mail/message.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { RULE_DEADLINE_MS = 50, RULE_SUBJECT_MAX = 1 << 20 /* bytes of a text looked at */ };

struct rule_pair {
	/* Of a match: from to cc subject body kind trust size attachment, or else the name of a
	 * header field. Of a setting: priority category tag team assignee mailbox. */
	const char *name;
	/* The pattern; of size "> 10M" or "< 1k"; or the value set. */
	const char *value;
};
enum rule_action { RULE_SET, RULE_ROUTE, RULE_TAG, RULE_QUARANTINE, RULE_DISCARD, RULE_ACTIONS };
const char *rule_action_name(enum rule_action action); /* "set", ... */

struct rule {
	const char *title;
	const struct rule_pair *matches, *sets;
	size_t n_matches, n_sets;
	enum rule_action action;
};

struct rules;
/* MD_INPUT: names rule, match and what is wrong with it. The rules must outlive them. */
int rules_compile(const struct rule *rules, size_t n, struct rules **ret, struct md_err *err);
void rules_free(struct rules *r);
MD_DEFINE_AUTO(struct rules *, rules_free)
/* Header fields that the patterns look at; whoever reads the mail has to bring them along. */
const struct rec_strs *rules_fields(const struct rules *r);

struct rule_input {
	const struct message *message;
	int64_t size; /* of the mail, bytes */
	int trust;    /* level */
};
struct rule_hit {
	const struct rule *rule;
	bool matched;
	const char *evidence; /* "from: nagios@", or which limit it hit */
};
struct rule_outcome {
	bool quarantine, discard; /* by the last hit */
	struct rule_hit *hits;    /* rules that matched, or hit a limit, in order */
	size_t n_hits;
};
/* In their order; one that quarantines or discards is the last that is looked at. The outcome lives
 * in the arena. MD_OK or MD_NOMEM. */
int rules_apply(const struct rules *r, const struct rule_input *in, const struct clock *clock,
		struct arena *arena, struct rule_outcome *ret, struct md_err *err);

#endif
