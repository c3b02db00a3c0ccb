/* The tables. A client's or a language's way of quoting is one row in one of them. Words are
 * compared without ASCII case; the rest of UTF-8 byte by byte. */
#include "trim_lines.h"

#include <maildesk/base/mem.h>
#include <maildesk/mail/trim.h>

#include <string.h>

/* "On DATE, NAME wrote:" - how such a line begins and the word it holds; it ends in a colon.
 * A line that begins otherwise counts when it holds the word and a date or an address. */
static const struct {
	const char *start, *verb;
} quote_headers[] = {
	{ "On ", "wrote" },
	{ "On ", "writes" },
	{ "At ", "wrote" },
	{ "In ", "wrote" },
	{ "in message", "wrote" },
	{ "Am ", "schrieb" },
	{ "Am ", "geschrieben" },
	{ "Le ", "écrit" },
	{ "El ", "escribió" },
	{ "El ", "escribio" },
	{ "El ", "ha escrit" },
	{ "Em ", "escreveu" },
	{ "A ", "escreveu" },
	{ "No dia ", "escreveu" },
	{ "Il ", "ha scritto" },
	{ "Il giorno ", "ha scritto" },
	{ "In data ", "ha scritto" },
	{ "Op ", "schreef" },
	{ "Op ", "geschreven" },
	{ "W dniu ", "napisał" },
	{ "Dnia ", "napisał" },
	{ "W dniu ", "pisze" },
	{ "Dnia ", "pisze" },
	{ "", "пишет" },
	{ "", "писал" },
	{ "", "написал" },
	{ "", "написав" },
	{ "Den ", "skrev" },
	{ "Den ", "följande" },
	{ "På ", "skrev" },
	{ "", "kirjoitti" },
	{ "", "napsal" },
	{ "", "napísal" },
	{ "", "írta" },
	{ "", "yazdı" },
	{ "", "a scris" },
	{ "Στις ", "έγραψε" },
	{ "Vào ", "đã viết" },
	{ "", "のメール" },
	{ "", "書きました" },
	{ "", "のメッセージ" },
	{ "", "작성" },
	{ "", "写道" },
	{ "", "寫道" },
	{ "", "写到" },
	{ "", "כתב" },
	{ "Quoting ", "Quoting" },
	{ "Zitat von ", "Zitat" },
	{ "Citando ", "Citando" },
	{ "Citando a ", "Citando" },
	{ "Quoting from ", "Quoting" },
};

/* "-----Original Message-----": words between dashes that say so. */
static const char *const originals[] = {
	"original message",
	"original appointment",
	"ursprüngliche nachricht",
	"originalnachricht",
	"message d'origine",
	"message d’origine",
	"message original",
	"mensaje original",
	"mensagem original",
	"messaggio originale",
	"oorspronkelijk bericht",
	"wiadomość oryginalna",
	"oryginalna wiadomość",
	"исходное сообщение",
	"Исходное сообщение",
	"原件",
	"원본 메일",
	"originalmeddelande",
	"ursprungligt meddelande",
	"原始邮件",
	"原始郵件",
	"元のメッセージ",
	"원본 메시지",
	"original-nachricht",
	"original mail",
	"reply message",
	"opprinnelig melding",
	"oprindelig meddelelse",
	"alkuperäinen viesti",
	"původní zpráva",
	"eredeti üzenet",
	"original e-mail",
};

/* "Please reply above this line" of other desks and forums. */
static const char *const above_lines[] = {
	"above this line",
	"oberhalb dieser zeile",
	"über dieser zeile",
	"au-dessus de cette ligne",
	"por encima de esta línea",
	"acima desta linha",
	"sopra questa riga",
	"sopra questa linea",
	"boven deze regel",
	"powyżej tej linii",
	"выше этой",
	"ovanför denna rad",
	"ovanför den här raden",
	"この行より上",
	"이 줄 위",
	"此行上方",
	"在此行以上",
	"在此行之上",
};

