#include <maildesk/app/desk.h>
#include <maildesk/app/audit.h>
#include <maildesk/app/factor.h>
#include <maildesk/app/keys.h>
#include <maildesk/app/jwt_keys.h>
#include <maildesk/base/io.h>
#include <maildesk/base/log.h>
#include <maildesk/store/mailboxes.h>
#include <maildesk/store/schema.h>
#include <maildesk/store/settings.h>

#include "desk_private.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <unistd.h>

enum { DESK_ARENA_MAX = 64 << 20, SEED_BYTES = 16, ANSWER_MS = 5000 };

/* A random UUID (RFC 9562, version 4) from 16 bytes. */
static void uuid_text(uint8_t raw[SEED_BYTES], char out[DESK_ID_MAX])
{
	raw[6] = (uint8_t)((raw[6] & 0x0f) | 0x40);
	raw[8] = (uint8_t)((raw[8] & 0x3f) | 0x80);
	snprintf(out, DESK_ID_MAX,
		 "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", raw[0],
		 raw[1], raw[2], raw[3], raw[4], raw[5], raw[6], raw[7], raw[8], raw[9], raw[10],
		 raw[11], raw[12], raw[13], raw[14], raw[15]);
}

int desk_make_state_dir(const struct config *config, struct md_err *err)
{
	struct stat st;
	int why = mkdir(config->state_dir, 0700) == 0 || errno == EEXIST ? 0 : errno;

	if (!why && stat(config->state_dir, &st) != 0)
		why = errno;
	if (!why && !S_ISDIR(st.st_mode))
		why = ENOTDIR;
	if (why)
		return md_fail(err, MD_BROKEN, why, "state_dir %s: %s; create it or set state_dir",
			       config->state_dir, strerror(why));
	return MD_OK;
}

int desk_connect(const struct config *config, const char *database, struct db **ret,
		 struct md_err *err)
{
	const char *path = db_file(database);
	bool made = path && access(path, F_OK) != 0;
	int rc = db_open(database, ret, err);

	if (rc == MD_OK && made)
		io_give_to_owner_of(config->state_dir, path);
	return rc;
}

int desk_open_database(const struct config *config, struct db **ret, struct md_err *err)
{
	md_auto(db_close_p) struct db *db = NULL;
	int rc = desk_make_state_dir(config, err);

	if (rc == MD_OK)
		rc = desk_connect(config, config->database, &db, err);
	if (rc == MD_OK)
		rc = schema_ensure(db, err);
	if (rc == MD_OK)
		*ret = md_take(db);
	return rc;
}

/* The daemon's own name lives beside its files, not in the database, which others may share. */
int desk_file_failed(const struct config *config, const char *path, struct md_err *err)
{
	int why = errno;

	return md_fail(err, MD_BROKEN, why, "%s: %s%s%s", path, strerror(why),
		       why == EACCES   ? "; state_dir must belong to the user who runs the daemon: "
					 "chown -R maildesk "
		       : why == ENOSPC ? "; make room on the disk of "
				       : "",
		       why == EACCES || why == ENOSPC ? config->state_dir : "");
}

static int load_instance(struct desk *d, struct md_err *err)
{
	uint8_t raw[SEED_BYTES];
	char path[4096];
	md_auto(md_close_p) int fd = -1;

	snprintf(path, sizeof path, "%s/instance", d->config->state_dir);
	fd = io_open_or_create(d->config->state_dir, path);
	if (fd < 0)
		return desk_file_failed(d->config, path, err);
	if (pread(fd, raw, sizeof raw, 0) != (ssize_t)sizeof raw) {
		random_fill(d->random, raw, sizeof raw);
		if (pwrite(fd, raw, sizeof raw, 0) != (ssize_t)sizeof raw || fsync(fd) != 0)
			return desk_file_failed(d->config, path, err);
	}
	uuid_text(raw, d->instance);
	return MD_OK;
}

