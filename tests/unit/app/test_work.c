/* Every way in ends in work.h: who may do what, what moves by itself, what the history says. */
#include "desk_fixture.h"

#define HISTORY                                                                               \
	"SELECT action || ' ' || coalesce(old_value, '-') || ' ' || coalesce(new_value, '-')" \
	" || ' ' || is_public FROM ticket_history WHERE ticket_id = %lld ORDER BY id"

enum { NOBODY, CAROL, DAVE, ANNA, BOB, ADMIN, PEOPLE };

static int64_t person(const struct fixture *f, int who)
{
	const int64_t ids[PEOPLE] = { 0, f->carol, f->dave, f->anna, f->bob, f->admin };

	return ids[who];
}

static const char *state_of(struct fixture *f, int64_t ticket)
{
	return rows(f,
		    "SELECT t.status || ' ' || coalesce(u.name, '-') FROM tickets t LEFT JOIN users"
		    " u ON u.id = t.assignee_id WHERE t.id = %lld",
		    (long long)ticket);
}

/* "ok", or how it was refused */
static const char *verdict(int rc)
{
	static const char *const why[] = { "?",         "forbidden", "invisible", "no_transition",
					   "bad_value", "level" };

	return rc == MD_OK ? "ok"
			   : why[err.native >= 0 && err.native <= WORK_LEVEL ? err.native : 0];
}

/* ---- creating ---- */

static void who_may_create(void **state)
{
	static const struct {
		int by, requester;
		const char *verdict;
	} cases[] = {
		{ CAROL, CAROL, "ok" }, { CAROL, DAVE, "forbidden" }, { ANNA, ANNA, "ok" },
		{ ANNA, CAROL, "ok" },  { ADMIN, DAVE, "ok" },        { CAROL, ANNA, "forbidden" },
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < MD_COUNT(cases); i++) {
		struct work_ticket t = { .title = "x",
					 .body = "y",
					 .requester = person(f, cases[i].requester),
					 .priority = 1,
					 .mailbox = f->support };
		int64_t ticket;
		const char *v = verdict(create_rc(f, person(f, cases[i].by), &t, &ticket));

		if (strcmp(v, cases[i].verdict) != 0)
			fail_msg("case %zu: %s %s", i, v, err.text);
	}
	ROWS(f, "4", "SELECT count(*) FROM tickets");
}

static void a_ticket_with_everything(void **state)
{
	struct fixture *f = *state;
	const char *tags[] = { "vip", "paper" };
	const int64_t cc[] = { f->dave, f->carol };
	struct work_ticket t = { .title = " Out\r\nof \u202epaper ",
				 .body = "None left.",
				 .requester = f->carol,
				 .priority = 3,
				 .category = "supplies",
				 .assignee = f->bob,
				 .mailbox = f->support,
				 .tags = { 2, tags },
				 .cc = cc,
				 .n_cc = 2 };
	int64_t ticket;

	OK(create_rc(f, f->anna, &t, &ticket));
	ROWS(f, "Out of paper|in_progress|3|supplies|2|api|2",
	     "SELECT title || '|' || status || '|' || priority || '|' || category || '|' ||"
	     " (SELECT count(*) FROM ticket_tags) || '|' || channel || '|' || version FROM "
	     "tickets");
	ROWS(f, "Carol requester\nDave cc",
	     "SELECT u.name || ' ' || p.role FROM ticket_participants p JOIN users u ON"
	     " u.id = p.user_id ORDER BY u.name");
	ROWS(f,
	     "created - Out of paper 1\ntag_added - vip 0\ntag_added - paper 0\n"
	     "assignee - Bob 1\nstatus open in_progress 1",
	     HISTORY, (long long)ticket);
	/* the author of the description is who wrote it */
	ROWS(f, "Anna", "SELECT u.name FROM comments c JOIN users u ON u.id = c.author_id");
	t.assignee = f->dave;
	assert_string_equal(verdict(create_rc(f, f->anna, &t, &ticket)), "bad_value");
	t.assignee = f->carol;
	t.requester = f->carol;
	assert_string_equal(verdict(create_rc(f, f->carol, &t, &ticket)), "forbidden");
	ROWS(f, "1", "SELECT count(*) FROM tickets");
}

/* ---- seeing and commenting ---- */

