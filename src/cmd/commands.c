/* The command language as the table of its verbs has it: for people, or as the manual page. */
#include <maildesk/cmd/cmd.h>
#include <maildesk/cmd/options.h>
#include <maildesk/desk/command.h>

#include <stdio.h>
#include <sysexits.h>

int cmd_commands(int argc, char **argv)
{
	enum { MANUAL_MAX = 1 << 20 };
	md_auto(buf_done) struct buf out = BUF_INIT(MANUAL_MAX);
	bool manual = false;
	const struct cmd_option options[] = {
		{ "man", NULL, &manual, "as the source of maildesk-commands(7)" },
		CMD_OPTIONS_END,
	};
	const struct cmd_usage usage = { "commands", "", "Lists the commands that mails may carry.",
					 options,    0,  0 };
	int first, code;

	if (!cmd_options(&usage, argc, argv, &first, &code))
		return code;
	(manual ? command_manual : command_table)(&out);
	if (out.status != MD_OK)
		return EX_OSERR;
	fputs(buf_str(&out), stdout);
	return EX_OK;
}