/* Passing on a mail; the same between dashes, or at the start of a line with a colon at the end. */
static const char *const forwards[] = {
	"forwarded message",
	"begin forwarded message",
	"weitergeleitete nachricht",
	"weitergeleiteten nachricht",
	"message transféré",
	"début du message réexpédié",
	"début du message transféré",
	"mensaje reenviado",
	"mensagem encaminhada",
	"messaggio inoltrato",
	"inizio messaggio inoltrato",
	"doorgestuurd bericht",
	"begin doorgestuurd bericht",
	"wiadomość przekazana",
	"przekazana wiadomość",
	"пересылаемое сообщение",
	"пересланное сообщение",
	"vidarebefordrat meddelande",
	"转发的邮件",
	"转发邮件",
	"轉寄郵件",
	"転送メッセージ",
	"転送されたメッセージ",
	"전달된 메시지",
	"forwarded by",
};

/* Labels of a block of old headers, by what they stand for. */
enum label { LABEL_FROM = 1, LABEL_SENT = 2, LABEL_TO = 4, LABEL_SUBJECT = 8, LABEL_CC = 16 };
static const struct {
	const char *text;
	enum label label;
} labels[] = {
	{ "From", LABEL_FROM },
	{ "Sent", LABEL_SENT },
	{ "Date", LABEL_SENT },
	{ "To", LABEL_TO },
	{ "Cc", LABEL_CC },
	{ "Subject", LABEL_SUBJECT },
	{ "Reply-To", LABEL_CC },
	{ "Sent by", LABEL_FROM },
	{ "Von", LABEL_FROM },
	{ "Gesendet", LABEL_SENT },
	{ "Datum", LABEL_SENT },
	{ "An", LABEL_TO },
	{ "Kopie", LABEL_CC },
	{ "Betreff", LABEL_SUBJECT },
	{ "Gesendet am", LABEL_SENT },
	{ "De", LABEL_FROM },
	{ "Envoyé", LABEL_SENT },
	{ "À", LABEL_TO },
	{ "Objet", LABEL_SUBJECT },
	{ "Date d'envoi", LABEL_SENT },
	{ "Enviado", LABEL_SENT },
	{ "Enviado el", LABEL_SENT },
	{ "Fecha", LABEL_SENT },
	{ "Para", LABEL_TO },
	{ "Asunto", LABEL_SUBJECT },
	{ "Enviada em", LABEL_SENT },
	{ "Enviado em", LABEL_SENT },
	{ "Data", LABEL_SENT },
	{ "Assunto", LABEL_SUBJECT },
	{ "Da", LABEL_FROM },
	{ "Inviato", LABEL_SENT },
	{ "A", LABEL_TO },
	{ "Oggetto", LABEL_SUBJECT },
	{ "Van", LABEL_FROM },
	{ "Verzonden", LABEL_SENT },
	{ "Aan", LABEL_TO },
	{ "Onderwerp", LABEL_SUBJECT },
	{ "Od", LABEL_FROM },
	{ "Wysłano", LABEL_SENT },
	{ "Do", LABEL_TO },
	{ "Temat", LABEL_SUBJECT },
	{ "От", LABEL_FROM },
	{ "Отправлено", LABEL_SENT },
	{ "Дата", LABEL_SENT },
	{ "Кому", LABEL_TO },
	{ "Тема", LABEL_SUBJECT },
	{ "Копия", LABEL_CC },
	{ "Från", LABEL_FROM },
	{ "Skickat", LABEL_SENT },
	{ "Till", LABEL_TO },
	{ "Ämne", LABEL_SUBJECT },
	{ "Fra", LABEL_FROM },
	{ "Sendt", LABEL_SENT },
	{ "Til", LABEL_TO },
	{ "Emne", LABEL_SUBJECT },
	{ "差出人", LABEL_FROM },
	{ "送信者", LABEL_FROM },
	{ "送信日時", LABEL_SENT },
	{ "日時", LABEL_SENT },
	{ "宛先", LABEL_TO },
	{ "件名", LABEL_SUBJECT },
	{ "发件人", LABEL_FROM },
	{ "发送时间", LABEL_SENT },
	{ "日期", LABEL_SENT },
	{ "收件人", LABEL_TO },
	{ "主题", LABEL_SUBJECT },
	{ "抄送", LABEL_CC },
	{ "寄件者", LABEL_FROM },
	{ "收件者", LABEL_TO },
	{ "主旨", LABEL_SUBJECT },
	{ "寄件日期", LABEL_SENT },
	{ "보낸 사람", LABEL_FROM },
	{ "보낸사람", LABEL_FROM },
	{ "보낸 날짜", LABEL_SENT },
	{ "날짜", LABEL_SENT },
	{ "받는 사람", LABEL_TO },
	{ "받는사람", LABEL_TO },
	{ "제목", LABEL_SUBJECT },
	{ "Lähettäjä", LABEL_FROM },
	{ "Lähetetty", LABEL_SENT },
	{ "Vastaanottaja", LABEL_TO },
	{ "Aihe", LABEL_SUBJECT },
	{ "Kimden", LABEL_FROM },
	{ "Tarih", LABEL_SENT },
	{ "Kime", LABEL_TO },
	{ "Konu", LABEL_SUBJECT },
	{ "Odesláno", LABEL_SENT },
	{ "Komu", LABEL_TO },
	{ "Předmět", LABEL_SUBJECT },
	{ "Feladó", LABEL_FROM },
	{ "Elküldve", LABEL_SENT },
	{ "Címzett", LABEL_TO },
	{ "Tárgy", LABEL_SUBJECT },
};

