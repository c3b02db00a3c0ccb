/* The table of struct message: order and names as `maildesk parse` prints them, and the limits that
 * the desk holds every arriving message to. */
#include <maildesk/mail/message.h>

#include <maildesk/base/mem.h>
#include <maildesk/mail/body.h>

#include <string.h>

enum { LINE = 4000, LIST = 5000, TEXT = BODY_TEXT_MAX, SIZE = 1 << 30 };

static const char *const kind_names[KIND_COUNT + 1] = {
	"normal", "auto_reply",     "bounce", "delay",        "receipt",
	"list",   "calendar_reply", "loop",   "abuse_report", NULL,
};

const char *message_kind_name(enum message_kind kind)
{
	return kind >= 0 && kind < KIND_COUNT ? kind_names[kind] : "normal";
}

enum message_kind message_kind_from_name(const char *name)
{
	int kind = 0;

	while (kind < KIND_COUNT && strcmp(kind_names[kind], name) != 0)
		kind++;
	return (enum message_kind)kind;
}

static const struct rec_field address_fields[] = {
	REC_NEVER_NULL(struct mail_address, name, LINE),
	REC(struct mail_address, address, REC_STR, LINE),
	REC_END,
};
static const struct rec address_rec = { "address", sizeof(struct mail_address), address_fields };

static const struct rec_field attachment_fields[] = {
	REC_NEVER_NULL(struct attachment, filename, 1000),
	REC(struct attachment, content_type, REC_STR, 200),
	REC_HIDDEN(struct attachment, sniffed_type, REC_STR, 200),
	REC(struct attachment, size, REC_INT, SIZE),
	REC(struct attachment, sha256, REC_STR, 64),
	REC(struct attachment, content_id, REC_STR, LINE),
	{ .name = "inline", .type = REC_BOOL, .at = offsetof(struct attachment, is_inline) },
	REC_HIDDEN(struct attachment, offset, REC_INT, SIZE),
	REC_HIDDEN(struct attachment, length, REC_INT, SIZE),
	REC_HIDDEN(struct attachment, encoding, REC_STR, 40),
	REC_END,
};
static const struct rec attachment_rec = { "attachment", sizeof(struct attachment),
					   attachment_fields };

static const struct rec_field bounce_fields[] = {
	REC(struct bounce, recipient, REC_STR, LINE),
	REC(struct bounce, action, REC_STR, 40),
	REC(struct bounce, status, REC_STR, 40),
	REC(struct bounce, diagnostic, REC_STR, LINE),
	REC(struct bounce, original_message_id, REC_STR, LINE),
	REC_END,
};
static const struct rec bounce_rec = { "bounce", sizeof(struct bounce), bounce_fields };

static const struct rec_field auth_summary_fields[] = {
	REC(struct auth_summary, spf, REC_STR, LINE),
	REC(struct auth_summary, dkim, REC_STR, LINE),
	REC(struct auth_summary, dmarc, REC_STR, LINE),
	REC(struct auth_summary, by, REC_STR, LINE),
	REC_END,
};
static const struct rec auth_summary_rec = { "auth", sizeof(struct auth_summary),
					     auth_summary_fields };

static const struct rec_field auth_field_fields[] = {
	REC(struct auth_field, authserv_id, REC_STR, LINE),
	REC(struct auth_field, received_above, REC_INT, LIST),
	REC(struct auth_field, spf, REC_STR, LINE),
	REC(struct auth_field, dmarc, REC_STR, LINE),
	REC(struct auth_field, dmarc_from, REC_STR, LINE),
	REC(struct auth_field, dkim_pass_domains, REC_STRS, LINE),
	REC_END,
};
static const struct rec auth_field_rec = { "auth_field", sizeof(struct auth_field),
					   auth_field_fields };

static const struct rec_field mail_field_fields[] = {
	REC(struct mail_field, name, REC_STR, 200),
	REC(struct mail_field, value, REC_STR, 64 << 10),
	REC_END,
};
static const struct rec mail_field_rec = { "field", sizeof(struct mail_field), mail_field_fields };

static const struct rec_field message_fields[] = {
	REC(struct message, message_id, REC_STR, LINE),
	REC(struct message, in_reply_to, REC_STRS, LINE),
	REC(struct message, references, REC_STRS, LINE),
	REC(struct message, date, REC_STR, 40),
	REC_NEVER_NULL(struct message, subject, 64 << 10),
	REC_OF(struct message, from, REC_LIST, LIST, address_rec),
	REC_OF(struct message, reply_to, REC_LIST, LIST, address_rec),
	REC_OF(struct message, to, REC_LIST, LIST, address_rec),
	REC_OF(struct message, cc, REC_LIST, LIST, address_rec),
	REC_NEVER_NULL(struct message, text, TEXT),
	REC_NEVER_NULL(struct message, reply_text, TEXT),
	REC(struct message, html, REC_STR, TEXT),
	REC_OF(struct message, attachments, REC_LIST, 1000, attachment_rec),
	{ .name = "kind",
	  .type = REC_INT,
	  .at = offsetof(struct message, kind),
	  .max = KIND_COUNT - 1,
	  .names = kind_names },
	REC_NEVER_NULL(struct message, evidence, LINE),
	REC_OF(struct message, bounce, REC_LIST, 200, bounce_rec),
	REC_OF(struct message, auth, REC_SUB, 0, auth_summary_rec),
	REC(struct message, defects, REC_STRS, LINE),
	REC_HIDDEN(struct message, identity, REC_STR, 64),
	REC_OF_HIDDEN(struct message, auth_fields, REC_LIST, 50, auth_field_rec),
	REC_HIDDEN(struct message, received_count, REC_INT, LIST),
	REC_HIDDEN(struct message, delivered_to, REC_STRS, LINE),
	REC_HIDDEN(struct message, markers, REC_STRS, 200),
	REC_HIDDEN(struct message, loop_ids, REC_STRS, LINE),
	REC_OF_HIDDEN(struct message, sender, REC_LIST, LIST, address_rec),
	REC_HIDDEN(struct message, spam_hop, REC_INT, LIST),
	REC_HIDDEN(struct message, from_is_plain, REC_BOOL, 1),
	REC_HIDDEN(struct message, from_readable, REC_BOOL, 1),
	REC_HIDDEN(struct message, no_answer, REC_BOOL, 1),
	REC_HIDDEN(struct message, is_forward, REC_BOOL, 1),
	REC_HIDDEN(struct message, list_id, REC_STR, LINE),
	REC_OF_HIDDEN(struct message, forwarded_from, REC_SUB, 0, address_rec),
	REC_HIDDEN(struct message, forwarded_date, REC_STR, LINE),
	REC_HIDDEN(struct message, forwarded_subject, REC_STR, LINE),
	REC_OF_HIDDEN(struct message, fields, REC_LIST, MESSAGE_FIELDS_MAX, mail_field_rec),
	REC_HIDDEN(struct message, forwarded_above, REC_INT, TEXT),
	REC_HIDDEN(struct message, forwarded_below, REC_INT, TEXT),
	REC_HIDDEN(struct message, safe_html, REC_STR, MESSAGE_SAFE_HTML_MAX + 1),
	REC_HIDDEN(struct message, bomb, REC_BOOL, 1),
	REC_END,
};
const struct rec message_rec = { "message", sizeof(struct message), message_fields };
