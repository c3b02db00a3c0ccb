/* What can be wrong with a template that compiles.
 *
 * Names are looked up in a sample of what letters are filled with, by the rules of rendering: so a
 * name that is not in it is a typo, or a variable of nobody. The sample holds every name there is.
 */
#include "letter_view.h"
#include "templates_priv.h"

#include <maildesk/base/json.h>
#include <maildesk/desk/letter.h>

#include <stdint.h>
#include <stdio.h>
#include <string.h>

enum { NESTING = TEMPLATE_NESTING, SAMPLE_DEPTH = 8 };

static const char sample_text[] =
	"{\"desk\":{\"name\":\"Example Support\",\"url\":\"https://help.example.com\"},"
	"\"ticket\":{\"id\":412,\"tag\":\"[#412]\",\"title\":\"Printer is jammed\","
	"\"status\":\"open\",\"priority\":\"medium\","
	"\"requester\":{\"name\":\"Carol Jones\",\"email\":\"carol@example.com\"},"
	"\"assignee\":{\"name\":\"Anna\",\"email\":\"anna@example.com\"},"
	"\"url\":\"https://help.example.com/tickets/412\"},"
	"\"into\":{\"id\":398,\"tag\":\"[#398]\"},"
	"\"actor\":{\"name\":\"Anna\",\"email\":null},"
	"\"recipient\":{\"name\":\"Carol Jones\",\"email\":\"carol@example.com\"},"
	"\"comment\":{\"body\":\"Please turn it off and on again.\",\"markdown\":true},"
	"\"signature\":{\"body\":\"Anna\\nExample Support\"},"
	"\"sla\":{\"metric\":\"first_response\",\"percent\":75,\"due_at\":1772456400000},"
	"\"alarm\":{\"breaker\":true,\"silence\":true,\"about\":\"carol@example.com\"},"
	"\"lines\":[{\"line\":\"resolve\",\"ok\":true,\"result\":\"resolved\",\"reason\":null}],"
	"\"answers\":[{\"line\":\"list\",\"help\":{\"rows\":[{\"verb\":\"take\",\"usage\":\"take\","
	"\"help\":"
	"\"become its assignee\",\"aliases\":\"mine\"}]},"
	"\"list\":{\"none\":false,\"more\":true,\"limit\":50,\"tickets\":[{\"id\":412,\"row\":"
	"\"#412\",\"status\":\"open\",\"priority\":\"medium\",\"age\":\"2 d\",\"due\":\"3 h\","
	"\"late\":true,\"title\":\"Printer\",\"snippet_html\":\"x\","
	"\"url\":\"https://help.example.com/tickets/412\"}]},"
	"\"show\":{\"tag\":\"[#412]\",\"title\":\"Printer\",\"requester_name\":\"Carol\","
	"\"requester_email\":\"carol@example.com\",\"status\":\"open\",\"priority\":\"medium\","
	"\"assignee\":\"Anna\",\"age\":\"2 d\",\"due\":\"3 h\",\"late\":false,"
	"\"has_tags\":true,\"tags\":[{\"name\":\"printer\"}],\"omitted\":3,"
	"\"url\":\"https://help.example.com/tickets/412\","
	"\"comments\":[{\"id\":1,\"author\":\"Carol\",\"at\":\"today\",\"is_internal\":true,"
	"\"held\":\"x\",\"body\":\"It is jammed.\"}]}}],"
	"\"digest\":{\"count\":2,\"one\":false,\"tickets\":[{\"id\":412,\"tag\":\"[#412]\","
	"\"title\":\"Printer\",\"status\":\"open\",\"url\":\"https://help.example.com/tickets/"
	"412\","
	"\"reply_url\":\"mailto:support@example.com\",\"items\":[{\"created\":true,"
	"\"created_agent\":true,\"public_reply\":true,\"internal_note\":true,\"mentioned\":true,"
	"\"assigned\":true,\"status_changed\":true,\"merged\":true,\"reminder\":true,"
	"\"undelivered\":true,\"at_ms\":1772456400000,\"author\":\"Anna\",\"status\":\"resolved\","
	"\"address\":\"carol@example.com\",\"body\":\"Done.\",\"set_in\":\"    Done.\"}]}]},"
	"\"undelivered\":{\"address\":\"carol@example.com\",\"reply\":\"550 no such user\"},"
	"\"mail\":{\"subject\":\"Printer\"},"
	"\"mailbox\":{\"name\":\"support\",\"address\":\"support@example.com\","
	"\"error\":\"the password is refused\",\"since_at\":1772456400000},"
	"\"actions\":[{\"label\":\"Take\",\"href\":\"https://help.example.com/a\"}],"
	"\"link_url\":\"https://help.example.com/#/verify?token=abc\","
	"\"mute_url\":\"https://help.example.com/u/abc\","
	"\"files_note\":\"Too large\",\"files\":[{\"name\":\"scan.pdf\",\"size\":\"30 MB\","
	"\"url\":\"https://help.example.com/a/abc\"}],"
	"\"known\":true,\"too_large\":false,\"by_customer\":false,\"body_token\":\"[md:abc]\","
	"\"locale\":\"en\",\"desk_locale\":\"en\",\"timezone\":\"UTC\"}";

