/* maildesk purge, maildesk erase: what is kept no longer, and whom the desk forgets. */
#include <maildesk/app/audit.h>
#include <maildesk/app/housekeeping.h>
#include <maildesk/base/clock.h>
#include <maildesk/cmd/cmd.h>
#include <maildesk/cmd/offline.h>
#include <maildesk/cmd/options.h>
#include <maildesk/store/privacy.h>
#include <maildesk/store/users.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

static void add(struct housekeeping *sum, const struct housekeeping *h)
{
	sum->deleted += h->deleted;
	sum->retained += h->retained;
	sum->discarded += h->discarded;
	sum->uploads += h->uploads;
}

int cmd_purge(int argc, char **argv)
{
	const char *file = CMD_DEFAULT_CONFIG;
	bool dry_run = false, json = false;
	const struct cmd_option options[] = {
		CMD_CONFIG(&file),
		{ "dry-run", NULL, &dry_run, "only say what would go" },
		{ "json", NULL, &json, "print one JSON object" },
		CMD_OPTIONS_END,
	};
	const struct cmd_usage usage = {
		"purge",
		"",
		"Removes what has been kept long enough, as the daemon does each hour.",
		options,
		0,
		0
	};
	md_auto(db_close_p) struct db *db = NULL;
	struct housekeeping sum = { 0 }, h;
	struct config *config = NULL;
	struct md_err err = { 0 };
	int first, code, rc = MD_OK;

	if (!cmd_options(&usage, argc, argv, &first, &code))
		return code;
	if ((code = cmd_open(usage.name, file, &config, &db)) != EX_OK)
		return code;
	if (!dry_run)
		offline_note(usage.name, db, "desk.purge");
	do {
		rc = housekeeping_run(db, config, clock_wall(&clock_system), dry_run, &h, &err);
		add(&sum, &h);
	} while (rc == MD_OK && h.more && !dry_run);
	if (rc == MD_OK)
		printf(json ? "{\"deleted_tickets\":%lld,\"closed_tickets\":%lld,"
			      "\"discarded_mails\":%lld,\"uploads\":%lld}\n"
			    : "deleted tickets: %lld\nclosed tickets: %lld\ndiscarded mails: %lld\n"
			      "uploads: %lld\n",
		       (long long)sum.deleted, (long long)sum.retained, (long long)sum.discarded,
		       (long long)sum.uploads);
	config_free(config);
	return rc == MD_OK ? EX_OK : cmd_fail(usage.name, rc, &err);
}

/* ---- erase ---- */

struct erasing {
	struct arena arena;
	const char *who;
	int64_t id;
};

static int erase_in_txn(struct db_conn *c, void *ctx, struct md_err *err)
{
	struct erasing *e = ctx;
	struct user u;
	int rc;

	arena_reset(&e->arena);
	rc = strchr(e->who, '@') ? user_by_address(c, e->who, &e->arena, &u, err)
				 : user_get(c, strtoll(e->who, NULL, 10), &e->arena, &u, err);
	e->id = u.id;
	return rc == MD_OK ? person_erase(c, u.id, clock_wall(&clock_system), &e->arena, err) : rc;
}

int cmd_erase(int argc, char **argv)
{
	const char *file = CMD_DEFAULT_CONFIG;
	bool yes = false;
	const struct cmd_option options[] = {
		CMD_CONFIG(&file),
		{ "yes", NULL, &yes, "needed: there is no way back" },
		CMD_OPTIONS_END,
	};
	const struct cmd_usage usage = {
		"erase",
		"ADDRESS|ID",
		"Forgets a person: name, addresses, what they wrote and sent.",
		options,
		1,
		1
	};
	struct erasing e = { .arena = ARENA_INIT(64 << 20) };
	md_auto(db_close_p) struct db *db = NULL;
	struct md_err err = { 0 };
	int first, code, rc;

	if (!cmd_options(&usage, argc, argv, &first, &code))
		return code;
	if (!yes) {
		fputs("maildesk erase: say --yes: there is no way back\n", stderr);
		return EX_USAGE;
	}
	if ((code = cmd_open(usage.name, file, NULL, &db)) != EX_OK)
		return code;
	e.who = argv[first];
	rc = audit_cli_txn(db, &(struct audit_deed){ "user.erase", "user", &e.id }, erase_in_txn,
			   &e, &err);
	arena_done(&e.arena);
	if (rc == MD_NOTFOUND) {
		fprintf(stderr, "maildesk erase: nobody is called %.200s\n", e.who);
		return EX_NOUSER;
	}
	if (rc != MD_OK)
		return cmd_fail(usage.name, rc, &err);
	printf("user %lld erased\n", (long long)e.id);
	return EX_OK;
}