static void who_may_comment(void **state)
{
	static const struct {
		int by;
		bool is_internal;
		const char *verdict;
	} cases[] = {
		{ CAROL, false, "ok" },       { CAROL, true, "forbidden" },
		{ DAVE, false, "invisible" }, { DAVE, true, "invisible" },
		{ ANNA, false, "ok" },        { ANNA, true, "ok" },
		{ ADMIN, false, "ok" },       { ADMIN, true, "ok" },
	};
	struct fixture *f = *state;
	int64_t ticket = create(f, f->carol, f->carol, "x");

	for (size_t i = 0; i < MD_COUNT(cases); i++) {
		const char *v = verdict(comment_rc(f, person(f, cases[i].by), ticket, "text",
						   cases[i].is_internal));

		if (strcmp(v, cases[i].verdict) != 0)
			fail_msg("case %zu: %s %s", i, v, err.text);
	}
	assert_string_equal(verdict(comment_rc(f, f->anna, 999, "text", false)), "invisible");
	ROWS(f, "public 1\npublic 1\ninternal 0\npublic 1\ninternal 0",
	     "SELECT new_value || ' ' || is_public FROM ticket_history WHERE action = 'commented'"
	     " ORDER BY id");
}

static void an_open_desk_is_read_by_all(void **state)
{
	struct fixture *f = *state;
	int64_t ticket = create(f, f->carol, f->carol, "x");

	OK(step(f, f->dave, ticket, NULL, NULL));
	assert_string_equal(verdict(comment_rc(f, f->dave, ticket, "text", false)), "forbidden");
	assert_string_equal(verdict(move_rc(f, f->dave, ticket, "closed")), "forbidden");
}

/* ---- fields ---- */

static void who_may_change_what(void **state)
{
	struct fixture *f = *state;
	const char *tags[] = { "a" };
	const struct rec_strs some = { 1, tags };
	const struct {
		const char *what;
		struct work_change ch;
		const char *carol, *carol_later, *dave, *anna;
	} cases[] = {
		{ "title", CHANGE(.title = "new"), "ok", "forbidden", "invisible", "ok" },
		{ "category", CHANGE(.category = "c"), "forbidden", "forbidden", "invisible",
		  "ok" },
		{ "priority", PRIORITY(3), "forbidden", "forbidden", "invisible", "ok" },
		{ "add", CHANGE(.add_tags = some), "forbidden", "forbidden", "invisible", "ok" },
		{ "remove", CHANGE(.remove_tags = some), "forbidden", "forbidden", "invisible",
		  "ok" },
		{ "tags", CHANGE(.set_tags = true), "forbidden", "forbidden", "invisible", "ok" },
		{ "assignee", CHANGE(.set_assignee = true, .assignee = f->anna), "forbidden",
		  "forbidden", "invisible", "ok" },
		{ "close", CHANGE(.status = "closed"), "ok", "no_transition", "invisible", "ok" },
	};

	for (size_t i = 0; i < MD_COUNT(cases); i++) {
		int64_t fresh = create(f, f->carol, f->carol, "x");
		int64_t later = create(f, f->carol, f->carol, "y");
		const char *v[4];

		OK(move_rc(f, f->anna, later, "in_progress"));
		v[0] = verdict(change_rc(f, f->carol, fresh, cases[i].ch));
		v[1] = verdict(change_rc(f, f->carol, later, cases[i].ch));
		v[2] = verdict(change_rc(f, f->dave, later, cases[i].ch));
		fresh = create(f, f->carol, f->carol, "z");
		v[3] = verdict(change_rc(f, f->anna, fresh, cases[i].ch));
		if (strcmp(v[0], cases[i].carol) != 0 || strcmp(v[1], cases[i].carol_later) != 0 ||
		    strcmp(v[2], cases[i].dave) != 0 || strcmp(v[3], cases[i].anna) != 0)
			fail_msg("%s: %s %s %s %s", cases[i].what, v[0], v[1], v[2], v[3]);
	}
}

