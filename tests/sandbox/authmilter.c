/* The sandbox's stand-in for a real border: says in Authentication-Results what the login proves.
 *
 *	authmilter SOCKET AUTHSERV-ID
 *
 * Incoming Authentication-Results fields that carry our id are removed, from everybody. A mail sent
 * under a login then gets one field on top of all others: dmarc=pass when the one From address is
 * the login's own (or a sub-address of it), dmarc=fail otherwise. Mail without a login gets none.
 *
 * State lives for one message in a heap struct that libmilter keeps for us; libmilter runs each
 * connection in a thread of its own, so there are no globals but the id, written before it starts.
 */
#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <sysexits.h>

#include <libmilter/mfapi.h>

#define AR_FIELD "Authentication-Results"

struct message {
	char *login;         /* SASL name, NULL without a login */
	char *from;          /* value of the last From field */
	unsigned from_count; /* of From fields */
	int ar_count;        /* of Authentication-Results fields seen */
	int *forged;         /* positions among them (from 1) that carry our id */
	size_t forged_count;
};

static const char *authserv_id;

static void message_free(struct message *m)
{
	if (!m)
		return;
	free(m->login);
	free(m->from);
	free(m->forged);
	free(m);
}

/* Skips white space and comments (RFC 5322 3.2.2), nested ones too. */
static const char *skip_cfws(const char *p)
{
	int depth = 0;

	for (; *p; p++) {
		if (*p == '(')
			depth++;
		else if (*p == ')' && depth > 0)
			depth--;
		else if (depth > 0 && *p == '\\' && p[1])
			p++;
		else if (depth == 0 && !isspace((unsigned char)*p))
			break;
	}
	return p;
}

/* RFC 8601 2.2: [CFWS] authserv-id [CFWS version] ..., the id a token or a quoted string. */
static bool carries_our_id(const char *value)
{
	const char *p = skip_cfws(value);
	bool quoted = *p == '"';
	size_t len;

	if (quoted)
		p++;
	len = quoted ? strcspn(p, "\"") : strcspn(p, " \t\r\n;(");
	return len == strlen(authserv_id) && strncasecmp(p, authserv_id, len) == 0;
}

/* Copies the single address of a From value without its name; false when it is not exactly one. */
static bool single_address(const char *value, char *ret_address, size_t cap)
{
	bool in_angle = false, had_angle = false;
	size_t n = 0;

	for (const char *p = skip_cfws(value); *p; p = skip_cfws(p)) {
		if (*p == '"') { /* a name; a quoted local part matches no login */
			for (p++; *p && *p != '"'; p++)
				p += *p == '\\' && p[1];
			p += *p == '"';
		} else if (*p == '<' && !had_angle) {
			in_angle = had_angle = true;
			n = 0;
			p++;
		} else if (*p == '>' && in_angle) {
			in_angle = false;
			p++;
		} else if (strchr("<>,;:", *p)) {
			return false;
		} else {
			if (in_angle || !had_angle) {
				if (n + 1 >= cap)
					return false;
				ret_address[n++] = (char)tolower((unsigned char)*p);
			}
			p++;
		}
	}
	ret_address[n] = '\0';
	return !in_angle && n > 0 && strchr(ret_address, '@');
}

/* carol+x@customer.test belongs to the login carol@customer.test. */
static bool belongs_to(const char *address, const char *login)
{
	const char *at = strrchr(address, '@'), *login_at = strrchr(login, '@');
	size_t local, plus;

	if (!at || !login_at || strcasecmp(at, login_at) != 0)
		return false;
	local = (size_t)(at - address);
	plus = strcspn(address, "+");
	if (plus < local)
		local = plus;
	return local == (size_t)(login_at - login) && strncasecmp(address, login, local) == 0;
}

static sfsistat on_mail_from(SMFICTX *ctx, char **argv)
{
	struct message *m = calloc(1, sizeof(*m));
	const char *login = smfi_getsymval(ctx, (char[]){ "{auth_authen}" });

	(void)argv;
	message_free(smfi_getpriv(ctx));
	smfi_setpriv(ctx, m);
	if (!m || (login && *login && !(m->login = strdup(login))))
		return SMFIS_TEMPFAIL;
	return SMFIS_CONTINUE;
}

static sfsistat on_header(SMFICTX *ctx, char *name, char *value)
{
	struct message *m = smfi_getpriv(ctx);
	size_t len = strlen(name);

	while (len > 0 && isspace((unsigned char)name[len - 1]))
		len--;
	if (len == strlen("From") && strncasecmp(name, "From", len) == 0) {
		free(m->from);
		m->from_count++;
		if (!(m->from = strdup(value)))
			return SMFIS_TEMPFAIL;
	} else if (len == strlen(AR_FIELD) && strncasecmp(name, AR_FIELD, len) == 0) {
		m->ar_count++;
		if (carries_our_id(value)) {
			int *grown = realloc(m->forged, (m->forged_count + 1) * sizeof(*grown));

			if (!grown)
				return SMFIS_TEMPFAIL;
			m->forged = grown;
			m->forged[m->forged_count++] = m->ar_count;
		}
	}
	return SMFIS_CONTINUE;
}

static int add_result(SMFICTX *ctx, const struct message *m)
{
	char address[320] = "", field[512];
	bool one = m->from_count == 1 && single_address(m->from, address, sizeof(address));
	const char *at = one ? strrchr(address, '@') : NULL;

	snprintf(field, sizeof(field), "%s; dmarc=%s%s%s", authserv_id,
		 one && belongs_to(address, m->login) ? "pass" : "fail", at ? " header.from=" : "",
		 at ? at + 1 : "");
	return smfi_insheader(ctx, 0, (char[]){ AR_FIELD }, field);
}

static sfsistat on_end_of_message(SMFICTX *ctx)
{
	struct message *m = smfi_getpriv(ctx);

	for (size_t i = m->forged_count; i > 0; i--)
		if (smfi_chgheader(ctx, (char[]){ AR_FIELD }, m->forged[i - 1], NULL) != MI_SUCCESS)
			return SMFIS_TEMPFAIL;
	if (m->login && add_result(ctx, m) != MI_SUCCESS)
		return SMFIS_TEMPFAIL;
	return SMFIS_CONTINUE;
}

static sfsistat on_close(SMFICTX *ctx)
{
	message_free(smfi_getpriv(ctx));
	smfi_setpriv(ctx, NULL);
	return SMFIS_CONTINUE;
}

int main(int argc, char **argv)
{
	struct smfiDesc filter = {
		.xxfi_name = (char[]){ "authmilter" },
		.xxfi_version = SMFI_VERSION,
		.xxfi_flags = SMFIF_ADDHDRS | SMFIF_CHGHDRS,
		.xxfi_envfrom = on_mail_from,
		.xxfi_header = on_header,
		.xxfi_eom = on_end_of_message,
		.xxfi_close = on_close,
	};

	if (argc != 3) {
		fputs("usage: authmilter SOCKET AUTHSERV-ID\n", stderr);
		return EX_USAGE;
	}
	authserv_id = argv[2];
	umask(0); /* Postfix's smtpd, another user, must be able to connect */
	if (smfi_setconn(argv[1]) != MI_SUCCESS || smfi_register(filter) != MI_SUCCESS) {
		fprintf(stderr, "authmilter: cannot listen at %s\n", argv[1]);
		return EX_UNAVAILABLE;
	}
	return smfi_main() == MI_SUCCESS ? EX_OK : EX_UNAVAILABLE;
}
