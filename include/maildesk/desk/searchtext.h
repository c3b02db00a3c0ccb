/* searchtext.h - text as the search sees it, the same whatever the engine of the index.
 *
 * A text becomes words: runs of letters and digits in lower case, without diacritics, compatibility
 * forms resolved ("Müller-Straße" is "muller strasse"). Scripts written without spaces become pairs
 * of neighbours and the last character of each run. Engines are given these words and nothing else,
 * so they have no opinion of their own about letters. */
#ifndef MAILDESK_DESK_SEARCHTEXT_H
#define MAILDESK_DESK_SEARCHTEXT_H

#include <maildesk/base/buf.h>

#include <stdbool.h>
#include <stddef.h>

enum {
	SEARCHTEXT_WORD_MAX = 64,      /* bytes of a word; more are dropped */
	SEARCHTEXT_WORDS_MAX = 15000,  /* of a document; more are not found */
	SEARCHTEXT_BYTES_MAX = 100000, /* of a text that are looked at */
};

enum searchtext_kind {
	SEARCHTEXT_WORD,
	SEARCHTEXT_PAIR, /* two neighbours of a script without spaces */
	SEARCHTEXT_LAST, /* the last of such a run */
};

struct searchtext_word {
	const char *s; /* n bytes; until the next call */
	size_t n;
	enum searchtext_kind kind;
	size_t from, to; /* in the text */
};
/* A walk over the words of a text, which may hold any bytes. */
struct searchtext {
	struct searchtext_place {
		const char *s;
		size_t n, at, from;
		const unsigned char *pending; /* rest of what stands for the last character */
	} at;
	char word[SEARCHTEXT_WORD_MAX + 4];
};
void searchtext_begin(struct searchtext *it, const char *s, size_t n);
bool searchtext_next(struct searchtext *it, struct searchtext_word *ret);

/* Stands where no phrase may reach across; no word is like it. */
#define SEARCHTEXT_GAP "\xc2\xb7"

/* A document for the index: words and gaps, parted by single spaces. Parts are added one by one,
 * with a gap between; then it is thinned out to what every engine can hold. */
struct searchtext_document {
	struct buf text;
	size_t n; /* words and gaps */
};
#define SEARCHTEXT_DOCUMENT_INIT                           \
	{                                                  \
		.text = BUF_INIT(2 * SEARCHTEXT_BYTES_MAX) \
	}
void searchtext_add(struct searchtext_document *d, const char *s, size_t n);
/* No word more than `most` times: further ones become gaps. */
void searchtext_thin(struct searchtext_document *d, int most);
void searchtext_document_done(struct searchtext_document *d);

#endif
