/* winmail.dat and RTF: the files in it are where it says and as long, its text is clean. The input
 * is the decoded winmail.dat, then taken for RTF. */
#include "fuzz.h"

#include <maildesk/mail/rtf.h>
#include <maildesk/mail/tnef.h>

static int count(void *ctx, const void *bytes, size_t n)
{
	check(bytes || n == 0);
	*(int64_t *)ctx += (int64_t)n;
	return 0;
}

static void check_file(const struct attachment *f, struct span raw)
{
	int64_t size = 0;

	check(f->content_type && f->sha256 && strlen(f->sha256) == 64);
	check_line(f->filename);
	check_line(f->content_type);
	check(f->offset >= 0 && f->length >= 0 && (size_t)f->offset <= raw.n);
	check((size_t)f->length <= raw.n - (size_t)f->offset);
	check(attachment_decode(f->encoding,
				span_sub(raw, (size_t)f->offset,
					 (size_t)f->offset + (size_t)f->length),
				count, &size) == 0);
	check(size == f->size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	md_auto(arena_done) struct arena a = ARENA_INIT(FUZZ_ARENA_MAX);
	md_auto(buf_done) struct buf text = BUF_INIT(4 << 20);
	struct span raw = { (const char *)data, n };
	struct attachment_place at = { raw, raw };
	struct mime_part part = {
		.parent = MIME_NO_PARENT, .next = 1, .body = raw, .type = "application/ms-tnef"
	};
	struct tnef t = { 0 };

	tnef_read(&a, &at, &part, &t);
	check(t.files.n <= TNEF_FILES_MAX);
	for (size_t i = 0; i < t.files.n; i++)
		check_file((struct attachment *)t.files.v + i, raw);
	if (t.text)
		check_text(span_of(t.text));
	check_utf8(t.html);
	rtf_to_text(raw, &text);
	check(utf8_valid(buf_str(&text), text.len));
	check(!a.failed);
	return 0;
}
