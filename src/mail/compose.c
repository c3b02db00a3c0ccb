/* Everything goes through struct writer, which alone decides where a header line is folded: values
 * are handed to it as words, and no word ever holds a line end. */
#include <maildesk/mail/compose.h>
#include "compose_body.h"
#include <maildesk/base/clock.h>
#include <maildesk/base/codec.h>
#include <maildesk/base/mem.h>
#include <maildesk/base/utf8.h>

#include <stdio.h>
#include <string.h>
#include <strings.h>

enum {
	WORD_MAX = 900,      /* what cannot be folded must still fit a line of 998 */
	ENCODED_ROOM = 63,   /* of an encoded word's 75 without "=?utf-8?q?" and "?=" */
	ENCODED_OCTETS = 45, /* base64 of these fills 60 of them */
	LOCAL_MAX = 64,      /* RFC 5321 4.5.3.1.1 */
};

struct writer {
	struct buf *out;
	size_t column;
};

static bool is_printable(const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (s[i] < 0x21 || s[i] > 0x7e)
			return false;
	return n > 0;
}

bool mail_address_valid(const char *address)
{
	size_t n = strlen(address), local = strcspn(address, "@");
	uint32_t cp;

	if (n > MAIL_ADDRESS_MAX || local == 0 || local > LOCAL_MAX || local + 1 >= n ||
	    strchr(address + local + 1, '@') || strpbrk(address, " ()<>[]:;\\,\"") ||
	    strstr(address, "=?")) /* some would decode it */
		return false;
	for (size_t i = 0, len; i < n; i += len) {
		len = utf8_decode(address + i, n - i, &cp);
		if (len == 0 || utf8_is_control(cp) || utf8_is_bidi_or_invisible(cp))
			return false;
	}
	return true;
}

const char *compose_date(int64_t ms, char out[32])
{
	static const char weekdays[] = "SunMonTueWedThuFriSat";
	static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	int64_t seconds = ms / 1000 - (ms % 1000 < 0), days, year;
	unsigned rest;
	int month, day;

	days = seconds / 86400 - (seconds % 86400 < 0);
	rest = (unsigned)(seconds - days * 86400) % 86400;
	civil_from_days(days, &year, &month, &day);
	snprintf(out, 32, "%.3s, %02u %.3s %04u %02u:%02u:%02u +0000",
		 weekdays + 3 * (((days + 4) % 7 + 7) % 7), (unsigned)day % 100,
		 months + 3 * (month - 1), (unsigned)year % 10000, rest / 3600, rest / 60 % 60,
		 rest % 60);
	return out;
}

static void begin(struct writer *w, const char *name)
{
	buf_addf(w->out, "%s:", name);
	w->column = strlen(name) + 1;
}

static void end(struct writer *w)
{
	buf_adds(w->out, "\r\n");
	w->column = 0;
}

/* One word and the space before it, on this line or the next. */
static void put_word(struct writer *w, const char *s, size_t n)
{
	if (w->column + 1 + n > LINE_WISH) {
		buf_adds(w->out, "\r\n");
		w->column = 0;
	}
	buf_addc(w->out, ' ');
	buf_add(w->out, s, n);
	w->column += 1 + n;
}

/* Words between single spaces, each as it is. */
static void put_words(struct writer *w, const char *s, size_t n)
{
	while (n) {
		const char *space = memchr(s, ' ', n);
		size_t len = space ? (size_t)(space - s) : n;

		if (len)
			put_word(w, s, len);
		s += len + (space != NULL);
		n -= len + (space != NULL);
	}
}

/* May this word stand in a header as it is? "=?" would be decoded at the other end. */
static bool is_plain_word(const char *s, size_t n)
{
	return is_printable(s, n) && n < LINE_WISH - 3 && !memmem(s, n, "=?", 2);
}

