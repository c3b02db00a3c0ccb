/* Searches: the same documents and questions on every engine have the same answers in the same
 * order, because they are written down here. */
#include "store_test.h"

#include <maildesk/desk/searchtext.h>
#include <maildesk/store/clocks.h>
#include <maildesk/store/comments.h>
#include <maildesk/store/messages.h>
#include <maildesk/store/search.h>

static void index_all(struct db *db)
{
	struct search_worker w = { .holder = "test" };
	size_t done = 1;

	while (done)
		OK(search_work(db, &w, &done, &err));
	OK(search_leave(db, &w, &err));
}

static int64_t a_comment(struct db_conn *c, int64_t ticket, int64_t author, bool internal,
			 const char *body)
{
	struct comment m = { .ticket_id = ticket,
			     .author_id = author,
			     .is_internal = internal,
			     .channel = "mail",
			     .body = body,
			     .created_at = 1000 };
	int64_t id = 0;

	OK(comment_insert(c, &m, &id, &err));
	return id;
}

/* ---- the desk that is searched: two customers, an agent ---- */

enum { ANNA = 1, BERT, AGENT };

/* A row without a title is a further comment of the ticket before. */
static const struct {
	int who;
	const char *title, *body;
	bool internal;
} desk[] = {
	{ ANNA, "Printer does not print", "The laser printer on floor 3 shows a paper jam.", 0 },
	{ AGENT, NULL, "Please open tray 2 and remove the paper. Is the toner low?", 0 },
	{ AGENT, NULL, "Customer is difficult, warranty expired in May.", 1 },
	{ ANNA, NULL, "Toner is full. Still: paper jam jam jam.", 0 },
	{ BERT, "Rechnung Müller & Söhne", "Die Größe der Straße: ÆON œuvre Łódź naïve café.", 0 },
	{ AGENT, NULL, "Invoice INV-2026-0042 sent to bert.meier@example.com", 0 },
	{ BERT, "プリンターが動かない", "東京都の印刷機が故障しました。助けて", 0 },
	{ ANNA, "打印机坏了", "请帮助我修理打印机,谢谢", 0 },
	{ BERT, "프린터 고장", "한국어 문서를 인쇄할 수 없습니다", 0 },
	{ ANNA, "Не работает принтер", "Принтер в Ёлкино сломан, помогите!", 0 },
	{ BERT, "Ο εκτυπωτής", "Δεν λειτουργεί ο ΕΚΤΥΠΩΤΉΣ μας", 0 },
	{ ANNA, "VPN error 0x80070005", "Error 0x80070005: access denied (v2.13.1, build 4711)",
	  0 },
	{ BERT, "the the the", "to be or not to be, that is the question", 0 },
	{ ANNA, "Laptop", "A new laptop; the printer driver is missing on it.", 0 },
	{ AGENT, NULL, "driver_v2.exe is attached", 0 },
	{ BERT, "ﬁne ½ ＦＵＬＬ", "ligatures and widths: ﬁnal ｱｲｳ Ⅷ", 0 },
};

struct ask {
	const char *text;
	const char *agent, *anna; /* "T1 C4": ticket 1, comment 4; NULL: as the agent */
};

static void make_desk(struct db_conn *c, struct arena *a)
{
	struct attachment at = { .filename = "Angebot_Übersicht.pdf",
				 .content_type = "application/pdf",
				 .sha256 = "00",
				 .encoding = "base64" };
	struct message_row m = { .direction = "in", .kind = "new", .size = 1, .created_at = 1 };
	int64_t ticket = 0, comment = 0, message = 0;

	(void)a;
	a_user(c, "anna@example.org", "customer");
	a_user(c, "bert.meier@example.com", "customer");
	a_user(c, "agent@desk.example", "agent");
	for (size_t i = 0; i < MD_COUNT(desk); i++) {
		if (desk[i].title) {
			ticket = a_ticket(c, desk[i].who, desk[i].title);
			OK(participant_put(c, ticket, desk[i].who, "requester", 1, &err));
		}
		comment = a_comment(c, ticket, desk[i].who, desk[i].internal, desk[i].body);
		if (i == 5) {
			OK(message_insert(c, &m, &message, &err));
			OK(attachment_insert(c, message, comment, &at, &err));
		}
	}
}

