/* Every route of the API: one row each. From it come dispatch, who may call, what bodies and
 * queries may hold, and the OpenAPI document. */
#include "api_private.h"

#include <maildesk/app/events.h>
#include <maildesk/app/zone.h>

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define V1 "/api/v1"

enum {
	/* roles by policy.h's numbers */
	ALL = 1 << ROLE_ANONYMOUS | 1 << ROLE_CUSTOMER | 1 << ROLE_AGENT | 1 << ROLE_ADMIN,
	SIGNED_IN = 1 << ROLE_CUSTOMER | 1 << ROLE_AGENT | 1 << ROLE_ADMIN,
	STAFF = 1 << ROLE_AGENT | 1 << ROLE_ADMIN,
	ADMIN = 1 << ROLE_ADMIN,
	VERIFICATIONS = 4, /* passwords at a time */
	DOCUMENT_MAX = 1 << 20,
	FIGURES_MAX = 1 << 20,
};

/* clang-format off */
static const struct http_route routes[] = {
/* method, path, roles, handler, find, query, body, summary, answer is, of, status */
{ "POST",   V1 "/auth/token",   ALL,       auth_token,   NULL, NULL, token_body,   "Sign in",                  HTTP_OBJECT, "Token", 0 },
{ "POST",   V1 "/auth/refresh", ALL,       auth_refresh, NULL, NULL, refresh_body, "Renew the access token",   HTTP_OBJECT, "Token", 0 },
{ "POST",   V1 "/auth/logout",  ALL,       auth_logout,  NULL, NULL, logout_body,  "End the session",          HTTP_OBJECT, NULL, 204 },
{ "POST",   V1 "/auth/register", ALL,     auth_register, NULL, NULL, auth_register_body, "Make oneself an account; a mail confirms the address", HTTP_OBJECT, "Accepted", 202 },
{ "POST",   V1 "/auth/verify",   ALL,     auth_verify_address, NULL, NULL, auth_token_body, "Confirm the address by that mail", HTTP_OBJECT, "User", 0 },
{ "POST",   V1 "/auth/password/forgot", ALL, auth_forgot, NULL, NULL, auth_email_body, "Ask for a mail to set a password", HTTP_OBJECT, "Accepted", 202 },
{ "POST",   V1 "/auth/password/reset",  ALL, auth_reset,  NULL, NULL, auth_reset_body, "Set a password by that mail", HTTP_OBJECT, NULL, 204 },
{ "POST",   V1 "/auth/link",     ALL,     auth_link,     NULL, NULL, auth_email_body, "Ask for a mail to sign in with", HTTP_OBJECT, "Accepted", 202 },
{ "POST",   V1 "/auth/link/use", ALL,     auth_link_use, NULL, NULL, auth_link_body, "Sign in by that mail", HTTP_OBJECT, "Token", 0 },
{ "GET",    V1 "/auth/me",      SIGNED_IN, auth_me,      NULL, NULL, NULL,         "Who is signed in",         HTTP_OBJECT, "Me", 0 },
{ "PATCH",  V1 "/auth/me",       SIGNED_IN, auth_me_patch, NULL, NULL, auth_me_changes, "Change oneself",      HTTP_OBJECT, "Me", 0 },
{ "GET",    V1 "/auth/sessions", SIGNED_IN, auth_sessions, NULL, page_query, NULL, "Where one is signed in",   HTTP_PAGE,   "Session", 0 },
{ "DELETE", V1 "/auth/sessions", SIGNED_IN, auth_sessions_end, NULL, NULL, no_fields, "Sign out everywhere else",   HTTP_OBJECT, NULL, 204 },
{ "DELETE", V1 "/auth/sessions/{id}", SIGNED_IN, auth_session_end, NULL, NULL, no_fields, "Sign out there",         HTTP_OBJECT, NULL, 204 },
{ "POST",   V1 "/auth/otp",      SIGNED_IN, auth_otp_set,  NULL, NULL, auth_otp_body, "Set up a second factor: without a code, get its secret; with one, confirm it", HTTP_OBJECT, "Otp", 0 },
{ "DELETE", V1 "/auth/otp",      SIGNED_IN, auth_otp_drop, NULL, NULL, auth_otp_proof, "Remove the second factor", HTTP_OBJECT, NULL, 204 },

{ "GET",    V1 "/tickets",      SIGNED_IN, tickets_list, NULL, ticket_query, NULL, "Tickets",                  HTTP_PAGE,   "TicketRow", 0 },
{ "POST",   V1 "/tickets",      SIGNED_IN, tickets_add,  NULL, NULL, ticket_body,  "Open a ticket",            HTTP_OBJECT, "Ticket", 201 },
{ "POST",   V1 "/tickets/bulk", STAFF,     tickets_bulk, NULL, NULL, command_bulk, "Give commands to many",    HTTP_OBJECT, "Bulk", 0 },
{ "GET",    V1 "/search",       SIGNED_IN | HTTP_SLOW, search_page,  NULL, search_query_fields, NULL, "Tickets and comments by words", HTTP_PAGE, "Found", 0 },
{ "GET",    V1 "/tickets/{id}", SIGNED_IN, ticket_get_one, find_whole_ticket, NULL, NULL, "One ticket",              HTTP_OBJECT, "Ticket", 0 },
{ "PATCH",  V1 "/tickets/{id}", SIGNED_IN, ticket_patch, find_ticket, NULL, ticket_changes, "Change a ticket", HTTP_OBJECT, "Ticket", 0 },
{ "PUT",    V1 "/tickets/{id}", STAFF,     ticket_put,   find_ticket, NULL, ticket_whole, "Replace a ticket",   HTTP_OBJECT, "Ticket", 0 },
{ "DELETE", V1 "/tickets/{id}", SIGNED_IN, ticket_delete, find_ticket, NULL, version_body, "Delete a ticket; admins may restore it", HTTP_OBJECT, NULL, 204 },
{ "POST",   V1 "/tickets/{id}/restore", ADMIN, ticket_restore, find_ticket, NULL, version_body, "Undo its deletion", HTTP_OBJECT, "Ticket", 200 },
{ "POST",   V1 "/tickets/{id}/watch",   SIGNED_IN, ticket_watch, find_ticket, NULL, watch_body, "Be told of it, or no more", HTTP_OBJECT, "Ticket", 200 },
{ "POST",   V1 "/tickets/{id}/mute",    SIGNED_IN, ticket_mute,  find_ticket, NULL, mute_body, "Hear nothing of it", HTTP_OBJECT, "Ticket", 200 },
{ "POST",   V1 "/tickets/{id}/merge",   STAFF, ticket_merge,   find_ticket, NULL, merge_body, "Fold it into another", HTTP_OBJECT, "Ticket", 200 },
{ "POST",   V1 "/tickets/{id}/unmerge", STAFF, ticket_unmerge, find_ticket, NULL, version_body, "Take it out again", HTTP_OBJECT, "Ticket", 200 },
{ "POST",   V1 "/tickets/{id}/split",   STAFF, ticket_split,   find_ticket, NULL, split_body, "Make a comment a ticket of its own", HTTP_OBJECT, "Ticket", 201 },
{ "GET",    V1 "/tickets/{id}/participants", SIGNED_IN, participants_page, find_ticket, page_query, NULL, "Who is on it", HTTP_PAGE, "Participant", 0 },
{ "POST",   V1 "/tickets/{id}/participants", SIGNED_IN, participants_add, find_ticket, NULL, participant_body, "Add somebody", HTTP_OBJECT, "Participant", 201 },
{ "DELETE", V1 "/tickets/{id}/participants/{user}", SIGNED_IN, participant_drop, find_ticket, NULL, version_body, "Take somebody off it", HTTP_OBJECT, NULL, 204 },
{ "POST",   V1 "/tickets/{id}/participants/{user}/approve", STAFF, participant_approve, find_ticket, NULL, version_body, "Let in who waits", HTTP_OBJECT, "Participant", 200 },
{ "GET",    V1 "/tickets/{id}/links", STAFF, links_page, find_ticket, page_query, NULL, "What it is linked with", HTTP_PAGE, "Link", 0 },
{ "POST",   V1 "/tickets/{id}/links", STAFF, links_add,  find_ticket, NULL, link_body, "Link it",                HTTP_OBJECT, "Link", 201 },
{ "DELETE", V1 "/tickets/{id}/links", STAFF, links_drop, find_ticket, NULL, link_body, "Take a link away",       HTTP_OBJECT, NULL, 204 },
{ "GET",    V1 "/tickets/{id}/viewing", STAFF, ticket_viewers, find_ticket, NULL, NULL, "Who looks at it now", HTTP_OBJECT, "Viewers", 0 },
{ "PUT",    V1 "/tickets/{id}/viewing", STAFF, ticket_view, find_ticket, NULL, no_fields, "Say that one looks at it, for a minute", HTTP_OBJECT, "Viewers", 0 },
{ "GET",    V1 "/tickets/{id}/history",  SIGNED_IN, ticket_history, find_ticket, page_query, NULL, "What happened to it", HTTP_PAGE, "HistoryRow", 0 },
{ "GET",    V1 "/tickets/{id}/sla",      SIGNED_IN, ticket_sla,   find_ticket, NULL, NULL, "Its service level clocks, with each stretch that counted or did not, and why", HTTP_OBJECT, "ClockStories", 0 },
{ "GET",    V1 "/tickets/{id}/messages", SIGNED_IN, ticket_messages, find_ticket, page_query, NULL, "Its mails", HTTP_PAGE, "Message", 0 },
{ "POST",   V1 "/tickets/{id}/commands", SIGNED_IN, ticket_commands, find_ticket, NULL, command_box, "Give commands, as in a mail", HTTP_OBJECT, "Transcript", 0 },
{ "GET",    V1 "/tickets/{id}/comments", SIGNED_IN, comments_list,  find_ticket, page_query, NULL, "Its comments", HTTP_PAGE, "Comment", 0 },
{ "POST",   V1 "/tickets/{id}/comments", SIGNED_IN, comments_add,   find_ticket, NULL, comment_body, "Comment on it", HTTP_OBJECT, "Comment", 201 },
{ "GET",    V1 "/comments/{id}", SIGNED_IN, comment_get_one, find_comment, NULL, NULL, "One comment",          HTTP_OBJECT, "Comment", 0 },
{ "PATCH",  V1 "/comments/{id}", SIGNED_IN, comment_patch,   find_comment, NULL, comment_changes, "Edit a comment", HTTP_OBJECT, "Comment", 0 },
{ "POST",   V1 "/comments/{id}/approve", STAFF, comment_approve, find_comment, NULL, version_body, "Make public what is held", HTTP_OBJECT, "Comment", 200 },
{ "DELETE", V1 "/comments/{id}", SIGNED_IN, comment_remove,  find_comment, NULL, version_body, "Delete a comment",     HTTP_OBJECT, NULL, 204 },

{ "GET",    V1 "/users",        SIGNED_IN, users_list,   NULL, user_query, NULL,   "People",                   HTTP_PAGE,   "User", 0 },
{ "POST",   V1 "/users",        ADMIN,     users_add,    NULL, NULL, user_body,    "Add a person",             HTTP_OBJECT, "User", 201 },
{ "GET",    V1 "/users/{id}",   SIGNED_IN, user_get_one, find_person, NULL, NULL,    "One person",               HTTP_OBJECT, "User", 0 },
{ "GET",    V1 "/users/{id}/tickets", SIGNED_IN, user_tickets, find_person, page_query, NULL, "Tickets that are theirs, as far as the caller sees them", HTTP_PAGE, "TicketRow", 0 },
{ "GET",    V1 "/users/{id}/comments", SIGNED_IN, user_comments, find_person, page_query, NULL, "What they wrote, newest first, as far as the caller sees it", HTTP_PAGE, "Comment", 0 },
{ "DELETE", V1 "/users/{id}", ADMIN, user_drop, NULL, NULL, no_fields, "Disable a person", HTTP_OBJECT, NULL, 204 },
{ "GET",    V1 "/users/{id}/addresses", ADMIN, user_addresses_page, NULL, NULL, NULL, "All addresses of a person", HTTP_OBJECT, "Addresses", 0 },
{ "POST",   V1 "/users/{id}/addresses", ADMIN, user_address_add, NULL, NULL, address_body, "One more address", HTTP_OBJECT, "Addresses", 201 },
{ "DELETE", V1 "/users/{id}/addresses", ADMIN, user_address_drop, NULL, NULL, address_body, "One address less", HTTP_OBJECT, NULL, 204 },
{ "POST",   V1 "/users/{id}/merge", ADMIN, user_merge, NULL, NULL, user_merge_body, "Two people are one", HTTP_OBJECT, "User", 200 },
{ "POST",   V1 "/users/{id}/erase", ADMIN, user_erase, NULL, NULL, no_fields, "Forget a person, for ever", HTTP_OBJECT, "User", 202 },
{ "GET",    V1 "/users/{id}/export", ADMIN | HTTP_SLOW, user_export, NULL, NULL, NULL, "All that is known of a person", HTTP_OBJECT, "Export", 0 },
{ "PATCH",  V1 "/users/{id}",   ADMIN,     user_patch,   NULL, NULL, user_changes, "Change a person",          HTTP_OBJECT, "User", 0 },

{ "GET",    V1 "/api-keys",      ADMIN,   api_keys_page, NULL, page_query, NULL, "Keys of programs", HTTP_PAGE, "ApiKey", 0 },
{ "POST",   V1 "/api-keys",      ADMIN,   api_keys_add,  NULL, NULL, api_keys_body, "Make a key; it is shown this once", HTTP_OBJECT, "ApiKey", 201 },
{ "GET",    V1 "/api-keys/{id}", ADMIN,   api_keys_get,  NULL, NULL, NULL, "One of them", HTTP_OBJECT, "ApiKey", 0 },
{ "PATCH",  V1 "/api-keys/{id}", ADMIN,   api_keys_patch, NULL, NULL, api_key_changes, "Change what a key is called, may do, and when it ends", HTTP_OBJECT, "ApiKey", 0 },
{ "DELETE", V1 "/api-keys/{id}", ADMIN,   api_keys_drop, NULL, NULL, no_fields, "End a key", HTTP_OBJECT, NULL, 204 },
{ "GET",    V1 "/teams", STAFF, api_teams_page, NULL, page_query, NULL, "Teams of agents", HTTP_PAGE, "Team", 0 },
{ "POST",   V1 "/teams", ADMIN, api_teams_save, NULL, NULL, teams_body, "Add a team", HTTP_OBJECT, "Team", 201 },
{ "GET",    V1 "/teams/{id}", STAFF, api_teams_get, NULL, NULL, NULL, "One of them", HTTP_OBJECT, "Team", 0 },
{ "PATCH",  V1 "/teams/{id}", ADMIN, api_teams_save, NULL, NULL, teams_changes, "Change a team", HTTP_OBJECT, "Team", 0 },
{ "DELETE", V1 "/teams/{id}", ADMIN, api_teams_drop, NULL, NULL, no_fields, "Remove a team", HTTP_OBJECT, NULL, 204 },
{ "GET",    V1 "/organisations", STAFF, api_organisations_page, NULL, page_query, NULL, "Organisations of customers", HTTP_PAGE, "Organisation", 0 },
{ "POST",   V1 "/organisations", ADMIN, api_organisations_save, NULL, NULL, organisations_body, "Add an organisation", HTTP_OBJECT, "Organisation", 201 },
{ "GET",    V1 "/organisations/{id}", STAFF, api_organisations_get, NULL, NULL, NULL, "One of them", HTTP_OBJECT, "Organisation", 0 },
{ "PATCH",  V1 "/organisations/{id}", ADMIN, api_organisations_save, NULL, NULL, organisations_changes, "Change an organisation", HTTP_OBJECT, "Organisation", 0 },
{ "DELETE", V1 "/organisations/{id}", ADMIN, api_organisations_drop, NULL, NULL, no_fields, "Remove an organisation", HTTP_OBJECT, NULL, 204 },
{ "GET",    V1 "/tags", STAFF, api_tags_page, NULL, page_query, NULL, "Tags and their colours", HTTP_PAGE, "TagRow", 0 },
{ "POST",   V1 "/tags", ADMIN, api_tags_save, NULL, NULL, tags_body, "Add a tag", HTTP_OBJECT, "TagRow", 201 },
{ "GET",    V1 "/tags/{id}", STAFF, api_tags_get, NULL, NULL, NULL, "One of them", HTTP_OBJECT, "TagRow", 0 },
{ "PATCH",  V1 "/tags/{id}", ADMIN, api_tags_save, NULL, NULL, tags_changes, "Change a tag", HTTP_OBJECT, "TagRow", 0 },
{ "DELETE", V1 "/tags/{id}", ADMIN, api_tags_drop, NULL, NULL, no_fields, "Remove a tag", HTTP_OBJECT, NULL, 204 },
{ "GET",    V1 "/canned-replies", STAFF, api_replies_page, NULL, page_query, NULL, "Replies ready to be sent", HTTP_PAGE, "CannedReply", 0 },
{ "POST",   V1 "/canned-replies", ADMIN, api_replies_save, NULL, NULL, replies_body, "Add a canned reply", HTTP_OBJECT, "CannedReply", 201 },
{ "GET",    V1 "/canned-replies/{id}", STAFF, api_replies_get, NULL, NULL, NULL, "One of them", HTTP_OBJECT, "CannedReply", 0 },
{ "PATCH",  V1 "/canned-replies/{id}", ADMIN, api_replies_save, NULL, NULL, replies_changes, "Change a canned reply", HTTP_OBJECT, "CannedReply", 0 },
{ "DELETE", V1 "/canned-replies/{id}", ADMIN, api_replies_drop, NULL, NULL, no_fields, "Remove a canned reply", HTTP_OBJECT, NULL, 204 },
{ "GET",    V1 "/audit", ADMIN | HTTP_SLOW, audit_page, NULL, audit_query, NULL, "What admins did and what was refused", HTTP_PAGE, "AuditRow", 0 },
{ "GET",    V1 "/webhooks", ADMIN, webhooks_page, NULL, page_query, NULL, "Who is called when something happens", HTTP_PAGE, "Webhook", 0 },
{ "POST",   V1 "/webhooks", ADMIN, webhooks_save, NULL, NULL, webhooks_body, "Add a webhook; its secret is shown this once", HTTP_OBJECT, "Webhook", 201 },
{ "GET",    V1 "/webhooks/{id}", ADMIN, webhook_get_one, NULL, NULL, NULL, "One of them", HTTP_OBJECT, "Webhook", 0 },
{ "PATCH",  V1 "/webhooks/{id}", ADMIN, webhooks_save, NULL, NULL, webhook_changes, "Change a webhook; secret null makes a new one", HTTP_OBJECT, "Webhook", 0 },
{ "DELETE", V1 "/webhooks/{id}", ADMIN, webhook_drop, NULL, NULL, no_fields, "Remove a webhook and its calls", HTTP_OBJECT, NULL, 204 },
{ "GET",    V1 "/webhooks/{id}/deliveries", ADMIN, webhook_calls, NULL, page_query, NULL, "Its calls of the last days", HTTP_PAGE, "Delivery", 0 },
{ "POST",   V1 "/webhooks/{id}/test", ADMIN, webhook_test, NULL, NULL, no_fields, "Call it once; the log says what came of it", HTTP_OBJECT, "Delivery", 202 },
{ "GET",    V1 "/saved-views", STAFF, views_page, NULL, page_query, NULL, "One's own views of tickets, and those shared", HTTP_PAGE, "SavedView", 0 },
{ "POST",   V1 "/saved-views", STAFF, views_save, NULL, NULL, views_body, "Keep a view; admins may share it", HTTP_OBJECT, "SavedView", 201 },
{ "GET",    V1 "/saved-views/{id}", STAFF, view_get_one, NULL, NULL, NULL, "One of them", HTTP_OBJECT, "SavedView", 0 },
{ "PATCH",  V1 "/saved-views/{id}", STAFF, views_save, NULL, NULL, view_changes, "Change a view", HTTP_OBJECT, "SavedView", 0 },
{ "DELETE", V1 "/saved-views/{id}", STAFF, view_drop, NULL, NULL, no_fields, "Remove a view", HTTP_OBJECT, NULL, 204 },

{ "POST",   V1 "/attachments", SIGNED_IN, attachments_add, NULL, NULL, http_upload, "Upload a file for a ticket or comment to come", HTTP_OBJECT, "Attachment", 201 },
{ "GET",    V1 "/attachments/{id}", SIGNED_IN | HTTP_SLOW, attachment_get_one, NULL, attachment_query, NULL, "Its bytes", HTTP_BYTES, "*/*", 0 },
{ "GET",    V1 "/messages", STAFF, messages_page, NULL, message_query, NULL, "Mails in and out", HTTP_PAGE, "Message", 0 },
{ "GET",    V1 "/messages/{id}", STAFF, message_get_one, NULL, NULL, NULL, "One mail", HTTP_OBJECT, "Message", 0 },
{ "GET",    V1 "/messages/{id}/raw", STAFF | HTTP_SLOW, message_raw, NULL, NULL, NULL, "Its bytes, as a file", HTTP_BYTES, "message/rfc822", 0 },
{ "GET",    V1 "/messages/{id}/decision", STAFF, message_decision, NULL, NULL, NULL, "What was done with a mail, and why", HTTP_OBJECT, "Decision", 0 },
{ "GET",    V1 "/quarantine",   STAFF,     quarantine_page, NULL, page_query, NULL, "Mails held back",         HTTP_PAGE,   "HeldMail", 0 },
{ "GET",    V1 "/quarantine/{id}", STAFF,  quarantine_get_one, NULL, NULL, NULL,   "One mail held back",       HTTP_OBJECT, "HeldMail", 0 },
{ "POST",   V1 "/quarantine/{id}/release", STAFF, quarantine_let_go, NULL, NULL, no_fields, "Take it in after all", HTTP_OBJECT, "Intake", 200 },
{ "POST",   V1 "/quarantine/{id}/block", STAFF, quarantine_block, NULL, NULL, no_fields, "Block its sender",        HTTP_OBJECT, "BlockedSender", 201 },
{ "DELETE", V1 "/quarantine/{id}", STAFF,  quarantine_drop, NULL, NULL, no_fields,      "Throw it away",            HTTP_OBJECT, NULL, 204 },
{ "GET",    V1 "/blocked-senders", STAFF,  blocked_senders_page, NULL, page_query, NULL, "Senders whose mail is held back", HTTP_PAGE, "BlockedSender", 0 },
{ "POST",   V1 "/blocked-senders", STAFF,  blocked_senders_add, NULL, NULL, blocked_body, "Block a sender",    HTTP_OBJECT, "BlockedSender", 201 },
{ "DELETE", V1 "/blocked-senders/{id}", STAFF, blocked_sender_remove, NULL, NULL, no_fields, "Let a sender in again", HTTP_OBJECT, NULL, 204 },
{ "GET",    V1 "/outbox",       STAFF,     outbox_page,  NULL, outbox_query, NULL, "Mails to send",            HTTP_PAGE,   "OutgoingMail", 0 },
{ "GET",    V1 "/outbox/{id}",  STAFF,     outbox_get_one, NULL, NULL, NULL,       "One of them",              HTTP_OBJECT, "OutgoingMail", 0 },
{ "POST",   V1 "/outbox/{id}/retry",  STAFF, outbox_send_again, NULL, NULL, no_fields,  "Send it (again) now",      HTTP_OBJECT, "OutgoingMail", 200 },
{ "POST",   V1 "/outbox/{id}/cancel", STAFF, outbox_take_back, NULL, NULL, no_fields,   "Do not send it",           HTTP_OBJECT, "OutgoingMail", 200 },
{ "GET",    V1 "/mailboxes",    ADMIN,     mailboxes_page, NULL, page_query, NULL, "Mailboxes and their health", HTTP_PAGE, "Mailbox", 0 },
{ "POST",   V1 "/mailboxes/{name}/poll", ADMIN, mailbox_poll_now, NULL, NULL, no_fields, "Look for mail now", HTTP_OBJECT, "Mailbox", 0 },
{ "POST",   V1 "/mailboxes/{name}/pause", ADMIN, mailbox_pause_it, NULL, NULL, no_fields, "Leave it alone until it is resumed", HTTP_OBJECT, "Mailbox", 0 },
{ "POST",   V1 "/mailboxes/{name}/resume", ADMIN, mailbox_resume_it, NULL, NULL, no_fields, "Go on with it", HTTP_OBJECT, "Mailbox", 0 },
{ "GET",    V1 "/dashboard",    STAFF | HTTP_SLOW,     dashboard_show, NULL, NULL, NULL,       "Figures of the whole desk", HTTP_OBJECT, "Dashboard", 0 },
{ "GET",    V1 "/reports/volume", STAFF | HTTP_SLOW,   report_volume_show, NULL, report_volume_query, NULL, "Tickets made and resolved in a period; format=csv as a file", HTTP_OBJECT, "VolumeReport", 0 },
{ "GET",    V1 "/reports/sla", STAFF | HTTP_SLOW,      report_sla_show, NULL, report_sla_query, NULL, "Service levels of tickets made in a period; format=csv as a file", HTTP_OBJECT, "SlaReport", 0 },
{ "GET",    V1 "/reports/agents", STAFF | HTTP_SLOW,   report_agents_show, NULL, report_agents_query, NULL, "What each agent did in a period, times in seconds; format=csv as a file", HTTP_OBJECT, "AgentReport", 0 },
{ "GET",    V1 "/events",       SIGNED_IN, events_watch, NULL, NULL, NULL,         "What happens, live (Server-Sent Events); Last-Event-ID resumes", HTTP_STREAM, "text/event-stream", 0 },
{ "GET",    V1 "/openapi.json", ALL,       openapi_document, NULL, NULL, NULL,     "This document",            HTTP_OBJECT, "OpenApi", 0 },

{ "GET",    "/u/{word}",        ALL,       unsubscribe_page, NULL, NULL, NULL,     "Page with a button that mutes a ticket", HTTP_OBJECT, NULL, 200 },
{ "POST",   "/u/{word}",        ALL,       unsubscribe,  NULL, NULL, NULL,         "Mute a ticket by its mail", HTTP_OBJECT, NULL, 200 },
{ "GET",    "/a/{word}",        ALL | HTTP_SLOW,       file_by_link, NULL, NULL, NULL,         "A file too large for its mail", HTTP_OBJECT, NULL, 200 },

{ "GET",    "/healthz",         ALL,       health,       NULL, NULL, NULL,         "The process works",        HTTP_OBJECT, "Health", 200 },
{ "GET",    "/metrics",         ALL | HTTP_SLOW,       metrics,      NULL, NULL, NULL,         "Figures for Prometheus; from this machine, or with a key of an admin", HTTP_BYTES, "text/plain", 200 },
{ "GET",    "/readyz",          ALL,       ready,        NULL, NULL, NULL,         "The database answers",     HTTP_OBJECT, "Health", 200 },
};
/* clang-format on */

