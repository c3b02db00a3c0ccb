/* One mailbox, step by step:
 *
 *	closed --connect, SELECT--> asked --CURSOR--> works: marks, list, fetch, idle
 *	   ^----------- any failure; retried after a pause that grows -----------'
 *
 * A mailbox that the desk drops goes to closed and stays there until it is given again.
 *
 * A step does one bounded piece (a batch of mails at most) and says what it waits for, so that a
 * mailbox with 100,000 mails does not keep the others waiting. Steps are here;
 * fetch_say.c has what a session says to the desk, fetch_mails.c fetches, fetch_marks.c marks. */
#include "fetch_private.h"

#include <maildesk/base/clock.h>
#include <maildesk/base/log.h>
#include <maildesk/base/random.h>

#include <stdlib.h>
#include <string.h>

enum {
	RETRY_FIRST_MS = 1000,
	RETRY_MAX_MS = 5 * 60 * 1000,
	REFUSED_FIRST_MS = 60 * 1000, /* slower: the account must not be locked out */
	REFUSED_MAX_MS = 30 * 60 * 1000,
	KEEPALIVE_MS = 60 * 1000,    /* a NOOP while the desk is awaited */
	IDLE_MAX_MS = 9 * 60 * 1000, /* RFC 2177 says 29 minutes, address translators less */
	ANSWER_SOON_MS = 200,
};

static const char xoauth2[] = "xoauth2";

/* ---- beginning and end ---- */

int uids_add(struct uids *u, uint32_t uid)
{
	if (u->n == u->cap) {
		size_t cap = u->cap ? 2 * u->cap : 64;
		uint32_t *v = md_realloc(u->v, cap * sizeof *v);

		if (!v)
			return MD_NOMEM;
		u->v = v;
		u->cap = cap;
	}
	u->v[u->n++] = uid;
	return MD_OK;
}

void uids_done(struct uids *u)
{
	free(u->v);
	*u = (struct uids){ 0 };
}

void given_done(struct given *g)
{
	settings_free(g->settings);
	uids_done(&g->owed);
	uids_done(&g->stored);
	*g = (struct given){ 0 };
}

struct session *session_new(int64_t id)
{
	struct session *s = md_calloc(1, sizeof *s);

	if (!s)
		return NULL;
	s->id = id;
	s->timer_ms = INT64_MAX;
	s->out_end = &s->out;
	return s;
}

/* ---- failing ---- */

static void drop_connection(struct session *s)
{
	imap_close(md_take(s->imap));
	free(md_take(s->pending));
	free(md_take(s->mails));
	uids_done(&s->owed); /* the cursor will name them again */
	s->n_pending = s->pending_at = s->n_mails = s->mails_at = 0;
	s->n_unanswered = s->n_spooled = 0;
	s->idling = s->drained = s->listed_all = s->waiting = s->settled = false;
	s->phase = SESSION_CLOSED;
	s->mark_at_ms = 0;
}

/* Doubles with every failure; a quarter more or less, so that mailboxes do not retry in step. */
static int64_t pause_ms(int failures, int64_t first, int64_t max)
{
	int64_t ms = first;
	uint32_t r;

	for (int i = 1; i < failures && ms < max; i++)
		ms *= 2;
	ms = ms < max ? ms : max;
	random_fill(&random_system, &r, sizeof r);
	return ms * 3 / 4 + (int64_t)(r % 1000) * ms / 2000;
}

static void fail(struct session *s, int rc, const struct md_err *err)
{
	struct log_ctx ctx = session_log_ctx(s);
	bool refused = rc == MD_REFUSED;
	int64_t ms;

	drop_connection(s);
	if (refused)
		ms = pause_ms(++s->refusals, REFUSED_FIRST_MS, REFUSED_MAX_MS);
	else
		ms = pause_ms(++s->failures, RETRY_FIRST_MS, RETRY_MAX_MS);
	s->retry_at_ms = session_now_ms() + ms;
	log_warn(&ctx, "%s%s (next try in %lld s)", refused ? "login refused: " : "", err->text,
		 (long long)(ms + 999) / 1000);
	session_say_state(s, refused ? "auth_failed" : "backoff", err->text, ms);
}

/* ---- opening ---- */

