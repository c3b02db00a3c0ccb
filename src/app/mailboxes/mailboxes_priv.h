/* mailboxes_priv.h - what the files of this room share. mailboxes.c is the loop, jobs.c, attempts.c
 * and storing.c are what it does with mails; group.c asks what concerns several of them at once.
 * roles.c, hearing.c and readers.c talk to the processes; holding.c knows which mailboxes are this
 * daemon's, credentials.c what they sign in by. */
#ifndef MAILDESK_APP_MAILBOXES_PRIV_H
#define MAILDESK_APP_MAILBOXES_PRIV_H

#include <maildesk/app/intake.h>
#include <maildesk/app/mailboxes.h>
#include <maildesk/app/reader.h>

#include <poll.h>
#include <stdatomic.h>

enum {
	GROUP_MAX = 100,  /* mails in one transaction */
	JOBS_MAX = 400,   /* mails in hand: two mailboxes' windows (frames.h) */
	MARKS_KEPT = 500, /* marks whose rows wait to be forgotten */
	NEWS_MAX = 200,   /* mails counted by one question */
	READERS_MIN = 2,  /* one may hang */
	READERS_MAX = 16,
	READER_QUEUE = 8,   /* mails sent ahead to one reader */
	SLOW_MS = 500,      /* no more are, when it is at one for so long */
	ATTEMPTS_MAX = 20,  /* of a mail, when nobody saw what it did */
	PAUSE_MS = 1000,    /* after a database failure */
	QUIET_MS = 500,     /* with nothing to do, until unused memory is given back */
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
	bool too_large, import, known, suspect, fresh;
	bool seen;        /* its attempt is looked after */
	bool gone;        /* its mailbox is another daemon's now: to be forgotten */
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
	struct intake_known sender; /* while its group is stored */
	struct intake_result result;
};

struct reader {
	struct role_process role;
	bool used;        /* it was given a mail */
	int failures;     /* in a row */
	int64_t again_ms; /* monotonic: when it may be started again */
};

/* What this daemon has to do with a mailbox of the configuration. */
struct hold {
	bool held; /* it is ours, by a lease with this fence */
	int64_t fence;
	int64_t serial; /* of the access token that fetch was told; 0: none, nor of the mailbox */
	bool selected;  /* fetch has asked where to go on: what it brings now counts */
	bool spare;     /* ours beyond our share */
	bool elsewhere; /* it is another's */
	bool paused;    /* an admin wants nobody to watch it */
	int64_t polled_at; /* the last wish to look now that is known of */
	int64_t free_ms;   /* monotonic: since when it is nobody's; 0: it is somebody's */
};

struct mark {
	int64_t mailbox, uidvalidity, uid;
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
	struct hold *holds;  /* as d->mailboxes */
	int64_t hold_at_ms;  /* monotonic: when leases are looked after next */
	int64_t tokens_seen; /* bearer_changes() when fetch was told last */
	bool joined;         /* the other daemons know of this one */
	bool has_admitted;   /* with a group: there is something to do before waiting */
	bool has_stored;     /* since memory was given back */
	struct mark marks[MARKS_KEPT];
	size_t n_marks;
};

struct storing {
	struct mailboxes *m;
	struct job **group;
	size_t n;
	struct arena arena; /* of the mail at hand */
	struct arena known; /* of what was looked up for all */
	bool stale;         /* a mail of the group changed what was looked up */
	bool apart;         /* a mail failed: each is a part that can be undone alone */
};

static inline int64_t mono(const struct mailboxes *m)
{
	return clock_mono(m->d->clock);
}

/* jobs.c: an empty JOB_NEW at the end of the list; NULL when out of memory */
struct job *mailboxes_add_job(struct mailboxes *m);
/* Take out every job for which `gone` holds. */
void mailboxes_drop_jobs(struct mailboxes *m, bool (*gone)(const struct job *));
/* Those that are gone do not count. */
size_t mailboxes_count_jobs(const struct mailboxes *m, enum job_state state);
/* Nothing is left to do with it but storing. */
bool mailboxes_is_finished(const struct job *j);
/* An earlier job of its mailbox is not finished: it has to wait, for the cursor passes over what is
 * stored. */
bool mailboxes_is_held(const struct mailboxes *m, const struct job *j);
/* It is stored without having been read, into quarantine, because of `cause` (static). */
void mailboxes_give_up(struct mailboxes *m, struct job *j, const char *cause);

/* attempts.c: in a transaction, of all new jobs. */
int mailboxes_count_attempts(struct db_conn *c, struct mailboxes *m, struct md_err *err);
/* After its commit: new jobs may be read, suspects wait. */
void mailboxes_admit(struct mailboxes *m);
/* Both, where readers would have nothing to do before the next group is stored. */
void mailboxes_admit_new(struct mailboxes *m);
/* The suspect whose turn it is may be read, or is given up after ATTEMPTS_MAX. */
void mailboxes_admit_suspect(struct mailboxes *m);
/* That one, or NULL. */
struct job *mailboxes_next_suspect(const struct mailboxes *m);

