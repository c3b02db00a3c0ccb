/* Who gets a mail for what, and who must not: asked of the outbox after real steps. */
#include "desk_fixture.h"

#define CAROL "carol@customer.test"
#define DAVE "dave@customer.test"
#define ANNA "anna@desk.test"
#define BOB "bob@desk.test"
#define ADMIN "admin@desk.test"

static int watch(struct work *w, void *arg, struct md_err *e)
{
	return work_participant(w, *(int64_t *)arg, "watcher", e);
}
static int copy(struct work *w, void *arg, struct md_err *e)
{
	return work_participant(w, *(int64_t *)arg, "cc", e);
}

/* Carol's ticket, Dave in copy, Bob on it; all told. */
static int64_t ticket_with_people(struct fixture *f, bool assigned)
{
	int64_t ticket = create(f, f->carol, f->carol, "Printer on fire");

	OK(step(f, f->anna, ticket, copy, &f->dave));
	if (assigned)
		OK(assign_rc(f, f->anna, ticket, f->bob));
	send_all(f);
	return ticket;
}

/* ---- the matrix ---- */

static void the_default_matrix(void **state)
{
	struct fixture *f = *state;
	int64_t ticket;

	/* created: the requester, and all agents but who did it */
	create(f, f->anna, f->carol, "By phone");
	ROWS(f, "created " CAROL "\ncreated_agent " BOB, QUEUED);
	send_all(f);
	/* public reply of an agent */
	ticket = ticket_with_people(f, true);
	OK(comment_rc(f, f->anna, ticket, "We are on it.", false));
	ROWS(f, "public_reply " BOB "\npublic_reply " CAROL "\npublic_reply " DAVE, QUEUED);
	send_all(f);
	/* of the requester */
	OK(comment_rc(f, f->carol, ticket, "Thanks.", false));
	ROWS(f, "public_reply " BOB "\npublic_reply " DAVE, QUEUED);
	send_all(f);
	/* a note: assignee, and watchers who are agents */
	OK(step(f, f->anna, ticket, watch, &f->admin));
	OK(comment_rc(f, f->anna, ticket, "Between us.", true));
	ROWS(f, "internal_note " ADMIN "\ninternal_note " BOB, QUEUED);
	send_all(f);
	/* assigned: the assignee, unless it is who did it */
	OK(assign_rc(f, f->anna, ticket, f->admin));
	ROWS(f, "assigned " ADMIN, QUEUED);
	send_all(f);
	OK(assign_rc(f, f->bob, ticket, f->bob));
	ROWS(f, "", QUEUED);
	/* a change of status: the requester, when it ends the matter */
	OK(move_rc(f, f->bob, ticket, "pending"));
	OK(move_rc(f, f->bob, ticket, "in_progress"));
	ROWS(f, "", QUEUED);
	OK(move_rc(f, f->bob, ticket, "resolved"));
	ROWS(f, "status_changed " CAROL, QUEUED);
	send_all(f);
	/* by the requester: of their own action nobody is told */
	OK(move_rc(f, f->carol, ticket, "closed"));
	ROWS(f, "", QUEUED);
	/* fields: nobody */
	OK(change_rc(f, f->anna, ticket, PRIORITY(3)));
	OK(change_rc(f, f->anna, ticket, CHANGE(.title = "Fire", .category = "hot")));
	ROWS(f, "", QUEUED);
}

/* Each event by the role that the configuration names for it, and nobody else. */
static void a_matrix_of_ones_own(void **state)
{
	struct fixture *f = *state;
	int64_t ticket;

	create(f, f->anna, f->carol, "By phone");
	ROWS(f, "created_agent " ADMIN, QUEUED);
	send_all(f);
	ticket = ticket_with_people(f, true);
	OK(step(f, f->anna, ticket, watch, &f->admin));
	OK(comment_rc(f, f->anna, ticket, "We are on it.", false));
	ROWS(f, "public_reply " DAVE, QUEUED); /* participants */
	send_all(f);
	OK(comment_rc(f, f->anna, ticket, "@bob @admin look", true));
	ROWS(f, "internal_note " BOB "\nmentioned " ADMIN, QUEUED); /* the assignee; admins */
	send_all(f);
	OK(move_rc(f, f->anna, ticket, "resolved"));
	ROWS(f, "status_changed " ADMIN, QUEUED); /* watchers */
	send_all(f);
	OK(assign_rc(f, f->anna, ticket, f->anna));
	ROWS(f, "", QUEUED); /* {}: nobody */
	/* a role that the event is not meant for makes nobody of a customer an agent */
	OK(comment_rc(f, f->carol, ticket, "And now?", false));
	ROWS(f, "public_reply " DAVE, QUEUED);
}

