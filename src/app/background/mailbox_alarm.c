#include "mailbox_alarm.h"

#include <maildesk/app/notify.h>
#include <maildesk/base/log.h>
#include <maildesk/store/proofs.h>

#include <stdio.h>
#include <string.h>

enum { STEP_ARENA_MAX = 4 << 20, NAME_MAX_BYTES = 200 };
/* That it was told is a silence without an end: it outlives the daemon, and holds for all. */
#define FOR_GOOD (INT64_C(1) << 52)

struct step {
	struct desk *d;
	struct arena arena;
	int64_t mailbox;
	struct mailbox_alarm alarm;
	char name[NAME_MAX_BYTES]; /* of the silence */
	bool raise, told;
};

static int tell(struct db_conn *c, struct step *s, int64_t now, struct md_err *err)
{
	const struct work_event event = { .event = "mailbox_alarm", .mailbox = &s->alarm };
	const struct work_by by = {
		.desk = s->d,
		.actor = { .role = ROLE_ADMIN, .level = 3, .source = SOURCE_TIMER },
		.channel = "cli",
		.now_ms = now,
	};

	s->told = true;
	return work_tell(&by, c, &s->arena, s->mailbox, &event, err);
}

static int settle(struct db_conn *c, void *ctx, struct md_err *err)
{
	struct step *s = ctx;
	int64_t now = clock_wall(s->d->clock), until = 0;
	int rc = silence_until(c, s->name, &until, err);

	arena_reset(&s->arena);
	s->told = false;
	if (rc != MD_OK || (until > now) == s->raise)
		return rc;
	rc = silence_put(c, s->name, s->raise ? FOR_GOOD : now, err);
	return rc == MD_OK && s->raise ? tell(c, s, now, err) : rc;
}

static void look(struct desk *d, struct desk_mailbox *m)
{
	struct step s = { .d = d, .arena = ARENA_INIT(STEP_ARENA_MAX), .mailbox = m->id };
	char error[DESK_TEXT_MAX];
	struct md_err err = { 0 };
	bool well;
	int rc;

	pthread_mutex_lock(&d->lock);
	snprintf(error, sizeof error, "%s", m->error);
	s.alarm.since_at = m->failing_since;
	well = strcmp(m->state, "ok") == 0 && !m->error[0];
	pthread_mutex_unlock(&d->lock);
	s.raise = s.alarm.since_at &&
		  clock_wall(d->clock) - s.alarm.since_at >= d->config->desk.alarm_after_ms;
	if (!(s.raise && m->alarm != ALARM_ON) && !(well && m->alarm != ALARM_OFF))
		return;
	s.alarm.name = m->conf->title;
	s.alarm.address = m->conf->address;
	s.alarm.error = error;
	snprintf(s.name, sizeof s.name, "mailbox %s", m->conf->title);
	rc = db_txn(d->db, settle, &s, &err);
	arena_done(&s.arena);
	if (rc != MD_OK) {
		log_warn(NULL, "alarm of mailbox %s waits: %s", m->conf->title, err.text);
		return;
	}
	m->alarm = s.raise ? ALARM_ON : ALARM_OFF;
	if (s.told) {
		log_error(NULL, "mailbox %s is in trouble, the admins are told: %s", m->conf->title,
			  error);
		desk_wake(d, DESK_SENDER);
	}
}

void mailbox_alarms(struct desk *d)
{
	for (size_t i = 0; i < d->n_mailboxes; i++)
		look(d, &d->mailboxes[i]);
}
