/* Secrets at rest: what is sealed opens again, and nothing else does; daemons hand each other the
 * key; a state_dir that is lost does not stop the desk. */
#include "desk_fixture.h"

#include <maildesk/app/factor.h>

enum { TEXT_MAX = 1000 };

/* A daemon with a state_dir of its own on the desk of the fixture. */
struct other {
	char dir[96];
	struct vault *vault;
};

static void other_start(struct fixture *f, struct other *o, const char *name)
{
	snprintf(o->dir, sizeof o->dir, "%s/%s", f->dir, name);
	(void)mkdir(o->dir, 0700);
	OK(vault_new(f->desk->db, o->dir, name, &random_system, &o->vault, &err));
}

static void other_end(struct other *o)
{
	char path[200];

	vault_free(md_take(o->vault));
	snprintf(path, sizeof path, "%s/desk.key", o->dir);
	unlink(path);
	rmdir(o->dir);
}

static void seal(struct vault *v, const char *text, struct buf *out)
{
	OK(vault_seal(v, "test", text, strlen(text), out, &err));
}

static int unseal(struct vault *v, const char *purpose, const struct buf *sealed, struct buf *out)
{
	buf_reset(out);
	return vault_unseal(v, purpose, sealed->data, sealed->len, out, &err);
}

static void what_is_sealed_opens_for_its_purpose_alone(void **state)
{
	struct fixture *f = *state;
	struct vault *v = f->desk->vault;
	md_auto(buf_done) struct buf a = BUF_INIT(TEXT_MAX), b = BUF_INIT(TEXT_MAX),
				     text = BUF_INIT(TEXT_MAX);

	seal(v, "hush", &a);
	seal(v, "hush", &b);
	assert_int_equal(a.len, 4 + VAULT_OVERHEAD);
	assert_memory_not_equal(a.data, b.data, a.len);
	assert_null(memmem(a.data, a.len, "hush", 4));
	OK(unseal(v, "test", &a, &text));
	assert_string_equal(buf_str(&text), "hush");
	assert_int_equal(unseal(v, "other", &a, &text), MD_INPUT);
	for (size_t i = 0; i < a.len; i++)
		for (int bit = 0; bit < 8; bit++) {
			int rc;

			a.data[i] = (char)(a.data[i] ^ 1 << bit);
			rc = unseal(v, "test", &a, &text);
			/* of another key, as far as anybody can tell */
			assert_int_equal(rc,
					 i >= 1 && i <= 4 && (i < 4 || bit) ? MD_AGAIN : MD_INPUT);
			a.data[i] = (char)(a.data[i] ^ 1 << bit);
		}
	for (size_t n = a.len; n-- > 0;) {
		a.len = n;
		assert_int_equal(unseal(v, "test", &a, &text), MD_INPUT);
	}
}

static void text_goes_both_ways(void **state)
{
	struct fixture *f = *state;
	md_auto(buf_done) struct buf sealed = BUF_INIT(TEXT_MAX), text = BUF_INIT(TEXT_MAX);

	OK(vault_seal_text(f->desk->vault, "test", "a/b?c=d", &sealed, &err));
	OK(vault_unseal_text(f->desk->vault, "test", buf_str(&sealed), &text, &err));
	assert_string_equal(buf_str(&text), "a/b?c=d");
	assert_int_equal(vault_unseal_text(f->desk->vault, "test", "no base64!", &text, &err),
			 MD_INPUT);
}

static void a_daemon_that_joins_is_given_the_key(void **state)
{
	struct fixture *f = *state;
	struct other o;
	md_auto(buf_done) struct buf sealed = BUF_INIT(TEXT_MAX), text = BUF_INIT(TEXT_MAX);

	seal(f->desk->vault, "hush", &sealed);
	lives(f, f->desk->instance);
	other_start(f, &o, "joins");
	assert_int_equal(unseal(o.vault, "test", &sealed, &text), MD_AGAIN);
	assert_int_equal(vault_seal(o.vault, "test", "x", 1, &text, &err), MD_AGAIN);
	assert_int_equal(vault_wait(o.vault, 1, &err), MD_AGAIN);
	OK(vault_look(f->desk->vault, &err));
	OK(vault_wait(o.vault, 10000, &err));
	OK(unseal(o.vault, "test", &sealed, &text));
	assert_string_equal(buf_str(&text), "hush");
	vault_free(md_take(o.vault)); /* and has it after a restart */
	other_start(f, &o, "joins");
	OK(unseal(o.vault, "test", &sealed, &text));
	other_end(&o);
	/* nobody has it in clear */
	assert_int_equal(NUM(f, "SELECT count(*) FROM desk_keys WHERE length(envelope) = 80"), 2);
}

