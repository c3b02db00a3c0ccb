#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <maildesk/base/mem.h>
#include <maildesk/desk/policy.h>
#include <stdio.h>
#include <string.h>

/* The people of the matrix and what they are to ticket 1, whose requester is 10 and assignee 2. */
static const struct person {
	const char *name;
	int64_t user;
	enum role role;
	bool is_participant, is_author;
} people[] = {
	{ "stranger", 0, ROLE_ANONYMOUS, false, false },
	{ "other customer", 11, ROLE_CUSTOMER, false, false },
	{ "cc", 12, ROLE_CUSTOMER, true, false },
	{ "requester", 10, ROLE_CUSTOMER, false, false },
	{ "author", 12, ROLE_CUSTOMER, true, true },
	{ "agent", 3, ROLE_AGENT, false, false },
	{ "assignee", 2, ROLE_AGENT, false, true },
	{ "admin", 1, ROLE_ADMIN, false, false },
};

/* One letter a person, in that order: y yes, n no, - invisible. The second string is the same on an
 * open desk. The digits: the trust level that mail needs, of staff and of customers. */
static const struct listed {
	enum policy_action action;
	const char *name, *is_private, *is_open;
	int staff, customer;
} listing[] = {
	{ ACTION_CREATE_TICKET, "create_ticket", "nyyyyyyy", "nyyyyyyy", 0, 0 },
	{ ACTION_CREATE_FOR_OTHERS, "create_for_others", "nnnnnyyy", "nnnnnyyy", 2, 2 },
	{ ACTION_LIST_USERS, "list_users", "nyyyyyyy", "nyyyyyyy", 2, 2 },
	{ ACTION_SEE_CUSTOMERS, "see_customers", "nnnnnyyy", "nnnnnyyy", 2, 2 },
	{ ACTION_MANAGE_USERS, "manage_users", "nnnnnnny", "nnnnnnny", 3, 3 },
	{ ACTION_SEE_MESSAGES, "see_messages", "nnnnnyyy", "nnnnnyyy", 2, 2 },
	{ ACTION_MANAGE_DESK, "manage_desk", "nnnnnyyy", "nnnnnyyy", 3, 3 },
	{ ACTION_READ_TICKET, "read_ticket", "--yyyyyy", "-yyyyyyy", 2, 2 },
	{ ACTION_READ_INTERNAL, "read_internal", "--nnnyyy", "-nnnnyyy", 2, 2 },
	{ ACTION_COMMENT_PUBLIC, "comment_public", "--yyyyyy", "-nyyyyyy", 2, 1 },
	{ ACTION_COMMENT_INTERNAL, "comment_internal", "--nnnyyy", "-nnnnyyy", 2, 2 },
	{ ACTION_APPROVE_COMMENT, "approve_comment", "--nnnyyy", "-nnnnyyy", 2, 2 },
	{ ACTION_MOVE_STATUS, "move_status", "--yyyyyy", "-nyyyyyy", 2, 2 },
	{ ACTION_EDIT_TEXT, "edit_text", "--nynyyy", "-nnynyyy", 2, 2 },
	{ ACTION_EDIT_FIELDS, "edit_fields", "--nnnyyy", "-nnnnyyy", 2, 2 },
	{ ACTION_ASSIGN, "assign", "--nnnyyy", "-nnnnyyy", 2, 2 },
	{ ACTION_SET_PRIORITY, "set_priority", "--nnnyyy", "-nnnnyyy", 2, 2 },
	{ ACTION_TAG, "tag", "--nnnyyy", "-nnnnyyy", 2, 2 },
	{ ACTION_SET_REQUESTER, "set_requester", "--nnnyyy", "-nnnnyyy", 3, 3 },
	{ ACTION_ADD_PARTICIPANT, "add_participant", "--yyyyyy", "-nyyyyyy", 2, 2 },
	{ ACTION_LINK, "link", "--nnnyyy", "-nnnnyyy", 2, 2 },
	{ ACTION_MERGE, "merge", "--nnnyyy", "-nnnnyyy", 3, 3 },
	{ ACTION_SPAM, "spam", "--nnnyyy", "-nnnnyyy", 3, 3 },
	{ ACTION_BULK, "bulk", "--yyyyyy", "-nyyyyyy", 3, 3 },
	{ ACTION_REMOVE_PARTICIPANT, "remove_participant", "--nnnyyy", "-nnnnyyy", 2, 2 },
	{ ACTION_WATCH, "watch", "--yyyyyy", "-nyyyyyy", 2, 2 },
	{ ACTION_UNDO, "undo", "--yyyyyy", "-nyyyyyy", 2, 2 },
	{ ACTION_DELETE_TICKET, "delete_ticket", "--nynnny", "-nnynnny", 3, 3 },
	{ ACTION_RESTORE_TICKET, "restore_ticket", "--nnnnny", "-nnnnnny", 3, 3 },
	{ ACTION_EDIT_COMMENT, "edit_comment", "--nnynyn", "-nnnynyn", 2, 2 },
	{ ACTION_DELETE_COMMENT, "delete_comment", "--nnynyy", "-nnnynyy", 2, 2 },
};

