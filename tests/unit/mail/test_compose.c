/* What is written is read back by a small reader of its own here: unfolding, encoded words,
 * quoted-printable, boundaries. It knows nothing of the writer's choices. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <maildesk/base/mem.h>
#include <maildesk/mail/compose.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

static struct compose_mail simple(void)
{
	return (struct compose_mail){
		.from = { "Anna (Example Support)", "support@example.com" },
		.reply_to = { NULL, "support+abc.def@example.com" },
		.to = { "Carol", "carol@customer.test" },
		.subject = "[#412] Printer on fire",
		.message_id = "md.1.abc.def@example.com",
		.date_ms = 1795190523456,
		.text = "Hello Carol\n",
	};
}

static int write_mail(const struct compose_mail *mail, struct buf *out, struct md_err *err)
{
	struct random r = random_seeded(1);

	return compose_write(mail, &r, out, err);
}

/* The unfolded value of a header field (RFC 5322 2.2.3), "" when absent. */
static void field(const char *mail, const char *name, struct buf *out)
{
	size_t n = strlen(name);

	buf_reset(out);
	buf_adds(out, "");
	for (const char *p = mail; *p && strncmp(p, "\r\n", 2) != 0; p = strstr(p, "\r\n") + 2) {
		if (strncasecmp(p, name, n) != 0 || p[n] != ':')
			continue;
		for (p += n + 1; *p; p++) {
			if (p[0] == '\r' && p[1] == '\n') {
				if (p[2] != ' ')
					break;
				p++;
				continue;
			}
			buf_addc(out, *p);
		}
		return;
	}
}

static unsigned base64_digit(char c)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

	return (unsigned)(strchr(digits, c) - digits);
}

static void decode_word(char how, const char *s, size_t n, struct buf *out)
{
	unsigned value, acc = 0, bits = 0;

	for (size_t i = 0; i < n; i++) {
		if (how == 'b' && s[i] != '=') {
			acc = (acc << 6 | base64_digit(s[i])) & 0xffffff;
			bits += 6;
			if (bits >= 8)
				buf_addc(out, (char)(acc >> (bits -= 8)));
		} else if (how == 'q' && s[i] == '=') {
			assert_int_equal(sscanf(s + i + 1, "%2x", &value), 1);
			buf_addc(out, (char)value);
			i += 2;
		} else if (how == 'q') {
			buf_addc(out, s[i] == '_' ? ' ' : s[i]);
		}
	}
}

/* RFC 2047: decode encoded words, drop the blanks between two of them. */
static void decode_text(const char *s, struct buf *out)
{
	bool after_word = false;

	buf_reset(out);
	buf_adds(out, "");
	s += strspn(s, " ");
	while (*s) {
		const char *next = s + strspn(s, " ");
		const char *body = strncmp(next, "=?utf-8?", 8) == 0 ? next + 10 : NULL;
		const char *end = body ? strstr(body, "?=") : NULL;

		if (end) {
			assert_true((size_t)(end + 2 - next) <= 75);
			if (!after_word)
				buf_add(out, s, (size_t)(next - s));
			decode_word(next[8], body, (size_t)(end - body), out);
			s = end + 2;
		} else {
			size_t n = (size_t)(next - s) + strcspn(next, " ");

			buf_add(out, s, n);
			s += n;
		}
		after_word = end != NULL;
	}
}

static void decode_qp(const char *s, size_t n, struct buf *out)
{
	unsigned value;

	for (size_t i = 0; i < n; i++) {
		if (s[i] == '=' && s[i + 1] == '\r') {
			i += 2;
		} else if (s[i] == '=') {
			assert_int_equal(sscanf(s + i + 1, "%2x", &value), 1);
			buf_addc(out, (char)value);
			i += 2;
		} else if (s[i] != '\r') {
			buf_addc(out, s[i]);
		}
	}
}

