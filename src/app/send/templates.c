#include "templates_priv.h"

#include <maildesk/base/embed.h>
#include <maildesk/base/io.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FILES_MAX = 2000, PATH_BYTES = 4400 };
#define SUFFIX ".mustache"
#define FOLDER "templates/"

static int compare(const void *a, const void *b)
{
	return strcmp(((const struct entry *)a)->name, ((const struct entry *)b)->name);
}

static struct entry *entry_of(const struct templates *t, size_t n, const char *locale,
			      const char *name)
{
	struct entry key;

	if (snprintf(key.name, sizeof key.name, "%s/%s", locale, name) >= (int)sizeof key.name)
		return NULL;
	return n ? bsearch(&key, t->v, n, sizeof *t->v, compare) : NULL;
}

/* NULL when out of memory. */
static struct entry *add_entry(struct templates *t, const char *name, size_t n)
{
	if (t->n == t->room) {
		size_t room = t->room ? t->room * 2 : 256;
		struct entry *more = md_realloc(t->v, room * sizeof *more);

		if (!more)
			return NULL;
		t->v = more;
		t->room = room;
	}
	t->v[t->n] = (struct entry){ 0 };
	snprintf(t->v[t->n].name, sizeof t->v->name, "%.*s", (int)n, name);
	return &t->v[t->n++];
}

/* ---- built in ---- */

static int load_built_in(struct templates *t, struct md_err *err)
{
	for (const struct embed_file *f = embed_files; f->name; f++) {
		const char *name = f->name + strlen(FOLDER);
		struct entry *e;
		int rc;

		if (strncmp(f->name, FOLDER, strlen(FOLDER)) != 0)
			continue;
		e = add_entry(t, name, strlen(name) - strlen(SUFFIX));
		if (!e)
			return md_fail(err, MD_NOMEM, 0, "out of memory");
		rc = template_compile(f->name, f->data, f->len, &e->built_in, err);
		if (rc != MD_OK)
			return rc == MD_INPUT ? MD_BROKEN : rc;
	}
	qsort(t->v, t->n, sizeof *t->v, compare);
	return MD_OK;
}

/* ---- of templates_dir ---- */

struct loading {
	struct templates *t;
	size_t built_in; /* entries before those that only templates_dir has */
	struct buf *problems;
	size_t files;
	int rc; /* MD_NOMEM ends it */
};

static void complain(struct loading *l, const char *path, const char *what)
{
	buf_addf(l->problems, "%s: %s\n", path, what);
}

/* Of one that is too large, more than TEMPLATE_MAX bytes: template_compile() then refuses it. */
static int read_file(const char *path, struct buf *out)
{
	md_auto(md_close_p) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) != 0)
		return errno;
	if (!S_ISREG(st.st_mode))
		return EINVAL;
	return io_read_all(fd, TEMPLATE_MAX, out);
}

/* An entry for a file, made when there is no built-in one. */
static struct entry *entry_for(struct loading *l, const char *locale, const char *name, size_t n)
{
	char bare[NAME_MAX_BYTES], whole[2 * NAME_MAX_BYTES];
	struct entry *e;

	snprintf(bare, sizeof bare, "%.*s", (int)n, name);
	e = entry_of(l->t, l->built_in, locale, bare);
	if (e)
		return e;
	e = add_entry(l->t, whole, (size_t)snprintf(whole, sizeof whole, "%s/%s", locale, bare));
	if (!e)
		l->rc = MD_NOMEM;
	return e;
}

static void load_file(struct loading *l, const char *path, const char *locale, const char *name,
		      size_t n)
{
	md_auto(buf_done) struct buf text = BUF_INIT(2 * TEMPLATE_MAX);
	struct template *compiled = NULL;
	struct entry *e;
	struct md_err err;
	int rc;

	if (strlen(locale) + 1 + n >= NAME_MAX_BYTES || ++l->files > FILES_MAX) {
		complain(l, path, l->files > FILES_MAX ? "too many files" : "name too long");
		return;
	}
	rc = read_file(path, &text);
	if (rc == ENOMEM) {
		l->rc = MD_NOMEM;
		return;
	}
	if (rc != 0) {
		complain(l, path, rc == EINVAL ? "not a file" : strerror(rc));
		return;
	}
	rc = template_compile(path, buf_str(&text), text.len, &compiled, &err);
	if (rc == MD_INPUT)
		buf_addf(l->problems, "%s\n", err.text);
	else if (rc != MD_OK)
		l->rc = rc;
	if (rc != MD_OK)
		return;
	e = entry_for(l, locale, name, n);
	if (e) {
		template_free(e->own);
		e->own = compiled;
	} else {
		template_free(compiled);
	}
}

static void load_locale(struct loading *l, const char *dir, const char *locale)
{
	size_t suffix = strlen(SUFFIX);
	char path[PATH_BYTES];
	struct dirent **names;
	int n;

	snprintf(path, sizeof path, "%s/%s", dir, locale);
	n = scandir(path, &names, NULL, alphasort);
	if (n < 0 && errno != ENOTDIR)
		complain(l, path, strerror(errno));
	for (int i = 0; i < n; i++) {
		const char *name = names[i]->d_name;
		size_t len = strlen(name);

		if (l->rc == MD_OK && *name != '.' && len > suffix &&
		    strcmp(name + len - suffix, SUFFIX) == 0) {
			snprintf(path, sizeof path, "%s/%s/%s", dir, locale, name);
			load_file(l, path, locale, name, len - suffix);
		}
		free(names[i]);
	}
	if (n >= 0)
		free(names);
}

