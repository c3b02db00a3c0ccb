/* The operations of a ticket: what each does, who may, what is refused and how, and the way back.
 */
#include "desk_fixture.h"

#include <maildesk/store/teams.h>

static const char *const type_relates = "relates";

struct op {
	const char *text;
	int64_t number;
	bool on;
	int64_t made;
};

static int do_link(struct work *w, void *arg, struct md_err *e)
{
	struct op *o = arg;

	return work_link(w, o->text, o->number, o->on, e);
}
static int do_merge(struct work *w, void *arg, struct md_err *e)
{
	return work_merge(w, ((struct op *)arg)->number, e);
}
static int do_unmerge(struct work *w, void *arg, struct md_err *e)
{
	(void)arg;
	return work_unmerge(w, e);
}
static int do_split(struct work *w, void *arg, struct md_err *e)
{
	struct op *o = arg;

	return work_split(w, o->number, &o->made, e);
}
static int do_delete(struct work *w, void *arg, struct md_err *e)
{
	(void)arg;
	return work_delete(w, e);
}
static int do_restore(struct work *w, void *arg, struct md_err *e)
{
	(void)arg;
	return work_restore(w, e);
}
static int do_spam(struct work *w, void *arg, struct md_err *e)
{
	(void)arg;
	return work_spam(w, e);
}
static int do_watch(struct work *w, void *arg, struct md_err *e)
{
	return work_watch(w, ((struct op *)arg)->on, e);
}
static int do_mute(struct work *w, void *arg, struct md_err *e)
{
	return work_mute(w, ((struct op *)arg)->on, e);
}
static int do_remove(struct work *w, void *arg, struct md_err *e)
{
	return work_participant_remove(w, ((struct op *)arg)->number, e);
}
static int do_add(struct work *w, void *arg, struct md_err *e)
{
	struct op *o = arg;

	return work_participant(w, o->number, o->text, e);
}
static int do_approve(struct work *w, void *arg, struct md_err *e)
{
	return work_approve(w, ((struct op *)arg)->number, e);
}
static int do_approve_person(struct work *w, void *arg, struct md_err *e)
{
	return work_approve_person(w, ((struct op *)arg)->number, e);
}
static int do_undo(struct work *w, void *arg, struct md_err *e)
{
	(void)arg;
	return work_undo(w, e);
}

#define OP(...) (&(struct op){ __VA_ARGS__ })
#define REFUSED(call, code, part)                                   \
	do {                                                        \
		assert_int_equal(call, code);                       \
		if (!strstr(err.text, part))                        \
			fail_msg("%s: not \"%s\"", err.text, part); \
	} while (0)

/* All that an undo has to put back. */
static const char *whole(struct fixture *f, int64_t ticket)
{
	return rows(f,
		    "SELECT title || '|' || status || '|' || priority || '|' ||"
		    " coalesce(category, '-') || '|' || requester_id || '|' ||"
		    " coalesce(assignee_id, 0) || '|' || coalesce(team_id, 0) || '|' ||"
		    " coalesce(resolved_at, 0) || '|' || coalesce(closed_at, 0) || '|' ||"
		    " coalesce(due_at, 0) || '|' || coalesce(snoozed_until, 0) || '|' ||"
		    " time_spent_ms || '|' || coalesce(fields, '-') || '|' ||"
		    " coalesce(merged_into, 0) || '|' || coalesce((SELECT group_concat(n.name)"
		    " FROM ticket_tags x JOIN tags n ON n.id = x.tag_id WHERE x.ticket_id = t.id),"
		    " '-') || '|' || coalesce((SELECT group_concat(p.user_id || p.role || p.muted)"
		    " FROM (SELECT * FROM ticket_participants ORDER BY user_id) p WHERE"
		    " p.ticket_id = t.id), '-') || '|' || coalesce((SELECT"
		    " group_concat(l.type || l.other_id) FROM ticket_links l WHERE"
		    " l.ticket_id = t.id), '-') || '|' || (SELECT coalesce(group_concat(kind"
		    " || due_at), '-') FROM timers m WHERE m.ticket_id = t.id) FROM tickets t"
		    " WHERE id = %lld",
		    (long long)ticket);
}

struct team_maker {
	const char *name;
	const int64_t *members;
	size_t n;
	int64_t id;
};
static int make_team(struct db_conn *c, void *ctx, struct md_err *e)
{
	struct team_maker *t = ctx;
	int rc = team_add(c, t->name, &t->id, e);

	return rc == MD_OK ? team_set_members(c, t->id, t->members, t->n, e) : rc;
}
static int64_t team(struct fixture *f, const char *name, const int64_t *members, size_t n)
{
	struct team_maker t = { .name = name, .members = members, .n = n };

	OK(db_txn(f->desk->db, make_team, &t, &err));
	return t.id;
}

struct away {
	int64_t user, until;
};
static int go_away(struct db_conn *c, void *ctx, struct md_err *e)
{
	md_auto(arena_done) struct arena a = ARENA_INIT(1 << 16);
	const struct away *w = ctx;
	struct user u;
	int rc = user_get(c, w->user, &a, &u, e);

	u.away_until = w->until;
	return rc == MD_OK ? user_save(c, &u, e) : rc;
}

/* ---- fields ---- */

#define FIELDS                                                                \
	"field \"asset\" { type = text }\n"                                   \
	"field \"cost\" { type = number }\n"                                  \
	"field \"bought\" { type = date }\n"                                  \
	"field \"kind\" { type = choice values = {\"laptop\", \"phone\"} }\n" \
	"desk { categories = {\"hardware\", \"other\"} }\n"

static void custom_fields(void **state)
{
	static const struct {
		const char *field, *value, *refusal;
	} cases[] = {
		{ "asset", "PC-1 \"ü\"", NULL },
		{ "cost", "12", NULL },
		{ "cost", "-0.50", NULL },
		{ "bought", "2026-02-28", NULL },
		{ "kind", "phone", NULL },
		{ "colour", "red", "there are: asset, cost, bought, kind" },
		{ "cost", "12,5", "number" },
		{ "cost", "1.", "number" },
		{ "cost", "--1", "number" },
		{ "bought", "2026-02-30", "date" },
		{ "bought", "tomorrow", "date" },
		{ "kind", "fax", "allowed: laptop, phone" },
	};
	struct fixture *f = *state;
	int64_t t = create(f, f->carol, f->carol, "x");

	for (size_t i = 0; i < MD_COUNT(cases); i++) {
		int rc = change_rc(f, f->anna, t,
				   CHANGE(.field = cases[i].field, .value = cases[i].value));

		if (cases[i].refusal)
			REFUSED(rc, MD_INPUT, cases[i].refusal);
		else
			OK(rc);
	}
	ROWS(f,
	     "{\"asset\":\"PC-1 \\\"ü\\\"\",\"cost\":\"-0.50\",\"bought\":\"2026-02-28\",\"kind\":"
	     "\"phone\"}",
	     "SELECT fields FROM tickets");
	ROWS(f, "field:cost 12 -0.50",
	     "SELECT action || ' ' || old_value || ' ' || new_value FROM ticket_history WHERE"
	     " action = 'field:cost' AND old_value IS NOT NULL");
	OK(change_rc(f, f->anna, t, CHANGE(.field = "cost", .value = "")));
	ROWS(f, "0", "SELECT instr(fields, 'cost') FROM tickets");
	REFUSED(change_rc(f, f->carol, t, CHANGE(.field = "asset", .value = "mine")), MD_REFUSED,
		"not allowed");
	REFUSED(change_rc(f, f->anna, t, CHANGE(.category = "soft")), MD_INPUT,
		"allowed: hardware, other");
	OK(change_rc(f, f->anna, t, CHANGE(.category = "other")));
	OK(change_rc(f, f->anna, t, CHANGE(.category = "")));
}

