/* Any HTML becomes HTML that the oracle finds safe, within its ceiling and in time. */
#include "fuzz.h"

#include "../safe_html.h"

#include <maildesk/mail/html.h>
#include <maildesk/mail/sanitize.h>

/* The first byte chooses the ceiling: where it falls, markup must not be cut. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	size_t max = n && data[0] < 128 ? (size_t)data[0] * 8 : 4 << 20;
	md_auto(buf_done) struct buf html = BUF_INIT(FUZZ_ARENA_MAX), out = BUF_INIT(max);
	struct span safe;

	html_prepare();
	utf8_clean_text(&html, (const char *)data + (n > 0), n - (n > 0));
	check(html_sanitize((struct span){ buf_str(&html), html.len }, &out));
	check(out.status == MD_OK && out.len <= max);
	safe = (struct span){ buf_str(&out), out.len };
	check_text(safe);
	check(safe_html(safe));
	return 0;
}
