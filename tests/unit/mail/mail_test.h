/* mail_test.h - what the tests of mail/ share: a message from text, files of tests/data. */
#ifndef MAILDESK_TESTS_MAIL_TEST_H
#define MAILDESK_TESTS_MAIL_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <maildesk/base/arena.h>
#include <maildesk/base/mem.h>
#include <maildesk/mail/message.h>
#include <maildesk/mail/span.h>

#include <stdlib.h>
#include <stdio.h>
#include <string.h>

enum { TEST_ARENA = 64 << 20 };

/* The message read from `text`; its memory is the arena's. */
static inline struct message message_of(struct arena *a, const char *text, size_t n)
{
	struct message m = { 0 };
	struct md_err err;

	assert_int_equal(message_read((const uint8_t *)text, n, a, &m, &err), MD_OK);
	return m;
}

/* The bytes of a file below the tree's top (at most 1 MB); freed by the caller. */
static inline char *test_slurp(const char *path, size_t *ret_n)
{
	FILE *f = fopen(path, "rb");
	char *p = malloc(1 << 20);

	assert_non_null(f);
	assert_non_null(p);
	*ret_n = fread(p, 1, 1 << 20, f);
	fclose(f);
	return p;
}

static inline const struct mail_address *address_at(const struct rec_list *list, size_t i)
{
	assert_true(i < list->n);
	return (const struct mail_address *)list->v + i;
}

static inline void assert_same(const char *got, const char *want)
{
	if (want)
		assert_non_null(got);
	else
		assert_null(got);
	if (want)
		assert_string_equal(got, want);
}

#endif
