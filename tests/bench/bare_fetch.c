/* The least an IMAP client can do with libetpan: fetch every mail of INBOX over a plain connection,
 * in batches, and parse its MIME structure. Nothing is stored.
 *
 *	bare_fetch PORT USER PASSWORD */
#include "bare.h"

#include <libetpan/libetpan.h>

enum { BATCH = 100 };

static void check(int rc, const char *what)
{
	if (rc != MAILIMAP_NO_ERROR && rc != MAILIMAP_NO_ERROR_AUTHENTICATED &&
	    rc != MAILIMAP_NO_ERROR_NON_AUTHENTICATED)
		bare_die(what);
}

static void parse(const char *raw, size_t n)
{
	struct mailmime *mime = NULL;
	size_t at = 0;

	if (mailmime_parse(raw, n, &at, &mime) != MAILIMF_NO_ERROR)
		bare_die("mailmime_parse");
	mailmime_free(mime);
}

static void take(struct bare *b, clist *messages)
{
	for (clistiter *m = clist_begin(messages); m; m = clist_next(m)) {
		const struct mailimap_msg_att *att = clist_content(m);

		for (clistiter *i = clist_begin(att->att_list); i; i = clist_next(i)) {
			const struct mailimap_msg_att_item *item = clist_content(i);
			const struct mailimap_msg_att_body_section *s;

			if (item->att_type != MAILIMAP_MSG_ATT_ITEM_STATIC ||
			    item->att_data.att_static->att_type != MAILIMAP_MSG_ATT_BODY_SECTION)
				continue;
			s = item->att_data.att_static->att_data.att_body_section;
			if (!s->sec_body_part)
				bare_die("a mail without a body");
			parse(s->sec_body_part, s->sec_length);
			b->messages++;
			b->bytes += s->sec_length;
		}
	}
}

static struct mailimap_fetch_type *what_to_fetch(void)
{
	struct mailimap_fetch_type *type = mailimap_fetch_type_new_fetch_att_list_empty();
	struct mailimap_section *all = mailimap_section_new(NULL);

	mailimap_fetch_type_new_fetch_att_list_add(type,
						   mailimap_fetch_att_new_body_peek_section(all));
	return type;
}

int main(int argc, char **argv)
{
	mailimap *imap = mailimap_new(0, NULL);
	struct mailimap_fetch_type *type = what_to_fetch();
	struct bare b;
	uint32_t next;

	if (argc != 4 || !imap || !type)
		bare_die("usage: bare_fetch PORT USER PASSWORD");
	check(mailimap_socket_connect(imap, "127.0.0.1", (uint16_t)strtoul(argv[1], NULL, 10)),
	      "connect");
	check(mailimap_login(imap, argv[2], argv[3]), "login");
	check(mailimap_select(imap, "INBOX"), "select");
	next = imap->imap_selection_info->sel_uidnext;
	b = bare_start();
	for (uint32_t uid = 1; uid < next; uid += BATCH) {
		struct mailimap_set *set = mailimap_set_new_interval(uid, uid + BATCH - 1);
		clist *messages = NULL;

		check(mailimap_uid_fetch(imap, set, type, &messages), "fetch");
		take(&b, messages);
		mailimap_fetch_list_free(messages);
		mailimap_set_free(set);
	}
	bare_print(&b);
	mailimap_fetch_type_free(type);
	mailimap_logout(imap);
	mailimap_free(imap);
	return 0;
}
