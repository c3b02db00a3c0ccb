#include <maildesk/mail/trace.h>

#include "trim_lines.h"

static const char *const names[] = {
	[TRIM_EMPTY] = "empty",         [TRIM_TEXT] = "text",       [TRIM_QUOTE] = "quote",
	[TRIM_HEADER] = "quote header", [TRIM_OLD] = "older mail",  [TRIM_SIGNATURE] = "signature",
	[TRIM_DEVICE] = "device",       [TRIM_PROGRAM] = "program", [TRIM_RULE] = "rule",
	[TRIM_MARKER] = "reply marker",
};

void trace_lines(struct arena *a, const struct message_trace *t, struct span text,
		 struct rec_list *ret)
{
	struct trim_lines lines;
	struct trace_line *v;

	*ret = (struct rec_list){ 0 };
	if (!text.n || !trim_lines_read(a, text, &t->body.marks, t->first, &lines) ||
	    !(v = arena_array(a, lines.n, sizeof *v)))
		return;
	for (size_t i = 0; i < lines.n; i++) {
		struct span line = lines.v[i].text;
		bool is_new = line.p >= t->reply.p && line.p < t->reply.p + t->reply.n;

		v[i] = (struct trace_line){ line, names[lines.v[i].class], is_new };
		if (!is_new && (lines.v[i].class == TRIM_TEXT || lines.v[i].class == TRIM_EMPTY))
			v[i].what = "(follows)";
	}
	*ret = (struct rec_list){ lines.n, v };
}
