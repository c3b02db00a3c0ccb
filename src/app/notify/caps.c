/* What bounds the mail a machine sends because mail came in (mail-in.md, "Loops"): so many to one
 * address in an hour and a day, so many of one subject, so many of the whole desk. And what only
 * comes back, as between two machines that answer each other, is met with silence for a day. */
#include <maildesk/base/log.h>
#include <maildesk/base/utf8.h>
#include <maildesk/mail/trim.h>
#include <maildesk/store/outbox.h>
#include <maildesk/store/proofs.h>

#include "notify_priv.h"

#include <string.h>

enum { HOUR_MS = 3600000, DAY_MS = 86400000, KEY_MAX = 200 };

/* "Re: AW: [#12] Printer" is about "printer". */
static const char *subject_key(struct work *w)
{
	md_auto(buf_done) struct buf folded = BUF_INIT(8192);
	const char *bare = trim_subject(w->ticket.title);

	utf8_fold(&folded, bare, strlen(bare));
	return arena_strndup(w->arena, buf_str(&folded),
			     utf8_cut(buf_str(&folded), folded.len, KEY_MAX));
}

static int count_caps(struct work *w, const struct letter_data *l, bool is_staff, bool *ret,
		      struct md_err *err)
{
	const struct conf_limits *limits = &w->by->desk->config->limits;
	/* What somebody else can make us ask of an agent; what they ask themselves is theirs. */
	bool proven = w->by->actor.level >= 2;
	const struct {
		bool staff;
		const char *event; /* NULL: all of them together */
		int64_t most, window_ms;
	} caps[] = { { false, NULL, limits->auto_per_address_hour, HOUR_MS },
		     { false, NULL, limits->auto_per_address_day, DAY_MS },
		     /* what customers write to each other; agents' replies count with it */
		     { false, "public_reply", limits->auto_per_address_hour, HOUR_MS },
		     { false, "public_reply", limits->auto_per_address_day, DAY_MS },
		     { true, "unverified", 1, HOUR_MS },
		     { true, "tampered", 1, HOUR_MS },
		     { true, "confirmation", proven ? 0 : 1, HOUR_MS } };
	int64_t n = 0;
	int rc = MD_OK;

	for (size_t i = 0; i < MD_COUNT(caps) && rc == MD_OK && *ret; i++) {
		if (caps[i].most == 0 || caps[i].staff != is_staff ||
		    (caps[i].event && strcmp(caps[i].event, l->template) != 0))
			continue;
		rc = outbox_count_to(w->c, l->to->email, caps[i].event,
				     w->by->now_ms - caps[i].window_ms, &n, err);
		*ret = n < caps[i].most;
	}
	return rc;
}

/* Where any number of mails may go to one address, any number may be alike. */
static bool limits_address(const struct work *w)
{
	return w->by->desk->config->limits.auto_per_address_hour != 0;
}

static int cap_subject(struct work *w, const struct letter_data *l, const char *key, bool *ret,
		       struct md_err *err)
{
	int64_t most = w->by->desk->config->limits.auto_per_subject_hour, n = 0;
	int rc = MD_OK;

	/* Who proved to have sent a mail of commands hears of each one; so many an hour all the
	 * same. */
	bool asked = w->by->actor.level >= 2 && strcmp(l->template, "transcript") == 0;

	if (most && limits_address(w) && !asked && strcmp(l->template, "public_reply") != 0) {
		rc = outbox_count_subject(w->c, l->to->email, key, w->by->now_ms - HOUR_MS, &n,
					  err);
		*ret = n < most;
	}
	return rc;
}

/* One end of a ping-pong: an address or a ticket. */
static int keep_silence(struct work *w, const char *address, bool *ret, struct md_err *err)
{
	int64_t most = w->by->desk->config->limits.auto_answers_hour, until = 0, n = 0;
	int64_t now = w->by->now_ms;
	const char *name =
		address ? address : arena_printf(w->arena, "#%lld", (long long)w->ticket.id);
	int rc = name ? silence_until(w->c, name, &until, err)
		      : md_fail(err, MD_NOMEM, 0, "out of memory");

	if (rc != MD_OK || until > now) {
		*ret = *ret && until <= now;
		return rc;
	}
	if (!w->by->is_answer)
		return MD_OK;
	rc = outbox_count_answers(w->c, address, w->ticket.id, now - HOUR_MS, &n, err);
	if (rc != MD_OK || n < most)
		return rc;
	*ret = false;
	log_error(&(struct log_ctx){ .ticket = w->ticket.id },
		  "%s only sends our mail back: nothing automatic goes there for a day "
		  "(limits.auto_answers_hour)",
		  name);
	rc = silence_put(w->c, name, now + DAY_MS, err);
	return rc == MD_OK ? work_alarm(w, "silence", name, err) : rc;
}

static int cap_customer(struct work *w, const struct letter_data *l, const char **ret_key,
			bool *ret, struct md_err *err)
{
	bool watched = limits_address(w) && w->by->desk->config->limits.auto_answers_hour;
	int rc;

	*ret_key = subject_key(w);
	if (!*ret_key)
		return md_fail(err, MD_NOMEM, 0, "out of memory");
	rc = cap_subject(w, l, *ret_key, ret, err);
	if (rc == MD_OK && *ret && watched)
		rc = keep_silence(w, l->to->email, ret, err);
	if (rc == MD_OK && *ret && watched)
		rc = keep_silence(w, NULL, ret, err);
	if (rc == MD_OK && *ret)
		rc = work_breaker(w, ret, err);
	return rc;
}

int work_within_caps(struct work *w, const struct letter_data *l, bool is_staff,
		     const char **ret_key, bool *ret, struct md_err *err)
{
	int rc;

	*ret = true;
	rc = count_caps(w, l, is_staff, ret, err);
	if (rc == MD_OK && *ret && !is_staff)
		rc = cap_customer(w, l, ret_key, ret, err);
	if (rc == MD_OK && !*ret && w->ticket.id)
		rc = work_history(w, "not_sent", l->to->email, "cap", false, err);
	return rc;
}
