/* Values are taken apart as far as needed to know each byte's meaning, and refused when anything is
 * in doubt: a URL by its scheme, CSS by its declarations. Browsers drop tabs, line ends and
 * controls in URLs, and undo escapes in CSS; so the former go first, and nothing with the latter
 * stays. */
#include "sanitize_values.h"

#include <maildesk/base/err.h>

#include <string.h>

enum { URL_MAX = 2000, WORD_MAX = 40, FACE_MAX = 200, DECLARATIONS_MAX = 100, CSS_VALUE_MAX = 200 };

static bool all_in(struct span s, const char *more, size_t max)
{
	for (size_t i = 0; i < s.n; i++)
		if (!ascii_alnum(s.p[i]) && !strchr(more, s.p[i]))
			return false;
	return s.n <= max;
}

static bool digits(struct span s)
{
	for (size_t i = 0; i < s.n; i++)
		if (!ascii_digit(s.p[i]))
			return false;
	return s.n > 0 && s.n <= 4;
}

static bool length(struct span s)
{
	if (s.n && s.p[s.n - 1] == '%')
		s.n--;
	else if (span_ends(s, "px"))
		s.n -= 2;
	return digits(s);
}

static bool font_size(struct span s)
{
	return digits(s.n && (*s.p == '+' || *s.p == '-') ? span_from(s, 1) : s);
}

/* ---- URLs ---- */

static bool clean_url(struct span value, struct buf *out)
{
	struct span s = span_trim(value);

	if (s.n > URL_MAX)
		return false;
	if (span_starts(s, "//")) /* as of the page it stands on, which a mail has not */
		buf_adds(out, "https:");
	for (size_t i = 0; i < s.n; i++)
		if ((unsigned char)s.p[i] > ' ' && s.p[i] != 0x7f)
			buf_addc(out, s.p[i]);
		else if (s.p[i] == ' ')
			buf_adds(out, "%20");
	return out->status == MD_OK;
}

static bool url(struct span value, unsigned places, struct buf *out, unsigned *ret_place)
{
	size_t colon;

	if (!clean_url(value, out))
		return false;
	colon = span_chr((struct span){ buf_str(out), out->len }, ':');
	*ret_place = safe_scheme((struct span){ buf_str(out), colon }) & places;
	return *ret_place != 0 && colon + 1 < out->len;
}

/* ---- CSS ---- */

/* Words, numbers, quoted names and colours by function; nothing that could call or leave. */
static bool css_value(struct span v)
{
	char quote = '\0';
	int open = 0;
	size_t word = 0; /* where the present word began */

	if (!v.n || v.n > CSS_VALUE_MAX)
		return false;
	for (size_t i = 0; i < v.n; i++) {
		char c = v.p[i];

		if (c == '\'' || c == '"') {
			if (quote && quote != c)
				return false;
			quote = quote ? '\0' : c;
		} else if (!ascii_alnum(c) && !ascii_space(c) && (unsigned char)c < 0x80 &&
			   !strchr("#%.,+-/!()_", c)) {
			return false;
		}
		if (!quote && c == '(' && (open++ || !safe_function(span_sub(v, word, i))))
			return false;
		if (!quote && c == ')' && open-- == 0)
			return false;
		/* nothing moves out of its place */
		if (!quote && c == '-' && i == word && i + 1 < v.n &&
		    (ascii_digit(v.p[i + 1]) || v.p[i + 1] == '.'))
			return false;
		if (!ascii_alnum(c) && c != '-' && c != '_')
			word = i + 1;
	}
	return !quote && !open;
}

/* The end of a declaration: a semicolon outside of quotes and brackets. */
static size_t declaration_end(struct span s)
{
	char quote = '\0';
	int open = 0;

	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];

		if (quote)
			quote = c == quote ? '\0' : quote;
		else if (c == '"' || c == '\'')
			quote = c;
		else if (c == '(')
			open++;
		else if (c == ')')
			open -= open > 0;
		else if (c == ';' && !open)
			return i;
	}
	return s.n;
}

static bool style(struct span css, struct buf *out)
{
	for (int i = 0; css.n && i < DECLARATIONS_MAX; i++) {
		size_t end = declaration_end(css), colon = span_chr(span_sub(css, 0, end), ':');
		struct span name = span_trim(span_sub(css, 0, colon));
		struct span v = span_trim(span_sub(css, colon + 1, end));

		if (colon < end && safe_property(name) && css_value(v)) {
			if (out->len)
				buf_addc(out, ';');
			buf_add(out, name.p, name.n);
			buf_addc(out, ':');
			buf_add(out, v.p, v.n);
		}
		css = span_from(css, end + 1);
	}
	return out->len > 0;
}

bool safe_value(enum safe_value how, struct span value, struct buf *out, bool *ret_later)
{
	struct span s = span_trim(value);
	unsigned place = 0;
	bool good = true;

	*ret_later = false;
	switch (how) {
	case SAFE_HREF:
		return url(s, SAFE_IN_LINK, out, &place);
	case SAFE_SOURCE:
		good = url(s, SAFE_IN_IMAGE | SAFE_LATER, out, &place);
		*ret_later = place == SAFE_LATER;
		return good;
	case SAFE_STYLE:
		return style(s, out);
	case SAFE_TEXT:
		break;
	case SAFE_NUMBER:
		good = digits(s);
		break;
	case SAFE_LENGTH:
		good = length(s);
		break;
	case SAFE_SIZE:
		good = font_size(s);
		break;
	case SAFE_WORD:
		good = all_in(s, "-", WORD_MAX);
		break;
	case SAFE_COLOUR:
		good = s.n && all_in(s, "#", WORD_MAX);
		break;
	case SAFE_FACE:
		good = s.n && all_in(s, " ,-'", FACE_MAX);
		break;
	}
	if (good)
		buf_add(out, s.p, s.n);
	return good && out->status == MD_OK;
}
