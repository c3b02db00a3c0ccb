#include <maildesk/desk/searchtext.h>

#include <maildesk/base/err.h>
#include <maildesk/base/mem.h>
#include <maildesk/base/utf8.h>

#include "searchtext_table.h"

#include <stdlib.h>
#include <string.h>

/* As in searchtext_table.py. */
enum { IS_GAP, IS_LETTER, IS_MARK, IS_UNSPACED };

struct letter {
	uint32_t cp;
	int is;
	size_t from, to;
};

static unsigned value_of(uint32_t cp)
{
	if (cp < TABLE_END)
		return table_blocks[table_index[cp / TABLE_BLOCK]][cp % TABLE_BLOCK];
	return cp < 0x40000 ? IS_UNSPACED : IS_GAP; /* ideographs; private use, tags */
}

/* The next character of what stands for one of the text. */
static void next_pending(struct searchtext_place *p, struct letter *l)
{
	const char *s = (const char *)p->pending;

	p->pending += utf8_decode(s, strlen(s), &l->cp);
	if (!*p->pending)
		p->pending = NULL;
	l->is = (int)value_of(l->cp);
	l->from = p->from;
	l->to = p->at;
	if (l->is >= TABLE_FIRST)
		l->is = IS_LETTER;
}

static bool next_letter(struct searchtext_place *p, struct letter *l)
{
	unsigned value;
	size_t len;

	if (p->pending) {
		next_pending(p, l);
		return true;
	}
	do {
		if (p->at == p->n)
			return false;
		p->from = p->at;
		len = utf8_decode(p->s + p->at, p->n - p->at, &l->cp);
		p->at += len ? len : 1;
		value = len ? value_of(l->cp) : IS_GAP;
	} while (value == IS_MARK);
	if (value >= TABLE_FIRST) {
		p->pending = folded + value - TABLE_FIRST;
		next_pending(p, l);
		return true;
	}
	l->is = (int)value;
	l->from = p->from;
	l->to = p->at;
	return true;
}

void searchtext_begin(struct searchtext *it, const char *s, size_t n)
{
	it->at = (struct searchtext_place){ .s = s, .n = n };
}

/* `first` and what follows it, which stays to be read. */
static void take_pair(struct searchtext *it, const struct letter *first,
		      struct searchtext_word *ret)
{
	struct searchtext_place ahead = it->at;
	struct letter second;

	*ret = (struct searchtext_word){
		.s = it->word, .kind = SEARCHTEXT_LAST, .from = first->from, .to = first->to
	};
	ret->n = utf8_encode(first->cp, it->word);
	if (!next_letter(&ahead, &second) || second.is != IS_UNSPACED)
		return;
	ret->n += utf8_encode(second.cp, it->word + ret->n);
	ret->kind = SEARCHTEXT_PAIR;
	ret->to = second.to;
}

/* ASCII without the table: letters to lower case, digits; others 0. */
static char ascii_letter(unsigned char c)
{
	if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'))
		return (char)c;
	return c >= 'A' && c <= 'Z' ? (char)(c + 32) : 0;
}

bool searchtext_next(struct searchtext *it, struct searchtext_word *ret)
{
	struct searchtext_place *p = &it->at, before;
	struct searchtext_word w = { .s = it->word };
	bool in_word = false;
	struct letter l;

	for (;;) {
		if (!p->pending && p->at < p->n && (unsigned char)p->s[p->at] < 0x80) {
			l.cp = (unsigned char)ascii_letter((unsigned char)p->s[p->at]);
			l.is = l.cp ? IS_LETTER : IS_GAP;
			l.from = p->at++;
			l.to = p->at;
		} else {
			before = *p;
			if (!next_letter(p, &l)) {
				if (!in_word)
					return false;
				break;
			}
		}
		if (l.is == IS_LETTER) {
			if (!in_word)
				w.from = l.from;
			in_word = true;
			w.to = l.to;
			if (l.cp < 0x80 && w.n < SEARCHTEXT_WORD_MAX)
				it->word[w.n++] = (char)l.cp;
			else if (w.n + 4 <= SEARCHTEXT_WORD_MAX)
				w.n += utf8_encode(l.cp, it->word + w.n);
		} else if (in_word) {
			if (l.is == IS_UNSPACED)
				*p = before; /* it begins another one */
			if (l.from > w.to)
				w.to = l.from; /* marks that follow the last letter */
			break;
		} else if (l.is == IS_UNSPACED) {
			take_pair(it, &l, ret);
			return true;
		}
	}
	*ret = w;
	return true;
}

/* ---- documents ---- */

void searchtext_add(struct searchtext_document *d, const char *s, size_t n)
{
	struct searchtext it;
	struct searchtext_word w;
	bool first = true;

	searchtext_begin(&it, s, n < SEARCHTEXT_BYTES_MAX ? n : SEARCHTEXT_BYTES_MAX);
	while (d->n < SEARCHTEXT_WORDS_MAX && searchtext_next(&it, &w)) {
		if (d->text.len + w.n + 8 > d->text.max)
			break;
		if (d->n)
			buf_addc(&d->text, ' ');
		if (first && d->n) {
			buf_adds(&d->text, SEARCHTEXT_GAP " ");
			d->n++;
		}
		buf_add(&d->text, w.s, w.n);
		d->n++;
		first = false;
	}
}

void searchtext_document_done(struct searchtext_document *d)
{
	buf_done(&d->text);
}

struct seen {
	const char *s;
	size_t n;
	int times;
};

static struct seen *place_of(struct seen *table, size_t size, const char *s, size_t n)
{
	uint32_t hash = 2166136261U;
	struct seen *at;

	for (size_t i = 0; i < n; i++)
		hash = (hash ^ (unsigned char)s[i]) * 16777619U;
	for (size_t i = hash;; i++) {
		at = &table[i & (size - 1)];
		if (!at->s || (at->n == n && memcmp(at->s, s, n) == 0))
			return at;
	}
}

/* PostgreSQL keeps 255 places of a word in a document; a phrase would be found there or not,
 * depending on the engine. */
void searchtext_thin(struct searchtext_document *d, int most)
{
	md_auto(md_free_p) struct seen *table = NULL;
	struct buf out = BUF_INIT(d->text.max);
	size_t size = 1024;

	if (d->n <= (size_t)most)
		return;
	while (size < 2 * d->n)
		size *= 2;
	table = md_calloc(size, sizeof *table);
	if (!table) {
		d->text.status = MD_NOMEM;
		return;
	}
	for (const char *at = buf_str(&d->text); *at;) {
		size_t n = strcspn(at, " ");
		struct seen *seen = place_of(table, size, at, n);

		*seen = (struct seen){ at, n, seen->times + 1 };
		if (out.len)
			buf_addc(&out, ' ');
		if (seen->times > most)
			buf_adds(&out, SEARCHTEXT_GAP);
		else
			buf_add(&out, at, n);
		at += n + (at[n] == ' ');
	}
	buf_done(&d->text);
	d->text = out;
}