/* What must hold for every mail. */
static void check_bytes(const struct buf *mail)
{
	size_t line = 0;

	for (size_t i = 0; i < mail->len; i++) {
		unsigned char c = (unsigned char)mail->data[i];

		assert_true(c == '\r' || c == '\n' || c == '\t' || (c >= 0x20 && c < 0x7f));
		assert_int_equal(c == '\n', i && mail->data[i - 1] == '\r');
		if (line == 0) {
			assert_true(c != '.');
			assert_true(i == 0 || strncmp(mail->data + i, "From ", 5) != 0);
		}
		line = c == '\n' ? 0 : line + 1;
		assert_true(line <= 79); /* 78 and the CR */
	}
	assert_int_equal(mail->data[mail->len - 1], '\n');
}

static size_t count_fields(const char *mail)
{
	size_t n = 0;

	for (const char *p = mail; strncmp(p, "\r\n", 2) != 0; p = strstr(p, "\r\n") + 2)
		n += *p != ' ';
	return n;
}

static void test_plain(void **state)
{
	static const char expected[] = "Date: Fri, 20 Nov 2026 16:02:03 +0000\r\n"
				       "From: \"Anna (Example Support)\" <support@example.com>\r\n"
				       "Reply-To: support+abc.def@example.com\r\n"
				       "To: Carol <carol@customer.test>\r\n"
				       "Subject: [#412] Printer on fire\r\n"
				       "Message-ID: <md.1.abc.def@example.com>\r\n"
				       "In-Reply-To: <a@customer.test>\r\n"
				       "References: <z@customer.test> <a@customer.test>\r\n"
				       "Auto-Submitted: auto-replied\r\n"
				       "MIME-Version: 1.0\r\n"
				       "Content-Type: text/plain; charset=utf-8\r\n"
				       "Content-Transfer-Encoding: quoted-printable\r\n"
				       "\r\n"
				       "Hello Carol\r\n";
	static const struct compose_header headers[] = { { "Auto-Submitted", "auto-replied" } };
	const char *ids[] = { "z@customer.test", "a@customer.test" };
	md_auto(buf_done) struct buf out = BUF_INIT(100000);
	struct compose_mail mail = simple();

	(void)state;
	mail.in_reply_to = ids[1];
	mail.references = (struct rec_strs){ 2, ids };
	mail.headers = headers;
	mail.header_count = 1;
	assert_int_equal(write_mail(&mail, &out, NULL), MD_OK);
	assert_string_equal(out.data, expected);
	check_bytes(&out);
}

static const char *const subjects[] = {
	"Printer on fire",
	"Gr\xc3\xbc\xc3\x9f\x65",
	"[#412] Der Drucker f\xc3\xa4ngt an zu brennen, und zwar lichterloh und in allen "
	"R\xc3\xa4umen "
	"gleichzeitig, seit heute fr\xc3\xbch",
	"\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e\xe3\x81\xae\xe4\xbb\xb6\xe5\x90\x8d\xe3\x81\xaf\xe9"
	"\x95"
	"\xb7\xe3\x81\x84\xe3\x81\x93\xe3\x81\xa8\xe3\x81\x8c\xe3\x81\x82\xe3\x82\x8a\xe3\x81\xbe"
	"\xe3"
	"\x81\x99\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e\xe3\x81\xae\xe4\xbb\xb6\xe5\x90\x8d",
	"\xf0\x9f\x94\xa5",
	"it burns \xf0\x9f\x94\xa5\xf0\x9f\x94\xa5 here and there \xf0\x9f\x94\xa5, everywhere",
	"a plain subject of so many words that it has to be folded somewhere, and once more after "
	"that "
	"because it goes on and on and on",
	"=?utf-8?q?not_decoded?= by us",
	"one_word_that_is_much_too_long_for_a_line_of_seventy_eight_characters_and_so_it_is_"
	"encoded_"
	"although_it_is_ascii",
	"\xc3\xa4 plain between \xc3\xb6",
	"under_score = question? \"quote\"",
};

