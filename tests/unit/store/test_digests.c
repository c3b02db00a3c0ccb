/* What waits for digests: taken once, in its order, by whom it is due. */
#include "store_test.h"

#include <maildesk/store/digests.h>
#include <maildesk/store/messages.h>
#include <maildesk/store/outbox.h>

static void add(struct db_conn *c, int64_t user, int64_t ticket, int64_t actor, int64_t due)
{
	const struct digest_item item = { .user_id = user,
					  .ticket_id = ticket,
					  .comment_id = 7,
					  .actor_id = actor,
					  .event = "public_reply",
					  .detail = "x@y.test",
					  .due_at = due,
					  .created_at = 5 };

	OK(digest_add(c, &item, &err));
}

TXN_TEST(items_are_taken_once)
{
	int64_t anna = a_user(c, "anna@x.test", "agent"), bob = a_user(c, "bob@x.test", "agent");
	int64_t ticket = a_ticket(c, anna, "t"), due = 0, *users;
	struct digest_item *items;
	size_t n;

	assert_int_equal(digest_next_due(c, &due, &err), MD_NOTFOUND);
	assert_int_equal(digest_waiting(c, anna, 0, &due, &err), MD_NOTFOUND);
	add(c, anna, ticket, bob, 100);
	add(c, anna, ticket, 0, 100);
	add(c, anna, ticket, bob, 300);
	add(c, bob, ticket, anna, 200);
	OK(digest_next_due(c, &due, &err));
	assert_int_equal(due, 100);
	OK(digest_waiting(c, anna, 100, &due, &err));
	assert_int_equal(due, 300);
	OK(digest_due_users(c, 99, 10, a, &users, &n, &err));
	assert_int_equal(n, 0);
	OK(digest_due_users(c, 200, 10, a, &users, &n, &err));
	assert_int_equal(n, 2);
	assert_int_equal(users[0], anna);
	OK(digest_take(c, anna, 200, 1, a, &items, &n, &err));
	assert_int_equal(n, 1);
	assert_int_equal(items[0].ticket_id, ticket);
	assert_int_equal(items[0].comment_id, 7);
	assert_string_equal(items[0].actor_name, "bob@x.test");
	assert_string_equal(items[0].event, "public_reply");
	assert_string_equal(items[0].detail, "x@y.test");
	OK(digest_take(c, anna, 200, 10, a, &items, &n, &err));
	assert_int_equal(n, 1);
	assert_int_equal(items[0].actor_id, 0);
	assert_null(items[0].actor_name);
	OK(digest_take(c, anna, 200, 10, a, &items, &n, &err));
	assert_int_equal(n, 0);
	/* wanted otherwise: at once */
	OK(digest_move(c, anna, 150, &err));
	OK(digest_take(c, anna, 200, 10, a, &items, &n, &err));
	assert_int_equal(n, 1);
}

TXN_TEST(single_mails_are_counted)
{
	static const struct {
		const char *event, *recipient;
		int64_t at;
		bool of_ticket;
	} mails[] = { { "public_reply", "b@x.test", 200, true },
		      { "created_agent", "b@x.test", 150, true },
		      { "sla_breach", "b@x.test", 160, true },
		      { "transcript", "b@x.test", 170, true },
		      { "created_agent", "b@x.test", 100, true }, /* before */
		      { "created_agent", "c@x.test", 200, true },
		      { "password_reset", "b@x.test", 200, false } };
	int64_t ticket = a_ticket(c, a_user(c, "anna@x.test", "agent"), "t"), id, n = 0;

	(void)a;
	for (size_t i = 0; i < MD_COUNT(mails); i++) {
		struct message_row m = { .direction = "out", .kind = "normal" };
		struct outbox_row o = { .ticket_id = mails[i].of_ticket ? ticket : 0,
					.event = mails[i].event,
					.smtp = "s",
					.sender = "s",
					.recipient = mails[i].recipient,
					.state = "queued",
					.data = "{}",
					.created_at = mails[i].at };

		OK(message_insert(c, &m, &o.message_id, &err));
		OK(outbox_add(c, &o, &id, &err));
	}
	OK(digest_count_single(c, "b@x.test", 100, 60, &n, &err));
	assert_int_equal(n, 3);
	OK(digest_count_single(c, "b@x.test", 100, 2, &n, &err));
	assert_int_equal(n, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(items_are_taken_once),
		TEST(single_mails_are_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
