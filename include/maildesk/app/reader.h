/* reader.h - the `read` role: raw mail in, fields out, nothing else; and the desk's side of it. */
#ifndef MAILDESK_APP_READER_H
#define MAILDESK_APP_READER_H

#include <maildesk/app/frames.h>
#include <maildesk/net/role.h>

/* Memory for one message's fields, on both sides. */
enum { READER_ARENA_MAX = 96 << 20 };

/* `maildesk role-read`: enters the jail and answers READ frames until its socket closes. */
int role_read_main(void);

/* Read one mail with a role started for it alone (maildesk ingest): the same jail, limits and
 * attempts as in the daemon. MD_OK; MD_INPUT when the role crashed or was too slow on each of
 * its attempts: *ret_cause is then the quarantine cause. */
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
