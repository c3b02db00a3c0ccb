/* One ticket of a Request Tracker as lines. What RT has and a desk does not is left out with a line
 * whose type nobody knows, so that the report tells it. */
#include <maildesk/cmd/import_rt.h>

#include <maildesk/base/clock.h>
#include <maildesk/base/codec.h>

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { HISTORY_PAGE = 100, FILE_MAX = 256 << 20, PATH_BYTES = 256 };

int64_t rt_number(const json_t *v)
{
	return json_is_integer(v)  ? json_integer_value(v)
	       : json_is_string(v) ? strtoll(json_string_value(v), NULL, 10)
				   : 0;
}

static const char *text(const json_t *j, const char *key)
{
	const char *s = json_string_value(json_object_get(j, key));

	return s && *s ? s : NULL;
}

/* RT writes 1970 for "never". */
static json_t *when(const json_t *j, const char *key)
{
	const char *s = text(j, key);

	return s && strncmp(s, "1970-01-01", 10) != 0 ? json_string(s) : NULL;
}

static void set(json_t *line, const char *key, json_t *v)
{
	if (v)
		json_object_set_new(line, key, v);
}

static void set_text(json_t *line, const char *key, const char *s)
{
	if (s)
		json_object_set_new(line, key, json_string(s));
}

/* Not for us, or RT itself fails at it (5.0 does at some transactions): the rest goes on. */
static bool is_unreadable(int rc)
{
	return rc == MD_NOTFOUND || rc == MD_REFUSED || rc == MD_UNKNOWN;
}

static void tell(struct rt *rt, const char *what)
{
	rt_put(rt, json_pack("{s:o}", "type", json_sprintf("RT %s that cannot be read", what)));
}

/* ---- people ---- */

static void put_user(struct rt *rt, const json_t *u, const char *address)
{
	json_t *line = json_pack("{s:s, s:s}", "type", "user", "email", address);

	set_text(line, "name", text(u, "RealName") ? text(u, "RealName") : text(u, "Name"));
	set_text(line, "role", rt_number(json_object_get(u, "Privileged")) ? "agent" : "customer");
	rt_put(rt, line);
}

/* Address of the user an object like {"id": "root", "type": "user"} names; NULL: nobody. */
static int find_user(struct rt *rt, const json_t *who, const char **ret, struct md_err *err)
{
	const char *id = text(who, "id");
	md_auto(buf_done) struct buf path = BUF_INIT(PATH_BYTES);
	md_auto(json_decref_p) json_t *u = NULL;
	const char *address;
	int rc;

	*ret = NULL;
	if (!id || strcmp(id, "Nobody") == 0 || strcmp(id, "RT_System") == 0)
		return MD_OK;
	if (!rt->users)
		rt->users = json_object();
	if (json_object_get(rt->users, id)) {
		*ret = json_string_value(json_object_get(rt->users, id));
		return MD_OK;
	}
	buf_adds(&path, "/user/");
	rest_escape(&path, id);
	rc = rest_get(rt->rest, buf_str(&path), &u, err);
	if (rc != MD_OK && !is_unreadable(rc))
		return rc;
	address = rc == MD_OK ? text(u, "EmailAddress") : NULL;
	address = address ? address : strchr(id, '@') ? id : NULL;
	if (address && rc == MD_OK)
		put_user(rt, u, address);
	json_object_set_new(rt->users, id, address ? json_string(address) : json_null());
	*ret = json_string_value(json_object_get(rt->users, id));
	return MD_OK;
}

static int set_user(struct rt *rt, json_t *line, const char *key, const json_t *who,
		    struct md_err *err)
{
	const char *address;
	int rc = find_user(rt, who, &address, err);

	set_text(line, key, address);
	return rc;
}

/* The members of a role, which is an object or an array of them. */
static const json_t *member(const json_t *role, size_t i)
{
	return json_is_array(role) ? json_array_get(role, i) : i == 0 ? role : NULL;
}

static int put_participants(struct rt *rt, int64_t id, const json_t *role, size_t from,
			    const char *as, struct md_err *err)
{
	const json_t *who;
	int rc = MD_OK;

	for (size_t i = from; rc == MD_OK && (who = member(role, i)); i++) {
		const char *address;

		rc = find_user(rt, who, &address, err);
		if (rc == MD_OK && address)
			rt_put(rt,
			       json_pack("{s:s, s:I, s:s, s:s}", "type", "participant", "ticket",
					 (json_int_t)id, "user", address, "role", as));
	}
	return rc;
}

/* ---- words of RT ---- */

static const struct {
	const char *theirs, *ours;
} statuses[] = { { "new", "open" },          { "open", "in_progress" }, { "stalled", "pending" },
		 { "resolved", "resolved" }, { "rejected", "closed" },  { "deleted", "closed" } };

