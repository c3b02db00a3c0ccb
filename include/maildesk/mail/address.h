/* address.h - address lists (RFC 5322 3.4 with groups, comments, quotes), broken ones included. */
#ifndef MAILDESK_MAIL_ADDRESS_H
#define MAILDESK_MAIL_ADDRESS_H

#include <maildesk/base/arena.h>
#include <maildesk/mail/message.h>
#include <maildesk/mail/span.h>

enum { ADDRESS_LIST_MAX = 5000 };

/* What a From field did besides naming one mailbox; any bit makes it not plain. */
enum address_oddity {
	ADDRESS_ODD_COUNT = 1 << 0, /* no address, or more than one */
	ADDRESS_ODD_GROUP = 1 << 1,
	ADDRESS_ODD_SYNTAX = 1 << 2, /* unbalanced quotes, brackets, comments; odd remains */
	ADDRESS_ODD_NAME = 1 << 3,   /* the name shows an address, bidi or invisible characters */
	ADDRESS_ODD_SPEC = 1 << 4,   /* the address was encoded, quoted or has odd characters */
};

/* Append the addresses of a field's value to *list (struct mail_address; grown in the arena), at
 * most ADDRESS_LIST_MAX in all. An entry without '@' keeps what it has: a single word becomes
 * the address, else the name stands beside an empty address. Returns enum address_oddity bits. */
unsigned address_list_read(struct arena *a, struct span value, struct rec_list *list);

/* Clean one addr-spec: no blanks, brackets, comments, trailing dot; domain in lower case.
 * NULL when nothing is left. */
const char *address_clean(struct arena *a, struct span spec);

/* "<a@b> <c@d>" to ids without brackets, in order, no doubles; broken lists too. */
void address_ids_read(struct arena *a, struct span value, struct rec_strs *list);

#endif
