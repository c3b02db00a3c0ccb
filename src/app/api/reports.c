/* Reports, as JSON and as CSV. Rows are flat in both: a table of cells says what a row has. */
#include "api_private.h"

#include <maildesk/store/reports.h>

#include <stdlib.h>
#include <string.h>

enum { DEFAULT_DAYS = 30, DAYS_MAX = 3660, CELLS_MAX = 10, LABEL_MAX = 16 };
#define DAY_MS INT64_C(86400000)

enum period { NO_PERIOD, DAY, WEEK, MONTH };

static const struct {
	const char *name;
	enum report_group group;
	enum period period;
} groupings[] = {
	{ "day", REPORT_TIME, DAY },
	{ "week", REPORT_TIME, WEEK },
	{ "month", REPORT_TIME, MONTH },
	{ "agent", REPORT_AGENT, NO_PERIOD },
	{ "team", REPORT_TEAM, NO_PERIOD },
	{ "mailbox", REPORT_MAILBOX, NO_PERIOD },
	{ "priority", REPORT_PRIORITY, NO_PERIOD },
	{ "status", REPORT_STATUS, NO_PERIOD },
	{ "channel", REPORT_CHANNEL, NO_PERIOD },
	{ "category", REPORT_CATEGORY, NO_PERIOD },
	{ "organisation", REPORT_ORGANISATION, NO_PERIOD },
	{ "metric", REPORT_ALL, NO_PERIOD },
	{ "policy", REPORT_POLICY, NO_PERIOD },
};

struct report {
	struct api *api;
	struct http_request *q;
	struct http_response *r;
	const char *name, *grouping; /* "sla", "day" */
	enum report_group group;
	enum period period;
	struct report_range range;
	bool csv;
	struct report_row *rows;
	size_t n;
};

/* ---- cells ---- */

struct cell {
	const char *name;
	enum { CELL_TEXT, CELL_INT, CELL_SHARE } kind;
	const char *text;
	int64_t number; /* of a share: of `of`; -1: there is none */
	int64_t of;
};

/* A spreadsheet would take it for a formula (the apostrophe makes it text); else RFC 4180. */
static void csv_text(struct buf *out, const char *text)
{
	bool formula = *text && strchr("=+-@\t\r", *text);
	bool quoted = strpbrk(text, ",\"\r\n") != NULL;

	if (quoted)
		buf_addc(out, '"');
	if (formula)
		buf_addc(out, '\'');
	for (; *text; text++) {
		if (*text == '"')
			buf_addc(out, '"');
		buf_addc(out, *text);
	}
	if (quoted)
		buf_addc(out, '"');
}

static void csv_cell(struct buf *out, const struct cell *c)
{
	if (c->kind == CELL_TEXT && c->text)
		csv_text(out, c->text);
	else if (c->kind == CELL_INT && c->number >= 0)
		buf_addf(out, "%lld", (long long)c->number);
	else if (c->kind == CELL_SHARE && c->of)
		buf_addf(out, "%.4f", (double)c->number / (double)c->of);
}

static void json_cell(struct buf *out, const struct cell *c)
{
	if (c->kind == CELL_TEXT)
		show_text(out, c->name, c->text);
	else if (c->kind == CELL_INT ? c->number < 0 : !c->of)
		show_null(out, c->name);
	else if (c->kind == CELL_INT)
		show_int(out, c->name, c->number);
	else
		show_number(out, c->name, (double)c->number / (double)c->of);
}

static void begin_report(struct report *p, const struct cell *cells, size_t n)
{
	struct buf *out = &p->r->body;

	if (p->csv) {
		p->r->type = "text/csv; charset=utf-8";
		http_disposition(p->q, p->r, "attachment",
				 arena_printf(p->q->arena, "%s.csv", p->name));
		for (size_t i = 0; i < n; i++)
			buf_addf(out, "%s%s", i ? "," : "", cells[i].name);
		buf_adds(out, "\r\n");
		return;
	}
	show_begin(out, NULL, '{');
	show_time(out, "from", p->range.from_ms);
	show_time(out, "to", p->range.to_ms);
	show_text(out, "group", p->grouping);
	show_begin(out, "rows", '[');
}

