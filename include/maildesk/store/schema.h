/* schema.h - makes the schema of an empty database, migrates an older one, refuses a newer one. */
#ifndef MAILDESK_STORE_SCHEMA_H
#define MAILDESK_STORE_SCHEMA_H

#include <maildesk/store/db.h>

/* Bring the database to this program's schema. Each migration is one transaction. MD_REFUSED with
 * the way out when it is newer, half-made or belongs to something else; nothing is touched then. */
int schema_ensure(struct db *db, struct md_err *err);

#endif
