/* libconfuse stops at the first key it does not know, takes an unclosed section for closed at the
 * end of the file, counts lines wrongly after C comments, and keeps the state of its lexer when a
 * string never ends, so that the next file is read as the inside of a string. This scan goes over
 * the text before it: reports what it would not, and blanks what it should not see. It follows the
 * same grammar only as far as needed to know where statements begin and end; on anything
 * unexpected it stops and leaves the complaint to libconfuse. */
#include "config_private.h"

#include <stdlib.h>
#include <string.h>

enum token {
	TOKEN_END,
	TOKEN_WORD,
	TOKEN_OPEN,
	TOKEN_CLOSE,
	TOKEN_ASSIGN,
	TOKEN_COMMA,
	TOKEN_OTHER,
	TOKEN_BROKEN, /* reported already */
};

struct scan {
	struct conf_scan *out;
	char *text, *pos;
	char *start; /* of the last token */
	int line, start_line;
	char *statement; /* where the text is cut when a string never ends */
};

static void blank(char *from, const char *to)
{
	for (; from < to; from++)
		if (*from != '\n')
			*from = ' ';
}

static enum token broken(struct scan *s, int line, const char *what)
{
	s->out->broken = what;
	s->out->broken_line = line;
	blank(s->statement ? s->statement : s->start, s->text + strlen(s->text));
	return TOKEN_BROKEN;
}

/* Comments become blanks. False for one that never ends. */
static bool skip_blanks(struct scan *s)
{
	for (;; s->pos++) {
		char *from = s->pos;

		if (*s->pos == '#' || (*s->pos == '/' && s->pos[1] == '/')) {
			s->pos += strcspn(s->pos, "\n");
			blank(from, s->pos);
		} else if (*s->pos == '/' && s->pos[1] == '*') {
			char *end = strstr(s->pos + 2, "*/");
			int line = s->line;

			if (!end) {
				s->start = from;
				broken(s, line, "comment is never closed: \"*/\" is missing");
				return false;
			}
			for (; s->pos < end + 2; s->pos++)
				s->line += *s->pos == '\n';
			blank(from, s->pos);
		}
		if (*s->pos == '\n')
			s->line++;
		else if (*s->pos == '\0' || !strchr(" \t\r", *s->pos))
			return true;
	}
}

static enum token string_end(struct scan *s, char quote)
{
	for (s->pos++; *s->pos; s->pos++) {
		if (*s->pos == quote) {
			s->pos++;
			return TOKEN_WORD;
		}
		if (*s->pos == '\\' && s->pos[1]) {
			s->pos++;
			if (quote == '"' && *s->pos >= '0' && *s->pos <= '9')
				return broken(
					s, s->line,
					"escapes like \\123 are not allowed; \\x41 and \\\\ are");
		}
		s->line += *s->pos == '\n';
	}
	return broken(s, s->start_line,
		      quote == '"' ? "string is never closed: '\"' is missing"
				   : "string is never closed: \"'\" is missing");
}

static enum token next_token(struct scan *s)
{
	static const struct {
		char c;
		enum token token;
	} single[] = { { '{', TOKEN_OPEN },
		       { '}', TOKEN_CLOSE },
		       { '=', TOKEN_ASSIGN },
		       { ',', TOKEN_COMMA } };

	if (!skip_blanks(s))
		return TOKEN_BROKEN;
	s->start = s->pos;
	s->start_line = s->line;
	if (*s->pos == '\0')
		return TOKEN_END;
	if (*s->pos == '"' || *s->pos == '\'')
		return string_end(s, *s->pos);
	for (size_t i = 0; i < MD_COUNT(single); i++)
		if (*s->pos == single[i].c) {
			s->pos++;
			return single[i].token;
		}
	if (*s->pos == '+' && s->pos[1] == '=') {
		s->pos += 2;
		return TOKEN_ASSIGN;
	}
	s->pos += strcspn(s->pos, " #\"'\t\n\r={}()+,*");
	if (s->pos > s->start)
		return TOKEN_WORD;
	s->pos++;
	return TOKEN_OTHER;
}

/* After "{": up to and with its "}". */
static enum token skip_braces(struct scan *s)
{
	int depth = 1, line = s->start_line;
	enum token t = TOKEN_END;

	while (depth > 0 && (t = next_token(s)) != TOKEN_END && t != TOKEN_BROKEN)
		depth += t == TOKEN_OPEN ? 1 : t == TOKEN_CLOSE ? -1 : 0;
	if (t == TOKEN_END)
		return broken(s, line, "\"{\" is never closed: \"}\" is missing");
	return t;
}

