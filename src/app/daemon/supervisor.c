/* Parts, and the workers of those that have several, say when they begin a piece of work and when
 * they sleep (desk_busy(), desk_worker_busy()), so that an idle daemon stays asleep. Who is at one
 * piece for longer than the watchdog's time, or than a mail may take to be sent, has come to a
 * halt: then the signs of life end, and systemd starts the daemon anew. */
#include <maildesk/app/sender.h>
#include <maildesk/app/supervisor.h>
#include <maildesk/base/log.h>
#include <maildesk/base/service.h>

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum { LOOK_MS = 10000, FIRST_LOOK_MS = 1000, STATUS_MAX = 900 };

static const char *const part_names[DESK_PARTS] = {
	[DESK_SENDER] = "sender",     [DESK_TIMERS] = "timers",   [DESK_MAILBOXES] = "mailboxes",
	[DESK_LISTENER] = "listener", [DESK_INDEXER] = "indexer", [DESK_EVENTS] = "events",
	[DESK_WEBHOOKS] = "webhooks",
};

struct supervisor {
	pthread_t thread;
	pthread_mutex_t lock;
	struct desk *d; /* under lock */
	int stop_fd;
	int64_t watchdog_ms;
	bool stuck;
	char told[STATUS_MAX];
};

/* ---- status ---- */

static void describe_mailboxes(struct desk *d, struct buf *out)
{
	size_t fine = 0;

	for (size_t i = 0; i < d->n_mailboxes; i++)
		fine += strcmp(d->mailboxes[i].state, "ok") == 0;
	buf_addf(out, "%zu of %zu mailboxes ok", fine, d->n_mailboxes);
	for (size_t i = 0; i < d->n_mailboxes; i++) {
		const struct desk_mailbox *m = &d->mailboxes[i];

		if (strcmp(m->state, "ok") != 0)
			buf_addf(out, "; %s: %s%s%s", m->conf->title, m->state,
				 *m->error ? ": " : "", m->error);
	}
}

static void describe(struct desk *d, struct buf *out)
{
	struct desk_reload reload;

	desk_reload_state(d, &reload);
	if (reload.refused_at)
		buf_addf(out, "new configuration refused: %s; ", reload.reason);
	if (*reload.restart)
		buf_addf(out, "waits for a restart: %s; ", reload.restart);
	if (atomic_load(&d->clock_doubted))
		buf_adds(out, "the clock jumped; ");
	pthread_mutex_lock(&d->lock);
	if (d->templates_alarm)
		buf_adds(out, "a template cannot be used; ");
	describe_mailboxes(d, out);
	pthread_mutex_unlock(&d->lock);
}

static void tell_status(struct supervisor *s)
{
	md_auto(buf_done) struct buf text = BUF_INIT(64 << 10);
	char line[STATUS_MAX];

	describe(s->d, &text);
	snprintf(line, sizeof line, "%s", buf_str(&text));
	if (strcmp(line, s->told) == 0)
		return;
	memcpy(s->told, line, sizeof line);
	service_tell("STATUS=%s", line);
}

/* ---- signs of life ---- */

/* At its end the sender waits for the mails in hand. */
static int64_t allowance(const struct desk *d, int part)
{
	int64_t most = 0;

	for (size_t i = 0; part == DESK_SENDER && i < d->config->n_smtp; i++) {
		int64_t ms = sender_allowed_ms(&d->config->smtp[i]);

		most = ms > most ? ms : most;
	}
	return most;
}

/* `allowed_ms`: what a piece of that work may take, if that is more than the watchdog's time. */
static bool is_late(const struct supervisor *s, const char *name, const atomic_llong *busy_since_ms,
		    int64_t allowed_ms)
{
	int64_t since = atomic_load(busy_since_ms), ms = clock_mono(&clock_system) - since;

	if (!since || ms <= s->watchdog_ms || ms <= allowed_ms)
		return false;
	if (!s->stuck)
		log_error(NULL, "%s: at one thing for %lld s: the watchdog hears nothing more",
			  name, (long long)(ms / 1000));
	return true;
}

static bool is_stuck(const struct supervisor *s)
{
	struct desk *d = s->d;
	bool late = false;

	for (int i = 0; i < DESK_PARTS && !late; i++)
		late = is_late(s, part_names[i], &d->busy_since_ms[i], allowance(d, i));
	pthread_mutex_lock(&d->lock);
	for (const struct desk_worker *w = d->workers; w && !late; w = w->next)
		late = is_late(s, w->name, &w->busy_since_ms, w->allowed_ms);
	pthread_mutex_unlock(&d->lock);
	return late;
}

static void look(struct supervisor *s)
{
	pthread_mutex_lock(&s->lock);
	tell_status(s);
	if (s->watchdog_ms) {
		s->stuck = is_stuck(s);
		if (!s->stuck)
			service_tell("WATCHDOG=1");
	}
	pthread_mutex_unlock(&s->lock);
}

static void *run(void *arg)
{
	struct supervisor *s = arg;
	struct pollfd stop = { .fd = s->stop_fd, .events = POLLIN };
	int64_t every = s->watchdog_ms ? s->watchdog_ms / 3 : LOOK_MS, wait = FIRST_LOOK_MS;

	if (every > LOOK_MS)
		every = LOOK_MS;
	while (poll(&stop, 1, (int)(wait < every ? wait : every)) == 0) {
		look(s);
		wait = every; /* soon after the start the mailboxes are there */
	}
	return NULL;
}

/* ---- start and stop ---- */

static void free_supervisor(struct supervisor *s)
{
	md_close_p(&s->stop_fd);
	pthread_mutex_destroy(&s->lock);
	free(s);
}

int supervisor_start(struct desk *d, struct supervisor **ret, struct md_err *err)
{
	struct supervisor *s;
	int rc;

	*ret = NULL;
	if (!service_listens())
		return MD_OK;
	s = md_calloc(1, sizeof *s);
	if (!s)
		return md_fail(err, MD_NOMEM, 0, "out of memory");
	s->d = d;
	s->watchdog_ms = service_watchdog_ms();
	pthread_mutex_init(&s->lock, NULL);
	s->stop_fd = eventfd(0, EFD_CLOEXEC);
	rc = s->stop_fd < 0 ? errno : pthread_create(&s->thread, NULL, run, s);
	if (rc != 0) {
		free_supervisor(s);
		return md_fail(err, MD_BROKEN, rc, "supervisor: %s", strerror(rc));
	}
	*ret = s;
	return MD_OK;
}

void supervisor_watch(struct supervisor *s, struct desk *d)
{
	if (!s)
		return;
	pthread_mutex_lock(&s->lock);
	s->d = d;
	pthread_mutex_unlock(&s->lock);
}

void supervisor_stop(struct supervisor *s)
{
	if (!s)
		return;
	(void)eventfd_write(s->stop_fd, 1);
	pthread_join(s->thread, NULL);
	free_supervisor(s);
}
