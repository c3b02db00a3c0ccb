/* rest.h - ask another system's HTTP interface for JSON, by libcurl. One thread at a time. */
#ifndef MAILDESK_NET_REST_H
#define MAILDESK_NET_REST_H

#include <maildesk/base/json.h>

struct rest;
/* `base` without a slash at its end. https://, or http:// on this machine: else credentials would
 * go in clear (MD_INPUT). `authorization` is the value of that header. `ca_file` "": the system's.
 */
int rest_open(const char *base, const char *authorization, const char *ca_file, struct rest **ret,
	      struct md_err *err);
void rest_close(struct rest *r);
MD_DEFINE_AUTO(struct rest *, rest_close)

/* GET base + path. A server that is busy or away is asked again for half a minute. MD_NOTFOUND:
 * 404. MD_REFUSED: 401, 403. MD_AGAIN: it stays away. MD_UNKNOWN: it fails at this, twice
 * (500). MD_INPUT: what it says is no JSON, or another status. */
int rest_get(struct rest *r, const char *path, json_t **ret, struct md_err *err);
/* `text` as a part of a query. */
void rest_escape(struct buf *out, const char *text);

#endif