static void enormous_things_are_refused(void **state)
{
	struct fixture *f = *state;
	int64_t t = create(f, f->carol, f->carol, "x");
	char text[2000], names[101][16];
	const char *many[101];

	memset(text, 'l', sizeof text);
	text[1001] = '\0';
	REFUSED(change_rc(f, f->anna, t, CHANGE(.field = "asset", .value = text)), MD_INPUT,
		"1000 characters");
	text[65] = '\0';
	REFUSED(change_rc(f, f->anna, t, CHANGE(.category = text)), MD_INPUT, "64 characters");
	many[0] = text;
	REFUSED(change_rc(f, f->anna, t, CHANGE(.add_tags = { 1, many })), MD_INPUT,
		"64 characters");
	many[0] = "a,b";
	REFUSED(change_rc(f, f->anna, t, CHANGE(.add_tags = { 1, many })), MD_INPUT, "commas");
	for (int i = 0; i < 101; i++) {
		snprintf(names[i], sizeof names[i], "t%d", i);
		many[i] = names[i];
	}
	OK(change_rc(f, f->anna, t, CHANGE(.add_tags = { 100, many })));
	REFUSED(change_rc(f, f->anna, t, CHANGE(.add_tags = { 1, &many[100] })), MD_INPUT,
		"at most 100 tags");
	ROWS(f, "100", "SELECT count(*) FROM ticket_tags");
	REFUSED(change_rc(f, f->anna, t, CHANGE(.add_time_ms = INT64_MAX)), MD_INPUT, "100 years");
	REFUSED(change_rc(f, f->anna, t, CHANGE(.add_time_ms = -1)), MD_INPUT, "nothing");
	REFUSED(change_rc(f, f->anna, t, CHANGE(.set_due = true, .due_at = INT64_MAX)), MD_INPUT,
		"9999");
	REFUSED(change_rc(f, f->anna, t, CHANGE(.set_team = true, .team = 99)), MD_INPUT,
		"no such team");
}

static void time_and_due(void **state)
{
	struct fixture *f = *state;
	int64_t t = create(f, f->carol, f->carol, "x");

	OK(change_rc(f, f->anna, t, CHANGE(.add_time_ms = 15 * MINUTE)));
	OK(change_rc(f, f->anna, t, CHANGE(.add_time_ms = HOUR)));
	OK(change_rc(f, f->anna, t, CHANGE(.add_time_ms = -MINUTE)));
	OK(change_rc(f, f->anna, t, CHANGE(.set_due = true, .due_at = MONDAY_9 + DAY)));
	OK(change_rc(f, f->anna, t, CHANGE(.set_due = true)));
	ROWS(f, "4440000 -", "SELECT time_spent_ms || ' ' || coalesce(due_at, '-') FROM tickets");
	ROWS(f,
	     "time_spent 0h 0m 0h 15m\ntime_spent 0h 15m 1h 15m\ntime_spent 1h 15m 1h 14m\n"
	     "due - 2026-03-03T09:00:00Z\ndue 2026-03-03T09:00:00Z -",
	     "SELECT action || ' ' || coalesce(old_value, '-') || ' ' || coalesce(new_value, '-')"
	     " FROM ticket_history WHERE action <> 'created' ORDER BY id");
	REFUSED(change_rc(f, f->carol, t, CHANGE(.set_due = true, .due_at = 5)), MD_REFUSED, "not");
}

static void another_requester(void **state)
{
	struct fixture *f = *state;
	int64_t t = create(f, f->carol, f->carol, "x");

	OK(change_rc(f, f->anna, t, CHANGE(.requester = f->dave)));
	ROWS(f, "Carol cc\nDave requester",
	     "SELECT u.name || ' ' || p.role FROM ticket_participants p JOIN users u ON u.id ="
	     " p.user_id ORDER BY 1");
	ROWS(f, "Dave", "SELECT u.name FROM tickets t JOIN users u ON u.id = t.requester_id");
	REFUSED(change_rc(f, f->anna, t, CHANGE(.requester = 999)), MD_INPUT, "active user");
	REFUSED(change_rc(f, f->dave, t, CHANGE(.requester = f->carol)), MD_REFUSED, "not");
}

/* ---- snooze ---- */

#define SLA_CONFIG \
	"sla \"s\" { warn = {} first_response { medium = 4h } resolution { medium = 8h } }\n"

static void a_snooze_ends_by_the_clock(void **state)
{
	struct fixture *f = *state;
	int64_t t = create(f, f->carol, f->carol, "x");

	REFUSED(change_rc(f, f->anna, t, CHANGE(.set_snoozed = true, .snoozed_until = MONDAY_9)),
		MD_INPUT, "future");
	OK(change_rc(f, f->anna, t, CHANGE(.set_snoozed = true, .snoozed_until = MONDAY_9 + HOUR)));
	OK(change_rc(f, f->anna, t,
		     CHANGE(.set_snoozed = true, .snoozed_until = MONDAY_9 + 2 * HOUR)));
	ROWS(f, "paused", "SELECT state FROM clocks WHERE metric = 'resolution'");
	ROWS(f, "running", "SELECT state FROM clocks WHERE metric = 'first_response'");
	assert_int_equal(tick(f, MONDAY_9 + 2 * HOUR - 1), 0);
	assert_int_equal(tick(f, MONDAY_9 + 2 * HOUR), 1);
	ROWS(f, "-", "SELECT snoozed_until FROM tickets");
	ROWS(f, "snoozed 2026-03-02T11:00:00Z - timer",
	     "SELECT action || ' ' || old_value || ' ' || coalesce(new_value, '-') || ' ' || source"
	     " FROM ticket_history ORDER BY id DESC LIMIT 1");
	/* the two hours are none of the eight */
	ROWS(f, "running 0 36000000",
	     "SELECT state || ' ' || used_ms || ' ' || (due_at - started_at) FROM clocks WHERE"
	     " metric = 'resolution'");
}

static void what_else_ends_a_snooze(void **state)
{
	struct fixture *f = *state;
	int64_t t = create(f, f->carol, f->carol, "x");
	struct work_change snooze = CHANGE(.set_snoozed = true, .snoozed_until = MONDAY_9 + DAY);

	OK(change_rc(f, f->anna, t, snooze));
	OK(comment_rc(f, f->anna, t, "Wait.", false));
	ROWS(f, "1", "SELECT snoozed_until IS NOT NULL FROM tickets");
	OK(comment_rc(f, f->carol, t, "I cannot.", false));
	ROWS(f, "-", "SELECT snoozed_until FROM tickets");
	ROWS(f, "0", "SELECT count(*) FROM timers WHERE kind = 'snooze'");
	OK(change_rc(f, f->anna, t, snooze));
	OK(move_rc(f, f->anna, t, "closed"));
	ROWS(f, "-", "SELECT snoozed_until FROM tickets");
	REFUSED(change_rc(f, f->anna, t, snooze), MD_INPUT, "needs no snooze");
}

