#include <maildesk/net/imap_guard.h>

#include <string.h>

enum { NO_BRACE, OPEN, DIGITS, CLOSED };
static const char word[] = "PERMANENTFLAGS";
enum { WORD_LEN = sizeof word - 1 };

/* Whether the line ends in a literal's announcement: "{n}" or "{n+}" before its end. */
static void watch_brace(struct imap_guard *g, char c)
{
	if (c == '{') {
		g->brace = OPEN;
		g->announced = 0;
	} else if (g->brace == NO_BRACE || c == '\r' || c == '\n') {
		return;
	} else if (c >= '0' && c <= '9' && g->brace != CLOSED) {
		g->brace = DIGITS;
		if (g->announced < UINT32_MAX)
			g->announced = g->announced * 10 + (uint64_t)(c - '0');
	} else if (c == '}' && g->brace == DIGITS) {
		g->brace = CLOSED;
	} else if (c != '+' || g->brace != DIGITS) {
		g->brace = NO_BRACE;
	}
}

static void watch_word(struct imap_guard *g, char *c)
{
	char upper = (char)(*c >= 'a' && *c <= 'z' ? *c - 32 : *c);

	if (upper == word[g->matched])
		g->matched++;
	else
		g->matched = upper == word[0];
	if (g->matched == WORD_LEN) {
		*c = 'X';
		g->matched = 0;
	}
}

static void end_line(struct imap_guard *g)
{
	if (g->brace == CLOSED) {
		g->literal_left = g->announced;
	} else {
		g->line = 0;
		g->parens = 0;
	}
	g->brace = NO_BRACE;
	g->matched = 0;
}

int imap_guard_pass(struct imap_guard *g, char *bytes, size_t n, struct md_err *err)
{
	for (size_t i = 0; i < n; i++) {
		if (g->literal_left) {
			uint64_t skip = n - i < g->literal_left ? n - i : g->literal_left;

			g->literal_left -= skip;
			i += (size_t)skip - 1;
			continue;
		}
		watch_brace(g, bytes[i]);
		watch_word(g, &bytes[i]);
		g->parens += bytes[i] == '(';
		g->line++;
		if (bytes[i] == '\n')
			end_line(g);
		if (g->literal_left > g->literal_max)
			return md_fail(err, MD_INPUT, 0, "a literal of %llu bytes is announced",
				       (unsigned long long)g->literal_left);
		if (g->line > GUARD_LINE_MAX)
			return md_fail(err, MD_INPUT, 0, "a line without end");
		if (g->parens > GUARD_PARENS_MAX)
			return md_fail(err, MD_INPUT, 0, "lists nested too deep");
	}
	return MD_OK;
}

bool imap_guard_is_idle(const struct imap_guard *g)
{
	return g->line == 0 && g->literal_left == 0;
}
