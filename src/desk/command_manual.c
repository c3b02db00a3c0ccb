/* maildesk-commands(7), made from the table of verbs. */
#include <maildesk/base/mem.h>
#include <maildesk/base/roff.h>

#include "command_priv.h"

#include <string.h>

const struct command_example command_examples[] = {
	{ "Re: [#1] Printer on fire [take; priority=high]", "I am on my way.\n",
	  "Answer the customer, take the ticket and raise its priority:" },
	{ "Re: [#1] Printer on fire #take #resolve", "It was the toner.\n",
	  "The same way without brackets; each command sees what those before it did:" },
	{ "Re: [#1] Printer on fire", "#take\n#note The vendor knows of it.\nCase 4711.\n",
	  "Lines at the top of the text; the customer sees nothing of it:" },
	{ "Re: [#1] Printer on fire", "#take\n#stop\n#1 thing to check: the plug.\n",
	  "A text that begins with a #:" },
	{ "[#1 #2] Power is back [take; resolve]", "",
	  "Several tickets; all of it is done, or nothing:" },
	{ "Power is back", "#on 1 2\n#priority low\n", "The same in the text:" },
	{ "My day", "#list mine\n#list overdue\n#show #1\n#search printer fire\n",
	  "Questions; a mail with nothing else in it makes no ticket:" },
	{ 0 },
};

static const char *who(const struct command_row *row)
{
	static const struct policy_actor customer = { .user = 1,
						      .role = ROLE_CUSTOMER,
						      .source = SOURCE_API };
	static const struct policy_ticket own = { .requester = 1, .is_new = true };

	if (row->verb == VERB_DELETE)
		return "admins, and whose ticket it is";
	if (row->verb == VERB_STATUS)
		return "everybody on the ticket, as its workflow has it";
	return policy_may(&customer, row->action, &own) == POLICY_YES ? "everybody" : "agents";
}

static void put_row(struct buf *out, const struct command_row *row)
{
	buf_adds(out, ".TP\n.B ");
	roff_text(out, row->usage);
	buf_addc(out, '\n');
	roff_text(out, row->help);
	buf_addf(out, "\n(%s%s", who(row),
		 policy_level(ROLE_AGENT, row->action) > 2 ? ", level 3" : "");
	if (row->aliases)
		buf_addf(out, "; also: %s", row->aliases);
	buf_adds(out, ")\n");
	if (row->example) {
		buf_adds(out, ".br\nExample: ");
		roff_text(out, row->example);
		buf_addc(out, '\n');
	}
}

static void put_example(struct buf *out, const struct command_example *e)
{
	if (e != command_examples)
		buf_adds(out, ".PP\n");
	roff_text(out, e->about);
	buf_adds(out, "\n.PP\n.RS 4\n.nf\nSubject: ");
	roff_text(out, e->subject);
	buf_adds(out, "\n\n");
	roff_text(out, e->text);
	buf_adds(out, ".fi\n.RE\n");
}