/* ---- teams ---- */

static void teams_assign_in_turn(void **state)
{
	struct fixture *f = *state;
	const int64_t members[] = { f->anna, f->bob, f->admin };
	int64_t ops = team(f, "ops", members, 3), t[5];
	struct away away = { f->bob, MONDAY_9 + DAY };

	for (int i = 0; i < 5; i++) {
		t[i] = create(f, f->carol, f->carol, "x");
		if (i == 3)
			OK(db_txn(f->desk->db, go_away, &away, &err));
		OK(change_rc(f, f->anna, t[i], CHANGE(.set_team = true, .team = ops)));
	}
	/* by id: admin, anna, bob, admin; then bob is away */
	ROWS(f, "Admin\nAnna\nBob\nAdmin\nAnna",
	     "SELECT u.name FROM tickets t JOIN users u ON u.id = t.assignee_id ORDER BY t.id");
	ROWS(f, "-", "SELECT DISTINCT actor_id FROM ticket_history WHERE action = 'assignee'");
	OK(change_rc(f, f->anna, t[0], CHANGE(.set_team = true)));
	ROWS(f, "Admin",
	     "SELECT u.name FROM tickets t JOIN users u ON u.id = t.assignee_id"
	     " WHERE t.id = 1");
}

static void teams_assign_by_load(void **state)
{
	struct fixture *f = *state;
	const int64_t members[] = { f->anna, f->bob };
	int64_t t, i;

	team(f, "ops", members, 2);
	/* two of Anna's, one of them closed; one of Bob's */
	for (i = 0; i < 3; i++) {
		t = create(f, f->carol, f->carol, "old");
		OK(assign_rc(f, f->admin, t, i == 2 ? f->bob : f->anna));
		OK(move_rc(f, f->admin, t, i == 0 ? "resolved" : "pending"));
	}
	OK(assign_rc(f, f->admin, t, 0));
	/* the mailbox's team; now 1, 0 then 1, 1 (Anna's turn) then 2, 1 */
	for (i = 0; i < 3; i++) {
		struct work_ticket n = {
			.title = "new", .body = "b", .requester = f->carol, .mailbox = f->sales
		};

		OK(create_rc(f, f->carol, &n, &t));
	}
	ROWS(f, "Bob in_progress\nAnna in_progress\nBob in_progress",
	     "SELECT u.name || ' ' || t.status FROM tickets t JOIN users u ON u.id = t.assignee_id"
	     " WHERE t.title = 'new' ORDER BY t.id");
}

/* Without a team all agents are asked; a team section is stronger, another team follows the desk.
 */
static void the_desk_assigns_in_turn(void **state)
{
	struct fixture *f = *state;
	const int64_t one[] = { f->admin };
	int64_t by_hand = team(f, "ops", one, 1), others = team(f, "sales", one, 1), t;

	for (int i = 0; i < 3; i++)
		create(f, f->carol, f->carol, "x");
	TAKE(f, .from = "carol@customer.test", .subject = "y");
	ROWS(f, "Anna in_progress\nBob in_progress\nAnna in_progress\nBob in_progress",
	     "SELECT u.name || ' ' || t.status FROM tickets t JOIN users u ON u.id = t.assignee_id"
	     " ORDER BY t.id");
	t = create(f, f->carol, f->carol, "x");
	OK(assign_rc(f, f->anna, t, 0));
	OK(change_rc(f, f->anna, t, CHANGE(.set_team = true, .team = by_hand)));
	ROWS(f, "-", "SELECT assignee_id FROM tickets WHERE id = 5");
	OK(change_rc(f, f->anna, t, CHANGE(.set_team = true, .team = others)));
	ROWS(f, "Admin",
	     "SELECT u.name FROM tickets t JOIN users u ON u.id = t.assignee_id WHERE t.id = 5");
}

static void the_desk_assigns_by_load(void **state)
{
	struct fixture *f = *state;
	struct away away = { f->anna, MONDAY_9 + DAY };
	int64_t t;

	/* one each; Anna resolves hers; then she is away */
	create(f, f->carol, f->carol, "a");
	create(f, f->carol, f->carol, "b");
	OK(move_rc(f, f->anna, 1, "resolved"));
	create(f, f->carol, f->carol, "c");
	OK(db_txn(f->desk->db, go_away, &away, &err));
	OK(move_rc(f, f->anna, 3, "resolved"));
	t = create(f, f->carol, f->carol, "d");
	assert_int_equal(t, 4);
	ROWS(f, "Anna\nBob\nAnna\nBob",
	     "SELECT u.name FROM tickets t JOIN users u ON u.id = t.assignee_id ORDER BY t.id");
	ROWS(f, "-", "SELECT DISTINCT actor_id FROM ticket_history WHERE action = 'assignee'");
}

/* A new ticket of a team is that team's business. */
static void a_team_is_told(void **state)
{
	struct fixture *f = *state;
	const int64_t members[] = { f->bob };
	struct work_ticket n = {
		.title = "new", .body = "b", .requester = f->carol, .mailbox = f->sales
	};
	int64_t t;

	team(f, "ops", members, 1);
	OK(create_rc(f, f->carol, &n, &t));
	ROWS(f, "created carol@customer.test\ncreated_agent bob@desk.test", QUEUED);
}

static void a_reply_takes_it(void **state)
{
	struct fixture *f = *state;
	int64_t t = create(f, f->carol, f->carol, "x");

	OK(comment_rc(f, f->anna, t, "A note.", true));
	ROWS(f, "-", "SELECT assignee_id FROM tickets");
	OK(comment_rc(f, f->anna, t, "Hello.", false));
	OK(comment_rc(f, f->bob, t, "Hello, too.", false));
	ROWS(f, "Anna in_progress",
	     "SELECT u.name || ' ' || t.status FROM tickets t JOIN users u ON u.id = "
	     "t.assignee_id");
}

/* ---- links ---- */

static void links(void **state)
{
	struct fixture *f = *state;
	int64_t a = create(f, f->carol, f->carol, "a"), b = create(f, f->dave, f->dave, "b");

	OK(step(f, f->anna, a, do_link, OP(.text = "blocks", .number = b, .on = true)));
	OK(step(f, f->anna, a, do_link, OP(.text = "blocks", .number = b, .on = true)));
	OK(step(f, f->anna, a, do_link, OP(.text = type_relates, .number = b, .on = true)));
	/* the same said from the other end */
	OK(step(f, f->anna, b, do_link, OP(.text = type_relates, .number = a, .on = true)));
	ROWS(f, "blocks 2\nrelates 2",
	     "SELECT type || ' ' || other_id FROM ticket_links ORDER BY type");
	REFUSED(step(f, f->anna, b, do_link, OP(.text = "blocks", .number = a, .on = true)),
		MD_INPUT, "already");
	REFUSED(step(f, f->anna, a, do_link, OP(.text = "likes", .number = b, .on = true)),
		MD_INPUT, "allowed: relates, duplicates, blocks, parent");
	REFUSED(step(f, f->anna, a, do_link, OP(.text = "blocks", .number = a, .on = true)),
		MD_INPUT, "itself");
	REFUSED(step(f, f->anna, a, do_link, OP(.text = "blocks", .number = 99, .on = true)),
		MD_INPUT, "no ticket #99");
	REFUSED(step(f, f->carol, a, do_link, OP(.text = "blocks", .number = b, .on = true)),
		MD_REFUSED, "not allowed");
	REFUSED(step(f, f->anna, a, do_link, OP(.text = "parent", .number = b)), MD_INPUT,
		"no link");
	OK(step(f, f->anna, b, do_link, OP(.text = type_relates, .number = a)));
	OK(step(f, f->anna, a, do_link, OP(.text = "blocks", .number = b)));
	ROWS(f, "0", "SELECT count(*) FROM ticket_links");
}

