/* How many mails an account is handed within a minute, by a clock of the test's own. */
#include "desk_fixture.h"

#include "../../../src/app/send/sender_priv.h"

static int64_t mono;
static int64_t mono_clock(const struct clock *c)
{
	(void)c;
	return mono;
}

static void a_minutes_mails(void **state)
{
	const struct clock clock = { mono_clock, mono_clock };
	struct conf_smtp conf = { .per_minute = 3 };
	struct desk d = { .clock = &clock };
	struct sender s = { .d = &d };
	struct account *a = md_calloc(1, sizeof *a);
	int64_t begun[3] = { 0 }, wait = -1;

	(void)state;
	a->conf = &conf;
	mono = 1000;
	/* no limit: as many as there are places */
	assert_int_equal(account_allows(&s, a, &wait), SENDER_ITEMS);
	a->begun = begun;
	assert_int_equal(account_allows(&s, a, &wait), 3);
	assert_int_equal(wait, -1);
	/* claimed and not begun: it will be */
	a->items[7].state = ITEM_CLAIMED;
	a->items[9].state = ITEM_READY;
	assert_int_equal(account_allows(&s, a, &wait), 1);
	/* begun: counted for a minute, whatever has become of it */
	a->items[7].state = a->items[9].state = ITEM_FREE;
	begun[0] = 1000;
	begun[1] = 21000;
	begun[2] = 31000;
	a->n_begun = 3;
	mono = 31000;
	assert_int_equal(account_allows(&s, a, &wait), 0);
	assert_int_equal(wait, 30000);
	mono = 60999;
	assert_int_equal(account_allows(&s, a, &wait), 0);
	assert_int_equal(wait, 1);
	mono = 61000;
	assert_int_equal(account_allows(&s, a, &wait), 1);
	mono = 90999;
	assert_int_equal(account_allows(&s, a, &wait), 2);
	mono = 91000;
	assert_int_equal(account_allows(&s, a, &wait), 3);
	assert_int_equal(a->n_begun, 0);
	free(a);
}

/* 1, 5, 15, 30 min, 1, 2, 4 h, 4 h ...: in five days 36 tries, none of them at the same second as
 * those of all others. */
static void later_and_later(void **state)
{
	static const int64_t minutes[] = { 1, 1, 5, 15, 30, 60, 120, 240, 240, 240 };
	int64_t days = 0, tries = 0;

	(void)state;
	for (int64_t n = 0; n < (int64_t)MD_COUNT(minutes); n++) {
		int64_t wait = minutes[n] * MINUTE, least = wait, most = wait;

		for (uint32_t dice = 0; dice < 1000; dice++) {
			int64_t got = sender_wait(n, MINUTE, dice * 4294967u);

			assert_in_range(got, wait * 9 / 10, wait * 11 / 10);
			least = got < least ? got : least;
			most = got > most ? got : most;
		}
		assert_true(most - least > wait / 10);
	}
	for (int64_t n = 1; days < 5 * DAY; n++, tries++)
		days += sender_wait(n, MINUTE, (uint32_t)n * 2654435761u);
	assert_in_range(tries, 33, 39);
	/* a test's schedule in milliseconds is one, too */
	assert_int_equal(sender_wait(1, 1, 7), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_minutes_mails),
		cmocka_unit_test(later_and_later),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
