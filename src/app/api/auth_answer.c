/* Why somebody could not sign in, as answers. */
#include "auth_private.h"

int auth_unauthorized(struct http_request *q, struct http_response *r, const char *why)
{
	return http_refuse(q, r, 401, "unauthorized", "%s", why);
}

int auth_bad_field(struct http_request *q, struct http_response *r, const char *field,
		   const char *why)
{
	http_refuse(q, r, 422, "validation", "the body cannot be used");
	http_refuse_field(r, field, why);
	return MD_OK;
}

int auth_refuse(struct md_err *err, enum auth_refusal why, const char *text)
{
	return md_fail(err, MD_REFUSED, (int)why, "%s", text);
}

int auth_refused(struct http_request *q, struct http_response *r, int rc, struct md_err *err)
{
	if (rc != MD_REFUSED || err->native < AUTH_BAD)
		return rc;
	if (err->native == AUTH_TOO_OFTEN) {
		http_refuse(q, r, 429, "rate_limited", "%s", err->text);
		http_header_add(q, r, "Retry-After", "60");
		return MD_OK;
	}
	return http_refuse(q, r, 401,
			   err->native == AUTH_OTP_REQUIRED ? "otp_required" : "unauthorized", "%s",
			   err->text);
}
