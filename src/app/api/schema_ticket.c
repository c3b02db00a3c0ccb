/* Shapes of answers: tickets and what belongs to them. */
#include "schema.h"

const struct http_field viewer_shape[] = { ONE("user", 0, "Actor"), OUT("until", HTTP_TIME),
					   HTTP_END };
const struct http_field viewers_shape[] = { MANY("viewers", "Viewer"), HTTP_END };
const struct http_field link_shape[] = {
	OUT("type", HTTP_LINE),   OUT("ticket", HTTP_INT),   OUT("title", HTTP_LINE),
	OUT("status", HTTP_LINE), OUT("inverse", HTTP_BOOL), HTTP_END,
};
const struct http_field participant_shape[] = {
	OUT("user", HTTP_INT),   OUT("name", HTTP_LINE),    OUT("role", HTTP_LINE),
	OUT("muted", HTTP_BOOL), OUT("pending", HTTP_BOOL), HTTP_END,
};
const struct http_field sla_clock_shape[] = { MAYBE("due", HTTP_TIME), OUT("state", HTTP_LINE),
					      HTTP_END };
const struct http_field sla_line_shape[] = {
	OUT("from", HTTP_TIME),
	OUT("to", HTTP_TIME),
	OUT("counted", HTTP_BOOL),
	OUT("why", HTTP_LINE),
	MAYBE("code", HTTP_LINE),
	MAYBE("about", HTTP_LINE),
	HTTP_END,
};
const struct http_field sla_story_shape[] = {
	OUT("metric", HTTP_LINE),        OUT("cycle", HTTP_INT),       OUT("policy", HTTP_LINE),
	OUT("state", HTTP_LINE),         OUT("started_at", HTTP_TIME), OUT("target", HTTP_INT),
	OUT("used", HTTP_INT),           OUT("rest", HTTP_INT),        MAYBE("due", HTTP_TIME),
	MAYBE("breached_at", HTTP_TIME), MANY("explain", "ClockLine"), HTTP_END,
};
const struct http_field sla_stories_shape[] = {
	OUT("ticket", HTTP_INT),
	MANY("clocks", "ClockStory"),
	HTTP_END,
};
const struct http_field sla_shape[] = { ONE("first_response", HTTP_NULLABLE, "Clock"),
					ONE("next_response", HTTP_NULLABLE, "Clock"),
					ONE("update", HTTP_NULLABLE, "Clock"),
					ONE("resolution", HTTP_NULLABLE, "Clock"), HTTP_END };
/* clang-format off */
#define TICKET_ROW \
	OUT("id", HTTP_INT), \
	OUT("title", HTTP_LINE), \
	OUT("status", HTTP_LINE), \
	{ "priority", HTTP_LINE, HTTP_REQUIRED, 0, 0, schema_priorities, NULL }, \
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

const struct http_field ticket_row_shape[] = { TICKET_ROW, HTTP_END };
const struct http_field ticket_shape[] = { TICKET_ROW,
					   OUT("description", HTTP_TEXT),
					   ONE("created_by", HTTP_NULLABLE, "Actor"),
					   MANY("participants", "Participant"),
					   MANY("links", "Link"),
					   MAYBE("deleted_at", HTTP_TIME),
					   HTTP_END };
const struct http_field attachment_shape[] = { OUT("id", HTTP_INT),
					       MAYBE("filename", HTTP_LINE),
					       OUT("content_type", HTTP_LINE),
					       OUT("size", HTTP_INT),
					       OUT("inline", HTTP_BOOL),
					       MAYBE("content_id", HTTP_LINE),
					       HTTP_END };
const struct http_field comment_shape[] = {
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
const struct http_field change_shape[] = {
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
const struct http_field command_shape[] = { OUT("line", HTTP_LINE), OUT("ok", HTTP_BOOL),
					    MAYBE("reason", HTTP_TEXT), REASONED, HTTP_END };
const struct http_field transcript_shape[] = {
	OUT("ok", HTTP_BOOL),
	MANY("lines", "Command"),
	{ "answers", HTTP_OBJECTS, 0, 0, 0, NULL, "CommandAnswer" }, /* of questions */
	ONE("ticket", HTTP_NULLABLE, "Ticket"),
	HTTP_END,
};
const struct http_field bulk_result_shape[] = { OUT("id", HTTP_INT), OUT("ok", HTTP_BOOL),
						MAYBE("message", HTTP_TEXT), REASONED, HTTP_END };
const struct http_field bulk_shape[] = { MANY("results", "BulkResult"), HTTP_END };
static const char *const found_types[] = { "ticket", "comment", NULL };
const struct http_field found_shape[] = {
	{ "type", HTTP_LINE, HTTP_REQUIRED, 0, 0, found_types, NULL },
	OUT("id", HTTP_INT),
	OUT("ticket", HTTP_INT),
	OUT("title", HTTP_LINE),
	OUT("snippet", HTTP_TEXT), /* HTML, what matched in <mark> */
	OUT("score", HTTP_NUMBER),
	HTTP_END,
};
