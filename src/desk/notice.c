#include <maildesk/desk/notice.h>

const char *const notice_event_names[NOTICE_EVENT_COUNT] = {
	[NOTICE_CREATED] = "created",
	[NOTICE_PUBLIC_REPLY] = "public_reply",
	[NOTICE_INTERNAL_NOTE] = "internal_note",
	[NOTICE_ASSIGNED] = "assigned",
	[NOTICE_STATUS_CHANGED] = "status_changed",
	[NOTICE_SLA_WARNING] = "sla_warning",
	[NOTICE_SLA_BREACH] = "sla_breach",
	[NOTICE_ESCALATED] = "escalated",
	[NOTICE_REMINDER] = "reminder",
	[NOTICE_TRANSCRIPT] = "transcript",
	[NOTICE_UNVERIFIED] = "unverified",
	[NOTICE_MERGED] = "merged",
	[NOTICE_TAMPERED] = "tampered",
	[NOTICE_ALARM] = "alarm",
	[NOTICE_MAILBOX_ALARM] = "mailbox_alarm",
	[NOTICE_UNDELIVERED] = "undelivered",
	[NOTICE_MENTION] = "mentioned",
	[NOTICE_CONFIRMATION] = "confirmation",
	[NOTICE_CONFIRMATION_EXPIRED] = "confirmation_expired",
	[NOTICE_TOO_LARGE] = "too_large",
};

enum flag {
	STAFF_ONLY = 1 << 0,
	COPY = 1 << 1,   /* carries a text that people in To and Cc have */
	ACTOR = 1 << 2,  /* goes to whoever caused it, too */
	ALWAYS = 1 << 3, /* muting the ticket does not stop it */
	WAITS = 1 << 4,  /* may be told later, with others */
};
enum { GROUPS = 3 };

/* An event may have several rows; the first that has a user decides what they get. Of the groups of
 * a row the first counts in which anybody can be reached. */
static const struct rule {
	enum notice_event event;
	const char *template;
	unsigned group[GROUPS]; /* roles */
	unsigned flags;
	unsigned mine; /* of roles that were chosen, those that this row tells; 0: all */
} rules[] = {
	{ NOTICE_CREATED, "created", { NOTICE_REQUESTER }, ACTOR | WAITS, NOTICE_REQUESTER },
	{ NOTICE_CREATED,
	  "created_agent",
	  { NOTICE_TEAM, NOTICE_AGENT },
	  STAFF_ONLY | COPY | WAITS,
	  ~(unsigned)NOTICE_REQUESTER },
	{ NOTICE_PUBLIC_REPLY,
	  "public_reply",
	  { NOTICE_REQUESTER | NOTICE_PARTICIPANT | NOTICE_ASSIGNEE | NOTICE_WATCHER },
	  COPY | WAITS,
	  0 },
	{ NOTICE_INTERNAL_NOTE,
	  "mentioned",
	  { NOTICE_MENTIONED },
	  STAFF_ONLY | COPY | WAITS,
	  NOTICE_MENTIONED },
	{ NOTICE_INTERNAL_NOTE,
	  "internal_note",
	  { NOTICE_ASSIGNEE | NOTICE_WATCHER },
	  STAFF_ONLY | COPY | WAITS,
	  0 },
	{ NOTICE_ASSIGNED, "assigned", { NOTICE_ASSIGNEE }, STAFF_ONLY | WAITS, 0 },
	{ NOTICE_STATUS_CHANGED, "status_changed", { NOTICE_REQUESTER }, WAITS, 0 },
	{ NOTICE_MERGED, "merged", { NOTICE_REQUESTER }, WAITS, 0 },
	{ NOTICE_SLA_WARNING,
	  "sla_warning",
	  { NOTICE_ASSIGNEE, NOTICE_TEAM, NOTICE_ADMIN },
	  STAFF_ONLY,
	  0 },
	{ NOTICE_SLA_BREACH,
	  "sla_breach",
	  { NOTICE_ASSIGNEE, NOTICE_TEAM, NOTICE_ADMIN },
	  STAFF_ONLY,
	  0 },
	{ NOTICE_ESCALATED,
	  "escalated",
	  { NOTICE_ASSIGNEE, NOTICE_TEAM, NOTICE_ADMIN },
	  STAFF_ONLY,
	  0 },
	{ NOTICE_REMINDER, "reminder", { NOTICE_REQUESTER }, WAITS, 0 },
	{ NOTICE_UNDELIVERED,
	  "undelivered",
	  { NOTICE_ASSIGNEE, NOTICE_TEAM, NOTICE_AGENT | NOTICE_ADMIN },
	  STAFF_ONLY | WAITS,
	  0 },
	{ NOTICE_TRANSCRIPT, "transcript", { NOTICE_SENDER }, ACTOR | ALWAYS, 0 },
	{ NOTICE_UNVERIFIED, "unverified", { NOTICE_SENDER }, STAFF_ONLY | ACTOR | ALWAYS, 0 },
	{ NOTICE_CONFIRMATION, "confirmation", { NOTICE_SENDER }, ACTOR | ALWAYS, 0 },
	{ NOTICE_CONFIRMATION_EXPIRED,
	  "confirmation_expired",
	  { NOTICE_SENDER },
	  ACTOR | ALWAYS,
	  0 },
	{ NOTICE_TOO_LARGE, "created", { NOTICE_SENDER }, ACTOR | ALWAYS, 0 }, /* acknowledges it */
	{ NOTICE_TAMPERED, "tampered", { NOTICE_ASSIGNEE }, STAFF_ONLY, 0 },
	{ NOTICE_MAILBOX_ALARM, "mailbox_alarm", { NOTICE_ADMIN }, STAFF_ONLY | ACTOR | ALWAYS, 0 },
	{ NOTICE_ALARM, "alarm", { NOTICE_ADMIN }, STAFF_ONLY | ACTOR | ALWAYS, 0 },
};

