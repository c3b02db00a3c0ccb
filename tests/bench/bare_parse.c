/* libetpan's MIME parser alone, over the files named on standard input. */
#include "bare.h"

#include <libetpan/libetpan.h>

int main(void)
{
	struct bare_file *files;
	size_t n = bare_map_files(&files);
	struct bare b = bare_start();

	for (size_t i = 0; i < n; i++) {
		struct mailmime *mime = NULL;
		size_t at = 0;

		if (mailmime_parse(files[i].bytes, files[i].n, &at, &mime) != MAILIMF_NO_ERROR)
			bare_die("mailmime_parse");
		mailmime_free(mime);
		b.bytes += files[i].n;
	}
	b.messages = n;
	bare_print(&b);
	return 0;
}
