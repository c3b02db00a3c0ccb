/* A password is what it is. An access token comes and goes: fetch learns of a mailbox when there is
 * one, and of each new one; that it was refused goes back to who renews it (bearer.h). */
#include "mailboxes_priv.h"

#include <string.h>

enum { TOKEN_MAX = 64 << 10 };

static struct hold *hold_of(struct mailboxes *m, const struct desk_mailbox *mailbox)
{
	return &m->holds[mailbox - m->d->mailboxes];
}

static const char *state_of(int rc)
{
	return rc == MD_REFUSED ? "auth_failed" : "backoff";
}

int mailboxes_credential(struct mailboxes *m, const struct desk_mailbox *mailbox, struct buf *out,
			 struct md_err *err)
{
	const struct conf_mailbox *conf = mailbox->conf;
	struct hold *h = hold_of(m, mailbox);
	int rc;

	if (!conf->oauth) {
		buf_adds(out, conf->password);
		return out->status == MD_OK ? MD_OK : md_fail(err, MD_NOMEM, 0, "out of memory");
	}
	h->serial = 0;
	rc = bearer_token(m->d->bearer, conf->oauth, conf->user, out, &h->serial, err);
	if (rc == MD_AGAIN || rc == MD_REFUSED)
		desk_mailbox_state(m->d, mailbox->id, state_of(rc), err->text);
	return rc;
}

static bool is_well(struct desk *d, const struct desk_mailbox *mailbox)
{
	bool well;

	pthread_mutex_lock(&d->lock);
	well = strcmp(mailbox->state, "ok") == 0;
	pthread_mutex_unlock(&d->lock);
	return well;
}

static void tell_token(struct mailboxes *m, size_t i)
{
	const struct desk_mailbox *mailbox = &m->d->mailboxes[i];
	const struct conf_mailbox *conf = mailbox->conf;
	md_auto(buf_wipe) struct buf token = BUF_INIT(TOKEN_MAX);
	struct hold *h = &m->holds[i];
	struct md_err why = { 0 };
	int64_t serial = 0;
	int rc = bearer_token(m->d->bearer, conf->oauth, conf->user, &token, &serial, &why);

	if (rc == MD_OK && h->serial == 0)
		mailboxes_watch(m, mailbox);
	else if (rc == MD_OK && serial != h->serial)
		mailboxes_refresh(m, mailbox);
	/* Who is signed in still reads mail. But a person has to act, and should hear of it now. */
	else if (rc == MD_REFUSED || (rc == MD_AGAIN && !why.native && !is_well(m->d, mailbox)))
		desk_mailbox_state(m->d, mailbox->id, state_of(rc), why.text);
}

void mailboxes_tell_tokens(struct mailboxes *m)
{
	int64_t changes = bearer_changes(m->d->bearer);

	if (changes == m->tokens_seen || !m->fetch.channel)
		return;
	m->tokens_seen = changes;
	for (size_t i = 0; i < m->d->n_mailboxes && m->fetch.channel; i++)
		if (m->holds[i].held && m->d->mailboxes[i].conf->oauth)
			tell_token(m, i);
}

void mailboxes_judge(struct mailboxes *m, const struct desk_mailbox *mailbox, const char **state,
		     const char **error, struct md_err *room)
{
	md_auto(buf_wipe) struct buf token = BUF_INIT(TOKEN_MAX);
	const struct conf_mailbox *conf = mailbox->conf;
	const struct hold *h = hold_of(m, mailbox);
	bool refused = strcmp(*state, "auth_failed") == 0;
	int64_t serial;
	int rc;

	if (!conf->oauth)
		return;
	if (strcmp(*state, "ok") == 0)
		bearer_accepted(m->d->bearer, conf->oauth, conf->user);
	if (!refused && strcmp(*state, "backoff") != 0)
		return;
	if (refused)
		bearer_refused(m->d->bearer, conf->oauth, conf->user, h->serial);
	/* Where there is no token any more, that is the trouble, whatever the mail server says. */
	rc = bearer_token(m->d->bearer, conf->oauth, conf->user, &token, &serial, room);
	if (refused && rc == MD_AGAIN &&
	    room->native == 1) { /* it has ended early: nothing to be told of */
		*state = "connecting";
		*error = NULL;
	} else if ((rc == MD_REFUSED || rc == MD_AGAIN) && !room->native) {
		*state = state_of(rc);
		*error = room->text;
	}
}
