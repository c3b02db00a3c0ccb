/* The explanation of a clock is what the clock did: whatever happened to the ticket, the counted
 * lines are the time used, and leave no second out. */
#include "desk_fixture.h"

#include <maildesk/app/clock_story.h>

#define OFFICE                                                                                     \
	"calendar \"office\" { timezone = \"Europe/Berlin\" mon = {\"09:00-17:00\"}"               \
	" tue = {\"09:00-12:00\", \"13:00-17:00\"} wed = {\"09:00-17:00\"} thu = "                 \
	"{\"09:00-17:00\"}"                                                                        \
	" holidays = {\"2026-03-09\"} special { date = \"2026-03-07\" hours = {\"10:00-11:00\"} }" \
	" special { date = \"2026-03-10\" hours = {} } }\n"
#define POLICIES                                                                                   \
	"sla \"vip\" { tags = {vip} calendar = \"24x7\" resolution { medium = 8h high = 2h } }\n"  \
	"sla \"all\" { calendar = office reopen = restart first_response { medium = 4h high = 1h " \
	"}"                                                                                        \
	" next_response { medium = 2h high = 30m } update { medium = 10h high = 5h"                \
	" calendar = \"24x7\" } resolution { medium = 20h high = 10h } }\n"

/* "HH:MM-HH:MM + why" of the lines of the first clock of that metric, days since Monday before. */
static const char *story(struct fixture *f, int64_t ticket, const char *metric)
{
	md_auto(db_read_done_p) struct db_conn *c = NULL;
	md_auto(buf_done) struct buf out = BUF_INIT(1 << 16);
	struct clock_story *s;
	struct ticket t;
	size_t n;

	OK(db_read(f->desk->db, &c, &err));
	OK(ticket_get(c, ticket, &f->arena, &t, &err));
	OK(clock_stories(f->desk, c, &t, fixture_now, &f->arena, &s, &n, &err));
	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; strcmp(s[i].row.metric, metric) == 0 && k < s[i].n_lines; k++) {
			int64_t from = (s[i].lines[k].from_ms - MONDAY_9) / MINUTE + 540;
			int64_t to = (s[i].lines[k].to_ms - MONDAY_9) / MINUTE + 540;

			buf_addf(&out, "%s%lld %02lld:%02lld to %lld %02lld:%02lld %s%s",
				 out.len ? "\n" : "", (long long)(from / 1440),
				 (long long)(from / 60 % 24), (long long)(from % 60),
				 (long long)(to / 1440), (long long)(to / 60 % 24),
				 (long long)(to % 60), s[i].lines[k].counted ? "+ " : "- ",
				 s[i].lines[k].why);
		}
	return arena_strdup(&f->arena, buf_str(&out));
}

static void every_reason(void **state)
{
	struct fixture *f = *state;
	int64_t ticket = create(f, f->carol, f->carol, "x");

	OK(assign_rc(f, f->anna, ticket, f->anna));
	fixture_now = MONDAY_9 + HOUR;
	OK(move_rc(f, f->anna, ticket, "pending"));
	fixture_now = MONDAY_9 + 2 * HOUR;
	OK(move_rc(f, f->anna, ticket, "in_progress"));
	fixture_now = MONDAY_9 + 3 * HOUR;
	OK(change_rc(f, f->anna, ticket,
		     CHANGE(.set_snoozed = true, .snoozed_until = MONDAY_9 + 4 * HOUR)));
	tick(f, MONDAY_9 + 4 * HOUR);
	OK(change_rc(f, f->anna, ticket, PRIORITY(0)));
	fixture_now = MONDAY_9 + 5 * HOUR;
	OK(change_rc(f, f->anna, ticket, PRIORITY(1)));
	fixture_now = MONDAY_9 + 4 * DAY + 20 * HOUR; /* Saturday */
	OK(move_rc(f, f->anna, ticket, "resolved"));
	fixture_now = MONDAY_9 + 5 * DAY;
	assert_string_equal(story(f, ticket, "resolution"),
			    "0 09:00 to 0 10:00 + open\n"
			    "0 10:00 to 0 11:00 - paused: pending\n"
			    "0 11:00 to 0 12:00 + open\n"
			    "0 12:00 to 0 13:00 - paused: snoozed\n"
			    "0 13:00 to 0 14:00 - paused: no target\n"
			    "0 14:00 to 0 16:00 + open\n"
			    "0 16:00 to 1 08:00 - outside hours\n"
			    "1 08:00 to 1 11:00 + open\n"
			    "1 11:00 to 1 12:00 - outside hours\n"
			    "1 12:00 to 1 16:00 + open\n"
			    "1 16:00 to 2 08:00 - outside hours\n"
			    "2 08:00 to 2 16:00 + open\n"
			    "2 16:00 to 3 08:00 - outside hours\n"
			    "3 08:00 to 3 16:00 + open\n"
			    "3 16:00 to 5 05:00 - outside hours\n"
			    "5 05:00 to 5 09:00 - paused: resolved");
	/* what answers is another clock, which only the resolution stops */
	assert_non_null(strstr(story(f, ticket, "first_response"), "0 09:00 to 0 13:00 + open"));
}

