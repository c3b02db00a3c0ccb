/* port_report.c - what became of the lines of an import, counted. */
#include "port_line.h"

enum { UNMAPPED_MAX = 1000 };

int port_report_new(struct port_report *ret, struct md_err *err)
{
	*ret = (struct port_report){ json_object(), json_object() };
	return ret->done && ret->unmapped ? MD_OK
					  : md_fail(err, MD_NOMEM, 0, "import: out of memory");
}

void port_report_done(struct port_report *r)
{
	json_decref(r->done);
	json_decref(r->unmapped);
	*r = (struct port_report){ 0 };
}

static void count(json_t *in, const char *key, json_int_t more)
{
	json_int_t before = json_integer_value(json_object_get(in, key));

	json_object_set_new(in, key, json_integer(before + more));
}

/* At most `max` keys. */
static void add_counts(json_t *to, json_t *more, size_t max)
{
	for (void *it = json_object_iter(more); it; it = json_object_iter_next(more, it)) {
		const char *what = json_object_iter_key(it);

		if (json_object_size(to) < max || json_object_get(to, what))
			count(to, what, json_integer_value(json_object_iter_value(it)));
	}
}

void port_report_add(struct port_report *to, const struct port_report *more)
{
	for (void *it = json_object_iter(more->done); it;
	     it = json_object_iter_next(more->done, it)) {
		const char *type = json_object_iter_key(it);

		if (!json_object_get(to->done, type))
			json_object_set_new(to->done, type, json_object());
		add_counts(json_object_get(to->done, type), json_object_iter_value(it), SIZE_MAX);
	}
	add_counts(to->unmapped, more->unmapped, UNMAPPED_MAX);
}

void port_done(const struct port_import *im, const char *type, const char *what)
{
	if (!json_object_get(im->report->done, type))
		json_object_set_new(im->report->done, type, json_object());
	count(json_object_get(im->report->done, type), what, 1);
}

void port_unmapped(struct port_report *r, const char *type, const char *what)
{
	md_auto(buf_done) struct buf text = BUF_INIT(1 << 10);

	buf_addf(&text, "%s: %s", type, what);
	if (text.status == MD_OK)
		count(r->unmapped, buf_str(&text), 1);
}

void line_tell(struct line *l, const char *key, const char *what)
{
	md_auto(buf_done) struct buf text = BUF_INIT(1 << 10);

	buf_addf(&text, "%s %s", key, what);
	if (text.status == MD_OK)
		port_unmapped(l->im->report, l->t->type, buf_str(&text));
}
