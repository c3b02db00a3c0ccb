/* HTML becomes clean text, within its ceiling and in time. */
#include "fuzz.h"

#include <maildesk/mail/html.h>

enum { OUT_MAX = 4 << 20 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	md_auto(buf_done) struct buf html = BUF_INIT(FUZZ_ARENA_MAX), out = BUF_INIT(OUT_MAX);
	struct span clean;

	html_prepare();
	check_within(html_meta_charset((struct span){ (const char *)data, n }),
		     (struct span){ (const char *)data, n });
	utf8_clean_text(&html, (const char *)data, n);
	clean = (struct span){ buf_str(&html), html.len };
	check(html_to_text(clean, &out));
	check(out.len <= OUT_MAX);
	out.len = utf8_cut(buf_str(&out), out.len, OUT_MAX);
	check_text((struct span){ buf_str(&out), out.len });
	return 0;
}
