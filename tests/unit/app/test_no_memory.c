/* Row 4 of the fault matrix: an allocation fails, once or from then on, in the intake of a mail and
 * in an API request: ours, SQLite's and jansson's. What came of it is there whole or not at all,
 * and the next one works. (Reading a mail: tests/unit/mail/test_message.c; the store:
 * test_memory.c.) */
#include "../../lite_memory.h"
#include "desk_fixture.h"

#include <maildesk/app/api.h>
#include <maildesk/base/json.h>
#include <maildesk/desk/password.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

/* Statements are prepared by then, so an intake makes few; of a request each 13th is met. */
enum { STRIDE_INTAKE = 1, STRIDE_API = 13, IN_A_ROW = 20, FAILURES_LEAST = 5, CALLS_MOST = 60000 };

#define LIMITS                                                                       \
	"limits { anonymous_per_minute = 0 user_per_minute = 0 login_per_minute = 0" \
	" auto_per_address_hour = 0 auto_per_address_day = 0 auto_desk_hour = 0"     \
	" inbound_per_sender_hour = 0 }\n"                                           \
	"sla \"standard\" { resolution { medium = \"24h\" } }\n"

static int share_the_allocator(void **state)
{
	(void)state;
	json_set_alloc_funcs(md_malloc, free);
	return lite_share_the_allocator();
}

/* All that either may change. */
#define EVERYTHING                                                                                \
	"SELECT (SELECT COUNT(*) FROM tickets) || ' ' || (SELECT COUNT(*) FROM comments) || ' ' " \
	"|| (SELECT COUNT(*) FROM messages) || ' ' || (SELECT COUNT(*) FROM ticket_history) || "  \
	"' ' || (SELECT COUNT(*) FROM outbox) || ' ' || (SELECT COUNT(*) FROM decisions) || ' '"  \
	" || (SELECT COUNT(*) FROM clocks) || ' ' || (SELECT COUNT(*) FROM timers) || ' '"        \
	" || (SELECT COALESCE(SUM(version), 0) FROM tickets)"

/* ---- intake ---- */

struct ready {
	struct buf raw;
	struct arena arena;
	struct blob blob;
	struct message message;
	struct fixture_take take;
};

/* Everything but the transaction: reading has a test of its own. */
static void make_ready(struct fixture *f, const struct mail *m, struct ready *r)
{
	*r = (struct ready){ .raw = BUF_INIT(RAW_MAX), .arena = ARENA_INIT(96 << 20) };
	fixture_raw(f, m, &r->raw);
	OK(message_read((const uint8_t *)buf_str(&r->raw), r->raw.len, &r->arena, &r->message,
			&err));
	OK(blob_prepare(buf_str(&r->raw), r->raw.len, &r->blob, &err));
	r->take = (struct fixture_take){ .desk = f->desk,
					 .mail = { .mailbox = f->support,
						   .uidvalidity = 1,
						   .uid = ++f->uid,
						   .size = (int64_t)r->raw.len,
						   .message = &r->message,
						   .blob = &r->blob } };
}

static void drop(struct ready *r)
{
	blob_done(&r->blob);
	arena_done(&r->arena);
	buf_done(&r->raw);
}

static void intake_fails_at_each(struct fixture *f, const struct mail *m, int for_good)
{
	const char *before = rows(f, EVERYTHING), *after;
	int passed = 0, failed = 0;
	struct ready r;

	make_ready(f, m, &r);
	for (long n = 1; passed < IN_A_ROW; n += STRIDE_INTAKE) {
		int rc;

		assert_in_range(n, 1, CALLS_MOST);
		md_alloc_fail(n, for_good);
		rc = db_txn(f->desk->db, fixture_take, &r.take, &err);
		md_alloc_fail(0, 0);
		after = rows(f, EVERYTHING);
		if (rc == MD_OK) {
			assert_string_not_equal(after, before);
			passed++;
			drop(&r);
			make_ready(f, m, &r);
		} else {
			assert_true(rc == MD_NOMEM || rc == MD_BROKEN || rc == MD_AGAIN);
			assert_string_equal(after, before);
			failed++;
			passed = 0;
		}
		before = after;
	}
	drop(&r);
	if (failed < FAILURES_LEAST)
		fail_msg("%s: only %d failed", m->subject, failed);
}

