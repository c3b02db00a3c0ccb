/* SLA clocks over real work: what starts, stops, pauses and moves them, and that each warning and
 * breach is told once, however late. */
#include "desk_fixture.h"

#include <maildesk/store/teams.h>

#define TARGETS                                    \
	"first_response { medium = 4h high = 1h }" \
	" resolution { medium = 20h high = 10h } warn = {50}"
#define SLA "sla \"s\" { " TARGETS " }\n"
#define WEEKLY                                                                       \
	"calendar \"office\" { timezone = \"Europe/Berlin\" mon = {\"09:00-17:00\"}" \
	" tue = {\"09:00-12:00\", \"13:00-17:00\"} holidays = {\"2026-03-09\"} }\n"  \
	"sla \"s\" { calendar = office " TARGETS " }\n"

#define ALL_FOUR                                                                   \
	"sla \"s\" { first_response { medium = 4h } next_response { medium = 4h }" \
	" update { medium = 4h } resolution { medium = 4h } }\n"

/* "metric state used due" of each clock; times in minutes, due since Monday 09:00 UTC. */
static const char *clocks(struct fixture *f)
{
	return rows(
		f,
		"SELECT metric || ' ' || state || ' ' || (used_ms / 60000) || ' ' ||"
		" coalesce(((due_at - %lld) / 60000), '-') || CASE WHEN breached_at IS NULL THEN ''"
		" ELSE ' late' END FROM clocks ORDER BY metric",
		(long long)MONDAY_9);
}
/* "kind argument minutes" */
static const char *timers(struct fixture *f)
{
	return rows(f,
		    "SELECT kind || ' ' || argument || ' ' || ((due_at - %lld) / 60000) FROM timers"
		    " WHERE clock_id IS NOT NULL ORDER BY due_at, clock_id",
		    (long long)MONDAY_9);
}
#define CLOCKS(f, text) assert_string_equal(clocks(f), text)
#define TIMERS(f, text) assert_string_equal(timers(f), text)

static void at(int64_t minutes)
{
	fixture_now = MONDAY_9 + minutes * MINUTE;
}

static void two_clocks_start_with_the_ticket(void **state)
{
	struct fixture *f = *state;

	create(f, f->carol, f->carol, "x");
	CLOCKS(f, "first_response running 0 240\nresolution running 0 1200");
	TIMERS(f, "sla_warning 50 120\nsla_warning 50 600");
}

static void mail_starts_them_too_but_robots_do_not(void **state)
{
	struct fixture *f = *state;

	TAKE(f, .from = "carol@customer.test", .subject = "Away",
	     .headers = "Auto-Submitted: auto-replied\n");
	CLOCKS(f, "");
	TAKE(f, .from = "carol@customer.test", .subject = "Help");
	CLOCKS(f, "first_response running 0 240\nresolution running 0 1200");
}

static void only_an_agents_public_words_answer(void **state)
{
	struct fixture *f = *state;
	int64_t ticket = create(f, f->carol, f->carol, "x");
	const char *id;

	OK(assign_rc(f, f->bob, ticket, f->bob));
	at(10);
	OK(comment_rc(f, f->carol, ticket, "Hello?", false));
	OK(comment_rc(f, f->anna, ticket, "A note.", true));
	id = mail_data(f, "bob@desk.test", "mail.message_id");
	TAKE(f, .from = "bob@desk.test", .auth = "pass", .reply_to = id,
	     .headers = "Auto-Submitted: auto-replied\n", .body = "On holiday.\n");
	TAKE(f, .from = "anna@desk.test", .subject = "[#1] x", .body = "Unproven.\n");
	CLOCKS(f, "first_response running 0 240\nresolution running 0 1200");
	at(30);
	TAKE(f, .from = "bob@desk.test", .auth = "pass", .reply_to = id, .body = "Yes?\n");
	CLOCKS(f, "first_response met 30 240\nresolution running 0 1200");
	TIMERS(f, "sla_warning 50 600");
	ROWS(f, "1", "SELECT first_response_at = %lld FROM tickets", (long long)fixture_now);
	/* once met it stays met */
	at(400);
	OK(comment_rc(f, f->carol, ticket, "And?", false));
	OK(comment_rc(f, f->anna, ticket, "So.", false));
	CLOCKS(f, "first_response met 30 240\nresolution running 0 1200");
}

