/* Two things must stand near each other: a word out of a short table, and a code or a link that
 * only its recipient should have. "Order 12345 was shipped" is none, nor is "Verify your order". */
#include <maildesk/desk/harvest.h>

#include <maildesk/base/buf.h>
#include <maildesk/base/err.h>
#include <maildesk/base/mem.h>
#include <maildesk/base/utf8.h>

#include <ctype.h>
#include <string.h>

enum { LOOK_MAX = 16 << 10, NEAR = 400, CODE_MIN = 4, CODE_MAX = 8, TOKEN_MIN = 16 };

/* Folded, as utf8_fold() leaves them. */
static const char *const words[] = {
	/* en */
	"verification",
	"verify your",
	"verify this",
	"confirm your",
	"confirmation code",
	"security code",
	"login code",
	"log-in code",
	"sign-in",
	"sign in",
	"signin",
	"one-time",
	"one time pass",
	"passcode",
	"access code",
	"authentication code",
	"activation",
	"activate your",
	"magic link",
	"reset your password",
	"password reset",
	"two-factor",
	"two-step",
	"your code is",
	"invited you to join",
	"join the workspace",
	/* de */
	"best\u00e4tigungscode",
	"best\u00e4tigen sie",
	"best\u00e4tige dein",
	"verifizier",
	"sicherheitscode",
	"anmeldecode",
	"einmalcode",
	"einmalpasswort",
	"zugangscode",
	"aktivierung",
	"passwort zur\u00fcck",
	"kennwort zur\u00fcck",
	"anmeldelink",
	"ihr code",
	"dein code",
	"registrierung abschlie",
	/* es */
	"c\u00f3digo de",
	"codigo de",
	"verifica tu",
	"verifique su",
	"confirma tu",
	"confirme su",
	"verificaci\u00f3n",
	"iniciar sesi\u00f3n",
	"inicio de sesi\u00f3n",
	"restablecer",
	"tu c\u00f3digo",
	"su c\u00f3digo",
	"activar su",
	"activa tu",
	/* fr */
	"code de v\u00e9rification",
	"code de s\u00e9curit\u00e9",
	"code de confirmation",
	"code de connexion",
	"v\u00e9rifiez votre",
	"confirmez votre",
	"votre code",
	"ton code",
	"se connecter",
	"connectez-vous",
	"mot de passe",
	"usage unique",
	"activer votre",
	"activez votre",
};

static bool has_word(const char *text, size_t at)
{
	size_t from = at > NEAR ? at - NEAR : 0, n = strlen(text + from);

	n = n < at - from + NEAR ? n : at - from + NEAR;
	for (size_t i = 0; i < MD_COUNT(words); i++)
		if (memmem(text + from, n, words[i], strlen(words[i])))
			return true;
	return false;
}

static bool is_word_char(char c)
{
	return isalnum((unsigned char)c) || (unsigned char)c >= 0x80;
}

/* "123456", "123 456", "123-456", "G-123456": digits in one or two groups. */
static size_t code_length(const char *p)
{
	size_t n = 0, digits = 0, groups = 1;

	while (isdigit((unsigned char)p[n]) ||
	       (digits >= 3 && groups == 1 && (p[n] == ' ' || p[n] == '-') &&
		isdigit((unsigned char)p[n + 1]) && isdigit((unsigned char)p[n + 2]) &&
		isdigit((unsigned char)p[n + 3]))) {
		groups += !isdigit((unsigned char)p[n]);
		digits += isdigit((unsigned char)p[n]) != 0;
		n++;
	}
	return digits >= CODE_MIN && digits <= CODE_MAX && !is_word_char(p[n]) ? n : 0;
}

/* A link with something in it that nobody could guess. */
static bool is_token_link(const char *p)
{
	size_t run = 0, digits = 0;

	if (strncmp(p, "http://", 7) != 0 && strncmp(p, "https://", 8) != 0)
		return false;
	for (p += 7; *p && !isspace((unsigned char)*p) && !strchr("<>\")", *p); p++) {
		bool part = isalnum((unsigned char)*p) || *p == '_' || *p == '-';

		run = part ? run + 1 : 0;
		digits = part ? digits + (isdigit((unsigned char)*p) != 0) : 0;
		if (run >= TOKEN_MIN && digits >= 2)
			return true;
	}
	return false;
}

bool harvest_is_secret(const char *subject, const char *text)
{
	md_auto(buf_done) struct buf all = BUF_INIT(2 * LOOK_MAX);
	const char *p;

	if (subject)
		utf8_fold(&all, subject, strnlen(subject, LOOK_MAX / 4));
	buf_addc(&all, '\n');
	if (text)
		utf8_fold(&all, text, utf8_cut(text, strlen(text), LOOK_MAX));
	for (p = buf_str(&all); *p;) {
		size_t n = code_length(p);

		if ((n || is_token_link(p)) && has_word(buf_str(&all), (size_t)(p - buf_str(&all))))
			return true;
		/* on to the next word */
		if (is_word_char(*p) && strncmp(p, "http", 4) != 0)
			while (is_word_char(*p))
				p++;
		else
			p++;
	}
	return false;
}
