/* What a ticket has beside text, status and assignee: team, requester, dates, time spent, and the
 * fields of the configuration. Each change is a row of history with what undo needs. */
#include <maildesk/base/json.h>
#include <maildesk/base/utf8.h>
#include <maildesk/store/teams.h>

#include "ticket_priv.h"

#include <string.h>

enum {
	CATEGORY_CHARS = 64,
	VALUE_CHARS = 1000,
	NUMBER_MAX = 40,
	FIELDS_MAX = 1 << 20,
	MINUTE = 60000,
	HOUR = 3600000
};
#define YEAR (INT64_C(365) * 24 * HOUR)
#define LAST_INSTANT INT64_C(253402300799999) /* 9999-12-31 */

static int out_of_memory(struct md_err *err)
{
	return md_fail(err, MD_NOMEM, 0, "out of memory");
}

static bool holds(const struct conf_strs *list, const char *s)
{
	for (size_t i = 0; i < list->n; i++)
		if (strcmp(list->v[i], s) == 0)
			return true;
	return false;
}

static void join(struct buf *out, const struct conf_strs *list)
{
	for (size_t i = 0; i < list->n; i++)
		buf_addf(out, "%s%s", i ? ", " : "", list->v[i]);
}

static const char *instant(struct work *w, int64_t ms)
{
	char text[TIME_TEXT_MAX];

	return ms ? arena_strdup(w->arena, time_format(ms, 0, text)) : NULL;
}

int work_check_category(struct work *w, const char *category, struct md_err *err)
{
	const struct conf_strs *allowed = &w->by->desk->config->desk.categories;
	md_auto(buf_done) struct buf names = BUF_INIT(4096);

	if (!category[0])
		return MD_OK;
	if (utf8_length(category, strlen(category)) > CATEGORY_CHARS)
		return md_fail(err, MD_INPUT, WORK_BAD_VALUE, "category: at most %d characters",
			       CATEGORY_CHARS);
	if (allowed->n == 0 || holds(allowed, category))
		return MD_OK;
	join(&names, allowed);
	return md_fail(err, MD_INPUT, WORK_BAD_VALUE, "category: \"%.64s\" is none; allowed: %s",
		       category, buf_str(&names));
}

/* ---- team ---- */

int work_set_team(struct work *w, int64_t to, struct md_err *err)
{
	struct team old = { 0 }, team = { 0 };
	struct work_fact fact = { .action = "team",
				  .old_number = w->ticket.team_id,
				  .new_number = to };
	int rc = MD_OK;

	if (w->ticket.team_id == to)
		return MD_OK;
	if (w->ticket.team_id)
		rc = team_get(w->c, w->ticket.team_id, w->arena, &old, err);
	if (rc == MD_OK && to)
		rc = team_get(w->c, to, w->arena, &team, err);
	if (rc == MD_NOTFOUND)
		return work_refuse(err, MD_INPUT, WORK_BAD_VALUE, "there is no such team");
	fact.old_value = old.name;
	fact.new_value = team.name;
	if (rc == MD_OK)
		rc = work_record(w, &fact, err);
	w->ticket.team_id = to;
	return rc;
}

/* ---- requester ---- */

static bool takes_part(const struct work *w, int64_t user)
{
	for (size_t i = 0; i < w->n_participants; i++)
		if (w->participants[i].user_id == user)
			return true;
	return false;
}

/* The old one stays in copy: they know the ticket. */
int work_set_requester(struct work *w, int64_t to, struct md_err *err)
{
	struct user old, user;
	struct work_fact fact = { .action = "requester",
				  .old_number = w->ticket.requester_id,
				  .new_number = to };
	int rc;

	if (w->ticket.requester_id == to)
		return MD_OK;
	rc = user_get(w->c, to, w->arena, &user, err);
	if (rc == MD_NOTFOUND || (rc == MD_OK && user.disabled_at))
		return work_refuse(err, MD_INPUT, WORK_BAD_VALUE,
				   "requester: only an active user can be the requester");
	if (rc == MD_OK)
		rc = user_get(w->c, w->ticket.requester_id, w->arena, &old, err);
	if (rc == MD_OK && !takes_part(w, to))
		rc = work_record(w,
				 &(struct work_fact){ .action = "participant_added",
						      .new_value = user.name,
						      .new_number = to },
				 err);
	if (rc == MD_OK && (!w->created || strcmp(old.role, "customer") != 0))
		rc = participant_put(w->c, w->ticket.id, old.id, "cc", w->by->now_ms, err);
	else if (rc == MD_OK) /* the customer of a mail passed on, whose ticket it never was */
		rc = participant_remove(w->c, w->ticket.id, old.id, err);
	if (rc == MD_OK)
		rc = participant_put(w->c, w->ticket.id, to, "requester", w->by->now_ms, err);
	if (rc == MD_OK)
		rc = work_load_people(w, err);
	if (rc != MD_OK)
		return rc;
	fact.old_value = old.name;
	fact.new_value = user.name;
	w->ticket.requester_id = to;
	w->ticket.organisation_id = user.organisation_id;
	work_see(w);
	return work_record(w, &fact, err);
}