static void add_row(struct report *p, const struct cell *cells, size_t n)
{
	struct buf *out = &p->r->body;

	if (p->csv) {
		for (size_t i = 0; i < n; i++) {
			if (i)
				buf_addc(out, ',');
			csv_cell(out, &cells[i]);
		}
		buf_adds(out, "\r\n");
		return;
	}
	show_begin(out, NULL, '{');
	for (size_t i = 0; i < n; i++)
		json_cell(out, &cells[i]);
	show_end(out, '}');
}

static void end_report(struct report *p)
{
	if (p->csv)
		return;
	show_end(&p->r->body, ']');
	show_end(&p->r->body, '}');
}

/* ---- periods ---- */

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

static const char *label(const struct report *p, int64_t day)
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

/* Quarters of an hour become periods: rows of one period and metric are added up. */
static int fold(struct report *p, struct md_err *err)
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

/* ---- what was asked for ---- */

static bool bad(struct report *p, const char *name, const char *why)
{
	http_refuse(p->q, p->r, 400, "invalid_parameter", "the query cannot be used");
	http_refuse_field(p->r, name, why);
	return false;
}

/* `allowed`: groupings of this report. False: the answer is written. */
static bool read_query(struct report *p, const char *otherwise)
{
	const char *format = http_query(p->q, "format"), *group = http_query(p->q, "group");

	p->csv = format && strcmp(format, "csv") == 0;
	p->grouping = group ? group : otherwise;
	for (size_t i = 0; i < MD_COUNT(groupings); i++)
		if (strcmp(groupings[i].name, p->grouping) == 0) {
			p->group = groupings[i].group;
			p->period = groupings[i].period;
		}
	p->range.to_ms = http_query(p->q, "to") ? api_query_time(p->q, "to") : p->q->now_ms;
	p->range.from_ms = http_query(p->q, "from") ? api_query_time(p->q, "from")
						    : p->range.to_ms - DEFAULT_DAYS * DAY_MS;
	if (p->range.from_ms >= p->range.to_ms)
		return bad(p, "from", "must be before `to`");
	if (p->range.to_ms - p->range.from_ms > DAYS_MAX * DAY_MS)
		return bad(p, "from", "must be ten years before `to` at most");
	return true;
}

static const char *group_name(const struct report *p, const struct report_row *row)
{
	if (p->period != NO_PERIOD)
		return label(p, row->key);
	return p->group == REPORT_PRIORITY ? work_priority_name(row->key) : row->name;
}

static int64_t group_id(const struct report *p, const struct report_row *row)
{
	bool has_id = p->group == REPORT_AGENT || p->group == REPORT_TEAM ||
		      p->group == REPORT_MAILBOX || p->group == REPORT_ORGANISATION;

	return has_id && row->key ? row->key : -1;
}

/* ---- volume ---- */

static size_t volume_cells(struct report *p, const struct report_row *row,
			   struct cell cells[CELLS_MAX])
{
	const struct cell all[] = {
		{ .name = "group", .kind = CELL_TEXT, .text = group_name(p, row) },
		{ .name = "id", .kind = CELL_INT, .number = group_id(p, row) },
		{ .name = "created", .kind = CELL_INT, .number = row->volume.created },
		{ .name = "resolved", .kind = CELL_INT, .number = row->volume.resolved },
	};

	memcpy(cells, all, sizeof all);
	return MD_COUNT(all);
}

static void show_volume(struct report *p)
{
	const struct report_row none = { 0 };
	struct cell cells[CELLS_MAX];

	begin_report(p, cells, volume_cells(p, &none, cells));
	for (size_t i = 0; i < p->n; i++)
		add_row(p, cells, volume_cells(p, &p->rows[i], cells));
	end_report(p);
}

