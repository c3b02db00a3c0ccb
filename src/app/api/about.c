/* What the OpenAPI document says of the API as a whole, and who may call a route. */
#include "api_private.h"

/* CommonMark. */
/* clang-format off */
const char api_about[] =
	"The HTTP API of a maildesk, a helpdesk by mail. JSON over HTTP; instants are RFC "
	"3339 in UTC, ids are positive integers.\n\n"
	"**Signing in.** `POST /api/v1/auth/token` gives an access token for 10 minutes, to "
	"be sent as `Authorization: Bearer`, and a refresh token that `POST "
	"/api/v1/auth/refresh` takes once for the next pair. Programs use an API key "
	"(`mdk_...`) of `POST /api/v1/api-keys` instead: it acts as its maker, within its "
	"scopes.\n\n"
	"**Roles.** Admins, agents and customers; each operation says who may call it. "
	"Customers see the tickets they take part in, and never internal notes. What the "
	"caller may not see is not there (404).\n\n"
	"**Errors** are `application/problem+json` (RFC 9457): go by `code`; `errors` names "
	"the parameters (400) or the members of the body (422) that cannot be used. Unknown "
	"ones are errors. `invalid_transition` also has `allowed_statuses`, a refusal of "
	"`commands` has `lines` as a Transcript has. Sentences are English; a `code` beside "
	"one and its `values` are for those who say it in another language.\n\n"
	"**Lists** take `page` and `per_page`. For all of a long list begin with an empty "
	"`cursor` and follow `next`: nothing is missed or repeated while rows come and go. "
	"`total` is exact up to 1,000. Parameters combine with AND, a comma inside one is OR.\n\n"
	"**Versions.** Answers to GET have an ETag for `If-None-Match`. A change takes it as "
	"`If-Match`, or the `version` of a ticket in its body: who comes second is told so "
	"(409 `version_conflict`) and gets the present object as `current`.\n\n"
	"**Doing things once.** A POST with an `Idempotency-Key` is done once; the same "
	"request with the same key gets the first answer for 24 hours.\n\n"
	"**Commands** of mails work here too: `{\"text\":\"#help\"}` to `POST "
	"/api/v1/tickets/{id}/commands` is answered with all that the caller may give, and "
	"how they are written.\n\n"
	"**Live events.** `GET /api/v1/events` is a stream of Server-Sent Events: `event:` is "
	"a type, `data:` an Event, `id:` a number that grows. Who comes back within 24 hours "
	"with `Last-Event-ID` misses nothing; else the stream begins with `event: reset`: "
	"read anew what you keep. A comment now and then says that it lives.\n\n"
	"**Webhooks** are sent the same Events by POST. `X-Maildesk-Signature: "
	"t=SECONDS,v1=HEX` is HMAC-SHA-256 with the webhook's secret over the seconds, a dot "
	"and the body. Any 2xx takes it; what fails is tried again for a day, with the same "
	"`X-Maildesk-Delivery`. Redirects are not followed.\n\n"
	"**Limits.** Bodies have 1 MiB, files what the desk allows (413). `RateLimit-Limit`, "
	"`RateLimit-Remaining` and `RateLimit-Reset` are in each answer; 429 and 503 have "
	"`Retry-After`.";
/* clang-format on */

void api_tell_callers(const struct http_route *r, struct buf *out)
{
	buf_adds(out, r->roles & 1 << ROLE_ANONYMOUS  ? "For everybody."
		      : r->roles & 1 << ROLE_CUSTOMER ? "For who is signed in."
		      : r->roles & 1 << ROLE_AGENT    ? "For agents and admins."
						      : "For admins.");
	if (!(r->roles & 1 << ROLE_ANONYMOUS))
		api_tell_scopes(r, out);
}
