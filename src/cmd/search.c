/* maildesk search: the index of words behind tickets and comments.
 *
 * A rebuild empties the index and queues all there is; whoever holds the lease works it off. That
 * is the daemon if one runs, and else this program, which then only stops when all is done.
 * Interrupted, the next daemon goes on with it. */
#include <maildesk/base/clock.h>
#include <maildesk/base/random.h>
#include <maildesk/cmd/cmd.h>
#include <maildesk/cmd/options.h>
#include <maildesk/store/search.h>

#include "search_find.h"

#include <stdio.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

enum { SHOW_EACH_MS = 200, LINE_EACH_MS = 2000, LOOK_MS = 100 };

static const char name[] = "search rebuild";

struct show {
	bool terminal;
	int64_t total, begun_ms, shown_ms;
};

static int count_waiting(struct db *db, int64_t *ret, struct md_err *err)
{
	md_auto(db_read_done_p) struct db_conn *c = NULL;
	int rc = db_read(db, &c, err);

	return rc == MD_OK ? search_waiting(c, ret, err) : rc;
}

static void show_progress(struct show *s, int64_t waiting)
{
	int64_t now = clock_mono(&clock_system), took = now - s->begun_ms;
	int64_t done = waiting < s->total ? s->total - waiting : 0;

	if (now - s->shown_ms < (s->terminal ? SHOW_EACH_MS : LINE_EACH_MS))
		return;
	s->shown_ms = now;
	fprintf(stderr, "%s%lld of %lld comments, %lld a second%s", s->terminal ? "\r" : "",
		(long long)done, (long long)s->total,
		(long long)(done * 1000 / (took > 0 ? took : 1)), s->terminal ? "\033[K" : "\n");
}

static void wait_a_moment(void)
{
	nanosleep(&(struct timespec){ .tv_nsec = LOOK_MS * 1000000L }, NULL);
}

/* Until nothing waits, here or in the daemon. */
static int work_off(struct db *db, struct search_worker *w, struct show *s, struct md_err *err)
{
	int64_t waiting = 1;
	size_t done;
	int rc = MD_OK;

	while (rc == MD_OK && waiting > 0) {
		rc = search_work(db, w, &done, err);
		if (rc == MD_CONFLICT) {
			wait_a_moment();
			rc = MD_OK;
		}
		if (rc == MD_OK)
			rc = count_waiting(db, &waiting, err);
		if (rc == MD_OK)
			show_progress(s, waiting);
	}
	return rc;
}

static int rebuild(struct db *db, struct md_err *err)
{
	struct show s = { .terminal = isatty(STDERR_FILENO),
			  .begun_ms = clock_mono(&clock_system) };
	struct search_worker w = { 0 };
	char holder[32];
	uint64_t r;
	int64_t took;
	int rc = search_rebuild(db, err), left;

	random_fill(&random_system, &r, sizeof r);
	snprintf(holder, sizeof holder, "search-%016llx", (unsigned long long)r);
	w.holder = holder;
	if (rc == MD_OK)
		rc = count_waiting(db, &s.total, err);
	if (rc == MD_OK)
		rc = work_off(db, &w, &s, err);
	left = search_leave(db, &w, rc == MD_OK ? err : NULL);
	if (s.terminal && s.shown_ms)
		fputs("\r\033[K", stderr);
	if (rc != MD_OK || left != MD_OK)
		return rc != MD_OK ? rc : left;
	took = clock_mono(&clock_system) - s.begun_ms;
	printf("The search index is built: %lld comments in %lld.%lld s.\n", (long long)s.total,
	       (long long)took / 1000, (long long)took % 1000 / 100);
	return MD_OK;
}

static int cmd_rebuild(int argc, char **argv)
{
	const char *file = CMD_DEFAULT_CONFIG;
	const struct cmd_option options[] = { CMD_CONFIG(&file), CMD_OPTIONS_END };
	const struct cmd_usage usage = {
		name,
		"",
		"Rebuilds the search index. The desk may run meanwhile; until it is done, searches "
		"find\n"
		"only a part, the newest first.",
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
	if ((code = cmd_open(name, file, &config, &db)) != EX_OK)
		return code;
	rc = rebuild(db, &err);
	return rc == MD_OK ? EX_OK : cmd_fail(name, rc, &err);
}

static const struct cmd_verb verbs[] = {
	{ "find", search_find_main, "find tickets and comments" },
	{ "rebuild", cmd_rebuild, "rebuild the search index" },
	{ NULL, NULL, NULL },
};

int cmd_search(int argc, char **argv)
{
	return cmd_dispatch("maildesk search", verbs, argc, argv);
}
