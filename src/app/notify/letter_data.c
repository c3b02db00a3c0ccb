/* What a mail will say, frozen as JSON for its templates.
 *
 * Written straight into the buffer: every mail that comes in causes several that go out, and a tree
 * built only to be written down was a fifth of the time it took to take one in. */
#include <maildesk/base/json.h>
#include <maildesk/base/utf8.h>

#include "notify_priv.h"

#include <string.h>

enum {
	TEXT_MAX = 256 << 10, /* bytes of a comment that a mail repeats; the ticket has all of it */
	FROM_MAX = 4096,
	LINK_MAX = 2000,
};

/* ---- writing ---- */

static void put_key(struct buf *out, const char *key)
{
	if (out->len && out->data[out->len - 1] != '{')
		buf_addc(out, ',');
	json_write_string(out, key, strlen(key));
	buf_addc(out, ':');
}

static void put_text(struct buf *out, const char *key, const char *value)
{
	put_key(out, key);
	json_write_string(out, value, value ? strlen(value) : 0);
}

static void put_number(struct buf *out, const char *key, int64_t value)
{
	put_key(out, key);
	buf_addf(out, "%lld", (long long)value);
}

static void put_bool(struct buf *out, const char *key, bool value)
{
	put_key(out, key);
	buf_adds(out, value ? "true" : "false");
}

static void open_object(struct buf *out, const char *key)
{
	put_key(out, key);
	buf_addc(out, '{');
}

static void put_null(struct buf *out, const char *key)
{
	put_key(out, key);
	buf_adds(out, "null");
}

/* ---- the parts ---- */

static void put_person(struct buf *out, const char *key, const struct reader *who)
{
	if (!who) {
		put_null(out, key);
		return;
	}
	open_object(out, key);
	put_text(out, "name", who->name);
	put_text(out, "email", who->email);
	buf_addc(out, '}');
}

const char *work_tag(const struct work *w, int64_t ticket)
{
	const char *tag =
		command_tag_subject(w->arena, w->by->desk->config->desk.subject_tag, ticket, "");

	/* with nothing behind it */
	return tag ? arena_strndup(w->arena, tag, strlen(tag) - 1) : "";
}

static void put_ticket(struct buf *out, struct work *w, const struct letter_data *l)
{
	const struct conf_desk *desk = &w->by->desk->config->desk;

	if (!w->ticket.id) {
		put_null(out, "ticket");
		return;
	}
	open_object(out, "ticket");
	put_number(out, "id", w->ticket.id);
	put_text(out, "tag", work_tag(w, w->ticket.id));
	put_text(out, "title", w->ticket.title);
	put_text(out, "status", w->ticket.status);
	put_text(out, "priority", work_priority_name(w->ticket.priority));
	put_person(out, "requester", l->requester);
	put_person(out, "assignee", l->assignee);
	if (desk->url && desk->url[0])
		put_text(out, "url",
			 arena_printf(w->arena, "%s/tickets/%lld", desk->url,
				      (long long)w->ticket.id));
	else
		put_null(out, "url");
	buf_addc(out, '}');
}

/* The ticket that this one goes on in. */
static void put_into(struct buf *out, struct work *w)
{
	if (!w->ticket.merged_into) {
		put_null(out, "into");
		return;
	}
	open_object(out, "into");
	put_number(out, "id", w->ticket.merged_into);
	put_text(out, "tag", work_tag(w, w->ticket.merged_into));
	buf_addc(out, '}');
}

static void put_sla(struct buf *out, const struct work_event *e)
{
	if (!e->metric) {
		put_null(out, "sla");
		return;
	}
	open_object(out, "sla");
	put_text(out, "metric", e->metric);
	put_number(out, "percent", e->percent);
	put_number(out, "due_at", e->due_at);
	buf_addc(out, '}');
}

/* What was stopped: one of the members is true. */
static void put_alarm(struct buf *out, const struct work_event *e)
{
	if (!e->alarm) {
		put_null(out, "alarm");
		return;
	}
	open_object(out, "alarm");
	put_bool(out, e->alarm, true);
	put_text(out, "about", e->about);
	buf_addc(out, '}');
}

