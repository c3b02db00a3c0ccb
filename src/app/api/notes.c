/* What the OpenAPI document says beside the tables: how all of the API works, who may call a route,
 * what a field means and how a body looks. */
#include "api_private.h"

/* CommonMark. */
const char api_about[] =
	"The HTTP API of a maildesk, a helpdesk by mail. JSON over HTTP; instants are RFC 3339 in "
	"UTC, "
	"ids are positive integers.\n\n"
	"**Signing in.** `POST /api/v1/auth/token` gives an access token for 10 minutes, to be "
	"sent as "
	"`Authorization: Bearer`, and a refresh token that `POST /api/v1/auth/refresh` takes once "
	"for "
	"the next pair. Programs use an API key (`mdk_...`) of `POST /api/v1/api-keys` instead: it "
	"acts "
	"as its maker, within its scopes.\n\n"
	"**Roles.** Admins, agents and customers; each operation says who may call it. Customers "
	"see "
	"the tickets they take part in, and never internal notes. What the caller may not see is "
	"not "
	"there (404).\n\n"
	"**Errors** are `application/problem+json` (RFC 9457): go by `code`; `errors` names the "
	"parameters (400) or the members of the body (422) that cannot be used. Unknown ones are "
	"errors.\n\n"
	"**Lists** take `page` and `per_page`. For all of a long list begin with an empty `cursor` "
	"and "
	"follow `next`: nothing is missed or repeated while rows come and go. `total` is exact up "
	"to "
	"1,000. Parameters combine with AND, a comma inside one is OR.\n\n"
	"**Versions.** Answers to GET have an ETag for `If-None-Match`. A change takes it as "
	"`If-Match`, "
	"or the `version` of a ticket in its body: who comes second is told so (409 "
	"`version_conflict`) and gets the present object as `current`.\n\n"
	"**Doing things once.** A POST with an `Idempotency-Key` is done once; the same request "
	"with "
	"the same key gets the first answer for 24 hours.\n\n"
	"**Limits.** Bodies have 1 MiB, files what the desk allows (413). `RateLimit-Limit`, "
	"`RateLimit-Remaining` and `RateLimit-Reset` are in each answer; 429 and 503 have "
	"`Retry-After`.";

void api_tell_callers(const struct http_route *r, struct buf *out)
{
	buf_adds(out, r->roles & 1 << ROLE_ANONYMOUS  ? "For everybody."
		      : r->roles & 1 << ROLE_CUSTOMER ? "For who is signed in."
		      : r->roles & 1 << ROLE_AGENT    ? "For agents and admins."
						      : "For admins.");
	if (!(r->roles & 1 << ROLE_ANONYMOUS))
		api_tell_scopes(r, out);
}

#define ONCE "Shown this once."
#define P50 "Median, in seconds; null: there are none."
#define P90 "90th percentile, in seconds; null: there are none."

