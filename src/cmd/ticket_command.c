/* maildesk ticket command: the command language at the prompt. */
#include "ticket_command.h"

#include <maildesk/app/work.h>
#include <maildesk/base/json.h>
#include <maildesk/cmd/cmd.h>
#include <maildesk/cmd/options.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

enum { STEP_MAX = 32 << 20 };

struct given {
	struct work_by by;
	struct work w;
	struct arena arena;
	int64_t ticket;
	const char *text, *as;
	bool looked; /* w has lines */
	bool json;
};

/* Without --as it is the desk itself, which may do what an admin may. */
static int find_actor(struct db_conn *c, struct given *g, struct md_err *err)
{
	int rc = g->as ? user_by_address(c, g->as, &g->arena, &g->by.user, err) : MD_OK;

	if (rc == MD_NOTFOUND || (rc == MD_OK && g->by.user.disabled_at))
		return md_fail(err, MD_NOTFOUND, 0, "there is no active user \"%s\"", g->as);
	g->by.actor.user = g->by.user.id;
	g->by.actor.role = g->as && rc == MD_OK ? role_from_name(g->by.user.role) : ROLE_ADMIN;
	return rc;
}

static int run(struct db_conn *c, void *ctx, struct md_err *err)
{
	struct given *g = ctx;
	int64_t comment;
	int rc;

	arena_reset(&g->arena);
	g->looked = false;
	rc = find_actor(c, g, err);
	if (rc == MD_OK)
		rc = work_open(&g->by, c, &g->arena, g->ticket, &g->w, err);
	if (rc != MD_OK)
		return rc;
	rc = work_box(&g->w, g->text, NULL, &comment, err);
	g->looked = true;
	return rc == MD_OK ? work_save(&g->w, err) : rc;
}

static void print_line(const struct work_line *l, bool json)
{
	md_auto(json_decref_p) json_t *j = NULL;

	if (!json) {
		printf("%s %s: %s\n", l->ok ? "done   " : "refused", l->line, l->reason);
		return;
	}
	j = json_pack("{s:s, s:b, s:s?}", "line", l->line, "ok", l->ok, "reason", l->reason);
	json_dumpf(j, stdout, JSON_COMPACT);
	putchar('\n');
}

static int give(struct desk *d, struct given *g)
{
	struct md_err err = { 0 };
	int rc;

	g->arena = (struct arena)ARENA_INIT(STEP_MAX);
	g->by.desk = d;
	g->by.now_ms = clock_wall(d->clock);
	rc = db_txn(d->db, run, g, &err);
	for (size_t i = 0; g->looked && i < g->w.n_lines; i++)
		print_line(&g->w.lines[i], g->json);
	arena_done(&g->arena);
	return rc == MD_OK ? EX_OK : cmd_fail("ticket command", rc, &err);
}

int ticket_command_main(int argc, char **argv)
{
	const char *file = CMD_DEFAULT_CONFIG;
	struct given g = { .by = { .actor = { .level = 3, .source = SOURCE_CLI },
				   .channel = "cli" } };
	const struct cmd_option options[] = {
		CMD_CONFIG(&file),
		{ "as", "ADDRESS", &g.as, "who gives the commands (the desk itself)" },
		{ "json", NULL, &g.json, "one JSON object a line" },
		CMD_OPTIONS_END,
	};
	const struct cmd_usage usage = {
		"ticket command",
		"NUMBER TEXT",
		"Runs commands on a ticket: \"[take; priority=high]\", or lines that begin with #.",
		options,
		2,
		2
	};
	md_auto(config_free_p) struct config *config = NULL;
	md_auto(desk_close_p) struct desk *desk = NULL;
	struct md_err err = { 0 };
	int first, code, rc;
	const char *number;
	char *end;

	if (!cmd_options(&usage, argc, argv, &first, &code))
		return code;
	number = argv[first] + (argv[first][0] == '#');
	errno = 0;
	g.ticket = strtoll(number, &end, 10);
	g.text = argv[first + 1];
	if (end == number || *end || errno || g.ticket < 1) {
		fprintf(stderr, "maildesk ticket command: \"%s\" is no ticket number\n",
			argv[first]);
		return EX_USAGE;
	}
	code = cmd_open_config(file, &config);
	if (code != EX_OK)
		return code;
	rc = desk_open(config, &desk, &err);
	return rc == MD_OK ? give(desk, &g) : cmd_fail(usage.name, rc, &err);
}
