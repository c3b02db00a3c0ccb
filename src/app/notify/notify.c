/* Who is told of a piece of work, and with what: outbox rows in the transaction that causes them.
 *
 * Everything a mail will say is frozen as JSON (letter_data.c), together with its recipient, its
 * Message-ID and its signed reply address; the sender turns it into bytes (render.h) behind the
 * write lock. */
#include <maildesk/desk/mention.h>
#include <maildesk/desk/notice.h>
#include <maildesk/store/messages.h>
#include <maildesk/store/outbox.h>
#include <maildesk/store/teams.h>
#include <maildesk/store/proofs.h>

#include "notify_priv.h"

#include <stdio.h>
#include <string.h>

enum {
	DATA_MAX = 4 << 20,
	SLA_SERIAL = 512,
};

struct audience {
	struct notice_person *people;
	struct reader *readers; /* of the same index */
	size_t n, max;
};

static int out_of_memory(struct md_err *err)
{
	return md_fail(err, MD_NOMEM, 0, "out of memory");
}

/* ---- who ---- */

static bool has_mail(const struct work *w, const char *email)
{
	const struct message *m = w->by->mail;
	const struct rec_list *lists[] = { m ? &m->to : NULL, m ? &m->cc : NULL };

	for (size_t l = 0; l < MD_COUNT(lists) && lists[l]; l++)
		for (size_t i = 0; i < lists[l]->n; i++)
			if (strcasecmp(((const struct mail_address *)lists[l]->v)[i].address,
				       email) == 0)
				return true;
	return false;
}

static void add_person(struct work *w, struct audience *to, struct notice_person p,
		       struct reader reader)
{
	if (to->n == to->max)
		return;
	p.is_actor = p.user_id == w->by->user.id;
	p.has_mail = has_mail(w, reader.email);
	to->readers[to->n] = reader;
	to->people[to->n++] = p;
}

static void add_user(struct work *w, struct audience *to, const struct user *u, unsigned roles,
		     bool muted)
{
	add_person(w, to,
		   (struct notice_person){ .user_id = u->id,
					   .roles = roles,
					   .staff = strcmp(u->role, "customer") != 0,
					   .muted = muted,
					   .undeliverable = u->disabled_at || u->undeliverable_at },
		   (struct reader){ u->name, u->email, u->locale, u->timezone, u->epoch,
				    u->digest });
}

static void add_participants(struct work *w, struct audience *to)
{
	for (size_t i = 0; i < w->n_participants; i++) {
		const struct participant *p = &w->participants[i];
		unsigned roles = strcmp(p->role, "requester") == 0 ? NOTICE_REQUESTER
				 : strcmp(p->role, "watcher") == 0 ? NOTICE_WATCHER
								   : NOTICE_PARTICIPANT;

		add_person(w, to,
			   (struct notice_person){ .user_id = p->user_id,
						   .roles = roles,
						   .staff = strcmp(p->user_role, "customer") != 0,
						   .muted = p->muted,
						   .undeliverable =
							   p->disabled || p->undeliverable },
			   (struct reader){ p->name, p->email, p->locale, p->timezone, p->epoch,
					    p->digest });
	}
}

/* Everybody the matrix could name. */
static int gather(struct work *w, struct audience *to, struct md_err *err)
{
	struct user *staff = NULL, *team = NULL, assignee;
	size_t n = 0, n_team = 0;
	int rc = user_agents(w->c, true, w->arena, &staff, &n, err);

	if (rc == MD_OK && w->ticket.team_id)
		rc = team_members(w->c, w->ticket.team_id, w->arena, &team, &n_team, err);
	if (rc != MD_OK)
		return rc;
	to->max = w->n_participants + n + n_team + 2;
	to->people = arena_array(w->arena, to->max, sizeof *to->people);
	to->readers = arena_array(w->arena, to->max, sizeof *to->readers);
	if (!to->people || !to->readers)
		return out_of_memory(err);
	add_participants(w, to);
	if (w->ticket.assignee_id) {
		rc = user_get(w->c, w->ticket.assignee_id, w->arena, &assignee, err);
		if (rc == MD_OK)
			add_user(w, to, &assignee, NOTICE_ASSIGNEE, false);
	}
	if (rc == MD_OK && w->by->user.id)
		add_user(w, to, &w->by->user, NOTICE_SENDER, false);
	for (size_t i = 0; i < n_team && rc == MD_OK; i++)
		add_user(w, to, &team[i], NOTICE_TEAM, false);
	for (size_t i = 0; i < n && rc == MD_OK; i++)
		add_user(w, to, &staff[i],
			 strcmp(staff[i].role, "admin") == 0 ? NOTICE_ADMIN : NOTICE_AGENT, false);
	return rc;
}

