/* What a role that was taken over may send: refused, or the one way to write that object. The first
 * byte names the record. */
#include "fuzz.h"

#include <maildesk/app/frames.h>

static const struct rec *const records[] = {
	&message_rec,    &frame_fields_rec, &frame_mailbox_rec, &frame_uids_rec,
	&frame_read_rec, &frame_mail_rec,   &frame_state_rec,   &frame_selected_rec,
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	md_auto(arena_done) struct arena a = ARENA_INIT(FUZZ_ARENA_MAX);
	md_auto(buf_done) struct buf packed = BUF_INIT(FUZZ_ARENA_MAX), json = packed;
	const struct rec *r;
	void *object;
	int rc;

	if (n == 0)
		return 0;
	r = records[data[0] % MD_COUNT(records)];
	object = arena_alloc(&a, r->size);
	rc = rec_unpack(r, data + 1, n - 1, &a, object, NULL);
	check(rc == MD_OK || rc == MD_INPUT);
	if (rc != MD_OK)
		return 0;
	rec_json(&json, r, object);
	check(json.status == MD_OK && utf8_valid(json.data, json.len));
	rec_pack(&packed, r, object);
	check(packed.len == n - 1 && memcmp(buf_str(&packed), data + 1, n - 1) == 0);
	return 0;
}