static void each_type_of_link(void **state)
{
	static const char *const types[] = { "relates", "duplicates", "blocks", "parent" };
	struct fixture *f = *state;
	int64_t a = create(f, f->carol, f->carol, "a"), b = create(f, f->dave, f->dave, "b");

	for (size_t i = 0; i < MD_COUNT(types); i++) {
		OK(step(f, f->anna, a, do_link, OP(.text = types[i], .number = b, .on = true)));
		ROWS(f, arena_printf(&f->arena, "1 %s 2", types[i]),
		     "SELECT ticket_id || ' ' || type || ' ' || other_id FROM ticket_links");
		/* nothing is its own parent, by a detour */
		if (i > 0)
			REFUSED(step(f, f->anna, b, do_link,
				     OP(.text = types[i], .number = a, .on = true)),
				MD_INPUT, "#1 is linked so to this one already");
		OK(step(f, f->anna, a, do_link, OP(.text = types[i], .number = b)));
		ROWS(f,
		     arena_printf(&f->arena, "link_added %s #2\nlink_removed %s #2", types[i],
				  types[i]),
		     "SELECT action || ' ' || coalesce(new_value, old_value) FROM ticket_history"
		     " WHERE ticket_id = 1 AND action LIKE 'link%%' ORDER BY id LIMIT 2 OFFSET %zu",
		     2 * i);
	}
}

/* Who wrote it down has no part in it by that. */
static void having_made_it_gives_no_rights(void **state)
{
	struct fixture *f = *state;
	int64_t t = create(f, f->carol, f->carol, "x");

	OK(change_rc(f, f->anna, t, CHANGE(.requester = f->dave)));
	OK(step(f, f->carol, t, NULL, NULL)); /* in copy */
	REFUSED(move_rc(f, f->carol, t, "closed"), MD_REFUSED, "not for you");
	REFUSED(step(f, f->carol, t, do_delete, NULL), MD_REFUSED, "not allowed");
	OK(step(f, f->anna, t, do_remove, OP(.number = f->carol)));
	ROWS(f, "Carol", "SELECT u.name FROM tickets t JOIN users u ON u.id = t.created_by");
	REFUSED(step(f, f->carol, t, NULL, NULL), MD_NOTFOUND, "no such");
	OK(step(f, f->dave, t, do_delete, NULL));
}

/* ---- deleting ---- */

static void deleted_is_gone_but_for_admins(void **state)
{
	struct fixture *f = *state;
	int64_t t = create(f, f->carol, f->carol, "x");

	REFUSED(step(f, f->anna, t, do_delete, NULL), MD_REFUSED, "not allowed");
	OK(step(f, f->carol, t, do_delete, NULL));
	REFUSED(step(f, f->carol, t, NULL, NULL), MD_NOTFOUND, "no such ticket");
	REFUSED(step(f, f->anna, t, NULL, NULL), MD_NOTFOUND, "no such ticket");
	OK(step(f, f->admin, t, NULL, NULL));
	REFUSED(change_rc(f, f->admin, t, PRIORITY(3)), MD_CONFLICT, "allowed: restore");
	REFUSED(comment_rc(f, f->admin, t, "x", true), MD_CONFLICT, "allowed: restore");
	ROWS(f, "paused\npaused", "SELECT state FROM clocks");
	/* no clock of it ticks, no timer fires */
	assert_int_equal(tick(f, MONDAY_9 + DAY), 0);
	OK(step(f, f->admin, t, do_restore, NULL));
	REFUSED(step(f, f->admin, t, do_restore, NULL), MD_INPUT, "not deleted");
	OK(step(f, f->carol, t, NULL, NULL));
	ROWS(f, "running\nrunning", "SELECT state FROM clocks");
	ROWS(f, "created\ndeleted\nrestored", "SELECT action FROM ticket_history ORDER BY id");
}

static void spam_goes_to_quarantine(void **state)
{
	struct fixture *f = *state;
	struct intake_result r = TAKE(f, .from = "eve@evil.test", .subject = "Win!");

	REFUSED(step(f, f->carol, r.ticket, do_spam, NULL), MD_NOTFOUND, "no such");
	OK(step(f, f->anna, r.ticket, do_spam, NULL));
	ROWS(f, "spam eve@evil.test",
	     "SELECT q.cause || ' ' || m.from_address FROM quarantine q JOIN messages m ON m.id ="
	     " q.message_id");
	ROWS(f, "eve@evil.test", "SELECT sender FROM blocked_senders");
	REFUSED(step(f, f->anna, r.ticket, NULL, NULL), MD_NOTFOUND, "no such");
	r = TAKE(f, .from = "eve@evil.test", .subject = "Win more!");
	OUTCOME(r, "quarantined");
	OK(step(f, f->admin, 1, do_restore, NULL));
	ROWS(f, "0", "SELECT count(*) FROM quarantine WHERE cause = 'spam'");
	REFUSED(step(f, f->admin, create(f, f->anna, f->anna, "mine"), do_spam, NULL), MD_INPUT,
		"customer");
}

/* ---- people ---- */

static void watching_and_muting(void **state)
{
	struct fixture *f = *state;
	int64_t t = create(f, f->carol, f->carol, "x");

	OK(step(f, f->bob, t, do_watch, OP(.on = true)));
	OK(step(f, f->bob, t, do_watch, OP(.on = true)));
	send_all(f);
	OK(comment_rc(f, f->carol, t, "Hello?", false));
	ROWS(f, "public_reply bob@desk.test", QUEUED);
	send_all(f);
	OK(step(f, f->bob, t, do_mute, OP(.on = true)));
	OK(comment_rc(f, f->carol, t, "Hello?", false));
	ROWS(f, "", QUEUED);
	OK(step(f, f->bob, t, do_watch, OP(.on = false)));
	ROWS(f, "Carol",
	     "SELECT u.name FROM ticket_participants p JOIN users u ON u.id ="
	     " p.user_id");
	/* the requester stays and hears nothing */
	OK(step(f, f->carol, t, do_watch, OP(.on = false)));
	OK(comment_rc(f, f->anna, t, "Yes?", false));
	ROWS(f, "", QUEUED);
	OK(step(f, f->carol, t, do_watch, OP(.on = true)));
	OK(comment_rc(f, f->anna, t, "Yes?", false));
	ROWS(f, "public_reply carol@customer.test", QUEUED);
	REFUSED(step(f, f->dave, t, do_watch, OP(.on = true)), MD_NOTFOUND, "no such");
}

