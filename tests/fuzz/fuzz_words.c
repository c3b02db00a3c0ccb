/* Encoded words, and the charsets under them: always valid UTF-8, one clean line. The input is
 * CHARSET NUL BYTES for the second. */
#include "fuzz.h"

#include <maildesk/mail/charset.h>
#include <maildesk/mail/header.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	md_auto(arena_done) struct arena a = ARENA_INIT(FUZZ_ARENA_MAX);
	md_auto(buf_done) struct buf words = BUF_INIT(FUZZ_ARENA_MAX), bytes = words;
	struct span all = { (const char *)data, n }, rest = all, name;

	check_line(header_text(&a, all));
	header_decode_words(all, &words);
	check(words.status == MD_OK);
	/* Seven bits in, UTF-8 out, whatever the words say of themselves. */
	for (size_t i = 0; i <= n; i++)
		if (i == n)
			check(utf8_valid(buf_str(&words), words.len));
		else if (data[i] >= 0x80)
			break;
	if (n)
		check(header_word_length(all) <= n);
	name = take_part(&rest);
	charset_to_utf8(name, rest, &bytes);
	check(bytes.status == MD_OK && utf8_valid(buf_str(&bytes), bytes.len));
	check(bytes.len <= rest.n * 16 + 16);
	check(rest.n == 0 || bytes.len > 0 || name.n > 0);
	return 0;
}
