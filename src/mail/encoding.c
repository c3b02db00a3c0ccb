#include <maildesk/mail/encoding.h>

#include <pthread.h>
#include <stdint.h>
#include <string.h>

enum { PIECE = 8192 };

struct out {
	unsigned char bytes[PIECE];
	size_t n;
	encoding_sink *sink;
	void *ctx;
	int stopped;
};

static void flush(struct out *o)
{
	if (o->n && !o->stopped)
		o->stopped = o->sink(o->ctx, o->bytes, o->n);
	o->n = 0;
}

static inline void put(struct out *o, unsigned char c)
{
	if (o->n == PIECE)
		flush(o);
	o->bytes[o->n++] = c;
}

static void put_all(struct out *o, struct span s)
{
	if (s.n > PIECE - o->n)
		flush(o);
	if (s.n > PIECE) {
		if (!o->stopped)
			o->stopped = o->sink(o->ctx, s.p, s.n);
		return;
	}
	if (s.n)
		memcpy(o->bytes + o->n, s.p, s.n);
	o->n += s.n;
}

static const struct {
	const char *name;
	enum encoding encoding;
} names[] = {
	{ "base64", ENCODING_BASE64 },       { "quoted-printable", ENCODING_QP },
	{ "x-uuencode", ENCODING_UUENCODE }, { "7bit", ENCODING_IDENTITY },
	{ "8bit", ENCODING_IDENTITY },       { "binary", ENCODING_IDENTITY },
	{ "identity", ENCODING_IDENTITY },   { "", ENCODING_IDENTITY },
	{ "7-bit", ENCODING_IDENTITY },      { "8-bit", ENCODING_IDENTITY },
	{ "base-64", ENCODING_BASE64 },      { "quotedprintable", ENCODING_QP },
	{ "uuencode", ENCODING_UUENCODE },   { "x-uue", ENCODING_UUENCODE },
	{ "uue", ENCODING_UUENCODE },
};

const char *encoding_name(enum encoding e)
{
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (names[i].encoding == e && e != ENCODING_IDENTITY)
			return names[i].name;
	return "identity";
}

enum encoding encoding_from_field(struct span value, bool *ret_known)
{
	size_t end = 0;

	value = span_trim(value);
	/* Some write "base64; charset=…", "base64 (comment)" or quote the word. */
	while (value.n && (*value.p == '"' || *value.p == '\''))
		value = span_from(value, 1);
	while (end < value.n && !ascii_space(value.p[end]) && !strchr(";(\"',", value.p[end]))
		end++;
	value.n = end;
	if (ret_known)
		*ret_known = true;
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (span_is(value, names[i].name))
			return names[i].encoding;
	if (ret_known)
		*ret_known = false;
	return ENCODING_IDENTITY;
}

/* ---- base64 ---- */

enum { B64_SKIP = 0x80, B64_PAD = 0x81, JUNK_LOOK = 80 };

static inline unsigned base64_value(unsigned char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26u;
	if (c >= '0' && c <= '9')
		return c - '0' + 52u;
	if (c == '+' || c == '-')
		return 62;
	if (c == '/' || c == '_')
		return 63;
	return c == '=' ? B64_PAD : B64_SKIP;
}

/* What stands behind the padding is no base64: a list's footer, say. */
static bool junk_follows(const unsigned char *p, const unsigned char *end, const uint8_t *table)
{
	bool letters = false;

	while (p < end && ascii_space((char)*p))
		p++;
	if (end - p > JUNK_LOOK)
		end = p + JUNK_LOOK;
	if (p == end)
		return false;
	for (; p < end && *p != '\n' && *p != '\r'; p++) {
		if (table[*p] == B64_SKIP)
			return true;
		letters = letters || ascii_alnum((char)*p) || *p == '=';
	}
	return !letters; /* "-----", "_____" */
}

/* What a letter is at each of the four places of a group, already shifted to where it belongs. */
struct base64_tables {
	uint32_t at[4][256];
	uint8_t value[256];
};
enum { B64_NO_LETTER = 0x80 << 18 }; /* beyond the 24 bits of a group */

static struct base64_tables tables;
static pthread_once_t tables_once = PTHREAD_ONCE_INIT;

