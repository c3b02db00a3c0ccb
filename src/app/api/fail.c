/* Failures of the desk as answers. */
#include "api_private.h"

#include <maildesk/base/log.h>

#include <stdio.h>
#include <string.h>

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

/* The field that a text of the form "cc.0: why" speaks of, or else the only one of the body, or
 * the body as a whole. */
static void name_field(const struct http_request *q, struct http_response *r, const char *text)
{
	size_t path = strcspn(text, ": "), top = strcspn(text, ".: ");
	const char *key = json_object_iter_key(json_object_iter((json_t *)(uintptr_t)q->json));
	char field[80];

	if (strncmp(text + path, ": ", 2) == 0 && path < sizeof field &&
	    json_object_getn(q->json, text, top)) {
		snprintf(field, sizeof field, "%.*s", (int)path, text);
		http_refuse_field(r, field, text + path + 2);
	} else {
		http_refuse_field(r, key && json_object_size(q->json) == 1 ? key : "", text);
	}
}

void api_refuse_field(struct http_request *q, struct http_response *r, const char *field,
		      const struct md_err *err)
{
	http_refuse(q, r, 422, "validation", "%s", err->text);
	http_refuse_field(r, field, err->text);
}

int api_refuse_parameter(struct http_request *q, struct http_response *r, const char *name,
			 const char *why)
{
	http_refuse(q, r, 400, "invalid_parameter", "the query cannot be used");
	http_refuse_field(r, name, why);
	return MD_OK;
}

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
			if (answers[i].status == 422)
				name_field(q, r, err->text);
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
