#include "store_test.h"

#include <maildesk/store/clocks.h>
#include <maildesk/store/comments.h>
#include <maildesk/store/mailboxes.h>

static const struct ticket full = {
	.title = "It burns",
	.status = "pending",
	.priority = 3,
	.category = "fire",
	.channel = "api",
	.created_at = 11,
	.updated_at = 12,
	.first_response_at = 13,
	.resolved_at = 14,
	.closed_at = 15,
	.due_at = 16,
};

static void assert_ticket(const struct ticket *got, const struct ticket *want)
{
	assert_string_equal(got->title, want->title);
	assert_string_equal(got->status, want->status);
	assert_int_equal(got->priority, want->priority);
	assert_string_equal(got->category, want->category);
	assert_int_equal(got->requester_id, want->requester_id);
	assert_int_equal(got->created_by, want->created_by);
	assert_int_equal(got->assignee_id, want->assignee_id);
	assert_int_equal(got->mailbox_id, want->mailbox_id);
	assert_string_equal(got->channel, want->channel);
	assert_int_equal(got->created_at, want->created_at);
	assert_int_equal(got->updated_at, want->updated_at);
	assert_int_equal(got->first_response_at, want->first_response_at);
	assert_int_equal(got->resolved_at, want->resolved_at);
	assert_int_equal(got->closed_at, want->closed_at);
	assert_int_equal(got->due_at, want->due_at);
	assert_int_equal(got->merged_into, want->merged_into);
	assert_int_equal(got->deleted_at, want->deleted_at);
}

TXN_TEST(a_ticket_comes_back_as_inserted_and_saved)
{
	int64_t ann = a_user(c, "ann@x", "customer"), bob = a_user(c, "bob@x", "agent"), box, id;
	struct ticket t = full, got;

	OK(mailbox_ensure(c, "support", &box, &err));
	t.requester_id = ann;
	t.created_by = t.assignee_id = bob;
	t.mailbox_id = box;
	OK(ticket_insert(c, &t, &id, &err));
	OK(ticket_get(c, id, a, &got, &err));
	assert_int_equal(got.id, id);
	assert_int_equal(got.version, 1);
	assert_ticket(&got, &t);

	t = got;
	t.title = "It burned";
	t.status = "closed";
	t.priority = 0;
	t.category = "smoke";
	t.requester_id = bob;
	t.assignee_id = ann;
	t.updated_at = 22;
	t.first_response_at = 23;
	t.resolved_at = t.closed_at = t.due_at = 0;
	t.merged_into = a_ticket(c, ann, "other");
	t.deleted_at = 26;
	OK(ticket_save(c, &t, &err));
	OK(ticket_get(c, id, a, &got, &err));
	assert_ticket(&got, &t);
	assert_int_equal(got.version, 2);
	assert_int_equal(ticket_get(c, 999, a, &got, &err), MD_NOTFOUND);
}

TXN_TEST(a_ticket_is_saved_at_the_version_that_was_read)
{
	int64_t id = a_ticket(c, a_user(c, "ann@x", "customer"), "x");
	struct ticket first, second;

	OK(ticket_get(c, id, a, &first, &err));
	OK(ticket_get(c, id, a, &second, &err));
	first.title = "first";
	second.title = "second";
	OK(ticket_save(c, &first, &err));
	assert_int_equal(ticket_save(c, &second, &err), MD_CONFLICT);
	OK(ticket_get(c, id, a, &second, &err));
	assert_string_equal(second.title, "first");
}

TXN_TEST(ids_are_never_used_again)
{
	int64_t ann = a_user(c, "ann@x", "customer"), one = a_ticket(c, ann, "1");

	(void)a;
	assert_int_equal(a_ticket(c, ann, "2"), one + 1);
	assert_int_equal(a_ticket(c, ann, "3"), one + 2);
}

/* ---- lists ---- */

