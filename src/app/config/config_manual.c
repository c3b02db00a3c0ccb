/* The part of maildesk.conf(5) that lists sections and keys, made from the table. */
#include "config_private.h"

#include <maildesk/base/roff.h>

#include <string.h>

/* The range of numbers and words; other types say it in their help. */
static void put_allowed(struct buf *out, const struct conf_key *k)
{
	md_auto(buf_done) struct buf text = BUF_INIT(4096);

	if (k->type == CONF_STR || k->type == CONF_SECRET || k->type == CONF_STRS)
		return;
	conf_allowed(&text, k);
	buf_adds(out, "Allowed");
	roff_text(out, buf_str(&text) + strlen("allowed"));
	buf_adds(out, ".\n");
}

static void put_default(struct buf *out, const struct conf_key *k)
{
	bool list = k->type == CONF_STRS || k->type == CONF_PERCENTS;
	bool bare = k->type == CONF_INT || k->type == CONF_BOOL;
	md_auto(buf_done) struct buf text = BUF_INIT(4096);

	if (!k->standard) {
		buf_adds(out, "Required.\n");
		return;
	}
	if (!*k->standard) /* what nothing means, its help says */
		return;
	buf_addf(&text, list ? "{%s}" : bare ? "%s" : "\"%s\"", k->standard);
	buf_adds(out, "Default: ");
	roff_text(out, buf_str(&text));
	buf_adds(out, ".\n");
}

static void put_key(struct buf *out, const struct conf_key *k, const char *name)
{
	buf_addf(out, ".It Ic %s\n", name);
	roff_text(out, k->help);
	buf_addc(out, '\n');
	put_allowed(out, k);
	put_default(out, k);
	if (k->restart)
		buf_adds(out, "A new value counts from the next start.\n");
}

static bool has_keys(const char *section)
{
	for (size_t i = 0; i < conf_key_count; i++)
		if (strcmp(conf_keys[i].section, section) == 0)
			return true;
	return false;
}

static void put_keys(struct buf *out, const char *section)
{
	const struct conf_section *inner = conf_section_by_title(section);

	if (!has_keys(section))
		return;
	buf_adds(out, ".Bl -tag -width Ds\n");
	for (size_t i = 0; i < conf_key_count; i++)
		if (strcmp(conf_keys[i].section, section) == 0)
			put_key(out, &conf_keys[i], conf_keys[i].name);
	if (inner)
		put_key(out, conf_key_find(inner->name, inner->only_key), inner->name);
	buf_adds(out, ".El\n");
}

static void put_section(struct buf *out, const struct conf_section *s)
{
	buf_addf(out, ".Ss %s%s%s%s\n", s->parent ? s->parent : "", s->parent ? " / " : "", s->name,
		 s->title && !s->title_key ? " \\(dqtitle\\(dq" : "");
	roff_text(out, s->help);
	buf_addc(out, '\n');
	put_keys(out, s->name);
	for (size_t i = 0; i < conf_section_count; i++)
		if (conf_sections[i].parent && strcmp(conf_sections[i].parent, s->name) == 0 &&
		    !conf_sections[i].only_key)
			put_section(out, &conf_sections[i]);
}

void config_manual(struct buf *out)
{
	buf_adds(out, ".Ss Outside sections\n");
	put_keys(out, "");
	for (size_t i = 0; i < conf_section_count; i++)
		if (!conf_sections[i].parent)
			put_section(out, &conf_sections[i]);
}
