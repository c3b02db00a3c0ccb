/* Keys of signed addresses are changed, and mail that is on its way arrives; a copy of the database
 * has none of them, nor those of access tokens. */
#include "desk_fixture.h"

#include <maildesk/app/audit.h>
#include <maildesk/app/jwt_keys.h>
#include <maildesk/app/keys.h>
#include <maildesk/store/settings.h>

#define ANNA "anna@desk.test"

static const char *annas_address(struct fixture *f)
{
	int64_t ticket = create(f, f->carol, f->carol, "Broken");

	OK(assign_rc(f, f->anna, ticket, f->anna));
	OK(comment_rc(f, f->carol, ticket, "Hello?", false));
	return mail_data(f, ANNA, "mail.reply_to");
}

static void restart(struct fixture *f)
{
	OK(keys_load(f->desk, &err));
}

struct rotation {
	struct fixture *f;
	bool all;
};

static int rotate_in_txn(struct db_conn *c, void *ctx, struct md_err *e)
{
	const struct rotation *r = ctx;
	struct token_keys keys;

	return keys_rotate(c, r->f->desk->vault, &r->f->random, fixture_now, r->all, &keys, e);
}

static int rotate(struct fixture *f, bool all)
{
	struct rotation r = { f, all };

	err = (struct md_err){ 0 };
	return db_txn(f->desk->db, rotate_in_txn, &r, &err);
}

static void what_the_last_key_signed_is_valid(void **state)
{
	struct fixture *f = *state;
	const char *old = annas_address(f), *new;
	const struct token_keys *before = f->desk->token_keys, *after;

	OK(rotate(f, false));
	restart(f);
	after = f->desk->token_keys;
	assert_int_not_equal(after->current.id, before->current.id);
	OUTCOME(TAKE(f, .from = ANNA, .to = old, .subject = "x", .auth = "pass"), "comment_added");
	new = annas_address(f);
	/* a daemon that has not looked since knows it, too */
	f->desk->token_keys = before;
	OUTCOME(TAKE(f, .from = ANNA, .to = new, .subject = "x", .auth = "pass"), "comment_added");
	f->desk->token_keys = after;
}

static void a_daemon_that_runs_changes_over(void **state)
{
	struct fixture *f = *state;
	const struct token_keys *before = f->desk->token_keys;
	const char *old = annas_address(f);

	OK(desk_look_at_keys(f->desk, &err));
	assert_ptr_equal(f->desk->token_keys, before);
	OK(rotate(f, false));
	OK(desk_look_at_keys(f->desk, &err));
	assert_int_equal(f->desk->token_keys->current.id, before->next.id);
	assert_int_equal(f->desk->token_keys->previous.id, before->current.id);
	OUTCOME(TAKE(f, .from = ANNA, .to = old, .subject = "x", .auth = "pass"), "comment_added");
	OK(rotate(f, true));
	OK(desk_look_at_keys(f->desk, &err));
	OUTCOME(TAKE(f, .from = ANNA, .to = old, .subject = "x", .auth = "pass"), "quarantined");
}

static void no_key_is_forgotten_while_its_mails_are_answered(void **state)
{
	struct fixture *f = *state;
	const char *old = annas_address(f);

	OK(rotate(f, false));
	assert_int_equal(rotate(f, false), MD_REFUSED);
	fixture_now += TOKEN_ROUTE_DAYS * DAY - DAY;
	assert_int_equal(rotate(f, false), MD_REFUSED);
	fixture_now += DAY;
	OK(rotate(f, false));
	restart(f);
	/* expired long ago: nobody calls it tampered */
	OUTCOME(TAKE(f, .from = ANNA, .to = old, .subject = "x", .auth = "pass"), "ticket_created");
}

static void after_a_theft_all_are_new(void **state)
{
	struct fixture *f = *state;
	const char *old = annas_address(f);

	OK(rotate(f, false));
	OK(rotate(f, true));
	restart(f);
	assert_int_equal(f->desk->token_keys->previous.id, 0);
	OUTCOME(TAKE(f, .from = ANNA, .to = old, .subject = "x", .auth = "pass"), "quarantined");
	ROWS(f, "bad_signature", "SELECT cause FROM quarantine");
}

/* ---- where they are ---- */

struct value {
	const char *name;
	uint8_t bytes[1000];
	size_t n;
};

static int put_in_txn(struct db_conn *c, void *ctx, struct md_err *e)
{
	const struct value *v = ctx;

	return setting_put(c, v->name, v->bytes, v->n, e);
}

