/* teams.h - teams of agents, and organisations that customers belong to. */
#ifndef MAILDESK_STORE_TEAMS_H
#define MAILDESK_STORE_TEAMS_H

#include <maildesk/store/db.h>
#include <maildesk/store/users.h>

struct team {
	int64_t id;
	const char *name;
	int64_t last_assigned_id; /* by team_set_turn(); 0: nobody yet */
};
/* MD_CONFLICT when the name is taken. */
int team_add(struct db_conn *c, const char *name, int64_t *ret_id, struct md_err *err);
int team_rename(struct db_conn *c, int64_t id, const char *name, struct md_err *err);
/* MD_CONFLICT while tickets are its own. */
int team_remove(struct db_conn *c, int64_t id, struct md_err *err);
int team_get(struct db_conn *c, int64_t id, struct arena *a, struct team *ret, struct md_err *err);
int team_by_name(struct db_conn *c, const char *name, struct arena *a, struct team *ret,
		 struct md_err *err);
int team_list(struct db_conn *c, struct arena *a, struct team **ret, size_t *ret_n,
	      struct md_err *err); /* by name */
/* Its members who can work, active agents and admins, by id. */
int team_members(struct db_conn *c, int64_t id, struct arena *a, struct user **ret, size_t *ret_n,
		 struct md_err *err);
int team_set_members(struct db_conn *c, int64_t id, const int64_t *users, size_t n,
		     struct md_err *err);
/* Whom the desk gave a ticket of the team last. */
int team_set_turn(struct db_conn *c, int64_t id, int64_t user, struct md_err *err);

/* How many tickets in one of these statuses each of these users has, in their order. */
int team_load(struct db_conn *c, const int64_t *users, size_t n, const char *const *statuses,
	      size_t n_statuses, struct arena *a, int64_t **ret, struct md_err *err);

struct organisation {
	int64_t id;
	const char *name;
	const char *domains; /* in lower case, parted by single spaces */
};
/* MD_CONFLICT when the name is taken. */
int organisation_add(struct db_conn *c, const struct organisation *o, int64_t *ret_id,
		     struct md_err *err);
int organisation_save(struct db_conn *c, const struct organisation *o, struct md_err *err);
/* Its people and tickets belong to none from then on. */
int organisation_remove(struct db_conn *c, int64_t id, struct md_err *err);
int organisation_get(struct db_conn *c, int64_t id, struct arena *a, struct organisation *ret,
		     struct md_err *err);
int organisation_list(struct db_conn *c, struct arena *a, struct organisation **ret, size_t *ret_n,
		      struct md_err *err); /* by name */
/* Whose an address is, by its domain. 0: nobody's. */
int organisation_of_address(struct db_conn *c, const char *address, int64_t *ret,
			    struct md_err *err);
/* The tickets a user asked for follow them into an organisation; 0: none. */
int organisation_take_tickets(struct db_conn *c, int64_t user, int64_t organisation,
			      struct md_err *err);

#endif