static void coming_and_going(void **state)
{
	struct fixture *f = *state;
	int64_t t = create(f, f->carol, f->carol, "x");

	OK(step(f, f->carol, t, do_add, OP(.number = f->dave, .text = "cc")));
	OK(step(f, f->dave, t, NULL, NULL));
	REFUSED(step(f, f->dave, t, do_remove, OP(.number = f->carol)), MD_REFUSED, "not");
	REFUSED(step(f, f->anna, t, do_remove, OP(.number = f->carol)), MD_INPUT,
		"requester stays");
	REFUSED(step(f, f->anna, t, do_remove, OP(.number = f->bob)), MD_INPUT, "no part");
	REFUSED(step(f, f->anna, t, do_add, OP(.number = 999, .text = "cc")), MD_INPUT, "active");
	REFUSED(step(f, f->anna, t, do_add, OP(.number = f->bob, .text = "boss")), MD_INPUT,
		"cc or watcher");
	OK(step(f, f->dave, t, do_remove, OP(.number = f->dave)));
	REFUSED(step(f, f->dave, t, NULL, NULL), MD_NOTFOUND, "no such");
	ROWS(f, "participant_added - Dave\nparticipant_removed Dave -",
	     "SELECT action || ' ' || coalesce(old_value, '-') || ' ' || coalesce(new_value, '-')"
	     " FROM ticket_history WHERE action LIKE 'part%%' ORDER BY id");
}

/* ---- merging ---- */

#define TALK "SELECT ticket_id || ' ' || body FROM comments ORDER BY id"
#define ON(t)                                                                            \
	rows(f,                                                                          \
	     "SELECT u.name || ' ' || p.role FROM ticket_participants p JOIN users u ON" \
	     " u.id = p.user_id WHERE p.ticket_id = %lld ORDER BY u.name",               \
	     (long long)(t))

static void merge_and_back(void **state)
{
	struct fixture *f = *state;
	int64_t a = create(f, f->carol, f->carol, "a"), b = create(f, f->dave, f->dave, "b");
	const char *before_a, *before_b;

	OK(comment_rc(f, f->anna, a, "to carol", false));
	before_a = whole(f, a);
	before_b = whole(f, b);
	send_all(f);
	OK(step(f, f->anna, a, do_merge, OP(.number = b)));
	ROWS(f, "2 It does not work.\n2 It does not work.\n2 to carol", TALK);
	assert_string_equal(ON(b), "Carol cc\nDave requester");
	ROWS(f, "merged #2",
	     "SELECT action || ' ' || new_value FROM ticket_history WHERE"
	     " ticket_id = 1 ORDER BY id DESC LIMIT 1");
	ROWS(f, "merged_from #1",
	     "SELECT action || ' ' || new_value FROM ticket_history WHERE"
	     " ticket_id = 2 ORDER BY id DESC LIMIT 1");
	ROWS(f, "3", "SELECT version FROM tickets WHERE id = 1");
	ROWS(f, "2", "SELECT version FROM tickets WHERE id = 2");
	/* what was said first on the survivor stays its description */
	REFUSED(step(f, f->anna, b, do_split, OP(.number = 2)), MD_INPUT, "description");
	/* read-only, and read by those who could */
	OK(step(f, f->carol, a, NULL, NULL));
	REFUSED(comment_rc(f, f->carol, a, "x", false), MD_CONFLICT, "allowed: unmerge");
	REFUSED(change_rc(f, f->anna, a, PRIORITY(3)), MD_CONFLICT, "merged into #2");
	REFUSED(step(f, f->anna, a, do_merge, OP(.number = b)), MD_CONFLICT, "merged");
	REFUSED(step(f, f->carol, a, do_unmerge, NULL), MD_REFUSED, "not allowed");
	OK(step(f, f->carol, b, NULL, NULL));
	OK(comment_rc(f, f->carol, b, "here now", false));
	OK(step(f, f->anna, a, do_unmerge, NULL));
	ROWS(f, "1 It does not work.\n2 It does not work.\n1 to carol\n2 here now", TALK);
	assert_string_equal(whole(f, a), before_a);
	assert_string_equal(whole(f, b), before_b);
	REFUSED(step(f, f->carol, b, NULL, NULL), MD_NOTFOUND, "no such");
	REFUSED(step(f, f->anna, a, do_unmerge, NULL), MD_INPUT, "not merged");
	ROWS(f, "0", "SELECT count(*) FROM comments WHERE origin_id IS NOT NULL");
}

static void merges_that_cannot_be(void **state)
{
	struct fixture *f = *state;
	int64_t a = create(f, f->carol, f->carol, "a"), b = create(f, f->carol, f->carol, "b"),
		c = create(f, f->carol, f->carol, "c");

	REFUSED(step(f, f->anna, a, do_merge, OP(.number = a)), MD_INPUT, "itself");
	REFUSED(step(f, f->anna, a, do_merge, OP(.number = 99)), MD_INPUT, "no ticket #99");
	REFUSED(step(f, f->carol, a, do_merge, OP(.number = b)), MD_REFUSED, "not allowed");
	OK(step(f, f->anna, a, do_merge, OP(.number = b)));
	/* a circle */
	REFUSED(step(f, f->anna, b, do_merge, OP(.number = a)), MD_INPUT,
		"#1 was merged into this ticket already");
	OK(step(f, f->admin, c, do_delete, NULL));
	REFUSED(step(f, f->admin, b, do_merge, OP(.number = c)), MD_INPUT, "no ticket #3");
	ROWS(f, "2\n-\n-", "SELECT merged_into FROM tickets ORDER BY id");
}

/* a into b, b into c; then any of them out again. */
static void chains_of_merges(void **state)
{
	struct fixture *f = *state;
	int64_t erin = add_user(f, "Erin", "erin@customer.test", "customer");
	int64_t a = create(f, f->carol, f->carol, "a"), b = create(f, f->dave, f->dave, "b"),
		c = create(f, erin, erin, "c");

	OK(step(f, f->anna, a, do_merge, OP(.number = b)));
	OK(step(f, f->anna, b, do_merge, OP(.number = c)));
	ROWS(f, "3\n3\n3", "SELECT ticket_id FROM comments WHERE ticket_id < 4 ORDER BY id");
	assert_string_equal(ON(c), "Carol cc\nDave cc\nErin requester");
	/* a wider circle; and what is allowed is where the chain ends */
	REFUSED(step(f, f->anna, c, do_merge, OP(.number = a)), MD_INPUT,
		"#1 was merged into this ticket already");
	REFUSED(step(f, f->anna, create(f, erin, erin, "d"), do_merge, OP(.number = a)), MD_INPUT,
		"#1 was merged itself; allowed: #3");
	OK(step(f, f->anna, a, do_unmerge, NULL));
	ROWS(f, "1\n3\n3", "SELECT ticket_id FROM comments WHERE ticket_id < 4 ORDER BY id");
	assert_string_equal(ON(c), "Dave cc\nErin requester");
	assert_string_equal(ON(b), "Dave requester");
	/* again, and now the middle with its own */
	OK(step(f, f->anna, a, do_merge, OP(.number = c)));
	OK(step(f, f->anna, a, do_unmerge, NULL));
	OK(step(f, f->anna, b, do_unmerge, NULL));
	OK(step(f, f->anna, a, do_merge, OP(.number = b)));
	OK(step(f, f->anna, b, do_merge, OP(.number = c)));
	OK(step(f, f->anna, b, do_unmerge, NULL));
	ROWS(f, "2\n2\n3", "SELECT ticket_id FROM comments WHERE ticket_id < 4 ORDER BY id");
	assert_string_equal(ON(c), "Erin requester");
	assert_string_equal(ON(b), "Carol cc\nDave requester");
	OK(step(f, f->anna, a, do_unmerge, NULL));
	ROWS(f, "1\n2\n3", "SELECT ticket_id FROM comments WHERE ticket_id < 4 ORDER BY id");
}

