/* schema.c - from whatever the file is to the schema of this program, or a refusal.
 *
 * schema.sql is the whole newest schema and makes a new database in one step. An older one gets the
 * numbered steps of src/store/steps/, one transaction each: version and tables never disagree,
 * however it ends. Looking comes first and changes nothing; it is done again inside each
 * transaction, so two programs starting at once do the work once. */
#include <maildesk/store/schema.h>

#include "db_driver.h"
#include "schema_steps.h"

#include <maildesk/base/embed.h>
#include <maildesk/base/fault.h>

#include <stdio.h>
#include <string.h>

/* Schema 1 is the first there was; a step to N stands in steps/N.sql, and schema.sql changes with
 * it. A step that has been released does not change any more. */
enum { OLDEST = 1, NEWEST = 3 };

/* Not in schema.sql, so that a half restored dump has the one and not the other. */
static const char version_table[] = "CREATE TABLE schema_version (version {INT} NOT NULL) {STRICT}";

enum { TABLES_MAX = 200, LOOK_BYTES = 64 << 10 };

DB_SQL(sql_tables, "SELECT name FROM {TABLES} ORDER BY name");

struct name {
	const char *name;
};
static const struct db_col name_cols[] = { { DB_COL_TEXT, offsetof(struct name, name) } };
static const struct db_map name_map = DB_MAP(name, name_cols);

DB_SQL(sql_version, "SELECT version FROM schema_version");
DB_SQL(sql_version_first, "INSERT INTO schema_version (version) VALUES ($1)");
DB_SQL(sql_version_next, "UPDATE schema_version SET version = $1");
DB_SQL(sql_touch, "UPDATE schema_version SET version = version WHERE version < 0");

struct look {
	bool is_empty;
	bool is_target; /* of a move that is not over, see transfer.c */
	bool is_backup;
	int64_t version;
};

static int64_t newest_of(const struct schema_plan *plan)
{
	return plan->oldest + (int64_t)plan->n;
}

static bool has_table(const struct name *tables, size_t n, const char *name, size_t len)
{
	for (size_t i = 0; i < n; i++)
		if (strlen(tables[i].name) == len && memcmp(tables[i].name, name, len) == 0)
			return true;
	return false;
}

/* Is every table of the schema there? A dump restored halfway has the version and not all of them.
 */
static int check_tables(const char *whole, const struct name *tables, size_t n, struct md_err *err)
{
	static const char create[] = "CREATE TABLE ";
	const char *at = whole;

	while ((at = strstr(at, create))) {
		size_t len;

		at += strlen(create);
		len = strcspn(at, " (");
		if (!has_table(tables, n, at, len))
			return md_fail(err, MD_REFUSED, 0,
				       "the database is incomplete, its table \"%.*s\" is missing: "
				       "restore a backup",
				       (int)len, at);
	}
	return MD_OK;
}

static int read_version(struct db_conn *c, struct arena *a, int64_t *ret, struct md_err *err)
{
	int64_t *versions;
	size_t n;
	int rc = db_all(c, &sql_version, DB_NONE, &db_map_int, 2, a, &versions, &n, err);

	if (rc != MD_OK)
		return rc;
	if (n != 1)
		return md_fail(err, MD_REFUSED, 0,
			       "the database has %s schema version: restore a backup",
			       n ? "more than one" : "no");
	*ret = versions[0];
	return MD_OK;
}

static int look(struct db_conn *c, const struct schema_plan *plan, struct look *ret,
		struct md_err *err)
{
	md_auto(arena_done) struct arena a = ARENA_INIT(LOOK_BYTES);
	int64_t newest = newest_of(plan), version = 0;
	struct name *tables;
	size_t n;
	int rc = db_all(c, &sql_tables, DB_NONE, &name_map, TABLES_MAX, &a, &tables, &n, err);

	if (rc != MD_OK)
		return rc;
	if (n == 0) {
		*ret = (struct look){ .is_empty = true };
		return MD_OK;
	}
	if (!has_table(tables, n, "schema_version", strlen("schema_version")))
		return md_fail(
			err, MD_REFUSED, 0,
			"the database belongs to another program (it has a table \"%s\" and no "
			"schema version): name another one in the setting `database`",
			tables[0].name);
	rc = read_version(c, &a, &version, err);
	if (rc != MD_OK)
		return rc;
	if (version > newest)
		return md_fail(
			err, MD_REFUSED, 0,
			"the database has schema %lld, this program knows %lld: run the newer "
			"maildesk that made it, or restore a backup from before",
			(long long)version, (long long)newest);
	if (version < plan->oldest)
		return md_fail(
			err, MD_REFUSED, 0,
			"the database has schema %lld, this program starts from %lld: bring it "
			"up to date with an older maildesk first",
			(long long)version, (long long)plan->oldest);
	if (version == newest)
		rc = check_tables(plan->whole, tables, n, err);
	if (rc == MD_OK)
		*ret = (struct look){ .version = version,
				      .is_target =
					      has_table(tables, n, "transfer", strlen("transfer")),
				      .is_backup =
					      has_table(tables, n, "backup", strlen("backup")) };
	return rc;
}

