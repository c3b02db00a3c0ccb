/* The fetch role as the desk sees it: a jailed process of its own, IMAP servers made of scripts. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <maildesk/app/fetcher.h>
#include <maildesk/app/frames.h>
#include <maildesk/base/clock.h>
#include <maildesk/net/role.h>

#include "../net/peer.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>

#define HELLO "* OK [CAPABILITY IMAP4rev1 IDLE UIDPLUS MOVE] ready\r\n"
#define LOGGED_IN "%t OK [CAPABILITY IMAP4rev1 IDLE UIDPLUS MOVE] in\r\n"
#define OPEN                                                                                       \
	{ NULL, HELLO }, { "LOGIN", LOGGED_IN },                                                   \
	{                                                                                          \
		"SELECT", "* 3 EXISTS\r\n* OK [UIDVALIDITY 77] v\r\n* OK [UIDNEXT 10] n\r\n%t OK " \
			  "in\r\n"                                                                 \
	}
#define DONE "%t OK done\r\n"

enum { SOON_MS = 10000 };

struct fetch {
	struct role_process role;
	struct arena arena;
	struct frame frame; /* the last one */
	char dir[40];
};

static void fetch_start(struct fetch *f)
{
	struct md_err err;
	int spool;

	*f = (struct fetch){ .arena = ARENA_INIT(1 << 20) };
	strcpy(f->dir, "/tmp/maildesk-fetch-XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	spool = open(f->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(role_spawn("fetch", spool, &f->role, &err), MD_OK);
	close(spool);
}

/* The desk goes: so must fetch, by itself and at once. */
static void fetch_stop(struct fetch *f)
{
	int64_t before = clock_mono(&clock_system);
	int status;

	channel_free(md_take(f->role.channel));
	assert_int_equal(waitpid(f->role.pid, &status, 0), f->role.pid);
	assert_int_equal(status, 0);
	assert_true(clock_mono(&clock_system) - before < 2000);
	arena_done(&f->arena);
	assert_int_equal(rmdir(f->dir), 0); /* nothing is left in the spool */
}

static void watch(struct fetch *f, int64_t id, const struct peer *p, const char *tls, int ca)
{
	const struct frame_mailbox box = { .id = id,
					   .name = "support",
					   .host = "localhost",
					   .user = "support",
					   .secret = "secret",
					   .folder = "INBOX",
					   .port = p->port,
					   .tls = tls,
					   .ca_file = ca >= 0 ? "ca.pem" : "",
					   .auth = "password",
					   .after = "seen",
					   .idle = true,
					   .poll_interval_ms = 60000,
					   .timeout_ms = 30000,
					   .max_message_bytes = 1000000 };

	assert_int_equal(channel_send(f->role.channel, FRAME_MAILBOX, &frame_mailbox_rec, &box, ca,
				      NULL),
			 MD_OK);
}

static void tell(struct fetch *f, enum frame_type type, int64_t last, size_t n, const int64_t *uids)
{
	struct frame_uid list[10];
	struct frame_uids u = {
		.mailbox = 1, .uidvalidity = 77, .last_uid = last, .uids = { n, list }
	};

	for (size_t i = 0; i < n; i++)
		list[i].uid = uids[i];
	assert_int_equal(channel_send(f->role.channel, type, &frame_uids_rec, &u, -1, NULL), MD_OK);
}

/* The next frame that is not about the state; it must be of this type. */
static void hear(struct fetch *f, enum frame_type type, const struct rec *r, void *ret)
{
	struct md_err err = { 0 };
	struct frame_state state;

	for (;;) {
		if (channel_wait(f->role.channel, SOON_MS, &f->frame, &err) != MD_OK)
			fail_msg("waiting for frame %d: %s", type, err.text);
		if (f->frame.type == (uint32_t)type)
			break;
		assert_int_equal(f->frame.type, FRAME_STATE);
		assert_int_equal(rec_unpack(&frame_state_rec, f->frame.bytes, f->frame.n, &f->arena,
					    &state, &err),
				 MD_OK);
		if (state.error && strcmp(state.state, "ok") != 0)
			fail_msg("waiting for frame %d: %s %s", type, state.state, state.error);
	}
	assert_int_equal(rec_unpack(r, f->frame.bytes, f->frame.n, &f->arena, ret, &err), MD_OK);
}

static void hear_mail(struct fetch *f, int64_t uid, const char *raw)
{
	struct frame_mail m;

	hear(f, FRAME_MAIL, &frame_mail_rec, &m);
	assert_int_equal(m.mailbox, 1);
	assert_int_equal(m.uidvalidity, 77);
	assert_int_equal(m.uid, uid);
	assert_int_equal(f->frame.fd, -1);
	assert_int_equal(m.raw.n, strlen(raw));
	assert_memory_equal(m.raw.v, raw, m.raw.n);
}

static void hear_selected(struct fetch *f)
{
	struct frame_selected s;

	hear(f, FRAME_SELECTED, &frame_selected_rec, &s);
	assert_int_equal(s.mailbox, 1);
	assert_int_equal(s.uidvalidity, 77);
	assert_int_equal(s.uidnext, 10);
	assert_int_equal(s.exists, 3);
}

static void hear_marked(struct fetch *f, size_t n, const int64_t *uids)
{
	const struct frame_uid *list;
	struct frame_uids u;

	hear(f, FRAME_MARKED, &frame_uids_rec, &u);
	list = u.uids.v;
	assert_int_equal(u.uids.n, n);
	for (size_t i = 0; i < n; i++)
		assert_int_equal(list[i].uid, uids[i]);
}

/* Wait for this state; states before it do not matter. */
static struct frame_state hear_state(struct fetch *f, const char *name, bool with_error)
{
	struct frame_state s;
	struct md_err err = { 0 };

	for (;;) {
		if (channel_wait(f->role.channel, SOON_MS, &f->frame, &err) != MD_OK)
			fail_msg("waiting for state %s: %s", name, err.text);
		if (f->frame.type != FRAME_STATE)
			continue;
		assert_int_equal(rec_unpack(&frame_state_rec, f->frame.bytes, f->frame.n, &f->arena,
					    &s, &err),
				 MD_OK);
		if (strcmp(s.state, name) == 0 && (s.error != NULL) == with_error)
			return s;
	}
}

/* ---- the course of things ---- */

static void owed_marks_come_first_and_new_ones_after_stored(void **state)
{
	static const struct peer_step script[] = {
		OPEN,
		{ "UID STORE 3 ", DONE }, /* before anything is listed */
		{ "UID SEARCH UID 5:*", "* SEARCH 7 9\r\n" DONE },
		{ "UID FETCH 7,9 (UID INTERNALDATE",
		  "* 2 FETCH (UID 7 RFC822.SIZE 5)\r\n* 3 FETCH (UID 9 RFC822.SIZE 6)\r\n" DONE },
		{ "UID FETCH 7,9 (UID BODY.PEEK[]",
		  "* 2 FETCH (UID 7 BODY[] {5}\r\nfirst)\r\n"
		  "* 3 FETCH (UID 9 BODY[] {6}\r\nsecond)\r\n" DONE },
		{ "IDLE", "+ idling\r\n" }, /* the desk takes its time */
		{ "DONE", DONE },
		{ "UID STORE 7,9 +FLAGS.SILENT (\\Seen)", DONE }, /* only now */
		{ "UID SEARCH UID 10:*", "* SEARCH 9\r\n" DONE },
		{ "IDLE", "+ idling\r\n* 4 EXISTS\r\n" },
		{ "DONE", DONE },
		{ "UID SEARCH UID 10:*", "* SEARCH 12\r\n" DONE },
		{ "UID FETCH 12 (UID INTERNALDATE", "* 4 FETCH (UID 12 RFC822.SIZE 5)\r\n" DONE },
		{ "UID FETCH 12 (UID BODY.PEEK[]",
		  "* 4 FETCH (UID 12 BODY[] {5}\r\nthird)\r\n" DONE },
		{ NULL, PEER_SILENT },
		PEER_END
	};
	static const int64_t owed[] = { 3 }, stored[] = { 9, 7 }, marked[] = { 7, 9 };
	struct peer p = { .script = script };
	struct fetch f;

	(void)state;
	assert_int_equal(peer_start(&p), 0);
	fetch_start(&f);
	watch(&f, 1, &p, "none", -1);
	hear_selected(&f);
	tell(&f, FRAME_CURSOR, 4, 1, owed);
	hear_marked(&f, 1, owed);
	hear_mail(&f, 7, "first");
	hear_mail(&f, 9, "second");
	hear_state(&f, "ok", false); /* it is in IDLE now */
	tell(&f, FRAME_STORED, 0, 2, stored);
	hear_marked(&f, 2, marked);
	hear_mail(&f, 12, "third");
	fetch_stop(&f);
	peer_join(&p);
	peer_done(&p);
}

/* It has become another daemon's, and ours again later. */
static void a_dropped_mailbox_is_left_until_it_is_given_again(void **state)
{
	static const struct peer_step
		script[] = { OPEN,
			     { "UID SEARCH", "* SEARCH\r\n" DONE },
			     { "IDLE", "+ idling\r\n" },
			     { NULL, PEER_SILENT },
			     PEER_END },
		again[] = { OPEN,
			    { "UID SEARCH UID 5:*", "* SEARCH 7\r\n" DONE },
			    { "UID FETCH 7", "* 2 FETCH (UID 7 RFC822.SIZE 5)\r\n" DONE },
			    { "UID FETCH 7", "* 2 FETCH (UID 7 BODY[] {5}\r\nfirst)\r\n" DONE },
			    { NULL, PEER_SILENT },
			    PEER_END };
	struct peer p = { .script = script }, q = { .script = again };
	struct fetch f;

	(void)state;
	assert_int_equal(peer_start(&p), 0);
	assert_int_equal(peer_start(&q), 0);
	fetch_start(&f);
	watch(&f, 1, &p, "none", -1);
	hear_selected(&f);
	tell(&f, FRAME_CURSOR, 9, 0, NULL);
	hear_state(&f, "ok", false);
	tell(&f, FRAME_DROP, 0, 0, NULL);
	peer_join(&p);                    /* the connection is closed */
	tell(&f, FRAME_POLL, 0, 0, NULL); /* too late */
	tell(&f, FRAME_DROP, 0, 0, NULL);
	watch(&f, 1, &q, "none", -1);
	hear_selected(&f);
	tell(&f, FRAME_CURSOR, 4, 0, NULL);
	hear_mail(&f, 7, "first");
	fetch_stop(&f);
	peer_join(&q);
	peer_done(&p);
	peer_done(&q);
}

static void large_mails_come_as_files_too_large_ones_as_headers(void **state)
{
	static char body[200001], answer[210000];
	const struct peer_step script[] = {
		OPEN,
		{ "UID SEARCH", "* SEARCH 7 8 9\r\n" DONE },
		{ "UID FETCH 7:9", "* 1 FETCH (UID 7 RFC822.SIZE 200000)\r\n* 2 FETCH (UID 8 "
				   "RFC822.SIZE 1000001)\r\n"
				   "* 3 FETCH (UID 9 RFC822.SIZE 4 INTERNALDATE \"01-Jan-2026 "
				   "00:00:00 +0000\")\r\n" DONE },
		{ "UID FETCH 7 (UID BODY.PEEK[]", answer },
		{ "UID FETCH 8 (UID BODY.PEEK[HEADER]<0.65536>",
		  "* 2 FETCH (UID 8 BODY[HEADER]<0> {12}\r\nSubject: x\r\n)\r\n" DONE },
		{ "UID FETCH 9 (UID BODY.PEEK[]", "* 3 FETCH (UID 9 BODY[] {4}\r\nlast)\r\n" DONE },
		{ NULL, PEER_SILENT },
		PEER_END
	};
	struct peer p = { .script = script };
	struct frame_mail m;
	struct fetch f;
	char *got = calloc(1, sizeof body + 1);

	(void)state;
	memset(body, 'b', sizeof body - 1);
	strcpy(answer, "* 1 FETCH (UID 7 BODY[] {200000}\r\n");
	strcat(answer, body);
	strcat(answer, ")\r\n" DONE);
	assert_int_equal(peer_start(&p), 0);
	fetch_start(&f);
	watch(&f, 1, &p, "none", -1);
	hear_selected(&f);
	tell(&f, FRAME_CURSOR, 0, 0, NULL);
	hear(&f, FRAME_MAIL, &frame_mail_rec, &m);
	assert_int_equal(m.uid, 7);
	assert_int_equal(m.raw.n, 0);
	assert_true(f.frame.fd >= 0);
	assert_int_equal(read(f.frame.fd, got, sizeof body), 200000);
	assert_string_equal(got, body);
	close(f.frame.fd);
	hear(&f, FRAME_MAIL, &frame_mail_rec, &m);
	assert_int_equal(m.uid, 8);
	assert_true(m.too_large);
	assert_int_equal(m.size, 1000001);
	assert_int_equal(m.raw.n, 12);
	hear(&f, FRAME_MAIL, &frame_mail_rec, &m);
	assert_int_equal(m.uid, 9);
	assert_int_equal(m.internaldate_ms, 1767225600000);
	fetch_stop(&f);
	peer_join(&p);
	peer_done(&p);
	free(got);
}

static void mail_arrives_within_milliseconds_of_its_announcement(void **state)
{
	static const struct peer_step script[] = {
		OPEN,
		{ "UID SEARCH", "* SEARCH\r\n" DONE },
		{ "IDLE", "+ idling\r\n" },
		{ NULL, "* 4 EXISTS\r\n" },
		{ "DONE", DONE },
		{ "UID SEARCH", "* SEARCH 12\r\n" DONE },
		{ "UID FETCH 12", "* 4 FETCH (UID 12 RFC822.SIZE 5)\r\n" DONE },
		{ "UID FETCH 12", "* 4 FETCH (UID 12 BODY[] {5}\r\nthird)\r\n" DONE },
		{ NULL, PEER_SILENT },
		PEER_END
	};
	struct peer p = { .script = script };
	struct fetch f;
	int64_t before;

	(void)state;
	assert_int_equal(peer_start(&p), 0);
	fetch_start(&f);
	watch(&f, 1, &p, "none", -1);
	hear_selected(&f);
	before = clock_mono(&clock_system);
	tell(&f, FRAME_CURSOR, 9, 0, NULL);
	hear_mail(&f, 12, "third");
	/* measured: 2 ms from the cursor on; the bound is for busy machines and sanitizers */
	assert_true(clock_mono(&clock_system) - before < 1000);
	fetch_stop(&f);
	peer_join(&p);
	peer_done(&p);
}

/* ---- what goes wrong ---- */

static void refused_marks_do_not_keep_mail_back(void **state)
{
	static const struct peer_step script[] = {
		OPEN,
		{ "UID STORE 3 ", "%t NO [READ-ONLY] not here \xff\x1b[2J\r\n" },
		{ "UID SEARCH UID 5:*", "* SEARCH 7\r\n" DONE },
		{ "UID FETCH 7", "* 2 FETCH (UID 7 RFC822.SIZE 5)\r\n" DONE },
		{ "UID FETCH 7", "* 2 FETCH (UID 7 BODY[] {5}\r\nfirst)\r\n" DONE },
		{ NULL, PEER_SILENT },
		PEER_END
	};
	static const int64_t owed[] = { 3 };
	struct peer p = { .script = script };
	struct frame_state s;
	struct fetch f;

	(void)state;
	assert_int_equal(peer_start(&p), 0);
	fetch_start(&f);
	watch(&f, 1, &p, "none", -1);
	hear_selected(&f);
	tell(&f, FRAME_CURSOR, 4, 1, owed);
	s = hear_state(&f, "ok", true);
	assert_non_null(strstr(s.error, "not here"));
	assert_true(s.retry_ms > 0);
	hear_mail(&f, 7, "first");
	fetch_stop(&f);
	peer_join(&p);
	peer_done(&p);
}

static void wrong_credentials_are_tried_again_slowly(void **state)
{
	static const struct peer_step wrong[] = {
		{ NULL, HELLO }, { "LOGIN", "%t NO [AUTHENTICATIONFAILED] no\r\n" }, PEER_END
	};
	static const struct peer_step right[] = { OPEN, { NULL, PEER_SILENT }, PEER_END };
	struct peer p = { .script = wrong, .then = right };
	struct frame_state s;
	struct fetch f;

	(void)state;
	assert_int_equal(peer_start(&p), 0);
	fetch_start(&f);
	watch(&f, 1, &p, "none", -1);
	s = hear_state(&f, "auth_failed", true);
	assert_null(strstr(s.error, "secret"));
	assert_in_range(s.retry_ms, 45000, 75000);
	/* new settings, or a person's wish, do not wait */
	tell(&f, FRAME_POLL, 0, 0, NULL);
	hear_selected(&f);
	fetch_stop(&f);
	peer_join(&p);
	peer_done(&p);
}

static void a_lost_connection_is_made_again(void **state)
{
	static const struct peer_step once[] = { OPEN,
						 { "UID SEARCH", "* SEARCH 7\r\n" DONE },
						 { "FETCH", "* BYE tired\r\n" },
						 PEER_END };
	static const struct peer_step then[] = {
		OPEN,
		{ "UID SEARCH", "* SEARCH 7\r\n" DONE },
		{ "UID FETCH 7", "* 2 FETCH (UID 7 RFC822.SIZE 5)\r\n" DONE },
		{ "UID FETCH 7", "* 2 FETCH (UID 7 BODY[] {5}\r\nfirst)\r\n" DONE },
		{ NULL, PEER_SILENT },
		PEER_END
	};
	struct peer p = { .script = once, .then = then };
	struct frame_state s;
	struct fetch f;

	(void)state;
	assert_int_equal(peer_start(&p), 0);
	fetch_start(&f);
	watch(&f, 1, &p, "none", -1);
	hear_selected(&f);
	tell(&f, FRAME_CURSOR, 4, 0, NULL);
	s = hear_state(&f, "backoff", true);
	assert_in_range(s.retry_ms, 750, 1250);
	hear_selected(&f); /* and the cursor is asked for again */
	tell(&f, FRAME_CURSOR, 4, 0, NULL);
	hear_mail(&f, 7, "first");
	fetch_stop(&f);
	peer_join(&p);
	peer_done(&p);
}

/* Listed but never given: nothing behind it is handed over first, and in the end it is, empty. */
static void a_mail_that_never_comes_is_passed_on_empty(void **state)
{
	static const struct peer_step script[] = {
		OPEN,
		{ "UID SEARCH UID 5:*", "* SEARCH 7 9\r\n" DONE },
		{ "UID FETCH 7,9",
		  "* 2 FETCH (UID 7 RFC822.SIZE 5)\r\n* 3 FETCH (UID 9 RFC822.SIZE 6)\r\n" DONE },
		{ "UID FETCH 7,9", "* 2 FETCH (UID 7 BODY[] NIL)\r\n"
				   "* 3 FETCH (UID 9 BODY[] {6}\r\nsecond)\r\n" DONE },
		{ "UID SEARCH UID 7:*", "* SEARCH 7 9\r\n" DONE },
		{ NULL, PEER_SILENT },
		PEER_END
	};
	struct peer p = { .script = script, .then = script };
	struct fetch f;

	(void)state;
	assert_int_equal(peer_start(&p), 0);
	fetch_start(&f);
	watch(&f, 1, &p, "none", -1);
	for (int i = 0; i < 3; i++) {
		hear_selected(&f);
		tell(&f, FRAME_CURSOR, 4, 0, NULL);
		if (i == 2)
			break;
		hear_state(&f, "backoff", true);
		tell(&f, FRAME_POLL, 0, 0, NULL);
	}
	hear_mail(&f, 7, "");
	hear_mail(&f, 9, "second");
	fetch_stop(&f);
	peer_join(&p);
	peer_done(&p);
}

static void a_mail_that_is_gone_is_passed_over(void **state)
{
	static const struct peer_step script[] = {
		OPEN,
		{ "UID SEARCH UID 5:*", "* SEARCH 7 9\r\n" DONE },
		{ "UID FETCH 7,9", "* 3 FETCH (UID 9 RFC822.SIZE 6)\r\n" DONE },
		{ "UID FETCH 7 ", DONE },
		{ "UID SEARCH UID 7:*", "* SEARCH 9\r\n" DONE },
		{ "UID FETCH 9 ", "* 3 FETCH (UID 9 BODY[] {6}\r\nsecond)\r\n" DONE },
		{ NULL, PEER_SILENT },
		PEER_END
	};
	struct peer p = { .script = script };
	struct fetch f;

	(void)state;
	assert_int_equal(peer_start(&p), 0);
	fetch_start(&f);
	watch(&f, 1, &p, "none", -1);
	hear_selected(&f);
	tell(&f, FRAME_CURSOR, 4, 0, NULL);
	hear_mail(&f, 9, "second");
	fetch_stop(&f);
	peer_join(&p);
	peer_done(&p);
}

/* The jail has no way to the CA file; the desk hands it in. */
static void certificates_come_with_the_mailbox(void **state)
{
	static const struct peer_step script[] = { OPEN, { NULL, PEER_SILENT }, PEER_END };
	time_t now = time(NULL);
	struct cert ca = cert_make(NULL, "ca", now - 1000, now + 1000);
	struct cert good = cert_make(&ca, "localhost", now - 1000, now + 1000);
	struct cert bad = cert_make(&ca, "other.example", now - 1000, now + 1000);
	char name[] = "/tmp/maildesk-ca-XXXXXX", *pem = cert_pem(&ca);
	int file = mkstemp(name);
	struct cert *shown[] = { &good, &bad };

	(void)state;
	assert_int_equal(write(file, pem, strlen(pem)), (ssize_t)strlen(pem));
	for (size_t i = 0; i < MD_COUNT(shown); i++) {
		struct peer p = { .script = script, .tls_first = true };
		struct fetch f;

		p.credentials = cert_credentials(shown[i]);
		assert_int_equal(peer_start(&p), 0);
		fetch_start(&f);
		watch(&f, 1, &p, "tls", file);
		if (i == 0)
			hear_selected(&f);
		else
			assert_non_null(
				strstr(hear_state(&f, "backoff", true).error, "certificate"));
		fetch_stop(&f);
		peer_join(&p);
		if (i == 1)
			assert_string_equal(buf_str(&p.heard), "");
		peer_done(&p);
		gnutls_certificate_free_credentials(p.credentials);
	}
	unlink(name);
	close(file);
	free(pem);
	cert_free(&ca);
	cert_free(&good);
	cert_free(&bad);
}

/* Many servers that take connections and say nothing; one that speaks. */
static void silent_servers_hold_up_nobody(void **state)
{
	static const struct peer_step script[] = { OPEN, { NULL, PEER_SILENT }, PEER_END };
	struct peer p = { .script = script }, silent = { 0 };
	struct sockaddr_in a = { .sin_family = AF_INET };
	socklen_t n = sizeof a;
	struct fetch f;
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	(void)state;
	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof a), 0);
	assert_int_equal(listen(fd, 20), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&a, &n), 0);
	silent.port = ntohs(a.sin_port);
	assert_int_equal(peer_start(&p), 0);
	fetch_start(&f);
	for (int64_t id = 2; id < 8; id++)
		watch(&f, id, &silent, "none", -1);
	watch(&f, 1, &p, "none", -1);
	hear_selected(&f);
	fetch_stop(&f); /* though threads hang in their time-outs */
	peer_join(&p);
	peer_done(&p);
	close(fd);
}