static void replies_follow_a_merge(void **state)
{
	struct fixture *f = *state;
	struct intake_result first = TAKE(f, .from = "carol@customer.test", .subject = "a",
					  .id = "first@mua", .auth = "pass"),
			     r;
	int64_t b = create(f, f->dave, f->dave, "b");

	send_all(f);
	OK(step(f, f->anna, first.ticket, do_merge, OP(.number = b)));
	ROWS(f, "1",
	     "SELECT count(*) FROM messages WHERE ticket_id = 2 AND message_id ="
	     " 'first@mua'");
	r = TAKE(f, .from = "carol@customer.test", .subject = "Re: a", .reply_to = "first@mua",
		 .auth = "pass");
	OUTCOME(r, "comment_added");
	assert_int_equal(r.ticket, b);
	ROWS(f, "0", "SELECT is_internal FROM comments WHERE id = %lld", (long long)r.comment);
	OK(step(f, f->anna, first.ticket, do_unmerge, NULL));
	r = TAKE(f, .from = "carol@customer.test", .subject = "Re: a", .reply_to = "first@mua",
		 .auth = "pass");
	assert_int_equal(r.ticket, first.ticket);
}

/* ---- splitting ---- */

static void a_comment_becomes_a_ticket(void **state)
{
	struct fixture *f = *state;
	int64_t t = create(f, f->carol, f->carol, "x");
	struct op split = { 0 };
	struct intake_result r;

	OK(step(f, f->carol, t, do_add, OP(.number = f->dave, .text = "cc")));
	r = TAKE(f, .from = "dave@customer.test", .subject = "Re: [#1] x", .id = "dave@mua",
		 .body = "Mine too.\n", .auth = "pass");
	OUTCOME(r, "comment_added");
	OK(comment_rc(f, f->anna, t, "A note.", true));
	send_all(f);
	split.number = r.comment;
	OK(step(f, f->anna, t, do_split, &split));
	ROWS(f, "2 Mine too.",
	     "SELECT ticket_id || ' ' || trim(body, char(10)) FROM comments WHERE"
	     " id = %lld",
	     (long long)r.comment);
	assert_string_equal(ON(split.made), "Carol requester\nDave cc");
	ROWS(f, "relates 2", "SELECT type || ' ' || other_id FROM ticket_links");
	ROWS(f, "split #2",
	     "SELECT action || ' ' || new_value FROM ticket_history WHERE"
	     " ticket_id = 1 ORDER BY id DESC LIMIT 1");
	ROWS(f, "created split from #1",
	     "SELECT action || ' ' || old_value FROM ticket_history"
	     " WHERE ticket_id = 2");
	/* answers to that mail go with it */
	ROWS(f, "2", "SELECT ticket_id FROM thread_ids WHERE message_id = 'dave@mua'");
	ROWS(f, "2", "SELECT ticket_id FROM messages WHERE message_id = 'dave@mua'");
	split.number = 1;
	REFUSED(step(f, f->anna, t, do_split, &split), MD_INPUT, "description stays");
	split.number = NUM(f, "SELECT id FROM comments WHERE is_internal = 1");
	REFUSED(step(f, f->anna, t, do_split, &split), MD_INPUT, "public comment");
	split.number = 999;
	REFUSED(step(f, f->anna, t, do_split, &split), MD_INPUT, "no such comment");
	REFUSED(step(f, f->carol, t, do_split, &split), MD_REFUSED, "not allowed");
	ROWS(f, "2", "SELECT count(*) FROM tickets");
}

/* ---- approving ---- */

static void a_held_reply_is_let_through(void **state)
{
	struct fixture *f = *state;
	int64_t t = create(f, f->carol, f->carol, "x");
	struct intake_result r;

	OK(assign_rc(f, f->anna, t, f->anna));
	OK(move_rc(f, f->anna, t, "pending"));
	/* a stranger answers */
	r = TAKE(f, .from = "dave@customer.test", .subject = "Re: [#1] x", .body = "It is me.\n",
		 .reply_to = NULL, .auth = "pass",
		 .headers = arena_printf(&f->arena, "References: <%s>\n",
					 rows(f, "SELECT message_id FROM messages WHERE direction ="
						 " 'out' LIMIT 1")));
	OUTCOME(r, "comment_added");
	ROWS(f, "not_participant 1",
	     "SELECT held || ' ' || is_internal FROM comments WHERE id = %lld",
	     (long long)r.comment);
	send_all(f);
	fixture_now += HOUR;
	REFUSED(step(f, f->carol, t, do_approve, OP(.number = r.comment)), MD_REFUSED, "not");
	OK(step(f, f->bob, t, do_approve, OP(.number = r.comment)));
	ROWS(f, "- 0",
	     "SELECT coalesce(held, '-') || ' ' || is_internal FROM comments WHERE id ="
	     " %lld",
	     (long long)r.comment);
	ROWS(f, "in_progress", "SELECT status FROM tickets");
	ROWS(f, "public_reply anna@desk.test\npublic_reply carol@customer.test", QUEUED);
	ROWS(f, "comment_approved Bob",
	     "SELECT h.action || ' ' || u.name FROM ticket_history h JOIN users u ON u.id ="
	     " h.actor_id WHERE h.action = 'comment_approved'");
	ROWS(f, "in_progress Dave",
	     "SELECT h.new_value || ' ' || u.name FROM ticket_history h JOIN users u ON u.id ="
	     " h.actor_id WHERE h.action = 'status' ORDER BY h.id DESC LIMIT 1");
	REFUSED(step(f, f->bob, t, do_approve, OP(.number = r.comment)), MD_INPUT, "not held");
	/* Dave takes no part by that */
	REFUSED(step(f, f->dave, t, NULL, NULL), MD_NOTFOUND, "no such");
}

/* An agent's mail that was held becomes what its writer meant, without the commands in it. */
static void a_held_mail_of_an_agent_shows_no_commands(void **state)
{
	static const struct {
		const char *subject, *body, *comment, *queued;
	} cases[] = {
		{ "Re: [#1] x", "#prio high\nTry again.\n", "0 Try again.",
		  "public_reply carol@customer.test" },
		{ "Re: [#1] x", "Try again.\n#prio high\n", "0 Try again.\n#prio high",
		  "public_reply carol@customer.test" },
		{ "Re: [#1] x", "#note for us alone\n", "1 for us alone", "" },
		{ "Re: [#1] x [note]", "for us alone\n", "1 for us alone", "" },
		{ "Re: [#1] x", "#prio high\n", "1 #prio high", "" },
		/* no command, or none any more: who can tell whether a customer may read it */
		{ "Re: [#1] x", "#room 12\nTry again.\n", "1 #room 12\nTry again.", "" },
	};
	struct fixture *f = *state;
	int64_t t = create(f, f->carol, f->carol, "x");

	for (size_t i = 0; i < MD_COUNT(cases); i++) {
		struct intake_result r = TAKE(f, .from = "anna@desk.test",
					      .subject = cases[i].subject, .body = cases[i].body);

		ROWS(f, "unverified", "SELECT held FROM comments WHERE id = %lld",
		     (long long)r.comment);
		send_all(f);
		OK(step(f, f->bob, t, do_approve, OP(.number = r.comment)));
		ROWS(f, cases[i].comment,
		     "SELECT is_internal || ' ' || body FROM comments WHERE held IS NULL AND id ="
		     " %lld",
		     (long long)r.comment);
		ROWS(f, cases[i].queued, QUEUED);
		send_all(f);
		fixture_now += HOUR * 24;
	}
	ROWS(f, "1", "SELECT priority FROM tickets");
}

