/* mailboxes_priv.h - mailboxes.c keeps the jobs and stores them; roles.c talks to the processes. */
#ifndef MAILDESK_APP_MAILBOXES_PRIV_H
#define MAILDESK_APP_MAILBOXES_PRIV_H

#include <maildesk/app/intake.h>
#include <maildesk/app/mailboxes.h>
#include <maildesk/app/reader.h>

#include <poll.h>
#include <stdatomic.h>

enum {
	GROUP_MAX = 50,  /* mails in one transaction */
	JOBS_MAX = 200,  /* mails in hand */
	READERS_MIN = 2, /* one may hang */
	READERS_MAX = 16,
	READER_QUEUE = 8,   /* mails sent ahead to one reader */
	SLOW_MS = 500,      /* no more are, when it is at one for so long */
	ATTEMPTS_MAX = 20,  /* of a mail, when nobody saw what it did */
	PAUSE_MS = 1000,    /* after a database failure */
	GROUP_WAIT_MS = 50, /* at most, for others to join a group */
};

enum job_state {
	JOB_NEW,     /* its attempt is not counted yet */
	JOB_SUSPECT, /* tried before; its next attempt is not counted yet */
	JOB_WAITING, /* for a reader */
	JOB_READING,
	JOB_READY, /* fields are there, or `cause` says why not */
	JOB_KNOWN, /* stored by an earlier life: only the mark is owed */
	JOB_STORED,
};

struct job {
	struct job *next;
	enum job_state state;
	int64_t mailbox, uidvalidity, uid, size;
	bool too_large, import, known, suspect;
	int64_t attempts; /* with the present one, if that is counted */
	int crashes;      /* readers of this life that died of it */
	uint8_t *raw;     /* or NULL: fd */
	size_t n;
	int fd;
	struct blob blob;
	int64_t seq; /* while JOB_READING */
	int reader;
	int64_t sent_ms, ready_ms; /* monotonic */
	const char *cause;
	struct arena arena; /* of `message` */
	struct message message;
	struct intake_result result;
};

struct reader {
	struct role_process role;
	bool used;        /* it was given a mail */
	int failures;     /* in a row */
	int64_t again_ms; /* monotonic: when it may be started again */
};

struct mailboxes {
	struct desk *d;
	pthread_t thread;
	atomic_bool stopping;
	int spool_fd;
	struct role_process fetch;
	int fetch_failures;
	int64_t fetch_again_ms;
	struct reader readers[READERS_MAX];
	int n_readers;
	struct job *jobs, **tail;
	size_t n_jobs;
	int64_t next_seq;
	int64_t pause_until_ms; /* monotonic */
	bool stalled;
	int64_t store_at_ms; /* monotonic: the group waits no longer; 0: there is none */
};

struct storing {
	struct mailboxes *m;
	struct job **group;
	size_t n;
	struct arena arena;
};

/* mailboxes.c: an empty JOB_NEW at the end of the list; NULL when out of memory */
struct job *mailboxes_add_job(struct mailboxes *m);
/* The suspect whose turn it is, or NULL. */
struct job *mailboxes_next_suspect(const struct mailboxes *m);
void mailboxes_give_up(struct mailboxes *m, struct job *j, const char *cause);

/* roles.c */
void mailboxes_keep_roles(struct mailboxes *m); /* start what is down, when its back-off is over */
void mailboxes_end_roles(struct mailboxes *m);
void mailboxes_hear_fetch(struct mailboxes *m);
void mailboxes_hear_readers(struct mailboxes *m);
void mailboxes_feed_readers(struct mailboxes *m);
void mailboxes_report_stored(struct mailboxes *m, struct job *const *group, size_t n);
/* At an orderly end: attempts of mails that were not tried to the end are taken back. */
void mailboxes_give_back(struct mailboxes *m);
struct pollfd mailboxes_pollfd(const struct channel *ch);
int mailboxes_timeout(const struct mailboxes *m);
/* The database takes nothing: told, shown as the health of the mailboxes concerned, tried again. */
void mailboxes_stall(struct mailboxes *m, const char *why);
/* It took these. */
void mailboxes_flow(struct mailboxes *m, struct job *const *group, size_t n);
bool mailboxes_paused(const struct mailboxes *m);
const char *mailboxes_title(const struct mailboxes *m, int64_t id);

#endif
