/* Encoded words (RFC 2047), as they are and not as they should be: white space inside, padding
 * missing, other words glued to them, a multibyte character split over two words. Neighbouring
 * words of one charset are therefore decoded into one run of bytes before the charset is applied.
 */
#include <maildesk/mail/header.h>

#include <maildesk/base/mem.h>
#include <maildesk/mail/charset.h>
#include <maildesk/mail/encoding.h>

#include <string.h>

struct word {
	struct span charset, text;
	char encoding; /* 'b' or 'q' */
	size_t length;
};

/* "?=" with two hex digits behind it, in a Q word whose writer forgot to encode the '?'. */
static bool bare_question(const struct word *w, struct span s, size_t start, size_t end)
{
	struct span near = span_sub(s, end + 4, end + 80);

	return w->encoding == 'q' && end + 3 < s.n && end > start && hex_digit(s.p[end + 2]) >= 0 &&
	       hex_digit(s.p[end + 3]) >= 0 && span_find(near, "?=") < span_find(near, "=?");
}

/* "=?charset?B?text?=" at the start of s. */
static bool word_read(struct span s, struct word *w)
{
	size_t q1, q2, end;

	if (s.n < 8 || s.p[0] != '=' || s.p[1] != '?')
		return false;
	q1 = 2 + span_chr(span_sub(s, 2, 2 + 64), '?');
	if (q1 == 2 || q1 + 2 >= s.n || s.p[q1] != '?' || s.p[q1 + 2] != '?')
		return false;
	w->encoding = ascii_lower(s.p[q1 + 1]);
	if (w->encoding != 'b' && w->encoding != 'q')
		return false;
	w->charset = span_sub(s, 2, q1);
	w->charset.n = span_chr(w->charset, '*'); /* RFC 2231 language */
	q2 = q1 + 3;
	for (end = q2;; end++) {
		end += span_chr(span_from(s, end), '?');
		if (end + 1 >= s.n)
			return false;
		if (s.p[end + 1] == '=' && !bare_question(w, s, q2, end))
			break;
		/* Another word begins: this one has no end. Looking no further keeps it linear. */
		if (s.p[end - 1] == '=' && s.p[end + 1] != '=' && end > q2)
			return false;
	}
	w->text = span_sub(s, q2, end);
	w->length = end + 2;
	return true;
}

size_t header_word_length(struct span s)
{
	struct word w;

	return word_read(s, &w) ? w.length : 0;
}

static void word_bytes(const struct word *w, struct buf *out)
{
	struct span s = w->text;

	if (w->encoding == 'b') {
		encoding_decode_buf(ENCODING_BASE64, s, out);
		return;
	}
	for (size_t i = 0; i < s.n; i++) {
		int hi = i + 2 < s.n ? hex_digit(s.p[i + 1]) : -1;
		int lo = i + 2 < s.n ? hex_digit(s.p[i + 2]) : -1;

		if (s.p[i] == '=' && hi >= 0 && lo >= 0) {
			buf_addc(out, (char)(hi << 4 | lo));
			i += 2;
		} else {
			buf_addc(out, s.p[i] == '_' ? ' ' : s.p[i]);
		}
	}
}

static size_t spaces(struct span s)
{
	size_t n = 0;

	while (n < s.n && ascii_space(s.p[n]))
		n++;
	return n;
}

/* Decodes the words s begins with, as long as they share a charset; returns what it took. */
static size_t word_run(struct span s, const struct word *first, struct buf *out)
{
	md_auto(buf_done) struct buf bytes = BUF_INIT(s.n + 64);
	struct word w = *first;
	size_t at = 0;

	for (;;) {
		struct span next;

		word_bytes(&w, &bytes);
		at += w.length;
		next = span_from(s, at + spaces(span_from(s, at)));
		if (!word_read(next, &w) || !span_same(w.charset, first->charset))
			break;
		at = (size_t)(next.p - s.p);
	}
	charset_to_utf8(first->charset, (struct span){ buf_str(&bytes), bytes.len }, out);
	return at;
}

void header_decode_words(struct span text, struct buf *out)
{
	bool after_word = false;

	while (text.n) {
		const char *hit = memmem(text.p, text.n, "=?", 2);
		size_t plain = hit ? (size_t)(hit - text.p) : text.n;
		struct word w;

		if (plain == 0 && word_read(text, &w)) {
			text = span_from(text, word_run(text, &w, out));
			after_word = true;
			continue;
		}
		if (plain == 0)
			plain = 2; /* looks like a word, is none */
		else if (after_word && spaces(text) == plain &&
			 word_read(span_from(text, plain), &w)) {
			text = span_from(text, plain); /* blanks between words are not text */
			continue;
		}
		charset_to_utf8(span_of(""), span_sub(text, 0, plain), out);
		text = span_from(text, plain);
		after_word = false;
	}
}
