/* What bodies and queries may hold. */
#include "schema.h"

#include <maildesk/desk/password.h>

#define BODY_MAX 1000000
#define COMMANDS_MAX 20000

const char *const schema_roles[] = { "admin", "agent", "customer", NULL };
const char *const schema_priorities[] = { "low", "medium", "high", "critical", NULL };
static const char *const sorts[] = { "id",         "-id",         "created_at", "-created_at",
				     "updated_at", "-updated_at", "priority",   "-priority",
				     "status",     "-status",     "due",        "-due",
				     NULL };

static const char *const truths[] = { "true", "false", NULL };
static const char *const parts[] = { "cc", "watcher", NULL };
static const char *const link_types[] = { "relates", "duplicates", "blocks", "parent", NULL };

/* What may be said of a ticket that is there, and not of a new one. */
#define TICKET_MORE                                                        \
	IN("team", HTTP_NAMED, HTTP_NULLABLE, 1, 100, NULL),               \
		IN("requester", HTTP_PERSON, 0, 1, 320, NULL),             \
		IN("fields", HTTP_TEXTS, 0, 0, 1000, NULL),                \
		IN("snoozed_until", HTTP_TIME, HTTP_NULLABLE, 0, 0, NULL), \
		IN("due_at", HTTP_TIME, HTTP_NULLABLE, 0, 0, NULL)

const struct http_field token_body[] = {
	IN("email", HTTP_LINE, HTTP_REQUIRED, 1, 320, NULL),
	IN("password", HTTP_LINE, HTTP_REQUIRED, 1, PASSWORD_MAX, NULL),
	IN("otp", HTTP_LINE, 0, 1, 40, NULL),
	IN("cookie", HTTP_BOOL, 0, 0, 0, NULL),
	HTTP_END,
};
const struct http_field refresh_body[] = {
	IN("refresh_token", HTTP_LINE, 0, 1, 200, NULL), /* without it, the cookie */
	HTTP_END,
};
const struct http_field logout_body[] = {
	IN("refresh_token", HTTP_LINE, 0, 1, 200, NULL),
	HTTP_END,
};
const struct http_field ticket_body[] = {
	IN("title", HTTP_TEXT, HTTP_REQUIRED, 1, 500, NULL), /* made one line */
	IN("description", HTTP_TEXT, HTTP_REQUIRED, 1, BODY_MAX, NULL),
	IN("status", HTTP_LINE, 0, 1, 64, NULL),
	IN("priority", HTTP_LINE, 0, 0, 0, schema_priorities),
	IN("category", HTTP_LINE, HTTP_NULLABLE, 0, 64, NULL),
	IN("tags", HTTP_LINES, 0, 1, 64, NULL),
	IN("requester", HTTP_PERSON, 0, 1, 320, NULL),
	IN("assignee", HTTP_PERSON, HTTP_NULLABLE, 1, 320, NULL),
	IN("cc", HTTP_PERSONS, 0, 1, 320, NULL),
	IN("attachments", HTTP_IDS, 0, 0, 100, NULL),
	HTTP_END,
};
const struct http_field ticket_changes[] = {
	IN("title", HTTP_TEXT, 0, 1, 500, NULL),
	IN("description", HTTP_TEXT, 0, 1, BODY_MAX, NULL),
	IN("status", HTTP_LINE, 0, 1, 64, NULL),
	IN("priority", HTTP_LINE, 0, 0, 0, schema_priorities),
	IN("category", HTTP_LINE, HTTP_NULLABLE, 0, 64, NULL),
	IN("tags", HTTP_LINES, 0, 1, 64, NULL),
	IN("assignee", HTTP_PERSON, HTTP_NULLABLE, 1, 320, NULL),
	TICKET_MORE,
	IN("version", HTTP_INT, 0, 1, 0, NULL),
	HTTP_END,
};
const struct http_field ticket_whole[] = {
	IN("title", HTTP_TEXT, HTTP_REQUIRED, 1, 500, NULL),
	IN("description", HTTP_TEXT, 0, 1, BODY_MAX, NULL),
	IN("status", HTTP_LINE, HTTP_REQUIRED, 1, 64, NULL),
	IN("priority", HTTP_LINE, HTTP_REQUIRED, 0, 0, schema_priorities),
	IN("category", HTTP_LINE, HTTP_NULLABLE, 0, 64, NULL),
	IN("tags", HTTP_LINES, 0, 1, 64, NULL),
	IN("assignee", HTTP_PERSON, HTTP_NULLABLE, 1, 320, NULL),
	TICKET_MORE,
	IN("version", HTTP_INT, 0, 1, 0, NULL), /* or If-Match */
	HTTP_END,
};
const struct http_field participant_body[] = {
	IN("user", HTTP_PERSON, HTTP_REQUIRED, 1, 320, NULL),
	IN("role", HTTP_LINE, 0, 0, 0, parts),
	IN("version", HTTP_INT, 0, 1, 0, NULL),
	HTTP_END,
};
const struct http_field watch_body[] = { IN("watching", HTTP_BOOL, 0, 0, 0, NULL),
					 IN("version", HTTP_INT, 0, 1, 0, NULL), HTTP_END };
