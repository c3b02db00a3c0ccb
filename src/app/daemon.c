#include <maildesk/app/api.h>
#include <maildesk/app/daemon.h>
#include <maildesk/app/listener.h>
#include <maildesk/app/mailboxes.h>
#include <maildesk/app/search.h>
#include <maildesk/app/sender.h>
#include <maildesk/app/timers.h>
#include <maildesk/base/log.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum { STANDBY_POLL_MS = 200, KEY_WAIT_MS = 3000 };

struct daemon {
	struct desk *d;
	int lock_fd, spool_fd;
	struct mailboxes *mailboxes;
	struct sender *sender;
	struct timers *timers;
	struct indexer *indexer;
	struct api *api;
	struct listener *listener;
};

/* One daemon works on a state_dir at a time; the lock ends with the process, however it ends. */
static int take_lock(struct daemon *dm, int stop_fd, struct md_err *err)
{
	struct pollfd stop = { .fd = stop_fd, .events = POLLIN };
	char path[4096];
	bool told = false;

	snprintf(path, sizeof path, "%s/lock", dm->d->config->state_dir);
	dm->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (dm->lock_fd < 0)
		return md_fail(err, MD_BROKEN, errno, "%s: %s", path, strerror(errno));
	while (flock(dm->lock_fd, LOCK_EX | LOCK_NB) != 0) {
		if (errno != EWOULDBLOCK)
			return md_fail(err, MD_BROKEN, errno, "%s: %s", path, strerror(errno));
		if (!told)
			log_notice(NULL, "another daemon works on %s: standing by",
				   dm->d->config->state_dir);
		told = true;
		if (poll(&stop, 1, STANDBY_POLL_MS) > 0)
			return md_fail(err, MD_REFUSED, 0, "stopped while standing by");
	}
	return MD_OK;
}

static int open_spool(struct daemon *dm, struct md_err *err)
{
	char path[4096];

	snprintf(path, sizeof path, "%s/spool", dm->d->config->state_dir);
	if (mkdir(path, 0700) != 0 && errno != EEXIST)
		return md_fail(err, MD_BROKEN, errno, "%s: %s", path, strerror(errno));
	dm->spool_fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dm->spool_fd < 0)
		return md_fail(err, MD_BROKEN, errno, "%s: %s", path, strerror(errno));
	return MD_OK;
}

/* Other daemons of the desk hand it over soon, and the rest can be done without it. */
static int wait_for_key(struct desk *d, struct md_err *err)
{
	struct md_err why = { 0 };
	int rc = vault_wait(d->vault, KEY_WAIT_MS, &why);

	if (rc == MD_AGAIN)
		log_warn(NULL, "second factors and OAuth sign-ins have to wait: %s", why.text);
	else if (rc != MD_OK && err)
		*err = why;
	return rc == MD_AGAIN ? MD_OK : rc;
}

int daemon_start(struct desk *d, int stop_fd, struct daemon **ret, struct md_err *err)
{
	struct daemon *dm = md_calloc(1, sizeof *dm);
	long cores = sysconf(_SC_NPROCESSORS_ONLN);
	int rc;

	if (!dm)
		return md_fail(err, MD_NOMEM, 0, "out of memory");
	dm->d = d;
	dm->lock_fd = dm->spool_fd = -1;
	rc = take_lock(dm, stop_fd, err);
	if (rc == MD_OK)
		rc = open_spool(dm, err);
	if (rc == MD_OK)
		rc = wait_for_key(d, err);
	if (rc == MD_OK)
		rc = sender_start(d, &dm->sender, err);
	if (rc == MD_OK)
		rc = timers_start(d, &dm->timers, err);
	if (rc == MD_OK)
		rc = indexer_start(d, &dm->indexer, err);
	if (rc == MD_OK)
		rc = api_start(d, &dm->api, err);
	if (rc == MD_OK)
		rc = mailboxes_start(d, (int)cores, dm->spool_fd, &dm->mailboxes, err);
	if (rc == MD_OK)
		rc = listener_start(d, &dm->listener, err);
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
	listener_stop(dm->listener);
	mailboxes_stop(dm->mailboxes);
	api_stop(dm->api);
	indexer_stop(dm->indexer);
	timers_stop(dm->timers);
	sender_stop(dm->sender);
	md_close_p(&dm->spool_fd);
	md_close_p(&dm->lock_fd);
	free(dm);
}
