/* ticket_list.c - pages of tickets by filter.
 *
 * The page's ids are found first, from tickets and its indexes alone; names, clocks and mailboxes
 * are then joined for those few. The ORDER BY of each sort is the order of an index, so an
 * unfiltered or lightly filtered page reads a page's worth of it and sorts nothing. Where nearly
 * nothing passes a filter that would be all of the desk; so the total, which is counted first, says
 * which way the page is found. */
#include <maildesk/store/tickets.h>

#include "query.h"
#include "search_private.h"
#include "ticket_columns.h"

#define ROW_COLUMNS                                                                  \
	TICKET_COLUMNS ", r.name, r.email, g.name, g.email, b.name, s.name, o.name," \
		       " (SELECT MIN(k.due_at) FROM clocks k"                        \
		       " WHERE k.ticket_id = t.id AND k.state = 'running'),"         \
		       " (SELECT COUNT(*) FROM clocks k"                             \
		       " WHERE k.ticket_id = t.id AND k.breached_at IS NOT NULL)"
#define ROW_JOINS                                                                             \
	" JOIN users r ON r.id = t.requester_id LEFT JOIN users g ON g.id = t.assignee_id"    \
	" LEFT JOIN mailboxes b ON b.id = t.mailbox_id LEFT JOIN teams s ON s.id = t.team_id" \
	" LEFT JOIN organisations o ON o.id = t.organisation_id"

static const struct db_col row_cols[] = {
	TICKET_MAP_COLUMNS(struct ticket_row, t.),
	{ DB_COL_TEXT, offsetof(struct ticket_row, requester_name) },
	{ DB_COL_TEXT, offsetof(struct ticket_row, requester_email) },
	{ DB_COL_TEXT, offsetof(struct ticket_row, assignee_name) },
	{ DB_COL_TEXT, offsetof(struct ticket_row, assignee_email) },
	{ DB_COL_TEXT, offsetof(struct ticket_row, mailbox) },
	{ DB_COL_TEXT, offsetof(struct ticket_row, team_name) },
	{ DB_COL_TEXT, offsetof(struct ticket_row, organisation_name) },
	{ DB_COL_INT, offsetof(struct ticket_row, sla_due_at) },
	{ DB_COL_INT, offsetof(struct ticket_row, breached) },
};
static const struct db_map row_map = DB_MAP(ticket_row, row_cols);

DB_SQL(sql_row, "SELECT " ROW_COLUMNS " FROM tickets t" ROW_JOINS " WHERE t.id = $1");

int ticket_row_get(struct db_conn *c, int64_t id, struct arena *a, struct ticket_row *ret,
		   struct md_err *err)
{
	return db_one(c, &sql_row, DB_ARGS(DB_INT(id)), &row_map, a, ret, err);
}

/* [sort][descending]; ends with the id, so that pages never overlap */
static const char *const orders[TICKET_SORT_COUNT][2] = {
	[TICKET_SORT_ID] = { " ORDER BY t.id", " ORDER BY t.id DESC" },
	[TICKET_SORT_CREATED] = { " ORDER BY t.created_at, t.id",
				  " ORDER BY t.created_at DESC, t.id DESC" },
	[TICKET_SORT_UPDATED] = { " ORDER BY t.updated_at, t.id",
				  " ORDER BY t.updated_at DESC, t.id DESC" },
	[TICKET_SORT_PRIORITY] = { " ORDER BY t.priority, t.updated_at, t.id",
				   " ORDER BY t.priority DESC, t.updated_at DESC, t.id DESC" },
	/* those without a date come last, either way */
	[TICKET_SORT_DUE] = { " ORDER BY t.deadline_at IS NULL, t.deadline_at, t.id",
			      " ORDER BY t.deadline_at IS NULL, t.deadline_at DESC, t.id DESC" },
	[TICKET_SORT_STATUS] = { " ORDER BY t.status, t.updated_at, t.id",
				 " ORDER BY t.status DESC, t.updated_at DESC, t.id DESC" },
};

