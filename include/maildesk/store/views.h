/* views.h - what agents look at: queries over tickets that they keep, and who has which ticket
 * before them now. */
#ifndef MAILDESK_STORE_VIEWS_H
#define MAILDESK_STORE_VIEWS_H

#include <maildesk/store/db.h>

struct saved_view {
	int64_t id, user_id;
	const char *name, *query; /* "status=open&sort=due" */
	bool shared;
};
/* Their own and those shared, by name. */
int saved_view_list(struct db_conn *c, int64_t user, struct arena *a, struct saved_view **ret,
		    size_t *ret_n, struct md_err *err);
/* One of them; MD_NOTFOUND. */
int saved_view_get(struct db_conn *c, int64_t id, int64_t user, struct arena *a,
		   struct saved_view *ret, struct md_err *err);
/* With id 0 it is made. MD_CONFLICT: that person has one of that name. */
int saved_view_save(struct db_conn *c, struct saved_view *v, struct md_err *err);
/* None of that id: nothing happens. */
int saved_view_remove(struct db_conn *c, int64_t id, struct md_err *err);

struct viewing {
	int64_t user, until_at;
	const char *name, *role;
};
/* *ret_told_at: when others were last told of it; 0: they were not, or long ago. */
int viewing_told(struct db_conn *c, int64_t ticket, int64_t user, int64_t now_ms,
		 int64_t *ret_told_at, struct md_err *err);
/* From now on, or still: until then. */
int viewing_put(struct db_conn *c, int64_t ticket, int64_t user, int64_t until_ms, int64_t told_ms,
		struct md_err *err);
/* Who looks at it, by id. */
int viewing_list(struct db_conn *c, int64_t ticket, int64_t now_ms, struct arena *a,
		 struct viewing **ret, size_t *ret_n, struct md_err *err);
/* Those whose time is over. */
int viewing_purge(struct db_conn *c, int64_t now_ms, struct md_err *err);

#endif
