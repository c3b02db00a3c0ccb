/* HTML becomes clean text, within its ceiling and in time. */
#include "fuzz.h"

#include <maildesk/mail/html.h>
#include <maildesk/mail/trim.h>

enum { OUT_MAX = 4 << 20 };

/* Marks stand in order, and what they say leaves a stretch of the text. */
static void check_marks(struct span text, const struct html_marks *m)
{
	md_auto(arena_done) struct arena a = ARENA_INIT(FUZZ_ARENA_MAX);
	struct trim_hints hints = { .marks = m, .sender = "Hello you" };
	struct span reply = trim_reply_hinted(&a, text, &hints);

	check(m->n <= HTML_MARKS_MAX);
	for (size_t i = 0; i < m->n; i++) {
		check(m->v[i].mark != HTML_MARK_NONE && m->v[i].from <= m->v[i].to);
		check(i == 0 || m->v[i - 1].to <= m->v[i].from);
	}
	check_within(reply, text);
	check(utf8_valid(reply.p, reply.n));
	check(span_trim(text).n == 0 || span_trim(reply).n > 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	md_auto(buf_done) struct buf html = BUF_INIT(FUZZ_ARENA_MAX), out = BUF_INIT(OUT_MAX);
	struct html_marks marks = { 0 };
	struct span clean;

	html_prepare();
	check_within(html_meta_charset((struct span){ (const char *)data, n }),
		     (struct span){ (const char *)data, n });
	utf8_clean_text(&html, (const char *)data, n);
	clean = (struct span){ buf_str(&html), html.len };
	check(html_read(clean, &out, &marks));
	check(out.len <= OUT_MAX);
	out.len = utf8_cut(buf_str(&out), out.len, OUT_MAX);
	check_text((struct span){ buf_str(&out), out.len });
	check_marks((struct span){ buf_str(&out), out.len }, &marks);
	return 0;
}
