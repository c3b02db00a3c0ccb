/* Calendars and service levels: hours, dates, what refers to what, and policies that are never
 * reached. The metrics of a policy get here what they do not have of their own. */
#include "config_private.h"

#include <maildesk/app/holidays.h>
#include <maildesk/app/zone.h>
#include <maildesk/base/clock.h>
#include <maildesk/desk/calendar.h>
#include <maildesk/desk/notice.h>
#include <maildesk/desk/workflow.h>

#include <string.h>

#define ORIGIN CONF_ORIGIN

const struct conf_word conf_audiences[] = {
	{ "assignee", NOTICE_ASSIGNEE }, { "team", NOTICE_TEAM },    { "watchers", NOTICE_WATCHER },
	{ "agents", NOTICE_AGENT },      { "admins", NOTICE_ADMIN }, { NULL, 0 }
};

static const char *const priority_names[CONF_PRIORITIES] = { "low", "medium", "high", "critical" };

static bool holds(const struct conf_strs *list, const char *s)
{
	for (size_t i = 0; i < list->n; i++)
		if (strcmp(list->v[i], s) == 0)
			return true;
	return false;
}

static bool is_set(const struct conf_node *n, const char *section, size_t at)
{
	for (size_t i = 0; i < conf_key_count; i++)
		if (strcmp(conf_keys[i].section, section) == 0 && conf_keys[i].at == at)
			return n->set[i].line > 0;
	return false;
}

/* ---- calendars ---- */

/* Are its windows right? */
static bool check_week(struct conf_load *l, const struct conf_node *n, struct calendar *scratch)
{
	static const char *const days[7] = { "mon", "tue", "wed", "thu", "fri", "sat", "sun" };
	const struct conf_calendar *c = n->object;
	bool right = true;
	struct md_err err;

	for (size_t i = 0; i < 7; i++) {
		size_t at = offsetof(struct conf_calendar, hours) + i * sizeof c->hours[0];

		if (calendar_set_hours(scratch, days[i], c->hours[i].v, c->hours[i].n, &err) ==
		    MD_OK)
			continue;
		conf_error(l, conf_origin_of(n, "calendar", at), n, "%s", err.text);
		right = false;
	}
	return right;
}

static void check_specials(struct conf_load *l, const struct conf_node *calendar,
			   struct calendar *scratch)
{
	struct md_err err;

	for (struct conf_node *n = conf_next_node(l->nodes, "special"); n;
	     n = conf_next_node(n->next, "special")) {
		const struct conf_special *s = n->object;

		if (n->parent != calendar)
			continue;
		if (!*s->date)
			conf_error(l, n->origin, calendar, "special: date is missing");
		else if (calendar_add_holiday(scratch, s->date, NULL) == MD_OK &&
			 calendar_add_special(scratch, s->date, s->hours.v, s->hours.n, &err) !=
				 MD_OK)
			conf_error(l, ORIGIN(n, conf_special, "special", hours), n, "%s", err.text);
	}
}

static void check_holidays_file(struct conf_load *l, const struct conf_node *n,
				struct calendar *scratch)
{
	struct conf_calendar *c = n->object;
	struct conf_origin o = ORIGIN(n, conf_calendar, "calendar", holidays_file);
	size_t skipped = 0;
	struct md_err err;

	if (!*c->holidays_file)
		return;
	c->holidays_file = conf_beside(l, c->holidays_file);
	if (!c->holidays_file)
		return;
	if (holidays_load(c->holidays_file, scratch, &skipped, &err) != MD_OK)
		conf_error(l, o, n, "holidays_file: %s%s", err.text, conf_way_out(err.native));
	else if (skipped)
		conf_warning(l, o, n,
			     "holidays_file: %s: %zu events have a time of day: they are no "
			     "holidays, and passed over",
			     c->holidays_file, skipped);
}