static void a_mail_has_its_effect_or_none(void **state)
{
	struct fixture *f = *state;
	struct intake_result first = TAKE(f, .from = "carol@customer.test", .auth = "pass",
					  .subject = "First", .id = "first@mua.test");
	const struct mail mails[] = {
		{ .from = "Carol <carol@customer.test>", .auth = "pass", .subject = "Another" },
		{ .from = "new@customer.test", .subject = "Who is that" },
		{ .from = "Carol <carol@customer.test>",
		  .auth = "pass",
		  .subject = "Re: First",
		  .reply_to = "first@mua.test" },
		{ .from = "anna@desk.test",
		  .auth = "pass",
		  .subject = "Re: First",
		  .reply_to = "first@mua.test",
		  .body = "#tag +vip\n#priority high\nHello.\n" },
	};

	OUTCOME(first, "ticket_created");
	for (size_t i = 0; i < MD_COUNT(mails); i++)
		for (int for_good = 0; for_good <= 1; for_good++)
			intake_fails_at_each(f, &mails[i], for_good);
	OUTCOME(TAKE(f, .from = "carol@customer.test", .subject = "Last"), "ticket_created");
}

/* ---- the API ---- */

static char token[2000];

/* Status of the answer, 0 when there was none. Nothing of it is allocated. */
static int ask(struct api *api, const char *method, const char *path, const char *body, char *out,
	       size_t room)
{
	struct sockaddr_in to = { .sin_family = AF_INET,
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct timeval patience = { .tv_sec = 60 };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	char request[8000];
	size_t at = 0;
	ssize_t got;
	int n = snprintf(request, sizeof request,
			 "%s /api/v1%s HTTP/1.1\r\nHost: desk\r\nConnection: close\r\n"
			 "%s%s%sContent-Type: application/json\r\nContent-Length: %zu\r\n\r\n%s",
			 method, path, *token ? "Authorization: Bearer " : "", token,
			 *token ? "\r\n" : "", strlen(body), body);

	to.sin_port = htons((uint16_t)strtoul(strrchr(api_listening(api), ':') + 1, NULL, 10));
	assert_true(fd >= 0 && n < (int)sizeof request);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
	assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof to), 0);
	assert_int_equal(send(fd, request, (size_t)n, MSG_NOSIGNAL), n);
	while (at + 1 < room && (got = recv(fd, out + at, room - at - 1, 0)) > 0)
		at += (size_t)got;
	out[at] = '\0';
	close(fd);
	return at > 12 ? (int)strtol(out + 9, NULL, 10) : 0;
}

static void sign_in(struct fixture *f, struct api *api)
{
	char answer[8000];
	const char *at;
	struct user u = {
		.name = "Eve", .email = "eve@desk.test", .role = "admin", .created_at = 1
	};
	char hash[PASSWORD_HASH_MAX];

	OK(password_hash("correct horse", hash, &err));
	u.password_hash = hash;
	OK(db_txn(f->desk->db, fixture_add_user, &u, &err));
	*token = '\0';
	assert_int_equal(ask(api, "POST", "/auth/token",
			     "{\"email\":\"eve@desk.test\",\"password\":\"correct horse\"}", answer,
			     sizeof answer),
			 200);
	at = strstr(answer, "\"access_token\":\"");
	assert_non_null(at);
	at += strlen("\"access_token\":\"");
	snprintf(token, sizeof token, "%.*s", (int)strcspn(at, "\""), at);
}

enum { COUNTS = 9 };

