/* What the table says to people: allowed values, near matches, the annotated sample. */
#include "config_private.h"

#include <stdlib.h>
#include <string.h>

static void add_duration(struct buf *out, int64_t ms)
{
	static const struct {
		int64_t ms;
		const char *unit;
	} units[] = {
		{ 86400000, "d" }, { 3600000, "h" }, { 60000, "m" }, { 1000, "s" }, { 1, "ms" }
	};
	size_t i = 0;

	if (ms == 0) {
		buf_adds(out, "0");
		return;
	}
	while (ms % units[i].ms != 0)
		i++;
	buf_addf(out, "%lld%s", (long long)(ms / units[i].ms), units[i].unit);
}

static void add_size(struct buf *out, int64_t bytes)
{
	static const char units[] = "KMG";
	int i = -1;

	while (i < 2 && bytes >= 1024 && bytes % 1024 == 0) {
		bytes /= 1024;
		i++;
	}
	buf_addf(out, "%lld", (long long)bytes);
	if (i >= 0)
		buf_addc(out, units[i]);
}

/* Each word between quotes, parted by ", ". */
static void add_words(struct buf *out, const char *words, const char *quote)
{
	while (*words) {
		size_t n = strcspn(words, " ");

		buf_adds(out, quote);
		buf_add(out, words, n);
		buf_adds(out, quote);
		words += n;
		if (*words) {
			buf_adds(out, ", ");
			words++;
		}
	}
}

void conf_allowed(struct buf *out, const struct conf_key *k)
{
	buf_adds(out, "allowed: ");
	switch (k->type) {
	case CONF_ENUM:
		add_words(out, k->words, "\"");
		break;
	case CONF_DURATION:
		buf_adds(out, "a time like \"30s\", \"15m\", \"4h\" or \"14d\", from ");
		add_duration(out, k->min);
		buf_adds(out, " to ");
		add_duration(out, k->max);
		break;
	case CONF_SIZE:
		buf_adds(out, "a size like \"500K\" or \"25M\", from ");
		add_size(out, k->min);
		buf_adds(out, " to ");
		add_size(out, k->max);
		break;
	case CONF_PERCENTS:
		buf_addf(out, "up to %d numbers from 1 to 99",
			 (int)MD_COUNT(((struct conf_sla *)NULL)->warn));
		break;
	case CONF_INT:
		buf_addf(out, "a number from %lld to %lld", (long long)k->min, (long long)k->max);
		break;
	case CONF_BOOL:
		buf_adds(out, "true or false");
		break;
	case CONF_STR:
	case CONF_SECRET:
	case CONF_STRS:
		buf_adds(out, "text");
		break;
	}
}

/* ---- near matches ---- */

enum { NAME_MAX_LEN = 40 };

/* Levenshtein, with a neighbouring pair swapped counting as one. Long names are far from all. */
static size_t distance(const char *a, const char *b)
{
	size_t row[3][NAME_MAX_LEN + 1], na = strlen(a), nb = strlen(b);

	if (na > NAME_MAX_LEN || nb > NAME_MAX_LEN)
		return NAME_MAX_LEN;
	for (size_t j = 0; j <= nb; j++)
		row[0][j] = j;
	for (size_t i = 1; i <= na; i++) {
		size_t *now = row[i % 3], *last = row[(i - 1) % 3], *before = row[(i + 1) % 3];

		now[0] = i;
		for (size_t j = 1; j <= nb; j++) {
			size_t best = last[j - 1] + (a[i - 1] != b[j - 1]);

			if (last[j] + 1 < best)
				best = last[j] + 1;
			if (now[j - 1] + 1 < best)
				best = now[j - 1] + 1;
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
			    before[j - 2] + 1 < best)
				best = before[j - 2] + 1;
			now[j] = best;
		}
	}
	return row[na % 3][nb];
}

/* The i-th name that may stand in that section: keys, then sections. NULL past the end. */
static const char *name_at(const char *section, size_t i)
{
	for (size_t k = 0; k < conf_key_count; k++)
		if (strcmp(conf_keys[k].section, section) == 0 && i-- == 0)
			return conf_keys[k].name;
	for (size_t k = 0; k < conf_section_count; k++) {
		const char *parent = conf_sections[k].parent;

		if (strcmp(parent ? parent : "", section) == 0 && i-- == 0)
			return conf_sections[k].name;
	}
	return NULL;
}

