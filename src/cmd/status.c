/* `maildesk status`: what the daemon says of itself, and the queues as the database has them. */
#include <maildesk/base/clock.h>
#include <maildesk/base/json.h>
#include <maildesk/cmd/ask.h>
#include <maildesk/cmd/cmd.h>
#include <maildesk/cmd/options.h>
#include <maildesk/store/leases.h>
#include <maildesk/store/outbox.h>
#include <maildesk/store/quarantine.h>

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

enum { ARENA_MAX = 16 << 20, WATCH_MS = 2000 };

/* ---- looking ---- */

static int count_outbox(struct db_conn *c, const char *state, int64_t *ret, struct md_err *err)
{
	md_auto(arena_done) struct arena a = ARENA_INIT(ARENA_MAX);
	struct outbox_filter f = { .states = { 1, &state }, .limit = 1 };
	struct outbox_row *rows;
	size_t n;

	return outbox_list(c, &f, &a, &rows, &n, ret, err);
}

static json_t *json_time(int64_t ms)
{
	char text[TIME_TEXT_MAX];

	return ms ? json_string(time_format(ms, 1, text)) : json_null();
}

/* {"queued": n, ..., "oldest_at": when} */
static int look_at_outbox(struct db_conn *c, json_t *out, struct md_err *err)
{
	static const char *const waiting[] = { "queued", "retry", "sending" };
	static const char *const others[] = { "held", "failed" };
	md_auto(arena_done) struct arena a = ARENA_INIT(ARENA_MAX);
	struct outbox_depth *depths;
	int64_t oldest = 0;
	size_t n = 0;
	int rc = outbox_depths(c, &a, &depths, &n, err);

	for (size_t i = 0; i < MD_COUNT(waiting); i++)
		json_object_set_new(out, waiting[i], json_integer(0));
	for (size_t i = 0; rc == MD_OK && i < n; i++) {
		json_object_set_new(out, depths[i].state, json_integer(depths[i].n));
		if (!oldest || depths[i].oldest_at < oldest)
			oldest = depths[i].oldest_at;
	}
	for (size_t i = 0; rc == MD_OK && i < MD_COUNT(others); i++) {
		int64_t count = 0;

		rc = count_outbox(c, others[i], &count, err);
		json_object_set_new(out, others[i], json_integer(count));
	}
	json_object_set_new(out, "oldest_at", json_time(oldest));
	return rc;
}

static int count_daemons(struct db_conn *c, int64_t *ret, struct md_err *err)
{
	md_auto(arena_done) struct arena a = ARENA_INIT(ARENA_MAX);
	struct lease *leases;
	size_t n = 0;
	int rc = lease_list(c, &a, &leases, &n, err);

	*ret = 0;
	for (size_t i = 0; rc == MD_OK && i < n; i++)
		*ret += leases[i].left_ms > 0 && strncmp(leases[i].name, "daemon:", 7) == 0;
	return rc;
}

static int look_at_queues(struct db *db, json_t *status, struct md_err *err)
{
	md_auto(arena_done) struct arena a = ARENA_INIT(ARENA_MAX);
	md_auto(db_read_done_p) struct db_conn *c = NULL;
	json_t *outbox = json_object();
	struct quarantine_row *rows;
	int64_t held = 0, daemons = 0;
	size_t n;
	int rc = db_read(db, &c, err);

	json_object_set_new(status, "outbox", outbox);
	if (rc == MD_OK)
		rc = look_at_outbox(c, outbox, err);
	if (rc == MD_OK)
		rc = quarantine_list(c, 0, 0, 1, &a, &rows, &n, &held, err);
	if (rc == MD_OK)
		rc = count_daemons(c, &daemons, err);
	json_object_set_new(status, "quarantine", json_integer(held));
	json_object_set_new(status, "daemons", json_integer(daemons));
	return rc;
}

static int look(const struct config *config, struct db *db, json_t **ret, struct md_err *err)
{
	md_auto(json_decref_p) json_t *health = NULL, *status = json_object();
	struct md_err why = { 0 };
	int code, rc;

	if (!status)
		return md_fail(err, MD_NOMEM, 0, "out of memory");
	rc = cmd_ask_daemon(config, db, &code, &health, &why);
	json_object_set_new(status, "daemon",
			    json_string(rc != MD_OK   ? "down"
					: code == 200 ? "up"
						      : "ailing"));
	json_object_set_new(status, "listen", json_string(config->http.listen));
	json_object_set_new(status, "error", rc == MD_OK ? json_null() : json_string(why.text));
	if (health && json_is_object(health)) {
		json_object_set(status, "configuration", json_object_get(health, "configuration"));
		json_object_set(status, "templates", json_object_get(health, "templates"));
		json_object_set(status, "mailboxes", json_object_get(health, "mailboxes"));
	}
	rc = look_at_queues(db, status, err);
	if (rc == MD_OK)
		*ret = md_take(status);
	return rc;
}

