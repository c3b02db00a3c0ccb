#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <maildesk/base/embed.h>
#include <maildesk/base/json.h>
#include <maildesk/base/utf8.h>
#include <maildesk/desk/letter.h>
#include <maildesk/desk/notice.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The built-in templates, compiled when asked for; `extra` stands before them. */
struct set {
	struct template *compiled[32];
	size_t n;
	const char *extra_name, *extra_text;
};

static void set_done(struct set *s)
{
	for (size_t i = 0; i < s->n; i++)
		template_free(s->compiled[i]);
}

static const struct template *find(void *ctx, const char *name)
{
	struct set *s = ctx;
	char path[100];
	const struct embed_file *f;
	struct md_err err = { 0 };
	const char *text;

	snprintf(path, sizeof path, "templates/en/%s.mustache", name);
	f = embed_find(path);
	text = s->extra_name && strcmp(s->extra_name, name) == 0 ? s->extra_text : NULL;
	if (!text && !f)
		return NULL;
	assert_true(s->n < MD_COUNT(s->compiled));
	if (template_compile(name, text ? text : f->data, text ? strlen(text) : f->len,
			     &s->compiled[s->n], &err) != MD_OK)
		fail_msg("%s", err.text);
	return s->compiled[s->n++];
}

static json_t *facts(int known)
{
	json_t *j = json_pack(
		"{s:{s:s, s:s}, s:{s:s, s:s, s:s, s:s, s:s, s:{s:s, s:s}, s:n}, s:{s:s}, s:{s:s},"
		" s:{s:s}, s:s, s:s, s:[{s:s, s:s}], s:{s:s, s:s, s:i}, s:[{s:s, s:b}, {s:s, s:b, "
		"s:s}], s:b}",
		"desk", "name", "Example & Sons", "url", "https://desk.test", "ticket", "tag",
		"[#12]", "title", "Printer <jammed>\r\nBcc: x@y", "status", "resolved", "priority",
		"high", "url", "https://desk.test/tickets/12", "requester", "name", "Carol",
		"email", "carol@customer.test", "assignee", "actor", "name", "Anna", "recipient",
		"name", "Carol <b>", "comment", "body", "Please turn it off\nand on & on.",
		"reply_marker", "-- write above this line --", "body_token", "[md:abc]", "actions",
		"label", "Open", "href", "https://desk.test/?a=1&b=2", "sla", "metric",
		"first response", "due", "Mon 2 March, 14:00", "percent", 75, "lines", "line",
		"resolve", "ok", 1, "line", "assign nobody", "ok", 0, "reason", "no such person",
		"known", known);

	assert_non_null(j);
	return j;
}

static void render(const char *event, int known, struct set *s, struct letter *l)
{
	md_auto(json_decref_p) json_t *data = facts(known);
	md_auto(json_decref_p) json_t *before = json_deep_copy(data);
	const struct template_partials p = { .find = find, .ctx = s };
	struct md_err err = { 0 };

	if (letter_render(event, data, &p, l, &err) != MD_OK)
		fail_msg("%s: %s", event, err.text);
	assert_true(json_equal(data, before));
}

static int starts(const char *s, const char *with)
{
	return strncmp(s, with, strlen(with)) == 0;
}

static int ends(const char *s, const char *with)
{
	return strlen(s) >= strlen(with) && strcmp(s + strlen(s) - strlen(with), with) == 0;
}

static const char *const agent_letters[] = { "created_agent" };

/* Every event that notice.h can name has its templates, and each mail its frame. */
static void every_event_has_a_letter(void **state)
{
	(void)state;
	for (size_t e = 0; e < NOTICE_EVENT_COUNT + MD_COUNT(agent_letters); e++) {
		md_auto(set_done) struct set s = { 0 };
		md_auto(letter_done) struct letter l = LETTER_INIT;
		const char *event = e < NOTICE_EVENT_COUNT ? notice_event_names[e]
							   : agent_letters[e - NOTICE_EVENT_COUNT];

		render(event, 1, &s, &l);
		assert_true(starts(buf_str(&l.subject), "[#12] "));
		assert_null(strpbrk(buf_str(&l.subject), "\r\n"));
		assert_true(starts(buf_str(&l.text), "-- write above this line --\n\n"));
		assert_true(ends(buf_str(&l.text), "\n[md:abc]\n"));
		assert_non_null(strstr(buf_str(&l.text), "Open: https://desk.test/?a=1&b=2\n"));
		assert_null(strstr(buf_str(&l.text), "{{"));
		assert_null(strstr(buf_str(&l.text), "&amp;"));
		assert_non_null(strstr(buf_str(&l.html), "Example &amp; Sons"));
		assert_non_null(
			strstr(buf_str(&l.html), "href=\"https://desk.test/?a=1&amp;b=2\""));
		assert_non_null(strstr(buf_str(&l.html), "[md:abc]\n</p>"));
		assert_null(strstr(buf_str(&l.html), "<jammed>"));
		assert_null(strstr(buf_str(&l.html), "<b>"));
		assert_true(utf8_valid(buf_str(&l.html), l.html.len));
	}
}

