/* `maildesk completion`: for bash, zsh and fish, and the command list of maildesk(1), all from the
 * tables that the commands themselves parse by. */
#include <maildesk/base/roff.h>
#include <maildesk/cmd/cmd.h>
#include <maildesk/cmd/options.h>

#include <stdio.h>
#include <string.h>
#include <sysexits.h>

enum { OUT_MAX = 1 << 20 };

/* ---- helpers ---- */

/* The last word of what is right below `of`; else NULL. */
static const char *below(const char *of, const char *name)
{
	size_t n = strlen(of);

	if (!*name || strncmp(name, of, n) != 0)
		return NULL;
	if (n && name[n] != ' ')
		return NULL;
	name += n + (n > 0);
	return *name && !strchr(name, ' ') ? name : NULL;
}

/* All names, gathered first: who lists the commands below one has to know them. */
struct command {
	char name[64];
	const char *help;
	bool leaf;
};
struct commands {
	struct command v[256];
	size_t n;
	struct buf *out;
};

static void gather(void *ctx, const char *name, const char *help, const struct cmd_usage *usage)
{
	struct commands *c = ctx;

	if (c->n == MD_COUNT(c->v))
		return;
	snprintf(c->v[c->n].name, sizeof c->v[c->n].name, "%s", name);
	c->v[c->n].help = help;
	c->v[c->n++].leaf = usage != NULL;
}

static bool is_file(const char *value)
{
	static const char *const words[] = { "FILE", "DIR", "PATH" };

	for (size_t i = 0; i < MD_COUNT(words); i++)
		if (value && strstr(value, words[i]))
			return true;
	return false;
}

/* Between single quotes; `quote` is how one of those is written there. */
static void put_quoted(struct buf *out, const char *text, const char *quote)
{
	for (; *text; text++)
		if (*text == '\'')
			buf_adds(out, quote);
		else if (*text == '\n')
			buf_addc(out, ' ');
		else
			buf_addc(out, *text);
}

/* ---- bash ---- */

static void bash_words(void *ctx, const char *name, const char *help, const struct cmd_usage *usage)
{
	struct commands *all = ctx;
	const char *sep = "";

	(void)help;
	buf_addf(all->out, "\t\t['/%s']='", name);
	for (size_t i = 0; !usage && i < all->n; i++)
		if (below(name, all->v[i].name)) {
			buf_addf(all->out, "%s%s", sep, below(name, all->v[i].name));
			sep = " ";
		}
	for (const struct cmd_option *o = usage ? usage->options : NULL; o && o->name; o++)
		buf_addf(all->out, "--%s ", o->name);
	buf_addf(all->out, "%s'\n", usage ? "--help" : "");
}

static void bash_values(void *ctx, const char *name, const char *help,
			const struct cmd_usage *usage)
{
	struct commands *all = ctx;

	(void)help;
	for (const struct cmd_option *o = usage ? usage->options : NULL; o && o->name; o++)
		if (o->value)
			buf_addf(all->out, "\t\t['/%s --%s']=%s\n", name, o->name,
				 is_file(o->value) ? "files" : "word");
	if (usage && is_file(usage->arguments))
		buf_addf(all->out, "\t\t['/%s ']=files\n", name);
}

static void write_bash(struct commands *all)
{
	buf_adds(all->out, "# bash completion for maildesk; made by: maildesk completion bash\n"
			   "_maildesk()\n{\n"
			   "\tlocal cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - "
			   "1]} path=/ i\n"
			   "\tlocal -A words=(\n");
	cmd_visit(cmd_verbs, bash_words, all);
	buf_adds(all->out, "\t) values=(\n");
	cmd_visit(cmd_verbs, bash_values, all);
	buf_adds(all->out,
		 "\t)\n"
		 "\tfor ((i = 1; i < COMP_CWORD; i++)); do\n"
		 "\t\tif [[ $path = / && -v words[/${COMP_WORDS[i]}] ]]; then\n"
		 "\t\t\tpath=/${COMP_WORDS[i]}\n"
		 "\t\telif [[ -v words[\"$path ${COMP_WORDS[i]}\"] ]]; then\n"
		 "\t\t\tpath+=\" ${COMP_WORDS[i]}\"\n"
		 "\t\tfi\n"
		 "\tdone\n"
		 "\tcase ${values[$path $prev]-} in\n"
		 "\tfiles) compopt -o filenames; mapfile -t COMPREPLY < <(compgen -f -- \"$cur\") "
		 ";;\n"
		 "\tword) COMPREPLY=() ;;\n"
		 "\t*)\n"
		 "\t\tmapfile -t COMPREPLY < <(compgen -W \"${words[$path]-}\" -- \"$cur\")\n"
		 "\t\tif [[ $cur != -* && ${values[$path ]-} ]]; then\n"
		 "\t\t\tcompopt -o filenames\n"
		 "\t\t\tmapfile -t COMPREPLY < <(compgen -f -- \"$cur\")\n"
		 "\t\tfi\n"
		 "\t\t;;\n"
		 "\tesac\n"
		 "}\ncomplete -F _maildesk maildesk\n");
}

