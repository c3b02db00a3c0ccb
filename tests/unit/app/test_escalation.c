/* Escalations, moves by themselves, and a wall clock that jumps, on a whole desk. */
#include "desk_fixture.h"

#include <maildesk/app/timers.h>
#include <maildesk/store/teams.h>

#define ESCALATED                                                                   \
	"SELECT action || ' ' || old_value || ' ' || new_value FROM ticket_history" \
	" WHERE action LIKE 'escalat%%' ORDER BY id"
/* Of a target of 10 hours. */
#define SLA(escalations) "sla \"s\" { resolution { medium = 10h high = 5h } " escalations " }\n"
#define LADDER SLA("escalate \"first\" { metric = resolution after = 0m every = 2h times = 3 }")

static int64_t hours(double h)
{
	return MONDAY_9 + (int64_t)(h * 3600) * SECOND;
}

static void each_step_once(void **state)
{
	struct fixture *f = *state;
	int64_t ticket = create(f, f->carol, f->carol, "x");

	OK(assign_rc(f, f->anna, ticket, f->anna));
	tick(f, hours(10));
	send_all(f);
	tick(f, hours(10) + 1);
	ROWS(f, "escalated anna@desk.test\nsla_breach anna@desk.test", QUEUED);
	tick(f, hours(11));
	tick(f, hours(12));
	tick(f, hours(14));
	tick(f, hours(500));
	ROWS(f,
	     "escalated resolution first 1/3\nescalated resolution first 2/3\n"
	     "escalated resolution first 3/3",
	     ESCALATED);
	assert_string_equal(mail_data(f, "anna@desk.test", "sla.metric"), "resolution");
	ROWS(f, "0", "SELECT count(*) - count(DISTINCT message_id) FROM messages");
	ROWS(f, "0", "SELECT count(*) FROM timers");
}

static void only_the_latest_after_downtime(void **state)
{
	struct fixture *f = *state;

	create(f, f->carol, f->carol, "x");
	send_all(f);
	tick(f, hours(13));
	ROWS(f, "escalation_skipped resolution first 1/3\nescalated resolution first 2/3",
	     ESCALATED);
	ROWS(f, "1", "SELECT count(*) FROM outbox WHERE event = 'escalated'");
	tick(f, hours(14));
	ROWS(f, "2", "SELECT count(*) FROM outbox WHERE event = 'escalated'");
}

static int mute(struct work *w, void *arg, struct md_err *e)
{
	(void)arg;
	return work_mute(w, true, e);
}

static void not_of_closed_deleted_or_muted_tickets(void **state)
{
	struct fixture *f = *state;
	int64_t closed = create(f, f->carol, f->carol, "x");
	int64_t pending = create(f, f->carol, f->carol, "y");
	int64_t muted = create(f, f->carol, f->carol, "z");

	OK(move_rc(f, f->anna, closed, "closed"));
	OK(assign_rc(f, f->anna, pending, f->anna));
	OK(move_rc(f, f->anna, pending, "pending"));
	OK(assign_rc(f, f->bob, muted, f->bob));
	OK(step(f, f->bob, muted, mute, NULL));
	tick(f, hours(100));
	ROWS(f, "0", "SELECT count(*) FROM outbox WHERE event = 'escalated'");
	ROWS(f, arena_printf(&f->arena, "escalation_skipped %lld", (long long)muted),
	     "SELECT action || ' ' || ticket_id FROM ticket_history WHERE action LIKE 'escalat%%'");
}

static int make_team(struct db_conn *c, void *ctx, struct md_err *e)
{
	struct fixture *f = ctx;
	int64_t id;
	int rc = team_add(c, "ops", &id, e);

	return rc == MD_OK ? team_set_members(c, id, (const int64_t[]){ f->bob }, 1, e) : rc;
}

