/* notify_priv.h - between the parts of telling people: whom (notify.c), whether now (caps.c,
 * digest.c), with what (letter_data.c, actions.c). */
#ifndef MAILDESK_APP_NOTIFY_PRIV_H
#define MAILDESK_APP_NOTIFY_PRIV_H

#include <maildesk/app/notify.h>
#include <maildesk/app/work_base.h>

/* A person with what is needed to write to them. */
struct reader {
	const char *name, *email, *locale, *timezone;
	int64_t epoch;
	const char *digest;
};
/* One mail about one event to one person. */
struct letter_data {
	const struct work_event *event;
	const char *template;
	const struct reader *to, *requester, *assignee; /* the latter two NULL: nobody */
	const char *locale;                             /* of the mailbox */
	const char *from, *message_id, *reply_to, *marker;
	int64_t to_user;
	enum role to_role;
	const char *mute; /* token of /u/; NULL: there is nothing they could leave */
};
/* notify.c: by which mailbox, and from which address, people are written to about that ticket. */
const struct conf_mailbox *work_mailbox(const struct work *w);
const char *work_address(const struct work *w);
/* digest.c: is somebody told of that later, together with what else happens? Then it is kept for
 * their digest. */
struct collected {
	const struct work_event *event;
	const char *template;
	const struct reader *to;
	int64_t user;
	bool staff;
	int64_t not_before_ms;
};
int work_collect(struct work *w, const struct collected *l, bool *ret, struct md_err *err);
/* actions.c: a link that opens a mail to that address, RFC 6068. In the arena; NULL: none can be
 * written. */
const char *work_mailto(struct work *w, const char *address, const char *subject);
/* Such a mail's subject: the ticket, its title cut short, and a command if there is one (NULL:
 * none). */
const char *work_link_subject(struct work *w, const char *verb);
/* actions.c: the links by which an agent gives a command with one tap, JSON objects parted by
 * commas; "" for others. In the arena; NULL: out of memory. */
const char *letter_actions(struct work *w, const struct letter_data *l);
/* Append what its templates are filled with, as JSON. MD_NOMEM. */
int letter_data_write(struct work *w, const struct letter_data *l, struct buf *out,
		      struct md_err *err);
/* Tell the admins what was stopped: "breaker", or "silence" with about whom. */
int work_alarm(struct work *w, const char *what, const char *about, struct md_err *err);
/* The desk-wide breaker (mail-in.md, "Loops"): may one more automatic mail go to a customer, or
 * were there limits.auto_desk_hour of them within an hour? */
int work_breaker(struct work *w, bool *ret, struct md_err *err);
/* caps.c: whether something automatic may still go to that address now; what may not is in the
 * ticket's history. *ret_key is its subject without tags and prefixes, for the next time. */
int work_within_caps(struct work *w, const struct letter_data *l, bool is_staff,
		     const char **ret_key, bool *ret, struct md_err *err);

#endif
