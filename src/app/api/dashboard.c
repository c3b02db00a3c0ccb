/* The figures of the whole desk. They are shared by all who look and at most a few seconds old: a
 * board on the wall costs the same as ten. */
#include "api_private.h"

#include <maildesk/store/dashboard.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DAYS = 30, FRESH_MS = 5000 };
#define DAY_MS INT64_C(86400000)

static int by_value(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return x < y ? -1 : x > y;
}

/* Nearest rank, in seconds. */
static void show_percentiles(struct buf *out, const char *key, int64_t *values, size_t n)
{
	show_begin(out, key, '{');
	if (n) {
		qsort(values, n, sizeof *values, by_value);
		show_int(out, "p50", values[(n * 50 + 99) / 100 - 1] / 1000);
		show_int(out, "p90", values[(n * 90 + 99) / 100 - 1] / 1000);
	} else {
		show_null(out, "p50");
		show_null(out, "p90");
	}
	show_end(out, '}');
}

/* Every day of the period, also those on which nothing happened. */
static void show_days(struct buf *out, const char *key, const struct dashboard_key *days, size_t n,
		      int64_t first, int64_t last)
{
	size_t at = 0;

	show_begin(out, key, '[');
	for (int64_t day = first; day <= last; day++) {
		char date[TIME_TEXT_MAX];

		while (at < n && days[at].key < day)
			at++;
		time_format(day * DAY_MS, 0, date);
		date[10] = '\0';
		show_begin(out, NULL, '{');
		show_text(out, "day", date);
		show_int(out, "count", at < n && days[at].key == day ? days[at].n : 0);
		show_end(out, '}');
	}
	show_end(out, ']');
}

static void show_counts(struct api *api, struct buf *out, const struct dashboard *d)
{
	const struct workflow *wf = api->desk->workflow;

	show_begin(out, "by_status", '{');
	for (size_t i = 0; i < wf->status_count; i++) {
		int64_t n = 0;

		for (size_t k = 0; k < d->n_status; k++)
			if (strcmp(d->by_status[k].status, wf->statuses[i].name) == 0)
				n = d->by_status[k].n;
		show_int(out, wf->statuses[i].name, n);
	}
	show_end(out, '}');
	show_begin(out, "by_priority", '{');
	for (int64_t p = 0; p < CONF_PRIORITIES; p++) {
		int64_t n = 0;

		for (size_t k = 0; k < d->n_priority; k++)
			if (d->by_priority[k].key == p)
				n = d->by_priority[k].n;
		show_int(out, work_priority_name(p), n);
	}
	show_end(out, '}');
	show_begin(out, "by_assignee", '[');
	for (size_t i = 0; i < d->n_assignee; i++) {
		if (!d->by_assignee[i].key)
			continue;
		show_begin(out, NULL, '{');
		show_int(out, "id", d->by_assignee[i].key);
		show_text(out, "name", d->by_assignee[i].name);
		show_int(out, "count", d->by_assignee[i].n);
		show_end(out, '}');
	}
	show_end(out, ']');
	show_int(out, "unassigned", d->unassigned);
	show_int(out, "overdue", d->overdue);
	show_int(out, "breached", d->breached);
}

static int make_figures(struct api *api, struct http_request *q, struct buf *out,
			struct md_err *err)
{
	md_auto(db_read_done_p) struct db_conn *c = NULL;
	int64_t offset = (int64_t)tz_offset(api->zone.tz, q->now_ms / 1000, NULL) * 1000;
	int64_t today = (q->now_ms + offset) / DAY_MS, first = today - DAYS + 1;
	struct dashboard d;
	int rc = api_read(api, q, &c, err);

	if (rc == MD_OK)
		rc = dashboard_get(c, q->now_ms, first * DAY_MS - offset, offset, q->arena, &d,
				   err);
	if (rc != MD_OK)
		return rc;
	show_begin(out, NULL, '{');
	show_counts(api, out, &d);
	show_days(out, "created_by_day", d.created_by_day, d.n_created, first, today);
	show_days(out, "resolved_by_day", d.resolved_by_day, d.n_resolved, first, today);
	show_percentiles(out, "first_response", d.first_response_ms, d.n_first_response);
	show_percentiles(out, "resolution", d.resolution_ms, d.n_resolution);
	show_end(out, '}');
	return MD_OK;
}

int dashboard_show(void *ctx, struct http_request *q, struct http_response *r, struct md_err *err)
{
	struct api *api = ctx;
	int rc = MD_OK;

	if (!api_may(q, r, ACTION_SEE_CUSTOMERS))
		return MD_OK;
	pthread_mutex_lock(&api->figures_lock);
	if (api->figures.len == 0 || q->now_ms >= api->figures_at + FRESH_MS ||
	    q->now_ms < api->figures_at) {
		buf_reset(&api->figures);
		rc = make_figures(api, q, &api->figures, err);
		api->figures_at = q->now_ms;
		if (rc != MD_OK)
			buf_reset(&api->figures);
	}
	if (rc == MD_OK)
		buf_add(&r->body, api->figures.data, api->figures.len);
	pthread_mutex_unlock(&api->figures_lock);
	return rc;
}
