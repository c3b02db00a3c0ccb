/* trim_tables.h - the words by which clients mark what they quote. A client's or a language's way
 * of quoting is one row in one of these tables; trim_lines.c knows no words. ASCII letters compare
 * without case, the rest of UTF-8 byte by byte. */
#ifndef MAILDESK_MAIL_TRIM_TABLES_H
#define MAILDESK_MAIL_TRIM_TABLES_H

#include <stddef.h>

/* "On DATE, NAME wrote:" - how such a line begins and the word it holds; it ends in a colon.
 * A line that begins otherwise ("" here) counts when it holds the word and a date or an address. */
struct trim_quote_header {
	const char *start, *verb;
};
extern const struct trim_quote_header trim_quote_headers[]; /* ended by a NULL verb */
enum { TRIM_QUOTE_HEADERS_MAX = 64 };

/* Labels of a block of old headers, by what they stand for. */
enum trim_label { LABEL_FROM = 1, LABEL_SENT = 2, LABEL_TO = 4, LABEL_SUBJECT = 8, LABEL_CC = 16 };
struct trim_label_word {
	const char *text;
	enum trim_label label;
};
extern const struct trim_label_word trim_labels[]; /* ended by a NULL text */

struct trim_words {
	size_t n;
	const char *const *v;
};
extern const struct trim_words trim_originals;    /* between dashes: an old mail begins */
extern const struct trim_words trim_above;        /* "reply above this line" */
extern const struct trim_words trim_forwards;     /* between dashes or before a colon: passed on */
extern const struct trim_words trim_device_words; /* in such a line: no sentence holds it */
extern const struct trim_words trim_devices;      /* "Sent from my ...": how such a line begins */
extern const struct trim_words trim_device_ends;  /* ... or ends, with one of the words above */

enum { TRIM_DISCLAIMERS_MAX = 64 };
/* What stands under the mail of a company: two words that one paragraph holds. */
struct trim_pair {
	const char *one, *other;
};
extern const struct trim_pairs {
	size_t n;
	const struct trim_pair *v;
} trim_disclaimers;

/* Before the colon of a subject: of a mail that is passed on, or an answer. */
extern const struct trim_words trim_forward_prefixes, trim_reply_prefixes;

#endif
