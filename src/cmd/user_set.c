/* maildesk user set: what an admin does to a person, also when nobody can sign in any more. */
#include "user_set.h"

#include <maildesk/app/audit.h>
#include <maildesk/app/account.h>
#include <maildesk/base/clock.h>
#include <maildesk/base/utf8.h>
#include <maildesk/cmd/cmd.h>
#include <maildesk/cmd/options.h>
#include <maildesk/cmd/user.h>
#include <maildesk/desk/password.h>
#include <maildesk/store/users.h>

#include <stdio.h>
#include <string.h>
#include <sysexits.h>

enum { ARENA_MAX = 1 << 20 };

struct setting {
	const char *address, *name, *role, *hash; /* NULL: as it is */
	bool disable, enable;
	struct arena arena;
};

/* A new role or password, or being disabled, ends every session and access token. */
static int set_in_txn(struct db_conn *c, void *ctx, struct md_err *err)
{
	struct setting *s = ctx;
	int64_t now_ms = clock_wall(&clock_system);
	struct user u;
	bool ends;
	int rc;

	arena_reset(&s->arena);
	rc = user_by_address(c, s->address, &s->arena, &u, err);
	if (rc == MD_NOTFOUND)
		return md_fail(err, MD_NOTFOUND, 0, "there is no user \"%s\"", s->address);
	if (rc != MD_OK)
		return rc;
	ends = s->hash || (s->role && strcmp(s->role, u.role) != 0) ||
	       (s->disable && !u.disabled_at);
	u.name = s->name ? s->name : u.name;
	u.role = s->role ? s->role : u.role;
	u.password_hash = s->hash ? s->hash : u.password_hash;
	if (s->disable || s->enable)
		u.disabled_at = s->disable ? now_ms : 0;
	if (ends)
		rc = account_end_all(c, &u, now_ms, err);
	if (rc == MD_OK)
		rc = user_save(c, &u, err);
	return rc == MD_OK ? audit_cli_add(c, "user.change", "user", u.id, err) : rc;
}

static int set(const char *file, struct setting *s, const char *password)
{
	md_auto(db_close_p) struct db *db = NULL;
	char hash[PASSWORD_HASH_MAX];
	struct md_err err = { 0 };
	int rc = cmd_user_check(s->address, s->role ? s->role : "customer", &err);
	int code;

	if (rc == MD_OK && password) {
		rc = password_hash(password, hash, &err);
		s->hash = hash;
	}
	if (rc != MD_OK)
		return cmd_fail("user set", rc, &err);
	if ((code = cmd_open("user set", file, NULL, &db)) != EX_OK)
		return code;
	s->arena = (struct arena)ARENA_INIT(ARENA_MAX);
	rc = db_txn(db, set_in_txn, s, &err);
	arena_done(&s->arena);
	return rc == MD_OK ? EX_OK : cmd_fail("user set", rc, &err);
}

int user_set_main(int argc, char **argv)
{
	const char *file = CMD_DEFAULT_CONFIG, *password_file = NULL;
	struct setting s = { 0 };
	const struct cmd_option options[] = {
		CMD_CONFIG(&file),
		{ "name", "NAME", &s.name, "another name" },
		{ "role", "ROLE", &s.role, "admin, agent or customer" },
		{ "password-file", "FILE", &password_file,
		  "file whose first line is the new password (\"-\": standard input)" },
		{ "disable", NULL, &s.disable, "no sign-in, no commands by mail" },
		{ "enable", NULL, &s.enable, "the reverse" },
		CMD_OPTIONS_END,
	};
	const struct cmd_usage usage = {
		"user set",
		"ADDRESS",
		"Changes a person. A new role or password, or being disabled, ends their sessions.",
		options,
		1,
		1,
	};
	md_auto(md_wipe_text_p) char *password = NULL;
	md_auto(buf_done) struct buf clean = BUF_INIT(1000);
	int first, code;

	if (!cmd_options(&usage, argc, argv, &first, &code))
		return code;
	s.address = argv[first];
	if (s.name) {
		utf8_clean_line(&clean, s.name, strlen(s.name));
		s.name = buf_str(&clean);
	}
	if ((s.name && (!*s.name || clean.status != MD_OK)) || (s.disable && s.enable) ||
	    !(s.name || s.role || password_file || s.disable || s.enable)) {
		fputs("maildesk user set: say what to change; see --help\n", stderr);
		return EX_USAGE;
	}
	if (password_file && !(password = cmd_read_line(usage.name, password_file)))
		return EX_NOINPUT;
	return set(file, &s, password);
}