static void test_subjects(void **state)
{
	(void)state;
	for (size_t i = 0; i < MD_COUNT(subjects); i++) {
		md_auto(buf_done) struct buf out = BUF_INIT(100000), raw = BUF_INIT(100000),
					     text = BUF_INIT(100000);
		struct compose_mail mail = simple();

		mail.subject = subjects[i];
		mail.from.name = subjects[i];
		assert_int_equal(write_mail(&mail, &out, NULL), MD_OK);
		check_bytes(&out);
		assert_int_equal(count_fields(out.data), 9);
		field(out.data, "Subject", &raw);
		decode_text(buf_str(&raw), &text);
		assert_string_equal(buf_str(&text), subjects[i]);
	}
	/* what is readable stays readable */
	{
		md_auto(buf_done) struct buf out = BUF_INIT(100000), raw = BUF_INIT(1000);
		struct compose_mail mail = simple();

		mail.subject = "[#412] Gr\xc3\xbc\xc3\x9f\x65 aus Bonn";
		write_mail(&mail, &out, NULL);
		field(out.data, "Subject", &raw);
		assert_string_equal(buf_str(&raw), " [#412] =?utf-8?q?Gr=C3=BC=C3=9Fe?= aus Bonn");
	}
}

static void test_names(void **state)
{
	static const struct {
		const char *name, *from;
	} cases[] = {
		{ "Anna", " Anna <support@example.com>" },
		{ NULL, " support@example.com" },
		{ "", " support@example.com" },
		{ "Anna Smith", " Anna Smith <support@example.com>" },
		{ "Smith, Anna", " \"Smith, Anna\" <support@example.com>" },
		{ "A. \"Bo\\b\" C", " \"A. \\\"Bo\\\\b\\\" C\" <support@example.com>" },
		{ "evil@other.test", " \"evil@other.test\" <support@example.com>" },
		{ "\xc3\x84nna", " =?utf-8?q?=C3=84nna?= <support@example.com>" },
		{ "\xc3\x84nna <x@y>, (z)",
		  " =?utf-8?q?=C3=84nna_=3Cx=40y=3E=2C_=28z=29?= <support@example.com>" },
		{ "Anna\r\nBcc: evil@other.test", " \"Anna Bcc: evil@other.test\" "
						  "<support@example.com>" },
	};

	(void)state;
	for (size_t i = 0; i < MD_COUNT(cases); i++) {
		md_auto(buf_done) struct buf out = BUF_INIT(100000), raw = BUF_INIT(1000);
		struct compose_mail mail = simple();

		mail.from.name = cases[i].name;
		assert_int_equal(write_mail(&mail, &out, NULL), MD_OK);
		check_bytes(&out);
		assert_int_equal(count_fields(out.data), 9);
		field(out.data, "From", &raw);
		assert_string_equal(buf_str(&raw), cases[i].from);
	}
}

/* Line ends and other controls in everything: either refused, or no header more than there should
 * be. */
