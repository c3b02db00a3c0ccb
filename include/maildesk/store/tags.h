/* tags.h - the tags of the desk with their colours; which ticket has which: tickets.h. */
#ifndef MAILDESK_STORE_TAGS_H
#define MAILDESK_STORE_TAGS_H

#include <maildesk/store/db.h>

struct tag_row {
	int64_t id;
	const char *name, *color; /* "#808080" */
};
/* By name. */
int tag_list(struct db_conn *c, struct arena *a, struct tag_row **ret, size_t *ret_n,
	     struct md_err *err);
/* id 0: a new one, whose id is then set. MD_CONFLICT when the name is taken. */
int tag_save(struct db_conn *c, struct tag_row *t, struct md_err *err);
/* It goes from all tickets. */
int tag_drop(struct db_conn *c, int64_t id, struct md_err *err);

#endif
