/* One function a stage, in the order in which message_read() goes: header, structure, body, reply,
 * kind, Authentication-Results, defects. Facts come from the message, reasons from its trace; here
 * nothing is decided. All values are clean UTF-8 by then, so that a terminal may show them. */
#include <maildesk/cmd/explain.h>

#include <maildesk/base/mem.h>
#include <maildesk/base/utf8.h>
#include <maildesk/mail/charset.h>
#include <maildesk/mail/trace.h>

#include <string.h>
#include <unistd.h>

enum {
	ARENA_MAX = 256 << 20,
	OUTPUT_MAX = 64 << 20,
	LINE_WIDTH = 78, /* bytes shown of a line of text */
	RUN_MAX = 6,     /* lines shown of a stretch of the same class */
};

static const char *or_dash(const char *s)
{
	return s && *s ? s : "-";
}

/* ---- header ---- */

static void people(struct buf *out, const char *label, const struct rec_list *list)
{
	const struct mail_address *v = list->v;

	for (size_t i = 0; i < list->n; i++)
		buf_addf(out, "  %-11s %s%s<%s>\n", i ? "" : label, v[i].name ? v[i].name : "",
			 v[i].name ? " " : "", v[i].address);
}

static void header(struct buf *out, const struct message *m, const struct message_trace *t,
		   size_t size)
{
	buf_addf(out, "mail: %zu bytes, %zu of them header\n", size, t->head.n);
	people(out, "from", &m->from);
	buf_addf(out, "  %-11s %s\n", "",
		 m->from_is_plain ? "one address, nothing odd: can be proven"
				  : "not exactly one plain address: cannot be proven");
	people(out, "reply-to", &m->reply_to);
	people(out, "to", &m->to);
	people(out, "cc", &m->cc);
	buf_addf(out, "  %-11s %s\n", "subject", or_dash(m->subject));
	buf_addf(out, "  %-11s %s\n", "date", or_dash(m->date));
	buf_addf(out, "  %-11s %s\n", "message-id", or_dash(m->message_id));
	for (size_t i = 0; i < m->in_reply_to.n; i++)
		buf_addf(out, "  %-11s %s\n", i ? "" : "in-reply-to", m->in_reply_to.v[i]);
}

/* ---- structure and body ---- */

/* "1.2.1": the second child of the message, its first. */
static void part_number(struct buf *out, const struct mime_tree *t, int index)
{
	int up = t->v[index].parent, number = 1;

	if (up < 0) {
		buf_addc(out, '1');
		return;
	}
	for (int i = up + 1; i < index; i = t->v[i].next)
		number++;
	part_number(out, t, up); /* no deeper than SCAN_MIME_DEPTH */
	buf_addf(out, ".%d", number);
}

static const char *part_role_name(const struct message_trace *t, size_t index)
{
	static const char *const names[] = { [BODY_ATTACHMENT] = "attachment",
					     [BODY_TEXT] = "body",
					     [BODY_OTHER_FORM] = "other form" };

	return names[t->body.roles[index]];
}

static void part(struct buf *out, const struct message_trace *t, size_t i)
{
	const struct mime_part *p = &t->tree.v[i];
	const char *charset = header_param(&p->content_type, "charset");
	md_auto(buf_done) struct buf number = BUF_INIT(1000);

	part_number(&number, &t->tree, (int)i);
	buf_addf(out, "  %-9s %s", buf_str(&number), p->type);
	if (!mime_is_container(&t->tree, i)) {
		buf_addf(out, ", %s, ", encoding_name(p->encoding));
		if (charset)
			buf_addf(out, "%s, ", charset);
		buf_addf(out, "%zu bytes", p->body.n);
	}
	if (p->filename) {
		buf_adds(out, ", \"");
		utf8_clean_line(out, p->filename, strlen(p->filename));
		buf_addc(out, '"');
	}
	buf_addc(out, '\n');
	if (!mime_is_container(&t->tree, i))
		buf_addf(out, "  %-9s %s: %s\n", "", part_role_name(t, i),
			 body_why(&t->tree, &t->body, i));
}

static void structure(struct buf *out, const struct message *m, const struct message_trace *t)
{
	const struct attachment *v = m->attachments.v;

	buf_addf(out, "structure: %zu part%s\n", t->tree.n, t->tree.n == 1 ? "" : "s");
	for (size_t i = 0; i < t->tree.n; i++)
		part(out, t, i);
	buf_addf(out, "attachments: %zu\n", m->attachments.n);
	for (size_t i = 0; i < m->attachments.n; i++)
		buf_addf(out, "  %s, %s%s%s, %lld bytes%s\n", or_dash(v[i].filename),
			 v[i].content_type, v[i].sniffed_type ? ", looks like " : "",
			 v[i].sniffed_type ? v[i].sniffed_type : "", (long long)v[i].size,
			 v[i].is_inline ? ", inline" : "");
}

/* ---- reply ---- */

static bool same_stretch(const struct trace_line *a, const struct trace_line *b)
{
	return a->is_new == b->is_new && a->what == b->what;
}

static void text_line(struct buf *out, size_t number, const struct trace_line *l)
{
	size_t shown = utf8_cut(l->text.p, l->text.n, LINE_WIDTH);

	buf_addf(out, "  %c %5zu %-12s | ", l->is_new ? '+' : '-', number, l->what);
	buf_add(out, l->text.p, shown);
	buf_adds(out, shown < l->text.n ? "...\n" : "\n");
}