static struct value stored(struct fixture *f, const char *name)
{
	md_auto(db_read_done_p) struct db_conn *c = NULL;
	struct value v = { .name = name };

	OK(db_read(f->desk->db, &c, &err));
	OK(setting_get(c, name, v.bytes, sizeof v.bytes, &v.n, &err));
	return v;
}

static bool holds(const struct value *v, const void *bytes, size_t n)
{
	return memmem(v->bytes, v->n, bytes, n) != NULL;
}

static void reopen(struct fixture *f)
{
	desk_close(f->desk);
	OK(desk_open(f->config, &f->desk, &err));
	f->desk->clock = &f->clock;
	f->desk->random = &f->random;
}

/* A token of Anna's as she gets it when she signs in. */
static void sign_in(struct fixture *f, struct buf *token)
{
	const struct jwt_claims claims = { .sub = f->anna,
					   .role = ROLE_AGENT,
					   .iat_s = fixture_now / 1000,
					   .exp_s = fixture_now / 1000 + 600,
					   .jti = "a" };
	struct jwt_keys keys;

	buf_reset(token);
	OK(jwt_keys_current(f->desk, fixture_now, &keys, &err));
	OK(jwt_make(&keys.current, &claims, token, &err));
}

static int check(struct desk *d, struct buf *token)
{
	struct jwt_claims claims;

	d->jwt_read_ms = 0;
	return jwt_keys_check(d, buf_str(token), fixture_now, &claims, &err);
}

static void a_copy_of_the_database_signs_nothing(void **state)
{
	struct fixture *f = *state;
	const struct token_keys *keys = f->desk->token_keys;
	const struct token_key *t[] = { &keys->current, &keys->next };
	struct value tokens = stored(f, "token_keys"), jwt = stored(f, "jwt_keys"),
		     audit = stored(f, "audit_key");

	assert_false(holds(&audit, f->desk->audit_key, sizeof f->desk->audit_key));
	for (size_t i = 0; i < MD_COUNT(t); i++)
		assert_false(holds(&tokens, t[i]->bytes, TOKEN_KEY_BYTES));
	assert_int_not_equal(f->desk->jwt.current.id, 0);
	assert_false(holds(&jwt, f->desk->jwt.current.bytes, JWT_KEY_BYTES));
	/* so it is after each change, too */
	OK(rotate(f, true));
	restart(f);
	tokens = stored(f, "token_keys");
	for (size_t i = 0; i < MD_COUNT(t); i++)
		assert_false(holds(&tokens, t[i]->bytes, TOKEN_KEY_BYTES));
}

/* What a desk of before has. */
static struct value in_clear(struct fixture *f, const char *name)
{
	const struct token_keys *t = f->desk->token_keys;
	const struct token_key *keys[] = { &t->current, &t->previous, &t->next };
	const struct jwt_key *jwt[] = { &f->desk->jwt.current, &f->desk->jwt.previous };
	struct value v = { .name = name };

	if (strcmp(name, "token_keys") == 0) {
		v.bytes[v.n++] = (uint8_t)(token_day(fixture_now) >> 8);
		v.bytes[v.n++] = (uint8_t)token_day(fixture_now);
		for (size_t i = 0; i < MD_COUNT(keys); i++) {
			v.bytes[v.n++] = (uint8_t)keys[i]->id;
			memcpy(v.bytes + v.n, keys[i]->bytes, TOKEN_KEY_BYTES);
			v.n += TOKEN_KEY_BYTES;
		}
		return v;
	}
	for (int i = 7; i >= 0; i--)
		v.bytes[v.n++] = (uint8_t)(fixture_now >> 8 * i);
	for (size_t i = 0; i < MD_COUNT(jwt); i++) {
		v.bytes[v.n + 3] = (uint8_t)jwt[i]->id;
		memcpy(v.bytes + v.n + 4, jwt[i]->bytes, JWT_KEY_BYTES);
		v.n += 4 + JWT_KEY_BYTES;
	}
	return v;
}

