/* Canned replies: a text with variables, tags, and commands of its own, all brought along by one
 * command. */
#include <maildesk/base/json.h>
#include <maildesk/desk/template.h>
#include <maildesk/store/canned.h>

#include "execute_priv.h"

#include <string.h>

enum { TEXT_MAX = 256 << 10 };

static json_t *person_json(struct work *w, int64_t user)
{
	struct user u;

	if (!user || user_get(w->c, user, w->arena, &u, NULL) != MD_OK)
		return json_null();
	return json_pack("{s:s, s:s}", "name", u.name, "email", u.email);
}

/* {{requester.name}}, {{ticket.id}}, ... */
static json_t *variables(struct work *w)
{
	const struct conf_desk *desk = &w->by->desk->config->desk;
	const struct ticket *t = &w->ticket;

	return json_pack("{s:o, s:o, s:{s:s, s:s}, s:{s:s}, s:{s:I, s:s, s:s, s:s, s:s?}}",
			 "requester", person_json(w, t->requester_id), "assignee",
			 person_json(w, t->assignee_id), "agent", "name",
			 w->by->user.id ? w->by->user.name : desk->name, "email",
			 w->by->user.id ? w->by->user.email : "", "desk", "name", desk->name,
			 "ticket", "id", (json_int_t)t->id, "title", t->title, "status", t->status,
			 "priority", work_priority_name(t->priority), "category", t->category);
}

static int write_text(struct work *w, const struct canned *reply, struct md_err *err)
{
	md_auto(buf_done) struct buf text = BUF_INIT(TEXT_MAX);
	md_auto(template_free_p) struct template *t = NULL;
	md_auto(json_decref_p) json_t *data = variables(w);
	int rc = template_compile(reply->name, reply->body, strlen(reply->body), &t, err);

	if (!data)
		return md_fail(err, MD_NOMEM, 0, "out of memory");
	if (rc == MD_OK)
		rc = template_render(t, TEMPLATE_TEXT, data, NULL, &text, err);
	if (rc != MD_OK) {
		if (err && rc == MD_INPUT)
			err->native = WORK_BAD_VALUE;
		return rc;
	}
	while (text.len && strchr(" \n", text.data[text.len - 1]))
		buf_cut(&text, text.len - 1);
	w->canned = arena_printf(w->arena, "%s%s%s", w->canned ? w->canned : "",
				 w->canned ? "\n\n" : "", buf_str(&text));
	return w->canned ? MD_OK : md_fail(err, MD_NOMEM, 0, "out of memory");
}

static int add_tags(struct work *w, const char *tags, struct md_err *err)
{
	struct work_change ch = WORK_CHANGE_NONE;

	ch.add_tags.v = arena_array(w->arena, strlen(tags) / 2 + 1, sizeof(char *));
	if (!ch.add_tags.v)
		return md_fail(err, MD_NOMEM, 0, "out of memory");
	for (size_t n; *tags; tags += n) {
		n = strspn(tags, " ");
		if (n)
			continue;
		n = strcspn(tags, " ");
		ch.add_tags.v[ch.add_tags.n++] = arena_strndup(w->arena, tags, n);
	}
	return ch.add_tags.n ? work_change(w, &ch, err) : MD_OK;
}

/* What it asks for; MD_INPUT for what no canned reply can. */
static int read_commands(const struct desk *d, const struct canned *reply, struct arena *a,
			 struct command_list *ret, struct md_err *err)
{
	const struct command_input in = { .text = reply->commands,
					  .tag_format = d->config->desk.subject_tag,
					  .fields = work_field_names(d, a) };
	int rc;

	*ret = (struct command_list){ 0 };
	if (!reply->commands || !reply->commands[0])
		return MD_OK;
	rc = command_parse_box(&in, a, ret, err);
	if (rc == MD_OK && ret->refusal_count)
		rc = md_fail(err, MD_INPUT, WORK_BAD_VALUE, "%s: %s", ret->refusals[0].line,
			     ret->refusals[0].reason);
	for (size_t i = 0; i < ret->count && rc == MD_OK; i++) {
		const struct command *cmd = &ret->commands[i];

		if (cmd->row->verb != VERB_CANNED && !command_is_query(cmd->row) &&
		    cmd->row->argument != ARGUMENT_TEXT)
			continue;
		rc = md_fail(err, MD_INPUT, WORK_BAD_VALUE, "%s is nothing for a canned reply",
			     cmd->row->name);
		md_wrap(err, rc, "%s", cmd->line);
	}
	return rc;
}

static int run_commands(struct work *w, const struct canned *reply, struct md_err *err)
{
	struct command_list list;
	const char *result;
	int rc = read_commands(w->by->desk, reply, w->arena, &list, err);

	for (size_t i = 0; i < list.count && rc == MD_OK; i++) {
		rc = execute_one(w, &list.commands[i], &result, err);
		if (rc != MD_OK)
			md_wrap(err, rc, "%s", list.commands[i].line);
	}
	return rc;
}

int work_check_canned(const struct desk *d, const struct canned *r, struct arena *a,
		      const char **ret_field, struct md_err *err)
{
	md_auto(template_free_p) struct template *t = NULL;
	struct command_list list;
	int rc = template_compile(r->name, r->body, strlen(r->body), &t, err);

	*ret_field = "body";
	if (rc != MD_OK)
		return rc;
	*ret_field = "commands";
	return read_commands(d, r, a, &list, err);
}

int execute_canned(struct step *s, struct md_err *err)
{
	struct work *w = s->w;
	struct canned reply;
	int rc = canned_by_name(w->c, s->cmd->args, w->arena, &reply, err);

	if (rc == MD_NOTFOUND)
		return md_fail(err, MD_INPUT, WORK_BAD_VALUE, "no canned reply is called \"%s\"",
			       s->cmd->args);
	if (rc == MD_OK)
		rc = write_text(w, &reply, err);
	if (rc == MD_OK && reply.tags)
		rc = add_tags(w, reply.tags, err);
	if (rc == MD_OK)
		rc = run_commands(w, &reply, err);
	return rc == MD_OK ? rc : md_wrap(err, rc, "canned reply \"%s\"", s->cmd->args);
}