static void test_injection(void **state)
{
	static const char *const attacks[] = {
		"x\r\nBcc: evil@other.test",
		"x\nBcc: evil@other.test",
		"x\rBcc: evil@other.test",
		"x\r\n\r\nbody",
		"x\r\n ",
		"\r\n",
		"x\x01y",
		"x\x7fy",
		"x\xc2\x85y",
		"x\xe2\x80\xa8y",
	};
	enum { FIELDS = 12 };

	(void)state;
	for (size_t i = 0; i < MD_COUNT(attacks); i++)
		for (int at = 0; at < FIELDS; at++) {
			md_auto(buf_done) struct buf out = BUF_INIT(100000);
			struct compose_mail mail = simple();
			struct compose_header header = { "X-Test", "1" };
			struct compose_part part = { "text/plain", "a.txt", NULL, "x", 1 };
			const char *ids[] = { attacks[i] };
			const char **slots[FIELDS] = { &mail.subject,          &mail.from.name,
						       &mail.to.name,          &part.filename,
						       &mail.from.address,     &mail.to.address,
						       &mail.reply_to.address, &mail.message_id,
						       &header.name,           &header.value,
						       &part.content_type,     &mail.in_reply_to };
			int rc;

			mail.references = (struct rec_strs){ at == 11, ids };
			mail.headers = &header;
			mail.header_count = 1;
			mail.parts = &part;
			mail.part_count = 1;
			*slots[at] = attacks[i];
			rc = write_mail(&mail, &out, NULL);
			/* text is cleaned, ids of others are left out, the rest is refused */
			assert_int_equal(rc, at < 4 || at == 11 ? MD_OK : MD_INPUT);
			if (rc != MD_OK)
				continue;
			check_bytes(&out);
			assert_int_equal(count_fields(out.data), 9);
			assert_null(strstr(out.data, "\r\nBcc:"));
			assert_null(strstr(out.data, "In-Reply-To"));
		}
}

static void test_header_names(void **state)
{
	static const struct {
		const char *name, *value;
		int rc;
	} cases[] = {
		{ "X-Maildesk-Loop", "uuid", MD_OK },
		{ "List-Unsubscribe", "<https://a.b/c>", MD_OK },
		{ "Precedence", "", MD_OK },
		{ "from", "a@b.c", MD_INPUT },
		{ "BCC", "a@b.c", MD_INPUT },
		{ "Content-Type", "text/html", MD_INPUT },
		{ "X:Y", "1", MD_INPUT },
		{ "", "1", MD_INPUT },
		{ "X Y", "1", MD_INPUT },
		{ "X-Caf\xc3\xa9", "1", MD_INPUT },
		{ "X-Value", "caf\xc3\xa9", MD_INPUT },
	};

	(void)state;
	for (size_t i = 0; i < MD_COUNT(cases); i++) {
		md_auto(buf_done) struct buf out = BUF_INIT(100000);
		struct compose_header header = { cases[i].name, cases[i].value };
		struct compose_mail mail = simple();
		struct md_err err;

		mail.headers = &header;
		mail.header_count = 1;
		assert_int_equal(write_mail(&mail, &out, &err), cases[i].rc);
	}
}

static void test_long_values(void **state)
{
	md_auto(buf_done) struct buf out = BUF_INIT(1000000), value = BUF_INIT(100000),
				     raw = BUF_INIT(100000), long_id = BUF_INIT(2000);
	const char *ids[300];
	struct compose_mail mail = simple();
	struct compose_header header = { "List-Unsubscribe", NULL };

	(void)state;
	for (size_t i = 0; i < MD_COUNT(ids); i++)
		ids[i] = "reference-of-some-length@mail.customer.test";
	for (int i = 0; i < 1500; i++)
		buf_addc(&long_id, 'x');
	ids[7] = "has space@x";
	ids[8] = "caf\xc3\xa9@x";
	ids[9] = long_id.data;
	ids[10] = "";
	for (int i = 0; i < 40; i++)
		buf_addf(&value, "%s<mailto:someone%d@example.com>", i ? ", " : "", i);
	header.value = value.data;
	mail.references = (struct rec_strs){ MD_COUNT(ids), ids };
	mail.headers = &header;
	mail.header_count = 1;
	assert_int_equal(write_mail(&mail, &out, NULL), MD_OK);
	check_bytes(&out);
	field(out.data, "List-Unsubscribe", &raw);
	assert_string_equal(buf_str(&raw) + 1, value.data);
	field(out.data, "References", &raw);
	assert_int_equal(raw.len, (300 - 4) * (strlen(ids[0]) + 3));
	assert_null(strstr(raw.data, "space"));

	header.value = long_id.data;
	assert_int_equal(write_mail(&mail, &out, NULL), MD_INPUT);
}

