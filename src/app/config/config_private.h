/* config_private.h - between the parts of the configuration: table, scan, load, check. */
#ifndef MAILDESK_APP_CONFIG_PRIVATE_H
#define MAILDESK_APP_CONFIG_PRIVATE_H

#include <maildesk/app/config.h>

#include <stddef.h>

/* ---- the table (config_table.c): from it come parser, checks, defaults and sample ---- */

enum conf_type {
	CONF_STR,      /* const char * */
	CONF_ENUM,     /* const char *, one of `words` */
	CONF_SECRET,   /* const char *: the file's name first, its content after config_check() */
	CONF_DURATION, /* int64_t milliseconds */
	CONF_SIZE,     /* int64_t bytes */
	CONF_INT,      /* int64_t */
	CONF_BOOL,     /* bool */
	CONF_STRS,     /* struct conf_strs */
	CONF_PERCENTS, /* int64_t warn[] and n_warn of struct conf_sla */
};

struct conf_key {
	const char *section; /* "" at the top of the file */
	const char *name;
	enum conf_type type;
	const char *standard; /* default; members of a list parted by spaces; NULL: must be given */
	const char *example;  /* for the sample, where the default shows nothing; may be NULL */
	const char *words;    /* of CONF_ENUM, parted by spaces */
	int64_t min, max;     /* of CONF_DURATION, CONF_SIZE, CONF_INT */
	size_t at;
	int (*check)(const char *value, struct md_err *err); /* each text; err: what is allowed */
	bool restart; /* a new value counts from the next start; of texts outside sections only */
	const char *help;
};

struct conf_section {
	const char *name;
	const char *
		parent; /* NULL at the top; nested without title: writes into its parent's struct */
	const char *title;         /* of the sample; NULL: a section without title */
	const char *title_key;     /* the key that stands for its title, which is not written */
	const char *only_key;      /* written as TITLE = VALUE; the key that the value is of */
	size_t at;                 /* without title: its struct in struct config */
	size_t size;               /* with title: of the struct; `title` is its first member */
	size_t array_at, count_at; /* with title: in struct config, or in its parent's struct */
	bool optional;             /* the sample shows it as a comment */
	const char *help;
};

extern const struct conf_key conf_keys[];
extern const size_t conf_key_count;
extern const struct conf_section conf_sections[];
extern const size_t conf_section_count;

/* NULL when there is none; `parent` NULL is the top. */
const struct conf_section *conf_section_find(const char *parent, const char *name);
const struct conf_key *conf_key_find(const char *section, const char *name);
/* The one inside `parent` that is written as TITLE = VALUE, if any: then every name is good there.
 */
const struct conf_section *conf_section_by_title(const char *parent);
/* "allowed: 1 to 65535", "allowed: \"tls\", \"starttls\", \"none\"", ... */
void conf_allowed(struct buf *out, const struct conf_key *k);
/* "; did you mean "port"?", or "; allowed: " and every name of that section. */
void conf_suggest(struct buf *out, const char *section, const char *name);
int conf_read_size(const char *text, int64_t *ret_bytes);
bool conf_is_loopback(const char *host);

/* ---- the scan (config_scan.c): what libconfuse does not tell ---- */

struct conf_title { /* the name before "=" of a section that is written so */
	struct conf_title *next;
	const char *parent, *name;
};
struct conf_scan {
	struct arena *arena;
	void (*unknown)(void *ctx, int line, const char *text); /* a key or section: told at once */
	void *ctx;
	const char *broken; /* NULL, or the syntax error found, which libconfuse will not see */
	int broken_line;
	int *opened; /* line of each top-level section, in order */
	size_t n_opened;
	struct conf_title *titles; /* each once, in order */
};
/* Looks for unknown keys, a section, string or comment that is never closed, and escapes that would
 * upset libconfuse's lexer; blanks them, and comments, in `text` (NUL-terminated), keeping lines.
 * MD_OK or MD_NOMEM. */
int conf_scan(struct conf_scan *s, char *text);

/* ---- loading (config.c), its sections (config_nodes.c) and its problems (config_problems.c), and
 * checking (config_check.c) ---- */

struct conf_origin {
	const char *file;
	int number; /* of the file, in the order of reading */
	int line;   /* 0: not set, the default holds */
};
struct conf_value { /* as written */
	struct conf_origin origin;
	const char **v;
	size_t n;
	bool append; /* to a list, by "+=" */
};
/* Write it to the key's place in `object`. MD_INPUT: not of its type or range; MD_NOMEM. */
int conf_put_value(struct arena *a, void *object, const struct conf_key *k,
		   const struct conf_value *v);
