/* The desk's lists: teams, organisations, tags, canned replies. Agents read, admins write.
 *
 * They are short, and alike: a row of `kinds` says how one kind is loaded, read from a body, saved
 * and shown; the rest is the same for all. */
#include "api_private.h"

#include <maildesk/base/utf8.h>
#include <maildesk/store/canned.h>
#include <maildesk/store/tags.h>
#include <maildesk/store/teams.h>

#include <string.h>

enum { NAME_MAX_CHARS = 100, TEXT_MAX = 4096 };

/* One of any kind. */
struct entry {
	int64_t id;
	const char *name;
	const char *text, *commands, *tags; /* domains, colour, body */
	int64_t *members;
	size_t n_members;
};

struct catalogue_step {
	struct http_request *q;
	struct http_response *r;
	struct db_conn *c;
	struct arena arena; /* of one run of the transaction */
	const struct kind *kind;
	struct entry entry;
	const char *field; /* the one that could not be used */
};

struct kind {
	int (*list)(struct db_conn *c, struct arena *a, struct entry **ret, size_t *ret_n,
		    struct md_err *err);
	int (*read)(struct catalogue_step *s, struct entry *e, struct md_err *err);
	int (*save)(struct db_conn *c, struct entry *e, struct md_err *err);
	int (*drop)(struct db_conn *c, int64_t id, struct md_err *err);
	void (*show)(struct buf *out, const struct entry *e);
};

static int out_of_memory(struct md_err *err)
{
	return md_fail(err, MD_NOMEM, 0, "out of memory");
}

static int bad(struct catalogue_step *s, const char *field, const char *why, struct md_err *err)
{
	s->field = field;
	return md_fail(err, MD_INPUT, WORK_BAD_VALUE, "%s", why);
}

static struct entry *entries(struct arena *a, size_t n)
{
	return arena_array(a, n ? n : 1, sizeof(struct entry));
}

/* The words of an array, joined by spaces; NULL: one of them is none. */
static const char *join_words(struct arena *a, const json_t *list, bool fold)
{
	md_auto(buf_done) struct buf all = BUF_INIT(TEXT_MAX);

	for (size_t i = 0; i < json_array_size(list); i++) {
		const char *word = json_string_value(json_array_get(list, i));

		if (!*word || strpbrk(word, " \t,"))
			return NULL;
		if (i)
			buf_addc(&all, ' ');
		if (fold)
			utf8_fold(&all, word, strlen(word));
		else
			buf_adds(&all, word);
	}
	return all.status == MD_OK ? arena_strdup(a, buf_str(&all)) : NULL;
}

static void show_words(struct buf *out, const char *key, const char *words)
{
	show_begin(out, key, '[');
	for (size_t n; words && *words; words += n + (words[n] == ' ')) {
		char word[400];

		n = strcspn(words, " ");
		if (n < sizeof word) {
			memcpy(word, words, n);
			word[n] = '\0';
			show_text(out, NULL, word);
		}
	}
	show_end(out, ']');
}

/* ---- teams ---- */

static int list_teams(struct db_conn *c, struct arena *a, struct entry **ret, size_t *ret_n,
		      struct md_err *err)
{
	struct team *teams;
	struct user *users;
	size_t n, m;
	int rc = team_list(c, a, &teams, &n, err);
	struct entry *all = rc == MD_OK ? entries(a, n) : NULL;

	if (rc == MD_OK && !all)
		return out_of_memory(err);
	for (size_t i = 0; rc == MD_OK && i < n; i++) {
		all[i].id = teams[i].id;
		all[i].name = teams[i].name;
		rc = team_members(c, teams[i].id, a, &users, &m, err);
		if (rc != MD_OK)
			break;
		all[i].members = arena_array(a, m + 1, sizeof(int64_t));
		if (!all[i].members)
			return out_of_memory(err);
		for (size_t k = 0; k < m; k++)
			all[i].members[all[i].n_members++] = users[k].id;
	}
	*ret = all;
	*ret_n = n;
	return rc;
}