static void an_agent_for_a_customer_owes_no_answer_yet(void **state)
{
	struct fixture *f = *state;
	int64_t ticket = create(f, f->anna, f->carol, "She called");

	CLOCKS(f, "resolution running 0 1200");
	at(60);
	OK(comment_rc(f, f->carol, ticket, "And?", false));
	CLOCKS(f, "first_response running 0 300\nresolution running 0 1200");
}

static void pending_stops_the_resolution(void **state)
{
	struct fixture *f = *state;
	int64_t ticket = create(f, f->carol, f->carol, "x");

	OK(assign_rc(f, f->bob, ticket, f->bob));
	at(100);
	OK(move_rc(f, f->bob, ticket, "pending"));
	CLOCKS(f, "first_response running 0 240\nresolution paused 100 -");
	TIMERS(f, "sla_warning 50 120");
	at(1000);
	OK(comment_rc(f, f->carol, ticket, "Here.", false));
	CLOCKS(f, "first_response running 0 240 late\nresolution running 100 2100");
	at(1100);
	OK(move_rc(f, f->bob, ticket, "resolved"));
	CLOCKS(f, "first_response paused 1100 - late\nresolution paused 200 -");
	at(1200);
	OK(comment_rc(f, f->carol, ticket, "Not at all.", false));
	CLOCKS(f, "first_response running 1100 1200 late\nresolution running 200 2200");
	at(1300);
	OK(comment_rc(f, f->bob, ticket, "Now.", false));
	OK(move_rc(f, f->bob, ticket, "resolved"));
	OK(move_rc(f, f->bob, ticket, "closed"));
	ROWS(f, "breached met",
	     "SELECT group_concat(state, ' ') FROM (SELECT state FROM clocks ORDER BY metric)");
	TIMERS(f, "");
	/* a reopened ticket goes on with the rest */
	at(2000);
	OK(move_rc(f, f->bob, ticket, "reopened"));
	ROWS(f, "running 300 2900",
	     "SELECT state || ' ' || (used_ms / 60000) || ' ' || ((due_at - %lld) / 60000) FROM "
	     "clocks "
	     "WHERE metric = 'resolution'",
	     (long long)MONDAY_9);
}

static void another_priority_is_another_target(void **state)
{
	struct fixture *f = *state;
	int64_t ticket = create(f, f->carol, f->carol, "x");

	at(30);
	OK(change_rc(f, f->anna, ticket, PRIORITY(2)));
	CLOCKS(f, "first_response running 30 60\nresolution running 30 600");
	TIMERS(f, "sla_warning 50 30\nsla_warning 50 300");
	at(90);
	/* back: what was late stays late, and the rest is what it was */
	OK(change_rc(f, f->anna, ticket, PRIORITY(1)));
	CLOCKS(f, "first_response running 90 240 late\nresolution running 90 1200");
	/* no target at all: they wait */
	OK(change_rc(f, f->anna, ticket, PRIORITY(0)));
	CLOCKS(f, "first_response paused 90 - late\nresolution paused 90 -");
	at(500);
	OK(change_rc(f, f->anna, ticket, PRIORITY(1)));
	CLOCKS(f, "first_response running 90 650 late\nresolution running 90 1610");
	/* nothing left: late from this moment, not from before */
	at(800);
	OK(change_rc(f, f->anna, ticket, PRIORITY(2)));
	ROWS(f, "-", "SELECT breached_at FROM clocks WHERE metric = 'resolution'");
}

