/* webhooks.h - the thread that calls webhooks (store/webhooks.h, net/webhook.h). All calls are
 * under way at once, a few for each target, so one that hangs delays its own alone. */
#ifndef MAILDESK_APP_WEBHOOKS_H
#define MAILDESK_APP_WEBHOOKS_H

#include <maildesk/app/desk.h>

struct webhooks;
int webhooks_start(struct desk *d, struct webhooks **ret, struct md_err *err);
/* Calls under way are given up, and due again. */
void webhooks_stop(struct webhooks *w);
MD_DEFINE_AUTO(struct webhooks *, webhooks_stop)

/* What a secret of a webhook is sealed as. */
#define WEBHOOK_PURPOSE "webhook"

#endif
