/* sanitize.h - strangers' HTML as HTML that may be shown: written anew from the parser's events, so
 * that only what an allow-list names comes out, well-formed and escaped. What the list does not
 * name goes: unknown elements leave their content, scripts, styles, frames, drawings and form
 * fields leave nothing. One table each for elements, attributes, URL schemes and CSS properties
 * (sanitize_tables.c).
 *
 * Nothing in the result loads anything by itself. Images of the mail keep their "cid:" source; the
 * address of one from the network stands in `data-src`, which no browser follows: who wants to see
 * them copies it to `src`. Images in "data:" go. Links are http, https, mailto or tel and open
 * apart without a referrer. No id, class or name survives, no style sheet, and of inline CSS only
 * properties that neither load, nor move, nor cover. */
#ifndef MAILDESK_MAIL_SANITIZE_H
#define MAILDESK_MAIL_SANITIZE_H

#include <maildesk/base/buf.h>
#include <maildesk/mail/span.h>

enum { SANITIZE_DEPTH_MAX = 100 }; /* of the result; deeper elements leave their content */

/* Append the safe form of `html` (valid UTF-8), a fragment for a <body>. Linear. At out->max it
 * ends early, all elements closed; out->status stays MD_OK then. False when memory ran out. */
bool html_sanitize(struct span html, struct buf *out);

#endif