static void own_actions_are_told_when_wanted(void **state)
{
	struct fixture *f = *state;
	int64_t ticket = ticket_with_people(f, true);

	OK(comment_rc(f, f->bob, ticket, "Mine.", false));
	ROWS(f, "public_reply " BOB "\npublic_reply " CAROL "\npublic_reply " DAVE, QUEUED);
	send_all(f);
	OK(comment_rc(f, f->bob, ticket, "A note.", true));
	ROWS(f, "internal_note " BOB, QUEUED);
	send_all(f);
	OK(assign_rc(f, f->anna, ticket, f->anna));
	ROWS(f, "assigned " ANNA, QUEUED);
}

static int reply_and_resolve(struct work *w, void *arg, struct md_err *e)
{
	struct work_comment m = { .body = "Fixed it." };
	int64_t id;
	int rc = work_change(w, &CHANGE(.status = "resolved"), e);

	(void)arg;
	return rc == MD_OK ? work_comment(w, &m, &id, e) : rc;
}

static void a_reply_that_resolves_is_one_mail(void **state)
{
	struct fixture *f = *state;
	int64_t ticket = ticket_with_people(f, true);

	OK(step(f, f->bob, ticket, reply_and_resolve, NULL));
	ROWS(f, "public_reply " CAROL "\npublic_reply " DAVE, QUEUED);
	ROWS(f, "resolved", "SELECT status FROM tickets");
	assert_string_equal(mail_data(f, CAROL, "ticket.status"), "resolved");
}

/* One person in many roles gets one mail. */
static void nobody_is_told_twice(void **state)
{
	struct fixture *f = *state;
	int64_t ticket = create(f, f->bob, f->bob, "My chair");

	OK(assign_rc(f, f->anna, ticket, f->bob));
	OK(step(f, f->anna, ticket, watch, &f->bob));
	send_all(f);
	OK(comment_rc(f, f->anna, ticket, "Which one?", false));
	ROWS(f, "public_reply " BOB, QUEUED);
	send_all(f);
	OK(comment_rc(f, f->anna, ticket, "He asks a lot.", true));
	ROWS(f, "internal_note " BOB, QUEUED);
}

static int merge(struct work *w, void *arg, struct md_err *e)
{
	return work_merge(w, *(int64_t *)arg, e);
}

/* The requester of the ticket that is no more is told where it goes on; nobody else is. */
static void a_merge_is_told_to_the_requester(void **state)
{
	struct fixture *f = *state;
	int64_t into = create(f, f->dave, f->dave, "Printers"),
		ticket = create(f, f->carol, f->carol, "My printer");
	const char *mail;

	send_all(f);
	OK(step(f, f->anna, ticket, merge, &into));
	ROWS(f, "merged " CAROL, QUEUED);
	mail = rendered(f, newest_to(f, CAROL));
	assert_non_null(strstr(mail, "Subject: [#2] My printer\r\n"));
	assert_non_null(strstr(mail, "your request [#2] together with request [#1],"));
	assert_null(strstr(mail, "Printers"));
}

/* "@name" tells people who would not have been told; customers never. */
static void a_note_tells_whom_it_names(void **state)
{
	struct fixture *f = *state;
	int64_t ticket = ticket_with_people(f, true);

	OK(comment_rc(f, f->bob, ticket, "@anna, @Carol wants @bob to call. @admin?", true));
	ROWS(f, "mentioned " ADMIN "\nmentioned " ANNA, QUEUED);
	assert_non_null(
		strstr(rendered(f, newest_to(f, ANNA)), "Bob mentioned you in an internal note"));
	send_all(f);
	/* in a reply it is only a word */
	OK(comment_rc(f, f->bob, ticket, "@anna will call you.", false));
	ROWS(f, "0", "SELECT count(*) FROM outbox WHERE event = 'mentioned' AND state = 'queued'");
}

