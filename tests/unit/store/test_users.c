#include "store_test.h"

#include <maildesk/base/record.h>
#include <maildesk/store/sessions.h>
#include <maildesk/store/settings.h>

TXN_TEST(a_user_comes_back_as_added)
{
	struct user u = { .name = "Zoë Ann",
			  .email = "Zoe@Example.ORG",
			  .role = "agent",
			  .password_hash = "$argon2id$x",
			  .locale = "en",
			  .timezone = "Europe/Berlin",
			  .created_at = 12345 };
	struct user got;
	int64_t id;

	OK(user_add(c, &u, &id, &err));
	OK(user_get(c, id, a, &got, &err));
	assert_int_equal(got.id, id);
	assert_string_equal(got.name, u.name);
	assert_string_equal(got.email, "zoe@example.org");
	assert_string_equal(got.role, "agent");
	assert_string_equal(got.password_hash, u.password_hash);
	assert_string_equal(got.locale, "en");
	assert_string_equal(got.timezone, "Europe/Berlin");
	assert_int_equal(got.created_at, 12345);
	assert_int_equal(got.epoch, 0);
	assert_int_equal(got.disabled_at, 0);
	assert_int_equal(got.undeliverable_at, 0);

	got.name = "Zoë B.";
	got.role = "admin";
	got.password_hash = NULL;
	got.locale = NULL;
	got.timezone = "UTC";
	got.disabled_at = 77;
	got.undeliverable_at = 78;
	got.epoch = 3;
	OK(user_save(c, &got, &err));
	OK(user_by_address(c, "ZOE@example.org", a, &u, &err));
	assert_int_equal(u.id, id);
	assert_string_equal(u.name, "Zoë B.");
	assert_string_equal(u.role, "admin");
	assert_null(u.password_hash);
	assert_null(u.locale);
	assert_string_equal(u.timezone, "UTC");
	assert_int_equal(u.disabled_at, 77);
	assert_int_equal(u.undeliverable_at, 78);
	assert_int_equal(u.epoch, 3);
	got.id = 999;
	assert_int_equal(user_save(c, &got, &err), MD_NOTFOUND);
}

TXN_TEST(an_address_has_one_owner)
{
	struct user u = { .name = "B", .email = "ANN@x.org", .role = "customer", .created_at = 1 };
	struct rec_strs addresses;
	struct user got;
	int64_t id = -7, ann = a_user(c, "ann@x.org", "customer");

	assert_int_equal(user_add(c, &u, &id, &err), MD_CONFLICT);
	assert_int_equal(id, -7);
	/* the transaction goes on, without a half added user */
	u.email = "bob@x.org";
	OK(user_add(c, &u, &id, &err));
	OK(user_addresses(c, ann, a, &addresses, &err));
	assert_int_equal(addresses.n, 1);
	assert_string_equal(addresses.v[0], "ann@x.org");
	assert_int_equal(user_by_address(c, "carl@x.org", a, &got, &err), MD_NOTFOUND);
	assert_int_equal(user_get(c, 4711, a, &got, &err), MD_NOTFOUND);
}

TXN_TEST(unknown_roles_are_conflicts)
{
	struct user u = { .name = "x", .email = "x@x", .role = "root", .created_at = 1 };
	int64_t id;

	(void)a;
	FAILS(MD_CONFLICT, c, user_add(c, &u, &id, &err));
}

static void disable(struct db_conn *c, struct arena *a, int64_t id)
{
	struct user u;

	OK(user_get(c, id, a, &u, &err));
	u.disabled_at = 5;
	OK(user_save(c, &u, &err));
}

TXN_TEST(agents_are_those_who_can_work)
{
	int64_t admin = a_user(c, "admin@x", "admin"), one = a_user(c, "one@x", "agent"),
		gone = a_user(c, "gone@x", "agent");
	struct user *list;
	size_t n;

	a_user(c, "customer@x", "customer");
	disable(c, a, gone);
	OK(user_agents(c, true, a, &list, &n, &err));
	assert_int_equal(n, 2);
	assert_int_equal(list[0].id, admin);
	assert_int_equal(list[1].id, one);
	OK(user_agents(c, false, a, &list, &n, &err));
	assert_int_equal(n, 1);
	assert_int_equal(list[0].id, one);
}

static const struct list_case {
	struct user_filter filter;
	const char *want; /* the addresses' first letters */
	int64_t total;
} list_cases[] = {
	{ { .limit = 10 }, "abcde", 5 },
	{ { .limit = 2 }, "ab", 5 },
	{ { .limit = 2, .offset = 4 }, "e", 5 },
	{ { .limit = 2, .offset = 9 }, "", 5 },
	{ { .limit = 10, .role = "customer" }, "cde", 3 },
	{ { .limit = 10, .q = "name of d" }, "d", 1 },
	{ { .limit = 10, .q = "@x.org" }, "abcde", 5 },
	{ { .limit = 10, .q = "straße é" }, "e", 1 },
	{ { .limit = 10, .q = "100%" }, "c", 1 },
	{ { .limit = 10, .q = "%" }, "c", 1 },
	{ { .limit = 10, .q = "_" }, "", 0 },
	{ { .limit = 10, .q = "\\" }, "", 0 },
	{ { .limit = 10, .q = "'; DROP TABLE users; --" }, "", 0 },
	{ { .limit = 10, .q = "d d@" }, "", 0 }, /* not across name and address */
	{ { .limit = 10, .staff_or_self = true, .self_id = 4 }, "abd", 3 },
	{ { .limit = 10, .staff_or_self = true, .self_id = 4, .role = "customer" }, "d", 1 },
};