static int read_team(struct catalogue_step *s, struct entry *e, struct md_err *err)
{
	const json_t *list = json_object_get(s->q->json, "members");
	struct user u;
	size_t n = json_array_size(list);
	int rc = MD_OK;

	if (!list)
		return MD_OK;
	e->members = arena_array(&s->arena, n + 1, sizeof *e->members);
	e->n_members = n;
	if (!e->members)
		return out_of_memory(err);
	for (size_t i = 0; i < n && rc == MD_OK; i++) {
		s->field = arena_printf(s->q->arena, "members.%zu", i);
		rc = api_person(s->c, &s->arena, json_array_get(list, i), false, s->q->now_ms,
				&e->members[i], err);
		if (rc == MD_OK)
			rc = user_get(s->c, e->members[i], &s->arena, &u, err);
		if (rc == MD_OK && (u.disabled_at || strcmp(u.role, "customer") == 0))
			return bad(s, s->field, "only an active agent or admin is of a team", err);
	}
	return rc;
}

static int save_team(struct db_conn *c, struct entry *e, struct md_err *err)
{
	int rc = e->id ? team_rename(c, e->id, e->name, err) : team_add(c, e->name, &e->id, err);

	return rc == MD_OK ? team_set_members(c, e->id, e->members, e->n_members, err) : rc;
}

static void show_team(struct buf *out, const struct entry *e)
{
	show_begin(out, "members", '[');
	for (size_t i = 0; i < e->n_members; i++)
		show_int(out, NULL, e->members[i]);
	show_end(out, ']');
}

/* ---- organisations ---- */

static int list_organisations(struct db_conn *c, struct arena *a, struct entry **ret, size_t *ret_n,
			      struct md_err *err)
{
	struct organisation *rows;
	size_t n;
	int rc = organisation_list(c, a, &rows, &n, err);
	struct entry *all = rc == MD_OK ? entries(a, n) : NULL;

	if (rc == MD_OK && !all)
		return out_of_memory(err);
	for (size_t i = 0; rc == MD_OK && i < n; i++)
		all[i] = (struct entry){ .id = rows[i].id,
					 .name = rows[i].name,
					 .text = rows[i].domains };
	*ret = all;
	*ret_n = n;
	return rc;
}

static int read_organisation(struct catalogue_step *s, struct entry *e, struct md_err *err)
{
	const json_t *list = json_object_get(s->q->json, "domains");

	if (list)
		e->text = join_words(&s->arena, list, true);
	if (!e->text)
		e->text = list ? NULL : "";
	if (!e->text || strchr(e->text, '@'))
		return bad(s, "domains", "must be domains like example.com", err);
	return MD_OK;
}

static int save_organisation(struct db_conn *c, struct entry *e, struct md_err *err)
{
	const struct organisation o = { e->id, e->name, e->text };

	return e->id ? organisation_save(c, &o, err) : organisation_add(c, &o, &e->id, err);
}

static void show_organisation(struct buf *out, const struct entry *e)
{
	show_words(out, "domains", e->text);
}

/* ---- tags ---- */

static int list_tags(struct db_conn *c, struct arena *a, struct entry **ret, size_t *ret_n,
		     struct md_err *err)
{
	struct tag_row *rows;
	size_t n;
	int rc = tag_list(c, a, &rows, &n, err);
	struct entry *all = rc == MD_OK ? entries(a, n) : NULL;

	if (rc == MD_OK && !all)
		return out_of_memory(err);
	for (size_t i = 0; rc == MD_OK && i < n; i++)
		all[i] = (struct entry){ .id = rows[i].id,
					 .name = rows[i].name,
					 .text = rows[i].color };
	*ret = all;
	*ret_n = n;
	return rc;
}

static int read_tag(struct catalogue_step *s, struct entry *e, struct md_err *err)
{
	const char *color = json_get_string(s->q->json, "color");

	if (strpbrk(e->name, ",\t"))
		return bad(s, "name", "must have no comma", err);
	if (color)
		e->text = color;
	if (!e->text)
		e->text = "#808080";
	if (e->text[0] != '#' || strlen(e->text) != 7 ||
	    strspn(e->text + 1, "0123456789abcdefABCDEF") != 6)
		return bad(s, "color", "must be a colour like #1e90ff", err);
	return MD_OK;
}

static int save_tag(struct db_conn *c, struct entry *e, struct md_err *err)
{
	struct tag_row t = { e->id, e->name, e->text };
	int rc = tag_save(c, &t, err);

	e->id = t.id;
	return rc;
}

static void show_tag(struct buf *out, const struct entry *e)
{
	show_text(out, "color", e->text);
}

/* ---- canned replies ---- */