static const char *status_of(const char *theirs)
{
	for (size_t i = 0; theirs && i < MD_COUNT(statuses); i++)
		if (strcmp(statuses[i].theirs, theirs) == 0)
			return statuses[i].ours;
	return theirs;
}

/* RT 5 calls 0, 50 and 100 low, medium and high; where nothing was set stands 0 too. */
static const char *priority_of(int64_t n)
{
	return n > 100 ? "critical" : n > 66 ? "high" : n == 0 || n > 33 ? "medium" : "low";
}

static int set_queue(struct rt *rt, json_t *line, const json_t *queue, struct md_err *err)
{
	const char *id = text(queue, "id");
	md_auto(json_decref_p) json_t *q = NULL;
	char path[PATH_BYTES];
	int rc = MD_OK;

	if (!rt->queues)
		rt->queues = json_object();
	if (text(queue, "Name")) {
		set_text(line, "category", text(queue, "Name"));
		return MD_OK;
	}
	if (!id)
		return MD_OK;
	if (!json_object_get(rt->queues, id)) {
		snprintf(path, sizeof path, "/queue/%" PRId64,
			 rt_number(json_object_get(queue, "id")));
		rc = rest_get(rt->rest, path, &q, err);
		if (rc != MD_OK && !is_unreadable(rc))
			return rc;
		json_object_set_new(rt->queues, id,
				    json_string(text(q, "Name") ? text(q, "Name") : id));
	}
	set_text(line, "category", text(rt->queues, id));
	return MD_OK;
}

/* ---- the ticket ---- */

static json_t *custom_fields(const json_t *t)
{
	const json_t *all = json_object_get(t, "CustomFields");
	json_t *fields = json_object();

	for (size_t i = 0; i < json_array_size(all); i++) {
		const json_t *f = json_array_get(all, i), *values = json_object_get(f, "values");
		md_auto(buf_done) struct buf value = BUF_INIT(64 << 10);

		for (size_t k = 0; k < json_array_size(values); k++) {
			const char *v = json_string_value(json_array_get(values, k));

			buf_addf(&value, "%s%s", value.len ? ", " : "", v ? v : "");
		}
		if (value.len && value.status == MD_OK && text(f, "name"))
			json_object_set_new(fields, text(f, "name"), json_string(buf_str(&value)));
	}
	return fields;
}

static int put_ticket(struct rt *rt, int64_t id, const json_t *t, struct md_err *err)
{
	const json_t *requestors = json_object_get(t, "Requestor");
	const char *title = text(t, "Subject"), *status = text(t, "Status");
	json_t *line = json_pack("{s:s, s:I, s:s, s:s}", "type", "ticket", "id", (json_int_t)id,
				 "title", title ? title : "(no subject)", "priority",
				 priority_of(rt_number(json_object_get(t, "Priority"))));
	int rc = set_user(rt, line, "requester", member(requestors, 0), err);

	if (rc == MD_OK && !json_object_get(line, "requester"))
		rc = set_user(rt, line, "requester", json_object_get(t, "Creator"), err);
	if (rc == MD_OK)
		rc = set_user(rt, line, "created_by", json_object_get(t, "Creator"), err);
	if (rc == MD_OK)
		rc = set_user(rt, line, "assignee", json_object_get(t, "Owner"), err);
	if (rc == MD_OK)
		rc = set_queue(rt, line, json_object_get(t, "Queue"), err);
	set_text(line, "status", status_of(status));
	set(line, "created_at", when(t, "Created"));
	set(line, "updated_at", when(t, "LastUpdated"));
	set(line, "due_at", when(t, "Due"));
	set(line, "resolved_at", when(t, "Resolved"));
	if (status && strcmp(status, "rejected") == 0)
		set(line, "closed_at", when(t, "Resolved"));
	if (status && strcmp(status, "deleted") == 0)
		set(line, "deleted_at", when(t, "LastUpdated"));
	set(line, "time_spent_ms",
	    json_integer(rt_number(json_object_get(t, "TimeWorked")) * 60000));
	set(line, "fields", custom_fields(t));
	if (rc != MD_OK) {
		json_decref(line);
		return rc;
	}
	rt_put(rt, line);
	rc = put_participants(rt, id, requestors, 1, "cc", err);
	if (rc == MD_OK)
		rc = put_participants(rt, id, json_object_get(t, "Cc"), 0, "cc", err);
	return rc == MD_OK
		       ? put_participants(rt, id, json_object_get(t, "AdminCc"), 0, "watcher", err)
		       : rc;
}

/* Each link is said at both ends in RT; a line that comes before its other end is not taken, the
 * one of the other end is. */
