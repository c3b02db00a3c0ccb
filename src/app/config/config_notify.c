/* The section `notify`: which event is told to which roles. */
#include "config_private.h"

#include <maildesk/desk/notice.h>

#include <string.h>

const struct conf_word conf_roles[] = {
	{ "requester", NOTICE_REQUESTER }, { "participants", NOTICE_PARTICIPANT },
	{ "assignee", NOTICE_ASSIGNEE },   { "team", NOTICE_TEAM },
	{ "watchers", NOTICE_WATCHER },    { "agents", NOTICE_AGENT },
	{ "admins", NOTICE_ADMIN },        { NULL, 0 },
};

unsigned config_roles(const struct conf_strs *words)
{
	unsigned roles = 0;

	for (size_t i = 0; i < words->n; i++)
		for (const struct conf_word *w = conf_roles; w->name; w++)
			if (strcmp(w->name, words->v[i]) == 0)
				roles |= w->value;
	return roles;
}

void config_check_notice(struct conf_load *l, struct conf_node *n)
{
	const struct conf_notice *e = n->object;
	md_auto(buf_done) struct buf allowed = BUF_INIT(1000);

	for (size_t i = 0; i < NOTICE_EVENT_COUNT; i++) {
		if (!notice_may_choose((enum notice_event)i))
			continue;
		if (strcmp(notice_event_names[i], e->title) == 0)
			return;
		buf_addf(&allowed, "%s%s", allowed.len ? ", " : "", notice_event_names[i]);
	}
	conf_error(l, n->origin, n, "there is no such event; allowed: %s", buf_str(&allowed));
}
