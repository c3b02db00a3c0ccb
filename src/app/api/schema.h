/* schema.h - tables of what the API takes and answers (net/field.h).
 *
 * schema.c has bodies and queries, by the names that routes.c has for them (api_private.h). The
 * shapes of answers are by subject in schema_*.c, and named in schema_objects.c. */
#ifndef MAILDESK_APP_API_SCHEMA_H
#define MAILDESK_APP_API_SCHEMA_H

#include "api_private.h"

/* A member of a body or query, or one of an answer that is not always there. */
#define IN(name, type, flags, min, max, words)           \
	{                                                \
		name, type, flags, min, max, words, NULL \
	}
/* Members of answers: a value, one that may be null, an object, an array of objects. */
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

/* Of a sentence that may have a name (desk/reason.h). */
#define REASONED                                          \
	{ "code", HTTP_LINE, 0, 0, 0, NULL, NULL },       \
	{                                                 \
		"values", HTTP_LINES, 0, 0, 0, NULL, NULL \
	}

extern const char *const schema_roles[], *const schema_priorities[];

/* schema_ticket.c */
extern const struct http_field viewer_shape[], viewers_shape[], link_shape[], participant_shape[],
	sla_clock_shape[], sla_line_shape[], sla_story_shape[], sla_stories_shape[], sla_shape[],
	ticket_row_shape[], ticket_shape[], attachment_shape[], comment_shape[], change_shape[],
	command_shape[], transcript_shape[], bulk_result_shape[], bulk_shape[], found_shape[];
/* schema_people.c */
extern const struct http_field api_key_shape[], actor_shape[], person_shape[], user_shape[],
	me_shape[], session_shape[], otp_shape[], token_shape[], addresses_shape[],
	exported_ticket_shape[], exported_comment_shape[], exported_message_shape[], export_shape[];
/* schema_mail.c */
extern const struct http_field message_shape[], held_mail_shape[], outgoing_mail_shape[],
	mailbox_shape[], blocked_sender_shape[], intake_shape[], decision_shape[], rule_shape[],
	fact_shape[], clock_effect_shape[];
/* schema_desk.c */
extern const struct http_field accepted_shape[], tag_shape[], named_shape[], team_shape[],
	organisation_shape[], tag_row_shape[], volume_row_shape[], volume_report_shape[],
	sla_row_shape[], sla_report_shape[], agent_row_shape[], agent_report_shape[],
	audit_row_shape[], webhook_shape[], event_shape[], delivery_shape[], saved_view_shape[],
	canned_reply_shape[], day_shape[], percentiles_shape[], load_shape[], dashboard_shape[],
	health_mailbox_shape[], health_configuration_shape[], health_of_desk_shape[];

#endif
