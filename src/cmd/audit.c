#include <maildesk/base/json.h>
#include <maildesk/cmd/cmd.h>
#include <maildesk/cmd/options.h>
#include <maildesk/store/audit.h>

#include <stdio.h>
#include <sysexits.h>

static void print_chain(const struct audit_chain *k, bool json)
{
	if (json) {
		md_auto(json_decref_p) json_t *j =
			json_pack("{s:s, s:b, s:I, s:I, s:s, s:o, s:s?}", "chain", k->daemon, "ok",
				  !k->broken_seq, "rows", (json_int_t)k->rows, "open",
				  (json_int_t)k->open, "head", k->hash, "broken_id",
				  k->broken_id ? json_integer(k->broken_id) : json_null(), "why",
				  k->why);

		json_dumpf(j, stdout, JSON_COMPACT);
		putchar('\n');
		return;
	}
	if (k->broken_seq)
		printf("%s: row %lld (id %lld): %s; %lld rows before it are good\n", k->daemon,
		       (long long)k->broken_seq, (long long)k->broken_id, k->why,
		       (long long)k->rows);
	else
		printf("%s: %lld rows are good; the last is %s\n", k->daemon, (long long)k->rows,
		       k->rows ? k->hash : "none");
}

static int verify_main(int argc, char **argv)
{
	const char *file = CMD_DEFAULT_CONFIG;
	bool json = false;
	const struct cmd_option options[] = {
		CMD_CONFIG(&file),
		{ "json", NULL, &json, "one JSON object a chain" },
		CMD_OPTIONS_END,
	};
	const struct cmd_usage usage = { "audit verify",
					 "",
					 "Checks that no row of the audit log was changed, taken "
					 "out or put in. Exits with 65 where one was.\n"
					 "Keep the last hash of each chain elsewhere: rows taken "
					 "off its end show by it.",
					 options,
					 0,
					 0 };
	md_auto(arena_done) struct arena a = ARENA_INIT(4 << 20);
	md_auto(db_close_p) struct db *db = NULL;
	struct audit_chain *all;
	struct md_err err = { 0 };
	bool broken = false;
	int first, code, rc;
	size_t n;

	if (!cmd_options(&usage, argc, argv, &first, &code))
		return code;
	if ((code = cmd_open(usage.name, file, NULL, &db)) != EX_OK)
		return code;
	rc = audit_verify(db, &a, &all, &n, &err);
	if (rc != MD_OK)
		return cmd_fail(usage.name, rc, &err);
	for (size_t i = 0; i < n; i++) {
		print_chain(&all[i], json);
		broken = broken || all[i].broken_seq;
	}
	if (n == 0 && !json)
		puts("the audit log is empty");
	return broken ? EX_DATAERR : EX_OK;
}

int cmd_audit(int argc, char **argv)
{
	static const struct cmd_verb verbs[] = {
		{ "verify", verify_main, "check that nothing in it was changed" },
		{ NULL, NULL, NULL },
	};

	return cmd_dispatch("maildesk audit", verbs, argc, argv);
}
