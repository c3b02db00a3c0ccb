/* message.h - one mail, from wire bytes to fields. Pure: no clock, files, locale or network.
 *
 * message_read() never fails for what the bytes say: what cannot be understood is kept and named
 * in `defects`. It runs in the jailed `read` role and in `maildesk parse`; the desk sees only the
 * struct below, packed by message_rec and checked on arrival. All strings are UTF-8 without NUL,
 * absent ones NULL (RFC 5322, 2045-2049, 2231, 3834, 3464, 8601).
 *
 * Everything in it is what the mail claims. Who it is really from is desk/trust.h's to say. */
#ifndef MAILDESK_MAIL_MESSAGE_H
#define MAILDESK_MAIL_MESSAGE_H

#include <maildesk/base/record.h>

enum message_kind {
	KIND_NORMAL,
	KIND_AUTO_REPLY,
	KIND_BOUNCE,
	KIND_DELAY,
	KIND_RECEIPT,
	KIND_LIST,
	KIND_CALENDAR_REPLY,
	KIND_LOOP,
	KIND_ABUSE_REPORT,
	KIND_COUNT
};
/* "normal", "auto_reply", ... as printed and stored; KIND_COUNT for an unknown name. */
const char *message_kind_name(enum message_kind kind);
enum message_kind message_kind_from_name(const char *name);

struct mail_address {
	const char *name;    /* decoded, one clean line; NULL when absent */
	const char *address; /* lower case in the domain; never NULL */
};

struct attachment {
	const char *filename;     /* safe: no path, no controls; NULL when absent */
	const char *content_type; /* declared, "type/subtype" in lower case */
	const char *sniffed_type; /* by magic bytes; NULL when nothing is known of them */
	int64_t size;             /* decoded */
	const char *sha256;       /* of the decoded bytes, hex */
	const char *content_id;   /* without <> */
	bool is_inline;
	/* Where the encoded bytes lie in the raw message, and how they are encoded: "base64",
	 * "quoted-printable", "x-uuencode" or "identity"; "base64/1234+567" is 567 bytes from 1234
	 * on of what was decoded (a file in winmail.dat). Attachments are not stored twice. */
	int64_t offset, length;
	const char *encoding;
};

struct bounce {
	const char *recipient, *action, *status, *diagnostic, *original_message_id;
};

enum { MESSAGE_FIELDS_MAX = 200 };
/* A header field somebody asked for. */
struct mail_field {
	const char *name;  /* as asked for */
	const char *value; /* decoded, one clean line */
};

/* The summary shown by `maildesk parse`: the topmost Authentication-Results field. */
struct auth_summary {
	const char *spf, *dkim, *dmarc, *by;
};

/* One Authentication-Results field, in header order, tokenised; trust decides which counts. */
struct auth_field {
	const char *authserv_id;
	int64_t received_above; /* number of Received fields above this one */
	const char *spf, *dmarc;
	const char *dmarc_from; /* header.from of the dmarc result */
	struct rec_strs
		dkim_pass_domains; /* header.d (or the domain of header.i) of each dkim=pass */
};

struct message {
	const char *message_id;                  /* without <>; NULL when absent or unusable */
	struct rec_strs in_reply_to, references; /* ids without <>, in field order, no doubles */
	const char *date;                        /* RFC 3339 in UTC, or NULL */
	const char *subject;                     /* decoded, one clean line; NULL when absent */
	struct rec_list from, reply_to, to, cc;  /* struct mail_address */
	const char *text;                        /* whole readable body, LF; "" when empty */
	const char *reply_text;                  /* what is new in it */
	const char *html;            /* the HTML alternative as it came, decoded; or NULL */
	struct rec_list attachments; /* struct attachment */
	int64_t kind;                /* enum message_kind */
	const char *evidence;        /* what decided the kind */
	struct rec_list bounce;      /* struct bounce */
	struct auth_summary auth;
	struct rec_strs defects;

	/* For the desk only; not printed. */
	const char *identity; /* hex SHA-256 of the raw bytes without trace fields (mail-in.md) */
	struct rec_list auth_fields;  /* struct auth_field */
	int64_t received_count;       /* Received fields of the top header */
	struct rec_strs delivered_to; /* addresses of Delivered-To, X-Original-To, Envelope-To */
	struct rec_strs markers;      /* our tokens found in the body: the text of "[md:...]" */
	struct rec_strs loop_ids;     /* values of X-Maildesk-Loop */
	struct rec_list sender;       /* struct mail_address: of Sender */
	int64_t spam_hop;   /* of the topmost field that calls it spam: 1 + Received fields above it
			     */
	bool from_is_plain; /* one From field with exactly one addr-spec, and nothing that tricks */
	bool from_readable; /* an address of the From field itself could be read */
	bool no_answer; /* RFC 3834 and kin say: never answer (null Return-Path, lists, bulk …) */
	bool is_forward;     /* subject prefix or body say it forwards a mail */
	const char *list_id; /* List-Id without <>, in lower case; NULL when absent */
	/* What the block of old headers in a forward (is_forward) says, as it stands there. */
	struct mail_address forwarded_from; /* address NULL when there is none in it */
	const char *forwarded_date, *forwarded_subject;
	/* In `text`: so much of it is the forwarder's own, there the old mail's own text begins. */
	int64_t forwarded_above, forwarded_below;
	struct rec_list fields; /* struct mail_field; by message_read_fields() */
	const char *safe_html;  /* by message_make_safe_html(); NULL */
	bool bomb; /* a limit of scan.h was hit: nothing below the top header was read */
};

extern const struct rec message_rec; /* field order and names as in `maildesk parse` */

/* Read a whole message (CRLF, LF or CR). `raw` may be freed afterwards; strings live in `arena`.
 * MD_OK, or MD_NOMEM when the arena's ceiling is reached. */
int message_read(const uint8_t *raw, size_t n, struct arena *arena, struct message *ret,
		 struct md_err *err);

/* Put the top header's fields of these names into ret->fields. MD_OK or MD_NOMEM. */
int message_read_fields(const uint8_t *raw, size_t n, const struct rec_strs *names,
			struct arena *arena, struct message *ret, struct md_err *err);

enum { MESSAGE_SAFE_HTML_MAX = 2 << 20 };
/* Make m->safe_html of m->html, if it has any, by the allow-list of sanitize.h. MD_OK or MD_NOMEM.
 */
int message_make_safe_html(struct message *m, struct arena *arena, struct md_err *err);

/* Open charset converters and parser tables that need files, before the jail closes. */
void message_read_prepare(void);

#endif
