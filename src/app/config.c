/* Loading: each file is scanned, parsed by libconfuse on its own, and its values are put, one by
 * one as each section closes, into the structs of config.h. So later files (and later sections of
 * the same title) override single keys, and every value is checked where it stands.
 *
 * For libconfuse all values are text; the table knows their types. Its parse callback puts the line
 * in front of each value ("12:text"), since it keeps none itself, and its callbacks take no
 * context: `loading` is theirs. Configurations are read by one thread at a time. */
#include "config_private.h"

#include <confuse.h>
#include <errno.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FILE_MAX = 1 << 20, PROBLEM_MAX = 8192, HARVESTED = 1 << 24 };

static struct conf_load *loading;

/* What a list holds when nobody set it; with more behind it, the rest was given by "+=". */
static char unset_list[] = "{\"\\x01\"}";
#define UNSET "\x01"

/* ---- problems ---- */

__attribute__((format(printf, 5, 0))) static void add_problem(struct conf_load *l,
							      struct conf_origin o, bool warning,
							      const struct conf_node *n,
							      const char *fmt, va_list ap)
{
	md_auto(buf_done) struct buf text = BUF_INIT(PROBLEM_MAX);
	struct conf_problem *p = arena_alloc(l->arena, sizeof *p);

	if (n && n->section) {
		buf_adds(&text, n->section->name);
		if (n->section->title)
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

static struct conf_origin here(const struct conf_load *l, int line)
{
	return (struct conf_origin){ l->file, l->number, line };
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

/* Errors, then warnings, each by file and line. */
static int tell_problems(struct conf_load *l, struct buf *out)
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

static void set_value(struct conf_load *l, struct conf_node *n, const struct conf_key *k,
		      const struct conf_value *v)
{
	bool nested = n->section && strcmp(n->section->name, k->section) != 0;
	md_auto(buf_done) struct buf where = BUF_INIT(200), text = BUF_INIT(PROBLEM_MAX);
	md_auto(buf_done) struct buf written = BUF_INIT(PROBLEM_MAX);

	n->set[k - conf_keys] = v->origin; /* also when it is wrong: it is not missing */
	if (nested)
		buf_addf(&where, "%s.", k->section);
	if (!checked(l, n, k, v, buf_str(&where)) ||
	    conf_put_value(l->arena, n->object, k, v) == MD_OK)
		return;
	conf_allowed(&text, k);
	for (size_t i = 0; i < v->n; i++)
		buf_addf(&written, "%s\"%.100s\"", i ? ", " : "", v->v[i]);
	conf_error(l, v->origin, n, "%s%s = %s: %s", buf_str(&where), k->name, buf_str(&written),
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
	n->origin = here(l, line);
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

/* The section of that title, made when it is new. NULL: reported, or out of memory. */
static struct conf_node *find_node(struct conf_load *l, const struct conf_section *s,
				   const struct conf_node *parent, const char *title, int line)
{
	struct conf_node *n;

	for (n = l->nodes; n; n = n->next)
		if (n->section == s && n->parent == parent &&
		    (!s || !s->title || strcmp(*(char **)n->object, title) == 0))
			return n;
	if (s->title && !s->title_key && !title_valid(title)) {
		conf_error(
			l, here(l, line), NULL,
			"%s \"%.80s\": allowed in a title: 1 to 64 letters, digits, \".\", \"-\" "
			"and \"_\"",
			s->name, title);
		return NULL;
	}
	return add_node(l, s, parent, title, line);
}

/* ---- libconfuse ---- */

static int keep_line(cfg_t *cfg, cfg_opt_t *opt, const char *value, void *result)
{
	const char *kept = arena_printf(loading->arena, "%d:%s", cfg->line, value);

	(void)opt;
	*(const char **)result = kept;
	return kept ? 0 : -1;
}

/* "12:text" to its parts. */
static const char *take_line(struct conf_load *l, const char *kept, int *ret_line)
{
	char *text;

	*ret_line = (int)strtol(kept, &text, 10);
	return arena_strdup(l->arena, text + 1);
}

static void harvest_key(struct conf_load *l, struct conf_node *n, const char *section,
			cfg_opt_t *opt)
{
	const struct conf_key *k = conf_key_find(section, cfg_opt_name(opt));
	unsigned count = cfg_opt_size(opt);
	struct conf_value v = { .origin = here(l, n->origin.line) };

	if (!(opt->flags & CFGF_LIST) && (count == 0 || !cfg_opt_getnstr(opt, 0)))
		return;
	v.v = arena_array(l->arena, count + 1, sizeof *v.v);
	for (unsigned i = 0; v.v && i < count; i++) {
		const char *text = take_line(l, cfg_opt_getnstr(opt, i), &v.origin.line);

		if (i == 0 && text && strcmp(text, UNSET) == 0)
			v.append = true;
		else
			v.v[v.n++] = text;
	}
	if (v.v && k && !(v.append && v.n == 0))
		set_value(l, n, k, &v);
}

static void harvest(struct conf_load *l, struct conf_node *n, const char *section, cfg_t *cfg)
{
	for (unsigned i = 0; i < cfg_num(cfg); i++)
		if (cfg_getnopt(cfg, i)->type == CFGT_STR)
			harvest_key(l, n, section, cfg_getnopt(cfg, i));
}

/* The title of a section that is known by one of its keys; "" when that is missing. */
static const char *key_title(struct conf_load *l, const struct conf_section *s, cfg_t *cfg)
{
	const char *kept = cfg_getstr(cfg, s->title_key), *title;
	int line;

	title = kept ? take_line(l, kept, &line) : NULL;
	return title ? title : "";
}

/* Called when a section has been read. libconfuse replaces an earlier one of the same title in its
 * place, so the new one is the one without our mark. */
static int section_closed(cfg_t *parent, cfg_opt_t *opt)
{
	struct conf_load *l = loading;
	bool top = strcmp(cfg_name(parent), "root") == 0;
	const struct conf_section *s =
		conf_section_find(top ? NULL : cfg_name(parent), cfg_opt_name(opt));
	const struct conf_section *owner = top ? s : conf_section_find(NULL, cfg_name(parent));
	int line = l->closed < l->scan->n_opened ? l->scan->opened[l->closed] : 1;
	struct conf_node *n;
	cfg_t *cfg = NULL;

	for (unsigned i = 0; i < cfg_opt_size(opt); i++)
		if (!(cfg_opt_getnsec(opt, i)->flags & HARVESTED))
			cfg = cfg_opt_getnsec(opt, i);
	if (!s || !owner || !cfg)
		return 0;
	cfg->flags |= HARVESTED;
	n = find_node(l, owner, NULL, cfg_title(top ? cfg : parent), line);
	if (n && s != owner && s->title)
		n = find_node(l, s, n, s->title_key ? key_title(l, s, cfg) : cfg_title(cfg), line);
	if (n)
		harvest(l, n, s->name, cfg);
	l->closed += top;
	return 0;
}

__attribute__((format(printf, 2, 0))) static void confuse_error(cfg_t *cfg, const char *fmt,
								va_list ap)
{
	md_auto(buf_done) struct buf text = BUF_INIT(PROBLEM_MAX);

	buf_addv(&text, fmt, ap);
	conf_error(loading, here(loading, cfg->line), NULL, "%s", buf_str(&text));
	loading->incomplete = true;
}

/* The options of a section (NULL: the top), from the table. NULL when out of memory. */
static cfg_opt_t *build_options(struct arena *a, const struct conf_section *s)
{
	const char *name = s ? s->name : "";
	cfg_opt_t *opts = arena_array(a, conf_key_count + conf_section_count + 1, sizeof *opts);
	size_t n = 0;

	for (size_t i = 0; opts && i < conf_key_count; i++) {
		const struct conf_key *k = &conf_keys[i];
		bool list = k->type == CONF_STRS || k->type == CONF_PERCENTS;

		if (strcmp(k->section, name) != 0)
			continue;
		opts[n++] =
			list ? (cfg_opt_t)CFG_STR_LIST_CB(k->name, unset_list, CFGF_NONE, keep_line)
			     : (cfg_opt_t)CFG_STR_CB(k->name, NULL, CFGF_NODEFAULT, keep_line);
	}
	for (size_t i = 0; opts && i < conf_section_count; i++) {
		const struct conf_section *inner = &conf_sections[i];
		cfg_opt_t *subs;

		if (strcmp(inner->parent ? inner->parent : "", name) != 0)
			continue;
		subs = build_options(a, inner);
		if (!subs)
			return NULL;
		opts[n] = (cfg_opt_t)
			CFG_SEC(inner->name, subs,
				CFGF_MULTI | (inner->title && !inner->title_key ? CFGF_TITLE : 0));
		opts[n++].validcb = section_closed;
	}
	if (opts)
		opts[n] = (cfg_opt_t)CFG_END();
	return opts;
}

MD_DEFINE_AUTO(cfg_t *, cfg_free)
MD_DEFINE_AUTO(FILE *, fclose)

/* ---- files ---- */

static void unknown_name(void *ctx, int line, const char *text)
{
	struct conf_load *l = ctx;

	conf_error(l, here(l, line), NULL, "%s", text);
}

static int parse_text(struct conf_load *l, char *text)
{
	struct conf_scan scan = { .arena = l->arena, .unknown = unknown_name, .ctx = l };
	cfg_opt_t *opts = build_options(l->arena, NULL);
	md_auto(cfg_free_p) cfg_t *cfg = opts ? cfg_init(opts, CFGF_NONE) : NULL;
	bool earlier = l->incomplete;
	int rc;

	if (!cfg || conf_scan(&scan, text) != MD_OK)
		return MD_NOMEM;
	l->scan = &scan;
	l->closed = 0;
	cfg_set_error_function(cfg, confuse_error);
	l->incomplete = false;
	loading = l;
	rc = cfg_parse_buf(cfg, text);
	harvest(l, l->nodes, "", cfg);
	loading = NULL;
	l->scan = NULL;
	if (l->arena->failed)
		return MD_NOMEM;
	if (rc != CFG_SUCCESS && !l->incomplete) { /* without a word: an empty name */
		conf_error(l, here(l, cfg->line), NULL, "syntax error");
		l->incomplete = true;
	}
	if (scan.broken && !l->incomplete)
		conf_error(l, here(l, scan.broken_line), NULL, "%s", scan.broken);
	l->incomplete |= earlier || scan.broken;
	return MD_OK;
}

static int read_text(FILE *f, struct buf *out)
{
	char chunk[4096];
	size_t n;

	while ((n = fread(chunk, 1, sizeof chunk, f)) > 0)
		buf_add(out, chunk, n);
	buf_adds(out, "\n");
	if (ferror(f))
		return MD_BROKEN;
	return out->status == MD_OK && memchr(out->data, '\0', out->len) ? MD_INPUT : out->status;
}

/* MD_OK also for a file with errors. MD_NOTFOUND, MD_NOMEM. */
static int load_file(struct conf_load *l, const char *path)
{
	md_auto(fclose_p) FILE *f = fopen(path, "re");
	md_auto(buf_done) struct buf text = BUF_INIT(FILE_MAX);
	int rc;

	l->file = path;
	l->number++;
	if (!f) {
		int why = errno;

		conf_error(l, here(l, 1), NULL, "cannot be read: %s%s", strerror(why),
			   why == ENOENT && l->number == 1
				   ? "; \"maildesk init\" writes one, --config names another"
				   : conf_way_out(why));
		errno = why;
		l->incomplete = true;
		return errno == ENOENT || errno == ENOTDIR ? MD_NOTFOUND : MD_OK;
	}
	rc = read_text(f, &text);
	if (rc == MD_NOMEM)
		return rc;
	if (rc != MD_OK) {
		conf_error(l, here(l, 1), NULL,
			   rc == MD_BROKEN ? "cannot be read"
					   : "no configuration: allowed: up to 1 MB of text");
		l->incomplete = true;
		return MD_OK;
	}
	return parse_text(l, text.data);
}

/* A folder that is there but cannot be read would be settings that silently do not count. */
static int folder_unread(const char *path, int why)
{
	if (why == ENOENT || why == ENOTDIR)
		return 0;
	loading->file = arena_strdup(loading->arena, path);
	conf_error(loading, here(loading, 1), NULL, "cannot be read: %s%s", strerror(why),
		   conf_way_out(why));
	return 0;
}

static int load_fragments(struct conf_load *l)
{
	const char *file = l->config->file, *slash = strrchr(file, '/');
	const char *pattern = arena_printf(l->arena, "%.*sconf.d/*.conf",
					   slash ? (int)(slash + 1 - file) : 0, file);
	md_auto(globfree) glob_t found = { 0 };
	int rc = MD_OK;

	if (!pattern)
		return MD_NOMEM;
	loading = l; /* glob's callback takes no context either */
	rc = glob(pattern, 0, folder_unread, &found) == GLOB_NOSPACE ? MD_NOMEM : MD_OK;
	loading = NULL;
	for (size_t i = 0; i < found.gl_pathc && rc != MD_NOMEM; i++)
		rc = load_file(l, arena_strdup(l->arena, found.gl_pathv[i]));
	return rc == MD_NOMEM ? rc : MD_OK;
}

/* ---- the whole ---- */

struct conf_origin conf_origin_of(const struct conf_node *n, const char *section, size_t at)
{
	for (size_t i = 0; i < conf_key_count; i++)
		if (strcmp(conf_keys[i].section, section) == 0 && conf_keys[i].at == at &&
		    n->set[i].line > 0)
			return n->set[i];
	return n->origin;
}

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
static int build_inner_arrays(struct conf_load *l)
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

static int build_arrays(struct conf_load *l)
{
	int rc = MD_OK;

	for (size_t i = 0; i < conf_section_count && rc == MD_OK; i++)
		if (conf_sections[i].title && !conf_sections[i].parent)
			rc = build_array(l, &conf_sections[i], NULL, l->config);
	return rc;
}

/* Sections without title exist, with their defaults, whether written or not. */
static int add_plain_nodes(struct conf_load *l)
{
	if (!add_node(l, NULL, NULL, NULL, 1))
		return MD_NOMEM;
	for (size_t i = 0; i < conf_section_count; i++)
		if (!conf_sections[i].title && !conf_sections[i].parent &&
		    !add_node(l, &conf_sections[i], NULL, NULL, 1))
			return MD_NOMEM;
	return MD_OK;
}

static int load_all(struct conf_load *l)
{
	int rc = add_plain_nodes(l);

	if (rc != MD_OK || (rc = load_file(l, l->config->file)) != MD_OK ||
	    (rc = load_fragments(l)) != MD_OK || (rc = build_inner_arrays(l)) != MD_OK)
		return rc;
	config_check(l);
	if ((rc = build_arrays(l)) != MD_OK)
		return rc;
	return l->n_errors ? MD_INPUT : l->arena->failed ? MD_NOMEM : MD_OK;
}

int config_load(const char *file, struct config **ret, struct buf *problems)
{
	md_auto(config_free_p) struct config *c = md_calloc(1, sizeof *c);
	struct conf_load l = { .config = c, .file = file };
	int rc;

	if (!c)
		return MD_NOMEM;
	c->arena = (struct arena)ARENA_INIT(64 << 20);
	c->file = arena_strdup(&c->arena, file);
	if (!c->file)
		return MD_NOMEM;
	l.arena = &c->arena;
	l.file = c->file;
	l.tail = &l.nodes;
	rc = load_all(&l);
	loading = NULL;
	if (tell_problems(&l, problems) != MD_OK)
		return MD_NOMEM;
	if (rc == MD_OK)
		*ret = md_take(c);
	return rc;
}

void config_free(struct config *c)
{
	struct arena a;

	if (!c)
		return;
	a = c->arena;
	arena_done(&a);
	free(c);
}

const struct conf_mailbox *config_mailbox(const struct config *c, const char *title)
{
	for (size_t i = 0; i < c->n_mailboxes; i++)
		if (strcmp(c->mailboxes[i].title, title) == 0)
			return &c->mailboxes[i];
	return NULL;
}

const struct conf_oauth *config_oauth(const struct config *c, const char *title)
{
	for (size_t i = 0; i < c->n_oauths; i++)
		if (strcmp(c->oauths[i].title, title) == 0)
			return &c->oauths[i];
	return NULL;
}

const struct conf_team *config_team(const struct config *c, const char *title)
{
	for (size_t i = 0; i < c->n_teams; i++)
		if (strcmp(c->teams[i].title, title) == 0)
			return &c->teams[i];
	return NULL;
}

const struct conf_field *config_field(const struct config *c, const char *title)
{
	for (size_t i = 0; i < c->n_fields; i++)
		if (strcmp(c->fields[i].title, title) == 0)
			return &c->fields[i];
	return NULL;
}

const struct conf_smtp *config_smtp(const struct config *c, const char *title)
{
	for (size_t i = 0; i < c->n_smtp; i++)
		if (strcmp(c->smtp[i].title, title) == 0)
			return &c->smtp[i];
	return NULL;
}