/* What devices and programs put under a mail. */
static const char *const devices[] = {
	"Sent from ",
	"Sent via ",
	"Sent using ",
	"Sent with ",
	"Sent by ",
	"Get Outlook for ",
	"Von meinem ",
	"Gesendet von ",
	"Gesendet mit ",
	"Von meinem iPhone",
	"Diese Nachricht wurde von mein",
	"Envoyé de ",
	"Envoyé depuis ",
	"Envoyé à partir d",
	"Enviado desde ",
	"Enviado de ",
	"Enviado do ",
	"Enviado con ",
	"Inviato da ",
	"Inviato dal ",
	"Verstuurd vanaf ",
	"Verzonden vanaf ",
	"Verzonden met ",
	"Wysłane z ",
	"Wysłano z ",
	"Отправлено с ",
	"Отправлено из ",
	"Skickat från ",
	"Sendt fra ",
	"Lähetetty ",
	"Odesláno z ",
	"iPhoneから送信",
	"iPadから送信",
	"から送信",
	"发自我的",
	"从我的",
	"從我的",
	"寄自我的",
	"來自我的",
	"나의 iPhone에서",
	"내 iPhone에서",
	"Outlook für ",
	"Télécharger Outlook",
	"Obtener Outlook",
	"Outlook for ",
	"Downloaden Outlook",
	"From my iPhone",
	"From my iPad",
	"From my Android",
	"From my mobile",
	"From my phone",
};

enum { HEADER_LINES = 6, HEADER_BYTES = 500 }; /* of one "On ... wrote:" */

/* "*From:*", "  From:" */
static struct span undressed(struct span line)
{
	line = span_trim(line);
	while (line.n && (*line.p == '*' || *line.p == '_' || *line.p == '|'))
		line = span_trim(span_from(line, 1));
	while (line.n && (line.p[line.n - 1] == '*' || line.p[line.n - 1] == '_'))
		line = span_trim_end(span_sub(line, 0, line.n - 1));
	return line;
}

/* Length of the colon s begins with (also a wide one, or "*:" and nbsp before it), or 0. */
static size_t colon_at(struct span s)
{
	size_t i = 0;

	while (i < s.n && (s.p[i] == ' ' || s.p[i] == '*'))
		i++;
	if (span_starts(span_from(s, i), "\xc2\xa0"))
		i += 2;
	if (i < s.n && s.p[i] == ':')
		return i + 1;
	return span_starts(span_from(s, i), "\xef\xbc\x9a") ? i + 3 : 0;
}

