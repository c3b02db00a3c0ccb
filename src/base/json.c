#include <maildesk/base/json.h>

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

static int depth_of(const char *s, size_t n)
{
	int depth = 0, deepest = 0;
	int in_string = 0;

	for (size_t i = 0; i < n; i++) {
		if (in_string) {
			if (s[i] == '\\')
				i++;
			else if (s[i] == '"')
				in_string = 0;
		} else if (s[i] == '"') {
			in_string = 1;
		} else if (s[i] == '{' || s[i] == '[') {
			if (++depth > deepest)
				deepest = depth;
		} else if (s[i] == '}' || s[i] == ']') {
			depth--;
		}
	}
	return deepest;
}

int json_read(const char *text, size_t n, int depth, json_t **ret, struct md_err *err)
{
	json_error_t why;
	json_t *j;

	/* Counted before jansson recurses; a quote it would reject may miscount, harmlessly. */
	if (depth_of(text, n) > depth)
		return md_fail(err, MD_INPUT, 0, "JSON nested deeper than %d levels", depth);
	j = json_loadb(text, n, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &why);
	if (!j && (!*why.text || json_error_code(&why) == json_error_out_of_memory))
		return md_fail(err, MD_NOMEM, 0, "JSON: out of memory");
	if (!j)
		return md_fail(err, MD_INPUT, 0, "line %d, column %d: %s", why.line, why.column,
			       why.text);
	*ret = j;
	return MD_OK;
}

static int add_chunk(const char *bytes, size_t n, void *out)
{
	buf_add(out, bytes, n);
	return ((struct buf *)out)->status == MD_OK ? 0 : -1;
}

void json_write(struct buf *out, const json_t *j)
{
	if (json_dump_callback(j, add_chunk, out, JSON_COMPACT | JSON_ENCODE_ANY) != 0 &&
	    out->status == MD_OK)
		out->status = MD_NOMEM;
}

static const bool needs_escape[256] = {
	[0 ... 0x1f] = true,
	['"'] = true,
	['\\'] = true,
	[0x7f] = true,
};

/* None of eight bytes needs it: neither is below a blank, a quote, a backslash or DEL. */
static inline bool is_plain_word(const char *s)
{
	const uint64_t ones = UINT64_C(0x0101010101010101);
	uint64_t word, quote, slash, del;

	memcpy(&word, s, sizeof word);
	quote = word ^ (ones * '"'); /* a byte of them is 0 where it is one */
	slash = word ^ (ones * '\\');
	del = word ^ (ones * 0x7f);
	return !((((word - ones * ' ') & ~word) | ((quote - ones) & ~quote) |
		  ((slash - ones) & ~slash) | ((del - ones) & ~del)) &
		 (ones * 0x80));
}

/* How many bytes at s need no escape. */
static size_t plain_length(const char *s, size_t n)
{
	size_t i = 0;

	while (n - i >= sizeof(uint64_t) && is_plain_word(s + i))
		i += sizeof(uint64_t);
	while (i < n && !needs_escape[(unsigned char)s[i]])
		i++;
	return i;
}

/* Most have nothing to escape: they are written in one go. */
static bool write_plain(struct buf *out, const char *s, size_t n)
{
	char *room;

	if (plain_length(s, n) < n)
		return false;
	room = n < SIZE_MAX - 2 ? buf_reserve(out, n + 2) : NULL;
	if (room) {
		*room++ = '"';
		memcpy(room, s, n);
		memcpy(room + n, "\"", 2);
		out->len += n + 2;
	}
	return room != NULL;
}

void json_write_string(struct buf *out, const char *s, size_t n)
{
	size_t from = 0;

	if (!s) {
		buf_adds(out, "null");
		return;
	}
	if (write_plain(out, s, n))
		return;
	buf_addc(out, '"');
	for (;;) {
		size_t plain = plain_length(s + from, n - from);
		unsigned char c;

		buf_add(out, s + from, plain);
		from += plain;
		if (from == n)
			break;
		c = (unsigned char)s[from++];
		switch (c) {
		case '"':
			buf_adds(out, "\\\"");
			break;
		case '\\':
			buf_adds(out, "\\\\");
			break;
		case '\n':
			buf_adds(out, "\\n");
			break;
		case '\t':
			buf_adds(out, "\\t");
			break;
		default:
			buf_addf(out, "\\u%04x", c);
		}
	}
	buf_addc(out, '"');
}

const char *json_get_string(const json_t *j, const char *key)
{
	return json_string_value(json_object_get(j, key));
}
