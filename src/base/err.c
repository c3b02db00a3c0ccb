#include <maildesk/base/err.h>
#include <maildesk/base/utf8.h>

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Texts are cut by bytes, values in them too: half a character is none in JSON, and PostgreSQL
 * takes no text that has one. */
static void mend(char *s)
{
	size_t n = strlen(s), length;
	uint32_t c;

	for (size_t i = 0; i < n; i += length) {
		length = utf8_decode(s + i, n - i, &c);
		if (length == 0) {
			s[i] = '?';
			length = 1;
		}
	}
}

int md_fail(struct md_err *err, enum md_code code, int native, const char *fmt, ...)
{
	va_list ap;

	if (!err)
		return code;
	err->code = code;
	err->native = native;
	va_start(ap, fmt);
	if (vsnprintf(err->text, sizeof err->text, fmt, ap) < 0)
		err->text[0] = '\0';
	va_end(ap);
	mend(err->text);
	return code;
}

int md_wrap(struct md_err *err, int code, const char *fmt, ...)
{
	struct md_err inner;
	va_list ap;
	int n;

	if (!err)
		return code;
	inner = *err;
	va_start(ap, fmt);
	n = vsnprintf(err->text, sizeof err->text, fmt, ap);
	va_end(ap);
	/* A cut tail is fine, a broken one is not. */
	if (n >= 0 && (size_t)n < sizeof err->text &&
	    snprintf(err->text + n, sizeof err->text - (size_t)n, ": %s", inner.text) < 0)
		err->text[n] = '\0';
	mend(err->text);
	return code;
}

const char *md_code_name(int code)
{
	switch (code) {
	case MD_OK:
		return "ok";
	case MD_AGAIN:
		return "try again";
	case MD_NOTFOUND:
		return "not found";
	case MD_CONFLICT:
		return "conflict";
	case MD_INPUT:
		return "bad input";
	case MD_REFUSED:
		return "refused";
	case MD_NOMEM:
		return "out of memory";
	case MD_BROKEN:
		return "broken";
	case MD_UNKNOWN:
		return "outcome unknown";
	default:
		return "no such code";
	}
}
