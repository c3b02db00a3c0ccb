/* What was said and done on a ticket of a Request Tracker: its transactions as comments, files and
 * history. */
#include "import_rt_priv.h"

#include <maildesk/base/codec.h>

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { HISTORY_PAGE = 100, FILE_MAX = 256 << 20 };

struct texts {
	struct buf body;
	json_t *files; /* of attachment lines without their comment */
};

static int take_file(struct rt *rt, const json_t *a, const struct buf *bytes, struct texts *ret,
		     struct md_err *err)
{
	char path[PORT_PATH_MAX], sha256[SHA256_HEX];
	json_t *line;
	int rc;

	sha256_hex(bytes->data, bytes->len, sha256);
	rc = rt_put_file(rt, bytes, sha256, path, err);
	line = json_pack("{s:s, s:s}", "type", "attachment", "file", path);
	rt_set_text(line, "filename", rt_text(a, "Filename"));
	rt_set_text(line, "content_type", rt_text(a, "ContentType"));
	json_array_append_new(ret->files, line);
	return rc;
}

static void take_message_id(struct rt *rt, int64_t ticket, const json_t *a)
{
	const char *id = rt_text(a, "MessageId");
	md_auto(buf_done) struct buf plain = BUF_INIT(2 << 10);

	if (!id)
		return;
	id += *id == '<';
	buf_add(&plain, id, strcspn(id, ">"));
	if (plain.status == MD_OK)
		rt_put(rt, json_pack("{s:s, s:s, s:I}", "type", "thread", "message_id",
				     buf_str(&plain), "ticket", (json_int_t)ticket));
}

/* Content is base64 in RT's answers. */
static bool decode(const json_t *a, struct buf *out)
{
	const char *content = rt_text(a, "Content");
	uint32_t bits = 0;
	int n = 0;

	for (; content && *content; content++) {
		static const char digits[] =
			"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
		const char *at = strchr(digits, *content);

		if (*content == '=' || *content == '\n' || *content == '\r')
			continue;
		if (!at)
			return false;
		bits = bits << 6 | (uint32_t)(at - digits);
		n += 6;
		if (n >= 8) {
			n -= 8;
			buf_addc(out, (char)(bits >> n & 0xff));
		}
	}
	return out->status == MD_OK;
}

static int take_attachment(struct rt *rt, int64_t ticket, int64_t id, struct texts *ret,
			   struct md_err *err)
{
	md_auto(buf_done) struct buf bytes = BUF_INIT(FILE_MAX);
	md_auto(json_decref_p) json_t *a = NULL;
	char path[PATH_BYTES];
	const char *type;
	int rc;

	snprintf(path, sizeof path, "/attachment/%" PRId64, id);
	rc = rest_get(rt->rest, path, &a, err);
	if (rt_is_unreadable(rc))
		rt_tell_unreadable(rt, "attachment");
	if (rc != MD_OK)
		return rt_is_unreadable(rc) ? MD_OK : rc;
	take_message_id(rt, ticket, a);
	type = rt_text(a, "ContentType");
	if (!decode(a, &bytes) || !bytes.len)
		return MD_OK;
	if (rt_text(a, "Filename"))
		return take_file(rt, a, &bytes, ret, err);
	if (!ret->body.len && type && strcmp(type, "text/plain") == 0)
		buf_add(&ret->body, bytes.data, bytes.len);
	else if (!ret->body.len && type && strcmp(type, "text/html") == 0)
		return take_file(rt, a, &bytes, ret, err); /* a mail without a plain part */
	return MD_OK;
}

static void put_comment(struct rt *rt, int64_t ticket, int64_t id, const json_t *x,
			const char *author, struct texts *t)
{
	json_t *line =
		json_pack("{s:s, s:I, s:I, s:s, s:b}", "type", "comment", "id", (json_int_t)id,
			  "ticket", (json_int_t)ticket, "body", buf_str(&t->body), "internal",
			  strcmp(rt_text(x, "Type"), "Comment") == 0);

	rt_set_text(line, "author", author);
	rt_set(line, "created_at", rt_when(x, "Created"));
	rt_put(rt, line);
	for (size_t i = 0; i < json_array_size(t->files); i++) {
		json_t *file = json_array_get(t->files, i);

		json_object_set_new(file, "comment", json_integer(id));
		rt_put(rt, json_incref(file));
	}
}