static void a_change_that_leaves_nothing_is_late_now(void **state)
{
	struct fixture *f = *state;
	int64_t ticket = create(f, f->carol, f->carol, "x");

	at(100);
	OK(change_rc(f, f->anna, ticket, PRIORITY(2)));
	ROWS(f, "100 100",
	     "SELECT ((due_at - %lld) / 60000) || ' ' || ((breached_at - %lld) / 60000) FROM "
	     "clocks "
	     "WHERE metric = 'first_response'",
	     (long long)MONDAY_9, (long long)MONDAY_9);
	assert_int_equal(tick(f, fixture_now), 1);
	ROWS(f, "sla_warning\nsla_breach",
	     "SELECT event FROM outbox WHERE event LIKE 'sla_%%' ORDER BY id");
}

static void each_is_told_once(void **state)
{
	struct fixture *f = *state;
	int64_t ticket = create(f, f->carol, f->carol, "x");

	send_all(f);
	assert_int_equal(tick(f, MONDAY_9 + 120 * MINUTE - 1), 0);
	assert_int_equal(tick(f, MONDAY_9 + 120 * MINUTE), 1);
	/* nobody is assigned: the admin */
	ROWS(f, "sla_warning admin@desk.test", QUEUED);
	assert_string_equal(mail_data(f, "admin@desk.test", "sla.metric"), "first_response");
	assert_string_equal(mail_data(f, "admin@desk.test", "sla.percent"), "50");
	assert_string_equal(mail_data(f, "admin@desk.test", "sla.due_at"), "1772456400000");
	assert_int_equal(tick(f, fixture_now), 0);
	OK(assign_rc(f, f->anna, ticket, f->anna));
	send_all(f);
	assert_int_equal(tick(f, MONDAY_9 + 240 * MINUTE), 0); /* due, not yet over it */
	assert_int_equal(tick(f, MONDAY_9 + 240 * MINUTE + 1), 1);
	ROWS(f, "sla_breach anna@desk.test", QUEUED);
	OK(comment_rc(f, f->anna, ticket, "Sorry!", false));
	send_all(f);
	ROWS(f, "breached", "SELECT state FROM clocks WHERE metric = 'first_response'");
	/* the other clock, the same percentage, the same version: another mail */
	assert_int_equal(tick(f, MONDAY_9 + 600 * MINUTE), 1);
	assert_int_equal(tick(f, MONDAY_9 + 1200 * MINUTE + 1), 1);
	ROWS(f, "sla_breach anna@desk.test\nsla_warning anna@desk.test", QUEUED);
	assert_int_equal(tick(f, MONDAY_9 + 90 * DAY), 0);
	ROWS(f,
	     "sla_warning first_response\nsla_breach first_response\nsla_warning resolution\n"
	     "sla_breach resolution",
	     "SELECT action || ' ' || new_value FROM ticket_history WHERE action LIKE 'sla_%%'"
	     " AND source = 'timer' AND is_public = 0 ORDER BY id");
	ROWS(f, "0", "SELECT count(*) - count(DISTINCT message_id) FROM messages");
}

/* Two clocks that reach the same percentage while nobody touches the ticket. */
static void warnings_have_ids_of_their_own(void **state)
{
	struct fixture *f = *state;

	create(f, f->carol, f->carol, "x");
	tick(f, MONDAY_9 + 20 * HOUR + 1); /* both warnings and both breaches, late and at once */
	ROWS(f, "4 4",
	     "SELECT count(*) || ' ' || count(DISTINCT m.message_id) FROM outbox o JOIN"
	     " messages m ON m.id = o.message_id WHERE o.event LIKE 'sla_%%'");
}

