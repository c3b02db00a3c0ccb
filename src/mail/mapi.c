#include "mapi.h"

#include <maildesk/base/err.h>
#include <maildesk/base/mem.h>

#include <string.h>

uint32_t mapi_le32(const char *p)
{
	const unsigned char *u = (const unsigned char *)p;

	return (uint32_t)u[0] | (uint32_t)u[1] << 8 | (uint32_t)u[2] << 16 | (uint32_t)u[3] << 24;
}

/* Takes a number off *rest; false when there is none. */
static bool number(struct span *rest, uint32_t *ret)
{
	if (rest->n < 4)
		return false;
	*ret = mapi_le32(rest->p);
	*rest = span_from(*rest, 4);
	return true;
}

/* Takes n bytes and what pads them to four. */
static bool bytes(struct span *rest, uint32_t n, struct span *ret)
{
	if (n > rest->n)
		return false;
	*ret = span_sub(*rest, 0, n);
	*rest = span_from(*rest, ((size_t)n + 3) & ~(size_t)3);
	return true;
}

/* Bytes of a value of fixed length; 0 for one that carries its length. */
static uint32_t fixed_size(unsigned type)
{
	switch (type) {
	case 0x02: /* short, padded */
	case 0x03:
	case 0x04:
	case 0x0a:
	case 0x0b:
		return 4;
	case 0x05:
	case 0x06:
	case 0x07:
	case 0x14:
	case 0x40:
		return 8;
	case 0x48:
		return 16;
	default:
		return 0;
	}
}

/* A property with a name of its own instead of a number that everybody knows. */
static bool skip_name(struct span *rest)
{
	struct span ignore;
	uint32_t kind, n;

	return bytes(rest, 16, &ignore) && number(rest, &kind) && number(rest, &n) &&
	       (kind == 0 || bytes(rest, n, &ignore));
}

uint32_t mapi_begin(struct span *rest)
{
	uint32_t n;

	return number(rest, &n) ? n : 0;
}

bool mapi_next(struct span *rest, struct mapi_property *ret)
{
	uint32_t tag, count = 1, size;
	unsigned type;
	bool several;

	if (!number(rest, &tag))
		return false;
	type = tag & 0x0fff;
	several = tag & 0x1000;
	*ret = (struct mapi_property){ .id = tag >> 16, .utf16 = type == 0x1f };
	if (ret->id >= 0x8000 && !skip_name(rest))
		return false;
	size = fixed_size(type);
	if ((several || !size) && !number(rest, &count))
		return false;
	if (!size && type != 0x0d && type != 0x1e && type != 0x1f && type != 0x102)
		return type <= 1; /* nothing; else a type nobody knows: the list is lost */
	for (uint32_t i = 0; i < count; i++) {
		struct span value;
		uint32_t n = size;

		if ((!size && !number(rest, &n)) || !bytes(rest, n, &value))
			return false;
		if (!size && i == 0)
			ret->value = value;
	}
	return true;
}

/* ---- compressed RTF: a dictionary of 4096 bytes that begins with what most RTF begins with ----
 */

static const char initial[] =
	"{\\rtf1\\ansi\\mac\\deff0\\deftab720{\\fonttbl;}{\\f0\\fnil \\froman \\fswiss \\fmodern "
	"\\fscript \\fdecor MS Sans SerifSymbolArialTimes New RomanCourier{\\colortbl\\red0\\green0"
	"\\blue0\r\n\\par \\pard\\plain\\f0\\fs20\\b\\i\\u\\tab\\tx";

enum { DICTIONARY = 4096, RTF_HEAD = 16 };

static void literal(char *dictionary, size_t *end, char c, struct buf *out)
{
	dictionary[*end] = c;
	*end = (*end + 1) % DICTIONARY;
	buf_addc(out, c);
}

static void inflate_rtf(struct span in, struct buf *out)
{
	char dictionary[DICTIONARY] = { 0 };
	size_t end = sizeof initial - 1;

	memcpy(dictionary, initial, end);
	while (in.n && out->status == MD_OK) {
		unsigned control = (unsigned char)*in.p;

		in = span_from(in, 1);
		for (int bit = 0; bit < 8 && in.n; bit++) {
			unsigned reference;
			size_t from, n;

			if (!(control >> bit & 1)) {
				literal(dictionary, &end, *in.p, out);
				in = span_from(in, 1);
				continue;
			}
			if (in.n < 2)
				return;
			reference = (unsigned)(unsigned char)in.p[0] << 8 | (unsigned char)in.p[1];
			in = span_from(in, 2);
			from = reference >> 4;
			n = (reference & 15) + 2;
			if (from == end)
				return; /* the end is told so */
			for (; n > 0; n--, from = (from + 1) % DICTIONARY)
				literal(dictionary, &end, dictionary[from], out);
		}
	}
}

void mapi_unpack_rtf(struct span packed, struct buf *out)
{
	size_t n;

	if (packed.n < RTF_HEAD)
		return;
	n = mapi_le32(packed.p); /* behind this number */
	packed = span_sub(packed, 0, n + 4);
	if (packed.n < RTF_HEAD)
		return;
	if (mapi_le32(packed.p + 8) == 0x75465a4c) /* "LZFu" */
		inflate_rtf(span_from(packed, RTF_HEAD), out);
	else if (mapi_le32(packed.p + 8) == 0x414c454d) /* "MELA": as it is */
		buf_add(out, packed.p + RTF_HEAD, packed.n - RTF_HEAD);
}
