/* Shapes of answers: people, how they sign in, and what is kept of them. */
#include "schema.h"

#include <maildesk/desk/digest.h>

const struct http_field api_key_shape[] = {
	OUT("id", HTTP_INT),
	OUT("name", HTTP_LINE),
	OUT("user", HTTP_INT), /* who it acts as */
	OUT("scopes", HTTP_LINES),
	OUT("created_at", HTTP_TIME),
	MAYBE("expires_at", HTTP_TIME),
	MAYBE("last_used_at", HTTP_TIME),
	IN("key", HTTP_LINE, 0, 0, 0, NULL), /* once */
	HTTP_END,
};
const struct http_field actor_shape[] = { OUT("id", HTTP_INT), OUT("name", HTTP_LINE),
					  OUT("role", HTTP_LINE), HTTP_END };
const struct http_field person_shape[] = {
	OUT("id", HTTP_INT),
	OUT("name", HTTP_LINE),
	IN("email", HTTP_LINE, 0, 0, 0, NULL), /* of staff: shown to staff */
	HTTP_END,
};
/* clang-format off */
/* from the address on only to staff, and to oneself */
#define USER_FIELDS \
	OUT("id", HTTP_INT), \
	OUT("name", HTTP_LINE), \
	{ "role", HTTP_LINE, HTTP_REQUIRED, 0, 0, schema_roles, NULL }, \
	IN("email", HTTP_LINE, 0, 0, 0, NULL), \
	IN("locale", HTTP_LINE, HTTP_NULLABLE, 0, 0, NULL), \
	IN("timezone", HTTP_LINE, HTTP_NULLABLE, 0, 0, NULL), \
	IN("disabled", HTTP_BOOL, 0, 0, 0, NULL), \
	IN("created_at", HTTP_TIME, 0, 0, 0, NULL), \
	IN("undeliverable_at", HTTP_TIME, HTTP_NULLABLE, 0, 0, NULL), \
	IN("erased_at", HTTP_TIME, HTTP_NULLABLE, 0, 0, NULL), \
	IN("organisation", HTTP_INT, HTTP_NULLABLE, 0, 0, NULL), \
	IN("away_until", HTTP_TIME, HTTP_NULLABLE, 0, 0, NULL)
/* clang-format on */
const struct http_field user_shape[] = { USER_FIELDS, HTTP_END };
const struct http_field me_shape[] = {
	USER_FIELDS,
	MAYBE("signature", HTTP_TEXT),
	{ "digest", HTTP_LINE, HTTP_REQUIRED, 0, 0, digest_names, NULL },
	OUT("otp_enabled", HTTP_BOOL),
	OUT("has_password", HTTP_BOOL),
	HTTP_END,
};
const struct http_field session_shape[] = {
	OUT("id", HTTP_INT),
	OUT("current", HTTP_BOOL),
	MAYBE("user_agent", HTTP_LINE),
	OUT("created_at", HTTP_TIME),
	OUT("last_used_at", HTTP_TIME),
	OUT("expires_at", HTTP_TIME),
	HTTP_END,
};
const struct http_field otp_shape[] = {
	OUT("enabled", HTTP_BOOL),
	/* only of one that is to be confirmed */
	IN("secret", HTTP_LINE, 0, 0, 0, NULL),
	IN("uri", HTTP_LINE, 0, 0, 0, NULL),
	IN("recovery_codes", HTTP_LINES, 0, 0, 0, NULL),
	HTTP_END,
};
const struct http_field token_shape[] = {
	OUT("access_token", HTTP_LINE), OUT("token_type", HTTP_LINE),
	OUT("expires_in", HTTP_INT),    IN("refresh_token", HTTP_LINE, 0, 0, 0, NULL),
	ONE("user", 0, "User"),         HTTP_END
};
const struct http_field addresses_shape[] = {
	OUT("user", HTTP_INT),
	OUT("email", HTTP_LINE),
	OUT("addresses", HTTP_LINES),
	HTTP_END,
};
const struct http_field exported_ticket_shape[] = {
	OUT("id", HTTP_INT),
	OUT("title", HTTP_LINE),
	OUT("status", HTTP_LINE),
	OUT("channel", HTTP_LINE),
	OUT("created_at", HTTP_TIME),
	MAYBE("closed_at", HTTP_TIME),
	HTTP_END,
};
const struct http_field exported_comment_shape[] = {
	OUT("id", HTTP_INT),
	OUT("ticket", HTTP_INT),
	OUT("body", HTTP_TEXT),
	OUT("channel", HTTP_LINE),
	OUT("created_at", HTTP_TIME),
	MANY("attachments", "Attachment"),
	HTTP_END,
};
const struct http_field exported_message_shape[] = {
	OUT("id", HTTP_INT),
	OUT("direction", HTTP_LINE),
	MAYBE("message_id", HTTP_LINE),
	MAYBE("subject", HTTP_LINE),
	MAYBE("from", HTTP_LINE),
	MAYBE("ticket", HTTP_INT),
	OUT("size", HTTP_INT),
	OUT("created_at", HTTP_TIME),
	MAYBE("raw_url", HTTP_LINE),
	MAYBE("raw", HTTP_TEXT), /* base64; of many mails only the first */
	HTTP_END,
};
const struct http_field export_shape[] = {
	ONE("user", 0, "User"),
	OUT("addresses", HTTP_LINES),
	MANY("tickets", "ExportedTicket"),
	MANY("comments", "ExportedComment"),
	MANY("messages", "ExportedMessage"),
	OUT("exported_at", HTTP_TIME),
	HTTP_END,
};
