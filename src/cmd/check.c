#include <maildesk/app/config.h>
#include <maildesk/base/json.h>
#include <maildesk/cmd/cmd.h>
#include <maildesk/cmd/options.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

static int print_table(void (*write)(struct buf *out))
{
	md_auto(buf_done) struct buf text = BUF_INIT(1 << 20);

	write(&text);
	if (text.status != MD_OK)
		return cmd_fail("check", text.status, NULL);
	fputs(buf_str(&text), stdout);
	return EX_OK;
}

/* "FILE:LINE: warning: text", and the same without "warning: " for an error. */
static json_t *json_problem(const char *line, size_t n)
{
	static const char mark[] = " warning: ";
	const char *end = line + n, *at = line, *text;
	bool warning;

	while (at < end && !(at[0] == ':' && at + 1 < end && at[1] >= '0' && at[1] <= '9'))
		at++;
	text = at < end ? memchr(at + 1, ':', (size_t)(end - at - 1)) : NULL;
	if (!text)
		return json_pack("{s:s, s:s%}", "level", "error", "text", line, n);
	text++;
	warning = (size_t)(end - text) > strlen(mark) && memcmp(text, mark, strlen(mark)) == 0;
	text += warning ? strlen(mark) : text < end && *text == ' ';
	return json_pack("{s:s%, s:i, s:s, s:s%}", "file", line, (size_t)(at - line), "line",
			 (int)strtol(at + 1, NULL, 10), "level", warning ? "warning" : "error",
			 "text", text, (size_t)(end - text));
}

static void print_json(const struct buf *problems, bool ok)
{
	md_auto(json_decref_p) json_t *all = json_pack("{s:b, s:[]}", "ok", ok, "problems");
	json_t *list = json_object_get(all, "problems");

	for (const char *line = buf_str(problems); *line;) {
		size_t n = strcspn(line, "\n");

		json_array_append_new(list, json_problem(line, n));
		line += n + (line[n] == '\n');
	}
	json_dumpf(all, stdout, JSON_COMPACT);
	putchar('\n');
}

int cmd_check(int argc, char **argv)
{
	const char *file = CMD_DEFAULT_CONFIG;
	bool sample = false, manual = false, json = false;
	const struct cmd_option options[] = {
		CMD_CONFIG(&file),
		{ "sample", NULL, &sample, "print an annotated sample instead" },
		{ "man", NULL, &manual, "print the sections of maildesk.conf(5) instead" },
		{ "json", NULL, &json, "print a JSON object with all of them" },
		CMD_OPTIONS_END,
	};
	const struct cmd_usage usage = {
		"check", "", "Prints all errors of the configuration, then warnings.", options, 0, 0
	};
	md_auto(config_free_p) struct config *config = NULL;
	md_auto(buf_done) struct buf problems = BUF_INIT(1 << 20);
	int first, code, rc;

	if (!cmd_options(&usage, argc, argv, &first, &code))
		return code;
	if (sample || manual)
		return print_table(sample ? config_sample : config_manual);
	rc = config_load_all(file, &config, &problems);
	if (rc == MD_NOMEM)
		return cmd_fail("check", rc, NULL);
	if (json)
		print_json(&problems, rc == MD_OK);
	else
		fputs(buf_str(&problems), stderr);
	if (rc == MD_OK && !json)
		puts("ok");
	return rc == MD_OK ? EX_OK : EX_CONFIG;
}