static const char *const texts[] = {
	"",
	"Hello\n",
	"Hello",
	".\n..\n.hidden\nFrom me\nFrom\n",
	"trailing space \ntrailing tab\t\n \n\t\n",
	"equal = sign =3D\n",
	"Gr\xc3\xbc\xc3\x9f\x65 \xf0\x9f\x94\xa5 und mehr\n",
	"\n\n\nblank lines\n\n\n",
	"a line that is quite a bit longer than seventy-six characters and then goes on until it "
	"has "
	"been broken more than once, with a dot. And From here, too\n",
	".........................................................................................."
	".\n",
	"From From From From From From From From From From From From From From From From From "
	"From\n",
	"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\n"
	"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\n"
	"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\xc3\xa4\n"
	"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx.x\n",
	"--=_boundary\n-- \nsignature\n",
	"bare\rreturn\x01\x7f\n",
};

static void test_bodies(void **state)
{
	(void)state;
	for (size_t i = 0; i < MD_COUNT(texts); i++) {
		md_auto(buf_done) struct buf out = BUF_INIT(100000), text = BUF_INIT(100000),
					     expected = BUF_INIT(100000);
		struct compose_mail mail = simple();
		const char *body;

		mail.text = texts[i];
		assert_int_equal(write_mail(&mail, &out, NULL), MD_OK);
		check_bytes(&out);
		body = strstr(out.data, "\r\n\r\n") + 4;
		for (const char *line = body; *line; line = strstr(line, "\r\n") + 2)
			assert_true(strcspn(line, "\r") <= 76);
		decode_qp(body, strlen(body), &text);
		buf_adds(&expected, texts[i]);
		if (expected.len && expected.data[expected.len - 1] != '\n')
			buf_addc(&expected, '\n');
		assert_string_equal(buf_str(&text), buf_str(&expected));
	}
}

static void test_crlf_in_texts(void **state)
{
	md_auto(buf_done) struct buf out = BUF_INIT(100000);
	struct compose_mail mail = simple();

	(void)state;
	mail.text = "a \r\nb\r\n";
	assert_int_equal(write_mail(&mail, &out, NULL), MD_OK);
	assert_string_equal(strstr(out.data, "\r\n\r\n"), "\r\n\r\na=20\r\nb\r\n");
}

static void test_multipart(void **state)
{
	static const struct compose_part parts[] = {
		{ "application/pdf", "a b.pdf", NULL, "%PDF", 4 },
		{ "message/rfc822", NULL, NULL, "From: x\r\n", 9 },
		{ "text/plain", "report.txt", NULL, "", 0 },
		{ "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
		  "a.docx", NULL, "PK", 2 },
	};
	md_auto(buf_done) struct buf out = BUF_INIT(100000), again = BUF_INIT(100000),
				     type = BUF_INIT(1000), sep = BUF_INIT(200);
	struct compose_mail mail = simple();
	const char *p;
	size_t n = 0;

	(void)state;
	mail.html = "<p>Hello Carol</p>\n";
	assert_int_equal(write_mail(&mail, &out, NULL), MD_OK);
	check_bytes(&out);
	field(out.data, "Content-Type", &type);
	assert_int_equal(strncmp(type.data, " multipart/alternative; boundary=\"=_", 36), 0);
	buf_addf(&sep, "\r\n--%.*s", (int)strcspn(type.data + 34, "\""), type.data + 34);
	for (p = out.data; (p = strstr(p, sep.data)); p += sep.len)
		n++;
	assert_int_equal(n, 3);
	p = strstr(out.data, sep.data) + sep.len;
	assert_int_equal(strncmp(p, "\r\nContent-Type: text/plain", 26), 0);
	p = strstr(p, sep.data) + sep.len;
	assert_int_equal(strncmp(p, "\r\nContent-Type: text/html", 25), 0);
	p = strstr(p, sep.data) + sep.len;
	assert_string_equal(p, "--\r\n");

	/* the same randomness, the same bytes */
	assert_int_equal(write_mail(&mail, &again, NULL), MD_OK);
	assert_string_equal(again.data, out.data);

	buf_reset(&out);
	mail.parts = parts;
	mail.part_count = MD_COUNT(parts);
	assert_int_equal(write_mail(&mail, &out, NULL), MD_OK);
	check_bytes(&out);
	assert_non_null(strstr(out.data, "Content-Type: multipart/mixed;"));
	assert_non_null(strstr(out.data, "\r\n filename*0*=utf-8''a%20b.pdf\r\n\r\nJVBERg==\r\n"));
	assert_non_null(strstr(out.data, "attachment;\r\n filename=\"report.txt\"\r\n\r\n"));
	assert_null(strstr(out.data, "message/rfc822"));
}

