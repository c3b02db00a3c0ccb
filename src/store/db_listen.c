/* db_listen.c - what daemons on one database tell each other. */
#include <maildesk/store/db.h>

#include "db_conn.h"

#include <stdlib.h>

struct db_listener {
	const struct db_driver *driver;
	struct db_link *link;
};

void db_notify(struct db_conn *c, enum db_topic topic)
{
	if (c->db->driver->notify)
		c->db->driver->notify(c->link, topic);
}

int db_listen(struct db *db, struct db_listener **ret, struct md_err *err)
{
	md_auto(db_listener_close_p) struct db_listener *l = NULL;
	int rc;

	*ret = NULL;
	if (!db->driver->listen)
		return MD_OK;
	l = md_calloc(1, sizeof *l);
	if (!l)
		return md_fail(err, MD_NOMEM, 0, "database connection: out of memory");
	l->driver = db->driver;
	rc = l->driver->connect(db->address, DB_USE_READ, db->busy_ms, &l->link, err);
	if (rc == MD_OK)
		rc = l->driver->listen(l->link, err);
	if (rc == MD_OK)
		*ret = md_take(l);
	return rc;
}

int db_listener_fd(const struct db_listener *l)
{
	return l->driver->descriptor(l->link);
}

int db_hear(struct db_listener *l, unsigned *ret_topics, struct md_err *err)
{
	return l->driver->hear(l->link, ret_topics, err);
}

void db_listener_close(struct db_listener *l)
{
	if (!l)
		return;
	if (l->link)
		l->driver->disconnect(l->link);
	free(l);
}
