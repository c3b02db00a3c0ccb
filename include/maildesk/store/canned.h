/* canned.h - canned replies: texts that agents use again. */
#ifndef MAILDESK_STORE_CANNED_H
#define MAILDESK_STORE_CANNED_H

#include <maildesk/store/db.h>

struct canned {
	int64_t id;
	const char *name;
	const char *body;     /* a template of desk/template.h */
	const char *commands; /* as in a mail; NULL: none */
	const char *tags;     /* parted by spaces; NULL: none */
};
/* MD_CONFLICT when the name is taken. */
int canned_add(struct db_conn *c, const struct canned *r, int64_t *ret_id, struct md_err *err);
/* Writes all but the id. MD_CONFLICT, MD_NOTFOUND. */
int canned_save(struct db_conn *c, const struct canned *r, struct md_err *err);
int canned_remove(struct db_conn *c, int64_t id, struct md_err *err);
int canned_get(struct db_conn *c, int64_t id, struct arena *a, struct canned *ret,
	       struct md_err *err);
int canned_by_name(struct db_conn *c, const char *name, struct arena *a, struct canned *ret,
		   struct md_err *err);
/* By name. */
int canned_list(struct db_conn *c, struct arena *a, struct canned **ret, size_t *ret_n,
		struct md_err *err);

#endif