/* Of a note: whom it names. */
static int mark_mentioned(struct work *w, struct audience *to, const struct work_event *event,
			  struct md_err *err)
{
	struct mention_person *named;

	for (size_t i = 0; i < to->n; i++)
		to->people[i].roles &= ~(unsigned)NOTICE_MENTIONED;
	if (strcmp(event->event, "internal_note") != 0)
		return MD_OK;
	named = arena_array(w->arena, to->n, sizeof *named);
	if (!named)
		return out_of_memory(err);
	for (size_t i = 0; i < to->n; i++)
		named[i] =
			(struct mention_person){ to->readers[i].name, to->readers[i].email, false };
	if (mention_find(event->body, named, to->n) != MD_OK)
		return out_of_memory(err);
	for (size_t i = 0; i < to->n; i++)
		to->people[i].roles |= named[i].is_named ? NOTICE_MENTIONED : 0;
	return MD_OK;
}

static const struct reader *reader_of(const struct audience *to, int64_t user,
				      const struct notice_person **ret_person)
{
	for (size_t i = 0; i < to->n; i++)
		if (to->people[i].user_id == user) {
			*ret_person = &to->people[i];
			return &to->readers[i];
		}
	return NULL;
}

/* ---- what ---- */

const struct conf_mailbox *work_mailbox(const struct work *w)
{
	const struct desk_mailbox *m = desk_mailbox(w->by->desk, w->ticket.mailbox_id);

	return m ? m->conf : w->by->desk->mailboxes[0].conf;
}

/* The address a ticket's mails come from. */
const char *work_address(const struct work *w)
{
	const struct conf_mailbox *mailbox = work_mailbox(w);

	for (size_t i = 0; w->ticket.alias && i < mailbox->send_as.n; i++)
		if (strcasecmp(mailbox->send_as.v[i], w->ticket.alias) == 0)
			return mailbox->send_as.v[i];
	return mailbox->address;
}

struct letter {
	const struct work_event *event;
	const char *template;
	const struct reader *to;
	int64_t user;
	size_t index;
	const char *subject_key; /* of an automatic one to a customer */
	bool may_leave;          /* a customer on the ticket, who may mute it */
	struct buf message_id, reply_to, marker, mute;
};

static int64_t sla_serial(const struct work_event *e)
{
	int64_t metric = 0;

	while (metric < SLA_METRIC_COUNT - 1 && strcmp(sla_metric_names[metric], e->metric) != 0)
		metric++;
	return SLA_SERIAL + metric * 128 +
	       (e->step ? SLA_TOLD_BREACH + (int64_t)e->step : e->percent);
}

/* The same in every mail of a ticket to a person, and long after it. */
static int sign_mute(struct work *w, struct letter *l, struct md_err *err)
{
	const struct token t = { .day = token_day(w->by->now_ms),
				 .ticket = w->ticket.id,
				 .user = l->user };

	return token_make_word(w->by->desk->token_keys, TOKEN_MUTE, &t, &l->mute, err);
}

static int sign(struct work *w, struct letter *l, struct md_err *err)
{
	const struct conf_mailbox *mailbox = work_mailbox(w);
	const struct token_keys *keys = w->by->desk->token_keys;
	const char *at = strchr(mailbox->address, '@');
	struct token t = { .day = token_day(w->by->now_ms),
			   .ticket = w->ticket.id,
			   .comment = l->event->comment,
			   .user = l->user };
	int64_t asked = l->event->confirmation;
	int64_t epoch = (w->ticket.epoch + l->to->epoch) & TOKEN_EPOCH_MASK;
	/* What tells apart two mails about one comment to one person: the version of the ticket and
	 * the event; warnings do not change the version, but each clock tells a percentage once. */
	int64_t serial = (w->ticket.version << 10) | (asked              ? TOKEN_INDEX_MASK
						      : l->event->metric ? sla_serial(l->event)
									 : (int64_t)l->index);
	int rc = MD_OK;

	t.serial = asked ? asked : serial << TOKEN_EPOCH_BITS | epoch;
	if (!mailbox->plus_addressing ||
	    token_make_address(keys, asked ? TOKEN_CONFIRM : TOKEN_PROOF, &t, work_address(w),
			       &l->reply_to, NULL) != MD_OK)
		buf_adds(&l->reply_to, work_address(w));
	t.serial = epoch;
	rc = token_make_marker(keys, &t, &l->marker, err);
	if (rc == MD_OK && l->may_leave)
		rc = sign_mute(w, l, err);
	t.serial = serial;
	if (rc == MD_OK)
		rc = token_make_message_id(keys, &t, at ? at + 1 : "localhost", &l->message_id,
					   err);
	return rc;
}

