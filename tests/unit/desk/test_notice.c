#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <maildesk/base/mem.h>
#include <maildesk/desk/notice.h>
#include <stdio.h>
#include <string.h>

enum { REQ = 1, CC, ASSIGNEE, WATCHER, FAN, TEAM, AGENT, ADMIN };

/* A desk in which everybody is one thing. FAN is a customer who watches. */
static const struct notice_person desk[] = {
	{ .user_id = REQ, .roles = NOTICE_REQUESTER },
	{ .user_id = CC, .roles = NOTICE_PARTICIPANT },
	{ .user_id = ASSIGNEE, .roles = NOTICE_ASSIGNEE | NOTICE_AGENT, .staff = true },
	{ .user_id = WATCHER, .roles = NOTICE_WATCHER | NOTICE_AGENT, .staff = true },
	{ .user_id = FAN, .roles = NOTICE_WATCHER },
	{ .user_id = TEAM, .roles = NOTICE_TEAM | NOTICE_AGENT, .staff = true },
	{ .user_id = AGENT, .roles = NOTICE_AGENT, .staff = true },
	{ .user_id = ADMIN, .roles = NOTICE_ADMIN, .staff = true },
};

/* "1 created requester; 6 created_agent team" */
static const char *told(enum notice_event event, const struct notice_person *people, size_t n)
{
	static char text[600];
	struct notice notices[20];
	size_t count = notice_decide(event, people, n, notices), len = 0;

	assert_true(count <= n);
	text[0] = '\0';
	for (size_t i = 0; i < count; i++)
		len += (size_t)snprintf(text + len, sizeof text - len, "%s%d %s %s", i ? "; " : "",
					(int)notices[i].user_id, notices[i].template,
					notices[i].reason);
	return text;
}

/* One mail, and the one that says most; a customer who has the name of an agent gets none. */
static void mentions(void **state)
{
	static const struct notice_person people[] = {
		{ .user_id = 1, .roles = NOTICE_REQUESTER | NOTICE_MENTIONED },
		{ .user_id = 2, .roles = NOTICE_ASSIGNEE | NOTICE_MENTIONED, .staff = true },
		{ .user_id = 3, .roles = NOTICE_WATCHER, .staff = true },
		{ .user_id = 4, .roles = NOTICE_AGENT | NOTICE_MENTIONED, .staff = true },
		{ .user_id = 5,
		  .roles = NOTICE_AGENT | NOTICE_MENTIONED,
		  .staff = true,
		  .is_actor = true },
		{ .user_id = 6,
		  .roles = NOTICE_AGENT | NOTICE_MENTIONED,
		  .staff = true,
		  .muted = true },
	};

	(void)state;
	assert_string_equal(
		told(NOTICE_INTERNAL_NOTE, people, MD_COUNT(people)),
		"2 mentioned mentioned; 4 mentioned mentioned; 3 internal_note watcher");
	assert_string_equal(told(NOTICE_PUBLIC_REPLY, people, 1), "1 public_reply requester");
}

static void default_matrix(void **state)
{
	static const char *const expect[NOTICE_EVENT_COUNT] = {
		[NOTICE_CREATED] = "1 created requester; 6 created_agent team",
		[NOTICE_PUBLIC_REPLY] = "1 public_reply requester; 2 public_reply participant; 3 "
					"public_reply assignee; "
					"4 public_reply watcher; 5 public_reply watcher",
		[NOTICE_INTERNAL_NOTE] = "3 internal_note assignee; 4 internal_note watcher",
		[NOTICE_ASSIGNED] = "3 assigned assignee",
		[NOTICE_STATUS_CHANGED] = "1 status_changed requester",
		[NOTICE_SLA_WARNING] = "3 sla_warning assignee",
		[NOTICE_SLA_BREACH] = "3 sla_breach assignee",
		[NOTICE_ESCALATED] = "3 escalated assignee",
		[NOTICE_REMINDER] = "1 reminder requester",
		[NOTICE_TRANSCRIPT] = "",
		[NOTICE_UNVERIFIED] = "",
		[NOTICE_MERGED] = "1 merged requester",
		[NOTICE_MAILBOX_ALARM] = "8 mailbox_alarm admin",
		[NOTICE_UNDELIVERED] = "3 undelivered assignee",
		[NOTICE_CONFIRMATION] = "",
		[NOTICE_CONFIRMATION_EXPIRED] = "",
		[NOTICE_TOO_LARGE] = "",
		[NOTICE_TAMPERED] = "3 tampered assignee",
		[NOTICE_MENTION] = "",
		[NOTICE_ALARM] = "8 alarm admin",
	};

	(void)state;
	for (size_t e = 0; e < NOTICE_EVENT_COUNT; e++)
		assert_string_equal(told((enum notice_event)e, desk, MD_COUNT(desk)), expect[e]);
}

