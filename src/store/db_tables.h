/* db_tables.h - the tables of schema.sql as sets: which a statement is about, which a row needs.
 *
 * A table's number is its place in schema.sql, so a row's number is not below those of the rows it
 * refers to. */
#ifndef MAILDESK_STORE_DB_TABLES_H
#define MAILDESK_STORE_DB_TABLES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { DB_TABLES_MAX = 64 };
typedef uint64_t db_set; /* bit n: table n */

/* Its number, or -1. */
int db_table(const char *name, size_t n);
/* The tables whose names stand in the statement, and, of one that writes, those they refer to. */
db_set db_tables_of(const char *sql);
/* Of "INSERT INTO name ...", or -1. */
int db_table_of_insert(const char *sql);
/* The table and all that its rows refer to, directly or not. */
db_set db_tables_needed(int table);
bool db_only_reads(const char *sql);

#endif
