/* libFuzzer target: any bytes become a message that the desk accepts.
 *
 *	clang -fsanitize=fuzzer,address,undefined ... tests/fuzz/fuzz_message.c src/mail/ and
 *src/base/ */
#include <maildesk/base/mem.h>
#include <maildesk/mail/message.h>

#include <stdlib.h>
#include <string.h>

enum { ARENA_MAX = 256 << 20 };

static void check(bool ok)
{
	if (!ok)
		abort();
}

/* The stretches that attachments name lie in the mail. */
static void check_slices(const struct message *m, size_t n)
{
	const struct attachment *v = m->attachments.v;

	for (size_t i = 0; i < m->attachments.n; i++) {
		check(v[i].offset >= 0 && v[i].length >= 0 && (size_t)v[i].offset <= n);
		check((size_t)v[i].length <= n - (size_t)v[i].offset);
		check(v[i].content_type && v[i].encoding && v[i].sha256);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	md_auto(arena_done) struct arena a = ARENA_INIT(ARENA_MAX);
	md_auto(buf_done) struct buf packed = BUF_INIT(ARENA_MAX);
	struct message m, back;

	message_read_prepare();
	check(message_read(data, n, &a, &m, NULL) == MD_OK);
	check(m.text && m.reply_text && m.evidence && strlen(m.identity) == 64);
	check(!m.from_is_plain || (m.from.n == 1 && m.from_readable));
	check_slices(&m, n);
	rec_pack(&packed, &message_rec, &m);
	check(packed.status == MD_OK);
	/* Valid UTF-8, lengths, counts: what the desk checks of its jailed reader. */
	check(rec_unpack(&message_rec, packed.data, packed.len, &a, &back, NULL) == MD_OK);
	return 0;
}
