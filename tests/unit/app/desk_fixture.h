/* desk_fixture.h - a whole desk in one process: a configuration and a database in a folder of their
 * own, five people, a clock that stands still, mails from text. No servers, no other processes.
 *
 * Header-only: the Makefile builds one program a test file. What a test wants to see it asks the
 * database for, in SQL. */
#ifndef DESK_FIXTURE_H
#define DESK_FIXTURE_H

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <maildesk/app/intake.h>
#include <maildesk/app/render.h>
#include <maildesk/app/work.h>
#include <maildesk/store/leases.h>
#include <maildesk/store/messages.h>
#include <maildesk/store/outbox.h>

#include <dirent.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SECOND = 1000, MINUTE = 60 * SECOND, HOUR = 60 * MINUTE, RAW_MAX = 64 << 20 };
#define DAY (INT64_C(24) * HOUR)
#define MONDAY_9 INT64_C(1772442000000) /* 2026-03-02T09:00:00Z */

/* What every desk here has; a test adds sections of its own, which are merged by key. */
#define FIXTURE_CONFIG                                                                          \
	"desk { name = \"Example Support\" }\n"                                                 \
	"smtp \"main\" { host = \"127.0.0.1\" tls = none }\n"                                   \
	"mailbox \"support\" { address = \"support@desk.test\" host = \"127.0.0.1\" tls = none" \
	" password_file = pw }\n"                                                               \
	"mailbox \"sales\" { address = \"sales@desk.test\" aliases = {\"shop@desk.test\"}"      \
	" host = \"127.0.0.1\" tls = none password_file = pw }\n"                               \
	"trust { authserv_id = \"mx.desk.test\" }\n"
#define NO_AUTHSERV "trust { authserv_id = \"\" }\n" /* then signed addresses are the proof */

struct fixture {
	char dir[64];
	struct config *config;
	struct desk *desk;
	struct templates *templates;
	struct clock clock;
	struct random random;
	struct arena arena; /* of what the helpers return */
	int64_t admin, anna, bob, carol, dave;
	int64_t support, sales; /* mailboxes */
	int64_t uid, serial;
};

static _Atomic int64_t fixture_now; /* threads of the desk look, too */
static struct md_err err;

static inline int64_t fixture_clock(const struct clock *c)
{
	(void)c;
	return fixture_now;
}

static inline void ok_at(int rc, const char *what, const char *file, int line)
{
	if (rc != MD_OK) {
		print_error("%s: %s: %s\n", what, md_code_name(rc), err.text);
		_fail(file, line);
	}
}
#define OK(call) ok_at((call), #call, __FILE__, __LINE__)

/* ---- asking the database ---- */

struct fixture_text {
	const char *text;
};
static const struct db_col fixture_text_cols[] = { { DB_COL_TEXT,
						     offsetof(struct fixture_text, text) } };
static const struct db_map fixture_text_map = DB_MAP(fixture_text, fixture_text_cols);

/* The only column of all rows, a line each; NULL is "-". */
__attribute__((format(printf, 2, 3))) static inline const char *rows(struct fixture *f,
								     const char *sql, ...)
{
	md_auto(buf_done) struct buf out = BUF_INIT(RAW_MAX);
	md_auto(buf_done) struct buf query = BUF_INIT(1 << 16);
	md_auto(db_read_done_p) struct db_conn *c = NULL;
	struct fixture_text *all = NULL;
	size_t n = 0;
	va_list ap;

	va_start(ap, sql);
	buf_adds(&query, "WITH q (x) AS (");
	buf_addv(&query, sql, ap);
	buf_adds(&query, ") SELECT CAST(x AS TEXT) FROM q");
	va_end(ap);
	OK(db_read(f->desk->db, &c, &err));
	OK(db_query(c, buf_str(&query), DB_NONE, &fixture_text_map, 100000, &f->arena, &all, &n,
		    &err));
	for (size_t i = 0; i < n; i++)
		buf_addf(&out, "%s%s", i ? "\n" : "", all[i].text ? all[i].text : "-");
	return arena_strdup(&f->arena, buf_str(&out));
}
#define ROWS(f, expected, ...) assert_string_equal(rows(f, __VA_ARGS__), expected)
#define NUM(f, ...) strtoll(rows(f, __VA_ARGS__), NULL, 10)

