/* api.h - the HTTP API: the desk for programs and the console. Routes and shapes: src/app/api/. */
#ifndef MAILDESK_APP_API_H
#define MAILDESK_APP_API_H

#include <maildesk/app/desk.h>
#include <maildesk/net/http.h>

struct api;

/* Answers from its own threads until api_stop() whoever connects to `socket`, which stays the
 * caller's; -1: it listens where the configuration says. */
int api_start(struct desk *d, int socket, struct api **ret, struct md_err *err);
void api_stop(struct api *a);
MD_DEFINE_AUTO(struct api *, api_stop)
/* Where it listens: "127.0.0.1:41234". */
const char *api_listening(const struct api *a);
/* The OpenAPI 3.1 document, as GET /api/v1/openapi.json answers. */
void api_document(struct buf *out);
/* The source of maildesk-api(7). */
void api_manual(struct buf *out);
/* The shapes of answers by which the document describes them; ended by a NULL name. */
extern const struct http_object api_objects[];

#endif