void config_check_calendar(struct conf_load *l, struct conf_node *n)
{
	md_auto(calendar_done) struct calendar scratch = { 0 };
	struct conf_calendar *c = n->object;
	int64_t due_ms;
	bool right;

	if (*c->timezone == '\0')
		c->timezone = l->config->desk.timezone;
	if (strcmp(c->title, "24x7") == 0)
		conf_error(l, n->origin, n, "24x7 is built in: choose another title");
	right = check_week(l, n, &scratch);
	for (size_t i = 0; i < c->holidays.n; i++)
		calendar_add_holiday(&scratch, c->holidays.v[i], NULL);
	check_specials(l, n, &scratch);
	check_holidays_file(l, n, &scratch);
	/* a zone that is none is told where it stands */
	if (right && zone_load(c->timezone, &scratch, NULL) == MD_OK &&
	    !calendar_add(&scratch, clock_wall(&clock_system), 1, &due_ms))
		conf_warning(l, n->origin, n, "is never open: its targets never come due");
}

/* ---- which policy is a ticket's ---- */

/* Does every ticket with a value of `later` have one of `earlier`? Empty is any. */
static bool covers(const struct conf_strs *earlier, const struct conf_strs *later)
{
	if (earlier->n == 0)
		return true;
	for (size_t i = 0; i < later->n; i++)
		if (!holds(earlier, later->v[i]))
			return false;
	return later->n > 0;
}

/* Is there, of these mailbox and priority (NULL: a ticket of no mailbox), an earlier policy that
 * fits each ticket of this one? */
static const struct conf_node *taken_by(struct conf_load *l, const struct conf_node *n,
					const char *mailbox, const char *priority)
{
	const struct conf_sla *later = n->object;

	for (struct conf_node *o = conf_next_node(l->nodes, "sla"); o != n;
	     o = conf_next_node(o->next, "sla")) {
		const struct conf_sla *s = o->object;

		if ((s->mailboxes.n == 0 || (mailbox && holds(&s->mailboxes, mailbox))) &&
		    (s->priorities.n == 0 || holds(&s->priorities, priority)) &&
		    covers(&s->categories, &later->categories) && covers(&s->tags, &later->tags) &&
		    covers(&s->organisations, &later->organisations))
			return o;
	}
	return NULL;
}

/* Mailboxes and priorities are few and known: each pair is looked at. */
static void check_reachable(struct conf_load *l, const struct conf_node *n)
{
	const char *const *all = priority_names;
	const struct conf_sla *s = n->object;
	const struct conf_node *by = NULL;
	size_t mailboxes = s->mailboxes.n;

	for (size_t p = 0; p < CONF_PRIORITIES; p++) {
		if (s->priorities.n > 0 && !holds(&s->priorities, all[p]))
			continue;
		if (mailboxes == 0 && !(by = taken_by(l, n, NULL, all[p])))
			return;
		for (size_t m = 0; m < mailboxes; m++)
			if (!(by = taken_by(l, n, s->mailboxes.v[m], all[p])))
				return;
	}
	if (by)
		conf_warning(l, n->origin, n,
			     "is never reached: sla \"%s\" (%s:%d) fits every ticket of it",
			     *(const char **)by->object, by->origin.file, by->origin.line);
}

/* ---- what it does ---- */

static void check_calendar_name(struct conf_load *l, const struct conf_node *n, const char *section,
				size_t at, const char *title)
{
	if (*title && strcmp(title, "24x7") != 0)
		conf_check_reference(l, conf_origin_of(n, section, at), n, "calendar", "calendar",
				     title);
}

static void check_pauses(struct conf_load *l, const struct conf_node *n, const char *section,
			 size_t at, const struct conf_strs *pause)
{
	md_auto(buf_done) struct buf b = BUF_INIT(2000);
	const struct workflow *w = config_load_statuses(l, "\"", &b);

	for (size_t i = 0; w && i < pause->n; i++)
		if (!workflow_status(w, pause->v[i]))
			conf_error(l, conf_origin_of(n, section, at), n,
				   "pause = \"%.60s\": allowed: %s", pause->v[i], buf_str(&b));
}