static void make_tables(void)
{
	for (unsigned c = 0; c < 256; c++) {
		uint32_t v = base64_value((unsigned char)c);

		tables.value[c] = (uint8_t)v;
		for (int place = 0; place < 4; place++)
			tables.at[place][c] = v & 0x80 ? B64_NO_LETTER : v << (18 - 6 * place);
	}
}

/* Groups of four letters up to what is none, or the end of the room. */
static const unsigned char *decode_groups(const unsigned char *p, const unsigned char *end,
					  struct out *o)
{
	unsigned char *to = o->bytes + o->n;
	const unsigned char *room = o->bytes + PIECE - 3;

	while (end - p >= 4 && to <= room) {
		uint32_t v = tables.at[0][p[0]] | tables.at[1][p[1]] | tables.at[2][p[2]] |
			     tables.at[3][p[3]];

		if (v & B64_NO_LETTER)
			break;
		to[0] = (uint8_t)(v >> 16);
		to[1] = (uint8_t)(v >> 8);
		to[2] = (uint8_t)v;
		to += 3;
		p += 4;
	}
	o->n = (size_t)(to - o->bytes);
	return p;
}

static void decode_base64(struct span in, struct out *o)
{
	const unsigned char *p = (const unsigned char *)in.p, *end = p + in.n;
	const uint8_t *table = tables.value;
	uint32_t acc = 0;
	int have = 0;

	pthread_once(&tables_once, make_tables);
	while (p < end && !o->stopped) {
		uint8_t v;

		if (have == 0)
			p = decode_groups(p, end, o);
		if (p == end)
			break;
		v = table[*p++];
		if (v == B64_SKIP)
			continue;
		if (v != B64_PAD) {
			acc = acc << 6 | v;
			if (++have < 4)
				continue;
		}
		/* A full group, or padding: pieces encoded one by one may follow each other. */
		if (have == 4) {
			put(o, (uint8_t)(acc >> 16));
			put(o, (uint8_t)(acc >> 8));
			put(o, (uint8_t)acc);
		} else if (have == 3) {
			put(o, (uint8_t)(acc >> 10));
			put(o, (uint8_t)(acc >> 2));
		} else if (have == 2) {
			put(o, (uint8_t)(acc >> 4));
		}
		acc = 0;
		have = 0;
		if (v == B64_PAD && p < end && (*p == '\n' || *p == '\r') &&
		    junk_follows(p, end, table))
			break;
	}
	if (have >= 2)
		put(o, (uint8_t)(have == 3 ? acc >> 10 : acc >> 4));
	if (have == 3)
		put(o, (uint8_t)(acc >> 2));
}

/* ---- quoted-printable ---- */

static void decode_qp_line(struct span line, struct out *o, bool *ret_soft)
{
	*ret_soft = false;
	while (line.n) {
		size_t at = span_chr(line, '=');
		int hi, lo;

		put_all(o, span_sub(line, 0, at));
		if (at == line.n)
			return;
		line = span_from(line, at);
		if (line.n == 1) {
			*ret_soft = true;
			return;
		}
		hi = line.n >= 3 ? hex_digit(line.p[1]) : -1;
		lo = line.n >= 3 ? hex_digit(line.p[2]) : -1;
		if (line.p[1] == '\r') { /* soft, in a mail whose lines end in CR alone */
			line = span_from(line, 2);
		} else if (hi >= 0 && lo >= 0) {
			put(o, (unsigned char)(hi << 4 | lo));
			line = span_from(line, 3);
		} else {
			put(o, '=');
			line = span_from(line, 1);
		}
	}
}

static void decode_qp(struct span in, struct out *o)
{
	while (in.n && !o->stopped) {
		size_t at = span_chr(in, '\n');
		bool crlf = at && at < in.n && in.p[at - 1] == '\r';
		struct span line = { in.p, at - crlf };
		size_t kept = line.n;
		bool soft;

		/* White space at a line's end was added on the way (RFC 2045 6.7 rule 3). */
		while (kept && (line.p[kept - 1] == ' ' || line.p[kept - 1] == '\t'))
			kept--;
		line.n = kept;
		decode_qp_line(line, o, &soft);
		if (!soft && at < in.n)
			put_all(o, crlf ? (struct span){ "\r\n", 2 } : (struct span){ "\n", 1 });
		in = span_from(in, at + 1);
	}
}