/* The same order where all have no assignee; PostgreSQL takes it from tickets_by_assignee only if
 * the column is named. */
static const char *const unassigned_orders[2] = {
	" ORDER BY t.assignee_id, t.updated_at, t.id",
	" ORDER BY t.assignee_id DESC, t.updated_at DESC, t.id DESC",
};

static const char *order_of(const struct ticket_filter *f)
{
	if (f->assignee_id < 0 && f->sort == TICKET_SORT_UPDATED)
		return unassigned_orders[f->descending];
	return orders[f->sort][f->descending];
}

static void add_behind(struct query *q, const struct ticket_filter *f)
{
	static const char *const places[TICKET_SORT_COUNT][2] = {
		[TICKET_SORT_CREATED] = { " AND (t.created_at, t.id) > (?",
					  " AND (t.created_at, t.id) < (?" },
		[TICKET_SORT_UPDATED] = { " AND (t.updated_at, t.id) > (?",
					  " AND (t.updated_at, t.id) < (?" },
		[TICKET_SORT_PRIORITY] = { " AND (t.priority, t.updated_at, t.id) > (?",
					   " AND (t.priority, t.updated_at, t.id) < (?" },
		[TICKET_SORT_STATUS] = { " AND (t.status, t.updated_at, t.id) > (?",
					 " AND (t.status, t.updated_at, t.id) < (?" },
	};
	const struct ticket_place *p = f->behind;

	if (!p)
		return;
	switch (f->sort) {
	case TICKET_SORT_PRIORITY:
	case TICKET_SORT_STATUS:
		query_add_arg(q, places[f->sort][f->descending],
			      f->sort == TICKET_SORT_STATUS ? DB_TEXT(p->status) : DB_INT(p->key));
		query_add_arg(q, ", ?", DB_INT(p->updated_at));
		break;
	case TICKET_SORT_DUE: /* see add_due_arm() */
		return;
	case TICKET_SORT_ID:
		query_add_arg(q, f->descending ? " AND t.id < ?" : " AND t.id > ?", DB_INT(p->id));
		return;
	default:
		query_add_arg(q, places[f->sort][f->descending],
			      DB_INT(f->sort == TICKET_SORT_UPDATED ? p->updated_at : p->key));
	}
	query_add_arg(q, ", ?)", DB_INT(p->id));
}

#define NO_DATE INT64_MAX /* as a place's key */
DB_SQL(sql_deadline,
       "SELECT COALESCE(t.deadline_at, 9223372036854775807) FROM tickets t WHERE t.id = $1");

int ticket_place_of(struct db_conn *c, const struct ticket_filter *f, const struct ticket_row *row,
		    struct ticket_place *ret, struct md_err *err)
{
	*ret = (struct ticket_place){ .status = row->t.status,
				      .updated_at = row->t.updated_at,
				      .id = row->t.id };
	if (f->sort == TICKET_SORT_CREATED)
		ret->key = row->t.created_at;
	if (f->sort == TICKET_SORT_PRIORITY)
		ret->key = row->t.priority;
	if (f->sort == TICKET_SORT_DUE)
		return db_int(c, &sql_deadline, DB_ARGS(DB_INT(row->t.id)), &ret->key, err);
	return MD_OK;
}

/* One value and not a list of one: "=" lets an index give the order too. */
static void add_status(struct query *q, const struct ticket_filter *f)
{
	if (f->n_status == 1)
		query_add_arg(q, " AND t.status = ?", DB_TEXT(f->status[0]));
	else if (f->n_status)
		query_add_texts(q, " AND t.status IN ", f->status, f->n_status);
}

static void add_priority(struct query *q, const struct ticket_filter *f)
{
	if (f->n_priority == 1)
		query_add_arg(q, " AND t.priority = ?", DB_INT(f->priority[0]));
	else if (f->n_priority)
		query_add_ints(q, " AND t.priority IN ", f->priority, f->n_priority);
}