static void keys_in_clear_are_sealed_and_stay_good(void **state)
{
	struct fixture *f = *state;
	md_auto(buf_done) struct buf token = BUF_INIT(JWT_MAX);
	struct value tokens = in_clear(f, "token_keys"), jwt;
	const struct token_keys before = *f->desk->token_keys;
	struct value audit = { "audit_key", "a key of thirty-two bytes, clear", 32 };
	struct jwt_keys signing;
	const char *old = annas_address(f);

	sign_in(f, &token);
	signing = f->desk->jwt;
	jwt = in_clear(f, "jwt_keys");
	assert_true(holds(&jwt, signing.current.bytes, JWT_KEY_BYTES));
	OK(db_txn(f->desk->db, put_in_txn, &tokens, &err));
	OK(db_txn(f->desk->db, put_in_txn, &jwt, &err));
	OK(db_txn(f->desk->db, put_in_txn, &audit, &err));
	reopen(f);
	assert_memory_equal(f->desk->audit_key, audit.bytes, audit.n);
	audit = stored(f, "audit_key");
	assert_false(holds(&audit, f->desk->audit_key, sizeof f->desk->audit_key));
	assert_memory_equal(&f->desk->token_keys->current, &before.current, sizeof before.current);
	assert_memory_equal(&f->desk->token_keys->next, &before.next, sizeof before.next);
	tokens = stored(f, "token_keys");
	jwt = stored(f, "jwt_keys");
	assert_false(holds(&tokens, before.current.bytes, TOKEN_KEY_BYTES));
	assert_false(holds(&tokens, before.next.bytes, TOKEN_KEY_BYTES));
	assert_false(holds(&jwt, signing.current.bytes, JWT_KEY_BYTES));
	OK(check(f->desk, &token));
	OUTCOME(TAKE(f, .from = ANNA, .to = old, .subject = "x", .auth = "pass"), "comment_added");
}

/* The state_dir, between two lives. */
static void lose(struct fixture *f)
{
	char path[200];

	snprintf(path, sizeof path, "%s/desk.key", f->dir);
	assert_int_equal(unlink(path), 0);
	reopen(f);
}

/* What was signed before a rotation is on its way for as long. */
static void those_lost_behind_a_rotation_are_expired_too(void **state)
{
	struct fixture *f = *state;
	const char *before = annas_address(f), *since;

	OK(rotate(f, false));
	restart(f);
	since = annas_address(f);
	lose(f);
	OUTCOME(TAKE(f, .from = ANNA, .to = before, .subject = "x", .auth = "pass"),
		"ticket_created");
	OUTCOME(TAKE(f, .from = ANNA, .to = since, .subject = "x", .auth = "pass"),
		"ticket_created");
}

static void whoever_loses_them_starts_anew_and_loses_no_mail(void **state)
{
	struct fixture *f = *state;
	md_auto(buf_done) struct buf token = BUF_INIT(JWT_MAX);
	const struct token_keys before = *f->desk->token_keys;
	const char *old = annas_address(f);
	char *forged, *at;

	sign_in(f, &token);
	lose(f);
	assert_int_not_equal(f->desk->token_keys->current.id, before.current.id);
	assert_int_not_equal(f->desk->token_keys->next.id, before.current.id);
	assert_int_equal(f->desk->token_keys->lost, before.current.id);
	/* as if it were expired: it opens a ticket and is not held back */
	OUTCOME(TAKE(f, .from = ANNA, .to = old, .subject = "x", .auth = "pass"), "ticket_created");
	assert_int_equal(check(f->desk, &token), MD_REFUSED);
	sign_in(f, &token);
	OK(check(f->desk, &token));
	restart(f); /* the second time there is nothing to replace */
	assert_int_equal(f->desk->token_keys->lost, before.current.id);
	forged = arena_strdup(&f->arena, annas_address(f));
	at = strrchr(forged, '@') - 3;
	*at = *at == 'a' ? 'b' : 'a';
	OUTCOME(TAKE(f, .from = ANNA, .to = forged, .subject = "x", .auth = "pass"), "quarantined");
}

/* Another daemon with a state_dir of its own, as far as keys go. */
struct other {
	struct desk desk;
	char dir[120];
};

static void other_start(struct fixture *f, struct other *o, const char *name)
{
	*o = (struct other){
		.desk = { .db = f->desk->db, .clock = &f->clock, .random = &random_system }
	};
	pthread_mutex_init(&o->desk.lock, NULL);
	snprintf(o->desk.instance, sizeof o->desk.instance, "%s", name);
	snprintf(o->dir, sizeof o->dir, "%s/%s", f->dir, name);
	assert_int_equal(mkdir(o->dir, 0700), 0);
	OK(vault_new(o->desk.db, o->dir, o->desk.instance, &random_system, &o->desk.vault, &err));
}

