/* users.h - people: admins, agents, customers. Addresses are compared in lower case. */
#ifndef MAILDESK_STORE_USERS_H
#define MAILDESK_STORE_USERS_H

#include <maildesk/base/record.h>
#include <maildesk/store/db.h>

struct user {
	int64_t id;
	const char *name, *email;
	const char *role;                              /* "admin", "agent", "customer" */
	const char *password_hash, *locale, *timezone; /* NULL when not set */
	const char *signature;                         /* likewise */
	const char *digest;                            /* see desk/digest.h */
	int64_t epoch, created_at, disabled_at, undeliverable_at;
	int64_t organisation_id, away_until; /* 0: none, not away */
	int64_t erased_at;                   /* read only: privacy.h */
};

int user_get(struct db_conn *c, int64_t id, struct arena *a, struct user *ret, struct md_err *err);
/* The same, unless that session of theirs was ended. MD_NOTFOUND. */
int user_get_in_session(struct db_conn *c, int64_t id, const char *family, struct arena *a,
			struct user *ret, struct md_err *err);
/* By any of their addresses. MD_NOTFOUND. */
int user_by_address(struct db_conn *c, const char *address, struct arena *a, struct user *ret,
		    struct md_err *err);
/* Those of a list of addresses, as they are stored, that are somebody's; in no order. */
struct user_found {
	struct user user;
	const char *address;
};
int user_by_addresses(struct db_conn *c, const struct rec_strs *folded, struct arena *a,
		      struct user_found **ret, size_t *ret_n, struct md_err *err);
/* Inserts name, email, role, password_hash, locale, timezone, organisation_id (0: by the address,
 * and set), created_at of `u`, and the address.
 * MD_CONFLICT when the address is taken. */
int user_add(struct db_conn *c, struct user *u, int64_t *ret_id, struct md_err *err);
/* The same for who has just been looked for in vain, written when it is needed (db_insert()). */
int user_add_unknown(struct db_conn *c, struct user *u, int64_t *ret_id, struct md_err *err);
/* Writes name, role, password_hash, locale, timezone, signature, disabled_at, undeliverable_at,
 * epoch, organisation_id, away_until, digest. */
int user_save(struct db_conn *c, const struct user *u, struct md_err *err);
int user_addresses(struct db_conn *c, int64_t id, struct arena *a, struct rec_strs *ret,
		   struct md_err *err);
/* Active agents (admins too if with_admins), by id. */
int user_agents(struct db_conn *c, bool with_admins, struct arena *a, struct user **ret,
		size_t *ret_n, struct md_err *err);

struct user_filter {
	const char *role;   /* NULL: all */
	const char *q;      /* part of name or address, folded to lower case; NULL: all */
	bool staff_or_self; /* what a customer may list: self_id, agents and admins */
	int64_t self_id;
	struct rec_strs roles; /* any of these; n = 0: all */
	int64_t behind;        /* only what follows this row of the list; 0: all */
	int64_t offset, limit;
};
int user_list(struct db_conn *c, const struct user_filter *f, struct arena *a, struct user **ret,
	      size_t *ret_n, int64_t *ret_total, struct md_err *err);

#endif
