/* Digests: who is told later, what the letter shows, and that nothing is lost or shown to who may
 * not see it any more. */
#include "desk_fixture.h"

#include <maildesk/app/timers.h>

#define CAROL "carol@customer.test"
#define DAVE "dave@customer.test"
#define ANNA "anna@desk.test"
#define BOB "bob@desk.test"

#define WAITING "SELECT count(*) FROM digest_items"
#define DIGESTS "SELECT recipient FROM outbox WHERE event = 'digest' ORDER BY id"

struct wish {
	int64_t user;
	const char *digest, *zone;
};

static int set_wish(struct db_conn *c, void *ctx, struct md_err *e)
{
	md_auto(arena_done) struct arena a = ARENA_INIT(1 << 20);
	const struct wish *w = ctx;
	struct user u;
	int rc = user_get(c, w->user, &a, &u, e);

	u.digest = w->digest;
	u.timezone = w->zone;
	return rc == MD_OK ? user_save(c, &u, e) : rc;
}
static void wish(struct fixture *f, int64_t user, const char *digest, const char *zone)
{
	OK(db_txn(f->desk->db, set_wish, &(struct wish){ user, digest, zone }, &err));
}

static void at(struct fixture *f, int64_t now)
{
	struct timers *t;
	size_t fired;

	fixture_now = now;
	OK(timers_new(f->desk, &t, &err));
	OK(timers_round(t, &fired, &err));
	timers_stop(t);
}

static const char *digest_to(struct fixture *f, const char *who)
{
	return rendered(f, NUM(f,
			       "SELECT max(id) FROM outbox WHERE event = 'digest'"
			       " AND recipient = '%s'",
			       who));
}

/* ---- who waits, and until when ---- */

static void notices_wait_for_the_hour(void **state)
{
	struct fixture *f = *state;
	int64_t ticket;
	const char *mail;

	wish(f, f->anna, "hourly", "Europe/Berlin");
	fixture_now = MONDAY_9 + 10 * MINUTE;
	ticket = create(f, f->carol, f->carol, "Printer on fire");
	OK(assign_rc(f, f->bob, ticket, f->anna));
	fixture_now += MINUTE;
	OK(comment_rc(f, f->carol, ticket, "It burns.\n\nReally.", false));
	OK(comment_rc(f, f->bob, ticket, "@anna look", true));
	ROWS(f, "0", "SELECT count(*) FROM outbox WHERE recipient = '" ANNA "'");
	ROWS(f, "4", WAITING);
	/* others are told at once */
	ROWS(f, "created " CAROL "\ncreated_agent " BOB, QUEUED);
	at(f, MONDAY_9 + HOUR - 1);
	ROWS(f, "4", WAITING);
	at(f, MONDAY_9 + HOUR);
	ROWS(f, "0", WAITING);
	ROWS(f, ANNA, DIGESTS);
	mail = digest_to(f, ANNA);
	assert_non_null(strstr(mail, "Subject: Example Support: 4 notifications\r\n"));
	assert_non_null(strstr(mail, "\r\n[#1] Printer on fire\r\n"));
	assert_non_null(strstr(mail, "* Monday, 2 March 2026, 10:10 (Europe/Berlin)\r\n"
				     "  New ticket from Carol:\r\n\r\n    It does not work.\r\n"));
	assert_non_null(strstr(mail, "  Assigned to you by Bob.\r\n"));
	assert_non_null(strstr(mail, "  Carol wrote:\r\n\r\n    It burns.\r\n\r\n    Really.\r\n"));
	assert_non_null(strstr(mail, "  Bob mentioned you in an internal note"));
	assert_non_null(strstr(mail, "Auto-Submitted: auto-generated\r\n"));
	/* once */
	at(f, MONDAY_9 + 2 * HOUR);
	ROWS(f, ANNA, DIGESTS);
}

static void each_morning_of_their_zone(void **state)
{
	struct fixture *f = *state;

	wish(f, f->carol, "daily", "America/New_York");
	create(f, f->carol, f->carol, "Slow"); /* 04:00 in New York */
	ROWS(f, "0", "SELECT count(*) FROM outbox WHERE recipient = '" CAROL "'");
	at(f, MONDAY_9 + 4 * HOUR - 1);
	ROWS(f, "", DIGESTS);
	at(f, MONDAY_9 + 4 * HOUR);
	ROWS(f, CAROL, DIGESTS);
	assert_non_null(strstr(digest_to(f, CAROL), "  We have received your request.\r\n"));
	assert_non_null(
		strstr(digest_to(f, CAROL), "Subject: Example Support: 1 notification\r\n"));
	/* and the desk's zone for who has none */
	wish(f, f->carol, "hourly", NULL);
	create(f, f->carol, f->carol, "Slower");
	ROWS(f, "1772460000000", "SELECT due_at FROM digest_items"); /* 14:00 UTC */
}