static const struct row {
	const char *title, *status, *category;
	int64_t priority, assignee, requester, created, updated;
	bool in_box, deleted, merged;
} rows[] = {
	/* assignee and requester: 0 none, 1 ann, 2 bob, 3 cid */
	{ "a", "open", "net", 0, 0, 1, 10, 90, true, false, false },
	{ "b", "open", NULL, 3, 2, 1, 20, 80, true, false, false },
	{ "c", "pending", "net", 1, 2, 3, 30, 70, false, false, false },
	{ "d", "closed", NULL, 1, 3, 3, 40, 60, false, false, false },
	{ "e", "open", NULL, 2, 0, 3, 50, 50, false, false, false },
	{ "deleted", "open", NULL, 2, 2, 1, 60, 40, true, true, false },
	{ "merged", "open", NULL, 2, 2, 1, 70, 30, true, false, true },
};

static const struct list_case {
	struct ticket_filter filter;
	const char *want;
	int64_t total;
} list_cases[] = {
	{ { .limit = 9 }, "abcde", 5 },
	{ { .limit = 9, .descending = true }, "edcba", 5 },
	{ { .limit = 9, .sort = TICKET_SORT_CREATED, .descending = true }, "edcba", 5 },
	{ { .limit = 9, .sort = TICKET_SORT_UPDATED }, "edcba", 5 },
	{ { .limit = 9, .sort = TICKET_SORT_UPDATED, .descending = true }, "abcde", 5 },
	{ { .limit = 9, .sort = TICKET_SORT_PRIORITY, .descending = true }, "becda", 5 },
	{ { .limit = 9, .sort = TICKET_SORT_STATUS }, "debac", 5 },
	{ { .limit = 2, .offset = 0 }, "ab", 5 },
	{ { .limit = 2, .offset = 2 }, "cd", 5 },
	{ { .limit = 2, .offset = 4 }, "e", 5 },
	{ { .limit = 2, .offset = 6 }, "", 5 },
	{ { .limit = 9, .status = { "open" }, .n_status = 1 }, "abe", 3 },
	{ { .limit = 9, .status = { "open", "closed" }, .n_status = 2 }, "abde", 4 },
	{ { .limit = 9, .status = { "gone" }, .n_status = 1 }, "", 0 },
	{ { .limit = 9, .priority = { 1 }, .n_priority = 1 }, "cd", 2 },
	{ { .limit = 9, .priority = { 0, 3 }, .n_priority = 2 }, "ab", 2 },
	{ { .limit = 9, .assignee_id = 2 }, "bc", 2 },
	{ { .limit = 9, .assignee_id = -1 }, "ae", 2 },
	{ { .limit = 9, .requester_id = 3 }, "cde", 3 },
	{ { .limit = 9, .tag = "vip" }, "ae", 2 },
	{ { .limit = 9, .tag = "none" }, "", 0 },
	{ { .limit = 9, .category = "net" }, "ac", 2 },
	{ { .limit = 9, .field = "\"asset\":\"47\"" }, "b", 1 },
	{ { .limit = 9, .field = "\"asset\":\"471\"" }, "d", 1 },
	{ { .limit = 9, .field = "\"asset\":\"A\"" }, "", 0 },
	{ { .limit = 9, .mailbox = "support" }, "ab", 2 },
	{ { .limit = 9, .mailbox = "sales" }, "", 0 },
	{ { .limit = 9, .created_after = 20 }, "bcde", 4 },
	{ { .limit = 9, .created_before = 20 }, "a", 1 },
	{ { .limit = 9, .updated_after = 70 }, "abc", 3 },
	{ { .limit = 9, .visible_to = 2 }, "d", 1 },
	{ { .limit = 9, .visible_to = 1 }, "", 0 },
	{ { .limit = 9,
	    .status = { "open" },
	    .n_status = 1,
	    .priority = { 2, 3 },
	    .n_priority = 2,
	    .requester_id = 3,
	    .tag = "vip",
	    .created_after = 1,
	    .updated_after = 1 },
	  "e",
	  1 },
};

DB_SQL(sql_fields, "UPDATE tickets SET fields = $1 WHERE title = $2");

