/* trim.h - what is new in a reply. Lossless: the whole text is kept elsewhere, this only tells
 * which stretch of it the person wrote now. If nothing would be left, nothing is trimmed. */
#ifndef MAILDESK_MAIL_TRIM_H
#define MAILDESK_MAIL_TRIM_H

#include <maildesk/base/arena.h>
#include <maildesk/base/record.h>
#include <maildesk/mail/html.h>
#include <maildesk/mail/span.h>

/* Stands in every mail the desk sends; what is below it is ours (or older). */
#define MAIL_REPLY_MARKER "##- Please type your reply above this line -##"

enum { TRIM_MARKERS_MAX = 8, TRIM_TOKEN_MAX = 200 };

/* The new stretch of `text` (LF, UTF-8). */
struct span trim_reply(struct arena *a, struct span text);
/* What helps where it is known. */
struct trim_hints {
	const struct html_marks
		*marks;     /* of text that was HTML: its elements say more than words */
	const char *sender; /* name of who wrote it: at the end it is a signature */
	bool first;         /* it answers nothing and passes nothing on */
};
struct span trim_reply_hinted(struct arena *a, struct span text, const struct trim_hints *hints);

/* The tokens of "[md:TOKEN]" in the text, TOKEN of a-z, 2-7 and dots; no doubles. One that quoting
 * has wrapped is not found. */
void trim_markers(struct arena *a, struct span text, struct rec_strs *ret);

/* Whether the subject ("Fwd:", "WG:", ...) or the text says that a mail is passed on. */
bool trim_is_forward(struct span subject, struct span text);
/* What a subject is about: behind all tags ("[#12]") and prefixes of answers and forwards. */
const char *trim_subject(const char *subject);
/* Does it begin as an answer's does ("Re:", "AW:", ...)? */
bool trim_is_reply(const char *subject);

#endif