static void every_action(void **state)
{
	struct fixture *f = *state;

	OK(db_txn(f->desk->db, make_team, f, &err));
	create(f, f->carol, f->carol, "x");
	send_all(f);
	tick(f, hours(10) + 1);
	ROWS(f, "2 ops -",
	     "SELECT t.priority || ' ' || (SELECT name FROM teams WHERE id = t.team_id) || ' ' ||"
	     " coalesce(t.assignee_id, '-') FROM tickets t");
	ROWS(f, "late", "SELECT name FROM tags");
	ROWS(f, "1 Look at this.", "SELECT is_internal || ' ' || body FROM comments WHERE id > 1");
	/* team and admins are told, the others are not */
	ROWS(f, "escalated admin@desk.test\nescalated bob@desk.test",
	     "SELECT event || ' ' || recipient FROM outbox WHERE event = 'escalated' ORDER BY"
	     " recipient");
	ROWS(f, "timer", "SELECT DISTINCT source FROM ticket_history WHERE id > 1");
	/* it raised the priority, which has a target of half the time: the same step once only */
	tick(f, hours(11));
	ROWS(f, "escalated resolution first", ESCALATED);
	tick(f, hours(12));
	ROWS(f,
	     "escalated resolution first\nescalated resolution second\n"
	     "escalation_failed second no user has the address nobody@desk.test",
	     "SELECT action || ' ' || CASE action WHEN 'escalation_failed' THEN old_value || ' ' ||"
	     " new_value ELSE old_value || ' ' || new_value END FROM ticket_history"
	     " WHERE action LIKE 'escalat%%' ORDER BY id");
	ROWS(f, "3", "SELECT priority FROM tickets");
}

static void an_agent_gets_it(void **state)
{
	struct fixture *f = *state;

	create(f, f->carol, f->carol, "x");
	send_all(f);
	tick(f, hours(10) + 1);
	ROWS(f, "Bob in_progress",
	     "SELECT u.name || ' ' || t.status FROM tickets t JOIN users u ON u.id = "
	     "t.assignee_id");
	ROWS(f, "assigned bob@desk.test\nescalated bob@desk.test",
	     "SELECT event || ' ' || recipient FROM outbox WHERE recipient = 'bob@desk.test' AND "
	     "state ="
	     " 'queued' ORDER BY event");
}

/* A step of another policy that takes over is not a new one. */
static void no_way_back_into_a_step(void **state)
{
	struct fixture *f = *state;

	create(f, f->carol, f->carol, "x");
	tick(f, hours(100));
	ROWS(f, "2", "SELECT priority FROM tickets");
	ROWS(f, "high", "SELECT policy FROM clocks");
	ROWS(f, "escalated resolution up", ESCALATED);
}

/* ---- moves by themselves ---- */

static void a_reminder_and_then_the_end(void **state)
{
	struct fixture *f = *state;
	int64_t ticket = create(f, f->carol, f->carol, "x");

	OK(assign_rc(f, f->anna, ticket, f->anna));
	OK(move_rc(f, f->anna, ticket, "pending"));
	send_all(f);
	tick(f, MONDAY_9 + 2 * DAY - 1);
	ROWS(f, "", QUEUED);
	tick(f, MONDAY_9 + 2 * DAY);
	ROWS(f, "reminder carol@customer.test", QUEUED);
	assert_non_null(strstr(rendered(f, newest_to(f, "carol@customer.test")),
			       "still waiting for your answer"));
	send_all(f);
	tick(f, MONDAY_9 + 4 * DAY - 1);
	ROWS(f, "pending", "SELECT status FROM tickets");
	tick(f, MONDAY_9 + 4 * DAY);
	ROWS(f, "resolved", "SELECT status FROM tickets");
	ROWS(f, "status_changed carol@customer.test", QUEUED);
}

static void a_word_begins_the_waiting_anew(void **state)
{
	struct fixture *f = *state;
	int64_t ticket = create(f, f->carol, f->carol, "x");

	OK(assign_rc(f, f->anna, ticket, f->anna));
	OK(move_rc(f, f->anna, ticket, "pending"));
	fixture_now = MONDAY_9 + DAY;
	OK(comment_rc(f, f->anna, ticket, "Did you find it?", false));
	tick(f, MONDAY_9 + 2 * DAY);
	ROWS(f, "0", "SELECT count(*) FROM outbox WHERE event = 'reminder'");
	/* both overdue: the reminder now, the end not before the other half */
	tick(f, MONDAY_9 + 20 * DAY);
	ROWS(f, "pending", "SELECT status FROM tickets");
	ROWS(f, "1", "SELECT count(*) FROM outbox WHERE event = 'reminder'");
	/* the customer answers */
	OK(comment_rc(f, f->carol, ticket, "Here it is.", false));
	tick(f, MONDAY_9 + 90 * DAY);
	ROWS(f, "in_progress", "SELECT status FROM tickets");
	ROWS(f, "1", "SELECT count(*) FROM outbox WHERE event = 'reminder'");
}