static void fill_list(struct db_conn *c)
{
	int64_t ann = a_user(c, "ann@x", "customer"), bob = a_user(c, "bob@x", "agent"),
		cid = a_user(c, "cid@x", "agent"), box, id, first = 0;

	assert_true(ann == 1 && bob == 2 && cid == 3); /* as the cases have them */
	OK(mailbox_ensure(c, "support", &box, &err));
	for (size_t i = 0; i < MD_COUNT(rows); i++) {
		const struct row *r = &rows[i];
		struct ticket t = { .title = r->title,
				    .status = r->status,
				    .category = r->category,
				    .priority = r->priority,
				    .assignee_id = r->assignee,
				    .requester_id = r->requester,
				    .channel = "mail",
				    .created_at = r->created,
				    .updated_at = r->updated,
				    .mailbox_id = r->in_box ? box : 0,
				    .deleted_at = r->deleted,
				    .merged_into = r->merged ? first : 0 };

		OK(ticket_insert(c, &t, &id, &err));
		first = first ? first : id;
		if (strchr("ae", r->title[0]))
			OK(ticket_tag_add(c, id, "vip", &err));
		if (strcmp(r->title, "d") == 0 || r->deleted)
			OK(participant_put(c, id, bob, "cc", 1, &err));
	}
	OK(db_exec(c, &sql_fields,
		   DB_ARGS(DB_TEXT("{\"asset\":\"47\",\"room\":\"a\"}"), DB_TEXT("b")), NULL,
		   &err));
	OK(db_exec(c, &sql_fields, DB_ARGS(DB_TEXT("{\"asset\":\"471\"}"), DB_TEXT("d")), NULL,
		   &err));
	/* it only looks like one */
	OK(db_exec(c, &sql_fields,
		   DB_ARGS(DB_TEXT("{\"room\":\"\\\"asset\\\":\\\"47\\\"\",\"asset\":\"a\"}"),
			   DB_TEXT("e")),
		   NULL, &err));
}

TXN_TEST(tickets_are_listed_by_filter)
{
	fill_list(c);
	for (size_t i = 0; i < MD_COUNT(list_cases); i++) {
		struct ticket_row *list;
		char got[16] = "";
		int64_t total;
		size_t n;

		OK(ticket_list(c, &list_cases[i].filter, a, &list, &n, &total, &err));
		for (size_t k = 0; k < n && k < sizeof got - 1; k++)
			got[k] = list[k].t.title[0];
		if (strcmp(got, list_cases[i].want) != 0 || total != list_cases[i].total)
			fail_msg("case %zu: got %s (%d), want %s (%d)", i, got, (int)total,
				 list_cases[i].want, (int)list_cases[i].total);
	}
}

static void a_clock(struct db_conn *c, int64_t ticket, const char *metric, const char *state,
		    int64_t cycle, int64_t due, int64_t breached)
{
	struct clock_row k = { .ticket_id = ticket,
			       .metric = metric,
			       .policy = "gold",
			       .state = state,
			       .cycle = cycle,
			       .started_at = 1,
			       .target_ms = 5,
			       .since_at = 1,
			       .due_at = due,
			       .breached_at = breached };
	int64_t id;

	OK(clock_insert(c, &k, &id, &err));
}

TXN_TEST(a_list_row_has_the_names_and_clocks)
{
	int64_t ann = a_user(c, "ann@x", "customer"), bob = a_user(c, "bob@x", "agent"), box, id,
		plain;
	struct ticket t = full;
	struct ticket_row r;

	OK(mailbox_ensure(c, "support", &box, &err));
	t.requester_id = ann;
	t.assignee_id = bob;
	t.mailbox_id = box;
	OK(ticket_insert(c, &t, &id, &err));
	a_clock(c, id, "first_response", "met", 1, 3, 0);
	a_clock(c, id, "next_response", "running", 1, 50, 40);
	a_clock(c, id, "resolution", "running", 1, 45, 0);
	OK(ticket_row_get(c, id, a, &r, &err));
	assert_ticket(&r.t, &t);
	assert_string_equal(r.requester_name, "ann@x");
	assert_string_equal(r.requester_email, "ann@x");
	assert_string_equal(r.assignee_email, "bob@x");
	assert_string_equal(r.mailbox, "support");
	assert_int_equal(r.sla_due_at, 45);
	assert_int_equal(r.breached, 1);

	plain = a_ticket(c, ann, "plain");
	OK(ticket_row_get(c, plain, a, &r, &err));
	assert_null(r.assignee_name);
	assert_null(r.mailbox);
	assert_int_equal(r.sla_due_at, 0);
	assert_int_equal(r.breached, 0);
	assert_int_equal(ticket_row_get(c, 999, a, &r, &err), MD_NOTFOUND);
}

