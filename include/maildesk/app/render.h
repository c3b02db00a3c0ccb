/* render.h - from the frozen data of an outbox row to the bytes of a mail. */
#ifndef MAILDESK_APP_RENDER_H
#define MAILDESK_APP_RENDER_H

#include <maildesk/app/desk.h>
#include <maildesk/app/templates.h>
#include <maildesk/store/outbox.h>

/* Append the whole mail, CRLF line ends, and to `ret_head` (may be NULL) what messages.h keeps of
 * its head. Reads the recipient's thread by `c`. MD_INPUT when the data cannot be used: the mail
 * will never be sendable. A template of templates_dir that fails is told to the desk
 * (desk_templates_alarm), and the built-in one sent. MD_AGAIN: its sealed link cannot be
 * opened yet (vault.h). */
int render_mail(const struct templates *t, struct desk *d, struct db_conn *c,
		const struct outbox_row *row, struct buf *out, struct buf *ret_head,
		struct md_err *err);

#endif
