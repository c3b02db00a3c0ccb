/* Calendars and targets as they were: what a clock has used counts by the calendar valid then, even
 * when the configuration has another one since (sla.md, "Clocks").
 *
 * A daemon that begins with other calendars or targets than the last one had writes them down, with
 * the time. A clock's row says by which it was settled last; when that is an older one, it is
 * settled up to the change by what was valid then, and goes on by what is valid now (clocks.c). */
#include <maildesk/app/zone.h>
#include <maildesk/base/json.h>
#include <maildesk/base/log.h>
#include <maildesk/store/sla_versions.h>

#include "desk_private.h"

#include <jansson.h>
#include <string.h>

enum { VERSIONS_MAX = 50, TEXT_MAX = 16 << 20, DEPTH = 16 };

/* ---- writing ---- */

static json_t *hours_json(const struct calendar_hours *h)
{
	json_t *all = json_array();

	for (size_t i = 0; i < h->n; i++) {
		json_array_append_new(all, json_integer(h->window[i].from));
		json_array_append_new(all, json_integer(h->window[i].to));
	}
	return all;
}

static json_t *calendar_json(const struct conf_calendar *from, const struct calendar *c)
{
	json_t *week = json_array(), *dates = json_array();

	for (size_t i = 0; i < 7; i++)
		json_array_append_new(week, hours_json(&c->week[i]));
	for (size_t i = 0; i < c->dates; i++)
		json_array_append_new(dates, json_pack("{s:I, s:b, s:s, s:o}", "day",
						       (json_int_t)c->date[i].day, "special",
						       c->date[i].special, "name", c->date[i].name,
						       "hours", hours_json(&c->date[i].hours)));
	return json_pack("{s:s, s:s, s:o, s:o}", "title", from->title, "timezone", from->timezone,
			 "week", week, "dates", dates);
}

static json_t *goal_json(const struct conf_sla *s, size_t metric, const struct sla_goal *g)
{
	json_t *targets = json_array(), *warn = json_array(), *pauses = json_array();

	for (size_t i = 0; i < SLA_PRIORITIES; i++)
		json_array_append_new(targets, json_integer(g->target_ms[i]));
	for (size_t i = 0; i < g->warnings; i++)
		json_array_append_new(warn, json_integer(g->warn[i]));
	for (size_t i = 0; i < g->pauses.n; i++)
		json_array_append_new(pauses, json_string(g->pauses.v[i]));
	return json_pack("{s:o, s:s, s:o, s:o}", "targets", targets, "calendar",
			 s->calendars[metric], "warn", warn, "pauses", pauses);
}

static json_t *policy_json(const struct conf_sla *s, const struct sla_policy *p)
{
	json_t *goals = json_array();

	for (size_t m = 0; m < SLA_METRIC_COUNT; m++)
		json_array_append_new(goals, goal_json(s, m, &p->goal[m]));
	return json_pack("{s:s, s:o}", "name", p->name, "goals", goals);
}

static int define(const struct desk *d, struct buf *out, struct md_err *err)
{
	json_t *calendars = json_array(), *policies = json_array();
	md_auto(json_decref_p) json_t *all = NULL;

	for (size_t i = 0; i < d->config->n_calendars; i++)
		json_array_append_new(calendars,
				      calendar_json(&d->config->calendars[i], &d->calendars[i]));
	for (size_t i = 0; i < d->n_policies; i++)
		json_array_append_new(policies, policy_json(&d->config->slas[i], &d->policies[i]));
	all = json_pack("{s:o, s:o}", "calendars", calendars, "policies", policies);
	if (all)
		json_write(out, all);
	return all && out->status == MD_OK ? MD_OK
					   : md_fail(err, MD_NOMEM, 0, "calendars: out of memory");
}

/* ---- reading ---- */

