/* /a/TOKEN: a file that was too large for the mail it belongs to. The link is the right to it: it
 * was mailed to somebody who may read the comment, and runs out. */
#include "api_private.h"

#include <maildesk/store/blobs.h>

#include <string.h>

static int no_such_file(struct http_request *q, struct http_response *r)
{
	return http_refuse(q, r, 404, "not_found", "this link is not valid (any more)");
}

/* MD_NOTFOUND also when what it belongs to is gone. */
static int find_file(struct db_conn *c, struct http_request *q, const struct token *t,
		     struct attachment_row *ret, struct md_err *err)
{
	struct comment m = { 0 };
	int rc = attachment_get(c, t->serial, q->arena, ret, err);

	if (rc == MD_OK && (!ret->comment_id || !ret->blob_id))
		return MD_NOTFOUND;
	if (rc == MD_OK)
		rc = comment_get(c, ret->comment_id, q->arena, &m, err);
	return rc == MD_OK && m.deleted_at ? MD_NOTFOUND : rc;
}

int file_by_link(void *ctx, struct http_request *q, struct http_response *r, struct md_err *err)
{
	struct api *api = ctx;
	md_auto(db_read_done_p) struct db_conn *c = NULL;
	md_auto(md_free_p) uint8_t *raw = NULL;
	struct attachment_row at = { 0 };
	struct token t;
	size_t n = 0;
	int rc;

	if (token_read_word(api->desk->token_keys, TOKEN_FILE, q->word, token_day(q->now_ms), &t) !=
	    TOKEN_VALID)
		return no_such_file(q, r);
	rc = api_read(api, q, &c, err);
	if (rc == MD_OK)
		rc = find_file(c, q, &t, &at, err);
	if (rc == MD_NOTFOUND)
		return no_such_file(q, r);
	if (rc == MD_OK)
		rc = blob_get(c, at.blob_id, &raw, &n, err);
	if (rc == MD_OK)
		rc = attachment_bytes(&at, raw, n, &r->body, err);
	if (rc != MD_OK)
		return rc;
	/* Whatever it says of itself: it is saved, not shown. */
	r->type = "application/octet-stream";
	r->as_is = true;
	http_disposition(q, r, "attachment", at.filename ? at.filename : "file");
	http_header_add(q, r, "Content-Security-Policy", "sandbox; default-src 'none'");
	http_header_add(q, r, "Referrer-Policy", "no-referrer");
	return MD_OK;
}