/* ---- zsh ---- */

static void zsh_item(struct buf *out, const char *name, const char *help)
{
	buf_addf(out, "\n%s:", name);
	put_quoted(out, help, "'\\''");
}

static void zsh_words(void *ctx, const char *name, const char *help, const struct cmd_usage *usage)
{
	struct commands *all = ctx;

	(void)help;
	buf_addf(all->out, "\t\t'/%s' '", name);
	for (size_t i = 0; !usage && i < all->n; i++)
		if (below(name, all->v[i].name))
			zsh_item(all->out, below(name, all->v[i].name), all->v[i].help);
	for (const struct cmd_option *o = usage ? usage->options : NULL; o && o->name; o++) {
		char option[64];

		snprintf(option, sizeof option, "--%s", o->name);
		zsh_item(all->out, option, o->help);
	}
	buf_adds(all->out, "'\n");
}

static void zsh_values(void *ctx, const char *name, const char *help, const struct cmd_usage *usage)
{
	struct commands *all = ctx;

	(void)help;
	for (const struct cmd_option *o = usage ? usage->options : NULL; o && o->name; o++)
		if (o->value)
			buf_addf(all->out, "\t\t'/%s --%s' %s\n", name, o->name,
				 is_file(o->value) ? "files" : "word");
	if (usage && is_file(usage->arguments))
		buf_addf(all->out, "\t\t'/%s ' files\n", name);
}

static void write_zsh(struct commands *all)
{
	buf_adds(all->out, "#compdef maildesk\n"
			   "# zsh completion for maildesk; made by: maildesk completion zsh\n"
			   "_maildesk() {\n"
			   "\tlocal place=/ i kind\n"
			   "\tlocal -A known values\n"
			   "\tlocal -a items\n"
			   "\tknown=(\n");
	cmd_visit(cmd_verbs, zsh_words, all);
	buf_adds(all->out, "\t)\n\tvalues=(\n");
	cmd_visit(cmd_verbs, zsh_values, all);
	buf_adds(all->out, "\t)\n"
			   "\tfor ((i = 2; i < CURRENT; i++)); do\n"
			   "\t\tif [[ $place = / ]] && (( ${+known[/$words[i]]} )); then\n"
			   "\t\t\tplace=/$words[i]\n"
			   "\t\telif (( ${+known[$place $words[i]]} )); then\n"
			   "\t\t\tplace=\"$place $words[i]\"\n"
			   "\t\tfi\n"
			   "\tdone\n"
			   "\tkind=${values[$place $words[CURRENT-1]]-}\n"
			   "\tcase $kind in\n"
			   "\tfiles) _files; return ;;\n"
			   "\tword) _message value; return ;;\n"
			   "\tesac\n"
			   "\titems=(${(f)known[$place]})\n"
			   "\t_describe 'maildesk' items\n"
			   "\t[[ -n ${values[$place ]-} ]] && _files\n"
			   "}\n"
			   "if [[ $zsh_eval_context[-1] = loadautofunc ]]; then _maildesk \"$@\"\n"
			   "else compdef _maildesk maildesk; fi\n");
}

/* ---- fish ---- */

static void fish_line(struct buf *out, const char *place, const char *what, const char *help)
{
	buf_addf(out, "complete -c maildesk -n '__maildesk_at \"/%s\"' %s -d '", place, what);
	put_quoted(out, help, "\\'");
	buf_adds(out, "'\n");
}