#define CHOICE(of) ((struct notice_choice){ .is_made = true, .roles = (of) })

static const char *told_by_choice(enum notice_event event, struct notice_choice choice)
{
	static char text[600];
	struct notice notices[20];
	size_t n = notice_decide_for(event, &choice, desk, MD_COUNT(desk), notices), len = 0;

	text[0] = '\0';
	for (size_t i = 0; i < n; i++)
		len += (size_t)snprintf(text + len, sizeof text - len, "%s%d %s", i ? "; " : "",
					(int)notices[i].user_id, notices[i].template);
	return text;
}

/* Roles are chosen, but not what customers may read, nor who answers to whom. */
static void chosen_roles(void **state)
{
	const unsigned customers = NOTICE_REQUESTER | NOTICE_PARTICIPANT;

	(void)state;
	assert_string_equal(told_by_choice(NOTICE_PUBLIC_REPLY, CHOICE(NOTICE_ADMIN)),
			    "8 public_reply");
	assert_string_equal(told_by_choice(NOTICE_INTERNAL_NOTE, CHOICE(customers)), "");
	assert_string_equal(told_by_choice(NOTICE_CREATED, CHOICE(0)), "");
	assert_string_equal(told_by_choice(NOTICE_CREATED, CHOICE(customers | NOTICE_ADMIN)),
			    "1 created; 8 created_agent");
	assert_true(notice_may_choose(NOTICE_CREATED));
	assert_false(notice_may_choose(NOTICE_TRANSCRIPT));
}

/* Every event that can be chosen for, and every role: those, but no customer where none is meant.
 */
static void the_matrix(void **state)
{
	static const struct {
		enum notice_event event;
		const char *staff, *customers; /* templates; NULL: not for them */
	} events[] = {
		{ NOTICE_CREATED, "created_agent", "created" },
		{ NOTICE_PUBLIC_REPLY, "public_reply", "public_reply" },
		{ NOTICE_INTERNAL_NOTE, "internal_note", NULL },
		{ NOTICE_ASSIGNED, "assigned", NULL },
		{ NOTICE_STATUS_CHANGED, "status_changed", "status_changed" },
		{ NOTICE_MERGED, "merged", "merged" },
		{ NOTICE_SLA_WARNING, "sla_warning", NULL },
		{ NOTICE_SLA_BREACH, "sla_breach", NULL },
		{ NOTICE_ESCALATED, "escalated", NULL },
		{ NOTICE_REMINDER, "reminder", "reminder" },
		{ NOTICE_UNDELIVERED, "undelivered", NULL },
		{ NOTICE_TAMPERED, "tampered", NULL },
		{ NOTICE_MAILBOX_ALARM, "mailbox_alarm", NULL },
		{ NOTICE_ALARM, "alarm", NULL },
	};
	static const struct {
		unsigned role;
		int users[5];
	} roles[] = {
		{ NOTICE_REQUESTER, { REQ } },
		{ NOTICE_PARTICIPANT, { CC } },
		{ NOTICE_ASSIGNEE, { ASSIGNEE } },
		{ NOTICE_WATCHER, { WATCHER, FAN } },
		{ NOTICE_TEAM, { TEAM } },
		{ NOTICE_AGENT, { ASSIGNEE, WATCHER, TEAM, AGENT } },
		{ NOTICE_ADMIN, { ADMIN } },
	};

	(void)state;
	for (size_t e = 0; e < MD_COUNT(events); e++)
		for (size_t r = 0; r < MD_COUNT(roles); r++) {
			const struct notice_choice choice = { true, roles[r].role, false, false,
							      0 };
			char expect[300] = "";
			size_t len = 0;

			for (const int *u = roles[r].users; *u; u++) {
				bool staff = *u != REQ && *u != CC && *u != FAN;
				const char *template =
					staff ? events[e].staff : events[e].customers;

				/* of a new ticket only the requester is sent an answer */
				if (!template ||
				    (events[e].event == NOTICE_CREATED && !staff && *u != REQ))
					continue;
				len += (size_t)snprintf(expect + len, sizeof expect - len,
							"%s%d %s", len ? "; " : "", *u, template);
			}
			assert_true(notice_may_choose(events[e].event));
			assert_string_equal(told_by_choice(events[e].event, choice), expect);
		}
}

