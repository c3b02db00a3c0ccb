#include <maildesk/app/digest.h>

#include <maildesk/app/zone.h>
#include <maildesk/base/json.h>
#include <maildesk/base/log.h>
#include <maildesk/base/utf8.h>
#include <maildesk/desk/digest.h>
#include <maildesk/store/digests.h>

#include "desk_mail.h"
#include "notify_priv.h"

#include <string.h>

enum {
	SINGLE_MAX = 60, /* mails to an agent within an hour */
	HOUR_MS = 3600000,
	ITEMS_MAX = 200,  /* in a letter; more make another */
	BODY_MAX = 1500,  /* bytes of each text; the ticket has all of it */
	USERS_MAX = 1000, /* of one round */
	ARENA_MAX = 64 << 20,
	TEXT_MAX = 64 << 10,
};

static int out_of_memory(struct md_err *err)
{
	return md_fail(err, MD_NOMEM, 0, "out of memory");
}

/* ---- keeping ---- */

static int64_t due_in_zone(const struct desk *d, enum digest wish, const char *zone, int64_t now_ms)
{
	md_auto(calendar_done) struct calendar calendar = { 0 };

	if (zone_load(zone ? zone : d->config->desk.timezone, &calendar, NULL) != MD_OK)
		return digest_due(wish, NULL, now_ms);
	return digest_due(wish, calendar.tz, now_ms);
}

static int due_of(struct work *w, const struct collected *l, enum digest wish, int64_t *ret,
		  struct md_err *err)
{
	bool at_once = l->not_before_ms <= w->by->now_ms;
	int rc = at_once ? digest_waiting(w->c, l->user, w->by->now_ms, ret, err) : MD_NOTFOUND;

	if (rc != MD_NOTFOUND)
		return rc;
	*ret = due_in_zone(w->by->desk, wish, l->to->timezone, l->not_before_ms);
	return MD_OK;
}

int work_collect(struct work *w, const struct collected *l, bool *ret, struct md_err *err)
{
	enum digest wish = digest_from_name(l->to->digest);
	struct digest_item item = { .user_id = l->user,
				    .ticket_id = w->ticket.id,
				    .comment_id = l->event->comment,
				    .actor_id = w->by->user.id,
				    .event = l->template,
				    .detail = l->event->address,
				    .created_at = w->by->now_ms };
	int64_t n = 0;
	int rc = MD_OK;

	/* where any number of mails may go to one address, agents get any number, too */
	if (wish == DIGEST_OFF && l->staff && w->by->desk->config->limits.auto_per_address_hour)
		rc = digest_count_single(w->c, l->to->email, w->by->now_ms - HOUR_MS, SINGLE_MAX,
					 &n, err);
	*ret = wish != DIGEST_OFF || n >= SINGLE_MAX;
	if (rc == MD_OK && *ret)
		rc = due_of(w, l, wish, &item.due_at, err);
	return rc == MD_OK && *ret ? digest_add(w->c, &item, err) : rc;
}

int digest_reschedule(struct desk *d, struct db_conn *c, const struct user *u, int64_t now_ms,
		      struct md_err *err)
{
	enum digest wish = digest_from_name(u->digest);
	int64_t due = wish == DIGEST_OFF ? now_ms : due_in_zone(d, wish, u->timezone, now_ms);

	return digest_move(c, u->id, due, err);
}

/* ---- the letter ---- */

struct seen {
	struct work work;
	json_t *items; /* of the ticket's member of `tickets` */
};

struct digest_letter {
	struct desk *desk;
	struct db_conn *c;
	struct arena arena;
	int64_t user_id;
	struct work_by by; /* the reader */
	struct seen seen[ITEMS_MAX];
	size_t n_seen, n_items;
	json_t *tickets;
	bool sent;
};

/* Each line set in, for the text part. */
static const char *set_in(struct arena *a, const char *text)
{
	md_auto(buf_done) struct buf out = BUF_INIT(TEXT_MAX);

	for (const char *line = text; *line;) {
		size_t n = strcspn(line, "\n");

		if (n)
			buf_addf(&out, "    %.*s", (int)n, line);
		line += n + (line[n] == '\n');
		if (*line)
			buf_addc(&out, '\n');
	}
	return out.status == MD_OK ? arena_strdup(a, buf_str(&out)) : NULL;
}

static bool carries_text(const char *event)
{
	static const char *const carriers[] = { "created_agent", "public_reply", "internal_note",
						"mentioned" };

	for (size_t i = 0; i < MD_COUNT(carriers); i++)
		if (strcmp(carriers[i], event) == 0)
			return true;
	return false;
}

