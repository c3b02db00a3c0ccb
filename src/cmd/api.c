/* `maildesk api`: the API as its table of routes has it, for programs (OpenAPI) or for
 * maildesk-api(7). */
#include <maildesk/app/api.h>
#include <maildesk/cmd/cmd.h>
#include <maildesk/cmd/options.h>

#include <stdio.h>
#include <sysexits.h>

int cmd_api(int argc, char **argv)
{
	enum { DOCUMENT_MAX = 4 << 20 };
	md_auto(buf_done) struct buf out = BUF_INIT(DOCUMENT_MAX);
	bool manual = false;
	const struct cmd_option options[] = {
		{ "man", NULL, &manual, "print the routes of maildesk-api(7) instead" },
		CMD_OPTIONS_END,
	};
	const struct cmd_usage usage = {
		"api", "", "Prints the description of the HTTP API (OpenAPI 3.1).", options, 0, 0
	};
	int first, code;

	if (!cmd_options(&usage, argc, argv, &first, &code))
		return code;
	(manual ? api_manual : api_document)(&out);
	if (out.status != MD_OK)
		return EX_OSERR;
	fputs(buf_str(&out), stdout);
	if (!manual)
		putchar('\n'); /* the JSON has no end of line of its own */
	return EX_OK;
}