static void test_images_of_the_html(void **state)
{
	struct compose_part parts[] = {
		{ "image/png", "logo.png", "file1@maildesk", "PNG", 3 },
		{ "application/pdf", "a.pdf", NULL, "%PDF", 4 },
	};
	static const char *const order[] = {
		"multipart/mixed;", "multipart/related;", "multipart/alternative;", "text/plain;",
		"text/html;",       "image/png\r\n",      "application/pdf\r\n"
	};
	md_auto(buf_done) struct buf out = BUF_INIT(100000);
	struct compose_mail mail = simple();
	const char *p;

	(void)state;
	mail.html = "<p><img src=\"cid:file1@maildesk\"></p>\n";
	mail.parts = parts;
	mail.part_count = 2;
	assert_int_equal(write_mail(&mail, &out, NULL), MD_OK);
	check_bytes(&out);
	p = out.data;
	for (size_t i = 0; i < MD_COUNT(order); i++)
		assert_non_null(p = strstr(p, order[i]));
	assert_non_null(strstr(out.data, "\r\nContent-ID: <file1@maildesk>\r\n"
					 "Content-Disposition: inline;\r\n filename=\"logo.png\""));
	/* an image alone needs no mixed */
	buf_reset(&out);
	mail.part_count = 1;
	assert_int_equal(write_mail(&mail, &out, NULL), MD_OK);
	assert_null(strstr(out.data, "multipart/mixed"));
	parts[0].content_id = "x>\r\nBcc: <y";
	assert_int_equal(write_mail(&mail, &out, NULL), MD_INPUT);
}

static void test_long_filename(void **state)
{
	md_auto(buf_done) struct buf out = BUF_INIT(100000), name = BUF_INIT(1000),
				     read = BUF_INIT(1000);
	struct compose_part part = { "application/octet-stream", NULL, NULL, "x", 1 };
	struct compose_mail mail = simple();
	unsigned value;
	const char *p;

	(void)state;
	for (int i = 0; i < 60; i++)
		buf_adds(&name, "\xc3\xa4; \"");
	part.filename = name.data;
	mail.parts = &part;
	mail.part_count = 1;
	assert_int_equal(write_mail(&mail, &out, NULL), MD_OK);
	check_bytes(&out);
	p = out.data;
	for (size_t piece = 0;; piece++) {
		char start[40];

		snprintf(start, sizeof start, " filename*%zu*=%s", piece, piece ? "" : "utf-8''");
		p = strstr(p, start);
		if (!p)
			break;
		for (p += strlen(start); *p != ';' && *p != '\r'; p++) {
			if (*p == '%') {
				assert_int_equal(sscanf(p + 1, "%2x", &value), 1);
				buf_addc(&read, (char)value);
				p += 2;
			} else {
				buf_addc(&read, *p);
			}
		}
	}
	assert_string_equal(buf_str(&read), name.data);
}