/* Where a mail about that ticket goes; each is another, so that it can be used once. */
static const char *reply_address(struct digest_letter *l, struct work *w, int64_t comment)
{
	const struct conf_mailbox *mailbox = work_mailbox(w);
	md_auto(buf_done) struct buf address = BUF_INIT(1000);
	int64_t epoch = (w->ticket.epoch + l->by.user.epoch) & TOKEN_EPOCH_MASK;
	uint32_t dice;
	struct token t = { .day = token_day(l->by.now_ms),
			   .ticket = w->ticket.id,
			   .comment = comment,
			   .user = l->by.user.id };

	random_fill(l->desk->random, &dice, sizeof dice);
	t.serial = (int64_t)dice << TOKEN_EPOCH_BITS | epoch;
	if (mailbox->plus_addressing &&
	    token_make_address(l->desk->token_keys, TOKEN_PROOF, &t, work_address(w), &address,
			       NULL) == MD_OK)
		return arena_strdup(&l->arena, buf_str(&address));
	return work_address(w);
}

static json_t *ticket_json(struct digest_letter *l, struct work *w, int64_t comment)
{
	const char *url = l->desk->config->desk.url;
	const char *tag = work_tag(w, w->ticket.id), *to = reply_address(l, w, comment);
	const char *subject = work_link_subject(w, NULL);

	if (!to || !subject)
		return NULL;
	return json_pack("{s:I, s:s, s:s, s:s, s:s?, s:s?}", "id", (json_int_t)w->ticket.id, "tag",
			 tag, "title", w->ticket.title, "status", w->ticket.status, "url",
			 url && *url ? arena_printf(&l->arena, "%s/tickets/%lld", url,
						    (long long)w->ticket.id)
				     : NULL,
			 "reply_url", work_mailto(w, to, subject));
}

static json_t *item_json(struct digest_letter *l, const struct digest_item *i, const char *status,
			 const struct comment *m)
{
	const char *body = m ? m->body : NULL;
	size_t n = body ? strlen(body) : 0, cut = n ? utf8_cut(body, n, BODY_MAX) : 0;
	const char *shown = cut < n ? arena_printf(&l->arena, "%.*s\n[...]", (int)cut, body) : body;
	const char *text = shown ? set_in(&l->arena, shown) : NULL;

	if (shown && !text)
		return NULL;
	return json_pack("{s:b, s:I, s:s?, s:s, s:s?, s:s?, s:s?, s:b}", i->event, 1, "at_ms",
			 (json_int_t)i->created_at, "author", i->actor_name, "status", status,
			 "address", i->detail, "body", shown, "set_in", text, "markdown",
			 m && m->channel && strcmp(m->channel, "mail") != 0);
}

static bool has_muted(const struct work *w)
{
	for (size_t i = 0; i < w->n_participants; i++)
		if (w->participants[i].user_id == w->by->user.id)
			return w->participants[i].muted;
	return false;
}

/* MD_NOTFOUND: they may not see it now. */
static int see_ticket(struct digest_letter *l, int64_t ticket, struct seen **ret,
		      struct md_err *err)
{
	struct seen *s = l->seen;
	int rc;

	while (s < l->seen + l->n_seen && s->work.ticket.id != ticket)
		s++;
	*ret = s;
	if (s < l->seen + l->n_seen)
		return MD_OK;
	rc = work_open(&l->by, l->c, &l->arena, ticket, &s->work, err);
	if (rc == MD_REFUSED || (rc == MD_OK && (s->work.ticket.deleted_at || has_muted(&s->work))))
		return MD_NOTFOUND;
	if (rc == MD_OK) {
		s->items = NULL;
		l->n_seen++;
	}
	return rc;
}

/* The comment may lie on another ticket by now, or be gone, or no more for everybody. */
static int see_item(struct digest_letter *l, const struct digest_item *i, struct seen **ret,
		    struct comment *ret_comment, struct md_err *err)
{
	int rc = i->comment_id ? comment_get(l->c, i->comment_id, &l->arena, ret_comment, err)
			       : MD_OK;

	if (rc == MD_OK && ret_comment->deleted_at)
		return MD_NOTFOUND;
	if (rc == MD_OK)
		rc = see_ticket(l, i->comment_id ? ret_comment->ticket_id : i->ticket_id, ret, err);
	if (rc == MD_OK && (ret_comment->is_internal || ret_comment->held))
		rc = work_ask_frozen(&(*ret)->work, ACTION_READ_INTERNAL, err);
	return rc == MD_REFUSED ? MD_NOTFOUND : rc;
}