static void history_tells_old_and_new(void **state)
{
	struct fixture *f = *state;
	const char *two[] = { "a", "b" }, *other[] = { "b", "c" };
	int64_t ticket = create(f, f->carol, f->carol, "x");

	OK(change_rc(f, f->anna, ticket,
		     CHANGE(.title = "new", .category = "c", .add_tags = { 2, two })));
	OK(change_rc(f, f->anna, ticket, CHANGE(.set_tags = true, .tags = { 2, other })));
	OK(change_rc(f, f->anna, ticket, PRIORITY(0)));
	OK(assign_rc(f, f->anna, ticket, f->anna));
	OK(assign_rc(f, f->anna, ticket, f->bob));
	OK(assign_rc(f, f->anna, ticket, 0));
	OK(change_rc(f, f->anna, ticket, CHANGE(.category = "")));
	ROWS(f,
	     "created - x 1\ntitle x new 1\ncategory - c 0\ntag_added - a 0\ntag_added - b 0\n"
	     "tag_added - c 0\ntag_removed a - 0\npriority medium low 1\nassignee - Anna 1\n"
	     "status open in_progress 1\nassignee Anna Bob 1\nassignee Bob - 1\ncategory c - 0",
	     HISTORY, (long long)ticket);
	ROWS(f, "api", "SELECT DISTINCT source FROM ticket_history");
	ROWS(f, "-", "SELECT DISTINCT trust FROM ticket_history");
	ROWS(f, "8", "SELECT version FROM tickets");
	/* the same again is no change: no history, no version, no mail */
	send_all(f);
	OK(change_rc(f, f->anna, ticket, CHANGE(.title = "new", .set_assignee = true)));
	OK(move_rc(f, f->anna, ticket, "in_progress"));
	OK(change_rc(f, f->anna, ticket, CHANGE(.set_tags = true, .tags = { 2, other })));
	ROWS(f, "8 13",
	     "SELECT version || ' ' || (SELECT count(*) FROM ticket_history) FROM tickets");
	ROWS(f, "", QUEUED);
}

static void titles_stay_clean(void **state)
{
	struct fixture *f = *state;
	int64_t ticket = create(f, f->carol, f->carol, "x");
	char longer[2001];

	memset(longer, 'l', sizeof longer);
	longer[sizeof longer - 1] = '\0';
	OK(change_rc(f, f->anna, ticket, CHANGE(.title = "a\r\nBcc: b \u202ec\a")));
	ROWS(f, "a Bcc: b c", "SELECT title FROM tickets");
	ROWS(f, "a Bcc: b c", "SELECT new_value FROM ticket_history WHERE action = 'title'");
	OK(change_rc(f, f->anna, ticket, CHANGE(.title = longer)));
	ROWS(f, "500", "SELECT length(title) FROM tickets");
	assert_string_equal(verdict(change_rc(f, f->anna, ticket, CHANGE(.title = " \n "))),
			    "bad_value");
}

static void only_active_staff_is_assigned(void **state)
{
	struct fixture *f = *state;
	int64_t ticket = create(f, f->carol, f->carol, "x");

	assert_string_equal(verdict(assign_rc(f, f->anna, ticket, f->dave)), "bad_value");
	assert_string_equal(verdict(assign_rc(f, f->anna, ticket, f->carol)), "bad_value");
	assert_string_equal(verdict(assign_rc(f, f->anna, ticket, 999)), "bad_value");
	OK(assign_rc(f, f->anna, ticket, f->admin));
	assert_string_equal(state_of(f, ticket), "in_progress Admin");
}

/* ---- status ---- */

struct edge {
	const char *from, *to;
	const char *who; /* requester, participant, assignee, aGent, Admin: letters of people[] */
};

struct placed {
	int64_t ticket, assignee;
	const char *status;
};
static int place(struct db_conn *c, void *ctx, struct md_err *e)
{
	md_auto(arena_done) struct arena a = ARENA_INIT(1 << 16);
	const struct placed *p = ctx;
	struct ticket t;
	int rc = ticket_get(c, p->ticket, &a, &t, e);

	t.status = p->status;
	t.assignee_id = p->assignee;
	return rc == MD_OK ? ticket_save(c, &t, e) : rc;
}

/* A ticket of Carol's in a status, Dave in copy, Bob assigned. */
static int64_t ticket_in(struct fixture *f, const char *status)
{
	const int64_t cc[] = { f->dave };
	struct work_ticket t = { .title = "x",
				 .body = "y",
				 .requester = f->carol,
				 .priority = 1,
				 .mailbox = f->support,
				 .cc = cc,
				 .n_cc = 1 };
	struct placed p = { .assignee = f->bob, .status = status };

	OK(create_rc(f, f->anna, &t, &p.ticket));
	/* straight into the row: the ways there are what is tested */
	OK(db_txn(f->desk->db, place, &p, &err));
	return p.ticket;
}

