/* `maildesk search find`: what GET /api/v1/search finds, for the desk itself. */
#include "search_find.h"

#include <maildesk/app/desk.h>
#include <maildesk/app/search.h>
#include <maildesk/base/json.h>
#include <maildesk/cmd/cmd.h>
#include <maildesk/cmd/options.h>

#include <stdio.h>
#include <string.h>
#include <sysexits.h>

enum { SHOWN = 50, QUERY_MAX = 4 << 10, ARENA_MAX = 64 << 20 };

static const char name[] = "search find";

/* A snippet is HTML; what stands in it is other people's, and the terminal is ours. */
static void add_plain(struct buf *out, const char *html)
{
	static const struct {
		const char *html, *plain;
	} words[] = {
		{ "<mark>", "" }, { "</mark>", "" },  { "&lt;", "<" },  { "&gt;", ">" },
		{ "&amp;", "&" }, { "&quot;", "\"" }, { "&#39;", "'" },
	};

	while (*html) {
		size_t i = 0;

		while (i < MD_COUNT(words) &&
		       strncmp(html, words[i].html, strlen(words[i].html)) != 0)
			i++;
		if (i < MD_COUNT(words)) {
			buf_adds(out, words[i].plain);
			html += strlen(words[i].html);
			continue;
		}
		buf_addc(out, (unsigned char)*html < ' ' || *html == '\x7f' ? ' ' : *html);
		html++;
	}
}

static void add_item(struct buf *out, const struct search_item *m, bool json)
{
	md_auto(json_decref_p) json_t *j = NULL;

	if (!json) {
		buf_addf(out, "#%-6lld %s\n        ", (long long)m->ticket, m->title);
		add_plain(out, m->snippet);
		buf_addc(out, '\n');
		return;
	}
	j = json_pack("{s:s, s:I, s:I, s:s, s:s, s:f}", "type", m->comment ? "comment" : "ticket",
		      "id", (json_int_t)(m->comment ? m->comment : m->ticket), "ticket",
		      (json_int_t)m->ticket, "title", m->title, "snippet", m->snippet, "score",
		      m->score);
	if (j)
		json_write(out, j);
	else
		out->status = MD_NOMEM;
	buf_addc(out, '\n');
}

static int find(struct desk *d, const char *query, bool json, struct md_err *err)
{
	const struct work_by by = {
		.desk = d,
		.actor = { .role = ROLE_ADMIN, .level = 3, .source = SOURCE_CLI },
		.channel = "cli",
		.now_ms = clock_wall(&clock_system)
	};
	md_auto(arena_done) struct arena a = ARENA_INIT(ARENA_MAX);
	md_auto(buf_done) struct buf out = BUF_INIT(ARENA_MAX);
	md_auto(db_read_done_p) struct db_conn *c = NULL;
	struct search_item *items;
	int64_t total;
	size_t n;
	int rc = db_read(d->db, &c, err);

	if (rc == MD_OK)
		rc = search_run(&by, c, query, 0, SHOWN, &a, &items, &n, &total, err);
	for (size_t i = 0; rc == MD_OK && i < n; i++)
		add_item(&out, &items[i], json);
	if (rc != MD_OK || out.status != MD_OK)
		return rc != MD_OK ? rc : md_fail(err, MD_NOMEM, 0, "out of memory");
	fputs(buf_str(&out), stdout);
	if (!json && total > SHOWN)
		printf("These are the best %d of %s%lld: add words to narrow it down.\n", SHOWN,
		       total > SEARCH_DEPTH ? "more than " : "",
		       (long long)(total > SEARCH_DEPTH ? SEARCH_DEPTH : total));
	return MD_OK;
}

int search_find_main(int argc, char **argv)
{
	const char *file = CMD_DEFAULT_CONFIG;
	bool json = false;
	const struct cmd_option options[] = {
		CMD_CONFIG(&file),
		{ "json", NULL, &json, "one JSON object a line, as the API has it" },
		CMD_OPTIONS_END,
	};
	const struct cmd_usage usage = {
		name,
		"WORD...",
		"Finds tickets and comments, best first: words, \"phrases\", begin*, and filters "
		"like "
		"status:open,\nassignee:nobody or tag:vip; those that begin with - after --.",
		options,
		1,
		CMD_ARGS_ANY,
	};
	md_auto(config_free_p) struct config *config = NULL;
	md_auto(desk_close_p) struct desk *d = NULL;
	md_auto(buf_done) struct buf query = BUF_INIT(QUERY_MAX);
	struct md_err err = { 0 };
	int first, code, rc;

	if (!cmd_options(&usage, argc, argv, &first, &code))
		return code;
	for (int i = first; i < argc; i++)
		buf_addf(&query, "%s%s", i > first ? " " : "", argv[i]);
	if ((code = cmd_open_config(file, &config)) != EX_OK)
		return code;
	rc = query.status != MD_OK ? md_fail(&err, MD_INPUT, 0, "the query is too long")
				   : desk_open(config, &d, &err);
	if (rc == MD_OK)
		rc = find(d, buf_str(&query), json, &err);
	return rc == MD_OK ? EX_OK : cmd_fail(name, rc, &err);
}
