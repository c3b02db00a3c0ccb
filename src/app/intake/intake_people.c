/* The people of a mail: who wrote it, who has a copy, and who writes too much. */
#include <maildesk/app/notify.h>
#include <maildesk/base/utf8.h>
#include <maildesk/mail/compose.h>
#include <maildesk/store/messages.h>

#include "intake_priv.h"
#include <maildesk/app/work_base.h>

#include <string.h>

enum { COPIED_MAX = 50, FLOOD_WINDOW_MS = 3600000 };

/* Whom nobody knows. */
static int add_customer(struct intake *in, const char *folded, const char *address,
			const char *name, struct user *ret, struct md_err *err)
{
	*ret = (struct user){
		.email = arena_strdup(in->a, folded),
		.name = name && name[0] ? name
					: arena_strndup(in->a, address, strcspn(address, "@")),
		.role = "customer",
		.created_at = in->by.now_ms,
	};
	if (!ret->email || !ret->name)
		return md_fail(err, MD_NOMEM, 0, "out of memory");
	return user_add_unknown(in->c, ret, &ret->id, err);
}

int intake_ensure_user(struct intake *in, const char *address, const char *name, struct user *ret,
		       struct md_err *err)
{
	md_auto(buf_done) struct buf folded = BUF_INIT(4096);
	int rc;

	utf8_fold(&folded, address, strlen(address));
	rc = user_by_address(in->c, buf_str(&folded), in->a, ret, err);
	return rc == MD_NOTFOUND ? add_customer(in, buf_str(&folded), address, name, ret, err) : rc;
}

int intake_ensure_sender(struct intake *in, struct md_err *err)
{
	struct user *u = &in->f.user;
	int rc = MD_OK;

	if (u->id == 0)
		rc = add_customer(in, in->f.sender, in->f.sender, in->f.sender_name, u, err);
	/* Who writes can be written to again. */
	if (rc == MD_OK && u->undeliverable_at && !u->disabled_at && !in->by.no_answer) {
		u->undeliverable_at = 0;
		rc = user_save(in->c, u, err);
	}
	in->by.user = *u;
	in->by.actor.user = u->id;
	in->by.actor.role = role_from_name(u->role);
	return rc;
}

/* Those who have the mail already take part in the ticket it opens (robots bring nobody along). */
int intake_copied(struct intake *in, const int64_t **ret, size_t *ret_n, struct md_err *err)
{
	const struct rec_list *lists[] = { &in->m->to, &in->m->cc };
	int64_t *ids = arena_array(in->a, COPIED_MAX, sizeof *ids);
	size_t n = 0;
	int rc = MD_OK;

	if (!ids)
		return md_fail(err, MD_NOMEM, 0, "out of memory");
	for (size_t l = 0; l < MD_COUNT(lists) && !in->f.automatic; l++)
		for (size_t i = 0; i < lists[l]->n && n < COPIED_MAX && rc == MD_OK; i++) {
			const struct mail_address *to =
				(const struct mail_address *)lists[l]->v + i;
			struct user u;

			if (!mail_address_valid(to->address) ||
			    token_is_own_address(to->address, &in->d->own))
				continue;
			rc = intake_ensure_user(in, to->address, to->name, &u, err);
			if (rc == MD_OK && u.id != in->by.user.id)
				ids[n++] = u.id;
		}
	*ret = ids;
	*ret_n = n;
	return rc;
}

int intake_is_flood(struct intake *in, bool *ret, struct md_err *err)
{
	int64_t most = in->d->config->limits.inbound_per_sender_hour, n = 0;
	int rc;

	*ret = false;
	if (most == 0 || in->by.silent || !in->f.sender)
		return MD_OK;
	rc = message_count_from(in->c, in->f.sender, in->by.now_ms - FLOOD_WINDOW_MS, &n, err);
	*ret = n >= most; /* this mail is one more */
	return rc;
}

/* Whoever an agent, or a participant who is proven, names joins for what comes after; of others an
 * agent decides. */
int intake_join(struct intake *in, struct work *w, enum policy_hold hold, struct md_err *err)
{
	const int64_t *ids = NULL;
	bool may = in->f.trust.level >= TRUST_VERIFIED && hold == HOLD_NONE;
	size_t n = 0;
	int rc = MD_OK;

	if (in->f.automatic)
		return MD_OK;
	if (hold == HOLD_NOT_PARTICIPANT)
		return participant_propose(in->c, w->ticket.id, in->by.user.id, in->by.now_ms, err);
	rc = intake_copied(in, &ids, &n, err);
	for (size_t i = 0; i < n && rc == MD_OK; i++) {
		bool known = ids[i] == w->ticket.assignee_id;

		for (size_t k = 0; k < w->n_participants; k++)
			known = known || w->participants[k].user_id == ids[i];
		if (known)
			continue;
		rc = may ? participant_put(in->c, w->ticket.id, ids[i], "cc", in->by.now_ms, err)
			 : participant_propose(in->c, w->ticket.id, ids[i], in->by.now_ms, err);
		if (rc == MD_OK)
			rc = work_history(w, may ? "participant_added" : "participant_proposed",
					  NULL, "cc", may, err);
		w->touched = true;
	}
	return rc;
}

/* What an address says that was spoilt proves nothing. But when it was made for whoever wrote, who
 * takes part in the ticket it names, it was most likely broken on its way: the agent who waits for
 * that answer is told, by the number alone. */
static int tell_assignee(struct intake *in, struct md_err *err)
{
	static const struct work_event tampered = { .event = "tampered" };
	const char *address = in->f.hits[in->route.hit].via;
	bool takes_part = false;
	struct token said;
	int rc;

	if (!token_peek_address(address, &in->d->own, &said) || said.user != in->f.user.id)
		return MD_OK;
	rc = participant_is(in->c, said.ticket, in->f.user.id, &takes_part, err);
	if (rc == MD_OK && takes_part)
		rc = work_tell_of(&in->by, in->c, in->a, said.ticket, &tampered, err);
	return rc == MD_NOTFOUND ? MD_OK : rc;
}

int intake_tell_tampered(struct intake *in, struct md_err *err)
{
	static const struct work_event held = { .event = "unverified" };

	if (strcmp(in->route.cause, "bad_signature") != 0 || !in->f.user.id || in->f.automatic)
		return MD_OK;
	in->by.user = in->f.user;
	in->by.actor.role = role_from_name(in->f.user.role);
	return in->f.is_staff ? work_tell(&in->by, in->c, in->a, in->mail->mailbox, &held, err)
			      : tell_assignee(in, err);
}
