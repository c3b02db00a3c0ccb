/* JSON written straight into the answer. Whether a comma is due shows in the last byte: a value
 * never ends with an opening bracket or a colon. */
#include "api_private.h"

#include <maildesk/desk/reason.h>

#include <string.h>

static void key_of(struct buf *out, const char *key)
{
	char last = out->len ? out->data[out->len - 1] : '{';

	if (last != '{' && last != '[' && last != ':')
		buf_addc(out, ',');
	if (!key)
		return;
	json_write_string(out, key, strlen(key));
	buf_addc(out, ':');
}

void show_begin(struct buf *out, const char *key, char bracket)
{
	key_of(out, key);
	buf_addc(out, bracket);
}

void show_end(struct buf *out, char bracket)
{
	buf_addc(out, bracket);
}

void show_text(struct buf *out, const char *key, const char *text)
{
	key_of(out, key);
	json_write_string(out, text, text ? strlen(text) : 0);
}

void show_int(struct buf *out, const char *key, int64_t v)
{
	key_of(out, key);
	buf_addi(out, v);
}

void show_id(struct buf *out, const char *key, int64_t id)
{
	if (id)
		show_int(out, key, id);
	else
		show_null(out, key);
}

void show_number(struct buf *out, const char *key, double v)
{
	key_of(out, key);
	buf_addf(out, "%.4f", v);
}

void show_bool(struct buf *out, const char *key, bool v)
{
	key_of(out, key);
	buf_adds(out, v ? "true" : "false");
}

void show_time(struct buf *out, const char *key, int64_t ms)
{
	char text[TIME_TEXT_MAX];

	show_text(out, key, ms ? time_format(ms, 1, text) : NULL);
}

void show_null(struct buf *out, const char *key)
{
	show_text(out, key, NULL);
}

void show_raw(struct buf *out, const char *key, const char *json)
{
	key_of(out, key);
	buf_adds(out, json);
}

void show_reason(struct buf *out, const char *text)
{
	struct reason r;

	if (!text || !reason_find(text, &r))
		return;
	buf_addc(out, ',');
	reason_json(out, &r);
}

void show_actor(struct buf *out, const char *key, int64_t id, const char *name, const char *role)
{
	if (!id) {
		show_null(out, key);
		return;
	}
	show_begin(out, key, '{');
	show_int(out, "id", id);
	show_text(out, "name", name);
	show_text(out, "role", role);
	show_end(out, '}');
}

void show_texts(struct buf *out, const char *key, const struct rec_strs *texts)
{
	show_begin(out, key, '[');
	for (size_t i = 0; i < texts->n; i++)
		show_text(out, NULL, texts->v[i]);
	show_end(out, ']');
}
