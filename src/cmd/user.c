#include <maildesk/app/audit.h>
#include <maildesk/base/clock.h>
#include <maildesk/base/json.h>
#include <maildesk/base/utf8.h>
#include <maildesk/cmd/cmd.h>
#include <maildesk/cmd/options.h>
#include <maildesk/cmd/user.h>
#include <maildesk/desk/password.h>
#include <maildesk/desk/policy.h>
#include <maildesk/mail/compose.h>
#include <maildesk/store/users.h>

#include "user_set.h"

#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

/* ---- add ---- */

static int add_in_txn(struct db_conn *c, void *ctx, struct md_err *err)
{
	struct user *u = ctx;

	int rc = user_add(c, u, &u->id, err);

	return rc == MD_OK ? audit_cli_add(c, "user.add", "user", u->id, err) : rc;
}

static bool role_allowed(const char *role)
{
	enum role r = role_from_name(role);

	return r == ROLE_CUSTOMER || r == ROLE_AGENT || r == ROLE_ADMIN;
}

int cmd_user_check(const char *email, const char *role, struct md_err *err)
{
	if (!mail_address_valid(email))
		return md_fail(err, MD_INPUT, 0, "\"%.100s\" is no mail address", email);
	if (!role_allowed(role))
		return md_fail(err, MD_INPUT, 0, "role \"%.40s\": allowed: admin, agent, customer",
			       role);
	return MD_OK;
}

int cmd_user_add(struct db *db, const char *email, const char *name, const char *role,
		 const char *password, int64_t *ret_id, struct md_err *err)
{
	char hash[PASSWORD_HASH_MAX];
	md_auto(buf_done) struct buf clean = BUF_INIT(1000);
	struct user u = { .email = email, .role = role };
	int rc = cmd_user_check(email, role, err);

	if (rc == MD_OK && password)
		rc = password_hash(password, hash, err);
	if (rc != MD_OK)
		return rc;
	utf8_clean_line(&clean, name, strlen(name));
	if (clean.status != MD_OK)
		return md_fail(err, (enum md_code)clean.status, 0, "the name is too long");
	u.name = clean.len ? buf_str(&clean) : email;
	u.password_hash = password ? hash : NULL;
	u.created_at = clock_wall(&clock_system);
	rc = db_txn(db, add_in_txn, &u, err);
	if (rc == MD_CONFLICT)
		return md_fail(err, MD_CONFLICT, 0, "%s belongs to somebody already", email);
	if (rc == MD_OK)
		*ret_id = u.id;
	return rc;
}

static int user_add_main(int argc, char **argv)
{
	const char *file = CMD_DEFAULT_CONFIG, *email = NULL, *name = "", *role = "customer";
	const char *password_file = NULL;
	bool json = false;
	const struct cmd_option options[] = {
		CMD_CONFIG(&file),
		{ "email", "ADDRESS", &email, "mail address (required)" },
		{ "name", "NAME", &name, "default: the address" },
		{ "role", "ROLE", &role, "admin, agent or customer (default)" },
		{ "password-file", "FILE", &password_file,
		  "file whose first line is the password (\"-\": standard input); default: none" },
		{ "json", NULL, &json, "print the new user's id as a JSON object" },
		CMD_OPTIONS_END,
	};
	const struct cmd_usage usage = { "user add", "", "Adds a person.", options, 0, 0 };
	md_auto(config_free_p) struct config *config = NULL;
	md_auto(db_close_p) struct db *db = NULL;
	md_auto(md_wipe_text_p) char *password = NULL;
	struct md_err err = { 0 };
	int first, code, rc;
	int64_t id = 0;

	if (!cmd_options(&usage, argc, argv, &first, &code))
		return code;
	if (!email) {
		fputs("maildesk user add: --email is missing\n", stderr);
		return EX_USAGE;
	}
	if (password_file && !(password = cmd_read_line(usage.name, password_file)))
		return EX_NOINPUT;
	if ((code = cmd_open(usage.name, file, &config, &db)) != EX_OK)
		return code;
	rc = cmd_user_add(db, email, name, role, password, &id, &err);
	if (rc != MD_OK)
		return cmd_fail(usage.name, rc, &err);
	printf(json ? "{\"id\":%lld}\n" : "user %lld added\n", (long long)id);
	if (!json && !password)
		fprintf(stderr, "They choose a password through a mail from %s/forgot\n",
			config->desk.url);
	return EX_OK;
}

