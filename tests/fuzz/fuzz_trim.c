/* Trimming and unwrapping: what is new is a stretch of the text and never nothing. */
#include "fuzz.h"

#include <maildesk/mail/body.h>
#include <maildesk/mail/forward.h>
#include <maildesk/mail/trim.h>

static bool has_word(struct span s)
{
	return span_trim(s).n > 0;
}

static void check_unflowed(struct span text)
{
	md_auto(buf_done) struct buf out = BUF_INIT(FUZZ_ARENA_MAX);

	for (int delsp = 0; delsp < 2; delsp++) {
		buf_reset(&out);
		body_unflow(text, delsp, &out);
		check(out.status == MD_OK && out.len <= 3 * text.n + 3);
		check_text((struct span){ buf_str(&out), out.len });
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	md_auto(arena_done) struct arena a = ARENA_INIT(FUZZ_ARENA_MAX);
	md_auto(buf_done) struct buf clean = BUF_INIT(FUZZ_ARENA_MAX);
	struct span text, reply;
	struct rec_strs markers;
	struct forward old;

	utf8_clean_text(&clean, (const char *)data, n);
	text = (struct span){ buf_str(&clean), clean.len };
	reply = trim_reply(&a, text);
	check_within(reply, text);
	check(utf8_valid(reply.p, reply.n));
	check(!has_word(text) || has_word(reply));
	trim_markers(&a, text, &markers);
	check(markers.n <= TRIM_MARKERS_MAX);
	for (size_t i = 0; i < markers.n; i++)
		check(strlen(markers.v[i]) <= TRIM_TOKEN_MAX);
	trim_is_forward(span_sub(text, 0, 100), text);
	forward_read(&a, text, &old);
	check_line(old.from.name);
	check_line(old.from.address);
	check_line(old.date);
	check_line(old.subject);
	check_unflowed(text);
	check(!a.failed);
	return 0;
}