static void who_has_the_mail_gets_no_copy(void **state)
{
	struct fixture *f = *state;
	int64_t ticket = ticket_with_people(f, true);

	TAKE(f, .from = ANNA, .auth = "pass", .to = "support@desk.test, " DAVE,
	     .subject = arena_printf(&f->arena, "[#%lld] x", (long long)ticket),
	     .headers = "Cc: Bob <Bob@desk.test>\n", .body = "To all of you.\n");
	ROWS(f, "public_reply " CAROL, QUEUED);
}

static int disable(struct db_conn *c, void *ctx, struct md_err *e)
{
	md_auto(arena_done) struct arena a = ARENA_INIT(1 << 16);
	struct user u;
	int rc = user_get(c, *(int64_t *)ctx, &a, &u, e);

	u.disabled_at = fixture_now;
	return rc == MD_OK ? user_save(c, &u, e) : rc;
}

static void people_who_left_are_left_alone(void **state)
{
	struct fixture *f = *state;
	int64_t ticket = ticket_with_people(f, true);

	OK(db_txn(f->desk->db, disable, &f->dave, &err));
	OK(comment_rc(f, f->anna, ticket, "Hello.", false));
	ROWS(f, "public_reply " BOB "\npublic_reply " CAROL, QUEUED);
}

/* ---- secrets ---- */

#define SECRET "xyzzy-secret"

/* No mail to a customer holds the words, neither as sent nor in what is kept of it. */
static void no_customer_reads(struct fixture *f, const char *words)
{
	int64_t n = NUM(f, "SELECT count(*) FROM outbox");

	for (int64_t id = 1; id <= n; id++) {
		const char *to =
			rows(f, "SELECT recipient FROM outbox WHERE id = %lld", (long long)id);

		if (strstr(to, "@desk.test"))
			continue;
		if (strstr(rows(f, "SELECT data FROM outbox WHERE id = %lld", (long long)id),
			   words))
			fail_msg("data of %lld to %s", (long long)id, to);
		if (strstr(rendered(f, id), words))
			fail_msg("mail %lld to %s", (long long)id, to);
	}
}

static int note_then_reply(struct work *w, void *arg, struct md_err *e)
{
	struct work_comment note = { .body = SECRET, .is_internal = true },
			    m = { .body = "Dear Carol" };
	int64_t id;
	int rc = work_comment(w, &note, &id, e);

	(void)arg;
	if (rc == MD_OK)
		rc = work_comment(w, &m, &id, e);
	if (rc == MD_OK)
		rc = work_change(w, &CHANGE(.status = "resolved"), e);
	return rc;
}

static void notes_never_reach_customers(void **state)
{
	struct fixture *f = *state;
	int64_t ticket = ticket_with_people(f, true);
	const char *tag = arena_printf(&f->arena, "[#%lld] x", (long long)ticket);

	OK(comment_rc(f, f->anna, ticket, SECRET, true));
	OK(comment_rc(f, f->anna, ticket, "Public.", false));
	TAKE(f, .from = ANNA, .auth = "pass", .subject = tag,
	     .body = "#note " SECRET "\nmore " SECRET "\n");
	TAKE(f, .from = ANNA, .auth = "pass", .body = "#take\n#resolve\n#note " SECRET "\n",
	     .subject = tag);
	TAKE(f, .from = ANNA, .auth = "pass", .body = SECRET "\n",
	     .subject = arena_printf(&f->arena, "%s [reopen; note]", tag));
	/* refused: the text is kept for agents */
	TAKE(f, .from = ANNA, .auth = "pass", .body = "#frobnicate\n" SECRET "\n", .subject = tag);
	/* unproven, and by a stranger */
	TAKE(f, .from = ANNA, .body = SECRET "\n", .subject = tag);
	TAKE(f, .from = "eve@stranger.test", .body = SECRET "\n",
	     .reply_to = mail_data(f, CAROL, "mail.message_id"));
	/* a robot's words */
	TAKE(f, .from = BOB, .auth = "pass", .body = SECRET "\n", .subject = tag,
	     .headers = "Auto-Submitted: auto-replied\n");
	OK(assign_rc(f, f->anna, ticket, f->bob));
	OK(step(f, f->bob, ticket, note_then_reply, NULL));
	assert_true(NUM(f, "SELECT count(*) FROM comments WHERE is_internal = 1") >= 7);
	assert_true(NUM(f, "SELECT count(*) FROM outbox WHERE recipient = '" CAROL "'") >= 4);
	no_customer_reads(f, SECRET);
	ROWS(f, "1",
	     "SELECT count(*) > 0 FROM outbox WHERE event = 'internal_note' AND data LIKE "
	     "'%%" SECRET "%%'");
	/* nor does their history */
	ROWS(f, "0",
	     "SELECT count(*) FROM ticket_history WHERE is_public = 1 AND (new_value LIKE"
	     " '%%" SECRET "%%' OR old_value LIKE '%%" SECRET "%%')");
}