/* "+" is new, "-" is folded. Long stretches of one class show their first lines. */
static void reply(struct buf *out, struct arena *a, const struct message *m,
		  const struct message_trace *t)
{
	const struct trace_line *v;
	struct rec_list lines;
	size_t kept = 0, run;

	trace_lines(a, t, span_of(m->text), &lines);
	v = lines.v;
	for (size_t i = 0; i < lines.n; i++)
		kept += v[i].is_new;
	buf_addf(out, "reply: %zu of %zu lines are new%s\n", kept, lines.n,
		 m->is_forward ? "; it passes a mail on" : "");
	for (size_t i = 0; i < lines.n; i += run) {
		for (run = 1; i + run < lines.n && same_stretch(&v[i], &v[i + run]);)
			run++;
		for (size_t k = 0; k < run && k < RUN_MAX; k++)
			text_line(out, i + k + 1, &v[i + k]);
		if (run > RUN_MAX)
			buf_addf(out, "    %5s %-12s | (%zu more lines)\n", "", v[i].what,
				 run - RUN_MAX);
	}
}

/* ---- what it is, and who vouches ---- */

static void kind(struct buf *out, const struct message *m)
{
	const struct bounce *v = m->bounce.v;

	buf_addf(out, "kind: %s (%s)%s\n", message_kind_name((enum message_kind)m->kind),
		 m->evidence, m->no_answer ? ", never answered" : "");
	for (size_t i = 0; i < m->loop_ids.n; i++)
		buf_addf(out, "  loop id %s\n", m->loop_ids.v[i]);
	for (size_t i = 0; i < m->bounce.n; i++) {
		buf_addf(out, "  %s: %s, status %s, original %s\n", or_dash(v[i].recipient),
			 or_dash(v[i].action), or_dash(v[i].status),
			 or_dash(v[i].original_message_id));
		if (v[i].diagnostic)
			buf_addf(out, "    %s\n", v[i].diagnostic);
	}
}

static void authentication(struct buf *out, const struct message *m)
{
	const struct auth_field *v = m->auth_fields.v;

	buf_addf(out, "authentication-results: %zu\n", m->auth_fields.n);
	for (size_t i = 0; i < m->auth_fields.n; i++) {
		buf_addf(out, "  %s, below %lld of %lld Received: spf=%s dmarc=%s",
			 *v[i].authserv_id ? v[i].authserv_id : "(no id)",
			 (long long)v[i].received_above, (long long)m->received_count,
			 or_dash(v[i].spf), or_dash(v[i].dmarc));
		if (v[i].dmarc_from)
			buf_addf(out, " (header.from %s)", v[i].dmarc_from);
		if (i == 0 && v[i].dkim_pass_domains.n == 0)
			buf_addf(out, " dkim=%s", or_dash(m->auth.dkim));
		for (size_t k = 0; k < v[i].dkim_pass_domains.n; k++)
			buf_addf(out, " dkim=pass (%s)", v[i].dkim_pass_domains.v[k]);
		buf_addc(out, '\n');
	}
}

static void defects(struct buf *out, const struct message *m)
{
	buf_addf(out, "defects: %zu\n", m->defects.n);
	for (size_t i = 0; i < m->defects.n; i++)
		buf_addf(out, "  %s\n", m->defects.v[i]);
}

/* ---- all of it ---- */

static void explain(struct buf *out, struct arena *a, const uint8_t *raw, size_t n)
{
	struct message_trace t;
	struct md_err err;
	struct message m;

	if (message_read_traced(raw, n, a, &m, &t, &err) != MD_OK) {
		buf_addf(out, "not read: %s\n", err.text);
		return;
	}
	header(out, &m, &t, n);
	if (t.tree.n) {
		structure(out, &m, &t);
		reply(out, a, &m, &t);
	}
	kind(out, &m);
	authentication(out, &m);
	defects(out, &m);
}

static bool write_out(const struct buf *b)
{
	for (size_t at = 0; at < b->len;) {
		ssize_t done = write(STDOUT_FILENO, b->data + at, b->len - at);

		if (done < 0)
			return false;
		at += (size_t)done;
	}
	return true;
}

static void name(struct buf *out, const char *path)
{
	md_auto(buf_done) struct buf utf8 = BUF_INIT(65536);

	charset_to_utf8(span_of(""), span_of(path), &utf8);
	buf_adds(out, "=== ");
	utf8_clean_line(out, buf_str(&utf8), utf8.len);
	buf_addc(out, '\n');
}

bool explain_mails(struct mails *m)
{
	md_auto(arena_done) struct arena arena = ARENA_INIT(ARENA_MAX);
	md_auto(buf_done) struct buf out = BUF_INIT(OUTPUT_MAX);

	for (size_t i = 0; i < m->n; i++) {
		size_t n;
		const uint8_t *raw = mails_open(&m->v[i], &n);

		if (!raw) {
			m->failed = true;
			continue;
		}
		if (m->named && m->v[i].path)
			name(&out, m->v[i].path);
		explain(&out, &arena, raw, n);
		mails_close(&m->v[i], raw, n);
		if (out.status != MD_OK || !write_out(&out))
			return false;
		buf_reset(&out);
		arena_reset(&arena);
	}
	return true;
}
