/* imap_guard.h - looks at what an IMAP server sends before libetpan's parser does.
 *
 * libetpan 1.9.4 dies of nested lists, of malformed PERMANENTFLAGS, and grows with every line and
 * literal announced. The guard holds lines and literals (RFC 9051 section 4.3) apart, bounds the
 * first, and makes a PERMANENTFLAGS code, which we have no use for, one that the parser skips.
 * Bytes pass in any pieces; nothing is kept back. Pure. */
#ifndef MAILDESK_NET_IMAP_GUARD_H
#define MAILDESK_NET_IMAP_GUARD_H

#include <maildesk/base/err.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	GUARD_LINE_MAX = 16 << 20, /* a SEARCH answer holds one number for each mail of a folder */
	GUARD_PARENS_MAX = 100,    /* in one response; ours have 4 */
};

struct imap_guard {
	uint64_t literal_left; /* bytes of the current literal still to come */
	uint64_t announced;
	uint64_t literal_max; /* of one literal; set by the owner before each command */
	size_t line, parens;  /* of the current response, literals not counted */
	int brace;            /* how much of "{n}" was seen */
	size_t matched;       /* of the word that is changed */
};

/* Check n bytes, change what must be changed. MD_OK or MD_INPUT. */
int imap_guard_pass(struct imap_guard *g, char *bytes, size_t n, struct md_err *err);
/* Between two responses. */
bool imap_guard_is_idle(const struct imap_guard *g);

#endif
