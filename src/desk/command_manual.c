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
	".TH MAILDESK-COMMANDS 7 2026-11-20 maildesk \"maildesk manual\"\n"
	".SH NAME\nmaildesk-commands \\- what agents and customers may ask for in a mail\n"
	".SH DESCRIPTION\n"
	"A mail to the desk may carry commands, in two places:\n"
	".TP\n.B at the end of the subject\n"
	"in brackets and parted by semicolons, or each with its #:\n"
	".B [resolve; tag=+hardware]\nor\n.BR \"#resolve #tag +hardware\" .\n"
	"In the\n.B subject_commands\nmode\n.B loose\n(the default) what is no command stays in the "
	"subject, and the answer says so;\n.B strict\nrefuses it;\n.B off\nreads no commands there.\n"
	".TP\n.B at the very top of the text\n"
	"one a line, each with its # and in the first column, up to the first line that is none.\n"
	"Empty lines between them do not count.\n"
	"Text like\n.B #123\nor\n.B \"# heading\"\nis no command. Quoted text and signatures are never "
	"looked at.\n"
	".PP\n"
	"Commands are taken off the text; a mail of nothing else makes no comment. All of them are "
	"done in order,\nor none: the first that is refused takes back those before it, and the text "
	"is kept, of agents as an internal note.\nAn unknown #word is refused to agents; of customers "
	"it is text.\nMore than 50 lines are refused.\n"
	".PP\n"
	"The same language stands behind the console's command box,\n"
	".BR \"maildesk ticket command\" ,\nand\n"
	".BR \"POST /api/v1/tickets/{id}/commands\" .\n"
	".SS Several tickets\n"
	"A subject with\n.B [#1 #2 #3]\nand commands, or\n.B \"#on 1 2 3\"\nas the first line, is for "
	"each of these tickets. More than one is bulk: level 3, and all or nothing.\nThe text is a "
	"comment on the first one. Without commands\n.B [#1 #2]\ncomments on the first and links the "
	"others to it.\n"
	".SS Who may\n"
	"A command runs when the mail is proven to be of its sender (level 2): by the results of our "
	"own mail server, or,\nwhere those are not configured, by the signed address that the desk "
	"put into the mail answered. What is marked\n\"level 3\" needs both, or the answer to a "
	"confirmation that the desk sends. Refusals are told to the sender alone.\n"
	"A mail that is seen again, and a reply whose subject merely brings back commands that were "
	"run, run nothing.\n"
	".SS Times\n"
	"WHEN is a date\n.RB ( 2027\\-03\\-01 ,\n.BR today ,\n.BR tomorrow ,\n.BR friday ),\n"
	"at 09:00 of your time zone or with a time behind it\n.RB ( \"2027\\-03\\-01 14:00\" ),\n"
	"or a TIME from now on\n.RB ( 30m ,\n.BR 4h ,\n.BR 3d ,\n.BR 1w ,\n.BR 1h30m ).\n"
	".SH COMMANDS\n";
static const char after[] =
	".SH ANSWERS\n"
	"Whoever gave commands is answered with each line, its result and the reason, and the "
	"ticket's state after:\nby default when something was refused or asked for\n"
	".RB ( transcript\n=\n.BR errors );\n.B always\nanswers every time,\n.B never\nquestions only.\n"
	".PP\nNotifications of agents end in links for what may be done next:\n"
	"one opens a mail to the signed address with the command in its subject, and is done by\n"
	"sending it.\n"
	".SH CANNED REPLIES\n"
	"The text of a canned reply is a template; it may use\n"
	".BR {{requester.name}} ,\n.BR {{requester.email}} ,\n.BR {{assignee.name}} ,\n"
	".BR {{agent.name}} ,\n.BR {{desk.name}} ,\n.BR {{ticket.id}} ,\n.BR {{ticket.title}} ,\n"
	".BR {{ticket.status}} ,\n.BR {{ticket.priority}}\nand\n.BR {{ticket.category}} .\n"
	"It stands below the text of the mail. Its tags are added, and its commands are run as the "
	"agent's own.\n"
	".SH EXAMPLES\n";
static const char end[] =
	".SH SEE ALSO\n.BR maildesk\\-scaling (7),\n.BR maildesk\\-templates (7)\n";
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