/* The first row that fits counts; without `of` one fits everywhere. Without `field`: an example. */
const struct http_note api_notes[] = {
	/* ---- lists ---- */
	{ NULL, "page", "Number of the page, from 1; one beyond the end is empty." },
	{ NULL, "per_page", "Rows of a page; 10 without it." },
	{ NULL, "cursor", "Empty to begin a walk; then what `next` carries. Not beside `page`." },
	{ "GET /tickets", "status", "States, as a ticket's `status`." },
	{ "GET /tickets", "assignee", "Ids of agents, `me`, or `none`." },
	{ "GET /tickets", "requester", "Ids of people, or `me`." },
	{ "GET /tickets", "reporter", "The same as `requester`." },
	{ "GET /tickets", "tag", "Names of tags." },
	{ "GET /tickets", "category", "Categories." },
	{ "GET /tickets", "field", "A custom field and its value, as in `asset:4711`." },
	{ "GET /tickets", "team", "Ids of teams." },
	{ "GET /tickets", "organisation", "Ids of organisations." },
	{ "GET /tickets", "breached", "Unresolved, and a service level was missed." },
	{ "GET /tickets", "overdue",
	  "Unresolved, and past the earlier of `due_at` and its resolution clock." },
	{ "GET /tickets", "q", "Words, as of `GET /api/v1/search`." },
	{ NULL, "created_after", "Created at that instant or later." },
	{ NULL, "created_before", "Created before that instant." },
	{ NULL, "updated_after", "Changed at that instant or later." },
	{ NULL, "breached_after", "Missed a service level at that instant or later." },
	{ NULL, "sort", "What to sort by; `-` before it: descending. `-updated_at` without it." },
	{ "GET /users", "role", "Roles." },
	{ "GET /users", "q", "Part of a name or an address." },
	{ "GET /search", "q",
	  "Words, all of which must occur; `\"phrases\"`, `begin*`, and filters `status: priority: "
	  "assignee: requester: tag: mailbox: created: updated: overdue:`." },
	{ "GET /messages", "message_id", "Message-IDs, with or without angle brackets." },
	{ "GET /messages", "ticket", "Ids of tickets." },
	{ "GET /messages", "outcome", "What became of mails that came in." },
	{ "GET /messages", "kind", "Kinds, as a message's `kind`." },
	{ "GET /messages", "direction", "`in`: received; `out`: written by the desk." },
	{ "GET /outbox", "state", "States of mails to send." },
	{ "GET /outbox", "ticket", "Ids of tickets." },
	{ "GET /outbox", "to", "Addresses they go to." },
	{ "GET /audit", "actor", "Ids of users." },
	{ "GET /audit", "action", "What was done, as in `user.change` or `sign_in.refused`." },
	{ "GET /audit", "about", "Kinds of the object: `user`, `api_key`, `ticket`, ..." },
	{ "GET /audit", "about_id", "Ids of the object." },
	{ "GET /audit", "account", "Addresses that a sign-in was refused to." },
	{ "GET /audit", "from", "Not before that instant." },
	{ "GET /audit", "to", "Before that instant." },
	{ NULL, "group", "What each row is about." },
	{ NULL, "format", "`csv`: a file whose cells are no formulas." },
	{ "GET /attachments/{id}", "inline", "`1`: to be shown, if it is a picture." },

	/* ---- signing in ---- */
	{ NULL, "password", "10 to 1024 octets." },
	{ NULL, "old_password", "The present one, to set another." },
	{ NULL, "otp", "Code of the second factor, or a recovery code." },
	{ NULL, "cookie", "The refresh token goes into a cookie instead of the answer." },
	{ NULL, "refresh_token", "Without it, that of the cookie." },
	{ NULL, "token", "As it stands in the link of the mail, behind `token=`." },
	{ NULL, "expires_in", "Seconds that the access token is good for." },
	{ NULL, "recovery_codes", ONCE " Each is good for one sign-in without the device." },
	{ "Otp", "secret", "In base32, for the app that makes the codes. " ONCE },
	{ NULL, "uri", "`otpauth://`, to be shown as a QR code." },
	{ NULL, "signature", "Below what they write by mail." },
	{ NULL, "digest", "Notices one by one, or together at the full hour or once a day." },
	{ NULL, "key", "The key itself. " ONCE },
	{ NULL, "scopes", "Of `tickets:read`, `tickets:write`, `admin`." },
	{ NULL, "expires_at", "When it ends; null: never." },

	/* ---- people ---- */
	{ NULL, "email", "Main address; compared without case." },
	{ NULL, "locale", "Language, like `en` or `pt_BR`; null: the desk's." },
	{ NULL, "timezone", "Like `Europe/Berlin`; null: the desk's." },
	{ NULL, "disabled", "May not sign in." },
	{ NULL, "away_until", "Is assigned no tickets by themselves until then." },
	{ NULL, "undeliverable_at", "When mail to them came back." },
	{ NULL, "erased_at", "When they were forgotten." },
	{ "POST /users", "organisation", "Its id or name." },
	{ "PATCH /users/{id}", "organisation", "Its id or name; null: none." },
	{ "User", "organisation", "Its id." },
	{ "Me", "organisation", "Its id." },
	{ "POST /users/{id}/merge", "into", "Id or address of the person that stays." },
	{ "POST /tickets/{id}/participants", "role",
	  "`cc`: is written to as well (without it); `watcher`: is only told." },
	{ "Participant", "role", "`requester`, `cc` or `watcher`." },
	{ NULL, "role", "`admin`, `agent` or `customer`." },

	/* ---- tickets ---- */
	{ NULL, "title", "One line." },
	{ NULL, "description", "CommonMark; the first comment." },
	{ "POST /tickets", "status", "Always the first state, `open`: another one is refused." },
	{ "Problem", "status", "That of the answer." },
	{ "Delivery", "status", "HTTP status of its answer; null: there was none." },
	{ "Health", "status", "`ok`, or what is wrong." },
	{ NULL, "status", "By the desk's workflow: see `allowed_statuses`." },
	{ NULL, "allowed_statuses", "Where the caller may move it now." },
	{ NULL, "priority", "How urgent it is; `medium` unless said." },
	{ NULL, "category", "Free, or one of the desk's; null: none." },
	{ "CannedReply", "tags", "What to find it by." },
	{ "POST /canned-replies", "tags", "What to find it by." },
	{ "PATCH /canned-replies/{id}", "tags", "What to find it by." },
	{ "POST /tickets", "tags",
	  "Names; agents make new ones so, customers use those there are." },
	{ NULL, "tags", "In a change, names that replace all before." },
	{ NULL, "requester", "Whom it is for; as an id or address in a body, of agents." },
	{ NULL, "assignee",
	  "The agent who works on it, null: nobody; as an id or address in a body." },
	{ NULL, "team", "The team it is for, null: none; as an id or name in a body." },
	{ "Message", "cc", "Addresses." },
	{ NULL, "cc",
	  "Ids or addresses of who takes part from the start; of customers, addresses." },
	{ NULL, "fields", "Custom fields of the desk by name; null in a change: emptied." },
	{ NULL, "snoozed_until", "Out of the way until then; null: not." },
	{ NULL, "due_at", "To be resolved by then; null: no date but that of its service level." },
	{ NULL, "time_spent", "In seconds." },
	{ NULL, "first_response_at", "When an agent first answered." },
	{ NULL, "overdue",
	  "Unresolved, and past the earlier of `due_at` and its resolution clock." },
	{ NULL, "version", "Grows by each change; in a body, the one it must still have." },
	{ NULL, "channel", "How it came: `mail`, `api`, `console` or `cli`." },
	{ NULL, "merged_into", "The ticket that has its comments now; it can only be unmerged." },
	{ NULL, "deleted_at", "Shown to admins, who may restore it." },
	{ "POST /tickets/{id}/participants", "user", "Id or address; of customers, an address." },
	{ "Clock", "state", "`running`, `paused`, `met` or `breached`." },
	{ NULL, "muted", "Is told nothing of it." },
	{ NULL, "watching", "false: no more." },
	{ NULL, "pending", "Waits to be approved by an agent." },
	{ "POST /tickets/{id}/merge", "into", "The ticket that stays." },
	{ "POST /tickets/{id}/split", "comment", "The comment that becomes a ticket." },
	{ NULL, "inverse", "The link was made from the other ticket." },
	{ "Link", "type", "`relates`, `duplicates`, `blocks` or `parent`." },
	{ "POST /tickets/{id}/links", "type", "What this ticket is to the other." },
	{ "DELETE /tickets/{id}/links", "type", "What this ticket is to the other." },
	{ "POST /tickets/{id}/links", "ticket", "The other ticket." },
	{ "DELETE /tickets/{id}/links", "ticket", "The other ticket." },
	{ NULL, "dry_run", "Say what would happen, and do nothing." },
	{ NULL, "text", "Commands as in a mail: lines like `#take`, or `[take; priority=high]`." },
	{ NULL, "ids", "Ids of tickets." },
	{ NULL, "ok", "false: nothing was changed." },
	{ NULL, "reason", "What happened, or why not." },
	{ "BulkResult", "message", "Why not." },
	{ "Complaint", "message", "What is wrong with it." },
	{ "Complaint", "field",
	  "A parameter or header, or a member like `cc.0`; empty: the body as a whole." },

	/* ---- comments, files ---- */
	{ "POST /canned-replies", "body", "With variables like `{{requester.name}}`." },
	{ "PATCH /canned-replies/{id}", "body", "With variables like `{{requester.name}}`." },
	{ "CannedReply", "body", "With variables like `{{requester.name}}`." },
	{ "Comment", "body", "What is new in it, without quotes and signature." },
	{ "Delivery", "body", "The JSON that was sent." },
	{ NULL, "body", "CommonMark." },
	{ NULL, "body_full", "The whole of it." },
	{ NULL, "body_html", "To be shown; strangers' HTML is filtered." },
	{ NULL, "is_internal", "A note that only agents and admins see." },
	{ NULL, "held",
	  "Why it is not public yet: `unverified`, `not_participant`; null: it is not held." },
	{ "POST /tickets/{id}/comments", "commands",
	  "Done with the comment or not at all, as `text` of `/commands`." },
	{ "Decision", "commands", "Commands of the mail, and what became of them." },
	{ NULL, "commands", "What an agent who uses it does besides." },
	{ "POST /tickets", "attachments", "Ids of `POST /api/v1/attachments`, uploaded before." },
	{ "POST /tickets/{id}/comments", "attachments",
	  "Ids of `POST /api/v1/attachments`, uploaded before." },
	{ NULL, "content_id", "As the HTML of its mail names it." },
	{ NULL, "size", "In bytes." },

	/* ---- mail ---- */
	{ NULL, "message_id", "Without angle brackets." },
	{ NULL, "mailbox", "Name of a mailbox." },
	{ "Message", "kind", "What sort of mail it is: `normal`, `bounce`, `auto_reply`, ..." },
	{ NULL, "trust",
	  "How well its sender is proven: 0 anonymous, 1 claimed, 2 verified, 3 confirmed." },
	{ "OutgoingMail", "state",
	  "`queued`, `sending`, `sent`, `retry`, `failed`, `held` or `cancelled`." },
	{ "Message", "state", "Of one that was written here, as of `GET /api/v1/outbox`." },
	{ "Mailbox", "state", "`ok`, `connecting`, `backoff`, `auth_failed` or `paused`." },
	{ "HealthMailbox", "state", "`ok`, `connecting`, `backoff`, `auth_failed` or `paused`." },
	{ NULL, "outcome",
	  "`ticket_created`, `comment_added`, `commands_run`, `delivery_event`, `duplicate`, "
	  "`quarantined` or `discarded`." },
	{ NULL, "cause", "Why it was held back or thrown away." },
	{ NULL, "last_reply", "What the mail server said." },
	{ NULL, "smtp_reply", "What the mail server said." },
	{ NULL, "lag", "Seconds since it last worked; 0: it does now." },
	{ "POST /blocked-senders", "address", "One of `address` and `domain`." },
	{ "POST /blocked-senders", "domain", "One of `address` and `domain`." },
	{ NULL, "address", "A mail address." },
	{ NULL, "evidence", "What of the mail it matched." },
	{ NULL, "auth", "What the mail server found out about its sender." },

	/* ---- the rest ---- */
	{ NULL, "members", "Ids or addresses of agents; in answers, ids." },
	{ NULL, "domains", "Of addresses that belong to it: `example.com`." },
	{ NULL, "color", "Like `#1e90ff`." },
	{ NULL, "query", "Parameters of `GET /api/v1/tickets`, like `status=open&sort=due`." },
	{ NULL, "shared", "For all agents; admins set it." },
	{ NULL, "url", "Where it is called, by POST." },
	{ NULL, "events", "Names of events, as in `ticket.created`." },
	{ NULL, "active", "false: it is not called." },
	{ NULL, "secret", "What calls are signed with; one is made if none is given. " ONCE },
	{ NULL, "snippet", "HTML, escaped; what matched is in `<mark>`." },
	{ NULL, "score", "How well it matched." },
	{ NULL, "source",
	  "Where from: `mail`, `api`, `console`, `cli`, `timer`, `rule`; of the audit also "
	  "`daemon`." },
	{ NULL, "p50", P50 },
	{ NULL, "p90", P90 },
	{ NULL, "first_response_p50", P50 },
	{ NULL, "resolution_p50", P50 },
	{ NULL, "first_response_p90", P90 },
	{ NULL, "resolution_p90", P90 },
	{ NULL, "met_share", "From 0 to 1; null: none is decided." },
	{ NULL, "hash", "Of this row and the hash before it." },
	{ NULL, "account", "Keyed hash of an address." },
	{ NULL, "network", "Keyed hash of a network." },
	{ NULL, "from", "Where it begins, or who wrote it." },
	{ NULL, "to", "Where it ends (not in it), or whom it goes to." },
	{ NULL, "name", "As people are shown it." },

	/* ---- examples ---- */
	{ "POST /auth/token", NULL,
	  "{\"email\":\"anna@example.com\",\"password\":\"correct horse\"}" },
	{ "POST /auth/refresh", NULL, "{\"refresh_token\":\"EkaYJAq9wW...\"}" },
	{ "POST /tickets", NULL,
	  "{\"title\":\"The printer is on fire\",\"description\":\"It *burns*.\",\"priority\":"
	  "\"high\",\"tags\":[\"hardware\"]}" },
	{ "PATCH /tickets/{id}", NULL,
	  "{\"assignee\":\"anna@example.com\",\"status\":\"in_progress\",\"version\":3}" },
	{ "PUT /tickets/{id}", NULL,
	  "{\"title\":\"The printer is on fire\",\"status\":\"open\",\"priority\":\"high\","
	  "\"version\":3}" },
	{ "POST /tickets/{id}/comments", NULL,
	  "{\"body\":\"It is out.\",\"commands\":\"#resolve\"}" },
	{ "POST /tickets/{id}/commands", NULL, "{\"text\":\"#take\\n#priority high\"}" },
	{ "POST /tickets/{id}/participants", NULL,
	  "{\"user\":\"dave@example.com\",\"role\":\"cc\"}" },
	{ "POST /tickets/bulk", NULL, "{\"ids\":[411,412],\"text\":\"#close\"}" },
	{ "POST /users", NULL,
	  "{\"email\":\"bob@example.com\",\"name\":\"Bob\",\"role\":\"agent\"}" },
	{ "POST /api-keys", NULL, "{\"name\":\"monitoring\",\"scopes\":[\"tickets:write\"]}" },
	{ "POST /webhooks", NULL,
	  "{\"url\":\"https://example.com/hook\",\"events\":[\"ticket.created\"]}" },
	{ "POST /saved-views", NULL,
	  "{\"name\":\"Mine\",\"query\":\"assignee=me&status=open,reopened\"}" },
	{ NULL, NULL, NULL },
};