static void add_any_id(struct query *q, const char *in, const char *is_null,
		       const struct ticket_any_id *any)
{
	int64_t ids[TICKET_FILTER_ANY_MAX];
	size_t n = 0;

	for (size_t i = 0; i < any->n; i++)
		if (any->v[i] > 0)
			ids[n++] = any->v[i];
	if (!any->n)
		return;
	query_add(q, " AND (");
	if (n)
		query_add_ints(q, in, ids, n);
	if (n < any->n)
		query_add(q, n ? " OR " : "");
	if (n < any->n)
		query_add(q, is_null);
	query_add(q, ")");
}

static void add_lists(struct query *q, const struct ticket_filter *f)
{
	add_any_id(q, "t.assignee_id IN ", "t.assignee_id IS NULL", &f->assignees);
	add_any_id(q, "t.requester_id IN ", "t.requester_id IS NULL", &f->requesters);
	add_any_id(q, "t.team_id IN ", "t.team_id IS NULL", &f->teams);
	add_any_id(q, "t.organisation_id IN ", "t.organisation_id IS NULL", &f->organisations);
	if (f->categories.n)
		query_add_texts(q, " AND t.category IN ", f->categories.v, f->categories.n);
	if (f->tags.n) {
		query_add_texts(q,
				" AND t.id IN (SELECT x.ticket_id FROM ticket_tags x"
				" JOIN tags n ON n.id = x.tag_id WHERE n.name IN ",
				f->tags.v, f->tags.n);
		query_add(q, ")");
	}
	if (f->mailboxes.n) {
		query_add_texts(q,
				" AND t.mailbox_id IN (SELECT m.id FROM mailboxes m"
				" WHERE m.name IN ",
				f->mailboxes.v, f->mailboxes.n);
		query_add(q, ")");
	}
}

static void add_people(struct query *q, const struct ticket_filter *f)
{
	if (f->assignee_id > 0)
		query_add_arg(q, " AND t.assignee_id = ?", DB_INT(f->assignee_id));
	else if (f->assignee_id < 0)
		query_add(q, " AND t.assignee_id IS NULL");
	if (f->requester_id)
		query_add_arg(q, " AND t.requester_id = ?", DB_INT(f->requester_id));
	if (f->team_id > 0)
		query_add_arg(q, " AND t.team_id = ?", DB_INT(f->team_id));
	else if (f->team_id < 0)
		query_add(q, " AND t.team_id IS NULL");
	if (f->organisation_id)
		query_add_arg(q, " AND t.organisation_id = ?", DB_INT(f->organisation_id));
	if (f->visible_to)
		query_add_arg(q,
			      " AND (t.id IN (SELECT p.ticket_id FROM ticket_participants p"
			      " WHERE p.user_id = ? AND p.pending = 0)",
			      DB_INT(f->visible_to));
	if (f->visible_to && f->shared_with)
		query_add_arg(q, " OR t.organisation_id = ?", DB_INT(f->shared_with));
	if (f->visible_to)
		query_add(q, ")");
}

static void add_rest(struct query *q, const struct ticket_filter *f)
{
	if (f->tag)
		query_add_arg(q,
			      " AND t.id IN (SELECT x.ticket_id FROM ticket_tags x"
			      " JOIN tags n ON n.id = x.tag_id WHERE n.name = ?)",
			      DB_TEXT(f->tag));
	if (f->category)
		query_add_arg(q, " AND t.category = ?", DB_TEXT(f->category));
	/* no part of another value: there its quotes are escaped */
	if (f->field)
		query_add_arg(q,
			      " AND t.fields IS NOT NULL AND REPLACE(t.fields, ?, '') <> t.fields",
			      DB_TEXT(f->field));
	if (f->mailbox)
		query_add_arg(q,
			      " AND t.mailbox_id = (SELECT m.id FROM mailboxes m WHERE m.name = ?)",
			      DB_TEXT(f->mailbox));
	if (f->created_after)
		query_add_arg(q, " AND t.created_at >= ?", DB_INT(f->created_after));
	if (f->created_before)
		query_add_arg(q, " AND t.created_at < ?", DB_INT(f->created_before));
	if (f->updated_after)
		query_add_arg(q, " AND t.updated_at >= ?", DB_INT(f->updated_after));
	if (f->updated_before)
		query_add_arg(q, " AND t.updated_at < ?", DB_INT(f->updated_before));
	if (f->breached_after)
		query_add_arg(q,
			      " AND t.id IN (SELECT k.ticket_id FROM clocks k"
			      " WHERE k.breached_at >= ?)",
			      DB_INT(f->breached_after));
}

