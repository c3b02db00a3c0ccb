/* sender_priv.h - one mail on its way through the sender.
 *
 * sender.c is the thread that has the database: it claims rows, and keeps what was rendered and
 * what became of each try (sender_settle.c), many in one transaction. lanes.c has the threads that
 * render and send, up to smtp.connections of each account, started when there is something for
 * them; each has a connection of its own. An item goes
 *
 *	FREE -> CLAIMED -> RENDERING -> RENDERED -> READY -> SENDING -> ENDED -> FREE
 *	        (claim)    (lane)                  (kept)    (lane)             (kept)
 *
 * A death between a server's 250 and the commit sends a mail again. So a lane begins none before
 * the outcome of its last is committed, and there is one lane for each LANE_QUEUE mails that wait:
 * with little to do one mail at most is doubled by a death, and never more than there are
 * connections.
 *
 * All of it under `lock`, but for what is in a lane's hand. */
#ifndef MAILDESK_APP_SENDER_PRIV_H
#define MAILDESK_APP_SENDER_PRIV_H

#include <maildesk/app/sender.h>
#include <maildesk/app/templates.h>
#include <maildesk/net/smtp.h>
#include <maildesk/store/blobs.h>
#include <maildesk/store/outbox.h>

#include <pthread.h>
#include <stdatomic.h>

enum {
	SENDER_ITEMS = 256, /* claimed at a time, of one account */
	SENDER_MAIL_MAX = 64 << 20,
	LANE_QUEUE = 16,
	SENDER_PAUSE_MS = 1000, /* after a database failure */
};

enum item_state {
	ITEM_FREE,
	ITEM_CLAIMED,
	ITEM_RENDERING,
	ITEM_RENDERED,
	ITEM_READY,
	ITEM_SENDING,
	ITEM_ENDED,
};

/* The rows of one claim. */
struct batch {
	struct arena arena;
	size_t live;
};

enum ending {
	ENDING_ANSWERED, /* `result` says how */
	ENDING_FAILED,   /* for good: the mail is none */
	ENDING_GIVEN_BACK,
	ENDING_LATER, /* for want of something of ours */
};

struct item {
	enum item_state state;
	struct batch *batch;
	struct outbox_row row;
	int64_t lease_end_ms; /* monotonic: then others may have it */
	/* rendered, not kept yet */
	struct blob blob;
	const char *head; /* malloced; NULL: none */
	uint8_t *mail;    /* a small one, for sending; NULL: read from its blob */
	size_t n;
	bool was_lost; /* somebody else has rendered it */
	bool no_token; /* there was none to sign in by */
	/* ended */
	enum ending ending;
	struct smtp_result result; /* the reply also of the other endings */
	struct lane *sent_by;      /* NULL: it was not tried */
	const char *outcome;       /* state of the row that it makes; NULL: to be decided */
	int64_t next_at;
};

struct lane {
	struct sender *sender;
	struct account *account;
	pthread_t thread;
	struct desk_worker worker;
	struct smtp *session;
	int64_t serial; /* of the access token in use */
	bool sends;     /* until the outcome is committed */
};

struct account {
	const struct conf_smtp *conf;
	struct smtp_account account;
	struct item items[SENDER_ITEMS];
	pthread_cond_t work; /* there is something for a lane, or the end */
	struct lane *lanes;
	size_t n_lanes, idle;
	size_t called; /* how many items of a commit lanes are to be called for */
	bool was_away; /* mails may wait because it could not be reached */
	bool no_token; /* mails wait for an access token */
	/* when mails were begun within the last minute (monotonic), a ring; NULL: no limit */
	int64_t *begun;
	size_t first_begun, n_begun;
};

struct sender {
	struct desk *d;
	pthread_t thread;
	atomic_bool stopping;
	struct templates *templates;
	struct account *accounts;
	size_t n_accounts;
	int64_t lease_ms,
		reserve_ms; /* no mail is begun when less than that is left of the lease */
	pthread_mutex_t lock;
	size_t rendered_bytes; /* in memory until they are kept */
};

/* Under lock: let lanes see to what is CLAIMED or READY, `n` of them. */
int lanes_call(struct sender *s, struct account *a, size_t n, struct md_err *err);
/* All of them end, after the mail in hand. */
void lanes_stop(struct sender *s);
/* Under lock. How many more may be begun now; *ret_ms when it is none: until when. */
size_t account_allows(struct sender *s, struct account *a, int64_t *ret_ms);

/* Of what came out of lanes, which nobody else touches; takes the lock itself. *ret_n: how many. */
int sender_settle(struct sender *s, size_t *ret_n, struct md_err *err);
/* Until the next try of a mail that was tried so often, with a tenth of it more or less. */
int64_t sender_wait(int64_t attempts, int64_t first_ms, uint32_t dice);
/* Both under lock, of an item that is in no lane's hand. */
void item_forget_rendered(struct sender *s, struct item *i);
void item_release(struct item *i);

#endif