/* Of those named in a note, by the choice for mentions. */
static void chosen_mentions(void **state)
{
	static const struct notice_person people[] = {
		{ .user_id = 2, .roles = NOTICE_ASSIGNEE | NOTICE_AGENT, .staff = true },
		{ .user_id = 4, .roles = NOTICE_AGENT | NOTICE_MENTIONED, .staff = true },
		{ .user_id = 8, .roles = NOTICE_ADMIN | NOTICE_MENTIONED, .staff = true },
	};
	static const struct {
		struct notice_choice choice;
		const char *told;
	} cases[] = {
		{ { .limits_mentions = true, .mention_roles = NOTICE_ADMIN },
		  "8 mentioned; 2 internal_note" },
		{ { .limits_mentions = true }, "2 internal_note" },
		{ { .is_made = true }, "4 mentioned; 8 mentioned" },
	};

	(void)state;
	for (size_t i = 0; i < MD_COUNT(cases); i++) {
		struct notice told[8];
		char text[200] = "";
		size_t n = notice_decide_for(NOTICE_INTERNAL_NOTE, &cases[i].choice, people,
					     MD_COUNT(people), told),
		       len = 0;

		for (size_t k = 0; k < n; k++)
			len += (size_t)snprintf(text + len, sizeof text - len, "%s%d %s",
						k ? "; " : "", (int)told[k].user_id,
						told[k].template);
		assert_string_equal(text, cases[i].told);
	}
	assert_true(notice_may_choose(NOTICE_MENTION));
}

/* The desk without some of its people. */
static const char *told_without(enum notice_event event, unsigned roles)
{
	struct notice_person people[MD_COUNT(desk)];
	size_t n = 0;

	for (size_t i = 0; i < MD_COUNT(desk); i++)
		if (!(desk[i].roles & roles))
			people[n++] = desk[i];
	return told(event, people, n);
}

static void who_stands_in(void **state)
{
	(void)state;
	assert_string_equal(told_without(NOTICE_CREATED, NOTICE_TEAM),
			    "1 created requester; 3 created_agent agent; 4 created_agent agent; 7 "
			    "created_agent agent");
	assert_string_equal(told_without(NOTICE_SLA_WARNING, NOTICE_ASSIGNEE),
			    "6 sla_warning team");
	assert_string_equal(told_without(NOTICE_SLA_BREACH, NOTICE_ASSIGNEE | NOTICE_TEAM),
			    "8 sla_breach admin");
	assert_string_equal(told_without(NOTICE_INTERNAL_NOTE, NOTICE_AGENT), "");
}

static void nobody_hears_of_their_own_action(void **state)
{
	struct notice_person people[MD_COUNT(desk)];

	(void)state;
	for (size_t e = 0; e < NOTICE_TRANSCRIPT; e++)
		for (size_t i = 0; i < MD_COUNT(desk); i++) {
			char mark[8];
			const char *text;

			memcpy(people, desk, sizeof desk);
			people[i].is_actor = true;
			text = told((enum notice_event)e, people, MD_COUNT(people));
			snprintf(mark, sizeof mark, "%d ", (int)people[i].user_id);
			/* but the requester gets the acknowledgement */
			assert_int_equal(strncmp(text, mark, 2) == 0 ||
						 (strstr(text, "; ") && strstr(text, mark)),
					 e == NOTICE_CREATED && people[i].user_id == REQ);
		}
}

/* But where they want to be. */
static void own_actions_are_a_choice(void **state)
{
	const struct notice_choice choice = { .own_actions = true };

	(void)state;
	for (size_t e = 0; e < NOTICE_TRANSCRIPT; e++)
		for (size_t i = 0; i < MD_COUNT(desk); i++) {
			struct notice_person people[MD_COUNT(desk)];
			struct notice with[20], without[20];
			size_t n;

			memcpy(people, desk, sizeof desk);
			n = notice_decide((enum notice_event)e, people, MD_COUNT(people), without);
			people[i].is_actor = true;
			assert_int_equal(notice_decide_for((enum notice_event)e, &choice, people,
							   MD_COUNT(people), with),
					 n);
			for (size_t k = 0; k < n; k++)
				assert_int_equal(with[k].user_id, without[k].user_id);
		}
}

