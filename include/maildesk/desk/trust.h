/* trust.h - how well the sender of a mail is proven (trust-and-commands.md, "Levels").
 *
 * A From header proves nothing. One pure function looks at what our own server wrote above the mail
 * (RFC 8601), at a signed reply address and at the users, and gives a level with its evidence.
 * What a level may do is policy.h's. */
#ifndef MAILDESK_DESK_TRUST_H
#define MAILDESK_DESK_TRUST_H

#include <maildesk/desk/evidence.h>
#include <maildesk/mail/message.h>
#include <stdbool.h>
#include <stdint.h>

enum trust_level {
	TRUST_ANONYMOUS = 0,
	TRUST_CLAIMED = 1,
	TRUST_VERIFIED = 2,
	TRUST_CONFIRMED = 3, /* by both proofs, or by a one-time confirmation (confirm.c) */
};
const char *trust_level_name(int level); /* "anonymous", "claimed", "verified", "confirmed" */

struct trust_config {
	/* NULL or "": Authentication-Results are not looked at; "-": fields without an id */
	const char *authserv_id;
	int64_t trusted_hops; /* the topmost so many Received fields are ours; at least 1 */
	/* Our server writes its field below its own Received (Gmail); then what stands before the
	 * next one counts too. */
	bool below;
};

struct trust_input {
	/* from, from_is_plain, auth_fields and received_count are read, nothing else */
	const struct message *message;
	struct trust_config config;
	/* The user who has the From address as main or alternate address; 0: none. */
	int64_t from_user;
	/* The user named by a valid *proof* token in an address of the mail; 0: none. Expired,
	 * revoked, contradicting and route tokens are none. */
	int64_t proof_user;
	/* Why From is not to be believed although it reads well, if there is a reason: another
	 * Sender or Reply-To takes over, or it looks like somebody else's. */
	enum evidence_code trick;
};

enum trust_auth { AUTH_NONE, AUTH_PASS, AUTH_FAIL };
const char *trust_auth_name(enum trust_auth auth); /* "none", "pass", "fail" */

struct trust {
	int level;
	enum trust_auth auth;     /* what our server says of the From address */
	bool flagged;             /* agents should look: a failing result or a From with tricks */
	struct evidence evidence; /* borrows from the input */
};

struct trust trust_assess(const struct trust_input *in);

#endif
