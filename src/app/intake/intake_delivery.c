/* Reports of the mail system: what became of a mail of ours.
 *
 * Everything in a report is a claim, so it counts against an address only with a proof that the
 * reporter had a mail of ours to that address: its signed Message-ID, or the signed envelope sender
 * that the report came to. 5.x.x, or three 4.x.x in three days, mark the address as undeliverable;
 * a report of success, or a mail from there, clears that. */
#include <maildesk/store/messages.h>
#include <maildesk/store/outbox.h>
#include <maildesk/store/proofs.h>

#include "intake_priv.h"
#include <maildesk/app/work_base.h>

#include <string.h>

enum { SOFT_DAYS = 3, SOFT_MAX = 3 };

/* Was the mail that this report is about sent to that user? */
static bool was_sent_to(const struct intake *in, const struct bounce *b, int64_t user)
{
	const struct rec_strs *lists[] = { &in->m->in_reply_to, &in->m->references };
	const struct token_keys *keys = in->d->token_keys;
	int64_t today = token_day(in->by.now_ms);
	struct token t;

	if (in->f.bounced.user)
		return in->f.bounced.user == user;
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

static int mark(struct intake *in, struct user *u, int64_t at, struct md_err *err)
{
	if ((u->undeliverable_at != 0) == (at != 0))
		return MD_OK;
	u->undeliverable_at = at;
	return user_save(in->c, u, err);
}

/* What the report means for whoever the mail went to. */
static int judge_address(struct intake *in, const struct bounce *b, struct user *u,
			 struct md_err *err)
{
	int64_t since = in->by.now_ms - SOFT_DAYS * INT64_C(86400000), n = 0;
	char class = b->status ? b->status[0] : '\0';
	int rc;

	if (in->m->kind == KIND_RECEIPT)
		return mark(in, u, 0, err);
	if (in->m->kind != KIND_BOUNCE || (class != '5' && class != '4'))
		return MD_OK;
	if (class == '5')
		return mark(in, u, in->by.now_ms, err);
	rc = delivery_count_soft(in->c, u->email, since, &n, err);
	return rc == MD_OK && n >= SOFT_MAX ? mark(in, u, in->by.now_ms, err) : rc;
}

static int note_one(struct intake *in, struct work *w, const struct bounce *b, struct md_err *err)
{
	const char *kind = message_kind_name((enum message_kind)in->m->kind);
	struct delivery_event e = { .kind = kind,
				    .address = b->recipient,
				    .status = b->status,
				    .diagnostic = b->diagnostic,
				    .message_id = in->result.message,
				    .original = b->original_message_id,
				    .at = in->by.now_ms };
	const char *what = arena_printf(in->a, "%s %s %s", kind, b->status ? b->status : "",
					b->diagnostic ? b->diagnostic : "");
	struct user u;
	int rc = work_history(w, "delivery", b->recipient, what, false, err);

	if (rc != MD_OK || !b->recipient)
		return rc;
	rc = user_by_address(in->c, b->recipient, in->a, &u, err);
	if (rc == MD_NOTFOUND || rc == MD_INPUT || (rc == MD_OK && !was_sent_to(in, b, u.id)))
		return MD_OK;
	e.address = u.email;
	if (rc == MD_OK)
		rc = delivery_event_add(in->c, &e, err);
	if (rc == MD_OK && in->m->kind == KIND_BOUNCE && !u.undeliverable_at)
		rc = work_undelivered(w, u.email, b->diagnostic ? b->diagnostic : what, err);
	return rc == MD_OK ? judge_address(in, b, &u, err) : rc;
}

/* Some reports name nobody; the address they came to does. */
static int fill_recipient(struct intake *in, struct bounce *b, struct md_err *err)
{
	struct outbox_row row;
	int rc;

	if (b->recipient || !in->f.bounced.user)
		return MD_OK;
	rc = outbox_of_message(in->c, in->f.bounced.serial, in->a, &row, err);
	if (rc != MD_OK)
		return rc == MD_NOTFOUND ? MD_OK : rc;
	b->recipient = row.recipient;
	b->original_message_id = b->original_message_id ? b->original_message_id : row.mail_id;
	return MD_OK;
}

/* A bounce, delay or receipt says something about a mail of ours; it never is a comment. */
int intake_note_delivery(struct intake *in, struct md_err *err)
{
	const struct bounce *all = in->m->bounce.v;
	size_t n = in->m->bounce.n;
	struct work w;
	int rc = work_load(&in->by, in->c, in->a, in->route.ticket, &w, err);

	if (rc == MD_OK)
		rc = intake_store_message(in, in->route.ticket, err);
	for (size_t i = 0; (i < n || (i == 0 && in->f.bounced.user)) && rc == MD_OK; i++) {
		struct bounce b = i < n ? all[i] : (struct bounce){ 0 };

		rc = fill_recipient(in, &b, err);
		if (rc == MD_OK)
			rc = note_one(in, &w, &b, err);
	}
	if (rc == MD_OK && w.n_events)
		rc = work_save(&w, err);
	in->result.ticket = in->route.ticket;
	in->result.outcome = "delivery_event";
	return rc;
}