static void off_unless_wanted(void **state)
{
	struct fixture *f = *state;
	int64_t ticket = create(f, f->carol, f->carol, "x");

	OK(assign_rc(f, f->anna, ticket, f->anna));
	OK(move_rc(f, f->anna, ticket, "pending"));
	tick(f, MONDAY_9 + 900 * DAY);
	ROWS(f, "pending", "SELECT status FROM tickets");
	ROWS(f, "0", "SELECT count(*) FROM outbox WHERE event = 'reminder'");
}

/* ---- the wall clock ---- */

static int64_t fixture_mono;
static int64_t mono_clock(const struct clock *c)
{
	(void)c;
	return fixture_mono;
}

static size_t round_at(struct timers *t, int64_t wall_ms, int64_t mono_ms)
{
	size_t fired;

	fixture_now = wall_ms;
	fixture_mono = mono_ms;
	OK(timers_round(t, &fired, &err));
	return fired;
}

static void a_jump_fires_nothing(void **state)
{
	struct fixture *f = *state;
	struct timers *t;
	int64_t ticket = create(f, f->carol, f->carol, "x");

	f->clock.mono_ms = mono_clock;
	fixture_mono = 1000;
	OK(timers_new(f->desk, &t, &err));
	assert_int_equal(round_at(t, hours(0) + SECOND, 2000), 0);
	/* two days ahead: the breach is due by it */
	assert_int_equal(round_at(t, hours(48), 3000), 0);
	/* nor does somebody's step tell it */
	OK(change_rc(f, f->anna, ticket, CHANGE(.category = "c")));
	assert_int_equal(round_at(t, hours(48) + 30 * SECOND, 33000), 0);
	ROWS(f, "0", "SELECT count(*) FROM outbox WHERE event LIKE 'sla_%%'");
	/* it was a mistake, and is put right */
	assert_int_equal(round_at(t, hours(0) + 35 * SECOND, 36000), 0);
	assert_int_equal(round_at(t, hours(0) + 95 * SECOND, 96000), 0);
	assert_false(atomic_load(&f->desk->clock_doubted));
	/* this time it stays: after a minute it is believed */
	assert_int_equal(round_at(t, hours(48), 97000), 0);
	assert_int_equal(round_at(t, hours(48) + 59 * SECOND, 97000 + 59000), 0);
	assert_true(round_at(t, hours(48) + 60 * SECOND, 97000 + 60000) > 0);
	timers_stop(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		DESK_TEST(each_step_once, LADDER),
		DESK_TEST(only_the_latest_after_downtime, LADDER),
		DESK_TEST(not_of_closed_deleted_or_muted_tickets, LADDER),
		DESK_TEST(every_action,
			  SLA("escalate \"first\" { metric = resolution priority = up tag = late"
			      " note = \"Look at this.\" assign = ops notify = {team, admins} }"
			      " escalate \"second\" { metric = resolution after = 2h priority = "
			      "critical"
			      " assign = \"nobody@desk.test\" notify = {} }")),
		DESK_TEST(an_agent_gets_it, SLA("escalate \"to\" { metric = resolution assign ="
						" \"bob@desk.test\" }")),
		DESK_TEST(no_way_back_into_a_step,
			  "sla \"medium\" { priorities = {medium} resolution { medium = 10h }"
			  " escalate \"up\" { metric = resolution priority = up } }\n"
			  "sla \"high\" { priorities = {high} resolution { high = 1h }"
			  " escalate \"up\" { metric = resolution priority = up } }\n"),
		DESK_TEST(a_reminder_and_then_the_end, "desk { pending_close = 4d }\n"),
		DESK_TEST(a_word_begins_the_waiting_anew, "desk { pending_close = 4d }\n"),
		DESK_TEST(off_unless_wanted, ""),
		DESK_TEST(a_jump_fires_nothing, LADDER),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
