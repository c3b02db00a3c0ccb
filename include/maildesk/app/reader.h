/* reader.h - the `read` role: raw mail in, fields out, nothing else; and the desk's side of it. */
#ifndef MAILDESK_APP_READER_H
#define MAILDESK_APP_READER_H

#include <maildesk/app/frames.h>
#include <maildesk/net/role.h>

/* Memory for one message's fields, on both sides. */
enum { READER_ARENA_MAX = 96 << 20 };

/* `maildesk role-read`: enters the jail and answers READ frames until its socket closes. */
int role_read_main(void);

/* A role for mails that are read one after the other, outside the daemon: started with the first of
 * them, and anew after one that it crashed or was too slow at, with the same jail, limits and
 * attempts as in the daemon. Zeroed: none yet. */
struct reader_run {
	struct role_process role;
	int64_t seq;
};
void reader_run_done(struct reader_run *r);
/* The next mail. MD_OK; MD_INPUT when each of its attempts failed: *ret_cause is then the
 * quarantine cause. The last two are by roles that no earlier mail can have spoilt. */
int reader_run_read(struct reader_run *r, const uint8_t *raw, size_t n,
		    const struct rec_strs *fields, struct arena *arena, struct message *ret,
		    const char **ret_cause, struct md_err *err);
/* The same for a mail that comes alone. */
int reader_read_once(const uint8_t *raw, size_t n, const struct rec_strs *fields,
		     struct arena *arena, struct message *ret, const char **ret_cause,
		     struct md_err *err);

/* Queue a mail for a reader: bytes inline, or (bytes NULL) the descriptor of a spool file. `fields`
 * names the header fields that message.fields is to hold. Sent with the next channel_flush(). */
int reader_send(struct channel *ch, int64_t seq, const uint8_t *raw, size_t n, int fd,
		const struct rec_strs *fields, struct md_err *err);
/* An answer that was received, checked. MD_INPUT: the role can no longer be trusted. */
int reader_answer(const struct frame *f, struct arena *arena, struct frame_fields *ret,
		  struct md_err *err);

enum { READER_ATTEMPTS = 3, READER_TIMEOUT_MS = 30000 };

#endif