static void other_end(struct other *o)
{
	char path[200];

	keys_forget(&o->desk);
	vault_free(o->desk.vault);
	pthread_mutex_destroy(&o->desk.lock);
	snprintf(path, sizeof path, "%s/desk.key", o->dir);
	unlink(path);
	rmdir(o->dir);
}

static bool same_keys(const struct desk *a, const struct desk *b)
{
	return memcmp(a->token_keys->current.bytes, b->token_keys->current.bytes,
		      TOKEN_KEY_BYTES) == 0 &&
	       memcmp(a->jwt.current.bytes, b->jwt.current.bytes, JWT_KEY_BYTES) == 0 &&
	       memcmp(a->audit_key, b->audit_key, sizeof a->audit_key) == 0;
}

static void other_load(struct other *o)
{
	struct jwt_keys keys;

	OK(keys_load(&o->desk, &err));
	OK(jwt_keys_current(&o->desk, fixture_now, &keys, &err));
	OK(audit_load_key(&o->desk, &err));
}

static void a_daemon_that_joins_signs_with_the_same(void **state)
{
	struct fixture *f = *state;
	struct other o;

	lives(f, f->desk->instance);
	other_start(f, &o, "joins");
	assert_int_equal(keys_load(&o.desk, &err), MD_AGAIN);
	OK(desk_look_at_keys(f->desk, &err));
	OK(vault_wait(o.desk.vault, 10000, &err));
	other_load(&o);
	assert_true(same_keys(f->desk, &o.desk));
	other_end(&o);
}

/* Its lease ran out while it could not reach the database, and a new daemon found nobody there. */
static void a_daemon_that_was_taken_for_dead_signs_with_the_new_ones(void **state)
{
	struct fixture *f = *state;
	md_auto(buf_done) struct buf token = BUF_INIT(JWT_MAX);
	const char *old = annas_address(f);
	struct other o;

	is_gone(f, f->desk->instance);
	other_start(f, &o, "anew");
	other_load(&o);
	assert_false(same_keys(f->desk, &o.desk));
	lives(f, "anew");
	OK(desk_look_at_keys(f->desk, &err)); /* asks for the key they are sealed with */
	assert_false(same_keys(f->desk, &o.desk));
	OK(desk_look_at_keys(&o.desk, &err));
	OK(desk_look_at_keys(f->desk, &err));
	assert_true(same_keys(f->desk, &o.desk));
	sign_in(f, &token);
	OK(check(&o.desk, &token));
	/* what it signed before is nobody's fault */
	OUTCOME(TAKE(f, .from = ANNA, .to = old, .subject = "x", .auth = "pass"), "ticket_created");
	OUTCOME(TAKE(f, .from = ANNA, .to = annas_address(f), .subject = "x", .auth = "pass"),
		"comment_added");
	other_end(&o);
}

static void those_lost_twice_are_expired_too(void **state)
{
	struct fixture *f = *state;
	const char *old = annas_address(f);

	for (int i = 0; i < 2; i++)
		lose(f);
	OUTCOME(TAKE(f, .from = ANNA, .to = old, .subject = "x", .auth = "pass"), "ticket_created");
	/* and no longer told from forged ones when their mails have expired by themselves */
	assert_int_not_equal(f->desk->token_keys->lost, 0);
	OK(rotate(f, false));
	fixture_now += TOKEN_ROUTE_DAYS * DAY;
	OK(rotate(f, false));
	restart(f);
	assert_int_equal(f->desk->token_keys->lost, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		DESK_TEST(what_the_last_key_signed_is_valid, ""),
		DESK_TEST(no_key_is_forgotten_while_its_mails_are_answered, ""),
		DESK_TEST(after_a_theft_all_are_new, ""),
		DESK_TEST(a_copy_of_the_database_signs_nothing, ""),
		DESK_TEST(keys_in_clear_are_sealed_and_stay_good, ""),
		DESK_TEST(whoever_loses_them_starts_anew_and_loses_no_mail, ""),
		DESK_TEST(those_lost_behind_a_rotation_are_expired_too, ""),
		DESK_TEST(those_lost_twice_are_expired_too, ""),
		DESK_TEST(a_daemon_that_joins_signs_with_the_same, ""),
		DESK_TEST(a_daemon_that_was_taken_for_dead_signs_with_the_new_ones, ""),
		DESK_TEST(a_daemon_that_runs_changes_over, ""),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