static const struct ask asks[] = {
	{ "printer", "T1 T10", NULL },
	{ "PRINTER", "T1 T10", NULL },
	{ "prínter", "T1 T10", NULL },
	{ "print", "T1", NULL },
	{ "print*", "T1 T10", NULL },
	{ "pri*", "T1 T10", NULL },
	{ "p*", "", NULL },
	{ "paper", "C4 T1 C2", NULL },
	{ "paper jam", "C4 T1", NULL },
	{ "\"paper jam\"", "C4 T1", NULL },
	{ "\"jam paper\"", "", NULL },
	{ "\"jam jam jam\"", "C4", NULL },
	{ "\"jam jam jam jam\"", "", NULL },
	{ "\"paper ja*\"", "C4 T1", NULL },
	{ "\"paper ja\"*", "C4 T1", NULL },
	{ "jam floor", "T1", NULL },
	{ "printer toner", "C4 C2", NULL }, /* title and comment */
	{ "printer warranty", "C3", "" },
	{ "warranty", "C3", "" },
	{ "warr*", "C3", "" },
	{ "\"warranty expired\"", "C3", "" },
	{ "difficult", "C3", "" },
	{ "rechnung", "T2", "" },
	{ "muller", "T2", "" },
	{ "Müller", "T2", "" },
	{ "MÜLLER söhne", "T2", "" },
	{ "grosse strasse", "T2", "" },
	{ "größe straße", "T2", "" },
	{ "aeon oeuvre lodz naive cafe", "T2", "" },
	{ "INV-2026-0042", "C6", "" },
	{ "inv-2026", "C6", "" },
	{ "2026-INV", "", NULL },
	{ "inv 0042", "C6", "" },
	{ "bert.meier@example.com", "C6", "" },
	{ "meier@example", "C6", "" },
	{ "example.com bert", "C6", "" },
	{ "angebot", "C6", "" },
	{ "\"angebot übersicht\"", "C6", "" },
	{ "übersicht.pdf", "C6", "" },
	{ "\"com angebot\"", "", NULL }, /* no phrase from text to attachment */
	{ "東京", "T3", "" },
	{ "東京都", "T3", "" },
	{ "京都の", "T3", "" },
	{ "東都", "", NULL },
	{ "助", "T4 T3", "T4" },
	{ "て", "T3", "" },
	{ "プリンター", "T3", "" },
	{ "ﾌﾟﾘﾝﾀｰ", "T3", "" },
	{ "打印机", "T4", NULL },
	{ "修理打印机", "T4", NULL },
	{ "机", "T4", NULL },
	{ "프린터", "T5", "" },
	{ "문서 인쇄", "T5", "" },
	{ "принтер", "T6", NULL },
	{ "ПРИНТЕР елкино", "T6", NULL },
	{ "принт*", "T6", NULL },
	{ "εκτυπωτης", "T7", "" },
	{ "εκτυπωτής λειτουργεί", "T7", "" },
	{ "0x80070005", "T8", NULL },
	{ "error 0x80*", "T8", NULL },
	{ "v2.13.1", "T8", NULL },
	{ "13.1", "T8", NULL },
	{ "4711", "T8", NULL },
	{ "driver_v2.exe", "C15", NULL },
	{ "driver", "C15 T10", NULL },
	{ "laptop attached", "C15", NULL },
	{ "\"not to be\"", "T9", "" },
	{ "\"to be to\"", "", NULL },
	{ "the", "T9 C2 T10 T1", "C2 T10 T1" },
	{ "\"the the\"", "T9", "" },
	{ "fine 1 2 full", "T11", "" },
	{ "final 8 viii", "", NULL },
	{ "viii", "T11", "" },
	{ "アイウ", "T11", "" },
	{ "· printer", "T1 T10", NULL },
	{ "and or not near", "", NULL },
	{ "{body} : printer", "", NULL },
	{ "print\" AND \"jam", "", NULL },
	{ "'printer' | jam", "T1 C4", NULL },
	{ "printer:*", "T1 T10", NULL },
	{ "nosuchword", "", NULL },
	{ "printer nosuchword", "", NULL },
};

static const char *answer(struct fixture *f, const char *text, const struct ticket_filter *filter)
{
	static char out[4000];
	struct search_query q;
	struct search_hit *hits;
	struct db_conn *c;
	size_t n = 0, len = 0;
	bool more = false;

	*out = '\0';
	OK(search_parse(text, workflow_find("helpdesk"), &f->arena, &q, &err));
	if (q.n == 0)
		return out;
	OK(db_read(f->db, &c, &err));
	OK(search_find(c, &q, filter, &f->arena, &hits, &n, &more, &err));
	db_read_done(c);
	for (size_t i = 0; i < n && len < sizeof out - 40; i++)
		len += (size_t)snprintf(out + len, sizeof out - len, "%s%c%lld", i ? " " : "",
					hits[i].comment ? 'C' : 'T',
					(long long)(hits[i].comment ? hits[i].comment
								    : hits[i].ticket));
	return out;
}