TXN_TEST(totals_stop_at_a_thousand_and_one)
{
	struct ticket_filter f = { .limit = 1 };
	int64_t ann = a_user(c, "ann@x", "customer"), total;
	struct ticket_row *list;
	size_t n;

	for (int i = 1; i <= 1003; i++) {
		a_ticket(c, ann, "x");
		if (i < 999)
			continue;
		OK(ticket_list(c, &f, a, &list, &n, &total, &err));
		assert_int_equal(n, 1);
		assert_int_equal(total, i < 1001 ? i : 1001);
	}
}

/* ---- tags, participants, links ---- */

TXN_TEST(tags_are_made_shared_and_removed)
{
	int64_t ann = a_user(c, "ann@x", "customer");
	int64_t ids[] = { a_ticket(c, ann, "1"), a_ticket(c, ann, "2"), a_ticket(c, ann, "3") };
	int64_t too_many[501] = { 0 };
	struct tag *tags;
	size_t n;

	OK(ticket_tag_add(c, ids[1], "vip", &err));
	OK(ticket_tag_add(c, ids[0], "vip", &err));
	OK(ticket_tag_add(c, ids[0], "vip", &err));
	OK(ticket_tag_add(c, ids[0], "billing", &err));
	OK(ticket_tags_of(c, ids, 3, a, &tags, &n, &err));
	assert_int_equal(n, 3);
	assert_int_equal(tags[0].ticket_id, ids[0]);
	assert_string_equal(tags[0].name, "billing");
	assert_string_equal(tags[0].color, "#808080");
	assert_string_equal(tags[1].name, "vip");
	assert_int_equal(tags[2].ticket_id, ids[1]);

	OK(ticket_tag_remove(c, ids[0], "vip", &err));
	OK(ticket_tag_remove(c, ids[0], "vip", &err));
	OK(ticket_tag_remove(c, ids[0], "never", &err));
	OK(ticket_tags_of(c, ids, 1, a, &tags, &n, &err));
	assert_int_equal(n, 1);
	OK(ticket_tags_of(c, ids, 0, a, &tags, &n, &err));
	assert_int_equal(n, 0);
	OK(ticket_tags_of(c, too_many, 500, a, &tags, &n, &err));
	assert_int_equal(ticket_tags_of(c, too_many, 501, a, &tags, &n, &err), MD_INPUT);
	FAILS(MD_CONFLICT, c, ticket_tag_add(c, 999, "vip", &err));
}

TXN_TEST(participants_take_part_once)
{
	int64_t ann = a_user(c, "ann@x", "customer"), bob = a_user(c, "bob@x", "agent");
	int64_t id = a_ticket(c, ann, "1");
	struct participant *list;
	struct user u;
	bool takes_part = false;
	size_t n;

	OK(participant_put(c, id, bob, "watcher", 7, &err));
	OK(participant_put(c, id, ann, "requester", 5, &err));
	OK(participant_put(c, id, bob, "cc", 9, &err));
	OK(user_get(c, bob, a, &u, &err));
	u.disabled_at = 1;
	u.locale = "de";
	OK(user_save(c, &u, &err));
	OK(participant_list(c, id, a, &list, &n, &err));
	assert_int_equal(n, 2);
	assert_int_equal(list[0].user_id, ann);
	assert_string_equal(list[0].role, "requester");
	assert_string_equal(list[0].user_role, "customer");
	assert_false(list[0].disabled);
	assert_false(list[0].muted);
	assert_null(list[0].locale);
	assert_int_equal(list[1].user_id, bob);
	assert_string_equal(list[1].role, "cc");
	assert_int_equal(list[1].since_at, 7);
	assert_string_equal(list[1].email, "bob@x");
	assert_string_equal(list[1].locale, "de");
	assert_true(list[1].disabled);
	assert_false(list[1].undeliverable);

	OK(participant_is(c, id, bob, &takes_part, &err));
	assert_true(takes_part);
	OK(participant_remove(c, id, bob, &err));
	OK(participant_is(c, id, bob, &takes_part, &err));
	assert_false(takes_part);
	FAILS(MD_CONFLICT, c, participant_put(c, id, 999, "cc", 1, &err));
	FAILS(MD_CONFLICT, c, participant_put(c, id, bob, "boss", 1, &err));
}