static enum role role_of(const struct audience *to, int64_t user)
{
	enum role role = ROLE_CUSTOMER;

	for (size_t i = 0; i < to->n; i++)
		if (to->people[i].user_id == user && to->people[i].staff)
			role = role == ROLE_ADMIN || (to->people[i].roles & NOTICE_ADMIN)
				       ? ROLE_ADMIN
				       : ROLE_AGENT;
	return role;
}

static int letter_json(struct work *w, const struct audience *to, const struct letter *l,
		       struct buf *out, struct md_err *err)
{
	const struct notice_person *person;
	const struct letter_data data = {
		.event = l->event,
		.template = l->template,
		.to = l->to,
		.requester = reader_of(to, w->ticket.requester_id, &person),
		.assignee = reader_of(to, w->ticket.assignee_id, &person),
		.locale = work_mailbox(w)->locale,
		.from = work_address(w),
		.message_id = buf_str(&l->message_id),
		.reply_to = buf_str(&l->reply_to),
		.marker = buf_str(&l->marker),
		.to_user = l->user,
		.to_role = role_of(to, l->user),
		.mute = l->mute.len ? buf_str(&l->mute) : NULL,
	};

	return letter_data_write(w, &data, out, err);
}

/* ---- queueing ---- */

/* Reports of what became of a mail come back to an address that names it. */
static int set_envelope(struct work *w, const struct letter *l, struct outbox_row *o,
			struct buf *room, struct md_err *err)
{
	const struct conf_mailbox *mailbox = work_mailbox(w);
	struct token t = { .day = token_day(w->by->now_ms),
			   .ticket = w->ticket.id,
			   .user = l->user,
			   .serial = o->message_id };

	o->sender = mailbox->address;
	if (!mailbox->plus_addressing || !mailbox->verp ||
	    token_make_address(w->by->desk->token_keys, TOKEN_BOUNCE, &t, mailbox->address, room,
			       NULL) != MD_OK)
		return MD_OK;
	o->sender = buf_str(room);
	return room->status == MD_OK ? MD_OK : out_of_memory(err);
}

/* Time to think better of what one wrote. */
static int64_t hold_ms(const struct work *w, const struct work_event *event)
{
	bool own_words = strcmp(event->event, "public_reply") == 0 && (w->who & WHO_STAFF);

	return own_words ? w->by->desk->config->desk.undo_send_ms : 0;
}

static int queue(struct work *w, const struct audience *to, struct letter *l, struct md_err *err)
{
	const struct conf_mailbox *mailbox = work_mailbox(w);
	md_auto(buf_done) struct buf data = BUF_INIT(DATA_MAX);
	md_auto(buf_done) struct buf envelope = BUF_INIT(1000);
	struct message_row row = { .direction = "out",
				   .mailbox_id = w->ticket.mailbox_id,
				   .ticket_id = w->ticket.id,
				   .subject = w->ticket.title,
				   .from_address = work_address(w),
				   .kind = "normal",
				   .comment_id = l->event->comment,
				   .created_at = w->by->now_ms };
	struct outbox_row o = { .ticket_id = w->ticket.id,
				.user_id = l->user,
				.event = l->template,
				.smtp = mailbox->smtp,
				.subject_key = l->subject_key,
				.answers = l->subject_key && w->by->is_answer,
				.recipient = l->to->email,
				.state = "queued",
				.next_at = w->by->now_ms + hold_ms(w, l->event),
				.created_at = w->by->now_ms };
	int64_t id;
	int rc = sign(w, l, err);

	if (rc == MD_OK)
		rc = letter_json(w, to, l, &data, err);
	row.message_id = buf_str(&l->message_id);
	if (rc == MD_OK)
		rc = message_insert(w->c, &row, &o.message_id, err);
	if (rc == MD_OK && w->ticket.id)
		rc = thread_add(w->c, row.message_id, w->ticket.id, err);
	if (rc == MD_OK)
		rc = set_envelope(w, l, &o, &envelope, err);
	if (rc == MD_OK && l->event->confirmation)
		rc = confirmation_set_mail(w->c, l->event->confirmation, row.message_id, err);
	o.data = buf_str(&data);
	return rc == MD_OK ? outbox_add(w->c, &o, &id, err) : rc;
}

