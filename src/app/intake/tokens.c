/* Signed reply addresses are used up: once others have seen one it proves nobody, and the commands
 * of one run once (trust-and-commands.md, "Signed tokens"). */
#include <maildesk/store/proofs.h>

#include "intake_priv.h"

const char *intake_token_name(struct arena *a, const struct token *t)
{
	return arena_printf(a, "%d.%lld.%lld.%lld.%lld.%lld", t->key, (long long)t->ticket,
			    (long long)t->comment, (long long)t->user, (long long)t->serial,
			    (long long)t->day);
}

int intake_proof_state(struct db_conn *c, struct arena *a, struct intake_facts *f,
		       struct md_err *err)
{
	struct spent_token spent;
	const char *name;
	int rc;

	if (!f->proof.user || f->proof.user != f->user.id)
		return MD_OK;
	name = intake_token_name(a, &f->proof);
	if (!name)
		return md_fail(err, MD_NOMEM, 0, "out of memory");
	rc = spent_token_get(c, name, a, &spent, err);
	if (rc == MD_OK) {
		f->proof_dead = spent.dead_at != 0;
		f->proof_ran = spent.ran_at != 0;
	}
	return rc == MD_NOTFOUND ? MD_OK : rc;
}

/* Is anybody but the sender and ourselves named in To or Cc? */
static bool has_company(const struct intake *in)
{
	const struct rec_list *lists[] = { &in->m->to, &in->m->cc };

	for (size_t l = 0; l < MD_COUNT(lists); l++)
		for (size_t i = 0; i < lists[l]->n; i++) {
			const struct mail_address *to = lists[l]->v;

			if (!token_is_own_address(to[i].address, &in->d->own) &&
			    !(in->f.sender && token_same_mailbox(to[i].address, in->f.sender)))
				return true;
		}
	return false;
}

int intake_spend_token(struct intake *in, struct md_err *err)
{
	bool ran = in->commands && !in->refused && in->n_lines && in->f.proof.user == in->f.user.id;
	bool seen = in->f.proof.user && !in->f.proof_dead && has_company(in);
	const char *name;
	int rc = MD_OK;

	if (!ran && !seen)
		return MD_OK;
	name = intake_token_name(in->a, &in->f.proof);
	if (!name)
		return md_fail(err, MD_NOMEM, 0, "out of memory");
	if (seen)
		rc = spent_token_put(in->c, name, true, in->by.now_ms, err);
	if (rc == MD_OK && ran && in->f.proof.user)
		rc = spent_token_put(in->c, name, false, in->by.now_ms, err);
	return rc;
}
