#include "letter_files.h"

#include <maildesk/desk/text_html.h>
#include <maildesk/mail/attachment.h>
#include <maildesk/store/blobs.h>
#include <maildesk/store/messages.h>

#include "letter_view.h"

#include <stdlib.h>
#include <string.h>

enum { MAGIC_BYTES = 16, MEGABYTE = 1 << 20 };

/* Files of one comment lie in one raw mail: it is fetched once. */
struct loading {
	struct desk *d;
	struct db_conn *c;
	const struct outbox_row *row;
	struct arena *a;
	struct letter_files *files;
	json_t *links;
	struct buf images; /* HTML */
	int64_t blob, left;
	uint8_t *raw;
	size_t n;
};

void letter_files_done(struct letter_files *f)
{
	for (size_t i = 0; i < f->n; i++)
		buf_done(&f->bytes[i]);
}

static int fetch_raw(struct loading *l, int64_t blob, struct md_err *err)
{
	if (l->blob == blob)
		return MD_OK;
	md_free_p(&l->raw);
	l->raw = NULL;
	l->blob = blob;
	return blob_get(l->c, blob, &l->raw, &l->n, err);
}

/* What mail programs draw themselves, and what draws nothing but itself. */
static bool is_picture(const struct buf *bytes)
{
	static const char *const types[] = { "image/png", "image/jpeg", "image/gif", "image/webp" };
	size_t n = bytes->len < MAGIC_BYTES ? bytes->len : MAGIC_BYTES;
	const char *type = attachment_sniff((const unsigned char *)buf_str(bytes), n);

	for (size_t i = 0; type && i < MD_COUNT(types); i++)
		if (strcmp(type, types[i]) == 0)
			return true;
	return false;
}

/* Made here: what the sender called it must be unique in their mail only. */
static const char *show_image(struct loading *l, const struct attachment_row *at)
{
	const char *id = arena_printf(l->a, "file%lld@maildesk", (long long)at->id);
	const char *name = at->filename ? at->filename : "";

	buf_addf(&l->images, "<p style=\"margin: 0 0 16px\"><img src=\"cid:%s\" alt=\"", id);
	text_html_escape(&l->images, name, strlen(name));
	buf_adds(&l->images, "\" style=\"max-width: 100%; height: auto\"></p>\n");
	return id;
}

static int attach(struct loading *l, const struct attachment_row *at, struct md_err *err)
{
	struct compose_part *part = &l->files->parts[l->files->n];
	struct buf *bytes = &l->files->bytes[l->files->n];
	int rc = fetch_raw(l, at->blob_id, err);

	*bytes = (struct buf)BUF_INIT((size_t)at->size + 1);
	if (rc == MD_OK)
		rc = attachment_bytes(at, l->raw, l->n, bytes, err);
	l->files->n++;
	if (rc != MD_OK)
		return rc;
	*part = (struct compose_part){ .content_type = mail_type_valid(at->content_type)
							       ? at->content_type
							       : "application/octet-stream",
				       .filename = at->filename,
				       .bytes = buf_str(bytes),
				       .size = bytes->len };
	if (at->is_inline && at->content_id && is_picture(bytes))
		part->content_id = show_image(l, at);
	return MD_OK;
}

static int link_to(struct loading *l, const struct attachment_row *at, struct md_err *err)
{
	md_auto(buf_done) struct buf word = BUF_INIT(1000);
	const struct token t = { .day = token_day(l->row->created_at),
				 .ticket = l->row->ticket_id,
				 .comment = at->comment_id,
				 .user = l->row->user_id,
				 .serial = at->id };
	int rc = token_make_word(l->d->token_keys, TOKEN_FILE, &t, &word, err);
	json_t *link;

	if (rc != MD_OK)
		return rc;
	link = json_pack("{s:s, s:I, s:s}", "name", at->filename ? at->filename : at->content_type,
			 "megabytes", (json_int_t)(at->size + MEGABYTE - 1) / MEGABYTE, "url",
			 arena_printf(l->a, "%s/a/%s", l->d->config->desk.url, buf_str(&word)));
	if (!link || json_array_append_new(l->links, link) != 0)
		return md_fail(err, MD_NOMEM, 0, "out of memory");
	return MD_OK;
}

static int load_all(struct loading *l, const struct attachment_row *all, size_t n,
		    struct md_err *err)
{
	int rc = MD_OK;

	for (size_t i = 0; i < n && rc == MD_OK; i++) {
		if (!all[i].blob_id) /* erased meanwhile */
			continue;
		if (all[i].size > l->left) {
			rc = link_to(l, &all[i], err);
			continue;
		}
		l->left -= all[i].size;
		rc = attach(l, &all[i], err);
	}
	return rc;
}

static int set_data(struct loading *l, json_t *data, struct md_err *err)
{
	md_auto(buf_done) struct buf html = BUF_INIT(LETTER_HTML_MAX);
	json_t *comment = json_object_get(data, "comment");

	if (json_array_size(l->links) && json_object_set(data, "files", l->links) != 0)
		return md_fail(err, MD_NOMEM, 0, "out of memory");
	if (!l->images.len)
		return MD_OK;
	letter_html(comment, &html);
	buf_add(&html, l->images.data, l->images.len);
	if (html.status != MD_OK || l->images.status != MD_OK ||
	    json_object_set_new(comment, "html", json_stringn(html.data, html.len)) != 0)
		return md_fail(err, MD_NOMEM, 0, "out of memory");
	return MD_OK;
}

int letter_files_load(struct desk *d, struct db_conn *c, const struct outbox_row *row, json_t *data,
		      struct arena *a, struct letter_files *ret, struct md_err *err)
{
	md_auto(json_decref_p) json_t *links = json_array();
	json_t *of = json_object_get(json_object_get(data, "comment"), "files_of");
	struct loading l = { .d = d,
			     .c = c,
			     .row = row,
			     .a = a,
			     .files = ret,
			     .links = links,
			     .images = BUF_INIT(LETTER_HTML_MAX),
			     .left = d->config->desk.max_outbound_bytes };
	struct attachment_row *all = NULL;
	size_t n = 0;
	int rc;

	if (!json_is_integer(of))
		return MD_OK;
	rc = attachment_of_comment(c, json_integer_value(of), a, &all, &n, err);
	if (rc == MD_OK && n) {
		ret->parts = arena_array(a, n, sizeof *ret->parts);
		ret->bytes = arena_array(a, n, sizeof *ret->bytes);
		if (!ret->parts || !ret->bytes || !links)
			rc = md_fail(err, MD_NOMEM, 0, "out of memory");
	}
	if (rc == MD_OK)
		rc = load_all(&l, all, n, err);
	if (rc == MD_OK)
		rc = set_data(&l, data, err);
	buf_done(&l.images);
	free(l.raw);
	return rc;
}