/* A late step tells what was due before it changes anything; the timer then finds nothing. */
static void a_step_tells_what_was_due(void **state)
{
	struct fixture *f = *state;
	int64_t ticket = create(f, f->carol, f->carol, "x");

	OK(assign_rc(f, f->bob, ticket, f->bob));
	send_all(f);
	at(300);
	OK(comment_rc(f, f->anna, ticket, "Here I am.", false));
	ROWS(f,
	     "public_reply bob@desk.test\npublic_reply carol@customer.test\n"
	     "sla_breach bob@desk.test\nsla_warning bob@desk.test",
	     QUEUED);
	send_all(f);
	tick(f, fixture_now);
	ROWS(f, "", QUEUED);
	CLOCKS(f, "first_response breached 300 240 late\nresolution running 0 1200");
}

static void hours_that_count(void **state)
{
	struct fixture *f = *state;
	int64_t ticket;

	/* Monday 10:00 in Berlin; 4 hours are Monday 14:00, 20 are in the week after the holiday:
	 * 7 on Monday, 7 on Tuesday, none on the 9th, 6 on Tuesday the 10th. */
	ticket = create(f, f->carol, f->carol, "x");
	CLOCKS(f, arena_printf(&f->arena, "first_response running 0 240\nresolution running 0 %lld",
			       (long long)(8 * 24 * 60 + 6 * 60)));
	/* pending over night and the week-end costs nothing either way */
	OK(assign_rc(f, f->bob, ticket, f->bob));
	at(6 * 60); /* Monday 16:00: 6 used */
	OK(comment_rc(f, f->bob, ticket, "Well?", false));
	OK(move_rc(f, f->bob, ticket, "pending"));
	at(3 * 24 * 60); /* Thursday: closed */
	OK(comment_rc(f, f->carol, ticket, "Well!", false));
	/* 14 left: 7 on Tuesday the 10th, 7 on Monday the 16th: 16:00 */
	ROWS(f, arena_printf(&f->arena, "running 360 %lld", (long long)(14 * 24 * 60 + 6 * 60)),
	     "SELECT state || ' ' || (used_ms / 60000) || ' ' || ((due_at - %lld) / 60000) FROM "
	     "clocks "
	     "WHERE metric = 'resolution'",
	     (long long)MONDAY_9);
}

static void policies_by_tag_and_mailbox(void **state)
{
	struct fixture *f = *state;
	const char *vip[] = { "vip" };
	int64_t ticket = create(f, f->carol, f->carol, "x");

	CLOCKS(f, "first_response running 0 240");
	OK(change_rc(f, f->anna, ticket, CHANGE(.add_tags = { 1, vip })));
	CLOCKS(f, "first_response running 0 60");
	ROWS(f, "gold", "SELECT policy FROM clocks");
	at(30);
	OK(change_rc(f, f->anna, ticket, CHANGE(.remove_tags = { 1, vip })));
	CLOCKS(f, "first_response running 30 240");
	TAKE(f, .from = "dave@customer.test", .mailbox = f->sales);
	ROWS(f, "1", "SELECT count(*) FROM clocks");
}

/* "metric cycle state used" of all cycles; times in minutes. */
#define LEDGER                                                                                  \
	"SELECT metric || ' ' || cycle || ' ' || state || ' ' || (used_ms / 60000) ||"          \
	" CASE WHEN breached_at IS NULL THEN '' ELSE ' late' END FROM clocks ORDER BY metric, " \
	"cycle"

static void each_unanswered_message_is_a_cycle(void **state)
{
	struct fixture *f = *state;
	int64_t ticket = create(f, f->carol, f->carol, "x");

	at(30);
	OK(comment_rc(f, f->carol, ticket, "Hello?", false)); /* the oldest counts */
	at(60);
	OK(comment_rc(f, f->anna, ticket, "Yes.", false));
	at(70);
	OK(comment_rc(f, f->anna, ticket, "And more.", false));
	ROWS(f, "next_response 1 met 60", LEDGER);
	at(100);
	OK(comment_rc(f, f->carol, ticket, "But?", false));
	at(500);
	tick(f, fixture_now);
	OK(comment_rc(f, f->anna, ticket, "Late.", false));
	at(510);
	OK(comment_rc(f, f->carol, ticket, "Indeed.", false));
	ROWS(f,
	     "next_response 1 met 60\nnext_response 2 breached 400 late\nnext_response 3 running 0",
	     LEDGER);
	/* each cycle warns and is late once */
	ROWS(f, "sla_warning\nsla_breach",
	     "SELECT action FROM ticket_history WHERE action LIKE 'sla_%%' ORDER BY id");
	assert_int_equal(tick(f, MONDAY_9 + 5000 * MINUTE), 1);
	ROWS(f, "4", "SELECT count(*) FROM ticket_history WHERE action LIKE 'sla_%%'");
}

