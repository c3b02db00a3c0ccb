/* /u/TOKEN: the way out of a ticket's mails that stands in each of them (RFC 8058). Whoever has the
 * mail may stop them, without signing in; a GET, which scanners of links do, changes nothing. */
#include "api_private.h"

#include <maildesk/desk/text_html.h>
#include <maildesk/desk/words.h>

#include <string.h>

enum { HOPS_MAX = 10 }; /* of a merged ticket to the one that is left */

struct leaving {
	struct api *api;
	struct arena *arena;
	struct token token;
	struct work_by by;
};

static int no_such_link(struct http_request *q, struct http_response *r)
{
	return http_refuse(q, r, 404, "not_found", "this link is not valid (any more)");
}

/* Fills ret->token and the user in ret->by. MD_NOTFOUND. */
static int read_link(struct api *api, struct http_request *q, struct leaving *ret,
		     struct md_err *err)
{
	md_auto(db_read_done_p) struct db_conn *c = NULL;
	int rc;

	*ret = (struct leaving){ .api = api, .arena = q->arena };
	if (token_read_word(api->desk->token_keys, TOKEN_MUTE, q->word, token_day(q->now_ms),
			    &ret->token) != TOKEN_VALID)
		return MD_NOTFOUND;
	rc = api_read(api, q, &c, err);
	if (rc == MD_OK)
		rc = user_get(c, ret->token.user, q->arena, &ret->by.user, err);
	ret->by.desk = api->desk;
	ret->by.channel = "api";
	ret->by.now_ms = q->now_ms;
	ret->by.actor = (struct policy_actor){ .user = ret->token.user, .source = SOURCE_API };
	if (rc == MD_OK)
		ret->by.actor.role = role_from_name(ret->by.user.role);
	return rc;
}

static const struct words *words_of(const struct leaving *l)
{
	const struct config *config = l->api->desk->config;

	return words_choose((const char *[]){ l->by.user.locale, config->desk.locale }, 2);
}

static void show_page(struct http_request *q, struct http_response *r, const struct leaving *l,
		      const char *text, bool button)
{
	const struct words *w = words_of(l);
	const char *name = l->api->desk->config->desk.name;
	struct buf *out = &r->body;

	r->type = "text/html; charset=utf-8";
	http_header_add(q, r, "Content-Security-Policy",
			"default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; "
			"frame-ancestors 'none'");
	http_header_add(q, r, "Referrer-Policy", "no-referrer");
	buf_addf(out,
		 "<!DOCTYPE html>\n<html lang=\"%s\">\n<head>\n<meta charset=\"utf-8\">\n"
		 "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
		 "<meta name=\"robots\" content=\"noindex\">\n<title>",
		 words_locale(w));
	text_html_escape(out, name, strlen(name));
	buf_adds(out,
		 "</title>\n<style>\n:root { color-scheme: light dark }\nbody { margin: 4em "
		 "auto; max-width: 30em; padding: 0 1em; font: 1.1em/1.5 sans-serif }\n"
		 "button { font: inherit; padding: .5em 1em }\n</style>\n</head>\n<body>\n<h1>");
	text_html_escape(out, name, strlen(name));
	buf_adds(out, "</h1>\n");
	if (button)
		buf_adds(out, "<form method=\"post\"><input type=\"hidden\" name="
			      "\"List-Unsubscribe\" value=\"One-Click\"><button>");
	else
		buf_adds(out, "<p>");
	text_html_escape(out, text, strlen(text));
	buf_adds(out, button ? "</button></form>" : "</p>");
	buf_adds(out, "\n</body>\n</html>\n");
}

int unsubscribe_page(void *ctx, struct http_request *q, struct http_response *r, struct md_err *err)
{
	struct leaving l;
	int rc = read_link(ctx, q, &l, err);

	if (rc == MD_NOTFOUND)
		return no_such_link(q, r);
	if (rc == MD_OK)
		show_page(q, r, &l, words_mute(words_of(&l)), true);
	return rc;
}

/* Who takes no part (any more) gets no mails of it anyway. */
static bool takes_part(const struct work *w)
{
	for (size_t i = 0; i < w->n_participants; i++)
		if (w->participants[i].user_id == w->by->user.id)
			return true;
	return false;
}

static int mute_in_txn(struct db_conn *c, void *ctx, struct md_err *err)
{
	struct leaving *l = ctx;
	int64_t ticket = l->token.ticket;
	struct work w;
	int rc = work_load(&l->by, c, l->arena, ticket, &w, err);

	for (int hop = 0; hop < HOPS_MAX && rc == MD_OK && w.ticket.merged_into; hop++)
		rc = work_load(&l->by, c, l->arena, w.ticket.merged_into, &w, err);
	if (rc != MD_OK || !takes_part(&w))
		return rc;
	rc = work_mute(&w, true, err);
	return rc == MD_OK ? work_save(&w, err) : rc;
}

/* "List-Unsubscribe=One-Click", as a form of either encoding. */
static bool is_one_click(const struct http_request *q)
{
	return memmem(q->body, q->body_len, "List-Unsubscribe", strlen("List-Unsubscribe")) &&
	       memmem(q->body, q->body_len, "One-Click", strlen("One-Click"));
}

int unsubscribe(void *ctx, struct http_request *q, struct http_response *r, struct md_err *err)
{
	struct api *api = ctx;
	struct leaving l;
	int rc = read_link(api, q, &l, err);

	if (rc == MD_NOTFOUND)
		return no_such_link(q, r);
	if (rc == MD_OK && !is_one_click(q))
		return md_fail(err, MD_INPUT, 0, "the body must be List-Unsubscribe=One-Click");
	if (rc == MD_OK)
		rc = db_txn(api->desk->db, mute_in_txn, &l, err);
	if (rc == MD_NOTFOUND)
		return no_such_link(q, r);
	if (rc == MD_OK)
		show_page(q, r, &l, words_muted(words_of(&l)), false);
	return rc;
}
