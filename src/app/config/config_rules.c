/* The sections `rule`: from what is written to desk/rule.h, and what can be wrong with it. Which
 * teams and people exist is the database's to know; a rule that names one that does not is told of
 * in the decision of each mail. */
#include "config_private.h"

#include <maildesk/mail/compose.h>

#include <string.h>

static const char *const priorities[] = { "low", "medium", "high", "critical" };

static bool is_priority(const char *s)
{
	for (size_t i = 0; i < MD_COUNT(priorities); i++)
		if (strcmp(priorities[i], s) == 0)
			return true;
	return false;
}

static bool is_name(const char *s)
{
	return *s != '\0' && strlen(s) <= 64;
}

static const struct setting {
	const char *name;
	bool (*valid)(const char *value);
	const char *allowed;
} settings[] = {
	{ "priority", is_priority, "\"low\", \"medium\", \"high\", \"critical\"" },
	{ "category", is_name, "1 to 64 characters" },
	{ "tag", is_name, "1 to 64 characters" },
	{ "team", is_name, "1 to 64 characters" },
	{ "assignee", mail_address_valid, "a mail address like \"anna@example.com\"" },
	{ "mailbox", is_name, "the title of a mailbox section" },
};

/* Where its pattern or value stands. */
static struct conf_origin origin(const struct conf_node *n)
{
	return conf_origin_of(n, n->section->name, offsetof(struct rule_pair, value));
}

static bool is_mailbox(const struct conf_load *l, const char *title)
{
	for (const struct conf_node *n = l->nodes; n; n = n->next)
		if (n->section && strcmp(n->section->name, "mailbox") == 0 &&
		    strcmp(*(const char **)n->object, title) == 0)
			return true;
	return l->incomplete;
}

static void check_setting(struct conf_load *l, const struct conf_node *n)
{
	const struct rule_pair *set = n->object;

	for (size_t i = 0; i < MD_COUNT(settings); i++) {
		const struct setting *s = &settings[i];

		if (strcmp(s->name, set->name) != 0)
			continue;
		if (set->value && (!s->valid(set->value) ||
				   (strcmp(s->name, "mailbox") == 0 && !is_mailbox(l, set->value))))
			conf_error(l, origin(n), n, "value = \"%.60s\": allowed: %s", set->value,
				   s->allowed);
		return;
	}
	conf_error(l, origin(n), n,
		   "allowed: priority, category, tag, team, assignee and mailbox can be set");
}

static void check_match(struct conf_load *l, const struct conf_node *n)
{
	const struct rule rule = { .title = *(const char **)n->parent->object,
				   .matches = n->object,
				   .n_matches = 1 };
	md_auto(rules_free_p) struct rules *rules = NULL;
	struct md_err err;

	if (rule.matches->value && rules_compile(&rule, 1, &rules, &err) != MD_OK)
		conf_error(l, origin(n), NULL, "%s", err.text);
}

void config_check_rules(struct conf_load *l)
{
	for (const struct conf_node *n = l->nodes; n; n = n->next) {
		const char *section = n->section ? n->section->name : "";
		const struct conf_rule *rule = n->object; /* if it is one */
		bool matches = false;

		if (strcmp(section, "match") == 0)
			check_match(l, n);
		if (strcmp(section, "set") == 0)
			check_setting(l, n);
		if (strcmp(section, "rule") != 0)
			continue;
		for (const struct conf_node *m = l->nodes; m; m = m->next)
			matches |= m->parent == n && strcmp(m->section->name, "match") == 0;
		if (!matches && !l->incomplete)
			conf_error(l, n->origin, n,
				   "no match section: name what it looks at, like "
				   "match \"from\" { pattern = 'nagios@' }");
		if (rule->mailbox[0] && !is_mailbox(l, rule->mailbox))
			conf_error(l,
				   conf_origin_of(n, "rule", offsetof(struct conf_rule, mailbox)),
				   n, "mailbox = \"%.60s\": no such mailbox section",
				   rule->mailbox);
	}
}

static int make_rule(const struct conf_rule *from, struct arena *a, struct rule *to,
		     struct md_err *err)
{
	struct rule_pair *sets = arena_array(a, from->n_sets + from->tags.n + 2, sizeof *sets);

	if (!sets)
		return md_fail(err, MD_NOMEM, 0, "out of memory");
	*to = (struct rule){ .title = from->title,
			     .matches = from->matches,
			     .n_matches = from->n_matches,
			     .sets = sets,
			     .n_sets = from->n_sets };
	for (size_t i = 0; i < from->n_sets; i++)
		sets[i] = from->sets[i];
	if (from->mailbox[0])
		sets[to->n_sets++] = (struct rule_pair){ "mailbox", from->mailbox };
	if (from->team[0])
		sets[to->n_sets++] = (struct rule_pair){ "team", from->team };
	for (size_t i = 0; i < from->tags.n; i++)
		sets[to->n_sets++] = (struct rule_pair){ "tag", from->tags.v[i] };
	while (strcmp(rule_action_name(to->action), from->action) != 0)
		to->action++;
	return MD_OK;
}

int config_rules(const struct config *c, struct arena *a, struct rule **ret, struct md_err *err)
{
	struct rule *rules = arena_array(a, c->n_rules, sizeof *rules);
	int rc = rules ? MD_OK : md_fail(err, MD_NOMEM, 0, "out of memory");

	for (size_t i = 0; i < c->n_rules && rc == MD_OK; i++)
		rc = make_rule(&c->rules[i], a, &rules[i], err);
	if (rc == MD_OK)
		*ret = rules;
	return rc;
}