/* When that local day begins. */
static int64_t day_start(const struct report *p, int64_t day)
{
	int64_t utc_s = day * DAY_MS / 1000;
	int64_t near_s = utc_s - tz_offset(p->api->zone.tz, utc_s, NULL);

	return (utc_s - tz_offset(p->api->zone.tz, near_s, NULL)) * 1000;
}

/* All periods, also those in which nothing happened; the first and last as far as asked for. */
static int count_periods(struct report *p, struct db_conn *c, struct md_err *err)
{
	int64_t *bounds = arena_array(p->q->arena, DAYS_MAX + 3, sizeof *bounds);
	int64_t first = first_day(p->period, local_day(p, p->range.from_ms)), day = first;
	int rc;

	if (!bounds)
		return md_fail(err, MD_NOMEM, 0, "out of memory");
	bounds[0] = p->range.from_ms;
	for (p->n = 0; bounds[p->n] < p->range.to_ms && p->n < DAYS_MAX + 2;) {
		int64_t end;

		day = next_period(p->period, day);
		end = day_start(p, day);
		bounds[++p->n] = end < p->range.to_ms ? end : p->range.to_ms;
	}
	rc = report_periods(c, bounds, p->n, p->q->arena, &p->rows, err);
	for (size_t i = 0; rc == MD_OK && i < p->n; i++, first = next_period(p->period, first))
		p->rows[i].key = first;
	return rc;
}

static int run(struct report *p, const char *otherwise,
	       int (*make)(struct db_conn *c, const struct report_range *r, enum report_group group,
			   struct arena *a, struct report_row **ret, size_t *ret_n,
			   struct md_err *err),
	       void (*show)(struct report *p), struct md_err *err)
{
	md_auto(db_read_done_p) struct db_conn *c = NULL;
	int rc;

	if (!api_may(p->q, p->r, ACTION_SEE_CUSTOMERS) || !read_query(p, otherwise))
		return MD_OK;
	rc = db_read(p->api->desk->db, &c, err);
	if (rc == MD_OK && make == report_volume && p->period != NO_PERIOD)
		rc = count_periods(p, c, err);
	else if (rc == MD_OK)
		rc = make(c, &p->range, p->group, p->q->arena, &p->rows, &p->n, err);
	if (rc == MD_OK && make != report_volume && p->period != NO_PERIOD)
		rc = fold(p, err);
	if (rc == MD_OK)
		show(p);
	return rc;
}

int report_volume_show(void *ctx, struct http_request *q, struct http_response *r,
		       struct md_err *err)
{
	struct report p = { .api = ctx, .q = q, .r = r, .name = "volume" };

	return run(&p, "day", report_volume, show_volume, err);
}

/* ---- service levels ---- */

static size_t sla_cells(struct report *p, const struct report_row *row,
			struct cell cells[CELLS_MAX])
{
	int64_t ended = row->sla.met + row->sla.breached;
	const struct cell all[] = {
		{ .name = "group", .kind = CELL_TEXT, .text = group_name(p, row) },
		{ .name = "id", .kind = CELL_INT, .number = group_id(p, row) },
		{ .name = "metric", .kind = CELL_TEXT, .text = row->metric },
		{ .name = "met", .kind = CELL_INT, .number = row->sla.met },
		{ .name = "breached", .kind = CELL_INT, .number = row->sla.breached },
		{ .name = "running", .kind = CELL_INT, .number = row->sla.running },
		{ .name = "met_share", .kind = CELL_SHARE, .number = row->sla.met, .of = ended },
	};

	memcpy(cells, all, sizeof all);
	return MD_COUNT(all);
}

static void show_sla(struct report *p)
{
	const struct report_row none = { 0 };
	struct cell cells[CELLS_MAX];

	begin_report(p, cells, sla_cells(p, &none, cells));
	for (size_t i = 0; i < p->n; i++)
		add_row(p, cells, sla_cells(p, &p->rows[i], cells));
	end_report(p);
}

int report_sla_show(void *ctx, struct http_request *q, struct http_response *r, struct md_err *err)
{
	struct report p = { .api = ctx, .q = q, .r = r, .name = "sla" };

	return run(&p, "metric", report_sla, show_sla, err);
}

