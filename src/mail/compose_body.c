#include "compose_body.h"
#include <maildesk/base/codec.h>
#include <maildesk/base/mem.h>
#include <maildesk/base/utf8.h>

#include <stdio.h>
#include <string.h>
#include <strings.h>

enum { QP_LINE = 76, BOUNDARY_BYTES = 15 };

/* May the octet stand for itself? A space at the end of a line is not one to see. */
static inline bool qp_is_literal(char c, bool at_line_end)
{
	return (c > 0x20 && c < 0x7f && c != '=') || ((c == ' ' || c == '\t') && !at_line_end);
}

static void put_qp_octet(struct buf *out, char c)
{
	static const char digits[] = "0123456789ABCDEF";
	const char coded[] = { '=', digits[(unsigned char)c >> 4], digits[c & 15] };

	buf_add(out, coded, sizeof coded);
}

/* No line of the result begins with "." (SMTP) or "From " (mbox). What stands for itself is copied
 * in runs. */
static void put_quoted_printable(struct buf *out, const char *s)
{
	const char *run = s;
	size_t column = 0;

	for (; *s; s++) {
		bool last, literal;
		size_t n;

		if (s[0] == '\n' || (s[0] == '\r' && s[1] == '\n')) {
			buf_add(out, run, (size_t)(s - run));
			s += s[0] == '\r';
			buf_adds(out, "\r\n");
			run = s + 1;
			column = 0;
			continue;
		}
		last = s[1] == '\0' || s[1] == '\n' || (s[1] == '\r' && s[2] == '\n');
		literal = qp_is_literal(*s, last);
		n = literal ? 1 : 3;
		/* The last column is for the "=" of a soft break, unless the line ends here. */
		if (column + n + !last > QP_LINE) {
			buf_add(out, run, (size_t)(s - run));
			buf_adds(out, "=\r\n");
			run = s;
			column = 0;
		}
		if (column == 0 && (*s == '.' || strncmp(s, "From ", 5) == 0))
			literal = false;
		if (!literal) {
			buf_add(out, run, (size_t)(s - run));
			put_qp_octet(out, *s);
			run = s + 1;
			n = 3;
		}
		column += n;
	}
	buf_add(out, run, (size_t)(s - run));
	if (column)
		buf_adds(out, "\r\n");
}

static void put_text_part(struct buf *out, const char *subtype, const char *text)
{
	buf_addf(out,
		 "Content-Type: text/%s; charset=utf-8\r\n"
		 "Content-Transfer-Encoding: quoted-printable\r\n\r\n",
		 subtype);
	put_quoted_printable(out, text);
}

struct boundary {
	char text[32];
};

/* "=_" occurs neither in quoted-printable nor in base64. */
static struct boundary make_boundary(struct random *random)
{
	md_auto(buf_done) struct buf text = BUF_INIT(sizeof(struct boundary));
	struct boundary b;
	uint8_t bytes[BOUNDARY_BYTES];

	random_fill(random, bytes, sizeof bytes);
	base32_encode(&text, bytes, sizeof bytes);
	snprintf(b.text, sizeof b.text, "=_%s", buf_str(&text));
	return b;
}

static void put_multipart(struct buf *out, const char *subtype, const struct boundary *b)
{
	buf_addf(out, "Content-Type: multipart/%s; boundary=\"%s\"\r\n\r\n", subtype, b->text);
}

static void put_texts(struct buf *out, const struct compose_mail *mail, struct random *random)
{
	struct boundary b;

	if (!mail->html) {
		put_text_part(out, "plain", mail->text);
		return;
	}
	b = make_boundary(random);
	put_multipart(out, "alternative", &b);
	buf_addf(out, "--%s\r\n", b.text);
	put_text_part(out, "plain", mail->text);
	buf_addf(out, "\r\n--%s\r\n", b.text);
	put_text_part(out, "html", mail->html);
	buf_addf(out, "\r\n--%s--\r\n", b.text);
}