static void silence_is_counted_anew_from_each_reply(void **state)
{
	struct fixture *f = *state;
	int64_t ticket = create(f, f->carol, f->carol, "x");

	OK(assign_rc(f, f->anna, ticket, f->anna));
	at(60);
	OK(comment_rc(f, f->anna, ticket, "A note.", true));
	OK(comment_rc(f, f->carol, ticket, "And?", false));
	OK(comment_rc(f, f->anna, ticket, "We look.", false));
	at(100);
	OK(comment_rc(f, f->anna, ticket, "Please send it.", false));
	OK(move_rc(f, f->anna, ticket, "pending"));
	at(1000);
	OK(comment_rc(f, f->carol, ticket, "Here.", false));
	at(1010);
	ROWS(f, "update 1 met 60\nupdate 2 met 40\nupdate 3 running 0", LEDGER);
	OK(comment_rc(f, f->anna, ticket, "Done.", false));
	OK(move_rc(f, f->anna, ticket, "resolved"));
	at(1020);
	/* told something while it is resolved: the next silence is not counted yet */
	OK(comment_rc(f, f->anna, ticket, "By the way.", false));
	ROWS(f, "4 met 0\n5 paused 0",
	     "SELECT cycle || ' ' || state || ' ' || (used_ms / 60000) FROM clocks"
	     " WHERE cycle > 3 ORDER BY cycle");
	OK(move_rc(f, f->anna, ticket, "closed"));
	ROWS(f, "met", "SELECT state FROM clocks WHERE cycle = 5");
	at(1100);
	OK(comment_rc(f, f->anna, ticket, "Nobody waits.", false));
	ROWS(f, "5", "SELECT max(cycle) FROM clocks");
	OK(move_rc(f, f->anna, ticket, "reopened"));
	ROWS(f, "5 running", "SELECT cycle || ' ' || state FROM clocks WHERE cycle >= 5");
}

static void reopening_may_begin_anew(void **state)
{
	struct fixture *f = *state;
	int64_t ticket = create(f, f->carol, f->carol, "x");

	OK(assign_rc(f, f->anna, ticket, f->anna));
	at(100);
	OK(move_rc(f, f->anna, ticket, "resolved"));
	at(200);
	OK(move_rc(f, f->anna, ticket, "reopened"));
	ROWS(f, "resolution 1 met 100\nresolution 2 running 0", LEDGER);
	at(2000);
	OK(move_rc(f, f->anna, ticket, "resolved"));
	OK(move_rc(f, f->anna, ticket, "closed"));
	at(2100);
	OK(move_rc(f, f->anna, ticket, "reopened"));
	ROWS(f, "resolution 1 met 100\nresolution 2 breached 1800 late\nresolution 3 running 0",
	     LEDGER);
}

