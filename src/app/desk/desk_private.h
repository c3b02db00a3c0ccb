/* desk_private.h - between the parts of opening a desk. */
#ifndef MAILDESK_APP_DESK_PRIVATE_H
#define MAILDESK_APP_DESK_PRIVATE_H

#include <maildesk/app/desk.h>

/* Calendars, policies and escalations of the configuration. */
int desk_load_slas(struct desk *d, struct md_err *err);
void desk_forget_slas(struct desk *d);

#endif
