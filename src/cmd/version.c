#include <maildesk/cmd/cmd.h>
#include <maildesk/cmd/options.h>

#include <stdio.h>
#include <sysexits.h>

int cmd_version(int argc, char **argv)
{
	bool json = false;
	const struct cmd_option options[] = {
		{ "json", NULL, &json, "as a JSON object" },
		CMD_OPTIONS_END,
	};
	const struct cmd_usage usage = { "version", "", "Prints the version.", options, 0, 0 };
	int first, code;

	if (!cmd_options(&usage, argc, argv, &first, &code))
		return code;
	printf(json ? "{\"version\":\"%s\"}\n" : "maildesk %s\n", MAILDESK_VERSION);
	return EX_OK;
}
