/* What bodies and queries may hold, and the shapes of answers, as tables (net/field.h). */
#include "api_private.h"

#include <maildesk/desk/digest.h>
#include <maildesk/desk/password.h>

#define BODY_MAX 1000000
#define COMMANDS_MAX 20000
#define IN(name, type, flags, min, max, words)           \
	{                                                \
		name, type, flags, min, max, words, NULL \
	}
#define OUT(name, type)                                     \
	{                                                   \
		name, type, HTTP_REQUIRED, 0, 0, NULL, NULL \
	}
#define MAYBE(name, type)                                                   \
	{                                                                   \
		name, type, HTTP_REQUIRED | HTTP_NULLABLE, 0, 0, NULL, NULL \
	}
#define ONE(name, flags, of)                                               \
	{                                                                  \
		name, HTTP_OBJECT, HTTP_REQUIRED | (flags), 0, 0, NULL, of \
	}
#define MANY(name, of)                                            \
	{                                                         \
		name, HTTP_OBJECTS, HTTP_REQUIRED, 0, 0, NULL, of \
	}

static const char *const roles[] = { "admin", "agent", "customer", NULL };
static const char *const priorities[] = { "low", "medium", "high", "critical", NULL };
static const char *const sorts[] = { "id",         "-id",         "created_at", "-created_at",
				     "updated_at", "-updated_at", "priority",   "-priority",
				     "status",     "-status",     "due",        "-due",
				     NULL };

static const char *const truths[] = { "true", "false", NULL };
static const char *const parts[] = { "cc", "watcher", NULL };
static const char *const link_types[] = { "relates", "duplicates", "blocks", "parent", NULL };

/* ---- what comes in ---- */

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
	IN("priority", HTTP_LINE, 0, 0, 0, priorities),
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
	IN("priority", HTTP_LINE, 0, 0, 0, priorities),
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
	IN("priority", HTTP_LINE, HTTP_REQUIRED, 0, 0, priorities),
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
const struct http_field watch_body[] = { IN("watching", HTTP_BOOL, 0, 0, 0, NULL), HTTP_END };
const struct http_field mute_body[] = { IN("muted", HTTP_BOOL, HTTP_REQUIRED, 0, 0, NULL),
					HTTP_END };
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
	IN("role", HTTP_LINE, HTTP_REQUIRED, 0, 0, roles),
	IN("password", HTTP_LINE, 0, 1, PASSWORD_MAX, NULL),
	IN("locale", HTTP_LINE, HTTP_NULLABLE, 1, 35, NULL),
	IN("timezone", HTTP_LINE, HTTP_NULLABLE, 1, 64, NULL),
	IN("organisation", HTTP_NAMED, HTTP_NULLABLE, 1, 100, NULL),
	HTTP_END,
};
const struct http_field user_changes[] = {
	IN("name", HTTP_LINE, 0, 1, 200, NULL),
	IN("role", HTTP_LINE, 0, 0, 0, roles),
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
	IN("role", HTTP_LINE, 0, 0, 0, roles),
	IN("q", HTTP_LINE, 0, 1, 100, NULL),
	API_PAGE_FIELDS,
	HTTP_END,
};
const struct http_field ticket_query[] = {
	IN("status", HTTP_WORDS, 0, 0, 0, NULL), /* of the desk's workflow */
	IN("priority", HTTP_WORDS, 0, 0, 0, priorities),
	IN("assignee", HTTP_LINE, 0, 1, 20, NULL),
	IN("requester", HTTP_LINE, 0, 1, 20, NULL),
	IN("reporter", HTTP_LINE, 0, 1, 20, NULL),
	IN("tag", HTTP_LINE, 0, 1, 64, NULL),
	IN("category", HTTP_LINE, 0, 1, 64, NULL),
	IN("field", HTTP_LINE, 0, 1, 1100, NULL), /* a custom one: "asset:4711" */
	IN("team", HTTP_INT, 0, 1, 0, NULL),
	IN("organisation", HTTP_INT, 0, 1, 0, NULL),
	IN("mailbox", HTTP_LINE, 0, 1, 100, NULL),
	IN("overdue", HTTP_LINE, 0, 0, 0, truths),
	IN("created_after", HTTP_TIME, 0, 0, 0, NULL),
	IN("created_before", HTTP_TIME, 0, 0, 0, NULL),
	IN("updated_after", HTTP_TIME, 0, 0, 0, NULL),
	IN("q", HTTP_LINE, 0, 1, 1000, NULL), /* as of /search */
	IN("sort", HTTP_LINE, 0, 0, 0, sorts),
	API_PAGE_FIELDS,
	HTTP_END,
};

