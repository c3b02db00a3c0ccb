#include "mail_test.h"

#include <maildesk/base/clock.h>
#include <maildesk/mail/date.h>

static const struct {
	const char *in, *want;
} dates[] = {
	{ "Fri, 20 Nov 2026 10:00:00 +0100", "2026-11-20T09:00:00Z" },
	{ "20 Nov 2026 10:00 -0530", "2026-11-20T15:30:00Z" },
	{ "Fri, 20 Nov 2026 10:00:00 +0000 (UTC)", "2026-11-20T10:00:00Z" },
	{ "Fri, 20 Nov 26 10:00:00 EST", "2026-11-20T15:00:00Z" },
	{ "Fri, 20 Nov 99 10:00:00 GMT", "1999-11-20T10:00:00Z" },
	{ "Fri Nov 20 10:00:00 2026", "2026-11-20T10:00:00Z" },
	{ "Fri Nov 20 10:00:00 CET 2026", "2026-11-20T09:00:00Z" },
	{ "2026-11-20 10:00:00 +0100", "2026-11-20T09:00:00Z" },
	{ "2026-11-20T10:00:00+01:00", "2026-11-20T09:00:00Z" },
	{ "Friday, November 20, 2026 10:00 PM", "2026-11-20T22:00:00Z" },
	{ "20-Nov-2026 10:00:00", "2026-11-20T10:00:00Z" },
	{ "Fri, 20 Nov 2026 10.00.00 +0100", "2026-11-20T09:00:00Z" },
	{ "20 Nov 2026", "2026-11-20T00:00:00Z" },
	{ "Sat, 31 Dec 2016 23:59:60 +0000", "2016-12-31T23:59:59Z" },
	{ "Tue, 07 Nov 2026 10:lyerdmultipart", "2026-11-07T10:00:00Z" },
	{ "Fri, 20 Nov 2026 10:00:00 GMT+01:00", "2026-11-20T09:00:00Z" },
	{ "Fri, 20 Nov 2026 10:00:00 UTC-0500", "2026-11-20T15:00:00Z" },
	{ "yesterday", NULL },
	{ "", NULL },
	{ "((((", NULL },
};

static void reads_dates(void **state)
{
	(void)state;
	for (size_t i = 0; i < MD_COUNT(dates); i++) {
		char text[TIME_TEXT_MAX];
		int64_t ms;
		bool ok = date_read(span_of(dates[i].in), &ms);

		assert_same(ok ? time_format(ms, 0, text) : NULL, dates[i].want);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(reads_dates) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
