/* sla_versions.h - what clocks ran by, each time the configuration changed it (app/sla_versions.c).
 */
#ifndef MAILDESK_STORE_SLA_VERSIONS_H
#define MAILDESK_STORE_SLA_VERSIONS_H

#include <maildesk/store/db.h>

struct sla_version_row {
	int64_t id, since_at;
	const char *definition; /* JSON */
};
/* `definition` is JSON; *ret_id is what clocks name. */
int sla_version_add(struct db_conn *c, const char *definition, int64_t since_ms, int64_t *ret_id,
		    struct md_err *err);
/* The newest first. */
int sla_version_list(struct db_conn *c, size_t limit, struct arena *a, struct sla_version_row **ret,
		     size_t *ret_n, struct md_err *err);
/* Tickets with clocks that run or wait and were settled by an older one; some of them. */
int sla_version_stragglers(struct db_conn *c, int64_t version, size_t limit, struct arena *a,
			   int64_t **ret, size_t *ret_n, struct md_err *err);
/* Those of a ticket are no stragglers any more. */
int sla_version_mark(struct db_conn *c, int64_t ticket, int64_t version, struct md_err *err);

#endif
