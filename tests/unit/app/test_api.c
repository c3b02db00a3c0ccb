/* The API over loopback, in a desk of its own: who may see and do what, and that answers have the
 * shapes the document promises. */
#include "desk_fixture.h"

#include <maildesk/app/api.h>
#include <maildesk/app/jwt_keys.h>
#include <maildesk/base/json.h>
#include <maildesk/desk/password.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <sys/socket.h>

#define NO_LIMITS "limits { anonymous_per_minute = 0 user_per_minute = 0 login_per_minute = 0 }\n"
#define PASSWORD "correct horse"
#define V1 "/api/v1"

enum person { NOBODY, ADMIN, ANNA, BOB, CAROL, DAVE, PEOPLE };
static const char *const addresses[PEOPLE] = {
	[ADMIN] = "admin@desk.test",     [ANNA] = "anna@desk.test",     [BOB] = "bob@desk.test",
	[CAROL] = "carol@customer.test", [DAVE] = "dave@customer.test",
};

static struct fixture *desk;
static struct api *api;
static char *tokens[PEOPLE];
static json_t *answers[400]; /* freed at the end of a test */
static size_t n_answers;

/* ---- a client ---- */

struct reply {
	int status;
	char head[4000];
	json_t *json; /* NULL without a body */
};

static int dial(void)
{
	struct sockaddr_in to = { .sin_family = AF_INET,
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct timeval patience = { .tv_sec = 30 };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	to.sin_port = htons((uint16_t)strtoul(strrchr(api_listening(api), ':') + 1, NULL, 10));
	assert_true(fd >= 0);
	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience), 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof to), 0);
	return fd;
}

/* Send one request and read to the end of the connection. */
static int exchange(const char *request, struct buf *ret)
{
	int fd = dial();
	size_t n = strlen(request), at = 0;
	char *room;
	ssize_t got = 1;

	while (at < n) {
		ssize_t sent = send(fd, request + at, n - at, MSG_NOSIGNAL);
		assert_true(sent > 0);
		at += (size_t)sent;
	}
	while (got > 0 && (room = buf_reserve(ret, 65536)) != NULL) {
		got = recv(fd, room, 65535, 0);
		assert_true(got >= 0);
		ret->len += (size_t)got;
		ret->data[ret->len] = '\0';
	}
	close(fd);
	return (int)strtol(buf_str(ret) + strlen("HTTP/1.1 "), NULL, 10);
}

static struct reply ask(const char *token, const char *method, const char *path, const char *fields,
			const char *body)
{
	md_auto(buf_done) struct buf request = BUF_INIT(4 << 20), raw = BUF_INIT(64 << 20);
	struct reply r = { 0 };
	const char *text;

	buf_addf(&request, "%s %s HTTP/1.1\r\nHost: desk\r\nConnection: close\r\n%s", method, path,
		 fields);
	if (token)
		buf_addf(&request, "Authorization: Bearer %s\r\n", token);
	if (body)
		buf_addf(&request, "Content-Type: application/json\r\nContent-Length: %zu\r\n",
			 strlen(body));
	buf_addf(&request, "\r\n%s", body ? body : "");
	r.status = exchange(request.data, &raw);
	text = strstr(buf_str(&raw), "\r\n\r\n");
	assert_non_null(text);
	snprintf(r.head, sizeof r.head, "%.*s\r\n", (int)(text - raw.data), raw.data);
	text += 4;
	if (*text && !strstr(r.head, "Content-Type: text/plain") &&
	    json_read(text, strlen(text), 32, &r.json, &err) != MD_OK)
		fail_msg("%s %s: %s in %s", method, path, err.text, text);
	if (r.json) {
		assert_true(n_answers < MD_COUNT(answers));
		answers[n_answers++] = r.json;
	}
	return r;
}

static const char *show(const json_t *j)
{
	md_auto(buf_done) struct buf text = BUF_INIT(16 << 20);

	if (!j)
		return "(nothing)";
	json_write(&text, j);
	return arena_strdup(&desk->arena, buf_str(&text));
}

/* "items.0.requester.email" */
static const json_t *at(const json_t *j, const char *path)
{
	char key[64];

	while (j && *path) {
		size_t n = strcspn(path, ".");

		snprintf(key, sizeof key, "%.*s", (int)n, path);
		j = json_is_array(j) ? json_array_get(j, strtoul(key, NULL, 10))
				     : json_object_get(j, key);
		path += n + (path[n] == '.');
	}
	return j;
}
static const char *text_at(struct reply r, const char *path)
{
	const json_t *j = at(r.json, path);

	return json_is_string(j) ? json_string_value(j) : json_is_null(j) ? "null" : "(none)";
}
static int64_t int_at(struct reply r, const char *path)
{
	return json_integer_value(at(r.json, path));
}
#define HAS(r, path, text) assert_string_equal(text_at(r, path), text)

static struct reply expect(int status, enum person who, const char *method, const char *path,
			   const char *body)
{
	struct reply r = ask(tokens[who], method, path, "", body);

	if (r.status != status)
		fail_msg("%s %s as %d: wanted %d, got %d %s", method, path, who, status, r.status,
			 show(r.json));
	return r;
}
#define GET(status, who, path) expect(status, who, "GET", path, NULL)
#define POST(status, who, path, body) expect(status, who, "POST", path, body)
#define PATCH(status, who, path, body) expect(status, who, "PATCH", path, body)

/* "/api/v1/tickets/7/comments" */
__attribute__((format(printf, 1, 2))) static const char *path(const char *fmt, ...)
{
	md_auto(buf_done) struct buf out = BUF_INIT(4000);
	va_list ap;

	va_start(ap, fmt);
	buf_adds(&out, V1);
	buf_addv(&out, fmt, ap);
	va_end(ap);
	return arena_strdup(&desk->arena, buf_str(&out));
}

/* ---- setting up ---- */

static struct reply sign_in(const char *email, const char *password)
{
	char body[300];

	snprintf(body, sizeof body, "{\"email\":\"%s\",\"password\":\"%s\"}", email, password);
	return ask(NULL, "POST", V1 "/auth/token", "", body);
}

static int set_passwords(struct db_conn *c, void *hash, struct md_err *e)
{
	struct user u;
	int rc = MD_OK;

	for (int i = ADMIN; i < PEOPLE && rc == MD_OK; i++) {
		rc = user_by_address(c, addresses[i], &desk->arena, &u, e);
		u.password_hash = hash;
		if (rc == MD_OK)
			rc = user_save(c, &u, e);
	}
	return rc;
}

static int setup(void **state)
{
	static char hash[PASSWORD_HASH_MAX]; /* of PASSWORD: one is enough */

	fixture_setup(state);
	desk = *state;
	if (!hash[0])
		OK(password_hash(PASSWORD, hash, &err));
	OK(db_txn(desk->desk->db, set_passwords, hash, &err));
	desk->config->http.listen = "127.0.0.1:0";
	desk->desk->random = &random_system;
	OK(api_start(desk->desk, -1, &api, &err));
	if (desk->config->limits.login_per_minute > 0)
		return 0; /* the test counts its own */
	for (int i = ADMIN; i < PEOPLE; i++) {
		struct reply r = sign_in(addresses[i], PASSWORD);
		assert_int_equal(r.status, 200);
		tokens[i] = md_strdup(text_at(r, "access_token"));
	}
	return 0;
}

static int teardown(void **state)
{
	api_stop(api);
	for (int i = 0; i < PEOPLE; i++) {
		free(tokens[i]);
		tokens[i] = NULL;
	}
	while (n_answers)
		json_decref(answers[--n_answers]);
	return fixture_teardown(state);
}
#define API_TEST(name, config)                                               \
	{                                                                    \
#name, name, setup, teardown, (void *)(uintptr_t)(config "") \
	}

static int64_t new_ticket(enum person who, const char *title)
{
	char body[300];

	snprintf(body, sizeof body, "{\"title\":\"%s\",\"description\":\"It does not work.\"}",
		 title);
	return int_at(POST(201, who, V1 "/tickets", body), "id");
}

/* ---- sign-in ---- */