static unsigned label_of(struct span line)
{
	struct span near;

	line = undressed(line);
	near = span_sub(line, 0, 40);
	if (span_chr(near, ':') == near.n && !span_has(near, "\xef\xbc\x9a"))
		return 0;
	for (size_t i = 0; i < MD_COUNT(labels); i++)
		if (span_starts(line, labels[i].text) &&
		    colon_at(span_from(line, strlen(labels[i].text))))
			return labels[i].label;
	return 0;
}

/* Three kinds of labels in the next lines, who or when among them: the head of an old mail. */
static bool block_begins(const struct trim_lines *l, size_t at)
{
	unsigned seen = label_of(l->v[at].text), lines = 0;

	if (!(seen & (LABEL_FROM | LABEL_SENT | LABEL_SUBJECT)))
		return false;
	for (size_t i = at + 1; i < l->n && lines < 7; i++) {
		if (span_trim(l->v[i].text).n == 0)
			continue;
		lines++;
		seen |= label_of(l->v[i].text);
	}
	return (seen & LABEL_FROM) && __builtin_popcount(seen) >= 3;
}

static bool ends_in_colon(struct span s)
{
	s = span_trim_end(s);
	while (s.n && (s.p[s.n - 1] == '*' || s.p[s.n - 1] == '>' || s.p[s.n - 1] == '_'))
		s = span_trim_end(span_sub(s, 0, s.n - 1));
	return span_ends(s, ":") || span_ends(s, "\xef\xbc\x9a");
}

static bool has_digit(struct span s)
{
	for (size_t i = 0; i < s.n; i++)
		if (ascii_digit(s.p[i]))
			return true;
	return false;
}

static bool has_time(struct span s)
{
	for (size_t i = 1; i + 2 < s.n; i++)
		if (s.p[i] == ':' && ascii_digit(s.p[i - 1]) && ascii_digit(s.p[i + 1]) &&
		    ascii_digit(s.p[i + 2]))
			return true;
	return false;
}

static bool starts_header(struct span first)
{
	for (size_t i = 0; i < MD_COUNT(quote_headers); i++)
		if (*quote_headers[i].start && span_starts(first, quote_headers[i].start))
			return true;
	return false;
}

/* Whether the joined lines, which end in a colon, say who wrote when. */
static bool is_header(struct span all, bool one_line)
{
	bool dated = has_digit(all), addressed = span_chr(all, '@') < all.n;

	/* "2026年11月20日 10:00 Name <user@host>:" says it without a verb. */
	if (addressed && has_time(all) && span_chr(all, '<') < all.n)
		return true;
	for (size_t i = 0; (dated || addressed) && i < MD_COUNT(quote_headers); i++)
		if (span_has(all, quote_headers[i].verb) &&
		    (!*quote_headers[i].start || span_starts(all, quote_headers[i].start) ||
		     addressed || one_line))
			return true;
	return false;
}

/* How many lines from `at` on are one "On ... wrote:", or 0. Clients break it anywhere, some with
 * an empty line in between; then its first line must have a date. */
static size_t quote_header(const struct trim_lines *l, size_t at)
{
	struct span first = undressed(l->v[at].text), all = first;
	bool begins = starts_header(first), dated = has_digit(first);

	for (size_t n = 1; n <= HEADER_LINES && at + n <= l->n; n++) {
		struct span last = l->v[at + n - 1].text;

		/* A line that begins like none goes on in one more line only, and says when. */
		if (n > 1 && !begins &&
		    (n > 2 || !dated || *last.p == '>' || starts_header(undressed(last))))
			return 0;
		all.n = (size_t)(last.p + last.n - all.p);
		if (all.n > HEADER_BYTES)
			return 0;
		if (span_trim(last).n == 0 && !(begins && dated && n < HEADER_LINES))
			return 0;
		if (ends_in_colon(all) && span_trim(last).n)
			return is_header(all, n == 1) ? n : 0;
		if (n > 1 && *last.p == '>')
			return 0;
	}
	return 0;
}