/* ---- people ---- */

static inline int fixture_add_user(struct db_conn *c, void *ctx, struct md_err *e)
{
	struct user *u = ctx;

	return user_add(c, u, &u->id, e);
}

static inline int64_t add_user(struct fixture *f, const char *name, const char *email,
			       const char *role)
{
	struct user u = { .name = name, .email = email, .role = role, .created_at = 1000 };

	OK(db_txn(f->desk->db, fixture_add_user, &u, &err));
	return u.id;
}

/* Another daemon of that name is at work on the desk. */
struct fixture_life {
	const char *name, *holder;
};

static inline int fixture_live(struct db_conn *c, void *ctx, struct md_err *e)
{
	const struct fixture_life *l = ctx;
	int64_t fence;

	return lease_take(c, l->name, l->holder, 60000, &fence, e);
}

static inline void lives(struct fixture *f, const char *instance)
{
	struct fixture_life l = { arena_printf(&f->arena, "daemon:%s", instance), instance };

	OK(db_txn(f->desk->db, fixture_live, &l, &err));
}

static inline int fixture_end(struct db_conn *c, void *ctx, struct md_err *e)
{
	return lease_release_all(c, ctx, e);
}

/* It has ended, or was not seen for long. */
static inline void is_gone(struct fixture *f, const char *instance)
{
	OK(db_txn(f->desk->db, fixture_end, (void *)(uintptr_t)instance, &err));
}

/* ---- opening and closing ---- */

static inline void fixture_write(const char *dir, const char *name, const char *text)
{
	char path[200];
	FILE *file;

	snprintf(path, sizeof path, "%s/%s", dir, name);
	file = fopen(path, "w");
	assert_non_null(file);
	fputs(text, file);
	assert_int_equal(fclose(file), 0);
	assert_int_equal(chmod(path, 0600), 0);
}

static inline void fixture_open(struct fixture *f, const char *more_config)
{
	md_auto(buf_done) struct buf text = BUF_INIT(1 << 16);
	md_auto(buf_done) struct buf problems = BUF_INIT(1 << 16);
	const char *tmp = getenv("TMPDIR");
	char path[200];

	assert_true(sodium_init() >= 0);
	*f = (struct fixture){ .arena = ARENA_INIT(256 << 20) };
	fixture_now = MONDAY_9;
	snprintf(f->dir, sizeof f->dir, "%s/maildesk-app-XXXXXX",
		 tmp && strlen(tmp) < 32 ? tmp : "/tmp");
	assert_non_null(mkdtemp(f->dir));
	buf_addf(&text, "state_dir = \"%s\"\n%s%s", f->dir, FIXTURE_CONFIG, more_config);
	fixture_write(f->dir, "pw", "secret\n");
	fixture_write(f->dir, "desk.conf", buf_str(&text));
	snprintf(path, sizeof path, "%s/desk.conf", f->dir);
	unsetenv("CREDENTIALS_DIRECTORY");
	if (config_load(path, &f->config, &problems) != MD_OK)
		fail_msg("%s", buf_str(&problems));
	OK(desk_open(f->config, &f->desk, &err));
	OK(templates_load(f->config->desk.templates_dir, &f->templates, &problems, &err));
	f->clock = (struct clock){ fixture_clock, fixture_clock };
	f->random = random_seeded(7);
	f->desk->clock = &f->clock;
	f->desk->random = &f->random;
	f->support = f->desk->mailboxes[0].id;
	f->sales = f->desk->mailboxes[1].id;
	f->admin = add_user(f, "Admin", "admin@desk.test", "admin");
	f->anna = add_user(f, "Anna", "anna@desk.test", "agent");
	f->bob = add_user(f, "Bob", "bob@desk.test", "agent");
	f->carol = add_user(f, "Carol", "carol@customer.test", "customer");
	f->dave = add_user(f, "Dave", "dave@customer.test", "customer");
}

static inline void fixture_close(struct fixture *f)
{
	DIR *d = opendir(f->dir);
	struct dirent *e;
	char path[400];

	templates_free(f->templates);
	desk_close(f->desk);
	config_free(f->config);
	arena_done(&f->arena);
	while (d && (e = readdir(d))) {
		snprintf(path, sizeof path, "%s/%s", f->dir, e->d_name);
		unlink(path);
	}
	if (d)
		closedir(d);
	rmdir(f->dir);
}

