/* utf8.h - UTF-8 as RFC 3629 has it: no surrogates, no overlong forms, at most U+10FFFF. */
#ifndef MAILDESK_BASE_UTF8_H
#define MAILDESK_BASE_UTF8_H

#include <maildesk/base/buf.h>
#include <stddef.h>
#include <stdint.h>

/* Decode one character of s[0..n), n > 0. Returns its length (1..4), or 0 if it is not valid. */
size_t utf8_decode(const char *s, size_t n, uint32_t *ret_cp);
/* Write cp (a valid scalar value) to out; returns 1..4. */
size_t utf8_encode(uint32_t cp, char out[4]);
int utf8_valid(const char *s, size_t n);
/* Length of the longest prefix of s[0..n) that is at most `max` bytes and cuts no character. */
size_t utf8_cut(const char *s, size_t n, size_t max);
/* Number of characters of a valid string. */
size_t utf8_length(const char *s, size_t n);

/* The control and trick characters of names and titles: C0, C1, DEL, bidi controls, zero-width. */
int utf8_is_control(uint32_t cp);
int utf8_is_bidi_or_invisible(uint32_t cp);

/* Append s as one clean line: controls and line breaks become one space, bidi controls and
 * zero-width characters go, invalid bytes become U+FFFD, ends are trimmed. */
void utf8_clean_line(struct buf *out, const char *s, size_t n);
/* Append s as clean text: CRLF and CR become LF, tabs stay, other controls and NULs go,
 * invalid bytes become U+FFFD. */
void utf8_clean_text(struct buf *out, const char *s, size_t n);
/* Append the lower-case form, for comparing: ASCII, Latin-1/Extended-A, Greek and Cyrillic. */
void utf8_fold(struct buf *out, const char *s, size_t n);

#endif