static struct policy_ticket ticket_of(const struct person *p, bool open_desk)
{
	return (struct policy_ticket){ .requester = 10,
				       .assignee = 2,
				       .is_participant = p->is_participant,
				       .is_new = true,
				       .is_author = p->is_author,
				       .open_desk = open_desk };
}

static enum policy_answer answer(char letter)
{
	return letter == 'y' ? POLICY_YES : letter == 'n' ? POLICY_NO : POLICY_INVISIBLE;
}

static void test_signed_in(void **state)
{
	(void)state;
	assert_int_equal(MD_COUNT(listing), ACTION_COUNT);
	for (size_t a = 0; a < ACTION_COUNT; a++) {
		assert_int_equal(listing[a].action, a);
		assert_string_equal(policy_action_name(listing[a].action), listing[a].name);
		for (size_t p = 0; p < 2 * MD_COUNT(people); p++) {
			const struct person *who = &people[p / 2];
			struct policy_ticket t = ticket_of(who, p % 2);
			struct policy_actor actor = { who->user, who->role, 0, SOURCE_API };
			const char *row = p % 2 ? listing[a].is_open : listing[a].is_private;
			enum policy_answer got = policy_may(&actor, listing[a].action, &t);

			if (got != answer(row[p / 2]))
				fail_msg("%s %s: %d", who->name, listing[a].name, got);
		}
	}
}

static void test_by_mail(void **state)
{
	(void)state;
	for (size_t a = 0; a < ACTION_COUNT; a++)
		for (size_t p = 0; p < MD_COUNT(people); p++)
			for (int level = 0; level <= 3; level++) {
				const struct person *who = &people[p];
				struct policy_ticket t = ticket_of(who, false);
				struct policy_actor actor = { who->user, who->role, level,
							      SOURCE_MAIL };
				bool staff = who->role >= ROLE_AGENT;
				int needed = staff ? listing[a].staff : listing[a].customer;
				enum policy_answer expected = answer(listing[a].is_private[p]);

				/* strangers open tickets by mail, and by nothing else */
				if (p == 0 && listing[a].action == ACTION_CREATE_TICKET)
					expected = POLICY_YES;
				if (expected == POLICY_YES && level < needed)
					expected = POLICY_LEVEL;
				if (policy_may(&actor, listing[a].action, &t) != expected)
					fail_msg("%s %s at %d", who->name, listing[a].name, level);
			}
}

/* What one's organisation shares is read, as on an open desk, and not written. */
static void test_shared(void **state)
{
	struct policy_ticket t = { .requester = 10, .is_shared = true };
	struct policy_actor colleague = { 11, ROLE_CUSTOMER, 0, SOURCE_API };

	(void)state;
	assert_int_equal(policy_may(&colleague, ACTION_READ_TICKET, &t), POLICY_YES);
	assert_int_equal(policy_may(&colleague, ACTION_READ_INTERNAL, &t), POLICY_NO);
	assert_int_equal(policy_may(&colleague, ACTION_COMMENT_PUBLIC, &t), POLICY_NO);
	assert_int_equal(policy_may(&colleague, ACTION_WATCH, &t), POLICY_NO);
}

