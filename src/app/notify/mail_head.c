#include <maildesk/app/mail_head.h>

#include <maildesk/base/json.h>

#include <string.h>

static void write_list(struct buf *out, const char *key, const struct rec_strs *list)
{
	if (out->len)
		buf_addc(out, ',');
	json_write_string(out, key, strlen(key));
	buf_adds(out, ":[");
	for (size_t i = 0; i < list->n && i < MAIL_HEAD_LIST_MAX; i++) {
		if (i)
			buf_addc(out, ',');
		json_write_string(out, list->v[i], strlen(list->v[i]));
	}
	buf_addc(out, ']');
}

void mail_head_write(const struct mail_head *h, struct buf *out)
{
	write_list(out, "in_reply_to", &h->in_reply_to);
	write_list(out, "references", &h->references);
	write_list(out, "to", &h->to);
	write_list(out, "cc", &h->cc);
}

static int addresses(const struct rec_list *people, struct arena *a, struct rec_strs *ret)
{
	const struct mail_address *all = people->v;

	ret->n = people->n < MAIL_HEAD_LIST_MAX ? people->n : MAIL_HEAD_LIST_MAX;
	ret->v = arena_array(a, ret->n + 1, sizeof *ret->v);
	for (size_t i = 0; ret->v && i < ret->n; i++)
		ret->v[i] = all[i].address;
	return ret->v ? MD_OK : MD_NOMEM;
}

int mail_head_of(const struct message *m, struct arena *a, struct mail_head *ret)
{
	int rc = addresses(&m->to, a, &ret->to);

	ret->in_reply_to = m->in_reply_to;
	ret->references = m->references;
	return rc == MD_OK ? addresses(&m->cc, a, &ret->cc) : rc;
}
