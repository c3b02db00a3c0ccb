/* Any bytes become a message that the desk accepts. */
#include "fuzz.h"

#include <maildesk/base/codec.h>
#include <maildesk/mail/attachment.h>
#include <maildesk/mail/message.h>

enum { SERVED_MAX = 20 }; /* attachments taken out again */

static int add(void *ctx, const void *bytes, size_t n)
{
	sha256_add(ctx, bytes, n);
	return 0;
}

/* A slice, decoded as it says, is what was hashed. */
static void check_served(const struct attachment *v, struct span raw)
{
	md_auto(buf_done) struct buf hex = BUF_INIT(SHA256_HEX);
	struct span slice = span_sub(raw, (size_t)v->offset, (size_t)(v->offset + v->length));
	struct sha256 *hash = sha256_new();
	uint8_t sum[SHA256_BYTES];

	check(hash && attachment_decode(v->encoding, slice, add, hash) == 0);
	sha256_end(hash, sum);
	hex_encode(&hex, sum, sizeof sum);
	check(strcmp(buf_str(&hex), v->sha256) == 0);
}

/* The stretches that attachments name lie in the mail. */
static void check_attachments(const struct message *m, struct span raw)
{
	size_t n = raw.n;
	const struct attachment *v = m->attachments.v;

	for (size_t i = 0; i < m->attachments.n; i++) {
		check(v[i].offset >= 0 && v[i].length >= 0 && (size_t)v[i].offset <= n);
		check((size_t)v[i].length <= n - (size_t)v[i].offset);
		check(v[i].content_type && v[i].encoding && v[i].sha256);
		check_line(v[i].filename);
		check(!v[i].filename || !strchr(v[i].filename, '/'));
		if (i < SERVED_MAX)
			check_served(&v[i], raw);
	}
}

static void check_people(const struct rec_list *list)
{
	const struct mail_address *v = list->v;

	for (size_t i = 0; i < list->n; i++) {
		check(v[i].address);
		check_line(v[i].address);
		check_line(v[i].name);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	md_auto(arena_done) struct arena a = ARENA_INIT(FUZZ_ARENA_MAX);
	md_auto(buf_done) struct buf packed = BUF_INIT(FUZZ_ARENA_MAX), json = packed;
	struct message m, back;

	message_read_prepare();
	check(message_read(data, n, &a, &m, NULL) == MD_OK);
	check(m.text && m.reply_text && m.evidence && strlen(m.identity) == 64);
	check(!m.from_is_plain || (m.from.n == 1 && m.from_readable));
	check_text(span_of(m.text));
	check_text(span_of(m.reply_text));
	check(strlen(m.reply_text) <= strlen(m.text));
	check(!*m.reply_text == !*m.text);
	check_line(m.subject);
	check_people(&m.from);
	check_people(&m.to);
	check_attachments(&m, (struct span){ (const char *)data, n });
	rec_json(&json, &message_rec, &m);
	check(json.status == MD_OK && utf8_valid(json.data, json.len));
	rec_pack(&packed, &message_rec, &m);
	check(packed.status == MD_OK);
	/* Valid UTF-8, lengths, counts: what the desk checks of its jailed reader. */
	check(rec_unpack(&message_rec, packed.data, packed.len, &a, &back, NULL) == MD_OK);
	return 0;
}
