/* The stages of reading a mail, each a module that is asked once:
 *
 *	line ends    a mail with CR alone is copied; files are still served from what came
 *	header.c     where the header ends, its fields; scan.c: limits before anything is understood
 *	message_head.c  senders, dates, ids (address.c, words.c, date.c, authres.c)
 *	mime.c       the tree of parts, in place
 *	body.c       which parts are text, in which charset, what they say (html.c, charset.c)
 *	attachment.c all other leaves; tnef.c unpacks winmail.dat
 *	trim.c       what is new in the text; forward.c: who wrote what is passed on
 *	bounce.c     who did not get what; kind.c: what sort of mail it is, and why
 *
 * What one cannot understand becomes a defect; only memory can fail. */
#include <maildesk/mail/message.h>

#include "message_priv.h"

#include <maildesk/base/mem.h>
#include <maildesk/base/utf8.h>
#include <maildesk/mail/attachment.h>
#include <maildesk/mail/body.h>
#include <maildesk/mail/bounce.h>
#include <maildesk/mail/charset.h>
#include <maildesk/mail/forward.h>
#include <maildesk/mail/html.h>
#include <maildesk/mail/identity.h>
#include <maildesk/mail/kind.h>
#include <maildesk/mail/mime.h>
#include <maildesk/mail/scan.h>
#include <maildesk/mail/tnef.h>
#include <maildesk/mail/trace.h>
#include <maildesk/mail/trim.h>

#include <string.h>

enum { UU_MAX = 20, PACKED_MAX = 4 };

/* A mail of old Macs, or mangled on the way: CR alone ends its lines. */
static int line_ends(struct reading *r)
{
	char *copy;

	if (!r->raw.n || memchr(r->raw.p, '\n', r->raw.n) || !memchr(r->raw.p, '\r', r->raw.n))
		return MD_OK;
	copy = arena_copy(r->arena, r->raw.p, r->raw.n);
	if (!copy)
		return MD_NOMEM;
	for (size_t i = 0; i < r->raw.n; i++)
		if (copy[i] == '\r')
			copy[i] = '\n';
	r->raw.p = copy;
	message_defect(r, "lines end in CR alone");
	return MD_OK;
}

/* The charset that raw bytes in the header are probably in: one that a part declares. */
static struct span charset_hint(const struct reading *r)
{
	struct span all = span_sub(r->raw, 0, r->head.n + 65536);
	size_t at;

	for (int i = 0; i < 20 && (at = span_find(all, "charset=")) < all.n; i++) {
		size_t n = 0;

		all = span_from(all, at + 8);
		while (all.n && (*all.p == '"' || *all.p == ' '))
			all = span_from(all, 1);
		while (n < all.n && (ascii_alnum(all.p[n]) || all.p[n] == '-' || all.p[n] == '_'))
			n++;
		if (charset_is_regional(span_sub(all, 0, n)))
			return span_sub(all, 0, n);
	}
	return span_of("");
}

static void forwarded(struct reading *r, struct span text)
{
	struct message *m = r->m;
	struct forward f;

	m->is_forward = trim_is_forward(span_of(m->subject), text);
	if (!m->is_forward)
		return;
	forward_read(r->arena, text, &f);
	m->forwarded_from = f.from;
	m->forwarded_date = f.date;
	m->forwarded_subject = f.subject;
	m->forwarded_above = (int64_t)f.above;
	m->forwarded_below = (int64_t)f.below;
}

/* ---- below the header ---- */

static void tree_defects(struct reading *r)
{
	static const struct {
		unsigned bit;
		const char *what;
	} table[] = {
		{ MIME_BOMB_DEPTH, "bomb: parts too deep" },
		{ MIME_MANY_PARTS, "more than 500 parts: the rest is not listed" },
		{ MIME_NO_END, "closing boundary missing" },
		{ MIME_NO_BOUNDARY, "multipart without its boundary" },
		{ MIME_BAD_ENCODING, "unknown transfer encoding" },
		{ MIME_BAD_HEADER, "broken header of a part" },
	};

	for (size_t i = 0; i < MD_COUNT(table); i++)
		if (r->tree.trouble & table[i].bit)
			message_defect(r, table[i].what);
	if (r->text.trouble & BODY_BAD_CHARSET)
		message_defect(r, "charset missing, unknown or wrong");
	if (r->text.trouble & BODY_CUT)
		message_defect(r, "text too long: cut");
}