static inline int fixture_setup(void **state)
{
	static struct fixture f;

	fixture_open(&f, *state ? *state : "");
	*state = &f;
	return 0;
}
static inline int fixture_teardown(void **state)
{
	fixture_close(*state);
	return 0;
}
/* A test in a desk of its own, with more configuration. */
#define DESK_TEST(name, config)                                                              \
	{                                                                                    \
#name, name, fixture_setup, fixture_teardown, (void *)(uintptr_t)(config "") \
	}

/* ---- mail ---- */

struct mail {
	const char *from;    /* "carol@customer.test" or a whole header value */
	const char *to;      /* NULL: the mailbox */
	const char *subject; /* NULL: none */
	const char *body;
	const char *id;       /* Message-ID; NULL: a new one; "": none */
	const char *reply_to; /* In-Reply-To */
	const char *auth;     /* "pass", "fail": what our server says of From; NULL: nothing */
	const char *headers;  /* more of them, each with its line end */
	const char *raw;      /* the whole mail instead of all that */
	int64_t mailbox;      /* 0: support */
	bool import, too_large;
	const char *cause; /* the reader could not read it */
};

struct fixture_take {
	struct desk *desk;
	struct intake_mail mail;
	struct intake_result result;
};

static inline int fixture_take(struct db_conn *c, void *ctx, struct md_err *e)
{
	md_auto(arena_done) struct arena a = ARENA_INIT(96 << 20);
	struct fixture_take *t = ctx;

	return intake_take(t->desk, c, &a, &t->mail, &t->result, e);
}

static inline const char *domain_of(struct arena *a, const char *from)
{
	const char *at = strrchr(from, '@');

	return at ? arena_strndup(a, at + 1, strcspn(at + 1, ">, ")) : "nowhere.test";
}

static inline void fixture_raw(struct fixture *f, const struct mail *m, struct buf *out)
{
	const char *to = m->mailbox == f->sales ? "sales@desk.test" : "support@desk.test";

	if (m->raw) {
		buf_adds(out, m->raw);
		return;
	}
	if (m->auth)
		buf_addf(out, "Authentication-Results: mx.desk.test; dmarc=%s header.from=%s\n",
			 m->auth, domain_of(&f->arena, m->from));
	buf_adds(out, "Received: from x by mx.desk.test; Mon, 2 Mar 2026 09:00:00 +0000\n");
	buf_addf(out, "From: %s\nTo: %s\n", m->from, m->to ? m->to : to);
	if (m->subject)
		buf_addf(out, "Subject: %s\n", m->subject);
	if (!m->id)
		buf_addf(out, "Message-ID: <m%lld@mua.test>\n", (long long)++f->serial);
	else if (*m->id)
		buf_addf(out, "Message-ID: <%s>\n", m->id);
	if (m->reply_to)
		buf_addf(out, "In-Reply-To: <%s>\n", m->reply_to);
	buf_addf(out, "%s\n%s", m->headers ? m->headers : "", m->body ? m->body : "Hello.\n");
}

/* One mail in a transaction of its own. */
static inline int take_rc(struct fixture *f, const struct mail *m, struct intake_result *ret)
{
	md_auto(buf_done) struct buf raw = BUF_INIT(RAW_MAX);
	md_auto(arena_done) struct arena a = ARENA_INIT(96 << 20);
	md_auto(blob_done) struct blob blob = { 0 };
	struct message message;
	struct fixture_take t = { .desk = f->desk };
	int rc;

	fixture_raw(f, m, &raw);
	OK(message_read((const uint8_t *)buf_str(&raw), raw.len, &a, &message, &err));
	OK(blob_prepare(buf_str(&raw), raw.len, &blob, &err));
	t.mail = (struct intake_mail){ .mailbox = m->mailbox ? m->mailbox : f->support,
				       .uidvalidity = 1,
				       .uid = ++f->uid,
				       .size = (int64_t)raw.len,
				       .too_large = m->too_large,
				       .import = m->import,
				       .message = m->cause ? NULL : &message,
				       .cause = m->cause,
				       .blob = &blob };
	rc = db_txn(f->desk->db, fixture_take, &t, &err);
	*ret = t.result;
	return rc;
}

