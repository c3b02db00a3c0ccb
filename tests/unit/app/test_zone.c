#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <maildesk/app/zone.h>
#include <maildesk/base/mem.h>

static void zones_by_name(void **state)
{
	static const struct {
		const char *name;
		int code;
	} cases[] = {
		{ "Europe/Berlin", MD_OK },
		{ "America/Argentina/Buenos_Aires", MD_OK },
		{ "Etc/GMT+5", MD_OK },
		{ "UTC", MD_OK },
		{ "Europe/Atlantis", MD_NOTFOUND },
		{ "Europe", MD_NOTFOUND },
		{ "Europe/Berlin/Mitte", MD_NOTFOUND },
		{ "Europe/Berlin/", MD_NOTFOUND },
		{ "", MD_NOTFOUND },
		{ "/etc/passwd", MD_NOTFOUND },
		{ "/usr/share/zoneinfo/UTC", MD_NOTFOUND },
		{ "../../../etc/passwd", MD_NOTFOUND },
		{ "Europe/../UTC", MD_NOTFOUND },
		{ "Europe//Berlin", MD_NOTFOUND },
		{ "zone.tab", MD_NOTFOUND },
		{ "UTC\n", MD_NOTFOUND },
		{ "leapseconds", MD_INPUT },         /* a file, but no zone */
		{ "right/Europe/Berlin", MD_INPUT }, /* counts leap seconds */
	};

	(void)state;
	for (size_t i = 0; i < MD_COUNT(cases); i++) {
		md_auto(calendar_done) struct calendar c = { 0 };
		struct md_err err = { 0 };

		if (zone_load(cases[i].name, &c, &err) != cases[i].code)
			fail_msg("\"%s\": %s", cases[i].name, err.text);
		assert_int_equal(c.tz != NULL, cases[i].code == MD_OK);
	}
}

static void message_names_the_zone(void **state)
{
	md_auto(calendar_done) struct calendar c = { 0 };
	struct md_err err;

	(void)state;
	assert_int_equal(zone_load("Europe/Atlantis", &c, &err), MD_NOTFOUND);
	assert_string_equal(err.text, "unknown time zone \"Europe/Atlantis\"");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(zones_by_name),
		cmocka_unit_test(message_names_the_zone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
