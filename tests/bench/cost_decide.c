/* What it costs to decide on a mail: who wrote it and how well that is proven, which ticket it
 * belongs to, which commands it carries. An agent answers a notification: signed address, marker,
 * four references, three commands. In a desk of so many tickets, each mail about another of them.
 *
 *	cost_decide TICKETS	prints {"cpu_us": of a mail} */
#include "../unit/app/desk_fixture.h"

#include "../../src/app/intake/intake_priv.h"

#include <sqlite3.h>
#include <time.h>

enum { MAILS = 500, ROUNDS = 40, FIRST = 1000 };

static double cpu_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

/* So many more tickets like the first one, each with its requester and the ids of its mails. */
static void fill(struct fixture *f, long long tickets)
{
	md_auto(buf_done) struct buf sql = BUF_INIT(1 << 16);
	md_auto(buf_done) struct buf columns = BUF_INIT(1 << 16);
	const char *names = rows(f, "SELECT group_concat(name) FROM pragma_table_info('tickets')"
				    " WHERE name <> 'id'");
	const char *n = arena_printf(&f->arena,
				     "WITH RECURSIVE n (i) AS (SELECT %d UNION ALL SELECT i + 1"
				     " FROM n WHERE i < %lld)",
				     FIRST, FIRST + tickets);
	char path[200], *why = NULL;
	sqlite3 *db = NULL;

	buf_addf(&sql, "PRAGMA synchronous = OFF; BEGIN;");
	buf_addf(&sql, "%s INSERT INTO tickets (id, %s) SELECT i, %s FROM n, tickets WHERE id = 1;",
		 n, names, names);
	buf_addf(&sql,
		 "%s INSERT INTO ticket_participants (ticket_id, user_id, role, since_at)"
		 " SELECT i, %lld, 'requester', 1 FROM n;",
		 n, (long long)f->carol);
	buf_addf(&sql,
		 "%s INSERT INTO thread_ids (message_id, ticket_id)"
		 " SELECT i || '.' || (i * 7919 %% 1000003) || '@mua.test', i FROM n; COMMIT",
		 n);
	snprintf(path, sizeof path, "%s/desk.db", f->dir);
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	if (sqlite3_exec(db, buf_str(&sql), NULL, NULL, &why) != SQLITE_OK)
		fail_msg("%s", why);
	sqlite3_close(db);
}

static struct message *answer(struct fixture *f, int64_t ticket)
{
	const struct token_keys *keys = f->desk->token_keys;
	const struct token t = { .day = token_day(fixture_now),
				 .ticket = ticket,
				 .user = f->anna,
				 .serial = 1 << TOKEN_EPOCH_BITS },
			   mark = { .day = t.day, .ticket = ticket, .user = f->anna };
	md_auto(buf_done) struct buf raw = BUF_INIT(1 << 16);
	md_auto(buf_done) struct buf to = BUF_INIT(1000);
	md_auto(buf_done) struct buf id = BUF_INIT(1000);
	md_auto(buf_done) struct buf marker = BUF_INIT(1000);
	struct message *m = arena_array(&f->arena, 1, sizeof *m);
	struct mail mail = { .from = "anna@desk.test", .auth = "pass" };

	OK(token_make_address(keys, TOKEN_PROOF, &t, "support@desk.test", &to, &err));
	OK(token_make_message_id(keys, &t, "desk.test", &id, &err));
	OK(token_make_marker(keys, &mark, &marker, &err));
	mail.to = buf_str(&to);
	mail.reply_to = buf_str(&id);
	mail.subject = arena_printf(&f->arena, "Re: [#%lld] Printer on fire [prio=high; tag=+x]",
				    (long long)ticket);
	mail.headers =
		arena_printf(&f->arena,
			     "References: <unknown@mua.test> <%lld.%lld@mua.test>"
			     " <other@mua.test> <%s>\n",
			     (long long)ticket, (long long)(ticket * 7919 % 1000003), buf_str(&id));
	mail.body = arena_printf(&f->arena, "#take\nI am on my way.\n\n> quoted\n> %s\n",
				 buf_str(&marker));
	fixture_raw(f, &mail, &raw);
	OK(message_read((const uint8_t *)buf_str(&raw), raw.len, &f->arena, m, &err));
	return m;
}

static void decide(struct fixture *f, struct db_conn *c, struct arena *a, const struct message *m)
{
	static struct intake in; /* large */
	const struct intake_mail mail = { .mailbox = f->support, .message = m };
	struct route_input input;
	struct command_input commands = { .subject = m->subject,
					  .text = m->reply_text,
					  .tag_format = f->desk->config->desk.subject_tag,
					  .mode = SUBJECT_LOOSE,
					  .is_staff = true };

	arena_reset(a);
	OK(intake_facts(f->desk, c, a, &mail, fixture_now, &in.f, &err));
	input = (struct route_input){ .hits = in.f.hits,
				      .hit_count = in.f.n_hits,
				      .kind = (enum message_kind)m->kind,
				      .now_ms = fixture_now,
				      .reopen_window_ms = DAY };
	OK(route_decide(&input, a, &in.route, &err));
	commands.fields = work_field_names(f->desk, a);
	OK(command_parse(&commands, a, &in.list, &err));
	assert_int_equal(in.f.trust.level, TRUST_CONFIRMED);
	assert_int_equal(in.route.outcome, ROUTE_COMMENT);
	assert_int_equal(in.list.count, 3);
}

int main(int argc, char **argv)
{
	long long tickets = argc > 1 ? strtoll(argv[1], NULL, 10) : 0;
	static struct message *mails[MAILS];
	md_auto(arena_done) struct arena a = ARENA_INIT(96 << 20);
	struct db_conn *c = NULL;
	struct fixture f;
	double begun;

	if (tickets < MAILS) {
		fputs("usage: cost_decide TICKETS\n", stderr);
		return 64;
	}
	fixture_open(&f, "");
	create(&f, f.carol, f.carol, "Printer on fire");
	fill(&f, tickets);
	for (int i = 0; i < MAILS; i++)
		mails[i] = answer(&f, FIRST + tickets / MAILS * i);
	OK(db_read(f.desk->db, &c, &err));
	for (int i = 0; i < MAILS; i++)
		decide(&f, c, &a, mails[i]);
	begun = cpu_us();
	for (int r = 0; r < ROUNDS; r++)
		for (int i = 0; i < MAILS; i++)
			decide(&f, c, &a, mails[i]);
	printf("{\"cpu_us\": %.2f}\n", (cpu_us() - begun) / (ROUNDS * MAILS));
	db_read_done(c);
	fixture_close(&f);
	return 0;
}
