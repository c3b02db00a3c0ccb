/* events_tell.c - a page of events to all whose position is before it, each with what they may see.
 */
#include "events_priv.h"

#include <string.h>

enum { TEXT_MAX = 2048 }; /* of an event */

/* ---- as text ---- */

static void add_text(struct buf *out, const char *key, const char *text)
{
	buf_addf(out, ",\"%s\":", key);
	json_write_string(out, text, text ? strlen(text) : 0);
}

void event_show(struct buf *out, const struct event *e)
{
	char at[TIME_TEXT_MAX];

	buf_addf(out, "{\"type\":\"%s\"", e->type);
	if (e->ticket)
		buf_addf(out, ",\"ticket\":%lld", (long long)e->ticket);
	else
		buf_adds(out, ",\"ticket\":null"); /* a test of a webhook */
	if (e->comment)
		buf_addf(out, ",\"comment\":%lld", (long long)e->comment);
	if (e->version)
		buf_addf(out, ",\"version\":%lld", (long long)e->version);
	else
		buf_adds(out, ",\"version\":null");
	add_text(out, "at", time_format(e->at, 1, at));
	if (e->actor && e->actor_name) {
		buf_addf(out, ",\"actor\":{\"id\":%lld", (long long)e->actor);
		add_text(out, "name", e->actor_name);
		add_text(out, "role", e->actor_role);
		buf_adds(out, "}}");
	} else {
		buf_adds(out, ",\"actor\":null}");
	}
}

/* ---- telling ---- */

struct page {
	struct event *events;
	struct event_seat *seats; /* by ticket */
	size_t n, n_seats;
};

static bool is_seated(const struct page *p, int64_t ticket, int64_t user)
{
	size_t low = 0, high = p->n_seats;

	while (low < high) {
		size_t mid = low + (high - low) / 2;
		const struct event_seat *s = &p->seats[mid];

		if (s->ticket == ticket && s->user == user)
			return true;
		if (s->ticket < ticket || (s->ticket == ticket && s->user < user))
			low = mid + 1;
		else
			high = mid;
	}
	return false;
}

static bool may_see(const struct events *e, const struct page *p, const struct event *event,
		    const struct viewer *v)
{
	const struct conf_desk *desk = &e->d->config->desk;
	const struct policy_ticket facts = {
		.requester = event->requester,
		.assignee = event->assignee,
		.is_participant = is_seated(p, event->ticket, v->actor.user),
		.open_desk = strcmp(desk->visibility, "open") == 0,
		.is_shared = desk->organisation_shared && v->organisation &&
			     v->organisation == event->organisation,
	};

	/* What is deleted is there for admins alone; that it is gone is for all who saw it. */
	if (v->actor.role != ROLE_ADMIN &&
	    (!event->requester ||
	     (event->is_deleted && strcmp(event->type, "ticket.deleted") != 0)))
		return false;
	return policy_may(&v->actor, event->is_internal ? ACTION_READ_INTERNAL : ACTION_READ_TICKET,
			  &facts) == POLICY_YES;
}

static int write_event(struct viewer *v, const struct event *event)
{
	md_auto(buf_done) struct buf text = BUF_INIT(TEXT_MAX);

	buf_addf(&text, "id: %lld\nevent: %s\ndata: ", (long long)event->id, event->type);
	event_show(&text, event);
	buf_adds(&text, "\n\n");
	return text.status == MD_OK ? http_stream_write(v->stream, text.data, text.len) : MD_OK;
}

/* As far as there is room. */
static void tell(const struct events *e, const struct page *p, struct viewer *v)
{
	for (size_t i = 0; i < p->n; i++) {
		const struct event *event = &p->events[i];
		int rc = MD_OK;

		if (event->id <= v->position)
			continue;
		if (may_see(e, p, event, v))
			rc = write_event(v, event);
		if (rc == MD_AGAIN) {
			v->full = true;
			return;
		}
		if (rc != MD_OK) {
			viewer_leave(v);
			return;
		}
		v->position = event->id;
	}
}

static int read_page(struct events *e, int64_t after, struct arena *a, struct page *ret,
		     struct md_err *err)
{
	md_auto(db_read_done_p) struct db_conn *c = NULL;
	int rc = db_read(e->d->db, &c, err);

	if (rc == MD_OK)
		rc = event_list(c, after, a, &ret->events, &ret->n, err);
	return rc == MD_OK ? event_seats(c, ret->events, ret->n, a, &ret->seats, &ret->n_seats, err)
			   : rc;
}

/* Where who is furthest behind and has room stands. False: nobody is there. */
static bool lowest(struct events *e, bool drained, int64_t *ret)
{
	bool any = false;

	pthread_mutex_lock(&e->lock);
	for (struct viewer *v = e->viewers; v; v = v->next) {
		if (drained)
			v->full = false;
		if (!v->stream || v->full)
			continue;
		if (!any || v->position < *ret)
			*ret = v->position;
		any = true;
	}
	pthread_mutex_unlock(&e->lock);
	return any;
}

int events_tell_all(struct events *e, struct md_err *err)
{
	bool drained = atomic_exchange(&e->drained, false);
	int64_t after = 0;

	while (lowest(e, drained, &after) && !atomic_load(&e->stopping)) {
		md_auto(arena_done) struct arena a = ARENA_INIT(EVENTS_PAGE_BYTES);
		struct page p = { 0 };
		int rc = read_page(e, after, &a, &p, err);

		drained = false;
		if (rc != MD_OK || p.n == 0)
			return rc;
		pthread_mutex_lock(&e->lock);
		for (struct viewer *v = e->viewers; v; v = v->next)
			if (v->stream && !v->full)
				tell(e, &p, v);
		pthread_mutex_unlock(&e->lock);
	}
	return MD_OK;
}
