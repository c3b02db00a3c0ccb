/* trace.h - what message_read() saw and decided on the way, for people: `maildesk parse --explain`.
 * Nothing in it is printed as JSON or crosses to another process. */
#ifndef MAILDESK_MAIL_TRACE_H
#define MAILDESK_MAIL_TRACE_H

#include <maildesk/mail/body.h>
#include <maildesk/mail/message.h>
#include <maildesk/mail/mime.h>

/* Borrows from the raw bytes and the arena. Zeroed but for `head` when a limit was hit. */
struct message_trace {
	struct span head; /* the top header block */
	struct mime_tree tree;
	struct body body;
	struct span reply; /* the stretch of the message's text that is new */
	bool first;        /* it answers nothing and passes nothing on */
};

/* message_read(), with its trace. */
int message_read_traced(const uint8_t *raw, size_t n, struct arena *arena, struct message *ret,
			struct message_trace *ret_trace, struct md_err *err);

/* One line of the message's text as trimming took it. */
struct trace_line {
	struct span text;
	const char
		*what; /* "text", "quote", ...; "(follows)": folded with what is above or below */
	bool is_new;
};
/* Each line of `text` (struct trace_line); empty when memory ran out. */
void trace_lines(struct arena *a, const struct message_trace *t, struct span text,
		 struct rec_list *ret);

#endif
