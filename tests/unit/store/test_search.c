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

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(questions_have_the_answers_of_the_table),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