static void works(void *ctx, unsigned worker, bool begins)
{
	struct desk_worker *w = &((struct api *)ctx)->workers[worker];

	if (begins)
		desk_worker_busy(w);
	else
		desk_worker_idle(w);
}

static const struct http_service service = {
	.routes = routes,
	.n_routes = MD_COUNT(routes),
	.base = V1,
	.about = api_about,
	.notes = api_notes,
	.tell_callers = api_tell_callers,
	.identify = api_identify,
	.permit = api_permit,
	.enter = api_enter,
	.leave = api_leave,
	.settle = api_settle,
	.page = console_page,
	.works = works,
	.finished = api_finished,
	.failed = api_failed,
	.refused = api_refused,
};

const struct http_service *api_service(void)
{
	return &service;
}

void api_document(struct buf *out)
{
	http_openapi(out, &service, api_objects, "maildesk", MAILDESK_VERSION);
}

/* A worker for each core, as SQLite works on the worker's own. Who asks a server waits for half of
 * the time. */
static unsigned count_workers(const struct config *config)
{
	long n = sysconf(_SC_NPROCESSORS_ONLN);

	if (strncmp(config->database, "sqlite:", 7) != 0)
		n *= 2;
	return n < API_WORKERS_MIN   ? API_WORKERS_MIN
	       : n > API_WORKERS_MAX ? API_WORKERS_MAX
				     : (unsigned)n;
}

