/* One ticket of a Request Tracker as lines. What RT has and a desk does not is left out with a line
 * whose type nobody knows, so that the report tells it. */
#include "import_rt_priv.h"

#include <maildesk/base/clock.h>

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

int64_t rt_number(const json_t *v)
{
	return json_is_integer(v)  ? json_integer_value(v)
	       : json_is_string(v) ? strtoll(json_string_value(v), NULL, 10)
				   : 0;
}

const char *rt_text(const json_t *j, const char *key)
{
	const char *s = json_string_value(json_object_get(j, key));

	return s && *s ? s : NULL;
}

json_t *rt_when(const json_t *j, const char *key)
{
	const char *s = rt_text(j, key);

	return s && strncmp(s, "1970-01-01", 10) != 0 ? json_string(s) : NULL;
}

void rt_set(json_t *line, const char *key, json_t *v)
{
	if (v)
		json_object_set_new(line, key, v);
}

void rt_set_text(json_t *line, const char *key, const char *s)
{
	if (s)
		json_object_set_new(line, key, json_string(s));
}

bool rt_is_unreadable(int rc)
{
	return rc == MD_NOTFOUND || rc == MD_REFUSED || rc == MD_UNKNOWN;
}

void rt_tell_unreadable(struct rt *rt, const char *what)
{
	rt_put(rt, json_pack("{s:o}", "type", json_sprintf("RT %s that cannot be read", what)));
}

/* ---- people ---- */

static void put_user(struct rt *rt, const json_t *u, const char *address)
{
	json_t *line = json_pack("{s:s, s:s}", "type", "user", "email", address);

	rt_set_text(line, "name",
		    rt_text(u, "RealName") ? rt_text(u, "RealName") : rt_text(u, "Name"));
	rt_set_text(line, "role",
		    rt_number(json_object_get(u, "Privileged")) ? "agent" : "customer");
	rt_put(rt, line);
}

int rt_find_user(struct rt *rt, const json_t *who, const char **ret, struct md_err *err)
{
	const char *id = rt_text(who, "id");
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
	if (rc != MD_OK && !rt_is_unreadable(rc))
		return rc;
	address = rc == MD_OK ? rt_text(u, "EmailAddress") : NULL;
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
	int rc = rt_find_user(rt, who, &address, err);

	rt_set_text(line, key, address);
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

		rc = rt_find_user(rt, who, &address, err);
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

const char *rt_status_of(const char *theirs)
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
	const char *id = rt_text(queue, "id");
	md_auto(json_decref_p) json_t *q = NULL;
	char path[PATH_BYTES];
	int rc = MD_OK;

	if (!rt->queues)
		rt->queues = json_object();
	if (rt_text(queue, "Name")) {
		rt_set_text(line, "category", rt_text(queue, "Name"));
		return MD_OK;
	}
	if (!id)
		return MD_OK;
	if (!json_object_get(rt->queues, id)) {
		snprintf(path, sizeof path, "/queue/%" PRId64,
			 rt_number(json_object_get(queue, "id")));
		rc = rest_get(rt->rest, path, &q, err);
		if (rc != MD_OK && !rt_is_unreadable(rc))
			return rc;
		json_object_set_new(rt->queues, id,
				    json_string(rt_text(q, "Name") ? rt_text(q, "Name") : id));
	}
	rt_set_text(line, "category", rt_text(rt->queues, id));
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
		if (value.len && value.status == MD_OK && rt_text(f, "name"))
			json_object_set_new(fields, rt_text(f, "name"),
					    json_string(buf_str(&value)));
	}
	return fields;
}

static int put_ticket(struct rt *rt, int64_t id, const json_t *t, struct md_err *err)
{
	const json_t *requestors = json_object_get(t, "Requestor");
	const char *title = rt_text(t, "Subject"), *status = rt_text(t, "Status");
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
	rt_set_text(line, "status", rt_status_of(status));
	rt_set(line, "created_at", rt_when(t, "Created"));
	rt_set(line, "updated_at", rt_when(t, "LastUpdated"));
	rt_set(line, "due_at", rt_when(t, "Due"));
	rt_set(line, "resolved_at", rt_when(t, "Resolved"));
	if (status && strcmp(status, "rejected") == 0)
		rt_set(line, "closed_at", rt_when(t, "Resolved"));
	if (status && strcmp(status, "deleted") == 0)
		rt_set(line, "deleted_at", rt_when(t, "LastUpdated"));
	rt_set(line, "time_spent_ms",
	       json_integer(rt_number(json_object_get(t, "TimeWorked")) * 60000));
	rt_set(line, "fields", custom_fields(t));
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
		const char *ref = rt_text(h, "ref"), *type = rt_text(h, "type");
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

int rt_ticket(struct rt *rt, int64_t id, struct md_err *err)
{
	md_auto(json_decref_p) json_t *t = NULL;
	int64_t into;
	char path[PATH_BYTES];
	int rc;

	snprintf(path, sizeof path, "/ticket/%" PRId64, id);
	rc = rest_get(rt->rest, path, &t, err);
	if (rt_is_unreadable(rc)) {
		rt_tell_unreadable(rt, "ticket");
		return MD_OK;
	}
	if (rc == MD_OK)
		rc = put_ticket(rt, id, t, err);
	if (rc == MD_OK)
		rc = rt_history(rt, id, err);
	if (rc != MD_OK)
		return rc;
	put_links(rt, id, t);
	into = rt_number(json_object_get(json_object_get(t, "EffectiveId"), "id"));
	if (into && into < id)
		rt_put(rt, json_pack("{s:s, s:I, s:I}", "type", "merged", "ticket", (json_int_t)id,
				     "into", (json_int_t)into));
	return MD_OK;
}
