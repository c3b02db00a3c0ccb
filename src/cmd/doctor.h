/* doctor.h - between the parts of `maildesk doctor`. */
#ifndef MAILDESK_CMD_DOCTOR_H
#define MAILDESK_CMD_DOCTOR_H

#include <maildesk/app/desk.h>
#include <maildesk/app/probe.h>
#include <maildesk/store/db.h>

enum finding { FINE, WARNING, FAILED, SKIPPED };

struct doctor {
	const struct config *config;
	struct db *db;         /* NULL: it cannot be opened */
	struct bearer *bearer; /* access tokens; NULL: none are needed, or to be had */
	bool daemon_works;     /* so mails are taken from their folder while we look */
	bool json, no_mail;    /* options */
	int64_t wait_ms;
	int warnings, failures;
};

/* One line: what was looked at ("mailbox", "support"; the name may be NULL), and one sentence about
 * it, which says what to do when it is not fine. */
void doctor_say(struct doctor *d, enum finding f, const char *what, const char *name,
		const char *fmt, ...) __attribute__((format(printf, 5, 6)));

/* doctor_host.c: what needs no mail server */
void doctor_host(struct doctor *d);
/* doctor_mail.c: mailboxes, ways out, mails to themselves, the DNS of their domains */
void doctor_mail(struct doctor *d);

#endif
