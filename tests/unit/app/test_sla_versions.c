/* Calendars and targets that change while clocks run: what was used counts by what was valid then.
 */
#include "desk_fixture.h"

#include <maildesk/app/clock_story.h>
#include <maildesk/app/timers.h>

#define OFFICE(hours) "calendar \"office\" { mon = {" hours "} tue = {" hours "} }\n"
#define GOAL(target) \
	"sla \"s\" { calendar = office resolution { medium = " target " } warn = {50} }\n"
#define BEFORE OFFICE("\"09:00-17:00\"") GOAL("4h")

/* The daemon ends, and begins with another configuration. */
static void restart(struct fixture *f, const char *more)
{
	md_auto(buf_done) struct buf text = BUF_INIT(1 << 16);
	md_auto(buf_done) struct buf problems = BUF_INIT(1 << 16);
	char path[200];

	desk_close(f->desk);
	config_free(f->config);
	buf_addf(&text, "state_dir = \"%s\"\n%s%s", f->dir, FIXTURE_CONFIG, more);
	fixture_write(f->dir, "desk.conf", buf_str(&text));
	snprintf(path, sizeof path, "%s/desk.conf", f->dir);
	if (config_load(path, &f->config, &problems) != MD_OK)
		fail_msg("%s", buf_str(&problems));
	OK(desk_open(f->config, &f->desk, &err));
	f->desk->clock = &f->clock;
	f->desk->random = &f->random;
	OK(desk_adopt_slas(f->desk, &err));
}

static void round_of_timers(struct fixture *f)
{
	struct timers *t;
	size_t fired;

	OK(timers_new(f->desk, &t, &err));
	OK(timers_round(t, &fired, &err));
	timers_stop(t);
}

static void at(int64_t minutes)
{
	fixture_now = MONDAY_9 + minutes * MINUTE;
}

/* "state used due", in minutes since Monday 09:00 UTC, and when it was breached */
#define CLOCK                                                                                   \
	"SELECT state || ' ' || (used_ms / 60000) || ' ' || coalesce(((due_at - 1772442000000)" \
	" / 60000), '-') || CASE WHEN breached_at IS NULL THEN '' ELSE ' late ' ||"             \
	" ((breached_at - 1772442000000) / 60000) END FROM clocks"
#define TIMERS                                                                           \
	"SELECT kind || ' ' || ((due_at - 1772442000000) / 60000) FROM timers ORDER BY " \
	"due_at"

static int64_t ticket_by(struct fixture *f, const char *config)
{
	restart(f, config);
	return create(f, f->carol, f->carol, "x");
}

static const char *story(struct fixture *f, int64_t ticket)
{
	md_auto(buf_done) struct buf out = BUF_INIT(1 << 16);
	md_auto(db_read_done_p) struct db_conn *c = NULL;
	struct clock_story *all;
	struct ticket t;
	size_t n;

	OK(db_read(f->desk->db, &c, &err));
	OK(ticket_get(c, ticket, &f->arena, &t, &err));
	OK(clock_stories(f->desk, c, &t, fixture_now, &f->arena, &all, &n, &err));
	for (size_t i = 0; i < all[0].n_lines; i++)
		buf_addf(&out, "%lld-%lld %s\n",
			 (long long)(all[0].lines[i].from_ms - MONDAY_9) / MINUTE,
			 (long long)(all[0].lines[i].to_ms - MONDAY_9) / MINUTE,
			 all[0].lines[i].why);
	return arena_strdup(&f->arena, buf_str(&out));
}

static void another_calendar(void **state)
{
	struct fixture *f = *state;
	int64_t ticket = ticket_by(f, BEFORE);

	ROWS(f, "running 0 240", CLOCK);
	at(60);
	/* by the new one nothing would have been used yet */
	restart(f, OFFICE("\"12:00-17:00\"") GOAL("4h"));
	at(65);
	round_of_timers(f);
	ROWS(f, "running 60 360", CLOCK);
	ROWS(f, "sla_warning 240", TIMERS);
	at(200);
	assert_string_equal(story(f, ticket), "0-60 open\n60-180 outside hours\n180-200 open\n");
	/* and back: the hour and twenty minutes stay */
	restart(f, BEFORE);
	round_of_timers(f);
	ROWS(f, "running 80 360", CLOCK);
	at(210);
	assert_string_equal(story(f, ticket), "0-60 open\n60-180 outside hours\n180-210 open\n");
}

