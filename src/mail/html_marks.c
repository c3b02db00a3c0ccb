/* Mail programs wrap what they quote into elements of their own, in no language at all. A client is
 * one row. A value that other programs took over with a prefix ("x_gmail_quote") counts as well. */
#include "html_marks.h"

#include <maildesk/base/mem.h>

#include <string.h>

static const struct {
	const char *element; /* NULL: any */
	const char *attribute, *value;
	enum html_mark mark;
} rows[] = {
	{ "div", "class", "gmail_quote", HTML_MARK_QUOTE },
	{ "div", "class", "gmail_quote_container", HTML_MARK_QUOTE },
	{ NULL, "class", "gmail_attr", HTML_MARK_QUOTE },
	{ NULL, "class", "gmail_extra_quote", HTML_MARK_QUOTE },
	{ NULL, "class", "moz-cite-prefix", HTML_MARK_QUOTE },
	{ NULL, "class", "moz-forward-container", HTML_MARK_REST },
	{ "blockquote", "type", "cite", HTML_MARK_QUOTE },
	{ NULL, "class", "yahoo_quoted", HTML_MARK_QUOTE },
	{ NULL, "class", "ydp-yahoo_quoted", HTML_MARK_QUOTE },
	{ NULL, "id", "OLK_SRC_BODY_SECTION", HTML_MARK_QUOTE },
	{ NULL, "id", "mail-editor-reference-message-container", HTML_MARK_QUOTE },
	{ NULL, "class", "ms-outlook-mobile-reference-message", HTML_MARK_QUOTE },
	{ NULL, "id", "divRplyFwdMsg", HTML_MARK_REST },
	{ NULL, "id", "appendonsend", HTML_MARK_REST },
	{ NULL, "id", "stopSpelling", HTML_MARK_REST },
	{ NULL, "id", "ms-outlook-mobile-body-separator-line", HTML_MARK_REST },
	{ NULL, "class", "protonmail_quote", HTML_MARK_QUOTE },
	{ NULL, "class", "tutanota_quote", HTML_MARK_QUOTE },
	{ NULL, "class", "zmail_extra", HTML_MARK_QUOTE },
	{ NULL, "id", "Zm-_Id_-Sgn1", HTML_MARK_SIGNATURE },
	{ NULL, "data-marker", "__QUOTED_TEXT__", HTML_MARK_QUOTE },
	{ "div", "name", "quote", HTML_MARK_QUOTE },
	{ NULL, "name", "messageReplySection", HTML_MARK_QUOTE },
	{ NULL, "name", "messageSignatureSection", HTML_MARK_SIGNATURE },
	{ NULL, "id", "reply-intro", HTML_MARK_QUOTE },
	{ NULL, "id", "replySplit", HTML_MARK_REST },
	{ NULL, "id", "isReplyContent", HTML_MARK_QUOTE },
	{ NULL, "id", "isForwardContent", HTML_MARK_REST },
	{ NULL, "class", "mail-quote-collapse", HTML_MARK_QUOTE },
	{ NULL, "class", "freshdesk_quote", HTML_MARK_QUOTE },
	{ NULL, "class", "front-blockquote", HTML_MARK_QUOTE },
	{ NULL, "class", "gmail_signature", HTML_MARK_SIGNATURE },
	{ NULL, "class", "moz-signature", HTML_MARK_SIGNATURE },
	{ NULL, "class", "protonmail_signature_block", HTML_MARK_SIGNATURE },
	{ NULL, "id", "Signature", HTML_MARK_SIGNATURE },
	{ NULL, "id", "AppleMailSignature", HTML_MARK_SIGNATURE },
	{ NULL, "id", "signature_old", HTML_MARK_SIGNATURE },
	{ NULL, "id", "CanarySig", HTML_MARK_SIGNATURE },
	{ NULL, "id", "CanaryBlockquote", HTML_MARK_QUOTE },
	{ NULL, "id", "ymail_android_signature", HTML_MARK_SIGNATURE },
	{ NULL, "class", "gmx_quote", HTML_MARK_QUOTE },
	{ NULL, "class", "sh-quoted-content", HTML_MARK_QUOTE },
	{ NULL, "class", "ntes-mailmaster-quote", HTML_MARK_QUOTE },
	{ NULL, "id", "ms-outlook-mobile-signature", HTML_MARK_SIGNATURE },
	{ NULL, "id", "composer_signature", HTML_MARK_SIGNATURE },
	{ NULL, "data-marker", "__SIG_POST__", HTML_MARK_SIGNATURE },
};

/* Whether one of the words of `value` is `want`, after any "x_" before it. */
static bool has_word(const char *value, const char *want)
{
	struct span rest = span_of(value), word;

	while (span_split(&rest, ' ', &word)) {
		while (span_starts(word, "x_"))
			word = span_from(word, 2);
		if (span_is(word, want))
			return true;
	}
	return false;
}

enum html_mark html_mark_of(const char *element, const char *const *attributes)
{
	for (; attributes && attributes[0]; attributes += 2)
		for (size_t i = 0; attributes[1] && i < MD_COUNT(rows); i++)
			if (strcmp(attributes[0], rows[i].attribute) == 0 &&
			    (!rows[i].element || strcmp(element, rows[i].element) == 0) &&
			    has_word(attributes[1], rows[i].value))
				return rows[i].mark;
	return HTML_MARK_NONE;
}
