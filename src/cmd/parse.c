/* `maildesk parse`: messages from files, a Maildir, an mbox or standard input, one JSON object a
 * line. Work goes out in batches of units to one process a core; the parent takes the batches back
 * in turn, so that the order is that of the arguments and memory does not grow with their number.
 */
#include <maildesk/cmd/cmd.h>
#include <maildesk/cmd/explain.h>
#include <maildesk/cmd/mails.h>
#include <maildesk/cmd/options.h>

#include <maildesk/base/io.h>
#include <maildesk/base/json.h>
#include <maildesk/base/mem.h>
#include <maildesk/mail/charset.h>
#include <maildesk/mail/message.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

enum {
	BATCH = 32,
	WORKERS_MAX = 64,
	ARENA_MAX = 256 << 20,
	OUTPUT_MAX = 1 << 30,
};

/* ---- output ---- */

static void print_message(const struct mails *j, const struct mails_unit *u,
			  const struct message *m, struct buf *out)
{
	md_auto(buf_done) struct buf name = BUF_INIT(65536);
	size_t at;

	if (j->named && u->path) {
		charset_to_utf8(span_of(""), span_of(u->path), &name);
		buf_adds(out, "{\"file\": ");
		json_write_string(out, buf_str(&name), name.len);
	}
	at = out->len;
	rec_json(out, &message_rec, m);
	if (j->named && u->path && out->status == MD_OK)
		out->data[at] = ','; /* the object goes on */
	buf_addc(out, '\n');
}

/* Reads one unit; false when its file cannot be read. */
static bool read_unit(const struct mails *j, const struct mails_unit *u, struct arena *arena,
		      struct buf *out)
{
	static const char *no_memory[] = { "out of memory: not read" };
	struct message m;
	size_t n;
	const uint8_t *p = mails_open(u, &n);

	if (!p)
		return false;
	if (message_read(p, n, arena, &m, NULL) != MD_OK)
		m = (struct message){ .text = "",
				      .reply_text = "",
				      .evidence = "not read",
				      .defects = { 1, no_memory } };
	print_message(j, u, &m, out);
	arena_reset(arena);
	mails_close(u, p, n);
	return true;
}

struct batch_head {
	size_t bytes;
	bool failed;
};

static bool read_exactly(int fd, void *bytes, size_t n)
{
	char *p = bytes;

	while (n) {
		ssize_t done = read(fd, p, n);

		if (done == 0 || (done < 0 && errno != EINTR))
			return false;
		if (done > 0) {
			p += done;
			n -= (size_t)done;
		}
	}
	return true;
}

/* Batches first, first + step, ... each as a head and its lines. */
static bool work(const struct mails *j, size_t first, size_t step, int fd, bool framed,
		 bool *ret_failed)
{
	md_auto(arena_done) struct arena arena = ARENA_INIT(ARENA_MAX);
	md_auto(buf_done) struct buf out = BUF_INIT(OUTPUT_MAX);

	for (size_t b = first; b * BATCH < j->n; b += step) {
		struct batch_head head = { 0 };

		for (size_t i = b * BATCH; i < j->n && i < (b + 1) * BATCH; i++)
			if (!read_unit(j, &j->v[i], &arena, &out))
				head.failed = true;
		head.bytes = out.len;
		*ret_failed = *ret_failed || head.failed;
		if (out.status != MD_OK || (framed && !io_write_all(fd, &head, sizeof head)) ||
		    !io_write_all(fd, buf_str(&out), out.len))
			return false;
		buf_reset(&out);
	}
	return true;
}

struct worker {
	pid_t pid;
	int fd;
};

static bool start_worker(const struct mails *j, struct worker *w, size_t k, size_t workers)
{
	int fds[2];
	bool failed = false;

	if (pipe2(fds, O_CLOEXEC) != 0)
		return false;
	w->pid = fork();
	if (w->pid == 0) {
		close(fds[0]);
		_exit(work(j, k, workers, fds[1], true, &failed) ? 0 : EX_OSERR);
	}
	close(fds[1]);
	w->fd = fds[0];
	return w->pid > 0;
}

/* Takes the batches back in order. False when a worker died. */
static bool collect(struct mails *j, struct worker *w, size_t workers)
{
	md_auto(md_free_p) char *bytes = NULL;
	size_t room = 0;

	for (size_t b = 0; b * BATCH < j->n; b++) {
		struct batch_head head;

		if (!read_exactly(w[b % workers].fd, &head, sizeof head))
			return false;
		if (head.bytes > room) {
			char *more = md_realloc(bytes, head.bytes);

			if (!more)
				return false;
			bytes = more;
			room = head.bytes;
		}
		if (!read_exactly(w[b % workers].fd, bytes, head.bytes) ||
		    !io_write_all(STDOUT_FILENO, bytes, head.bytes))
			return false;
		j->failed = j->failed || head.failed;
	}
	return true;
}

static bool run_parallel(struct mails *j, size_t workers)
{
	struct worker w[WORKERS_MAX];
	size_t started = 0;
	bool ok = true;
	int status;

	while (ok && started < workers) {
		ok = start_worker(j, &w[started], started, workers);
		started += ok;
	}
	ok = ok && collect(j, w, workers);
	for (size_t k = 0; k < started; k++) {
		close(w[k].fd);
		ok = waitpid(w[k].pid, &status, 0) > 0 && ok;
	}
	return ok;
}

static bool run(struct mails *j)
{
	long cores = sysconf(_SC_NPROCESSORS_ONLN);
	size_t batches = (j->n + BATCH - 1) / BATCH;
	size_t workers = cores < 1 ? 1 : cores > WORKERS_MAX ? WORKERS_MAX : (size_t)cores;

	if (workers > batches)
		workers = batches;
	return workers <= 1 ? work(j, 0, 1, STDOUT_FILENO, false, &j->failed)
			    : run_parallel(j, workers);
}

/* ---- the command ---- */

int cmd_parse(int argc, char **argv)
{
	md_auto(mails_done) struct mails j = MAILS_INIT;
	const char *list = NULL;
	bool ok = true, explain = false;
	const struct cmd_option options[] = {
		{ "explain", NULL, &explain,
		  "for people: parts, the decision of each stage, what was folded" },
		{ "files-from", "LIST", &list,
		  "also the files named in LIST, one a line (- for standard input)" },
		{ "mbox", NULL, &j.mbox,
		  "each FILE holds several messages, divided by \"From \" lines" },
		CMD_OPTIONS_END,
	};
	const struct cmd_usage usage = {
		"parse",
		"[FILE | MAILDIR]...",
		"Reads mail and prints each message as one JSON object a line. Without FILE: "
		"standard "
		"input.\nExit code 66 when a file could not be read (the others are still done).",
		options,
		0,
		CMD_ARGS_ANY,
	};
	int first, rc;

	if (!cmd_options(&usage, argc, argv, &first, &rc))
		return rc;
	md_large_blocks_apart();
	j.named = argc - first > 1 || j.mbox;
	if (list)
		ok = mails_add_list(&j, list);
	for (int i = first; ok && i < argc; i++)
		ok = mails_add_path(&j, argv[i]);
	if (ok && !list && first == argc)
		ok = mails_add_stdin(&j);
	if (!ok || !(explain ? explain_mails(&j) : run(&j))) {
		fprintf(stderr, "maildesk: parse: %s\n", errno ? strerror(errno) : "stopped");
		return EX_OSERR;
	}
	return j.failed ? EX_NOINPUT : EX_OK;
}
