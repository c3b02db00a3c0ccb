/* words.h - the fixed words of the desk in each language it speaks: what is no sentence of a letter
 * but goes into one (names of states and targets, dates), or stands where no letter is ("(no
 * subject)").
 *
 * In commands and in letters to agents, states and priorities are printed by their ids. */
#ifndef MAILDESK_DESK_WORDS_H
#define MAILDESK_DESK_WORDS_H

#include <maildesk/base/buf.h>
#include <stddef.h>
#include <stdint.h>

struct words;

/* By a language tag: "de", "de-AT", "DE_at" are all German. NULL when we don't speak it. */
const struct words *words_find(const char *locale);
/* The first of the tags (they may be NULL) that we speak, else English. */
const struct words *words_choose(const char *const *locales, size_t n);

const char *words_locale(const struct words *w); /* "de" */
/* Of any language tag: "rtl" for those written from the right, else "ltr". */
const char *words_direction(const char *locale);

const char *words_no_subject(const struct words *w);   /* "(no subject)" */
const char *words_reply_marker(const struct words *w); /* a line that mail/trim.h knows */
/* "Stop mails about this request", and what is answered then. */
const char *words_mute(const struct words *w);
const char *words_muted(const struct words *w);
const char *words_files(const struct words *w);     /* stands above links to them */
const char *words_megabyte(const struct words *w);  /* "MB" */
const char *words_too_large(const struct words *w); /* in the place of a mail's text */
/* For states, as they are said of a request; ids we have no word for are returned as they are. */
const char *words_status(const struct words *w, const char *id);
const char *words_metric(const struct words *w, const char *id);
/* What stands on a button that gives that command: "take", "resolve", "note", ... */
const char *words_action(const struct words *w, const char *id);
/* "Monday, 2 March 2026, 14:00 (Europe/Berlin)". Both in milliseconds; `zone` is only printed. */
void words_date(const struct words *w, int64_t at_ms, int64_t offset_ms, const char *zone,
		struct buf *out);
/* Append what is wrong with a mailbox (mailbox_reasons.c), which the sources say in English. */
void words_mailbox_error(const struct words *w, const char *error, struct buf *out);

#endif
