/* GET /search: tickets and comments by words, best first. */
#include "api_private.h"

#include <maildesk/app/search.h>

int search_page(void *ctx, struct http_request *q, struct http_response *r, struct md_err *err)
{
	struct api *api = ctx;
	struct api_page page = page_of(q);
	md_auto(db_read_done_p) struct db_conn *c = NULL;
	struct buf *out = &r->body;
	struct search_item *items;
	int64_t total;
	size_t n;
	int rc = api_read(api, q, &c, err);

	if (rc == MD_OK)
		rc = search_run(api_by(q), c, http_query(q, "q"), page.offset + page.behind.at,
				page.limit, q->arena, &items, &n, &total, err);
	if (rc != MD_OK)
		return rc;
	page_begin(r);
	n = PAGE_ROWS(&page, items, n, ticket); /* by rank: a walk counts */
	for (size_t i = 0; i < n; i++) {
		const struct search_item *m = &items[i];

		show_begin(out, NULL, '{');
		show_text(out, "type", m->comment ? "comment" : "ticket");
		show_int(out, "id", m->comment ? m->comment : m->ticket);
		show_int(out, "ticket", m->ticket);
		show_text(out, "title", m->title);
		show_text(out, "snippet", m->snippet);
		show_number(out, "score", m->score);
		show_end(out, '}');
	}
	page_end(q, r, &page, n, total);
	return MD_OK;
}
