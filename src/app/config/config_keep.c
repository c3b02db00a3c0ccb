/* What cannot change while the daemon runs. */
#include "config_private.h"

#include <string.h>

int config_keep(struct config *c, const struct config *old, struct buf *ret_names)
{
	for (size_t i = 0; i < conf_key_count; i++) {
		const struct conf_key *k = &conf_keys[i];
		const char *was, **now;

		if (!k->restart)
			continue;
		was = *(const char *const *)((const char *)old + k->at);
		now = (const char **)((char *)c + k->at);
		if (strcmp(was, *now) == 0)
			continue;
		buf_addf(ret_names, "%s%s", ret_names->len ? ", " : "", k->name);
		*now = arena_strdup(&c->arena, was);
		if (!*now)
			return MD_NOMEM;
	}
	return MD_OK;
}
