/* Failures of the desk as answers. */
#include "api_private.h"

#include <maildesk/base/log.h>

static const struct {
	int code, native; /* native 0: any other */
	int status;
	const char *word;
} answers[] = {
	{ MD_NOTFOUND, 0, 404, "not_found" },
	{ MD_REFUSED, 0, 403, "forbidden" },
	{ MD_INPUT, WORK_NO_TRANSITION, 400, "invalid_transition" },
	{ MD_INPUT, 0, 422, "validation" },
	{ MD_CONFLICT, 0, 409, "conflict" },
	{ MD_BROKEN, DB_NATIVE_FULL, 507, "insufficient_storage" },
};

void api_failed(void *ctx, struct http_request *q, struct http_response *r, int rc,
		const struct md_err *err)
{
	(void)ctx;
	if (rc == MD_BROKEN || rc == MD_UNKNOWN)
		log_error(NULL, "%s %s: %s", q->method, q->path, err->text);
	for (size_t i = 0; i < MD_COUNT(answers); i++)
		if (answers[i].code == rc &&
		    (!answers[i].native || answers[i].native == err->native)) {
			/* What the disk or the database said is for the log. */
			http_refuse(q, r, answers[i].status, answers[i].word, "%s",
				    rc == MD_BROKEN ? "the disk is full" : err->text);
			return;
		}
	http_refuse(q, r, 503, "unavailable", "the desk cannot do that now; try again later");
}

bool api_allowed(const struct http_request *q, enum policy_action action)
{
	return policy_may(&api_by(q)->actor, action, NULL) == POLICY_YES;
}

bool api_may(struct http_request *q, struct http_response *r, enum policy_action action)
{
	if (api_allowed(q, action))
		return true;
	http_refuse(q, r, 403, "forbidden", "not allowed to you");
	return false;
}