/* Q encoding (RFC 2047 4.2) with the characters that are safe in a phrase too, 5 (3). */
static void q_encode(const char *s, size_t n, struct buf *out)
{
	static const char safe[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
				   "!*+-/";

	for (size_t i = 0; i < n; i++) {
		unsigned char c = (unsigned char)s[i];

		if (c == ' ')
			buf_addc(out, '_');
		else if (c < 0x80 && strchr(safe, c))
			buf_addc(out, (char)c);
		else
			buf_addf(out, "=%02X", c);
	}
}

static size_t char_length(const char *s, size_t n)
{
	uint32_t cp;
	size_t len = utf8_decode(s, n, &cp);

	return len ? len : 1;
}

/* One encoded word of as many whole characters as fit; returns the octets taken. */
static size_t put_encoded_word(struct writer *w, const char *s, size_t n, char how)
{
	md_auto(buf_done) struct buf word = BUF_INIT(128);
	size_t taken = 0;

	buf_addf(&word, "=?utf-8?%c?", how);
	if (how == 'b') {
		taken = utf8_cut(s, n, ENCODED_OCTETS);
		base64_encode(&word, s, taken);
	} else {
		size_t end = word.len + ENCODED_ROOM;

		for (size_t len; taken < n && word.status == MD_OK; taken += len) {
			size_t before = word.len;

			len = char_length(s + taken, n - taken);
			q_encode(s + taken, len, &word);
			if (word.len > end) {
				buf_cut(&word, before);
				break;
			}
		}
	}
	buf_adds(&word, "?=");
	if (word.status != MD_OK)
		w->out->status = word.status;
	put_word(w, word.data, word.len);
	return taken;
}

/* Spaces between two encoded words vanish, so a run of them carries its own. */
static void put_encoded(struct writer *w, const char *s, size_t n)
{
	size_t foreign = 0;
	char how;

	for (size_t i = 0; i < n; i++)
		foreign += (unsigned char)s[i] >= 0x80;
	/* Q stays half readable in European languages, base64 is shorter in the others. */
	how = foreign * 3 > n * 2 ? 'b' : 'q';
	for (size_t taken; n && w->out->status == MD_OK; s += taken, n -= taken)
		taken = put_encoded_word(w, s, n, how);
}

/* Unstructured text (RFC 5322 3.6.5): ASCII words stay readable, and what stands between the first
 * and the last word that cannot be written as it is gets encoded. */
static void put_text(struct writer *w, const char *text)
{
	md_auto(buf_done) struct buf clean = BUF_INIT(VALUE_MAX);
	const char *s;
	size_t first, last = 0, at, len;

	utf8_clean_line(&clean, text, strlen(text));
	if (clean.status != MD_OK)
		w->out->status = clean.status;
	s = buf_str(&clean);
	first = clean.len;
	for (at = 0; at < clean.len; at += len + 1) {
		len = strcspn(s + at, " ");
		if (is_plain_word(s + at, len))
			continue;
		if (first == clean.len)
			first = at;
		last = at + len;
	}
	if (first == clean.len)
		last = first;
	put_words(w, s, first);
	put_encoded(w, s + first, last - first);
	put_words(w, s + last, clean.len - last);
}

/* A display name as atoms, quoted string or encoded words (RFC 5322 3.2.5). */
static void put_phrase(struct writer *w, const char *name)
{
	static const char atext[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
				    "!#$%&'*+-/=?^_`{|}~ ";
	md_auto(buf_done) struct buf clean = BUF_INIT(VALUE_MAX), quoted = BUF_INIT(VALUE_MAX * 2);
	bool plain = true;
	const char *s;

	utf8_clean_line(&clean, name, strlen(name));
	s = buf_str(&clean);
	for (size_t at = 0, len; at < clean.len; at += len + 1) {
		len = strcspn(s + at, " ");
		plain = plain && is_plain_word(s + at, len);
	}
	if (clean.status != MD_OK)
		w->out->status = clean.status;
	if (!plain) {
		put_encoded(w, s, clean.len);
	} else if (strspn(s, atext) == clean.len) {
		put_words(w, s, clean.len);
	} else {
		buf_addc(&quoted, '"');
		for (size_t i = 0; i < clean.len; i++)
			buf_addf(&quoted, "%s%c", s[i] == '"' || s[i] == '\\' ? "\\" : "", s[i]);
		buf_addc(&quoted, '"');
		put_words(w, buf_str(&quoted), quoted.len);
	}
}

static int put_address(struct writer *w, const char *field, const struct mail_address *a,
		       struct md_err *err)
{
	char angle[MAIL_ADDRESS_MAX + 3];

	if (!a->address || !mail_address_valid(a->address))
		return md_fail(err, MD_INPUT, 0, "%s: not an address that mail can be sent to",
			       field);
	begin(w, field);
	if (a->name && *a->name)
		put_phrase(w, a->name);
	snprintf(angle, sizeof angle, a->name && *a->name ? "<%s>" : "%s", a->address);
	put_word(w, angle, strlen(angle));
	end(w);
	return MD_OK;
}

static bool is_id(const char *id)
{
	size_t n = id ? strlen(id) : 0;

	return is_printable(id, n) && n <= WORD_MAX && !strpbrk(id, "<>");
}

static void put_id(struct writer *w, const char *id)
{
	char angle[WORD_MAX + 3];

	snprintf(angle, sizeof angle, "<%s>", id);
	put_word(w, angle, strlen(angle));
}

static void put_ids(struct writer *w, const char *field, const char *const *ids, size_t n)
{
	bool any = false;

	for (size_t i = 0; i < n; i++) {
		if (!is_id(ids[i]))
			continue;
		if (!any)
			begin(w, field);
		put_id(w, ids[i]);
		any = true;
	}
	if (any)
		end(w);
}

static bool is_field_name(const char *name)
{
	static const char *const ours[] = {
		"date",        "from",       "reply-to",     "to",  "subject", "message-id",
		"in-reply-to", "references", "mime-version", "bcc", "cc",
	};

	for (size_t i = 0; i < MD_COUNT(ours); i++)
		if (strcasecmp(name, ours[i]) == 0)
			return false;
	return is_printable(name, strlen(name)) && !strchr(name, ':') && strlen(name) < 70 &&
	       strncasecmp(name, "content-", 8) != 0;
}

static bool is_structured_value(const char *value)
{
	for (const char *s = value; *s; s++)
		if (*s < 0x20 || *s > 0x7e)
			return false;
	for (size_t n; *value; value += n + (value[n] == ' ')) {
		n = strcspn(value, " ");
		if (n > WORD_MAX)
			return false;
	}
	return true;
}

static int put_headers(struct writer *w, const struct compose_mail *mail, struct md_err *err)
{
	for (size_t i = 0; i < mail->header_count; i++) {
		const struct compose_header *h = &mail->headers[i];

		if (!is_field_name(h->name))
			return md_fail(err, MD_INPUT, 0, "a further header has a bad name");
		if (!is_structured_value(h->value))
			return md_fail(err, MD_INPUT, 0, "%s: not a value for a header", h->name);
		begin(w, h->name);
		put_words(w, h->value, strlen(h->value));
		end(w);
	}
	return MD_OK;
}

static int put_top(struct writer *w, const struct compose_mail *mail, struct md_err *err)
{
	char date[32];
	int rc;

	if (!is_id(mail->message_id))
		return md_fail(err, MD_INPUT, 0, "Message-ID: not an id");
	compose_date(mail->date_ms, date);
	begin(w, "Date");
	put_words(w, date, strlen(date));
	end(w);
	rc = put_address(w, "From", &mail->from, err);
	if (rc == MD_OK && mail->reply_to.address)
		rc = put_address(w, "Reply-To", &mail->reply_to, err);
	if (rc == MD_OK)
		rc = put_address(w, "To", &mail->to, err);
	if (rc != MD_OK)
		return rc;
	begin(w, "Subject");
	put_text(w, mail->subject);
	end(w);
	begin(w, "Message-ID");
	put_id(w, mail->message_id);
	end(w);
	put_ids(w, "In-Reply-To", &mail->in_reply_to, mail->in_reply_to != NULL);
	put_ids(w, "References", mail->references.v, mail->references.n);
	rc = put_headers(w, mail, err);
	buf_adds(w->out, "MIME-Version: 1.0\r\n");
	return rc;
}

int compose_write(const struct compose_mail *mail, struct random *random, struct buf *out,
		  struct md_err *err)
{
	struct writer w = { .out = out };
	int rc = put_top(&w, mail, err);

	if (rc == MD_OK)
		rc = compose_put_body(mail, random, out, err);
	if (rc == MD_OK && out->status != MD_OK)
		rc = md_fail(err, (enum md_code)out->status, 0, "a mail of %zu bytes and more",
			     out->len);
	return rc;
}
