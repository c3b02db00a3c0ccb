#include <maildesk/base/err.h>
#include <maildesk/base/mem.h>
#include <maildesk/mail/message.h>
#include <maildesk/mail/sanitize.h>

int message_make_safe_html(struct message *m, struct arena *arena, struct md_err *err)
{
	md_auto(buf_done) struct buf out = BUF_INIT(MESSAGE_SAFE_HTML_MAX);

	m->safe_html = NULL;
	if (!m->html)
		return MD_OK;
	if (html_sanitize(span_of(m->html), &out))
		m->safe_html = arena_strndup(arena, buf_str(&out), out.len);
	return m->safe_html ? MD_OK : md_fail(err, MD_NOMEM, 0, "HTML of a mail: out of memory");
}