static void pauses_of_each_metric(void **state)
{
	struct fixture *f = *state;
	int64_t ticket = create(f, f->carol, f->carol, "x");

	OK(assign_rc(f, f->anna, ticket, f->anna));
	at(10);
	OK(move_rc(f, f->anna, ticket, "pending"));
	ROWS(f, "next_response paused\nresolution running\nupdate paused",
	     "SELECT metric || ' ' || state FROM clocks ORDER BY metric");
	ROWS(f, "1200", "SELECT (due_at - %lld) / 60000 FROM clocks WHERE metric = 'resolution'",
	     (long long)MONDAY_9);
	OK(move_rc(f, f->anna, ticket, "in_progress"));
	at(20);
	OK(move_rc(f, f->anna, ticket, "pending"));
	at(24 *
	   60); /* Tuesday, when the office is closed: next Monday 9:00 in Berlin and 40 more */
	OK(move_rc(f, f->anna, ticket, "in_progress"));
	ROWS(f, "40", "SELECT (due_at - %lld) / 60000 FROM clocks WHERE metric = 'update'",
	     (long long)(MONDAY_9 + 7 * DAY - HOUR));
}

/* Who waits for an answer waits while it snoozes, too. */
static void a_snooze_pauses_two(void **state)
{
	struct fixture *f = *state;
	int64_t ticket = create(f, f->carol, f->carol, "x");

	OK(change_rc(f, f->anna, ticket,
		     CHANGE(.set_snoozed = true, .snoozed_until = MONDAY_9 + HOUR)));
	ROWS(f, "first_response running\nnext_response running\nresolution paused\nupdate paused",
	     "SELECT metric || ' ' || state FROM clocks ORDER BY metric");
	tick(f, MONDAY_9 + HOUR);
	ROWS(f, "first_response 240\nnext_response 240\nresolution 300\nupdate 300",
	     "SELECT metric || ' ' || ((due_at - started_at) / 60000) FROM clocks ORDER BY metric");
}

#define REPORT                                                                            \
	"Return-Path: <>\nReceived: from x by mx.desk.test; Mon, 2 Mar 2026 09:00:00 "    \
	"+0000\n"                                                                         \
	"From: MAILER-DAEMON@mx.test\nTo: %s\nSubject: Undelivered\nMessage-ID: "         \
	"<b@mx.test>\n"                                                                   \
	"MIME-Version: 1.0\nContent-Type: multipart/report; report-type=delivery-status;" \
	" boundary=b\n\n--b\n\nSorry.\n--b\nContent-Type: message/delivery-status\n\n"    \
	"Reporting-MTA: dns; mx.test\n\nFinal-Recipient: rfc822; carol@customer.test\n"   \
	"Action: failed\nStatus: 5.1.1\n\n--b--\n"

/* Neither what comes back nor what a robot writes is a word of somebody who waits or answers. */
static void bounces_start_and_stop_nothing(void **state)
{
	struct fixture *f = *state;
	int64_t ticket = create(f, f->carol, f->carol, "x");
	const char *all =
		"SELECT metric || ' ' || cycle || ' ' || state || ' ' || since_at || ' ' ||"
		" coalesce(due_at, 0) FROM clocks ORDER BY metric, cycle";
	const char *before, *envelope;

	OK(comment_rc(f, f->anna, ticket, "Yes?", false));
	before = rows(f, "%s", all);
	envelope = rows(f, "SELECT sender FROM outbox WHERE recipient = 'carol@customer.test'"
			   " ORDER BY id DESC LIMIT 1");
	at(10);
	OUTCOME(TAKE(f, .from = "x", .raw = arena_printf(&f->arena, REPORT, envelope)),
		"delivery_event");
	TAKE(f, .from = "carol@customer.test",
	     .reply_to = mail_data(f, "carol@customer.test", "mail.message_id"),
	     .headers = "Auto-Submitted: auto-replied\n", .body = "Away.\n");
	ROWS(f, before, "%s", all);
	OK(comment_rc(f, f->carol, ticket, "Here.", false));
	assert_string_not_equal(rows(f, "%s", all), before);
}

static int join_acme(struct db_conn *c, void *ctx, struct md_err *e)
{
	struct fixture *f = ctx;
	struct organisation acme = { .name = "ACME", .domains = "" };
	struct user carol;
	int rc = organisation_add(c, &acme, &acme.id, e);

	if (rc == MD_OK)
		rc = user_get(c, f->carol, &f->arena, &carol, e);
	carol.organisation_id = acme.id;
	return rc == MD_OK ? user_save(c, &carol, e) : rc;
}