static int list_canned(struct db_conn *c, struct arena *a, struct entry **ret, size_t *ret_n,
		       struct md_err *err)
{
	struct canned *rows;
	size_t n;
	int rc = canned_list(c, a, &rows, &n, err);
	struct entry *all = rc == MD_OK ? entries(a, n) : NULL;

	if (rc == MD_OK && !all)
		return out_of_memory(err);
	for (size_t i = 0; rc == MD_OK && i < n; i++)
		all[i] = (struct entry){ .id = rows[i].id,
					 .name = rows[i].name,
					 .text = rows[i].body,
					 .commands = rows[i].commands,
					 .tags = rows[i].tags };
	*ret = all;
	*ret_n = n;
	return rc;
}

static int read_canned(struct catalogue_step *s, struct entry *e, struct md_err *err)
{
	const json_t *body = s->q->json, *tags = json_object_get(body, "tags");
	const char *text = json_get_string(body, "body");

	if (text)
		e->text = text;
	if (!e->text)
		return bad(s, "body", "is required", err);
	if (json_object_get(body, "commands"))
		e->commands = json_get_string(body, "commands");
	if (tags)
		e->tags = join_words(&s->arena, tags, false);
	if (tags && !e->tags)
		return bad(s, "tags", "must be words", err);
	return work_check_canned(api_by(s->q)->desk,
				 &(struct canned){ e->id, e->name, e->text, e->commands, e->tags },
				 &s->arena, &s->field, err);
}

static int save_canned(struct db_conn *c, struct entry *e, struct md_err *err)
{
	const struct canned r = { e->id, e->name, e->text, e->commands, e->tags };

	return e->id ? canned_save(c, &r, err) : canned_add(c, &r, &e->id, err);
}

static void show_canned(struct buf *out, const struct entry *e)
{
	show_text(out, "body", e->text);
	show_text(out, "commands", e->commands);
	show_words(out, "tags", e->tags);
}

/* ---- all alike ---- */

static const struct kind teams = { list_teams, read_team, save_team, team_remove, show_team };
static const struct kind organisations = { list_organisations, read_organisation, save_organisation,
					   organisation_remove, show_organisation };
static const struct kind tags = { list_tags, read_tag, save_tag, tag_drop, show_tag };
static const struct kind replies = { list_canned, read_canned, save_canned, canned_remove,
				     show_canned };

static void show_entry(struct buf *out, const struct kind *k, const struct entry *e)
{
	show_begin(out, NULL, '{');
	show_int(out, "id", e->id);
	show_text(out, "name", e->name);
	k->show(out, e);
	show_end(out, '}');
}

static int find_entry(struct db_conn *c, struct arena *a, const struct kind *k, int64_t id,
		      struct entry *ret, struct md_err *err)
{
	struct entry *all;
	size_t n;
	int rc = k->list(c, a, &all, &n, err);

	for (size_t i = 0; rc == MD_OK && i < n; i++)
		if (all[i].id == id) {
			*ret = all[i];
			return MD_OK;
		}
	return rc != MD_OK ? rc : md_fail(err, MD_NOTFOUND, 0, "there is none of that id");
}

static int show_page(struct api *api, struct http_request *q, struct http_response *r,
		     const struct kind *k, struct md_err *err)
{
	md_auto(db_read_done_p) struct db_conn *c = NULL;
	struct api_page page = page_of(q);
	struct entry *all;
	size_t n, first, shown;
	int rc = api_read(api, q, &c, err);

	if (rc == MD_OK)
		rc = k->list(c, q->arena, &all, &n, err);
	if (rc != MD_OK)
		return rc;
	shown = PAGE_PART(&page, all, n, id, &first);
	page_begin(r);
	for (size_t i = first; i < first + shown; i++)
		show_entry(&r->body, k, &all[i]);
	page_end(q, r, &page, shown, (int64_t)n);
	return MD_OK;
}

static int show_one(struct api *api, struct http_request *q, struct http_response *r,
		    const struct kind *k, int64_t id, struct md_err *err)
{
	md_auto(db_read_done_p) struct db_conn *c = NULL;
	struct entry e;
	int rc = api_read(api, q, &c, err);

	if (rc == MD_OK)
		rc = find_entry(c, q->arena, k, id, &e, err);
	if (rc == MD_OK)
		show_entry(&r->body, k, &e);
	return rc;
}

