/* token.h - signed tokens: which ticket a reply belongs to, and to whom it was sent.
 *
 * PAYLOAD: key and purpose (1 octet), ticket, comment, user and serial as LEB128 numbers, day (2);
 * at most 18 octets. TAG: HMAC-SHA-256 of the payload under a key derived for the purpose,
 * cut to 128 bits. Both in base32 without case, because mail servers change it. Purposes:
 *
 *	route	Message-ID `md.KEYID.PAYLOAD.TAG@host` and body marker `[md:PAYLOAD.TAG]`.
 *		They stand in every copy of the mail, so they name the ticket and prove nobody.
 *	proof	`support+PAYLOAD.TAG@host`, in the Reply-To alone.
 *		Shows that the writer got the mail.
 *	bounce	`support+b.PAYLOAD.TAG@host`, the envelope sender. Names the outgoing message
 *		(serial) and its recipient. What comes there is a report, or at least of no person.
 *	confirm	`support+c.PAYLOAD.TAG@host`, the Reply-To of a mail that asks for a confirmation
 *		(serial).
 *	mute	`https://HOST/u/PAYLOAD.TAG`, List-Unsubscribe (RFC 8058): no more mails of this
 *		ticket to this user, and nothing else.
 *
 * A mistaken purpose, a changed bit, a foreign key: TOKEN_BAD. Comparing takes constant time. */
#ifndef MAILDESK_DESK_TOKEN_H
#define MAILDESK_DESK_TOKEN_H

#include <maildesk/base/buf.h>
#include <maildesk/base/err.h>
#include <maildesk/base/record.h>
#include <stdint.h>

enum {
	TOKEN_KEY_BYTES = 32,
	TOKEN_KEY_ID_MAX = 127,
	TOKEN_PAYLOAD_MAX = 18,
	TOKEN_TAG_BYTES = 16,
	TOKEN_TAG_BYTES_MIN = 10, /* in an address with a long name: never below 80 bits */
	TOKEN_LOCAL_MAX = 64,     /* RFC 5321 4.5.3.1.1 */
	TOKEN_PROOF_DAYS = 14,
	TOKEN_ROUTE_DAYS = 90,
	TOKEN_BOUNCE_DAYS = 30,
	TOKEN_MUTE_DAYS = 365, /* mails are unsubscribed from late */
	TOKEN_FILE_DAYS = 30,
	TOKEN_CONFIRM_DAYS = 14, /* long after it ran out: then it is answered */
};

enum token_purpose {
	TOKEN_ROUTE,
	TOKEN_PROOF,
	TOKEN_BOUNCE,
	TOKEN_CONFIRM,
	TOKEN_MUTE,
	TOKEN_FILE,
	TOKEN_PURPOSES
};

struct token_key {
	int id; /* 1..TOKEN_KEY_ID_MAX; 0: no key */
	uint8_t bytes[TOKEN_KEY_BYTES];
	/* The keys of the purposes, if token_key_prepare() made them: half the work of a token. */
	bool is_prepared;
	uint8_t derived[TOKEN_PURPOSES][TOKEN_KEY_BYTES];
};
void token_key_prepare(struct token_key *key);
struct token_keys {
	struct token_key current;  /* signs and verifies */
	struct token_key previous; /* verifies only */
	struct token_key next;     /* likewise: others may sign with it before this daemon does */
	int lost; /* 0, or the id of the first whose bytes nobody has any more: what that one, the
		     one before it and those behind it up to `current` signed counts as expired */
};

/* What the serials of a desk's mails are made of: a number for each mail of a ticket; in
 * Message-IDs the last is kept for mails that ask for a confirmation; in addresses the epochs of
 * ticket and user stand below it, in markers alone. */
enum { TOKEN_INDEX_MASK = 1023, TOKEN_EPOCH_MASK = 15, TOKEN_EPOCH_BITS = 4 };

struct token {
	enum token_purpose purpose;    /* set by the functions that make and read */
	int key;                       /* likewise */
	int64_t day;                   /* since 1970 UTC, of making: token_day(now_ms) */
	int64_t ticket, comment, user; /* 0: none */
	/* Makes tokens of one ticket, comment, user and day different: the number of the outgoing
	 * message, or what the purpose says. */
	int64_t serial;
};

enum token_result {
	TOKEN_NONE,    /* there is nothing like a token */
	TOKEN_BAD,     /* it looks like ours, but we did not sign that */
	TOKEN_EXPIRED, /* signed by us, too old; counts as none */
	TOKEN_VALID,
};

int64_t token_day(int64_t now_ms);

/* Each appends to `out`. MD_OK; MD_INPUT when the numbers do not fit (nothing is appended). */
int token_make_message_id(const struct token_keys *keys, const struct token *t, const char *host,
			  struct buf *out, struct md_err *err); /* without <> */
int token_make_marker(const struct token_keys *keys, const struct token *t, struct buf *out,
		      struct md_err *err);
/* The signed form of one of our own addresses ("support@example.com"), of any purpose but route.
 * MD_INPUT also when its name
 * is so long that fewer than 80 bits of the tag would fit: then the mail goes without. */
int token_make_address(const struct token_keys *keys, enum token_purpose purpose,
		       const struct token *t, const char *own, struct buf *out, struct md_err *err);

/* PAYLOAD.TAG alone, for a URL: of TOKEN_MUTE, or of TOKEN_FILE, where
 * serial is the attachment. */
int token_make_word(const struct token_keys *keys, enum token_purpose purpose,
		    const struct token *t, struct buf *out, struct md_err *err);

/* `today` as token_day(). *ret is written for TOKEN_VALID only.
 * Address: any address of the mail; it must be one of `own` with a +detail that looks like a token,
 * else TOKEN_NONE. */
enum token_result token_read_address(const struct token_keys *keys, const char *address,
				     const struct rec_strs *own, int64_t today, struct token *ret);
/* What an address that is TOKEN_BAD says of itself, which anybody may have written: ticket,
 * comment, user, serial, day. False when nothing can be read. */
bool token_peek_address(const char *address, const struct rec_strs *own, struct token *ret);
/* Without <>; an id that does not begin with "md." is TOKEN_NONE. The host is not looked at. */
enum token_result token_read_message_id(const struct token_keys *keys, const char *id,
					int64_t today, struct token *ret);
enum token_result token_read_word(const struct token_keys *keys, enum token_purpose purpose,
				  const char *word, int64_t today, struct token *ret);
/* "[md:PAYLOAD.TAG]", or what stands between colon and bracket. */
enum token_result token_read_marker(const struct token_keys *keys, const char *marker,
				    int64_t today, struct token *ret);

/* Do two addresses name one mailbox: without their +details and without regard to case? */
bool token_same_mailbox(const char *one, const char *other);
/* Is `address` one of `own`, with any +detail? Without regard to case. */
bool token_is_own_address(const char *address, const struct rec_strs *own);

#endif