static void count_all(struct fixture *f, long out[COUNTS])
{
	const char *at = rows(f, EVERYTHING);
	char *end;

	for (int i = 0; i < COUNTS; i++, at = end)
		out[i] = strtol(at, &end, 10);
}

/* Nothing, or as much as a request that succeeds. */
static bool is_whole(const long before[COUNTS], const long after[COUNTS], const long whole[COUNTS])
{
	bool none = true, all = true;

	for (int i = 0; i < COUNTS; i++) {
		none &= after[i] == before[i];
		all &= after[i] - before[i] == whole[i];
	}
	return none || all;
}

/* `body` has room for a number, so that each changes something. */
static void request_fails_at_each(struct fixture *f, struct api *api, const char *method,
				  const char *path, const char *body, int for_good)
{
	static char answer[64 << 10];
	static long serial;
	long before[COUNTS], after[COUNTS], whole[COUNTS];
	int passed = 0, failed = 0;
	char text[400];

	snprintf(text, sizeof text, "%s %ld\"}", body, ++serial);
	count_all(f, before);
	if (ask(api, method, path, *body ? text : "", answer, sizeof answer) / 100 != 2)
		fail_msg("%s %s with enough memory: %s", method, path, answer);
	count_all(f, after);
	for (int i = 0; i < COUNTS; i++)
		whole[i] = after[i] - before[i];
	for (long n = 1; passed < IN_A_ROW; n += STRIDE_API) {
		int status;

		assert_in_range(n, 1, CALLS_MOST);
		count_all(f, before);
		snprintf(text, sizeof text, "%s %ld\"}", body, ++serial);
		md_alloc_fail(n, for_good);
		status = ask(api, method, path, *body ? text : "", answer, sizeof answer);
		md_alloc_fail(0, 0);
		count_all(f, after);
		/* jansson tells a text that it had no memory for as one that is no JSON: a 4xx is
		 * an error like others. An answer that could not be written may be of what was
		 * done. */
		if (status / 100 == 2) /* a limit may change what one does in the long run */
			for (int i = 0; i < COUNTS; i++)
				whole[i] = after[i] - before[i];
		if (!is_whole(before, after, whole))
			fail_msg("%s %s, allocation %ld: half done: %s", method, path, n, answer);
		passed = status / 100 == 2 ? passed + 1 : 0;
		failed += passed == 0;
	}
	assert_true(failed > 0);
}

static void a_request_is_done_or_not(void **state)
{
	static const struct {
		const char *method, *path, *body;
	} requests[] = {
		{ "GET", "/tickets?per_page=5", "" },
		{ "GET", "/tickets/1", "" },
		{ "POST", "/tickets",
		  "{\"description\":\"Text\",\"requester\":\"dave@customer.test\",\"title\":"
		  "\"New" },
		{ "POST", "/tickets/1/comments", "{\"body\":\"An *answer*" },
		{ "PATCH", "/tickets/1", "{\"priority\":\"high\",\"title\":\"Other" },
	};
	struct fixture *f = *state;
	char answer[16 << 10];
	struct api *api = NULL;

	TAKE(f, .from = "carol@customer.test", .auth = "pass", .subject = "First");
	f->config->http.listen = "127.0.0.1:0";
	f->desk->random = &random_system;
	OK(api_start(f->desk, -1, &api, &err));
	sign_in(f, api);
	for (size_t i = 0; i < MD_COUNT(requests); i++)
		for (int for_good = 0; for_good <= 1; for_good++)
			request_fails_at_each(f, api, requests[i].method, requests[i].path,
					      requests[i].body, for_good);
	assert_int_equal(ask(api, "GET", "/tickets/1", "", answer, sizeof answer), 200);
	api_stop(api);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		DESK_TEST(a_mail_has_its_effect_or_none, LIMITS),
		DESK_TEST(a_request_is_done_or_not, LIMITS),
	};

	return cmocka_run_group_tests(tests, share_the_allocator, NULL);
}
