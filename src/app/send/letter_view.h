/* letter_view.h - from what is frozen of a letter to what its templates see: words and dates in the
 * reader's language and time zone, text as HTML. */
#ifndef MAILDESK_APP_LETTER_VIEW_H
#define MAILDESK_APP_LETTER_VIEW_H

#include <maildesk/app/templates.h>
#include <maildesk/base/json.h>

/* Of one comment: more cannot be. Text of 256 KiB (letter_data.c) makes at most 14 times as much,
 * and 500 pictures (mail/scan.h) with names of 200 octets below a megabyte. Whether a mail can hold
 * it is for letter_render() to say. */
enum { LETTER_HTML_MAX = 8 << 20 };

/* Completes `data` (letter_data.c) in place and chooses the templates of its reader.
 * MD_INPUT: it is no object. MD_NOMEM. */
int letter_view(const struct templates *t, const char *event, json_t *data,
		struct templates_view *ret, struct md_err *err);
/* The frozen words of somebody, as HTML. */
void letter_html(const json_t *comment, struct buf *out);

#endif