/* What somebody asked for themselves, clocks and accounts are no matter of tomorrow. */
static void some_things_never_wait(void **state)
{
	struct fixture *f = *state;
	int64_t ticket;

	wish(f, f->anna, "daily", NULL);
	wish(f, f->admin, "daily", NULL);
	ticket = create(f, f->carol, f->carol, "Printer");
	OK(assign_rc(f, f->bob, ticket, f->anna));
	TAKE(f, .from = ANNA, .auth = "pass", .subject = "What is mine?", .body = "#list mine\n");
	ROWS(f, "transcript",
	     "SELECT event FROM outbox WHERE recipient = '" ANNA "' ORDER BY event");
	at(f, MONDAY_9 + 5 * HOUR);
	ROWS(f, "1",
	     "SELECT count(*) FROM outbox WHERE event = 'sla_breach'"
	     " AND recipient = '" ANNA "'");
	ROWS(f, "", DIGESTS);
}

/* ---- what may be seen ---- */

static int delete (struct work *w, void *arg, struct md_err *e)
{
	(void)arg;
	return work_delete(w, e);
}
static int delete_comment(struct work *w, void *arg, struct md_err *e)
{
	return work_comment_delete(w, *(int64_t *)arg, e);
}
static int mute(struct work *w, void *arg, struct md_err *e)
{
	(void)arg;
	return work_mute(w, true, e);
}
static int leave(struct work *w, void *arg, struct md_err *e)
{
	return work_participant_remove(w, *(int64_t *)arg, e);
}
static int join(struct work *w, void *arg, struct md_err *e)
{
	return work_participant(w, *(int64_t *)arg, "cc", e);
}
static int merge(struct work *w, void *arg, struct md_err *e)
{
	return work_merge(w, *(int64_t *)arg, e);
}

static void what_is_gone_is_not_shown(void **state)
{
	struct fixture *f = *state;
	int64_t ticket[5], comment;

	for (size_t i = 0; i < MD_COUNT(ticket); i++) {
		ticket[i] = create(f, f->carol, f->carol, "Matter");
		OK(step(f, f->anna, ticket[i], join, &f->dave));
	}
	wish(f, f->dave, "hourly", NULL);
	for (size_t i = 0; i < MD_COUNT(ticket); i++)
		OK(comment_rc(f, f->anna, ticket[i], arena_printf(&f->arena, "Answer %zu", i),
			      false));
	ROWS(f, "5", WAITING);
	OK(step(f, f->admin, ticket[0], delete, NULL));
	comment = NUM(f, "SELECT id FROM comments WHERE body = 'Answer 1'");
	OK(step(f, f->anna, ticket[1], delete_comment, &comment));
	OK(step(f, f->dave, ticket[2], mute, NULL));
	OK(step(f, f->anna, ticket[3], leave, &f->dave));
	at(f, MONDAY_9 + HOUR);
	ROWS(f, DAVE, DIGESTS);
	ROWS(f, "0", WAITING);
	ROWS(f, "1",
	     "SELECT json_extract(data, '$.digest.count') FROM outbox"
	     " WHERE event = 'digest'");
	assert_non_null(strstr(digest_to(f, DAVE), "    Answer 4\r\n"));
}

/* An agent who is one no more sees what a customer sees. */
static int demote(struct db_conn *c, void *ctx, struct md_err *e)
{
	md_auto(arena_done) struct arena a = ARENA_INIT(1 << 20);
	struct user u;
	int rc = user_get(c, *(int64_t *)ctx, &a, &u, e);

	u.role = "customer";
	return rc == MD_OK ? user_save(c, &u, e) : rc;
}

static void notes_are_not_shown_to_customers(void **state)
{
	struct fixture *f = *state;
	int64_t ticket = create(f, f->carol, f->carol, "Printer");

	OK(step(f, f->anna, ticket, join, &f->bob));
	OK(assign_rc(f, f->anna, ticket, f->bob));
	wish(f, f->bob, "hourly", NULL);
	OK(comment_rc(f, f->anna, ticket, "A secret.", true));
	OK(comment_rc(f, f->anna, ticket, "In public.", false));
	OK(db_txn(f->desk->db, demote, &f->bob, &err));
	at(f, MONDAY_9 + HOUR);
	assert_non_null(strstr(digest_to(f, BOB), "In public."));
	ROWS(f, "0",
	     "SELECT count(*) FROM outbox WHERE event = 'digest' AND data LIKE '%%secret%%'");
	/* nothing left to tell: no letter */
	wish(f, f->bob, "hourly", NULL);
	OK(comment_rc(f, f->anna, ticket, "Soon gone.", false));
	OK(step(f, f->admin, ticket, delete, NULL));
	at(f, MONDAY_9 + 2 * HOUR);
	ROWS(f, "0", WAITING);
	ROWS(f, BOB, DIGESTS);
}