/* ---- agents ---- */

struct times {
	struct report_times *v;
	size_t n;
};

/* Seconds; -1: there are none. */
static int64_t time_of(const struct times *t, int64_t agent, bool p90)
{
	for (size_t i = 0; i < t->n; i++)
		if (t->v[i].agent == agent)
			return (p90 ? t->v[i].p90 : t->v[i].p50) / 1000;
	return -1;
}

static size_t agent_cells(const struct report_row *row, const struct times *first,
			  const struct times *whole, struct cell cells[CELLS_MAX])
{
	const struct cell all[] = {
		{ .name = "group", .kind = CELL_TEXT, .text = row->name },
		{ .name = "id", .kind = CELL_INT, .number = row->key },
		{ .name = "assigned", .kind = CELL_INT, .number = row->agent.assigned },
		{ .name = "resolved", .kind = CELL_INT, .number = row->agent.resolved },
		{ .name = "replies", .kind = CELL_INT, .number = row->agent.replies },
		{ .name = "first_response_p50",
		  .kind = CELL_INT,
		  .number = time_of(first, row->key, false) },
		{ .name = "first_response_p90",
		  .kind = CELL_INT,
		  .number = time_of(first, row->key, true) },
		{ .name = "resolution_p50",
		  .kind = CELL_INT,
		  .number = time_of(whole, row->key, false) },
		{ .name = "resolution_p90",
		  .kind = CELL_INT,
		  .number = time_of(whole, row->key, true) },
	};

	memcpy(cells, all, sizeof all);
	return MD_COUNT(all);
}

int report_agents_show(void *ctx, struct http_request *q, struct http_response *r,
		       struct md_err *err)
{
	struct report p = { .api = ctx, .q = q, .r = r, .name = "agents" };
	md_auto(db_read_done_p) struct db_conn *c = NULL;
	const struct report_row none = { 0 };
	struct cell cells[CELLS_MAX];
	struct times first, whole;
	int rc;

	if (!api_may(q, r, ACTION_SEE_CUSTOMERS) || !read_query(&p, "agent"))
		return MD_OK;
	rc = db_read(p.api->desk->db, &c, err);
	if (rc == MD_OK)
		rc = report_agents(c, &p.range, q->arena, &p.rows, &p.n, err);
	if (rc == MD_OK)
		rc = report_times(c, &p.range, false, q->arena, &first.v, &first.n, err);
	if (rc == MD_OK)
		rc = report_times(c, &p.range, true, q->arena, &whole.v, &whole.n, err);
	if (rc != MD_OK)
		return rc;
	begin_report(&p, cells, agent_cells(&none, &first, &whole, cells));
	for (size_t i = 0; i < p.n; i++)
		add_row(&p, cells, agent_cells(&p.rows[i], &first, &whole, cells));
	end_report(&p);
	return MD_OK;
}

/* ---- queries ---- */

static const char *const formats[] = { "json", "csv", NULL };
static const char *const volume_groups[] = { "day",     "week",     "month",        "agent",
					     "team",    "mailbox",  "priority",     "status",
					     "channel", "category", "organisation", NULL };
static const char *const sla_groups[] = { "metric",   "policy",  "day",      "week",
					  "month",    "agent",   "team",     "mailbox",
					  "priority", "channel", "category", "organisation",
					  NULL };
static const char *const agent_groups[] = { "agent", NULL };

#define REPORT_QUERY(groups)                                                                  \
	{ "from", HTTP_TIME, 0, 0, 0, NULL, NULL }, { "to", HTTP_TIME, 0, 0, 0, NULL, NULL }, \
		{ "group", HTTP_LINE, 0, 1, 20, groups, NULL },                               \
		{ "format", HTTP_LINE, 0, 1, 10, formats, NULL }, HTTP_END
const struct http_field report_volume_query[] = { REPORT_QUERY(volume_groups) };
const struct http_field report_sla_query[] = { REPORT_QUERY(sla_groups) };
const struct http_field report_agents_query[] = { REPORT_QUERY(agent_groups) };