static int save_in_txn(struct db_conn *c, void *ctx, struct md_err *err)
{
	struct catalogue_step *s = ctx;
	const char *name = json_get_string(s->q->json, "name");
	struct entry e = { .id = s->q->ids[0] };
	int rc = MD_OK;

	arena_reset(&s->arena);
	s->c = c;
	s->field = NULL;
	if (e.id)
		rc = find_entry(c, &s->arena, s->kind, e.id, &e, err);
	if (rc == MD_OK && name)
		e.name = name;
	if (rc == MD_OK)
		rc = s->kind->read(s, &e, err);
	if (rc == MD_OK)
		s->field = "name";
	if (rc == MD_OK)
		rc = s->kind->save(c, &e, err);
	s->entry.id = e.id;
	return rc;
}

static int save(struct api *api, struct http_request *q, struct http_response *r,
		const struct kind *k, struct md_err *err)
{
	struct catalogue_step s = { .q = q, .r = r, .kind = k, .arena = ARENA_INIT(16 << 20) };
	int rc = api_txn(api, q, save_in_txn, &s, &s.entry.id, err);

	arena_done(&s.arena);
	if (rc == MD_INPUT && s.field) {
		api_refuse_field(q, r, s.field, err);
		return MD_OK;
	}
	if (rc != MD_OK)
		return rc;
	http_made(q, r, s.entry.id);
	return show_one(api, q, r, k, s.entry.id, err);
}

static int drop_in_txn(struct db_conn *c, void *ctx, struct md_err *err)
{
	struct catalogue_step *s = ctx;
	struct entry e;
	int rc;

	arena_reset(&s->arena);
	rc = find_entry(c, &s->arena, s->kind, s->q->ids[0], &e, err);
	return rc == MD_OK ? s->kind->drop(c, e.id, err) : rc;
}

static int drop(struct api *api, struct http_request *q, const struct kind *k, struct md_err *err)
{
	struct catalogue_step s = { .q = q, .kind = k, .arena = ARENA_INIT(16 << 20) };
	int rc = api_txn(api, q, drop_in_txn, &s, NULL, err);

	arena_done(&s.arena);
	return rc;
}

#define HANDLERS(kind)                                                                    \
	int api_##kind##_page(void *ctx, struct http_request *q, struct http_response *r, \
			      struct md_err *err)                                         \
	{                                                                                 \
		return show_page(ctx, q, r, &kind, err);                                  \
	}                                                                                 \
	int api_##kind##_get(void *ctx, struct http_request *q, struct http_response *r,  \
			     struct md_err *err)                                          \
	{                                                                                 \
		return show_one(ctx, q, r, &kind, q->ids[0], err);                        \
	}                                                                                 \
	int api_##kind##_save(void *ctx, struct http_request *q, struct http_response *r, \
			      struct md_err *err)                                         \
	{                                                                                 \
		return save(ctx, q, r, &kind, err);                                       \
	}                                                                                 \
	int api_##kind##_drop(void *ctx, struct http_request *q, struct http_response *r, \
			      struct md_err *err)                                         \
	{                                                                                 \
		(void)r;                                                                  \
		return drop(ctx, q, &kind, err);                                          \
	}
HANDLERS(teams)
HANDLERS(organisations)
HANDLERS(tags)
HANDLERS(replies)

/* ---- bodies ---- */

#define FIELD(name, type, flags, min, max)              \
	{                                               \
		name, type, flags, min, max, NULL, NULL \
	}
#define NAME(flags) FIELD("name", HTTP_LINE, flags, 1, NAME_MAX_CHARS)
#define BODIES(kind, ...)                                                                       \
	const struct http_field kind##_body[] = { NAME(HTTP_REQUIRED), __VA_ARGS__, HTTP_END }; \
	const struct http_field kind##_changes[] = { NAME(0), __VA_ARGS__, HTTP_END }

BODIES(teams, FIELD("members", HTTP_PERSONS, 0, 1, 320));
BODIES(organisations, FIELD("domains", HTTP_LINES, 0, 1, 253));
BODIES(tags, FIELD("color", HTTP_LINE, 0, 7, 7));
BODIES(replies, FIELD("body", HTTP_TEXT, 0, 1, 100000),
       FIELD("commands", HTTP_TEXT, HTTP_NULLABLE, 1, 10000), FIELD("tags", HTTP_LINES, 0, 1, 64));
