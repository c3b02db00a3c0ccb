/* blobs.c - content by its hash. A small blob is one row; a large one goes on in blob_chunks, so
 * that no row is larger than CHUNK_BYTES on any engine and reading it needs little memory beside
 * the result. Compressing goes through the file once; what does not get smaller is kept as it is.
 */
#include <maildesk/store/blobs.h>

#include <maildesk/base/buf.h>
#include <maildesk/base/codec.h>
#include <maildesk/base/record.h>

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zstd.h>

enum {
	CHUNK_BYTES = 256 << 10,
	PIECE_BYTES = 64 << 10,  /* read at a time */
	SPARE_BYTES = 512 << 10, /* no larger context is kept */
	ZSTD_LEVEL = 1,          /* 3 takes a third more time for a mail that is 2 % smaller */
};

static void zstd_cctx_free(ZSTD_CCtx *ctx)
{
	ZSTD_freeCCtx(ctx);
}
MD_DEFINE_AUTO(ZSTD_CCtx *, zstd_cctx_free)

static void zstd_dctx_free(ZSTD_DCtx *ctx)
{
	ZSTD_freeDCtx(ctx);
}
MD_DEFINE_AUTO(ZSTD_DCtx *, zstd_dctx_free)

static int out_of_memory(struct md_err *err)
{
	return md_fail(err, MD_NOMEM, 0, "blob: out of memory");
}

/* Setting a context up costs as much as compressing a short mail: one is kept for the next caller,
 * whatever its thread. */
static _Atomic(ZSTD_CCtx *) spare_cctx;

static ZSTD_CCtx *take_cctx(void)
{
	ZSTD_CCtx *ctx = atomic_exchange(&spare_cctx, NULL);

	return ctx ? ctx : ZSTD_createCCtx();
}

static void give_cctx(ZSTD_CCtx *ctx)
{
	ZSTD_CCtx *other;

	if (ZSTD_sizeof_CCtx(ctx) <= SPARE_BYTES)
		other = atomic_exchange(&spare_cctx, ctx);
	else
		other = ctx;
	ZSTD_freeCCtx(other);
}

void blob_done(struct blob *b)
{
	free(b->bytes);
	b->bytes = NULL;
	b->n = 0;
}

/* ---- making ready ---- */

int blob_prepare(const void *bytes, size_t n, struct blob *ret, struct md_err *err)
{
	struct blob b = { .size = (int64_t)n, .encoding = "zstd" };
	size_t room = n ? n : 1, packed;
	ZSTD_CCtx *ctx;

	/* Room for as much as the input: what does not fit in that is not worth compressing. */
	b.bytes = md_malloc(room);
	if (!b.bytes)
		return out_of_memory(err);
	sha256_hex(bytes, n, b.sha256);
	ctx = take_cctx();
	if (!ctx) {
		blob_done(&b);
		return out_of_memory(err);
	}
	packed = ZSTD_compressCCtx(ctx, b.bytes, room, bytes, n, ZSTD_LEVEL);
	give_cctx(ctx);
	if (ZSTD_isError(packed) || packed >= n) {
		b.encoding = "identity";
		if (n)
			memcpy(b.bytes, bytes, n);
		packed = n;
	}
	b.n = packed;
	*ret = b;
	return MD_OK;
}

static int read_piece(int fd, int64_t at, void *out, size_t n, struct md_err *err)
{
	size_t got = 0;

	while (got < n) {
		ssize_t r = pread(fd, (char *)out + got, n - got, (off_t)(at + (int64_t)got));

		if (r < 0 && errno == EINTR)
			continue;
		if (r < 0)
			return md_fail(err, MD_BROKEN, errno, "reading a mail back: %s",
				       strerror(errno));
		if (r == 0)
			return md_fail(err, MD_BROKEN, 0,
				       "a mail's file is shorter than announced");
		got += (size_t)r;
	}
	return MD_OK;
}

struct packer {
	ZSTD_CCtx *ctx;
	struct sha256 *hash;
	struct buf out;
	bool grows; /* it would not get smaller: only the hash is still wanted */
};

static int pack_piece(struct packer *p, const void *bytes, size_t n, bool is_last,
		      struct md_err *err)
{
	ZSTD_inBuffer in = { bytes, n, 0 };
	size_t left;

	sha256_add(p->hash, bytes, n);
	do {
		char *room = p->grows ? NULL : buf_reserve(&p->out, PIECE_BYTES);
		ZSTD_outBuffer out = { room, PIECE_BYTES, 0 };

		if (p->grows || p->out.status == MD_INPUT) {
			p->grows = true;
			return MD_OK;
		}
		if (!room)
			return out_of_memory(err);
		left = ZSTD_compressStream2(p->ctx, &out, &in,
					    is_last ? ZSTD_e_end : ZSTD_e_continue);
		if (ZSTD_isError(left))
			return out_of_memory(err);
		p->out.len += out.pos;
	} while (in.pos < in.size || (is_last && left));
	return MD_OK;
}

