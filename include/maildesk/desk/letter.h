/* letter.h - the words of a mail: subject, text and HTML of an event, from its templates.
 *
 * Templates are asked for by "EVENT.subject", "EVENT.text" and "EVENT.html"; the last may be
 * missing, then the text stands in the HTML. Text and HTML are put into "layout.text" and
 * "layout.html" as the partial "content"; other names are partials of the same set. The set chooses
 * the locale. */
#ifndef MAILDESK_DESK_LETTER_H
#define MAILDESK_DESK_LETTER_H

#include <maildesk/desk/template.h>

enum { LETTER_MAX = 4 * 1024 * 1024, LETTER_SUBJECT_MAX = 4096 };

struct letter {
	struct buf subject; /* one clean line of UTF-8: no CR, LF or controls */
	struct buf text, html;
};
#define LETTER_INIT                                                                    \
	{                                                                              \
		.subject = BUF_INIT(LETTER_SUBJECT_MAX), .text = BUF_INIT(LETTER_MAX), \
		.html = BUF_INIT(LETTER_MAX)                                           \
	}
void letter_done(struct letter *l); /* fits md_auto(letter_done) */

/* `data` is an object and is not changed. Fills an empty letter; HTML beyond LETTER_MAX is left
 * empty, as the text says it all.
 * Expected codes: MD_NOTFOUND (no such template), MD_INPUT (a limit), MD_NOMEM. */
int letter_render(const char *event, const json_t *data, const struct template_partials *templates,
		  struct letter *out, struct md_err *err);

#endif
