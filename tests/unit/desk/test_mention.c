#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <maildesk/base/err.h>
#include <maildesk/base/mem.h>
#include <maildesk/desk/mention.h>
#include <string.h>

/* a: Anna Weber, b: Bob, c: Anna Klein, d: Jörg Öz */
static const struct mention_person desk[] = {
	{ "Anna Weber", "aw@desk.test", false },
	{ "Bob", "bob.b@desk.test", false },
	{ "Anna Klein", "anna.klein@desk.test", false },
	{ "J\xc3\xb6rg \xc3\x96z", "joerg@desk.test", false },
};

static void who_is_named(void **state)
{
	static const struct {
		const char *text, *expect;
	} cases[] = {
		{ NULL, "" },
		{ "Bob, please", "" },
		{ "@bob", "b" },
		{ "@Bob: please", "b" },
		{ "please look, @BOB.", "b" },
		{ "(@bob)", "b" },
		{ "@bob.b", "b" },
		{ "@bob.b@desk.test have a look", "b" },
		{ "@bobby", "" },
		{ "@bob2", "" },
		{ "@bob.c", "" },
		{ "mail@bob and x@bob.test", "" },
		{ "@ bob", "" },
		{ "@", "" },
		{ "@@bob", "b" },
		{ "@Anna", "" }, /* there are two */
		{ "@Anna Weber and @bob", "ab" },
		{ "@anna.weber", "a" },
		{ "@anna weberknecht", "" },
		{ "@aw", "a" },
		{ "@Anna.Klein", "c" },
		{ "@j\xc3\xb6rg", "d" },
		{ "@J\xc3\x96RG \xc3\xb6Z!", "d" },
		{ "@j\xc3\xb6rgen", "" },
		{ "@joerg", "d" },
		{ "a\n@bob\n@aw\n", "ab" },
	};

	(void)state;
	for (size_t i = 0; i < MD_COUNT(cases); i++) {
		struct mention_person people[MD_COUNT(desk)];
		char named[MD_COUNT(desk) + 1];
		size_t n = 0;

		memcpy(people, desk, sizeof desk);
		assert_int_equal(mention_find(cases[i].text, people, MD_COUNT(people)), MD_OK);
		for (size_t p = 0; p < MD_COUNT(people); p++)
			if (people[p].is_named)
				named[n++] = (char)('a' + p);
		named[n] = '\0';
		if (strcmp(named, cases[i].expect) != 0)
			fail_msg("%s: %s", cases[i].text, named);
	}
}

/* The same person from two lists is no namesake. */
static void one_person_twice(void **state)
{
	struct mention_person people[] = { { "Anna Weber", "aw@desk.test", false },
					   { "Anna Weber", "aw@desk.test", false } };

	(void)state;
	assert_int_equal(mention_find("@anna", people, 2), MD_OK);
	assert_true(people[0].is_named && people[1].is_named);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_is_named),
		cmocka_unit_test(one_person_twice),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