/* Calendar and pauses of each metric: its own, or the policy's; a response pauses in none. */
static void check_metrics(struct conf_load *l, const struct conf_node *n)
{
	struct conf_sla *s = n->object;

	for (size_t m = 0; m < SLA_METRIC_COUNT; m++) {
		const char *section = sla_metric_names[m];
		size_t calendar = offsetof(struct conf_sla, calendars) + m * sizeof s->calendars[0];
		size_t pause = offsetof(struct conf_sla, pauses) + m * sizeof s->pauses[0];

		if (is_set(n, section, pause))
			check_pauses(l, n, section, pause, &s->pauses[m]);
		else if (m == SLA_UPDATE || m == SLA_RESOLUTION)
			s->pauses[m] = s->pause;
		if (*s->calendars[m])
			check_calendar_name(l, n, section, calendar, s->calendars[m]);
		else
			s->calendars[m] = s->calendar;
	}
}

static const int64_t *targets_of(const struct conf_sla *s, const char *metric)
{
	const int64_t *const targets[SLA_METRIC_COUNT] = { s->first_response_ms,
							   s->next_response_ms, s->update_ms,
							   s->resolution_ms };
	size_t m = 0;

	while (m < SLA_METRIC_COUNT - 1 && strcmp(sla_metric_names[m], metric) != 0)
		m++;
	return targets[m];
}

/* A clock stands still at a priority without target: raising to it would end the escalation. */
static void check_raised(struct conf_load *l, const struct conf_node *n, const struct conf_sla *s)
{
	const struct conf_escalation *e = n->object;
	const int64_t *target = e->metric ? targets_of(s, e->metric) : NULL;

	if (!target || !*e->priority)
		return;
	for (size_t i = 1; i < CONF_PRIORITIES; i++)
		if (target[i - 1] && !target[i]) {
			conf_warning(
				l, ORIGIN(n, conf_escalation, "escalate", priority), n,
				"priority = \"%s\": %s has no target for %s tickets: its clock "
				"stands still there",
				e->priority, e->metric, priority_names[i]);
			return;
		}
}

static void check_escalations(struct conf_load *l, const struct conf_node *sla)
{
	struct conf_sla *s = sla->object;
	size_t i = 0;

	for (struct conf_node *n = conf_next_node(l->nodes, "escalate"); n;
	     n = conf_next_node(n->next, "escalate")) {
		struct conf_escalation *e = n->object;

		if (n->parent != sla)
			continue;
		/* the array of them was made already */
		s->escalations[i++].tells_default =
			!is_set(n, "escalate", offsetof(struct conf_escalation, notify));
		check_raised(l, n, s);
		if (e->times > 1 && e->every_ms == 0)
			conf_error(l, ORIGIN(n, conf_escalation, "escalate", times), n,
				   "times = %lld: every is missing", (long long)e->times);
	}
	if (i > ESCALATION_STEPS)
		conf_error(l, sla->origin, sla, "allowed: up to %d escalate sections",
			   ESCALATION_STEPS);
}

static bool has_target(const struct conf_sla *s)
{
	for (size_t i = 0; i < CONF_PRIORITIES; i++)
		if (s->first_response_ms[i] || s->next_response_ms[i] || s->update_ms[i] ||
		    s->resolution_ms[i])
			return true;
	return false;
}

void config_check_sla(struct conf_load *l, struct conf_node *n)
{
	const struct conf_sla *s = n->object;

	check_calendar_name(l, n, "sla", offsetof(struct conf_sla, calendar), s->calendar);
	for (size_t i = 0; i < s->mailboxes.n; i++)
		conf_check_reference(l, ORIGIN(n, conf_sla, "sla", mailboxes), n, "mailboxes",
				     "mailbox", s->mailboxes.v[i]);
	for (size_t i = 0; i < s->categories.n; i++)
		if (l->config->desk.categories.n &&
		    !holds(&l->config->desk.categories, s->categories.v[i]))
			conf_error(l, ORIGIN(n, conf_sla, "sla", categories), n,
				   "categories = \"%.64s\": not one of desk.categories",
				   s->categories.v[i]);
	check_pauses(l, n, "sla", offsetof(struct conf_sla, pause), &s->pause);
	check_metrics(l, n);
	check_escalations(l, n);
	if (!has_target(s) && !l->incomplete)
		conf_warning(l, n->origin, n, "has no target: it does nothing");
	check_reachable(l, n);
}