bool mail_type_valid(const char *type)
{
	static const char token[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
				    "!#$&^_.+-";
	size_t n = strspn(type, token), m = type[n] == '/' ? strspn(type + n + 1, token) : 0;

	return n && m && type[n + 1 + m] == '\0' && n + m < 127; /* RFC 6838 4.2 */
}

/* A file name as RFC 2231 has it, in pieces that fit a line: plain and quoted when it is short and
 * harmless ASCII, else in percent signs. */
static void put_filename(struct buf *out, const char *filename)
{
	md_auto(buf_done) struct buf clean = BUF_INIT(VALUE_MAX);
	static const char safe[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
				   ".-_";
	size_t column = LINE_WISH, piece = 0;
	const char *s;

	utf8_clean_line(&clean, filename, strlen(filename));
	if (clean.status != MD_OK)
		out->status = clean.status;
	s = buf_str(&clean);
	if (clean.len <= 60 && strspn(s, safe) == clean.len) {
		buf_addf(out, ";\r\n filename=\"%s\"", s);
		return;
	}
	for (; *s; s++) {
		unsigned char c = (unsigned char)*s;

		if (column + 3 >= LINE_WISH) {
			column = strlen(" filename*99999*=utf-8''");
			buf_addf(out, ";\r\n filename*%zu*=%s", piece, piece ? "" : "utf-8''");
			piece++;
		}
		buf_addf(out, c < 0x80 && strchr(safe, c) ? "%c" : "%%%02X", c);
		column += 3;
	}
}

static void put_base64(struct buf *out, const void *bytes, size_t n)
{
	enum { OCTETS = 57 }; /* 76 characters */
	const uint8_t *p = bytes;

	for (size_t i = 0; i < n && out->status == MD_OK; i += OCTETS) {
		base64_encode(out, p + i, n - i < OCTETS ? n - i : OCTETS);
		buf_adds(out, "\r\n");
	}
}

static bool is_content_id(const char *id)
{
	for (const char *s = id; *s; s++)
		if (*s < 0x21 || *s > 0x7e || *s == '<' || *s == '>')
			return false;
	return *id && strlen(id) < 900;
}

static int put_file(struct buf *out, const struct compose_part *part, struct md_err *err)
{
	const char *type = part->content_type;

	if (!mail_type_valid(type))
		return md_fail(err, MD_INPUT, 0, "an attachment has no media type");
	if (part->content_id && !is_content_id(part->content_id))
		return md_fail(err, MD_INPUT, 0, "Content-ID: not an id");
	/* These may not be base64 (RFC 2046 5.2.1, RFC 2045 6.4). */
	if (strncasecmp(type, "message/", 8) == 0 || strncasecmp(type, "multipart/", 10) == 0)
		type = "application/octet-stream";
	buf_addf(out, "Content-Type:%s%s\r\nContent-Transfer-Encoding: base64\r\n",
		 strlen(type) > 60 ? "\r\n " : " ", type);
	if (part->content_id)
		buf_addf(out, "Content-ID: <%s>\r\n", part->content_id);
	buf_addf(out, "Content-Disposition: %s", part->content_id ? "inline" : "attachment");
	if (part->filename && *part->filename)
		put_filename(out, part->filename);
	buf_adds(out, "\r\n\r\n");
	put_base64(out, part->bytes, part->size);
	return MD_OK;
}

static size_t count_parts(const struct compose_mail *mail, bool related)
{
	size_t n = 0;

	for (size_t i = 0; i < mail->part_count; i++)
		n += (mail->parts[i].content_id != NULL) == related;
	return n;
}

/* What is inside, then the parts of one kind; only what is inside when there are none. */
static int put_with_parts(struct buf *out, const struct compose_mail *mail, struct random *random,
			  bool related, struct md_err *err)
{
	struct boundary b;
	int rc = MD_OK;

	if (related && count_parts(mail, true) == 0) {
		put_texts(out, mail, random);
		return MD_OK;
	}
	if (!related && count_parts(mail, false) == 0)
		return put_with_parts(out, mail, random, true, err);
	b = make_boundary(random);
	put_multipart(out, related ? "related" : "mixed", &b);
	buf_addf(out, "--%s\r\n", b.text);
	if (related)
		put_texts(out, mail, random);
	else
		rc = put_with_parts(out, mail, random, true, err);
	for (size_t i = 0; i < mail->part_count && rc == MD_OK; i++) {
		if ((mail->parts[i].content_id != NULL) != related)
			continue;
		buf_addf(out, "\r\n--%s\r\n", b.text);
		rc = put_file(out, &mail->parts[i], err);
	}
	buf_addf(out, "\r\n--%s--\r\n", b.text);
	return rc;
}

/* mixed { related { alternative { text, HTML }, images }, attachments }, each layer only where
 * there is something to put into it. */
int compose_put_body(const struct compose_mail *mail, struct random *random, struct buf *out,
		     struct md_err *err)
{
	return put_with_parts(out, mail, random, false, err);
}
