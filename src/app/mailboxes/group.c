/* What is asked once for all mails that are stored together: a question costs a round trip where
 * the database is a server, and hardly more for a hundred mails than for one.
 *
 * The answers hold until a mail of the group changes what they are about (intake_result.plain);
 * those behind it ask for themselves. */
#include <maildesk/base/utf8.h>
#include <maildesk/store/messages.h>
#include <maildesk/store/quarantine.h>

#include "mailboxes_priv.h"

#include <string.h>

static const char *id_of(const struct job *j)
{
	return j->gone || j->cause ? NULL : j->message.message_id;
}

static bool is_among(const struct rec_strs *list, const char *id)
{
	for (size_t i = 0; i < list->n; i++)
		if (strcmp(list->v[i], id) == 0)
			return true;
	return false;
}

/* Which of them are surely new: no other mail has their Message-ID, here or in the
 * group. */
static int look_up_ids(struct db_conn *c, struct storing *s, struct md_err *err)
{
	md_auto(arena_done) struct arena arena = ARENA_INIT(READER_ARENA_MAX);
	const char *v[GROUP_MAX];
	struct rec_strs ids = { 0, v }, known = { 0 };
	int rc;

	for (size_t i = 0; i < s->n; i++) {
		const char *id = id_of(s->group[i]);

		s->group[i]->fresh = id && !is_among(&ids, id);
		if (s->group[i]->fresh)
			v[ids.n++] = id;
	}
	rc = message_known(c, &ids, &arena, &known, err);
	for (size_t i = 0; i < s->n && rc == MD_OK; i++)
		if (s->group[i]->fresh && is_among(&known, id_of(s->group[i])))
			s->group[i]->fresh = false;
	return rc;
}

static const char *fold_sender(struct storing *s, const struct job *j)
{
	const struct message *m = &j->message;
	md_auto(buf_done) struct buf folded = BUF_INIT(1 << 16);
	const char *address;

	if (j->gone || j->cause || m->from.n == 0)
		return NULL;
	address = ((const struct mail_address *)m->from.v)->address;
	utf8_fold(&folded, address, strlen(address));
	return folded.status == MD_OK ? arena_strdup(&s->known, buf_str(&folded)) : NULL;
}

static void add_once(struct rec_strs *list, const char *name)
{
	if (name && !is_among(list, name))
		list->v[list->n++] = name;
}

/* Whose addresses they are. */
static int look_up_users(struct db_conn *c, struct storing *s, const struct rec_strs *senders,
			 struct md_err *err)
{
	struct user_found *found = NULL;
	size_t n = 0;
	int rc = user_by_addresses(c, senders, &s->known, &found, &n, err);

	for (size_t i = 0; i < s->n && rc == MD_OK; i++)
		for (size_t k = 0; k < n && s->group[i]->sender.sender; k++)
			if (strcmp(found[k].address, s->group[i]->sender.sender) == 0)
				s->group[i]->sender.user = &found[k].user;
	return rc;
}

/* Is neither the address nor its domain blocked? */
static int look_up_blocked(struct db_conn *c, struct storing *s, const struct rec_strs *senders,
			   struct md_err *err)
{
	const char *v[2 * GROUP_MAX];
	struct rec_strs names = { 0, v }, blocked = { 0, NULL };
	int rc;

	for (size_t i = 0; i < senders->n; i++) {
		add_once(&names, senders->v[i]);
		add_once(&names, strrchr(senders->v[i], '@'));
	}
	rc = blocked_among(c, &names, &s->known, &blocked, err);
	for (size_t i = 0; i < s->n && rc == MD_OK; i++) {
		const char *sender = s->group[i]->sender.sender;
		const char *domain = sender ? strrchr(sender, '@') : NULL;

		s->group[i]->sender.welcome = sender && !is_among(&blocked, sender) &&
					      !(domain && is_among(&blocked, domain));
	}
	return rc;
}

int mailboxes_look_up(struct db_conn *c, struct storing *s, struct md_err *err)
{
	const char *v[GROUP_MAX];
	struct rec_strs senders = { 0, v };
	int rc = look_up_ids(c, s, err);

	arena_reset(&s->known);
	s->stale = false;
	for (size_t i = 0; i < s->n; i++) {
		s->group[i]->sender =
			(struct intake_known){ fold_sender(s, s->group[i]), NULL, false };
		add_once(&senders, s->group[i]->sender.sender);
	}
	if (rc == MD_OK)
		rc = look_up_users(c, s, &senders, err);
	return rc == MD_OK ? look_up_blocked(c, s, &senders, err) : rc;
}
