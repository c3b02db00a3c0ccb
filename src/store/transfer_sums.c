/* transfer_sums.c - the checksum of a table: SHA-256 over the values of all rows in key order.
 *
 * A value is a byte for its kind, then 8 bytes (an integer, or a length) in network order, then the
 * bytes of a text or blob: no two tables of different content give the same stream. Nothing of it
 * depends on an engine: both order texts by byte. */
#include "transfer_sums.h"

#include <endian.h>
#include <string.h>

static void add_value(struct buf *out, const struct db_arg *v)
{
	static const char kinds[] = { [DB_KIND_NULL] = 'n',
				      [DB_KIND_INT] = 'i',
				      [DB_KIND_TEXT] = 't',
				      [DB_KIND_BLOB] = 'b' };
	uint64_t number = htobe64(v->kind == DB_KIND_INT ? (uint64_t)v->integer : v->n);

	buf_addc(out, kinds[v->kind]);
	if (v->kind == DB_KIND_NULL)
		return;
	buf_add(out, &number, sizeof number);
	if (v->kind != DB_KIND_INT)
		buf_add(out, v->bytes, v->n);
}

int transfer_sum_begin(struct transfer_summing *s, struct md_err *err)
{
	*s = (struct transfer_summing){ sha256_new(), BUF_INIT(SIZE_MAX / 2), 0 };
	return s->hash ? MD_OK : md_fail(err, MD_NOMEM, 0, "checksum: out of memory");
}

int transfer_sum_row(struct transfer_summing *s, const struct db_arg *row, size_t n,
		     struct md_err *err)
{
	buf_reset(&s->row);
	for (size_t i = 0; i < n; i++)
		add_value(&s->row, &row[i]);
	if (s->row.status != MD_OK)
		return md_fail(err, MD_NOMEM, 0, "a row: out of memory");
	sha256_add(s->hash, s->row.data, s->row.len);
	s->rows++;
	return MD_OK;
}

void transfer_sum_end(struct transfer_summing *s, const char *table, struct transfer_sum *ret)
{
	md_auto(buf_done) struct buf hex = BUF_INIT(SHA256_HEX);
	uint8_t raw[SHA256_BYTES];

	buf_done(&s->row);
	if (!s->hash)
		return;
	sha256_end(s->hash, raw);
	hex_encode(&hex, raw, sizeof raw);
	*ret = (struct transfer_sum){ .table = table, .rows = s->rows };
	memcpy(ret->sha256, buf_str(&hex), hex.len + 1);
}

static int sum_row(const struct db_arg *row, size_t n, void *ctx, struct md_err *err)
{
	return transfer_sum_row(ctx, row, n, err);
}

int transfer_sum_table(struct db *db, const struct transfer_table *t, transfer_step step, void *ctx,
		       struct transfer_sum *ret, struct md_err *err)
{
	md_auto(transfer_cursor_done) struct transfer_cursor at = TRANSFER_CURSOR(t);
	const struct transfer_side side = { db, NULL };
	struct transfer_sum sum = { 0 };
	struct transfer_summing s;
	int64_t rows = 0;
	int rc = transfer_sum_begin(&s, err);

	do {
		if (rc == MD_OK)
			rc = transfer_page(&side, &at, sum_row, &s, &rows, err);
		if (rc == MD_OK && rows && step)
			step(t, rows, ctx);
	} while (rc == MD_OK && rows);
	transfer_sum_end(&s, t->name, &sum);
	if (rc == MD_OK)
		*ret = sum;
	return rc;
}

int transfer_sums(struct db *db, struct arena *arena, struct transfer_sum **ret_sums, size_t *ret_n,
		  struct md_err *err)
{
	struct transfer_table *tables;
	struct transfer_sum *sums;
	size_t n;
	int rc = transfer_tables(arena, &tables, &n, err);

	if (rc != MD_OK)
		return rc;
	sums = arena_array(arena, n, sizeof *sums);
	if (!sums)
		return md_fail(err, MD_NOMEM, 0, "checksums: out of memory");
	for (size_t i = 0; i < n && rc == MD_OK; i++)
		rc = transfer_sum_table(db, &tables[i], NULL, NULL, &sums[i], err);
	if (rc == MD_OK) {
		*ret_sums = sums;
		*ret_n = n;
	}
	return rc;
}
