#include <maildesk/app/frames.h>

enum { NAME_MAX_BYTES = 1000, SECRET_MAX = 16384, UIDS_MAX = 100000 };

static const struct rec_field mailbox_fields[] = {
	REC(struct frame_mailbox, id, REC_INT, INT64_MAX),
	REC(struct frame_mailbox, name, REC_STR, NAME_MAX_BYTES),
	REC(struct frame_mailbox, host, REC_STR, NAME_MAX_BYTES),
	REC(struct frame_mailbox, user, REC_STR, NAME_MAX_BYTES),
	REC_HIDDEN(struct frame_mailbox, secret, REC_STR, SECRET_MAX),
	REC(struct frame_mailbox, folder, REC_STR, NAME_MAX_BYTES),
	REC(struct frame_mailbox, port, REC_INT, 65535),
	REC(struct frame_mailbox, tls, REC_STR, 16),
	REC(struct frame_mailbox, ca_file, REC_STR, 4096),
	REC(struct frame_mailbox, auth, REC_STR, 16),
	REC(struct frame_mailbox, after, REC_STR, NAME_MAX_BYTES),
	REC(struct frame_mailbox, since, REC_STR, 16),
	REC(struct frame_mailbox, idle, REC_BOOL, 1),
	REC(struct frame_mailbox, poll_interval_ms, REC_INT, INT64_MAX),
	REC(struct frame_mailbox, timeout_ms, REC_INT, INT64_MAX),
	REC(struct frame_mailbox, max_message_bytes, REC_INT, INT64_MAX),
	REC_END,
};
const struct rec frame_mailbox_rec = { "mailbox frame", sizeof(struct frame_mailbox),
				       mailbox_fields };

static const struct rec_field uid_fields[] = {
	REC(struct frame_uid, uid, REC_INT, UINT32_MAX),
	REC_END,
};
static const struct rec uid_rec = { "uid", sizeof(struct frame_uid), uid_fields };

static const struct rec_field uids_fields[] = {
	REC(struct frame_uids, mailbox, REC_INT, INT64_MAX),
	REC(struct frame_uids, uidvalidity, REC_INT, UINT32_MAX),
	REC(struct frame_uids, last_uid, REC_INT, UINT32_MAX),
	REC_OF(struct frame_uids, uids, REC_LIST, UIDS_MAX, uid_rec),
	REC_END,
};
const struct rec frame_uids_rec = { "uids frame", sizeof(struct frame_uids), uids_fields };

static const struct rec_field selected_fields[] = {
	REC(struct frame_selected, mailbox, REC_INT, INT64_MAX),
	REC(struct frame_selected, uidvalidity, REC_INT, UINT32_MAX),
	REC(struct frame_selected, uidnext, REC_INT, UINT32_MAX),
	REC(struct frame_selected, exists, REC_INT, UINT32_MAX),
	REC(struct frame_selected, first, REC_INT, UINT32_MAX),
	REC_END,
};
const struct rec frame_selected_rec = { "selected frame", sizeof(struct frame_selected),
					selected_fields };

static const struct rec_field mail_fields[] = {
	REC(struct frame_mail, mailbox, REC_INT, INT64_MAX),
	REC(struct frame_mail, uidvalidity, REC_INT, UINT32_MAX),
	REC(struct frame_mail, uid, REC_INT, UINT32_MAX),
	REC(struct frame_mail, size, REC_INT, INT64_MAX),
	REC(struct frame_mail, internaldate_ms, REC_INT, INT64_MAX),
	REC(struct frame_mail, too_large, REC_BOOL, 1),
	REC(struct frame_mail, raw, REC_BYTES, FRAME_INLINE_MAX),
	REC_END,
};
const struct rec frame_mail_rec = { "mail frame", sizeof(struct frame_mail), mail_fields };

static const struct rec_field state_fields[] = {
	REC(struct frame_state, mailbox, REC_INT, INT64_MAX),
	REC(struct frame_state, state, REC_STR, 32),
	REC(struct frame_state, error, REC_STR, NAME_MAX_BYTES),
	REC(struct frame_state, retry_ms, REC_INT, INT64_MAX),
	REC_END,
};
const struct rec frame_state_rec = { "state frame", sizeof(struct frame_state), state_fields };

static const struct rec_field read_fields[] = {
	REC(struct frame_read, seq, REC_INT, INT64_MAX),
	REC(struct frame_read, fields, REC_STRS, 200),
	REC(struct frame_read, raw, REC_BYTES, FRAME_INLINE_MAX),
	REC_END,
};
const struct rec frame_read_rec = { "read frame", sizeof(struct frame_read), read_fields };

static const struct rec_field fields_fields[] = {
	REC(struct frame_fields, seq, REC_INT, INT64_MAX),
	REC_OF(struct frame_fields, message, REC_SUB, 0, message_rec),
	REC_END,
};
const struct rec frame_fields_rec = { "fields frame", sizeof(struct frame_fields), fields_fields };
