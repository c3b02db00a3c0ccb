/* bounce_text.h - reports that people were meant to read: who failed, and with which code. */
#ifndef MAILDESK_MAIL_BOUNCE_TEXT_H
#define MAILDESK_MAIL_BOUNCE_TEXT_H

#include "bounce_tables.h"

#include <maildesk/mail/bounce.h>

/* Who sent it, before its words are looked at. */
struct bounce_sender {
	bool daemon; /* an address that no person has */
	bool mailer; /* that, or the address or name of a mailer that a person may have as well */
	bool robot;  /* takes no answers */
	bool null_path; /* and no robot's own answer */
	bool passed_on; /* the subject is that of an answer or a forward */
	bool reports;   /* one whose words count: no person, as far as the header tells */
};
struct bounce_sender bounce_sender_read(const struct mime_tree *t, const char *subject,
					const char *from);

/* What says that a mail is a bounce although no part of it is a status report; NULL for nothing. */
const char *bounce_text_evidence(const struct mime_tree *t, const char *subject,
				 const struct bounce_sender *sender, struct span text);

/* Whether one of the words (in lower case, of any script) stands in it. */
bool bounce_says(struct span text, const struct bounce_words *words);
bool bounce_subject_says(const char *subject, const struct bounce_words *words);

/* Appends one entry for each failed address of the text to v[*n] (room BOUNCE_RECIPIENTS_MAX);
 * an address that is known already only gets what it lacks. */
void bounce_text_read(struct arena *a, const struct mime_tree *t, const char *subject,
		      struct span text, struct bounce *v, size_t *n);

/* The first enhanced status code ("5.1.1") in s; NULL when there is none. */
const char *bounce_status_in(struct arena *a, struct span s);

/* Length of "c.s.d" (class 2, 4 or 5; no more numbers behind) at `at`, or 0. */
size_t bounce_status_at(struct span s, size_t at);

/* "4.0.0" or "5.0.0" by the first SMTP reply code in s; NULL when there is none. */
const char *bounce_status_by_reply(struct span s);

/* The report without the mail that it gives back. */
struct span bounce_without_copy(struct span text);

#endif
