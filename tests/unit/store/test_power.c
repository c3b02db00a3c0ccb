/* Row 3 of the fault matrix: the power fails. A VFS between SQLite and the system keeps what each
 * write replaced until the file is synced; when the power fails, what was not synced is put back,
 * all of it or, as disks do, some of it. What a transaction was acknowledged for is there
 * afterwards, and nothing is half there; after lazy commits, what the last one was that was not. */
#include "store_test.h"

#include <maildesk/base/random.h>
#include <maildesk/store/blobs.h>
#include <maildesk/store/users.h>

#include <sqlite3.h>
#include <sys/wait.h>

enum { STEPS = 30, CONTENT = 300 << 10, EVERY = 29, KINDS = 3, FIRM = 10 };

/* ---- the VFS ---- */

struct undo {
	sqlite3_int64 at, old_size;
	size_t kept; /* bytes that were there */
	void *bytes;
	struct undo *before;
};
struct power_file {
	sqlite3_file base;
	struct undo *last; /* what is not synced yet */
	struct power_file *next;
	sqlite3_file *real; /* behind this struct */
};

static sqlite3_vfs power_vfs;
static sqlite3_vfs *system_vfs;
static struct power_file *files;
static long calls, fails_at; /* writes and syncs */
static int kind;             /* 0: all unsynced writes are lost; else some */
static bool lazy;            /* each FIRM-th commit alone is not */

static struct power_file *of(sqlite3_file *f)
{
	return (struct power_file *)f;
}

static sqlite3_file *real(sqlite3_file *f)
{
	return of(f)->real;
}

static void keep(struct power_file *f, sqlite3_int64 at, size_t n)
{
	struct undo *u = calloc(1, sizeof *u);

	u->at = at;
	u->before = f->last;
	f->real->pMethods->xFileSize(f->real, &u->old_size);
	if (at < u->old_size) {
		u->kept = (size_t)(u->old_size - at) < n ? (size_t)(u->old_size - at) : n;
		u->bytes = malloc(u->kept);
		f->real->pMethods->xRead(f->real, u->bytes, (int)u->kept, at);
	}
	f->last = u;
}

static void put_back(struct power_file *f, struct random *r)
{
	for (struct undo *u = f->last; u; u = u->before) {
		uint8_t dice;

		random_fill(r, &dice, 1);
		if (kind && dice % 3 == 0)
			continue; /* this one had reached the disk */
		if (u->kept)
			f->real->pMethods->xWrite(f->real, u->bytes, (int)u->kept, u->at);
		if (!kind)
			f->real->pMethods->xTruncate(f->real, u->old_size);
	}
}

static void power(void)
{
	struct random r = random_seeded((uint64_t)(fails_at * KINDS + kind));

	if (++calls != fails_at)
		return;
	for (struct power_file *f = files; f; f = f->next)
		put_back(f, &r);
	_exit(9);
}

static int power_close(sqlite3_file *f)
{
	for (struct power_file **at = &files; *at; at = &(*at)->next)
		if (*at == of(f)) {
			*at = of(f)->next;
			break;
		}
	return real(f)->pMethods->xClose(real(f));
}
static int power_read(sqlite3_file *f, void *p, int n, sqlite3_int64 at)
{
	return real(f)->pMethods->xRead(real(f), p, n, at);
}
static int power_write(sqlite3_file *f, const void *p, int n, sqlite3_int64 at)
{
	power();
	keep(of(f), at, (size_t)n);
	return real(f)->pMethods->xWrite(real(f), p, n, at);
}
static int power_truncate(sqlite3_file *f, sqlite3_int64 size)
{
	sqlite3_int64 now = 0;

	power();
	real(f)->pMethods->xFileSize(real(f), &now);
	if (size < now)
		keep(of(f), size, (size_t)(now - size));
	return real(f)->pMethods->xTruncate(real(f), size);
}
static int power_sync(sqlite3_file *f, int flags)
{
	power();
	of(f)->last = NULL;
	return real(f)->pMethods->xSync(real(f), flags);
}
static int power_size(sqlite3_file *f, sqlite3_int64 *n)
{
	return real(f)->pMethods->xFileSize(real(f), n);
}
static int power_lock(sqlite3_file *f, int level)
{
	return real(f)->pMethods->xLock(real(f), level);
}
static int power_unlock(sqlite3_file *f, int level)
{
	return real(f)->pMethods->xUnlock(real(f), level);
}
static int power_reserved(sqlite3_file *f, int *ret)
{
	return real(f)->pMethods->xCheckReservedLock(real(f), ret);
}
static int power_control(sqlite3_file *f, int op, void *arg)
{
	return real(f)->pMethods->xFileControl(real(f), op, arg);
}
static int power_sector(sqlite3_file *f)
{
	return real(f)->pMethods->xSectorSize(real(f));
}
static int power_traits(sqlite3_file *f)
{
	return real(f)->pMethods->xDeviceCharacteristics(real(f));
}
static int power_map(sqlite3_file *f, int page, int size, int extend, void volatile **ret)
{
	return real(f)->pMethods->xShmMap(real(f), page, size, extend, ret);
}
static int power_shm_lock(sqlite3_file *f, int at, int n, int flags)
{
	return real(f)->pMethods->xShmLock(real(f), at, n, flags);
}
static void power_barrier(sqlite3_file *f)
{
	real(f)->pMethods->xShmBarrier(real(f));
}
static int power_unmap(sqlite3_file *f, int drop)
{
	return real(f)->pMethods->xShmUnmap(real(f), drop);
}

