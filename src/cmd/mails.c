#include <maildesk/cmd/mails.h>

#include <maildesk/base/err.h>
#include <maildesk/base/mem.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

static bool add_unit(struct mails *m, const char *path, const uint8_t *bytes, size_t n)
{
	if (m->n == m->room) {
		size_t room = m->room ? m->room * 2 : 64;
		struct mails_unit *v = md_realloc(m->v, room * sizeof *v);

		if (!v)
			return false;
		m->v = v;
		m->room = room;
	}
	m->v[m->n] = (struct mails_unit){ path ? md_strdup(path) : NULL, bytes, n };
	if (path && !m->v[m->n].path)
		return false;
	m->n++;
	return true;
}

static void complain(const char *path)
{
	fprintf(stderr, "maildesk: %s: %s\n", path, strerror(errno));
}

/* ---- input ---- */

/* A smaller file is read: mapping it and faulting its pages in costs more than a copy. */
enum { MAPPED_MIN = 64 << 10 };

/* What there is of n bytes. NULL with errno on failure. */
static const uint8_t *read_file(int fd, size_t *n)
{
	md_auto(md_free_p) uint8_t *p = md_malloc(*n);
	size_t have = 0;
	ssize_t got = 1;

	while (p && have < *n && got) {
		got = read(fd, p + have, *n - have);
		if (got < 0 && errno != EINTR)
			return NULL;
		have += got > 0 ? (size_t)got : 0;
	}
	*n = have;
	return md_take(p);
}

/* The bytes of a file; *ret_n is 0 for an empty one. NULL with errno on failure. */
static const uint8_t *take_file(const char *path, size_t *ret_n)
{
	md_auto(md_close_p) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat st;
	void *p;

	if (fd < 0 || fstat(fd, &st) != 0)
		return NULL;
	if (!S_ISREG(st.st_mode)) {
		errno = S_ISDIR(st.st_mode) ? EISDIR : EINVAL;
		return NULL;
	}
	*ret_n = (size_t)st.st_size;
	if (*ret_n < MAPPED_MIN)
		return read_file(fd, ret_n);
	p = mmap(NULL, *ret_n, PROT_READ, MAP_PRIVATE, fd, 0);
	return p == MAP_FAILED ? NULL : p;
}

static void give_back(const uint8_t *p, size_t n)
{
	if (n < MAPPED_MIN)
		free((void *)(uintptr_t)p);
	else
		munmap((void *)(uintptr_t)p, n);
}

void mails_done(struct mails *m)
{
	for (size_t i = 0; i < m->n; i++)
		free(m->v[i].path);
	free(m->v);
	buf_done(&m->input);
	if (m->spooled)
		munmap((void *)(uintptr_t)m->spool, m->spooled);
	while (m->files) {
		struct mails_file *f = m->files;

		m->files = f->next;
		give_back(f->bytes, f->n);
		free(f);
	}
}

/* Until the end. */
static bool keep_file(struct mails *m, const uint8_t *bytes, size_t n)
{
	struct mails_file *f = md_malloc(sizeof *f);

	if (!f) {
		give_back(bytes, n);
		return false;
	}
	*f = (struct mails_file){ m->files, bytes, n };
	m->files = f;
	return true;
}

/* Reads into `out` until it is full or the input ends; -1 with errno on failure, 0 at the end. */
static ssize_t fill(struct buf *out)
{
	ssize_t n = 1;

	while (n > 0 && out->len < out->max) {
		size_t want = out->max - out->len < 65536 ? out->max - out->len : 65536;
		char *room = buf_reserve(out, want);

		if (!room)
			return -1;
		n = read(STDIN_FILENO, room, want);
		if (n < 0 && errno == EINTR)
			n = 1;
		else if (n > 0)
			out->len += (size_t)n;
	}
	return n;
}

/* What does not fit into memory goes to a file, so that memory does not grow with it. */
static bool spool_stdin(struct mails *m)
{
	FILE *f = tmpfile();
	ssize_t more = 1;
	bool ok = f != NULL;
	void *p = MAP_FAILED;

	while (ok && m->input.len) {
		ok = fwrite(m->input.data, 1, m->input.len, f) == m->input.len;
		m->spooled += m->input.len;
		buf_reset(&m->input);
		more = ok && more > 0 ? fill(&m->input) : more;
	}
	ok = ok && more == 0 && fflush(f) == 0;
	if (ok)
		p = mmap(NULL, m->spooled, PROT_READ, MAP_PRIVATE, fileno(f), 0);
	if (f)
		fclose(f);
	m->spool = p;
	if (p == MAP_FAILED)
		m->spooled = 0;
	buf_done(&m->input);
	return p != MAP_FAILED;
}

/* "From SENDER Mon Mar  2 ..." with a header below it: no sentence of a body. */
static bool is_separator(const uint8_t *p, size_t n)
{
	static const char days[] = "Mon Tue Wed Thu Fri Sat Sun ";
	const uint8_t *lf = memchr(p, '\n', n), *day = NULL, *end;

	if (n < 5 || !lf || memcmp(p, "From ", 5) != 0)
		return false;
	for (const uint8_t *at = p + 5; !day && at + 8 < lf; at++)
		for (size_t i = 0; !day && i + 4 < sizeof days; i += 4)
			if (at[-1] == ' ' && memcmp(at, days + i, 4) == 0)
				day = at;
	if (!day)
		return false;
	for (end = ++lf; end<p + n && * end> ' ' && *end < 0x7f && *end != ':'; end++)
		;
	return end > lf && end < p + n && *end == ':';
}

