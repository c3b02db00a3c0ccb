/* config_problems.c - what is wrong with a configuration, all of it, each with its place. */
#include "config_private.h"

#include <stdarg.h>
#include <stdlib.h>

__attribute__((format(printf, 5, 0))) static void add_problem(struct conf_load *l,
							      struct conf_origin o, bool warning,
							      const struct conf_node *n,
							      const char *fmt, va_list ap)
{
	md_auto(buf_done) struct buf text = BUF_INIT(CONF_PROBLEM_MAX);
	struct conf_problem *p = arena_alloc(l->arena, sizeof *p);

	if (n && n->section) {
		bool by_title = n->section->only_key;

		buf_adds(&text, by_title ? n->section->parent : n->section->name);
		if (n->section->title && !by_title)
			buf_addf(&text, " \"%s\"", *(const char **)n->object);
		buf_adds(&text, ": ");
	}
	buf_addv(&text, fmt, ap);
	l->n_errors += !warning;
	if (!p)
		return;
	p->origin = o;
	p->warning = warning;
	p->number = l->n_problems++;
	p->text = arena_strdup(l->arena, buf_str(&text));
	p->next = l->problems;
	l->problems = p;
}

void conf_error(struct conf_load *l, struct conf_origin o, const struct conf_node *n,
		const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	add_problem(l, o, false, n, fmt, ap);
	va_end(ap);
}

void conf_warning(struct conf_load *l, struct conf_origin o, const struct conf_node *n,
		  const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	add_problem(l, o, true, n, fmt, ap);
	va_end(ap);
}

static int by_place(const void *left, const void *right)
{
	const struct conf_problem *a = *(struct conf_problem *const *)left;
	const struct conf_problem *b = *(struct conf_problem *const *)right;

	if (a->warning != b->warning)
		return a->warning ? 1 : -1;
	if (a->origin.number != b->origin.number)
		return a->origin.number < b->origin.number ? -1 : 1;
	if (a->origin.line != b->origin.line)
		return a->origin.line < b->origin.line ? -1 : 1;
	return a->number < b->number ? -1 : 1;
}

int conf_tell_problems(struct conf_load *l, struct buf *out)
{
	struct conf_problem **all = arena_array(l->arena, l->n_problems + 1, sizeof(void *));
	size_t n = 0;

	if (!all)
		return MD_NOMEM;
	for (struct conf_problem *p = l->problems; p; p = p->next)
		all[n++] = p;
	qsort(all, n, sizeof(void *), by_place);
	for (size_t i = 0; i < n; i++)
		buf_addf(out, "%s:%d: %s%s\n", all[i]->origin.file, all[i]->origin.line,
			 all[i]->warning ? "warning: " : "", all[i]->text ? all[i]->text : "");
	return MD_OK;
}
