/* What the server counts of itself, in the text form of Prometheus. A row of atomics a route. */
#include "http_private.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

/* Upper bounds of the latency histogram, in microseconds. */
static const int64_t bounds[HTTP_BUCKETS] = { 500,   1000,   2500,   5000,   10000,   25000,
					      50000, 100000, 250000, 500000, 1000000, 2500000 };
static const char *const classes[HTTP_CLASSES] = { "1xx", "2xx", "3xx", "4xx", "5xx" };

int64_t http_now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * INT64_C(1000000) + t.tv_nsec / 1000;
}

void http_count(struct http_exchange *ex)
{
	struct http_server *s = ex->server;
	struct http_count *c = &s->counts[ex->route ? (size_t)(ex->route - s->service.routes)
						    : s->service.n_routes];
	int64_t us = http_now_us() - ex->begun_us;
	size_t bucket = 0, class = (size_t)ex->r.status / 100 - 1;

	while (bucket < HTTP_BUCKETS && us > bounds[bucket])
		bucket++;
	atomic_fetch_add_explicit(&c->buckets[bucket], 1, memory_order_relaxed);
	atomic_fetch_add_explicit(&c->sum_us, (uint64_t)us, memory_order_relaxed);
	if (class < HTTP_CLASSES)
		atomic_fetch_add_explicit(&c->classes[class], 1, memory_order_relaxed);
	if (s->service.finished)
		s->service.finished(s->service.ctx, &ex->q, ex->method, ex->r.status, us);
}

static void name_route(const struct http_server *s, size_t i, char *out, size_t room)
{
	const struct http_route *r = i < s->service.n_routes ? &s->service.routes[i] : NULL;

	snprintf(out, room, "method=\"%s\",route=\"%s\"", r ? r->method : "", r ? r->path : "");
}

static void show_histogram(const struct http_server *s, size_t i, struct buf *out)
{
	struct http_count *c = &s->counts[i];
	uint64_t sum = 0;
	char labels[300];

	name_route(s, i, labels, sizeof labels);
	for (size_t k = 0; k <= HTTP_BUCKETS; k++) {
		sum += atomic_load(&c->buckets[k]);
		if (k < HTTP_BUCKETS)
			buf_addf(out,
				 "maildesk_http_request_duration_seconds_bucket{%s,le=\"%g\"} "
				 "%llu\n",
				 labels, (double)bounds[k] / 1e6, (unsigned long long)sum);
	}
	buf_addf(out, "maildesk_http_request_duration_seconds_bucket{%s,le=\"+Inf\"} %llu\n",
		 labels, (unsigned long long)sum);
	buf_addf(out, "maildesk_http_request_duration_seconds_sum{%s} %.6f\n", labels,
		 (double)atomic_load(&c->sum_us) / 1e6);
	buf_addf(out, "maildesk_http_request_duration_seconds_count{%s} %llu\n", labels,
		 (unsigned long long)sum);
}

static bool was_asked(const struct http_count *c)
{
	for (size_t k = 0; k < HTTP_CLASSES; k++)
		if (atomic_load(&c->classes[k]))
			return true;
	return false;
}

void http_show_metrics(struct http_server *s, struct buf *out)
{
	size_t connections;
	char labels[300];

	buf_adds(out, "# HELP maildesk_http_request_duration_seconds From the first line of a "
		      "request to its answer, by route; no route: no such path.\n"
		      "# TYPE maildesk_http_request_duration_seconds histogram\n");
	for (size_t i = 0; i <= s->service.n_routes; i++)
		if (was_asked(&s->counts[i]))
			show_histogram(s, i, out);
	buf_adds(out, "# HELP maildesk_http_responses_total Answers by route and kind of status.\n"
		      "# TYPE maildesk_http_responses_total counter\n");
	for (size_t i = 0; i <= s->service.n_routes; i++)
		for (size_t k = 0; k < HTTP_CLASSES; k++) {
			unsigned long long n = atomic_load(&s->counts[i].classes[k]);

			name_route(s, i, labels, sizeof labels);
			if (n)
				buf_addf(out,
					 "maildesk_http_responses_total{%s,status=\"%s\"} %llu\n",
					 labels, classes[k], n);
		}
	pthread_mutex_lock(&s->lock);
	connections = s->n_connections;
	pthread_mutex_unlock(&s->lock);
	buf_addf(out,
		 "# HELP maildesk_http_connections Open connections.\n"
		 "# TYPE maildesk_http_connections gauge\nmaildesk_http_connections %zu\n",
		 connections);
}