static void put_mailbox(struct buf *out, const struct mailbox_alarm *m)
{
	if (!m) {
		put_null(out, "mailbox");
		return;
	}
	open_object(out, "mailbox");
	put_text(out, "name", m->name);
	put_text(out, "address", m->address);
	put_text(out, "error", m->error);
	put_number(out, "since_at", m->since_at);
	buf_addc(out, '}');
}

static void put_undelivered(struct buf *out, const struct work_event *e)
{
	if (!e->address) {
		put_null(out, "undelivered");
		return;
	}
	open_object(out, "undelivered");
	put_text(out, "address", e->address);
	put_text(out, "reply", e->reply);
	buf_addc(out, '}');
}

/* JSON objects, parted by commas. */
static void put_list(struct buf *out, const char *key, const char *items)
{
	put_key(out, key);
	buf_addc(out, '[');
	buf_adds(out, items);
	buf_addc(out, ']');
}

/* What the commands did is told to who gave them: a line may hold the text of a note. */
static void put_lines(struct buf *out, const struct work *w, const struct letter_data *l)
{
	bool told = strcmp(l->event->event, "transcript") == 0 ||
		    strcmp(l->event->event, "confirmation") == 0;
	size_t n = told ? w->n_lines : 0;

	put_key(out, "lines");
	buf_addc(out, '[');
	for (size_t i = 0; i < n; i++) {
		buf_adds(out, i ? ",{" : "{");
		put_text(out, "line", w->lines[i].line);
		put_bool(out, "ok", w->lines[i].ok);
		put_text(out, "reason", w->lines[i].reason);
		if (w->lines[i].reason && strcmp(w->lines[i].reason, "done") != 0)
			put_text(out, "result", w->lines[i].reason);
		else
			put_null(out, "result");
		buf_addc(out, '}');
	}
	buf_addc(out, ']');
	put_list(out, "answers", told ? w->answers : NULL);
}

/* An agent's own words carry the agent's name; everything else is the desk's. */
/* The desk's from_format, with {agent} and {desk} filled in. */
static void put_from_name(struct buf *out, const struct work *w)
{
	const struct conf_desk *desk = &w->by->desk->config->desk;
	md_auto(buf_done) struct buf name = BUF_INIT(FROM_MAX);

	for (const char *p = desk->from_format; *p;) {
		size_t n = strcspn(p, "{");

		buf_add(&name, p, n);
		p += n;
		if (*p == '{') {
			buf_adds(&name, p[1] == 'a' ? w->by->user.name : desk->name);
			p += strcspn(p, "}") + 1;
		}
	}
	put_text(out, "from_name", buf_str(&name));
}

/* A mail with the command to mute, as an address of a link (RFC 6068). */
static const char *mute_mailto(struct work *w, const struct letter_data *l)
{
	md_auto(buf_done) struct buf link = BUF_INIT(LINK_MAX);

	buf_addf(&link, "mailto:%s?subject=", l->reply_to);
	for (const char *c = arena_printf(w->arena, "%s [mute]", work_tag(w, w->ticket.id));
	     c && *c; c++)
		buf_addf(&link,
			 (*c >= '0' && *c <= '9') || (*c >= 'a' && *c <= 'z') ? "%c" : "%%%02X",
			 (unsigned char)*c);
	return link.status == MD_OK ? arena_strdup(w->arena, buf_str(&link)) : NULL;
}

/* Where a click on the link mutes the ticket; NULL when the desk has no such place. */
static const char *mute_url(struct work *w, const struct letter_data *l)
{
	const char *url = w->by->desk->config->desk.url;

	return l->mute && url && *url ? arena_printf(w->arena, "%s/u/%s", url, l->mute) : NULL;
}

/* An agent's own words, not the desk's. */
static bool is_personal(const struct work *w, const struct letter_data *l)
{
	return strcmp(l->event->event, "public_reply") == 0 && (w->who & WHO_STAFF);
}

