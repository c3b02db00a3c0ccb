/* What stands below the words of a mail: signatures, lines of devices, notices of companies. */
#include "trim_lines.h"

enum { DISCLAIMER_BYTES = 1200 };

/* "-Anna": a dash right before a name, alone behind an empty line. */
bool trim_is_dash_name(const struct trim_lines *l, size_t at)
{
	struct span line = span_trim_end(l->v[at].text);
	size_t words = 1;

	if (at < 2 || l->v[at - 1].class != TRIM_EMPTY || line.n < 3 || line.n > 40 ||
	    *line.p != '-' || line.p[1] < 'A' || line.p[1] > 'Z')
		return false;
	for (size_t i = 1; i < line.n; i++) {
		if (!ascii_alnum(line.p[i]) && line.p[i] != ' ' && line.p[i] != '.' &&
		    (unsigned char)line.p[i] < 0x80)
			return false;
		words += line.p[i] == ' ';
	}
	return words <= 3 && (at + 1 == l->n || l->v[at + 1].class == TRIM_EMPTY);
}

/* A notice under the mail of a company: a paragraph of some length, not the first. */
bool trim_is_disclaimer(const struct trim_lines *l, size_t at)
{
	struct span all = l->v[at].text;
	size_t end = at;

	if (at == 0 || l->v[at - 1].class == TRIM_TEXT)
		return false;
	while (end < l->n && l->v[end].class == TRIM_TEXT &&
	       (size_t)(l->v[end].text.p - all.p) < DISCLAIMER_BYTES)
		end++;
	all.n = (size_t)(l->v[end - 1].text.p - all.p) + l->v[end - 1].text.n;
	if (all.n < 80)
		return false;
	all = span_sub(all, 0, DISCLAIMER_BYTES);
	if (!span_has_indexed(all, &l->index.notices)) /* one pass, and mostly the only one */
		return false;
	for (size_t i = 0; i < trim_disclaimers.n; i++)
		if (span_has(all, trim_disclaimers.v[i].one) &&
		    span_has(all, trim_disclaimers.v[i].other))
			return true;
	return false;
}

/* A sentence that merely begins like one goes on behind a comma. */
bool trim_is_device(const struct trim_lines *l, struct span line)
{
	line = trim_undressed(line);
	if (line.n > 100 || (span_chr(line, ',') < line.n && !span_has(line, "excuse") &&
			     !span_has(line, "typo") && !span_has(line, "brevity")))
		return false;
	if (span_starts_indexed(line, &l->index.devices))
		return true;
	for (size_t i = 0; i < trim_device_ends.n; i++)
		if (span_ends(line, trim_device_ends.v[i]) &&
		    span_has_any(line, trim_device_words.v, trim_device_words.n))
			return true;
	return false;
}
