/* A line is built whole and leaves in one write, so lines of several threads and roles never mix.
 */
#include <maildesk/base/buf.h>
#include <maildesk/base/clock.h>
#include <maildesk/base/err.h>
#include <maildesk/base/json.h>
#include <maildesk/base/log.h>
#include <maildesk/base/utf8.h>

#include <endian.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum { LINE_MAX_BYTES = 8192 };

static struct {
	const char *role;
	enum log_format format;
	enum log_level most_verbose;
	int journal;
} state = { "maildesk", LOG_PLAIN, LOG_INFO, -1 };

const char *const log_format_names[] = { "auto", "plain", "json", "journal", NULL };

static const char *const level_names[] = {
	[LOG_ERROR] = "error", [LOG_WARN] = "warn",   [LOG_NOTICE] = "notice",
	[LOG_INFO] = "info",   [LOG_DEBUG] = "debug",
};

/* systemd.exec(5): JOURNAL_STREAM names the device and inode of stderr when journald reads it. */
static int stderr_is_journal(void)
{
	const char *stream = getenv("JOURNAL_STREAM");
	unsigned long long dev, ino;
	struct stat st;

	return stream && sscanf(stream, "%llu:%llu", &dev, &ino) == 2 &&
	       fstat(STDERR_FILENO, &st) == 0 && st.st_dev == dev && st.st_ino == ino;
}

/* What serve was told, which its roles are to do too. */
static enum log_format format_of_environment(void)
{
	const char *name = getenv(LOG_VARIABLE);

	for (int i = 0; name && log_format_names[i]; i++)
		if (strcmp(log_format_names[i], name) == 0)
			return (enum log_format)i;
	return LOG_AUTO;
}

static int journal_connect(void)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX,
				  .sun_path = "/run/systemd/journal/socket" };
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd >= 0 && connect(fd, (struct sockaddr *)&to, sizeof to) != 0) {
		close(fd);
		fd = -1;
	}
	return fd;
}

void log_init(const char *role, enum log_format format, enum log_level most_verbose)
{
	state.role = role;
	state.most_verbose = most_verbose;
	if (format == LOG_AUTO)
		format = format_of_environment();
	if (format == LOG_AUTO)
		format = stderr_is_journal() ? LOG_JOURNAL : LOG_PLAIN;
	if (format == LOG_JOURNAL && state.journal < 0) {
		state.journal = journal_connect();
		if (state.journal < 0)
			format = LOG_PLAIN;
	}
	state.format = format;
}

static void add_quoted(struct buf *line, const char *s)
{
	int plain = s[0] && !strpbrk(s, " \"=\\");

	if (plain)
		buf_adds(line, s);
	else
		json_write_string(line, s, strlen(s));
}

static void plain_field(struct buf *line, const char *key, const char *value)
{
	buf_addf(line, " %s=", key);
	add_quoted(line, value);
}

static void json_field(struct buf *line, const char *key, const char *value)
{
	buf_addf(line, ",\"%s\":", key);
	json_write_string(line, value, strlen(value));
}

/* The length-prefixed form of the native protocol: no value can break out of its field. */
static void journal_field(struct buf *line, const char *key, const char *value)
{
	uint64_t n = htole64(strlen(value));

	for (const char *k = key; *k; k++)
		buf_addc(line, (char)(*k >= 'a' && *k <= 'z' ? *k - 32 : *k));
	buf_addc(line, '\n');
	buf_add(line, &n, sizeof n);
	buf_adds(line, value);
	buf_addc(line, '\n');
}

typedef void (*field_fn)(struct buf *line, const char *key, const char *value);

static void add_ctx(struct buf *line, const struct log_ctx *ctx, const char *prefix, field_fn field)
{
	const struct {
		const char *key;
		const char *text;
		int64_t number;
	} fields[] = {
		{ "mailbox", ctx->mailbox, 0 },    { "uid", NULL, ctx->uid },
		{ "message", NULL, ctx->message }, { "message_id", ctx->message_id, 0 },
		{ "ticket", NULL, ctx->ticket },
	};

	for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
		struct buf clean = BUF_INIT(1000);
		char key[48], number[24];

		if (!fields[i].text && !fields[i].number)
			continue;
		snprintf(key, sizeof key, "%s%s", prefix, fields[i].key);
		snprintf(number, sizeof number, "%lld", (long long)fields[i].number);
		if (fields[i].text)
			utf8_clean_line(&clean, fields[i].text, strlen(fields[i].text));
		field(line, key, fields[i].text ? buf_str(&clean) : number);
		buf_done(&clean);
	}
}

static void write_line(enum log_level level, const struct log_ctx *ctx, const char *text)
{
	static const struct log_ctx none;
	struct buf line = BUF_INIT(LINE_MAX_BYTES);
	char at[TIME_TEXT_MAX], number[16];
	int fd = STDERR_FILENO;

	ctx = ctx ? ctx : &none;
	time_format(clock_wall(&clock_system), 1, at);
	snprintf(number, sizeof number, "%d", (int)level);
	switch (state.format) {
	case LOG_JSON:
		buf_addf(&line, "{\"time\":\"%s\"", at);
		json_field(&line, "level", level_names[level]);
		json_field(&line, "role", state.role);
		json_field(&line, "message", text);
		add_ctx(&line, ctx, "", json_field);
		buf_adds(&line, "}\n");
		break;
	case LOG_JOURNAL:
		journal_field(&line, "message", text);
		journal_field(&line, "priority", number);
		journal_field(&line, "syslog_identifier", "maildesk");
		add_ctx(&line, ctx, "maildesk_", journal_field);
		fd = state.journal;
		break;
	default:
		buf_addf(&line, "%s %s %s: %s", at, level_names[level], state.role, text);
		add_ctx(&line, ctx, "", plain_field);
		buf_addc(&line, '\n');
	}
	if (line.len)
		(void)!write(fd, line.data, line.len); /* nowhere left to say that logging failed */
	buf_done(&line);
}

void log_write(enum log_level level, const struct log_ctx *ctx, const char *fmt, ...)
{
	struct buf raw = BUF_INIT(LINE_MAX_BYTES / 2);
	struct buf clean = BUF_INIT(LINE_MAX_BYTES / 2);
	va_list ap;

	if (level > state.most_verbose)
		return;
	va_start(ap, fmt);
	buf_addv(&raw, fmt, ap);
	va_end(ap);
	utf8_clean_line(&clean, buf_str(&raw), raw.len);
	write_line(level, ctx, buf_str(&clean));
	buf_done(&raw);
	buf_done(&clean);
}