int desk_read_id(struct db_conn *c, char ret[DESK_ID_MAX], struct md_err *err)
{
	uint8_t raw[SEED_BYTES];
	size_t n = 0;
	int rc = setting_get(c, "desk_id", raw, sizeof raw, &n, err);

	if (rc == MD_OK)
		uuid_text(raw, ret);
	return rc;
}

/* The first thing that is read: where that cannot be, nothing is written. */
static int load_id(struct desk *d, struct md_err *err)
{
	uint8_t raw[SEED_BYTES];
	int rc = setting_secret(d->db, "desk_id", d->random, raw, sizeof raw, err);

	if (rc == MD_OK)
		uuid_text(raw, d->id);
	return rc;
}

static int load_secrets(struct desk *d, struct md_err *err)
{
	md_auto(jwt_keys_wipe) struct jwt_keys keys = { 0 };
	/* Nothing works without: from a daemon that lives within a second; one that died holds it
	 * up until its lease has run out. */
	int rc = vault_wait(d->vault, (int)d->config->desk.lease_ms + ANSWER_MS, err);

	if (rc == MD_OK)
		rc = keys_load(d, err);
	if (rc == MD_OK)
		rc = jwt_keys_current(d, clock_wall(d->clock), &keys, err);
	if (rc == MD_OK)
		rc = audit_load_key(d, err);
	return rc;
}

int desk_look_at_keys(struct desk *d, struct md_err *err)
{
	int rc = vault_look(d->vault, err);

	/* Without the newest key, which is asked for, nobody can tell what is sealed with it. */
	if (rc != MD_OK || !vault_is_ready(d->vault))
		return rc;
	rc = keys_look(d, err);
	if (rc == MD_OK)
		rc = jwt_keys_look(d, err);
	return rc == MD_OK ? audit_look_key(d, err) : rc;
}

/* Without the key it is done at a start that has it. */
static int seal_factors(struct desk *d, struct md_err *err)
{
	int rc = factors_seal_all(d->db, d->vault, err);

	return rc == MD_AGAIN ? MD_OK : rc;
}

static int ensure_mailboxes(struct db_conn *c, void *ctx, struct md_err *err)
{
	struct desk *d = ctx;
	int rc = MD_OK;

	for (size_t i = 0; i < d->n_mailboxes && rc == MD_OK; i++)
		rc = mailbox_ensure(c, d->mailboxes[i].conf->title, &d->mailboxes[i].id, err);
	return rc;
}

static int load_mailboxes(struct desk *d, struct md_err *err)
{
	const struct config *cf = d->config;
	size_t n = 0;

	d->n_mailboxes = cf->n_mailboxes;
	d->mailboxes = arena_array(&d->arena, cf->n_mailboxes, sizeof *d->mailboxes);
	for (size_t i = 0; i < cf->n_mailboxes; i++)
		n += 1 + cf->mailboxes[i].aliases.n + cf->mailboxes[i].send_as.n;
	d->own.v = arena_array(&d->arena, n, sizeof *d->own.v);
	if (!d->mailboxes || !d->own.v)
		return md_fail(err, MD_NOMEM, 0, "out of memory");
	for (size_t i = 0; i < cf->n_mailboxes; i++) {
		const struct conf_mailbox *m = &cf->mailboxes[i];

		d->mailboxes[i].conf = m;
		snprintf(d->mailboxes[i].state, sizeof d->mailboxes[i].state, "connecting");
		d->own.v[d->own.n++] = m->address;
		for (size_t k = 0; k < m->aliases.n; k++)
			d->own.v[d->own.n++] = m->aliases.v[k];
		for (size_t k = 0; k < m->send_as.n; k++)
			d->own.v[d->own.n++] = m->send_as.v[k];
	}
	return db_txn(d->db, ensure_mailboxes, d, err);
}

static int load_rules(struct desk *d, struct md_err *err)
{
	struct rule *rules = NULL;
	int rc = config_workflow(d->config, &d->arena, &d->workflow, err);

	if (rc == MD_OK)
		rc = config_rules(d->config, &d->arena, &rules, err);

	return rc == MD_OK ? rules_compile(rules, d->config->n_rules, &d->rules, err) : rc;
}

