/* transfer_plan.c - reads schema.sql, so that a new table or column is moved without a second list
 * of them. Understood is the form that file has: a column, a table constraint or a comment a line.
 * A test compares the outcome with what the engines say of the tables that were made from it. */
#include "transfer_plan.h"

#include <maildesk/base/mem.h>

#include <ctype.h>
#include <string.h>

static const char create[] = "CREATE TABLE ";

/* What stands behind a name makes it a column. */
static const char *const types[] = { "{ID}", "{INT}", "{BLOB}", "TEXT" };

static size_t word_length(const char *at)
{
	size_t n = 0;

	while (isalnum((unsigned char)at[n]) || at[n] == '_')
		n++;
	return n;
}

static const char *skip_blanks(const char *at)
{
	return at + strspn(at, " \t");
}

/* A line without its comment; the next one begins behind *at. */
static char *next_line(const char **at, struct arena *a)
{
	size_t n = strcspn(*at, "\n");
	char *line = arena_strndup(a, *at, n), *comment;

	*at += n + ((*at)[n] == '\n');
	if (line && (comment = strstr(line, "--")))
		*comment = '\0';
	return line;
}

static bool add_key(struct transfer_table *t, const char *name, size_t n)
{
	for (size_t i = 0; i < t->n && t->n_keys < TRANSFER_KEYS_MAX; i++)
		if (strlen(t->columns[i]) == n && memcmp(t->columns[i], name, n) == 0) {
			t->keys[t->n_keys++] = i;
			return true;
		}
	return false;
}

/* "(a, b)" */
static bool add_keys(struct transfer_table *t, const char *list)
{
	for (const char *at = list + strspn(list, "( "); *at && *at != ')';
	     at += strspn(at, ", ")) {
		size_t n = word_length(at);

		if (n == 0 || !add_key(t, at, n))
			return false;
		at += n;
	}
	return true;
}

static bool refers_to(const char *line, const char *table)
{
	const char *at = strstr(line, "REFERENCES ");

	if (!at)
		return false;
	at += strlen("REFERENCES ");
	return word_length(at) == strlen(table) && strncmp(at, table, strlen(table)) == 0;
}

static bool add_column(struct transfer_table *t, const char *line, size_t n, const char *type,
		       struct arena *a)
{
	if (t->n == TRANSFER_COLUMNS_MAX)
		return false;
	t->columns[t->n] = arena_strndup(a, line, n);
	if (!t->columns[t->n])
		return false;
	t->n++;
	if (strcmp(type, "{BLOB}") == 0)
		t->has_blob = true;
	if (strcmp(type, "{ID}") == 0)
		t->has_id = true;
	if (refers_to(line, t->name))
		t->self = t->n - 1;
	if (t->has_id ? t->n == 1 : strstr(line, " PRIMARY KEY") != NULL)
		return add_key(t, line, n);
	return true;
}

/* False: it is neither a column nor a constraint. */
static bool add_line(struct transfer_table *t, const char *line, struct arena *a)
{
	static const char key[] = "PRIMARY KEY ";
	size_t n = word_length(line);
	const char *after = skip_blanks(line + n);

	if (*line == '\0')
		return true;
	if (strncmp(line, key, strlen(key)) == 0)
		return add_keys(t, line + strlen(key));
	for (size_t i = 0; i < MD_COUNT(types); i++)
		if (strncmp(after, types[i], strlen(types[i])) == 0)
			return add_column(t, line, n, types[i], a);
	return strncmp(line, "UNIQUE ", 7) == 0 || strncmp(line, "CHECK ", 6) == 0;
}

static int read_table(struct transfer_table *t, const char *at, struct arena *a, struct md_err *err)
{
	size_t n = word_length(at);
	char *line;

	t->name = arena_strndup(a, at, n);
	t->self = TRANSFER_COLUMNS_MAX;
	for (line = next_line(&at, a); line && t->name && *at;) {
		line = next_line(&at, a);
		if (line && *line == ')')
			break;
		if (line && !add_line(t, skip_blanks(line), a))
			return md_fail(err, MD_BROKEN, 0, "schema.sql, table %s: \"%s\"?", t->name,
				       line);
	}
	if (a->failed)
		return md_fail(err, MD_NOMEM, 0, "schema.sql: out of memory");
	if (t->self == TRANSFER_COLUMNS_MAX)
		t->self = t->n;
	if (t->n == 0 || t->n_keys == 0)
		return md_fail(err, MD_BROKEN, 0, "schema.sql, table %s: no columns or no key",
			       t->name);
	return MD_OK;
}

int transfer_plan(const char *schema, struct arena *a, struct transfer_table **ret, size_t *ret_n,
		  struct md_err *err)
{
	struct transfer_table *tables;
	size_t n = 0, i = 0;

	for (const char *at = schema; (at = strstr(at, create)); at += strlen(create))
		n++;
	tables = arena_array(a, n, sizeof *tables);
	if (!tables)
		return md_fail(err, MD_NOMEM, 0, "schema.sql: out of memory");
	for (const char *at = schema; (at = strstr(at, create)); i++) {
		int rc;

		at += strlen(create);
		rc = read_table(&tables[i], at, a, err);
		if (rc != MD_OK)
			return rc;
	}
	*ret = tables;
	*ret_n = n;
	return MD_OK;
}
