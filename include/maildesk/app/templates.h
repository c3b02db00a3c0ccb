/* templates.h - the templates of letters: the built-in ones, and files of templates_dir instead.
 *
 * LOCALE/NAME.mustache, NAME being "EVENT.subject", "EVENT.text", "EVENT.html" or a partial of
 * another name. A name is looked for in the reader's locale, then in those that follow, then in
 * "shared"; in each of them a file of templates_dir stands before the built-in one. Loaded once,
 * then only read, from any thread. */
#ifndef MAILDESK_APP_TEMPLATES_H
#define MAILDESK_APP_TEMPLATES_H

#include <maildesk/desk/template.h>
#include <stdbool.h>

enum { TEMPLATES_LOCALES_MAX = 8, TEMPLATES_LOCALE_LEN = 16 };

struct templates;

/* `dir` is templates_dir; NULL or "": none. A file there that cannot be used is left out, with a
 * line in `problems` ("FILE:LINE: what"): the built-in one is taken then.
 * MD_BROKEN: a built-in one does not compile. MD_NOMEM. */
int templates_load(const char *dir, struct templates **ret, struct buf *problems,
		   struct md_err *err);
/* One file more, as if it lay in a templates_dir: its folder's name is the locale ("en" without
 * one). Problems as above. MD_NOMEM. */
int templates_add_file(struct templates *t, const char *path, struct buf *problems,
		       struct md_err *err);
void templates_free(struct templates *t);
MD_DEFINE_AUTO(struct templates *, templates_free)

/* The templates as one reader gets them. */
struct templates_view {
	const struct templates *templates;
	bool built_in_only;
	char locale[TEMPLATES_LOCALES_MAX][TEMPLATES_LOCALE_LEN];
	size_t n;
};
/* Locales in their order, NULL ones left out; "pt_BR" stands for "pt" too. Only those count that
 * have templates; "en" and "shared" come last by themselves. */
void templates_view(const struct templates *t, const char *const *locales, size_t n,
		    struct templates_view *ret);
/* The `find` of struct template_partials; ctx is a struct templates_view. */
const struct template *templates_find(void *view, const char *name);
/* The locale whose template of that name templates_find() gives; NULL when there is none. */
const char *templates_locale_of(const struct templates_view *view, const char *name);

/* Look through all of them, own and built-in. Errors, a line each ("FILE:LINE: what"): partials
 * that include each other, a layout without its content, a letter that cannot be rendered.
 * Warnings: names no letter is filled with, partials that are nowhere, files that stand for
 * nothing. MD_OK, whatever was found; MD_NOMEM. */
int templates_check(const struct templates *t, struct buf *errors, struct buf *warnings,
		    struct md_err *err);

#endif
