/* The mails of account.h. The token is in the mail alone: the database has its hash, and the mail
 * with all that leads to it only sealed (vault.h). What the mail says is frozen like that of every
 * other (letter_data.c), but nobody's words are in it: whoever asked may be a stranger who wants to
 * write to somebody by our hand. */
#include <maildesk/app/account.h>
#include <maildesk/base/codec.h>
#include <maildesk/base/json.h>
#include <maildesk/base/utf8.h>
#include <maildesk/mail/compose.h>
#include <maildesk/store/account_links.h>
#include <maildesk/store/messages.h>
#include <maildesk/store/sessions.h>

#include "desk_mail.h"

#include <string.h>

enum {
	TOKEN_BYTES = 32,
	TEXT_MAX = 1 << 16,
	MAILS_AN_HOUR = 3,
	MINUTE_MS = 60000,
	HOUR_MS = 60 * MINUTE_MS,
};

/* The page of the console that takes the token is named behind the #: so no server, proxy or
 * referrer ever sees it. */
static const struct {
	const char *name, *event, *page;
	int64_t for_ms;
} kinds[ACCOUNT_KINDS] = {
	[ACCOUNT_VERIFY] = { "verify", "verification", "verify", 24 * HOUR_MS },
	[ACCOUNT_RESET] = { "reset", "password_reset", "reset", HOUR_MS },
	[ACCOUNT_LINK] = { "link", "sign_in_link", "sign-in", 15 * MINUTE_MS },
};

const char *account_kind_name(enum account_kind kind)
{
	return kinds[kind].name;
}

bool account_is_event(const char *event)
{
	for (size_t i = 0; i < ACCOUNT_KINDS; i++)
		if (strcmp(kinds[i].event, event) == 0)
			return true;
	return false;
}

static const char link_purpose[] = "link of a mail";

int account_open_link(struct vault *v, json_t *data, struct md_err *err)
{
	md_auto(buf_wipe) struct buf url = BUF_INIT(TEXT_MAX);
	const char *sealed = json_get_string(data, "sealed_link");
	int rc;

	if (!sealed)
		return MD_OK;
	rc = vault_unseal_text(v, link_purpose, sealed, &url, err);
	if (rc == MD_OK && json_object_set_new(data, "link_url", json_string(buf_str(&url))) != 0)
		rc = md_fail(err, MD_NOMEM, 0, "out of memory");
	return rc;
}

struct account_mail {
	struct desk *desk;
	struct db_conn *c;
	struct arena *arena;
	enum account_kind kind;
	struct user to; /* id 0: of nobody we know */
	const char *password_hash;
	int64_t now_ms;
	char token[64];
};

static int out_of_memory(struct md_err *err)
{
	return md_fail(err, MD_NOMEM, 0, "out of memory");
}

static int make_token(struct account_mail *m, struct md_err *err)
{
	md_auto(buf_done) struct buf text = BUF_INIT(sizeof m->token - 1);
	uint8_t bytes[TOKEN_BYTES];

	random_fill(m->desk->random, bytes, sizeof bytes);
	base64url_encode(&text, bytes, sizeof bytes);
	if (text.status != MD_OK)
		return out_of_memory(err);
	memcpy(m->token, text.data, text.len + 1);
	return MD_OK;
}

static int add_link(struct account_mail *m, struct md_err *err)
{
	char hash[SHA256_HEX];
	const struct account_link l = { .kind = kinds[m->kind].name,
					.email = m->to.email,
					.user_id = m->to.id,
					.name = m->to.id ? NULL : m->to.name,
					.locale = m->to.id ? NULL : m->to.locale,
					.password_hash = m->password_hash,
					.token_hash = hash,
					.created_at = m->now_ms,
					.expires_at = m->now_ms + kinds[m->kind].for_ms };

	sha256_hex(m->token, strlen(m->token), hash);
	return account_link_add(m->c, &l, err);
}

