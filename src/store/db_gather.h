/* db_gather.h - rows of db_insert() that wait to be written together, and ids of db_new_id();
 * private to src/store. The design is at the head of db_gather.c. */
#ifndef MAILDESK_STORE_DB_GATHER_H
#define MAILDESK_STORE_DB_GATHER_H

#include "db_tables.h"

#include <maildesk/store/db.h>

enum { DB_IDS_MAX = 16 };

struct db_row {
	const struct db_sql *sql;
	struct db_arg *v;
	size_t n;
};
struct db_batch {
	struct db_row *rows;
	size_t n, sent, room;
};
/* A savepoint of db.h: what was there when it began. */
struct db_part {
	struct db_part *outer;
	bool is_real; /* the engine knows of it */
	size_t n[DB_TABLES_MAX], sent[DB_TABLES_MAX];
};
struct db_ids {
	int64_t v[DB_IDS_MAX];
	size_t at, n, next;
};

struct db_gather {
	bool on;      /* rows are kept back in this transaction */
	bool failed;  /* a row's failure came late: it has to run again with rows written at once */
	bool writing; /* what runs now is the gathering's own */
	db_set pending;
	size_t bytes;
	struct arena arena; /* values of the rows */
	struct db_batch batches[DB_TABLES_MAX];
	struct db_part *part; /* the innermost */
	struct db_ids ids[DB_TABLES_MAX];
};

/* At the start of a transaction. */
void db_gather_begin(struct db_conn *c, bool on);
void db_gather_done(struct db_conn *c);
/* Before a statement of these tables runs: what it could see or refer to is written. */
int db_gather_before(struct db_conn *c, const char *sql, struct md_err *err);
/* Everything is written. */
int db_gather_flush(struct db_conn *c, struct md_err *err);
#endif