static int take_words(struct rt *rt, int64_t ticket, int64_t id, const json_t *x,
		      const char *author, struct md_err *err)
{
	const json_t *all = json_object_get(x, "_hyperlinks");
	struct texts t = { BUF_INIT(FILE_MAX), json_array() };
	int rc = MD_OK;

	for (size_t i = 0; rc == MD_OK && i < json_array_size(all); i++) {
		const json_t *h = json_array_get(all, i);
		const char *ref = rt_text(h, "ref"), *url = rt_text(h, "_url");
		const char *slash = url ? strrchr(url, '/') : NULL;

		if (ref && slash && strcmp(ref, "attachment") == 0)
			rc = take_attachment(rt, ticket, strtoll(slash + 1, NULL, 10), &t, err);
	}
	if (rc == MD_OK && (t.body.len || json_array_size(t.files)))
		put_comment(rt, ticket, id, x, author, &t);
	buf_done(&t.body);
	json_decref(t.files);
	return rc;
}

static void put_history(struct rt *rt, int64_t ticket, const json_t *x, const char *actor,
			const char *action)
{
	const char *type = rt_text(x, "Type"), *old = rt_text(x, "OldValue"),
		   *new = rt_text(x, "NewValue");
	bool is_status = strcmp(action, "status") == 0;
	json_t *line = json_pack("{s:s, s:I, s:s, s:b, s:s}", "type", "history", "ticket",
				 (json_int_t)ticket, "action", action, "public",
				 is_status || strcmp(type, "Create") == 0, "source", "api");

	rt_set_text(line, "actor", actor);
	rt_set(line, "at", rt_when(x, "Created"));
	rt_set_text(line, "old", is_status ? rt_status_of(old) : old);
	rt_set_text(line, "new", is_status ? rt_status_of(new) : new);
	rt_put(rt, line);
}

static const char *action_of(const json_t *x)
{
	static const char *const fields[][2] = { { "Subject", "title" },
						 { "Priority", "priority" } };
	const char *type = rt_text(x, "Type"), *field = rt_text(x, "Field");

	if (strcmp(type, "Create") == 0)
		return "created";
	if (strcmp(type, "Status") == 0)
		return "status";
	for (size_t i = 0; i < MD_COUNT(fields); i++)
		if (strcmp(type, "Set") == 0 && field && strcmp(field, fields[i][0]) == 0)
			return fields[i][1];
	return NULL;
}

static int take_transaction(struct rt *rt, int64_t ticket, int64_t id, struct md_err *err)
{
	md_auto(json_decref_p) json_t *x = NULL;
	const char *type, *actor, *action;
	char path[PATH_BYTES];
	int rc;

	snprintf(path, sizeof path, "/transaction/%" PRId64, id);
	rc = rest_get(rt->rest, path, &x, err);
	if (rt_is_unreadable(rc))
		rt_tell_unreadable(rt, "transaction");
	if (rc != MD_OK)
		return rt_is_unreadable(rc) ? MD_OK : rc;
	type = rt_text(x, "Type");
	if (!type)
		return MD_OK;
	rc = rt_find_user(rt, json_object_get(x, "Creator"), &actor, err);
	if (rc != MD_OK)
		return rc;
	action = action_of(x);
	if (action)
		put_history(rt, ticket, x, actor, action);
	if (strcmp(type, "Create") == 0 || strcmp(type, "Correspond") == 0 ||
	    strcmp(type, "Comment") == 0)
		return take_words(rt, ticket, id, x, actor, err);
	if (!action)
		rt_put(rt, json_pack("{s:o}", "type",
				     json_sprintf("RT transaction %s%s%s", type,
						  rt_text(x, "Field") ? " " : "",
						  rt_text(x, "Field") ? rt_text(x, "Field") : "")));
	return MD_OK;
}

int rt_history(struct rt *rt, int64_t ticket, struct md_err *err)
{
	int rc = MD_OK;

	for (int page = 1; rc == MD_OK; page++) {
		md_auto(json_decref_p) json_t *list = NULL;
		const json_t *items;
		char path[PATH_BYTES];

		snprintf(path, sizeof path, "/ticket/%" PRId64 "/history?per_page=%d&page=%d",
			 ticket, HISTORY_PAGE, page);
		rc = rest_get(rt->rest, path, &list, err);
		items = json_object_get(list, "items");
		for (size_t i = 0; rc == MD_OK && i < json_array_size(items); i++)
			rc = take_transaction(rt, ticket,
					      rt_number(json_object_get(json_array_get(items, i),
									"id")),
					      err);
		if (json_array_size(items) < HISTORY_PAGE)
			break;
	}
	return rc;
}