static int add_item(struct digest_letter *l, const struct digest_item *i, struct md_err *err)
{
	struct comment m = { 0 };
	struct seen *s;
	json_t *item, *ticket;
	int rc = see_item(l, i, &s, &m, err);

	if (rc != MD_OK)
		return rc == MD_NOTFOUND ? MD_OK : rc;
	if (!s->items) {
		ticket = ticket_json(l, &s->work, i->comment_id);
		s->items = json_array();
		if (!ticket || json_object_set_new(ticket, "items", s->items) != 0 ||
		    json_array_append_new(l->tickets, ticket) != 0)
			return out_of_memory(err);
	}
	item = item_json(l, i, s->work.ticket.status, carries_text(i->event) ? &m : NULL);
	if (!item || json_array_append_new(s->items, item) != 0)
		return out_of_memory(err);
	l->n_items++;
	return MD_OK;
}

static int queue(struct digest_letter *l, struct md_err *err)
{
	const struct desk_mailbox *mailbox =
		desk_mailbox(l->desk, l->seen[0].work.ticket.mailbox_id);
	const struct desk_mail mail = { .desk = l->desk,
					.c = l->c,
					.arena = &l->arena,
					.mailbox = mailbox ? mailbox : &l->desk->mailboxes[0],
					.to = &l->by.user,
					.event = "digest",
					.kind = "normal",
					.now_ms = l->by.now_ms };
	md_auto(json_decref_p) json_t *data =
		json_pack("{s:{s:I, s:b, s:O}}", "digest", "count", (json_int_t)l->n_items, "one",
			  l->n_items == 1, "tickets", l->tickets);

	return data ? desk_mail_queue(&mail, data, err) : out_of_memory(err);
}

static int load_reader(struct digest_letter *l, struct md_err *err)
{
	int rc = user_get(l->c, l->user_id, &l->arena, &l->by.user, err);

	l->by.actor = (struct policy_actor){ .user = l->user_id,
					     .role = role_from_name(l->by.user.role),
					     .level = 3,
					     .source = SOURCE_API };
	return rc;
}

static int send_in_txn(struct db_conn *c, void *ctx, struct md_err *err)
{
	struct digest_letter *l = ctx;
	struct digest_item *items = NULL;
	size_t n = 0;
	int rc;

	arena_reset(&l->arena);
	json_array_clear(l->tickets);
	l->c = c;
	l->n_seen = l->n_items = 0;
	l->sent = false;
	rc = digest_take(c, l->user_id, l->by.now_ms, ITEMS_MAX, &l->arena, &items, &n, err);
	if (rc != MD_OK || n == 0)
		return rc;
	rc = load_reader(l, err);
	if (rc != MD_OK || l->by.user.disabled_at || l->by.user.undeliverable_at)
		return rc;
	for (size_t i = 0; i < n && rc == MD_OK; i++)
		rc = add_item(l, &items[i], err);
	if (rc != MD_OK || l->n_items == 0)
		return rc;
	l->sent = true;
	return queue(l, err);
}

static int send_to(struct desk *d, int64_t user, size_t *ret_n, struct md_err *err)
{
	struct digest_letter *l = md_calloc(1, sizeof *l);
	int rc = MD_OK;

	if (!l)
		return out_of_memory(err);
	l->desk = d;
	l->user_id = user;
	l->by = (struct work_by){ .desk = d, .channel = "cli", .now_ms = clock_wall(d->clock) };
	l->arena.max = ARENA_MAX;
	l->tickets = json_array();
	rc = l->tickets ? db_txn(d->db, send_in_txn, l, err) : out_of_memory(err);
	*ret_n += rc == MD_OK && l->sent;
	json_decref(l->tickets);
	arena_done(&l->arena);
	free(l);
	return rc;
}

int digests_round(struct desk *d, size_t *ret_n, struct md_err *err)
{
	md_auto(arena_done) struct arena a = ARENA_INIT(1 << 20);
	struct db_conn *c = NULL;
	int64_t *users = NULL;
	size_t n = 0;
	int rc = db_read(d->db, &c, err), worst;

	*ret_n = 0;
	if (rc == MD_OK) {
		rc = digest_due_users(c, clock_wall(d->clock), USERS_MAX, &a, &users, &n, err);
		db_read_done(c);
	}
	worst = rc;
	/* One that cannot be made does not keep the others waiting. */
	for (size_t i = 0; i < n; i++)
		if (send_to(d, users[i], ret_n, err) != MD_OK) {
			log_error(NULL, "the digest of user %lld waits: %s", (long long)users[i],
				  err->text);
			worst = MD_AGAIN;
		}
	if (*ret_n)
		desk_wake(d, DESK_SENDER);
	return worst;
}
