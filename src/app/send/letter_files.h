/* letter_files.h - the files of the comment that a mail passes on: attached, shown in its HTML
 * (images that stood in the mail they came by), or, beyond desk.max_outbound, signed links. */
#ifndef MAILDESK_APP_LETTER_FILES_H
#define MAILDESK_APP_LETTER_FILES_H

#include <maildesk/app/desk.h>
#include <maildesk/base/json.h>
#include <maildesk/mail/compose.h>
#include <maildesk/store/outbox.h>

struct letter_files {
	struct compose_part *parts; /* in the arena, their bytes are not */
	size_t n;
	struct buf *bytes;
};
void letter_files_done(struct letter_files *f); /* fits md_auto */

/* Of the comment in data.comment.files_of, if there is one. data.files lists what became links;
 * data.comment.html shows the images. */
int letter_files_load(struct desk *d, struct db_conn *c, const struct outbox_row *row, json_t *data,
		      struct arena *a, struct letter_files *ret, struct md_err *err);

#endif
