/* config_nodes.c - the sections of a configuration under construction.
 *
 * Each is a node with the struct of config.h that its values are put into, defaults first. When all
 * files are read, those with a title become the arrays of struct config. */
#include "config_private.h"

#include <string.h>

/* ---- one value ---- */

static bool checked(struct conf_load *l, const struct conf_node *n, const struct conf_key *k,
		    const struct conf_value *v, const char *where)
{
	bool fine = true;
	struct md_err err;

	for (size_t i = 0; k->check && i < v->n; i++)
		if (k->check(v->v[i], &err) != MD_OK) {
			conf_error(l, v->origin, n, "%s%s = \"%.100s\": %s", where, k->name,
				   v->v[i], err.text);
			fine = false;
		}
	return fine;
}

void conf_set_value(struct conf_load *l, struct conf_node *n, const struct conf_key *k,
		    const struct conf_value *v)
{
	bool nested = n->section && strcmp(n->section->name, k->section) != 0;
	bool by_title = n->section && n->section->only_key;
	md_auto(buf_done) struct buf where = BUF_INIT(200), text = BUF_INIT(CONF_PROBLEM_MAX);
	md_auto(buf_done) struct buf written = BUF_INIT(CONF_PROBLEM_MAX);

	n->set[k - conf_keys] = v->origin; /* also when it is wrong: it is not missing */
	if (nested)
		buf_addf(&where, "%s.", k->section);
	if (!checked(l, n, k, v, buf_str(&where)) ||
	    conf_put_value(l->arena, n->object, k, v) == MD_OK)
		return;
	conf_allowed(&text, k);
	for (size_t i = 0; i < v->n; i++)
		buf_addf(&written, "%s\"%.100s\"", i ? ", " : "", v->v[i]);
	conf_error(l, v->origin, n, "%s%s = %s: %s", buf_str(&where),
		   by_title ? *(const char **)n->object : k->name, buf_str(&written),
		   buf_str(&text));
}

/* ---- sections ---- */

static bool belongs(const struct conf_node *n, const struct conf_key *k)
{
	const struct conf_section *s;

	if (!n->section)
		return k->section[0] == '\0';
	if (strcmp(k->section, n->section->name) == 0)
		return true;
	s = conf_section_find(n->section->name, k->section);
	return s && !s->title;
}

static struct conf_node *add_node(struct conf_load *l, const struct conf_section *s,
				  const struct conf_node *parent, const char *title, int line)
{
	struct conf_node *n = arena_alloc(l->arena, sizeof *n);

	if (!n)
		return NULL;
	n->section = s;
	n->parent = parent;
	n->origin = conf_here(l, line);
	n->set = arena_array(l->arena, conf_key_count, sizeof *n->set);
	n->object = !s         ? l->config
		    : s->title ? arena_alloc(l->arena, s->size)
			       : (void *)((char *)l->config + s->at);
	if (!n->set || !n->object)
		return NULL;
	if (s && s->title)
		*(const char **)n->object = arena_strdup(l->arena, title);
	for (size_t i = 0; i < conf_key_count; i++) {
		if (!conf_keys[i].standard || !belongs(n, &conf_keys[i]))
			continue;
		if (conf_put_default(l->arena, n->object, &conf_keys[i]) != MD_OK)
			return NULL;
	}
	*l->tail = n;
	l->tail = &n->next;
	return n;
}

static bool title_valid(const char *s)
{
	size_t n = strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-");

	return n > 0 && n <= 64 && s[n] == '\0';
}

struct conf_node *conf_find_node(struct conf_load *l, const struct conf_section *s,
				 const struct conf_node *parent, const char *title, int line)
{
	struct conf_node *n;

	for (n = l->nodes; n; n = n->next)
		if (n->section == s && n->parent == parent &&
		    (!s || !s->title || strcmp(*(char **)n->object, title) == 0))
			return n;
	if (s->title && !s->title_key && !title_valid(title)) {
		conf_error(
			l, conf_here(l, line), NULL,
			"%s \"%.80s\": allowed in a title: 1 to 64 letters, digits, \".\", \"-\" "
			"and \"_\"",
			s->name, title);
		return NULL;
	}
	return add_node(l, s, parent, title, line);
}

struct conf_origin conf_origin_of(const struct conf_node *n, const char *section, size_t at)
{
	for (size_t i = 0; i < conf_key_count; i++)
		if (strcmp(conf_keys[i].section, section) == 0 && conf_keys[i].at == at &&
		    n->set[i].line > 0)
			return n->set[i];
	return n->origin;
}

/* ---- their arrays ---- */

/* The titled sections of one kind within `parent` become an array of `owner`, its struct, in the
 * order of their first appearance. */
static int build_array(struct conf_load *l, const struct conf_section *s,
		       const struct conf_node *parent, void *owner)
{
	size_t count = 0;
	char *array;

	for (struct conf_node *n = l->nodes; n; n = n->next)
		count += n->section == s && n->parent == parent;
	array = arena_array(l->arena, count + 1, s->size);
	if (!array)
		return MD_NOMEM;
	*(void **)((char *)owner + s->array_at) = array;
	*(size_t *)((char *)owner + s->count_at) = count;
	for (struct conf_node *n = l->nodes; n; n = n->next)
		if (n->section == s && n->parent == parent) {
			memcpy(array, n->object, s->size);
			array += s->size;
		}
	return MD_OK;
}

/* Inner ones first: their owner's struct is copied with their arrays in it. */
int conf_build_inner_arrays(struct conf_load *l)
{
	int rc = MD_OK;

	for (struct conf_node *n = l->nodes; n; n = n->next)
		for (size_t i = 0; i < conf_section_count && rc == MD_OK; i++) {
			const struct conf_section *s = &conf_sections[i];

			if (n->section && s->title && s->parent &&
			    strcmp(s->parent, n->section->name) == 0)
				rc = build_array(l, s, n, n->object);
		}
	return rc;
}

int conf_build_arrays(struct conf_load *l)
{
	int rc = MD_OK;

	for (size_t i = 0; i < conf_section_count && rc == MD_OK; i++)
		if (conf_sections[i].title && !conf_sections[i].parent)
			rc = build_array(l, &conf_sections[i], NULL, l->config);
	return rc;
}

int conf_add_plain_nodes(struct conf_load *l)
{
	if (!add_node(l, NULL, NULL, NULL, 1))
		return MD_NOMEM;
	for (size_t i = 0; i < conf_section_count; i++)
		if (!conf_sections[i].title && !conf_sections[i].parent &&
		    !add_node(l, &conf_sections[i], NULL, NULL, 1))
			return MD_NOMEM;
	return MD_OK;
}