static void policies_by_everything_else(void **state)
{
	struct fixture *f = *state;
	int64_t ticket;

	ticket = create(f, f->carol, f->carol, "x");
	ROWS(f, "rest", "SELECT policy FROM clocks");
	OK(change_rc(f, f->anna, ticket, CHANGE(.category = "network")));
	ROWS(f, "network", "SELECT policy FROM clocks");
	OK(change_rc(f, f->anna, ticket, PRIORITY(3)));
	ROWS(f, "urgent", "SELECT policy FROM clocks");
	OK(db_txn(f->desk->db, join_acme, f, &err));
	create(f, f->carol, f->carol, "y");
	ROWS(f, "acme", "SELECT policy FROM clocks ORDER BY id DESC LIMIT 1");
}

static void a_target_may_come_late(void **state)
{
	struct fixture *f = *state;
	struct work_ticket t = { .title = "x", .body = "x", .requester = f->carol };
	int64_t ticket;

	OK(create_rc(f, f->carol, &t, &ticket));
	CLOCKS(f, "");
	at(60);
	OK(comment_rc(f, f->carol, ticket, "Hello?", false));
	at(100);
	OK(change_rc(f, f->anna, ticket, PRIORITY(1)));
	CLOCKS(f, "first_response running 0 340\nresolution running 0 1300");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		DESK_TEST(two_clocks_start_with_the_ticket, SLA),
		DESK_TEST(mail_starts_them_too_but_robots_do_not, SLA),
		DESK_TEST(only_an_agents_public_words_answer, SLA),
		DESK_TEST(an_agent_for_a_customer_owes_no_answer_yet, SLA),
		DESK_TEST(pending_stops_the_resolution, SLA),
		DESK_TEST(another_priority_is_another_target, SLA),
		DESK_TEST(a_change_that_leaves_nothing_is_late_now, SLA),
		DESK_TEST(each_is_told_once, SLA),
		DESK_TEST(warnings_have_ids_of_their_own, SLA),
		DESK_TEST(a_step_tells_what_was_due, SLA),
		DESK_TEST(hours_that_count, WEEKLY),
		DESK_TEST(policies_by_tag_and_mailbox,
			  "sla \"gold\" { tags = {\"vip\"} first_response { medium = 1h } }\n"
			  "sla \"rest\" { mailboxes = {\"support\"} first_response { medium = 4h } "
			  "}\n"),
		DESK_TEST(each_unanswered_message_is_a_cycle,
			  "sla \"s\" { next_response { medium = 4h } warn = {50} }\n"),
		DESK_TEST(silence_is_counted_anew_from_each_reply,
			  "sla \"s\" { update { medium = 4h } }\n"),
		DESK_TEST(reopening_may_begin_anew,
			  "sla \"s\" { resolution { medium = 20h } reopen = restart }\n"),
		DESK_TEST(
			pauses_of_each_metric,
			"calendar \"office\" { timezone = \"Europe/Berlin\" mon = {\"09:00-17:00\"}"
			" }\n"
			"sla \"s\" { next_response { medium = 4h pause = {\"pending\"} }"
			" update { medium = 1h calendar = office }"
			" resolution { medium = 20h pause = { } } }\n"),
		DESK_TEST(a_snooze_pauses_two, ALL_FOUR),
		DESK_TEST(bounces_start_and_stop_nothing, ALL_FOUR),
		DESK_TEST(policies_by_everything_else,
			  "sla \"urgent\" { priorities = {critical} first_response { critical = 1h "
			  "} }\n"
			  "sla \"acme\" { organisations = {ACME} first_response { medium = 1h } }\n"
			  "sla \"network\" { categories = {network} first_response { medium = 1h } "
			  "}\n"
			  "sla \"rest\" { first_response { medium = 4h } }\n"),
		DESK_TEST(a_target_may_come_late, SLA),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