static int pack_file(int fd, int64_t size, struct packer *p, struct md_err *err)
{
	char piece[PIECE_BYTES];
	int64_t at = 0;
	int rc;

	do {
		size_t n = size - at < PIECE_BYTES ? (size_t)(size - at) : PIECE_BYTES;

		rc = read_piece(fd, at, piece, n, err);
		at += (int64_t)n;
		if (rc == MD_OK)
			rc = pack_piece(p, piece, n, at == size, err);
	} while (rc == MD_OK && at < size);
	return rc;
}

static int keep_as_is(int fd, int64_t size, struct blob *b, struct md_err *err)
{
	int rc;

	b->encoding = "identity";
	b->n = (size_t)size;
	b->bytes = md_malloc(b->n);
	if (!b->bytes)
		return out_of_memory(err);
	rc = read_piece(fd, 0, b->bytes, b->n, err);
	if (rc != MD_OK)
		blob_done(b);
	return rc;
}

static void put_hash(struct blob *b, struct sha256 *hash)
{
	md_auto(buf_done) struct buf hex = BUF_INIT(SHA256_HEX);
	uint8_t raw[SHA256_BYTES];

	sha256_end(hash, raw);
	hex_encode(&hex, raw, sizeof raw);
	memcpy(b->sha256, buf_str(&hex), hex.len);
}

int blob_prepare_fd(int fd, int64_t size, struct blob *ret, struct md_err *err)
{
	md_auto(zstd_cctx_free_p) ZSTD_CCtx *ctx = ZSTD_createCCtx();
	struct blob b = { .size = size, .encoding = "zstd" };
	/* The ceiling makes zstd give up as soon as the result would not be smaller. */
	struct packer p = { ctx, sha256_new(), BUF_INIT((size_t)size + PIECE_BYTES), false };
	int rc;

	if (!ctx || !p.hash) {
		if (p.hash)
			put_hash(&b, p.hash);
		return out_of_memory(err);
	}
	ZSTD_CCtx_setParameter(ctx, ZSTD_c_compressionLevel, ZSTD_LEVEL);
	ZSTD_CCtx_setPledgedSrcSize(ctx, (unsigned long long)size);
	rc = pack_file(fd, size, &p, err);
	put_hash(&b, p.hash);
	if (rc == MD_OK && (p.grows || p.out.len >= (size_t)size)) {
		buf_done(&p.out);
		rc = keep_as_is(fd, size, &b, err);
	} else if (rc == MD_OK) {
		b.n = p.out.len;
		b.bytes = md_take(p.out.data);
	}
	buf_done(&p.out);
	if (rc == MD_OK)
		*ret = b;
	return rc;
}

/* ---- storing ---- */

#define BLOB_INSERT                                                     \
	"INSERT INTO blobs (id, sha256, size, encoding, put_at, bytes)" \
	" VALUES ($1, $2, $3, $4, {NOW}, $5)"
DB_SQL(sql_put, BLOB_INSERT);
DB_SQL(sql_put_new, BLOB_INSERT " ON CONFLICT (sha256) DO NOTHING");
DB_SQL(sql_put_chunk, "INSERT INTO blob_chunks (blob_id, n, bytes) VALUES ($1, $2, $3)");
/* A change and no look: who removes orphans at the same moment meets it. */
DB_SQL(sql_put_again, "UPDATE blobs SET put_at = {NOW} WHERE sha256 = $1 RETURNING id");
DB_SQL(sql_get, "SELECT b.sha256, b.size, b.encoding, b.bytes FROM blobs b WHERE b.id = $1");
DB_SQL(sql_get_chunks, "SELECT k.bytes FROM blob_chunks k WHERE k.blob_id = $1 ORDER BY k.n");

static size_t chunk_length(const struct blob *b, size_t from)
{
	return b->n - from < CHUNK_BYTES ? b->n - from : CHUNK_BYTES;
}