static const struct ticket_filter as_agent = { .words_internal = true };
static const struct ticket_filter as_anna = { .visible_to = ANNA };

static void questions_have_the_answers_of_the_table(void **state)
{
	struct fixture *f = *state;
	int wrong = 0;

	in_txn(f, make_desk);
	index_all(f->db);
	for (size_t i = 0; i < MD_COUNT(asks); i++) {
		const struct ask *ask = &asks[i];
		const char *anna = ask->anna ? ask->anna : ask->agent;
		const char *got = answer(f, ask->text, &as_agent);

		if (strcmp(got, ask->agent) != 0 && ++wrong)
			print_error("%s: \"%s\", not \"%s\"\n", ask->text, got, ask->agent);
		got = answer(f, ask->text, &as_anna);
		if (strcmp(got, anna) != 0 && ++wrong)
			print_error("%s as anna: \"%s\", not \"%s\"\n", ask->text, got, anna);
	}
	assert_int_equal(wrong, 0);
}

/* ---- any words: what is found is what a walk over all documents finds ---- */

enum { WORDS = 12, DOCUMENTS = 300, QUESTIONS = 300 };
static const char *const vocabulary[WORDS] = { "alpha", "beta", "gamma", "delta", "ALPHA", "bet",
					       "東京",  "京都", "größe", "Ё",     "x1",    "al" };

static unsigned next_random(unsigned *seed)
{
	*seed = *seed * 1103515245 + 12345;
	return *seed >> 16;
}

static const char *random_text(unsigned *seed, size_t most, char out[200])
{
	size_t n = next_random(seed) % most + 1, len = 0;

	for (size_t i = 0; i < n; i++)
		len += (size_t)snprintf(out + len, 200 - len, "%s%s", i ? " " : "",
					vocabulary[next_random(seed) % WORDS]);
	return out;
}

static char random_titles[DOCUMENTS][200], random_bodies[DOCUMENTS][200];

static void make_random_desk(struct db_conn *c, struct arena *a)
{
	unsigned seed = 42;

	(void)a;
	a_user(c, "anna@example.org", "customer");
	for (size_t i = 0; i < DOCUMENTS; i++) {
		int64_t ticket = a_ticket(c, 1, random_text(&seed, 3, random_titles[i]));

		a_comment(c, ticket, 1, false, random_text(&seed, 12, random_bodies[i]));
	}
}

static const char *words_of(const char *text, struct arena *a)
{
	struct searchtext_document d = SEARCHTEXT_DOCUMENT_INIT;
	const char *words;

	searchtext_add(&d, text, strlen(text));
	words = arena_strdup(a, buf_str(&d.text));
	searchtext_document_done(&d);
	return words;
}

/* All terms somewhere, and one of them in the body or all in the title. */
static bool is_answer(const struct search_query *q, const char *title, const char *body)
{
	bool all = true, any_body = false, all_title = true;

	for (size_t k = 0; k < q->n; k++) {
		struct search_query one = { .terms = { q->terms[k] }, .n = 1 };
		bool in_title = search_score(&one, title, 1, "") > 0;
		bool in_body = search_score(&one, "", 1, body) > 0;

		all = all && (in_title || in_body);
		any_body = any_body || in_body;
		all_title = all_title && in_title;
	}
	return all_title || (all && any_body);
}

static void random_question(unsigned *seed, char out[200])
{
	static const char *const ends[][2] = {
		{ "", " " }, { "", "* " }, { "\"", "\" " }, { "\"", "*\" " }
	};
	size_t n = next_random(seed) % 3 + 1, len = 0;

	for (size_t i = 0; i < n; i++) {
		unsigned form = next_random(seed) % 4;
		const char *other = form > 1 ? vocabulary[next_random(seed) % WORDS] : "";

		len += (size_t)snprintf(out + len, 200 - len, "%s%s%s%s%s", ends[form][0], other,
					*other ? " " : "", vocabulary[next_random(seed) % WORDS],
					ends[form][1]);
	}
}

static void any_question_finds_what_a_walk_finds(void **state)
{
	struct fixture *f = *state;
	unsigned seed = 7;

	in_txn(f, make_random_desk);
	index_all(f->db);
	for (size_t i = 0; i < QUESTIONS; i++) {
		char text[200] = "";
		struct search_query q;
		const char *got;
		size_t want = 0, n = 0;

		random_question(&seed, text);
		OK(search_parse(text, workflow_find("helpdesk"), &f->arena, &q, &err));
		got = answer(f, text, &as_agent);
		for (const char *at = got; *at; at++)
			n += *at == 'T';
		for (size_t k = 0; k < DOCUMENTS; k++) {
			want += is_answer(&q, words_of(random_titles[k], &f->arena),
					  words_of(random_bodies[k], &f->arena));
		}
		if (n != want)
			fail_msg("%s: %zu found, not %zu", text, n, want);
	}
}