static const char *seal_link(struct account_mail *m, struct md_err *err)
{
	md_auto(buf_done) struct buf sealed = BUF_INIT(TEXT_MAX);
	const char *url = arena_printf(m->arena, "%s/#/%s?token=%s", m->desk->config->desk.url,
				       kinds[m->kind].page, m->token);
	const char *text;

	if (!url) {
		out_of_memory(err);
		return NULL;
	}
	if (vault_seal_text(m->desk->vault, link_purpose, url, &sealed, err) != MD_OK)
		return NULL;
	text = arena_strdup(m->arena, buf_str(&sealed));
	if (!text)
		out_of_memory(err);
	return text;
}

static int queue_mail(struct account_mail *m, struct md_err *err)
{
	const struct desk_mail mail = { .desk = m->desk,
					.c = m->c,
					.arena = m->arena,
					.mailbox = &m->desk->mailboxes[0],
					.to = &m->to,
					.event = kinds[m->kind].event,
					.kind = ACCOUNT_MESSAGE_KIND,
					.now_ms = m->now_ms };
	const char *link = seal_link(m, err);
	md_auto(json_decref_p) json_t *data = NULL;

	if (!link)
		return err->code;
	data = json_pack("{s:s}", "sealed_link", link);
	return data ? desk_mail_queue(&mail, data, err) : out_of_memory(err);
}

static int send_link(struct account_mail *m, struct md_err *err)
{
	int rc = make_token(m, err);

	if (rc == MD_OK)
		rc = add_link(m, err);
	return rc == MD_OK ? queue_mail(m, err) : rc;
}

/* ---- who gets one ---- */

static const char *folded(struct arena *a, const char *email)
{
	md_auto(buf_done) struct buf text = BUF_INIT(MAIL_ADDRESS_MAX * 2);

	utf8_fold(&text, email, strlen(email));
	return text.status == MD_OK ? arena_strdup(a, buf_str(&text)) : NULL;
}

/* Somebody who is known and registers is led to their account. The link is not one by which the
 * password that came with the request would be set: it may be a stranger's. */
int account_ask(struct desk *d, struct db_conn *c, struct arena *a, const struct account_request *r,
		int64_t now_ms, struct md_err *err)
{
	struct account_mail m = {
		.desk = d, .c = c, .arena = a, .kind = r->kind, .now_ms = now_ms
	};
	int64_t n = 0;
	int rc = user_by_address(c, r->email, a, &m.to, err);

	if (rc != MD_OK && rc != MD_NOTFOUND)
		return rc;
	if (rc == MD_OK && m.to.disabled_at)
		return MD_OK;
	if (rc == MD_OK && r->kind == ACCOUNT_VERIFY)
		m.kind = ACCOUNT_RESET;
	if (rc == MD_NOTFOUND) {
		if (r->kind != ACCOUNT_VERIFY || !mail_address_valid(r->email))
			return MD_OK;
		m.to = (struct user){ .email = folded(a, r->email),
				      .name = r->name,
				      .locale = r->locale };
		m.password_hash = r->password_hash;
		if (!m.to.email)
			return out_of_memory(err);
	}
	rc = account_link_count(c, m.to.email, now_ms - HOUR_MS, &n, err);
	return rc != MD_OK || n >= MAILS_AN_HOUR ? rc : send_link(&m, err);
}

int account_invite(struct desk *d, struct db_conn *c, struct arena *a, const struct user *u,
		   int64_t now_ms, struct md_err *err)
{
	struct account_mail m = {
		.desk = d, .c = c, .arena = a, .kind = ACCOUNT_RESET, .to = *u, .now_ms = now_ms
	};

	return send_link(&m, err);
}

int account_end_all(struct db_conn *c, struct user *u, int64_t now_ms, struct md_err *err)
{
	int rc = session_end_user(c, u->id, now_ms, err);

	u->epoch++;
	return rc == MD_OK ? account_link_end_user(c, u->id, now_ms, err) : rc;
}
