/* import_rt_priv.h - between the parts of import_rt.h: tickets (import_rt_ticket.c) and their
 * history (import_rt_history.c). */
#ifndef MAILDESK_CMD_IMPORT_RT_PRIV_H
#define MAILDESK_CMD_IMPORT_RT_PRIV_H

#include <maildesk/cmd/import_rt.h>

enum { PATH_BYTES = 256 }; /* of what is asked for */

/* ---- members of RT's objects, and of lines ---- */

/* NULL when it is no text, or empty. Borrowed. */
const char *rt_text(const json_t *j, const char *key);
/* NULL when it is absent: RT writes 1970 for "never". */
json_t *rt_when(const json_t *j, const char *key);
/* NULL: left out. rt_set() takes the reference. */
void rt_set(json_t *line, const char *key, json_t *v);
void rt_set_text(json_t *line, const char *key, const char *s);

/* Not for us, or RT itself fails at it (5.0 does at some transactions): the rest goes on, and the
 * report tells of it. */
bool rt_is_unreadable(int rc);
void rt_tell_unreadable(struct rt *rt, const char *what);

/* Address of the user an object like {"id": "root", "type": "user"} names; NULL: nobody. Borrowed
 * of rt->users. */
int rt_find_user(struct rt *rt, const json_t *who, const char **ret, struct md_err *err);
/* A status of theirs as one of ours; itself when it is not known. */
const char *rt_status_of(const char *theirs);

/* All transactions of that ticket. */
int rt_history(struct rt *rt, int64_t ticket, struct md_err *err);

#endif