static void fish_lines(void *ctx, const char *name, const char *help, const struct cmd_usage *usage)
{
	struct commands *all = ctx;
	char what[128];

	(void)help;
	for (size_t i = 0; !usage && i < all->n; i++)
		if (below(name, all->v[i].name)) {
			snprintf(what, sizeof what, "-f -a %s", below(name, all->v[i].name));
			fish_line(all->out, name, what, all->v[i].help);
		}
	for (const struct cmd_option *o = usage ? usage->options : NULL; o && o->name; o++) {
		snprintf(what, sizeof what, "-l %s%s", o->name,
			 !o->value           ? ""
			 : is_file(o->value) ? " -r -F"
					     : " -x");
		fish_line(all->out, name, what, o->help);
	}
	if (usage && !is_file(usage->arguments))
		buf_addf(all->out, "complete -c maildesk -n '__maildesk_at \"/%s\"' -f\n", name);
}

static void write_fish(struct commands *all)
{
	buf_adds(all->out, "# fish completion for maildesk; made by: maildesk completion fish\n"
			   "set -g __maildesk_places");
	for (size_t i = 0; i < all->n; i++)
		buf_addf(all->out, " '/%s'", all->v[i].name);
	buf_adds(all->out, "\n"
			   "function __maildesk_at\n"
			   "\tset -l place /\n"
			   "\tfor word in (commandline -opc)[2..]\n"
			   "\t\tif test $place = /; and contains -- \"/$word\" $__maildesk_places\n"
			   "\t\t\tset place \"/$word\"\n"
			   "\t\telse if contains -- \"$place $word\" $__maildesk_places\n"
			   "\t\t\tset place \"$place $word\"\n"
			   "\t\tend\n"
			   "\tend\n"
			   "\ttest $place = $argv[1]\n"
			   "end\n");
	cmd_visit(cmd_verbs, fish_lines, all);
}

/* ---- maildesk(1) ---- */

static void man_lines(void *ctx, const char *name, const char *help, const struct cmd_usage *usage)
{
	struct commands *all = ctx;
	struct buf *out = all->out;

	(void)help;
	if (!usage)
		return;
	buf_addf(out, ".Ss maildesk %s", name);
	if (*usage->arguments) {
		buf_addc(out, ' ');
		roff_text(out, usage->arguments);
	}
	buf_addc(out, '\n');
	roff_text(out, usage->about);
	buf_adds(out, usage->options->name ? "\n.Bl -tag -width Ds\n" : "\n");
	for (const struct cmd_option *o = usage->options; o->name; o++) {
		buf_addf(out, ".It Fl -%s%s%s\n", o->name, o->value ? " Ar " : "",
			 o->value ? o->value : "");
		roff_text(out, o->help);
		buf_addc(out, '\n');
	}
	if (usage->options->name)
		buf_adds(out, ".El\n");
}

static void write_man(struct commands *all)
{
	cmd_visit(cmd_verbs, man_lines, all);
}

/* ---- the command ---- */

static const struct writer {
	const char *name;
	void (*write)(struct commands *all);
} writers[] = {
	{ "bash", write_bash },
	{ "zsh", write_zsh },
	{ "fish", write_fish },
};

static int print(void (*write)(struct commands *all))
{
	static struct commands all;
	md_auto(buf_done) struct buf out = BUF_INIT(OUT_MAX);

	all.out = &out;
	cmd_visit(cmd_verbs, gather, &all);
	write(&all);
	if (out.status != MD_OK)
		return cmd_fail("completion", out.status, NULL);
	fputs(buf_str(&out), stdout);
	return EX_OK;
}

int cmd_completion(int argc, char **argv)
{
	bool manual = false;
	const struct cmd_option options[] = {
		{ "man", NULL, &manual, "print the command list of maildesk(1) instead" },
		CMD_OPTIONS_END,
	};
	const struct cmd_usage usage = {
		"completion", "SHELL", "Prints the completion script for bash, zsh or fish.",
		options,      0,       1,
	};
	int first, code;

	if (!cmd_options(&usage, argc, argv, &first, &code))
		return code;
	if (manual)
		return print(write_man);
	for (size_t i = 0; i < MD_COUNT(writers) && first < argc; i++)
		if (strcmp(writers[i].name, argv[first]) == 0)
			return print(writers[i].write);
	fputs("maildesk completion: which shell? allowed: bash, zsh, fish\n", stderr);
	return EX_USAGE;
}
