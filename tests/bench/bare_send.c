/* The least libcurl can do to hand mails to a server: one after the other on each of 16 handles,
 *all of them in one loop; nothing is kept of what became of them. The files are named on standard
 * input.
 *
 *	bare_send PORT */
#include "bare.h"

#include <curl/curl.h>

enum { HANDLES = 16 };

struct sending {
	CURL *curl;
	const struct bare_file *file;
	size_t at;
	struct curl_slist *to;
};

static size_t give(char *to, size_t size, size_t count, void *ctx)
{
	struct sending *s = ctx;
	size_t n = s->file->n - s->at;

	n = n < size * count ? n : size * count;
	memcpy(to, s->file->bytes + s->at, n);
	s->at += n;
	return n;
}

static void set_up(struct sending *s, const char *url)
{
	s->curl = curl_easy_init();
	s->to = curl_slist_append(NULL, "carol@customer.test");
	if (!s->curl || !s->to)
		bare_die("libcurl");
	curl_easy_setopt(s->curl, CURLOPT_URL, url);
	curl_easy_setopt(s->curl, CURLOPT_MAIL_FROM, "support@desk.test");
	curl_easy_setopt(s->curl, CURLOPT_MAIL_RCPT, s->to);
	curl_easy_setopt(s->curl, CURLOPT_UPLOAD, 1L);
	curl_easy_setopt(s->curl, CURLOPT_READFUNCTION, give);
	curl_easy_setopt(s->curl, CURLOPT_READDATA, s);
	curl_easy_setopt(s->curl, CURLOPT_PRIVATE, s);
}

static void begin(CURLM *multi, struct sending *s, const struct bare_file *file)
{
	s->file = file;
	s->at = 0;
	curl_easy_setopt(s->curl, CURLOPT_INFILESIZE_LARGE, (curl_off_t)file->n);
	curl_multi_add_handle(multi, s->curl);
}

int main(int argc, char **argv)
{
	static struct sending sendings[HANDLES];
	struct bare_file *files;
	size_t n = bare_map_files(&files), next = 0;
	char url[64];
	CURLM *multi;
	struct bare b;
	int running = 1, left;

	if (argc != 2)
		bare_die("usage: bare_send PORT <FILES");
	curl_global_init(CURL_GLOBAL_DEFAULT);
	multi = curl_multi_init();
	snprintf(url, sizeof url, "smtp://127.0.0.1:%s", argv[1]);
	b = bare_start();
	for (size_t i = 0; i < HANDLES && next < n; i++) {
		set_up(&sendings[i], url);
		begin(multi, &sendings[i], &files[next++]);
	}
	while (running) {
		CURLMsg *m;

		curl_multi_perform(multi, &running);
		while ((m = curl_multi_info_read(multi, &left))) {
			struct sending *s = NULL;

			if (m->data.result != CURLE_OK)
				bare_die(curl_easy_strerror(m->data.result));
			curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, (char **)&s);
			b.messages++;
			b.bytes += s->file->n;
			curl_multi_remove_handle(multi, s->curl);
			if (next < n) {
				begin(multi, s, &files[next++]);
				running = 1;
			}
		}
		if (running)
			curl_multi_poll(multi, NULL, 0, 1000, NULL);
	}
	bare_print(&b);
	return 0;
}