/* Not by tickets_by_deadline: nearly all of what is past there was resolved long ago. */
#define OVERDUE                                              \
	"(t.resolved_at IS NULL AND t.closed_at IS NULL AND" \
	" COALESCE(t.deadline_at, 0) BETWEEN 1 AND CAST(? AS {INT}))"

static void add_overdue(struct query *q, const struct ticket_filter *f)
{
	if (f->overdue_at)
		query_add_arg(q, " AND " OVERDUE, DB_INT(f->overdue_at - 1));
	if (f->not_overdue_at)
		query_add_arg(q, " AND NOT " OVERDUE, DB_INT(f->not_overdue_at - 1));
}

#define BREACHED                                                          \
	"(t.resolved_at IS NULL AND EXISTS (SELECT 1 FROM clocks k WHERE" \
	" k.ticket_id = t.id AND k.breached_at IS NOT NULL))"

static void add_breached(struct query *q, const struct ticket_filter *f)
{
	if (f->breached)
		query_add(q, " AND " BREACHED);
	if (f->not_breached)
		query_add(q, " AND NOT " BREACHED);
}

void ticket_filter_add(struct query *q, const struct ticket_filter *f)
{
	query_add(q, " AND t.deleted_at IS NULL AND t.merged_into IS NULL");
	add_status(q, f);
	add_priority(q, f);
	add_people(q, f);
	add_rest(q, f);
	add_lists(q, f);
	add_overdue(q, f);
	add_breached(q, f);
}

/* Does an index begin with something that is asked for? The engine takes that one then. */
static bool has_index(const struct ticket_filter *f)
{
	return f->assignee_id || f->requester_id || f->team_id || f->organisation_id ||
	       f->n_status || f->n_priority || f->category;
}

/* Is it for what is not resolved, and only a part of that? */
static bool is_of_few(const struct ticket_filter *f)
{
	return f->overdue_at || f->breached;
}

/* All that are overdue or missed a target, as ids from the index of what is not resolved alone
 * (`priority` is what that begins with): a million others need not be looked at. */
static void add_ids_of_few(struct query *q, const struct ticket_filter *f)
{
	query_add(q, " AND t.id IN (SELECT d.id FROM tickets d WHERE d.resolved_at IS NULL"
		     " AND d.deleted_at IS NULL AND d.merged_into IS NULL"
		     " AND d.priority BETWEEN 0 AND 3");
	if (f->overdue_at)
		query_add_arg(q, " AND COALESCE(d.deadline_at, 0) BETWEEN 1 AND CAST(? AS {INT})",
			      DB_INT(f->overdue_at - 1));
	if (f->breached)
		query_add(q, " AND EXISTS (SELECT 1 FROM clocks k WHERE k.ticket_id = d.id"
			     " AND k.breached_at IS NOT NULL)");
	query_add(q, ")");
}

/* What the words are in counts only together with the rest: the limit is on what passes it. */
static void add_filter(struct query *q, const struct ticket_filter *f, struct search_matches *m,
		       bool by_ids)
{
	query_add(q, " FROM tickets t WHERE 1 = 1");
	ticket_filter_add(q, f);
	if (by_ids)
		add_ids_of_few(q, f);
	if (f->words && f->words->n)
		search_add_tickets(q, m, f);
}

