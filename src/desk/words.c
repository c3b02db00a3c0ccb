#include <maildesk/desk/words.h>

#include <maildesk/base/clock.h>
#include <maildesk/base/mem.h>
#include <stdbool.h>
#include <string.h>
#include <strings.h>

enum { TERMS_MAX = 7 };

struct term {
	const char *id, *text;
};
struct words {
	const char *locale, *no_subject, *reply_marker, *mute, *muted, *files, *megabyte,
		*too_large;
	struct term status[TERMS_MAX], metric[TERMS_MAX], action[TERMS_MAX];
	const char *weekday[7], *month[12]; /* from Sunday, from January */
	const char *date;  /* W, D, M, Y and T stand for weekday, day, month, year and time */
	const char *first; /* day of a month, where it is no mere number */
};

/* The marker goes into every mail, so each of these has words of trim_tables.c's "above this line"
 * in it; a test sees to that. */
static const struct words languages[] = {
	{ "en",
	  "(no subject)",
	  "##- Please type your reply above this line -##",
	  "Stop mails about this request",
	  "You will get no more mails about this request.",
	  "Too large for this mail; these links work for 30 days:",
	  "MB",
	  "This mail is larger than this desk takes in. It is still in the mailbox.",
	  { { "open", "open" },
	    { "pending", "waiting for your answer" },
	    { "in_progress", "in progress" },
	    { "resolved", "resolved" },
	    { "closed", "closed" },
	    { "reopened", "open again" } },
	  { { "first_response", "first response" },
	    { "next_response", "next response" },
	    { "update", "update" },
	    { "resolution", "resolution" } },
	  { { "take", "Take" },
	    { "start", "Start" },
	    { "pending", "Pending" },
	    { "resolve", "Resolve" },
	    { "close", "Close" },
	    { "reopen", "Reopen" },
	    { "note", "Note" } },
	  { "Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday" },
	  { "January", "February", "March", "April", "May", "June", "July", "August", "September",
	    "October", "November", "December" },
	  "W, D M Y, T",
	  NULL },
	{ "de",
	  "(kein Betreff)",
	  "##- Bitte antworten Sie oberhalb dieser Zeile -##",
	  "Keine E-Mails mehr zu dieser Anfrage",
	  "Sie erhalten keine E-Mails mehr zu dieser Anfrage.",
	  "Zu groß für diese E-Mail; diese Links gelten 30 Tage:",
	  "MB",
	  "Diese E-Mail ist größer, als dieser Helpdesk sie annimmt. Sie liegt noch im Postfach.",
	  { { "open", "offen" },
	    { "pending", "in Erwartung Ihrer Antwort" },
	    { "in_progress", "in Bearbeitung" },
	    { "resolved", "gelöst" },
	    { "closed", "geschlossen" },
	    { "reopened", "wieder offen" } },
	  { { "first_response", "erste Antwort" },
	    { "next_response", "nächste Antwort" },
	    { "update", "Zwischenstand" },
	    { "resolution", "Lösung" } },
	  { { "take", "Übernehmen" },
	    { "start", "Beginnen" },
	    { "pending", "Warten" },
	    { "resolve", "Lösen" },
	    { "close", "Schließen" },
	    { "reopen", "Wieder öffnen" },
	    { "note", "Notiz" } },
	  { "Sonntag", "Montag", "Dienstag", "Mittwoch", "Donnerstag", "Freitag", "Samstag" },
	  { "Januar", "Februar", "März", "April", "Mai", "Juni", "Juli", "August", "September",
	    "Oktober", "November", "Dezember" },
	  "W, D. M Y, T Uhr",
	  NULL },
	{ "es",
	  "(sin asunto)",
	  "##- Escriba su respuesta por encima de esta línea -##",
	  "No recibir más correos sobre esta solicitud",
	  "No recibirá más correos sobre esta solicitud.",
	  "Demasiado grande para este correo; estos enlaces valen 30 días:",
	  "MB",
	  "Este correo es más grande de lo que admite este servicio. Sigue en el buzón.",
	  { { "open", "abierta" },
	    { "pending", "a la espera de su respuesta" },
	    { "in_progress", "en curso" },
	    { "resolved", "resuelta" },
	    { "closed", "cerrada" },
	    { "reopened", "abierta de nuevo" } },
	  { { "first_response", "primera respuesta" },
	    { "next_response", "siguiente respuesta" },
	    { "update", "actualización" },
	    { "resolution", "resolución" } },
	  { { "take", "Asignarme" },
	    { "start", "Empezar" },
	    { "pending", "En espera" },
	    { "resolve", "Resolver" },
	    { "close", "Cerrar" },
	    { "reopen", "Reabrir" },
	    { "note", "Nota" } },
	  { "domingo", "lunes", "martes", "miércoles", "jueves", "viernes", "sábado" },
	  { "enero", "febrero", "marzo", "abril", "mayo", "junio", "julio", "agosto", "septiembre",
	    "octubre", "noviembre", "diciembre" },
	  "W, D de M de Y, T",
	  NULL },
	{ "fr",
	  "(sans objet)",
	  "##- Veuillez répondre au-dessus de cette ligne -##",
	  "Ne plus recevoir d’e-mails sur cette demande",
	  "Vous ne recevrez plus d’e-mails sur cette demande.",
	  "Trop volumineux pour cet e-mail ; ces liens sont valables 30 jours :",
	  "Mo",
	  "Cet e-mail est plus volumineux que ce service n’en accepte. Il est resté dans la boîte "
	  "aux lettres.",
	  { { "open", "ouverte" },
	    { "pending", "en attente de votre réponse" },
	    { "in_progress", "en cours de traitement" },
	    { "resolved", "résolue" },
	    { "closed", "clôturée" },
	    { "reopened", "de nouveau ouverte" } },
	  { { "first_response", "première réponse" },
	    { "next_response", "réponse suivante" },
	    { "update", "point d’étape" },
	    { "resolution", "résolution" } },
	  { { "take", "Prendre" },
	    { "start", "Commencer" },
	    { "pending", "En attente" },
	    { "resolve", "Résoudre" },
	    { "close", "Clôturer" },
	    { "reopen", "Rouvrir" },
	    { "note", "Note" } },
	  { "dimanche", "lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi" },
	  { "janvier", "février", "mars", "avril", "mai", "juin", "juillet", "août", "septembre",
	    "octobre", "novembre", "décembre" },
	  "W D M Y à T",
	  "1er" },
};