static inline struct intake_result take(struct fixture *f, struct mail m)
{
	struct intake_result r = { 0 };

	ok_at(take_rc(f, &m, &r), m.subject ? m.subject : "mail", __FILE__, __LINE__);
	return r;
}
#define TAKE(f, ...) take((f), (struct mail){ __VA_ARGS__ })
#define OUTCOME(r, word) assert_string_equal((r).outcome, word)

/* Forget the mails queued so far. */
static inline int fixture_sent(struct db_conn *c, void *ctx, struct md_err *e)
{
	struct outbox_row *due;
	size_t n;
	struct fixture *f = ctx;
	int rc;

	do {
		rc = outbox_claim(c, NULL, "test", fixture_now, fixture_now + HOUR, 100, &f->arena,
				  &due, &n, e);
		for (size_t i = 0; i < n && rc == MD_OK; i++)
			rc = outbox_finish(c, due[i].id, "test", "sent", "250", 0, fixture_now, e);
	} while (rc == MD_OK && n);
	return rc;
}
static inline void send_all(struct fixture *f)
{
	OK(db_txn(f->desk->db, fixture_sent, f, &err));
}
/* "event recipient" of each mail that waits, a line each. */
#define QUEUED                                                                                 \
	"SELECT event || ' ' || recipient FROM outbox WHERE state = 'queued' ORDER BY event, " \
	"recipient"

/* A value of the frozen data of the newest mail of that event to that person. */
static inline const char *mail_data(struct fixture *f, const char *recipient, const char *path)
{
	return rows(f,
		    "SELECT json_extract(data, '$.%s') FROM outbox WHERE recipient = '%s'"
		    " ORDER BY id DESC LIMIT 1",
		    path, recipient);
}

/* The newest mail to that person as it would be sent. */
static inline const char *rendered(struct fixture *f, int64_t outbox)
{
	md_auto(buf_done) struct buf out = BUF_INIT(RAW_MAX);
	md_auto(db_read_done_p) struct db_conn *c = NULL;
	struct outbox_row row;

	OK(db_read(f->desk->db, &c, &err));
	OK(outbox_get(c, outbox, &f->arena, &row, &err));
	OK(render_mail(f->templates, f->desk, c, &row, &out, NULL, &err));
	return arena_strdup(&f->arena, buf_str(&out));
}
static inline int64_t newest_to(struct fixture *f, const char *recipient)
{
	return NUM(f, "SELECT max(id) FROM outbox WHERE recipient = '%s'", recipient);
}

/* ---- work ---- */

typedef int (*work_fn)(struct work *w, void *arg, struct md_err *e);

struct fixture_work {
	struct fixture *f;
	struct work_by by;
	int64_t user, ticket;
	const struct work_ticket *create;
	work_fn fn;
	void *arg;
	bool load; /* without asking whether they may see it */
};

static inline int fixture_work(struct db_conn *c, void *ctx, struct md_err *e)
{
	md_auto(arena_done) struct arena a = ARENA_INIT(16 << 20);
	struct fixture_work *s = ctx;
	int64_t comment;
	struct work w;
	int rc = s->user ? user_get(c, s->user, &a, &s->by.user, e) : MD_OK;

	if (rc != MD_OK)
		return rc;
	if (s->user)
		s->by.actor.role = role_from_name(s->by.user.role);
	s->by.actor.user = s->user;
	rc = s->create ? work_create(&s->by, c, &a, s->create, &w, &comment, e)
	     : s->load ? work_load(&s->by, c, &a, s->ticket, &w, e)
		       : work_open(&s->by, c, &a, s->ticket, &w, e);
	if (rc == MD_OK && s->fn)
		rc = s->fn(&w, s->arg, e);
	if (rc == MD_OK)
		rc = work_save(&w, e);
	if (rc == MD_OK)
		s->ticket = w.ticket.id;
	return rc;
}

/* A step through the API; rolled back when refused, with the reason in `err`. */
static inline int step(struct fixture *f, int64_t user, int64_t ticket, work_fn fn, void *arg)
{
	struct fixture_work s = {
		.f = f,
		.by = { .desk = f->desk,
			.actor = { .level = 3, .source = SOURCE_API },
			.channel = "api",
			.now_ms = fixture_now },
		.user = user,
		.ticket = ticket,
		.fn = fn,
		.arg = arg,
	};

	err = (struct md_err){ 0 };
	return db_txn(f->desk->db, fixture_work, &s, &err);
}

