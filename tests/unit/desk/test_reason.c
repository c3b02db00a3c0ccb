/* reason.h: sentences are known by their words, and said in every language. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <maildesk/base/err.h>
#include <maildesk/base/mem.h>
#include <maildesk/desk/reason.h>

#include <string.h>

/* What is said of commands: sentences with something filled in, and one in another. */
static void reasons_are_said_in_every_language(void **state)
{
	static const struct {
		const char *locale, *reason, *expect;
	} cases[] = {
		{ "de", "not allowed to you", "Das dürfen Sie nicht." },
		{ "en", "not allowed to you", "not allowed to you" },
		{ "de", "no way from open to resolved; allowed: in_progress, closed",
		  "Von open führt kein Weg zu resolved; möglich ist: in_progress, closed" },
		{ "fr", "open to closed is not for you; allowed: nothing",
		  "Vous ne pouvez pas passer de open à closed, ni ailleurs." },
		{ "es",
		  "take it first, [take; resolve]: no way from open to resolved; allowed: closed",
		  "Asígneselo primero, [take; resolve]: No se pasa de open a resolved; se puede: "
		  "closed" },
		{ "de", "canned reply \"thanks\": resolve: not allowed to you",
		  "Textbaustein „thanks“: resolve: Das dürfen Sie nicht." },
		{ "de", "\"ann\" could be Ann A <a@x.test>, Ann B <b@x.test>: use the address",
		  "„ann“ könnte Ann A <a@x.test>, Ann B <b@x.test> sein: Nehmen Sie die Adresse." },
		/* the writer's own words stay */
		{ "de", "no agent or team is called \"no such ticket\"",
		  "Niemand hier und kein Team heißt „no such ticket“." },
		{ "de", "no status \"a\"; there are: b\"; there are: open, until 3",
		  "Einen Status „a“ gibt es nicht; es gibt: b\"; there are: open, until 3" },
		{ "fr", "to the team Ops", "à l’équipe Ops" },
		{ "es", "#12 was merged itself; allowed: #7",
		  "#12 se unió a su vez a otro; se puede: #7" },
		{ "de", "%1 %s", "%1 %s" },
		{ "de", "open -> resolved", "open -> resolved" },
		{ "pt", "one number only", "one number only" },
		{ "de", "", "" },
	};

	(void)state;
	for (size_t i = 0; i < MD_COUNT(cases); i++) {
		md_auto(buf_done) struct buf out = BUF_INIT(4096);

		reason_say(reason_rows, &out, cases[i].reason, cases[i].locale);
		assert_string_equal(buf_str(&out), cases[i].expect);
	}
}

/* As JSON: the name, and what stands in the sentence. */
static void sentences_have_names(void **state)
{
	static const struct {
		const char *text, *expect;
	} cases[] = {
		{ "must not be empty", "\"code\":\"empty\",\"values\":[]" },
		{ "must have at most 200 characters",
		  "\"code\":\"too_long\",\"values\":[\"200\"]" },
		{ "must be an array of 1 to 500 ids",
		  "\"code\":\"no_ids\",\"values\":[\"1\",\"500\"]" },
		{ "no way from open to resolved; allowed: in_progress, closed",
		  "\"code\":\"no_way\",\"values\":[\"open\",\"resolved\",\"in_progress, "
		  "closed\"]" },
		{ "take it first, [take; resolve]: no way from open to resolved; allowed: nothing",
		  "\"code\":\"take_first_at_all\",\"values\":[\"open\",\"resolved\"]" },
		{ "canned reply \"a\": take: not allowed to you",
		  "\"code\":\"canned_reply\",\"values\":[\"a\",\"take: not allowed to you\"]" },
		{ "\"a\\b\" is no mail address",
		  "\"code\":\"no_address_named\",\"values\":[\"a\\\\b\"]" },
		/* a field in front, which is named once */
		{ "assignee: only an active agent or admin can be assigned",
		  "\"code\":\"assignee_active\",\"values\":[]" },
		{ "only an active agent or admin can be assigned",
		  "\"code\":\"assignee_active\",\"values\":[]" },
		{ "there is no tag of that name", "\"code\":\"no_tag\",\"values\":[]" },
		{ "status: must be one of open, closed",
		  "\"code\":\"not_one_of\",\"values\":[\"open, closed\"]" },
		{ "open -> resolved", "\"code\":\"moved\",\"values\":[\"open\",\"resolved\"]" },
		{ "nothing known", "" },
		{ "", "" },
		{ "%1", "" },
	};

	(void)state;
	for (size_t i = 0; i < MD_COUNT(cases); i++) {
		md_auto(buf_done) struct buf out = BUF_INIT(4096);
		struct reason r;

		if (reason_find(cases[i].text, &r))
			reason_json(&out, &r);
		assert_string_equal(buf_str(&out), cases[i].expect);
	}
}

/* Each row is found by its own words: none stands behind one that fits more, and names are one's
 * own. */
static void each_row_is_found(void **state)
{
	(void)state;
	for (const struct reason_row *r = reason_rows; r->en; r++) {
		md_auto(buf_done) struct buf text = BUF_INIT(4096);
		const char *p = r->en;
		struct reason found;

		for (size_t n; p[n = strcspn(p, "%")]; p += n + 2) {
			buf_add(&text, p, n);
			buf_adds(&text, "x7");
		}
		buf_adds(&text, p);
		assert_true(reason_find(buf_str(&text), &found));
		assert_string_equal(found.code, r->code);
		for (const struct reason_row *o = r + 1; o->en; o++)
			assert_string_not_equal(o->code, r->code);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reasons_are_said_in_every_language),
		cmocka_unit_test(sentences_have_names),
		cmocka_unit_test(each_row_is_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
