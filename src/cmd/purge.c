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

static void show(const struct housekeeping *h, const struct conf_retention *r)
{
	printf("deleted tickets: %lld\n", (long long)h->deleted);
	for (size_t i = 0; i < r->n_statuses; i++)
		printf("%s tickets: %lld\n", r->statuses[i].title, (long long)h->by_rule[i]);
	printf("discarded mails: %lld\nuploads: %lld\n", (long long)h->discarded,
	       (long long)h->uploads);
}

static void show_json(const struct housekeeping *h, const struct conf_retention *r)
{
	printf("{\"deleted_tickets\":%lld,\"retention\":{", (long long)h->deleted);
	for (size_t i = 0; i < r->n_statuses; i++)
		printf("%s\"%s\":%lld", i ? "," : "", r->statuses[i].title,
		       (long long)h->by_rule[i]);
	printf("},\"discarded_mails\":%lld,\"uploads\":%lld}\n", (long long)h->discarded,
	       (long long)h->uploads);
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
	md_auto(config_free_p) struct config *config = NULL;
	md_auto(md_free_p) int64_t *by_rule = NULL;
	struct housekeeping done = { 0 };
	struct md_err err = { 0 };
	int first, code, rc = MD_OK;

	if (!cmd_options(&usage, argc, argv, &first, &code))
		return code;
	if ((code = cmd_open(usage.name, file, &config, &db)) != EX_OK)
		return code;
	if (!dry_run)
		offline_note(usage.name, db, "desk.purge");
	done.by_rule = by_rule = md_calloc(config->retention.n_statuses + 1, sizeof *by_rule);
	if (!by_rule)
		return EX_OSERR;
	do
		rc = housekeeping_run(db, config, clock_wall(&clock_system), dry_run, &done, &err);
	while (rc == MD_OK && done.more && !dry_run);
	if (rc != MD_OK)
		return cmd_fail(usage.name, rc, &err);
	(json ? show_json : show)(&done, &config->retention);
	return EX_OK;
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
		{ "yes", NULL, &yes, "required, as there is no way back" },
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
		fputs("maildesk erase: add --yes to confirm; there is no way back\n", stderr);
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
