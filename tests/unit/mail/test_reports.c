/* tests/data/reports.txt: reports of many mailers and providers in their own words, and mails that
 * merely look like some, each behind "=== NAME: KIND RECIPIENT ACTION STATUS; ... <MESSAGE-ID>"
 * with what is to be read. */
#include "mail_test.h"

#include <maildesk/base/buf.h>

static void show(struct buf *out, const struct message *m)
{
	const struct bounce *v = m->bounce.v;
	const char *id = NULL;

	buf_adds(out, message_kind_name((enum message_kind)m->kind));
	for (size_t i = 0; i < m->bounce.n; i++) {
		buf_addf(out, "%s%s %s %s", i ? "; " : " ", v[i].recipient ? v[i].recipient : "-",
			 v[i].action ? v[i].action : "-", v[i].status ? v[i].status : "-");
		id = v[i].original_message_id;
	}
	if (id)
		buf_addf(out, " <%s>", id);
}

static void reads_reports_of_many_mailers(void **state)
{
	size_t n, read = 0;
	char *file = test_slurp("tests/data/reports.txt", &n);
	struct span rest = { file, n }, title, mail;

	(void)state;
	while (span_line(&rest, &title)) {
		md_auto(arena_done) struct arena a = ARENA_INIT(TEST_ARENA);
		md_auto(buf_done) struct buf got = BUF_INIT(10000);
		size_t end = span_find(rest, "\n=== ");
		struct message m;

		mail = span_sub(rest, 0, end < rest.n ? end + 1 : rest.n);
		rest = span_from(rest, mail.n);
		assert_true(span_starts(title, "=== "));
		m = message_of(&a, mail.p, mail.n);
		show(&got, &m);
		if (!span_is(span_trim(span_from(title, span_chr(title, ':') + 1)), buf_str(&got)))
			fail_msg("%.*s\n got %s", (int)title.n, title.p, buf_str(&got));
		read++;
	}
	assert_true(read > 100);
	free(file);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(reads_reports_of_many_mailers) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
