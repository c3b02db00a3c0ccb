/* intake_priv.h - intake in two halves: facts.c looks things up, intake.c decides and acts. */
#ifndef MAILDESK_APP_INTAKE_PRIV_H
#define MAILDESK_APP_INTAKE_PRIV_H

#include <maildesk/app/intake.h>
#include <maildesk/app/work.h>
#include <maildesk/desk/route.h>
#include <maildesk/desk/trust.h>

enum { INTAKE_HITS_MAX = 64 };

/* What is known about a mail before anything is decided. */
struct intake_facts {
	const struct message *m;
	const struct desk_mailbox *mailbox;
	const char *sender, *sender_name; /* address the mail speaks for, folded as users' are */
	struct user user;                 /* id 0: not one of ours */
	bool is_staff;
	bool by_form; /* the sender is named by a contact form */
	bool automatic; /* no person wrote it */
	struct trust trust;
	struct route_hit hits[INTAKE_HITS_MAX];
	size_t n_hits;
};

int intake_facts(struct desk *d, struct db_conn *c, struct arena *a, const struct intake_mail *mail,
		 int64_t now_ms, struct intake_facts *ret, struct md_err *err);

#endif