/* Half a desk must not be worked on. */
static int refuse_target(const struct look *now, struct md_err *err)
{
	if (now->is_target)
		return md_fail(
			err, MD_REFUSED, 0,
			"the database is the target of a move or restore that was interrupted: run "
			"the same `maildesk restore` again, or the same `maildesk migrate --to` "
			"with the configuration of the old database");
	if (now->is_backup)
		return md_fail(err, MD_REFUSED, 0,
			       "the database is a backup, whose old mail would be sent again: keep "
			       "it, name an empty database, then run `maildesk restore` on it");
	return MD_OK;
}

static int create(struct db_conn *c, const struct schema_plan *plan, struct md_err *err)
{
	int rc = db_script(c, plan->whole, err);

	if (rc == MD_OK)
		rc = db_script(c, version_table, err);
	if (rc == MD_OK)
		rc = db_exec(c, &sql_version_first, DB_ARGS(DB_INT(newest_of(plan))), NULL, err);
	return rc == MD_OK ? MD_OK : md_wrap(err, rc, "making the database");
}

struct advance {
	const struct schema_plan *plan;
	bool done;
};

/* One step towards the newest schema, or the finding that nothing is left to do. */
static int advance(struct db_conn *c, void *ctx, struct md_err *err)
{
	struct advance *a = ctx;
	const struct schema_plan *plan = a->plan;
	const struct schema_step *step;
	struct look now;
	int rc = look(c, plan, &now, err);

	a->done = true;
	if (rc == MD_OK)
		rc = refuse_target(&now, err);
	if (rc != MD_OK)
		return rc;
	if (now.is_empty)
		return create(c, plan, err);
	if (now.version == newest_of(plan))
		return MD_OK;
	a->done = false;
	step = &plan->steps[now.version - plan->oldest];
	rc = db_script(c, step->sql, err);
	fault_point("migration_step");
	if (rc == MD_OK)
		rc = db_exec(c, &sql_version_next, DB_ARGS(DB_INT(step->version)), NULL, err);
	if (rc != MD_OK)
		return md_wrap(err, rc,
			       "bringing the database to schema %lld (nothing was changed)",
			       (long long)step->version);
	return MD_OK;
}

static int look_first(struct db *db, const struct schema_plan *plan, struct look *ret,
		      struct md_err *err)
{
	md_auto(db_read_done_p) struct db_conn *c = NULL;
	int rc = db_read(db, &c, err);

	return rc == MD_OK ? look(c, plan, ret, err) : rc;
}

int schema_follow(struct db *db, const struct schema_plan *plan, struct md_err *err)
{
	struct advance a = { .plan = plan };
	struct look now;
	int rc = look_first(db, plan, &now, err);

	if (rc == MD_OK)
		rc = refuse_target(&now, err);
	if (rc != MD_OK)
		return rc;
	if (!now.is_empty && now.version == newest_of(plan))
		return MD_OK;
	while (rc == MD_OK && !a.done) {
		rc = db_txn(db, advance, &a, err);
		fault_point("migrated");
	}
	return rc;
}

static int touch(struct db_conn *c, void *ctx, struct md_err *err)
{
	(void)ctx;
	return db_exec(c, &sql_touch, DB_NONE, NULL, err);
}

int schema_try_write(struct db *db, struct md_err *err)
{
	return db_txn(db, touch, NULL, err);
}

static int embedded(const char *name, const char **ret, struct md_err *err)
{
	const struct embed_file *file = embed_find(name);

	if (!file)
		return md_fail(err, MD_BROKEN, 0, "%s is not in the program", name);
	*ret = file->data;
	return MD_OK;
}

/* `steps` has room for NEWEST - OLDEST; the plan refers to it. */
static int plan_of_this_program(struct schema_step *steps, struct schema_plan *ret,
				struct md_err *err)
{
	int rc = MD_OK;

	*ret = (struct schema_plan){ .oldest = OLDEST, .steps = steps, .n = NEWEST - OLDEST };
	for (int i = 0; i < NEWEST - OLDEST && rc == MD_OK; i++) {
		char name[32];

		steps[i].version = OLDEST + i + 1;
		snprintf(name, sizeof(name), "src/store/steps/%d.sql", OLDEST + i + 1);
		rc = embedded(name, &steps[i].sql, err);
	}
	return rc == MD_OK ? embedded("schema.sql", &ret->whole, err) : rc;
}

int schema_ensure(struct db *db, struct md_err *err)
{
	struct schema_step steps[NEWEST - OLDEST];
	struct schema_plan plan;
	int rc = plan_of_this_program(steps, &plan, err);

	return rc == MD_OK ? schema_follow(db, &plan, err) : rc;
}

int schema_look(struct db *db, enum schema_state *ret, struct md_err *err)
{
	struct schema_step steps[NEWEST - OLDEST];
	struct schema_plan plan;
	struct look now = { 0 };
	int rc = plan_of_this_program(steps, &plan, err);

	if (rc == MD_OK)
		rc = look_first(db, &plan, &now, err);
	if (rc != MD_OK)
		return rc;
	if (now.is_empty)
		*ret = SCHEMA_NONE;
	else if (now.version != newest_of(&plan))
		*ret = now.is_backup ? SCHEMA_BACKUP_OLDER : SCHEMA_OLDER;
	else
		*ret = now.is_target   ? SCHEMA_TARGET
		       : now.is_backup ? SCHEMA_BACKUP
				       : SCHEMA_CURRENT;
	return MD_OK;
}