TXN_TEST(links_are_made_once)
{
	int64_t ann = a_user(c, "ann@x", "customer");
	int64_t one = a_ticket(c, ann, "1"), two = a_ticket(c, ann, "2");

	(void)a;
	OK(ticket_link_add(c, one, "blocks", two, &err));
	OK(ticket_link_add(c, one, "blocks", two, &err));
	OK(ticket_link_add(c, one, "relates", two, &err));
	FAILS(MD_CONFLICT, c, ticket_link_add(c, one, "hates", two, &err));
	FAILS(MD_CONFLICT, c, ticket_link_add(c, one, "blocks", 999, &err));
}

/* ---- comments and history ---- */

static int64_t a_comment(struct db_conn *c, int64_t ticket, int64_t author, const char *body,
			 bool internal)
{
	struct comment m = { .ticket_id = ticket,
			     .author_id = author,
			     .is_internal = internal,
			     .channel = "mail",
			     .body = body,
			     .created_at = 5 };
	int64_t id;

	OK(comment_insert(c, &m, &id, &err));
	return id;
}

TXN_TEST(comments_are_listed_as_the_reader_may_see_them)
{
	int64_t ann = a_user(c, "ann@x", "customer"), id = a_ticket(c, ann, "1"), total;
	struct comment *list, got;
	const char *body;
	int64_t first, last;
	size_t n;

	OK(comment_first_body(c, id, a, &body, &err));
	assert_string_equal(body, "");
	first = a_comment(c, id, ann, "first", false);
	a_comment(c, id, 0, "note", true);
	last = a_comment(c, id, ann, "last", false);

	OK(comment_list(c, id, false, 0, 0, 10, a, &list, &n, &total, &err));
	assert_int_equal(n, 2);
	assert_int_equal(total, 2);
	assert_int_equal(list[0].id, first);
	assert_string_equal(list[0].author_name, "ann@x");
	assert_string_equal(list[0].author_role, "customer");
	assert_int_equal(list[1].id, last);
	OK(comment_list(c, id, true, 0, 1, 1, a, &list, &n, &total, &err));
	assert_int_equal(n, 1);
	assert_int_equal(total, 3);
	assert_true(list[0].is_internal);
	assert_null(list[0].author_name);

	OK(comment_get(c, first, a, &got, &err));
	got.is_internal = true;
	got.held = "unverified";
	got.body = "edited";
	got.body_full = "edited and quoted";
	got.edited_at = 8;
	OK(comment_save(c, &got, &err));
	OK(comment_get(c, first, a, &got, &err));
	assert_true(got.is_internal);
	assert_string_equal(got.held, "unverified");
	assert_string_equal(got.body, "edited");
	assert_string_equal(got.body_full, "edited and quoted");
	assert_int_equal(got.edited_at, 8);
	assert_int_equal(got.created_at, 5);
	OK(comment_first_body(c, id, a, &body, &err));
	assert_string_equal(body, "edited");

	got.deleted_at = 9;
	OK(comment_save(c, &got, &err));
	OK(comment_list(c, id, true, 0, 0, 10, a, &list, &n, &total, &err));
	assert_int_equal(n, 2);
	assert_int_equal(total, 2);
	OK(comment_get(c, first, a, &got, &err)); /* deleted ones are still there */
	assert_int_equal(got.deleted_at, 9);
	got.held = "because";
	FAILS(MD_CONFLICT, c, comment_save(c, &got, &err));
	got.held = NULL;
	got.id = 999;
	assert_int_equal(comment_save(c, &got, &err), MD_NOTFOUND);
}

