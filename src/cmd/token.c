#include <maildesk/app/audit.h>
#include <maildesk/app/jwt_keys.h>
#include <maildesk/app/keys.h>
#include <maildesk/base/clock.h>
#include <maildesk/cmd/cmd.h>
#include <maildesk/cmd/options.h>

#include "token_keys.h"

#include <stdio.h>
#include <sysexits.h>

static const char name[] = "token rotate";

struct rotating {
	struct desk *d;
	bool all;
	struct token_keys keys;
};

static int rotate_in_txn(struct db_conn *c, void *ctx, struct md_err *err)
{
	struct rotating *r = ctx;
	struct desk *d = r->d;
	int64_t now = clock_wall(d->clock);
	int rc = keys_rotate(c, d->vault, d->random, now, r->all, &r->keys, err);

	if (rc == MD_OK && r->all)
		rc = jwt_keys_renew(c, d, now, err);
	return rc == MD_OK ? audit_cli_add(c, "token.rotate", NULL, 0, err) : rc;
}

static int cmd_rotate(int argc, char **argv)
{
	const char *file = CMD_DEFAULT_CONFIG;
	bool all = false;
	const struct cmd_option options[] = {
		CMD_CONFIG(&file),
		{ "all", NULL, &all,
		  "after a theft: forget the old keys at once, and those of access tokens" },
		CMD_OPTIONS_END
	};
	const struct cmd_usage usage = {
		name,
		"",
		"Signs reply addresses, Message-IDs and markers with the next key from now on.\n"
		"What the last one signed stays valid. Daemons that run change over within a\n"
		"second or two. After --all, answers to mails on their way are held back as\n"
		"tampered.",
		options,
		0,
		0,
	};
	md_auto(config_free_p) struct config *config = NULL;
	md_auto(desk_close_p) struct desk *d = NULL;
	struct rotating r;
	struct md_err err = { 0 };
	int first, code, rc;

	if (!cmd_options(&usage, argc, argv, &first, &code))
		return code;
	if ((code = cmd_open_config(file, &config)) != EX_OK)
		return code;
	rc = desk_open(config, &d, &err);
	r = (struct rotating){ .d = d, .all = all };
	if (rc == MD_OK)
		rc = db_txn(d->db, rotate_in_txn, &r, &err);
	if (rc != MD_OK)
		return cmd_fail(name, rc, &err);
	printf("Key %d signs from now on.", r.keys.current.id);
	if (r.keys.previous.id)
		printf(" What key %d signed stays valid.", r.keys.previous.id);
	putchar('\n');
	return EX_OK;
}

static const struct cmd_verb verbs[] = {
	{ "add", token_add_main, "make a key for a program" },
	{ "list", token_list_main, "list the keys of programs" },
	{ "remove", token_remove_main, "end one of them" },
	{ "rotate", cmd_rotate, "sign reply addresses with the next key" },
	{ NULL, NULL, NULL },
};

int cmd_token(int argc, char **argv)
{
	return cmd_dispatch("maildesk token", verbs, argc, argv);
}
