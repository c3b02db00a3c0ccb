/* record.h - a struct described by a table of its fields.
 *
 * From one table come the form in which the roles pass it between processes, the checks on its
 * arrival (the sender may have been taken over by the mail it read) and the JSON shown to people.
 * A new field of a message is one line.
 *
 *	static const struct rec_field address_fields[] = {
 *		REC(struct mail_address, name, REC_STR, 1000),
 *		REC(struct mail_address, address, REC_STR, 1000),
 *		REC_END,
 *	};
 *	const struct rec address_rec = { "address", sizeof(struct mail_address), address_fields };
 *
 * Wire form: fields in table order, integers as 8 bytes little-endian, everything else behind a
 * 4-byte length or count (absent string: 0xffffffff). */
#ifndef MAILDESK_BASE_RECORD_H
#define MAILDESK_BASE_RECORD_H

#include <maildesk/base/arena.h>
#include <maildesk/base/buf.h>
#include <maildesk/base/err.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct rec_ints {
	size_t n;
	int64_t *v;
};
struct rec_strs {
	size_t n;
	const char **v;
};
struct rec_bytes {
	size_t n;
	const uint8_t *v;
};
struct rec_list {
	size_t n;
	void *v; /* array of n structs of the field's `of` */
};

enum rec_type {
	REC_STR,   /* const char *: UTF-8 without NUL, or NULL */
	REC_STRS,  /* struct rec_strs: no NULL members */
	REC_INT,   /* int64_t */
	REC_BOOL,  /* bool */
	REC_BYTES, /* struct rec_bytes; not shown in JSON */
	REC_SUB,   /* an embedded struct described by `of` */
	REC_LIST,  /* struct rec_list of structs described by `of` */
};

struct rec_field {
	const char *name;
	enum rec_type type;
	size_t at;  /* offset of the member */
	size_t max; /* bytes of a string, count of a list, largest value of an integer */
	const struct rec *of;
	bool hidden;              /* not shown in JSON */
	bool never_null;          /* an absent string is shown as "" */
	const char *const *names; /* of an integer 0..max: shown in JSON instead of it */
};
struct rec {
	const char *name;
	size_t size;
	const struct rec_field *fields;
};
#define REC(S, member, kind, limit)                                                        \
	{                                                                                  \
		.name = #member, .type = (kind), .at = offsetof(S, member), .max = (limit) \
	}
#define REC_NEVER_NULL(S, member, limit)                                                     \
	{                                                                                    \
		.name = #member, .type = REC_STR, .at = offsetof(S, member), .max = (limit), \
		.never_null = true                                                           \
	}
#define REC_HIDDEN(S, member, kind, limit)                                                  \
	{                                                                                   \
		.name = #member, .type = (kind), .at = offsetof(S, member), .max = (limit), \
		.hidden = true                                                              \
	}
#define REC_OF(S, member, kind, limit, sub)                                                 \
	{                                                                                   \
		.name = #member, .type = (kind), .at = offsetof(S, member), .max = (limit), \
		.of = &(sub)                                                                \
	}
#define REC_OF_HIDDEN(S, member, kind, limit, sub)                                          \
	{                                                                                   \
		.name = #member, .type = (kind), .at = offsetof(S, member), .max = (limit), \
		.of = &(sub), .hidden = true                                                \
	}
#define REC_END              \
	{                    \
		.name = NULL \
	}

void rec_pack(struct buf *out, const struct rec *r, const void *object);
/* Every length, count, value and UTF-8 sequence is checked; the whole input must be used up.
 * Strings live in `arena`. Integers must lie in 0..max, or anywhere when max is 0.
 * Expected codes: MD_INPUT, MD_NOMEM. */
int rec_unpack(const struct rec *r, const void *bytes, size_t n, struct arena *arena,
	       void *ret_object, struct md_err *err);
/* Append the object as JSON: the fields that are not hidden, in table order. */
void rec_json(struct buf *out, const struct rec *r, const void *object);

#endif
