/* The built-in letters in all their languages, and what of a templates_dir is taken, refused,
 * complained about and, when it fails in use, replaced. */
#include "desk_fixture.h"

#include <maildesk/base/embed.h>
#include <maildesk/base/json.h>
#include <maildesk/desk/letter.h>

#define CAROL "carol@customer.test"

static const char *const languages[] = { "en", "de", "es", "fr" };

/* ---- built in ---- */

/* Names of variables, sections and partials, each once, sorted. */
static const char *names_of(struct arena *a, const struct template *t)
{
	const char *names[100], *all = "";
	struct template_name name;
	size_t n = 0;

	for (size_t at = 0; template_next_name(t, &at, &name);) {
		const char *word = arena_strndup(a, name.text, name.len);
		size_t i = 0;

		while (i < n && strcmp(names[i], word) < 0)
			i++;
		if (i < n && strcmp(names[i], word) == 0)
			continue;
		assert_true(n < MD_COUNT(names));
		memmove(&names[i + 1], &names[i], (n++ - i) * sizeof *names);
		names[i] = word;
	}
	for (size_t i = 0; i < n; i++)
		all = arena_printf(a, "%s %s", all, names[i]);
	return all;
}

static const struct template *built_in(const struct templates *t, const char *locale,
				       const char *name)
{
	struct templates_view view;

	templates_view(t, &locale, 1, &view);
	assert_string_equal(view.locale[0], locale);
	assert_string_equal(templates_locale_of(&view, name), locale);
	return templates_find(&view, name);
}

/* The same files and the same variables in each language. */
static void languages_say_the_same(void **state)
{
	static const char folder[] = "templates/en/", suffix[] = ".mustache";
	md_auto(templates_free_p) struct templates *t = NULL;
	size_t english = 0, all = 0;

	(void)state;
	OK(templates_load(NULL, &t, NULL, &err));
	for (const struct embed_file *f = embed_files; f->name; f++) {
		md_auto(arena_done) struct arena a = ARENA_INIT(1 << 20);
		const char *name = f->name + strlen(folder), *expect;

		all += strncmp(f->name, "templates/", 10) == 0 &&
		       strncmp(f->name, "templates/shared/", 17) != 0;
		if (strncmp(f->name, folder, strlen(folder)) != 0)
			continue;
		english++;
		name = arena_strndup(&a, name, strlen(name) - strlen(suffix));
		expect = names_of(&a, built_in(t, "en", name));
		for (size_t k = 1; k < MD_COUNT(languages); k++) {
			const char *got = names_of(&a, built_in(t, languages[k], name));

			if (strcmp(got, expect) != 0)
				fail_msg("%s/%s:%s, in English%s", languages[k], name, got, expect);
		}
	}
	assert_int_equal(all, english * MD_COUNT(languages));
}

/* Every letter in every language can be made, and no name in them is unknown. */
static void built_in_templates_are_right(void **state)
{
	md_auto(templates_free_p) struct templates *t = NULL;
	md_auto(buf_done) struct buf errors = BUF_INIT(1 << 16);
	md_auto(buf_done) struct buf warnings = BUF_INIT(1 << 16);

	(void)state;
	OK(templates_load(NULL, &t, NULL, &err));
	OK(templates_check(t, &errors, &warnings, &err));
	assert_string_equal(buf_str(&errors), "");
	assert_string_equal(buf_str(&warnings), "");
}

/* ---- whose language ---- */

static int set_locale(struct db_conn *c, void *ctx, struct md_err *e)
{
	return user_save(c, ctx, e);
}

static void locale_of(struct fixture *f, int64_t user, const char *locale, const char *zone)
{
	md_auto(db_read_done_p) struct db_conn *c = NULL;
	struct user u;

	OK(db_read(f->desk->db, &c, &err));
	OK(user_get(c, user, &f->arena, &u, &err));
	u.locale = locale;
	u.timezone = zone;
	OK(db_txn(f->desk->db, set_locale, &u, &err));
}