/* clang-format off */
static const char before[] =
	".\\\" made by: maildesk commands --man\n"
	".TH MAILDESK-COMMANDS 7 2026-12-01 maildesk \"maildesk manual\"\n"
	".SH NAME\nmaildesk-commands \\- what agents and customers may ask for in a mail\n"
	".SH DESCRIPTION\n"
	"A mail to the desk may carry commands, in two places:\n"
	".TP\n.B at the end of the subject\n"
	"in brackets, separated by semicolons, or each with its own #:\n"
	".B [resolve; tag=+hardware]\nor\n.BR \"#resolve #tag +hardware\" .\n"
	"In the\n.B subject_commands\nmode\n.B loose\n(the default) what is not a command stays in "
	"the subject, and the answer says so;\n.B strict\nrefuses it;\n.B off\nreads no commands "
	"there.\n"
	".TP\n.B at the very top of the text\n"
	"one per line, each beginning with # in the first column, up to the first line that is not a "
	"command.\n"
	"Empty lines between them do not count.\n"
	"Text like\n.B #123\nor\n.B \"# heading\"\nis not a command.\nQuoted text and signatures are "
	"never looked at.\n"
	".PP\n"
	"Commands are removed from the text; a mail with nothing else makes no comment.\n"
	"Either all of them are done, in order, or none: the first that is refused takes back those "
	"before it.\nThe text is kept then, as an internal note if it is an agent's.\n"
	"From an agent an unknown #word is refused; from a customer it is text.\n"
	"More than 50 lines are refused.\n"
	".PP\n"
	"The console's command box,\n"
	".B maildesk ticket command\nand\n"
	".B POST /api/v1/tickets/{id}/commands\nunderstand the same language.\n"
	".SS Several tickets\n"
	"A subject with\n.B [#1 #2 #3]\nand commands, or\n.B \"#on 1 2 3\"\nas the first line, applies "
	"to each of these tickets.\nMore than one is a bulk change: level 3, and all or nothing.\n"
	"The text is a comment on the first one.\nWithout commands\n.B [#1 #2]\ncomments on the first "
	"and links the others to it.\n"
	".SS Who may\n"
	"A command runs when the mail is proven to come from its sender (level 2): by the results of "
	"our own mail server or,\nwhere those are not configured, by the signed address that the "
	"desk put into the mail that is answered.\nWhat is marked\n\"level 3\" needs both, or the "
	"answer to a confirmation that the desk sends.\nOnly the sender is told of refusals.\n"
	"A mail that is seen again runs nothing, nor does a reply whose subject merely repeats "
	"commands that were run.\n"
	".SS Times\n"
	"WHEN is a date\n.RB ( 2027\\-03\\-01 ,\n.BR today ,\n.BR tomorrow ,\n.BR friday ),\n"
	"at 09:00 in your time zone or at the time given after it\n.RB ( \"2027\\-03\\-01 14:00\" ),\n"
	"or a TIME from now on\n.RB ( 30m ,\n.BR 4h ,\n.BR 3d ,\n.BR 1w ,\n.BR 1h30m ).\n"
	".SH COMMANDS\n";
static const char after[] =
	".SH ANSWERS\n"
	"The sender of commands is sent each line with its result and the reason, and the state of "
	"the ticket afterwards.\nBy default this happens when something was refused or asked for\n"
	".RB ( transcript\n=\n.BR errors );\n.B always\nanswers every time,\n.B never\nonly questions.\n"
	".PP\nNotifications to agents end with links for what can be done next.\n"
	"A link opens a mail to the signed address with the command in its subject; sending it runs "
	"the command.\n"
	".SH CANNED REPLIES\n"
	"The text of a canned reply is a template; it may use\n"
	".BR {{requester.name}} ,\n.BR {{requester.email}} ,\n.BR {{assignee.name}} ,\n"
	".BR {{agent.name}} ,\n.BR {{desk.name}} ,\n.BR {{ticket.id}} ,\n.BR {{ticket.title}} ,\n"
	".BR {{ticket.status}} ,\n.BR {{ticket.priority}}\nand\n.BR {{ticket.category}} .\n"
	"It is put below the text of the mail.\nIts tags are added, and its commands run as the "
	"agent's own.\n"
	".SH EXAMPLES\n";
static const char end[] =
	".SH SEE ALSO\n.BR maildesk (1),\n.BR maildesk\\-admin (7),\n.BR maildesk\\-templates (7)\n";
/* clang-format on */

void command_manual(struct buf *out)
{
	buf_adds(out, before);
	for (const struct command_row *row = command_rows; row->name; row++)
		put_row(out, row);
	put_row(out, &command_field_row);
	buf_adds(out, after);
	for (const struct command_example *e = command_examples; e->subject; e++)
		put_example(out, e);
	buf_adds(out, end);
}

void command_table(struct buf *out)
{
	enum { COLUMN = 36 };

	for (const struct command_row *row = command_rows; row->name; row++) {
		size_t n = strlen(row->usage);

		buf_addf(out, "%-*s%s%s\n", COLUMN - 1, row->usage, n < COLUMN ? " " : "\n",
			 n < COLUMN ? row->help : "");
		if (n >= COLUMN)
			buf_addf(out, "%*s%s\n", COLUMN, "", row->help);
	}
}