static void check_matrix(struct fixture *f, const struct edge *edges, size_t n)
{
	static const struct {
		char letter;
		int who;
	} people[] = { { 'r', CAROL }, { 'p', DAVE }, { 'a', BOB }, { 'g', ANNA }, { 'A', ADMIN } };
	const struct workflow *wf = f->desk->workflow;

	for (size_t i = 0; i < wf->status_count * wf->status_count; i++) {
		const char *from = wf->statuses[i / wf->status_count].name;
		const char *to = wf->statuses[i % wf->status_count].name;
		const struct edge *edge = NULL;

		for (size_t k = 0; k < n; k++)
			if (strcmp(edges[k].from, from) == 0 && strcmp(edges[k].to, to) == 0)
				edge = &edges[k];
		for (size_t p = 0; p < MD_COUNT(people); p++) {
			int64_t ticket = ticket_in(f, from);
			const char *expected = strcmp(from, to) == 0 ? "ok"
					       : !edge               ? "no_transition"
					       : strchr(edge->who, people[p].letter) ? "ok"
										     : "forbidden";
			const char *v = verdict(move_rc(f, person(f, people[p].who), ticket, to));

			if (strcmp(v, expected) != 0)
				fail_msg("%s -> %s by %c: %s, not %s", from, to, people[p].letter,
					 v, expected);
			if (strcmp(v, "ok") != 0)
				ROWS(f, from, "SELECT status FROM tickets WHERE id = %lld",
				     (long long)ticket);
		}
	}
}

static void every_move_of_helpdesk(void **state)
{
	static const struct edge edges[] = {
		{ "open", "in_progress", "agA" },    { "open", "closed", "ragA" },
		{ "in_progress", "pending", "agA" }, { "in_progress", "resolved", "agA" },
		{ "pending", "in_progress", "agA" }, { "pending", "resolved", "agA" },
		{ "resolved", "closed", "ragA" },    { "resolved", "reopened", "rpagA" },
		{ "closed", "reopened", "ragA" },    { "reopened", "in_progress", "agA" },
	};

	check_matrix(*state, edges, MD_COUNT(edges));
}

static void every_move_of_strict(void **state)
{
	static const struct edge edges[] = {
		{ "open", "in_progress", "a" },
		{ "in_progress", "resolved", "a" },
		{ "resolved", "closed", "rA" },
		{ "resolved", "in_progress", "r" },
	};

	check_matrix(*state, edges, MD_COUNT(edges));
}

static void refusals_name_what_is_allowed(void **state)
{
	struct fixture *f = *state;
	int64_t ticket = create(f, f->carol, f->carol, "x");

	assert_int_equal(move_rc(f, f->anna, ticket, "resolved"), MD_INPUT);
	assert_string_equal(err.text, "no way from open to resolved; allowed: in_progress, closed");
	assert_int_equal(move_rc(f, f->carol, ticket, "in_progress"), MD_REFUSED);
	assert_string_equal(err.text, "open to in_progress is not for you; allowed: closed");
}

static void moves_by_themselves(void **state)
{
	struct fixture *f = *state;
	int64_t ticket = create(f, f->carol, f->carol, "x");

	/* assignee before status, in one change */
	OK(change_rc(f, f->anna, ticket,
		     CHANGE(.status = "resolved", .set_assignee = true, .assignee = f->bob)));
	assert_string_equal(state_of(f, ticket), "resolved Bob");
	ROWS(f, "1", "SELECT resolved_at = created_at FROM tickets");
	/* reopened, and on at once, because it has an assignee */
	fixture_now += HOUR;
	OK(comment_rc(f, f->carol, ticket, "No.", false));
	assert_string_equal(state_of(f, ticket), "in_progress Bob");
	ROWS(f,
	     "created - x 1\nassignee - Bob 1\nstatus open in_progress 1\n"
	     "status in_progress resolved 1\ncommented - public 1\nstatus resolved reopened 1\n"
	     "status reopened in_progress 1",
	     HISTORY, (long long)ticket);
	ROWS(f, "-", "SELECT resolved_at FROM tickets");
	/* an agent's reply, and a note, move nothing */
	OK(move_rc(f, f->bob, ticket, "pending"));
	OK(comment_rc(f, f->anna, ticket, "Which one?", false));
	OK(comment_rc(f, f->anna, ticket, "Hm.", true));
	assert_string_equal(state_of(f, ticket), "pending Bob");
	OK(comment_rc(f, f->carol, ticket, "That one.", false));
	assert_string_equal(state_of(f, ticket), "in_progress Bob");
}

