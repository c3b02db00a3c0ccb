/* Who is told, once, when mail was stopped or an address was spoilt. */
#include "desk_fixture.h"

#define ANNA "anna@desk.test"
#define CAROL "carol@customer.test"
#define DAVE "dave@customer.test"
#define ADMIN "admin@desk.test"

#define ALARMS "SELECT event || ' ' || recipient FROM outbox WHERE event IN ('alarm', 'tampered')"

/* ---- the breaker ---- */

static void the_breaker_alarms_the_admins_once(void **state)
{
	struct fixture *f = *state;
	struct intake_result r;

	for (int i = 0; i < 6; i++)
		r = TAKE(f, .from = i % 2 ? DAVE : CAROL,
			 .subject = arena_printf(&f->arena, "Matter %d", i), .auth = "pass");
	OUTCOME(r, "ticket_created");
	ROWS(f, "3", "SELECT count(*) FROM outbox WHERE event = 'created'");
	ROWS(f, "alarm " ADMIN, ALARMS);
	assert_non_null(strstr(rendered(f, newest_to(f, ADMIN)), "limits.auto_desk_hour"));
	/* an hour later there is room again, and then another alarm */
	fixture_now += HOUR + MINUTE;
	for (int i = 6; i < 12; i++)
		TAKE(f, .from = i % 2 ? DAVE : CAROL,
		     .subject = arena_printf(&f->arena, "Matter %d", i), .auth = "pass");
	ROWS(f, "6", "SELECT count(*) FROM outbox WHERE event = 'created'");
	ROWS(f, "alarm " ADMIN "\nalarm " ADMIN, ALARMS);
}

/* Another daemon of the same desk, or `maildesk ingest`. */
static void all_daemons_count_together(void **state)
{
	struct fixture *f = *state;

	for (int i = 0; i < 5; i++) {
		TAKE(f, .from = CAROL, .subject = arena_printf(&f->arena, "Matter %d", i));
		f->desk->automatic = f->desk->automatic_at_ms = 0;
	}
	ROWS(f, "3", "SELECT count(*) FROM outbox WHERE event = 'created'");
	ROWS(f, "alarm " ADMIN, ALARMS);
}

static void what_comes_back_alarms_the_admins_once(void **state)
{
	struct fixture *f = *state;
	const char *mail;

	for (int i = 0; i < 8; i++)
		TAKE(f, .from = CAROL, .subject = arena_printf(&f->arena, "Re: Matter %d", i));
	ROWS(f, "4", "SELECT count(*) FROM outbox WHERE event = 'created'");
	ROWS(f, "alarm " ADMIN, ALARMS);
	mail = rendered(f, newest_to(f, ADMIN));
	assert_non_null(strstr(mail, CAROL " only sends back"));
	assert_null(strstr(mail, "above this line")); /* there is nothing to answer */
	assert_null(strstr(mail, "In-Reply-To"));
}

/* ---- spoilt addresses ---- */

static const char *spoil(struct fixture *f, const char *address, const char *behind)
{
	char *spoilt = arena_strdup(&f->arena, address);
	char *at = strchr(spoilt, *behind);

	at[3] = at[3] == 'a' ? 'b' : 'a';
	return spoilt;
}

static void the_assignee_is_told_of_a_spoilt_address(void **state)
{
	struct fixture *f = *state;
	int64_t ticket = create(f, f->carol, f->carol, "Secret matter");
	const char *tag, *body, *mail;

	OK(assign_rc(f, f->anna, ticket, f->anna));
	OK(comment_rc(f, f->anna, ticket, "Look again.", false));
	tag = spoil(f, mail_data(f, CAROL, "mail.reply_to"), ".");
	body = arena_printf(&f->arena, "SELECT count(*) FROM comments WHERE ticket_id = %lld",
			    (long long)ticket);
	/* a stranger knows the number at most */
	OUTCOME(TAKE(f, .from = DAVE, .to = tag, .subject = "x", .auth = "pass"), "quarantined");
	OUTCOME(TAKE(f, .from = "eve@stranger.test", .to = tag, .subject = "x"), "quarantined");
	ROWS(f, "", ALARMS);
	for (int i = 0; i < 3; i++)
		OUTCOME(TAKE(f, .from = CAROL, .to = tag, .subject = "Pills", .body = "Pills.\n"),
			"quarantined");
	ROWS(f, "tampered " ANNA, ALARMS);
	ROWS(f, "2", "%s", body);
	mail = rendered(f, newest_to(f, ANNA));
	assert_non_null(strstr(mail, "[#1] A mail was held back"));
	assert_null(strstr(mail, "Pills"));
	fixture_now += HOUR + MINUTE;
	TAKE(f, .from = CAROL, .to = tag, .subject = "x");
	ROWS(f, "tampered " ANNA "\ntampered " ANNA, ALARMS);
}

static void nobody_is_told_who_does_not_work_on_it(void **state)
{
	struct fixture *f = *state;

	create(f, f->carol, f->carol, "Broken");
	OUTCOME(TAKE(f, .from = CAROL, .to = spoil(f, mail_data(f, CAROL, "mail.reply_to"), "."),
		     .subject = "x"),
		"quarantined");
	ROWS(f, "", ALARMS);
}

/* ---- what a mail did to the clocks ---- */

static const char *sla_of(struct fixture *f, struct intake_result r)
{
	return rows(f, "SELECT sla FROM decisions WHERE message_id = %lld", (long long)r.message);
}

static void the_decision_names_the_clocks(void **state)
{
	struct fixture *f = *state;
	struct intake_result r = TAKE(f, .from = CAROL, .subject = "Broken", .auth = "pass");

	assert_string_equal(sla_of(f, r), "[{\"metric\":\"first_response\",\"effect\":\"started\"},"
					  "{\"metric\":\"resolution\",\"effect\":\"started\"}]");
	r = TAKE(f, .from = ANNA, .subject = "Re: [#1] Broken [take]", .body = "Seen.\n",
		 .auth = "pass");
	assert_string_equal(sla_of(f, r), "[{\"metric\":\"first_response\",\"effect\":\"met\"}]");
	r = TAKE(f, .from = ANNA, .subject = "Re: [#1] Broken [pending]", .body = "",
		 .auth = "pass");
	assert_string_equal(sla_of(f, r), "[{\"metric\":\"resolution\",\"effect\":\"paused\"}]");
	r = TAKE(f, .from = CAROL, .subject = "Re: [#1] Broken", .body = "Here.\n", .auth = "pass");
	assert_string_equal(sla_of(f, r), "[{\"metric\":\"resolution\",\"effect\":\"resumed\"}]");
	r = TAKE(f, .from = CAROL, .subject = "Re: [#1] Broken", .auth = "pass", .body = "More.\n");
	assert_string_equal(sla_of(f, r), "[]");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		DESK_TEST(the_breaker_alarms_the_admins_once,
			  "limits { auto_desk_hour = 3 auto_answers_hour = 0 }\n"),
		DESK_TEST(all_daemons_count_together, "limits { auto_desk_hour = 3 }\n"),
		DESK_TEST(what_comes_back_alarms_the_admins_once, ""),
		DESK_TEST(the_assignee_is_told_of_a_spoilt_address, ""),
		DESK_TEST(nobody_is_told_who_does_not_work_on_it, ""),
		DESK_TEST(the_decision_names_the_clocks,
			  "sla \"all\" { first_response { low = 4h medium = 4h }"
			  " resolution { medium = 16h } pause = {\"pending\"} }\n"),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
