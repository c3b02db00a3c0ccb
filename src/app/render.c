#include <maildesk/app/render.h>
#include <maildesk/base/embed.h>
#include <maildesk/base/json.h>
#include <maildesk/desk/letter.h>
#include <maildesk/mail/compose.h>
#include <maildesk/store/messages.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	THREAD_MAX = 20, /* references: enough for every mail client, short enough for a header */
	RENDER_ARENA_MAX = 1 << 20,
	DATA_DEPTH = 32,
};

struct templates {
	size_t n;
	struct {
		const char *name; /* "templates/en/created.text.mustache" */
		struct template *compiled;
	} all[];
};

static bool is_template(const struct embed_file *f)
{
	return strncmp(f->name, "templates/", strlen("templates/")) == 0;
}

int templates_load(struct templates **ret, struct md_err *err)
{
	md_auto(templates_free_p) struct templates *t = NULL;
	size_t n = 0;
	int rc = MD_OK;

	for (const struct embed_file *f = embed_files; f->name; f++)
		n += is_template(f);
	t = md_calloc(1, sizeof *t + n * sizeof t->all[0]);
	if (!t)
		return md_fail(err, MD_NOMEM, 0, "out of memory");
	for (const struct embed_file *f = embed_files; f->name && rc == MD_OK; f++) {
		if (!is_template(f))
			continue;
		rc = template_compile(f->name, f->data, f->len, &t->all[t->n].compiled, err);
		t->all[t->n++].name = f->name;
	}
	if (rc == MD_OK)
		*ret = md_take(t);
	return rc;
}

void templates_free(struct templates *t)
{
	for (size_t i = 0; t && i < t->n; i++)
		template_free(t->all[i].compiled);
	free(t);
}

/* ---- one mail ---- */

struct lookup {
	const struct templates *t;
	const char *locale;
};

/* "created.text": of the recipient's locale, else English. */
static const struct template *find(void *ctx, const char *name)
{
	const struct lookup *l = ctx;
	const char *locales[] = { l->locale, "en" };
	char path[200];

	for (size_t k = 0; k < MD_COUNT(locales); k++) {
		snprintf(path, sizeof path, "templates/%s/%s.mustache", locales[k], name);
		for (size_t i = 0; i < l->t->n; i++)
			if (strcmp(l->t->all[i].name, path) == 0)
				return l->t->all[i].compiled;
	}
	return NULL;
}

static int write_mail(const struct desk *d, const struct outbox_row *row, const json_t *mail,
		      const struct letter *letter, const struct rec_strs *thread, struct buf *out,
		      struct md_err *err)
{
	const char *automatic = json_get_string(mail, "auto_submitted");
	const struct compose_header headers[] = {
		{ "X-Maildesk-Loop", d->id },
		{ "X-Auto-Response-Suppress", "All" },
		{ "Auto-Submitted", automatic },
	};
	const struct compose_mail m = {
		.from = { json_get_string(mail, "from_name"), json_get_string(mail, "from") },
		.reply_to = { json_get_string(mail, "from_name"),
			      json_get_string(mail, "reply_to") },
		.to = { json_get_string(mail, "to_name"), row->recipient },
		.subject = buf_str(&letter->subject),
		.message_id = row->mail_id,
		.in_reply_to = thread->n ? thread->v[thread->n - 1] : NULL,
		.references = *thread,
		.date_ms = row->created_at,
		.headers = headers,
		.header_count = MD_COUNT(headers) - (automatic ? 0 : 1),
		.text = buf_str(&letter->text),
		.html = buf_str(&letter->html),
	};

	if (!m.from.address)
		return md_fail(err, MD_INPUT, 0, "frozen data without a sender");
	return compose_write(&m, d->random, out, err);
}

int render_mail(const struct templates *t, const struct desk *d, struct db_conn *c,
		const struct outbox_row *row, struct buf *out, struct md_err *err)
{
	md_auto(arena_done) struct arena arena = ARENA_INIT(RENDER_ARENA_MAX);
	md_auto(json_decref_p) json_t *data = NULL;
	md_auto(letter_done) struct letter letter = LETTER_INIT;
	struct lookup lookup = { t, "en" };
	const struct template_partials set = { find, &lookup };
	struct rec_strs thread = { 0 };
	int rc = json_read(row->data, strlen(row->data), DATA_DEPTH, &data, err);

	if (rc == MD_OK && json_get_string(data, "locale"))
		lookup.locale = json_get_string(data, "locale");
	if (rc == MD_OK)
		rc = message_thread(c, row->ticket_id, row->recipient, row->message_id, THREAD_MAX,
				    &arena, &thread, err);
	if (rc == MD_OK)
		rc = letter_render(row->event, data, &set, &letter, err);
	if (rc == MD_NOTFOUND)
		rc = MD_INPUT;
	if (rc == MD_OK)
		rc = write_mail(d, row, json_object_get(data, "mail"), &letter, &thread, out, err);
	return rc;
}