static void clocks_stop_when_it_was_written(void **state)
{
	struct fixture *f = *state;
	int64_t t = create(f, f->carol, f->carol, "x");
	struct intake_result r;

	fixture_now += HOUR;
	r = TAKE(f, .from = "anna@desk.test", .subject = "Re: [#1] x", .body = "Try again.\n",
		 .headers = arena_printf(&f->arena, "References: <%s>\n",
					 rows(f, "SELECT message_id FROM messages WHERE direction ="
						 " 'out' LIMIT 1")));
	ROWS(f, "unverified", "SELECT held FROM comments WHERE id = %lld", (long long)r.comment);
	/* the target is missed meanwhile */
	tick(f, MONDAY_9 + 5 * HOUR);
	ROWS(f, "1", "SELECT breached_at IS NOT NULL FROM clocks WHERE metric = 'first_response'");
	send_all(f);
	OK(step(f, f->bob, t, do_approve, OP(.number = r.comment)));
	ROWS(f, "met 3600000",
	     "SELECT state || ' ' || (since_at - started_at) FROM clocks WHERE"
	     " metric = 'first_response'");
	ROWS(f, "3600000", "SELECT first_response_at - created_at FROM tickets");
	ROWS(f, "public_reply carol@customer.test", QUEUED);
	assert_non_null(strstr(rendered(f, newest_to(f, "carol@customer.test")), "Anna"));
}

struct proposal {
	int64_t ticket, user;
};
static int propose(struct db_conn *c, void *ctx, struct md_err *e)
{
	const struct proposal *p = ctx;

	return participant_propose(c, p->ticket, p->user, fixture_now, e);
}

static void a_person_is_let_in(void **state)
{
	struct fixture *f = *state;
	int64_t t = create(f, f->carol, f->carol, "x");
	struct proposal p = { t, f->dave };
	struct intake_result r;

	OK(db_txn(f->desk->db, propose, &p, &err));
	REFUSED(step(f, f->dave, t, NULL, NULL), MD_NOTFOUND, "no such");
	r = TAKE(f, .from = "dave@customer.test", .subject = "Re: [#1] x", .auth = "pass",
		 .headers = arena_printf(&f->arena, "References: <%s>\n",
					 rows(f, "SELECT message_id FROM messages WHERE direction ="
						 " 'out' LIMIT 1")));
	ROWS(f, "not_participant", "SELECT held FROM comments WHERE id = %lld",
	     (long long)r.comment);
	REFUSED(step(f, f->anna, t, do_approve_person, OP(.number = f->bob)), MD_INPUT, "waits");
	OK(step(f, f->anna, t, do_approve_person, OP(.number = f->dave)));
	assert_string_equal(ON(t), "Carol requester\nDave cc");
	ROWS(f, "0", "SELECT is_internal FROM comments WHERE id = %lld", (long long)r.comment);
	OK(step(f, f->dave, t, NULL, NULL));
	REFUSED(step(f, f->anna, t, do_approve_person, OP(.number = f->dave)), MD_INPUT, "waits");
}

/* ---- organisations ---- */

struct organisations {
	int64_t id, erin, mallory;
};
static int make_organisation(struct db_conn *c, void *ctx, struct md_err *e)
{
	struct organisations *o = ctx;
	struct organisation org = { .name = "Acme", .domains = "acme.test acme.example" };
	struct user erin = { .name = "Erin", .email = "erin@Acme.test", .role = "customer" };
	struct user mallory = { .name = "M", .email = "m@notacme.test", .role = "customer" };
	int rc = organisation_add(c, &org, &o->id, e);

	if (rc == MD_OK)
		rc = user_add(c, &erin, &o->erin, e);
	return rc == MD_OK ? user_add(c, &mallory, &o->mallory, e) : rc;
}

static void an_organisation_shares(void **state)
{
	struct fixture *f = *state;
	struct organisations o;
	struct intake_result r;
	int64_t frank;

	OK(db_txn(f->desk->db, make_organisation, &o, &err));
	r = TAKE(f, .from = "frank@acme.example", .subject = "x", .auth = "pass");
	frank = NUM(f, "SELECT id FROM users WHERE email = 'frank@acme.example'");
	ROWS(f, "Acme",
	     "SELECT o.name FROM tickets t JOIN organisations o ON o.id ="
	     " t.organisation_id");
	OK(step(f, o.erin, r.ticket, NULL, NULL));
	REFUSED(comment_rc(f, o.erin, r.ticket, "me too", false), MD_REFUSED, "not allowed");
	REFUSED(step(f, o.mallory, r.ticket, NULL, NULL), MD_NOTFOUND, "no such");
	OK(comment_rc(f, frank, r.ticket, "mine", false));
}

static void an_organisation_shares_not(void **state)
{
	struct fixture *f = *state;
	struct organisations o;
	struct intake_result r;

	OK(db_txn(f->desk->db, make_organisation, &o, &err));
	r = TAKE(f, .from = "frank@acme.example", .subject = "x", .auth = "pass");
	REFUSED(step(f, o.erin, r.ticket, NULL, NULL), MD_NOTFOUND, "no such");
}

/* ---- undo ---- */

static int everything(struct work *w, void *arg, struct md_err *e)
{
	static const char *tags[] = { "b", "c" };
	struct fixture *f = arg;
	int64_t ops = NUM(f, "SELECT id FROM teams");
	struct work_change ch = {
		.status = "resolved",
		.priority = 3,
		.set_assignee = true,
		.assignee = f->bob,
		.title = "new",
		.category = "other",
		.set_tags = true,
		.tags = { 2, tags },
		.set_team = true,
		.team = ops,
		.requester = f->dave,
		.set_due = true,
		.due_at = MONDAY_9 + DAY,
		.add_time_ms = HOUR,
		.field = "asset",
		.value = "PC-2",
	};
	int rc = work_change(w, &ch, e);

	if (rc == MD_OK)
		rc = work_link(w, "blocks", 2, true, e);
	if (rc == MD_OK)
		rc = work_watch(w, true, e);
	return rc == MD_OK ? work_participant(w, f->admin, "cc", e) : rc;
}