static void killed_between_fetch_and_hand_over_nothing_was_said(void **state)
{
	static const struct peer_step script[] = {
		OPEN,
		{ "UID SEARCH", "* SEARCH 7\r\n" DONE },
		{ "UID FETCH 7", "* 2 FETCH (UID 7 RFC822.SIZE 5)\r\n" DONE },
		{ "UID FETCH 7", "* 2 FETCH (UID 7 BODY[] {5}\r\nfirst)\r\n" DONE },
		{ NULL, PEER_SILENT },
		PEER_END
	};
	struct peer p = { .script = script };
	struct fetch f;
	int status;

	(void)state;
	assert_int_equal(peer_start(&p), 0);
	setenv("MAILDESK_FAULT", "fetched", 1);
	fetch_start(&f);
	unsetenv("MAILDESK_FAULT");
	watch(&f, 1, &p, "none", -1);
	hear_selected(&f);
	tell(&f, FRAME_CURSOR, 4, 0, NULL);
	while (channel_wait(f.role.channel, SOON_MS, &f.frame, NULL) == MD_OK)
		assert_int_equal(f.frame.type, FRAME_STATE);
	status = role_end(&f.role);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	peer_join(&p);
	assert_null(strstr(buf_str(&p.heard), "STORE"));
	peer_done(&p);
	arena_done(&f.arena);
	rmdir(f.dir);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(owed_marks_come_first_and_new_ones_after_stored),
		cmocka_unit_test(a_dropped_mailbox_is_left_until_it_is_given_again),
		cmocka_unit_test(large_mails_come_as_files_too_large_ones_as_headers),
		cmocka_unit_test(mail_arrives_within_milliseconds_of_its_announcement),
		cmocka_unit_test(refused_marks_do_not_keep_mail_back),
		cmocka_unit_test(wrong_credentials_are_tried_again_slowly),
		cmocka_unit_test(a_lost_connection_is_made_again),
		cmocka_unit_test(a_mail_that_never_comes_is_passed_on_empty),
		cmocka_unit_test(a_mail_that_is_gone_is_passed_over),
		cmocka_unit_test(certificates_come_with_the_mailbox),
		cmocka_unit_test(silent_servers_hold_up_nobody),
		cmocka_unit_test(killed_between_fetch_and_hand_over_nothing_was_said),
	};

	if (argc == 2 && strcmp(argv[1], "role-fetch") == 0)
		return role_fetch_main();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
