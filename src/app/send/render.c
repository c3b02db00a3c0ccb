#include <maildesk/app/account.h>
#include <maildesk/app/render.h>
#include <maildesk/base/json.h>
#include <maildesk/base/log.h>
#include <maildesk/desk/letter.h>
#include <maildesk/mail/compose.h>
#include <maildesk/store/messages.h>

#include "letter_files.h"
#include "letter_view.h"
#include <maildesk/app/mail_head.h>

#include <string.h>

enum {
	THREAD_MAX = 20, /* references: enough for every mail client, short enough for a header */
	RENDER_ARENA_MAX = 16 << 20, /* rows of 500 files */
	DATA_DEPTH = 32,
	LIST_MAX = 4096,
};

/* RFC 2369 and 8058: what the reader's mail program offers as a button. NULL when there is nothing
 * to leave, or no address of it can be written. */
static const char *list_unsubscribe(const char *url, const char *mailto, struct buf *out)
{
	if (!mailto)
		return NULL;
	if (url)
		buf_addf(out, "<%s>, ", url);
	buf_addf(out, "<%s>", mailto);
	for (size_t i = 0; i < out->len; i++)
		if (out->data[i] < ' ' || out->data[i] > '~')
			return NULL;
	return out->status == MD_OK ? out->data : NULL;
}

static int write_mail(const struct desk *d, const struct outbox_row *row, const json_t *data,
		      const struct letter *letter, const struct rec_strs *thread,
		      const struct letter_files *files, struct buf *out, struct md_err *err)
{
	const json_t *mail = json_object_get(data, "mail");
	const char *automatic = json_get_string(mail, "auto_submitted");
	const char *mute_url = json_get_string(data, "mute_url"), *leave;
	md_auto(buf_done) struct buf room = BUF_INIT(LIST_MAX);
	struct compose_header headers[] = {
		{ "X-Maildesk-Loop", d->id },
		/* not "All": that would include NDR, the report that a mail did not arrive */
		{ "X-Auto-Response-Suppress", "DR, RN, NRN, OOF, AutoReply" },
		{ 0 },
		{ 0 },
		{ 0 },
	};
	size_t n = 2;
	struct compose_mail m = {
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
		.text = buf_str(&letter->text),
		.html = letter->html.len ? letter->html.data : NULL,
		.parts = files->parts,
		.part_count = files->n,
	};

	for (size_t i = 0; i < files->n && !m.html; i++) /* pictures of no HTML are files */
		files->parts[i].content_id = NULL;
	if (!m.from.address)
		return md_fail(err, MD_INPUT, 0, "frozen data without a sender");
	leave = list_unsubscribe(mute_url, json_get_string(mail, "unsubscribe"), &room);
	if (automatic)
		headers[n++] = (struct compose_header){ "Auto-Submitted", automatic };
	if (leave)
		headers[n++] = (struct compose_header){ "List-Unsubscribe", leave };
	if (leave && mute_url)
		headers[n++] = (struct compose_header){ "List-Unsubscribe-Post",
							"List-Unsubscribe=One-Click" };
	m.header_count = n;
	return compose_write(&m, d->random, out, err);
}

/* An own template that cannot be rendered must not cost a mail: it goes out in the built-in words,
 * and the desk's health says so. */
static int render_letter(const struct templates *t, struct desk *d, const struct outbox_row *row,
			 json_t *data, struct letter *letter, struct md_err *err)
{
	struct templates_view view;
	const struct template_partials set = { templates_find, &view };
	struct md_err why = { 0 };
	int rc = letter_view(t, row->event, data, &view, err);

	if (rc == MD_OK)
		rc = letter_render(row->event, data, &set, letter, &why);
	if (rc != MD_INPUT && rc != MD_NOTFOUND) {
		if (rc != MD_OK && err && why.code)
			*err = why;
		return rc;
	}
	letter_done(letter);
	*letter = (struct letter)LETTER_INIT;
	view.built_in_only = true;
	rc = letter_render(row->event, data, &set, letter, err);
	if (rc == MD_OK) {
		log_error(NULL, "a template of templates_dir failed, the built-in one is sent: %s",
			  why.text);
		desk_templates_alarm(d);
	}
	return rc;
}

/* The same as in the mail. */
static void write_head(const struct outbox_row *row, const struct rec_strs *thread, struct buf *out)
{
	const char *to = row->recipient;
	struct mail_head h = { .references = *thread, .to = { 1, &to } };

	if (thread->n)
		h.in_reply_to = (struct rec_strs){ 1, &thread->v[thread->n - 1] };
	mail_head_write(&h, out);
}

int render_mail(const struct templates *t, struct desk *d, struct db_conn *c,
		const struct outbox_row *row, struct buf *out, struct buf *ret_head,
		struct md_err *err)
{
	md_auto(arena_done) struct arena arena = ARENA_INIT(RENDER_ARENA_MAX);
	md_auto(json_decref_p) json_t *data = NULL;
	md_auto(letter_done) struct letter letter = LETTER_INIT;
	md_auto(letter_files_done) struct letter_files files = { 0 };
	struct rec_strs thread = { 0 };
	const char *asked;
	int rc = json_read(row->data, strlen(row->data), DATA_DEPTH, &data, err);

	if (rc == MD_OK)
		rc = account_open_link(d->vault, data, err);
	asked = json_get_string(json_object_get(data, "mail"), "in_reply_to");
	if (rc == MD_OK && asked)
		thread = (struct rec_strs){ 1, &asked };
	else if (rc == MD_OK)
		rc = message_thread(c, row->ticket_id, row->recipient, row->message_id, THREAD_MAX,
				    &arena, &thread, err);
	if (rc == MD_OK)
		rc = letter_files_load(d, c, row, data, &arena, &files, err);
	if (rc == MD_OK)
		rc = render_letter(t, d, row, data, &letter, err);
	if (rc == MD_NOTFOUND)
		rc = MD_INPUT;
	if (rc == MD_OK)
		rc = write_mail(d, row, data, &letter, &thread, &files, out, err);
	if (rc == MD_OK && ret_head)
		write_head(row, &thread, ret_head);
	return rc;
}