static void test_limits(void **state)
{
	struct compose_mail mail = simple();
	int failed = 0;

	(void)state;
	mail.html = "<p>Hello</p>";
	mail.subject = "Gr\xc3\xbc\xc3\x9f\x65";
	for (size_t room = 0;; room += 37) {
		md_auto(buf_done) struct buf out = BUF_INIT(room);
		int rc = write_mail(&mail, &out, NULL);

		if (rc == MD_OK)
			break;
		assert_int_equal(rc, MD_INPUT);
	}
	for (long nth = 1;; nth++) {
		md_auto(buf_done) struct buf out = BUF_INIT(100000);
		int rc;

		md_alloc_fail(nth, 0);
		rc = write_mail(&mail, &out, NULL);
		md_alloc_fail(0, 0);
		if (rc == MD_OK)
			break;
		assert_int_equal(rc, MD_NOMEM);
		failed++;
	}
	assert_true(failed > 0);
}

static void test_addresses(void **state)
{
	static const struct {
		const char *address;
		bool valid;
	} cases[] = {
		{ "a@b", true },
		{ "support+payload.tag@example.com", true },
		{ "o'neill=x/y@example.com", true },
		{ "abc.@docomo.example", true },
		{ "\xc3\xa4@b\xc3\xbc.test", true },
		{ "", false },
		{ "a", false },
		{ "@b", false },
		{ "a@", false },
		{ "a@b@c", false },
		{ "=?8?B?"
		  "?=@b",
		  false },
		{ "a b@c", false },
		{ "a@b>\r\nRCPT TO:<evil@x", false },
		{ "a@b\r\n", false },
		{ "<a@b>", false },
		{ "a@b,c@d", false },
		{ "\"a b\"@c", false },
		{ "a(b)@c", false },
		{ "a@b;", false },
		{ "a\t@b", false },
		{ "a\x7f@b", false },
		{ "a\xc2\x80@b", false },
		{ "a\xe2\x80\xae@b", false },
		{ "a\xff@b", false },
	};
	char address[300];

	(void)state;
	for (size_t i = 0; i < MD_COUNT(cases); i++)
		if (mail_address_valid(cases[i].address) != cases[i].valid)
			fail_msg("%s", cases[i].address);
	memset(address, 'd', sizeof address);
	address[64] = '@';
	address[254] = '\0';
	assert_true(mail_address_valid(address));
	address[254] = 'd';
	address[255] = '\0';
	assert_false(mail_address_valid(address));
	memset(address, 'l', 65);
	address[65] = '@';
	address[80] = '\0';
	assert_false(mail_address_valid(address));
}

static void test_dates(void **state)
{
	static const struct {
		int64_t ms;
		const char *text;
	} cases[] = {
		{ 0, "Thu, 01 Jan 1970 00:00:00 +0000" },
		{ -1, "Wed, 31 Dec 1969 23:59:59 +0000" },
		{ 951782400000, "Tue, 29 Feb 2000 00:00:00 +0000" },
		{ 1795190523999, "Fri, 20 Nov 2026 16:02:03 +0000" },
		{ 253402300799000, "Fri, 31 Dec 9999 23:59:59 +0000" },
	};
	char out[32];

	(void)state;
	for (size_t i = 0; i < MD_COUNT(cases); i++)
		assert_string_equal(compose_date(cases[i].ms, out), cases[i].text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_plain),         cmocka_unit_test(test_subjects),
		cmocka_unit_test(test_names),         cmocka_unit_test(test_injection),
		cmocka_unit_test(test_header_names),  cmocka_unit_test(test_long_values),
		cmocka_unit_test(test_bodies),        cmocka_unit_test(test_crlf_in_texts),
		cmocka_unit_test(test_multipart),     cmocka_unit_test(test_images_of_the_html),
		cmocka_unit_test(test_long_filename), cmocka_unit_test(test_limits),
		cmocka_unit_test(test_addresses),     cmocka_unit_test(test_dates),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