/* ---- what goes out ---- */

static const struct http_field api_key[] = {
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
static const struct http_field accepted[] = { OUT("accepted", HTTP_BOOL), HTTP_END };
static const struct http_field actor[] = { OUT("id", HTTP_INT), OUT("name", HTTP_LINE),
					   OUT("role", HTTP_LINE), HTTP_END };
static const struct http_field person[] = {
	OUT("id", HTTP_INT),
	OUT("name", HTTP_LINE),
	IN("email", HTTP_LINE, 0, 0, 0, NULL), /* of staff: shown to staff */
	HTTP_END,
};
static const struct http_field tag[] = { OUT("name", HTTP_LINE), OUT("color", HTTP_LINE),
					 HTTP_END };
static const struct http_field named[] = { OUT("id", HTTP_INT), OUT("name", HTTP_LINE), HTTP_END };
static const struct http_field team[] = { OUT("id", HTTP_INT), OUT("name", HTTP_LINE),
					  OUT("members", HTTP_INTS), HTTP_END };
static const struct http_field organisation[] = { OUT("id", HTTP_INT), OUT("name", HTTP_LINE),
						  OUT("domains", HTTP_LINES), HTTP_END };
static const struct http_field tag_row[] = { OUT("id", HTTP_INT), OUT("name", HTTP_LINE),
					     OUT("color", HTTP_LINE), HTTP_END };
#define REPORT(of)                                                                               \
	OUT("from", HTTP_TIME), OUT("to", HTTP_TIME), OUT("group", HTTP_LINE), MANY("rows", of), \
		HTTP_END
static const struct http_field volume_row[] = {
	MAYBE("group", HTTP_LINE),
	MAYBE("id", HTTP_INT),
	OUT("created", HTTP_INT),
	OUT("resolved", HTTP_INT),
	HTTP_END,
};
static const struct http_field volume_report[] = { REPORT("VolumeRow") };
static const struct http_field sla_row[] = {
	MAYBE("group", HTTP_LINE),       MAYBE("id", HTTP_INT),
	OUT("metric", HTTP_LINE),        OUT("met", HTTP_INT),
	OUT("breached", HTTP_INT),       OUT("running", HTTP_INT),
	MAYBE("met_share", HTTP_NUMBER), HTTP_END,
};
static const struct http_field sla_report[] = { REPORT("SlaRow") };
static const struct http_field agent_row[] = {
	OUT("group", HTTP_LINE),
	OUT("id", HTTP_INT),
	OUT("assigned", HTTP_INT),
	OUT("resolved", HTTP_INT),
	OUT("replies", HTTP_INT),
	MAYBE("first_response_p50", HTTP_INT),
	MAYBE("first_response_p90", HTTP_INT),
	MAYBE("resolution_p50", HTTP_INT),
	MAYBE("resolution_p90", HTTP_INT),
	HTTP_END,
};
static const struct http_field agent_report[] = { REPORT("AgentRow") };
static const struct http_field audit_row[] = {
	OUT("id", HTTP_INT),
	OUT("at", HTTP_TIME),
	ONE("actor", HTTP_NULLABLE, "Actor"),
	OUT("source", HTTP_LINE),
	OUT("action", HTTP_LINE),
	MAYBE("about", HTTP_LINE),
	MAYBE("about_id", HTTP_INT),
	MAYBE("detail", HTTP_LINE),
	MAYBE("account", HTTP_LINE),
	MAYBE("network", HTTP_LINE),
	OUT("count", HTTP_INT),
	OUT("daemon", HTTP_LINE),
	MAYBE("seq", HTTP_INT),
	MAYBE("hash", HTTP_LINE),
	HTTP_END,
};
static const struct http_field webhook[] = {
	OUT("id", HTTP_INT),
	OUT("url", HTTP_LINE),
	OUT("events", HTTP_LINES),
	OUT("active", HTTP_BOOL),
	MAYBE("created_at", HTTP_TIME),
	IN("secret", HTTP_LINE, 0, 0, 0, NULL),
	HTTP_END,
};
static const char *const delivery_states[] = { "queued",    "sending", "retry",
					       "delivered", "failed",  NULL };
static const struct http_field delivery[] = {
	OUT("id", HTTP_INT),
	OUT("webhook", HTTP_INT),
	OUT("event", HTTP_LINE),
	MAYBE("ticket", HTTP_INT),
	{ "state", HTTP_LINE, HTTP_REQUIRED, 0, 0, delivery_states, NULL },
	OUT("attempts", HTTP_INT),
	MAYBE("next_at", HTTP_TIME),
	MAYBE("status", HTTP_INT),
	MAYBE("reply", HTTP_TEXT),
	MAYBE("body", HTTP_TEXT),
	OUT("created_at", HTTP_TIME),
	MAYBE("done_at", HTTP_TIME),
	HTTP_END,
};
static const struct http_field saved_view[] = {
	OUT("id", HTTP_INT),      OUT("name", HTTP_LINE), OUT("query", HTTP_LINE),
	OUT("shared", HTTP_BOOL), OUT("user", HTTP_INT),  HTTP_END,
};
static const struct http_field viewer[] = { ONE("user", 0, "Actor"), OUT("until", HTTP_TIME),
					    HTTP_END };
static const struct http_field viewers[] = { MANY("viewers", "Viewer"), HTTP_END };
static const struct http_field canned_reply[] = {
	OUT("id", HTTP_INT),          OUT("name", HTTP_LINE),  OUT("body", HTTP_TEXT),
	MAYBE("commands", HTTP_TEXT), OUT("tags", HTTP_LINES), HTTP_END,
};
static const struct http_field link[] = {
	OUT("type", HTTP_LINE),   OUT("ticket", HTTP_INT),   OUT("title", HTTP_LINE),
	OUT("status", HTTP_LINE), OUT("inverse", HTTP_BOOL), HTTP_END,
};
static const struct http_field participant[] = {
	OUT("user", HTTP_INT),   OUT("name", HTTP_LINE),    OUT("role", HTTP_LINE),
	OUT("muted", HTTP_BOOL), OUT("pending", HTTP_BOOL), HTTP_END,
};
static const struct http_field sla_clock[] = { MAYBE("due", HTTP_TIME), OUT("state", HTTP_LINE),
					       HTTP_END };
static const struct http_field sla_line[] = {
	OUT("from", HTTP_TIME),
	OUT("to", HTTP_TIME),
	OUT("counted", HTTP_BOOL),
	OUT("why", HTTP_LINE),
	HTTP_END,
};
static const struct http_field sla_story[] = {
	OUT("metric", HTTP_LINE),        OUT("cycle", HTTP_INT),       OUT("policy", HTTP_LINE),
	OUT("state", HTTP_LINE),         OUT("started_at", HTTP_TIME), OUT("target", HTTP_INT),
	OUT("used", HTTP_INT),           OUT("rest", HTTP_INT),        MAYBE("due", HTTP_TIME),
	MAYBE("breached_at", HTTP_TIME), MANY("explain", "ClockLine"), HTTP_END,
};
static const struct http_field sla_stories[] = {
	OUT("ticket", HTTP_INT),
	MANY("clocks", "ClockStory"),
	HTTP_END,
};
static const struct http_field sla[] = { ONE("first_response", HTTP_NULLABLE, "Clock"),
					 ONE("next_response", HTTP_NULLABLE, "Clock"),
					 ONE("update", HTTP_NULLABLE, "Clock"),
					 ONE("resolution", HTTP_NULLABLE, "Clock"), HTTP_END };

/* clang-format off */
#define TICKET_ROW \
	OUT("id", HTTP_INT), \
	OUT("title", HTTP_LINE), \
	OUT("status", HTTP_LINE), \
	{ "priority", HTTP_LINE, HTTP_REQUIRED, 0, 0, priorities, NULL }, \
	MAYBE("category", HTTP_LINE), \
	MANY("tags", "Tag"), \
	ONE("requester", 0, "Person"), \
	ONE("assignee", HTTP_NULLABLE, "Person"), \
	ONE("team", HTTP_NULLABLE, "Named"), \
	ONE("organisation", HTTP_NULLABLE, "Named"), \
	MAYBE("mailbox", HTTP_LINE), \
	OUT("channel", HTTP_LINE), \
	OUT("created_at", HTTP_TIME), \
	OUT("updated_at", HTTP_TIME), \
	MAYBE("first_response_at", HTTP_TIME), \
	MAYBE("resolved_at", HTTP_TIME), \
	MAYBE("closed_at", HTTP_TIME), \
	MAYBE("due_at", HTTP_TIME), \
	MAYBE("snoozed_until", HTTP_TIME), \
	OUT("time_spent", HTTP_INT), \
	OUT("fields", HTTP_TEXTS), \
	ONE("sla", 0, "Sla"), \
	OUT("overdue", HTTP_BOOL), \
	OUT("allowed_statuses", HTTP_LINES), \
	MAYBE("merged_into", HTTP_INT), \
	OUT("version", HTTP_INT)
/* clang-format on */

static const struct http_field ticket_row[] = { TICKET_ROW, HTTP_END };
static const struct http_field ticket[] = { TICKET_ROW,
					    OUT("description", HTTP_TEXT),
					    ONE("created_by", HTTP_NULLABLE, "Actor"),
					    MANY("participants", "Participant"),
					    MANY("links", "Link"),
					    MAYBE("deleted_at", HTTP_TIME),
					    HTTP_END };
static const struct http_field attachment[] = { OUT("id", HTTP_INT),
						MAYBE("filename", HTTP_LINE),
						OUT("content_type", HTTP_LINE),
						OUT("size", HTTP_INT),
						OUT("inline", HTTP_BOOL),
						MAYBE("content_id", HTTP_LINE),
						HTTP_END };
static const struct http_field comment[] = {
	OUT("id", HTTP_INT),
	OUT("ticket", HTTP_INT),
	ONE("author", HTTP_NULLABLE, "Actor"),
	OUT("body", HTTP_TEXT),
	OUT("body_full", HTTP_TEXT),
	MAYBE("body_html", HTTP_TEXT),
	OUT("is_internal", HTTP_BOOL),
	MAYBE("held", HTTP_LINE),
	OUT("channel", HTTP_LINE),
	MAYBE("message", HTTP_INT),
	MANY("attachments", "Attachment"),
	OUT("created_at", HTTP_TIME),
	MAYBE("edited_at", HTTP_TIME),
	HTTP_END,
};
static const struct http_field change[] = {
	OUT("id", HTTP_INT),
	OUT("ticket", HTTP_INT),
	OUT("action", HTTP_LINE),
	MAYBE("old_value", HTTP_TEXT),
	MAYBE("new_value", HTTP_TEXT),
	ONE("actor", HTTP_NULLABLE, "Actor"),
	OUT("source", HTTP_LINE),
	OUT("at", HTTP_TIME),
	HTTP_END,
};
/* clang-format off */
/* from the address on only to staff, and to oneself */
#define USER_FIELDS \
	OUT("id", HTTP_INT), \
	OUT("name", HTTP_LINE), \
	{ "role", HTTP_LINE, HTTP_REQUIRED, 0, 0, roles, NULL }, \
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
static const struct http_field user[] = { USER_FIELDS, HTTP_END };
static const struct http_field me[] = {
	USER_FIELDS,
	MAYBE("signature", HTTP_TEXT),
	{ "digest", HTTP_LINE, HTTP_REQUIRED, 0, 0, digest_names, NULL },
	OUT("otp_enabled", HTTP_BOOL),
	OUT("has_password", HTTP_BOOL),
	HTTP_END,
};
static const struct http_field session[] = {
	OUT("id", HTTP_INT),
	OUT("current", HTTP_BOOL),
	MAYBE("user_agent", HTTP_LINE),
	OUT("created_at", HTTP_TIME),
	OUT("last_used_at", HTTP_TIME),
	OUT("expires_at", HTTP_TIME),
	HTTP_END,
};
static const struct http_field otp[] = {
	OUT("enabled", HTTP_BOOL),
	/* only of one that is to be confirmed */
	IN("secret", HTTP_LINE, 0, 0, 0, NULL),
	IN("uri", HTTP_LINE, 0, 0, 0, NULL),
	IN("recovery_codes", HTTP_LINES, 0, 0, 0, NULL),
	HTTP_END,
};
static const struct http_field token[] = {
	OUT("access_token", HTTP_LINE), OUT("token_type", HTTP_LINE),
	OUT("expires_in", HTTP_INT),    IN("refresh_token", HTTP_LINE, 0, 0, 0, NULL),
	ONE("user", 0, "User"),         HTTP_END
};
static const struct http_field rule[] = { OUT("rule", HTTP_LINE), OUT("matched", HTTP_BOOL),
					  MAYBE("evidence", HTTP_TEXT), HTTP_END };
static const struct http_field command[] = { OUT("line", HTTP_LINE), OUT("ok", HTTP_BOOL),
					     MAYBE("reason", HTTP_TEXT), HTTP_END };
static const struct http_field transcript[] = {
	OUT("ok", HTTP_BOOL),
	MANY("lines", "Command"),
	ONE("ticket", HTTP_NULLABLE, "Ticket"),
	HTTP_END,
};
static const struct http_field bulk_result[] = { OUT("id", HTTP_INT), OUT("ok", HTTP_BOOL),
						 MAYBE("message", HTTP_TEXT), HTTP_END };
static const struct http_field bulk[] = { MANY("results", "BulkResult"), HTTP_END };
static const struct http_field clock_effect[] = {
	OUT("metric", HTTP_LINE),
	OUT("effect", HTTP_LINE),
	HTTP_END,
};
static const struct http_field decision[] = {
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
static const struct http_field day[] = {
	OUT("day", HTTP_LINE),
	OUT("count", HTTP_INT),
	HTTP_END,
};
static const struct http_field percentiles[] = {
	MAYBE("p50", HTTP_INT),
	MAYBE("p90", HTTP_INT),
	HTTP_END,
};
static const struct http_field load[] = {
	OUT("id", HTTP_INT),
	MAYBE("name", HTTP_LINE),
	OUT("count", HTTP_INT),
	HTTP_END,
};
static const struct http_field dashboard[] = {
	ONE("by_status", 0, "Counts"),
	ONE("by_priority", 0, "Counts"),
	MANY("by_assignee", "Load"),
	OUT("unassigned", HTTP_INT),
	OUT("overdue", HTTP_INT),
	OUT("breached", HTTP_INT),
	MANY("created_by_day", "Day"),
	MANY("resolved_by_day", "Day"),
	ONE("first_response", 0, "Percentiles"),
	ONE("resolution", 0, "Percentiles"),
	HTTP_END,
};
static const struct http_field blocked_sender[] = {
	OUT("id", HTTP_INT),           MAYBE("address", HTTP_LINE),  MAYBE("domain", HTTP_LINE),
	MAYBE("created_by", HTTP_INT), OUT("created_at", HTTP_TIME), HTTP_END,
};
static const struct http_field intake[] = {
	OUT("message", HTTP_INT),
	OUT("outcome", HTTP_LINE),
	MAYBE("ticket", HTTP_INT),
	MAYBE("comment", HTTP_INT),
	HTTP_END,
};
static const char *const found_types[] = { "ticket", "comment", NULL };
static const struct http_field found[] = {
	{ "type", HTTP_LINE, HTTP_REQUIRED, 0, 0, found_types, NULL },
	OUT("id", HTTP_INT),
	OUT("ticket", HTTP_INT),
	OUT("title", HTTP_LINE),
	OUT("snippet", HTTP_TEXT), /* HTML, what matched in <mark> */
	OUT("score", HTTP_NUMBER),
	HTTP_END,
};
static const struct http_field addresses[] = {
	OUT("user", HTTP_INT),
	OUT("email", HTTP_LINE),
	OUT("addresses", HTTP_LINES),
	HTTP_END,
};
static const struct http_field exported_ticket[] = {
	OUT("id", HTTP_INT),
	OUT("title", HTTP_LINE),
	OUT("status", HTTP_LINE),
	OUT("channel", HTTP_LINE),
	OUT("created_at", HTTP_TIME),
	MAYBE("closed_at", HTTP_TIME),
	HTTP_END,
};
static const struct http_field exported_comment[] = {
	OUT("id", HTTP_INT),
	OUT("ticket", HTTP_INT),
	OUT("body", HTTP_TEXT),
	OUT("channel", HTTP_LINE),
	OUT("created_at", HTTP_TIME),
	MANY("attachments", "Attachment"),
	HTTP_END,
};
static const struct http_field exported_message[] = {
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
static const struct http_field export[] = {
	ONE("user", 0, "User"),
	OUT("addresses", HTTP_LINES),
	MANY("tickets", "ExportedTicket"),
	MANY("comments", "ExportedComment"),
	MANY("messages", "ExportedMessage"),
	OUT("exported_at", HTTP_TIME),
	HTTP_END,
};
static const struct http_field message[] = {
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
static const struct http_field held_mail[] = {
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
static const struct http_field outgoing_mail[] = {
	OUT("id", HTTP_INT),          OUT("message", HTTP_INT),
	MAYBE("ticket", HTTP_INT),    OUT("to", HTTP_LINE),
	MAYBE("subject", HTTP_LINE),  MAYBE("message_id", HTTP_LINE),
	OUT("state", HTTP_LINE),      OUT("attempts", HTTP_INT),
	MAYBE("next_at", HTTP_TIME),  MAYBE("last_reply", HTTP_TEXT),
	OUT("created_at", HTTP_TIME), HTTP_END,
};
static const struct http_field mailbox[] = { OUT("name", HTTP_LINE),
					     OUT("address", HTTP_LINE),
					     OUT("state", HTTP_LINE),
					     MAYBE("lag", HTTP_INT),
					     MAYBE("last_success", HTTP_TIME),
					     MAYBE("last_error", HTTP_TEXT),
					     HTTP_END };

static const struct http_field health_mailbox[] = {
	OUT("name", HTTP_LINE),           OUT("state", HTTP_LINE),        MAYBE("lag", HTTP_INT),
	MAYBE("last_success", HTTP_TIME), MAYBE("last_error", HTTP_TEXT), HTTP_END,
};
static const struct http_field health_configuration[] = {
	OUT("state", HTTP_LINE),
	MAYBE("loaded_at", HTTP_TIME),
	MAYBE("refused_at", HTTP_TIME),
	/* on this machine only */
	IN("error", HTTP_TEXT, HTTP_NULLABLE, 0, 0, NULL),
	IN("needs_restart", HTTP_TEXT, HTTP_NULLABLE, 0, 0, NULL),
	HTTP_END,
};
static const struct http_field health_of_desk[] = {
	OUT("status", HTTP_LINE),
	OUT("templates", HTTP_LINE),
	ONE("configuration", 0, "HealthConfiguration"),
	MANY("mailboxes", "HealthMailbox"),
	HTTP_END,
};

const struct http_object api_objects[] = {
	{ "Health", health_of_desk },
	{ "HealthConfiguration", health_configuration },
	{ "HealthMailbox", health_mailbox },
	{ "Accepted", accepted },
	{ "Actor", actor },
	{ "ApiKey", api_key },
	{ "Addresses", addresses },
	{ "Export", export },
	{ "ExportedComment", exported_comment },
	{ "ExportedMessage", exported_message },
	{ "ExportedTicket", exported_ticket },
	{ "Attachment", attachment },
	{ "Bulk", bulk },
	{ "BulkResult", bulk_result },
	{ "CannedReply", canned_reply },
	{ "AgentReport", agent_report },
	{ "AgentRow", agent_row },
	{ "SlaReport", sla_report },
	{ "SlaRow", sla_row },
	{ "VolumeReport", volume_report },
	{ "VolumeRow", volume_row },
	{ "AuditRow", audit_row },
	{ "Webhook", webhook },
	{ "Delivery", delivery },
	{ "SavedView", saved_view },
	{ "Viewer", viewer },
	{ "Viewers", viewers },
	{ "Clock", sla_clock },
	{ "ClockEffect", clock_effect },
	{ "ClockLine", sla_line },
	{ "ClockStories", sla_stories },
	{ "ClockStory", sla_story },
	{ "Command", command },
	{ "Comment", comment },
	{ "Decision", decision },
	{ "Found", found },
	{ "HeldMail", held_mail },
	{ "BlockedSender", blocked_sender },
	{ "Counts", NULL },
	{ "Dashboard", dashboard },
	{ "Day", day },
	{ "Load", load },
	{ "Percentiles", percentiles },
	{ "Intake", intake },
	{ "HistoryRow", change },
	{ "Link", link },
	{ "Me", me },
	{ "Message", message },
	{ "Mailbox", mailbox },
	{ "Named", named },
	{ "OpenApi", NULL },
	{ "Organisation", organisation },
	{ "Otp", otp },
	{ "OutgoingMail", outgoing_mail },
	{ "Participant", participant },
	{ "Person", person },
	{ "Rule", rule },
	{ "Session", session },
	{ "Sla", sla },
	{ "Transcript", transcript },
	{ "Tag", tag },
	{ "TagRow", tag_row },
	{ "Team", team },
	{ "Ticket", ticket },
	{ "TicketRow", ticket_row },
	{ "Token", token },
	{ "User", user },
	{ NULL, NULL },
};