/* "2026/11/20 Name <user@host>": nothing but a date and an address. */
static bool is_date_and_address(struct span line)
{
	return line.n > 12 && ascii_digit(line.p[0]) && ascii_digit(line.p[3]) &&
	       (line.p[4] == '/' || line.p[4] == '-') && span_ends(line, ">") &&
	       span_chr(line, '@') < line.n;
}

/* "Name via Forum wrote:": a colon and a word for writing. */
static bool says_wrote(struct span line)
{
	if (!ends_in_colon(line))
		return false;
	for (size_t i = 0; i < MD_COUNT(quote_headers); i++)
		if (span_has(line, quote_headers[i].verb))
			return true;
	return false;
}

/* The line right above a quote needs less to be its header. */
static bool heads_quote(const struct trim_lines *l, size_t at)
{
	struct span line = span_trim(l->v[at].text);
	size_t next = at + 1;

	if (line.n > 200)
		return false;
	if (is_date_and_address(line))
		return true;
	while (next < l->n && next < at + 3 && l->v[next].class == TRIM_EMPTY)
		next++;
	if (next == l->n || l->v[next].class != TRIM_QUOTE)
		return false;
	return says_wrote(line) ||
	       (ascii_digit(*line.p) && span_ends(line, ">") && span_chr(line, '@') < line.n);
}

/* A rule with "From:" below it, or with the name of a mailing list. */
static bool rule_ends_mail(const struct trim_lines *l, size_t at)
{
	size_t next = at + 1;

	while (next < l->n && next < at + 3 && l->v[next].class == TRIM_EMPTY)
		next++;
	return next < l->n && (label_of(l->v[next].text) == LABEL_FROM ||
			       span_ends(span_trim_end(l->v[next].text), "mailing list"));
}

/* "-Anna": a dash right before a name, alone behind an empty line. */
static bool is_dash_name(const struct trim_lines *l, size_t at)
{
	struct span line = span_trim_end(l->v[at].text);
	size_t words = 1;

	if (at < 2 || l->v[at - 1].class != TRIM_EMPTY || line.n < 3 || line.n > 40 ||
	    *line.p != '-' || line.p[1] < 'A' || line.p[1] > 'Z')
		return false;
	for (size_t i = 1; i < line.n; i++) {
		if (!ascii_alnum(line.p[i]) && line.p[i] != ' ' && line.p[i] != '.' &&
		    (unsigned char)line.p[i] < 0x80)
			return false;
		words += line.p[i] == ' ';
	}
	return words <= 3 && (at + 1 == l->n || l->v[at + 1].class == TRIM_EMPTY);
}

static bool between_dashes(struct span line)
{
	line = undressed(line);
	return line.n > 8 && (span_starts(line, "--") || span_starts(line, "__") ||
			      span_starts(line, "==") || span_starts(line, "##"));
}

bool trim_line_is_forward(struct span line)
{
	line = span_trim(line);
	if (line.n > 120 || !(between_dashes(line) || ends_in_colon(line)))
		return false;
	return span_has_any(line, forwards, MD_COUNT(forwards));
}

/* Long marks that stand for dashes, and Mailbird's sign. */
static const char *const wide_marks[] = { "\xe2\x80\x94", "\xe2\x80\x93", "\xe2\x80\x95",
					  "\xe1\x90\xa7" };

static bool is_rule(struct span line)
{
	size_t marks = 0, step;

	for (size_t i = 0; i < line.n; i += step) {
		step = 1;
		for (size_t k = 0; k < MD_COUNT(wide_marks); k++)
			if (span_starts(span_from(line, i), wide_marks[k]))
				step = 3;
		if (step == 3 || (strchr("-_=*#~+", line.p[i]) && line.p[i]))
			marks += step > 1 ? 2 : 1;
		else if (!ascii_space(line.p[i]))
			return false;
	}
	return marks > 1;
}