static void only_the_right_password_signs_in(void **state)
{
	struct reply r = sign_in("CAROL@Customer.test", PASSWORD), wrong, unknown;

	(void)state;
	assert_int_equal(r.status, 200);
	HAS(r, "token_type", "Bearer");
	HAS(r, "user.email", addresses[CAROL]);
	HAS(r, "user.role", "customer");
	assert_int_equal(int_at(r, "expires_in"), 600);
	assert_non_null(strstr(r.head, "Cache-Control: no-store"));
	wrong = sign_in(addresses[CAROL], "correct horsf");
	unknown = sign_in("nobody@customer.test", PASSWORD);
	assert_int_equal(wrong.status, 401);
	assert_int_equal(unknown.status, 401);
	/* nobody learns who is known here */
	assert_true(json_equal(wrong.json, unknown.json));
	HAS(wrong, "code", "unauthorized");
}

static void refresh_tokens_are_good_once(void **state)
{
	struct reply r = sign_in(addresses[CAROL], PASSWORD), second, third;
	const char *first = arena_printf(&desk->arena, "{\"refresh_token\":\"%s\"}",
					 text_at(r, "refresh_token"));
	const char *next;

	(void)state;
	second = POST(200, NOBODY, V1 "/auth/refresh", first);
	next = arena_printf(&desk->arena, "{\"refresh_token\":\"%s\"}",
			    text_at(second, "refresh_token"));
	assert_string_not_equal(first, next);
	third = POST(200, NOBODY, V1 "/auth/refresh", next);
	/* a second use: somebody has a copy, so nobody of this session goes on */
	POST(401, NOBODY, V1 "/auth/refresh", next);
	POST(401, NOBODY, V1 "/auth/refresh",
	     arena_printf(&desk->arena, "{\"refresh_token\":\"%s\"}",
			  text_at(third, "refresh_token")));
	POST(401, NOBODY, V1 "/auth/refresh", "{\"refresh_token\":\"made up\"}");
	/* other sessions do */
	r = sign_in(addresses[CAROL], PASSWORD);
	POST(200, NOBODY, V1 "/auth/refresh",
	     arena_printf(&desk->arena, "{\"refresh_token\":\"%s\"}", text_at(r, "refresh_token")));
}

static void signing_out_ends_the_session(void **state)
{
	static const struct {
		bool by_access;
	} ways[] = { { false }, { true } };

	(void)state;
	for (size_t i = 0; i < MD_COUNT(ways); i++) {
		struct reply r = sign_in(addresses[DAVE], PASSWORD);
		const char *body = arena_printf(&desk->arena, "{\"refresh_token\":\"%s\"}",
						text_at(r, "refresh_token"));

		if (ways[i].by_access)
			assert_int_equal(ask(text_at(r, "access_token"), "POST", V1 "/auth/logout",
					     "", "{}")
						 .status,
					 204);
		else
			POST(204, NOBODY, V1 "/auth/logout", body);
		POST(401, NOBODY, V1 "/auth/refresh", body);
	}
	POST(401, NOBODY, V1 "/auth/logout", "{}");
}

static void sessions_and_tokens_expire(void **state)
{
	struct reply r = sign_in(addresses[CAROL], PASSWORD);
	const char *body = arena_printf(&desk->arena, "{\"refresh_token\":\"%s\"}",
					text_at(r, "refresh_token"));

	(void)state;
	GET(200, CAROL, V1 "/auth/me");
	fixture_now += 600 * SECOND;
	GET(401, CAROL, V1 "/auth/me");
	fixture_now += 30 * DAY;
	POST(401, NOBODY, V1 "/auth/refresh", body);
}

/* The key is changed after 30 days; who signed in just before goes on. */
static void a_new_key_signs_nobody_out(void **state)
{
	const char *old, *new;

	(void)state;
	fixture_now = desk->desk->jwt_since_ms + 30 * DAY - MINUTE;
	old = text_at(sign_in(addresses[CAROL], PASSWORD), "access_token");
	fixture_now += 2 * MINUTE;
	new = text_at(sign_in(addresses[CAROL], PASSWORD), "access_token");
	assert_memory_not_equal(old, new, strcspn(old, "."));
	assert_int_equal(ask(old, "GET", V1 "/auth/me", "", NULL).status, 200);
	assert_int_equal(ask(new, "GET", V1 "/auth/me", "", NULL).status, 200);
}

static int renew_in_txn(struct db_conn *c, void *ctx, struct md_err *e)
{
	(void)ctx;
	return jwt_keys_renew(c, desk->desk, fixture_now, e);
}

/* A token that was just found good is none once its key is known to be stolen. */
static void after_a_theft_of_the_key_known_tokens_are_refused(void **state)
{
	const char *old = text_at(sign_in(addresses[CAROL], PASSWORD), "access_token"), *new;

	(void)state;
	assert_int_equal(ask(old, "GET", V1 "/auth/me", "", NULL).status, 200);
	OK(db_txn(desk->desk->db, renew_in_txn, NULL, &err));
	desk->desk->jwt.current.id = 0; /* as in another daemon, which signs the first of them */
	new = text_at(sign_in(addresses[CAROL], PASSWORD), "access_token");
	assert_int_equal(ask(new, "GET", V1 "/auth/me", "", NULL).status, 200);
	assert_int_equal(ask(old, "GET", V1 "/auth/me", "", NULL).status, 401);
}

static void changes_of_a_user_end_what_they_have(void **state)
{
	static const struct {
		const char *change;
		bool ends;
	} cases[] = {
		{ "{\"name\":\"Dave D.\"}", false },
		{ "{\"locale\":\"de\",\"timezone\":null}", false },
		{ "{\"role\":\"customer\"}", false },
		{ "{\"role\":\"agent\"}", true },
		{ "{\"password\":\"another long one\"}", true },
		{ "{\"password\":\"" PASSWORD "\"}", true },
		{ "{\"disabled\":true}", true },
	};
	const char *one = path("/users/%lld", (long long)desk->dave);

	(void)state;
	for (size_t i = 0; i < MD_COUNT(cases); i++) {
		struct reply r = sign_in(addresses[DAVE], i == 5 ? "another long one" : PASSWORD);
		const char *refresh = arena_printf(&desk->arena, "{\"refresh_token\":\"%s\"}",
						   text_at(r, "refresh_token"));
		const char *access = text_at(r, "access_token");

		assert_int_equal(r.status, 200);
		PATCH(200, ADMIN, one, cases[i].change);
		if (ask(access, "GET", V1 "/auth/me", "", NULL).status !=
		    (cases[i].ends ? 401 : 200))
			fail_msg("%s", cases[i].change);
		POST(cases[i].ends ? 401 : 200, NOBODY, V1 "/auth/refresh", refresh);
	}
	assert_int_equal(sign_in(addresses[DAVE], PASSWORD).status, 401); /* disabled */
	PATCH(200, ADMIN, one, "{\"disabled\":false}");
	assert_int_equal(sign_in(addresses[DAVE], PASSWORD).status, 200);
}

static void guessing_is_slowed_for_account_and_network(void **state)
{
	struct reply r;

	(void)state;
	for (int i = 0; i < 3; i++)
		assert_int_equal(sign_in(addresses[CAROL], "wrong").status, 401);
	r = sign_in(addresses[CAROL], PASSWORD);
	assert_int_equal(r.status, 429);
	assert_non_null(strstr(r.head, "Retry-After: "));
	/* others from there can still sign in, until the network has had its share */
	assert_int_equal(sign_in(addresses[DAVE], PASSWORD).status, 200);
	for (int i = 0; i < 13; i++) {
		char email[40];
		snprintf(email, sizeof email, "guess%d@customer.test", i);
		assert_int_equal(sign_in(email, "wrong").status, 401);
	}
	assert_int_equal(sign_in(addresses[ANNA], PASSWORD).status, 429);
	/* a minute later all is well */
	fixture_now += MINUTE;
	assert_int_equal(sign_in(addresses[CAROL], PASSWORD).status, 200);
}