/* ---- showing ---- */

static const char *text_of(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text ? text : "";
}

static long long number_of(const json_t *object, const char *key)
{
	return (long long)json_integer_value(json_object_get(object, key));
}

static void show_configuration(const json_t *c)
{
	const char *state = text_of(c, "state");

	if (strcmp(state, "refused") == 0)
		printf("           new configuration refused at %s: %s\n", text_of(c, "refused_at"),
		       text_of(c, "error"));
	if (*text_of(c, "needs_restart"))
		printf("           waits for a restart: %s\n", text_of(c, "needs_restart"));
}

static void show(const json_t *s)
{
	const json_t *outbox = json_object_get(s, "outbox"), *m;
	long long daemons = number_of(s, "daemons");
	size_t i;

	printf("daemon     %s at %s", text_of(s, "daemon"), text_of(s, "listen"));
	if (daemons > 1)
		printf(", one of %lld", daemons);
	putchar('\n');
	if (*text_of(s, "error"))
		printf("           %s\n", text_of(s, "error"));
	show_configuration(json_object_get(s, "configuration"));
	if (strcmp(text_of(s, "templates"), "alarm") == 0)
		puts("           a template of desk.templates_dir cannot be used: maildesk check");
	json_array_foreach((json_t *)json_object_get(s, "mailboxes"), i, m)
	{
		printf("mailbox    %-16s %-11s last mail or look %s\n", text_of(m, "name"),
		       text_of(m, "state"),
		       *text_of(m, "last_success") ? text_of(m, "last_success") : "never");
		if (*text_of(m, "last_error"))
			printf("           %s\n", text_of(m, "last_error"));
	}
	printf("outbox     %lld queued, %lld to be tried again, %lld being sent, %lld held, %lld "
	       "failed\n",
	       number_of(outbox, "queued"), number_of(outbox, "retry"),
	       number_of(outbox, "sending"), number_of(outbox, "held"),
	       number_of(outbox, "failed"));
	if (*text_of(outbox, "oldest_at"))
		printf("           the oldest waits since %s\n", text_of(outbox, "oldest_at"));
	printf("quarantine %lld\n", number_of(s, "quarantine"));
}

static int print(const struct config *config, struct db *db, bool json, bool *ret_up,
		 struct md_err *err)
{
	md_auto(json_decref_p) json_t *status = NULL;
	int rc = look(config, db, &status, err);

	if (rc != MD_OK)
		return rc;
	*ret_up = strcmp(text_of(status, "daemon"), "up") == 0;
	if (json) {
		json_dumpf(status, stdout, JSON_COMPACT);
		putchar('\n');
	} else {
		show(status);
	}
	return MD_OK;
}

static int watch(const struct config *config, struct db *db, bool json, struct md_err *err)
{
	bool screen = isatty(STDOUT_FILENO) && !json, up;

	for (;;) {
		int rc;

		if (screen)
			fputs("\033[H\033[2J", stdout);
		rc = print(config, db, json, &up, err);
		if (rc != MD_OK)
			return rc;
		if (!screen && !json)
			putchar('\n');
		if (fflush(stdout) != 0)
			return MD_OK; /* nobody reads any more */
		poll(NULL, 0, WATCH_MS);
	}
}

int cmd_status(int argc, char **argv)
{
	const char *file = CMD_DEFAULT_CONFIG;
	bool json = false, live = false, up = false;
	const struct cmd_option options[] = {
		CMD_CONFIG(&file),
		{ "watch", NULL, &live, "show it again every two seconds, until Ctrl-C" },
		{ "json", NULL, &json, "one JSON object each time" },
		CMD_OPTIONS_END,
	};
	const struct cmd_usage usage = {
		"status",
		"",
		"Shows the state of the daemon, its mailboxes and its queues. Exit code 69 when it "
		"is "
		"down.",
		options,
		0,
		0,
	};
	md_auto(config_free_p) struct config *config = NULL;
	md_auto(db_close_p) struct db *db = NULL;
	struct md_err err = { 0 };
	int first, code, rc;

	if (!cmd_options(&usage, argc, argv, &first, &code))
		return code;
	if ((code = cmd_open(usage.name, file, &config, &db)) != EX_OK)
		return code;
	rc = live ? watch(config, db, json, &err) : print(config, db, json, &up, &err);
	if (rc != MD_OK)
		return cmd_fail(usage.name, rc, &err);
	return up || live ? EX_OK : EX_UNAVAILABLE;
}