/* uuencoded files in a plain body: listed as attachments, taken out of the text. */
static size_t uu_blocks(struct reading *r, struct uu_block *blocks)
{
	size_t n = 0, from = 0;
	struct span body;

	if (r->text.identity_part < 0)
		return 0;
	body = r->tree.v[r->text.identity_part].body;
	while (n < UU_MAX && encoding_find_uu(body, from, &blocks[n])) {
		from = (size_t)(blocks[n].all.p + blocks[n].all.n - body.p);
		n++;
	}
	return n;
}

static void text_without_uu(struct reading *r)
{
	struct span text = span_of(r->text.text);
	md_auto(buf_done) struct buf out = BUF_INIT(text.n);
	struct uu_block b;
	size_t from = 0;

	while (encoding_find_uu(text, from, &b)) {
		buf_add(&out, text.p + from, (size_t)(b.all.p - text.p) - from);
		from = (size_t)(b.all.p + b.all.n - text.p);
	}
	buf_add(&out, text.p + from, text.n - from);
	text = span_trim_end((struct span){ buf_str(&out), out.len });
	r->text.text = arena_strndup(r->arena, text.p, text.n);
}

/* The files in a winmail.dat stand behind it; its text counts where the mail has none. */
static size_t unpack(struct reading *r, const struct attachment_place *at,
		     const struct mime_part *p, struct attachment *v)
{
	struct tnef tnef;

	tnef_read(r->arena, at, p, &tnef);
	for (size_t i = 0; i < tnef.files.n; i++)
		v[i] = ((struct attachment *)tnef.files.v)[i];
	if (!*r->text.text && (tnef.text || tnef.html))
		body_replace(r->arena, &r->text, tnef.text, tnef.html);
	return tnef.files.n;
}

static void attachments(struct reading *r)
{
	struct uu_block blocks[UU_MAX];
	size_t uu = uu_blocks(r, blocks), n = 0, packed = 0;
	struct attachment_place at = { r->wire, r->raw };
	struct attachment *v;

	for (size_t i = 0; i < r->tree.n; i++)
		packed += tnef_is(&r->tree.v[i]);
	if (packed > PACKED_MAX)
		packed = PACKED_MAX;
	v = arena_array(r->arena, r->tree.n + uu + packed * TNEF_FILES_MAX, sizeof *v);
	for (size_t i = 0; v && i < r->tree.n; i++) {
		if (r->text.roles[i] != BODY_ATTACHMENT || mime_is_container(&r->tree, i) ||
		    (i == 0 && !r->tree.v[i].body.n))
			continue;
		attachment_read(r->arena, &at, &r->tree.v[i], &v[n++]);
		if (packed && tnef_is(&r->tree.v[i])) {
			n += unpack(r, &at, &r->tree.v[i], v + n);
			packed--;
		}
	}
	for (size_t i = 0; v && i < uu; i++)
		attachment_read_uu(r->arena, &at, &blocks[i], &v[n++]);
	r->m->attachments = (struct rec_list){ n, v };
	if (uu)
		text_without_uu(r);
}

static bool answers_nothing(const struct message *m)
{
	return !m->in_reply_to.n && !m->references.n && !trim_is_reply(m->subject) &&
	       !trim_is_forward(span_of(m->subject), span_of(""));
}

static int below_header(struct reading *r)
{
	struct message *m = r->m;
	struct bounce_report bounce;
	struct span text;
	const char *from = m->from.n ? message_first(&m->from)->address : "";
	struct trim_hints hints = { &r->text.marks,
				    m->from.n ? message_first(&m->from)->name : NULL,
				    answers_nothing(m) };

	r->first = hints.first;
	if (mime_read(r->arena, &r->header, r->body, &r->tree) != MD_OK)
		return MD_NOMEM;
	if (r->tree.trouble & MIME_BOMB_DEPTH) {
		m->bomb = true;
		tree_defects(r);
		return MD_OK;
	}
	if (body_read(r->arena, &r->tree, &r->text) != MD_OK)
		return MD_NOMEM;
	tree_defects(r);
	attachments(r);
	if (r->arena->failed)
		return MD_NOMEM;
	m->text = r->text.text;
	m->html = r->text.html;
	text = span_of(m->text);
	r->reply = trim_reply_hinted(r->arena, text, &hints);
	/* Most mails are all new: the text then serves for both. */
	m->reply_text = r->reply.p + r->reply.n == text.p + text.n
				? r->reply.p
				: arena_strndup(r->arena, r->reply.p, r->reply.n);
	trim_markers(r->arena, text, &m->markers);
	forwarded(r, text);
	bounce_read(r->arena, &r->tree, m->subject, from, text, &bounce);
	m->bounce = bounce.list;
	m->kind = kind_decide(r->arena, &r->tree, m->subject, &bounce, &m->evidence);
	return MD_OK;
}

