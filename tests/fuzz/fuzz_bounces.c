/* A whole mail as a report of delivery: bounded, clean, and nothing claimed without evidence. */
#include "fuzz.h"

#include <maildesk/mail/body.h>
#include <maildesk/mail/bounce.h>
#include <maildesk/mail/kind.h>
#include <maildesk/mail/scan.h>

/* "5.1.1" (RFC 3463) */
static bool is_status(const char *s)
{
	int dots = 0;

	for (; *s; s++) {
		dots += *s == '.';
		if (*s != '.' && !ascii_digit(*s))
			return false;
	}
	return dots == 2;
}

static void check_bounce(const struct bounce *b)
{
	check_utf8(b->recipient);
	check_utf8(b->action);
	check(!b->status || is_status(b->status));
	check_utf8(b->diagnostic);
	check_utf8(b->original_message_id);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	md_auto(arena_done) struct arena a = ARENA_INIT(FUZZ_ARENA_MAX);
	struct span head, rest;
	struct mime_tree tree;
	struct bounce_report report;
	const char *subject, *evidence = NULL;
	struct header h;
	struct body body;
	bool junk;

	header_split((struct span){ (const char *)data, n }, HEADER_TOP, &head, &rest, &junk);
	if (scan_header(head))
		return 0;
	header_read(&a, head, SCAN_HEADER_FIELDS, &h);
	check(mime_read(&a, &h, rest, &tree) == MD_OK);
	check(tree.n >= 1 && tree.n <= SCAN_PARTS);
	if (tree.trouble & MIME_BOMB_DEPTH)
		return 0;
	check(body_read(&a, &tree, &body) == MD_OK);
	check_text(span_of(body.text));
	subject = header_text(&a, header_value(&h, "Subject"));
	bounce_read(&a, &tree, subject, header_text(&a, header_value(&h, "From")),
		    span_of(body.text), &report);
	check(report.list.n <= BOUNCE_RECIPIENTS_MAX);
	check_utf8(report.evidence);
	for (size_t i = 0; i < report.list.n; i++)
		check_bounce((struct bounce *)report.list.v + i);
	check(kind_decide(&a, &tree, subject, &report, &evidence) < KIND_COUNT && evidence);
	check_utf8(evidence);
	check(!a.failed);
	return 0;
}
