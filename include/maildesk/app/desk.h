/* desk.h - what every use case needs: made once at start, read by all threads after that.
 *
 * The only members that change are behind functions: wake-ups, health and keys. A new configuration
 * makes a new desk (daemon.h). */
#ifndef MAILDESK_APP_DESK_H
#define MAILDESK_APP_DESK_H

#include <maildesk/app/config.h>
#include <maildesk/app/bearer.h>
#include <maildesk/app/vault.h>
#include <maildesk/base/clock.h>
#include <maildesk/base/random.h>
#include <maildesk/desk/escalation.h>
#include <maildesk/desk/jwt.h>
#include <maildesk/desk/notice.h>
#include <maildesk/desk/rule.h>
#include <maildesk/desk/sla.h>
#include <maildesk/desk/token.h>
#include <maildesk/desk/workflow.h>
#include <maildesk/store/db.h>

#include <pthread.h>
#include <stdatomic.h>

enum { DESK_ID_MAX = 40, DESK_TEXT_MAX = 200, DESK_REASON_MAX = 600, DESK_AUDIT_KEY_BYTES = 32 };

/* Who sleeps and may have to be woken. */
enum desk_part {
	DESK_SENDER,
	DESK_TIMERS,
	DESK_MAILBOXES,
	DESK_LISTENER,
	DESK_INDEXER,
	DESK_EVENTS,
	DESK_WEBHOOKS,
	DESK_PARTS
};

struct desk_mailbox {
	const struct conf_mailbox *conf;
	int64_t id;           /* of its row */
	int64_t import_below; /* see store/mailboxes.h; of the thread of mailboxes.h */
	/* health, under desk.lock */
	char state[16]; /* "connecting", "ok", "backoff", "auth_failed" */
	char error[DESK_TEXT_MAX];
	int64_t last_success_at;
	atomic_llong taken;    /* mails since the start */
	int64_t failing_since; /* 0: the last that was heard of it is that all is well */
	/* of the thread of timers.h: what the admins know */
	enum { ALARM_UNKNOWN, ALARM_OFF, ALARM_ON } alarm;
};

/* One of several threads that do the same: a lane of the sender, a worker of the API. */
struct desk_worker {
	const char *name;
	int64_t allowed_ms;         /* so long may a piece of its work take at least */
	atomic_llong busy_since_ms; /* monotonic; 0: at none */
	struct desk_worker *next;   /* under desk.lock */
};

/* What became of the last wish for a new configuration. */
struct desk_reload {
	int64_t loaded_at;            /* when the one in force was read */
	int64_t refused_at;           /* 0, or when a newer one was refused, */
	char reason[DESK_REASON_MAX]; /* and why: its first error */
	char restart[DESK_TEXT_MAX]; /* keys whose new value counts from the next start; "": none */
};

/* A token that was found good: who comes with it again need not have it verified again. */
enum { JWT_KNOWN = 64, JWT_HASH = 32 };
struct jwt_known {
	uint8_t hash[JWT_HASH]; /* of the token, which is not kept */
	struct jwt_claims claims;
};

struct desk {
	const struct config *config;
	struct db *db;
	const struct clock *clock;
	struct random *random;
	const struct workflow *workflow;
	char id[DESK_ID_MAX];       /* uuid: X-Maildesk-Loop */
	char instance[DESK_ID_MAX]; /* this daemon among those of the desk: holder of leases */
	struct vault *vault;        /* of secrets at rest */
	struct bearer *bearer;      /* access tokens of mail accounts; NULL: none needed */
	const struct token_keys *_Atomic token_keys; /* of keys.h: the newest that are known */
	uint8_t audit_key[DESK_AUDIT_KEY_BYTES]; /* of the audit log's hashes of addresses; under
						    lock */
	struct jwt_keys jwt; /* of jwt_keys.h, like the three below; under lock */
	int64_t jwt_since_ms, jwt_read_ms;
	struct jwt_known jwt_known[JWT_KNOWN]; /* each at the place its hash names */
	struct rec_strs own;                   /* addresses of all mailboxes, aliases too */
	struct desk_mailbox *mailboxes;
	size_t n_mailboxes;
	struct calendar *calendars;           /* as config->calendars */
	struct sla_policy *policies;          /* as config->slas */
	struct escalation_steps *escalations; /* of each of them */
	size_t n_policies;
	/* as they were and are, the newest first (desk_adopt_slas) */
	struct sla_version *sla_versions;
	size_t n_sla_versions;
	int64_t sla_version;       /* of the present ones; 0: not adopted */
	atomic_bool clock_doubted; /* the wall clock jumped: nothing fires meanwhile */
	struct notice_choice choices[NOTICE_EVENT_COUNT]; /* of config->notify */
	struct rules *rules;                              /* of config->rules */
	int wake_fd[DESK_PARTS];                          /* eventfd */
	/* automatic mails to customers in the hour before that time, and one's own since; under
	 * lock */
	int64_t automatic_at_ms, automatic;
	bool templates_alarm;      /* one of templates_dir could not be used; under lock */
	struct desk_reload reload; /* under lock */
	atomic_llong busy_since_ms[DESK_PARTS]; /* monotonic; 0: asleep */
	struct desk_worker *workers;            /* under lock */
	pthread_mutex_t lock;
	struct arena arena;
};

