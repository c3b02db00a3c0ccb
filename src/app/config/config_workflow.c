/* The sections `workflow`: from what is written to the table of desk/workflow.h, which then is
 * checked as any other. */
#include "config_private.h"

#include <stdlib.h>
#include <string.h>

const struct conf_word conf_phases[] = {
	{ "active", PHASE_ACTIVE },
	{ "waiting", PHASE_WAITING },
	{ "resolved", PHASE_RESOLVED },
	{ "closed", PHASE_CLOSED },
	{ NULL, 0 },
};
const struct conf_word conf_guards[] = {
	{ "has_assignee", GUARD_HAS_ASSIGNEE },
	{ NULL, 0 },
};
const struct conf_word conf_who[] = {
	{ "requester", WHO_REQUESTER }, { "participant", WHO_PARTICIPANT },
	{ "assignee", WHO_ASSIGNEE },   { "agent", WHO_AGENT },
	{ "admin", WHO_ADMIN },         { NULL, 0 },
};
const struct conf_word conf_triggers[] = {
	{ "assigned", TRIGGER_ASSIGNED },
	{ "customer_reply", TRIGGER_CUSTOMER_REPLY },
	{ "auto_close", TRIGGER_AUTO_CLOSE },
	{ "pending_close", TRIGGER_PENDING_CLOSE },
	{ NULL, 0 },
};

/* Words were checked one by one; "" and others are 0. */
static unsigned value_of(const struct conf_word *words, const char *name)
{
	for (; words->name; words++)
		if (strcmp(words->name, name) == 0)
			return words->value;
	return 0;
}

static unsigned values_of(const struct conf_word *words, const struct conf_strs *names)
{
	unsigned all = 0;

	for (size_t i = 0; i < names->n; i++)
		all |= value_of(words, names->v[i]);
	return all;
}

static enum workflow_phase phase_of(const struct conf_status *s)
{
	const struct workflow_status *known = workflow_status(workflow_find("helpdesk"), s->title);

	if (s->phase[0])
		return (enum workflow_phase)value_of(conf_phases, s->phase);
	if (known)
		return known->phase;
	return s->final ? PHASE_CLOSED : PHASE_ACTIVE;
}

static int make(const struct conf_workflow *from, struct arena *a, const struct workflow **ret,
		struct md_err *err)
{
	struct workflow *wf = arena_alloc(a, sizeof *wf);
	struct workflow_status *statuses = arena_array(a, from->n_statuses, sizeof *statuses);
	struct workflow_edge *edges = arena_array(a, from->n_moves, sizeof *edges);
	const char **verbs = arena_array(a, from->n_moves, sizeof *verbs);

	if (!wf || !statuses || !edges || !verbs)
		return md_fail(err, MD_NOMEM, 0, "out of memory");
	for (size_t i = 0; i < from->n_statuses; i++)
		statuses[i] = (struct workflow_status){ from->statuses[i].title,
							phase_of(&from->statuses[i]),
							from->statuses[i].final };
	for (size_t i = 0; i < from->n_moves; i++) {
		const struct conf_move *m = &from->moves[i];

		edges[i] = (struct workflow_edge){
			.from = m->from ? m->from : "",
			.to = m->to ? m->to : "",
			.who = values_of(conf_who, &m->who),
			.by_itself = values_of(conf_triggers, &m->by_itself),
			.guard = (enum workflow_guard)value_of(conf_guards, m->guard),
		};
		verbs[i] = m->title;
	}
	*wf = (struct workflow){ from->title, statuses,      from->n_statuses,
				 edges,       from->n_moves, verbs };
	*ret = wf;
	return workflow_check(wf, err);
}

int config_workflow(const struct config *c, struct arena *a, const struct workflow **ret,
		    struct md_err *err)
{
	for (size_t i = 0; i < c->n_workflows; i++)
		if (strcmp(c->workflows[i].title, c->desk.workflow) == 0)
			return make(&c->workflows[i], a, ret, err);
	*ret = workflow_find(c->desk.workflow);
	return MD_OK;
}

/* ---- checking ---- */

static const struct conf_node *next_workflow(const struct conf_node *n)
{
	while (n && !(n->section && strcmp(n->section->name, "workflow") == 0))
		n = n->next;
	return n;
}

int config_load_workflow(const struct conf_load *l, const char *name, struct arena *a,
			 const struct workflow **ret, struct md_err *err)
{
	for (const struct conf_node *n = next_workflow(l->nodes); n; n = next_workflow(n->next)) {
		const struct conf_workflow *w = n->object;

		if (strcmp(w->title, name) == 0)
			return make(w, a, ret, err);
	}
	*ret = workflow_find(name);
	return *ret ? MD_OK
		    : md_fail(err, MD_INPUT, 0,
			      "workflow = \"%.60s\": allowed: \"helpdesk\", \"strict\", or the "
			      "title of a workflow section",
			      name);
}

const struct workflow *config_load_statuses(const struct conf_load *l, const char *quote,
					    struct buf *ret_names)
{
	const struct workflow *w;

	if (l->incomplete ||
	    config_load_workflow(l, l->config->desk.workflow, l->arena, &w, NULL) != MD_OK)
		return NULL;
	for (size_t i = 0; i < w->status_count; i++)
		buf_addf(ret_names, "%s%s%s%s", i ? ", " : "", quote, w->statuses[i].name, quote);
	return w;
}

void config_check_keep(struct conf_load *l, struct conf_node *n)
{
	const struct conf_keep *k = n->object;
	md_auto(buf_done) struct buf b = BUF_INIT(2000);
	const struct workflow *w = config_load_statuses(l, "", &b);

	if (w && !workflow_status(w, k->title))
		conf_error(l, n->origin, n, "unknown key or status \"%.60s\"; allowed: action, %s",
			   k->title, buf_str(&b));
}

static void check_one(struct conf_load *l, const struct conf_node *n)
{
	const struct conf_workflow *w = n->object;
	const struct workflow *made;
	struct md_err err;

	if (workflow_find(w->title))
		conf_error(l, n->origin, n, "this name is built in: choose another");
	else if (make(w, l->arena, &made, &err) != MD_OK)
		conf_error(l, n->origin, NULL, "%s", err.text);
}

static const struct conf_node *desk_node(const struct conf_load *l)
{
	const struct conf_node *n = l->nodes;

	while (!(n->section && strcmp(n->section->name, "desk") == 0))
		n = n->next;
	return n;
}

void config_check_workflows(struct conf_load *l)
{
	const struct conf_node *desk = desk_node(l);
	const struct workflow *made;
	struct md_err err;
	size_t errors = l->n_errors;

	if (l->incomplete)
		return;
	for (const struct conf_node *n = next_workflow(l->nodes); n; n = next_workflow(n->next))
		check_one(l, n);
	if (l->n_errors == errors &&
	    config_load_workflow(l, l->config->desk.workflow, l->arena, &made, &err) != MD_OK)
		conf_error(l, conf_origin_of(desk, "desk", offsetof(struct conf_desk, workflow)),
			   desk, "%s", err.text);
}
