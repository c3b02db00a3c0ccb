/* Action links: mailto: with the signed address and the subject filled in, so that a tap and Send
 * is a command. Only what the workflow and policy allow to that agent as the ticket stands. */
#include <maildesk/base/json.h>
#include <maildesk/base/utf8.h>

#include "notify_priv.h"

#include <string.h>

/* A title of any length in a link would be more than Windows hands to a mail program (2,083). */
enum { LINK_MAX = 8192, STATUSES_MAX = 64, TITLE_MAX = 48 };

/* Percent-encoded but for what RFC 6068 lets stand in a mailto: URI. */
static void put_encoded(struct buf *out, const char *text, const char *also)
{
	for (; *text; text++) {
		unsigned char c = (unsigned char)*text;

		if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
		    strchr(also, c))
			buf_addc(out, (char)c);
		else
			buf_addf(out, "%%%02X", c);
	}
}

const char *work_link_subject(struct work *w, const char *verb)
{
	size_t n = strlen(w->ticket.title), cut = utf8_cut(w->ticket.title, n, TITLE_MAX);
	const char *title =
		arena_printf(w->arena, "%.*s%s", (int)cut, w->ticket.title, cut < n ? "..." : "");
	const char *command = verb ? arena_printf(w->arena, " [%s]", verb) : "";

	return arena_printf(w->arena, "Re: %s %s%s", work_tag(w, w->ticket.id), title ? title : "",
			    command ? command : "");
}

const char *work_mailto(struct work *w, const char *address, const char *subject)
{
	md_auto(buf_done) struct buf href = BUF_INIT(LINK_MAX);

	buf_adds(&href, "mailto:");
	put_encoded(&href, address, "-_.@");
	buf_adds(&href, "?subject=");
	put_encoded(&href, subject, "-_.");
	return href.status == MD_OK ? arena_strdup(w->arena, buf_str(&href)) : NULL;
}

static void put_action(struct buf *out, struct work *w, const struct letter_data *l,
		       const char *verb)
{
	const char *subject = work_link_subject(w, verb);
	const char *href = subject ? work_mailto(w, l->reply_to, subject) : NULL;

	if (!href)
		return; /* a mail without a button is still a mail */
	buf_adds(out, out->len ? ",{\"verb\":" : "{\"verb\":");
	json_write_string(out, verb, strlen(verb));
	buf_adds(out, ",\"href\":");
	json_write_string(out, href, strlen(href));
	buf_addc(out, '}');
}

/* The verb that leads to a status; NULL: none has a name of its own. */
static const char *verb_to(const struct workflow *wf, const char *status)
{
	for (const struct command_row *row = command_rows; row->name; row++) {
		const char *to = row->verb == VERB_STATUS && row->preset
					 ? workflow_target(wf, row->preset)
					 : NULL;

		if (to && strcmp(to, status) == 0)
			return row->name;
	}
	return NULL;
}

/* The facts of the ticket as that reader sees it. */
static struct policy_ticket facts_for(const struct work *w, int64_t user)
{
	struct policy_ticket facts = w->facts;

	facts.requester = w->ticket.requester_id;
	facts.assignee = w->ticket.assignee_id;
	facts.is_author = facts.is_participant = false;
	for (size_t i = 0; i < w->n_participants; i++)
		facts.is_participant |= w->participants[i].user_id == user;
	return facts;
}

static bool is_asked(const struct letter_data *l)
{
	static const char *const others[] = { "created", "unverified", "confirmation" };

	for (size_t i = 0; i < MD_COUNT(others); i++)
		if (strcmp(l->template, others[i]) == 0)
			return false;
	return l->to_role == ROLE_AGENT || l->to_role == ROLE_ADMIN;
}

const char *letter_actions(struct work *w, const struct letter_data *l)
{
	const struct workflow *wf = w->by->desk->workflow;
	const struct policy_actor actor = { .user = l->to_user,
					    .role = l->to_role,
					    .source = SOURCE_API };
	struct policy_ticket facts = facts_for(w, l->to_user);
	md_auto(buf_done) struct buf out = BUF_INIT(16 * LINK_MAX);
	const char *allowed[STATUSES_MAX];
	size_t n;

	if (!w->ticket.id || w->ticket.merged_into || w->ticket.deleted_at || !is_asked(l) ||
	    strcmp(w->by->desk->config->desk.subject_commands, "off") == 0)
		return "";
	if (w->ticket.assignee_id != l->to_user && !w->ticket.closed_at)
		put_action(&out, w, l, "take");
	n = workflow_allowed(wf, w->ticket.status, policy_who(&actor, &facts),
			     w->ticket.assignee_id != 0, allowed, STATUSES_MAX);
	for (size_t i = 0; i < n; i++) {
		const char *verb = verb_to(wf, allowed[i]);

		if (verb)
			put_action(&out, w, l, verb);
	}
	put_action(&out, w, l, "note");
	return out.status == MD_OK ? arena_strdup(w->arena, buf_str(&out)) : NULL;
}
