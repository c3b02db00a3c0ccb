#include <maildesk/app/config.h>
#include <maildesk/cmd/cmd.h>
#include <maildesk/cmd/options.h>

#include <stdio.h>
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

int cmd_check(int argc, char **argv)
{
	const char *file = CMD_DEFAULT_CONFIG;
	bool sample = false, manual = false;
	const struct cmd_option options[] = {
		CMD_CONFIG(&file),
		{ "sample", NULL, &sample, "print an annotated sample instead" },
		{ "man", NULL, &manual, "print the sections of maildesk.conf(5) instead" },
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
	fputs(buf_str(&problems), stderr);
	if (rc != MD_OK)
		return EX_CONFIG;
	puts("ok");
	return EX_OK;
}