static void put_mail(struct buf *out, struct work *w, const struct letter_data *l)
{
	bool personal = is_personal(w, l);
	bool reply = strcmp(l->template, "created") == 0;

	open_object(out, "mail");
	if (personal)
		put_from_name(out, w);
	else
		put_text(out, "from_name", w->by->desk->config->desk.name);
	put_text(out, "from", l->from);
	put_text(out, "reply_to", l->reply_to);
	put_text(out, "message_id", l->message_id);
	/* A sender's name is their words, too: who is not known gets none of them back. */
	put_text(out, "to_name", reply && !w->echo ? NULL : l->to->name);
	/* a transcript about no ticket answers the mail that asked for it */
	if (!w->ticket.id && w->by->mail && strcmp(l->event->event, "transcript") == 0) {
		put_text(out, "in_reply_to", w->by->mail->message_id);
		put_text(out, "subject", w->ticket.title);
	}
	put_text(out, "auto_submitted",
		 personal ? NULL
		 : reply  ? "auto-replied"
			  : "auto-generated");
	put_text(out, "unsubscribe", l->mute ? mute_mailto(w, l) : NULL);
	buf_addc(out, '}');
}

/* Whose text is passed on, files and all; an acknowledgement, say, repeats the text at most. */
static bool carries_files(const char *template)
{
	static const char *const carriers[] = { "public_reply", "created_agent", "internal_note",
						"mentioned" };

	for (size_t i = 0; i < MD_COUNT(carriers); i++)
		if (strcmp(carriers[i], template) == 0)
			return true;
	return false;
}

/* Below an agent's words: the agent's own signature, else the mailbox's. */
static void put_signature(struct buf *out, const struct work *w, const struct letter_data *l)
{
	const char *own = w->by->user.signature;
	const char *text = own && *own ? own : work_mailbox(w)->signature;

	if (!is_personal(w, l) || !*text) {
		put_null(out, "signature");
		return;
	}
	open_object(out, "signature");
	put_text(out, "body", text);
	buf_addc(out, '}');
}

static void put_comment(struct buf *out, struct work *w, const struct letter_data *l)
{
	const char *body = l->event->body;
	size_t n = body ? strlen(body) : 0, cut = n ? utf8_cut(body, n, TEXT_MAX) : 0;

	open_object(out, "comment");
	if (l->event->comment && carries_files(l->template))
		put_number(out, "files_of", l->event->comment);
	put_bool(out, "markdown", l->event->markdown);
	put_text(out, "body",
		 cut < n ? arena_printf(w->arena, "%.*s\n[...]", (int)cut, body) : body);
	buf_addc(out, '}');
}

int letter_data_write(struct work *w, const struct letter_data *l, struct buf *out,
		      struct md_err *err)
{
	const struct conf_desk *desk = &w->by->desk->config->desk;
	const struct reader actor = { .name = w->by->user.id ? w->by->user.name : NULL };

	buf_addc(out, '{');
	open_object(out, "desk");
	put_text(out, "name", desk->name);
	put_text(out, "url", desk->url);
	buf_addc(out, '}');
	put_ticket(out, w, l);
	put_into(out, w);
	put_person(out, "actor", &actor);
	put_person(out, "recipient", l->to);
	put_sla(out, l->event);
	put_alarm(out, l->event);
	put_undelivered(out, l->event);
	put_mailbox(out, l->event->mailbox);
	put_lines(out, w, l);
	put_mail(out, w, l);
	put_list(out, "actions", letter_actions(w, l));
	/* an alarm is nothing to answer */
	put_text(out, "body_token", l->event->alarm || l->event->mailbox ? NULL : l->marker);
	put_text(out, "mute_url", mute_url(w, l));
	put_bool(out, "known", w->echo);
	put_bool(out, "too_large", w->too_large);
	put_bool(out, "by_customer",
		 strcmp(l->event->event, "public_reply") == 0 && !(w->who & WHO_STAFF));
	put_text(out, "locale", l->to->locale);
	put_text(out, "desk_locale", l->locale);
	put_text(out, "timezone", l->to->timezone ? l->to->timezone : desk->timezone);
	put_comment(out, w, l);
	put_signature(out, w, l);
	buf_addc(out, '}');
	if (out->status != MD_OK || w->arena->failed)
		return md_fail(err, MD_NOMEM, 0, "out of memory");
	return MD_OK;
}