static void the_readers_language_is_spoken(void **state)
{
	static const struct {
		const char *locale, *lang, *words;
	} cases[] = {
		{ "de", "de", "Bitte antworten Sie oberhalb dieser Zeile" },
		{ "de-AT", "de", "Ihre Anfrage hat die Nummer [#" },
		{ "es_MX", "es", "Su solicitud tiene el n=C3=BAmero [#" },
		{ "en", "en", "Your request has the number [#" },
		{ "FR", "fr", "Votre demande porte le num=C3=A9ro [#" },
		/* one we don't speak, and none: the mailbox's */
		{ "pt_BR", "fr", "Votre demande porte le num=C3=A9ro [#" },
		{ NULL, "fr", "Votre demande porte le num=C3=A9ro [#" },
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < MD_COUNT(cases); i++) {
		const char *mail;

		fixture_now += DAY; /* or it would be a ping-pong */
		locale_of(f, f->carol, cases[i].locale, NULL);
		TAKE(f, .from = CAROL, .auth = "pass", .subject = "Help", .mailbox = f->sales);
		mail = rendered(f, newest_to(f, CAROL));
		assert_non_null(strstr(mail, cases[i].words));
		assert_non_null(
			strstr(mail, arena_printf(&f->arena, "<html lang=3D\"%s\" dir=3D\"ltr\">",
						  cases[i].lang)));
	}
}

static void dates_are_in_the_readers_zone(void **state)
{
	struct fixture *f = *state;

	create(f, f->carol, f->carol, "x");
	locale_of(f, f->admin, "de", "Asia/Kolkata");
	tick(f, MONDAY_9 + 120 * MINUTE);
	assert_non_null(strstr(rendered(f, newest_to(f, "admin@desk.test")),
			       "=C3=A4llig: Montag, 2. M=C3=A4rz 2026, 18:30 Uhr (Asia/Kolkata)"));
	locale_of(f, f->admin, NULL, "No/Such_Zone");
	tick(f, MONDAY_9 + 180 * MINUTE);
	assert_non_null(strstr(rendered(f, newest_to(f, "admin@desk.test")),
			       "Due: Monday, 2 March 2026, 13:00 (UTC)"));
}

/* ---- templates_dir ---- */

struct folder {
	char path[64];
	char file[16][200];
	size_t n;
};

static void put(struct folder *d, const char *locale, const char *name, const char *text)
{
	char *path = d->file[d->n++], dir[100];
	FILE *f;

	snprintf(dir, sizeof dir, "%s/%s", d->path, locale);
	mkdir(dir, 0700);
	snprintf(path, sizeof *d->file, "%s/%s.mustache", dir, name);
	f = fopen(path, "w");
	assert_non_null(f);
	fputs(text, f);
	assert_int_equal(fclose(f), 0);
}

static void open_folder(struct folder *d)
{
	const char *tmp = getenv("TMPDIR");

	*d = (struct folder){ 0 };
	snprintf(d->path, sizeof d->path, "%s/maildesk-tmpl-XXXXXX",
		 tmp && strlen(tmp) < 32 ? tmp : "/tmp");
	assert_non_null(mkdtemp(d->path));
}

static void close_folder(struct folder *d)
{
	for (size_t i = 0; i < d->n; i++)
		unlink(d->file[i]);
	for (size_t i = 0; i < d->n; i++) {
		*strrchr(d->file[i], '/') = '\0';
		rmdir(d->file[i]);
	}
	assert_int_equal(rmdir(d->path), 0);
}

static const char *text_of(struct fixture *f, const struct templates *t, const char *locale,
			   const char *name)
{
	md_auto(buf_done) struct buf out = BUF_INIT(1 << 16);
	struct templates_view view;
	const struct template *found;

	templates_view(t, &locale, 1, &view);
	found = templates_find(&view, name);
	if (!found)
		return "-";
	OK(template_render(found, TEMPLATE_TEXT, NULL, NULL, &out, &err));
	return arena_strdup(&f->arena, buf_str(&out));
}