/* ---- uuencode ---- */

static inline unsigned uu_value(char c)
{
	return (unsigned)(c - ' ') & 63;
}

static bool uu_line_ok(struct span line)
{
	return line.n >= 1 && line.p[0] >= ' ' && line.p[0] <= '`' &&
	       line.n - 1 + 4 >= (uu_value(line.p[0]) + 2) / 3 * 4;
}

static void decode_uu_line(struct span line, struct out *o)
{
	size_t want = uu_value(line.p[0]);

	for (size_t i = 1; want; i += 4) {
		unsigned v[4];
		unsigned char three[3];
		size_t take = want < 3 ? want : 3;

		for (size_t k = 0; k < 4; k++) /* trailing blanks may have been cut on the way */
			v[k] = i + k < line.n ? uu_value(line.p[i + k]) : 0;
		three[0] = (unsigned char)(v[0] << 2 | v[1] >> 4);
		three[1] = (unsigned char)(v[1] << 4 | v[2] >> 2);
		three[2] = (unsigned char)(v[2] << 6 | v[3]);
		put_all(o, (struct span){ (const char *)three, take });
		want -= take;
	}
}

static void decode_uu(struct span in, struct out *o)
{
	char end = span_chr(in, '\n') < in.n ? '\n' : '\r';

	while (in.n && !o->stopped) {
		struct span line = span_sub(in, 0, span_chr(in, end));

		in = span_from(in, line.n + 1);
		if (line.n && line.p[line.n - 1] == '\r')
			line.n--;
		if (span_starts(line, "begin "))
			continue;
		if (span_is(line, "end"))
			return;
		if (uu_line_ok(line))
			decode_uu_line(line, o);
	}
}

static bool uu_begin(struct span line, struct span *ret_name)
{
	size_t i = 6;

	if (!span_starts(line, "begin "))
		return false;
	while (i < line.n && line.p[i] >= '0' && line.p[i] <= '7')
		i++;
	if (i < 9 || i > 10 || i >= line.n || line.p[i] != ' ')
		return false;
	*ret_name = span_trim(span_from(line, i));
	return ret_name->n > 0;
}

/* The lines behind a "begin": true when they are code up to "end". */
static bool uu_to_end(struct span rest, struct uu_block *b)
{
	const char *start = rest.p;
	struct span line;

	while (span_line(&rest, &line)) {
		if (span_is(line, "end")) {
			b->code = (struct span){ start, (size_t)(line.p - start) };
			b->all.n = (size_t)(rest.p - b->all.p);
			return b->code.n > 0;
		}
		if (!uu_line_ok(line) && line.n)
			return false;
	}
	return false;
}

bool encoding_find_uu(struct span text, size_t from, struct uu_block *ret)
{
	struct span rest = span_from(text, from), line;

	while (rest.n) {
		/* Jump from candidate to candidate: this looks at all plain text there is. */
		const char *hit = memmem(rest.p, rest.n, "begin ", 6);

		if (!hit)
			return false;
		rest = span_from(rest, (size_t)(hit - rest.p));
		if (hit > text.p && hit[-1] != '\n') {
			rest = span_from(rest, 6);
			continue;
		}
		ret->all.p = hit;
		span_line(&rest, &line);
		if (uu_begin(line, &ret->name) && uu_to_end(rest, ret))
			return true;
	}
	return false;
}

/* ---- all of them ---- */

int encoding_decode(enum encoding e, struct span in, encoding_sink *sink, void *ctx)
{
	struct out o;

	if (e == ENCODING_IDENTITY)
		return in.n ? sink(ctx, in.p, in.n) : 0;
	o.n = 0;
	o.stopped = 0;
	o.sink = sink;
	o.ctx = ctx;
	if (e == ENCODING_BASE64)
		decode_base64(in, &o);
	else if (e == ENCODING_QP)
		decode_qp(in, &o);
	else
		decode_uu(in, &o);
	flush(&o);
	return o.stopped;
}

static int to_buf(void *ctx, const void *bytes, size_t n)
{
	struct buf *out = ctx;

	buf_add(out, bytes, n);
	return out->status;
}

void encoding_decode_buf(enum encoding e, struct span in, struct buf *out)
{
	encoding_decode(e, in, to_buf, out);
}
