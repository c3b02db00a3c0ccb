/* A mail we write is read as it was meant, whatever the words in it: no value leaves its place. The
 * input is SUBJECT NUL NAME NUL ADDRESS NUL FILENAME NUL TEXT. */
#include "fuzz.h"

#include <maildesk/mail/compose.h>

static const char *clean_line(struct arena *a, struct span s)
{
	md_auto(buf_done) struct buf b = BUF_INIT(FUZZ_ARENA_MAX);

	utf8_clean_line(&b, s.p, s.n);
	return arena_strdup(a, buf_str(&b));
}

static const char *clean_text(struct arena *a, struct span s)
{
	md_auto(buf_done) struct buf b = BUF_INIT(FUZZ_ARENA_MAX);

	utf8_clean_text(&b, s.p, s.n);
	return arena_strdup(a, buf_str(&b));
}

/* CRLF only, lines of at most 998 octets. */
static void check_wire(struct span s)
{
	struct span line;

	check(s.n && s.p[s.n - 1] == '\n');
	for (size_t i = 0; i < s.n; i++)
		check((s.p[i] == '\n') == (i > 0 && s.p[i - 1] == '\r'));
	while (span_line(&s, &line)) {
		check(line.n <= 998 && memchr(line.p, '\0', line.n) == NULL);
		check(!span_is(line, "."));
	}
}

static void check_back(const struct compose_mail *mail, const struct message *m)
{
	const struct mail_address *from = m->from.v, *to = m->to.v;

	check(!m->defects.n);
	check(m->from.n == 1 && m->to.n == 1 && m->cc.n == 0 && m->reply_to.n == 0);
	check(strcmp(from->address, mail->from.address) == 0);
	/* The dot that ends a full domain name is not kept. */
	check(strncasecmp(to->address, mail->to.address, strlen(to->address)) == 0);
	check(mail->to.address[strlen(to->address)] == '\0' ||
	      strcmp(mail->to.address + strlen(to->address), ".") == 0);
	check(strcmp(m->message_id, mail->message_id) == 0);
	check(strcmp(m->subject ? m->subject : "", mail->subject) == 0);
	check(m->attachments.n == 1 && ((struct attachment *)m->attachments.v)->size == 3);
	check(!strstr(m->text, "injected: yes") == !strstr(mail->text, "injected: yes"));
}

/* A title has 500 characters; a field that is very long is not read to its end. */
enum { SUBJECT_MAX = 20000 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	md_auto(arena_done) struct arena a = ARENA_INIT(FUZZ_ARENA_MAX);
	md_auto(buf_done) struct buf out = BUF_INIT(FUZZ_ARENA_MAX);
	struct span rest = { (const char *)data, n },
		    subject = span_sub(take_part(&rest), 0, SUBJECT_MAX), name = take_part(&rest),
		    address = take_part(&rest), file = take_part(&rest);
	static const struct compose_header headers[] = { { "Auto-Submitted", "auto-generated" } };
	struct compose_part part = { "application/pdf", clean_line(&a, file), NULL, "pdf", 3 };
	struct compose_mail mail = {
		.from = { clean_line(&a, name), "support@desk.example" },
		.to = { clean_line(&a, name), arena_strndup(&a, address.p, address.n) },
		.subject = clean_line(&a, subject),
		.message_id = "1@desk.example",
		.text = clean_text(&a, rest),
		.headers = headers,
		.header_count = 1,
		.parts = &part,
		.part_count = 1,
	};
	struct random random = random_seeded(1);
	struct message m;
	int rc = compose_write(&mail, &random, &out, NULL);

	check(rc == MD_OK || (rc == MD_INPUT && !mail_address_valid(mail.to.address)));
	if (rc != MD_OK)
		return 0;
	check_wire((struct span){ out.data, out.len });
	message_read_prepare();
	check(message_read((const uint8_t *)out.data, out.len, &a, &m, NULL) == MD_OK);
	check_back(&mail, &m);
	return 0;
}