static int open_connection(struct session *s, struct md_err *err)
{
	const struct frame_mailbox *b = &s->settings->box;
	md_auto(wire_trust_unref_p) struct wire_trust *trust = NULL;
	struct imap_config c = { .host = b->host,
				 .port = (int)b->port,
				 .tls = b->tls,
				 .user = b->user,
				 .secret = b->secret,
				 .xoauth2 = strcmp(b->auth, xoauth2) == 0,
				 .timeout_ms = b->timeout_ms };
	int rc = MD_OK;

	if (s->settings->trust_err.code != MD_OK) {
		*err = s->settings->trust_err;
		return err->code;
	}
	if (s->settings->trust)
		trust = wire_trust_ref(s->settings->trust);
	else if (strcmp(b->tls, "none") != 0)
		rc = wire_trust_system(&trust, err);
	c.trust = trust;
	return rc == MD_OK ? imap_open(&c, &s->imap, err) : rc;
}

static int connect_mailbox(struct session *s, struct md_err *err)
{
	const struct frame_mailbox *b = &s->settings->box;
	struct imap_folder folder;
	int rc;

	session_say_state(s, "connecting", NULL, 0);
	rc = open_connection(s, err);
	if (rc != MD_OK)
		return rc;
	rc = imap_select(s->imap, b->folder, &folder, err);
	if (rc == MD_REFUSED) /* not the credentials */
		return md_wrap(err, MD_BROKEN, "%s", b->host);
	if (rc == MD_OK)
		rc = session_say_selected(s, &folder, err);
	if (rc != MD_OK)
		return rc;
	s->uidvalidity = folder.uidvalidity;
	s->read_only = folder.read_only;
	s->refusals = 0;
	s->phase = SESSION_ASKED;
	return MD_OK;
}

/* ---- what the desk said ---- */

static bool same(const char *a, const char *b)
{
	return strcmp(a, b) == 0;
}

/* An access token is for signing in; who is signed in need not do it again for a new one. */
static bool same_server(const struct frame_mailbox *a, const struct frame_mailbox *b)
{
	return a->port == b->port && same(a->host, b->host) && same(a->user, b->user) &&
	       (same(a->secret, b->secret) || same(a->auth, xoauth2)) &&
	       same(a->folder, b->folder) && same(a->tls, b->tls) && same(a->auth, b->auth) &&
	       same(a->ca_file, b->ca_file);
}

static void take_drop(struct session *s)
{
	if (!s->given.drop)
		return;
	drop_connection(s);
	settings_free(md_take(s->settings));
	s->state = NULL;
}

static void take_settings(struct session *s)
{
	struct settings *set = md_take(s->given.settings);

	if (!set)
		return;
	if (!s->settings || !same_server(&s->settings->box, &set->box) ||
	    s->settings->trust_err.code != MD_OK)
		drop_connection(s);
	if (s->phase == SESSION_CLOSED) {
		s->retry_at_ms = 0;
		s->failures = s->refusals = 0;
	}
	settings_free(s->settings);
	s->settings = set;
	s->state = NULL; /* the desk wants to hear it again */
}

static void take_cursor(struct session *s)
{
	struct given *g = &s->given;

	if (!g->cursor || s->phase != SESSION_ASKED || g->cursor_uidvalidity != s->uidvalidity)
		return;
	s->last = (uint32_t)g->cursor_last;
	uids_done(&s->owed);
	s->owed = g->owed;
	g->owed = (struct uids){ 0 };
	s->drained = false;
	s->phase = SESSION_WORKS;
}

static int take_stored(struct session *s, struct md_err *err)
{
	const struct uids *stored = &s->given.stored;

	/* of another connection's time: the cursor has told what is owed */
	if (s->phase != SESSION_WORKS || s->given.stored_uidvalidity != s->uidvalidity)
		return MD_OK;
	for (size_t i = 0; i < stored->n; i++) {
		for (size_t k = 0; k < s->n_unanswered; k++) {
			if (s->unanswered[k].uid != stored->v[i])
				continue;
			s->n_spooled -= s->unanswered[k].spooled;
			s->n_unanswered--;
			memmove(s->unanswered + k, s->unanswered + k + 1,
				(s->n_unanswered - k) * sizeof *s->unanswered);
			break;
		}
		if (uids_add(&s->owed, stored->v[i]) != MD_OK)
			return md_fail(err, MD_NOMEM, 0, "out of memory");
	}
	if (stored->n)
		s->failures = 0;
	return MD_OK;
}

/* ---- working ---- */

static int list_more(struct session *s, struct md_err *err)
{
	free(md_take(s->pending));
	s->n_pending = s->pending_at = 0;
	(void)imap_take_news(s->imap); /* what was announced up to here will be in the listing */
	return imap_list(s->imap, s->last, &s->pending, &s->n_pending, &s->listed_all, err);
}

static bool nothing_at_hand(const struct session *s)
{
	return s->pending_at == s->n_pending && s->mails_at == s->n_mails;
}

static bool window_open(const struct session *s)
{
	return s->n_unanswered < FETCH_WINDOW && s->n_spooled < SPOOLED_MAX;
}

