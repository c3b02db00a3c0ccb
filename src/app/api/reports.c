/* Reports: what was asked for, and what a row of each has. */
#include "reports_private.h"

#include <string.h>

enum { DEFAULT_DAYS = 30 };

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

/* ---- what was asked for ---- */

static bool bad(struct report *p, const char *name, const char *why)
{
	(void)api_refuse_parameter(p->q, p->r, name, why);
	return false;
}

/* An instant, or the beginning of a day of the desk's. */
static int64_t read_bound(const struct report *p, const char *name, int64_t otherwise)
{
	const char *text = http_query(p->q, name);
	int64_t ms;

	if (!text)
		return otherwise;
	return http_date_parse(text, &ms) == MD_OK ? report_day_start(p, ms / DAY_MS)
						   : api_query_time(p->q, name);
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
	p->range.to_ms = read_bound(p, "to", p->q->now_ms);
	p->range.from_ms = read_bound(p, "from", p->range.to_ms - DEFAULT_DAYS * DAY_MS);
	if (p->range.from_ms >= p->range.to_ms)
		return bad(p, "from", "must be before `to`");
	if (p->range.to_ms - p->range.from_ms > REPORT_DAYS_MAX * DAY_MS)
		return bad(p, "from", "must be ten years before `to` at most");
	return true;
}

static const char *group_name(const struct report *p, const struct report_row *row)
{
	if (p->period != NO_PERIOD)
		return report_label(p, row->key);
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

	report_begin(p, cells, volume_cells(p, &none, cells));
	for (size_t i = 0; i < p->n; i++)
		report_add(p, cells, volume_cells(p, &p->rows[i], cells));
	report_end(p);
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
	rc = api_read(p->api, p->q, &c, err);
	if (rc == MD_OK && make == report_volume && p->period != NO_PERIOD)
		rc = report_count_periods(p, c, err);
	else if (rc == MD_OK)
		rc = make(c, &p->range, p->group, p->q->arena, &p->rows, &p->n, err);
	if (rc == MD_OK && make != report_volume && p->period != NO_PERIOD)
		rc = report_fold(p, err);
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

	report_begin(p, cells, sla_cells(p, &none, cells));
	for (size_t i = 0; i < p->n; i++)
		report_add(p, cells, sla_cells(p, &p->rows[i], cells));
	report_end(p);
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
	rc = api_read(p.api, q, &c, err);
	if (rc == MD_OK)
		rc = report_agents(c, &p.range, q->arena, &p.rows, &p.n, err);
	if (rc == MD_OK)
		rc = report_times(c, &p.range, false, q->arena, &first.v, &first.n, err);
	if (rc == MD_OK)
		rc = report_times(c, &p.range, true, q->arena, &whole.v, &whole.n, err);
	if (rc != MD_OK)
		return rc;
	report_begin(&p, cells, agent_cells(&none, &first, &whole, cells));
	for (size_t i = 0; i < p.n; i++)
		report_add(&p, cells, agent_cells(&p.rows[i], &first, &whole, cells));
	report_end(&p);
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

#define REPORT_QUERY(groups)                                                                \
	{ "from", HTTP_DAY, 0, 0, 0, NULL, NULL }, { "to", HTTP_DAY, 0, 0, 0, NULL, NULL }, \
		{ "group", HTTP_LINE, 0, 1, 20, groups, NULL },                             \
		{ "format", HTTP_LINE, 0, 1, 10, formats, NULL }, HTTP_END
const struct http_field report_volume_query[] = { REPORT_QUERY(volume_groups) };
const struct http_field report_sla_query[] = { REPORT_QUERY(sla_groups) };
const struct http_field report_agents_query[] = { REPORT_QUERY(agent_groups) };
