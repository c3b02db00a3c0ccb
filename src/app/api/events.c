/* GET /events: Server-Sent Events (HTML Living Standard, 9.2). */
#include "api_private.h"

#include <maildesk/app/events.h>

#include <stdlib.h>
#include <string.h>

enum { DIGITS_MAX = 18, RETRY_MS = 3000 };

/* The number in Last-Event-ID; -1: it is none of ours. */
static int64_t number_of(const char *text)
{
	size_t n = strspn(text, "0123456789");

	return n && n <= DIGITS_MAX && !text[n] ? strtoll(text, NULL, 10) : -1;
}

/* Where the viewer stands. *ret_reset: where they stood is not known here. */
static int find_position(struct api *api, struct http_request *q, int64_t *ret, bool *ret_reset,
			 struct md_err *err)
{
	const char *header = http_header(q, "Last-Event-ID");
	md_auto(db_read_done_p) struct db_conn *c = NULL;
	bool known = false;
	int rc = api_read(api, q, &c, err);

	*ret = header && *header ? number_of(header) : -1;
	*ret_reset = false;
	if (rc == MD_OK && *ret >= 0)
		rc = event_is_known(c, *ret, &known, err);
	if (rc != MD_OK || known)
		return rc;
	*ret_reset = header && *header;
	return event_last(c, ret, err);
}

static void write_start(struct buf *out, int64_t position, bool reset, int64_t now_ms)
{
	char at[TIME_TEXT_MAX];

	buf_addf(out, "retry: %d\nid: %lld\n", RETRY_MS, (long long)position);
	if (reset)
		buf_addf(out, "event: reset\ndata: {\"type\":\"reset\",\"at\":\"%s\"}\n",
			 time_format(now_ms, 1, at));
	buf_addc(out, '\n');
}

int events_watch(void *ctx, struct http_request *q, struct http_response *r, struct md_err *err)
{
	struct api *api = ctx;
	const struct api_caller *caller = q->caller;
	md_auto(buf_done) struct buf start = BUF_INIT(1024);
	struct http_stream *stream;
	int64_t position;
	bool reset;
	int rc;

	if (!events_have_room(api->events, &caller->by)) {
		http_refuse(q, r, 503, "unavailable", "too many are watching; try again later");
		return MD_OK;
	}
	rc = find_position(api, q, &position, &reset, err);
	if (rc != MD_OK)
		return rc;
	write_start(&start, position, reset, q->now_ms);
	if (start.status != MD_OK)
		return md_fail(err, MD_NOMEM, 0, "out of memory");
	http_header_add(q, r, "X-Accel-Buffering", "no"); /* nginx would hold it back */
	rc = http_stream_begin(q, r, "text/event-stream", EVENTS_WAITING_MAX, events_wake,
			       api->events, &stream, err);
	if (rc == MD_OK)
		rc = http_stream_write(stream, start.data, start.len);
	return rc == MD_OK ? events_add(api->events, &caller->by, caller->session, caller->key,
					position, stream, err)
			   : rc;
}