TXN_TEST(history_is_in_order_and_partly_public)
{
	int64_t ann = a_user(c, "ann@x", "agent"), id = a_ticket(c, ann, "1"), total;
	struct history rows_in[] = {
		{ .ticket_id = id,
		  .actor_id = ann,
		  .action = "status",
		  .old_value = "open",
		  .new_value = "closed",
		  .source = "mail",
		  .trust = 2,
		  .is_public = true,
		  .at = 4 },
		{ .ticket_id = id, .action = "note", .source = "timer", .trust = -1, .at = 5 },
		{ .ticket_id = id,
		  .actor_id = ann,
		  .action = "tag",
		  .new_value = "vip",
		  .source = "api",
		  .trust = 0,
		  .is_public = true,
		  .at = 6 },
	};
	struct history *list;
	size_t n;

	for (size_t i = 0; i < MD_COUNT(rows_in); i++)
		OK(history_add(c, &rows_in[i], &err));
	OK(history_list(c, id, false, 0, 0, 10, a, &list, &n, &total, &err));
	assert_int_equal(n, 3);
	assert_int_equal(total, 3);
	assert_string_equal(list[0].old_value, "open");
	assert_string_equal(list[0].new_value, "closed");
	assert_string_equal(list[0].actor_name, "ann@x");
	assert_string_equal(list[0].actor_role, "agent");
	assert_int_equal(list[0].trust, 2);
	assert_int_equal(list[0].at, 4);
	assert_true(list[0].is_public);
	assert_int_equal(list[1].trust, -1);
	assert_null(list[1].actor_name);
	assert_null(list[1].old_value);
	assert_int_equal(list[2].trust, 0);
	OK(history_list(c, id, true, 0, 1, 10, a, &list, &n, &total, &err));
	assert_int_equal(n, 1);
	assert_int_equal(total, 2);
	assert_string_equal(list[0].action, "tag");
	rows_in[0].source = "rumour";
	FAILS(MD_CONFLICT, c, history_add(c, &rows_in[0], &err));
}

/* ---- clocks and timers ---- */

TXN_TEST(the_newest_cycle_of_each_clock_is_listed)
{
	int64_t ann = a_user(c, "ann@x", "customer");
	int64_t ids[] = { a_ticket(c, ann, "1"), a_ticket(c, ann, "2") };
	struct clock_row *list, k;
	size_t n;

	a_clock(c, ids[0], "next_response", "met", 1, 3, 0);
	a_clock(c, ids[0], "resolution", "running", 1, 9, 0);
	a_clock(c, ids[0], "next_response", "running", 2, 7, 0);
	a_clock(c, ids[1], "resolution", "paused", 1, 0, 0);
	OK(clock_list(c, ids[0], a, &list, &n, &err));
	assert_int_equal(n, 2);
	assert_string_equal(list[0].metric, "resolution");
	assert_string_equal(list[1].metric, "next_response");
	assert_int_equal(list[1].cycle, 2);
	OK(clock_list_of(c, ids, 2, a, &list, &n, &err));
	assert_int_equal(n, 3);
	assert_int_equal(list[2].ticket_id, ids[1]);
	OK(clock_list_of(c, ids, 0, a, &list, &n, &err));
	assert_int_equal(n, 0);

	OK(clock_list(c, ids[1], a, &list, &n, &err));
	k = list[0];
	k.state = "breached";
	k.policy = "silver";
	k.target_ms = 60;
	k.since_at = 61;
	k.used_ms = 62;
	k.due_at = 63;
	k.breached_at = 64;
	k.told = 101;
	OK(clock_save(c, &k, &err));
	OK(clock_get(c, k.id, a, &k, &err));
	assert_string_equal(k.state, "breached");
	assert_string_equal(k.policy, "silver");
	assert_int_equal(k.target_ms, 60);
	assert_int_equal(k.since_at, 61);
	assert_int_equal(k.used_ms, 62);
	assert_int_equal(k.due_at, 63);
	assert_int_equal(k.breached_at, 64);
	assert_int_equal(k.told, 101);
	assert_int_equal(k.started_at, 1);
	k.id = 999;
	assert_int_equal(clock_save(c, &k, &err), MD_NOTFOUND);
}

