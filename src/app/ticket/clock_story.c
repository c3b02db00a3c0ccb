#include <maildesk/app/clock_story.h>

#include "ticket_priv.h"

#include <string.h>

struct teller {
	const struct desk *d;
	struct arena *arena;
	struct clock_story *story;
	size_t room;
};

/* The words are in the ledger, which outlives the program that wrote them. */
const char *clock_line_code(const char *why, const char **ret_about)
{
	static const struct {
		const char *begin, *code;
	} words[] = {
		{ "open hours of calendar", "open_then" },
		{ "open", "open" },
		{ "outside hours", "outside_hours" },
		{ "closed", "closed" },
		{ "paused", "paused" },
		{ "stopped", "stopped" },
	};
	const char *colon = strstr(why, ": ");

	*ret_about = NULL;
	for (size_t i = 0; i < MD_COUNT(words); i++)
		if (strncmp(why, words[i].begin, strlen(words[i].begin)) == 0) {
			*ret_about = colon ? colon + 2 : NULL;
			return words[i].code;
		}
	return NULL;
}

/* As it was then. */
static const struct calendar *calendar_named(const struct desk *d, const char *title, int64_t at_ms)
{
	const struct sla_version *v = desk_sla_at(d, at_ms);

	if (v && v->n_policies)
		return sla_version_calendar(v, title);
	for (size_t i = 0; i < d->config->n_calendars; i++)
		if (strcmp(d->config->calendars[i].title, title) == 0)
			return &d->calendars[i];
	return &calendar_24x7;
}

/* One that goes on for the same reason is one line. */
static int add_line(struct teller *t, struct clock_line line, struct md_err *err)
{
	struct clock_story *s = t->story;
	struct clock_line *last = s->n_lines ? &s->lines[s->n_lines - 1] : NULL;

	if (line.to_ms <= line.from_ms)
		return MD_OK;
	if (last && last->counted == line.counted && strcmp(last->why, line.why) == 0) {
		last->to_ms = line.to_ms;
		return MD_OK;
	}
	if (s->n_lines == t->room) {
		struct clock_line *more = arena_array(t->arena, t->room * 2 + 8, sizeof *more);

		if (!more)
			return md_fail(err, MD_NOMEM, 0, "out of memory");
		if (s->n_lines)
			memcpy(more, s->lines, s->n_lines * sizeof *more);
		s->lines = more;
		t->room = t->room * 2 + 8;
	}
	s->lines[s->n_lines++] = line;
	return MD_OK;
}

static int add_hours(struct teller *t, const struct calendar *c, int64_t from_ms, int64_t to_ms,
		     struct md_err *err)
{
	struct calendar_stretch g;
	char why[CALENDAR_WHY_MAX];
	int rc = MD_OK;

	for (int64_t at = from_ms; rc == MD_OK && calendar_stretch(c, at, to_ms, &g);
	     at = g.to_ms) {
		const char *text = g.why == CALENDAR_CLOSED
					   ? arena_strdup(t->arena, calendar_why(&g, why))
				   : g.why == CALENDAR_OPEN ? "open"
							    : "outside hours";

		rc = text ? add_line(t,
				     (struct clock_line){ g.from_ms, g.to_ms,
							  g.why == CALENDAR_OPEN, text },
				     err)
			  : md_fail(err, MD_NOMEM, 0, "out of memory");
	}
	return rc;
}

static int add_running(struct teller *t, const char *calendar, int64_t from_ms, int64_t to_ms,
		       int64_t used_ms, struct md_err *err)
{
	const struct calendar *c = calendar_named(t->d, calendar, from_ms);
	const char *why;

	if (calendar_used(c, from_ms, to_ms) == used_ms)
		return add_hours(t, c, from_ms, to_ms, err);
	/* First what counted, as one piece: where it lay is not known any more. */
	why = arena_printf(t->arena, "open hours of calendar \"%s\" as it was then", calendar);
	if (!why)
		return md_fail(err, MD_NOMEM, 0, "out of memory");
	if (used_ms > to_ms - from_ms)
		used_ms = to_ms - from_ms;
	if (add_line(t, (struct clock_line){ from_ms, from_ms + used_ms, true, why }, err) != MD_OK)
		return MD_NOMEM;
	return add_line(t, (struct clock_line){ from_ms + used_ms, to_ms, false, "outside hours" },
			err);
}

/* From the last stretch of the ledger to now. */
static int add_present(struct teller *t, const struct ticket *ticket, int64_t from_ms,
		       int64_t now_ms, struct md_err *err)
{
	const struct clock_row *row = &t->story->row;
	const struct sla_policy *p = work_policy(t->d, row->policy);
	const struct calendar *c = &calendar_24x7;
	enum sla_metric metric = SLA_FIRST_RESPONSE;
	const char *why;

	while (metric < SLA_METRIC_COUNT - 1 && strcmp(sla_metric_names[metric], row->metric) != 0)
		metric++;
	if (strcmp(row->state, sla_state_names[SLA_RUNNING]) == 0) {
		if (p)
			c = p->goal[metric].calendar;
		t->story->used_ms += calendar_used(c, from_ms, now_ms);
		return add_hours(t, c, from_ms, now_ms, err);
	}
	if (strcmp(row->state, sla_state_names[SLA_PAUSED]) != 0)
		return MD_OK;
	why = work_clock_why(t->d, ticket, p, metric, t->arena);
	if (!why)
		return md_fail(err, MD_NOMEM, 0, "out of memory");
	return add_line(t, (struct clock_line){ from_ms, now_ms, false, why }, err);
}

static int tell(struct teller *t, struct db_conn *c, const struct ticket *ticket, int64_t now_ms,
		struct md_err *err)
{
	struct clock_story *story = t->story;
	int64_t from = story->row.started_at, used = 0;
	struct clock_stretch *s = NULL;
	size_t n = 0;
	int rc = clock_stretches(c, story->row.id, t->arena, &s, &n, err);

	for (size_t i = 0; i < n && rc == MD_OK; i++) {
		if (strcmp(s[i].state, sla_state_names[SLA_RUNNING]) == 0)
			rc = add_running(t, s[i].calendar, from, s[i].to_at, s[i].used_ms - used,
					 err);
		else
			rc = add_line(t,
				      (struct clock_line){ from, s[i].to_at, false,
							   s[i].why ? s[i].why : s[i].state },
				      err);
		from = s[i].to_at;
		used = s[i].used_ms;
	}
	story->used_ms = story->row.used_ms;
	if (rc == MD_OK)
		rc = add_present(t, ticket, from, now_ms, err);
	story->rest_ms = story->row.target_ms - story->used_ms;
	if (story->rest_ms < 0)
		story->rest_ms = 0;
	return rc;
}

int clock_stories(const struct desk *d, struct db_conn *c, const struct ticket *t, int64_t now_ms,
		  struct arena *a, struct clock_story **ret, size_t *ret_n, struct md_err *err)
{
	struct clock_row *rows = NULL;
	struct clock_story *all;
	size_t n = 0;
	int rc = clock_ledger(c, t->id, a, &rows, &n, err);

	if (rc != MD_OK)
		return rc;
	all = arena_array(a, n ? n : 1, sizeof *all);
	if (!all)
		return md_fail(err, MD_NOMEM, 0, "out of memory");
	for (size_t i = 0; i < n && rc == MD_OK; i++) {
		struct teller teller = { .d = d, .arena = a, .story = &all[i] };

		all[i].row = rows[i];
		rc = tell(&teller, c, t, now_ms, err);
	}
	*ret = all;
	*ret_n = n;
	return rc;
}