static const sqlite3_io_methods power_methods = {
	.iVersion = 2,
	.xClose = power_close,
	.xRead = power_read,
	.xWrite = power_write,
	.xTruncate = power_truncate,
	.xSync = power_sync,
	.xFileSize = power_size,
	.xLock = power_lock,
	.xUnlock = power_unlock,
	.xCheckReservedLock = power_reserved,
	.xFileControl = power_control,
	.xSectorSize = power_sector,
	.xDeviceCharacteristics = power_traits,
	.xShmMap = power_map,
	.xShmLock = power_shm_lock,
	.xShmBarrier = power_barrier,
	.xShmUnmap = power_unmap,
};

static int power_open(sqlite3_vfs *vfs, sqlite3_filename name, sqlite3_file *file, int flags,
		      int *ret_flags)
{
	struct power_file *f = of(file);
	int rc;

	(void)vfs;
	f->real = (sqlite3_file *)(void *)(f + 1);
	f->last = NULL;
	rc = system_vfs->xOpen(system_vfs, name, f->real, flags, ret_flags);
	f->base.pMethods = f->real->pMethods ? &power_methods : NULL;
	if (rc == SQLITE_OK) {
		f->next = files;
		files = f;
	}
	return rc;
}

static void put_in_between(void)
{
	system_vfs = sqlite3_vfs_find(NULL);
	power_vfs = *system_vfs;
	power_vfs.zName = "power";
	power_vfs.pNext = NULL;
	power_vfs.szOsFile = (int)sizeof(struct power_file) + system_vfs->szOsFile;
	power_vfs.xOpen = power_open;
	assert_int_equal(sqlite3_vfs_register(&power_vfs, 1), SQLITE_OK);
}

/* ---- the work ---- */

static uint8_t content[CONTENT];

static void make_content(int n)
{
	struct random r = random_seeded((uint64_t)n);

	random_fill(&r, content, sizeof content);
}

/* A person, and content of 300 KB: enough of them, and the log is written back in between. */
static int step(struct db_conn *c, void *ctx, struct md_err *e)
{
	md_auto(blob_done) struct blob b = { 0 };
	const int *n = ctx;
	char name[40];
	struct user u = { .name = name, .email = name, .role = "customer", .created_at = *n };
	int64_t blob = 0, id = 0;
	int rc = blob_prepare(content, sizeof content, &b, e);

	snprintf(name, sizeof name, "p%d@x.test", *n);
	if (rc == MD_OK)
		rc = blob_put(c, &b, &blob, e);
	u.undeliverable_at = blob;
	if (rc == MD_OK)
		rc = user_add(c, &u, &id, e);
	u.id = id;
	return rc == MD_OK ? user_save(c, &u, e) : rc;
}

/* In a process of its own, up to the power failure. A number goes down the pipe for each step that
 * was acknowledged. */
static void work(const char *where, int out)
{
	struct db *db;

	put_in_between();
	if (db_open(where, &db, &err) != MD_OK)
		_exit(1);
	for (int n = 1; n <= STEPS; n++) {
		make_content(n);
		if (lazy)
			db_set_lazy(db, n % FIRM != 0);
		if (db_txn(db, step, &n, &err) != MD_OK || write(out, "x", 1) != 1)
			_exit(1);
	}
	_exit(0);
}