/* Divides an mbox at "From " lines that begin it or follow an empty line. */
static bool add_mbox(struct mails *m, const char *path, const uint8_t *p, size_t n)
{
	size_t start = 0, at = 0;

	while (at < n) {
		const uint8_t *hit = memmem(p + at, n - at, "\nFrom ", 6);
		size_t line = hit ? (size_t)(hit - p) + 1 : n;
		bool empty_above =
			line >= 2 && (p[line - 2] == '\n' ||
				      (line >= 3 && p[line - 2] == '\r' && p[line - 3] == '\n'));

		at = line;
		if (hit && (!empty_above || (!m->mbox && !is_separator(p + line, n - line))))
			continue;
		if (!add_unit(m, path, p + start, line - start))
			return false;
		start = line;
	}
	return true;
}

static int by_base_name(const void *a, const void *b)
{
	const char *x = strrchr(((const struct mails_unit *)a)->path, '/');
	const char *y = strrchr(((const struct mails_unit *)b)->path, '/');

	return strcmp(x, y);
}

static bool add_maildir_part(struct mails *m, const char *path, const char *part)
{
	md_auto(buf_done) struct buf name = BUF_INIT(8192);
	struct dirent *e;
	DIR *dir;
	bool ok = true;

	buf_addf(&name, "%s/%s", path, part);
	dir = opendir(buf_str(&name));
	if (!dir)
		return errno == ENOENT;
	while (ok && (e = readdir(dir)) != NULL) {
		if (e->d_name[0] == '.')
			continue;
		buf_reset(&name);
		buf_addf(&name, "%s/%s/%s", path, part, e->d_name);
		ok = name.status == MD_OK && add_unit(m, buf_str(&name), NULL, 0);
	}
	closedir(dir);
	return ok;
}

static bool is_maildir(const char *path)
{
	md_auto(buf_done) struct buf name = BUF_INIT(8192);

	buf_addf(&name, "%s/new", path);
	return name.status == MD_OK && access(buf_str(&name), X_OK) == 0;
}

bool mails_add_path(struct mails *m, const char *path)
{
	struct stat st;
	const uint8_t *p;
	size_t n, from = m->n;

	if (stat(path, &st) == 0 && S_ISDIR(st.st_mode)) {
		if (!is_maildir(path)) {
			fprintf(stderr, "maildesk: %s: a folder, but no Maildir (cur and new)\n",
				path);
			m->failed = true;
			return true;
		}
		m->named = true;
		if (!add_maildir_part(m, path, "cur") || !add_maildir_part(m, path, "new"))
			return false;
		qsort(m->v + from, m->n - from, sizeof *m->v, by_base_name);
		return true;
	}
	if (!m->mbox && !m->guess)
		return add_unit(m, path, NULL, 0);
	p = take_file(path, &n);
	if (p && !m->mbox && !is_separator(p, n)) {
		give_back(p, n);
		return add_unit(m, path, NULL, 0);
	}
	if (!p) {
		complain(path);
		m->failed = true;
		return true;
	}
	return keep_file(m, p, n) && add_mbox(m, path, p, n);
}

bool mails_add_list(struct mails *m, const char *list)
{
	FILE *f = strcmp(list, "-") == 0 ? stdin : fopen(list, "re");
	md_auto(md_free_p) char *line = NULL;
	size_t room = 0;
	ssize_t n;
	bool ok = true;

	m->named = true;
	if (!f) {
		complain(list);
		m->failed = true;
		return true;
	}
	while (ok && (n = getline(&line, &room, f)) >= 0) {
		if (n && line[n - 1] == '\n')
			line[n - 1] = '\0';
		ok = !*line || mails_add_path(m, line);
	}
	if (f != stdin)
		fclose(f);
	return ok;
}

bool mails_add_stdin(struct mails *m)
{
	const uint8_t *bytes;
	ssize_t more = fill(&m->input);
	size_t n = m->input.len;

	if (more < 0 || (more > 0 && !spool_stdin(m)))
		return false;
	bytes = more > 0 ? m->spool : (const uint8_t *)buf_str(&m->input);
	n = more > 0 ? m->spooled : n;
	return m->mbox ? add_mbox(m, NULL, bytes, n) : add_unit(m, NULL, bytes, n);
}

const uint8_t *mails_open(const struct mails_unit *u, size_t *ret_n)
{
	const uint8_t *p = u->bytes;

	*ret_n = u->n;
	if (!p)
		p = take_file(u->path, ret_n);
	if (!p)
		complain(u->path);
	return p;
}

void mails_close(const struct mails_unit *u, const uint8_t *bytes, size_t n)
{
	if (!u->bytes)
		give_back(bytes, n);
}

int cmd_find_mailbox(const char *name, const struct desk *d, const char *title, int64_t *ret)
{
	for (size_t i = 0; i < d->n_mailboxes; i++)
		if (title ? strcmp(d->mailboxes[i].conf->title, title) == 0 : d->n_mailboxes == 1) {
			*ret = d->mailboxes[i].id;
			return EX_OK;
		}
	fprintf(stderr, "maildesk %s: --mailbox NAME must be one of:", name);
	for (size_t i = 0; i < d->n_mailboxes; i++)
		fprintf(stderr, " %s", d->mailboxes[i].conf->title);
	fputc('\n', stderr);
	return EX_USAGE;
}