/* The first has made the desk's key and is not registered as a daemon yet. */
static void of_two_that_start_together_one_makes_the_key(void **state)
{
	struct fixture *f = *state;
	struct other o;
	md_auto(buf_done) struct buf sealed = BUF_INIT(TEXT_MAX), text = BUF_INIT(TEXT_MAX);

	seal(f->desk->vault, "the only one", &sealed);
	other_start(f, &o, "second");
	assert_false(vault_is_ready(o.vault));
	OK(vault_look(f->desk->vault, &err));
	OK(vault_look(o.vault, &err));
	OK(unseal(o.vault, "test", &sealed, &text));
	assert_string_equal(buf_str(&text), "the only one");
	other_end(&o);
}

static void a_lost_state_dir_costs_what_was_sealed_and_no_more(void **state)
{
	struct fixture *f = *state;
	struct other o;
	md_auto(buf_done) struct buf old = BUF_INIT(TEXT_MAX), new = BUF_INIT(TEXT_MAX),
				     text = BUF_INIT(TEXT_MAX);

	seal(f->desk->vault, "before", &old);
	is_gone(f, f->desk->instance);
	other_start(f, &o, "anew"); /* none lives that could answer */
	seal(o.vault, "after", &new);
	assert_int_equal(unseal(o.vault, "test", &old, &text), MD_AGAIN);
	/* the first one comes back: each tells the other what it has */
	assert_int_equal(unseal(f->desk->vault, "test", &new, &text), MD_AGAIN);
	lives(f, "anew");
	OK(vault_look(f->desk->vault, &err));
	OK(vault_look(o.vault, &err));
	OK(vault_look(f->desk->vault, &err));
	OK(unseal(f->desk->vault, "test", &new, &text));
	assert_string_equal(buf_str(&text), "after");
	OK(unseal(o.vault, "test", &old, &text));
	assert_string_equal(buf_str(&text), "before");
	other_end(&o);
}

static void a_key_file_that_cannot_be_trusted_is_refused(void **state)
{
	struct fixture *f = *state;
	struct other o;
	char path[200];

	other_start(f, &o, "open");
	vault_free(md_take(o.vault));
	snprintf(path, sizeof path, "%s/desk.key", o.dir);
	assert_int_equal(chmod(path, 0640), 0);
	assert_int_equal(vault_new(f->desk->db, o.dir, "open", &random_system, &o.vault, &err),
			 MD_BROKEN);
	assert_non_null(strstr(err.text, "chmod 600"));
	assert_int_equal(chmod(path, 0600), 0);
	assert_int_equal(truncate(path, 5), 0);
	assert_int_equal(vault_new(f->desk->db, o.dir, "open", &random_system, &o.vault, &err),
			 MD_BROKEN);
	assert_non_null(strstr(err.text, "damaged"));
	other_end(&o);
}

static int offer_in_txn(struct db_conn *c, void *ctx, struct md_err *e)
{
	return otp_offer(c, *(const int64_t *)ctx, "12345678901234567890", 20, e);
}

static void second_factors_in_clear_are_sealed(void **state)
{
	struct fixture *f = *state;
	md_auto(buf_done) struct buf secret = BUF_INIT(TEXT_MAX);
	struct db_conn *c = NULL;
	struct otp_row o;

	OK(db_txn(f->desk->db, offer_in_txn, &f->anna, &err));
	for (int i = 0; i < 2; i++) { /* the second time there is nothing to do */
		OK(factors_seal_all(f->desk->db, f->desk->vault, &err));
		OK(db_read(f->desk->db, &c, &err));
		OK(otp_get(c, f->anna, &f->arena, &o, &err));
		db_read_done(c);
		assert_int_equal(o.secret.n, 20 + VAULT_OVERHEAD);
		buf_reset(&secret);
		OK(factor_open(f->desk->vault, &o, &secret, &err));
		assert_string_equal(buf_str(&secret), "12345678901234567890");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		DESK_TEST(what_is_sealed_opens_for_its_purpose_alone, ""),
		DESK_TEST(text_goes_both_ways, ""),
		DESK_TEST(a_daemon_that_joins_is_given_the_key, ""),
		DESK_TEST(of_two_that_start_together_one_makes_the_key, ""),
		DESK_TEST(a_lost_state_dir_costs_what_was_sealed_and_no_more, ""),
		DESK_TEST(a_key_file_that_cannot_be_trusted_is_refused, ""),
		DESK_TEST(second_factors_in_clear_are_sealed, ""),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
