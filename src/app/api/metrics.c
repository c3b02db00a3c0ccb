/* GET /metrics, and the access log.
 *
 * Names (Prometheus text, all with the prefix maildesk_ but those every process has):
 *   build_info{version}, up to the desk:
 *   ingest_mails_total{mailbox}              mails taken in since the start
 *   mailbox_up{mailbox}, mailbox_last_success_timestamp_seconds{mailbox}
 *   outbox_mails{state}, outbox_oldest_seconds{state}
 *   quarantine_mails, search_queue_rows, timers_lag_seconds
 *   tickets{status}, tickets_unresolved{priority}, tickets_unassigned
 *   sla_overdue_tickets, sla_breached_tickets  unresolved ones
 *   database_up, database_read_seconds, database_size_bytes (SQLite)
 *   config_last_reload_successful, config_last_reload_success_timestamp_seconds
 *   http_request_duration_seconds{method,route,le}, http_responses_total{method,route,status},
 *   http_connections                         net/http_metrics.c
 *   process_cpu_seconds_total, process_resident_memory_bytes, process_open_fds,
 *   process_start_time_seconds
 * What is asked of the database is asked every few seconds at most. */
#include "api_private.h"

#include <maildesk/base/log.h>
#include <maildesk/store/dashboard.h>
#include <maildesk/store/gauges.h>

#include <dirent.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FRESH_MS = 5000, NAMES_PER_LABEL = 100 };

/* ---- the text form ---- */

static void declare(struct buf *out, const char *name, const char *type, const char *help)
{
	buf_addf(out, "# HELP maildesk_%s %s\n# TYPE maildesk_%s %s\n", name, help, name, type);
}

static void sample(struct buf *out, const char *name, const char *label, const char *value,
		   double number)
{
	buf_addf(out, "maildesk_%s", name);
	if (label) {
		buf_addf(out, "{%s=\"", label);
		for (const char *s = value; *s; s++)
			if (*s == '\\' || *s == '"')
				buf_addf(out, "\\%c", *s);
			else
				buf_addc(out, *s == '\n' ? ' ' : *s);
		buf_adds(out, "\"}");
	}
	buf_addf(out, " %.15g\n", number);
}

static void gauge(struct buf *out, const char *name, const char *help, double number)
{
	declare(out, name, "gauge", help);
	sample(out, name, NULL, NULL, number);
}

/* ---- mailboxes ---- */

static void show_mailboxes(struct desk *d, struct buf *out)
{
	declare(out, "ingest_mails_total", "counter", "Mails taken in since the daemon started.");
	for (size_t i = 0; i < d->n_mailboxes; i++)
		sample(out, "ingest_mails_total", "mailbox", d->mailboxes[i].conf->title,
		       (double)atomic_load(&d->mailboxes[i].taken));
	pthread_mutex_lock(&d->lock);
	declare(out, "mailbox_up", "gauge", "1: the mailbox is reached.");
	for (size_t i = 0; i < d->n_mailboxes; i++)
		sample(out, "mailbox_up", "mailbox", d->mailboxes[i].conf->title,
		       strcmp(d->mailboxes[i].state, "ok") == 0);
	declare(out, "mailbox_last_success_timestamp_seconds", "gauge",
		"When it was reached the last time; 0: not yet.");
	for (size_t i = 0; i < d->n_mailboxes; i++)
		sample(out, "mailbox_last_success_timestamp_seconds", "mailbox",
		       d->mailboxes[i].conf->title, (double)d->mailboxes[i].last_success_at / 1000);
	pthread_mutex_unlock(&d->lock);
}

/* ---- the database ---- */

static void show_waiting(const struct gauges *g, int64_t now_ms, struct buf *out)
{
	int64_t lag = g->timers_due && g->timers_due < now_ms ? now_ms - g->timers_due : 0;

	declare(out, "outbox_mails", "gauge", "Mails that are to be sent.");
	for (size_t i = 0; i < g->n_outbox; i++)
		sample(out, "outbox_mails", "state", g->outbox[i].state, (double)g->outbox[i].n);
	declare(out, "outbox_oldest_seconds", "gauge", "How long the oldest of them has waited.");
	for (size_t i = 0; i < g->n_outbox; i++)
		sample(out, "outbox_oldest_seconds", "state", g->outbox[i].state,
		       (double)(now_ms - g->outbox[i].oldest_at) / 1000);
	gauge(out, "quarantine_mails", "Mails that are held back.", (double)g->quarantine);
	gauge(out, "search_queue_rows", "What the search index does not have yet.",
	      (double)g->search_wait);
	gauge(out, "timers_lag_seconds", "How long the oldest timer is overdue.",
	      (double)lag / 1000);
}