/* ---- what changes ---- */

static const struct {
	const char *sql, *question, *before, *after;
} hidden[] = {
	{ "UPDATE comments SET deleted_at = 5 WHERE id = 6", "0042", "C6", "" },
	{ "UPDATE comments SET is_internal = 1 WHERE id = 6", "0042", "C6", "" },
	{ "UPDATE comments SET held = 'unverified' WHERE id = 6", "0042", "C6", "" },
	{ "UPDATE tickets SET deleted_at = 5 WHERE id = 2", "muller", "T2", "" },
	{ "UPDATE tickets SET merged_into = 1 WHERE id = 2", "muller", "T2", "" },
	{ "DELETE FROM ticket_participants WHERE ticket_id = 2", "muller", "T2", "" },
};

struct statement {
	const char *sql;
};
static int run_sql(struct db_conn *c, void *ctx, struct md_err *e)
{
	const struct statement *s = ctx;

	return db_values(c, s->sql, DB_NONE, NULL, NULL, e);
}

/* At once: no index has to be told. */
static void what_is_hidden_is_not_found(void **state)
{
	static const struct ticket_filter as_bert = { .visible_to = BERT };

	for (size_t i = 0; i < MD_COUNT(hidden); i++) {
		struct fixture *f = *state;
		struct statement s = { hidden[i].sql };

		in_txn(f, make_desk);
		index_all(f->db);
		assert_string_equal(answer(f, hidden[i].question, &as_bert), hidden[i].before);
		OK(db_txn(f->db, run_sql, &s, &err));
		assert_string_equal(answer(f, hidden[i].question, &as_bert), hidden[i].after);
		fixture_close(f);
		fixture_open(f, true);
	}
}

static void edit(struct db_conn *c, struct arena *a)
{
	struct comment m;
	struct ticket t;

	OK(comment_get(c, 2, a, &m, &err));
	m.body = "Please close the drawer.";
	OK(comment_save(c, &m, &err));
	OK(ticket_get(c, 1, a, &t, &err));
	t.title = "Copier is loud";
	OK(ticket_save(c, &t, &err));
	OK(search_queue_ticket(c, 1, &err));
}

static void remove_ticket(struct db_conn *c, struct arena *a)
{
	struct statement s[] = { { "DELETE FROM ticket_participants WHERE ticket_id = 10" },
				 { "DELETE FROM comments WHERE ticket_id = 10" },
				 { "DELETE FROM tickets WHERE id = 10" } };

	(void)a;
	OK(search_queue_ticket(c, 10, &err));
	for (size_t i = 0; i < MD_COUNT(s); i++)
		OK(run_sql(c, &s[i], &err));
}

static int64_t rows_of(struct fixture *f, const char *words)
{
	struct search_query q;
	struct db_conn *c;
	struct buf match = BUF_INIT(4096), sql = BUF_INIT(4096);
	int64_t *rows;
	size_t n;

	OK(search_parse(words, workflow_find("helpdesk"), &f->arena, &q, &err));
	OK(db_read(f->db, &c, &err));
	c->db->driver->put_match(&match, &q, false);
	buf_adds(&sql, "SELECT search_index.{DOC} FROM search_index WHERE"
		       " {MATCH} CAST($1 AS {MATCHER})");
	OK(db_query(c, buf_str(&sql), DB_ARGS(DB_TEXT(buf_str(&match))), &db_map_int, 1000,
		    &f->arena, &rows, &n, &err));
	db_read_done(c);
	buf_done(&match);
	buf_done(&sql);
	return (int64_t)n;
}

/* Nothing is left in the index of what is gone from the desk. */
static void the_index_follows_changes(void **state)
{
	struct fixture *f = *state;

	in_txn(f, make_desk);
	index_all(f->db);
	assert_int_equal(rows_of(f, "tray"), 1);
	in_txn(f, edit);
	index_all(f->db);
	assert_int_equal(rows_of(f, "tray"), 0);
	assert_string_equal(answer(f, "drawer", &as_agent), "C2");
	assert_string_equal(answer(f, "copier drawer", &as_agent), "C2");
	assert_string_equal(answer(f, "copier", &as_agent), "T1");
	assert_string_equal(answer(f, "\"does not print\"", &as_agent), "");
	assert_int_equal(rows_of(f, "laptop"), 3);
	in_txn(f, remove_ticket);
	index_all(f->db);
	assert_int_equal(rows_of(f, "laptop"), 0);
}