/* Lengths as message_rec has them: the desk refuses what is longer. */
static void fit(struct arena *a, const struct rec *rec, void *object)
{
	for (const struct rec_field *f = rec->fields; f->name; f++) {
		void *member = (char *)object + f->at;
		struct rec_strs *strs = member;
		struct rec_list *list = member;
		const char **s = f->type == REC_STR ? member : f->type == REC_STRS ? strs->v : NULL;
		size_t n = f->type == REC_STR ? 1 : f->type == REC_STRS ? strs->n : 0;

		for (size_t i = 0; i < n; i++)
			if (s[i] && strlen(s[i]) > f->max)
				s[i] = arena_strndup(a, s[i], utf8_cut(s[i], strlen(s[i]), f->max));
		if (f->type == REC_SUB)
			fit(a, f->of, member);
		if (f->type != REC_LIST)
			continue;
		if (list->n > f->max)
			list->n = f->max;
		for (size_t i = 0; i < list->n; i++)
			fit(a, f->of, (char *)list->v + i * f->of->size);
	}
}

static int read_all(struct reading *r)
{
	struct message *m = r->m;
	char identity[SHA256_HEX];
	const char *bomb;
	bool junk;

	m->defects.v = arena_array(r->arena, MESSAGE_DEFECTS_MAX, sizeof *m->defects.v);
	if (line_ends(r) != MD_OK)
		return MD_NOMEM;
	header_split(r->raw, HEADER_TOP, &r->head, &r->body, &junk);
	if (junk)
		message_defect(r, "broken header block");
	if (!identity_hash(r->head, r->body, identity))
		return MD_NOMEM;
	m->identity = arena_strdup(r->arena, identity);
	bomb = scan_header(r->head);
	r->head = span_sub(r->head, 0, SCAN_HEADER_BYTES);
	header_read(r->arena, r->head, SCAN_HEADER_FIELDS, &r->header);
	if (!utf8_valid(r->head.p, r->head.n)) {
		message_defect(r, "raw 8-bit header");
		header_to_utf8(r->arena, &r->header, charset_hint(r));
	}
	m->text = m->reply_text = "";
	m->evidence = "not read";
	message_read_head(r);
	if (bomb) {
		m->bomb = true;
		message_defect(r, bomb);
	} else if (below_header(r) != MD_OK) {
		return MD_NOMEM;
	}
	fit(r->arena, &message_rec, m);
	return r->arena->failed ? MD_NOMEM : MD_OK;
}

int message_read_traced(const uint8_t *raw, size_t n, struct arena *arena, struct message *ret,
			struct message_trace *ret_trace, struct md_err *err)
{
	struct message m = { 0 };
	struct span wire = { (const char *)raw, n };
	struct reading r = { .arena = arena, .m = &m, .wire = wire, .raw = wire };

	if (read_all(&r) != MD_OK)
		return md_fail(err, MD_NOMEM, 0, "message of %zu bytes: out of memory", n);
	*ret = m;
	*ret_trace = (struct message_trace){ .head = r.head };
	if (!m.bomb)
		*ret_trace = (struct message_trace){ r.head, r.tree, r.text, r.reply, r.first };
	return MD_OK;
}

int message_read(const uint8_t *raw, size_t n, struct arena *arena, struct message *ret,
		 struct md_err *err)
{
	struct message_trace trace;

	return message_read_traced(raw, n, arena, ret, &trace, err);
}

int message_read_fields(const uint8_t *raw, size_t n, const struct rec_strs *names,
			struct arena *arena, struct message *ret, struct md_err *err)
{
	struct mail_field *fields = arena_array(arena, MESSAGE_FIELDS_MAX, sizeof *fields);
	struct span head, body;
	struct header h = { 0 };
	size_t count = 0;
	bool junk;

	header_split((struct span){ (const char *)raw, n }, HEADER_TOP, &head, &body, &junk);
	header_read(arena, head, SCAN_HEADER_FIELDS, &h);
	for (size_t i = 0; fields && i < names->n; i++)
		for (size_t k = 0; k < h.n && count < MESSAGE_FIELDS_MAX; k++)
			if (span_is(h.v[k].name, names->v[i]))
				fields[count++] =
					(struct mail_field){ names->v[i],
							     header_text(arena, h.v[k].value) };
	if (arena->failed)
		return md_fail(err, MD_NOMEM, 0, "out of memory");
	ret->fields = (struct rec_list){ count, fields };
	return MD_OK;
}

void message_read_prepare(void)
{
	charset_prepare();
	html_prepare();
}