static void load_choices(struct desk *d)
{
	const struct conf_notify *conf = &d->config->notify;

	for (size_t e = 0; e < NOTICE_EVENT_COUNT; e++) {
		struct notice_choice *choice = &d->choices[e];

		choice->own_actions = conf->own_actions && notice_may_choose((enum notice_event)e);
		for (size_t i = 0; i < conf->n_events; i++)
			if (strcmp(conf->events[i].title, notice_event_names[e]) == 0) {
				choice->is_made = true;
				choice->roles = config_roles(&conf->events[i].to);
			}
	}
}

int desk_open(const struct config *config, struct desk **ret, struct md_err *err)
{
	md_auto(desk_close_p) struct desk *d = md_calloc(1, sizeof *d);
	int rc = MD_OK;

	if (!d)
		return md_fail(err, MD_NOMEM, 0, "out of memory");
	d->config = config;
	d->clock = &clock_system;
	d->reload.loaded_at = clock_wall(d->clock);
	d->random = &random_system;
	d->arena.max = DESK_ARENA_MAX;
	pthread_mutex_init(&d->lock, NULL);
	for (int i = 0; i < DESK_PARTS; i++)
		d->wake_fd[i] = -1;
	for (int i = 0; i < DESK_PARTS; i++) {
		d->wake_fd[i] = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
		if (d->wake_fd[i] < 0)
			return md_fail(err, MD_BROKEN, errno, "eventfd: %s", strerror(errno));
	}
	rc = desk_make_state_dir(config, err);
	if (rc == MD_OK)
		rc = load_instance(d, err);
	if (rc == MD_OK)
		rc = desk_open_database(config, &d->db, err);
	if (rc == MD_OK)
		rc = load_id(d, err);
	if (rc == MD_OK)
		rc = vault_new(d->db, config->state_dir, d->instance, d->random, &d->vault, err);
	if (rc == MD_OK)
		rc = load_secrets(d, err);
	if (rc == MD_OK)
		rc = seal_factors(d, err);
	if (rc == MD_OK)
		rc = load_mailboxes(d, err);
	if (rc == MD_OK)
		rc = desk_load_slas(d, err);
	if (rc == MD_OK)
		rc = load_rules(d, err);
	if (rc == MD_OK)
		rc = bearer_new(d, &d->bearer, err);
	load_choices(d);
	if (rc == MD_OK)
		*ret = md_take(d);
	return rc;
}

void desk_close(struct desk *d)
{
	if (!d)
		return;
	for (int i = 0; i < DESK_PARTS; i++)
		md_close_p(&d->wake_fd[i]);
	if (d->calendars)
		for (size_t i = 0; i < d->config->n_calendars; i++)
			calendar_done(&d->calendars[i]);
	desk_forget_slas(d);
	rules_free(d->rules);
	bearer_free(d->bearer);
	keys_forget(d);
	vault_free(d->vault);
	if (d->db)
		db_close(d->db);
	pthread_mutex_destroy(&d->lock);
	arena_done(&d->arena);
	sodium_memzero(d, sizeof *d); /* keys are in it */
	free(d);
}

void desk_wake(struct desk *d, enum desk_part part)
{
	uint64_t one = 1;

	(void)!write(d->wake_fd[part], &one, sizeof one); /* full means it is awake already */
}

void desk_sleep(struct desk *d, enum desk_part part, int timeout_ms)
{
	struct pollfd fd = { .fd = d->wake_fd[part], .events = POLLIN };
	uint64_t wakes;

	desk_idle(d, part);
	if (timeout_ms != 0 && poll(&fd, 1, timeout_ms) > 0)
		(void)!read(fd.fd, &wakes, sizeof wakes);
	desk_busy(d, part);
}

void desk_busy(struct desk *d, enum desk_part part)
{
	atomic_store(&d->busy_since_ms[part], clock_mono(&clock_system));
}

