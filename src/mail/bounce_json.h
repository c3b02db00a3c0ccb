/* bounce_json.h - reports that are JSON: Amazon SES by way of SNS. */
#ifndef MAILDESK_MAIL_BOUNCE_JSON_H
#define MAILDESK_MAIL_BOUNCE_JSON_H

#include <maildesk/mail/bounce.h>

/* Appends what the text reports to v[*n] (room BOUNCE_RECIPIENTS_MAX) and names the evidence.
 * False when the text is no such report. */
bool bounce_json_read(struct arena *a, const char *from, struct span text, struct bounce *v,
		      size_t *n, struct bounce_report *ret);

#endif
