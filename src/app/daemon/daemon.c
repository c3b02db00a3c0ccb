/* A daemon is a desk and the threads that work on it. A new configuration makes a new desk beside
 * the old one, with its own view of the same database; when that is ready, the threads of the old
 * one end their work in hand and those of the new one begin. No part has to bear that a setting
 * changes under it, and whatever was on its way is where it is after a restart too: on the server,
 * in the outbox, in the listening socket's queue. */
#include <maildesk/app/api.h>
#include <maildesk/app/audit.h>
#include <maildesk/app/daemon.h>
#include <maildesk/app/listener.h>
#include <maildesk/app/mailboxes.h>
#include <maildesk/app/search.h>
#include <maildesk/app/sender.h>
#include <maildesk/app/supervisor.h>
#include <maildesk/app/timers.h>
#include <maildesk/app/webhooks.h>
#include <maildesk/base/io.h>
#include <maildesk/base/log.h>
#include <maildesk/base/service.h>

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum { STANDBY_POLL_MS = 200, PROBLEMS_MAX = 1 << 20 };

/* The threads of one desk. */
struct crew {
	struct bearer *bearer; /* the desk's */
	struct mailboxes *mailboxes;
	struct sender *sender;
	struct timers *timers;
	struct indexer *indexer;
	struct webhooks *webhooks;
	struct api *api;
	struct listener *listener;
};

struct daemon {
	struct config *config;
	struct desk *d;
	struct crew crew;
	struct supervisor *supervisor;
	int lock_fd, spool_fd, socket;
	bool inherited; /* the socket came with the process: http.listen is not ours to follow */
};

/* ---- what outlives a configuration ---- */

/* One daemon works on a state_dir at a time; the lock ends with the process, however it ends. */
static int take_lock(struct daemon *dm, int stop_fd, struct md_err *err)
{
	struct pollfd stop = { .fd = stop_fd, .events = POLLIN };
	char path[4096];
	bool told = false;

	snprintf(path, sizeof path, "%s/lock", dm->d->config->state_dir);
	dm->lock_fd = io_open_or_create(dm->d->config->state_dir, path);
	if (dm->lock_fd < 0)
		return desk_file_failed(dm->d->config, path, err);
	while (flock(dm->lock_fd, LOCK_EX | LOCK_NB) != 0) {
		if (errno != EWOULDBLOCK)
			return desk_file_failed(dm->d->config, path, err);
		if (!told) {
			log_notice(NULL, "another daemon works on %s: standing by",
				   dm->d->config->state_dir);
			service_tell("STATUS=standing by for another daemon");
		}
		told = true;
		if (poll(&stop, 1, STANDBY_POLL_MS) > 0)
			return md_fail(err, MD_CONFLICT, 0, "stopped while standing by");
	}
	return MD_OK;
}

static int open_spool(struct daemon *dm, struct md_err *err)
{
	char path[4096];

	snprintf(path, sizeof path, "%s/spool", dm->d->config->state_dir);
	if (mkdir(path, 0700) != 0 && errno != EEXIST)
		return desk_file_failed(dm->d->config, path, err);
	dm->spool_fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dm->spool_fd < 0)
		return desk_file_failed(dm->d->config, path, err);
	return MD_OK;
}

static int open_socket(struct daemon *dm, struct md_err *err)
{
	int rc = service_socket(&dm->socket, err);

	dm->inherited = dm->socket >= 0;
	if (rc == MD_OK && !dm->inherited)
		rc = http_listen(dm->config->http.listen, &dm->socket, err);
	return rc;
}

/* ---- the threads ---- */

static void stop_crew(struct crew *c)
{
	/* The API last: the others may take their time, and it still answers. */
	listener_stop(md_take(c->listener));
	mailboxes_stop(md_take(c->mailboxes));
	indexer_stop(md_take(c->indexer));
	timers_stop(md_take(c->timers));
	sender_stop(md_take(c->sender));
	webhooks_stop(md_take(c->webhooks));
	bearer_stop(md_take(c->bearer));
	api_stop(md_take(c->api));
}

