/* html_marks.h - elements by which mail programs mark what is old and what is a signature. */
#ifndef MAILDESK_MAIL_HTML_MARKS_H
#define MAILDESK_MAIL_HTML_MARKS_H

#include <maildesk/mail/html.h>

/* What an element with these attributes (name, value, ..., NULL; or NULL) begins. */
enum html_mark html_mark_of(const char *element, const char *const *attributes);

#endif
