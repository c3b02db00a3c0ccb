/* How mail programs head what they quote, language by language: above quoted lines and above old
 * text without any marks. */
#include "mail_test.h"

#include <maildesk/mail/trim.h>

static const char *const headers[] = {
	/* Gmail */
	"On Mon, Mar 5, 2018 at 10:12 AM Bob <b@x.example> wrote:",
	"Le lun. 5 mars 2018 à 10:12, Jean <j@x.example> a écrit :",
	"Am Mo., 5. März 2018 um 10:12 Uhr schrieb Max <m@x.example>:",
	"Il giorno lun 5 mar 2018 alle ore 10:12 Mario <m@x.example> ha scritto:",
	"El lun., 5 mar. 2018 a las 10:12, Juan (<j@x.example>) escribió:",
	"Em seg, 5 de mar de 2018 às 10:12, João <j@x.example> escreveu:",
	"João <j@x.example> escreveu (segunda, 5/03/2018 à(s) 10:12):",
	"Op ma 5 mrt. 2018 om 10:12 schreef Jan <j@x.example>:",
	"pon., 5 mar 2018 o 10:12 Jan <j@x.example> napisał(a):",
	"пн, 5 мар. 2018 г. в 10:12, Иван <i@x.example>:",
	"пн, 5 бер. 2018 о 10:12 Іван <i@x.example> пише:",
	"Den mån 5 mars 2018 kl 10:12 skrev Sven <s@x.example>:",
	"Den man. 5. mar. 2018 kl. 10.12 skrev Jens <j@x.example>:",
	"man. 5. mar. 2018 kl. 10:12 skrev Ola <o@x.example>:",
	"ma 5. maalisk. 2018 klo 10.12 Matti (m@x.example) kirjoitti:",
	"po 5. 3. 2018 v 10:12 odesílatel Jan <j@x.example> napsal:",
	"po 5. 3. 2018 o 10:12 Jan <j@x.example> napísal(a):",
	"János <j@x.example> ezt írta (időpont: 2018. márc. 5., H, 10:12):",
	"În lun., 5 mar. 2018 la 10:12, Ion <i@x.example> a scris:",
	"Ali <a@x.example>, 5 Mar 2018 Pzt, 10:12 tarihinde şunu yazdı:",
	"Στις Δευ, 5 Μαρ 2018 στις 10:12 π.μ., ο/η Γιώργος <g@x.example> έγραψε:",
	"בתאריך יום ב׳, 5 במרץ 2018 ב-10:12 מאת Dan <d@x.example>:",
	"في الاثنين، 5 مارس 2018 في 10:12 ص تمت كتابة ما يلي بواسطة علي <a@x.example>:",
	"2018年3月5日(月) 10:12 太郎 <t@x.example>:",
	"2018년 3월 5일 (월) 오전 10:12, 철수 <c@x.example>님이 작성:",
	"小明 <x@x.example> 于2018年3月5日周一 上午10:12写道：",
	"小明 <x@x.example> 於 2018年3月5日 週一 上午10:12寫道：",
	"Vào Th 2, 5 thg 3, 2018 vào lúc 10:12 Hùng <h@x.example> đã viết:",
	"ในวันที่ จ. 5 มี.ค. 2018 เวลา 10:12 สมชาย <s@x.example> เขียนว่า:",
	"Pada tanggal Sen, 5 Mar 2018 pukul 10.12 Budi <b@x.example> menulis:",
	"На пн, 5.03.2018 г. в 10:12 Иван <i@x.example> написа:",
	"Missatge de Joan <j@x.example> del dia dl., 5 de març 2018 a les 10:12:",
	"pon, 5. ožu 2018. u 10:12 Ivan <i@x.example> napisao je:",
	"V V pon., 5. mar. 2018 ob 10:12 je oseba Janez <j@x.example> napisala:",
	"2018-03-05, pr, 10:12 Jonas <j@x.example> rašė:",
	"pirmd., 2018. g. 5. marts, plkst. 10:12 — lietotājs Jānis (<j@x.example>) rakstīja:",
	"Kuupäev E, 5. märts 2018 kell 10:12 kirjutas Jaan <j@x.example>:",
	/* Apple Mail */
	"On 5 Mar 2018, at 10:12, Bob <b@x.example> wrote:",
	"Am 05.03.2018 um 10:12 schrieb Max <m@x.example>:",
	"Il giorno 5 mar 2018, alle ore 10:12, Mario <m@x.example> ha scritto:",
	"El 5 mar 2018, a las 10:12, Juan <j@x.example> escribió:",
	"No dia 05/03/2018, às 10:12, João <j@x.example> escreveu:",
	"Op 5 mrt. 2018, om 10:12 heeft Jan <j@x.example> het volgende geschreven:",
	"5 mars 2018 kl. 10:12 skrev Sven <s@x.example>:",
	"Matti <m@x.example> kirjoitti 5.3.2018 kello 10.12:",
	"Wiadomość napisana przez Jan <j@x.example> w dniu 05.03.2018, o godz. 10:12:",
	"5 марта 2018 г., в 10:12, Иван <i@x.example> написал(а):",
	"2018/03/05 10:12、太郎 <t@x.example>のメール:",
	"2018. 3. 5. 오전 10:12, 철수 <c@x.example> 작성:",
	"在 2018年3月5日，上午10:12，小明 <x@x.example> 写道：",
	"小明 <x@x.example> 於 2018年3月5日 上午10:12 寫道：",
	"5. 3. 2018 v 10:12, Jan <j@x.example>:",
	"Ali <a@x.example> şunları yazdı (5 Mar 2018 10:12):",
	"2018. márc. 5. dátummal, 10:12 időpontban János <j@x.example> írta:",
	/* Thunderbird */
	"On 05/03/2018 10:12, Bob wrote:",
	"Am 05.03.2018 um 10:12 schrieb Max:",
	"Le 05/03/2018 à 10:12, Jean a écrit :",
	"Il 05/03/2018 10:12, Mario ha scritto:",
	"El 05/03/2018 a las 10:12, Juan escribió:",
	"Em 05/03/2018 10:12, João escreveu:",
	"Às 10:12 de 05/03/2018, João escreveu:",
	"Op 05-03-18 om 10:12 schreef Jan:",
	"Den 2018-03-05 kl. 10:12, skrev Sven:",
	"Den 05.03.2018 10:12, skrev Ola:",
	"W dniu 05.03.2018 o 10:12, Jan pisze:",
	"05.03.2018 10:12, Иван пишет:",
	"Matti kirjoitti 5.3.2018 klo 10.12:",
	"Dne 05. 03. 18 v 10:12 Jan napsal(a):",
	"Dňa 5. 3. 2018 o 10:12 Jan napísal(a):",
	"2018. 03. 05. 10:12 keltezéssel, János írta:",
	"Ali 05.03.2018 10:12 tarihinde yazdı:",
	"2018-03-05 10:12에 철수 이(가) 쓴 글:",
	"在 2018/3/5 10:12, 小明 写道:",
	"小明 於 2018/3/5 10:12 寫道:",
	/* others */
	"---- On Mon, 05 Mar 2018 10:12:00 +0100 Bob <b@x.example> wrote ----",
	"Quoting Bob <b@x.example>:",
	"Zitat von Max <m@x.example>:",
	"\"Bob\" <b@x.example> wrote:",
	"Gesendet: Montag, 05. März 2018 um 10:12 Uhr\nVon: \"Max\" <m@x.example>\nAn: Anna\n"
	"Betreff: Drucker",
	"-----Original Message-----\nFrom: Bob",
	"-------- Original-Nachricht --------\nBetreff: x",
	"-------- Message d'origine --------\nDe : Jean",
	"------------------ 原始邮件 ------------------\n发件人: \"小明\"",
	"------------------ Original ------------------\nFrom: \"Bob\" <b@x.example>",
	"------ Original Message ------\nFrom: Bob",
	"----- Mensagem original -----\nDe: João",
	"----- Ursprungligt meddelande -----\nFrån: Sven",
	"-----Oprindelig meddelelse-----\nFra: Jens",
	"----- Mail original -----\nDe: \"Jean\" <j@x.example>\nÀ: \"Anna\"\n"
	"Envoyé: Lundi 5 Mars 2018 10:12:00\nObjet: Imprimante",
	"-------- Původní e-mail --------\nOd: Jan <j@x.example>\nDatum: 5. 3. 2018 10:12:00\n"
	"Předmět: Tiskárna",
	"\u202bבתאריך יום ג׳, 3 בנוב׳ 2026 ב-10:00 מאת \u202aDan\u202c\u200f <\u202ad@x.example"
	"\u202c\u200f>:\u202c",
	"في ٣ نوفمبر ٢٠٢٦، الساعة ١٠:٠٠ ص، كتب Ali <a@x.example>:",
	"Nov 3, 2026, 10:00 by bob@x.example:",
	">>> Bob <b@x.example> 11/3/2026 10:00 AM >>>",
	"Bob ---03.11.2026 10:00:00---Hello Anna, please\n\nFrom: Bob <b@x.example>\n"
	"To: a@x.example\nDate: 03.11.2026 10:00\nSubject: x",
	"---- 回复的原邮件 ----\n发件人\t小明<x@x.example>\n日期\t2026年11月03日 10:00",
	"-------- 원본 이메일 --------\n발신: 철수 <c@x.example>",
	/* Outlook's blocks */
	"From: Bob\nSent: Monday, March 5, 2018 10:12 AM\nTo: Anna\nSubject: Printer",
	"Von: Max\nGesendet: Montag, 5. März 2018 10:12\nAn: Anna\nCc: Eva\nBetreff: Drucker",
	"De : Jean\nEnvoyé : lundi 5 mars 2018 10:12\nÀ : Anna\nObjet : Imprimante",
	"De: Juan\nEnviado: lunes, 5 de marzo de 2018 10:12\nPara: Anna\nAsunto: Impresora",
	"Da: Mario\nInviato: lunedì 5 marzo 2018 10:12\nA: Anna\nOggetto: Stampante",
	"De: João\nEnviada em: segunda-feira\nPara: Anna\nAssunto: Impressora",
	"De: João\nEnviado: segunda-feira\nPara: Anna\nAssunto: Impressora",
	"Van: Jan\nVerzonden: maandag 5 maart 2018 10:12\nAan: Anna\nOnderwerp: Printer",
	"Od: Jan\nWysłano: poniedziałek, 5 marca 2018\nDo: Anna\nTemat: Drukarka",
	"От: Иван\nОтправлено: понедельник\nКому: Анна\nТема: Принтер",
	"Від: Іван\nНадіслано: понеділок\nКому: Анна\nТема: Принтер",
	"Från: Sven\nSkickat: den 5 mars 2018 10:12\nTill: Anna\nÄmne: Skrivare",
	"Fra: Jens\nSendt: 5. marts 2018 10:12\nTil: Anna\nEmne: Printer",
	"Lähettäjä: Matti\nLähetetty: maanantai\nVastaanottaja: Anna\nAihe: Tulostin",
	"Od: Jan\nOdesláno: pondělí\nKomu: Anna\nPředmět: Tiskárna",
	"Od: Jan\nOdoslané: pondelok\nKomu: Anna\nPredmet: Tlačiareň",
	"Feladó: János\nElküldve: hétfő\nCímzett: Anna\nTárgy: Nyomtató",
	"De la: Ion\nTrimis: luni\nCătre: Anna\nSubiect: Imprimantă",
	"Kimden: Ali\nGönderildi: Pazartesi\nKime: Anna\nKonu: Yazıcı",
	"Από: Γιώργος\nΣτάλθηκε: Δευτέρα\nΠρος: Άννα\nΘέμα: Εκτυπωτής",
	"差出人: 太郎\n送信日時: 2018年3月5日\n宛先: 花子\n件名: 印刷",
	"发件人: 小明\n发送时间: 2018年3月5日\n收件人: 小红\n主题: 打印机",
	"寄件者: 小明\n傳送時間: 2018年3月5日\n收件者: 小紅\n主旨: 印表機",
	"보낸 사람: 철수\n보낸 날짜: 2018년 3월 5일\n받는 사람: 영희\n제목: 프린터",
	"От: Иван\nИзпратено: понеделник\nДо: Анна\nОтносно: Принтер",
	"De: Joan\nEnviat el: dilluns\nPer a: Anna\nAssumpte: Impressora",
	"Từ: Hùng\nĐã gửi: Thứ Hai\nTới: Anna\nChủ đề: Máy in",
	"Dari: Budi\nDikirim: Senin\nKepada: Anna\nSubjek: Pencetak",
	"מאת: דן\nנשלח: יום שני\nאל: אנה\nנושא: מדפסת",
	"من: علي\nتم الإرسال: الاثنين\nإلى: آنا\nالموضوع: طابعة",
};

