/* One connection for all that a GET looks at: who calls, what the path names, what is shown. They
 * see one state of the database, which is opened once. What other methods look at changes in
 * between, by themselves. */
#include "api_private.h"

#include <string.h>

int api_read(struct api *api, struct http_request *q, struct db_conn **ret, struct md_err *err)
{
	struct db_conn *c;
	int rc;

	if (q->reading) {
		*ret = db_read_share(q->reading);
		return MD_OK;
	}
	rc = db_read(api->desk->db, &c, err);
	if (rc != MD_OK)
		return rc;
	if (strcmp(q->method, "GET") == 0)
		q->reading = db_read_share(c);
	*ret = c;
	return MD_OK;
}

int api_match(struct db_conn *c, struct http_request *q, struct md_err *err)
{
	struct db_conn *reading = q->reading; /* of a GET that is noted in the audit log */
	int rc;

	q->reading = c;
	rc = http_match(q, err);
	q->reading = reading;
	return rc;
}

void api_settle(void *ctx, struct http_request *q)
{
	(void)ctx;
	db_read_done(q->reading);
	q->reading = NULL;
}