const struct http_field mute_body[] = { IN("muted", HTTP_BOOL, HTTP_REQUIRED, 0, 0, NULL),
					IN("version", HTTP_INT, 0, 1, 0, NULL), HTTP_END };
const struct http_field merge_body[] = { IN("into", HTTP_INT, HTTP_REQUIRED, 1, 0, NULL),
					 IN("version", HTTP_INT, 0, 1, 0, NULL), HTTP_END };
const struct http_field version_body[] = { IN("version", HTTP_INT, 0, 1, 0, NULL), HTTP_END };
const struct http_field split_body[] = { IN("comment", HTTP_INT, HTTP_REQUIRED, 1, 0, NULL),
					 IN("version", HTTP_INT, 0, 1, 0, NULL), HTTP_END };
const struct http_field link_body[] = { IN("type", HTTP_LINE, HTTP_REQUIRED, 0, 0, link_types),
					IN("ticket", HTTP_INT, HTTP_REQUIRED, 1, 0, NULL),
					IN("version", HTTP_INT, 0, 1, 0, NULL), HTTP_END };
const struct http_field comment_body[] = {
	IN("body", HTTP_TEXT, HTTP_REQUIRED, 1, BODY_MAX, NULL),
	IN("is_internal", HTTP_BOOL, 0, 0, 0, NULL),
	IN("commands", HTTP_TEXT, 0, 1, COMMANDS_MAX, NULL),
	IN("attachments", HTTP_IDS, 0, 0, 100, NULL),
	IN("version", HTTP_INT, 0, 1, 0, NULL),
	HTTP_END,
};
const struct http_field command_box[] = {
	IN("text", HTTP_TEXT, HTTP_REQUIRED, 1, COMMANDS_MAX, NULL),
	IN("dry_run", HTTP_BOOL, 0, 0, 0, NULL),
	IN("version", HTTP_INT, 0, 1, 0, NULL),
	HTTP_END,
};
const struct http_field command_bulk[] = {
	IN("ids", HTTP_IDS, HTTP_REQUIRED, 1, 500, NULL),
	IN("text", HTTP_TEXT, HTTP_REQUIRED, 1, COMMANDS_MAX, NULL),
	HTTP_END,
};
const struct http_field comment_changes[] = {
	IN("body", HTTP_TEXT, HTTP_REQUIRED, 1, BODY_MAX, NULL),
	IN("version", HTTP_INT, 0, 1, 0, NULL),
	HTTP_END,
};
const struct http_field user_body[] = {
	IN("email", HTTP_LINE, HTTP_REQUIRED, 1, 320, NULL),
	IN("name", HTTP_LINE, HTTP_REQUIRED, 1, 200, NULL),
	IN("role", HTTP_LINE, HTTP_REQUIRED, 0, 0, schema_roles),
	IN("password", HTTP_LINE, 0, 1, PASSWORD_MAX, NULL),
	IN("locale", HTTP_LINE, HTTP_NULLABLE, 1, 35, NULL),
	IN("timezone", HTTP_LINE, HTTP_NULLABLE, 1, 64, NULL),
	IN("organisation", HTTP_NAMED, HTTP_NULLABLE, 1, 100, NULL),
	IN("disabled", HTTP_BOOL, 0, 0, 0, NULL),
	HTTP_END,
};
const struct http_field user_changes[] = {
	IN("email", HTTP_LINE, 0, 1, 320, NULL),
	IN("name", HTTP_LINE, 0, 1, 200, NULL),
	IN("role", HTTP_LINE, 0, 0, 0, schema_roles),
	IN("password", HTTP_LINE, 0, 1, PASSWORD_MAX, NULL),
	IN("locale", HTTP_LINE, HTTP_NULLABLE, 1, 35, NULL),
	IN("timezone", HTTP_LINE, HTTP_NULLABLE, 1, 64, NULL),
	IN("disabled", HTTP_BOOL, 0, 0, 0, NULL),
	IN("organisation", HTTP_NAMED, HTTP_NULLABLE, 1, 100, NULL),
	IN("away_until", HTTP_TIME, HTTP_NULLABLE, 0, 0, NULL),
	HTTP_END,
};
const struct http_field page_query[] = { API_PAGE_FIELDS, HTTP_END };
const struct http_field search_query_fields[] = {
	IN("q", HTTP_LINE, HTTP_REQUIRED, 1, 1000, NULL), /* desk/searchquery.h */
	API_PAGE_FIELDS,
	HTTP_END,
};
const struct http_field user_query[] = {
	IN("role", HTTP_WORDS, 0, 0, 0, schema_roles),
	IN("q", HTTP_LINE, 0, 1, 100, NULL),
	API_PAGE_FIELDS,
	HTTP_END,
};
const struct http_field ticket_query[] = {
	IN("status", HTTP_WORDS, 0, 0, 0, NULL), /* of the desk's workflow */
	IN("priority", HTTP_WORDS, 0, 0, 0, schema_priorities),
	IN("assignee", HTTP_WORDS, 0, 0, 0, NULL),
	IN("requester", HTTP_WORDS, 0, 0, 0, NULL),
	IN("reporter", HTTP_WORDS, 0, 0, 0, NULL),
	IN("tag", HTTP_WORDS, 0, 0, 0, NULL),
	IN("category", HTTP_WORDS, 0, 0, 0, NULL),
	IN("field", HTTP_LINE, 0, 1, 1100, NULL), /* a custom one: "asset:4711" */
	IN("team", HTTP_WORDS, 0, 0, 0, NULL),
	IN("organisation", HTTP_WORDS, 0, 0, 0, NULL),
	IN("mailbox", HTTP_WORDS, 0, 0, 0, NULL),
	IN("breached", HTTP_LINE, 0, 0, 0, truths), /* unresolved, a service level missed */
	IN("overdue", HTTP_LINE, 0, 0, 0, truths),
	IN("created_after", HTTP_TIME, 0, 0, 0, NULL),
	IN("created_before", HTTP_TIME, 0, 0, 0, NULL),
	IN("updated_after", HTTP_TIME, 0, 0, 0, NULL),
	IN("breached_after", HTTP_TIME, 0, 0, 0, NULL), /* missed a target since */
	IN("q", HTTP_LINE, 0, 1, 1000, NULL),           /* as of /search */
	IN("sort", HTTP_LINE, 0, 0, 0, sorts),
	API_PAGE_FIELDS,
	HTTP_END,
};
