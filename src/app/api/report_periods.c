/* Local days, weeks and months, by the zone of the desk. */
#include "reports_private.h"

#include <stdlib.h>
#include <string.h>

/* The first local day of the period that day is in (days since 1970; the first was a Thursday). */
static int64_t first_day(enum period period, int64_t day)
{
	char date[TIME_TEXT_MAX];

	if (period == WEEK)
		return day - (day + 3) % 7;
	if (period != MONTH)
		return day;
	time_format(day * DAY_MS, 0, date);
	return day - (strtol(date + 8, NULL, 10) - 1);
}

static int64_t next_period(enum period period, int64_t first)
{
	return period == MONTH ? first_day(MONTH, first + 31) : first + (period == WEEK ? 7 : 1);
}

static int64_t local_day(const struct report *p, int64_t ms)
{
	int64_t offset = tz_offset(p->api->zone.tz, ms / 1000, NULL);

	return (ms + offset * 1000) / DAY_MS;
}

const char *report_label(const struct report *p, int64_t day)
{
	char date[TIME_TEXT_MAX];

	time_format(day * DAY_MS, 0, date);
	date[p->period == MONTH ? 7 : 10] = '\0';
	return arena_strdup(p->q->arena, date);
}

static bool same_metric(const struct report_row *a, const struct report_row *b)
{
	return !a->metric || strcmp(a->metric, b->metric) == 0;
}

int report_fold(struct report *p, struct md_err *err)
{
	struct report_row *out = arena_array(p->q->arena, p->n + 1, sizeof *out);
	size_t n = 0;

	if (!out)
		return md_fail(err, MD_NOMEM, 0, "out of memory");
	for (size_t i = 0; i < p->n; i++) {
		struct report_row row = p->rows[i];
		size_t k = n;

		row.key = first_day(p->period, local_day(p, row.key * REPORT_QUARTER_MS));
		while (k > 0 && out[k - 1].key >= row.key &&
		       !(out[k - 1].key == row.key && same_metric(&row, &out[k - 1])))
			k--;
		if (k > 0 && out[k - 1].key == row.key && same_metric(&row, &out[k - 1])) {
			for (size_t v = 0; v < MD_COUNT(row.values); v++)
				out[k - 1].values[v] += row.values[v];
			continue;
		}
		out[n++] = row;
	}
	p->rows = out;
	p->n = n;
	return MD_OK;
}

int64_t report_day_start(const struct report *p, int64_t day)
{
	int64_t utc_s = day * DAY_MS / 1000;
	int64_t near_s = utc_s - tz_offset(p->api->zone.tz, utc_s, NULL);

	return (utc_s - tz_offset(p->api->zone.tz, near_s, NULL)) * 1000;
}

int report_count_periods(struct report *p, struct db_conn *c, struct md_err *err)
{
	int64_t *bounds = arena_array(p->q->arena, REPORT_DAYS_MAX + 3, sizeof *bounds);
	int64_t first = first_day(p->period, local_day(p, p->range.from_ms)), day = first;
	int rc;

	if (!bounds)
		return md_fail(err, MD_NOMEM, 0, "out of memory");
	bounds[0] = p->range.from_ms;
	for (p->n = 0; bounds[p->n] < p->range.to_ms && p->n < REPORT_DAYS_MAX + 2;) {
		int64_t end;

		day = next_period(p->period, day);
		end = report_day_start(p, day);
		bounds[++p->n] = end < p->range.to_ms ? end : p->range.to_ms;
	}
	rc = report_periods(c, bounds, p->n, p->q->arena, &p->rows, err);
	for (size_t i = 0; rc == MD_OK && i < p->n; i++, first = next_period(p->period, first))
		p->rows[i].key = first;
	return rc;
}