static const char *const shapes[] = { "new text\n\n%s\n> old", "new text\n\n%s\n\nold\nolder",
				      "new text\n\n%s\n\n> old\n>\n> older\n" };

static void cuts_above_each(void **state)
{
	int bad = 0;

	(void)state;
	for (size_t i = 0; i < MD_COUNT(headers); i++)
		for (size_t k = 0; k < MD_COUNT(shapes); k++) {
			md_auto(arena_done) struct arena a = ARENA_INIT(TEST_ARENA);
			struct span got;

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
			got = trim_reply(&a, span_of(arena_printf(&a, shapes[k], headers[i])));
#pragma GCC diagnostic pop
			if (span_is(got, "new text"))
				continue;
			print_error("shape %zu: %s\n", k, headers[i]);
			bad++;
		}
	assert_int_equal(bad, 0);
}

static const char *const devices[] = {
	"Sent from my iPhone",
	"Von meinem iPhone gesendet",
	"Von Samsung-Mobilgerät gesendet",
	"iPhone’umdan gönderildi",
	"Az iPhone-omról küldve",
	"나의 iPhone에서 보냄",
	"iPhoneから送信",
	"Надіслано з iPhone",
	"Trimis de pe iPhone-ul meu",
	"Στάλθηκε από το iPhone μου",
	"נשלח מה-iPhone שלי",
	"مرسل من الـ iPhone",
	"Hanki Outlook for iOS",
	"Pobierz program Outlook dla systemu iOS",
	"Stáhnout Outlook pro Android",
	"Android용 Outlook 다운로드",
};

