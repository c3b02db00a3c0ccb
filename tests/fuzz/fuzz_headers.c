/* A header block: fields lie in it, decoded values are clean lines, dates are written alike. */
#include "fuzz.h"

#include <maildesk/base/clock.h>
#include <maildesk/mail/date.h>
#include <maildesk/mail/header.h>
#include <maildesk/mail/scan.h>

static void check_params(struct arena *a, struct span value)
{
	struct header_params p;

	header_params_read(a, value, &p);
	check_utf8(p.value);
	for (size_t i = 0; i < p.n; i++) {
		check(p.v[i].name && p.v[i].value);
		check_line(p.v[i].value);
		check(header_param(&p, p.v[i].name));
	}
}

static void check_date(struct span value)
{
	char text[TIME_TEXT_MAX];
	int64_t ms;

	if (date_read(value, &ms))
		check(strlen(time_format(ms, 0, text)) >= strlen("0000-00-00T00:00:00Z"));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	md_auto(arena_done) struct arena a = ARENA_INIT(FUZZ_ARENA_MAX);
	struct span raw = { (const char *)data, n }, head, body;
	struct header h;
	bool junk;

	if (n == 0)
		return 0;
	for (int place = HEADER_TOP; place <= HEADER_PART; place++) {
		header_split(raw, (enum header_place)place, &head, &body, &junk);
		check_within(head, raw);
		check_within(body, raw);
		check(head.n + body.n <= n && (!head.n || !body.n || head.p + head.n <= body.p));
	}
	header_split(raw, HEADER_TOP, &head, &body, &junk);
	if (scan_header(head)) /* then no more than the top of it is read */
		head = span_sub(head, 0, SCAN_HEADER_BYTES);
	header_read(&a, head, SCAN_HEADER_FIELDS, &h);
	check(h.n <= SCAN_HEADER_FIELDS);
	for (size_t i = 0; i < h.n; i++) {
		check_within(h.v[i].all, head);
		check_within(h.v[i].name, h.v[i].all);
		check_within(h.v[i].value, h.v[i].all);
		check(h.v[i].name.n > 0);
	}
	header_to_utf8(&a, &h, span_of(n % 2 ? "shift_jis" : ""));
	for (size_t i = 0; i < h.n; i++) {
		struct span line = header_unfold(&a, h.v[i].value);

		check(span_chr(line, '\n') == line.n);
		check_line(header_text(&a, h.v[i].value));
		check_params(&a, h.v[i].value);
		check_date(line);
	}
	check(!a.failed);
	return 0;
}