static void forged_tokens_are_refused(void **state)
{
	static const char *const forged[] = {
		"",
		"x",
		"a.b.c",
		/* alg none, for the admin */
		("eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0."
		 "eyJzdWIiOjEsInJvbGUiOiJhZG1pbiIsInZlciI6MCwiaWF0IjowLCJleHAiOjk5OTk5OTk5OTl9."),
	};
	char *cut = arena_strdup(&desk->arena, tokens[CAROL]);
	size_t n = strlen(cut);

	(void)state;
	for (size_t i = 0; i < MD_COUNT(forged); i++)
		assert_int_equal(ask(forged[i], "GET", V1 "/auth/me", "", NULL).status, 401);
	cut[n / 2] = cut[n / 2] == 'A' ? 'B' : 'A';
	assert_int_equal(ask(cut, "GET", V1 "/auth/me", "", NULL).status, 401);
	assert_int_equal(
		ask(NULL, "GET", V1 "/auth/me", "Authorization: Basic eDp5\r\n", NULL).status, 401);
}

/* ---- tickets ---- */

static void a_ticket_is_made_and_shown(void **state)
{
	struct reply r =
		POST(201, CAROL, V1 "/tickets",
		     "{\"title\":\"Printer \\t on fire\",\"description\":\"It burns.\\r\\nBadly.\","
		     "\"priority\":\"high\",\"status\":\"open\"}");
	const char *one = path("/tickets/%lld", (long long)int_at(r, "id"));

	(void)state;
	assert_non_null(strstr(r.head, arena_printf(&desk->arena, "Location: %s\r\n", one)));
	assert_non_null(strstr(r.head, "ETag: \"1-1-c\"\r\n"));
	r = GET(200, CAROL, one);
	HAS(r, "description", "It burns.\nBadly.");
	HAS(r, "status", "open");
	HAS(r, "priority", "high");
	HAS(r, "requester.email", addresses[CAROL]);
	HAS(r, "created_by.name", "Carol");
	HAS(r, "assignee", "null");
	HAS(r, "mailbox", "null");
	HAS(r, "channel", "api");
	HAS(r, "created_at", "2026-03-02T09:00:00.000Z");
	HAS(r, "resolved_at", "null");
	HAS(r, "sla.resolution", "null");
	HAS(r, "participants.0.role", "requester");
	HAS(r, "allowed_statuses.0", "closed");
	assert_int_equal(json_array_size(at(r.json, "allowed_statuses")), 1);
	assert_true(json_is_false(at(r.json, "overdue")));
	assert_int_equal(int_at(r, "version"), 1);
	HAS(GET(200, CAROL, path("/tickets/1/comments")), "items.0.body", "It burns.\nBadly.");
	ROWS(desk, "created carol@customer.test",
	     "SELECT event || ' ' || recipient FROM outbox "
	     "WHERE recipient LIKE '%%customer.test'");
	/* conditional */
	assert_int_equal(
		ask(tokens[CAROL], "GET", one, "If-None-Match: \"1-1-c\"\r\n", NULL).status, 304);
}

static void what_cannot_be_made_is_refused(void **state)
{
	static const struct {
		enum person who;
		const char *body;
		int status;
		const char *code, *field;
	} cases[] = {
		{ CAROL, "{\"title\":\"x\"}", 422, "validation", "description" },
		{ CAROL, "{\"title\":\"\",\"description\":\"x\"}", 422, "validation", "title" },
		{ CAROL, "{\"title\":\" \\n\",\"description\":\"x\"}", 422, "validation", "title" },
		{ CAROL, "{\"title\":\"x\",\"description\":\"x\",\"role\":\"admin\"}", 422,
		  "validation", "role" },
		{ CAROL, "{\"title\":\"x\",\"description\":\"x\",\"priority\":\"urgent\"}", 422,
		  "validation", "priority" },
		{ CAROL, "{\"title\":\"x\",\"description\":\"x\",\"status\":\"closed\"}", 400,
		  "invalid_transition", NULL },
		{ CAROL,
		  "{\"title\":\"x\",\"description\":\"x\",\"requester\":\"dave@customer.test\"}",
		  403, "forbidden", NULL },
		{ CAROL, "{\"title\":\"x\",\"description\":\"x\",\"assignee\":\"anna@desk.test\"}",
		  403, "forbidden", NULL },
		/* no hint whether there is such a person */
		{ CAROL,
		  "{\"title\":\"x\",\"description\":\"x\",\"assignee\":\"nobody@desk.test\"}", 403,
		  "forbidden", NULL },
		{ CAROL, "{\"title\":\"x\",\"description\":\"x\",\"cc\":[\"x@y.test\",5]}", 422,
		  "validation", "cc.1" },
		{ ANNA, "{\"title\":\"x\",\"description\":\"x\",\"assignee\":\"nobody@desk.test\"}",
		  422, "validation", "assignee" },
		{ ANNA, "{\"title\":\"x\",\"description\":\"x\",\"requester\":999}", 422,
		  "validation", "requester" },
		{ ANNA, "{\"title\":\"x\",\"description\":\"x\",\"requester\":\"a b@c\"}", 422,
		  "validation", "requester" },
		{ CAROL, "{", 400, "malformed", NULL },
	};

	(void)state;
	for (size_t i = 0; i < MD_COUNT(cases); i++) {
		struct reply r =
			ask(tokens[cases[i].who], "POST", V1 "/tickets", "", cases[i].body);

		if (r.status != cases[i].status || strcmp(text_at(r, "code"), cases[i].code) != 0 ||
		    (cases[i].field && strcmp(text_at(r, "errors.0.field"), cases[i].field) != 0))
			fail_msg("%s: %d %s", cases[i].body, r.status, show(r.json));
	}
	/* and nothing is left of it, neither tickets nor people */
	ROWS(desk, "0", "SELECT count(*) FROM tickets");
	ROWS(desk, "5", "SELECT count(*) FROM users");
}

static void agents_open_tickets_for_others(void **state)
{
	struct reply r =
		POST(201, ANNA, V1 "/tickets",
		     "{\"title\":\"By phone\",\"description\":\"x\",\"requester\":"
		     "\"New.Person@customer.test\",\"assignee\":\"bob@desk.test\",\"cc\":[\"dave@"
		     "customer.test\"],\"tags\":[\"phone\"],\"category\":\"hardware\"}");

	(void)state;
	HAS(r, "requester.email", "new.person@customer.test");
	HAS(r, "created_by.name", "Anna");
	HAS(r, "assignee.email", addresses[BOB]);
	HAS(r, "status", "in_progress"); /* by itself, being assigned */
	HAS(r, "tags.0.name", "phone");
	HAS(r, "category", "hardware");
	assert_int_equal(json_array_size(at(r.json, "participants")), 2);
	GET(200, DAVE, path("/tickets/%lld", (long long)int_at(r, "id")));
	GET(404, CAROL, path("/tickets/%lld", (long long)int_at(r, "id")));
	/* it began open, and each step is told */
	ROWS(desk,
	     "created > By phone\ntag_added > phone\nassignee > Bob\nstatus open > in_progress",
	     "SELECT action || coalesce(' ' || old_value, '') || ' > ' || new_value"
	     " FROM ticket_history ORDER BY id");
}

static void customers_name_others_by_address(void **state)
{
	struct reply r =
		POST(201, CAROL, V1 "/tickets",
		     "{\"title\":\"Ours\",\"description\":\"x\",\"cc\":[\"dave@customer.test\"]}");

	(void)state;
	assert_int_equal(json_array_size(at(r.json, "participants")), 2);
	HAS(GET(200, DAVE, path("/tickets/1")), "title", "Ours");
	POST(201, DAVE, path("/tickets/1/comments"), "{\"body\":\"mine too\"}");
	PATCH(403, DAVE, path("/tickets/1"), "{\"title\":\"x\"}");
}

