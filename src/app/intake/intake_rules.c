/* What keeps a mail away from tickets beside its route, and what an admin's rules make of others.
 *
 * Rules act in their own name and with an admin's rights, whoever wrote the mail. A name that does
 * not exist any more (of a team, a person) costs the mail nothing: it is told of in the decision.
 */
#include <maildesk/base/utf8.h>
#include <maildesk/store/quarantine.h>

#include "intake_priv.h"
#include <maildesk/app/work_base.h>

#include <string.h>

static bool is_spam(const struct intake *in)
{
	return in->m->spam_hop && in->m->spam_hop <= in->d->config->trust.trusted_hops;
}

static int apply_rules(struct intake *in, struct md_err *err)
{
	const struct rule_input input = { .message = in->m,
					  .size = in->mail->size,
					  .trust = in->f.trust.level };

	return rules_apply(in->d->rules, &input, in->d->clock, in->a, &in->rules, err);
}

static bool is_welcome(const struct intake *in)
{
	const struct intake_known *known = in->mail->known;

	return known && known->welcome && strcmp(known->sender, in->f.sender) == 0;
}

int intake_screen(struct intake *in, const char **ret_cause, const char **ret_detail,
		  struct md_err *err)
{
	bool blocked = false;
	int rc = apply_rules(in, err);

	*ret_cause = NULL;
	if (rc != MD_OK || in->mail->released)
		return rc;
	if (in->f.sender && !is_welcome(in))
		rc = blocked_is(in->c, in->f.sender, &blocked, err);
	if (rc != MD_OK)
		return rc;
	if (blocked) {
		*ret_cause = "blocked_sender";
		*ret_detail = in->f.sender;
	} else if (is_spam(in)) {
		*ret_cause = "spam";
		*ret_detail = "our mail server marked it";
	} else if (in->rules.quarantine) {
		*ret_cause = "spam";
		*ret_detail = arena_printf(in->a, "rule \"%s\"",
					   in->rules.hits[in->rules.n_hits - 1].rule->title);
	}
	return MD_OK;
}

/* ---- new tickets ---- */

static int64_t mailbox_id(const struct desk *d, const char *title)
{
	for (size_t i = 0; i < d->n_mailboxes; i++)
		if (strcmp(d->mailboxes[i].conf->title, title) == 0)
			return d->mailboxes[i].id;
	return 0;
}

void intake_rules_before(const struct intake *in, struct work_ticket *t)
{
	for (size_t i = 0; i < in->rules.n_hits; i++) {
		const struct rule *rule = in->rules.hits[i].rule;

		for (size_t k = 0; in->rules.hits[i].matched && k < rule->n_sets; k++) {
			const char *name = rule->sets[k].name, *value = rule->sets[k].value;

			if (strcmp(name, "priority") == 0)
				t->priority = work_priority_from_name(value);
			else if (strcmp(name, "category") == 0)
				t->category = value;
			else if (strcmp(name, "mailbox") == 0)
				t->mailbox = mailbox_id(in->d, value);
		}
	}
}

static int set_assignee(struct work *w, const char *address, struct work_change *ch,
			struct md_err *err)
{
	md_auto(buf_done) struct buf folded = BUF_INIT(4096);
	struct user u;
	int rc;

	utf8_fold(&folded, address, strlen(address));
	rc = user_by_address(w->c, buf_str(&folded), w->arena, &u, err);
	if (rc == MD_OK) {
		ch->set_assignee = true;
		ch->assignee = u.id;
	}
	return rc;
}

static int apply_set(struct work *w, const struct rule_pair *set, struct md_err *err)
{
	struct work_change ch = WORK_CHANGE_NONE;
	const char *value = set->value;
	int rc = MD_OK;

	if (strcmp(set->name, "tag") == 0)
		ch.add_tags = (struct rec_strs){ 1, &value };
	else if (strcmp(set->name, "assignee") == 0)
		rc = set_assignee(w, value, &ch, err);
	return rc == MD_OK ? work_change(w, &ch, err) : rc;
}

/* The decision says which set was in vain. */
static void note_failure(const struct intake *in, struct rule_hit *hit, const struct rule_pair *set,
			 const char *why)
{
	const char *text = arena_printf(in->a, "%s; %s \"%s\" was not set: %s", hit->evidence,
					set->name, set->value, why);

	if (text)
		hit->evidence = text;
}

int intake_rules_after(const struct intake *in, struct work *w, struct md_err *err)
{
	const struct work_by *by = w->by;
	struct work_by rule_by = *by;
	int rc = MD_OK;

	rule_by.user = (struct user){ 0 };
	rule_by.actor = (struct policy_actor){ .role = ROLE_ADMIN, .source = SOURCE_RULE };
	w->by = &rule_by;
	work_see(w);
	for (size_t i = 0; i < in->rules.n_hits && rc == MD_OK; i++) {
		struct rule_hit *hit = &in->rules.hits[i];

		for (size_t k = 0; hit->matched && k < hit->rule->n_sets && rc == MD_OK; k++) {
			struct md_err why = { 0 };

			rc = apply_set(w, &hit->rule->sets[k], &why);
			if (rc == MD_NOTFOUND || rc == MD_INPUT || rc == MD_REFUSED) {
				note_failure(in, hit, &hit->rule->sets[k], why.text);
				rc = MD_OK;
			} else if (rc != MD_OK && err) {
				*err = why;
			}
		}
	}
	w->by = by;
	work_see(w);
	return rc;
}
