/* Shapes of answers: mails on their way in and out. */
#include "schema.h"

/* What the evidence says, for those who tell it in another language (desk/evidence.h). */
const struct http_field fact_shape[] = { OUT("code", HTTP_LINE), OUT("values", HTTP_LINES),
					 HTTP_END };
const struct http_field rule_shape[] = {
	OUT("rule", HTTP_LINE),
	OUT("matched", HTTP_BOOL),
	MAYBE("evidence", HTTP_TEXT),
	{ "facts", HTTP_OBJECTS, 0, 0, 0, NULL, "Fact" },
	HTTP_END,
};
const struct http_field clock_effect_shape[] = {
	OUT("metric", HTTP_LINE),
	OUT("effect", HTTP_LINE),
	HTTP_END,
};
const struct http_field decision_shape[] = {
	OUT("message", HTTP_INT),
	MAYBE("mailbox", HTTP_LINE),
	OUT("outcome", HTTP_LINE),
	MAYBE("cause", HTTP_LINE),
	MAYBE("ticket", HTTP_INT),
	MAYBE("comment", HTTP_INT),
	OUT("trust", HTTP_INT),
	OUT("auth", HTTP_LINE),
	MANY("rules", "Rule"),
	MANY("commands", "Command"),
	MANY("sla", "ClockEffect"),
	OUT("at", HTTP_TIME),
	HTTP_END,
};
const struct http_field blocked_sender_shape[] = {
	OUT("id", HTTP_INT),           MAYBE("address", HTTP_LINE),  MAYBE("domain", HTTP_LINE),
	MAYBE("created_by", HTTP_INT), OUT("created_at", HTTP_TIME), HTTP_END,
};
const struct http_field intake_shape[] = {
	OUT("message", HTTP_INT),
	OUT("outcome", HTTP_LINE),
	MAYBE("ticket", HTTP_INT),
	MAYBE("comment", HTTP_INT),
	HTTP_END,
};
const struct http_field message_shape[] = {
	OUT("id", HTTP_INT),
	OUT("direction", HTTP_LINE),
	MAYBE("message_id", HTTP_LINE),
	OUT("in_reply_to", HTTP_LINES),
	OUT("references", HTTP_LINES),
	MAYBE("subject", HTTP_LINE),
	MAYBE("from", HTTP_LINE),
	OUT("to", HTTP_LINES),
	OUT("cc", HTTP_LINES),
	OUT("date", HTTP_TIME),
	OUT("kind", HTTP_LINE),
	OUT("trust", HTTP_INT),
	MAYBE("ticket", HTTP_INT),
	MAYBE("comment", HTTP_INT),
	MAYBE("mailbox", HTTP_LINE),
	OUT("size", HTTP_INT),
	MAYBE("state", HTTP_LINE),
	MAYBE("smtp_reply", HTTP_TEXT),
	MANY("attachments", "Attachment"),
	OUT("created_at", HTTP_TIME),
	HTTP_END,
};
const struct http_field held_mail_shape[] = {
	OUT("id", HTTP_INT),
	OUT("cause", HTTP_LINE),
	MAYBE("detail", HTTP_TEXT),
	OUT("message", HTTP_INT),
	MAYBE("mailbox", HTTP_LINE),
	MAYBE("from", HTTP_LINE),
	MAYBE("subject", HTTP_LINE),
	MAYBE("message_id", HTTP_LINE),
	OUT("size", HTTP_INT),
	OUT("created_at", HTTP_TIME),
	HTTP_END,
};
const struct http_field outgoing_mail_shape[] = {
	OUT("id", HTTP_INT),          OUT("message", HTTP_INT),
	MAYBE("ticket", HTTP_INT),    OUT("to", HTTP_LINE),
	MAYBE("subject", HTTP_LINE),  MAYBE("message_id", HTTP_LINE),
	OUT("state", HTTP_LINE),      OUT("attempts", HTTP_INT),
	MAYBE("next_at", HTTP_TIME),  MAYBE("last_reply", HTTP_TEXT),
	OUT("created_at", HTTP_TIME), HTTP_END,
};
const struct http_field mailbox_shape[] = { OUT("name", HTTP_LINE),
					    OUT("address", HTTP_LINE),
					    OUT("state", HTTP_LINE),
					    MAYBE("lag", HTTP_INT),
					    MAYBE("last_success", HTTP_TIME),
					    MAYBE("last_error", HTTP_TEXT),
					    HTTP_END };
