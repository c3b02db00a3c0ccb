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
	struct template *compiled[64];
	size_t n;
	const char *locale; /* NULL: en */
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
	const char *const folders[] = { s->locale ? s->locale : "en", "shared" };
	const struct embed_file *f = NULL;
	struct md_err err = { 0 };
	const char *text;
	char path[100];

	for (size_t i = 0; i < MD_COUNT(folders) && !f; i++) {
		snprintf(path, sizeof path, "templates/%s/%s.mustache", folders[i], name);
		f = embed_find(path);
	}
	text = s->extra_name && strcmp(s->extra_name, name) == 0 ? s->extra_text : NULL;
	if (!text && !f)
		return NULL;
	assert_true(s->n < MD_COUNT(s->compiled));
	if (template_compile(name, text ? text : f->data, text ? strlen(text) : f->len,
			     &s->compiled[s->n], &err) != MD_OK)
		fail_msg("%s", err.text);
	return s->compiled[s->n++];
}

/* What a letter of any event may be filled with. */
static const char facts_text[] =
	"{\"desk\":{\"name\":\"Example & Sons\",\"url\":\"https://desk.test\"},"
	"\"ticket\":{\"id\":12,\"tag\":\"[#12]\",\"title\":\"Printer <jammed>\\r\\nBcc: x@y\","
	"\"status\":\"resolved\",\"status_name\":\"solved\",\"priority\":\"high\","
	"\"url\":\"https://desk.test/tickets/12\",\"assignee\":null,"
	"\"requester\":{\"name\":\"Carol\",\"email\":\"carol@customer.test\"}},"
	"\"into\":{\"tag\":\"[#7]\",\"title\":\"Printers\"},"
	"\"actor\":{\"name\":\"Anna\"},\"recipient\":{\"name\":\"Carol <b>\"},"
	"\"comment\":{\"body\":\"Please turn it off\\nand on & on.\","
	"\"html\":\"<p>Please turn it off<br>\\nand on &amp; on.</p>\\n\"},"
	"\"sla\":{\"metric\":\"first response\",\"due\":\"Monday, 14:00\",\"percent\":75},"
	"\"alarm\":{\"silence\":true,\"about\":\"#7\"},"
	"\"lines\":[{\"line\":\"resolve\",\"ok\":true},"
	"{\"line\":\"assign nobody\",\"ok\":false,\"reason\":\"no such person\"}],"
	"\"mailbox\":{\"name\":\"sales\",\"address\":\"sales@desk.test\",\"error\":\"no login\","
	"\"since\":\"Monday, 9:00\"},"
	"\"actions\":[{\"label\":\"Open\",\"href\":\"https://desk.test/?a=1&b=2\"}],"
	"\"link_url\":\"https://desk.test/#/x?token=y\","
	"\"mute_url\":\"https://desk.test/u/abc\",\"by_customer\":true,"
	"\"lang\":\"xx\",\"dir\":\"ltr\",\"align\":\"left\","
	"\"reply_marker\":\"-- write above this line --\",\"body_token\":\"[md:abc]\"}";