static void single_files_are_overridden(void **state)
{
	struct fixture *f = *state;
	md_auto(templates_free_p) struct templates *t = NULL;
	md_auto(buf_done) struct buf problems = BUF_INIT(1 << 16);
	const char *built_in_text;
	struct folder d;

	open_folder(&d);
	put(&d, "de", "created.subject", "Eigenes");
	put(&d, "en", "created.subject", "broken {{#x}}");
	put(&d, "pt_BR", "created.subject", "Recebemos");
	put(&d, "en", "README", "{{#not looked at");
	*strrchr(d.file[3], '.') = '\0';
	rename(arena_printf(&f->arena, "%s.mustache", d.file[3]), d.file[3]);
	OK(templates_load(d.path, &t, &problems, &err));
	assert_string_equal(buf_str(&problems),
			    arena_printf(&f->arena, "%s: section \"x\" is not closed\n",
					 arena_printf(&f->arena, "%s:1", d.file[1])));
	assert_string_equal(text_of(f, t, "de", "created.subject"), "Eigenes");
	assert_string_equal(text_of(f, t, "de-CH", "created.subject"), "Eigenes");
	assert_string_equal(text_of(f, t, "pt-BR", "created.subject"), "Recebemos");
	/* what the new locale has not, and what could not be used */
	built_in_text = text_of(f, t, "en", "created.text");
	assert_string_equal(text_of(f, t, "pt-BR", "created.text"), built_in_text);
	assert_null(strstr(text_of(f, t, "en", "created.subject"), "broken"));
	close_folder(&d);
}

static void a_folder_that_is_not_there(void **state)
{
	md_auto(templates_free_p) struct templates *t = NULL;
	md_auto(buf_done) struct buf problems = BUF_INIT(1 << 16);

	(void)state;
	OK(templates_load("/nowhere/at/all", &t, &problems, &err));
	assert_string_equal(
		buf_str(&problems),
		"/nowhere/at/all: No such file or directory; desk.templates_dir is to be "
		"a folder that the service's user may read, or nothing\n");
}

/* The mail goes out in the built-in words, and the desk says that something is wrong. */
static void a_failing_template_costs_no_mail(void **state)
{
	static const struct {
		const char *name, *text;
	} cases[] = {
		{ "created.text", "{{>created.text}}" },
		{ "created.html", "{{>content}}" },
		{ "created.subject", "{{#mail}}{{>created.subject}}{{/mail}}" },
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < MD_COUNT(cases); i++) {
		md_auto(buf_done) struct buf problems = BUF_INIT(1 << 16);
		const char *mail;
		struct folder d;

		open_folder(&d);
		put(&d, "en", cases[i].name, cases[i].text);
		templates_free(f->templates);
		OK(templates_load(d.path, &f->templates, &problems, &err));
		assert_string_equal(buf_str(&problems), "");
		f->desk->templates_alarm = false;
		TAKE(f, .from = CAROL, .auth = "pass", .subject = "Help");
		mail = rendered(f, newest_to(f, CAROL));
		assert_non_null(strstr(mail, "Subject: [#"));
		assert_non_null(strstr(mail, "Thank you for writing to us."));
		assert_true(f->desk->templates_alarm);
		close_folder(&d);
	}
}

/* ---- check ---- */

static void check_says_where(void **state)
{
	static const struct {
		const char *locale, *name, *text, *errors, *warnings;
	} cases[] = {
		{ "de", "created.text", "Hallo {{recipient.name}}\n", "", "" },
		{ "de", "created.text", "a\nb {{tiket.tag}}", "",
		  ":2: warning: unknown variable \"tiket.tag\"" },
		{ "de", "created.text", "{{ticket.tga}}", "",
		  ":1: warning: unknown variable \"ticket.tga\"" },
		{ "de", "created.text", "{{#lines}}{{line}}{{ok}}{{desk.name}}{{/lines}}", "", "" },
		{ "de", "created.text", "{{#lines}}{{lien}}{{/lines}}{{line}}", "",
		  ":1: warning: unknown variable \"lien\"" },
		{ "de", "created.text", "{{#ticket.requester}}{{name}}{{/ticket.requester}}", "",
		  "" },
		{ "de", "created.text", "{{^ticket}}{{tag}}{{/ticket}}", "",
		  ":1: warning: unknown variable \"tag\"" },
		{ "de", "created.text", "{{>nowhere}}", "", ":1: warning: no partial \"nowhere\"" },
		{ "de", "creatd.text", "x", "",
		  ": warning: no letter uses a template of this name" },
		{ "de", "created.text", "\n{{>created.text}}",
		  ":2: includes itself by the partial \"created.text\"", "" },
		{ "de", "facts.text", "{{>assigned.text}}",
		  "/facts.text.mustache:1: includes itself"
		  " by the partial \"assigned.text\"",
		  "" },
		{ "de", "layout.html", "<p>{{desk.name}}</p>", ": a layout must have {{>content}}",
		  "" },
		{ "shared", "layout.html", "{{>content}}{{>layout.html}}",
		  ":1: includes itself by the partial \"layout.html\"", "" },
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < MD_COUNT(cases); i++) {
		md_auto(templates_free_p) struct templates *t = NULL;
		md_auto(buf_done) struct buf errors = BUF_INIT(1 << 16);
		md_auto(buf_done) struct buf warnings = BUF_INIT(1 << 16);
		struct folder d;

		open_folder(&d);
		put(&d, cases[i].locale, cases[i].name, cases[i].text);
		OK(templates_load(d.path, &t, &errors, &err));
		OK(templates_check(t, &errors, &warnings, &err));
		if (!strstr(buf_str(&errors), cases[i].errors) ||
		    !strstr(buf_str(&warnings), cases[i].warnings) ||
		    (!*cases[i].errors && errors.len) || (!*cases[i].warnings && warnings.len))
			fail_msg("%zu: %s%s", i, buf_str(&errors), buf_str(&warnings));
		if (*cases[i].warnings)
			assert_non_null(strstr(buf_str(&warnings),
					       arena_printf(&f->arena, "%s%s", d.file[0],
							    cases[i].warnings)));
		close_folder(&d);
	}
}