struct checking {
	const struct templates *t;
	struct templates_view view; /* of one locale */
	const json_t *sample;
	struct buf *errors, *warnings;
};

/* A line that was said of another locale or letter is not said again. */
static void say(struct buf *out, const char *file, unsigned line, const char *what,
		const char *name, size_t len)
{
	char text[NAME_MAX_BYTES * 4];

	if (line)
		snprintf(text, sizeof text, "%s:%u: %s \"%.*s\"\n", file, line, what, (int)len,
			 name);
	else
		snprintf(text, sizeof text, "%s: %s\n", file, what);
	if (!strstr(buf_str(out), text))
		buf_adds(out, text);
}

/* ---- names ---- */

struct scope {
	const json_t *value; /* NULL: what is known of it was not in the sample */
	size_t end;
};

static const json_t *member(const json_t *value, const char *name, size_t len)
{
	char key[NAME_MAX_BYTES];

	snprintf(key, sizeof key, "%.*s", (int)len, name);
	return json_object_get(value, key);
}

/* As template.c looks names up. */
static const json_t *look_up(const struct scope *scopes, size_t n, const struct template_name *name)
{
	const char *s = name->text, *end = s + name->len;
	const json_t *value = NULL;
	size_t len = strcspn(s, ".");

	if (name->len == 1 && *s == '.')
		return scopes[n - 1].value;
	len = len < name->len ? len : name->len;
	for (size_t i = n; i-- > 0 && !value;)
		value = member(scopes[i].value, s, len);
	while (value && s + len < end) {
		s += len + 1;
		len = strcspn(s, ".");
		len = len < (size_t)(end - s) ? len : (size_t)(end - s);
		value = member(value, s, len);
	}
	return value;
}

static void check_names(struct checking *k, const struct template *t)
{
	struct scope scopes[NESTING + 1] = { { k->sample, SIZE_MAX } };
	struct template_name name;
	size_t n = 1;

	for (size_t at = 0; template_next_name(t, &at, &name);) {
		const json_t *value;

		while (n > 1 && name.at >= scopes[n - 1].end)
			n--;
		if (name.use == TEMPLATE_PARTIAL)
			continue;
		value = look_up(scopes, n, &name);
		if (!value)
			say(k->warnings, template_title(t), name.line, "warning: unknown variable",
			    name.text, name.len);
		if (name.use == TEMPLATE_SECTION && !name.inverted && value)
			scopes[n++] = (struct scope){
				json_is_array(value) ? json_array_get(value, 0) : value, name.end
			};
	}
}

/* ---- partials ---- */

struct including {
	const struct template *t;
	const struct including *outer;
};

static bool is_layout(const char *title)
{
	const char *base = strrchr(title, '/');

	return strncmp(base ? base + 1 : title, "layout.", strlen("layout.")) == 0;
}

static void follow(struct checking *k, const struct template *t, const struct including *outer,
		   size_t depth)
{
	struct including here = { t, outer };
	struct template_name name;

	for (size_t at = 0; depth < NESTING && template_next_name(t, &at, &name);) {
		char partial[NAME_MAX_BYTES];
		const struct template *to;
		const struct including *i = &here;

		if (name.use != TEMPLATE_PARTIAL)
			continue;
		snprintf(partial, sizeof partial, "%.*s", (int)name.len, name.text);
		if (is_layout(template_title(t)) && strcmp(partial, "content") == 0)
			continue;
		to = templates_find(&k->view, partial);
		if (!to) {
			say(k->warnings, template_title(t), name.line, "warning: no partial",
			    name.text, name.len);
			continue;
		}
		while (i && i->t != to)
			i = i->outer;
		if (i)
			say(k->errors, template_title(t), name.line,
			    "includes itself by the partial", name.text, name.len);
		else
			follow(k, to, &here, depth + 1);
	}
}

static void check_layout(struct checking *k, const struct template *t)
{
	struct template_name name;

	if (!is_layout(template_title(t)))
		return;
	for (size_t at = 0; template_next_name(t, &at, &name);)
		if (name.use == TEMPLATE_PARTIAL && name.len == strlen("content") &&
		    memcmp(name.text, "content", name.len) == 0)
			return;
	say(k->errors, template_title(t), 0, "a layout must have {{>content}}", NULL, 0);
}

/* ---- whole letters ---- */

