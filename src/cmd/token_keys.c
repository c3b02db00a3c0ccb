/* maildesk token add, list, remove: keys for programs. */
#include "token_keys.h"

#include <maildesk/app/audit.h>
#include <maildesk/app/api_key.h>
#include <maildesk/base/clock.h>
#include <maildesk/base/json.h>
#include <maildesk/cmd/cmd.h>
#include <maildesk/cmd/options.h>
#include <maildesk/store/users.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

enum { ARENA_MAX = 16 << 20 };

/* ---- add ---- */

static int find_owner(struct db *db, const char *address, int64_t *ret, struct md_err *err)
{
	md_auto(arena_done) struct arena a = ARENA_INIT(ARENA_MAX);
	md_auto(db_read_done_p) struct db_conn *c = NULL;
	struct user u;
	int rc = db_read(db, &c, err);

	if (rc == MD_OK)
		rc = user_by_address(c, address, &a, &u, err);
	if (rc == MD_NOTFOUND || (rc == MD_OK && u.disabled_at))
		return md_fail(err, MD_NOTFOUND, 0, "there is no active user \"%s\"", address);
	if (rc == MD_OK)
		*ret = u.id;
	return rc;
}

static int add(struct db *db, const char *user, const char *scopes, struct api_key *k, bool json)
{
	char text[API_KEY_TEXT_MAX];
	struct md_err err = { 0 };
	int rc = find_owner(db, user, &k->user_id, &err);

	if (rc == MD_OK)
		rc = api_key_make(db, &random_system, scopes, k, text, &err);
	if (rc != MD_OK)
		return cmd_fail("token add", rc, &err);
	printf(json ? "{\"id\":%lld,\"key\":\"%s\"}\n"
		    : "key %lld, which is shown this once:\n%s\n",
	       (long long)k->id, text);
	return EX_OK;
}

int token_add_main(int argc, char **argv)
{
	const char *file = CMD_DEFAULT_CONFIG, *user = NULL, *scopes = "tickets:read",
		   *expires = NULL;
	struct api_key k = { .name = "command line", .created_at = clock_wall(&clock_system) };
	bool json = false;
	const struct cmd_option options[] = {
		CMD_CONFIG(&file),
		{ "user", "ADDRESS", &user, "whom it acts as (required)" },
		{ "name", "NAME", &k.name, "what it is for" },
		{ "scopes", "LIST", &scopes,
		  "tickets:read (default), tickets:write, admin; separated by commas" },
		{ "expires", "TIME", &expires, "as in 2027-01-31T00:00:00Z; default: never" },
		{ "json", NULL, &json, "print a JSON object" },
		CMD_OPTIONS_END,
	};
	const struct cmd_usage usage = {
		"token add", "", "Makes a key for a program that uses the API.", options, 0, 0
	};
	md_auto(db_close_p) struct db *db = NULL;
	int first, code;

	if (!cmd_options(&usage, argc, argv, &first, &code))
		return code;
	if (!user) {
		fputs("maildesk token add: --user is missing\n", stderr);
		return EX_USAGE;
	}
	if (expires &&
	    (time_parse(expires, &k.expires_at) != MD_OK || k.expires_at <= k.created_at)) {
		fputs("maildesk token add: --expires: allowed: a time ahead, as in "
		      "2027-01-31T00:00:00Z\n",
		      stderr);
		return EX_USAGE;
	}
	code = cmd_open(usage.name, file, NULL, &db);
	return code == EX_OK ? add(db, user, scopes, &k, json) : code;
}

/* ---- list ---- */

static json_t *json_time(int64_t ms)
{
	char text[TIME_TEXT_MAX];

	return ms ? json_string(time_format(ms, 1, text)) : json_null();
}

static void print_key(const struct api_key *k, bool json)
{
	md_auto(json_decref_p) json_t *j = NULL;
	char at[TIME_TEXT_MAX];

	if (!json) {
		printf("%-6lld user %-6lld %-30s %s%s%s\n", (long long)k->id, (long long)k->user_id,
		       k->scopes, k->name, k->expires_at ? ", until " : "",
		       k->expires_at ? time_format(k->expires_at, 0, at) : "");
		return;
	}
	j = json_pack("{s:I, s:I, s:s, s:s, s:o, s:o, s:o}", "id", (json_int_t)k->id, "user",
		      (json_int_t)k->user_id, "name", k->name, "scopes", k->scopes, "created_at",
		      json_time(k->created_at), "expires_at", json_time(k->expires_at),
		      "last_used_at", json_time(k->last_used_at));
	json_dumpf(j, stdout, JSON_COMPACT);
	putchar('\n');
}

int token_list_main(int argc, char **argv)
{
	const char *file = CMD_DEFAULT_CONFIG;
	bool json = false;
	const struct cmd_option options[] = {
		CMD_CONFIG(&file),
		{ "json", NULL, &json, "one JSON object a line" },
		CMD_OPTIONS_END,
	};
	const struct cmd_usage usage = { "token list", "", "Lists the keys of programs.",
					 options,      0,  0 };
	md_auto(arena_done) struct arena a = ARENA_INIT(ARENA_MAX);
	md_auto(db_close_p) struct db *db = NULL;
	md_auto(db_read_done_p) struct db_conn *c = NULL;
	struct api_key *keys = NULL;
	struct md_err err = { 0 };
	size_t n = 0;
	int first, code, rc;

	if (!cmd_options(&usage, argc, argv, &first, &code))
		return code;
	if ((code = cmd_open(usage.name, file, NULL, &db)) != EX_OK)
		return code;
	rc = db_read(db, &c, &err);
	if (rc == MD_OK)
		rc = api_key_list(c, &a, &keys, &n, &err);
	for (size_t i = 0; rc == MD_OK && i < n; i++)
		print_key(&keys[i], json);
	return rc == MD_OK ? EX_OK : cmd_fail(usage.name, rc, &err);
}

/* ---- remove ---- */

static int remove_in_txn(struct db_conn *c, void *ctx, struct md_err *err)
{
	return api_key_remove(c, *(int64_t *)ctx, err);
}

int token_remove_main(int argc, char **argv)
{
	const char *file = CMD_DEFAULT_CONFIG;
	const struct cmd_option options[] = { CMD_CONFIG(&file), CMD_OPTIONS_END };
	const struct cmd_usage usage = {
		"token remove", "ID", "Removes a key. It stops working at once.", options, 1, 1
	};
	md_auto(db_close_p) struct db *db = NULL;
	struct md_err err = { 0 };
	int first, code, rc;
	int64_t id;
	char *end;

	if (!cmd_options(&usage, argc, argv, &first, &code))
		return code;
	errno = 0;
	id = strtoll(argv[first], &end, 10);
	if (errno || *end || id <= 0) {
		fprintf(stderr,
			"maildesk token remove: \"%s\" is no number as `maildesk token list` shows "
			"them\n",
			argv[first]);
		return EX_USAGE;
	}
	if ((code = cmd_open(usage.name, file, NULL, &db)) != EX_OK)
		return code;
	rc = audit_cli_txn(db, &(struct audit_deed){ "api_key.remove", "api_key", &id },
			   remove_in_txn, &id, &err);
	if (rc == MD_NOTFOUND)
		return cmd_fail(usage.name, md_fail(&err, MD_NOTFOUND, 0, "there is no such key"),
				&err);
	return rc == MD_OK ? EX_OK : cmd_fail(usage.name, rc, &err);
}