/* Titles of all tickets by due date, as pages of two, each behind the last of the one before. */
static void assert_by_due(struct db_conn *c, struct arena *a, bool descending, const char *want)
{
	struct ticket_filter f = { .sort = TICKET_SORT_DUE, .descending = descending, .limit = 2 };
	struct ticket_place place;
	struct ticket_row *list;
	char got[16] = "";
	int64_t total;
	size_t n;

	do {
		OK(ticket_list(c, &f, a, &list, &n, &total, &err));
		for (size_t i = 0; i < n; i++)
			strncat(got, list[i].t.title, sizeof got - strlen(got) - 1);
		if (n)
			OK(ticket_place_of(c, &f, &list[n - 1], &place, &err));
		f.behind = &place;
	} while (n == 2);
	assert_string_equal(got, want);
	/* and by its number, across both kinds */
	f.behind = NULL;
	f.offset = 3;
	OK(ticket_list(c, &f, a, &list, &n, &total, &err));
	assert_int_equal(n, 2);
	assert_int_equal(list[0].t.title[0], want[3]);
	assert_int_equal(list[1].t.title[0], want[4]);
}

static void set_due(struct db_conn *c, struct arena *a, int64_t ticket, int64_t due)
{
	struct ticket t;

	OK(ticket_get(c, ticket, a, &t, &err));
	t.due_at = due;
	OK(ticket_save(c, &t, &err));
}

static void move_clock(struct db_conn *c, struct arena *a, int64_t ticket, int64_t due)
{
	struct clock_row *list;
	size_t n;

	OK(clock_list(c, ticket, a, &list, &n, &err));
	list[n - 1].due_at = due;
	OK(clock_save(c, &list[n - 1], &err));
}

TXN_TEST(tickets_are_due_by_their_date_or_clock)
{
	int64_t ann = a_user(c, "ann@x", "customer"), ids[6];

	for (int i = 0; i < 6; i++)
		ids[i] = a_ticket(c, ann, (char[]){ (char)('a' + i), 0 });
	set_due(c, a, ids[0], 50);                                 /* a: its date */
	a_clock(c, ids[1], "resolution", "running", 1, 40, 0);     /* b: its clock */
	set_due(c, a, ids[2], 30);                                 /* c: its date comes first */
	a_clock(c, ids[2], "resolution", "running", 1, 60, 0);     /* */
	a_clock(c, ids[3], "first_response", "running", 1, 10, 0); /* d, e, f: neither */
	assert_by_due(c, a, false, "cbadef");
	assert_by_due(c, a, true, "abcfed");
	set_due(c, a, ids[2], 0); /* the clock's is left */
	assert_by_due(c, a, false, "bacdef");
	move_clock(c, a, ids[2], 45);
	assert_by_due(c, a, false, "bcadef");
	set_due(c, a, ids[1], 70); /* later than the clock */
	assert_by_due(c, a, false, "bcadef");
	move_clock(c, a, ids[1], 0); /* it is paused */
	assert_by_due(c, a, false, "cabdef");
	a_clock(c, ids[1], "resolution", "running", 2, 5, 0); /* another cycle */
	assert_by_due(c, a, false, "bcadef");
	move_clock(c, a, ids[2], 0);
	assert_by_due(c, a, false, "bacdef");
	assert_by_due(c, a, true, "abfedc");
}

/* Each list of a filter may be as long as it may be, with each sort and with words: no bound of the
 * statement is met. */
TXN_TEST(all_lists_of_a_filter_may_be_full)
{
	int64_t ann = a_user(c, "ann@x", "customer"), ids[TICKET_FILTER_ANY_MAX], total;
	const char *names[TICKET_FILTER_ANY_MAX];
	const struct ticket_any_id any_id = { ids, MD_COUNT(ids) };
	const struct ticket_any_name any_name = { names, MD_COUNT(names) };
	struct search_query words;
	struct ticket_filter f = { .n_status = TICKET_FILTER_MAX,
				   .priority = { 0, 1, 2, 3 },
				   .n_priority = 4,
				   .assignees = any_id,
				   .requesters = any_id,
				   .teams = any_id,
				   .organisations = any_id,
				   .tags = any_name,
				   .categories = any_name,
				   .mailboxes = any_name,
				   .visible_to = ann,
				   .shared_with = 1,
				   .limit = 2 };
	struct ticket_row *list;
	size_t n;

	a_ticket(c, ann, "1");
	for (size_t i = 0; i < TICKET_FILTER_MAX; i++)
		f.status[i] = "open";
	for (size_t i = 0; i < TICKET_FILTER_ANY_MAX; i++) {
		ids[i] = ann;
		names[i] = "x";
	}
	OK(search_parse("burns", NULL, a, &words, &err));
	for (int sort = 0; sort < TICKET_SORT_COUNT; sort++) {
		f.sort = (enum ticket_sort)sort;
		f.words = NULL;
		OK(ticket_list(c, &f, a, &list, &n, &total, &err));
		f.words = &words;
		OK(ticket_list(c, &f, a, &list, &n, &total, &err));
		assert_int_equal(n, 0);
	}
}