static int start_crew(struct daemon *dm, struct desk *d, int socket, struct crew *c,
		      struct md_err *err)
{
	long cores = sysconf(_SC_NPROCESSORS_ONLN);
	int rc = desk_adopt_slas(d, err);

	if (rc == MD_OK)
		rc = api_start(d, socket, &c->api, err);

	if (rc == MD_OK)
		rc = bearer_start(c->bearer = d->bearer, err);
	if (rc == MD_OK)
		rc = sender_start(d, &c->sender, err);
	if (rc == MD_OK)
		rc = webhooks_start(d, &c->webhooks, err);
	if (rc == MD_OK)
		rc = timers_start(d, &c->timers, err);
	if (rc == MD_OK)
		rc = indexer_start(d, &c->indexer, err);
	if (rc == MD_OK)
		rc = mailboxes_start(d, (int)cores, dm->spool_fd, &c->mailboxes, err);
	if (rc == MD_OK)
		rc = listener_start(d, &c->listener, err);
	if (rc != MD_OK)
		stop_crew(c);
	return rc;
}

int daemon_start(struct config **config, int stop_fd, struct daemon **ret, struct md_err *err)
{
	struct daemon *dm = md_calloc(1, sizeof *dm);
	int rc;

	if (!dm)
		return md_fail(err, MD_NOMEM, 0, "out of memory");
	dm->config = *config;
	dm->lock_fd = dm->spool_fd = dm->socket = -1;
	rc = desk_open(dm->config, &dm->d, err);
	if (rc == MD_OK)
		rc = take_lock(dm, stop_fd, err);
	if (rc == MD_OK)
		rc = open_spool(dm, err);
	if (rc == MD_OK)
		rc = open_socket(dm, err);
	if (rc == MD_OK)
		rc = start_crew(dm, dm->d, dm->socket, &dm->crew, err);
	if (rc == MD_OK)
		rc = supervisor_start(dm->d, &dm->supervisor, err);
	if (rc != MD_OK)
		dm->config = NULL; /* still the caller's */
	else
		*config = NULL;
	if (rc == MD_OK)
		*ret = dm;
	else
		daemon_stop(dm);
	return rc;
}

void daemon_stop(struct daemon *dm)
{
	if (!dm)
		return;
	supervisor_stop(dm->supervisor);
	stop_crew(&dm->crew);
	md_close_p(&dm->socket);
	md_close_p(&dm->spool_fd);
	md_close_p(&dm->lock_fd);
	desk_close(dm->d);
	config_free(dm->config);
	free(dm);
}

const char *daemon_listening(const struct daemon *dm)
{
	return api_listening(dm->crew.api);
}

const struct config *daemon_config(const struct daemon *dm)
{
	return dm->config;
}

/* ---- a new configuration ---- */

static void log_problems(const struct buf *problems)
{
	for (const char *line = buf_str(problems); *line;) {
		size_t n = strcspn(line, "\n");

		log_warn(NULL, "%.*s", (int)n, line);
		line += n + (line[n] == '\n');
	}
}

/* The first error, which stands before the warnings. */
static void first_line(const struct buf *problems, int rc, char ret[DESK_REASON_MAX])
{
	const char *text = problems->len ? buf_str(problems) : md_code_name(rc);

	snprintf(ret, DESK_REASON_MAX, "%.*s", (int)strcspn(text, "\n"), text);
}

/* The file as it is now, in as far as a daemon that runs by `old` can take it over. */
static int read_config(const struct config *old, struct config **ret, struct buf *restart,
		       char reason[DESK_REASON_MAX])
{
	md_auto(buf_done) struct buf problems = BUF_INIT(PROBLEMS_MAX);
	md_auto(config_free_p) struct config *c = NULL;
	int rc = config_load_all(old->file, &c, &problems);

	log_problems(&problems);
	if (rc == MD_OK)
		rc = config_keep(c, old, restart);
	if (rc == MD_OK)
		*ret = md_take(c);
	else
		first_line(&problems, rc, reason);
	return rc;
}