/* Of the languages written from the right that a desk is likely to meet. */
static const char *const from_the_right[] = { "ar",  "he", "iw", "fa", "ur", "ps",
					      "ckb", "dv", "ug", "yi", "sd" };

/* "de" of "de-AT": is it this language? */
static bool is_language(const char *locale, const char *language)
{
	size_t n = strcspn(locale, "-_.@");

	return n == strlen(language) && strncasecmp(locale, language, n) == 0;
}

const struct words *words_find(const char *locale)
{
	for (size_t i = 0; locale && i < MD_COUNT(languages); i++)
		if (is_language(locale, languages[i].locale))
			return &languages[i];
	return NULL;
}

const struct words *words_choose(const char *const *locales, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const struct words *w = words_find(locales[i]);

		if (w)
			return w;
	}
	return &languages[0];
}

const char *words_locale(const struct words *w)
{
	return w->locale;
}

const char *words_direction(const char *locale)
{
	for (size_t i = 0; i < MD_COUNT(from_the_right); i++)
		if (is_language(locale, from_the_right[i]))
			return "rtl";
	return "ltr";
}

const char *words_no_subject(const struct words *w)
{
	return w->no_subject;
}

const char *words_reply_marker(const struct words *w)
{
	return w->reply_marker;
}

const char *words_mute(const struct words *w)
{
	return w->mute;
}

static const char *term(const struct term *terms, const char *id)
{
	for (size_t i = 0; i < TERMS_MAX && terms[i].id; i++)
		if (strcmp(terms[i].id, id) == 0)
			return terms[i].text;
	return id;
}

const char *words_muted(const struct words *w)
{
	return w->muted;
}

const char *words_files(const struct words *w)
{
	return w->files;
}

const char *words_megabyte(const struct words *w)
{
	return w->megabyte;
}

const char *words_too_large(const struct words *w)
{
	return w->too_large;
}

const char *words_status(const struct words *w, const char *id)
{
	return term(w->status, id);
}

const char *words_metric(const struct words *w, const char *id)
{
	return term(w->metric, id);
}

const char *words_action(const struct words *w, const char *id)
{
	return term(w->action, id);
}

void words_date(const struct words *w, int64_t at_ms, int64_t offset_ms, const char *zone,
		struct buf *out)
{
	const int64_t day_ms = 86400000;
	int64_t local = at_ms + offset_ms, days = local / day_ms - (local % day_ms < 0), year;
	int minutes = (int)((local - days * day_ms) / 60000), month, day;

	civil_from_days(days, &year, &month, &day);
	for (const char *c = w->date; *c; c++)
		switch (*c) {
		case 'W':
			buf_adds(out, w->weekday[((days + 4) % 7 + 7) % 7]);
			break;
		case 'D':
			if (day == 1 && w->first)
				buf_adds(out, w->first);
			else
				buf_addf(out, "%d", day);
			break;
		case 'M':
			buf_adds(out, w->month[month - 1]);
			break;
		case 'Y':
			buf_addf(out, "%lld", (long long)year);
			break;
		case 'T':
			buf_addf(out, "%02d:%02d", minutes / 60, minutes % 60);
			break;
		default:
			buf_addc(out, *c);
		}
	buf_addf(out, " (%s)", zone);
}
