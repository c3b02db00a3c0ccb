/* The calendars and policies of a desk, from its configuration. */
#include "desk_private.h"

#include <maildesk/app/holidays.h>
#include <maildesk/app/zone.h>

#include <string.h>

static const char *const weekdays[7] = { "mon", "tue", "wed", "thu", "fri", "sat", "sun" };

static int load_dates(const struct conf_calendar *from, struct calendar *to, struct md_err *err)
{
	size_t skipped;
	int rc = MD_OK;

	for (size_t i = 0; i < from->holidays.n && rc == MD_OK; i++)
		rc = calendar_add_holiday(to, from->holidays.v[i], err);
	if (rc == MD_OK && *from->holidays_file)
		rc = holidays_load(from->holidays_file, to, &skipped, err);
	for (size_t i = 0; i < from->n_specials && rc == MD_OK; i++)
		rc = calendar_add_special(to, from->specials[i].date, from->specials[i].hours.v,
					  from->specials[i].hours.n, err);
	return rc;
}

static int load_calendar(const struct conf_calendar *from, struct calendar *to, struct md_err *err)
{
	int rc = zone_load(from->timezone, to, err);

	for (size_t i = 0; i < 7 && rc == MD_OK; i++)
		rc = calendar_set_hours(to, weekdays[i], from->hours[i].v, from->hours[i].n, err);
	if (rc == MD_OK)
		rc = load_dates(from, to, err);
	return rc == MD_OK ? rc : md_wrap(err, rc, "calendar \"%s\"", from->title);
}

static const struct calendar *find_calendar(const struct desk *d, const char *title)
{
	for (size_t i = 0; i < d->config->n_calendars; i++)
		if (strcmp(d->config->calendars[i].title, title) == 0)
			return &d->calendars[i];
	return &calendar_24x7;
}

static struct rec_strs strs(struct conf_strs from)
{
	return (struct rec_strs){ from.n, from.v };
}

static void fill_policy(const struct desk *d, const struct conf_sla *s, struct sla_policy *p)
{
	const int64_t *targets[SLA_METRIC_COUNT] = {
		[SLA_FIRST_RESPONSE] = s->first_response_ms,
		[SLA_NEXT_RESPONSE] = s->next_response_ms,
		[SLA_UPDATE] = s->update_ms,
		[SLA_RESOLUTION] = s->resolution_ms,
	};

	p->name = s->title;
	p->restarts = strcmp(s->reopen, "restart") == 0;
	p->match[SLA_BY_MAILBOX] = strs(s->mailboxes);
	p->match[SLA_BY_PRIORITY] = strs(s->priorities);
	p->match[SLA_BY_CATEGORY] = strs(s->categories);
	p->match[SLA_BY_TAG] = strs(s->tags);
	p->match[SLA_BY_ORGANISATION] = strs(s->organisations);
	for (size_t m = 0; m < SLA_METRIC_COUNT; m++) {
		struct sla_goal *g = &p->goal[m];

		memcpy(g->target_ms, targets[m], sizeof g->target_ms);
		g->calendar = find_calendar(d, s->calendars[m]);
		g->pauses = strs(s->pauses[m]);
		g->warnings = s->n_warn;
		for (size_t i = 0; i < s->n_warn; i++)
			g->warn[i] = (uint8_t)s->warn[i];
	}
}

static enum sla_metric metric_named(const char *name)
{
	int m = 0;

	while (m < SLA_METRIC_COUNT - 1 && strcmp(sla_metric_names[m], name) != 0)
		m++;
	return (enum sla_metric)m;
}

static void fill_steps(const struct conf_sla *s, struct escalation_steps *to)
{
	for (to->n = 0; to->n < s->n_escalations; to->n++) {
		const struct conf_escalation *e = &s->escalations[to->n];

		to->v[to->n] = (struct escalation_step){ .metric = metric_named(e->metric),
							 .after_ms = e->after_ms,
							 .every_ms = e->every_ms,
							 .times = (int)e->times,
							 .real = strcmp(e->time, "real") == 0 };
	}
}

int desk_load_slas(struct desk *d, struct md_err *err)
{
	const struct config *cf = d->config;
	int rc = MD_OK;

	d->calendars = arena_array(&d->arena, cf->n_calendars, sizeof *d->calendars);
	d->policies = arena_array(&d->arena, cf->n_slas, sizeof *d->policies);
	d->escalations = arena_array(&d->arena, cf->n_slas, sizeof *d->escalations);
	if (!d->calendars || !d->policies || !d->escalations)
		return md_fail(err, MD_NOMEM, 0, "out of memory");
	for (size_t i = 0; i < cf->n_calendars && rc == MD_OK; i++)
		rc = load_calendar(&cf->calendars[i], &d->calendars[i], err);
	d->n_policies = cf->n_slas;
	for (size_t i = 0; i < cf->n_slas; i++) {
		fill_policy(d, &cf->slas[i], &d->policies[i]);
		fill_steps(&cf->slas[i], &d->escalations[i]);
	}
	return rc;
}