/* Whoever asked is answered, not answering, also when it is an agent. */
static void an_agent_who_asks_is_a_customer(void **state)
{
	struct fixture *f = *state;
	int64_t ticket = create(f, f->anna, f->anna, "My chair");

	OK(assign_rc(f, f->bob, ticket, f->bob));
	OK(move_rc(f, f->bob, ticket, "pending"));
	OK(comment_rc(f, f->anna, ticket, "The left leg.", false));
	assert_string_equal(state_of(f, ticket), "in_progress Bob");
	ROWS(f, "-", "SELECT first_response_at FROM tickets");
	OK(comment_rc(f, f->bob, ticket, "Fixed.", false));
	ROWS(f, "1", "SELECT first_response_at IS NOT NULL FROM tickets");
}

static void auto_close_is_a_timer(void **state)
{
	struct fixture *f = *state;
	int64_t ticket = create(f, f->carol, f->carol, "x");

	OK(assign_rc(f, f->anna, ticket, f->anna));
	OK(move_rc(f, f->anna, ticket, "resolved"));
	ROWS(f, arena_printf(&f->arena, "auto_close %lld", (long long)(fixture_now + 7 * DAY)),
	     "SELECT kind || ' ' || due_at FROM timers");
	OK(comment_rc(f, f->carol, ticket, "No!", false));
	ROWS(f, "0", "SELECT count(*) FROM timers");
	OK(move_rc(f, f->anna, ticket, "resolved"));
	OK(move_rc(f, f->anna, ticket, "closed"));
	ROWS(f, "0", "SELECT count(*) FROM timers");
	ROWS(f, "1", "SELECT closed_at IS NOT NULL FROM tickets");
	OK(move_rc(f, f->anna, ticket, "reopened"));
	ROWS(f, "- -",
	     "SELECT coalesce(closed_at, '-') || ' ' || coalesce(resolved_at, '-') FROM tickets");
}

static void resolved_closes_by_itself(void **state)
{
	struct fixture *f = *state;
	int64_t ticket = create(f, f->carol, f->carol, "x");

	OK(assign_rc(f, f->anna, ticket, f->anna));
	OK(move_rc(f, f->anna, ticket, "resolved"));
	send_all(f);
	tick(f, MONDAY_9 + 7 * DAY - 1);
	assert_string_equal(state_of(f, ticket), "resolved Anna");
	tick(f, MONDAY_9 + 7 * DAY);
	assert_string_equal(state_of(f, ticket), "closed Anna");
	ROWS(f, "resolved closed timer -",
	     "SELECT old_value || ' ' || new_value || ' ' || source || ' ' || coalesce(actor_id, "
	     "'-')"
	     " FROM ticket_history ORDER BY id DESC LIMIT 1");
	ROWS(f, "status_changed carol@customer.test", QUEUED);
	/* the customer's word brings it back for two weeks, and not after them */
	fixture_now += 14 * DAY;
	OK(comment_rc(f, f->carol, ticket, "Again.", false));
	assert_string_equal(state_of(f, ticket), "in_progress Anna");
	OK(move_rc(f, f->anna, ticket, "resolved"));
	OK(move_rc(f, f->carol, ticket, "closed"));
	fixture_now += 14 * DAY + 1;
	OK(comment_rc(f, f->carol, ticket, "And again.", false));
	assert_string_equal(state_of(f, ticket), "closed Anna");
	OK(move_rc(f, f->carol, ticket, "reopened"));
	assert_string_equal(state_of(f, ticket), "in_progress Anna");
}

static void without_auto_close_it_stays(void **state)
{
	struct fixture *f = *state;
	int64_t ticket = create(f, f->carol, f->carol, "x");

	OK(assign_rc(f, f->anna, ticket, f->anna));
	OK(move_rc(f, f->anna, ticket, "resolved"));
	tick(f, MONDAY_9 + 900 * DAY);
	assert_string_equal(state_of(f, ticket), "resolved Anna");
}

/* ---- locking ---- */

static int change_twice(struct work *w, void *arg, struct md_err *e)
{
	(void)arg;
	w->ticket.version--; /* as if somebody had saved in between */
	return work_change(w, &PRIORITY(3), e);
}

static void a_lost_race_is_a_conflict(void **state)
{
	struct fixture *f = *state;
	int64_t ticket = create(f, f->carol, f->carol, "x");

	assert_int_equal(step(f, f->anna, ticket, change_twice, NULL), MD_CONFLICT);
	ROWS(f, "1 1 1",
	     "SELECT priority || ' ' || version || ' ' || (SELECT count(*) FROM"
	     " ticket_history) FROM tickets");
}