/* ---- dates and time ---- */

static int check_instant(int64_t ms, struct md_err *err)
{
	if (ms < 0 || ms > LAST_INSTANT)
		return work_refuse(err, MD_INPUT, WORK_BAD_VALUE,
				   "a date lies between the years 1970 and 9999");
	return MD_OK;
}

static int set_due(struct work *w, int64_t to, struct md_err *err)
{
	struct work_fact fact = { .action = "due",
				  .old_value = instant(w, w->ticket.due_at),
				  .new_value = instant(w, to),
				  .old_number = w->ticket.due_at,
				  .new_number = to };
	int rc = check_instant(to, err);

	if (rc != MD_OK || w->ticket.due_at == to)
		return rc;
	w->ticket.due_at = to;
	return work_record(w, &fact, err);
}

int work_set_snooze(struct work *w, int64_t until_ms, struct md_err *err)
{
	struct timer_row t = { .due_at = until_ms, .kind = "snooze", .ticket_id = w->ticket.id };
	struct work_fact fact = { .action = "snoozed",
				  .old_value = instant(w, w->ticket.snoozed_until),
				  .new_value = instant(w, until_ms),
				  .old_number = w->ticket.snoozed_until,
				  .new_number = until_ms };
	int rc = check_instant(until_ms, err);

	if (rc != MD_OK || w->ticket.snoozed_until == until_ms)
		return rc;
	if (until_ms && until_ms <= w->by->now_ms)
		return work_refuse(err, MD_INPUT, WORK_BAD_VALUE,
				   "snoozed_until: a snooze ends in the future");
	w->ticket.snoozed_until = until_ms;
	rc = timer_drop_kind(w->c, w->ticket.id, t.kind, err);
	if (rc == MD_OK && until_ms)
		rc = timer_add(w->c, &t, err);
	return rc == MD_OK ? work_record(w, &fact, err) : rc;
}

int work_wake(struct work *w, struct md_err *err)
{
	return work_set_snooze(w, 0, err);
}

static int change_snooze(struct work *w, int64_t until_ms, struct md_err *err)
{
	const struct workflow_status *status =
		workflow_status(w->by->desk->workflow, w->ticket.status);

	if (until_ms && status &&
	    (status->phase == PHASE_RESOLVED || status->phase == PHASE_CLOSED))
		return md_fail(err, MD_INPUT, WORK_BAD_VALUE,
			       "snoozed_until: a ticket that is %s needs no snooze; allowed: "
			       "tickets in work",
			       w->ticket.status);
	return work_set_snooze(w, until_ms, err);
}

/* "1h 15m" */
static const char *duration(struct work *w, int64_t ms)
{
	return arena_printf(w->arena, "%lldh %lldm", (long long)(ms / HOUR),
			    (long long)(ms % HOUR / MINUTE));
}

static int add_time(struct work *w, int64_t more_ms, struct md_err *err)
{
	struct work_fact fact = { .action = "time_spent", .old_number = w->ticket.time_spent_ms };
	int64_t sum;

	if (__builtin_add_overflow(w->ticket.time_spent_ms, more_ms, &sum) || sum < 0 ||
	    sum > 100 * YEAR)
		return work_refuse(err, MD_INPUT, WORK_BAD_VALUE,
				   "the time spent lies between nothing and 100 years");
	fact.old_value = duration(w, w->ticket.time_spent_ms);
	fact.new_value = duration(w, sum);
	fact.new_number = sum;
	w->ticket.time_spent_ms = sum;
	return work_record(w, &fact, err);
}

/* ---- fields of the configuration ---- */

static bool is_number(const char *s)
{
	size_t n, digits;

	if (strlen(s) > NUMBER_MAX)
		return false;
	s += *s == '-';
	digits = n = strspn(s, "0123456789");
	if (s[n] == '.') {
		digits = strspn(s + n + 1, "0123456789");
		return n && digits && s[n + 1 + digits] == '\0';
	}
	return digits && s[n] == '\0';
}

static bool is_date(struct arena *a, const char *s)
{
	const char *whole = strlen(s) == 10 ? arena_printf(a, "%sT00:00:00Z", s) : NULL;
	int64_t ms;

	return whole && time_parse(whole, &ms) == MD_OK;
}

static int check_value(struct work *w, const struct conf_field *f, const char *value,
		       struct md_err *err)
{
	md_auto(buf_done) struct buf names = BUF_INIT(4096);
	size_t n = strlen(value);

