#include <maildesk/app/reader.h>
#include <maildesk/base/clock.h>
#include <maildesk/base/fault.h>
#include <maildesk/base/io.h>
#include <maildesk/base/log.h>
#include <maildesk/base/mem.h>

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

/* Address space, not memory: a mail of 50 MB is mapped, its text may be copied a few times. */
#define READER_MEMORY ((size_t)1 << 30)

int reader_send(struct channel *ch, int64_t seq, const uint8_t *raw, size_t n, int fd,
		const struct rec_strs *fields, struct md_err *err)
{
	struct frame_read frame = { .seq = seq, .fields = *fields, .raw = { raw ? n : 0, raw } };

	return channel_put(ch, FRAME_READ, &frame_read_rec, &frame, raw ? -1 : fd, err);
}

int reader_answer(const struct frame *f, struct arena *arena, struct frame_fields *ret,
		  struct md_err *err)
{
	if (f->fd >= 0)
		close(f->fd);
	if (f->type != FRAME_FIELDS || f->fd >= 0)
		return md_fail(err, MD_INPUT, 0, "unexpected frame %u", f->type);
	return rec_unpack(&frame_fields_rec, f->bytes, f->n, arena, ret, err);
}

/* ---- inside the jail ---- */

static int answer(struct channel *ch, const struct frame_read *asked, const uint8_t *raw, size_t n,
		  struct arena *arena, struct md_err *err)
{
	struct frame_fields fields = { .seq = asked->seq };
	int rc = message_read(raw, n, arena, &fields.message, err);

	if (rc == MD_OK && asked->fields.n)
		rc = message_read_fields(raw, n, &asked->fields, arena, &fields.message, err);
	if (rc == MD_OK)
		rc = message_make_safe_html(&fields.message, arena, err);
	fields.message.html = NULL; /* as it came it stays in here */
	fault_point("parsed");
	if (rc == MD_OK)
		rc = channel_send(ch, FRAME_FIELDS, &frame_fields_rec, &fields, -1, err);
	return rc;
}

static int serve_frame(struct channel *ch, const struct frame *f, struct arena *arena,
		       struct md_err *err)
{
	md_auto(md_close_p) int fd = f->fd;
	struct frame_read frame;
	struct stat st;
	void *map;
	int rc = MD_INPUT;

	if (f->type == FRAME_READ)
		rc = rec_unpack(&frame_read_rec, f->bytes, f->n, arena, &frame, err);
	if (rc != MD_OK || fd < 0)
		return rc == MD_OK ? answer(ch, &frame, frame.raw.v, frame.raw.n, arena, err) : rc;
	if (fstat(fd, &st) != 0 || st.st_size <= 0)
		return answer(ch, &frame, (const uint8_t *)"", 0, arena, err);
	map = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (map == MAP_FAILED)
		return md_fail(err, MD_NOMEM, errno, "mmap: %s", strerror(errno));
	rc = answer(ch, &frame, map, (size_t)st.st_size, arena, err);
	munmap(map, (size_t)st.st_size);
	return rc;
}

int role_read_main(void)
{
	const struct role_jail jail = { .memory_bytes = READER_MEMORY };
	md_auto(channel_free_p) struct channel *ch = NULL;
	struct md_err err = { 0 };
	char missing[200] = "";
	int rc;

	md_large_blocks_apart();
	message_read_prepare();
	rc = channel_new(ROLE_SOCKET_FD, &ch, &err);
	if (rc == MD_OK)
		rc = role_jail_enter(&jail, missing, sizeof missing, &err);
	if (rc == MD_OK && missing[0])
		log_warn(NULL, "this kernel does not hold the reader by: %s", missing);
	while (rc == MD_OK) {
		md_auto(arena_done) struct arena arena = ARENA_INIT(READER_ARENA_MAX);
		struct frame f;

		rc = channel_wait(ch, -1, &f, &err);
		if (rc == MD_OK)
			rc = serve_frame(ch, &f, &arena, &err);
	}
	if (rc == MD_REFUSED)
		return EX_OK; /* the desk closed the socket */
	log_error(NULL, "reader ends: %s", err.text);
	return EX_SOFTWARE;
}

/* ---- one mail after the other ---- */

static int ask(struct reader_run *r, const uint8_t *raw, size_t n, int fd,
	       const struct rec_strs *fields, struct arena *arena, struct message *ret,
	       struct md_err *err)
{
	struct channel *ch = r->role.channel;
	struct frame_fields answer;
	struct frame f;
	int rc = reader_send(ch, ++r->seq, n <= FRAME_INLINE_MAX ? raw : NULL, n, fd, fields, err);

	if (rc == MD_OK)
		rc = channel_wait(ch, READER_TIMEOUT_MS, &f, err);
	if (rc == MD_OK)
		rc = reader_answer(&f, arena, &answer, err);
	if (rc == MD_OK && answer.seq != r->seq)
		rc = md_fail(err, MD_INPUT, 0, "an answer to something else");
	if (rc == MD_OK)
		*ret = answer.message;
	return rc;
}

/* A large mail as an unnamed file, so that it is handed over and not copied through the socket. */
static int spool(const uint8_t *raw, size_t n, int *ret_fd, struct md_err *err)
{
	md_auto(md_close_p) int fd = memfd_create("mail", MFD_CLOEXEC);

	if (fd < 0 || !io_write_all(fd, raw, n))
		return md_fail(err, MD_BROKEN, errno, "spool: %s", strerror(errno));
	*ret_fd = fd;
	fd = -1;
	return MD_OK;
}

void reader_run_done(struct reader_run *r)
{
	role_end(&r->role);
}

int reader_run_read(struct reader_run *r, const uint8_t *raw, size_t n,
		    const struct rec_strs *fields, struct arena *arena, struct message *ret,
		    const char **ret_cause, struct md_err *err)
{
	md_auto(md_close_p) int fd = -1;
	int rc = n > FRAME_INLINE_MAX ? spool(raw, n, &fd, err) : MD_OK;

	for (int attempt = 1; rc == MD_OK; attempt++) {
		if (!r->role.channel)
			rc = role_spawn("read", -1, &r->role, err);
		if (rc != MD_OK)
			break;
		rc = ask(r, raw, n, fd, fields, arena, ret, err);
		if (rc == MD_OK)
			return MD_OK;
		role_end(&r->role);
		*ret_cause = rc == MD_AGAIN ? "parser_timed_out" : "parser_crashed";
		rc = attempt < READER_ATTEMPTS
			     ? MD_OK
			     : md_fail(err, MD_INPUT, 0, "the mail could not be read: %s",
				       *ret_cause);
	}
	return rc;
}

int reader_read_once(const uint8_t *raw, size_t n, const struct rec_strs *fields,
		     struct arena *arena, struct message *ret, const char **ret_cause,
		     struct md_err *err)
{
	md_auto(reader_run_done) struct reader_run alone = { 0 };

	return reader_run_read(&alone, raw, n, fields, arena, ret, ret_cause, err);
}