/* The strongest role first. */
static const struct {
	unsigned role;
	const char *name;
} reasons[] = {
	{ NOTICE_SENDER, "sender" },       { NOTICE_MENTIONED, "mentioned" },
	{ NOTICE_REQUESTER, "requester" }, { NOTICE_ASSIGNEE, "assignee" },
	{ NOTICE_WATCHER, "watcher" },     { NOTICE_PARTICIPANT, "participant" },
	{ NOTICE_TEAM, "team" },           { NOTICE_AGENT, "agent" },
	{ NOTICE_ADMIN, "admin" },
};

/* All that is known of a user, from all their entries; staff only if every one says so. */
static struct notice_person whole_person(const struct notice_person *people, size_t n,
					 int64_t user_id)
{
	struct notice_person p = { .user_id = user_id, .staff = true };

	for (size_t i = 0; i < n; i++) {
		if (people[i].user_id != user_id)
			continue;
		p.roles |= people[i].roles;
		p.staff = p.staff && people[i].staff;
		p.muted = p.muted || people[i].muted;
		p.has_mail = p.has_mail || people[i].has_mail;
		p.is_actor = p.is_actor || people[i].is_actor;
		p.undeliverable = p.undeliverable || people[i].undeliverable;
	}
	return p;
}

static bool can_reach(const struct rule *r, const struct notice_person *p, unsigned group)
{
	return (p->roles & group) && !p->undeliverable && (p->staff || !(r->flags & STAFF_ONLY));
}

static unsigned choose_group(const struct rule *r, const struct notice_person *people, size_t n)
{
	for (size_t g = 0; g < GROUPS; g++)
		for (size_t i = 0; i < n && r->group[g]; i++) {
			struct notice_person p = whole_person(people, n, people[i].user_id);

			if (can_reach(r, &p, r->group[g]))
				return r->group[g];
		}
	return 0;
}

static bool wants(const struct rule *r, const struct notice_person *p)
{
	return (!p->is_actor || (r->flags & ACTOR)) && (!p->muted || (r->flags & ALWAYS)) &&
	       (!p->has_mail || !(r->flags & COPY));
}

/* Somebody named in a note, by the choice for that. */
static bool is_mentionable(const struct rule *r, const struct notice_choice *choice,
			   const struct notice_person *p)
{
	return r->mine != NOTICE_MENTIONED || !choice->limits_mentions ||
	       (p->roles & choice->mention_roles);
}

static bool is_told(const struct notice *told, size_t n, int64_t user_id)
{
	for (size_t i = 0; i < n; i++)
		if (told[i].user_id == user_id)
			return true;
	return false;
}

static const char *reason_of(unsigned roles)
{
	size_t i = 0;

	while (!(reasons[i].role & roles))
		i++;
	return reasons[i].name;
}

/* Whom a row tells. */
static unsigned group_of(const struct rule *r, const struct notice_choice *choice,
			 const struct notice_person *people, size_t n)
{
	if (!choice->is_made || r->mine == NOTICE_MENTIONED)
		return choose_group(r, people, n);
	return r->mine ? choice->roles & r->mine : choice->roles;
}

size_t notice_decide(enum notice_event event, const struct notice_person *people, size_t n,
		     struct notice *ret)
{
	return notice_decide_for(event, &(struct notice_choice){ 0 }, people, n, ret);
}

size_t notice_decide_for(enum notice_event event, const struct notice_choice *choice,
			 const struct notice_person *people, size_t n, struct notice *ret)
{
	size_t told = 0;

	for (size_t r = 0; r < sizeof rules / sizeof *rules; r++) {
		unsigned group =
			rules[r].event == event ? group_of(&rules[r], choice, people, n) : 0;

		for (size_t i = 0; i < n && group; i++) {
			struct notice_person p = whole_person(people, n, people[i].user_id);

			p.is_actor = p.is_actor && !choice->own_actions;
			if (can_reach(&rules[r], &p, group) && wants(&rules[r], &p) &&
			    is_mentionable(&rules[r], choice, &p) && !is_told(ret, told, p.user_id))
				ret[told++] = (struct notice){ .user_id = p.user_id,
							       .template = rules[r].template,
							       .reason = reason_of(p.roles & group),
							       .may_wait = (rules[r].flags &
									    WAITS) != 0 };
		}
	}
	return told;
}

bool notice_may_choose(enum notice_event event)
{
	if (event == NOTICE_MENTION)
		return true;
	for (size_t r = 0; r < sizeof rules / sizeof *rules; r++)
		if (rules[r].event == event)
			return !(rules[r].group[0] & NOTICE_SENDER);
	return false;
}
