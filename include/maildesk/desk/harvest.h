/* harvest.h - mails that are keys to something: verification codes and sign-in links of other
 * services. Somebody who signs up there with an address of the desk must not get them shown
 * ("ticket trick"). */
#ifndef MAILDESK_DESK_HARVEST_H
#define MAILDESK_DESK_HARVEST_H

#include <stdbool.h>

/* A code of 4 to 8 digits, or a link with a token in it, beside words that speak of codes, signing
 * in or verification in de, en, es or fr. Either may be NULL. Whether a machine sent it, and to
 * whom it matters, is the caller's to know. */
bool harvest_is_secret(const char *subject, const char *text);

#endif
