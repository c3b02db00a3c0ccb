#include "desk_mail.h"

#include <maildesk/base/codec.h>
#include <maildesk/base/json.h>
#include <maildesk/store/messages.h>
#include <maildesk/store/outbox.h>

#include <string.h>

enum { ID_BYTES = 15, DATA_MAX = 4 << 20 };

static int out_of_memory(struct md_err *err)
{
	return md_fail(err, MD_NOMEM, 0, "out of memory");
}

static const char *make_message_id(const struct desk_mail *m)
{
	md_auto(buf_done) struct buf id = BUF_INIT(400);
	const char *at = strchr(m->mailbox->conf->address, '@');
	uint8_t bytes[ID_BYTES];

	random_fill(m->desk->random, bytes, sizeof bytes);
	base32_encode(&id, bytes, sizeof bytes);
	buf_adds(&id, at ? at : "@localhost");
	return id.status == MD_OK ? arena_strdup(m->arena, buf_str(&id)) : NULL;
}

static int freeze(const struct desk_mail *m, const char *message_id, json_t *data, struct buf *out,
		  struct md_err *err)
{
	const struct conf_desk *desk = &m->desk->config->desk;
	const struct conf_mailbox *mailbox = m->mailbox->conf;
	const char *name = m->to->id ? m->to->name : NULL, *zone = m->to->timezone;
	md_auto(json_decref_p) json_t *common =
		json_pack("{s:{s:s, s:s}, s:n, s:{s:s?, s:s}, s:[],"
			  " s:{s:s, s:s, s:s, s:s, s:s?, s:s}, s:s?, s:s, s:s}",
			  "desk", "name", desk->name, "url", desk->url, "ticket", "recipient",
			  "name", name, "email", m->to->email, "actions", "mail", "from_name",
			  desk->name, "from", mailbox->address, "reply_to", mailbox->address,
			  "message_id", message_id, "to_name", name, "auto_submitted",
			  "auto-generated", "locale", m->to->locale, "desk_locale", mailbox->locale,
			  "timezone", zone ? zone : desk->timezone);

	if (!common || json_object_update(data, common) != 0)
		return out_of_memory(err);
	json_write(out, data);
	return out->status == MD_NOMEM ? out_of_memory(err)
	       : out->status != MD_OK
		       ? md_fail(err, MD_INPUT, 0, "a mail would hold more than %d bytes", DATA_MAX)
		       : MD_OK;
}

/* Reports of what became of it come back to an address that names it. */
static const char *envelope(const struct desk_mail *m, int64_t message, struct buf *room)
{
	const struct conf_mailbox *mailbox = m->mailbox->conf;
	struct token t = { .day = token_day(m->now_ms), .user = m->to->id, .serial = message };

	if (mailbox->plus_addressing && mailbox->verp &&
	    token_make_address(m->desk->token_keys, TOKEN_BOUNCE, &t, mailbox->address, room,
			       NULL) == MD_OK)
		return buf_str(room);
	return mailbox->address;
}

int desk_mail_queue(const struct desk_mail *m, json_t *data, struct md_err *err)
{
	const char *id = make_message_id(m);
	md_auto(buf_done) struct buf text = BUF_INIT(DATA_MAX), room = BUF_INIT(1000);
	struct message_row row = { .direction = "out",
				   .mailbox_id = m->mailbox->id,
				   .message_id = id,
				   .from_address = m->mailbox->conf->address,
				   .kind = m->kind,
				   .created_at = m->now_ms };
	struct outbox_row o = { .user_id = m->to->id,
				.event = m->event,
				.smtp = m->mailbox->conf->smtp,
				.recipient = m->to->email,
				.state = "queued",
				.next_at = m->now_ms,
				.created_at = m->now_ms };
	int64_t outbox;
	int rc = id ? freeze(m, id, data, &text, err) : out_of_memory(err);

	if (rc == MD_OK)
		rc = message_insert(m->c, &row, &o.message_id, err);
	o.data = buf_str(&text);
	o.sender = envelope(m, o.message_id, &room);
	return rc == MD_OK ? outbox_add(m->c, &o, &outbox, err) : rc;
}
