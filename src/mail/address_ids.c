/* Message-IDs: mostly "<left@right>", and whatever programs put there instead. */
#include <maildesk/mail/address.h>

#include <maildesk/base/mem.h>
#include <maildesk/base/utf8.h>
#include <maildesk/mail/header.h>

#include <string.h>

static bool id_known(const struct rec_strs *list, struct span id)
{
	for (size_t i = 0; i < list->n; i++)
		if (strlen(list->v[i]) == id.n && memcmp(list->v[i], id.p, id.n) == 0)
			return true;
	return false;
}

enum { IDS_MAX = 1000 };

/* Blanks within are where a line was broken. */
static void id_add(struct arena *a, struct rec_strs *list, struct span id)
{
	md_auto(buf_done) struct buf line = BUF_INIT(id.n * 3 + 16),
				     clean = BUF_INIT(id.n * 3 + 16);
	const char *kept, **v = list->v;

	utf8_clean_line(&line, id.p, id.n);
	for (size_t i = 0; i < line.len; i++)
		if (line.data[i] != ' ')
			buf_addc(&clean, line.data[i]);
	if (!clean.len || list->n >= IDS_MAX ||
	    id_known(list, (struct span){ buf_str(&clean), clean.len }))
		return;
	kept = arena_strndup(a, clean.data, clean.len);
	if ((list->n & (list->n - 1)) == 0) /* the room is the next power of two */
		v = arena_array(a, list->n ? list->n * 2 : 1, sizeof *v);
	if (!kept || !v)
		return;
	if (v != list->v && list->n)
		memcpy(v, list->v, list->n * sizeof *v);
	list->v = v;
	list->v[list->n++] = kept;
}

void address_ids_read(struct arena *a, struct span value, struct rec_strs *list)
{
	struct span s = header_unfold(a, value);

	while (s.n) {
		size_t open = span_chr(s, '<');
		struct span before = span_trim(span_sub(s, 0, open)), word;
		size_t end;

		/* Ids without brackets: every word with an '@' is one. */
		while (before.n) {
			size_t n = 0;

			while (n < before.n && !ascii_space(before.p[n]) && before.p[n] != ',')
				n++;
			word = span_sub(before, 0, n);
			if (span_chr(word, '@') < word.n)
				id_add(a, list, word);
			before = span_trim(span_from(before, n + 1));
		}
		s = span_from(s, open + 1);
		end = 0;
		while (end < s.n && s.p[end] != '>' && s.p[end] != '<')
			end++;
		id_add(a, list, span_trim(span_sub(s, 0, end)));
		s = span_from(s, end + (end < s.n && s.p[end] == '>'));
	}
}
