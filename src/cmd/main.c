/* The one binary. `maildesk serve` starts it again for each role (architecture.md). */
#include <maildesk/app/fetcher.h>
#include <maildesk/app/reader.h>
#include <maildesk/cmd/cmd.h>
#include <maildesk/cmd/options.h>

#include <gnutls/gnutls.h>
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <sysexits.h>

static int run_fetch(int argc, char **argv)
{
	(void)argc, (void)argv;
	return role_fetch_main();
}

static int run_read(int argc, char **argv)
{
	(void)argc, (void)argv;
	return role_read_main();
}

const struct cmd_verb cmd_verbs[] = {
	{ "serve", cmd_serve, "run the desk" },
	{ "check", cmd_check, "check the configuration, or print a sample of it" },
	{ "init", cmd_init, "write a configuration, make the database and the first admin" },
	{ "doctor", cmd_doctor, "try everything the desk needs, and say what to do" },
	{ "status", cmd_status, "show the state of daemon, mailboxes and queues" },
	{ "parse", cmd_parse, "print mails as the desk reads them" },
	{ "ingest", cmd_ingest, "take in mail from standard input, an mbox or a Maildir" },
	{ "decide", cmd_decide, "say what would be done with a mail, and why" },
	{ "replay", cmd_replay, "take all mail in again into another database, and compare" },
	{ "quarantine", cmd_quarantine, "look at mail in quarantine, release or delete it" },
	{ "outbox", cmd_outbox, "look at outgoing mail, send it again or cancel it" },
	{ "sla", cmd_sla, "work out service level scenarios" },
	{ "template", cmd_template, "check templates of mails, and print what they make" },
	{ "ticket", cmd_ticket, "list, show, open, answer and change tickets" },
	{ "commands", cmd_commands, "list the commands that mails may carry" },
	{ "api", cmd_api, "print the description of the HTTP API (OpenAPI)" },
	{ "token", cmd_token, "keys of programs, and the key that signs reply addresses" },
	{ "user", cmd_user, "add, list and change people" },
	{ "oauth", cmd_oauth, "sign in to mail accounts by OAuth 2" },
	{ "search", cmd_search, "find tickets and comments, rebuild the search index" },
	{ "audit", cmd_audit, "check the log of what admins did" },
	{ "purge", cmd_purge, "remove what has been kept long enough" },
	{ "erase", cmd_erase, "forget a person" },
	{ "import", cmd_import, "take in mail, or the tickets of another system" },
	{ "export", cmd_export, "write the desk as JSON Lines, raw mails and files" },
	{ "backup", cmd_backup, "write the whole desk into one file, while it works" },
	{ "restore", cmd_restore, "make a desk of a backup" },
	{ "migrate", cmd_migrate, "move the desk to another database" },
	{ "completion", cmd_completion, "print the completion script of a shell" },
	{ "version", cmd_version, "print the version" },
	{ "role-fetch", run_fetch, NULL },
	{ "role-read", run_read, NULL },
	{ NULL, NULL, NULL },
};

int main(int argc, char **argv)
{
	signal(SIGPIPE, SIG_IGN); /* a peer that went away is an error of the write */
	if (sodium_init() < 0 || gnutls_global_init() < 0) {
		fputs("maildesk: the cryptographic libraries cannot be initialised\n", stderr);
		return EX_SOFTWARE;
	}
	return cmd_dispatch("maildesk", cmd_verbs, argc, argv);
}