static void closed_dates(void **state)
{
	struct fixture *f = *state;
	int64_t ticket;

	fixture_now = MONDAY_9 + 6 * DAY; /* Sunday */
	ticket = create(f, f->carol, f->carol, "x");
	fixture_now = MONDAY_9 + 9 * DAY;
	assert_string_equal(story(f, ticket, "resolution"),
			    "6 09:00 to 6 23:00 - outside hours\n"
			    "6 23:00 to 7 23:00 - closed: 2026-03-09\n"
			    "7 23:00 to 8 23:00 - closed: 2026-03-10\n"
			    "8 23:00 to 9 08:00 - outside hours\n"
			    "9 08:00 to 9 09:00 + open");
}

/* ---- random stories ---- */

static uint32_t dice(uint32_t *seed, uint32_t n)
{
	*seed = *seed * 1664525 + 1013904223;
	return (*seed >> 8) % n;
}

static int merge_or_delete(struct work *w, void *arg, struct md_err *e)
{
	(void)arg;
	return w->ticket.deleted_at ? work_restore(w, e) : work_delete(w, e);
}

/* Something that may happen; what is refused does not. */
static void random_step(struct fixture *f, int64_t ticket, uint32_t *seed)
{
	static const char *const statuses[] = { "pending", "in_progress", "resolved", "closed",
						"reopened" };
	const char *vip[] = { "vip" };

	switch (dice(seed, 9)) {
	case 0:
		(void)comment_rc(f, f->carol, ticket, "?", false);
		break;
	case 1:
		(void)comment_rc(f, f->anna, ticket, "!", false);
		break;
	case 2:
		(void)change_rc(f, f->anna, ticket, PRIORITY(dice(seed, 3)));
		break;
	case 3:
		(void)change_rc(f, f->anna, ticket, CHANGE(.add_tags = { 1, vip }));
		break;
	case 4:
		(void)change_rc(f, f->anna, ticket, CHANGE(.remove_tags = { 1, vip }));
		break;
	case 5:
		(void)change_rc(f, f->anna, ticket,
				CHANGE(.set_snoozed = true,
				       .snoozed_until = fixture_now + dice(seed, 40) * HOUR));
		break;
	case 6:
		(void)step(f, f->admin, ticket, merge_or_delete, NULL);
		break;
	default:
		(void)move_rc(f, f->anna, ticket, statuses[dice(seed, MD_COUNT(statuses))]);
	}
}

static void check_story(const struct clock_story *s)
{
	int64_t counted = 0, at = s->row.started_at;

	for (size_t i = 0; i < s->n_lines; i++) {
		assert_int_equal(s->lines[i].from_ms, at);
		assert_true(s->lines[i].to_ms > at);
		at = s->lines[i].to_ms;
		counted += s->lines[i].counted ? s->lines[i].to_ms - s->lines[i].from_ms : 0;
	}
	assert_int_equal(counted, s->used_ms);
	if (strcmp(s->row.state, "running") == 0 || strcmp(s->row.state, "paused") == 0)
		assert_int_equal(at, fixture_now);
	else
		assert_int_equal(s->used_ms, s->row.used_ms);
	/* what is late was late when it was written down as such */
	if (strcmp(s->row.state, "met") == 0)
		assert_true(s->used_ms <= s->row.target_ms);
	if (strcmp(s->row.state, "running") == 0 && s->row.due_at > fixture_now)
		assert_true(s->rest_ms > 0);
}

static void random_stories(void **state)
{
	struct fixture *f = *state;
	uint32_t seed = 42;

	for (int story = 0; story < 60; story++) {
		md_auto(db_read_done_p) struct db_conn *c = NULL;
		struct clock_story *s;
		struct ticket t;
		int64_t ticket;
		size_t n;

		fixture_now = MONDAY_9 + story * DAY;
		ticket = create(f, f->carol, f->carol, "x");
		OK(assign_rc(f, f->anna, ticket, f->anna));
		for (int i = 0; i < 25; i++) {
			tick(f, fixture_now + (int64_t)dice(&seed, 10 * HOUR));
			random_step(f, ticket, &seed);
		}
		OK(db_read(f->desk->db, &c, &err));
		OK(ticket_get(c, ticket, &f->arena, &t, &err));
		OK(clock_stories(f->desk, c, &t, fixture_now, &f->arena, &s, &n, &err));
		assert_true(n >= 4);
		for (size_t i = 0; i < n; i++)
			check_story(&s[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		DESK_TEST(every_reason, OFFICE POLICIES),
		DESK_TEST(closed_dates, OFFICE POLICIES),
		DESK_TEST(random_stories, OFFICE POLICIES),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