/* Those with a date, or those without, as far as the page needs them. */
static void add_due_arm(struct query *q, const struct ticket_filter *f, struct search_matches *m,
			bool by_ids, bool with_date)
{
	const struct ticket_place *p = f->behind;
	bool among = p && (p->key != NO_DATE) == with_date; /* the page begins among these */

	query_add(q, "SELECT * FROM (SELECT t.id AS page_id, t.deadline_at AS due_at");
	add_filter(q, f, m, by_ids);
	query_add(q, with_date ? " AND t.deadline_at IS NOT NULL" : " AND t.deadline_at IS NULL");
	if (p && with_date && !among)
		query_add(q, " AND 1 = 0"); /* they are all before it */
	if (among && with_date) {
		query_add_arg(q,
			      f->descending ? " AND (t.deadline_at, t.id) < (?"
					    : " AND (t.deadline_at, t.id) > (?",
			      DB_INT(p->key));
		query_add_arg(q, ", ?)", DB_INT(p->id));
	} else if (among) {
		query_add_arg(q, f->descending ? " AND t.id < ?" : " AND t.id > ?", DB_INT(p->id));
	}
	query_add(q, f->descending ? " ORDER BY t.deadline_at DESC, t.id DESC"
				   : " ORDER BY t.deadline_at, t.id");
	query_add_arg(q, with_date ? " LIMIT ?) AS dated" : " LIMIT ?) AS undated",
		      DB_INT(f->limit + f->offset));
}

/* The ids of a page. By due date they are of two kinds, each in the order of an index. */
static void add_page(struct query *q, const struct ticket_filter *f, struct search_matches *m,
		     bool by_ids)
{
	if (f->sort == TICKET_SORT_DUE) {
		query_add(q, "SELECT due.page_id FROM (");
		add_due_arm(q, f, m, by_ids, true);
		query_add(q, " UNION ALL ");
		add_due_arm(q, f, m, by_ids, false);
		query_add(q, f->descending
				     ? ") AS due ORDER BY due.due_at IS NULL, due.due_at DESC,"
				       " due.page_id DESC"
				     : ") AS due ORDER BY due.due_at IS NULL, due.due_at,"
				       " due.page_id");
	} else {
		query_add(q, "SELECT t.id AS page_id");
		add_filter(q, f, m, by_ids);
		add_behind(q, f);
		query_add(q, order_of(f));
	}
	query_add_arg(q, " LIMIT ?", DB_INT(f->limit));
	query_add_arg(q, " OFFSET ?", DB_INT(f->offset));
}

int ticket_list(struct db_conn *c, const struct ticket_filter *f, struct arena *a,
		struct ticket_row **ret, size_t *ret_n, int64_t *ret_total, struct md_err *err)
{
	md_auto(query_done) struct query count = QUERY_INIT, page = QUERY_INIT;
	md_auto(search_matches_done) struct search_matches m = SEARCH_MATCHES_INIT;
	int64_t total;
	int rc;

	search_write_matches(c, f->words, &m);
	query_add(&count, QUERY_COUNT_BEGIN);
	add_filter(&count, f, &m, is_of_few(f) && has_index(f));
	query_add(&count, QUERY_COUNT_END);
	rc = query_count(&count, c, a, &total, err);
	if (rc != MD_OK)
		return rc;

	/* Of many a page is found sooner in the order of the list. */
	query_add(&page, "SELECT " ROW_COLUMNS " FROM (");
	add_page(&page, f, &m, is_of_few(f) && total <= QUERY_COUNT_EXACT);
	query_add(&page, ") AS page JOIN tickets t ON t.id = page.page_id" ROW_JOINS);
	query_add(&page, order_of(f));
	rc = query_all(&page, c, &row_map, (size_t)f->limit, a, ret, ret_n, err);
	if (rc == MD_OK)
		*ret_total = total;
	return rc;
}