static inline int create_rc(struct fixture *f, int64_t user, const struct work_ticket *t,
			    int64_t *ret_ticket)
{
	struct fixture_work s = {
		.f = f,
		.by = { .desk = f->desk,
			.actor = { .level = 3, .source = SOURCE_API },
			.channel = "api",
			.now_ms = fixture_now },
		.user = user,
		.create = t,
	};
	int rc;

	err = (struct md_err){ 0 };
	rc = db_txn(f->desk->db, fixture_work, &s, &err);
	*ret_ticket = s.ticket;
	return rc;
}

/* A ticket of medium priority through the API. */
static inline int64_t create(struct fixture *f, int64_t user, int64_t requester, const char *title)
{
	struct work_ticket t = { .title = title,
				 .body = "It does not work.",
				 .requester = requester,
				 .priority = 1,
				 .mailbox = f->support,
				 .echo = true };
	int64_t ticket;

	OK(create_rc(f, user, &t, &ticket));
	return ticket;
}

static inline int fixture_change(struct work *w, void *arg, struct md_err *e)
{
	return work_change(w, arg, e);
}
static inline int change_rc(struct fixture *f, int64_t user, int64_t ticket, struct work_change ch)
{
	return step(f, user, ticket, fixture_change, &ch);
}
#define CHANGE(...) ((struct work_change){ .priority = -1, __VA_ARGS__ })
#define PRIORITY(p) ((struct work_change){ .priority = (p) })
static inline int move_rc(struct fixture *f, int64_t user, int64_t ticket, const char *status)
{
	return change_rc(f, user, ticket, CHANGE(.status = status));
}
static inline int assign_rc(struct fixture *f, int64_t user, int64_t ticket, int64_t to)
{
	return change_rc(f, user, ticket, CHANGE(.set_assignee = true, .assignee = to));
}

static inline int fixture_comment(struct work *w, void *arg, struct md_err *e)
{
	int64_t id;

	return work_comment(w, arg, &id, e);
}
static inline int comment_rc(struct fixture *f, int64_t user, int64_t ticket, const char *body,
			     bool is_internal)
{
	struct work_comment m = { .body = body, .is_internal = is_internal };

	return step(f, user, ticket, fixture_comment, &m);
}

/* ---- timers ---- */

struct fixture_timer {
	struct fixture *f;
	const struct timer_row *timer;
};

/* What the timer thread does with a due row, seen from outside. */
static inline int fixture_fire(struct db_conn *c, void *ctx, struct md_err *e)
{
	md_auto(arena_done) struct arena a = ARENA_INIT(16 << 20);
	struct fixture_timer *t = ctx;
	const struct work_by by = {
		.desk = t->f->desk,
		.actor = { .role = ROLE_ADMIN, .level = 3, .source = SOURCE_TIMER },
		.channel = "cli",
		.now_ms = fixture_now
	};
	struct work w;
	int rc = timer_take(c, t->timer->id, e);

	if (rc == MD_OK)
		rc = work_load(&by, c, &a, t->timer->ticket_id, &w, e);
	if (rc == MD_NOTFOUND)
		return MD_OK; /* deleted meanwhile */
	if (rc == MD_OK)
		rc = work_fire(&w, t->timer->kind, e);
	return rc == MD_OK ? work_save(&w, e) : rc;
}

/* Let the clock stand at `now_ms` and fire what is due; returns how many timers fired. */
static inline size_t tick(struct fixture *f, int64_t now_ms)
{
	struct timer_row *due = NULL;
	size_t n = 0, fired = 0;

	fixture_now = now_ms;
	for (;;) {
		struct db_conn *c = NULL;

		OK(db_read(f->desk->db, &c, &err));
		OK(timer_due(c, now_ms, 100, &f->arena, &due, &n, &err));
		db_read_done(c);
		if (n == 0)
			return fired;
		assert_true(fired < 1000); /* a timer that sets itself again for now */
		for (size_t i = 0; i < 1; i++, fired++)
			OK(db_txn(f->desk->db, fixture_fire, &(struct fixture_timer){ f, &due[i] },
				  &err));
	}
}

#endif