static int send_notice(struct work *w, const struct audience *to, const struct work_event *event,
		       size_t index, const struct notice *notice, struct md_err *err)
{
	const struct notice_person *person = NULL;
	struct letter l = { .event = event,
			    .template = notice->template,
			    .to = reader_of(to, notice->user_id, &person),
			    .user = notice->user_id,
			    .index = index,
			    .message_id = BUF_INIT(1000),
			    .reply_to = BUF_INIT(1000),
			    .marker = BUF_INIT(1000),
			    .mute = BUF_INIT(1000) };
	/* an agent's own words are none; what a customer wrote is passed on by a machine */
	bool automatic = strcmp(event->event, "public_reply") != 0 || !(w->who & WHO_STAFF);
	bool may = true, waits = false;
	int rc = MD_OK;

	l.may_leave = w->ticket.id && !event->confirmation && !person->staff &&
		      (person->roles & NOTICE_ON_TICKET);
	/* Robots get no answer, an agent's neither; what a robot wrote is not passed on to
	 * customers. */
	if (automatic && person->is_actor && (w->by->automatic || w->by->no_answer))
		return MD_OK;
	if (automatic && !person->staff && w->by->automatic)
		return MD_OK;
	if (notice->may_wait && w->ticket.id) {
		rc = work_collect(w,
				  &(struct collected){ .event = event,
						       .template = l.template,
						       .to = l.to,
						       .user = l.user,
						       .staff = person->staff,
						       .not_before_ms =
							       w->by->now_ms + hold_ms(w, event) },
				  &waits, err);
		if (rc != MD_OK || waits)
			return rc;
	}
	if (automatic)
		rc = work_within_caps(w,
				      &(struct letter_data){ .template = l.template, .to = l.to },
				      person->staff, &l.subject_key, &may, err);
	if (rc == MD_OK && may)
		rc = queue(w, to, &l, err);
	buf_done(&l.message_id);
	buf_done(&l.reply_to);
	buf_done(&l.marker);
	buf_done(&l.mute);
	return rc;
}

static enum notice_event notice_of(const char *name)
{
	int e = 0;

	while (e < NOTICE_EVENT_COUNT && strcmp(notice_event_names[e], name) != 0)
		e++;
	return (enum notice_event)e;
}

/* A change of status is told once, when it ends the matter, and not beside a reply that says more.
 */
static bool is_worth_telling(const struct work *w, size_t index)
{
	const struct workflow_status *status;

	if (strcmp(w->events[index].event, "status_changed") != 0)
		return true;
	status = workflow_status(w->by->desk->workflow, w->ticket.status);
	if (status->phase != PHASE_RESOLVED && status->phase != PHASE_CLOSED)
		return false;
	for (size_t i = 0; i < w->n_events; i++)
		if (strcmp(w->events[i].event, "public_reply") == 0 ||
		    (i > index && strcmp(w->events[i].event, "status_changed") == 0))
			return false;
	return true;
}

/* By the step of an escalation, else by the configuration, else by default. */
static size_t decide(const struct work *w, const struct work_event *e, const struct audience *to,
		     struct notice *ret)
{
	enum notice_event event = notice_of(e->event);
	struct notice_choice choice = w->by->desk->choices[event];

	if (e->audience) {
		choice.is_made = true;
		choice.roles = e->audience;
	}
	choice.limits_mentions = w->by->desk->choices[NOTICE_MENTION].is_made;
	choice.mention_roles = w->by->desk->choices[NOTICE_MENTION].roles;
	return notice_decide_for(event, &choice, to->people, to->n, ret);
}

int work_queue_notices(struct work *w, struct md_err *err)
{
	struct audience to = { 0 };
	struct notice *notices;
	int rc;

	if (w->by->silent || w->n_events == 0)
		return MD_OK;
	rc = gather(w, &to, err);
	if (rc != MD_OK)
		return rc;
	notices = arena_array(w->arena, to.n, sizeof *notices);
	if (!notices)
		return out_of_memory(err);
	for (size_t i = 0; i < w->n_events && rc == MD_OK; i++) {
		size_t n = 0;

		rc = mark_mentioned(w, &to, &w->events[i], err);
		if (rc == MD_OK && is_worth_telling(w, i))
			n = decide(w, &w->events[i], &to, notices);
		for (size_t k = 0; k < n && rc == MD_OK; k++)
			rc = send_notice(w, &to, &w->events[i], i, &notices[k], err);
	}
	return rc;
}
