/* json.h - the few things maildesk needs around jansson. */
#ifndef MAILDESK_BASE_JSON_H
#define MAILDESK_BASE_JSON_H

#include <jansson.h>
#include <maildesk/base/buf.h>
#include <maildesk/base/err.h>
#include <maildesk/base/mem.h>
#include <stddef.h>

MD_DEFINE_AUTO(json_t *, json_decref) /* md_auto(json_decref_p) json_t *j = NULL; */

/* Strict: one value, no duplicate keys, valid UTF-8, no NUL, at most `depth` levels (the outermost
 * counts as 1). MD_INPUT with line and column in err. *ret is the caller's. */
int json_read(const char *text, size_t n, int depth, json_t **ret, struct md_err *err);
/* Append j, compact. */
void json_write(struct buf *out, const json_t *j);
/* Append s (valid UTF-8, n bytes) as a JSON string with its quotes; "null" for s == NULL. */
void json_write_string(struct buf *out, const char *s, size_t n);
/* A member's string; NULL when absent or no string. Borrowed from j. */
const char *json_get_string(const json_t *j, const char *key);

#endif
