/* What the files of the fetch role share: sessions, and what passes between the loop and a step.
 *
 * A session belongs to the loop or to one worker, never to both, so nothing in it is locked. What
 * the desk says meanwhile waits in the loop's `inbox` and is handed to the step as `given`. */
#ifndef MAILDESK_APP_FETCH_PRIVATE_H
#define MAILDESK_APP_FETCH_PRIVATE_H

#include <maildesk/app/frames.h>
#include <maildesk/base/arena.h>
#include <maildesk/base/clock.h>
#include <maildesk/base/log.h>
#include <maildesk/net/channel.h>
#include <maildesk/net/imap.h>

struct uids {
	uint32_t *v;
	size_t n, cap;
};
int uids_add(struct uids *u, uint32_t uid);
void uids_done(struct uids *u);

/* Of one mailbox, as the desk gave them. */
struct settings {
	struct arena arena;
	struct frame_mailbox box;
	struct wire_trust *trust; /* made from the CA file; NULL: the system's, or not needed */
	struct md_err trust_err;  /* why it could not be made */
};
struct settings *settings_new(const struct frame *f, struct md_err *err);
void settings_free(struct settings *set);
MD_DEFINE_AUTO(struct settings *, settings_free)

/* What the desk said since the last step. */
struct given {
	bool drop; /* before anything else here */
	struct settings *settings;
	bool cursor, poll;
	int64_t cursor_uidvalidity, cursor_last;
	struct uids owed;   /* of the cursor */
	struct uids stored; /* all of stored_uidvalidity */
	int64_t stored_uidvalidity;
};
void given_done(struct given *g);

/* A frame on its way to the desk, made by a step, sent by the loop. */
struct outgoing {
	struct outgoing *next;
	enum frame_type type;
	union {
		struct frame_selected selected;
		struct frame_mail mail;
		struct frame_uids uids;
		struct frame_state state;
	};
	void *memory; /* what the record points to; may be NULL */
	int fd;       /* -1: none */
};
void outgoing_free(struct outgoing *o);

/* What a session wants next. */
struct wish {
	bool again;       /* there is more to do: after the others had their turn */
	int fd;           /* step when this is readable; -1: none */
	int64_t timer_ms; /* and not later than this */
};

enum session_phase {
	SESSION_CLOSED, /* until retry_at_ms */
	SESSION_ASKED,  /* SELECTED was sent, CURSOR must come */
	SESSION_WORKS,
};
enum {
	SIZES_BATCH = 500,
	FETCH_BATCH = 50,
	FETCH_BATCH_BYTES = 1 << 20,
	SPOOLED_MAX = 4, /* large mails of a mailbox on their way at once */
};

struct session {
	int64_t id;
	/* the loop's */
	struct given inbox;
	enum { AT_LOOP, AT_WORKERS } at;
	bool due;             /* to be stepped as soon as may be */
	int64_t timer_ms;     /* monotonic; when to step again at the latest */
	struct session *next; /* in a queue */
	/* of whoever holds it */
	struct given given;
	bool on_time; /* this step is for the timer */
	struct wish wish;
	struct settings *settings; /* NULL: not to be watched */
	enum session_phase phase;
	struct imap *imap;
	bool idling;
	bool listed_all, drained; /* the listing went to the end; and all of it is handed over */
	bool waiting;             /* for the desk's answers, out of IDLE */
	bool settled;             /* once since it connected */
	uint32_t uidvalidity, last;
	bool read_only;
	uint32_t *pending; /* listed, not yet sized */
	size_t n_pending, pending_at;
	struct imap_mail *mails; /* sized, not yet fetched */
	size_t n_mails, mails_at;
	struct unanswered {
		uint32_t uid;
		bool spooled;
	} unanswered[FETCH_WINDOW];
	size_t n_unanswered, n_spooled;
	struct uids owed;   /* marks to be made */
	int64_t mark_at_ms; /* after a refusal: not before */
	uint32_t bad_uid;   /* a mail that did not come though it is there */
	int bad_tries;
	int failures, refusals; /* in a row, of the network and of the login */
	int64_t retry_at_ms;
	const char *state; /* last reported */
	struct outgoing *out, **out_end;
};

struct session *session_new(int64_t id);
/* Do the next piece of work and say in `wish` what it waits for. Blocks for as long as the
 * time-outs allow. */
void session_step(struct session *s);
/* Whether the next step opens a connection (which takes its time when the host is dead). */
bool session_connects(const struct session *s);

/* fetch_say.c: queue a frame of this type; NULL when out of memory. */
struct outgoing *session_say(struct session *s, enum frame_type type);
/* That it is in this state (static text) now, if the desk does not know; `error`, or NULL, may be a
 * server's words. */
void session_say_state(struct session *s, const char *state, const char *error, int64_t retry_ms);
/* That the folder is open; the desk answers with the cursor. */
int session_say_selected(struct session *s, const struct imap_folder *f, struct md_err *err);

/* fetch_marks.c: make the marks that are owed. What is refused (read-only, full, no such folder)
 * stays owed; mail goes on coming in. */
int session_make_marks(struct session *s, struct md_err *err);

static inline int64_t session_now_ms(void)
{
	return clock_mono(&clock_system);
}

static inline struct log_ctx session_log_ctx(const struct session *s)
{
	return (struct log_ctx){ .mailbox = s->settings->box.name };
}

/* fetch_mails.c: hand over the next batch of listed mails. */
int session_hand_over(struct session *s, struct md_err *err);

#endif
