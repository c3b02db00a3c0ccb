/* Shapes of answers: what the desk has beside tickets, and what it counts. */
#include "schema.h"

const struct http_field accepted_shape[] = { OUT("accepted", HTTP_BOOL), HTTP_END };
const struct http_field tag_shape[] = { OUT("name", HTTP_LINE), OUT("color", HTTP_LINE), HTTP_END };
const struct http_field named_shape[] = { OUT("id", HTTP_INT), OUT("name", HTTP_LINE), HTTP_END };
const struct http_field team_shape[] = { OUT("id", HTTP_INT), OUT("name", HTTP_LINE),
					 OUT("members", HTTP_INTS), HTTP_END };
const struct http_field organisation_shape[] = { OUT("id", HTTP_INT), OUT("name", HTTP_LINE),
						 OUT("domains", HTTP_LINES), HTTP_END };
const struct http_field tag_row_shape[] = { OUT("id", HTTP_INT), OUT("name", HTTP_LINE),
					    OUT("color", HTTP_LINE), HTTP_END };
#define REPORT(of)                                                                               \
	OUT("from", HTTP_TIME), OUT("to", HTTP_TIME), OUT("group", HTTP_LINE), MANY("rows", of), \
		HTTP_END
const struct http_field volume_row_shape[] = {
	MAYBE("group", HTTP_LINE),
	MAYBE("id", HTTP_INT),
	OUT("created", HTTP_INT),
	OUT("resolved", HTTP_INT),
	HTTP_END,
};
const struct http_field volume_report_shape[] = { REPORT("VolumeRow") };
const struct http_field sla_row_shape[] = {
	MAYBE("group", HTTP_LINE),       MAYBE("id", HTTP_INT),
	OUT("metric", HTTP_LINE),        OUT("met", HTTP_INT),
	OUT("breached", HTTP_INT),       OUT("running", HTTP_INT),
	MAYBE("met_share", HTTP_NUMBER), HTTP_END,
};
const struct http_field sla_report_shape[] = { REPORT("SlaRow") };
const struct http_field agent_row_shape[] = {
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
const struct http_field agent_report_shape[] = { REPORT("AgentRow") };
const struct http_field audit_row_shape[] = {
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
const struct http_field webhook_shape[] = {
	OUT("id", HTTP_INT),
	OUT("url", HTTP_LINE),
	OUT("events", HTTP_LINES),
	OUT("active", HTTP_BOOL),
	MAYBE("created_at", HTTP_TIME),
	IN("secret", HTTP_LINE, 0, 0, 0, NULL),
	HTTP_END,
};
const struct http_field event_shape[] = {
	OUT("type", HTTP_LINE),
	MAYBE("ticket", HTTP_INT),
	IN("comment", HTTP_INT, 0, 0, 0, NULL), /* of those of comments */
	MAYBE("version", HTTP_INT),
	OUT("at", HTTP_TIME),
	ONE("actor", HTTP_NULLABLE, "Actor"),
	HTTP_END,
};
static const char *const delivery_states[] = { "queued",    "sending", "retry",
					       "delivered", "failed",  NULL };
const struct http_field delivery_shape[] = {
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
const struct http_field saved_view_shape[] = {
	OUT("id", HTTP_INT),      OUT("name", HTTP_LINE), OUT("query", HTTP_LINE),
	OUT("shared", HTTP_BOOL), OUT("user", HTTP_INT),  HTTP_END,
};
const struct http_field canned_reply_shape[] = {
	OUT("id", HTTP_INT),          OUT("name", HTTP_LINE),  OUT("body", HTTP_TEXT),
	MAYBE("commands", HTTP_TEXT), OUT("tags", HTTP_LINES), HTTP_END,
};
const struct http_field day_shape[] = {
	OUT("day", HTTP_LINE),
	OUT("count", HTTP_INT),
	HTTP_END,
};
const struct http_field percentiles_shape[] = {
	MAYBE("p50", HTTP_INT),
	MAYBE("p90", HTTP_INT),
	HTTP_END,
};
const struct http_field load_shape[] = {
	OUT("id", HTTP_INT),
	MAYBE("name", HTTP_LINE),
	OUT("count", HTTP_INT),
	HTTP_END,
};
const struct http_field dashboard_shape[] = {
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
const struct http_field health_mailbox_shape[] = {
	OUT("name", HTTP_LINE),           OUT("state", HTTP_LINE),        MAYBE("lag", HTTP_INT),
	MAYBE("last_success", HTTP_TIME), MAYBE("last_error", HTTP_TEXT), HTTP_END,
};
const struct http_field health_configuration_shape[] = {
	OUT("state", HTTP_LINE),
	MAYBE("loaded_at", HTTP_TIME),
	MAYBE("refused_at", HTTP_TIME),
	/* on this machine only */
	IN("error", HTTP_TEXT, HTTP_NULLABLE, 0, 0, NULL),
	IN("needs_restart", HTTP_TEXT, HTTP_NULLABLE, 0, 0, NULL),
	HTTP_END,
};
const struct http_field health_of_desk_shape[] = {
	OUT("status", HTTP_LINE),           OUT("desk", HTTP_LINE),
	OUT("templates", HTTP_LINE),        ONE("configuration", 0, "HealthConfiguration"),
	MANY("mailboxes", "HealthMailbox"), HTTP_END,
};
