/* What the files of bearer.h share: bearer.c has the accounts and answers for them, bearer_run.c
 * looks after them in each server's thread, and bearer_renew.c asks the server. */
#ifndef MAILDESK_APP_BEARER_PRIV_H
#define MAILDESK_APP_BEARER_PRIV_H

#include <maildesk/app/bearer.h>
#include <maildesk/app/desk.h>
#include <maildesk/store/oauth.h>

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

enum {
	BEARER_LOOK_MS = 1000, /* other daemons, and `oauth login`, write the rows, too */
	BEARER_REFUSED_FIRST_MS = 60 * 1000, /* a person has to act */
	BEARER_REFUSED_MAX_MS = 30 * 60 * 1000,
	BEARER_ROW_ARENA = 256 << 10,
};

struct account {
	const struct conf_oauth *conf;
	const char *login; /* "": the desk itself, by its secret */
	const char *name;  /* of a section that uses it, for `oauth login` */
	/* of its server's thread */
	struct desk_worker *worker;
	int64_t next_ms; /* monotonic: the server is not asked before */
	bool looked;     /* the row was read since the start */
	bool tried;      /* since the start: what stands between two daemons' lives is no reason to
			  * wait */
	int64_t version;
	/* under the lock */
	char *access;
	int64_t serial;
	int64_t end_ms;   /* monotonic: of access */
	bool bad;         /* a mail server has refused access */
	int refusals;     /* in a row */
	int64_t again_ms; /* monotonic: a refused one is renewed then */
	bool told;        /* error is that refusal alone */
	enum md_code code;
	char error[DESK_TEXT_MAX];
};

/* A token server, and those who sign in there. */
struct server {
	struct bearer *b;
	const struct conf_oauth *conf;
	pthread_t thread;
	struct desk_worker worker;
	bool runs;
};

struct bearer {
	struct desk *d;
	struct account *accounts;
	struct server *servers;
	size_t n_accounts, n_servers;
	atomic_bool stopping;
	atomic_llong changes;
	pthread_mutex_t lock;
	pthread_cond_t wake;
};

/* The row of an account, as it was read. */
struct view {
	struct arena arena;
	struct oauth_grant g;
	int64_t now; /* the database's clock */
};

static inline int64_t bearer_mono(const struct bearer *b)
{
	return clock_mono(b->d->clock);
}

/* The desk itself signs in, without a person. */
static inline bool bearer_by_secret(const struct conf_oauth *conf)
{
	return *conf->device_url == '\0';
}

/* Before the next try after that many failures in a row: twice as long each time. */
int64_t bearer_backoff(int64_t failures, int64_t first, int64_t most);

/* There is a new token, good for `left_ms` from now on; takes over `access`. */
void bearer_publish(struct bearer *b, struct account *a, char *access, int64_t left_ms);
/* There is none, and why; logged when that is news. */
void bearer_trouble(struct bearer *b, struct account *a, enum md_code code, const char *text);

/* What was never written reads as version 0. The arena is the caller's. */
int bearer_load(struct db_conn *c, const struct account *a, struct view *v, struct md_err *err);
/* *ret goes to md_wipe_text(). MD_INPUT: it is damaged, or was sealed with another key. */
int bearer_unseal(struct bearer *b, const struct rec_bytes *sealed, char **ret, struct md_err *err);
/* Asks the server, unless another daemon is at it, and writes what came of it. True: the row has
 * changed. */
bool bearer_renew(struct bearer *b, struct account *a, struct view *v);

/* The thread of a struct server, until b->stopping. */
void *bearer_run(void *server);

#endif
