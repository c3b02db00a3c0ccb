/* A row of a report as JSON and as CSV: a table of cells says what it has. */
#include "reports_private.h"

#include <string.h>

/* A spreadsheet would take it for a formula (the apostrophe makes it text); else RFC 4180. */
static void csv_text(struct buf *out, const char *text)
{
	bool formula = *text && strchr("=+-@\t\r", *text);
	bool quoted = strpbrk(text, ",\"\r\n") != NULL;

	if (quoted)
		buf_addc(out, '"');
	if (formula)
		buf_addc(out, '\'');
	for (; *text; text++) {
		if (*text == '"')
			buf_addc(out, '"');
		buf_addc(out, *text);
	}
	if (quoted)
		buf_addc(out, '"');
}

static void csv_cell(struct buf *out, const struct cell *c)
{
	if (c->kind == CELL_TEXT && c->text)
		csv_text(out, c->text);
	else if (c->kind == CELL_INT && c->number >= 0)
		buf_addf(out, "%lld", (long long)c->number);
	else if (c->kind == CELL_SHARE && c->of)
		buf_addf(out, "%.4f", (double)c->number / (double)c->of);
}

static void json_cell(struct buf *out, const struct cell *c)
{
	if (c->kind == CELL_TEXT)
		show_text(out, c->name, c->text);
	else if (c->kind == CELL_INT ? c->number < 0 : !c->of)
		show_null(out, c->name);
	else if (c->kind == CELL_INT)
		show_int(out, c->name, c->number);
	else
		show_number(out, c->name, (double)c->number / (double)c->of);
}

void report_begin(struct report *p, const struct cell *cells, size_t n)
{
	struct buf *out = &p->r->body;

	if (p->csv) {
		p->r->type = "text/csv; charset=utf-8";
		http_disposition(p->q, p->r, "attachment",
				 arena_printf(p->q->arena, "%s.csv", p->name));
		for (size_t i = 0; i < n; i++)
			buf_addf(out, "%s%s", i ? "," : "", cells[i].name);
		buf_adds(out, "\r\n");
		return;
	}
	show_begin(out, NULL, '{');
	show_time(out, "from", p->range.from_ms);
	show_time(out, "to", p->range.to_ms);
	show_text(out, "group", p->grouping);
	show_begin(out, "rows", '[');
}

void report_add(struct report *p, const struct cell *cells, size_t n)
{
	struct buf *out = &p->r->body;

	if (p->csv) {
		for (size_t i = 0; i < n; i++) {
			if (i)
				buf_addc(out, ',');
			csv_cell(out, &cells[i]);
		}
		buf_adds(out, "\r\n");
		return;
	}
	show_begin(out, NULL, '{');
	for (size_t i = 0; i < n; i++)
		json_cell(out, &cells[i]);
	show_end(out, '}');
}

void report_end(struct report *p)
{
	if (p->csv)
		return;
	show_end(&p->r->body, ']');
	show_end(&p->r->body, '}');
}