/* The words stand where they are by then, as they are by then. */
static int edit(struct work *w, void *arg, struct md_err *e)
{
	return work_comment_edit(w, *(int64_t *)arg, "New words.", e);
}
static void what_moved_is_shown_where_it_is(void **state)
{
	struct fixture *f = *state;
	int64_t ticket = create(f, f->carol, f->carol, "Printer"),
		into = create(f, f->carol, f->carol, "Printers"), comment;

	wish(f, f->carol, "hourly", NULL);
	OK(comment_rc(f, f->anna, ticket, "Old words.", false));
	comment = NUM(f, "SELECT max(id) FROM comments");
	OK(step(f, f->anna, ticket, edit, &comment));
	OK(step(f, f->anna, ticket, merge, &into));
	at(f, MONDAY_9 + HOUR);
	assert_non_null(strstr(digest_to(f, CAROL), "\r\n[#2] Printers\r\n"));
	assert_non_null(strstr(digest_to(f, CAROL), "    New words.\r\n"));
}

/* ---- floods ---- */

static void beyond_sixty_an_hour_agents_get_a_digest(void **state)
{
	struct fixture *f = *state;
	int64_t ticket = create(f, f->carol, f->carol, "Printer");

	OK(assign_rc(f, f->bob, ticket, f->bob));
	for (int i = 0; i < 70; i++)
		OK(comment_rc(f, f->carol, ticket, arena_printf(&f->arena, "Word %d.", i), false));
	ROWS(f, "60", "SELECT count(*) FROM outbox WHERE recipient = '" BOB "'");
	ROWS(f, "11", WAITING); /* with the new ticket sixty were told */
	at(f, MONDAY_9 + HOUR);
	ROWS(f, BOB, DIGESTS);
	assert_non_null(strstr(digest_to(f, BOB), "    Word 69.\r\n"));
	/* and an hour later it is one by one again */
	fixture_now = MONDAY_9 + HOUR + 2 * MINUTE;
	OK(comment_rc(f, f->carol, ticket, "Later.", false));
	ROWS(f, "0", WAITING);
	/* a customer's answers are never held back */
	for (int i = 0; i < 70; i++)
		OK(comment_rc(f, f->bob, ticket, arena_printf(&f->arena, "Answer %d.", i), false));
	ROWS(f, "0", WAITING);
}

static void without_limits_agents_are_told_one_by_one(void **state)
{
	struct fixture *f = *state;
	int64_t ticket = create(f, f->carol, f->carol, "Printer");

	OK(assign_rc(f, f->bob, ticket, f->bob));
	for (int i = 0; i < 70; i++)
		OK(comment_rc(f, f->carol, ticket, arena_printf(&f->arena, "Word %d.", i), false));
	ROWS(f, "0", WAITING);
}

/* More than one letter holds: more letters, nothing left out. */
static void a_thousand_things(void **state)
{
	struct fixture *f = *state;
	int64_t ticket = create(f, f->carol, f->carol, "Printer");

	wish(f, f->carol, "hourly", NULL);
	for (int i = 0; i < 450; i++)
		OK(comment_rc(f, f->anna, ticket, arena_printf(&f->arena, "Word %d.", i), false));
	for (int i = 0; i < 3; i++)
		at(f, MONDAY_9 + HOUR);
	ROWS(f, CAROL "\n" CAROL "\n" CAROL, DIGESTS);
	ROWS(f, "450",
	     "SELECT sum(json_extract(data, '$.digest.count')) FROM outbox"
	     " WHERE event = 'digest'");
	ROWS(f, "0", WAITING);
}

/* ---- people ---- */

static int disable(struct db_conn *c, void *ctx, struct md_err *e)
{
	md_auto(arena_done) struct arena a = ARENA_INIT(1 << 20);
	struct user u;
	int rc = user_get(c, *(int64_t *)ctx, &a, &u, e);

	u.disabled_at = fixture_now;
	return rc == MD_OK ? user_save(c, &u, e) : rc;
}

static void who_was_disabled_is_not_written_to(void **state)
{
	struct fixture *f = *state;
	int64_t ticket = create(f, f->carol, f->carol, "Printer");

	wish(f, f->carol, "hourly", NULL);
	OK(comment_rc(f, f->anna, ticket, "Well?", false));
	ROWS(f, "1", WAITING);
	OK(db_txn(f->desk->db, disable, &f->carol, &err));
	at(f, MONDAY_9 + HOUR);
	ROWS(f, "", DIGESTS);
	ROWS(f, "0", WAITING);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		DESK_TEST(notices_wait_for_the_hour, ""),
		DESK_TEST(each_morning_of_their_zone, ""),
		DESK_TEST(some_things_never_wait, "sla \"s\" { first_response { medium = 4h } }\n"),
		DESK_TEST(what_is_gone_is_not_shown, ""),
		DESK_TEST(notes_are_not_shown_to_customers, ""),
		DESK_TEST(what_moved_is_shown_where_it_is, ""),
		DESK_TEST(beyond_sixty_an_hour_agents_get_a_digest, ""),
		DESK_TEST(without_limits_agents_are_told_one_by_one,
			  "limits { auto_per_address_hour = 0 }\n"),
		DESK_TEST(a_thousand_things, ""),
		DESK_TEST(who_was_disabled_is_not_written_to, ""),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