int blob_put(struct db_conn *c, const struct blob *b, int64_t *ret_id, struct md_err *err)
{
	const char *bytes = b->bytes;
	int64_t id = 0, number = 1, changed = 1;
	int rc = db_new_id(c, "blobs", &id, err);
	struct db_args row = DB_ARGS(DB_INT(id), DB_TEXT(b->sha256), DB_INT(b->size),
				     DB_TEXT(b->encoding), DB_BLOB(bytes, chunk_length(b, 0)));

	/* Content that was there before is rare: not worth a question while rows are kept back. */
	if (rc == MD_OK && db_keeps_rows(c))
		rc = db_insert(c, &sql_put, row, err);
	else if (rc == MD_OK)
		rc = db_exec(c, &sql_put_new, row, &changed, err);
	if (rc == MD_OK && changed == 0)
		return db_int(c, &sql_put_again, DB_ARGS(DB_TEXT(b->sha256)), ret_id, err);
	for (size_t at = CHUNK_BYTES; rc == MD_OK && at < b->n; at += CHUNK_BYTES)
		rc = db_insert(c, &sql_put_chunk,
			       DB_ARGS(DB_INT(id), DB_INT(number++),
				       DB_BLOB(bytes + at, chunk_length(b, at))),
			       err);
	if (rc == MD_OK)
		*ret_id = id;
	return rc;
}

/* ---- reading back ---- */

struct stored {
	const char *sha256;
	int64_t size;
	const char *encoding;
	struct rec_bytes bytes;
};
static const struct db_col stored_cols[] = {
	{ DB_COL_TEXT, offsetof(struct stored, sha256) },
	{ DB_COL_INT, offsetof(struct stored, size) },
	{ DB_COL_TEXT, offsetof(struct stored, encoding) },
	{ DB_COL_BLOB, offsetof(struct stored, bytes) },
};
static const struct db_map stored_map = DB_MAP(stored, stored_cols);
static const struct db_col chunk_cols[] = { { DB_COL_BLOB, 0 } };
static const struct db_map chunk_map = { sizeof(struct rec_bytes), chunk_cols, 1 };

struct unpacker {
	ZSTD_DCtx *ctx; /* NULL: the bytes are stored as they are */
	ZSTD_outBuffer out;
};

static int unpack(struct unpacker *u, const struct rec_bytes *piece, struct md_err *err)
{
	ZSTD_inBuffer in = { piece->v, piece->n, 0 };

	if (!u->ctx) {
		if (piece->n > u->out.size - u->out.pos)
			return md_fail(err, MD_BROKEN, 0, "longer than its size");
		memcpy((char *)u->out.dst + u->out.pos, piece->v, piece->n);
		u->out.pos += piece->n;
		return MD_OK;
	}
	while (in.pos < in.size) {
		size_t before = in.pos;
		size_t r = ZSTD_decompressStream(u->ctx, &u->out, &in);

		if (ZSTD_isError(r) || in.pos == before)
			return md_fail(err, MD_BROKEN, 0, "cannot be decompressed");
	}
	return MD_OK;
}

static int unpack_row(void *row, void *ctx, struct md_err *err)
{
	return unpack(ctx, row, err);
}

static int check(const struct unpacker *u, const struct stored *s, struct md_err *err)
{
	char sha[SHA256_HEX];

	if (u->out.pos != u->out.size)
		return md_fail(err, MD_BROKEN, 0, "shorter than its size");
	sha256_hex(u->out.dst, u->out.pos, sha);
	if (strcmp(sha, s->sha256) != 0)
		return md_fail(err, MD_BROKEN, 0, "does not match its hash");
	return MD_OK;
}

int blob_get(struct db_conn *c, int64_t id, uint8_t **ret_bytes, size_t *ret_n, struct md_err *err)
{
	md_auto(arena_done) struct arena a = ARENA_INIT(2 * CHUNK_BYTES);
	md_auto(zstd_dctx_free_p) ZSTD_DCtx *ctx = NULL;
	md_auto(md_free_p) uint8_t *bytes = NULL;
	struct stored s;
	struct unpacker u;
	int rc = db_one(c, &sql_get, DB_ARGS(DB_INT(id)), &stored_map, &a, &s, err);

	if (rc != MD_OK)
		return rc;
	bytes = md_malloc((size_t)s.size + 1);
	if (strcmp(s.encoding, "zstd") == 0)
		ctx = ZSTD_createDCtx();
	if (!bytes || (strcmp(s.encoding, "zstd") == 0 && !ctx))
		return out_of_memory(err);
	u = (struct unpacker){ ctx, { bytes, (size_t)s.size, 0 } };
	rc = unpack(&u, &s.bytes, err);
	if (rc == MD_OK)
		rc = db_each(c, &sql_get_chunks, DB_ARGS(DB_INT(id)), &chunk_map, unpack_row, &u,
			     err);
	if (rc == MD_OK)
		rc = check(&u, &s, err);
	if (rc != MD_OK)
		return md_wrap(err, rc, "blob %lld", (long long)id);
	bytes[u.out.pos] = '\0'; /* for whoever reads it as text */
	*ret_bytes = md_take(bytes);
	*ret_n = u.out.pos;
	return MD_OK;
}
