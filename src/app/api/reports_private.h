/* reports_private.h - between the parts of a report: what was asked for (reports.c), which days a
 * period has (report_periods.c), how a row is written (report_cells.c). */
#ifndef MAILDESK_APP_API_REPORTS_PRIVATE_H
#define MAILDESK_APP_API_REPORTS_PRIVATE_H

#include "api_private.h"

#include <maildesk/store/reports.h>

enum { REPORT_DAYS_MAX = 3660, CELLS_MAX = 10 };
#define DAY_MS INT64_C(86400000)

enum period { NO_PERIOD, DAY, WEEK, MONTH };

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

/* When that local day (since 1970) begins. */
int64_t report_day_start(const struct report *p, int64_t day);
/* A day or a month, in arena. */
const char *report_label(const struct report *p, int64_t day);
/* Rows of quarters of an hour become rows of periods: those of one period and metric are added up.
 */
int report_fold(struct report *p, struct md_err *err);
/* All periods, also those in which nothing happened; the first and last as far as asked for. */
int report_count_periods(struct report *p, struct db_conn *c, struct md_err *err);

struct cell {
	const char *name;
	enum { CELL_TEXT, CELL_INT, CELL_SHARE } kind;
	const char *text;
	int64_t number; /* of a share: of `of`; -1: there is none */
	int64_t of;
};

/* The rows are flat in JSON and CSV alike; `cells` of the first call say how columns are called. */
void report_begin(struct report *p, const struct cell *cells, size_t n);
void report_add(struct report *p, const struct cell *cells, size_t n);
void report_end(struct report *p);

#endif