void conf_suggest(struct buf *out, const char *section, const char *name)
{
	size_t limit = strlen(name) > 3 ? 2 : 1;
	const char *candidate;
	bool found = false;

	for (size_t i = 0; (candidate = name_at(section, i)); i++) {
		bool starts = strlen(name) >= 4 && strncmp(candidate, name, strlen(name)) == 0;

		if (!starts && distance(name, candidate) > limit)
			continue;
		buf_addf(out, "%s\"%s\"", found ? " or " : "; did you mean ", candidate);
		found = true;
	}
	if (found) {
		buf_addc(out, '?');
		return;
	}
	buf_adds(out, "; allowed: ");
	for (size_t i = 0; (candidate = name_at(section, i)); i++)
		buf_addf(out, "%s%s", i ? ", " : "", candidate);
}

/* ---- the sample ---- */

static void indent(struct buf *out, int depth)
{
	for (int i = 0; i < depth; i++)
		buf_addc(out, '\t');
}

static void sample_value(struct buf *out, const struct conf_key *k, const char *text)
{
	bool bare = k->type == CONF_INT || k->type == CONF_BOOL;

	if (k->type == CONF_STRS || k->type == CONF_PERCENTS) {
		buf_adds(out, "{ ");
		add_words(out, text, k->type == CONF_STRS ? "\"" : "");
		buf_adds(out, *text ? " }" : "}");
	} else {
		buf_addf(out, bare ? "%s" : "\"%s\"", text);
	}
}

/* Keys with an example are set to it; the others stand as comments with their default. */
static void sample_key(struct buf *out, const struct conf_key *k, int depth)
{
	indent(out, depth);
	buf_addf(out, "# %s%s%s", k->help, k->standard ? "" : " Required.",
		 k->restart ? " A new value counts from the next start." : "");
	if (k->type == CONF_ENUM && strchr(k->words, ' ')) {
		buf_adds(out, " One of ");
		add_words(out, k->words, "\"");
		buf_addc(out, '.');
	}
	buf_addc(out, '\n');
	indent(out, depth);
	buf_addf(out, "%s%s = ", k->example ? "" : "#", k->name);
	sample_value(out, k, k->example ? k->example : k->standard);
	buf_addc(out, '\n');
}

/* A section nobody needs stands there as a comment. */
static void sample_comment(struct buf *out, const char *text)
{
	for (size_t n; *text; text += n + (text[n] == '\n')) {
		n = strcspn(text, "\n");
		buf_adds(out, n ? "# " : "");
		buf_add(out, text, n);
		buf_addc(out, '\n');
	}
}

/* A section that is written as TITLE = VALUE. */
static void sample_title(struct buf *out, const struct conf_section *s, int depth)
{
	const struct conf_key *k = conf_key_find(s->name, s->only_key);

	indent(out, depth);
	buf_addf(out, "# %s\n", k->help);
	indent(out, depth);
	buf_addf(out, "%s = ", s->title);
	sample_value(out, k, k->example);
	buf_addc(out, '\n');
}

static void sample_section(struct buf *out, const struct conf_section *s, int depth)
{
	if (s->only_key) {
		sample_title(out, s, depth);
		return;
	}
	buf_addc(out, '\n');
	indent(out, depth);
	buf_addf(out, "# %s\n", s->help);
	indent(out, depth);
	buf_adds(out, s->name);
	if (s->title && !s->title_key)
		buf_addf(out, " \"%s\"", s->title);
	buf_adds(out, " {\n");
	for (size_t i = 0; i < conf_key_count; i++)
		if (strcmp(conf_keys[i].section, s->name) == 0)
			sample_key(out, &conf_keys[i], depth + 1);
	for (size_t i = 0; i < conf_section_count; i++)
		if (conf_sections[i].parent && strcmp(conf_sections[i].parent, s->name) == 0)
			sample_section(out, &conf_sections[i], depth + 1);
	indent(out, depth);
	buf_adds(out, "}\n");
}

void config_sample(struct buf *out)
{
	buf_adds(out,
		 "# Configuration of maildesk. Files conf.d/*.conf beside it are read after it: "
		 "their\n"
		 "# values win, sections of the same title merge. Times are like \"30s\" \"15m\" "
		 "\"4h\"\n"
		 "# \"14d\", sizes like \"25M\". \"${NAME}\" stands for an environment variable.\n"
		 "# Test it with: maildesk check\n\n");
	for (size_t i = 0; i < conf_key_count; i++)
		if (conf_keys[i].section[0] == '\0')
			sample_key(out, &conf_keys[i], 0);
	for (size_t i = 0; i < conf_section_count; i++) {
		md_auto(buf_done) struct buf text = BUF_INIT(1 << 16);

		if (conf_sections[i].parent)
			continue;
		sample_section(&text, &conf_sections[i], 0);
		if (conf_sections[i].optional)
			sample_comment(out, buf_str(&text));
		else
			buf_adds(out, buf_str(&text));
	}
}