static void read_hours(const json_t *j, struct calendar_hours *to)
{
	size_t n = json_array_size(j) / 2;

	to->n = (uint16_t)(n < CALENDAR_WINDOWS ? n : CALENDAR_WINDOWS);
	for (size_t i = 0; i < to->n; i++) {
		to->window[i].from = (uint16_t)json_integer_value(json_array_get(j, 2 * i));
		to->window[i].to = (uint16_t)json_integer_value(json_array_get(j, 2 * i + 1));
	}
}

static int read_calendar(struct arena *a, const json_t *j, struct sla_version *v, size_t at,
			 struct md_err *err)
{
	const json_t *dates = json_object_get(j, "dates");
	struct calendar *c = &v->calendars[at];
	int rc = zone_load(json_string_value(json_object_get(j, "timezone")), c, err);

	v->titles[at] = arena_strdup(a, json_string_value(json_object_get(j, "title")));
	for (size_t i = 0; i < 7; i++)
		read_hours(json_array_get(json_object_get(j, "week"), i), &c->week[i]);
	c->dates = 0;
	c->date = md_calloc(json_array_size(dates) + 1, sizeof *c->date); /* calendar_done() */
	if (!c->date || !v->titles[at])
		return md_fail(err, MD_NOMEM, 0, "calendars: out of memory");
	for (; c->dates < json_array_size(dates); c->dates++) {
		const json_t *from = json_array_get(dates, c->dates);
		struct calendar_date *d = &c->date[c->dates];
		const char *name = json_get_string(from, "name");

		d->day = json_integer_value(json_object_get(from, "day"));
		d->special = json_is_true(json_object_get(from, "special"));
		memcpy(d->name, name ? name : "", strnlen(name ? name : "", sizeof d->name - 1));
		read_hours(json_object_get(from, "hours"), &d->hours);
	}
	return rc;
}

const struct calendar *sla_version_calendar(const struct sla_version *v, const char *title)
{
	for (size_t i = 0; i < v->n_calendars; i++)
		if (strcmp(v->titles[i], title) == 0)
			return &v->calendars[i];
	return &calendar_24x7;
}

static void read_goal(const json_t *j, const struct sla_version *v, struct sla_goal *g)
{
	const json_t *warn = json_object_get(j, "warn");
	const char *calendar = json_get_string(j, "calendar");

	for (size_t i = 0; i < SLA_PRIORITIES; i++)
		g->target_ms[i] =
			json_integer_value(json_array_get(json_object_get(j, "targets"), i));
	for (; g->warnings < json_array_size(warn) && g->warnings < SLA_WARNINGS; g->warnings++)
		g->warn[g->warnings] =
			(uint8_t)json_integer_value(json_array_get(warn, g->warnings));
	g->calendar = sla_version_calendar(v, calendar ? calendar : "");
}

static int read_definition(struct arena *a, const json_t *j, struct sla_version *v,
			   struct md_err *err)
{
	const json_t *calendars = json_object_get(j, "calendars"),
		     *policies = json_object_get(j, "policies");
	size_t n = json_array_size(calendars);
	int rc = MD_OK;

	v->calendars = arena_array(a, n + 1, sizeof *v->calendars);
	v->titles = arena_array(a, n + 1, sizeof *v->titles);
	v->policies = arena_array(a, json_array_size(policies) + 1, sizeof *v->policies);
	if (!v->calendars || !v->titles || !v->policies)
		return md_fail(err, MD_NOMEM, 0, "calendars: out of memory");
	for (size_t i = 0; i < n && rc == MD_OK; i++) {
		v->n_calendars++;
		rc = read_calendar(a, json_array_get(calendars, i), v, i, err);
	}
	for (; v->n_policies < json_array_size(policies) && rc == MD_OK; v->n_policies++) {
		const json_t *from = json_array_get(policies, v->n_policies);
		struct sla_policy *p = &v->policies[v->n_policies];

		p->name = arena_strdup(a, json_string_value(json_object_get(from, "name")));
		for (size_t m = 0; m < SLA_METRIC_COUNT; m++)
			read_goal(json_array_get(json_object_get(from, "goals"), m), v,
				  &p->goal[m]);
		rc = p->name ? MD_OK : md_fail(err, MD_NOMEM, 0, "calendars: out of memory");
	}
	return rc;
}

