#include <maildesk/base/err.h>
#include <maildesk/base/mem.h>
#include <maildesk/mail/message.h>
#include <maildesk/mail/sanitize.h>

int message_safe_html(const uint8_t *raw, size_t n, struct arena *arena, const char **ret_html,
		      struct md_err *err)
{
	md_auto(buf_done) struct buf out = BUF_INIT(MESSAGE_SAFE_HTML_MAX);
	struct message m = { 0 };
	int rc = message_read(raw, n, arena, &m, err);

	*ret_html = NULL;
	if (rc != MD_OK || !m.html)
		return rc;
	if (html_sanitize(span_of(m.html), &out))
		*ret_html = arena_strndup(arena, buf_str(&out), out.len);
	return *ret_html ? MD_OK : md_fail(err, MD_NOMEM, 0, "HTML of a mail: out of memory");
}
