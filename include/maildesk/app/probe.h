/* probe.h - a mailbox and its way out tried for real: signing in, and mails to itself, which tell
 * what our own servers write above a mail and what they take away (doctor, init). */
#ifndef MAILDESK_APP_PROBE_H
#define MAILDESK_APP_PROBE_H

#include <maildesk/app/bearer.h>
#include <maildesk/app/config.h>
#include <maildesk/mail/message.h>
#include <maildesk/net/imap.h>
#include <maildesk/net/smtp.h>

struct probe_mailbox {
	struct imap *imap; /* the session, with the folder selected; close it by imap_close() */
	struct imap_folder folder;
};
/* Signs in and selects the folder; `bearer`, which is started, has the tokens of sections that sign
 * in by one (NULL: there are none). MD_REFUSED: not these credentials; MD_NOTFOUND: no such folder;
 * MD_AGAIN, MD_BROKEN, MD_INPUT as in imap.h. */
int probe_open(const struct conf_mailbox *m, struct bearer *bearer, struct probe_mailbox *ret,
	       struct md_err *err);

/* What stands above a mail that went its whole way. */
struct probe_trust {
	const char *authserv_id; /* of the field our server wrote; "-": without one; NULL: none */
	bool passes;             /* and it says dmarc=pass or dkim=pass */
	int64_t received;        /* Received fields */
	int64_t above;           /* of them above that field */
	/* The narrowest trust.trusted_hops and position by which the field counts. Below a Received
	 * of ours others may write too, so then forged fields have to be removed. */
	int64_t hops;
	bool below;
	bool forged_kept;   /* a forged field of that id came through */
	bool forged_counts; /* and it, or one in another place, would be believed */
};
enum probe_way {
	PROBE_PLAIN,
	PROBE_PLUS,
	PROBE_WAYS
}; /* to the address, and to address+something */
struct probe_mail {
	/* in */
	const struct conf_mailbox *mailbox;
	const struct conf_smtp *smtp;
	struct bearer *bearer;   /* as of probe_open() */
	struct imap *imap;       /* of the mailbox */
	struct db *db;           /* where a daemon may have put it meanwhile; NULL: none works */
	uint32_t after;          /* no mail of interest is at or below this UID */
	const char *authserv_id; /* to forge in the mail to the address; NULL: nothing */
	int64_t hops;            /* that forged fields are measured by when there is no other */
	bool below;
	int64_t wait_ms;
	/* out */
	bool refused[PROBE_WAYS], arrived[PROBE_WAYS];
	char reply[PROBE_WAYS][400];     /* of the server that refused it, or is away */
	char ids[PROBE_WAYS][120];       /* Message-IDs */
	int64_t took_ms, clock_ahead_ms; /* of ours against the server that stamped it */
	uint32_t uids[PROBE_WAYS];       /* 0: the daemon has taken it away */
	struct probe_trust trust;        /* of the mail to the address */
};
#define PROBE_FORGED "forged.invalid" /* whom the forged field speaks for */
/* p->trust, of a mail that arrived. */
void probe_read_trust(struct probe_mail *p, const struct message *m);
/* Sends both and waits for them. What did not arrive is no failure. Strings go into the arena. */
int probe_send(struct probe_mail *p, struct arena *a, struct md_err *err);

#endif