static void tickets_change_by_policy_and_workflow(void **state)
{
	static const struct {
		enum person who;
		const char *change;
		int status;
		const char *path, *value;
	} cases[] = {
		{ DAVE, "{\"title\":\"mine\"}", 404, "code", "not_found" },
		{ DAVE, "{\"nonsense\":1}", 404, "code", "not_found" },
		{ CAROL, "{\"title\":\"Printer smokes\"}", 200, "title", "Printer smokes" },
		{ CAROL, "{\"description\":\"Smoke.\"}", 200, "description", "Smoke." },
		{ CAROL, "{\"priority\":\"critical\"}", 403, "code", "forbidden" },
		{ CAROL, "{\"assignee\":\"anna@desk.test\"}", 403, "code", "forbidden" },
		{ CAROL, "{\"assignee\":\"nobody@desk.test\"}", 403, "code", "forbidden" },
		{ CAROL, "{\"status\":\"open\"}", 200, "status", "open" },
		{ CAROL, "{\"status\":\"nonsense\"}", 422, "errors.0.field", "status" },
		{ CAROL, "{\"status\":\"in_progress\"}", 403, "allowed_statuses.0", "closed" },
		{ ANNA, "{\"status\":\"resolved\"}", 400, "code", "invalid_transition" },
		{ ANNA, "{\"status\":\"resolved\"}", 400, "allowed_statuses.0", "in_progress" },
		{ ANNA, "{\"priority\":\"critical\",\"category\":\"fire\"}", 200, "priority",
		  "critical" },
		{ ANNA, "{\"category\":null}", 200, "category", "null" },
		{ ANNA, "{\"tags\":[\"b\",\"a\"]}", 200, "tags.0.name", "a" },
		{ ANNA, "{\"tags\":[\"b\"]}", 200, "tags.0.name", "b" },
		{ ANNA, "{\"assignee\":\"carol@customer.test\"}", 422, "code", "validation" },
		{ ANNA, "{\"assignee\":12345}", 422, "errors.0.field", "assignee" },
		{ ANNA, "{\"description\":\"not hers\"}", 403, "code", "forbidden" },
		/* the assignee comes first, then what follows by itself, then the status */
		{ ANNA, "{\"assignee\":\"anna@desk.test\",\"status\":\"pending\"}", 200, "status",
		  "pending" },
		{ CAROL, "{\"title\":\"too late\"}", 403, "code", "forbidden" },
		{ ANNA, "{\"assignee\":null}", 200, "assignee", "null" },
		{ ANNA, "{\"status\":\"resolved\"}", 200, "status", "resolved" },
		{ CAROL, "{\"status\":\"closed\"}", 200, "status", "closed" },
	};
	const char *one;

	(void)state;
	one = path("/tickets/%lld", (long long)new_ticket(CAROL, "Printer"));
	for (size_t i = 0; i < MD_COUNT(cases); i++) {
		struct reply r = ask(tokens[cases[i].who], "PATCH", one, "", cases[i].change);

		if (r.status != cases[i].status ||
		    strcmp(text_at(r, cases[i].path), cases[i].value) != 0)
			fail_msg("%zu %s: %d %s", i, cases[i].change, r.status, show(r.json));
	}
}

static void a_stale_version_is_a_conflict(void **state)
{
	static const struct {
		const char *fields, *body;
		int status;
	} cases[] = {
		{ "", "{\"title\":\"b\",\"version\":1}", 200 },
		{ "", "{\"title\":\"c\",\"version\":1}", 409 },
		{ "If-Match: \"1-2-a\"\r\n", "{\"title\":\"c\"}", 200 },
		{ "If-Match: \"1-2-a\"\r\n", "{\"title\":\"d\"}", 409 },
		{ "If-Match: \"2-3-a\"\r\n", "{\"title\":\"d\"}", 409 },
		{ "If-Match: nonsense\r\n", "{\"title\":\"d\"}", 409 },
		{ "If-Match: \"1-3-c\"\r\n", "{\"title\":\"d\",\"version\":2}", 409 },
		{ "If-Match: *\r\n", "{\"title\":\"d\"}", 200 },
		{ "If-Match: \"1-4-c\"\r\n", "{\"title\":\"e\",\"version\":4}", 200 },
		{ "If-Match: \"1-1-c\", \"1-5-c\"\r\n", "{\"title\":\"f\"}", 200 },
		{ "If-Match: \"1-1-c\",\r\n", "{\"title\":\"g\"}", 409 },
		{ "If-Match: W/\"1-6-a\"\r\n", "{\"title\":\"g\"}", 409 },
	};

	(void)state;
	assert_int_equal(new_ticket(CAROL, "a"), 1);
	for (size_t i = 0; i < MD_COUNT(cases); i++) {
		struct reply r = ask(tokens[ANNA], "PATCH", path("/tickets/1"), cases[i].fields,
				     cases[i].body);

		if (r.status != cases[i].status)
			fail_msg("%s%s: %d", cases[i].fields, cases[i].body, r.status);
		if (r.status == 409) {
			HAS(r, "code", "version_conflict");
			assert_int_equal(int_at(r, "current.id"), 1);
			assert_true(json_equal(at(r.json, "current"),
					       GET(200, ANNA, path("/tickets/1")).json));
		}
	}
	assert_int_equal(ask(tokens[CAROL], "POST", path("/tickets/1/comments"),
			     "If-Match: \"1-1-c\"\r\n", "{\"body\":\"x\"}")
				 .status,
			 409);
}

static void lists_are_filtered_sorted_and_paged(void **state)
{
	static const struct {
		enum person who;
		const char *query;
		const char *titles; /* in order */
	} cases[] = {
		{ ANNA, "sort=id", "one two three four" },
		{ ANNA, "sort=-id", "four three two one" },
		{ ANNA, "", "two four three one" }, /* the one changed last, then the newest */
		{ ANNA, "sort=-priority", "three two four one" },
		{ ANNA, "sort=id&status=open", "one three four" },
		{ ANNA, "sort=id&status=open,in_progress", "one two three four" },
		{ ANNA, "sort=id&status=closed", "" },
		{ ANNA, "sort=id&priority=critical,high", "three" },
		{ ANNA, "sort=id&assignee=me", "two" },
		{ BOB, "sort=id&assignee=me", "" },
		{ ANNA, "sort=id&assignee=none", "one three four" },
		{ ANNA, "sort=id&requester=5", "four" },
		{ ANNA, "sort=id&reporter=5", "four" },
		{ DAVE, "sort=id&requester=me", "four" },
		{ ANNA, "sort=id&tag=vip", "two" },
		{ ANNA, "sort=id&category=hardware", "two" },
		{ ANNA, "sort=id&mailbox=support", "" },
		{ ANNA, "sort=id&created_after=2026-03-02T09:00:02.001Z", "three four" },
		{ ANNA, "sort=id&created_before=2026-03-02T09:00:01.5Z", "one" },
		{ ANNA, "sort=id&updated_after=2026-03-02T09:00:08Z", "two" },
		{ CAROL, "sort=id", "one two three" },
		{ DAVE, "sort=id", "four" },
		{ ANNA, "sort=id&per_page=3", "one two three" },
		{ ANNA, "sort=id&per_page=3&page=2", "four" },
		{ ANNA, "sort=id&page=9", "" },
	};
	static const struct {
		const char *query, *code, *field;
	} bad[] = {
		{ "statsu=open", "unknown_parameter", "statsu" },
		{ "status=opne", "invalid_parameter", "status" },
		{ "priority=1", "invalid_parameter", "priority" },
		{ "assignee=anna", "invalid_parameter", "assignee" },
		{ "requester=none", "invalid_parameter", "requester" },
		{ "sort=title", "invalid_parameter", "sort" },
		{ "per_page=0", "invalid_parameter", "per_page" },
		{ "per_page=101", "invalid_parameter", "per_page" },
		{ "page=0", "invalid_parameter", "page" },
		{ "created_after=yesterday", "invalid_parameter", "created_after" },
		{ "page=1&page=2", "invalid_parameter", "page" },
	};
	struct reply r;

	(void)state;
	for (int i = 0; i < 4; i++) {
		static const char *const titles[] = { "one", "two", "three", "four" };
		fixture_now += SECOND;
		new_ticket(i == 3 ? DAVE : CAROL, titles[i]);
	}
	PATCH(200, ANNA, path("/tickets/3"), "{\"priority\":\"critical\"}");
	fixture_now += 5 * SECOND;
	PATCH(200, ANNA, path("/tickets/2"),
	      "{\"assignee\":\"anna@desk.test\",\"tags\":[\"vip\"],\"category\":\"hardware\"}");
	for (size_t i = 0; i < MD_COUNT(cases); i++) {
		md_auto(buf_done) struct buf titles = BUF_INIT(1000);

		r = GET(200, cases[i].who, path("/tickets?%s", cases[i].query));
		for (size_t k = 0; k < json_array_size(at(r.json, "items")); k++)
			buf_addf(&titles, "%s%s", k ? " " : "",
				 json_get_string(json_array_get(at(r.json, "items"), k), "title"));
		if (strcmp(buf_str(&titles), cases[i].titles) != 0)
			fail_msg("%s: %s", cases[i].query, buf_str(&titles));
	}
	for (size_t i = 0; i < MD_COUNT(bad); i++) {
		r = GET(400, ANNA, path("/tickets?%s", bad[i].query));
		HAS(r, "code", bad[i].code);
		HAS(r, "errors.0.field", bad[i].field);
	}
	r = GET(200, ANNA, path("/tickets?status=open,in_progress&per_page=2&page=1"));
	assert_int_equal(int_at(r, "total"), 4);
	assert_int_equal(int_at(r, "pages"), 2);
	assert_true(json_is_false(at(r.json, "total_is_estimate")));
	HAS(r, "prev", "null");
	r = GET(200, ANNA, text_at(r, "next"));
	assert_int_equal(int_at(r, "page"), 2);
	HAS(r, "next", "null");
	r = GET(200, ANNA, text_at(r, "prev"));
	assert_int_equal(int_at(r, "page"), 1);
}

