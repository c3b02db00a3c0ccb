/* A comment as the caller may see it. */
#include "api_private.h"

static int no_comment(struct md_err *err)
{
	return md_fail(err, MD_NOTFOUND, WORK_INVISIBLE, "no such comment");
}

int api_open_comment(struct http_request *q, struct db_conn *c, int64_t id, struct comment *m,
		     struct md_err *err)
{
	struct work w;
	int rc = comment_get(c, id, q->arena, m, err);

	if (rc == MD_NOTFOUND || (rc == MD_OK && m->deleted_at))
		return no_comment(err);
	if (rc == MD_OK)
		rc = work_open(api_by(q), c, q->arena, m->ticket_id, &w, err);
	if (rc == MD_NOTFOUND)
		return no_comment(err);
	if (rc == MD_OK && m->is_internal &&
	    policy_may(&api_by(q)->actor, ACTION_READ_INTERNAL, &w.facts) != POLICY_YES)
		return no_comment(err);
	return rc;
}