/* One that cannot be read is like one that is not known. */
static int read_version(struct desk *d, const struct sla_version_row *row, struct sla_version *v,
			struct md_err *err)
{
	md_auto(json_decref_p) json_t *j = NULL;
	struct md_err why = { 0 };
	int rc = json_read(row->definition, strlen(row->definition), DEPTH, &j, &why);

	v->id = row->id;
	v->since_ms = row->since_at;
	if (rc == MD_OK)
		rc = read_definition(&d->arena, j, v, &why);
	if (rc == MD_NOMEM) {
		*err = why;
		return rc;
	}
	if (rc != MD_OK) {
		log_warn(NULL, "calendars and targets of before are not known: %s", why.text);
		v->n_policies = 0;
	}
	return MD_OK;
}

/* ---- of a desk ---- */

struct adopting {
	struct desk *d;
	struct arena arena;
	const char *definition;
	struct sla_version_row *rows;
	size_t n;
};

static int adopt(struct db_conn *c, void *ctx, struct md_err *err)
{
	struct adopting *g = ctx;
	int64_t id;
	int rc;

	arena_reset(&g->arena);
	rc = sla_version_list(c, VERSIONS_MAX, &g->arena, &g->rows, &g->n, err);
	if (rc != MD_OK || (g->n && strcmp(g->rows[0].definition, g->definition) == 0))
		return rc;
	rc = sla_version_add(c, g->definition, clock_wall(g->d->clock), &id, err);
	if (rc == MD_OK)
		rc = sla_version_list(c, VERSIONS_MAX, &g->arena, &g->rows, &g->n, err);
	return rc;
}

int desk_adopt_slas(struct desk *d, struct md_err *err)
{
	md_auto(buf_done) struct buf text = BUF_INIT(TEXT_MAX);
	struct adopting g = { .d = d, .arena = ARENA_INIT(VERSIONS_MAX * TEXT_MAX) };
	int rc = define(d, &text, err);

	g.definition = buf_str(&text);
	if (rc == MD_OK)
		rc = db_txn(d->db, adopt, &g, err);
	if (rc == MD_OK) {
		d->sla_versions = arena_array(&d->arena, g.n, sizeof *d->sla_versions);
		rc = d->sla_versions ? MD_OK : md_fail(err, MD_NOMEM, 0, "out of memory");
	}
	for (size_t i = 0; i < g.n && rc == MD_OK; i++) {
		d->n_sla_versions++;
		rc = read_version(d, &g.rows[i], &d->sla_versions[i], err);
	}
	if (rc == MD_OK)
		d->sla_version = g.rows[0].id;
	arena_done(&g.arena);
	return rc;
}

void desk_forget_slas(struct desk *d)
{
	for (size_t i = 0; i < d->n_sla_versions; i++)
		for (size_t k = 0; k < d->sla_versions[i].n_calendars; k++)
			calendar_done(&d->sla_versions[i].calendars[k]);
}

const struct sla_version *desk_sla_before(const struct desk *d, int64_t id, int64_t *ret_until_ms)
{
	/* the newest first: what came after it is in front of it */
	for (size_t i = 1; i < d->n_sla_versions; i++)
		if (d->sla_versions[i].id == id && d->sla_versions[i].n_policies) {
			*ret_until_ms = d->sla_versions[i - 1].since_ms;
			return &d->sla_versions[i];
		}
	return NULL;
}

const struct sla_version *desk_sla_at(const struct desk *d, int64_t at_ms)
{
	for (size_t i = 0; i < d->n_sla_versions; i++)
		if (d->sla_versions[i].since_ms <= at_ms)
			return &d->sla_versions[i];
	return NULL;
}