static int try_letter(struct checking *k, const char *event, struct md_err *err)
{
	md_auto(letter_done) struct letter letter = LETTER_INIT;
	md_auto(json_decref_p) json_t *data = json_deep_copy(k->sample);
	const struct template_partials set = { templates_find, &k->view };
	struct md_err why = { 0 };
	int rc = data ? letter_render(event, data, &set, &letter, &why) : MD_NOMEM;

	if (rc == MD_NOMEM)
		return md_fail(err, MD_NOMEM, 0, "out of memory");
	if (rc != MD_OK)
		say(k->errors, why.text, 0, "the letter cannot be made", NULL, 0);
	return MD_OK;
}

/* Each event is one that English has. */
static int try_letters(struct checking *k, struct md_err *err)
{
	static const char suffix[] = ".subject";
	int rc = MD_OK;

	for (size_t i = 0; i < k->t->n && rc == MD_OK; i++) {
		const char *name = k->t->v[i].name;
		size_t n = strlen(name);
		char event[NAME_MAX_BYTES];

		if (strncmp(name, "en/", 3) != 0 || n < sizeof suffix ||
		    strcmp(name + n - strlen(suffix), suffix) != 0)
			continue;
		snprintf(event, sizeof event, "%.*s", (int)(n - 3 - strlen(suffix)), name + 3);
		rc = try_letter(k, event, err);
	}
	return rc;
}

/* ---- all of it ---- */

/* A file of its own that no letter asks for: its name is a typo, or it is a partial of another. */
static bool is_asked_for(const struct templates *t, const struct entry *e)
{
	const char *name = strchr(e->name, '/') + 1;
	struct template_name use;

	for (size_t i = 0; i < t->n; i++) {
		const struct template *in = t->v[i].own ? t->v[i].own : t->v[i].built_in;

		if (&t->v[i] != e && t->v[i].built_in &&
		    strcmp(strchr(t->v[i].name, '/') + 1, name) == 0)
			return true;
		for (size_t at = 0; template_next_name(in, &at, &use);)
			if (use.use == TEMPLATE_PARTIAL && use.len == strlen(name) &&
			    memcmp(use.text, name, use.len) == 0)
				return true;
	}
	return e->built_in != NULL;
}

static int check_locale(struct checking *k, const char *locale, struct md_err *err)
{
	templates_view(k->t, &locale, 1, &k->view);
	for (size_t i = 0; i < k->t->n; i++) {
		const struct entry *e = &k->t->v[i];
		const struct template *t = e->own ? e->own : e->built_in;

		/* what this locale's letters are made of */
		if (templates_find(&k->view, strchr(e->name, '/') + 1) == t)
			follow(k, t, NULL, 0);
	}
	/* one that includes itself cannot be tried */
	return k->errors->len ? MD_OK : try_letters(k, err);
}

static int make_sample(const struct templates *t, json_t **ret, struct md_err *err)
{
	static const char *const of_html[] = { "subject", "preheader", "text_html" };
	struct templates_view view;
	int rc = json_read(sample_text, strlen(sample_text), SAMPLE_DEPTH, ret, err);

	if (rc == MD_OK)
		rc = letter_view(t, "created", *ret, &view, err);
	for (size_t i = 0; i < MD_COUNT(of_html) && rc == MD_OK; i++)
		if (json_object_set_new(*ret, of_html[i], json_string("x")) != 0)
			rc = md_fail(err, MD_NOMEM, 0, "out of memory");
	return rc;
}

int templates_check(const struct templates *t, struct buf *errors, struct buf *warnings,
		    struct md_err *err)
{
	struct checking k = { .t = t, .errors = errors, .warnings = warnings };
	md_auto(json_decref_p) json_t *sample = NULL;
	const char *last = "";
	size_t len = 0;
	int rc = make_sample(t, &sample, err);

	k.sample = sample;
	for (size_t i = 0; i < t->n && rc == MD_OK; i++) {
		const struct entry *e = &t->v[i];
		const struct template *used = e->own ? e->own : e->built_in;
		char locale[NAME_MAX_BYTES];

		check_names(&k, used);
		check_layout(&k, used);
		if (!is_asked_for(t, e))
			say(warnings, template_title(used), 0,
			    "warning: no letter uses a template of this name", NULL, 0);
		if (len && strncmp(e->name, last, len) == 0)
			continue;
		last = e->name;
		len = strcspn(e->name, "/") + 1;
		snprintf(locale, sizeof locale, "%.*s", (int)len - 1, e->name);
		if (strcmp(locale, "shared") != 0)
			rc = check_locale(&k, locale, err);
	}
	if (rc == MD_OK && (errors->status == MD_NOMEM || warnings->status == MD_NOMEM))
		rc = md_fail(err, MD_NOMEM, 0, "out of memory");
	return rc;
}
