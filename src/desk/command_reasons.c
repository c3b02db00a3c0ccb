/* What is said of commands, in the languages of letters. The sentences are written in English,
 * once, where something is refused: so they stand in decisions, in the log and in the API. Here
 * stands how each reads elsewhere; %1, %2 ... are what was filled in, %0 is a sentence of its own.
 * A test (test_lint.py) compares the rows with the sentences of the sources. */
#include <maildesk/base/mem.h>
#include <maildesk/desk/command_words.h>

#include <stdbool.h>
#include <string.h>

enum { LANGUAGES = 3, HOLES_MAX = 4, DEPTH_MAX = 3 };

static const char *const locales[LANGUAGES] = { "de", "es", "fr" };

/* Those that begin with a hole stand last: they fit more. */
static const struct reason {
	const char *en, *in[LANGUAGES];
} reasons[] = {
	/* who, and which ticket */
	{ "not allowed to you",
	  { "Das dürfen Sie nicht.", "No está autorizado a hacerlo.",
	    "Vous n’y êtes pas autorisé." } },
	{ "this mail does not prove well enough who sent it",
	  { "Diese E-Mail belegt nicht sicher genug, von wem sie kommt.",
	    "Este correo no demuestra con suficiente seguridad quién lo envió.",
	    "Cet e-mail ne prouve pas assez sûrement qui l’a envoyé." } },
	{ "no such ticket",
	  { "Ein solches Ticket gibt es nicht.", "No existe ese ticket.",
	    "Ce ticket n’existe pas." } },
	{ "there is no ticket #%1",
	  { "Ein Ticket #%1 gibt es nicht.", "No existe el ticket #%1.",
	    "Le ticket #%1 n’existe pas." } },
	{ "for which ticket? put [#N] into the subject",
	  { "Für welches Ticket? Schreiben Sie [#N] in den Betreff.",
	    "¿Para qué ticket? Escriba [#N] en el asunto.",
	    "Pour quel ticket ? Écrivez [#N] dans l’objet." } },
	{ "which ticket? show #N",
	  { "Welches Ticket? show #N", "¿Qué ticket? show #N", "Quel ticket ? show #N" } },
	{ "this ticket is deleted; allowed: restore",
	  { "Dieses Ticket ist gelöscht; möglich ist: wiederherstellen.",
	    "Este ticket está eliminado; se puede: restaurarlo.",
	    "Ce ticket est supprimé ; possible : le restaurer." } },
	{ "this ticket was merged into #%1; allowed: unmerge",
	  { "Dieses Ticket ging in #%1 auf; möglich ist: unmerge",
	    "Este ticket se unió a #%1; se puede: unmerge",
	    "Ce ticket a été fusionné dans #%1 ; possible : unmerge" } },
	{ "this ticket was merged or deleted",
	  { "Dieses Ticket ging in einem anderen auf oder ist gelöscht.",
	    "Este ticket se unió a otro o está eliminado.",
	    "Ce ticket a été fusionné ou supprimé." } },
	{ "not done, because another was refused",
	  { "Nicht ausgeführt, weil ein anderer Befehl abgelehnt wurde.",
	    "No se hizo, porque se rechazó otro comando.",
	    "Pas exécutée, parce qu’une autre commande a été refusée." } },
	{ "too many changes in one step",
	  { "Zu viele Änderungen auf einmal.", "Demasiados cambios a la vez.",
	    "Trop de modifications à la fois." } },
	{ "the answer would be too long",
	  { "Die Antwort würde zu lang.", "La respuesta sería demasiado larga.",
	    "La réponse serait trop longue." } },
	/* status */
	{ "take it first, [take; resolve]: %0",
	  { "Übernehmen Sie es zuerst, [take; resolve]: %0",
	    "Asígneselo primero, [take; resolve]: %0",
	    "Prenez-le d’abord, [take; resolve] : %0" } },
	{ "no way from %1 to %2; allowed: nothing",
	  { "Von %1 führt kein Weg zu %2; möglich ist für Sie nichts.",
	    "No se pasa de %1 a %2; no puede cambiarlo.",
	    "On ne passe pas de %1 à %2 ; rien ne vous est possible." } },
	{ "no way from %1 to %2; allowed: %3",
	  { "Von %1 führt kein Weg zu %2; möglich ist: %3", "No se pasa de %1 a %2; se puede: %3",
	    "On ne passe pas de %1 à %2 ; possible : %3" } },
	{ "no status \"%1\"; there are: %2",
	  { "Einen Status „%1“ gibt es nicht; es gibt: %2", "No existe el estado «%1»; hay: %2",
	    "Le statut « %1 » n’existe pas ; il y a : %2" } },
	/* people */
	{ "assignee: only an active agent or admin can be assigned",
	  { "Zuständig kann nur sein, wer hier arbeitet und nicht gesperrt ist.",
	    "Solo se puede asignar a un agente o administrador activo.",
	    "Seul un agent ou administrateur actif peut être chargé du ticket." } },
	{ "no agent or team is called \"%1\"",
	  { "Niemand hier und kein Team heißt „%1“.", "Ningún agente ni equipo se llama «%1».",
	    "Aucun agent ni équipe ne s’appelle « %1 »." } },
	{ "there is no such team",
	  { "Ein solches Team gibt es nicht.", "No existe ese equipo.",
	    "Cette équipe n’existe pas." } },
	{ "requester: only an active user can be the requester",
	  { "Anfragen kann nur jemand, der nicht gesperrt ist.",
	    "El solicitante tiene que ser un usuario activo.",
	    "Le demandeur doit être un utilisateur actif." } },
	{ "a participant is cc or watcher",
	  { "Beteiligt ist man als cc oder watcher.", "Se participa como cc o watcher.",
	    "On participe comme cc ou watcher." } },
	{ "only an active user can take part",
	  { "Teilnehmen kann nur jemand, der nicht gesperrt ist.",
	    "Solo puede participar un usuario activo.",
	    "Seul un utilisateur actif peut participer." } },
	{ "they take no part in this ticket",
	  { "Diese Person ist an dem Ticket nicht beteiligt.",
	    "Esa persona no participa en este ticket.",
	    "Cette personne ne participe pas à ce ticket." } },
	{ "the requester stays; name another one first",
	  { "Wer angefragt hat, bleibt; benennen Sie zuerst jemand anderen.",
	    "El solicitante se queda; indique antes a otro.",
	    "Le demandeur reste ; indiquez-en d’abord un autre." } },
	{ "one address only",
	  { "Nur eine Adresse.", "Una sola dirección.", "Une seule adresse." } },
	/* fields */
	{ "no time that can be read",
	  { "Diese Zeitangabe ist nicht zu lesen.", "No se entiende esa fecha u hora.",
	    "Cette date ou heure est illisible." } },
	{ "a date lies between the years 1970 and 9999",
	  { "Ein Datum liegt zwischen den Jahren 1970 und 9999.",
	    "Una fecha está entre los años 1970 y 9999.",
	    "Une date se situe entre les années 1970 et 9999." } },
	{ "snoozed_until: a snooze ends in the future",
	  { "Zurückgestellt wird bis zu einem Zeitpunkt in der Zukunft.",
	    "Se aplaza hasta un momento futuro.", "On met de côté jusqu’à un moment futur." } },
	{ "snoozed_until: a ticket that is %1 needs no snooze; allowed: tickets in work",
	  { "Ein Ticket in %1 wird nicht zurückgestellt; möglich ist das bei Tickets in Arbeit.",
	    "Un ticket en %1 no se aplaza; se puede con los que están en curso.",
	    "Un ticket en %1 ne se met pas de côté ; possible : ceux en cours." } },
	{ "the time spent lies between nothing and 100 years",
	  { "Die aufgewendete Zeit liegt zwischen nichts und 100 Jahren.",
	    "El tiempo dedicado está entre nada y 100 años.",
	    "Le temps passé se situe entre rien et 100 ans." } },
	{ "a time is written like 15m, 1h30m or 2d",
	  { "Eine Dauer schreibt man wie 15m, 1h30m oder 2d.",
	    "Una duración se escribe como 15m, 1h30m o 2d.",
	    "Une durée s’écrit comme 15m, 1h30m ou 2d." } },
	{ "a time is written like 2027-03-01, 2027-03-01 14:00, tomorrow, friday, 3d or 4h",
	  { "Ein Zeitpunkt schreibt man wie 2027-03-01, 2027-03-01 14:00, tomorrow, friday, 3d "
	    "oder 4h.",
	    "Una fecha se escribe como 2027-03-01, 2027-03-01 14:00, tomorrow, friday, 3d o 4h.",
	    "Une date s’écrit comme 2027-03-01, 2027-03-01 14:00, tomorrow, friday, 3d ou 4h." } },
	{ "the priority is one of low, medium, high, critical",
	  { "Die Priorität ist eine von low, medium, high, critical.",
	    "La prioridad es una de low, medium, high, critical.",
	    "La priorité est low, medium, high ou critical." } },
	{ "a title has at least one character",
	  { "Ein Betreff hat mindestens ein Zeichen.", "Un asunto tiene al menos un carácter.",
	    "Un objet a au moins un caractère." } },
	{ "a title has at most 500 characters",
	  { "Ein Betreff hat höchstens 500 Zeichen.", "Un asunto tiene como máximo 500 caracteres.",
	    "Un objet a au plus 500 caractères." } },
	{ "tags: a tag is a word of 1 to %1 characters without commas",
	  { "Ein Schlagwort hat 1 bis %1 Zeichen und kein Komma.",
	    "Una etiqueta tiene de 1 a %1 caracteres, sin comas.",
	    "Une étiquette a de 1 à %1 caractères, sans virgule." } },
	{ "tags.%1: there is no tag of that name",
	  { "Ein solches Schlagwort gibt es nicht.", "No existe esa etiqueta.",
	    "Cette étiquette n’existe pas." } },
	{ "tags: a ticket has at most %1 tags",
	  { "Ein Ticket hat höchstens %1 Schlagworte.", "Un ticket tiene como máximo %1 etiquetas.",
	    "Un ticket a au plus %1 étiquettes." } },
	{ "a tag has a name: +NAME or -NAME",
	  { "Ein Schlagwort hat einen Namen: +NAME oder -NAME",
	    "Una etiqueta tiene un nombre: +NAME o -NAME",
	    "Une étiquette a un nom : +NAME ou -NAME" } },
	{ "a tag has at most 64 characters",
	  { "Ein Schlagwort hat höchstens 64 Zeichen.",
	    "Una etiqueta tiene como máximo 64 caracteres.",
	    "Une étiquette a au plus 64 caractères." } },
	{ "which tags? +NAME or -NAME",
	  { "Welche Schlagworte? +NAME oder -NAME", "¿Qué etiquetas? +NAME o -NAME",
	    "Quelles étiquettes ? +NAME ou -NAME" } },
	{ "a category has at most 64 characters",
	  { "Eine Kategorie hat höchstens 64 Zeichen.",
	    "Una categoría tiene como máximo 64 caracteres.",
	    "Une catégorie a au plus 64 caractères." } },
	{ "category: at most %1 characters",
	  { "Eine Kategorie hat höchstens %1 Zeichen.",
	    "Una categoría tiene como máximo %1 caracteres.",
	    "Une catégorie a au plus %1 caractères." } },
	{ "category: \"%1\" is none; allowed: %2",
	  { "Eine Kategorie „%1“ gibt es nicht; möglich ist: %2",
	    "No existe la categoría «%1»; se puede: %2",
	    "La catégorie « %1 » n’existe pas ; possible : %2" } },
	{ "no field \"%1\"; there are: none",
	  { "Ein Feld „%1“ gibt es nicht; es gibt keine Felder.",
	    "No existe el campo «%1»; no hay campos.",
	    "Le champ « %1 » n’existe pas ; il n’y a pas de champs." } },
	{ "no field \"%1\"; there are: %2",
	  { "Ein Feld „%1“ gibt es nicht; es gibt: %2", "No existe el campo «%1»; hay: %2",
	    "Le champ « %1 » n’existe pas ; il y a : %2" } },
	/* links, merging, splitting, deleting */
	{ "no link \"%1\"; allowed: relates, duplicates, blocks, parent",
	  { "Eine Verknüpfung „%1“ gibt es nicht; möglich ist: relates, duplicates, blocks, parent",
	    "No existe el enlace «%1»; se puede: relates, duplicates, blocks, parent",
	    "Le lien « %1 » n’existe pas ; possible : relates, duplicates, blocks, parent" } },
	{ "there is no link \"%1 #%2\"",
	  { "Eine Verknüpfung „%1 #%2“ gibt es nicht.", "No existe el enlace «%1 #%2».",
	    "Le lien « %1 #%2 » n’existe pas." } },
	{ "#%1 is linked so to this one already: %2",
	  { "#%1 ist mit diesem schon so verknüpft: %2", "#%1 ya está enlazado así con este: %2",
	    "#%1 est déjà lié ainsi à celui-ci : %2" } },
	{ "a ticket is not linked to itself",
	  { "Ein Ticket wird nicht mit sich selbst verknüpft.",
	    "Un ticket no se enlaza consigo mismo.", "Un ticket n’est pas lié à lui-même." } },
	{ "this ticket was merged",
	  { "Dieses Ticket ging in einem anderen auf.", "Este ticket se unió a otro.",
	    "Ce ticket a été fusionné." } },
	{ "a ticket is not merged into itself",
	  { "Ein Ticket geht nicht in sich selbst auf.", "Un ticket no se une a sí mismo.",
	    "Un ticket ne fusionne pas avec lui-même." } },
	{ "#%1 was merged into this ticket already",
	  { "#%1 ging schon in diesem Ticket auf.", "#%1 ya se unió a este ticket.",
	    "#%1 a déjà été fusionné dans ce ticket." } },
	{ "#%1 was merged itself; allowed: #%2",
	  { "#%1 ging selbst in einem anderen auf; möglich ist: #%2",
	    "#%1 se unió a su vez a otro; se puede: #%2",
	    "#%1 a lui-même été fusionné ; possible : #%2" } },
	{ "this ticket is not merged",
	  { "Dieses Ticket ging in keinem anderen auf.", "Este ticket no está unido a otro.",
	    "Ce ticket n’est pas fusionné." } },
	{ "#%1 was not merged into #%2",
	  { "#%1 ging nicht in #%2 auf.", "#%1 no se unió a #%2.",
	    "#%1 n’a pas été fusionné dans #%2." } },
	{ "the ticket it was merged into is deleted; allowed: restore",
	  { "Das Ticket, in dem es aufging, ist gelöscht; möglich ist: wiederherstellen.",
	    "El ticket al que se unió está eliminado; se puede: restaurarlo.",
	    "Le ticket dans lequel il a été fusionné est supprimé ; possible : le restaurer." } },
	{ "no such comment",
	  { "Einen solchen Kommentar gibt es nicht.", "No existe ese comentario.",
	    "Ce commentaire n’existe pas." } },
	{ "this ticket has no such comment",
	  { "Dieses Ticket hat keinen solchen Kommentar.", "Este ticket no tiene ese comentario.",
	    "Ce ticket n’a pas ce commentaire." } },
	{ "only a public comment can become a ticket",
	  { "Nur aus einem öffentlichen Kommentar kann ein Ticket werden.",
	    "Solo un comentario público puede convertirse en ticket.",
	    "Seul un commentaire public peut devenir un ticket." } },
	{ "the description stays; allowed: the comments after it",
	  { "Die Beschreibung bleibt; möglich sind die Kommentare danach.",
	    "La descripción se queda; se puede con los comentarios siguientes.",
	    "La description reste ; possible : les commentaires suivants." } },
	{ "this ticket is not deleted",
	  { "Dieses Ticket ist nicht gelöscht.", "Este ticket no está eliminado.",
	    "Ce ticket n’est pas supprimé." } },
	{ "only what a customer asked for can be spam",
	  { "Spam kann nur sein, was ein Kunde angefragt hat.",
	    "Solo puede ser spam lo que pidió un cliente.",
	    "Seule la demande d’un client peut être du spam." } },
	{ "there is nothing of yours to undo on this ticket within 24 hours",
	  { "Von Ihnen gibt es an diesem Ticket aus den letzten 24 Stunden nichts zurückzunehmen.",
	    "En las últimas 24 horas no hay nada suyo que deshacer en este ticket.",
	    "Rien de vous à annuler sur ce ticket depuis 24 heures." } },
	{ "what you did last is undone already",
	  { "Was Sie zuletzt getan haben, ist schon zurückgenommen.",
	    "Lo último que hizo ya está deshecho.", "Votre dernière action est déjà annulée." } },
	{ "\"%1\" is not taken back by undo",
	  { "„%1“ nimmt undo nicht zurück.", "undo no deshace «%1».",
	    "undo n’annule pas « %1 »." } },
	/* canned replies */
	{ "no canned reply is called \"%1\"",
	  { "Kein Textbaustein heißt „%1“.", "Ningún texto predefinido se llama «%1».",
	    "Aucune réponse type ne s’appelle « %1 »." } },
	{ "canned reply \"%1\": %0",
	  { "Textbaustein „%1“: %0", "Texto predefinido «%1»: %0", "Réponse type « %1 » : %0" } },
	/* how commands are written */
	{ "no such command",
	  { "Diesen Befehl gibt es nicht.", "No existe ese comando.",
	    "Cette commande n’existe pas." } },
	{ "there is no command \"%1\"",
	  { "Einen Befehl „%1“ gibt es nicht.", "No existe el comando «%1».",
	    "La commande « %1 » n’existe pas." } },
	{ "more than 50 commands in one mail",
	  { "Mehr als 50 Befehle in einer E-Mail.", "Más de 50 comandos en un correo.",
	    "Plus de 50 commandes dans un e-mail." } },
	{ "more than 50 tickets in one mail",
	  { "Mehr als 50 Tickets in einer E-Mail.", "Más de 50 tickets en un correo.",
	    "Plus de 50 tickets dans un e-mail." } },
	{ "one mail is one note or one reply",
	  { "Eine E-Mail ist eine Notiz oder eine Antwort, nicht beides.",
	    "Un correo es una nota o una respuesta, no ambas.",
	    "Un e-mail est une note ou une réponse, pas les deux." } },
	{ "there is no text for it",
	  { "Dafür steht kein Text da.", "No hay texto para ello.",
	    "Il n’y a pas de texte pour cela." } },
	{ "on comes first, before other commands",
	  { "on steht am Anfang, vor anderen Befehlen.", "on va primero, antes de otros comandos.",
	    "on vient en premier, avant les autres commandes." } },
	{ "the subject names the tickets already",
	  { "Der Betreff nennt die Tickets schon.", "El asunto ya indica los tickets.",
	    "L’objet indique déjà les tickets." } },
	{ "something is missing: %1",
	  { "Es fehlt etwas: %1", "Falta algo: %1", "Il manque quelque chose : %1" } },
	{ "\"%1\" is no mail address",
	  { "„%1“ ist keine E-Mail-Adresse.", "«%1» no es una dirección de correo.",
	    "« %1 » n’est pas une adresse e-mail." } },
	{ "numbers of tickets only: %1",
	  { "Nur Nummern von Tickets: %1", "Solo números de tickets: %1",
	    "Seulement des numéros de tickets : %1" } },
	{ "one number only", { "Nur eine Nummer.", "Un solo número.", "Un seul numéro." } },
	/* what was done */
	{ "to the team %1", { "an das Team %1", "al equipo %1", "à l’équipe %1" } },
	{ "to %1", { "an %1", "a %1", "à %1" } },
	{ "until %1", { "bis %1", "hasta %1", "jusqu’au %1" } },
	{ "made #%1", { "daraus wurde #%1", "se creó #%1", "créé : #%1" } },
	/* with something of the writer's in front */
	{ "\"%1\" could be %2: use the address",
	  { "„%1“ könnte %2 sein: Nehmen Sie die Adresse.", "«%1» podría ser %2: use la dirección.",
	    "« %1 » pourrait être %2 : utilisez l’adresse." } },
	{ "%1 to %2 is not for you; allowed: nothing",
	  { "Von %1 zu %2 dürfen Sie nicht; möglich ist für Sie nichts.",
	    "No puede pasarlo de %1 a %2, ni a otro estado.",
	    "Vous ne pouvez pas passer de %1 à %2, ni ailleurs." } },
	{ "%1 to %2 is not for you; allowed: %3",
	  { "Von %1 zu %2 dürfen Sie nicht; möglich ist: %3",
	    "No puede pasarlo de %1 a %2; se puede: %3",
	    "Vous ne pouvez pas passer de %1 à %2 ; possible : %3" } },
	{ "%1 to %2 needs an assignee; allowed: nothing",
	  { "Von %1 zu %2 geht es nur, wenn jemand zuständig ist.",
	    "De %1 a %2 solo se pasa si está asignado.",
	    "De %1 à %2, il faut que quelqu’un soit chargé du ticket." } },
	{ "%1 to %2 needs an assignee; allowed: %3",
	  { "Von %1 zu %2 geht es nur, wenn jemand zuständig ist; möglich ist: %3",
	    "De %1 a %2 solo se pasa si está asignado; se puede: %3",
	    "De %1 à %2, il faut que quelqu’un soit chargé du ticket ; possible : %3" } },
	{ "%1 is in the past",
	  { "%1 liegt in der Vergangenheit.", "%1 ya ha pasado.", "%1 est passé." } },
	{ "%1 is an address of this desk",
	  { "%1 ist eine Adresse dieses Helpdesks.", "%1 es una dirección de este servicio.",
	    "%1 est une adresse de ce service." } },
	{ "%1 takes no argument",
	  { "Hinter %1 steht nichts weiter.", "Detrás de %1 no va nada.", "Rien ne suit %1." } },
	{ "%1 is nothing for a canned reply",
	  { "%1 geht in einem Textbaustein nicht.", "%1 no vale en un texto predefinido.",
	    "%1 ne va pas dans une réponse type." } },
	{ "%1 was changed since: nothing is undone",
	  { "%1 wurde seitdem geändert: Nichts wird zurückgenommen.",
	    "%1 cambió desde entonces: no se deshace nada.",
	    "%1 a changé depuis : rien n’est annulé." } },
	{ "%1 is a number like 12 or -0.5",
	  { "%1 ist eine Zahl wie 12 oder -0.5.", "%1 es un número como 12 o -0.5.",
	    "%1 est un nombre comme 12 ou -0.5." } },
	{ "%1 is a date like 2026-12-31",
	  { "%1 ist ein Datum wie 2026-12-31.", "%1 es una fecha como 2026-12-31.",
	    "%1 est une date comme 2026-12-31." } },
	{ "%1 has at most %2 characters",
	  { "%1 hat höchstens %2 Zeichen.", "%1 tiene como máximo %2 caracteres.",
	    "%1 a au plus %2 caractères." } },
	{ "%1 is no \"%2\"; allowed: %3",
	  { "%1 kennt „%2“ nicht; möglich ist: %3", "%1 no admite «%2»; se puede: %3",
	    "%1 n’admet pas « %2 » ; possible : %3" } },
};