static void test_text_only_while_new(void **state)
{
	struct policy_ticket t = { .requester = 10, .is_new = false };
	struct policy_actor requester = { 10, ROLE_CUSTOMER, 0, SOURCE_API };
	struct policy_actor agent = { 3, ROLE_AGENT, 0, SOURCE_API };

	(void)state;
	assert_int_equal(policy_may(&requester, ACTION_EDIT_TEXT, &t), POLICY_NO);
	assert_int_equal(policy_may(&agent, ACTION_EDIT_TEXT, &t), POLICY_YES);
}

static void test_nobody_is_not_the_missing_requester(void **state)
{
	/* A ticket without requester and assignee does not belong to users without a number. */
	struct policy_ticket t = { 0 };
	struct policy_actor nobody = { 0, ROLE_CUSTOMER, 3, SOURCE_MAIL };

	(void)state;
	assert_int_equal(policy_who(&nobody, &t), WHO_CUSTOMER);
	assert_int_equal(policy_may(&nobody, ACTION_READ_TICKET, &t), POLICY_INVISIBLE);
	assert_int_equal(policy_may(&nobody, ACTION_READ_TICKET, NULL), POLICY_INVISIBLE);
}

static void test_who(void **state)
{
	struct policy_ticket t = { .requester = 5, .assignee = 5, .is_author = true };
	struct policy_actor agent = { 5, ROLE_AGENT, 0, SOURCE_API };

	(void)state;
	assert_int_equal(policy_who(&agent, &t),
			 WHO_AGENT | WHO_REQUESTER | WHO_ASSIGNEE | WHO_PARTICIPANT | WHO_AUTHOR);
	assert_int_equal(policy_who(&agent, NULL), WHO_AGENT);
}

static void test_hold(void **state)
{
	static const struct {
		size_t person;
		int level;
		const char *held;
	} cases[] = {
		{ 0, 0, "not_participant" },
		{ 1, 1, "not_participant" },
		{ 1, 2, "not_participant" },
		{ 2, 0, "unverified" },
		{ 2, 1, NULL },
		{ 3, 0, "unverified" },
		{ 3, 1, NULL },
		{ 5, 0, "unverified" },
		{ 5, 1, "unverified" },
		{ 5, 2, NULL },
		{ 7, 1, "unverified" },
		{ 7, 2, NULL },
	};

	(void)state;
	for (size_t i = 0; i < MD_COUNT(cases); i++)
		for (int open_desk = 0; open_desk < 2; open_desk++) {
			const struct person *p = &people[cases[i].person];
			struct policy_ticket t = ticket_of(p, open_desk);
			struct policy_actor actor = { p->user, p->role, cases[i].level,
						      SOURCE_MAIL };
			const char *held = policy_hold_name(policy_hold(&actor, &t));

			if (cases[i].held)
				assert_string_equal(held, cases[i].held);
			else
				assert_null(held);
		}
}

static void test_names(void **state)
{
	(void)state;
	for (int r = 0; r < ROLE_COUNT; r++)
		assert_int_equal(role_from_name(role_name((enum role)r)), r);
	assert_int_equal(role_from_name("Admin"), ROLE_COUNT);
	assert_string_equal(source_name(SOURCE_MAIL), "mail");
	assert_string_equal(source_name(SOURCE_RULE), "rule");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_signed_in),
		cmocka_unit_test(test_by_mail),
		cmocka_unit_test(test_shared),
		cmocka_unit_test(test_text_only_while_new),
		cmocka_unit_test(test_nobody_is_not_the_missing_requester),
		cmocka_unit_test(test_who),
		cmocka_unit_test(test_hold),
		cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
