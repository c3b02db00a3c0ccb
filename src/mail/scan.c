/* Each limit is one pass without memory. */
#include <maildesk/mail/scan.h>

#include <maildesk/mail/header.h>

const char *scan_header(struct span head)
{
	struct span rest = head, line;
	size_t fields = 0, depth = 0;

	if (head.n > SCAN_HEADER_BYTES)
		return "bomb: header too large";
	while (span_line(&rest, &line)) {
		bool new_field = line.n && !ascii_space(*line.p);

		if (line.n > SCAN_LINE_BYTES)
			return "bomb: header line too long";
		if (new_field && ++fields > SCAN_HEADER_FIELDS)
			return "bomb: too many header fields";
		if (new_field)
			depth = 0;
		for (size_t i = 0; i < line.n; i++) {
			if (line.p[i] == '(' && ++depth > SCAN_COMMENT_DEPTH)
				return "bomb: comments too deep";
			depth -= line.p[i] == ')' && depth > 0;
		}
	}
	return NULL;
}

static bool is_message(struct span head)
{
	struct span rest = head, line;

	while (span_line(&rest, &line))
		if (span_starts(line, "content-type:"))
			return span_starts(span_trim(span_from(line, 13)), "message/rfc822");
	return false;
}

int scan_message_depth(struct span body)
{
	int depth = 1;
	bool junk;

	while (depth <= SCAN_MIME_DEPTH) {
		struct span head, inner;

		header_split(body, HEADER_PART, &head, &inner, &junk);
		if (!is_message(head) || inner.n >= body.n)
			break;
		body = inner;
		depth++;
	}
	return depth;
}
