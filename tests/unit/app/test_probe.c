/* What a mail to itself tells of the servers it came through. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <maildesk/app/probe.h>

#include <string.h>

#define AR(id) "Authentication-Results: " id "; dmarc=pass header.from=desk.test\r\n"
#define FORGED(id) "Authentication-Results: " id "; dmarc=pass header.from=" PROBE_FORGED "\r\n"
#define HOP "Received: from a by b; Mon, 2 Mar 2026 09:00:00 +0000\r\n"
#define REST "From: <s@desk.test>\r\nMessage-ID: <x@desk.test>\r\n\r\nText\r\n"

static const struct {
	const char *mail, *id; /* NULL: none */
	int64_t hops;
	bool below, kept, counts;
} rows[] = {
	/* on top, the usual place: nobody else can have written it */
	{ AR("mx") HOP REST, "mx", 1, false, false, false },
	{ AR("mx") HOP FORGED("mx") REST, "mx", 1, false, true, false },
	{ AR("mx") HOP HOP FORGED("mx") REST, "mx", 1, false, true, false },
	/* below a Received of ours: fine as long as forged ones are removed */
	{ HOP HOP AR("mx") REST, "mx", 2, true, false, false },
	{ HOP HOP AR("mx") HOP REST, "mx", 2, true, false, false },
	{ HOP AR("mx") HOP FORGED("mx") REST, "mx", 1, true, true, true },
	{ HOP HOP AR("mx") FORGED("mx") REST, "mx", 2, true, true, true },
	/* the topmost is whose word counts; one without an id is Microsoft's */
	{ AR("mx") AR("other") HOP REST, "mx", 1, false, false, false },
	{ "Authentication-Results: dmarc=pass header.from=desk.test\r\n" HOP REST, "-", 1, false,
	  false, false },
	/* none of its own: the forged one is measured by what is configured (here 1, above) */
	{ HOP REST, NULL, 0, false, false, false },
	{ HOP FORGED("mx") REST, NULL, 0, false, true, false },
	{ FORGED("mx") HOP REST, NULL, 0, false, true, true },
};

static void what_counts_and_how_far(void **state)
{
	(void)state;
	for (size_t i = 0; i < MD_COUNT(rows); i++) {
		struct arena a = ARENA_INIT(1 << 20);
		struct probe_mail p = { .hops = 1 };
		struct message m;
		struct md_err err;

		assert_int_equal(message_read((const uint8_t *)rows[i].mail, strlen(rows[i].mail),
					      &a, &m, &err),
				 MD_OK);
		probe_read_trust(&p, &m);
		if (!rows[i].id != !p.trust.authserv_id ||
		    (rows[i].id && strcmp(rows[i].id, p.trust.authserv_id) != 0) ||
		    rows[i].hops != p.trust.hops || rows[i].below != p.trust.below ||
		    rows[i].kept != p.trust.forged_kept || rows[i].counts != p.trust.forged_counts)
			fail_msg("row %zu: id %s hops %lld below %d kept %d counts %d", i,
				 p.trust.authserv_id ? p.trust.authserv_id : "-",
				 (long long)p.trust.hops, p.trust.below, p.trust.forged_kept,
				 p.trust.forged_counts);
		arena_done(&a);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_counts_and_how_far),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
