/* cmd.h - the commands of the one binary; main.c is a table of them.
 *
 * A command gets its own argv (argv[0] is its name) and returns a code of sysexits(3). It prints
 * results to stdout and errors, one sentence with the way out, to stderr. */
#ifndef MAILDESK_CMD_CMD_H
#define MAILDESK_CMD_CMD_H

#define CMD_DEFAULT_CONFIG "/etc/maildesk/maildesk.conf"

int cmd_serve(int argc, char **argv);
int cmd_check(int argc, char **argv);
int cmd_init(int argc, char **argv);
int cmd_doctor(int argc, char **argv);
int cmd_status(int argc, char **argv);
int cmd_parse(int argc, char **argv);
int cmd_ingest(int argc, char **argv);
int cmd_decide(int argc, char **argv);
int cmd_replay(int argc, char **argv);
int cmd_quarantine(int argc, char **argv);
int cmd_outbox(int argc, char **argv);
int cmd_sla(int argc, char **argv);
int cmd_oauth(int argc, char **argv);
int cmd_token(int argc, char **argv);
int cmd_template(int argc, char **argv);
int cmd_api(int argc, char **argv);
int cmd_commands(int argc, char **argv);
int cmd_ticket(int argc, char **argv);
int cmd_user(int argc, char **argv);
int cmd_search(int argc, char **argv);
int cmd_audit(int argc, char **argv);
int cmd_purge(int argc, char **argv);
int cmd_erase(int argc, char **argv);
int cmd_import(int argc, char **argv);
int cmd_export(int argc, char **argv);
int cmd_backup(int argc, char **argv);
int cmd_restore(int argc, char **argv);
int cmd_migrate(int argc, char **argv);
int cmd_completion(int argc, char **argv);
int cmd_version(int argc, char **argv);

#endif
