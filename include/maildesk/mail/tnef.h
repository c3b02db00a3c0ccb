/* tnef.h - winmail.dat, in which Outlook hides attachments and sometimes the text (MS-OXTNEF).
 *
 * Read in one pass over the decoded stream. The bytes of files are hashed as they pass and not
 * kept: such an attachment is a slice of the decoded winmail.dat. */
#ifndef MAILDESK_MAIL_TNEF_H
#define MAILDESK_MAIL_TNEF_H

#include <maildesk/base/arena.h>
#include <maildesk/mail/attachment.h>

enum { TNEF_FILES_MAX = 100, TNEF_ATTRIBUTE_MAX = 1 << 20 /* bytes; a file may have more */ };

struct tnef {
	struct rec_list files; /* struct attachment */
	const char *text;      /* what the writer wrote, when it stands in there; NULL else */
	const char *html;
};

bool tnef_is(const struct mime_part *p);
/* Nothing found, nothing given: it never fails for what the bytes say. */
void tnef_read(struct arena *a, const struct attachment_place *at, const struct mime_part *p,
	       struct tnef *ret);

#endif