TXN_TEST(timers_come_due_in_order)
{
	int64_t ann = a_user(c, "ann@x", "customer"), id = a_ticket(c, ann, "1"), next;
	struct clock_row *clocks;
	struct timer_row *due;
	size_t n;

	assert_int_equal(timer_next_due(c, &next, &err), MD_NOTFOUND);
	a_clock(c, id, "resolution", "running", 1, 9, 0);
	a_clock(c, id, "first_response", "running", 1, 9, 0);
	OK(clock_list(c, id, a, &clocks, &n, &err));
	for (size_t i = 0; i < 2; i++) {
		struct timer_row t = { .ticket_id = id, .clock_id = clocks[i].id };

		t.kind = "sla_breach";
		t.due_at = 90 + (int64_t)i;
		OK(timer_add(c, &t, &err));
		t.kind = "sla_warning";
		t.due_at = 70 - (int64_t)i;
		t.argument = 80;
		OK(timer_add(c, &t, &err));
	}
	OK(timer_add(c, &(struct timer_row){ .ticket_id = id, .kind = "auto_close", .due_at = 80 },
		     &err));

	OK(timer_next_due(c, &next, &err));
	assert_int_equal(next, 69);
	OK(timer_due(c, 80, 10, a, &due, &n, &err));
	assert_int_equal(n, 3);
	assert_int_equal(due[0].due_at, 69);
	assert_string_equal(due[0].kind, "sla_warning");
	assert_int_equal(due[0].argument, 80);
	assert_int_equal(due[0].clock_id, clocks[1].id);
	assert_int_equal(due[1].due_at, 70);
	assert_int_equal(due[2].clock_id, 0);
	OK(timer_due(c, 80, 1, a, &due, &n, &err));
	assert_int_equal(n, 1);
	OK(timer_due(c, 68, 10, a, &due, &n, &err));
	assert_int_equal(n, 0);

	OK(timer_due(c, 69, 10, a, &due, &n, &err));
	OK(timer_take(c, due[0].id, &err));
	assert_int_equal(timer_take(c, due[0].id, &err), MD_NOTFOUND);
	OK(timer_next_due(c, &next, &err));
	assert_int_equal(next, 70);
	OK(timer_drop_clock(c, clocks[0].id, &err));
	OK(timer_next_due(c, &next, &err));
	assert_int_equal(next, 80);
	OK(timer_drop_kind(c, id, "auto_close", &err));
	OK(timer_next_due(c, &next, &err));
	assert_int_equal(next, 91);
	OK(timer_drop_clock(c, clocks[1].id, &err));
	assert_int_equal(timer_next_due(c, &next, &err), MD_NOTFOUND);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_ticket_comes_back_as_inserted_and_saved),
		TEST(a_ticket_is_saved_at_the_version_that_was_read),
		TEST(ids_are_never_used_again),
		TEST(tickets_are_listed_by_filter),
		TEST(a_list_row_has_the_names_and_clocks),
		TEST(totals_stop_at_a_thousand_and_one),
		TEST(tags_are_made_shared_and_removed),
		TEST(participants_take_part_once),
		TEST(links_are_made_once),
		TEST(comments_are_listed_as_the_reader_may_see_them),
		TEST(history_is_in_order_and_partly_public),
		TEST(the_newest_cycle_of_each_clock_is_listed),
		TEST(tickets_are_due_by_their_date_or_clock),
		TEST(all_lists_of_a_filter_may_be_full),
		TEST(timers_come_due_in_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