static void cuts_what_devices_add(void **state)
{
	(void)state;
	for (size_t i = 0; i < MD_COUNT(devices); i++) {
		md_auto(arena_done) struct arena a = ARENA_INIT(TEST_ARENA);
		const char *text = arena_printf(&a, "new text\n\n%s\n", devices[i]);

		if (!span_is(trim_reply(&a, span_of(text)), "new text"))
			fail_msg("kept: %s", devices[i]);
	}
}

/* What a web form sends looks like the head of an old mail, but begins the conversation. */
static void leaves_forms_alone(void **state)
{
	static const char form[] = "Hello, a visitor wrote:\n\nName: Anna\nDate: 3.11.2026\n"
				   "Subject: broken\nFrom: Anna <a@x.example>\n\nPlease help";
	static const char outlook[] = "see below\n\nFrom: Anna <a@x.example>\nSent: Monday\n"
				      "To: Bob\nSubject: broken\n\nPlease help";
	static const char trip[] =
		"Booking:\nFrom: Berlin\nTo: Hamburg\nDate: 3.11.2026\n\nConfirm";
	struct trim_hints first = { .first = true };
	md_auto(arena_done) struct arena a = ARENA_INIT(TEST_ARENA);

	(void)state;
	assert_true(span_is(trim_reply_hinted(&a, span_of(form), &first), form));
	assert_true(span_is(trim_reply_hinted(&a, span_of(trip), &first), trip));
	assert_true(span_is(trim_reply_hinted(&a, span_of(outlook), &first), "see below"));
	assert_true(
		span_is(trim_reply(&a, span_of(form)), "Hello, a visitor wrote:\n\nName: Anna"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cuts_above_each),
		cmocka_unit_test(cuts_what_devices_add),
		cmocka_unit_test(leaves_forms_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