static void undo_puts_everything_back(void **state)
{
	struct fixture *f = *state;
	static const char *tags[] = { "a", "b" };
	int64_t t = create(f, f->carol, f->carol, "old"), other = create(f, f->dave, f->dave, "o");
	const char *before;

	assert_int_equal(other, 2);
	team(f, "ops", NULL, 0);
	OK(change_rc(f, f->bob, t,
		     CHANGE(.category = "hardware", .add_tags = { 2, tags }, .field = "asset",
			    .value = "PC-1", .set_snoozed = true,
			    .snoozed_until = MONDAY_9 + 2 * DAY)));
	before = whole(f, t);
	fixture_now += HOUR;
	OK(step(f, f->anna, t, everything, f));
	assert_string_not_equal(whole(f, t), before);
	fixture_now += HOUR;
	OK(step(f, f->anna, t, do_undo, NULL));
	assert_string_equal(whole(f, t), before);
	REFUSED(step(f, f->anna, t, do_undo, NULL), MD_INPUT, "undone already");
	REFUSED(step(f, f->admin, t, do_undo, NULL), MD_INPUT, "nothing of yours");
	ROWS(f, "1", "SELECT count(*) FROM ticket_history WHERE action = 'undone'");
}

static void undo_brings_a_closed_ticket_back_as_it_was(void **state)
{
	struct fixture *f = *state;
	int64_t t = create(f, f->carol, f->carol, "x");
	const char *before;

	OK(assign_rc(f, f->anna, t, f->anna));
	OK(move_rc(f, f->anna, t, "resolved"));
	fixture_now += HOUR;
	OK(move_rc(f, f->anna, t, "closed"));
	before = whole(f, t);
	fixture_now += HOUR;
	OK(move_rc(f, f->bob, t, "reopened"));
	fixture_now += HOUR;
	OK(step(f, f->bob, t, do_undo, NULL));
	assert_string_equal(whole(f, t), before);
}

static void undo_is_refused_after_a_change(void **state)
{
	struct fixture *f = *state;
	int64_t t = create(f, f->carol, f->carol, "x");
	const char *before;

	OK(change_rc(f, f->anna, t, CHANGE(.title = "new", .category = "other")));
	OK(change_rc(f, f->bob, t, CHANGE(.category = "hardware")));
	before = whole(f, t);
	REFUSED(step(f, f->anna, t, do_undo, NULL), MD_CONFLICT, "category was changed since");
	assert_string_equal(whole(f, t), before);
	fixture_now += DAY + 1;
	REFUSED(step(f, f->bob, t, do_undo, NULL), MD_INPUT, "24 hours");
}

static void undo_of_a_merge(void **state)
{
	struct fixture *f = *state;
	int64_t a = create(f, f->carol, f->carol, "a"), b = create(f, f->dave, f->dave, "b");
	const char *before_a = whole(f, a), *before_b = whole(f, b);

	/* from either end */
	for (int i = 0; i < 2; i++) {
		OK(step(f, f->anna, a, do_merge, OP(.number = b)));
		OK(step(f, f->anna, i ? b : a, do_undo, NULL));
		assert_string_equal(whole(f, a), before_a);
		assert_string_equal(whole(f, b), before_b);
		ROWS(f, "1\n2", "SELECT ticket_id FROM comments ORDER BY id");
	}
	OK(step(f, f->anna, a, do_merge, OP(.number = b)));
	OK(step(f, f->anna, a, do_unmerge, NULL));
	REFUSED(step(f, f->anna, a, do_undo, NULL), MD_INPUT, "not taken back");
}

/* By mail: what its commands did, not what another mail's text did. */
static void undo_by_mail(void **state)
{
	struct fixture *f = *state;
	int64_t t = create(f, f->carol, f->carol, "x");
	struct fixture_work s = { .f = f,
				  .by = { .desk = f->desk,
					  .actor = { .level = 2, .source = SOURCE_MAIL },
					  .channel = "mail" },
				  .user = f->anna,
				  .ticket = t,
				  .fn = do_undo };
	struct intake_result r;

	r = TAKE(f, .from = "anna@desk.test", .subject = "Re: [#1] x [take; prio high]",
		 .auth = "pass", .body = "");
	OUTCOME(r, "commands_run");
	ROWS(f, "in_progress 2", "SELECT status || ' ' || priority FROM tickets");
	fixture_now += MINUTE;
	r = TAKE(f, .from = "anna@desk.test", .subject = "Re: [#1] x", .auth = "pass",
		 .body = "Just words.\n");
	OUTCOME(r, "comment_added");
	OK(change_rc(f, f->anna, t, CHANGE(.category = "other")));
	fixture_now += MINUTE;
	s.by.now_ms = fixture_now;
	OK(db_txn(f->desk->db, fixture_work, &s, &err));
	ROWS(f, "open 1 - other",
	     "SELECT status || ' ' || priority || ' ' || coalesce(assignee_id, '-') || ' ' ||"
	     " category FROM tickets");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		DESK_TEST(custom_fields, FIELDS),
		DESK_TEST(enormous_things_are_refused, "field \"asset\" { }\n"),
		DESK_TEST(time_and_due, ""),
		DESK_TEST(another_requester, ""),
		DESK_TEST(a_snooze_ends_by_the_clock, SLA_CONFIG),
		DESK_TEST(what_else_ends_a_snooze, ""),
		DESK_TEST(teams_assign_in_turn, "team \"ops\" { assign = round_robin }\n"),
		DESK_TEST(teams_assign_by_load, "team \"ops\" { assign = least_loaded }\n"
						"mailbox \"sales\" { team = ops }\n"),
		DESK_TEST(the_desk_assigns_in_turn, "desk { assign = round_robin }\n"
						    "team \"ops\" { assign = manual }\n"),
		DESK_TEST(the_desk_assigns_by_load, "desk { assign = least_loaded }\n"),
		DESK_TEST(a_team_is_told, "mailbox \"sales\" { team = ops }\n"),
		DESK_TEST(a_reply_takes_it, "desk { take_by_reply = true }\n"),
		DESK_TEST(links, ""),
		DESK_TEST(each_type_of_link, ""),
		DESK_TEST(having_made_it_gives_no_rights, ""),
		DESK_TEST(deleted_is_gone_but_for_admins, SLA_CONFIG),
		DESK_TEST(spam_goes_to_quarantine, ""),
		DESK_TEST(watching_and_muting, ""),
		DESK_TEST(coming_and_going, ""),
		DESK_TEST(merge_and_back, SLA_CONFIG),
		DESK_TEST(merges_that_cannot_be, ""),
		DESK_TEST(chains_of_merges, ""),
		DESK_TEST(replies_follow_a_merge, ""),
		DESK_TEST(a_comment_becomes_a_ticket, ""),
		DESK_TEST(a_held_reply_is_let_through, ""),
		DESK_TEST(a_held_mail_of_an_agent_shows_no_commands, ""),
		DESK_TEST(clocks_stop_when_it_was_written, SLA_CONFIG),
		DESK_TEST(a_person_is_let_in, ""),
		DESK_TEST(an_organisation_shares, "desk { organisation_shared = true }\n"),
		DESK_TEST(an_organisation_shares_not, ""),
		DESK_TEST(undo_puts_everything_back, FIELDS),
		DESK_TEST(undo_brings_a_closed_ticket_back_as_it_was, ""),
		DESK_TEST(undo_is_refused_after_a_change, ""),
		DESK_TEST(undo_of_a_merge, ""),
		DESK_TEST(undo_by_mail, ""),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