int conf_put_default(struct arena *a, void *object, const struct conf_key *k);

enum { CONF_PROBLEM_MAX = 8192 }; /* bytes of one text */
struct conf_problem {
	struct conf_problem *next;
	struct conf_origin origin;
	bool warning;
	size_t number; /* in the order of finding */
	const char *text;
};
struct conf_node { /* a section under construction; the first one is the whole file */
	struct conf_node *next;
	const struct conf_node *parent;     /* of a titled section in another; else NULL */
	const struct conf_section *section; /* NULL: struct config itself */
	void *object;
	struct conf_origin origin;
	struct conf_origin *set; /* by index into conf_keys */
};
struct conf_load {
	struct config *config;
	struct arena *arena;
	struct conf_node *nodes, **tail;
	struct conf_problem *problems;
	size_t n_problems, n_errors;
	bool incomplete; /* a file had a syntax error: what is missing may stand behind it */
	/* of the file being read */
	const char *file;
	int number;
	const struct conf_scan *scan;
	size_t closed;
};

/* A line of the file being read. */
static inline struct conf_origin conf_here(const struct conf_load *l, int line)
{
	return (struct conf_origin){ l->file, l->number, line };
}
/* Sections without title exist, with their defaults, whether written or not. MD_NOMEM. */
int conf_add_plain_nodes(struct conf_load *l);
/* The section of that title, made when it is new. NULL: reported, or out of memory. */
struct conf_node *conf_find_node(struct conf_load *l, const struct conf_section *s,
				 const struct conf_node *parent, const char *title, int line);
/* Checks it and puts it into the node's struct; what is wrong with it is reported. */
void conf_set_value(struct conf_load *l, struct conf_node *n, const struct conf_key *k,
		    const struct conf_value *v);
/* When all is read: titled sections become the arrays of their parents' structs (first), and of
 * struct config. MD_NOMEM. */
int conf_build_inner_arrays(struct conf_load *l);
int conf_build_arrays(struct conf_load *l);
/* Errors, then warnings, each by file and line. MD_NOMEM. */
int conf_tell_problems(struct conf_load *l, struct buf *out);
/* The next section of that name, from n on. */
struct conf_node *conf_next_node(struct conf_node *n, const char *name);
/* A name that must be the title of a section. */
void conf_check_reference(struct conf_load *l, struct conf_origin o, const struct conf_node *n,
			  const char *key, const char *section, const char *title);
/* What to do about an errno of a file, behind its text; "" for most. */
const char *conf_way_out(int why);
/* A path relative to the configuration file's folder; NULL: out of memory. */
const char *conf_beside(struct conf_load *l, const char *path);
#define CONF_ORIGIN(n, S, section, member) conf_origin_of(n, section, offsetof(struct S, member))
/* Where that member of the node's struct was last set, else where its section begins. */
struct conf_origin conf_origin_of(const struct conf_node *n, const char *section, size_t at);
/* "FILE:LINE: section "title": text" */
void conf_error(struct conf_load *l, struct conf_origin o, const struct conf_node *n,
		const char *fmt, ...) __attribute__((format(printf, 4, 5)));
void conf_warning(struct conf_load *l, struct conf_origin o, const struct conf_node *n,
		  const char *fmt, ...) __attribute__((format(printf, 4, 5)));
/* config_notify.c */
void config_check_notice(struct conf_load *l, struct conf_node *n);
/* config_workflow.c: the sections `workflow`, and their words */
extern const struct conf_word conf_phases[], conf_guards[], conf_who[], conf_triggers[];
void config_check_workflows(struct conf_load *l);
/* The desk's workflow and the names of its statuses, between `quote` and parted by ", "; NULL when
 * it is not known (which is told elsewhere). */
const struct workflow *config_load_statuses(const struct conf_load *l, const char *quote,
					    struct buf *ret_names);
void config_check_keep(struct conf_load *l, struct conf_node *n);
/* The one of that name while the configuration is being loaded. */
int config_load_workflow(const struct conf_load *l, const char *name, struct arena *a,
			 const struct workflow **ret, struct md_err *err);
/* config_sla.c: the sections `calendar` and `sla` */
extern const struct conf_word conf_roles[]; /* conf_audiences, and customers */
void config_check_calendar(struct conf_load *l, struct conf_node *n);
void config_check_sla(struct conf_load *l, struct conf_node *n);
/* config_rules.c: the sections `rule` */
void config_check_rules(struct conf_load *l);
/* Everything that needs more than one key, or a file. Reads the secrets. */
void config_check(struct conf_load *l);

#endif
