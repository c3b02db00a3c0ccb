/* Sections calendar and sla: special days, holidays from files, which policies are reached, and
 * escalations. */
#include <maildesk/app/config.h>
#include <maildesk/app/holidays.h>
#include <maildesk/base/clock.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define BASE                                                                                       \
	"smtp \"main\" { host = \"mx.test\" }\n"                                                   \
	"mailbox \"support\" { address = \"s@x.test\" host = \"imap.test\" password_file = pw }\n" \
	"mailbox \"sales\" { address = \"t@x.test\" host = \"imap.test\" password_file = pw }\n"

static void put_file(const char *path, const char *text)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
	assert_int_equal(chmod(path, 0600), 0);
}

static int setup(void **state)
{
	static char dir[] = "/tmp/test_config_sla.XXXXXX";

	*state = mkdtemp(dir);
	unsetenv("CREDENTIALS_DIRECTORY");
	if (!*state || chdir(dir) < 0)
		return -1;
	put_file("pw", "secret word\n");
	return 0;
}

static int teardown(void **state)
{
	unlink("pw");
	unlink("main.conf");
	unlink("days.ics");
	return chdir("/") < 0 || rmdir(*state) < 0 ? -1 : 0;
}

/* What is said about the configuration; it must be fit for use, or not. */
static void says(const char *text, bool good, const char *expected, struct config **ret)
{
	md_auto(buf_done) struct buf problems = BUF_INIT(1 << 20);
	md_auto(config_free_p) struct config *c = NULL;
	int rc;

	put_file("main.conf", text);
	rc = config_load("main.conf", &c, &problems);
	assert_string_equal(buf_str(&problems), expected);
	assert_int_equal(rc, good ? MD_OK : MD_INPUT);
	if (ret)
		*ret = md_take(c);
}

#define HEAD "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//x//y//EN\r\n"
#define EVENT(lines) \
	"BEGIN:VEVENT\r\nUID:1@x\r\nDTSTAMP:20260101T000000Z\r\n" lines "END:VEVENT\r\n"
#define TAIL "END:VCALENDAR\r\n"

/* The closed days of the calendar between two years, "MM-DD" with their names. */
static const char *closed_in(const struct calendar *c, int year)
{
	static char text[2000];
	size_t len = 0;

	text[0] = '\0';
	for (size_t i = 0; i < c->dates; i++) {
		int64_t y;
		int month, day;

		civil_from_days(c->date[i].day, &y, &month, &day);
		if (y == year)
			len += (size_t)snprintf(text + len, sizeof text - len, "%s%02d-%02d %s",
						len ? "\n" : "", month, day, c->date[i].name);
	}
	return text;
}