static void refuse(const char *reason)
{
	log_error(NULL, "the new configuration is refused, the old one stays in force: %s", reason);
}

void daemon_reload_standby(struct config **config)
{
	md_auto(buf_done) struct buf restart = BUF_INIT(DESK_TEXT_MAX);
	char reason[DESK_REASON_MAX];
	struct config *next = NULL;

	if (read_config(*config, &next, &restart, reason) != MD_OK) {
		refuse(reason);
		return;
	}
	config_free(*config);
	*config = next;
}

/* A configuration on its way in. */
struct change {
	struct config *config;
	struct desk *d;
	int socket; /* -1: the old one stays */
	char reason[DESK_REASON_MAX];
};

static void change_done(struct change *c)
{
	md_close_p(&c->socket);
	desk_close(c->d);
	config_free(c->config);
}

static int prepare(struct daemon *dm, struct change *c)
{
	md_auto(buf_done) struct buf restart = BUF_INIT(DESK_TEXT_MAX);
	struct md_err err = { 0 };
	int rc = read_config(dm->config, &c->config, &restart, c->reason);

	if (rc != MD_OK)
		return rc;
	if (!dm->inherited && strcmp(c->config->http.listen, dm->config->http.listen) != 0)
		rc = http_listen(c->config->http.listen, &c->socket, &err);
	if (rc == MD_OK)
		rc = desk_open(c->config, &c->d, &err);
	if (rc != MD_OK) {
		snprintf(c->reason, sizeof c->reason, "%s", err.text);
		return rc;
	}
	snprintf(c->d->reload.restart, sizeof c->d->reload.restart, "%s", buf_str(&restart));
	return MD_OK;
}

/* The new desk's threads for the old one's. Nothing runs when this fails. */
static int change_crew(struct daemon *dm, struct change *c, struct md_err *err)
{
	int socket = c->socket >= 0 ? c->socket : dm->socket;

	stop_crew(&dm->crew);
	desk_inherit(c->d, dm->d);
	return start_crew(dm, c->d, socket, &dm->crew, err);
}

/* What was the daemon's is to be thrown away now. */
static void take_over(struct daemon *dm, struct change *c)
{
	struct config *config = dm->config;
	struct desk *d = dm->d;
	int socket = dm->socket;

	supervisor_watch(dm->supervisor, c->d);
	dm->config = c->config;
	dm->d = c->d;
	if (c->socket >= 0) {
		dm->socket = c->socket;
		c->socket = socket;
	}
	c->config = config;
	c->d = d;
}

static int reload(struct daemon *dm, struct md_err *err)
{
	md_auto(change_done) struct change c = { .socket = -1 };
	int rc = prepare(dm, &c);

	if (rc == MD_OK) {
		rc = change_crew(dm, &c, err);
		if (rc == MD_OK) {
			take_over(dm, &c);
			audit_note(dm->d, "config.reload", NULL);
			log_notice(NULL, "new configuration: %zu mailbox%s, http on %s%s%s",
				   dm->config->n_mailboxes,
				   dm->config->n_mailboxes == 1 ? "" : "es", daemon_listening(dm),
				   *dm->d->reload.restart ? "; waits for a restart: " : "",
				   dm->d->reload.restart);
			return MD_OK;
		}
		snprintf(c.reason, sizeof c.reason, "%s", err->text);
		rc = start_crew(dm, dm->d, dm->socket, &dm->crew, err);
	} else {
		rc = MD_OK;
	}
	refuse(c.reason);
	audit_note(dm->d, "config.refused", NULL);
	desk_reload_refused(dm->d, c.reason);
	return rc;
}

int daemon_reload(struct daemon *dm, struct md_err *err)
{
	int rc = reload(dm, err);

	malloc_trim(0); /* there were two desks for a moment */
	return rc;
}