/* ---- afterwards ---- */

static void check(const char *where, int acknowledged)
{
	md_auto(arena_done) struct arena a = ARENA_INIT(1 << 20);
	md_auto(db_close_p) struct db *db = NULL;
	md_auto(db_read_done_p) struct db_conn *c = NULL;
	int there = 0;

	OK(db_open(where, &db, &err));
	OK(schema_ensure(db, &err));
	OK(db_read(db, &c, &err));
	for (int n = 1; n <= STEPS; n++) {
		md_auto(md_free_p) uint8_t *bytes = NULL;
		struct user u;
		char name[40];
		size_t size;
		int rc;

		snprintf(name, sizeof name, "p%d@x.test", n);
		rc = user_by_address(c, name, &a, &u, &err);
		if (rc == MD_NOTFOUND)
			break;
		OK(rc);
		OK(blob_get(c, u.undeliverable_at, &bytes, &size, &err)); /* by its checksum */
		assert_int_equal(size, CONTENT);
		there = n;
	}
	/* The one at hand may be done and not acknowledged. */
	if (there < acknowledged - (lazy ? acknowledged % FIRM : 0) || there > acknowledged + 1)
		fail_msg("call %ld, kind %d: %d acknowledged, %d there", fails_at, kind,
			 acknowledged, there);
}

static void intact(const char *path)
{
	sqlite3_stmt *st;
	sqlite3 *db;

	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_prepare_v2(db, "PRAGMA integrity_check", -1, &st, NULL),
			 SQLITE_OK);
	assert_int_equal(sqlite3_step(st), SQLITE_ROW);
	assert_string_equal(sqlite3_column_text(st, 0), "ok");
	sqlite3_finalize(st);
	sqlite3_close(db);
}

static void copy_file(const char *from, const char *to)
{
	FILE *in = fopen(from, "rb"), *out = fopen(to, "wb");
	char part[4096];
	size_t n;

	assert_true(in && out);
	while ((n = fread(part, 1, sizeof part, in)) > 0)
		assert_int_equal(fwrite(part, 1, n, out), n);
	fclose(in);
	assert_int_equal(fclose(out), 0);
}

/* Whether the power failed before the work was over. */
static bool once(const char *template, const char *path, const char *where)
{
	int ends[2], status, acknowledged = 0;
	char command[400], byte;
	pid_t pid;

	snprintf(command, sizeof command, "%s-wal", path);
	unlink(command);
	snprintf(command, sizeof command, "%s-shm", path);
	unlink(command);
	copy_file(template, path);
	assert_int_equal(pipe(ends), 0);
	pid = fork();
	if (pid == 0) {
		close(ends[0]);
		work(where, ends[1]);
	}
	close(ends[1]);
	while (read(ends[0], &byte, 1) == 1)
		acknowledged++;
	close(ends[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) != 1);
	intact(path);
	check(where, acknowledged);
	return WEXITSTATUS(status) == 9;
}

static void what_must_be_there_is(void)
{
	struct fixture f;
	char path[128], where[140];
	int failed = 0;

	fixture_open(&f, true);
	db_close(md_take(f.db));
	snprintf(path, sizeof path, "%s.power", f.path);
	snprintf(where, sizeof where, "sqlite:%s", path);
	for (kind = 0; kind < KINDS; kind++) {
		fails_at = 1 + kind;
		while (once(f.path, path, where)) {
			failed++;
			fails_at += EVERY * (1 + fails_at / 100);
		}
	}
	assert_true(failed > 50);
	unlink(path);
	OK(db_open(f.where, &f.db, &err));
	fixture_close(&f);
}

static void what_was_acknowledged_is_there(void **state)
{
	(void)state;
	lazy = false;
	what_must_be_there_is();
}

static void lazy_commits_last_with_the_next_that_is_not(void **state)
{
	(void)state;
	lazy = true;
	what_must_be_there_is();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_acknowledged_is_there),
		cmocka_unit_test(lazy_commits_last_with_the_next_that_is_not),
	};

	/* There is one file system below PostgreSQL that it knows better how to keep. */
	return on_postgres() ? 0 : cmocka_run_group_tests(tests, NULL, NULL);
}