void desk_idle(struct desk *d, enum desk_part part)
{
	atomic_store(&d->busy_since_ms[part], 0);
}

void desk_hire(struct desk *d, struct desk_worker *w)
{
	pthread_mutex_lock(&d->lock);
	w->next = d->workers;
	d->workers = w;
	pthread_mutex_unlock(&d->lock);
}

void desk_dismiss(struct desk *d, struct desk_worker *w)
{
	struct desk_worker **at = &d->workers;

	pthread_mutex_lock(&d->lock);
	while (*at && *at != w)
		at = &(*at)->next;
	if (*at)
		*at = w->next;
	pthread_mutex_unlock(&d->lock);
}

void desk_worker_busy(struct desk_worker *w)
{
	atomic_store(&w->busy_since_ms, clock_mono(&clock_system));
}

void desk_worker_idle(struct desk_worker *w)
{
	atomic_store(&w->busy_since_ms, 0);
}

struct desk_mailbox *desk_mailbox(struct desk *d, int64_t id)
{
	for (size_t i = 0; i < d->n_mailboxes; i++)
		if (d->mailboxes[i].id == id)
			return &d->mailboxes[i];
	return NULL;
}

/* It cannot be read, or what was read cannot be marked: does a person have to see to it? */
static bool ails(const char *state, const char *error)
{
	return strcmp(state, "backoff") == 0 || strcmp(state, "auth_failed") == 0 ||
	       (strcmp(state, "ok") == 0 && error);
}

void desk_mailbox_state(struct desk *d, int64_t id, const char *state, const char *error)
{
	struct desk_mailbox *m = desk_mailbox(d, id);

	if (!m)
		return;
	pthread_mutex_lock(&d->lock);
	snprintf(m->state, sizeof m->state, "%s", state);
	snprintf(m->error, sizeof m->error, "%s", error ? error : "");
	if (strcmp(state, "ok") == 0)
		m->last_success_at = clock_wall(d->clock);
	if (!ails(state, error))
		m->failing_since = strcmp(state, "connecting") == 0 ? m->failing_since : 0;
	else if (!m->failing_since)
		m->failing_since = clock_wall(d->clock);
	pthread_mutex_unlock(&d->lock);
}

void desk_mailbox_stored(struct desk *d, int64_t id, bool heal)
{
	struct desk_mailbox *m = desk_mailbox(d, id);

	if (!m)
		return;
	if (heal)
		desk_mailbox_state(d, id, "ok", NULL);
	pthread_mutex_lock(&d->lock);
	m->last_success_at = clock_wall(d->clock);
	pthread_mutex_unlock(&d->lock);
}

void desk_inherit(struct desk *d, struct desk *old)
{
	pthread_mutex_lock(&old->lock);
	d->automatic_at_ms = old->automatic_at_ms;
	d->automatic = old->automatic;
	for (size_t i = 0; i < d->n_mailboxes; i++) {
		struct desk_mailbox *m = &d->mailboxes[i];
		const struct desk_mailbox *was = desk_mailbox(old, m->id);

		if (!was)
			continue;
		m->last_success_at = was->last_success_at;
		m->failing_since = was->failing_since;
		m->alarm = was->alarm;
	}
	pthread_mutex_unlock(&old->lock);
}

void desk_reload_refused(struct desk *d, const char *reason)
{
	pthread_mutex_lock(&d->lock);
	d->reload.refused_at = clock_wall(d->clock);
	snprintf(d->reload.reason, sizeof d->reload.reason, "%s", reason);
	pthread_mutex_unlock(&d->lock);
}

void desk_reload_state(struct desk *d, struct desk_reload *ret)
{
	pthread_mutex_lock(&d->lock);
	*ret = d->reload;
	pthread_mutex_unlock(&d->lock);
}

void desk_templates_alarm(struct desk *d)
{
	pthread_mutex_lock(&d->lock);
	d->templates_alarm = true;
	pthread_mutex_unlock(&d->lock);
}
