/* Files: those of mails, decoded out of their raw bytes, and uploads, which wait for the comment
 * that will have them.
 *
 * What a file says of itself is not believed: it is saved and not shown, but for pictures whose
 * first bytes say so, and it can run nothing wherever it is opened. */
#include "api_private.h"

#include <maildesk/mail/attachment.h>
#include <maildesk/mail/compose.h>
#include <maildesk/mail/header.h>
#include <maildesk/store/blobs.h>

#include <string.h>

enum { MAGIC_BYTES = 16, WAITING_FILES = 10 /* of the largest size */ };

static const char *const yes_no[] = { "0", "1", NULL };
const struct http_field attachment_query[] = { { "inline", HTTP_LINE, 0, 0, 0, yes_no, NULL },
					       HTTP_END };

void api_show_attachment(struct buf *out, const struct attachment_row *at)
{
	show_begin(out, NULL, '{');
	show_int(out, "id", at->id);
	show_text(out, "filename", at->filename);
	show_text(out, "content_type", at->content_type);
	show_int(out, "size", at->size);
	show_bool(out, "inline", at->is_inline);
	show_text(out, "content_id", at->content_id);
	show_end(out, '}');
}

/* ---- reading ---- */

/* Who may read what it belongs to may have it. */
static int may_read(struct http_request *q, struct db_conn *c, const struct attachment_row *at,
		    struct md_err *err)
{
	struct comment m;

	if (at->comment_id)
		return api_open_comment(q, c, at->comment_id, &m, err);
	if (at->uploader_id ? at->uploader_id == api_by(q)->user.id
			    : api_allowed(q, ACTION_SEE_MESSAGES))
		return MD_OK;
	return MD_NOTFOUND;
}

static bool is_picture(const char *type)
{
	static const char *const types[] = { "image/png", "image/jpeg", "image/gif", "image/webp" };

	for (size_t i = 0; type && i < MD_COUNT(types); i++)
		if (strcmp(types[i], type) == 0)
			return true;
	return false;
}

static void give(struct http_request *q, struct http_response *r, const struct attachment_row *at)
{
	const unsigned char *bytes = (const unsigned char *)buf_str(&r->body);
	const char *shown =
		attachment_sniff(bytes, r->body.len < MAGIC_BYTES ? r->body.len : MAGIC_BYTES);
	const char *wish = http_query(q, "inline");
	bool show = wish && *wish == '1' && is_picture(shown);

	r->type = show                                ? shown
		  : mail_type_valid(at->content_type) ? at->content_type
						      : "application/octet-stream";
	r->as_is = true;
	r->etag = arena_printf(q->arena, "\"%s\"", at->sha256);
	http_disposition(q, r, show ? "inline" : "attachment", at->filename);
	http_header_add(q, r, "Content-Security-Policy", "sandbox; default-src 'none'");
}

int attachment_get_one(void *ctx, struct http_request *q, struct http_response *r,
		       struct md_err *err)
{
	struct api *api = ctx;
	md_auto(db_read_done_p) struct db_conn *c = NULL;
	md_auto(md_free_p) uint8_t *raw = NULL;
	struct attachment_row at = { 0 };
	size_t n;
	int rc = api_read(api, q, &c, err);

	if (rc == MD_OK)
		rc = attachment_get(c, q->ids[0], q->arena, &at, err);
	if (rc == MD_OK)
		rc = may_read(q, c, &at, err);
	if (rc == MD_NOTFOUND || (rc == MD_OK && !at.blob_id))
		return http_refuse(q, r, 404, "not_found", "no such attachment");
	if (rc == MD_OK)
		rc = blob_get(c, at.blob_id, &raw, &n, err);
	if (rc == MD_OK)
		rc = attachment_bytes(&at, raw, n, &r->body, err);
	if (rc == MD_OK)
		give(q, r, &at);
	return rc;
}

/* ---- uploading ---- */

struct uploading {
	struct api *api;
	struct blob blob;
	struct upload upload;
	int64_t id;
	bool too_much;
};

static int add_in_txn(struct db_conn *c, void *ctx, struct md_err *err)
{
	struct uploading *u = ctx;
	int64_t waiting, most = u->api->desk->config->http.max_upload_bytes * WAITING_FILES;
	int rc = upload_waiting(c, u->upload.uploader_id, &waiting, err);

	u->too_much = rc == MD_OK && waiting + u->upload.size > most;
	if (u->too_much)
		return md_fail(err, MD_INPUT, 0, "too much");
	if (rc == MD_OK)
		rc = blob_put(c, &u->blob, &u->upload.blob_id, err);
	return rc == MD_OK ? upload_add(c, &u->upload, &u->id, err) : rc;
}

static void name_it(struct http_request *q, struct upload *u)
{
	const char *field = http_header(q, "Content-Disposition"),
		   *type = http_header(q, "Content-Type");
	struct header_params p = { 0 };

	if (field) {
		header_params_read(q->arena, span_of(field), &p);
		field = header_param(&p, "filename");
	}
	if (field)
		u->filename = attachment_safe_name(q->arena, span_of(field));
	if (type)
		header_params_read(q->arena, span_of(type), &p);
	u->content_type = type && mail_type_valid(p.value) ? p.value : "application/octet-stream";
}

int attachments_add(void *ctx, struct http_request *q, struct http_response *r, struct md_err *err)
{
	struct uploading u = { .api = ctx,
			       .upload = { .uploader_id = api_by(q)->user.id,
					   .size = (int64_t)q->body_len,
					   .at = q->now_ms } };
	struct attachment_row row;
	int rc;

	if (!q->body_len)
		return md_fail(err, MD_INPUT, 0, "the file is empty");
	name_it(q, &u.upload);
	rc = blob_prepare_fd(q->body_fd, u.upload.size, &u.blob, err);
	if (rc != MD_OK)
		return rc;
	u.upload.sha256 = u.blob.sha256;
	rc = api_txn(u.api, q, add_in_txn, &u, &u.id, err);
	blob_done(&u.blob);
	if (rc == MD_INPUT && u.too_much)
		return http_refuse(q, r, 413, "too_large",
				   "too many files wait to be attached to something");
	if (rc != MD_OK)
		return rc;
	row = (struct attachment_row){ .id = u.id,
				       .filename = u.upload.filename,
				       .content_type = u.upload.content_type,
				       .size = u.upload.size };
	http_made(q, r, u.id);
	api_show_attachment(&r->body, &row);
	return MD_OK;
}

int api_attach(struct http_request *q, struct db_conn *c, int64_t comment, struct md_err *err)
{
	const json_t *ids = json_object_get(q->json, "attachments");
	int rc = MD_OK;

	for (size_t i = 0; i < json_array_size(ids) && rc == MD_OK; i++) {
		int64_t id = json_integer_value(json_array_get(ids, i));

		rc = upload_attach(c, id, api_by(q)->user.id, comment, err);
		if (rc == MD_NOTFOUND)
			rc = md_fail(err, MD_INPUT, WORK_BAD_VALUE,
				     "attachments.%zu: %lld is no file of yours that waits", i,
				     (long long)id);
	}
	return rc;
}