/* Somebody is quicker than the timers. */
static void a_step_before_the_clocks_are_laid(void **state)
{
	struct fixture *f = *state;
	int64_t ticket = ticket_by(f, BEFORE);

	OK(assign_rc(f, f->anna, ticket, f->anna));
	at(60);
	restart(f, OFFICE("\"12:00-17:00\"") GOAL("4h"));
	at(240);
	OK(move_rc(f, f->anna, ticket, "pending"));
	ROWS(f, "paused 120 -", CLOCK);
	round_of_timers(f);
	ROWS(f, "paused 120 -", CLOCK);
}

static void another_target(void **state)
{
	struct fixture *f = *state;

	ticket_by(f, BEFORE);
	at(60);
	restart(f, OFFICE("\"09:00-17:00\"") GOAL("2h"));
	at(61);
	round_of_timers(f);
	ROWS(f, "running 60 120", CLOCK);
	/* nothing left: breached at the change, not before, and told */
	restart(f, OFFICE("\"09:00-17:00\"") GOAL("30m"));
	at(62);
	round_of_timers(f);
	ROWS(f, "running 61 61 late 61", CLOCK);
	ROWS(f, "1", "SELECT count(*) FROM ticket_history WHERE action = 'sla_breach'");
}

/* A breach of while nobody looked is one of what was valid then, and stays. */
static void breached_before_the_change(void **state)
{
	struct fixture *f = *state;

	ticket_by(f, BEFORE);
	at(300);
	restart(f, OFFICE("\"09:00-17:00\"") GOAL("7h"));
	at(301);
	round_of_timers(f);
	ROWS(f, "running 300 420 late 240", CLOCK);
	ROWS(f, "1", "SELECT count(*) FROM ticket_history WHERE action = 'sla_breach'");
}

static void no_policy_any_more(void **state)
{
	struct fixture *f = *state;

	ticket_by(f, BEFORE);
	at(60);
	restart(f, OFFICE("\"09:00-17:00\"") "sla \"other\" { tags = {x} resolution { medium = 1h "
					     "} }\n");
	at(100);
	round_of_timers(f);
	ROWS(f, "paused 60 -", CLOCK);
	ROWS(f, "", TIMERS);
	/* it comes back: goes on with the rest */
	at(120);
	restart(f, BEFORE);
	at(121);
	round_of_timers(f);
	ROWS(f, "running 60 301", CLOCK);
}

/* What pauses may be another, too. */
static void another_pause(void **state)
{
	struct fixture *f = *state;
	int64_t ticket = ticket_by(f, BEFORE);

	OK(assign_rc(f, f->anna, ticket, f->anna));
	at(30);
	OK(move_rc(f, f->anna, ticket, "pending"));
	at(60);
	restart(f, OFFICE("\"09:00-17:00\"") "sla \"s\" { calendar = office pause = {} resolution "
					     "{ medium = 4h } }\n");
	round_of_timers(f);
	ROWS(f, "running 30 270", CLOCK);
}

/* The same again is no change; each change is one row. */
static void nothing_changed(void **state)
{
	struct fixture *f = *state;

	ticket_by(f, BEFORE);
	restart(f, BEFORE);
	restart(f, BEFORE "desk { locale = de }\n");
	ROWS(f, "1", "SELECT count(*) FROM sla_versions");
	restart(f, OFFICE("\"09:00-17:00\", \"18:00-19:00\"") GOAL("4h"));
	ROWS(f, "2", "SELECT count(*) FROM sla_versions");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		DESK_TEST(another_calendar, ""),   DESK_TEST(a_step_before_the_clocks_are_laid, ""),
		DESK_TEST(another_target, ""),     DESK_TEST(breached_before_the_change, ""),
		DESK_TEST(no_policy_any_more, ""), DESK_TEST(another_pause, ""),
		DESK_TEST(nothing_changed, ""),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
