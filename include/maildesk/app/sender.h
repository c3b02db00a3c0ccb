/* sender.h - the thread that empties the outbox. */
#ifndef MAILDESK_APP_SENDER_H
#define MAILDESK_APP_SENDER_H

#include <maildesk/app/desk.h>

struct sender;

/* MD_INPUT when a template does not compile. */
int sender_start(struct desk *d, struct sender **ret, struct md_err *err);
/* So long may one mail be under way with that account before something must be wrong with us. */
int64_t sender_allowed_ms(const struct conf_smtp *conf);
/* Ends after the mail in hand. */
void sender_stop(struct sender *s);

#endif