/* A database for the desk of `config`, hers or another: a file that root makes is whose state_dir
 * is. */
int desk_connect(const struct config *config, const char *database, struct db **ret,
		 struct md_err *err);
/* Its own, made and brought up to date where that is to be done, and state_dir before it. */
int desk_open_database(const struct config *config, struct db **ret, struct md_err *err);
/* The desk's id as its database has it, for who does not work on it. MD_NOTFOUND: nobody did yet.
 */
int desk_read_id(struct db_conn *c, char ret[DESK_ID_MAX], struct md_err *err);
/* MD_BROKEN with the way out. */
int desk_make_state_dir(const struct config *config, struct md_err *err);
/* Opens the database, brings the schema up to date, makes keys and rows that are missing. The
 * config must outlive the desk. MD_REFUSED, MD_BROKEN, MD_AGAIN: err says what to do. */
int desk_open(const struct config *config, struct desk **ret, struct md_err *err);
void desk_close(struct desk *d);
MD_DEFINE_AUTO(struct desk *, desk_close)

/* Of one thread, now and then: give the key of secrets at rest to daemons that join, and take over
 * what another daemon that was alone for a while, or `maildesk token rotate`, has put in the place
 * of the desk's keys. */
int desk_look_at_keys(struct desk *d, struct md_err *err);

/* Of a daemon, before it does anything: its calendars and targets are what clocks run by from now
 * on, instead of those that the last one had. */
int desk_adopt_slas(struct desk *d, struct md_err *err);
struct sla_version {
	int64_t id, since_ms;
	struct calendar *calendars;
	const char **titles; /* of them */
	struct sla_policy *policies;
	size_t n_calendars, n_policies;
};
/* What was valid before the present ones under that number, and until when. NULL: it is present, or
 * not known. */
const struct sla_version *desk_sla_before(const struct desk *d, int64_t id, int64_t *ret_until_ms);
/* What was valid then; NULL: not known. */
const struct sla_version *desk_sla_at(const struct desk *d, int64_t at_ms);
const struct calendar *sla_version_calendar(const struct sla_version *v, const char *title);

/* After a commit that gave that part something to do; from any thread, cheap, never blocks. */
void desk_wake(struct desk *d, enum desk_part part);
/* Of that part's own thread: until it is woken, or for so long; 0 does not sleep. */
void desk_sleep(struct desk *d, enum desk_part part, int timeout_ms);
/* Of that part's own thread: it begins a piece of work, and none. Who is at one piece for too long
 * is stuck (supervisor.h). desk_sleep() does both. */
void desk_busy(struct desk *d, enum desk_part part);
void desk_idle(struct desk *d, enum desk_part part);

/* The same for threads that are not alone: between `hire` and `dismiss` the supervisor looks at it
 * too. `w` is the caller's. */
void desk_hire(struct desk *d, struct desk_worker *w);
void desk_dismiss(struct desk *d, struct desk_worker *w);
void desk_worker_busy(struct desk_worker *w);
void desk_worker_idle(struct desk_worker *w);

/* What is known about the world, of the desk that this one takes the place of. */
void desk_inherit(struct desk *d, struct desk *old);
/* The configuration in force stays; `reason` is why. */
void desk_reload_refused(struct desk *d, const char *reason);
void desk_reload_state(struct desk *d, struct desk_reload *ret);

struct desk_mailbox *desk_mailbox(struct desk *d, int64_t id); /* NULL when there is none */
/* Health; `error` may be NULL. */
void desk_mailbox_state(struct desk *d, int64_t id, const char *state, const char *error);
/* A mail of it was taken in: last_success; `heal`: and the error shown was that none was. */
void desk_mailbox_stored(struct desk *d, int64_t id, bool heal);

/* Fail about a file of state_dir: errno, and what to do. */
int desk_file_failed(const struct config *config, const char *path, struct md_err *err);
/* A built-in template is sent instead of one of templates_dir, which the log names: health says
 * so. */
void desk_templates_alarm(struct desk *d);

#endif
