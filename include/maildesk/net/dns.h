/* dns.h - what the DNS says of a domain, by the system's resolver. */
#ifndef MAILDESK_NET_DNS_H
#define MAILDESK_NET_DNS_H

#include <maildesk/base/arena.h>
#include <maildesk/base/err.h>
#include <maildesk/base/record.h>

enum dns_type { DNS_MX, DNS_TXT };

/* Hosts of MX in order of the answer, or the texts of TXT, each in one piece. MD_NOTFOUND: there is
 * no such name, or nothing of that type; MD_AGAIN: no answer within a few seconds. */
int dns_look_up(const char *name, enum dns_type type, struct arena *a, struct rec_strs *ret,
		struct md_err *err);

#endif
