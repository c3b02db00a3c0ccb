/* kind_tables.h - by which header fields and subjects automatic mail and lists are known. */
#ifndef MAILDESK_MAIL_KIND_TABLES_H
#define MAILDESK_MAIL_KIND_TABLES_H

#include <maildesk/mail/message.h>

#include <stddef.h>

/* `value`: what the value begins with ("" for any, a leading '!' for anything but, a leading '*'
 * for holds). */
struct kind_field {
	const char *name, *value;
	enum message_kind kind;
};
struct kind_fields {
	size_t n;
	const struct kind_field *v;
};
extern const struct kind_fields kind_early_fields; /* before all else */
extern const struct kind_fields kind_auto_fields;  /* a robot wrote it */
extern const struct kind_fields kind_late_fields;  /* to many at once */

struct kind_words {
	size_t n;
	const char *const *v;
};
/* Stand in the names of vendors' fields ("X-...", without hyphens, lower case). */
extern const struct kind_words kind_auto_names;

/* A subject begins with it (lower case, as utf8_fold makes it), and... */
enum kind_subject_end {
	SUBJECT_CLOSED, /* a colon, a bracket or nothing follows */
	SUBJECT_OPEN,   /* anything may follow */
	SUBJECT_ANSWER, /* closed, and the mail answers another: people begin subjects like that */
};
struct kind_subject {
	const char *words;
	enum kind_subject_end end;
};
struct kind_subjects {
	size_t n;
	const struct kind_subject *v;
};
extern const struct kind_subjects kind_auto_subjects;

/* In a subject that begins with "AUTO:" (Domino): who is where until when. Lower case. */
extern const struct kind_words kind_absences;

#endif