/* ---- comments ---- */

static int edit(struct work *w, void *arg, struct md_err *e)
{
	return work_comment_edit(w, *(int64_t *)arg, "new text", e);
}
static int drop(struct work *w, void *arg, struct md_err *e)
{
	return work_comment_delete(w, *(int64_t *)arg, e);
}

static void who_may_edit_and_delete_comments(void **state)
{
	static const struct {
		int author;
		bool is_internal;
		int by;
		const char *edit, *drop;
	} cases[] = {
		{ CAROL, false, CAROL, "ok", "ok" },
		{ CAROL, false, ANNA, "forbidden", "forbidden" },
		{ CAROL, false, ADMIN, "forbidden", "ok" },
		{ CAROL, false, DAVE, "invisible", "invisible" },
		{ ANNA, false, CAROL, "forbidden", "forbidden" },
		{ ANNA, false, ANNA, "ok", "ok" },
		{ ANNA, true, CAROL, "invisible", "invisible" },
		{ ANNA, true, BOB, "forbidden", "forbidden" },
		{ ANNA, true, ADMIN, "forbidden", "ok" },
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < MD_COUNT(cases); i++) {
		int64_t ticket = create(f, f->carol, f->carol, "x"), other, comment;
		const char *v[2];

		OK(comment_rc(f, person(f, cases[i].author), ticket, "old text",
			      cases[i].is_internal));
		comment = NUM(f, "SELECT max(id) FROM comments");
		v[0] = verdict(step(f, person(f, cases[i].by), ticket, edit, &comment));
		v[1] = verdict(step(f, person(f, cases[i].by), ticket, drop, &comment));
		if (strcmp(v[0], cases[i].edit) != 0 || strcmp(v[1], cases[i].drop) != 0)
			fail_msg("case %zu: %s %s", i, v[0], v[1]);
		/* by another ticket's door, or twice: there is no such comment */
		other = create(f, f->carol, f->carol, "other");
		assert_string_equal(verdict(step(f, person(f, cases[i].author), other, edit,
						 &comment)),
				    "invisible");
		if (strcmp(v[1], "ok") == 0)
			assert_string_equal(verdict(step(f, person(f, cases[i].author), ticket,
							 drop, &comment)),
					    "invisible");
	}
}

static void old_texts_stay_in_history(void **state)
{
	struct fixture *f = *state;
	int64_t ticket = create(f, f->carol, f->carol, "x"), comment;

	OK(comment_rc(f, f->carol, ticket, "old text", false));
	comment = NUM(f, "SELECT max(id) FROM comments");
	send_all(f);
	OK(step(f, f->carol, ticket, edit, &comment));
	ROWS(f, "new text 1",
	     "SELECT body || ' ' || (edited_at IS NOT NULL) FROM comments WHERE id = %lld",
	     (long long)comment);
	OK(step(f, f->carol, ticket, drop, &comment));
	ROWS(f,
	     "created - x 1\ncommented - public 1\ncomment_edited old text new text 0\n"
	     "comment_deleted new text - 0",
	     HISTORY, (long long)ticket);
	ROWS(f, "4", "SELECT version FROM tickets");
	ROWS(f, "", QUEUED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		DESK_TEST(who_may_create, ""),
		DESK_TEST(a_ticket_with_everything, ""),
		DESK_TEST(who_may_comment, ""),
		DESK_TEST(an_open_desk_is_read_by_all, "desk { visibility = open }\n"),
		DESK_TEST(who_may_change_what, ""),
		DESK_TEST(history_tells_old_and_new, ""),
		DESK_TEST(titles_stay_clean, ""),
		DESK_TEST(only_active_staff_is_assigned, ""),
		DESK_TEST(every_move_of_helpdesk, ""),
		DESK_TEST(every_move_of_strict, "desk { workflow = strict }\n"),
		DESK_TEST(refusals_name_what_is_allowed, ""),
		DESK_TEST(moves_by_themselves, ""),
		DESK_TEST(an_agent_who_asks_is_a_customer, ""),
		DESK_TEST(auto_close_is_a_timer, ""),
		DESK_TEST(resolved_closes_by_itself, ""),
		DESK_TEST(without_auto_close_it_stays, "desk { auto_close = 0s }\n"),
		DESK_TEST(a_lost_race_is_a_conflict, ""),
		DESK_TEST(who_may_edit_and_delete_comments, ""),
		DESK_TEST(old_texts_stay_in_history, ""),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