static void report_unknown(struct scan *s, int line, const char *section, const char *name)
{
	md_auto(buf_done) struct buf text = BUF_INIT(8192);

	if (*section)
		buf_addf(&text, "%s: ", section);
	buf_addf(&text, "unknown %s \"%.60s\"", *section ? "key" : "key or section", name);
	conf_suggest(&text, section, name);
	s->out->unknown(s->out->ctx, line, buf_str(&text));
}

static int note_opened(struct scan *s, int line)
{
	struct conf_scan *o = s->out;

	if ((o->n_opened & (o->n_opened + 1)) == 0) { /* grows to 1, 3, 7, ... */
		int *more = arena_array(o->arena, o->n_opened * 2 + 1, sizeof *more);

		if (!more)
			return MD_NOMEM;
		if (o->n_opened)
			memcpy(more, o->opened, o->n_opened * sizeof *more);
		o->opened = more;
	}
	o->opened[o->n_opened++] = line;
	return MD_OK;
}

static int note_title(struct conf_scan *o, const char *parent, const char *name)
{
	struct conf_title **at = &o->titles;

	while (*at && (strcmp((*at)->parent, parent) != 0 || strcmp((*at)->name, name) != 0))
		at = &(*at)->next;
	if (*at)
		return MD_OK;
	*at = arena_alloc(o->arena, sizeof **at);
	if (!*at)
		return MD_NOMEM;
	**at = (struct conf_title){ .parent = parent, .name = name };
	return MD_OK;
}

static int scan_section(struct scan *s, const struct conf_section *section, int opened);

/* A value or a list behind "=". False when that is not what stands there. */
static bool skip_value(struct scan *s, enum token *ret)
{
	*ret = next_token(s);
	if (*ret == TOKEN_OPEN)
		*ret = skip_braces(s);
	return *ret == TOKEN_WORD || *ret == TOKEN_CLOSE;
}

/* What ends the scan where something else than `t` should stand. */
static int unexpected(struct scan *s, int line, enum token t)
{
	if (t == TOKEN_END)
		t = broken(s, line, "the file ends within what begins here");
	return t == TOKEN_BROKEN ? MD_INPUT : MD_CONFLICT;
}

/* One statement whose name has been read. MD_OK, or what ends the scan: MD_INPUT for broken syntax
 * that was reported, MD_CONFLICT for something libconfuse will complain of, MD_NOMEM. */
static int scan_statement(struct scan *s, const struct conf_section *section)
{
	const char *in = section ? section->name : "";
	int line = s->start_line;
	char *from = s->start;
	const char *name = arena_strndup(s->out->arena, from, (size_t)(s->pos - from));
	const struct conf_section *inner;
	enum token t;

	if (!name)
		return MD_NOMEM;
	inner = conf_section_find(section ? in : NULL, name);
	if ((t = next_token(s)) == TOKEN_ASSIGN) {
		if (!skip_value(s, &t))
			return unexpected(s, line, t);
		if (inner || conf_key_find(in, name))
			return MD_OK;
		if (conf_section_by_title(in))
			return note_title(s->out, in, name);
		report_unknown(s, line, in, name);
		blank(from, s->pos);
		return MD_OK;
	}
	if (t == TOKEN_WORD)
		t = next_token(s);
	if (t != TOKEN_OPEN)
		return unexpected(s, line, t);
	if (inner) {
		if (!section && note_opened(s, line) != MD_OK)
			return MD_NOMEM;
		return scan_section(s, inner, line);
	}
	if (conf_key_find(in, name))
		return MD_CONFLICT;
	report_unknown(s, line, in, name);
	if (skip_braces(s) == TOKEN_BROKEN)
		return MD_INPUT;
	blank(from, s->pos);
	return MD_OK;
}

/* Statements up to the "}" of `section`, or to the end of the file for NULL. */
static int scan_section(struct scan *s, const struct conf_section *section, int opened)
{
	enum token t;
	int rc;

	while ((t = next_token(s)) == TOKEN_WORD) {
		s->statement = s->start;
		rc = scan_statement(s, section);
		s->statement = NULL;
		if (rc != MD_OK)
			return rc;
	}
	if (t == TOKEN_BROKEN)
		return MD_INPUT;
	if (t == (section ? TOKEN_CLOSE : TOKEN_END))
		return MD_OK;
	if (t != TOKEN_END)
		return MD_CONFLICT;
	s->out->broken = "section is never closed: \"}\" is missing";
	s->out->broken_line = opened;
	return MD_INPUT;
}

int conf_scan(struct conf_scan *out, char *text)
{
	struct scan s = { .out = out, .text = text, .pos = text, .line = 1 };
	int rc = scan_section(&s, NULL, 0);

	return rc == MD_NOMEM ? rc : MD_OK;
}
