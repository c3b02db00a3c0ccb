/* Mails that no change of a ticket causes: to agents whose name was used, to admins when something
 * was stopped. */
#include <maildesk/base/log.h>
#include <maildesk/store/outbox.h>
#include <maildesk/store/proofs.h>

#include "notify_priv.h"

enum { HOUR_MS = 3600000, RECOUNT_MS = 10000, SERIAL_BITS = 40 };
static const char breaker[] = "breaker";

/* What makes the Message-ID of a mail that no version of a ticket belongs to. */
static int64_t random_serial(const struct work_by *by)
{
	uint64_t r;

	random_fill(by->desk->random, &r, sizeof r);
	return (int64_t)(r & ((UINT64_C(1) << SERIAL_BITS) - 1));
}

static int tell(struct work *w, const struct work_event *event, struct md_err *err)
{
	w->ticket.version = random_serial(w->by);
	w->events[w->n_events++] = *event;
	return work_queue_notices(w, err);
}

int work_tell(const struct work_by *by, struct db_conn *c, struct arena *a, int64_t mailbox,
	      const struct work_event *event, struct md_err *err)
{
	struct work w = { .by = by,
			  .c = c,
			  .arena = a,
			  .ticket = { .title = "",
				      .status = by->desk->workflow->statuses[0].name,
				      .mailbox_id = mailbox } };

	return tell(&w, event, err);
}

int work_tell_of(const struct work_by *by, struct db_conn *c, struct arena *a, int64_t ticket,
		 const struct work_event *event, struct md_err *err)
{
	struct work w;
	int rc = work_load(by, c, a, ticket, &w, err);

	return rc == MD_OK ? tell(&w, event, err) : rc;
}

int work_alarm(struct work *w, const char *what, const char *about, struct md_err *err)
{
	const struct work_event event = { .event = "alarm", .alarm = what, .about = about };

	return work_tell(w->by, w->c, w->arena, w->ticket.mailbox_id, &event, err);
}

/* ---- the desk-wide breaker ---- */

/* Automatic mails to customers in the last hour, of all daemons. Counted anew after RECOUNT_MS, and
 * with one's own in between: a flood is not made slower by counting it. */
static int count_automatic(struct work *w, int64_t most, int64_t *ret, struct md_err *err)
{
	struct desk *d = w->by->desk;
	int64_t now = w->by->now_ms, age;
	int rc = MD_OK;

	pthread_mutex_lock(&d->lock);
	age = now - d->automatic_at_ms;
	*ret = d->automatic;
	pthread_mutex_unlock(&d->lock);
	if (age >= 0 && age < RECOUNT_MS)
		return MD_OK;
	rc = outbox_count_automatic(w->c, now - HOUR_MS, most, ret, err);
	pthread_mutex_lock(&d->lock);
	d->automatic_at_ms = now;
	d->automatic = *ret;
	pthread_mutex_unlock(&d->lock);
	return rc;
}

static int alarm_breaker(struct work *w, int64_t most, struct md_err *err)
{
	int64_t until = 0, now = w->by->now_ms;
	int rc = silence_until(w->c, breaker, &until, err);

	if (rc != MD_OK || until > now)
		return rc;
	log_error(NULL,
		  "more than %lld automatic mails in an hour: none is sent until it is fewer; "
		  "people's mail goes on (limits.auto_desk_hour)",
		  (long long)most);
	rc = silence_put(w->c, breaker, now + HOUR_MS, err);
	return rc == MD_OK ? work_alarm(w, breaker, NULL, err) : rc;
}

int work_breaker(struct work *w, bool *ret, struct md_err *err)
{
	struct desk *d = w->by->desk;
	int64_t most = d->config->limits.auto_desk_hour, n = 0;
	int rc;

	*ret = true;
	if (most == 0)
		return MD_OK;
	rc = count_automatic(w, most, &n, err);
	if (rc != MD_OK)
		return rc;
	*ret = n < most;
	if (!*ret)
		return alarm_breaker(w, most, err);
	pthread_mutex_lock(&d->lock);
	d->automatic++;
	pthread_mutex_unlock(&d->lock);
	return MD_OK;
}