/* A sentence that merely begins like one goes on behind a comma. */
static bool is_device(struct span line)
{
	line = undressed(line);
	if (line.n > 100 || (span_chr(line, ',') < line.n && !span_has(line, "excuse") &&
			     !span_has(line, "typo") && !span_has(line, "brevity")))
		return false;
	for (size_t i = 0; i < MD_COUNT(devices); i++)
		if (span_starts(line, devices[i]))
			return true;
	return span_ends(line, "から送信");
}

/* "---- On DATE, NAME wrote ----" */
static bool is_dashed_header(struct span line)
{
	struct span inner = line;

	while (inner.n && (*inner.p == '-' || *inner.p == ' '))
		inner = span_from(inner, 1);
	while (inner.n && (inner.p[inner.n - 1] == '-' || inner.p[inner.n - 1] == ' '))
		inner.n--;
	if (inner.n + 6 > line.n || inner.n > HEADER_BYTES)
		return false;
	for (size_t i = 0; i < MD_COUNT(quote_headers); i++)
		if (*quote_headers[i].start && span_starts(inner, quote_headers[i].start) &&
		    span_ends(inner, quote_headers[i].verb))
			return true;
	return false;
}

static enum trim_class simple_class(struct span line)
{
	struct span bare = span_trim(line);

	if (bare.n == 0)
		return TRIM_EMPTY;
	if (bare.n < 200 && span_has_any(bare, above_lines, MD_COUNT(above_lines)))
		return TRIM_MARKER;
	if (*bare.p == '>')
		return TRIM_QUOTE;
	if (bare.n == 2 && bare.p[0] == '-' && bare.p[1] == '-')
		return TRIM_SIGNATURE;
	if (is_rule(bare))
		return TRIM_RULE;
	if (bare.n <= 120 && between_dashes(bare) &&
	    span_has_any(bare, originals, MD_COUNT(originals)))
		return TRIM_OLD;
	if (trim_line_is_forward(bare) || is_dashed_header(bare))
		return TRIM_OLD;
	return is_device(bare) ? TRIM_DEVICE : TRIM_TEXT;
}

/* What only the neighbours tell. */
static void refine(struct trim_lines *l, size_t at)
{
	struct trim_line *line = &l->v[at];
	size_t lines;

	if (line->class == TRIM_RULE && rule_ends_mail(l, at))
		line->class = TRIM_OLD;
	if (line->class != TRIM_TEXT)
		return;
	if (block_begins(l, at)) {
		line->class = TRIM_OLD;
	} else if (heads_quote(l, at)) {
		line->class = TRIM_HEADER;
	} else if (is_dash_name(l, at)) {
		line->class = TRIM_SIGNATURE;
	} else if (at && l->v[at - 1].class == TRIM_QUOTE &&
		   (span_starts(span_trim(line->text), "(http") ||
		    span_starts(span_trim(line->text), "<http"))) {
		line->class = TRIM_QUOTE; /* a link that was broken off its line */
	} else {
		for (lines = quote_header(l, at); lines > 0; lines--)
			l->v[at + lines - 1].class = TRIM_HEADER;
	}
}

bool trim_lines_read(struct arena *a, struct span text, struct trim_lines *ret)
{
	struct span rest = text, line;
	size_t n = 0;

	while (n < TRIM_LINES_MAX && span_line(&rest, &line))
		n++;
	*ret = (struct trim_lines){ .v = arena_array(a, n, sizeof *ret->v) };
	if (!ret->v)
		return false;
	for (rest = text; ret->n < n && span_line(&rest, &line); ret->n++) {
		ret->v[ret->n].text = line;
		ret->v[ret->n].class = simple_class(line);
	}
	for (size_t i = 0; i < n; i++)
		refine(ret, i);
	return true;
}