static json_t *facts(int known)
{
	json_t *j = NULL;

	assert_int_equal(json_read(facts_text, strlen(facts_text), 10, &j, NULL), MD_OK);
	json_object_set_new(j, "known", json_boolean(known));
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

/* Letters that are no event's own name, or are sent by others than notice.h. */
static const char *const further_letters[] = { "created_agent", "mailbox_alarm",  "confirmation",
					       "verification",  "password_reset", "sign_in_link" };
static const char *const languages[] = { "en", "de", "es", "fr" };

/* A mail with a link, about no ticket. */
static int is_of_account(const char *event)
{
	return strcmp(event, "verification") == 0 || strcmp(event, "password_reset") == 0 ||
	       strcmp(event, "sign_in_link") == 0;
}

static void check_letter(const char *locale, const char *event)
{
	md_auto(set_done) struct set s = { .locale = locale };
	md_auto(letter_done) struct letter l = LETTER_INIT;

	render(event, 1, &s, &l);
	if (is_of_account(event)) {
		assert_non_null(strstr(buf_str(&l.text), "\n\nhttps://desk.test/#/x?token=y\n\n"));
		assert_non_null(strstr(buf_str(&l.html), "href=\"https://desk.test/#/x?token=y\""));
	} else if (!strstr(event, "alarm")) {
		assert_true(starts(buf_str(&l.subject), "[#12] "));
	}
	assert_null(strpbrk(buf_str(&l.subject), "\r\n"));
	assert_true(starts(buf_str(&l.text), "-- write above this line --\n\n"));
	assert_true(ends(buf_str(&l.text), "\n[md:abc]\n"));
	assert_non_null(strstr(buf_str(&l.text), "Open <https://desk.test/?a=1&b=2>\n"));
	assert_non_null(strstr(buf_str(&l.text), ": https://desk.test/u/abc\n"));
	assert_null(strstr(buf_str(&l.text), "{{"));
	assert_null(strstr(buf_str(&l.text), "&amp;"));
	assert_null(strstr(buf_str(&l.text), "\n\n\n"));
	assert_non_null(strstr(buf_str(&l.html), "Example &amp; Sons"));
	assert_non_null(strstr(buf_str(&l.html), "href=\"https://desk.test/?a=1&amp;b=2\""));
	assert_non_null(strstr(buf_str(&l.html), "[md:abc]\n</td>"));
	assert_null(strstr(buf_str(&l.html), "{{"));
	assert_null(strstr(buf_str(&l.html), "<jammed>"));
	assert_null(strstr(buf_str(&l.html), "<b>"));
	assert_true(utf8_valid(buf_str(&l.html), l.html.len));
}

/* Every event that notice.h can name has its templates in each language, and each mail its frame.
 */
static void every_event_has_a_letter(void **state)
{
	(void)state;
	for (size_t k = 0; k < MD_COUNT(languages); k++) {
		for (size_t e = 0; e < NOTICE_EVENT_COUNT; e++)
			if (e != NOTICE_TOO_LARGE) /* its letter is that of "created" */
				check_letter(languages[k], notice_event_names[e]);
		for (size_t e = 0; e < MD_COUNT(further_letters); e++)
			check_letter(languages[k], further_letters[e]);
	}
}

static void whole_text_of_a_reply(void **state)
{
	md_auto(set_done) struct set s = { 0 };
	md_auto(letter_done) struct letter l = LETTER_INIT;

	(void)state;
	render("public_reply", 1, &s, &l);
	assert_string_equal(buf_str(&l.subject), "[#12] Printer <jammed> Bcc: x@y");
	assert_string_equal(buf_str(&l.text),
			    "-- write above this line --\n"
			    "\n"
			    "New reply from Anna:\n"
			    "\n"
			    "Please turn it off\n"
			    "and on & on.\n"
			    "\n"
			    "Open <https://desk.test/?a=1&b=2>\n"
			    "\n"
			    "-- \n"
			    "Example & Sons\n"
			    "https://desk.test/tickets/12\n"
			    "Stop mails about this request: https://desk.test/u/abc\n"
			    "[md:abc]\n");
	assert_non_null(
		strstr(buf_str(&l.html), "<p>Please turn it off<br>\nand on &amp; on.</p>\n"));
	/* what lists of mails show beside the subject comes before everything else */
	assert_true(strstr(buf_str(&l.html), ">New reply from Anna: Please turn it off and on") <
		    strstr(buf_str(&l.html), "-- write above"));
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

#define BODY "{{comment.body}}"
#define EIGHT BODY BODY BODY BODY BODY BODY BODY BODY

/* By what is in it, or by the text that stands in it: the mail goes without. */
static void html_beyond_its_limit_is_left_out(void **state)
{
	static const char *const names[] = { "assigned.html", "assigned.text" };
	char *tabs = malloc(LETTER_MAX / 12 + 1);

	(void)state;
	memset(tabs, '\n', LETTER_MAX / 12);
	for (size_t i = 0; i + 1 < LETTER_MAX / 12; i += 3)
		tabs[i] = 'a';
	tabs[LETTER_MAX / 12] = '\0';
	for (size_t i = 0; i < MD_COUNT(names); i++) {
		md_auto(set_done) struct set s = {
			.extra_name = names[i],
			.extra_text = i ? BODY BODY BODY : EIGHT EIGHT,
		};
		md_auto(letter_done) struct letter l = LETTER_INIT;
		md_auto(json_decref_p) json_t *data = facts(1);
		const struct template_partials p = { .find = find, .ctx = &s };
		json_t *comment = json_object_get(data, "comment");
		struct md_err err;

		json_object_set_new(comment, "body", json_string(tabs));
		assert_int_equal(letter_render("assigned", data, &p, &l, &err), MD_OK);
		assert_int_equal(l.html.len, 0);
		assert_true(l.text.len > 0);
	}
	free(tabs);
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
		cmocka_unit_test(html_beyond_its_limit_is_left_out),
		cmocka_unit_test(missing_or_too_large),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