static void who_gets_none(void **state)
{
	struct notice_person people[MD_COUNT(desk)];

	(void)state;
	memcpy(people, desk, sizeof desk);
	people[1].has_mail = true;
	people[2].muted = true;
	people[3].undeliverable = true;
	assert_string_equal(told(NOTICE_PUBLIC_REPLY, people, MD_COUNT(people)),
			    "1 public_reply requester; 5 public_reply watcher");
	/* having the mail is no reason not to be told of an assignment */
	people[2] = desk[2];
	people[2].has_mail = true;
	assert_string_equal(told(NOTICE_ASSIGNED, people, MD_COUNT(people)), "3 assigned assignee");
	assert_string_equal(told(NOTICE_INTERNAL_NOTE, people, MD_COUNT(people)), "");
	/* who can't be reached is replaced, who does not want to hear is not */
	people[2].undeliverable = true;
	assert_string_equal(told(NOTICE_SLA_BREACH, people, MD_COUNT(people)), "6 sla_breach team");
	people[2].undeliverable = false;
	people[2].muted = true;
	assert_string_equal(told(NOTICE_SLA_BREACH, people, MD_COUNT(people)), "");
}

static void one_mail_for_many_roles(void **state)
{
	const struct notice_person people[] = {
		{ .user_id = 9, .roles = NOTICE_PARTICIPANT, .staff = true },
		{ .user_id = 9, .roles = NOTICE_REQUESTER | NOTICE_TEAM, .staff = true },
		{ .user_id = 9, .roles = NOTICE_ASSIGNEE, .staff = true },
		{ .user_id = 5, .roles = NOTICE_WATCHER | NOTICE_PARTICIPANT },
		{ .user_id = 5, .roles = NOTICE_WATCHER, .is_actor = true },
	};

	(void)state;
	assert_string_equal(told(NOTICE_PUBLIC_REPLY, people, MD_COUNT(people)),
			    "9 public_reply requester");
	assert_string_equal(told(NOTICE_CREATED, people, MD_COUNT(people)), "9 created requester");
}

/* Whatever roles a customer has, and however the entries contradict each other. */
static void notes_never_reach_customers(void **state)
{
	(void)state;
	for (unsigned roles = 0; roles < 256; roles++) {
		const struct notice_person people[] = {
			{ .user_id = 1, .roles = roles },
			{ .user_id = 2, .roles = roles, .staff = true },
			{ .user_id = 2, .roles = roles },
		};

		assert_string_equal(told(NOTICE_INTERNAL_NOTE, people, MD_COUNT(people)), "");
		assert_string_equal(told(NOTICE_UNVERIFIED, people, MD_COUNT(people)), "");
	}
}

static void answers_to_a_sender(void **state)
{
	const struct notice_person agent = {
		.user_id = 7, .roles = NOTICE_SENDER, .staff = true, .is_actor = true, .muted = true
	};
	const struct notice_person customer = { .user_id = 1,
						.roles = NOTICE_SENDER | NOTICE_REQUESTER,
						.is_actor = true };

	(void)state;
	assert_string_equal(told(NOTICE_TRANSCRIPT, &agent, 1), "7 transcript sender");
	assert_string_equal(told(NOTICE_TRANSCRIPT, &customer, 1), "1 transcript sender");
	assert_string_equal(told(NOTICE_UNVERIFIED, &agent, 1), "7 unverified sender");
	assert_string_equal(told(NOTICE_CONFIRMATION, &agent, 1), "7 confirmation sender");
	assert_string_equal(told(NOTICE_CONFIRMATION, &customer, 1), "1 confirmation sender");
	assert_string_equal(told(NOTICE_TRANSCRIPT, NULL, 0), "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(default_matrix),
		cmocka_unit_test(chosen_roles),
		cmocka_unit_test(the_matrix),
		cmocka_unit_test(chosen_mentions),
		cmocka_unit_test(mentions),
		cmocka_unit_test(who_stands_in),
		cmocka_unit_test(nobody_hears_of_their_own_action),
		cmocka_unit_test(own_actions_are_a_choice),
		cmocka_unit_test(who_gets_none),
		cmocka_unit_test(one_mail_for_many_roles),
		cmocka_unit_test(notes_never_reach_customers),
		cmocka_unit_test(answers_to_a_sender),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
