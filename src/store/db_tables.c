#include "db_tables.h"

#include <maildesk/base/embed.h>

#include <assert.h>
#include <ctype.h>
#include <pthread.h>
#include <string.h>

static struct table {
	const char *name; /* in the text of schema.sql */
	size_t n;
	db_set refers_to, needs;
} tables[DB_TABLES_MAX];
static int n_tables;

static size_t word_length(const char *at)
{
	size_t n = 0;

	while (isalnum((unsigned char)at[n]) || at[n] == '_')
		n++;
	return n;
}

/* Up to `end`, where the next table begins. */
static db_set find_references(const char *at, const char *end)
{
	static const char refers[] = "REFERENCES ";
	db_set found = 0;

	while ((at = strstr(at, refers)) && at < end) {
		int t;

		at += strlen(refers);
		for (t = 0; t < n_tables; t++)
			if (word_length(at) == tables[t].n &&
			    memcmp(at, tables[t].name, tables[t].n) == 0)
				found |= (db_set)1 << t;
	}
	return found;
}

/* What {SEARCH_INDEX} makes: it refers to nothing, and nothing to it. */
static void add_search_index(void)
{
	static const char name[] = "search_index";

	assert(n_tables < DB_TABLES_MAX);
	tables[n_tables] =
		(struct table){ .name = name, .n = strlen(name), .needs = (db_set)1 << n_tables };
	n_tables++;
}

static void read_schema(void)
{
	static const char create[] = "CREATE TABLE ";
	const struct embed_file *schema = embed_find("schema.sql");
	const char *at = schema ? strstr(schema->data, create) : NULL;

	while (at) {
		const char *next = strstr(at + 1, create);
		struct table *t = &tables[n_tables];

		assert(n_tables < DB_TABLES_MAX);
		at += strlen(create);
		*t = (struct table){ .name = at, .n = word_length(at) };
		n_tables++;
		t->refers_to = find_references(at, next ? next : at + strlen(at));
		t->needs = t->refers_to | (db_set)1 << (n_tables - 1);
		for (int i = 0; i < n_tables - 1; i++)
			if (t->refers_to & (db_set)1 << i)
				t->needs |= tables[i].needs;
		at = next;
	}
	add_search_index();
}

static void ensure_read(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, read_schema);
}

int db_table(const char *name, size_t n)
{
	ensure_read();
	for (int t = 0; t < n_tables; t++)
		if (tables[t].n == n && memcmp(tables[t].name, name, n) == 0)
			return t;
	return -1;
}

bool db_only_reads(const char *sql)
{
	return strncmp(sql, "SELECT ", 7) == 0;
}

db_set db_tables_of(const char *sql)
{
	db_set found = 0, more = 0;

	for (const char *at = sql; *at;) {
		size_t n = word_length(at);
		int t = n ? db_table(at, n) : -1;

		if (t >= 0)
			found |= (db_set)1 << t;
		at += n ? n : 1;
	}
	for (int t = 0; t < n_tables && !db_only_reads(sql); t++)
		if (found & (db_set)1 << t)
			more |= tables[t].refers_to;
	return found | more;
}

int db_table_of_insert(const char *sql)
{
	static const char insert[] = "INSERT INTO ";

	if (strncmp(sql, insert, strlen(insert)) != 0)
		return -1;
	sql += strlen(insert);
	return db_table(sql, word_length(sql));
}

db_set db_tables_needed(int table)
{
	ensure_read();
	return tables[table].needs;
}
