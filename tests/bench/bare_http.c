/* The least libmicrohttpd, SQLite and jansson can do for the same two answers, from a desk's own
 * database: a ticket with its comments, and ten of the open tickets with their number. No sign-in,
 * no rights, no clocks, no names. Prints its port; ends with standard input.
 *
 *	bare_http DATABASE */
#include "bare.h"

#include <arpa/inet.h>
#include <jansson.h>
#include <microhttpd.h>
#include <sqlite3.h>

enum { WORKERS = 4 };

static const char *path;
static const char ticket_sql[] = "SELECT id, title, status, priority, category, requester_id, "
				 "assignee_id, mailbox_id, channel,"
				 " created_at, updated_at, version FROM tickets WHERE id = ?";
static const char comments_sql[] = "SELECT id, ticket_id, author_id, body, is_internal, channel,"
				   " created_at FROM comments WHERE ticket_id = ? ORDER BY id";
static const char list_sql[] =
	"SELECT id, title, status, priority, category, requester_id, assignee_id, mailbox_id, "
	"channel,"
	" created_at, updated_at, version FROM tickets WHERE status = 'open' AND deleted_at IS NULL"
	" AND merged_into IS NULL ORDER BY updated_at DESC LIMIT 10";
static const char count_sql[] = "SELECT count(*) FROM (SELECT 1 FROM tickets WHERE status = 'open'"
				" AND deleted_at IS NULL AND merged_into IS NULL LIMIT 1001)";

static __thread struct {
	sqlite3 *db;
	sqlite3_stmt *ticket, *comments, *list, *count;
} mine;

static sqlite3_stmt *prepare(const char *sql)
{
	sqlite3_stmt *st = NULL;

	if (sqlite3_prepare_v2(mine.db, sql, -1, &st, NULL) != SQLITE_OK)
		bare_die(sqlite3_errmsg(mine.db));
	return st;
}

static void open_mine(void)
{
	if (mine.db)
		return;
	if (sqlite3_open_v2(path, &mine.db, SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX, NULL) !=
	    SQLITE_OK)
		bare_die("database");
	mine.ticket = prepare(ticket_sql);
	mine.comments = prepare(comments_sql);
	mine.list = prepare(list_sql);
	mine.count = prepare(count_sql);
}

static json_t *row(sqlite3_stmt *st)
{
	json_t *j = json_object();

	for (int i = 0; i < sqlite3_column_count(st); i++)
		json_object_set_new(j, sqlite3_column_name(st, i),
				    sqlite3_column_type(st, i) == SQLITE_INTEGER
					    ? json_integer(sqlite3_column_int64(st, i))
				    : sqlite3_column_type(st, i) == SQLITE_TEXT
					    ? json_string((const char *)sqlite3_column_text(st, i))
					    : json_null());
	return j;
}

static json_t *rows(sqlite3_stmt *st)
{
	json_t *list = json_array();

	while (sqlite3_step(st) == SQLITE_ROW)
		json_array_append_new(list, row(st));
	sqlite3_reset(st);
	return list;
}

static json_t *answer(const char *url)
{
	json_t *j;

	open_mine();
	sqlite3_exec(mine.db, "BEGIN", NULL, NULL, NULL);
	if (strncmp(url, "/tickets/", 9) == 0) {
		sqlite3_bind_int64(mine.ticket, 1, atoll(url + 9));
		sqlite3_bind_int64(mine.comments, 1, atoll(url + 9));
		j = sqlite3_step(mine.ticket) == SQLITE_ROW ? row(mine.ticket) : json_object();
		sqlite3_reset(mine.ticket);
		json_object_set_new(j, "comments", rows(mine.comments));
	} else {
		j = json_object();
		sqlite3_step(mine.count);
		json_object_set_new(j, "total", json_integer(sqlite3_column_int64(mine.count, 0)));
		sqlite3_reset(mine.count);
		json_object_set_new(j, "items", rows(mine.list));
	}
	sqlite3_exec(mine.db, "COMMIT", NULL, NULL, NULL);
	return j;
}

static enum MHD_Result serve(void *cls, struct MHD_Connection *con, const char *url,
			     const char *method, const char *version, const char *data,
			     size_t *data_size, void **state)
{
	struct MHD_Response *m;
	enum MHD_Result done;
	json_t *j;
	char *text;

	(void)cls, (void)method, (void)version, (void)data, (void)data_size;
	if (!*state) {
		*state = &mine;
		return MHD_YES;
	}
	j = answer(url);
	text = json_dumps(j, JSON_COMPACT);
	json_decref(j);
	m = MHD_create_response_from_buffer(strlen(text), text, MHD_RESPMEM_MUST_FREE);
	MHD_add_response_header(m, "Content-Type", "application/json");
	done = MHD_queue_response(con, 200, m);
	MHD_destroy_response(m);
	return done;
}

int main(int argc, char **argv)
{
	struct sockaddr_in at = { .sin_family = AF_INET,
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	const union MHD_DaemonInfo *info;
	struct MHD_Daemon *d;

	if (argc != 2)
		bare_die("usage: bare_http DATABASE");
	path = argv[1];
	d = MHD_start_daemon(MHD_USE_EPOLL_INTERNAL_THREAD, 0, NULL, NULL, serve, NULL,
			     MHD_OPTION_SOCK_ADDR, &at, MHD_OPTION_THREAD_POOL_SIZE, WORKERS,
			     MHD_OPTION_END);
	info = d ? MHD_get_daemon_info(d, MHD_DAEMON_INFO_BIND_PORT) : NULL;
	if (!info)
		bare_die("cannot listen");
	printf("%u\n", info->port);
	fflush(stdout);
	while (getchar() != EOF)
		;
	MHD_stop_daemon(d);
	return 0;
}