/* ---- list ---- */

static json_t *json_time(int64_t ms)
{
	char text[TIME_TEXT_MAX];

	return ms ? json_string(time_format(ms, 1, text)) : json_null();
}

static void print_user(struct buf *out, const struct user *u, bool json)
{
	md_auto(json_decref_p) json_t *j = NULL;

	if (!json) {
		buf_addf(out, "%6lld  %-8s  %-32s  %s%s\n", (long long)u->id, u->role, u->email,
			 u->name, u->disabled_at ? " (disabled)" : "");
		return;
	}
	j = json_pack("{s:I, s:s, s:s, s:s, s:s?, s:s?, s:o, s:o, s:o}", "id", (json_int_t)u->id,
		      "name", u->name, "email", u->email, "role", u->role, "locale", u->locale,
		      "timezone", u->timezone, "created_at", json_time(u->created_at),
		      "disabled_at", json_time(u->disabled_at), "undeliverable_at",
		      json_time(u->undeliverable_at));
	if (!j)
		out->status = MD_NOMEM;
	else
		json_write(out, j);
	buf_addc(out, '\n');
}

enum { PAGE = 500 };

static int print_users(struct db *db, struct user_filter *f, bool json, struct md_err *err)
{
	int64_t total = 1;

	for (f->limit = PAGE; f->offset < total; f->offset += PAGE) {
		md_auto(arena_done) struct arena a = ARENA_INIT(64 << 20);
		md_auto(buf_done) struct buf out = BUF_INIT(64 << 20);
		md_auto(db_read_done_p) struct db_conn *c = NULL;
		struct user *users;
		size_t n;
		int rc = db_read(db, &c, err);

		if (rc == MD_OK)
			rc = user_list(c, f, &a, &users, &n, &total, err);
		if (rc != MD_OK)
			return rc;
		for (size_t i = 0; i < n; i++)
			print_user(&out, &users[i], json);
		if (out.status != MD_OK)
			return md_fail(err, MD_NOMEM, 0, "out of memory");
		fputs(buf_str(&out), stdout);
	}
	return MD_OK;
}

static int user_list_main(int argc, char **argv)
{
	const char *file = CMD_DEFAULT_CONFIG;
	struct user_filter filter = { 0 };
	bool json = false;
	const struct cmd_option options[] = {
		CMD_CONFIG(&file),
		{ "role", "ROLE", &filter.role, "only admin, agent or customer" },
		{ "json", NULL, &json, "one JSON object a line" },
		CMD_OPTIONS_END,
	};
	const struct cmd_usage usage = { "user list", "", "Lists people.", options, 0, 0 };
	md_auto(db_close_p) struct db *db = NULL;
	struct md_err err = { 0 };
	int first, code, rc;

	if (!cmd_options(&usage, argc, argv, &first, &code))
		return code;
	if (filter.role && !role_allowed(filter.role)) {
		fputs("maildesk user list: --role: allowed: admin, agent, customer\n", stderr);
		return EX_USAGE;
	}
	if ((code = cmd_open(usage.name, file, NULL, &db)) != EX_OK)
		return code;
	rc = print_users(db, &filter, json, &err);
	return rc == MD_OK ? EX_OK : cmd_fail(usage.name, rc, &err);
}

int cmd_user(int argc, char **argv)
{
	static const struct cmd_verb verbs[] = {
		{ "add", user_add_main, "add a person" },
		{ "list", user_list_main, "list people" },
		{ "set", user_set_main, "change a person" },
		{ NULL, NULL, NULL },
	};

	return cmd_dispatch("maildesk user", verbs, argc, argv);
}