/* A field of the desk is a filter: its whole value, whatever stands in it. */
static void fields_are_filters(void **state)
{
	static const struct {
		const char *value, *query; /* of ticket i + 1 */
	} tickets[] = {
		{ "PC-1", "PC-1" },
		{ "PC-10", "PC-10" },
		{ "a\\\"b", "a%22b" },
		{ "\xc3\xbc%_x", "%C3%BC%25_x" },
		{ "\\\\", "%5C" },
		{ "x','--", "x%27,%27--" },
		{ "asset:PC-1", "asset:PC-1" },
	};
	static const char *const none[] = { "PC", "pc-1", "%25", "_", "", "PC-1%22" };
	struct reply r;

	(void)state;
	for (size_t i = 0; i < MD_COUNT(tickets); i++) {
		new_ticket(CAROL, "x");
		PATCH(200, ANNA, path("/tickets/%zu", i + 1),
		      arena_printf(&desk->arena, "{\"fields\":{\"asset\":\"%s\"}}",
				   tickets[i].value));
	}
	for (size_t i = 0; i < MD_COUNT(tickets); i++) {
		r = GET(200, ANNA, path("/tickets?field=asset:%s", tickets[i].query));
		assert_int_equal(int_at(r, "total"), 1);
		assert_int_equal(int_at(r, "items.0.id"), i + 1);
	}
	for (size_t i = 0; i < MD_COUNT(none); i++)
		assert_int_equal(int_at(GET(200, ANNA, path("/tickets?field=asset:%s", none[i])),
					"total"),
				 0);
	HAS(GET(400, ANNA, path("/tickets?field=colour:red")), "errors.0.field", "field");
	HAS(GET(400, ANNA, path("/tickets?field=asset")), "errors.0.field", "field");
}

static void an_open_desk_is_read_by_all(void **state)
{
	(void)state;
	new_ticket(CAROL, "seen");
	POST(201, ANNA, path("/tickets/1/comments"), "{\"body\":\"hidden\",\"is_internal\":true}");
	GET(200, DAVE, path("/tickets/1"));
	assert_int_equal(int_at(GET(200, DAVE, path("/tickets")), "total"), 1);
	assert_int_equal(int_at(GET(200, DAVE, path("/tickets/1/comments")), "total"), 1);
	POST(403, DAVE, path("/tickets/1/comments"), "{\"body\":\"me too\"}");
	PATCH(403, DAVE, path("/tickets/1"), "{\"status\":\"closed\"}");
	assert_int_equal(json_array_size(
				 at(GET(200, DAVE, path("/tickets/1")).json, "allowed_statuses")),
			 0);
}

/* ---- commands ---- */

static void commands_answer_with_a_transcript(void **state)
{
	struct reply r;

	(void)state;
	new_ticket(CAROL, "Printer");
	r = POST(200, ANNA, path("/tickets/1/commands"),
		 "{\"text\":\"#take\\n#priority high\",\"dry_run\":true}");
	assert_true(json_is_true(at(r.json, "ok")));
	HAS(r, "lines.0.line", "#take");
	HAS(r, "ticket.status", "open");
	ROWS(desk, "1 1", "SELECT priority || ' ' || version FROM tickets");
	r = POST(200, ANNA, path("/tickets/1/commands"), "{\"text\":\"[take; priority=high]\"}");
	assert_true(json_is_true(at(r.json, "ok")));
	HAS(r, "ticket.status", "in_progress");
	HAS(r, "ticket.priority", "high");
	/* nothing is half done */
	r = POST(200, ANNA, path("/tickets/1/commands"), "{\"text\":\"#priority low\\n#close\"}");
	assert_false(json_is_true(at(r.json, "ok")));
	HAS(r, "lines.0.reason", "not done, because another was refused");
	HAS(r, "ticket.priority", "high");
	r = POST(200, ANNA, path("/tickets/1/commands"), "{\"text\":\"hello\"}");
	HAS(r, "lines.0.reason", "no command: write #VERB");
	r = POST(200, ANNA, path("/tickets/1/commands"), "{\"text\":\"#on 1 2\\n#take\"}");
	HAS(r, "lines.0.reason", "these commands are for one ticket");
	r = POST(200, CAROL, path("/tickets/1/commands"), "{\"text\":\"#take\"}");
	HAS(r, "lines.0.reason", "not allowed to you");
	POST(404, DAVE, path("/tickets/1/commands"), "{\"text\":\"#take\"}");
	POST(422, ANNA, path("/tickets/1/commands"), "{\"text\":\"\"}");
	/* a note is one */
	POST(200, ANNA, path("/tickets/1/commands"), "{\"text\":\"#note only for us\"}");
	ROWS(desk, "1", "SELECT is_internal FROM comments WHERE body = 'only for us'");
	r = POST(200, ADMIN, path("/tickets/1/commands"), "{\"text\":\"#delete\"}");
	assert_true(json_is_true(at(r.json, "ok")));
	ROWS(desk, "0",
	     "SELECT count(*) FROM ticket_history WHERE source <> 'api' AND source <> 'rule'");
}

static void commands_beside_a_comment_are_one_step(void **state)
{
	struct reply r;

	(void)state;
	new_ticket(CAROL, "Printer");
	send_all(desk);
	POST(201, ANNA, path("/tickets/1/comments"),
	     "{\"body\":\"It was the toner.\",\"commands\":\"[take; resolve]\"}");
	ROWS(desk, "resolved", "SELECT status FROM tickets");
	ROWS(desk, "public_reply carol@customer.test", QUEUED);
	r = POST(422, ANNA, path("/tickets/1/comments"),
		 "{\"body\":\"And\",\"commands\":\"#priority low\\n#frob\"}");
	HAS(r, "lines.0.reason", "no such command");
	POST(422, ANNA, path("/tickets/1/comments"), "{\"body\":\"x\",\"commands\":\"#note y\"}");
	ROWS(desk, "2 1", "SELECT count(*) || ' ' || max(priority) FROM comments, tickets");
	/* lines with a # in a body are text here */
	POST(201, ANNA, path("/tickets/1/comments"), "{\"body\":\"#priority low\"}");
	ROWS(desk, "1", "SELECT priority FROM tickets");
}

static void many_tickets_have_a_result_each(void **state)
{
	struct reply r;

	(void)state;
	new_ticket(CAROL, "One");
	new_ticket(DAVE, "Two");
	r = POST(200, ANNA, path("/tickets/bulk"),
		 "{\"ids\":[1,99,2],\"text\":\"#take\\n#resolve\"}");
	assert_true(json_is_true(at(r.json, "results.0.ok")));
	HAS(r, "results.1.message", "no such ticket");
	assert_true(json_is_true(at(r.json, "results.2.ok")));
	ROWS(desk, "resolved\nresolved", "SELECT status FROM tickets");
	POST(403, CAROL, path("/tickets/bulk"), "{\"ids\":[1],\"text\":\"#reopen\"}");
	POST(422, ANNA, path("/tickets/bulk"), "{\"ids\":[],\"text\":\"#reopen\"}");
	POST(422, ANNA, path("/tickets/bulk"), "{\"ids\":[1,0],\"text\":\"#reopen\"}");
	for (int n = 500; n <= 501; n++) {
		md_auto(buf_done) struct buf ids = BUF_INIT(10000);

		for (int i = 0; i < n; i++)
			buf_addf(&ids, "%s%d", i ? "," : "", 1000 + i);
		r = POST(n > 500 ? 422 : 200, ANNA, path("/tickets/bulk"),
			 arena_printf(&desk->arena, "{\"ids\":[%s],\"text\":\"#reopen\"}",
				      buf_str(&ids)));
	}
	HAS(r, "errors.0.field", "ids");
}

