/* render.h - from the frozen data of an outbox row to the bytes of a mail.
 *
 * Templates are templates/<locale>/<event>.{subject,text,html}.mustache (desk/letter.h); what a
 * locale lacks is taken from en. */
#ifndef MAILDESK_APP_RENDER_H
#define MAILDESK_APP_RENDER_H

#include <maildesk/app/desk.h>
#include <maildesk/store/outbox.h>

struct templates;

/* Compile all embedded templates. MD_INPUT names file and line. */
int templates_load(struct templates **ret, struct md_err *err);
void templates_free(struct templates *t);
MD_DEFINE_AUTO(struct templates *, templates_free)

/* Append the whole mail, CRLF line ends. Reads the recipient's thread by `c`. MD_INPUT when the
 * data or a template cannot be used: the mail will never be sendable. */
int render_mail(const struct templates *t, const struct desk *d, struct db_conn *c,
		const struct outbox_row *row, struct buf *out, struct md_err *err);

#endif