	if (strcmp(f->type, "choice") == 0) {
		if (holds(&f->values, value))
			return MD_OK;
		join(&names, &f->values);
		return md_fail(err, MD_INPUT, WORK_BAD_VALUE, "%s is no \"%.60s\"; allowed: %s",
			       f->title, value, buf_str(&names));
	}
	if (strcmp(f->type, "number") == 0 && !is_number(value))
		return md_fail(err, MD_INPUT, WORK_BAD_VALUE, "%s is a number like 12 or -0.5",
			       f->title);
	if (strcmp(f->type, "date") == 0 && !is_date(w->arena, value))
		return md_fail(err, MD_INPUT, WORK_BAD_VALUE, "%s is a date like 2026-12-31",
			       f->title);
	if (utf8_length(value, n) > VALUE_CHARS)
		return md_fail(err, MD_INPUT, WORK_BAD_VALUE, "%s has at most %d characters",
			       f->title, VALUE_CHARS);
	return MD_OK;
}

static int no_field(const struct work *w, const char *name, struct md_err *err)
{
	const struct config *config = w->by->desk->config;
	md_auto(buf_done) struct buf names = BUF_INIT(4096);

	for (size_t i = 0; i < config->n_fields; i++)
		buf_addf(&names, "%s%s", i ? ", " : "", config->fields[i].title);
	return md_fail(err, MD_INPUT, WORK_BAD_VALUE, "no field \"%.40s\"; there are: %s", name,
		       config->n_fields ? buf_str(&names) : "none");
}

int work_set_field(struct work *w, const char *name, const char *value, struct md_err *err)
{
	md_auto(json_decref_p) json_t *all = NULL;
	md_auto(buf_done) struct buf text = BUF_INIT(FIELDS_MAX);
	const char *old;
	struct work_fact fact = { .action = arena_printf(w->arena, "field:%s", name),
				  .new_value = value[0] ? value : NULL };
	int rc = MD_OK;

	if (w->ticket.fields)
		rc = json_read(w->ticket.fields, strlen(w->ticket.fields), 2, &all, err);
	else
		all = json_object();
	if (rc != MD_OK)
		return rc;
	old = json_get_string(all, name);
	if (strcmp(old ? old : "", value) == 0)
		return MD_OK;
	fact.old_value = arena_strdup(w->arena, old);
	if (value[0])
		json_object_set_new(all, name, json_string(value));
	else
		json_object_del(all, name);
	json_write(&text, all);
	w->ticket.fields = json_object_size(all) ? arena_strdup(w->arena, buf_str(&text)) : NULL;
	if (text.status != MD_OK || w->arena->failed)
		return out_of_memory(err);
	return work_record(w, &fact, err);
}

static int change_field(struct work *w, const char *name, const char *value, struct md_err *err)
{
	const struct conf_field *f = config_field(w->by->desk->config, name);
	int rc = f ? MD_OK : no_field(w, name, err);

	if (rc == MD_OK && value[0])
		rc = check_value(w, f, value, err);
	return rc == MD_OK ? work_set_field(w, name, value, err) : rc;
}

/* ---- */

enum policy_action work_requester_action(const struct work *w)
{
	return w->created ? ACTION_CREATE_FOR_OTHERS : ACTION_SET_REQUESTER;
}

int work_change_fields(struct work *w, const struct work_change *ch, struct md_err *err)
{
	bool fields = ch->set_due || ch->set_snoozed || ch->add_time_ms || ch->field;
	int rc = MD_OK;

	if (ch->requester)
		rc = work_ask(w, work_requester_action(w), err);
	if (rc == MD_OK && ch->requester)
		rc = work_set_requester(w, ch->requester, err);
	if (rc == MD_OK && fields)
		rc = work_ask(w, ACTION_EDIT_FIELDS, err);
	if (rc == MD_OK && ch->set_due)
		rc = set_due(w, ch->due_at, err);
	if (rc == MD_OK && ch->add_time_ms)
		rc = add_time(w, ch->add_time_ms, err);
	if (rc == MD_OK && ch->field)
		rc = change_field(w, ch->field, ch->value, err);
	if (rc == MD_OK && ch->set_snoozed)
		rc = change_snooze(w, ch->snoozed_until, err);
	if (rc == MD_OK && ch->set_team)
		rc = work_ask(w, ACTION_ASSIGN, err);
	if (rc == MD_OK && ch->set_team)
		rc = work_set_team(w, ch->team, err);
	return rc;
}

struct rec_strs work_field_names(const struct desk *d, struct arena *a)
{
	struct rec_strs names = { 0, arena_array(a, d->config->n_fields, sizeof(char *)) };

	for (size_t i = 0; names.v && i < d->config->n_fields; i++)
		names.v[names.n++] = d->config->fields[i].title;
	return names;
}
