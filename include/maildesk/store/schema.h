/* schema.h - makes the schema of an empty database, migrates an older one, refuses a newer one. */
#ifndef MAILDESK_STORE_SCHEMA_H
#define MAILDESK_STORE_SCHEMA_H

#include <maildesk/store/db.h>

/* Bring the database to this program's schema. Each migration is one transaction. MD_REFUSED with
 * the way out when it is newer, half-made or belongs to something else; nothing is touched then. */
int schema_ensure(struct db *db, struct md_err *err);

enum schema_state {
	SCHEMA_NONE, /* no table at all */
	SCHEMA_OLDER,
	SCHEMA_CURRENT,
	SCHEMA_TARGET, /* current, and the target of an unfinished move or restore
			  (transfer.h): schema_ensure() refuses it */
	SCHEMA_BACKUP, /* current, and a backup (backup.h): refused too */
	SCHEMA_BACKUP_OLDER,
};
/* What is there, without a change. The other refusals are those of schema_ensure(). */
int schema_look(struct db *db, enum schema_state *ret, struct md_err *err);
/* Whether this user may change what is there, which opening and reading do not show; nothing is
 * changed. */
int schema_try_write(struct db *db, struct md_err *err);

#endif
