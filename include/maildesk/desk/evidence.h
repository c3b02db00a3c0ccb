/* evidence.h - what decided about a mail, as sentences that have a name.
 *
 * Decisions say in words what was found, and beside the words the name of each sentence with what
 * stands in it, so that a reader of another language can be told the same. Names are stable. */
#ifndef MAILDESK_DESK_EVIDENCE_H
#define MAILDESK_DESK_EVIDENCE_H

#include <maildesk/base/arena.h>
#include <stddef.h>

enum evidence_code {
	EVIDENCE_NONE,
	/* the ticket that it is about */
	EVIDENCE_NAMES,
	EVIDENCE_MERGED,
	EVIDENCE_NO_PART,
	EVIDENCE_CLOSED_LONG,
	EVIDENCE_CLOSED_FOR_GOOD,
	EVIDENCE_BAD_TAG,
	EVIDENCE_NOT_OURS,
	EVIDENCE_FORWARD,
	EVIDENCE_NAMES_NONE,
	EVIDENCE_TOKENS_DISAGREE,
	EVIDENCE_BAD_IGNORED,
	EVIDENCE_EXPIRED_IGNORED,
	EVIDENCE_RELEASED,
	EVIDENCE_CROSS_POSTED,
	EVIDENCE_NAMED_BY_ON,
	EVIDENCE_DUPLICATE,
	EVIDENCE_CONFIRMS,
	EVIDENCE_CONFIRMED_BEFORE,
	EVIDENCE_CONFIRM_LATE,
	/* what goes to quarantine at once */
	EVIDENCE_BOMB,
	EVIDENCE_NO_FROM,
	EVIDENCE_LOOP_MARK,
	EVIDENCE_OWN_ADDRESS,
	/* who wrote it */
	EVIDENCE_FROM_NOT_PLAIN,
	EVIDENCE_OTHER_SENDER,
	EVIDENCE_OTHER_REPLY_TO,
	EVIDENCE_LOOKS_LIKE_OURS,
	EVIDENCE_FROM_KNOWN,
	EVIDENCE_FROM_UNKNOWN,
	EVIDENCE_NO_PROOF,
	EVIDENCE_OTHERS_TOKEN,
	EVIDENCE_SIGNED,
	EVIDENCE_SIGNED_TOO,
	EVIDENCE_CONFIRMED,
	EVIDENCE_CONTACT_FORM,
	EVIDENCE_NO_RESULT,
	EVIDENCE_BELOW_HOPS,
	EVIDENCE_CONTRADICTS,
	EVIDENCE_DMARC_FAIL,
	EVIDENCE_DMARC_PASS,
	EVIDENCE_DKIM_PASS,
	EVIDENCE_NO_PASS,
	EVIDENCE_COUNT
};

enum { EVIDENCE_VALUES = 2, EVIDENCE_FACTS = 8 };

/* Values are borrowed; NULL: the sentence has no more of them. */
struct evidence {
	size_t n;
	struct evidence_fact {
		enum evidence_code code;
		const char *values[EVIDENCE_VALUES];
	} facts[EVIDENCE_FACTS];
};

/* One more; beyond EVIDENCE_FACTS they are left out. */
void evidence_add(struct evidence *e, enum evidence_code code, const char *value,
		  const char *second);
/* It alone. */
struct evidence evidence_of(enum evidence_code code, const char *value);

const char *evidence_name(enum evidence_code code); /* "names_none" */
/* One line; in the arena, or NULL: no memory. "" of none. */
const char *evidence_text(const struct evidence *e, struct arena *a);

#endif