static void put_links(struct rt *rt, int64_t id, const json_t *t)
{
	static const struct {
		const char *theirs, *ours;
		bool turned; /* the other one blocks this, is its parent */
	} kinds[] = { { "depends-on", "blocks", true },  { "depended-on-by", "blocks", false },
		      { "parent", "parent", true },      { "child", "parent", false },
		      { "refers-to", "relates", false }, { "referred-to-by", "relates", true } };
	const json_t *all = json_object_get(t, "_hyperlinks");

	for (size_t i = 0; i < json_array_size(all); i++) {
		const json_t *h = json_array_get(all, i);
		const char *ref = text(h, "ref"), *type = text(h, "type");
		int64_t other = rt_number(json_object_get(h, "id"));

		for (size_t k = 0; k < MD_COUNT(kinds); k++) {
			if (!ref || !type || strcmp(type, "ticket") != 0 || other >= id ||
			    other < 1 || strcmp(ref, kinds[k].theirs) != 0)
				continue;
			rt_put(rt, json_pack("{s:s, s:I, s:s, s:I}", "type", "link", "ticket",
					     (json_int_t)(kinds[k].turned ? other : id), "link",
					     kinds[k].ours, "other",
					     (json_int_t)(kinds[k].turned ? id : other)));
		}
	}
}

/* ---- its history ---- */

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
	set_text(line, "filename", text(a, "Filename"));
	set_text(line, "content_type", text(a, "ContentType"));
	json_array_append_new(ret->files, line);
	return rc;
}

static void take_message_id(struct rt *rt, int64_t ticket, const json_t *a)
{
	const char *id = text(a, "MessageId");
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
	const char *content = text(a, "Content");
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
	if (is_unreadable(rc))
		tell(rt, "attachment");
	if (rc != MD_OK)
		return is_unreadable(rc) ? MD_OK : rc;
	take_message_id(rt, ticket, a);
	type = text(a, "ContentType");
	if (!decode(a, &bytes) || !bytes.len)
		return MD_OK;
	if (text(a, "Filename"))
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
			  strcmp(text(x, "Type"), "Comment") == 0);

	set_text(line, "author", author);
	set(line, "created_at", when(x, "Created"));
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
		const char *ref = text(h, "ref"), *url = text(h, "_url");
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
	const char *type = text(x, "Type"), *old = text(x, "OldValue"), *new = text(x, "NewValue");
	bool is_status = strcmp(action, "status") == 0;
	json_t *line = json_pack("{s:s, s:I, s:s, s:b, s:s}", "type", "history", "ticket",
				 (json_int_t)ticket, "action", action, "public",
				 is_status || strcmp(type, "Create") == 0, "source", "api");

	set_text(line, "actor", actor);
	set(line, "at", when(x, "Created"));
	set_text(line, "old", is_status ? status_of(old) : old);
	set_text(line, "new", is_status ? status_of(new) : new);
	rt_put(rt, line);
}

static const char *action_of(const json_t *x)
{
	static const char *const fields[][2] = { { "Subject", "title" },
						 { "Priority", "priority" } };
	const char *type = text(x, "Type"), *field = text(x, "Field");

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
	if (is_unreadable(rc))
		tell(rt, "transaction");
	if (rc != MD_OK)
		return is_unreadable(rc) ? MD_OK : rc;
	type = text(x, "Type");
	if (!type)
		return MD_OK;
	rc = find_user(rt, json_object_get(x, "Creator"), &actor, err);
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
						  text(x, "Field") ? " " : "",
						  text(x, "Field") ? text(x, "Field") : "")));
	return MD_OK;
}

static int take_history(struct rt *rt, int64_t ticket, struct md_err *err)
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

int rt_ticket(struct rt *rt, int64_t id, struct md_err *err)
{
	md_auto(json_decref_p) json_t *t = NULL;
	int64_t into;
	char path[PATH_BYTES];
	int rc;

	snprintf(path, sizeof path, "/ticket/%" PRId64, id);
	rc = rest_get(rt->rest, path, &t, err);
	if (is_unreadable(rc)) {
		tell(rt, "ticket");
		return MD_OK;
	}
	if (rc == MD_OK)
		rc = put_ticket(rt, id, t, err);
	if (rc == MD_OK)
		rc = take_history(rt, id, err);
	if (rc != MD_OK)
		return rc;
	put_links(rt, id, t);
	into = rt_number(json_object_get(json_object_get(t, "EffectiveId"), "id"));
	if (into && into < id)
		rt_put(rt, json_pack("{s:s, s:I, s:I}", "type", "merged", "ticket", (json_int_t)id,
				     "into", (json_int_t)into));
	return MD_OK;
}