static void a_rebuild_finds_the_same_and_can_be_interrupted(void **state)
{
	struct fixture *f = *state;
	struct search_worker w = { .holder = "one" }, other = { .holder = "two" };
	struct db_conn *c;
	int64_t waiting;
	size_t done;

	in_txn(f, make_random_desk);
	index_all(f->db);
	assert_int_equal(rows_of(f, "al*") > 100, true);
	OK(search_rebuild(f->db, &err));
	assert_int_equal(rows_of(f, "al*"), 0);
	OK(search_work(f->db, &w, &done, &err)); /* takes the lease */
	OK(search_work(f->db, &w, &done, &err)); /* a batch */
	assert_int_equal(search_work(f->db, &other, &done, &err), MD_CONFLICT);
	OK(db_read(f->db, &c, &err));
	OK(search_waiting(c, &waiting, &err));
	db_read_done(c);
	assert_int_equal(waiting, DOCUMENTS - 256);
	/* "one" is gone; another goes on with the rest */
	OK(search_leave(f->db, &w, &err));
	index_all(f->db);
	assert_int_equal(strlen(answer(f, "alpha", &as_agent)) > 0, true);
	OK(search_work(f->db, &w, &done, &err));
	assert_int_equal(done, 0);
}

/* A worker that was away while another worked must not put its old text over the new one. */
static void a_late_worker_writes_nothing(void **state)
{
	struct fixture *f = *state;
	struct search_worker late = { .holder = "late" };
	size_t done;

	in_txn(f, make_desk);
	OK(search_work(f->db, &late, &done, &err));
	OK(search_leave(f->db, &late, &err));
	index_all(f->db);
	in_txn(f, edit);
	assert_int_equal(search_work(f->db, &late, &done, &err), MD_CONFLICT);
	assert_int_equal(rows_of(f, "drawer"), 0);
	OK(search_work(f->db, &late, &done, &err));
	OK(search_work(f->db, &late, &done, &err));
	assert_int_equal(rows_of(f, "drawer"), 1);
}

static void a_desk_without_an_index_gets_one(void **state)
{
	struct fixture *f = *state;
	struct statement s = { "DELETE FROM search_queue" };

	in_txn(f, make_desk);
	OK(db_txn(f->db, run_sql, &s, &err)); /* as after a move */
	OK(search_ensure(f->db, &err));
	index_all(f->db);
	assert_string_equal(answer(f, "4711", &as_agent), "T8");
	OK(search_ensure(f->db, &err));
	assert_int_equal(rows_of(f, "4711"), 1);
}

static void lists_of_tickets_take_words_and_filters(void **state)
{
	struct fixture *f = *state;
	struct ticket_filter filter = { .limit = 10, .words_internal = true };
	struct search_query q;
	struct ticket_row *rows;
	struct db_conn *c;
	int64_t total;
	size_t n;

	in_txn(f, make_desk);
	index_all(f->db);
	OK(search_parse("printer", workflow_find("helpdesk"), &f->arena, &q, &err));
	filter.words = &q;
	OK(db_read(f->db, &c, &err));
	OK(ticket_list(c, &filter, &f->arena, &rows, &n, &total, &err));
	assert_int_equal(total, 2);
	assert_int_equal(rows[0].t.id, 1);
	assert_int_equal(rows[1].t.id, 10);
	filter.status[filter.n_status++] = "closed";
	OK(ticket_list(c, &filter, &f->arena, &rows, &n, &total, &err));
	assert_int_equal(total, 0);
	filter.status[0] = "open";
	filter.visible_to = BERT;
	OK(ticket_list(c, &filter, &f->arena, &rows, &n, &total, &err));
	assert_int_equal(total, 0);
	filter.visible_to = 0;
	filter.not_overdue_at = 500;
	OK(ticket_list(c, &filter, &f->arena, &rows, &n, &total, &err));
	assert_int_equal(total, 2);
	filter.overdue_at = 500;
	OK(ticket_list(c, &filter, &f->arena, &rows, &n, &total, &err));
	assert_int_equal(total, 0);
	db_read_done(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(questions_have_the_answers_of_the_table),
		TEST(any_question_finds_what_a_walk_finds),
		TEST(what_is_hidden_is_not_found),
		TEST(the_index_follows_changes),
		TEST(a_rebuild_finds_the_same_and_can_be_interrupted),
		TEST(a_late_worker_writes_nothing),
		TEST(a_desk_without_an_index_gets_one),
		TEST(lists_of_tickets_take_words_and_filters),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
