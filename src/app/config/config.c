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
#include <sys/stat.h>

enum { FILE_MAX = 1 << 20, HARVESTED = 1 << 24 };

static struct conf_load *loading;

/* What a list holds when nobody set it; with more behind it, the rest was given by "+=". */
static char unset_list[] = "{\"\\x01\"}";
#define UNSET "\x01"

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
	const struct conf_section *inner = k ? NULL : conf_section_by_title(section);
	unsigned count = cfg_opt_size(opt);
	struct conf_value v = { .origin = conf_here(l, n->origin.line) };

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
	if (inner) {
		k = conf_key_find(inner->name, inner->only_key);
		n = conf_find_node(l, inner, n, cfg_opt_name(opt), v.origin.line);
	}
	if (n && v.v && k && !(v.append && v.n == 0))
		conf_set_value(l, n, k, &v);
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
	n = conf_find_node(l, owner, NULL, cfg_title(top ? cfg : parent), line);
	if (n && s != owner && s->title)
		n = conf_find_node(l, s, n, s->title_key ? key_title(l, s, cfg) : cfg_title(cfg),
				   line);
	if (n)
		harvest(l, n, s->name, cfg);
	l->closed += top;
	return 0;
}

__attribute__((format(printf, 2, 0))) static void confuse_error(cfg_t *cfg, const char *fmt,
								va_list ap)
{
	md_auto(buf_done) struct buf text = BUF_INIT(CONF_PROBLEM_MAX);

	buf_addv(&text, fmt, ap);
	conf_error(loading, conf_here(loading, cfg->line), NULL, "%s", buf_str(&text));
	loading->incomplete = true;
}

/* The options of a section (NULL: the top), from the table, and the titles written in it. NULL when
 * out of memory. */
static cfg_opt_t *build_options(struct arena *a, const struct conf_section *s,
				const struct conf_title *titles)
{
	const char *name = s ? s->name : "";
	size_t n = 0, room = conf_key_count + conf_section_count + 1;
	cfg_opt_t *opts;

	for (const struct conf_title *t = titles; t; t = t->next)
		room++;
	opts = arena_array(a, room, sizeof *opts);
	for (const struct conf_title *t = titles; opts && t; t = t->next)
		if (strcmp(t->parent, name) == 0)
			opts[n++] = (cfg_opt_t)CFG_STR_CB(t->name, NULL, CFGF_NODEFAULT, keep_line);

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

		if (strcmp(inner->parent ? inner->parent : "", name) != 0 || inner->only_key)
			continue;
		subs = build_options(a, inner, titles);
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

	conf_error(l, conf_here(l, line), NULL, "%s", text);
}

static int parse_text(struct conf_load *l, char *text)
{
	struct conf_scan scan = { .arena = l->arena, .unknown = unknown_name, .ctx = l };
	int rc = conf_scan(&scan, text);
	cfg_opt_t *opts = rc == MD_OK ? build_options(l->arena, NULL, scan.titles) : NULL;
	md_auto(cfg_free_p) cfg_t *cfg = opts ? cfg_init(opts, CFGF_NONE) : NULL;
	bool earlier = l->incomplete;

	if (!cfg)
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
		conf_error(l, conf_here(l, cfg->line), NULL, "syntax error");
		l->incomplete = true;
	}
	if (scan.broken && !l->incomplete)
		conf_error(l, conf_here(l, scan.broken_line), NULL, "%s", scan.broken);
	l->incomplete |= earlier || scan.broken;
	return MD_OK;
}

/* What some editors put in front of UTF-8 (U+FEFF) is no part of the first name. */
static int read_text(FILE *f, struct buf *out)
{
	static const char mark[] = "\xef\xbb\xbf";
	char chunk[4096];
	size_t n;

	while ((n = fread(chunk, 1, sizeof chunk, f)) > 0)
		buf_add(out, chunk, n);
	if (ferror(f))
		return MD_BROKEN;
	buf_adds(out, "\n");
	if (strncmp(buf_str(out), mark, strlen(mark)) == 0)
		memset(out->data, ' ', strlen(mark));
	return out->status == MD_OK && memchr(out->data, '\0', out->len) ? MD_INPUT : out->status;
}

/* MD_OK also for a file with errors. MD_NOTFOUND, MD_NOMEM. */
static int load_file(struct conf_load *l, const char *path)
{
	md_auto(fclose_p) FILE *f = fopen(path, "re");
	md_auto(buf_done) struct buf text = BUF_INIT(FILE_MAX);
	struct stat st;
	int rc;

	l->file = path;
	l->number++;
	if (!f) {
		int why = errno;

		conf_error(l, conf_here(l, 1), NULL, "cannot be read: %s%s", strerror(why),
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
	if (rc == MD_BROKEN)
		conf_error(l, conf_here(l, 1), NULL, "cannot be read: %s%s", strerror(errno),
			   conf_way_out(errno));
	else if (rc != MD_OK)
		conf_error(l, conf_here(l, 1), NULL,
			   "no configuration: allowed: up to 1 MB of text");
	if (rc != MD_OK) {
		l->incomplete = true;
		return MD_OK;
	}
	if (fstat(fileno(f), &st) == 0 && st.st_mode & S_IWOTH)
		conf_warning(l, conf_here(l, 1), NULL,
			     "may be written by everybody on this machine: chmod o-w %s", path);
	return parse_text(l, text.data);
}

/* What is there but cannot be read would be settings that silently do not count. */
static int folder_unread(const char *path, int why)
{
	if (why == ENOENT)
		return 0;
	loading->file = arena_strdup(loading->arena, path);
	conf_error(loading, conf_here(loading, 1), NULL, "cannot be read: %s%s", strerror(why),
		   conf_way_out(why));
	return 0;
}

static int load_fragments(struct conf_load *l)
{
	const char *file = l->config->file, *slash = strrchr(file, '/');
	const char *folder =
		arena_printf(l->arena, "%.*sconf.d", slash ? (int)(slash + 1 - file) : 0, file);
	const char *pattern = folder ? arena_printf(l->arena, "%s/*.conf", folder) : NULL;
	md_auto(globfree) glob_t found = { 0 };
	struct stat st;
	int rc = MD_OK;

	if (!pattern)
		return MD_NOMEM;
	loading = l; /* glob's callback takes no context either */
	if (stat(folder, &st) == 0 && !S_ISDIR(st.st_mode)) /* which glob does not tell */
		folder_unread(folder, ENOTDIR);
	rc = glob(pattern, 0, folder_unread, &found) == GLOB_NOSPACE ? MD_NOMEM : MD_OK;
	loading = NULL;
	for (size_t i = 0; i < found.gl_pathc && rc != MD_NOMEM; i++)
		rc = load_file(l, arena_strdup(l->arena, found.gl_pathv[i]));
	return rc == MD_NOMEM ? rc : MD_OK;
}

/* ---- the whole ---- */

static int load_all(struct conf_load *l)
{
	int rc = conf_add_plain_nodes(l);

	if (rc != MD_OK || (rc = load_file(l, l->config->file)) != MD_OK ||
	    (rc = load_fragments(l)) != MD_OK || (rc = conf_build_inner_arrays(l)) != MD_OK)
		return rc;
	config_check(l);
	if ((rc = conf_build_arrays(l)) != MD_OK)
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
	if (conf_tell_problems(&l, problems) != MD_OK)
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