/* Hand over what there is, a batch a step. *ret_more: there is more to do. */
static int fetch_some(struct session *s, bool *ret_more, struct md_err *err)
{
	int rc = MD_OK;

	if (nothing_at_hand(s) && !s->drained)
		rc = list_more(s, err);
	if (rc == MD_OK && !nothing_at_hand(s))
		rc = session_hand_over(s, err);
	if (rc != MD_OK)
		return rc;
	s->drained = nothing_at_hand(s) && s->listed_all && !imap_take_news(s->imap);
	*ret_more = !s->drained;
	return MD_OK;
}

/* Nothing to do until something happens on the server. */
static int settle(struct session *s, struct wish *ret, struct md_err *err)
{
	const struct frame_mailbox *b = &s->settings->box;
	struct log_ctx ctx = session_log_ctx(s);
	bool idle = b->idle && imap_has_idle(s->imap);
	int64_t now = session_now_ms();
	int rc = MD_OK;

	ret->timer_ms = now + (idle || b->poll_interval_ms > IDLE_MAX_MS ? IDLE_MAX_MS
									 : b->poll_interval_ms);
	if (idle) {
		rc = imap_idle_start(s->imap, err);
		s->idling = rc == MD_OK;
		ret->fd = imap_fd(s->imap);
		ret->again = s->idling && imap_has_pending(s->imap);
	}
	if (rc != MD_OK)
		return rc;
	if (s->owed.n && s->mark_at_ms < ret->timer_ms)
		ret->timer_ms = s->mark_at_ms;
	if (!s->settled)
		log_info(&ctx, "watching %s on %s by %s", b->folder, b->host,
			 idle ? "IDLE" : "polling");
	s->settled = true;
	s->failures = 0;
	if (!s->owed.n)
		session_say_state(s, "ok", NULL, 0);
	return MD_OK;
}

static int work(struct session *s, struct wish *ret, struct md_err *err)
{
	bool waited = s->waiting && s->on_time, more = false;
	int rc = MD_OK;

	if (s->idling) {
		s->idling = false;
		s->drained = false;
		rc = imap_idle_done(s->imap, err);
	} else if (s->on_time && !s->waiting) {
		s->drained = false;
		rc = imap_noop(s->imap, err);
	}
	s->waiting = false;
	if (s->given.poll || imap_take_news(s->imap))
		s->drained = false;
	if (rc == MD_OK)
		rc = session_make_marks(s, err);
	if (rc == MD_OK && !window_open(s)) {
		ret->timer_ms = session_now_ms() + KEEPALIVE_MS;
		return MD_OK;
	}
	if (rc == MD_OK)
		rc = fetch_some(s, &more, err);
	if (rc != MD_OK)
		return rc;
	if (more) {
		ret->again = true;
		return MD_OK;
	}
	/* The desk's answers come soon as a rule: IDLE would only have to be ended for them. */
	if (s->n_unanswered && !waited) {
		s->waiting = true;
		ret->timer_ms = session_now_ms() + ANSWER_SOON_MS;
		return MD_OK;
	}
	return settle(s, ret, err);
}

/* ---- the step ---- */

bool session_connects(const struct session *s)
{
	return s->phase == SESSION_CLOSED;
}

static int step(struct session *s, struct wish *ret, struct md_err *err)
{
	int rc;

	if (s->phase == SESSION_CLOSED) {
		if (!s->given.poll && session_now_ms() < s->retry_at_ms) {
			ret->timer_ms = s->retry_at_ms;
			return MD_OK;
		}
		rc = connect_mailbox(s, err);
		ret->timer_ms = session_now_ms() + KEEPALIVE_MS;
		return rc;
	}
	take_cursor(s);
	rc = take_stored(s, err);
	if (rc == MD_OK && s->phase == SESSION_WORKS)
		rc = work(s, ret, err);
	else if (rc == MD_OK) {
		ret->timer_ms = session_now_ms() + KEEPALIVE_MS;
		rc = s->on_time ? imap_noop(s->imap, err) : MD_OK;
	}
	return rc == MD_REFUSED ? md_wrap(err, MD_AGAIN, "unexpected") : rc; /* no login's */
}

void session_step(struct session *s)
{
	struct md_err err = { 0 };
	int rc;

	s->wish = (struct wish){ .fd = -1, .timer_ms = INT64_MAX };
	take_drop(s);
	take_settings(s);
	rc = s->settings ? step(s, &s->wish, &err) : MD_OK;
	given_done(&s->given);
	if (rc != MD_OK) {
		fail(s, rc, &err);
		s->wish = (struct wish){ .fd = -1, .timer_ms = s->retry_at_ms };
	}
}
