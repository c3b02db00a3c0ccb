/* Reports of the mail system: what became of a mail of ours. */
#include <maildesk/store/messages.h>

#include "intake_priv.h"
#include "work_priv.h"

/* Was the mail that this report is about sent to that user? Our Message-ID tells, and nobody else
 * can make one: else a report could silence anybody. */
static bool was_sent_to(const struct intake *in, const struct bounce *b, int64_t user)
{
	const struct rec_strs *lists[] = { &in->m->in_reply_to, &in->m->references };
	const struct token_keys *keys = &in->d->token_keys;
	int64_t today = token_day(in->by.now_ms);
	struct token t;

	if (b->original_message_id)
		return token_read_message_id(keys, b->original_message_id, today, &t) ==
			       TOKEN_VALID &&
		       t.user == user;
	for (size_t l = 0; l < MD_COUNT(lists); l++)
		for (size_t i = 0; i < lists[l]->n; i++)
			if (token_read_message_id(keys, lists[l]->v[i], today, &t) == TOKEN_VALID &&
			    t.user == user)
				return true;
	return false;
}

/* "5.1.1": no mail gets through to them any more. */
static int mark_undeliverable(struct intake *in, const struct bounce *b, struct md_err *err)
{
	struct user u;
	int rc;

	if (in->m->kind != KIND_BOUNCE || !b->recipient || !b->status || b->status[0] != '5')
		return MD_OK;
	rc = user_by_address(in->c, b->recipient, in->a, &u, err);
	if (rc == MD_NOTFOUND || (rc == MD_OK && !was_sent_to(in, b, u.id)))
		return MD_OK;
	u.undeliverable_at = in->by.now_ms;
	return rc == MD_OK ? user_save(in->c, &u, err) : rc;
}

/* A bounce, delay or receipt says something about a mail of ours; it never is a comment. */
int intake_note_delivery(struct intake *in, struct md_err *err)
{
	const struct bounce *all = in->m->bounce.v;
	struct work w;
	int rc = work_load(&in->by, in->c, in->a, in->route.ticket, &w, err);

	for (size_t i = 0; i < in->m->bounce.n && rc == MD_OK; i++) {
		const char *what = arena_printf(in->a, "%s %s %s",
						message_kind_name((enum message_kind)in->m->kind),
						all[i].status ? all[i].status : "",
						all[i].diagnostic ? all[i].diagnostic : "");

		rc = work_history(&w, "delivery", all[i].recipient, what, false, err);
		if (rc == MD_OK)
			rc = mark_undeliverable(in, &all[i], err);
	}
	if (rc == MD_OK)
		rc = message_set_ticket(in->c, in->result.message, in->route.ticket, err);
	in->result.ticket = in->route.ticket;
	in->result.outcome = "delivery_event";
	return rc;
}