static int start(struct api *a, int socket, struct md_err *err)
{
	const struct config *config = a->desk->config;
	struct http_options options = HTTP_OPTIONS_DEFAULT;
	struct http_service mine = service;

	mine.ctx = a;
	options.listen = config->http.listen;
	options.socket = socket;
	options.trusted_proxies =
		(struct rec_strs){ config->http.trusted_proxies.n, config->http.trusted_proxies.v };
	options.cors = (struct rec_strs){ config->http.cors.n, config->http.cors.v };
	options.certificate = config->http.certificate;
	options.key = config->http.key;
	options.per_address_max = (size_t)config->limits.connections_per_address;
	options.clock = a->desk->clock;
	options.anonymous_per_minute = config->limits.anonymous_per_minute;
	options.user_per_minute = config->limits.user_per_minute;
	options.workers = count_workers(config);
	options.upload_max = (size_t)config->http.max_upload_bytes;
	options.spool = config->state_dir;
	return http_start(&options, &mine, &a->server, err);
}

int api_start(struct desk *d, int socket, struct api **ret, struct md_err *err)
{
	md_auto(api_stop_p) struct api *a = md_calloc(1, sizeof *a);
	int rc;

	if (!a)
		return md_fail(err, MD_NOMEM, 0, "api: out of memory");
	a->desk = d;
	a->document = (struct buf)BUF_INIT(DOCUMENT_MAX);
	a->figures = (struct buf)BUF_INIT(FIGURES_MAX);
	a->gauges = (struct buf)BUF_INIT(FIGURES_MAX);
	pthread_mutex_init(&a->figures_lock, NULL);
	sem_init(&a->verifying, 0, VERIFICATIONS);
	for (size_t i = 0; i < API_THREADS_MAX; i++) {
		a->workers[i].name = "api";
		desk_hire(d, &a->workers[i]);
	}
	api_document(&a->document);
	if (a->document.status != MD_OK)
		return md_fail(err, MD_NOMEM, 0, "api: out of memory");
	rc = zone_load(d->config->desk.timezone, &a->zone, err);
	if (rc == MD_OK)
		rc = limiter_new(&a->sign_ins, err);
	if (rc == MD_OK)
		rc = api_retries_new(&a->retries, err);
	if (rc == MD_OK)
		rc = account_queue_start(d, &a->account_mails, err);
	if (rc == MD_OK)
		rc = events_start(d, &a->events, err);
	if (rc == MD_OK)
		rc = start(a, socket, err);
	if (rc == MD_OK)
		*ret = md_take(a);
	return rc;
}

void api_stop(struct api *a)
{
	if (!a)
		return;
	http_stop(a->server);
	for (size_t i = 0; i < API_THREADS_MAX; i++)
		desk_dismiss(a->desk, &a->workers[i]);
	events_stop(a->events);
	account_queue_stop(a->account_mails);
	limiter_free(a->sign_ins);
	api_retries_free(a->retries);
	buf_done(&a->document);
	buf_done(&a->figures);
	buf_done(&a->gauges);
	pthread_mutex_destroy(&a->figures_lock);
	calendar_done(&a->zone);
	sem_destroy(&a->verifying);
	free(a);
}

const char *api_listening(const struct api *a)
{
	return http_listening(a->server);
}