struct hole {
	const char *at;
	size_t n;
};

/* Does the text read like that? What stands in its holes; each ends where its right side begins. */
static bool fits(const char *pattern, const char *text, struct hole holes[HOLES_MAX])
{
	while (*pattern) {
		size_t n = strcspn(pattern, "%");
		const char *rest, *end;
		struct hole *h;

		if (strncmp(text, pattern, n) != 0)
			return false;
		text += n;
		pattern += n;
		if (!*pattern)
			break;
		h = &holes[pattern[1] - '0'];
		rest = pattern += 2;
		n = strcspn(rest, "%");
		end = n ? text : text + strlen(text);
		while (n && *end && (strncmp(end, rest, n) != 0 || (!rest[n] && end[n])))
			end++;
		if (end == text)
			return false;
		*h = (struct hole){ text, (size_t)(end - text) };
		text = end;
	}
	return *text == '\0';
}

static bool say(struct buf *out, const char *text, size_t language, int depth);

static void fill(struct buf *out, const struct reason *r, const struct hole holes[HOLES_MAX],
		 size_t language, int depth)
{
	const char *pattern = r->in[language];

	for (size_t n; pattern[n = strcspn(pattern, "%")]; pattern += n + 2) {
		const struct hole *h = &holes[pattern[n + 1] - '0'];

		buf_add(out, pattern, n);
		/* a sentence goes to the end of the text */
		if (h != holes || depth == 0 || !say(out, h->at, language, depth - 1))
			buf_add(out, h->at, h->n);
	}
	buf_adds(out, pattern);
}

static bool say(struct buf *out, const char *text, size_t language, int depth)
{
	struct hole holes[HOLES_MAX];
	const char *colon = strstr(text, ": ");

	for (size_t i = 0; i < MD_COUNT(reasons); i++)
		if (fits(reasons[i].en, text, holes)) {
			fill(out, &reasons[i], holes, language, depth);
			return true;
		}
	/* a line of a canned reply, and what is said of it */
	if (!colon || depth == 0)
		return false;
	buf_add(out, text, (size_t)(colon + 2 - text));
	if (!say(out, colon + 2, language, depth - 1))
		buf_adds(out, colon + 2);
	return true;
}

void command_reason(struct buf *out, const char *reason, const char *locale)
{
	size_t language = 0;

	while (language < LANGUAGES && strcmp(locales[language], locale) != 0)
		language++;
	if (language == LANGUAGES || !say(out, reason, language, DEPTH_MAX))
		buf_adds(out, reason);
}