/* Data of a mail is for its reader: the private address of somebody else's answer is not in it. */
static void signed_addresses_are_the_readers_own(void **state)
{
	struct fixture *f = *state;
	int64_t ticket = ticket_with_people(f, true);
	int64_t n;

	OK(comment_rc(f, f->anna, ticket, "Hello.", false));
	n = NUM(f, "SELECT count(*) FROM outbox");
	for (int64_t id = 1; id <= n; id++) {
		struct token t = { 0 };
		const char *reply_to = rows(
			f,
			"SELECT json_extract(data, '$.mail.reply_to') FROM outbox WHERE id = %lld",
			(long long)id);

		assert_int_equal(token_read_address(f->desk->token_keys, reply_to, &f->desk->own,
						    token_day(fixture_now), &t),
				 TOKEN_VALID);
		assert_int_equal(t.purpose, TOKEN_PROOF);
		assert_int_equal(t.user, NUM(f, "SELECT user_id FROM outbox WHERE id = %lld",
					     (long long)id));
		assert_int_equal(t.ticket, NUM(f, "SELECT ticket_id FROM outbox WHERE id = %lld",
					       (long long)id));
	}
	ROWS(f, "0", "SELECT count(*) - count(DISTINCT message_id) FROM messages");
}

/* ---- answers to senders ---- */

static void strangers_get_none_of_their_words_back(void **state)
{
	static const char *const words[] = { "Buy", "viagra", "spam.example", "Seller", "photo" };
	struct fixture *f = *state;
	struct intake_result r =
		TAKE(f, .from = "\"Seller of spam.example\" <eve@stranger.test>",
		     .subject = "Buy viagra", .body = "Buy at http://spam.example photo\n");
	const char *mail = rendered(f, newest_to(f, "eve@stranger.test"));

	for (size_t i = 0; i < MD_COUNT(words); i++)
		if (strstr(mail, words[i]))
			fail_msg("%s in: %s", words[i], mail);
	assert_non_null(
		strstr(mail, arena_printf(&f->arena, "Subject: [#%lld] We have your message\r\n",
					  (long long)r.ticket)));
	assert_non_null(strstr(mail, "\r\nTo: eve@stranger.test\r\n"));
	/* nor does a known address that somebody else only pretends to write from */
	r = TAKE(f, .from = CAROL, .auth = "fail", .subject = "Buy viagra");
	assert_null(strstr(rendered(f, newest_to(f, CAROL)), "viagra"));
	/* the known and the proven do */
	r = TAKE(f, .from = CAROL, .subject = "My printer");
	mail = rendered(f, newest_to(f, CAROL));
	assert_non_null(strstr(mail, arena_printf(&f->arena, "Subject: [#%lld] My printer\r\n",
						  (long long)r.ticket)));
	assert_non_null(strstr(mail, "\r\nTo: Carol <" CAROL ">\r\n"));
	r = TAKE(f, .from = "new@proven.test", .auth = "pass", .subject = "My phone");
	assert_non_null(strstr(rendered(f, newest_to(f, "new@proven.test")), "My phone"));
}

static void subjects_are_never_echoed(void **state)
{
	struct fixture *f = *state;

	TAKE(f, .from = CAROL, .auth = "pass", .subject = "My printer");
	assert_null(strstr(rendered(f, newest_to(f, CAROL)), "My printer"));
}

static void subjects_are_always_echoed(void **state)
{
	struct fixture *f = *state;
	const char *mail;

	TAKE(f, .from = "\"Seller\" <eve@stranger.test>", .subject = "Buy viagra",
	     .body = "photo\n");
	mail = rendered(f, newest_to(f, "eve@stranger.test"));
	assert_non_null(strstr(mail, "Subject: [#1] Buy viagra\r\n"));
	assert_null(strstr(mail, "photo")); /* the subject, and nothing else */
}