/* A letter that would be too large, or too much work, is found by trying. */
static void check_tries_each_letter(void **state)
{
	struct fixture *f = *state;
	md_auto(buf_done) struct buf text = BUF_INIT(TEMPLATE_MAX);
	md_auto(templates_free_p) struct templates *t = NULL;
	md_auto(buf_done) struct buf errors = BUF_INIT(1 << 16);
	md_auto(buf_done) struct buf warnings = BUF_INIT(1 << 16);
	struct folder d;

	(void)f;
	while (text.len < LETTER_SUBJECT_MAX)
		buf_adds(&text, "{{comment.body}} ");
	open_folder(&d);
	put(&d, "fr", "assigned.subject", buf_str(&text));
	OK(templates_load(d.path, &t, &errors, &err));
	OK(templates_check(t, &errors, &warnings, &err));
	assert_non_null(strstr(buf_str(&errors), "assigned.subject.mustache: output too large: the "
						 "letter cannot be made\n"));
	close_folder(&d);
}

/* The sample that names are checked against has every name that letters are frozen with. */
static void every_frozen_name_is_known(void **state)
{
	struct fixture *f = *state;
	md_auto(json_decref_p) json_t *data = NULL;
	md_auto(buf_done) struct buf text = BUF_INIT(1 << 16);
	md_auto(buf_done) struct buf errors = BUF_INIT(1 << 16);
	md_auto(buf_done) struct buf warnings = BUF_INIT(1 << 16);
	md_auto(templates_free_p) struct templates *t = NULL;
	const char *frozen, *key, *inner;
	struct folder d;
	json_t *value, *below;

	TAKE(f, .from = CAROL, .subject = "Help");
	frozen = rows(f, "SELECT data FROM outbox WHERE recipient = '" CAROL "'");
	OK(json_read(frozen, strlen(frozen), 10, &data, &err));
	json_object_foreach(data, key, value)
	{
		if (strcmp(key, "mail") == 0)
			continue; /* of the envelope, for no template */
		buf_addf(&text, "{{%s}}", key);
		json_object_foreach(value, inner, below) buf_addf(&text, "{{%s.%s}}", key, inner);
	}
	open_folder(&d);
	put(&d, "en", "created.text", buf_str(&text));
	OK(templates_load(d.path, &t, &errors, &err));
	OK(templates_check(t, &errors, &warnings, &err));
	assert_string_equal(buf_str(&warnings), "");
	close_folder(&d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(languages_say_the_same),
		cmocka_unit_test(built_in_templates_are_right),
		DESK_TEST(the_readers_language_is_spoken,
			  "desk { locale = de } mailbox \"sales\" { locale = fr }\n"),
		DESK_TEST(dates_are_in_the_readers_zone, "sla \"s\" { first_response { medium = 4h "
							 "} warn = {50, 75} }\n"),
		DESK_TEST(single_files_are_overridden, ""),
		cmocka_unit_test(a_folder_that_is_not_there),
		DESK_TEST(a_failing_template_costs_no_mail, ""),
		DESK_TEST(check_says_where, ""),
		DESK_TEST(check_tries_each_letter, ""),
		DESK_TEST(every_frozen_name_is_known, ""),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
