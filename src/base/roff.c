#include <maildesk/base/roff.h>

#include <ctype.h>
#include <stdbool.h>
#include <string.h>

/* A new sentence begins a new line: so the space between two is the formatter's to choose. */
static bool ends_sentence(const char *s)
{
	return strchr(".?!", s[0]) && s[1] == ' ' && isupper((unsigned char)s[2]);
}

void roff_text(struct buf *out, const char *text)
{
	bool fresh = true;

	for (; *text; text++) {
		if (fresh && (*text == '.' || *text == '\''))
			buf_adds(out, "\\&");
		if (*text == '\\')
			buf_adds(out, "\\e");
		else if (*text == '-')
			buf_adds(out, "\\-");
		else
			buf_addc(out, *text);
		fresh = *text == '\n' || ends_sentence(text);
		if (ends_sentence(text)) {
			buf_addc(out, '\n');
			text++;
		}
	}
}