/* ---- comments and history ---- */

static void comments_are_public_or_internal(void **state)
{
	struct reply r;
	const char *note, *reply;
	char *many = arena_alloc(&desk->arena, 100001);

	(void)state;
	for (int i = 0; i < 100000; i++)
		many[i] = i % 2 ? ' ' : '>';
	many[100000] = '\0';
	new_ticket(CAROL, "Printer");
	new_ticket(CAROL, "Another");
	r = POST(201, ANNA, path("/tickets/1/comments"),
		 "{\"body\":\"look at *this*: <script>x</script> [a](javascript:x)\"}");
	HAS(r, "author.name", "Anna");
	HAS(r, "author.role", "agent");
	HAS(r, "channel", "api");
	assert_non_null(strstr(text_at(r, "body_html"), "<em>this</em>"));
	assert_null(strstr(text_at(r, "body_html"), "script"));
	reply = path("/comments/%lld", (long long)int_at(r, "id"));
	/* what nobody types is not taken apart for each who reads it */
	assert_non_null(strstr(text_at(POST(201, ANNA, path("/tickets/2/comments"),
					    arena_printf(&desk->arena, "{\"body\":\"%s\"}", many)),
				       "body_html"),
			       "&gt; &gt; &gt; "));
	assert_non_null(strstr(r.head, arena_printf(&desk->arena, "Location: %s\r\n", reply)));
	r = POST(201, BOB, path("/tickets/1/comments"),
		 "{\"body\":\"careful\",\"is_internal\":true}");
	note = path("/comments/%lld", (long long)int_at(r, "id"));

	assert_int_equal(int_at(GET(200, ANNA, path("/tickets/1/comments")), "total"), 3);
	assert_int_equal(int_at(GET(200, CAROL, path("/tickets/1/comments")), "total"), 2);
	GET(404, DAVE, path("/tickets/1/comments"));
	GET(200, CAROL, reply);
	GET(404, CAROL, note);
	GET(404, DAVE, reply);
	GET(404, ANNA, path("/comments/999"));
	POST(403, CAROL, path("/tickets/1/comments"), "{\"body\":\"x\",\"is_internal\":true}");
	POST(422, CAROL, path("/tickets/1/comments"), "{\"body\":\"\"}");
	POST(404, DAVE, path("/tickets/1/comments"), "{\"body\":\"\"}");
	/* the mail of the note reaches no customer */
	ROWS(desk, "0",
	     "SELECT count(*) FROM outbox WHERE event = 'internal_note' AND recipient LIKE "
	     "'%%customer.test'");

	/* only the author edits; the author and admins delete */
	PATCH(403, BOB, reply, "{\"body\":\"better\"}");
	PATCH(403, ADMIN, reply, "{\"body\":\"better\"}");
	PATCH(404, CAROL, note, "{\"body\":\"better\"}");
	fixture_now += SECOND;
	r = PATCH(200, ANNA, reply, "{\"body\":\"better\"}");
	HAS(r, "body", "better");
	HAS(r, "edited_at", "2026-03-02T09:00:01.000Z");
	expect(403, BOB, "DELETE", reply, NULL);
	expect(204, ADMIN, "DELETE", reply, NULL);
	GET(404, ANNA, reply);
	expect(404, ANNA, "DELETE", reply, NULL);
	expect(204, BOB, "DELETE", note, NULL);
	assert_int_equal(int_at(GET(200, ANNA, path("/tickets/1/comments")), "total"), 1);
}

static void a_customers_answer_moves_the_ticket(void **state)
{
	(void)state;
	new_ticket(CAROL, "Printer");
	PATCH(200, ANNA, path("/tickets/1"), "{\"assignee\":\"anna@desk.test\"}");
	PATCH(200, ANNA, path("/tickets/1"), "{\"status\":\"pending\"}");
	POST(201, CAROL, path("/tickets/1/comments"), "{\"body\":\"here you are\"}");
	HAS(GET(200, CAROL, path("/tickets/1")), "status", "in_progress");
}

static void history_has_a_public_part(void **state)
{
	struct reply all, part;

	(void)state;
	new_ticket(CAROL, "Printer");
	POST(201, ANNA, path("/tickets/1/comments"), "{\"body\":\"hidden\",\"is_internal\":true}");
	PATCH(200, ANNA, path("/tickets/1"),
	      "{\"assignee\":\"anna@desk.test\",\"tags\":[\"vip\"]}");
	all = GET(200, ANNA, path("/tickets/1/history?per_page=100"));
	part = GET(200, CAROL, path("/tickets/1/history?per_page=100"));
	GET(404, DAVE, path("/tickets/1/history"));
	assert_non_null(strstr(show(all.json), "\"tag_added\""));
	assert_non_null(strstr(show(all.json), "\"internal\""));
	assert_null(strstr(show(part.json), "\"tag_added\""));
	assert_null(strstr(show(part.json), "\"internal\""));
	assert_non_null(strstr(show(part.json), "\"assignee\""));
	HAS(part, "items.0.action", "created");
	HAS(part, "items.0.actor.name", "Carol");
	HAS(part, "items.0.source", "api");
}

static void assert_shape(const char *name, const json_t *j);

static void clocks_are_explained(void **state)
{
	struct reply r;
	int64_t ticket = new_ticket(CAROL, "Printer");

	(void)state;
	PATCH(200, ANNA, path("/tickets/1"), "{\"assignee\":\"anna@desk.test\"}");
	fixture_now += 5 * MINUTE;
	PATCH(200, ANNA, path("/tickets/1"), "{\"status\":\"pending\"}");
	fixture_now += 2 * MINUTE + 500;
	r = GET(200, CAROL, path("/tickets/1/sla"));
	GET(404, DAVE, path("/tickets/1/sla"));
	GET(401, NOBODY, path("/tickets/1/sla"));
	assert_shape("ClockStories", r.json);
	assert_int_equal(int_at(r, "ticket"), ticket);
	assert_int_equal(json_array_size(at(r.json, "clocks")), 2);
	HAS(r, "clocks.0.metric", "first_response");
	HAS(r, "clocks.0.state", "running");
	HAS(r, "clocks.0.due", "2026-03-02T13:00:00.000Z");
	assert_int_equal(int_at(r, "clocks.0.used"), 7 * 60);
	assert_int_equal(int_at(r, "clocks.0.rest"), 4 * 3600 - 7 * 60 - 1);
	assert_int_equal(int_at(r, "clocks.0.cycle"), 1);
	HAS(r, "clocks.1.state", "paused");
	HAS(r, "clocks.1.policy", "s");
	assert_true(json_is_null(at(r.json, "clocks.1.due")));
	assert_int_equal(int_at(r, "clocks.1.target"), 20 * 3600);
	assert_int_equal(int_at(r, "clocks.1.used"), 300);
	HAS(r, "clocks.1.explain.0.why", "open");
	HAS(r, "clocks.1.explain.0.from", "2026-03-02T09:00:00.000Z");
	HAS(r, "clocks.1.explain.0.to", "2026-03-02T09:05:00.000Z");
	HAS(r, "clocks.1.explain.1.why", "paused: pending");
	assert_true(json_is_false(at(r.json, "clocks.1.explain.1.counted")));
	assert_shape("ClockStory", at(r.json, "clocks.1"));
	assert_shape("ClockLine", at(r.json, "clocks.1.explain.1"));
	/* in short, with the ticket */
	r = GET(200, CAROL, path("/tickets/1"));
	HAS(r, "sla.first_response.due", "2026-03-02T13:00:00.000Z");
	HAS(r, "sla.first_response.state", "running");
	HAS(r, "sla.resolution.due", "null");
	HAS(r, "sla.resolution.state", "paused");
	HAS(r, "sla.next_response", "null");
	HAS(r, "sla.update", "null");
}

