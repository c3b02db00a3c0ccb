/* Authentication-Results: what stands in a comment or a quoted string is no result, and what stands
 * behind a result does not change it. */
#include "fuzz.h"

#include <maildesk/mail/authres.h>

static void read_one(struct arena *a, struct span value, struct rec_list *fields,
		     struct auth_summary *summary)
{
	struct header_field f = { span_of("Authentication-Results"), value, value };
	struct header h = { 1, &f };

	authres_read(a, &h, fields, summary);
	check(fields->n == 1);
}

static void check_lower(const char *s)
{
	check_line(s);
	for (; s && *s; s++)
		check(*s < 'A' || *s > 'Z');
}

/* Within `open` and `close` the input must stay without effect. */
static void check_wrapped(struct arena *a, struct span raw, const char *open, const char *close)
{
	md_auto(buf_done) struct buf b = BUF_INIT(FUZZ_ARENA_MAX);
	struct auth_summary s;
	struct rec_list fields;

	buf_adds(&b, "desk.example; dkim=fail ");
	buf_adds(&b, open);
	for (size_t i = 0; i < raw.n; i++) {
		if (strchr("\\()\"", raw.p[i]) && raw.p[i])
			buf_addc(&b, '\\');
		if (raw.p[i] != '\r' && raw.p[i] != '\n')
			buf_addc(&b, raw.p[i]);
	}
	buf_adds(&b, close);
	read_one(a, (struct span){ buf_str(&b), b.len }, &fields, &s);
	check(s.dkim && strcmp(s.dkim, "fail") == 0 && !s.spf && !s.dmarc);
	check(s.by && strcmp(s.by, "desk.example") == 0);
	check(((struct auth_field *)fields.v)->dkim_pass_domains.n == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	md_auto(arena_done) struct arena a = ARENA_INIT(FUZZ_ARENA_MAX);
	struct span raw = { (const char *)data, n };
	struct auth_summary s;
	struct rec_list fields;
	const struct auth_field *f;

	read_one(&a, raw, &fields, &s);
	f = fields.v;
	check(f->authserv_id && f->received_above == 0);
	check_lower(f->authserv_id);
	check_lower(f->spf);
	check_lower(f->dmarc);
	check_lower(f->dmarc_from);
	check_lower(s.dkim);
	check(f->dkim_pass_domains.n <= AUTHRES_DKIM_MAX);
	for (size_t i = 0; i < f->dkim_pass_domains.n; i++)
		check_lower(f->dkim_pass_domains.v[i]);
	check(f->dkim_pass_domains.n == 0 || (s.dkim && strcmp(s.dkim, "pass") == 0));
	check_wrapped(&a, raw, "(", ")");
	check_wrapped(&a, raw, "reason=\"", "\"");
	check(!a.failed);
	return 0;
}