static int load_own(struct templates *t, const char *dir, struct buf *problems, struct md_err *err)
{
	struct loading l = { .t = t, .built_in = t->n, .problems = problems };
	struct dirent **locales;
	int n = scandir(dir, &locales, NULL, alphasort);

	if (n < 0)
		buf_addf(problems,
			 "%s: %s; desk.templates_dir is to be a folder that the "
			 "service's user may read, or nothing\n",
			 dir, strerror(errno));
	for (int i = 0; i < n; i++) {
		if (l.rc == MD_OK && *locales[i]->d_name != '.')
			load_locale(&l, dir, locales[i]->d_name);
		free(locales[i]);
	}
	if (n >= 0)
		free(locales);
	qsort(t->v, t->n, sizeof *t->v, compare);
	return l.rc == MD_OK ? MD_OK : md_fail(err, (enum md_code)l.rc, 0, "out of memory");
}

int templates_load(const char *dir, struct templates **ret, struct buf *problems,
		   struct md_err *err)
{
	md_auto(templates_free_p) struct templates *t = md_calloc(1, sizeof *t);
	int rc;

	if (!t)
		return md_fail(err, MD_NOMEM, 0, "out of memory");
	rc = load_built_in(t, err);
	if (rc == MD_OK && dir && *dir)
		rc = load_own(t, dir, problems, err);
	if (rc == MD_OK)
		*ret = md_take(t);
	return rc;
}

int templates_add_file(struct templates *t, const char *path, struct buf *problems,
		       struct md_err *err)
{
	struct loading l = { .t = t, .built_in = t->n, .problems = problems };
	const char *name = strrchr(path, '/'), *folder = name;
	char locale[NAME_MAX_BYTES] = "en";
	size_t len;

	while (folder && folder > path && folder[-1] != '/')
		folder--;
	if (folder && folder < name)
		snprintf(locale, sizeof locale, "%.*s", (int)(name - folder), folder);
	name = name ? name + 1 : path;
	len = strlen(name);
	if (len > strlen(SUFFIX) && strcmp(name + len - strlen(SUFFIX), SUFFIX) == 0)
		len -= strlen(SUFFIX);
	load_file(&l, path, locale, name, len);
	qsort(t->v, t->n, sizeof *t->v, compare);
	return l.rc == MD_OK ? MD_OK : md_fail(err, (enum md_code)l.rc, 0, "out of memory");
}

void templates_free(struct templates *t)
{
	for (size_t i = 0; t && i < t->n; i++) {
		template_free(t->v[i].built_in);
		template_free(t->v[i].own);
	}
	if (t)
		free(t->v);
	free(t);
}

/* ---- looking up ---- */

/* Are there templates of that locale? */
static bool is_spoken(const struct templates *t, const char *locale)
{
	size_t len = strlen(locale);

	for (size_t i = 0; i < t->n; i++)
		if (strncmp(t->v[i].name, locale, len) == 0 && t->v[i].name[len] == '/')
			return true;
	return false;
}

static void add_locale(struct templates_view *v, const char *locale, size_t len)
{
	char *to;

	if (v->n == TEMPLATES_LOCALES_MAX || len == 0 || len >= TEMPLATES_LOCALE_LEN)
		return;
	to = v->locale[v->n];
	snprintf(to, TEMPLATES_LOCALE_LEN, "%.*s", (int)len, locale);
	for (char *c = to; *c; c++)
		*c = *c == '-' ? '_' : *c;
	for (size_t i = 0; i < v->n; i++)
		if (strcmp(v->locale[i], to) == 0)
			return;
	v->n += is_spoken(v->templates, to);
}

void templates_view(const struct templates *t, const char *const *locales, size_t n,
		    struct templates_view *ret)
{
	*ret = (struct templates_view){ .templates = t };
	for (size_t i = 0; i < n && ret->n < TEMPLATES_LOCALES_MAX - 3; i++) {
		if (!locales[i])
			continue;
		add_locale(ret, locales[i], strlen(locales[i]));
		add_locale(ret, locales[i], strcspn(locales[i], "-_"));
	}
	add_locale(ret, "en", 2);
	add_locale(ret, "shared", 6);
}

static const struct template *find_in(const struct templates_view *v, const char *name,
				      const char **ret_locale)
{
	for (size_t i = 0; i < v->n; i++) {
		const struct entry *e = entry_of(v->templates, v->templates->n, v->locale[i], name);

		if (!e || (v->built_in_only && !e->built_in))
			continue;
		*ret_locale = v->locale[i];
		return e->own && !v->built_in_only ? e->own : e->built_in;
	}
	*ret_locale = NULL;
	return NULL;
}

const struct template *templates_find(void *view, const char *name)
{
	const char *locale;

	return find_in(view, name, &locale);
}

const char *templates_locale_of(const struct templates_view *view, const char *name)
{
	const char *locale;

	find_in(view, name, &locale);
	return locale;
}
