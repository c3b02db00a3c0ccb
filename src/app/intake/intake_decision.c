/* The decision: every mail's fate and what decided it, for people and for `maildesk replay`. */
#include <maildesk/base/json.h>
#include <maildesk/store/messages.h>

#include "intake_priv.h"

static json_t *facts_json(const struct evidence *e)
{
	json_t *facts = json_array();

	for (size_t i = 0; i < e->n; i++) {
		const struct evidence_fact *f = &e->facts[i];
		json_t *values = json_array();

		for (size_t k = 0; k < EVIDENCE_VALUES && f->values[k]; k++)
			json_array_append_new(values, json_string(f->values[k]));
		json_array_append_new(facts, json_pack("{s:s, s:o}", "code", evidence_name(f->code),
						       "values", values));
	}
	return facts;
}

static void add_rule(json_t *rules, const char *rule, const struct evidence *e, struct arena *a)
{
	if (e->n > 0)
		json_array_append_new(rules,
				      json_pack("{s:s, s:b, s:s, s:o}", "rule", rule, "matched", 1,
						"evidence", evidence_text(e, a), "facts",
						facts_json(e)));
}

int intake_write_decision(struct intake *in, struct md_err *err)
{
	md_auto(json_decref_p) json_t *rules = json_array();
	md_auto(json_decref_p) json_t *commands = json_array();
	md_auto(json_decref_p) json_t *sla = json_array();
	md_auto(buf_done) struct buf rules_text = BUF_INIT(1 << 20);
	md_auto(buf_done) struct buf commands_text = BUF_INIT(1 << 20);
	md_auto(buf_done) struct buf sla_text = BUF_INIT(1 << 10);
	struct decision d = {
		.message_id = in->result.message,
		.outcome = in->result.outcome,
		.cause = in->result.cause,
		.ticket_id = in->result.ticket,
		.comment_id = in->result.comment,
		.auth = trust_auth_name(in->f.trust.auth),
		.at = in->by.now_ms,
	};

	add_rule(rules, route_rule_name(in->route.rule), &in->route.evidence, in->a);
	add_rule(rules, "trust", &in->f.trust.evidence, in->a);
	for (size_t i = 0; i < in->rules.n_hits; i++)
		json_array_append_new(rules, json_pack("{s:s+, s:b, s:s}", "rule",
						       "rule:", in->rules.hits[i].rule->title,
						       "matched", in->rules.hits[i].matched,
						       "evidence", in->rules.hits[i].evidence));
	for (size_t i = 0; i < in->n_lines; i++)
		json_array_append_new(commands,
				      json_pack("{s:s, s:b, s:s}", "line", in->lines[i].line, "ok",
						in->lines[i].ok, "reason", in->lines[i].reason));
	for (int i = 0; i < SLA_METRIC_COUNT; i++)
		if (in->sla_effects[i])
			json_array_append_new(sla,
					      json_pack("{s:s, s:s}", "metric", sla_metric_names[i],
							"effect", in->sla_effects[i]));
	json_write(&sla_text, sla);
	json_write(&rules_text, rules);
	json_write(&commands_text, commands);
	if (in->a->failed || rules_text.status != MD_OK || commands_text.status != MD_OK ||
	    sla_text.status != MD_OK)
		return md_fail(err, MD_NOMEM, 0, "out of memory");
	d.rules = buf_str(&rules_text);
	d.commands = buf_str(&commands_text);
	d.sla = buf_str(&sla_text);
	return decision_put(in->c, &d, err);
}

/* It has a row and a decision of its own; an identity, which makes a mail known, has the first. */
static int insert_duplicate(struct intake *in, const struct message_row *first, struct md_err *err)
{
	struct message_row row = *first;
	md_auto(json_decref_p) json_t *rules = json_array();
	md_auto(buf_done) struct buf rules_text = BUF_INIT(1 << 10);
	struct evidence of =
		evidence_of(EVIDENCE_DUPLICATE, arena_printf(in->a, "%lld", (long long)first->id));
	struct decision d = { .outcome = "duplicate",
			      .ticket_id = first->ticket_id,
			      .auth = "none",
			      .commands = "[]",
			      .at = in->by.now_ms };
	int rc;

	add_rule(rules, "duplicate", &of, in->a);
	json_write(&rules_text, rules);
	if (in->a->failed || rules_text.status != MD_OK)
		return md_fail(err, MD_NOMEM, 0, "out of memory");
	d.rules = buf_str(&rules_text);
	row.identity = NULL;
	row.ticket_id = 0; /* nothing on the ticket came by it */
	row.mailbox_id = in->mail->mailbox;
	row.created_at = in->by.now_ms;
	rc = message_insert(in->c, &row, &in->result.message, err);
	d.message_id = in->result.message;
	return rc == MD_OK ? decision_put(in->c, &d, err) : rc;
}

/* Seen before: one effect is enough. In the same mailbox it is the very same mail, which has its
 * row and its decision; at a second one it gets its own, and the ticket says so. */
int intake_note_duplicate(struct intake *in, const struct message_row *first, struct md_err *err)
{
	const struct desk_mailbox *mailbox = desk_mailbox(in->d, in->mail->mailbox);
	struct history h = {
		.ticket_id = first->ticket_id,
		.action = "duplicate",
		.new_value = mailbox ? mailbox->conf->title : NULL,
		.source = "mail",
		.trust = -1,
		.at = in->by.now_ms,
	};
	int rc;

	in->result.outcome = "duplicate";
	in->result.message = first->id;
	in->result.ticket = first->ticket_id;
	if (first->mailbox_id == in->mail->mailbox)
		return MD_OK;
	rc = insert_duplicate(in, first, err);
	h.message_id = in->result.message;
	if (rc != MD_OK || !first->ticket_id)
		return rc;
	return history_add(in->c, &h, err);
}