static void who_closes_it_tells_the_requester(void **state)
{
	struct fixture *f = *state;
	int64_t ticket = ticket_with_people(f, false);

	OK(move_rc(f, f->anna, ticket, "closed"));
	ROWS(f, "status_changed " CAROL, QUEUED);
}

/* ---- caps ---- */

static void automatic_mail_has_an_end(void **state)
{
	struct fixture *f = *state;
	int64_t ticket = ticket_with_people(f, true);

	for (int i = 0; i < 5; i++)
		OK(comment_rc(f, f->anna, ticket, "People's words are not counted.", false));
	for (int i = 0; i < 5; i++)
		TAKE(f, .from = DAVE, .subject = arena_printf(&f->arena, "Mail %d", i));
	ROWS(f, "3",
	     "SELECT count(*) FROM outbox WHERE event = 'created' AND recipient = '" DAVE "'");
	ROWS(f, DAVE " cap 0\n" DAVE " cap 0",
	     "SELECT old_value || ' ' || new_value || ' ' || is_public FROM ticket_history"
	     " WHERE action = 'not_sent'");
	/* agents go on being told */
	ROWS(f, "5",
	     "SELECT count(*) FROM outbox WHERE event = 'created_agent' AND recipient = '" ANNA
	     "' AND ticket_id > 1");
	fixture_now += HOUR + 1;
	for (int i = 0; i < 3; i++)
		TAKE(f, .from = DAVE, .subject = arena_printf(&f->arena, "Later %d", i));
	/* five a day */
	ROWS(f, "5",
	     "SELECT count(*) FROM outbox WHERE event = 'created' AND recipient = '" DAVE "'");
	fixture_now += DAY + 1;
	TAKE(f, .from = DAVE, .subject = "Tomorrow");
	ROWS(f, "6",
	     "SELECT count(*) FROM outbox WHERE event = 'created' AND recipient = '" DAVE "'");
}

/* Somebody who puts another in Cc and answers himself is passed on, but not without end. */
static void customers_are_no_relay(void **state)
{
	struct fixture *f = *state;

	TAKE(f, .from = "eve@evil.test", .subject = "Hello", .id = "first@evil.test",
	     .headers = "Cc: " DAVE "\n");
	for (int i = 0; i < 6; i++)
		TAKE(f, .from = "eve@evil.test", .subject = "Re: Hello", .body = "BUY",
		     .reply_to = "first@evil.test");
	ROWS(f, "3", "SELECT count(*) FROM outbox WHERE recipient = '" DAVE "'");
	ROWS(f, "3", "SELECT count(*) FROM ticket_history WHERE action = 'not_sent'");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		DESK_TEST(customers_are_no_relay, "limits { auto_per_address_hour = 3 }\n"),
		DESK_TEST(the_default_matrix, ""),
		DESK_TEST(a_matrix_of_ones_own, "notify { event \"created\" { to = {admins} }\n"
						" event \"public_reply\" { to = {participants} }\n"
						" event \"internal_note\" { to = {assignee} }\n"
						" event \"mentioned\" { to = {admins} }\n"
						" event \"status_changed\" { to = {watchers} }\n"
						" event \"assigned\" { to = {} } }\n"),
		DESK_TEST(own_actions_are_told_when_wanted, "notify { own_actions = true }\n"),
		DESK_TEST(a_reply_that_resolves_is_one_mail, ""),
		DESK_TEST(nobody_is_told_twice, ""),
		DESK_TEST(a_merge_is_told_to_the_requester, ""),
		DESK_TEST(a_note_tells_whom_it_names, ""),
		DESK_TEST(who_has_the_mail_gets_no_copy, ""),
		DESK_TEST(people_who_left_are_left_alone, ""),
		DESK_TEST(notes_never_reach_customers, ""),
		DESK_TEST(signed_addresses_are_the_readers_own, ""),
		DESK_TEST(strangers_get_none_of_their_words_back, ""),
		DESK_TEST(subjects_are_never_echoed, "desk { echo_subject = never }\n"),
		DESK_TEST(subjects_are_always_echoed, "desk { echo_subject = always }\n"),
		DESK_TEST(who_closes_it_tells_the_requester, ""),
		DESK_TEST(automatic_mail_has_an_end,
			  "limits { auto_per_address_hour = 3 auto_per_address_day = 5 }\n"),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
