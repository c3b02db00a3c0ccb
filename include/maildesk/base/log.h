/* log.h - one line a fact, with fields that journald and people can filter by.
 *
 * Remote text is escaped: no line breaks, control bytes or terminal sequences reach the log, so a
 * mail cannot forge a line. Credentials and message bodies are never passed in, at any level. */
#ifndef MAILDESK_BASE_LOG_H
#define MAILDESK_BASE_LOG_H

#include <stdint.h>

enum log_level { LOG_ERROR = 3, LOG_WARN = 4, LOG_NOTICE = 5, LOG_INFO = 6, LOG_DEBUG = 7 };
enum log_format {
	LOG_AUTO,    /* journald when it is what stderr leads to, else plain */
	LOG_PLAIN,   /* 2026-11-20T10:00:00.123Z info desk: text mailbox=support uid=7 */
	LOG_JSON,    /* one object a line */
	LOG_JOURNAL, /* journald's native protocol, fields as MAILDESK_MAILBOX=... */
};

/* What a line is about; zero and NULL members are left out. */
struct log_ctx {
	const char *mailbox;
	const char *message_id;
	int64_t uid, message, ticket;
};

extern const char *const log_format_names[]; /* ended by NULL */
#define LOG_VARIABLE "MAILDESK_LOG"          /* in the environment: what LOG_AUTO is */

/* `role` names the process in every line; borrowed for good. Call before threads start. */
void log_init(const char *role, enum log_format format, enum log_level most_verbose);
void log_write(enum log_level level, const struct log_ctx *ctx, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

#define log_error(ctx, ...) log_write(LOG_ERROR, ctx, __VA_ARGS__)
#define log_warn(ctx, ...) log_write(LOG_WARN, ctx, __VA_ARGS__)
#define log_notice(ctx, ...) log_write(LOG_NOTICE, ctx, __VA_ARGS__)
#define log_info(ctx, ...) log_write(LOG_INFO, ctx, __VA_ARGS__)
#define log_debug(ctx, ...) log_write(LOG_DEBUG, ctx, __VA_ARGS__)

#endif