TXN_TEST(users_are_listed_by_filter)
{
	static const struct {
		const char *name, *email, *role;
	} people[] = {
		{ "Admin", "a@x.org", "admin" },       { "Agent", "b@x.org", "agent" },
		{ "100% C", "c@x.org", "customer" },   { "Name of D", "d@x.org", "customer" },
		{ "STRAßE É", "e@x.org", "customer" },
	};
	struct user *list;
	int64_t id, total;
	size_t n;

	for (size_t i = 0; i < MD_COUNT(people); i++) {
		struct user u = { .name = people[i].name,
				  .email = people[i].email,
				  .role = people[i].role,
				  .created_at = 1 };

		OK(user_add(c, &u, &id, &err));
	}
	for (size_t i = 0; i < MD_COUNT(list_cases); i++) {
		char got[8] = "";

		OK(user_list(c, &list_cases[i].filter, a, &list, &n, &total, &err));
		for (size_t k = 0; k < n && k < sizeof got - 1; k++)
			got[k] = list[k].email[0];
		assert_string_equal(got, list_cases[i].want);
		assert_int_equal(total, list_cases[i].total);
	}
}

/* ---- settings ---- */

static void a_secret_is_made_once(void **state)
{
	struct fixture *f = *state;
	struct random first = random_seeded(1), second = random_seeded(2);
	uint8_t one[32] = { 0 }, two[32] = { 0 }, three[16], zero[32] = { 0 };
	struct db *other = NULL;

	OK(setting_secret(f->db, "jwt", &first, one, sizeof one, &err));
	assert_memory_not_equal(one, zero, sizeof one);
	OK(db_open(f->where, &other, &err));
	OK(setting_secret(other, "jwt", &second, two, sizeof two, &err));
	db_close(other);
	assert_memory_equal(one, two, sizeof one);
	assert_int_equal(setting_secret(f->db, "jwt", &second, three, sizeof three, &err),
			 MD_BROKEN);
	OK(setting_secret(f->db, "token", &second, two, sizeof two, &err));
	assert_memory_not_equal(one, two, sizeof one);
}

TXN_TEST(settings_are_replaced)
{
	char out[8];
	size_t n = 99;

	(void)a;
	assert_int_equal(setting_get(c, "uuid", out, sizeof out, &n, &err), MD_NOTFOUND);
	OK(setting_put(c, "uuid", "abc", 3, &err));
	OK(setting_put(c, "uuid", "de\0f", 4, &err));
	OK(setting_get(c, "uuid", out, sizeof out, &n, &err));
	assert_int_equal(n, 4);
	assert_memory_equal(out, "de\0f", 4);
	OK(setting_put(c, "uuid", NULL, 0, &err));
	OK(setting_get(c, "uuid", out, sizeof out, &n, &err));
	assert_int_equal(n, 0);
	OK(setting_put(c, "uuid", "123456789", 9, &err));
	assert_int_equal(setting_get(c, "uuid", out, sizeof out, &n, &err), MD_BROKEN);
}

/* ---- sessions ---- */

static int64_t a_session(struct db_conn *c, struct arena *a, int64_t user, const char *family,
			 const char *hash)
{
	struct session_row s = { .user_id = user,
				 .family = family,
				 .token_hash = hash,
				 .created_at = 10,
				 .expires_at = 20 },
			   got;

	OK(session_add(c, &s, &err));
	OK(session_find(c, hash, a, &got, &err));
	assert_string_equal(got.family, family);
	assert_int_equal(got.user_id, user);
	assert_int_equal(got.created_at, 10);
	assert_int_equal(got.expires_at, 20);
	assert_int_equal(got.used_at, 0);
	assert_int_equal(got.revoked_at, 0);
	return got.id;
}

static int64_t revoked_at(struct db_conn *c, struct arena *a, const char *hash)
{
	struct session_row got;

	OK(session_find(c, hash, a, &got, &err));
	return got.revoked_at;
}

TXN_TEST(a_refresh_token_is_used_once)
{
	int64_t ann = a_user(c, "ann@x", "agent"), bob = a_user(c, "bob@x", "agent");
	int64_t first = a_session(c, a, ann, "f1", "h1");
	struct session_row got;

	a_session(c, a, ann, "f1", "h2");
	a_session(c, a, ann, "f2", "h3");
	a_session(c, a, bob, "f3", "h4");
	assert_int_equal(session_find(c, "h9", a, &got, &err), MD_NOTFOUND);
	OK(session_use(c, first, 15, &err));
	assert_int_equal(session_use(c, first, 16, &err), MD_CONFLICT);
	OK(session_find(c, "h1", a, &got, &err));
	assert_int_equal(got.used_at, 15);

	OK(session_end_family(c, "f1", 17, &err));
	assert_int_equal(revoked_at(c, a, "h1"), 17);
	assert_int_equal(revoked_at(c, a, "h2"), 17);
	assert_int_equal(revoked_at(c, a, "h3"), 0);
	OK(session_find(c, "h2", a, &got, &err));
	assert_int_equal(session_use(c, got.id, 18, &err), MD_CONFLICT);

	OK(session_end_user(c, ann, 19, &err));
	assert_int_equal(revoked_at(c, a, "h2"), 17); /* the first time counts */
	assert_int_equal(revoked_at(c, a, "h3"), 19);
	assert_int_equal(revoked_at(c, a, "h4"), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_user_comes_back_as_added),  TEST(an_address_has_one_owner),
		TEST(unknown_roles_are_conflicts), TEST(agents_are_those_who_can_work),
		TEST(users_are_listed_by_filter),  TEST(a_secret_is_made_once),
		TEST(settings_are_replaced),       TEST(a_refresh_token_is_used_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