/* ---- people ---- */

static void customers_see_staff_and_themselves(void **state)
{
	struct reply r = GET(200, CAROL, path("/users?per_page=100"));

	(void)state;
	assert_int_equal(int_at(r, "total"), 4);
	assert_null(strstr(show(r.json), "desk.test"));
	assert_null(strstr(show(r.json), "Dave"));
	r = GET(200, CAROL, path("/users/%lld", (long long)desk->anna));
	HAS(r, "name", "Anna");
	HAS(r, "email", "(none)");
	HAS(GET(200, CAROL, path("/users/%lld", (long long)desk->carol)), "email",
	    addresses[CAROL]);
	GET(404, CAROL, path("/users/%lld", (long long)desk->dave));
	assert_int_equal(int_at(GET(200, ANNA, path("/users")), "total"), 5);
	assert_int_equal(int_at(GET(200, ANNA, path("/users?role=agent")), "total"), 2);
	HAS(GET(200, ANNA, path("/users?q=CARO")), "items.0.name", "Carol");
	HAS(GET(200, ANNA, path("/users/%lld", (long long)desk->dave)), "email", addresses[DAVE]);
}

static void admins_add_and_change_people(void **state)
{
	struct reply r = POST(201, ADMIN, V1 "/users",
			      "{\"email\":\"Eve@Desk.test\",\"name\":\" Eve \",\"role\":\"agent\","
			      "\"password\":\"long enough\"}");

	(void)state;
	HAS(r, "name", "Eve");
	HAS(r, "email", "eve@desk.test");
	assert_null(strstr(show(r.json), "argon2"));
	assert_int_equal(sign_in("eve@desk.test", "long enough").status, 200);
	HAS(POST(409, ADMIN, V1 "/users",
		 "{\"email\":\"EVE@desk.test\",\"name\":\"Eve\",\"role\":\"agent\"}"),
	    "code", "conflict");
	HAS(POST(422, ADMIN, V1 "/users",
		 "{\"email\":\"x@desk.test\",\"name\":\"x\",\"role\":\"agent\",\"password\":"
		 "\"short\"}"),
	    "errors.0.field", "password");
	HAS(POST(422, ADMIN, V1 "/users", "{\"email\":\"x\",\"name\":\"x\",\"role\":\"agent\"}"),
	    "errors.0.field", "email");
	POST(422, ADMIN, V1 "/users",
	     "{\"email\":\"x@desk.test\",\"name\":\"x\",\"role\":\"root\"}");
	POST(422, ADMIN, V1 "/users",
	     "{\"email\":\"x@desk.test\",\"name\":\"x\",\"role\":\"agent\",\"epoch\":7}");
	/* without a password nobody signs in */
	POST(201, ADMIN, V1 "/users",
	     "{\"email\":\"fay@customer.test\",\"name\":\"Fay\",\"role\":\"customer\"}");
	assert_int_equal(sign_in("fay@customer.test", "").status, 422);
	assert_int_equal(sign_in("fay@customer.test", "anything else").status, 401);
	PATCH(404, ADMIN, path("/users/999"), "{\"name\":\"x\"}");
	POST(403, ANNA, V1 "/users",
	     "{\"email\":\"x@desk.test\",\"name\":\"x\",\"role\":\"admin\"}");
	PATCH(403, ANNA, path("/users/%lld", (long long)desk->anna), "{\"role\":\"admin\"}");
	PATCH(403, CAROL, path("/users/%lld", (long long)desk->carol), "{\"role\":\"admin\"}");
}

/* ---- the desk ---- */

static void the_desk_shows_its_state(void **state)
{
	struct intake_result in = TAKE(desk, .from = "carol@customer.test", .subject = "By mail");
	struct intake_result held =
		TAKE(desk, .from = "support@desk.test", .subject = "Loop", .id = "loop@x.test");
	struct reply r;

	(void)state;
	desk_mailbox_state(desk->desk, desk->support, "auth_failed", "wrong password");
	r = ask(NULL, "GET", "/healthz", "", NULL);
	assert_int_equal(r.status, 200);
	HAS(r, "status", "ok");
	HAS(r, "mailboxes.0.name", "support");
	HAS(r, "mailboxes.0.state", "auth_failed");
	HAS(r, "mailboxes.0.last_error", "wrong password");
	r = ask(NULL, "GET", "/readyz", "", NULL);
	assert_int_equal(r.status, 200);
	HAS(r, "mailboxes.1.name", "sales");
	HAS(GET(200, ADMIN, V1 "/mailboxes"), "items.0.address", "support@desk.test");
	GET(403, ANNA, V1 "/mailboxes");

	r = GET(200, ANNA, path("/messages/%lld/decision", (long long)in.message));
	HAS(r, "outcome", "ticket_created");
	HAS(r, "mailbox", "support");
	assert_true(json_is_array(at(r.json, "rules")));
	GET(403, CAROL, path("/messages/%lld/decision", (long long)in.message));
	GET(404, ANNA, path("/messages/999/decision"));

	OUTCOME(held, "quarantined");
	r = GET(200, ANNA, V1 "/quarantine");
	HAS(r, "items.0.cause", "loop");
	HAS(r, "items.0.subject", "Loop");
	HAS(r, "items.0.message_id", "loop@x.test");
	HAS(r, "items.0.mailbox", "support");
	GET(403, CAROL, V1 "/quarantine");

	r = GET(200, ANNA, V1 "/outbox");
	HAS(r, "items.0.state", "queued");
	GET(403, CAROL, V1 "/outbox");
	HAS(GET(200, ANNA, path("/tickets/%lld", (long long)in.ticket)), "mailbox", "support");
}

/* ---- shapes ---- */

static const struct http_field *object_fields(const char *name)
{
	for (const struct http_object *o = api_objects; o->name; o++)
		if (strcmp(o->name, name) == 0)
			return o->fields;
	fail_msg("no object %s", name);
	return NULL;
}

static const char *shape_fault(const struct http_field *fields, const json_t *j, const char *where);

static const char *value_fault(const struct http_field *f, const json_t *v, const char *where)
{
	const char *fault = NULL;
	size_t i;
	json_t *member;

	where = arena_printf(&desk->arena, "%s.%s", where, f->name);
	if (json_is_null(v))
		return f->flags & HTTP_NULLABLE ? NULL : where;
	switch (f->type) {
	case HTTP_INT:
		return json_is_integer(v) ? NULL : where;
	case HTTP_BOOL:
		return json_is_boolean(v) ? NULL : where;
	case HTTP_TEXTS:
		return json_is_object(v) ? NULL : where;
	case HTTP_OBJECT:
		return shape_fault(object_fields(f->of), v, where);
	case HTTP_INTS:
	case HTTP_LINES:
		return json_is_array(v) ? NULL : where;
	case HTTP_OBJECTS:
		json_array_foreach((json_t *)(uintptr_t)v, i, member) if (!fault) fault =
			shape_fault(object_fields(f->of), member, where);
		return json_is_array(v) ? fault : where;
	default:
		return json_is_string(v) ? NULL : where;
	}
}

/* NULL when j has exactly the fields of the table, of their types. */
static const char *shape_fault(const struct http_field *fields, const json_t *j, const char *where)
{
	const char *key, *fault;
	json_t *v;

	for (const struct http_field *f = fields; f->name; f++) {
		v = json_object_get(j, f->name);
		if (!v && (f->flags & HTTP_REQUIRED))
			return arena_printf(&desk->arena, "%s lacks %s", where, f->name);
		if (v && (fault = value_fault(f, v, where)) != NULL)
			return fault;
	}
	json_object_foreach((json_t *)(uintptr_t)j, key, v)
	{
		const struct http_field *f = fields;

		while (f->name && strcmp(f->name, key) != 0)
			f++;
		if (!f->name)
			return arena_printf(&desk->arena, "%s has %s", where, key);
	}
	return NULL;
}

static void assert_shape(const char *name, const json_t *j)
{
	const char *fault = shape_fault(object_fields(name), j, name);

	if (fault)
		fail_msg("%s: %s", fault, show(j));
}