static void show_tickets(const struct dashboard *d, struct buf *out)
{
	static const char *const priorities[] = { "low", "medium", "high", "critical" };
	int64_t unassigned = 0;

	declare(out, "tickets", "gauge", "Tickets by status.");
	for (size_t i = 0; i < d->n_status; i++)
		sample(out, "tickets", "status", d->by_status[i].status, (double)d->by_status[i].n);
	declare(out, "tickets_unresolved", "gauge", "Unresolved tickets by priority.");
	for (size_t i = 0; i < d->n_priority; i++)
		if (d->by_priority[i].key >= 0 &&
		    d->by_priority[i].key < (int64_t)MD_COUNT(priorities))
			sample(out, "tickets_unresolved", "priority",
			       priorities[d->by_priority[i].key], (double)d->by_priority[i].n);
	for (size_t i = 0; i < d->n_assignee; i++)
		unassigned += d->by_assignee[i].key ? 0 : d->by_assignee[i].n;
	gauge(out, "tickets_unassigned", "Unresolved tickets of nobody.", (double)unassigned);
	gauge(out, "sla_overdue_tickets", "Unresolved tickets behind their due date.",
	      (double)d->overdue);
	gauge(out, "sla_breached_tickets", "Unresolved tickets that missed a target.",
	      (double)d->breached);
}

/* 0 where the size is the server's affair. */
static double size_of(const char *database)
{
	static const char *const parts[] = { "", "-wal" };
	char path[4096];
	double sum = 0;
	struct stat st;

	if (strncmp(database, "sqlite:", 7) != 0)
		return 0;
	for (size_t i = 0; i < MD_COUNT(parts); i++) {
		snprintf(path, sizeof path, "%s%s", database + 7, parts[i]);
		if (stat(path, &st) == 0)
			sum += (double)st.st_size;
	}
	return sum;
}

static void show_database(struct api *api, int64_t now_ms, struct arena *a, struct buf *out)
{
	md_auto(db_read_done_p) struct db_conn *c = NULL;
	const struct desk *d = api->desk;
	int64_t began = clock_mono(&clock_system);
	double size = size_of(d->config->database);
	struct dashboard figures;
	struct gauges g;
	int rc = db_read(d->db, &c, NULL);

	if (rc == MD_OK)
		rc = gauges_get(c, a, &g, NULL);
	if (rc == MD_OK)
		rc = dashboard_counts(c, now_ms, a, &figures, NULL);
	gauge(out, "database_up", "1: the database answers.", rc == MD_OK);
	gauge(out, "database_read_seconds", "How long these figures took.",
	      (double)(clock_mono(&clock_system) - began) / 1000);
	if (size > 0)
		gauge(out, "database_size_bytes", "Database file and its log.", size);
	if (rc == MD_OK) {
		show_waiting(&g, now_ms, out);
		show_tickets(&figures, out);
	}
}

/* ---- the process ---- */

static double count_descriptors(void)
{
	DIR *d = opendir("/proc/self/fd");
	double n = -3; /* ".", ".." and its own */

	if (!d)
		return 0;
	while (readdir(d))
		n++;
	closedir(d);
	return n;
}

