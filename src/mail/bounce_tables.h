/* bounce_tables.h - by which words reports of mailers are known. */
#ifndef MAILDESK_MAIL_BOUNCE_TABLES_H
#define MAILDESK_MAIL_BOUNCE_TABLES_H

#include <stddef.h>

struct bounce_words {
	size_t n;
	const char *const *v;
};
/* All in lower case, of any script. */
extern const struct bounce_words bounce_subjects; /* stand in the subject */
extern const struct bounce_words bounce_daemons;  /* begin an address that is no person's */
extern const struct bounce_words bounce_roles;    /* begin one that a person may have, too */
extern const struct bounce_words bounce_robots;   /* begin one that takes no answers */
extern const struct bounce_words bounce_names;    /* begin the name of a mailer */
extern const struct bounce_words bounce_texts;    /* in the text: a mail did not arrive */
extern const struct bounce_words bounce_delays;   /* in subject or text: it may still arrive */
extern const struct bounce_words bounce_finals;   /* in the text: it will not, whatever else */
extern const struct bounce_words bounce_copies;   /* begin the line behind which the mail stands */
extern const struct bounce_words bounce_leads;    /* come right before the address */

#endif