/* At an orderly end: attempts of mails that were not tried to the end are taken back. */
void mailboxes_give_back(struct mailboxes *m);
/* The same in a transaction, of one mailbox; 0: of all. */
int mailboxes_uncount(struct mailboxes *m, struct db_conn *c, int64_t mailbox, struct md_err *err);

/* storing.c: the next group of jobs that are ready, if it is time for it. */
void mailboxes_store(struct mailboxes *m);

/* marks.c: in a transaction, the rows of what is marked on the server; after its commit they are
 * forgotten. */
int mailboxes_forget_marked(struct db_conn *c, struct mailboxes *m, struct md_err *err);
void mailboxes_marks_forgotten(struct mailboxes *m);
void mailboxes_keep_marks(struct mailboxes *m, const struct frame_uids *f);
/* Both, where no transaction is to be expected soon. */
void mailboxes_settle_marks(struct mailboxes *m);

/* group.c: what is asked once for all mails of a group: which are surely new, and whose they are.
 */
int mailboxes_look_up(struct db_conn *c, struct storing *s, struct md_err *err);

/* hearing.c: what fetch said. MD_INPUT: nothing it may say; it is then started again. */
int mailboxes_take_frame(struct mailboxes *m, struct frame *f, struct md_err *err);

/* roles.c */
void mailboxes_keep_roles(struct mailboxes *m); /* start what is down, when its back-off is over */
void mailboxes_end_roles(struct mailboxes *m);
void mailboxes_hear_fetch(struct mailboxes *m);
void mailboxes_report_stored(struct mailboxes *m, struct job *const *group, size_t n);
/* Tell fetch, if it is there. */
void mailboxes_watch(struct mailboxes *m, const struct desk_mailbox *mailbox);
/* The same mailbox with a new access token: it stays as it is. */
void mailboxes_refresh(struct mailboxes *m, const struct desk_mailbox *mailbox);
void mailboxes_unwatch(struct mailboxes *m, int64_t mailbox);
struct pollfd mailboxes_pollfd(const struct channel *ch);
/* The database takes nothing: told, shown as the health of the mailboxes concerned, tried again. */
void mailboxes_stall(struct mailboxes *m, const char *why);
/* It took these. */
void mailboxes_flow(struct mailboxes *m, struct job *const *group, size_t n);
bool mailboxes_paused(const struct mailboxes *m);
const char *mailboxes_title(const struct mailboxes *m, int64_t id);

/* For the n-th failure in a row. */
int64_t mailboxes_backoff_ms(int failures);
/* How a role's process ended, by waitpid(). */
void mailboxes_log_end(const char *role, int status);

/* credentials.c: what fetch signs in by. Appended to `out`; MD_AGAIN or MD_REFUSED: there is
 * nothing (yet), and health says why. */
int mailboxes_credential(struct mailboxes *m, const struct desk_mailbox *mailbox, struct buf *out,
			 struct md_err *err);
/* Tell fetch of access tokens that are new. */
void mailboxes_tell_tokens(struct mailboxes *m);
/* What a server made of the credentials: the state and error to be shown, instead of those of
 * fetch, which does not know where a token comes from. `room` lasts as long as *error. */
void mailboxes_judge(struct mailboxes *m, const struct desk_mailbox *mailbox, const char **state,
		     const char **error, struct md_err *room);

/* readers.c */
void mailboxes_keep_readers(struct mailboxes *m);
void mailboxes_end_readers(struct mailboxes *m);
void mailboxes_hear_readers(struct mailboxes *m);
void mailboxes_feed_readers(struct mailboxes *m);
/* More mails wait for readers than these take now. */
bool mailboxes_readers_have_enough(const struct mailboxes *m);

/* holding.c: renew leases, take and leave mailboxes, when it is time */
void mailboxes_hold(struct mailboxes *m);
/* In a transaction that does something for a mailbox: is it another's? What is done then must have
 * no effect. */
int mailboxes_lost(struct mailboxes *m, struct db_conn *c, int64_t mailbox, bool *ret,
		   struct md_err *err);
/* It is lost, or has to be asked for again: its jobs are gone, and fetch drops it. */
void mailboxes_let_go(struct mailboxes *m, int64_t mailbox, const char *why);
/* Is a mail of it to be taken? From fetch's question on: an earlier one may stand behind others
 * that were forgotten, and the cursor would pass over these. */
bool mailboxes_expects(struct mailboxes *m, int64_t mailbox);
void mailboxes_selected(struct mailboxes *m, int64_t mailbox);
/* At an orderly end: others may have them. */
void mailboxes_release(struct mailboxes *m);

#endif