static void holidays_of_a_file(void **state)
{
	static const struct {
		const char *event;
		int year;
		const char *closed;
	} cases[] = {
		{ EVENT("DTSTART;VALUE=DATE:20260406\r\nSUMMARY:Easter Monday\r\n"), 2026,
		  "04-06 Easter Monday" },
		/* every year, also before the first one? no: from then on */
		{ EVENT("DTSTART;VALUE=DATE:20201225\r\nDTEND;VALUE=DATE:20201227\r\n"
			"RRULE:FREQ=YEARLY\r\nSUMMARY:Christmas\r\n"),
		  2098, "12-25 Christmas\n12-26 Christmas" },
		{ EVENT("DTSTART;VALUE=DATE:20201225\r\nRRULE:FREQ=YEARLY\r\n"), 2019, "" },
		{ EVENT("DTSTART;VALUE=DATE:20200101\r\nRRULE:FREQ=YEARLY;COUNT=3\r\n"), 2023, "" },
		{ EVENT("DTSTART;VALUE=DATE:20200101\r\nRRULE:FREQ=YEARLY;COUNT=3\r\n"), 2022,
		  "01-01 " },
		{ EVENT("DTSTART;VALUE=DATE:20200101\r\nRRULE:FREQ=YEARLY\r\n"
			"EXDATE;VALUE=DATE:20270101\r\n"),
		  2027, "" },
		{ EVENT("DTSTART;VALUE=DATE:20200101\r\nRDATE;VALUE=DATE:20270301\r\n"), 2027,
		  "03-01 " },
		/* the fourth Thursday of November */
		{ EVENT("DTSTART;VALUE=DATE:20201126\r\nRRULE:FREQ=YEARLY;BYMONTH=11;BYDAY="
			"4TH\r\n"),
		  2026, "11-26 " },
		/* over the turn of a year, and of a leap day */
		{ EVENT("DTSTART;VALUE=DATE:20261231\r\nDTEND;VALUE=DATE:20270103\r\n"), 2027,
		  "01-01 \n01-02 " },
		{ EVENT("DTSTART;VALUE=DATE:20280228\r\nDTEND;VALUE=DATE:20280302\r\n"), 2028,
		  "02-28 \n02-29 \n03-01 " },
		{ EVENT("DTSTART;VALUE=DATE:20260406\r\nDURATION:P2D\r\n"), 2026,
		  "04-06 \n04-07 " },
		{ EVENT("DTSTART;VALUE=DATE:20260406\r\nSTATUS:CANCELLED\r\n"), 2026, "" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		md_auto(calendar_done) struct calendar c = { 0 };
		md_auto(buf_done) struct buf text = BUF_INIT(10000);
		size_t skipped;
		struct md_err err;

		buf_addf(&text, HEAD "%s" TAIL, cases[i].event);
		put_file("days.ics", buf_str(&text));
		if (holidays_load("days.ics", &c, &skipped, &err) != MD_OK)
			fail_msg("%s", err.text);
		if (strcmp(closed_in(&c, cases[i].year), cases[i].closed) != 0)
			fail_msg("case %zu: %s", i, closed_in(&c, cases[i].year));
	}
}

static void files_that_are_none(void **state)
{
	static const struct {
		const char *file;
		bool good;
		const char *says;
	} cases[] = {
		{ HEAD EVENT("DTSTART:20260406T100000Z\r\n") TAIL, true,
		  "main.conf:4: warning: calendar \"c\": holidays_file: ./days.ics: 1 events have "
		  "a "
		  "time of day: they are no holidays, and passed over\n" },
		{ "Hello.\n", false,
		  "main.conf:4: calendar \"c\": holidays_file: ./days.ics: no iCalendar file: "
		  "BEGIN:VCALENDAR is missing\n" },
		{ "", false,
		  "main.conf:4: calendar \"c\": holidays_file: ./days.ics: no iCalendar file: "
		  "BEGIN:VCALENDAR is missing\n" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		put_file("days.ics", cases[i].file);
		says(BASE "calendar \"c\" { mon = {\"09:00-10:00\"} holidays_file = ./days.ics }\n",
		     cases[i].good, cases[i].says, NULL);
	}
	unlink("days.ics");
	says(BASE "calendar \"c\" { mon = {\"09:00-10:00\"} holidays_file = days.ics }\n", false,
	     "main.conf:4: calendar \"c\": holidays_file: days.ics: No such file or directory; "
	     "write it, "
	     "or name another\n",
	     NULL);
}

static void special_days(void **state)
{
	md_auto(config_free_p) struct config *c = NULL;

	(void)state;
	says(BASE
	     "calendar \"c\" { mon = {\"09:00-10:00\"}\n"
	     " special { date = \"2026-12-24\" hours = {\"09:00-12:00\"} }\n"
	     " special { hours = {} date = \"2026-12-31\" } }\n"
	     "calendar \"c\" { special { date = \"2026-12-24\" hours += {\"13:00-14:00\"} } }\n",
	     true, "", &c);
	assert_int_equal(c->calendars[0].n_specials, 2);
	assert_string_equal(c->calendars[0].specials[0].date, "2026-12-24");
	assert_int_equal(c->calendars[0].specials[0].hours.n, 2);
	assert_string_equal(c->calendars[0].specials[1].date, "2026-12-31");
	assert_int_equal(c->calendars[0].specials[1].hours.n, 0);
	says(BASE
	     "calendar \"c\" { mon = {\"09:00-10:00\"}\n"
	     " special { hours = {\"09:00-12:00\"} }\n"
	     " special { date = \"24/12/2026\" }\n"
	     " special { date = \"2026-12-24\"\n hours = {\"09:00-12:00\", \"11:00-13:00\"} }\n"
	     " special { dat = \"2026-12-24\" } }\n",
	     false,
	     "main.conf:4: calendar \"c\": special: date is missing\n"
	     "main.conf:6: special \"24/12/2026\": date = \"24/12/2026\": allowed: a date like "
	     "\"2026-12-25\"\n"
	     "main.conf:8: special \"2026-12-24\": 2026-12-24: window \"11:00-13:00\" overlaps "
	     "another\n"
	     "main.conf:9: special: unknown key \"dat\"; did you mean \"date\"?\n",
	     NULL);
}

/* Sections sla, each with a target; which of them are never reached, by title. */
static void what_is_never_reached(void **state)
{
	static const struct {
		const char *a, *b, *c;
		bool reached; /* the last */
	} cases[] = {
		{ "priorities = {low}", "priorities = {medium}", "priorities = {low, medium}",
		  false },
		{ "priorities = {low}", "priorities = {medium}", "priorities = {low, high}", true },
		{ "priorities = {low, medium}", "priorities = {high, critical}", "", false },
		{ "priorities = {low, medium}", "priorities = {high}", "", true },
		{ "mailboxes = {support}", "mailboxes = {sales}", "mailboxes = {support, sales}",
		  false },
		/* tickets may have no mailbox */
		{ "mailboxes = {support}", "mailboxes = {sales}", "", true },
		{ "mailboxes = {support} priorities = {low}", "mailboxes = {sales}",
		  "mailboxes = {support, sales} priorities = {low}", false },
		{ "mailboxes = {support} priorities = {low}", "mailboxes = {sales}",
		  "mailboxes = {support, sales}", true },
		{ "tags = {vip}", "categories = {network}", "tags = {vip} organisations = {ACME}",
		  false },
		{ "organisations = {ACME, Other}", "categories = {a}", "organisations = {ACME}",
		  false },
		{ "organisations = {ACME}", "categories = {a}", "organisations = {ACME, Other}",
		  true },
		{ "categories = {a}", "tags = {x}", "categories = {b}", true },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		md_auto(buf_done) struct buf text = BUF_INIT(10000), problems = BUF_INIT(10000);
		struct config *c = NULL;

		buf_addf(&text,
			 BASE
			 "sla \"a\" { %s update { low = 1h } }\nsla \"b\" { %s update { low = 1h } "
			 "}\nsla \"c\" { %s update { low = 1h } }\n",
			 cases[i].a, cases[i].b, cases[i].c);
		put_file("main.conf", buf_str(&text));
		assert_int_equal(config_load("main.conf", &c, &problems), MD_OK);
		if ((strstr(buf_str(&problems), "sla \"c\": is never reached") == NULL) !=
		    cases[i].reached)
			fail_msg("case %zu: %s", i, buf_str(&problems));
		config_free(c);
	}
}

static void each_metric_has_terms(void **state)
{
	md_auto(config_free_p) struct config *c = NULL;
	const struct conf_sla *s;

	(void)state;
	says(BASE "calendar \"office\" { mon = {\"09:00-10:00\"} }\n"
		  "sla \"s\" { calendar = office pause = {open}\n"
		  " next_response { medium = 4h calendar = \"24x7\" pause = {pending} }\n"
		  " resolution { low = 1h pause = {} } update { low = 2h } }\n",
	     true, "", &c);
	s = c->slas;
	assert_string_equal(s->calendars[SLA_FIRST_RESPONSE], "office");
	assert_string_equal(s->calendars[SLA_NEXT_RESPONSE], "24x7");
	assert_string_equal(s->calendars[SLA_UPDATE], "office");
	assert_int_equal(s->pauses[SLA_FIRST_RESPONSE].n, 0);
	assert_string_equal(s->pauses[SLA_NEXT_RESPONSE].v[0], "pending");
	assert_string_equal(s->pauses[SLA_UPDATE].v[0], "open");
	assert_int_equal(s->pauses[SLA_RESOLUTION].n, 0);
	assert_int_equal(s->next_response_ms[1], 14400000);
	assert_int_equal(s->update_ms[0], 7200000);
	says(BASE "sla \"s\" { update { low = 1h calendar = nights pause = {asleep} }\n"
		  " categories = {a} priorities = {urgent} }\ndesk { categories = {b} }\n",
	     false,
	     "main.conf:4: sla \"s\": pause = \"asleep\": allowed: \"open\", \"pending\", "
	     "\"in_progress\", \"resolved\", \"closed\", \"reopened\"\n"
	     "main.conf:4: sla \"s\": calendar = \"nights\": there is no calendar section\n"
	     "main.conf:5: sla \"s\": priorities = \"urgent\": allowed: \"low\", \"medium\", "
	     "\"high\", \"critical\"\n"
	     "main.conf:5: sla \"s\": categories = \"a\": not one of desk.categories\n",
	     NULL);
}

/* What the pages say of a policy that names its targets alone. */
static void a_policy_needs_its_targets(void **state)
{
	md_auto(config_free_p) struct config *c = NULL;
	const struct conf_sla *s;

	(void)state;
	says(BASE "sla \"s\" { first_response { low = 1h } next_response { low = 1h }"
		  " update { low = 1h } resolution { low = 1h } }\n",
	     true, "", &c);
	s = c->slas;
	assert_int_equal(s->n_warn, 2);
	assert_int_equal(s->warn[0], 75);
	assert_int_equal(s->warn[1], 90);
	assert_string_equal(s->reopen, "continue");
	for (int m = 0; m < SLA_METRIC_COUNT; m++) {
		bool pauses = m == SLA_UPDATE || m == SLA_RESOLUTION;

		assert_string_equal(s->calendars[m], ""); /* 24x7 */
		assert_int_equal(s->pauses[m].n, pauses);
		if (pauses)
			assert_string_equal(s->pauses[m].v[0], "pending");
	}
}

static void escalations(void **state)
{
	md_auto(config_free_p) struct config *c = NULL;
	const struct conf_escalation *e;

	(void)state;
	says(BASE
	     "sla \"s\" { update { low = 1h }\n"
	     " escalate \"first\" { metric = \"first_response\"  after = \"0m\"  every = \"2h\"  "
	     "times = 3  notify = {\"assignee\", \"team\", \"admins\"}  priority = \"up\"  assign "
	     "= \"\"  tag = \"late\" }\n"
	     " escalate \"second\" { metric = update time = real notify = {} } }\n",
	     true, "", &c);
	e = c->slas[0].escalations;
	assert_int_equal(c->slas[0].n_escalations, 2);
	assert_string_equal(e[0].metric, "first_response");
	assert_int_equal(e[0].every_ms, 7200000);
	assert_int_equal(e[0].times, 3);
	assert_int_equal(e[0].notify.n, 3);
	assert_false(e[0].tells_default);
	assert_string_equal(e[0].tags.v[0], "late");
	assert_string_equal(e[1].time, "real");
	assert_int_equal(e[1].times, 1);
	assert_false(e[1].tells_default);
	says(BASE "sla \"s\" { update { low = 1h medium = 1h }\n"
		  " escalate \"a\" { metric = update priority = up } }\n",
	     true,
	     "main.conf:5: warning: escalate \"a\": priority = \"up\": update has no target for "
	     "high tickets: its clock stands still there\n",
	     NULL);
	says(BASE "sla \"s\" { update { low = 1h }\n"
		  " escalate \"a\" { metric = silence\n times = 3\n notify = {boss}\n"
		  " priority = down } escalate \"b\" { after = 1h } }\n",
	     false,
	     "main.conf:4: escalate \"b\": metric is missing: Which clock.\n"
	     "main.conf:5: escalate \"a\": metric = \"silence\": allowed: \"first_response\", "
	     "\"next_response\", \"update\", \"resolution\"\n"
	     "main.conf:6: escalate \"a\": times = 3: every is missing\n"
	     "main.conf:7: escalate \"a\": notify = \"boss\": allowed: \"assignee\", \"team\", "
	     "\"watchers\", \"agents\", \"admins\"\n"
	     "main.conf:8: escalate \"a\": priority = \"down\": allowed: \"up\", \"low\", "
	     "\"medium\", \"high\", \"critical\"\n",
	     NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(holidays_of_a_file),
		cmocka_unit_test(files_that_are_none),
		cmocka_unit_test(special_days),
		cmocka_unit_test(what_is_never_reached),
		cmocka_unit_test(each_metric_has_terms),
		cmocka_unit_test(escalations),
		cmocka_unit_test(a_policy_needs_its_targets),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
