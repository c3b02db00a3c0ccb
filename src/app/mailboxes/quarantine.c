#include <maildesk/app/quarantine.h>
#include <maildesk/app/reader.h>
#include <maildesk/app/work.h>
#include <maildesk/base/utf8.h>
#include <maildesk/mail/compose.h>

#include <stdlib.h>
#include <string.h>

struct release {
	struct desk *d;
	int64_t id;
	struct arena *a;
	struct quarantine_releasing *as;
	struct quarantine_row row;
	uint8_t *raw;
	size_t n;
	struct intake_mail mail;
};

static int load(struct release *r, struct md_err *err)
{
	md_auto(db_read_done_p) struct db_conn *c = NULL;
	int rc = db_read(r->d->db, &c, err);

	if (rc == MD_OK)
		rc = quarantine_get(c, r->id, r->a, &r->row, err);
	if (rc == MD_OK)
		rc = blob_get(c, r->row.blob_id, &r->raw, &r->n, err);
	return rc;
}

static int note_release(struct release *r, struct db_conn *c, struct md_err *err)
{
	const struct history h = {
		.ticket_id = r->as->result.ticket,
		.actor_id = r->as->by,
		.action = "released",
		.old_value = r->row.cause,
		.source = source_name(r->as->source),
		.trust = -1,
		.message_id = r->row.message_id,
		.at = clock_wall(r->d->clock),
	};

	return h.ticket_id ? history_add(c, &h, err) : MD_OK;
}

static int release(struct db_conn *c, void *ctx, struct md_err *err)
{
	struct release *r = ctx;
	/* Somebody else may have been quicker. */
	int rc = quarantine_remove(c, r->id, err);

	if (rc == MD_OK)
		rc = intake_take(r->d, c, r->a, &r->mail, &r->as->result, err);
	return rc == MD_OK ? note_release(r, c, err) : rc;
}

static int read_and_release(struct release *r, struct md_err *err)
{
	/* `a` is reset by intake; what was read outlives that */
	md_auto(arena_done) struct arena fields = ARENA_INIT(READER_ARENA_MAX);
	md_auto(blob_done) struct blob blob = { 0 };
	const char *cause = NULL;
	struct message m;
	int rc =
		reader_read_once(r->raw, r->n, rules_fields(r->d->rules), &fields, &m, &cause, err);

	if (rc == MD_OK)
		rc = blob_prepare(r->raw, r->n, &blob, err);
	if (rc != MD_OK)
		return rc;
	r->mail = (struct intake_mail){ .mailbox = r->row.mailbox_id,
					.size = r->row.size,
					.too_large = r->row.size > (int64_t)r->n,
					.message = &m,
					.blob = &blob,
					.released = r->row.message_id };
	r->row.cause = arena_strdup(&fields, r->row.cause);
	if (!r->row.cause)
		return md_fail(err, MD_NOMEM, 0, "out of memory");
	return r->as->txn(r->as->ctx, release, r, err);
}

int quarantine_release(struct desk *d, int64_t id, struct arena *a, struct quarantine_releasing *as,
		       struct md_err *err)
{
	struct release r = { .d = d, .id = id, .a = a, .as = as };
	int rc = load(&r, err);

	if (rc == MD_OK)
		rc = read_and_release(&r, err);
	free(r.raw);
	if (rc == MD_OK)
		work_done(d);
	return rc;
}

int quarantine_sender(const char *address, const char *domain, struct buf *out, struct md_err *err)
{
	md_auto(buf_done) struct buf whole = BUF_INIT(4096);

	if (address)
		buf_adds(&whole, address);
	else
		buf_addf(&whole, "x@%s", domain[0] == '@' ? domain + 1 : domain);
	if (whole.status != MD_OK || !mail_address_valid(buf_str(&whole)))
		return md_fail(err, MD_INPUT, 0,
			       address ? "\"%.100s\" is no mail address"
				       : "\"%.100s\" is no domain like example.com",
			       address ? address : domain);
	utf8_fold(out, buf_str(&whole) + (address ? 0 : 1), whole.len - (address ? 0 : 1));
	return out->status == MD_OK ? MD_OK : md_fail(err, MD_NOMEM, 0, "out of memory");
}