static void answers_have_the_shapes_of_the_document(void **state)
{
	static const struct {
		const char *object, *path;
		enum person who;
	} cases[] = {
		{ "Me", V1 "/auth/me", CAROL },
		{ "Session", V1 "/auth/sessions", CAROL },
		{ "Ticket", V1 "/tickets/1", ANNA },
		{ "Ticket", V1 "/tickets/1", CAROL },
		{ "TicketRow", V1 "/tickets", ANNA },
		{ "TicketRow", V1 "/tickets", CAROL },
		{ "HistoryRow", V1 "/tickets/1/history", ANNA },
		{ "Comment", V1 "/tickets/1/comments", ANNA },
		{ "Comment", V1 "/comments/1", CAROL },
		{ "User", V1 "/users", ADMIN },
		{ "User", V1 "/users", CAROL },
		{ "Decision", V1 "/messages/1/decision", ANNA },
		{ "HeldMail", V1 "/quarantine", ANNA },
		{ "OutgoingMail", V1 "/outbox", ANNA },
		{ "Mailbox", V1 "/mailboxes", ADMIN },
	};
	struct reply r;

	(void)state;
	TAKE(desk, .from = "Carol <carol@customer.test>", .subject = "By mail");
	TAKE(desk, .from = "support@desk.test", .subject = "Loop");
	PATCH(200, ANNA, path("/tickets/1"),
	      "{\"assignee\":\"anna@desk.test\",\"tags\":[\"vip\"],\"category\":\"x\"}");
	POST(201, ANNA, path("/tickets/1/comments"), "{\"body\":\"x\"}");
	assert_shape("Token", sign_in(addresses[CAROL], PASSWORD).json);
	for (size_t i = 0; i < MD_COUNT(cases); i++) {
		const json_t *items;
		size_t k;
		json_t *item;

		r = GET(200, cases[i].who, cases[i].path);
		items = json_object_get(r.json, "items");
		if (!items)
			assert_shape(cases[i].object, r.json);
		else
			assert_true(json_array_size(items) > 0);
		json_array_foreach((json_t *)(uintptr_t)items, k, item)
			assert_shape(cases[i].object, item);
	}
	r = GET(200, NOBODY, V1 "/openapi.json");
	HAS(r, "openapi", "3.1.0");
	for (const struct http_object *o = api_objects; o->name; o++)
		assert_non_null(json_object_get(at(r.json, "components.schemas"), o->name));
}

/* Every route by every role, with and without sense: never an answer of 5xx, and nothing without
 * signing in that is not open to all. */
static void every_route_answers_everybody(void **state)
{
	struct reply doc = GET(200, NOBODY, V1 "/openapi.json");
	const char *route, *method;
	json_t *methods, *operation;
	int asked = 0;

	(void)state;
	new_ticket(CAROL, "Printer");
	json_object_foreach(json_object_get(doc.json, "paths"), route, methods)
		json_object_foreach(methods, method, operation) for (int who = NOBODY; who < PEOPLE;
								     who++) for (int id = 1; id < 4;
										 id++)
	{
		md_auto(buf_done) struct buf where = BUF_INIT(300), verb = BUF_INIT(10);
		const char *brace = strchr(route, '{'), *rest = route;
		bool is_open = json_array_size(json_object_get(operation, "security")) == 0;
		struct reply r;

		if (strcmp(route, V1 "/events") == 0 && who != NOBODY)
			continue; /* goes on for ever */
		for (; brace; brace = strchr(rest, '{')) {
			buf_add(&where, rest, (size_t)(brace - rest));
			buf_addf(&where, "%d", id);
			rest = strchr(brace, '}') + 1;
		}
		buf_adds(&where, rest);
		for (const char *s = method; *s; s++)
			buf_addc(&verb, (char)(*s & ~0x20));
		r = ask(tokens[who], buf_str(&verb), buf_str(&where), "",
			strcmp(method, "get") == 0 ? NULL
			: id == 3                  ? "[]"
						   : "{\"version\":77}");
		if (n_answers > 300)
			while (n_answers > 200) /* the document stays */
				json_decref(answers[--n_answers]);
		if (r.status >= 500 || r.status < 200 ||
		    (who == NOBODY && !is_open && r.status != 401))
			fail_msg("%s %s as %d: %d", verb.data, where.data, who, r.status);
		asked++;
	}
	assert_true(asked > 300);
}

/* ---- together ---- */

enum { WRITERS = 6 };

static void *write_once(void *arg)
{
	int *status = arg;
	md_auto(buf_done) struct buf request = BUF_INIT(8192), raw = BUF_INIT(1 << 20);
	const char *body = "{\"title\":\"mine\",\"version\":1}";

	buf_addf(&request,
		 "PATCH " V1 "/tickets/1 HTTP/1.1\r\nHost: desk\r\nConnection: close\r\n"
		 "Authorization: Bearer %s\r\nContent-Type: application/json\r\n"
		 "Content-Length: %zu\r\n\r\n%s",
		 tokens[ANNA], strlen(body), body);
	*status = exchange(request.data, &raw);
	return NULL;
}

static void of_several_writers_one_wins(void **state)
{
	pthread_t threads[WRITERS];
	int status[WRITERS], won = 0, lost = 0;

	(void)state;
	new_ticket(CAROL, "Printer");
	for (int i = 0; i < WRITERS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, write_once, &status[i]), 0);
	for (int i = 0; i < WRITERS; i++) {
		pthread_join(threads[i], NULL);
		won += status[i] == 200;
		lost += status[i] == 409;
	}
	assert_int_equal(won, 1);
	assert_int_equal(lost, WRITERS - 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		API_TEST(only_the_right_password_signs_in, NO_LIMITS),
		API_TEST(refresh_tokens_are_good_once, NO_LIMITS),
		API_TEST(signing_out_ends_the_session, NO_LIMITS),
		API_TEST(sessions_and_tokens_expire, NO_LIMITS),
		API_TEST(a_new_key_signs_nobody_out, NO_LIMITS),
		API_TEST(after_a_theft_of_the_key_known_tokens_are_refused, NO_LIMITS),
		API_TEST(changes_of_a_user_end_what_they_have, NO_LIMITS),
		API_TEST(guessing_is_slowed_for_account_and_network,
			 "limits { anonymous_per_minute = 0 login_per_minute = 3 }\n"),
		API_TEST(forged_tokens_are_refused, NO_LIMITS),
		API_TEST(a_ticket_is_made_and_shown, NO_LIMITS),
		API_TEST(what_cannot_be_made_is_refused, NO_LIMITS),
		API_TEST(agents_open_tickets_for_others, NO_LIMITS),
		API_TEST(customers_name_others_by_address, NO_LIMITS),
		API_TEST(tickets_change_by_policy_and_workflow, NO_LIMITS),
		API_TEST(a_stale_version_is_a_conflict, NO_LIMITS),
		API_TEST(lists_are_filtered_sorted_and_paged, NO_LIMITS),
		API_TEST(fields_are_filters, NO_LIMITS "field \"asset\" { }\n"),
		API_TEST(an_open_desk_is_read_by_all, NO_LIMITS "desk { visibility = open }\n"),
		API_TEST(commands_answer_with_a_transcript, NO_LIMITS),
		API_TEST(commands_beside_a_comment_are_one_step, NO_LIMITS),
		API_TEST(many_tickets_have_a_result_each, NO_LIMITS),
		API_TEST(comments_are_public_or_internal, NO_LIMITS),
		API_TEST(a_customers_answer_moves_the_ticket, NO_LIMITS),
		API_TEST(history_has_a_public_part, NO_LIMITS),
		API_TEST(clocks_are_explained, NO_LIMITS
			 "sla \"s\" { first_response { medium = 4h } resolution { medium ="
			 " 20h } }\n"),
		API_TEST(customers_see_staff_and_themselves, NO_LIMITS),
		API_TEST(admins_add_and_change_people, NO_LIMITS),
		API_TEST(the_desk_shows_its_state, NO_LIMITS),
		API_TEST(answers_have_the_shapes_of_the_document, NO_LIMITS),
		API_TEST(every_route_answers_everybody, NO_LIMITS),
		API_TEST(of_several_writers_one_wins, NO_LIMITS),
	};
	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
