/* Keys of signed addresses are changed, and mail that is on its way arrives. */
#include "desk_fixture.h"

#include <maildesk/app/keys.h>

#define ANNA "anna@desk.test"

static const char *annas_address(struct fixture *f)
{
	int64_t ticket = create(f, f->carol, f->carol, "Broken");

	OK(assign_rc(f, f->anna, ticket, f->anna));
	OK(comment_rc(f, f->carol, ticket, "Hello?", false));
	return mail_data(f, ANNA, "mail.reply_to");
}

static void restart(struct fixture *f)
{
	OK(keys_load(f->desk->db, &f->random, fixture_now, &f->desk->token_keys, &err));
}

static int rotate(struct fixture *f, bool all)
{
	struct token_keys keys;

	err = (struct md_err){ 0 };
	return keys_rotate(f->desk->db, &f->random, fixture_now, all, &keys, &err);
}

static void what_the_last_key_signed_is_valid(void **state)
{
	struct fixture *f = *state;
	const char *old = annas_address(f), *new;
	struct token_keys before = f->desk->token_keys;

	OK(rotate(f, false));
	restart(f);
	assert_int_not_equal(f->desk->token_keys.current.id, before.current.id);
	OUTCOME(TAKE(f, .from = ANNA, .to = old, .subject = "x", .auth = "pass"), "comment_added");
	new = annas_address(f);
	/* a daemon that was not started again knows it, too */
	f->desk->token_keys = before;
	OUTCOME(TAKE(f, .from = ANNA, .to = new, .subject = "x", .auth = "pass"), "comment_added");
}

static void no_key_is_forgotten_while_its_mails_are_answered(void **state)
{
	struct fixture *f = *state;
	const char *old = annas_address(f);

	OK(rotate(f, false));
	assert_int_equal(rotate(f, false), MD_REFUSED);
	fixture_now += TOKEN_ROUTE_DAYS * DAY - DAY;
	assert_int_equal(rotate(f, false), MD_REFUSED);
	fixture_now += DAY;
	OK(rotate(f, false));
	restart(f);
	/* expired long ago: nobody calls it tampered */
	OUTCOME(TAKE(f, .from = ANNA, .to = old, .subject = "x", .auth = "pass"), "ticket_created");
}

static void after_a_theft_all_are_new(void **state)
{
	struct fixture *f = *state;
	const char *old = annas_address(f);

	OK(rotate(f, false));
	OK(rotate(f, true));
	restart(f);
	assert_int_equal(f->desk->token_keys.previous.id, 0);
	OUTCOME(TAKE(f, .from = ANNA, .to = old, .subject = "x", .auth = "pass"), "quarantined");
	ROWS(f, "bad_signature", "SELECT cause FROM quarantine");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		DESK_TEST(what_the_last_key_signed_is_valid, ""),
		DESK_TEST(no_key_is_forgotten_while_its_mails_are_answered, ""),
		DESK_TEST(after_a_theft_all_are_new, ""),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
