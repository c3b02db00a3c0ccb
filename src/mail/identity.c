#include <maildesk/mail/identity.h>

#include <maildesk/base/mem.h>

#include <string.h>

/* Fields that a second delivery adds or changes. A trailing '-' matches any rest. */
static const char *const traces[] = {
	"Received",
	"Delivered-To",
	"X-Original-To",
	"Return-Path",
	"Envelope-To",
	"X-Envelope-",
	"Delivery-date",
	"Authentication-Results",
	"X-Authentication-",
	"ARC-",
	"Received-SPF",
	"DKIM-Signature",
	"X-Google-DKIM-Signature",
	"DKIM-Filter",
	"X-Spam-",
	"X-Virus-",
	"X-Received",
	"X-Gm-Message-State",
	"X-Google-Smtp-Source",
	"X-UID",
	"X-UIDL",
	"X-Mozilla-",
	"Status",
	"X-Status",
	"X-Keywords",
	"X-IMAP",
	"X-Sieve",
	"X-Loop",
	"X-Forwarded-",
	"X-MS-Exchange-Organization-",
	"Lines",
	"Content-Length",
	"X-Delivered-To",
};

static bool is_trace(struct span line)
{
	for (size_t i = 0; i < MD_COUNT(traces); i++) {
		size_t n;

		if (!span_starts(line, traces[i]))
			continue;
		n = strlen(traces[i]);
		if (traces[i][n - 1] == '-')
			return true;
		while (n < line.n && (line.p[n] == ' ' || line.p[n] == '\t'))
			n++;
		if (n < line.n && line.p[n] == ':')
			return true;
	}
	return span_starts(line, "From ") || span_starts(line, ">From ");
}

/* Lines go to the hash by the buffer, not one by one. */
struct feed {
	struct sha256 *hash;
	size_t n;
	char bytes[8192];
};

static void feed_line(struct feed *f, struct span line)
{
	if (line.n + 1 > sizeof f->bytes - f->n) {
		sha256_add(f->hash, f->bytes, f->n);
		f->n = 0;
	}
	if (line.n + 1 > sizeof f->bytes) {
		sha256_add(f->hash, line.p, line.n);
		line.n = 0;
	}
	if (line.n)
		memcpy(f->bytes + f->n, line.p, line.n);
	f->bytes[f->n + line.n] = '\n';
	f->n += line.n + 1;
}

bool identity_hash(struct span head, struct span body, char ret[SHA256_HEX])
{
	struct feed f = { .hash = sha256_new() };
	md_auto(buf_done) struct buf hex = BUF_INIT(SHA256_HEX);
	uint8_t sum[SHA256_BYTES];
	struct span line;
	bool trace = false;

	if (!f.hash)
		return false;
	while (span_line(&head, &line)) {
		if (line.n && !ascii_space(*line.p))
			trace = is_trace(line);
		if (!trace)
			feed_line(&f, line);
	}
	feed_line(&f, span_of(""));
	while (span_line(&body, &line))
		feed_line(&f, line);
	sha256_add(f.hash, f.bytes, f.n);
	sha256_end(f.hash, sum);
	hex_encode(&hex, sum, sizeof sum);
	if (hex.status)
		return false;
	memcpy(ret, hex.data, SHA256_HEX);
	return true;
}