/* Fields of stat and statm: proc(5). */
static void show_process(struct buf *out)
{
	long tick = sysconf(_SC_CLK_TCK), page = sysconf(_SC_PAGESIZE), resident = 0;
	struct rusage used = { 0 };
	unsigned long long started = 0, booted = 0;
	char line[4096];
	FILE *f = fopen("/proc/self/statm", "re");

	if (f && fscanf(f, "%*d %ld", &resident) != 1)
		resident = 0;
	if (f)
		fclose(f);
	getrusage(RUSAGE_SELF, &used);
	if ((f = fopen("/proc/self/stat", "re")) != NULL) {
		size_t n = fread(line, 1, sizeof line - 1, f);
		const char *rest;

		line[n] = '\0';
		rest = strrchr(line, ')');
		if (!rest || sscanf(rest + 1,
				    " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d"
				    " %*d %*d %*d %*d %llu",
				    &started) != 1)
			started = 0;
		fclose(f);
	}
	if ((f = fopen("/proc/stat", "re")) != NULL) {
		while (fgets(line, sizeof line, f))
			if (sscanf(line, "btime %llu", &booted) == 1)
				break;
		fclose(f);
	}
	buf_addf(out,
		 "# TYPE process_cpu_seconds_total counter\nprocess_cpu_seconds_total %.3f\n"
		 "# TYPE process_resident_memory_bytes gauge\nprocess_resident_memory_bytes %ld\n"
		 "# TYPE process_open_fds gauge\nprocess_open_fds %.0f\n",
		 (double)used.ru_utime.tv_sec + (double)used.ru_stime.tv_sec +
			 (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6,
		 resident * page, count_descriptors());
	if (started && booted && tick > 0)
		buf_addf(out,
			 "# TYPE process_start_time_seconds gauge\n"
			 "process_start_time_seconds %.2f\n",
			 (double)booted + (double)started / (double)tick);
}

static void show_configuration(struct desk *d, struct buf *out)
{
	struct desk_reload reload;

	desk_reload_state(d, &reload);
	gauge(out, "config_last_reload_successful",
	      "0: the newest configuration was refused, an older one is in force.",
	      reload.refused_at == 0);
	gauge(out, "config_last_reload_success_timestamp_seconds",
	      "When the one in force was read.", (double)reload.loaded_at / 1000);
}

/* ---- the route ---- */

/* Prometheus on this machine, or an admin's key or token. */
static bool may_look(struct http_request *q, struct http_response *r)
{
	const struct api_caller *caller = q->caller;

	if (http_address_is_local(q->address))
		return true;
	if (q->role == ROLE_ADMIN && (!caller->key || api_key_is_admin(caller)))
		return true;
	if (q->role)
		http_refuse(q, r, 403, "forbidden", "not for you");
	else
		http_refuse(q, r, 401, "unauthorized", "an API key of an admin is needed");
	return false;
}

int metrics(void *ctx, struct http_request *q, struct http_response *r, struct md_err *err)
{
	struct api *api = ctx;
	struct buf *out = &r->body;

	(void)err;
	if (!may_look(q, r))
		return MD_OK;
	declare(out, "build_info", "gauge", "Which maildesk this is.");
	sample(out, "build_info", "version", MAILDESK_VERSION, 1);
	show_mailboxes(api->desk, out);
	pthread_mutex_lock(&api->figures_lock);
	if (!api->gauges.len || q->now_ms >= api->gauges_at + FRESH_MS ||
	    q->now_ms < api->gauges_at) {
		buf_reset(&api->gauges);
		show_database(api, q->now_ms, q->arena, &api->gauges);
		api->gauges_at = q->now_ms;
	}
	buf_add(out, buf_str(&api->gauges), api->gauges.len);
	pthread_mutex_unlock(&api->figures_lock);
	show_configuration(api->desk, out);
	http_show_metrics(api->server, out);
	show_process(out);
	r->type = "text/plain; version=0.0.4; charset=utf-8";
	return MD_OK;
}

/* ---- the access log ---- */

/* Neither the query, which may hold what somebody looks for, nor the token of a link; and no probes
 * of the machine itself. */
void api_finished(void *ctx, const struct http_request *q, const char *method, int status,
		  int64_t us)
{
	static const char base[] = "/api/";
	const struct api *api = ctx;
	char caller[32] = "-";

	if (!api->desk->config->http.access_log || !q->path ||
	    strncmp(q->path, base, sizeof base - 1) != 0)
		return;
	if (q->user)
		snprintf(caller, sizeof caller, "%lld", (long long)q->user);
	log_info(NULL, "http %s %.200s %d %lldus from %s user %s request %s", method, q->path,
		 status, (long long)us, q->address, caller, q->id);
}
