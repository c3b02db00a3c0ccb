/* schema_steps.h - the machinery of migrations, apart from the list of this program, for its test.
 */
#ifndef MAILDESK_STORE_SCHEMA_STEPS_H
#define MAILDESK_STORE_SCHEMA_STEPS_H

#include <maildesk/store/db.h>

struct schema_step {
	int64_t version; /* what the database is after it */
	const char *sql; /* with the tokens of schema.sql */
};
struct schema_plan {
	const char *whole;               /* the newest schema, for an empty database */
	int64_t oldest;                  /* what `steps` start from */
	const struct schema_step *steps; /* to oldest + 1, oldest + 2, ... */
	size_t n;
};
/* schema_ensure() with a plan. */
int schema_follow(struct db *db, const struct schema_plan *plan, struct md_err *err);

#endif