static void whole_text_of_a_reply(void **state)
{
	md_auto(set_done) struct set s = { 0 };
	md_auto(letter_done) struct letter l = LETTER_INIT;

	(void)state;
	render("public_reply", 1, &s, &l);
	assert_string_equal(buf_str(&l.subject), "[#12] Printer <jammed> Bcc: x@y");
	assert_string_equal(buf_str(&l.text), "-- write above this line --\n"
					      "\n"
					      "Please turn it off\n"
					      "and on & on.\n"
					      "\n"
					      "Open: https://desk.test/?a=1&b=2\n"
					      "\n"
					      "-- \n"
					      "Example & Sons\n"
					      "https://desk.test/tickets/12\n"
					      "[md:abc]\n");
	assert_non_null(strstr(buf_str(&l.html), "anywhere\">Please turn it off\n"
						 "and on &amp; on.</div>\n"));
}

/* No relay for other people's words: nothing of what a stranger wrote, not even the name. */
static void acknowledgement_to_a_stranger(void **state)
{
	static const char *const theirs[] = { "Printer", "jammed", "Carol", "turn it off",
					      "carol@customer.test" };
	md_auto(set_done) struct set s = { 0 };
	md_auto(letter_done) struct letter l = LETTER_INIT;

	(void)state;
	render("created", 0, &s, &l);
	assert_string_equal(buf_str(&l.subject), "[#12] We have your message");
	for (size_t i = 0; i < MD_COUNT(theirs); i++) {
		assert_null(strstr(buf_str(&l.text), theirs[i]));
		assert_null(strstr(buf_str(&l.html), theirs[i]));
	}
}

static void acknowledgement_to_somebody_known(void **state)
{
	md_auto(set_done) struct set s = { 0 };
	md_auto(letter_done) struct letter l = LETTER_INIT;

	(void)state;
	render("created", 1, &s, &l);
	assert_string_equal(buf_str(&l.subject), "[#12] Printer <jammed> Bcc: x@y");
	assert_non_null(strstr(buf_str(&l.text), "Hello Carol <b>,\n"));
	assert_null(strstr(buf_str(&l.text), "turn it off"));
}

static void transcript_says_what_and_why(void **state)
{
	md_auto(set_done) struct set s = { 0 };
	md_auto(letter_done) struct letter l = LETTER_INIT;

	(void)state;
	render("transcript", 1, &s, &l);
	assert_non_null(strstr(buf_str(&l.text), "\ndone     resolve\n"
						 "REFUSED  assign nobody: no such person\n"));
}

static void held_mail_is_not_repeated(void **state)
{
	md_auto(set_done) struct set s = { 0 };
	md_auto(letter_done) struct letter l = LETTER_INIT;

	(void)state;
	render("unverified", 1, &s, &l);
	assert_null(strstr(buf_str(&l.text), "turn it off"));
	assert_null(strstr(buf_str(&l.text), "Printer"));
}

static void html_of_its_own(void **state)
{
	md_auto(set_done) struct set s = { .extra_name = "assigned.html",
					   .extra_text = "<p>{{ticket.status}}</p>{{text}}\n" };
	md_auto(letter_done) struct letter l = LETTER_INIT;

	(void)state;
	render("assigned", 1, &s, &l);
	assert_non_null(strstr(buf_str(&l.html), "\n<p>resolved</p>\n"));
}

static void missing_or_too_large(void **state)
{
	md_auto(set_done) struct set s = { .extra_name = "assigned.subject",
					   .extra_text = "{{#lines}}{{long}}{{/lines}}" };
	md_auto(letter_done) struct letter l = LETTER_INIT;
	md_auto(json_decref_p) json_t *data = facts(1);
	const struct template_partials p = { .find = find, .ctx = &s };
	char *text = calloc(1, LETTER_SUBJECT_MAX + 1);
	struct md_err err;

	(void)state;
	assert_int_equal(letter_render("no_such_event", data, &p, &l, &err), MD_NOTFOUND);
	assert_string_equal(err.text, "no template no_such_event.subject");
	memset(text, 'x', LETTER_SUBJECT_MAX);
	json_object_set_new(data, "long", json_string(text));
	free(text);
	assert_int_equal(letter_render("assigned", data, &p, &l, &err), MD_INPUT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_event_has_a_letter),
		cmocka_unit_test(whole_text_of_a_reply),
		cmocka_unit_test(acknowledgement_to_a_stranger),
		cmocka_unit_test(acknowledgement_to_somebody_known),
		cmocka_unit_test(transcript_says_what_and_why),
		cmocka_unit_test(held_mail_is_not_repeated),
		cmocka_unit_test(html_of_its_own),
		cmocka_unit_test(missing_or_too_large),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
