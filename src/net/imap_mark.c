#include "imap_private.h"

#include <string.h>

static int add_flag(struct imap *s, struct mailimap_set *set, struct mailimap_flag *flag,
		    struct md_err *err)
{
	struct mailimap_flag_list *flags = mailimap_flag_list_new_empty();
	struct mailimap_store_att_flags *store = NULL;
	int r;

	if (flags && flag && mailimap_flag_list_add(flags, flag) == MAILIMAP_NO_ERROR) {
		flag = NULL;
		store = mailimap_store_att_flags_new_add_flags_silent(flags);
	}
	if (!store) {
		if (flag)
			mailimap_flag_free(flag);
		if (flags)
			mailimap_flag_list_free(flags);
		return md_fail(err, MD_NOMEM, 0, "STORE: out of memory");
	}
	r = mailimap_uid_store(s->session, set, store);
	mailimap_store_att_flags_free(store);
	return imap_result(s, r, "STORE", err);
}

/* Without UIDPLUS the flag is all that can be done: EXPUNGE would take other people's along. */
static int delete_set(struct imap *s, struct mailimap_set *set, struct md_err *err)
{
	int rc = add_flag(s, set, mailimap_flag_new_deleted(), err);

	if (rc == MD_OK && imap_has(s, "UIDPLUS"))
		rc = imap_result(s, mailimap_uid_expunge(s->session, set), "EXPUNGE", err);
	return rc;
}

static int move_set(struct imap *s, struct mailimap_set *set, const char *folder,
		    struct md_err *err)
{
	md_auto(buf_done) struct buf name = BUF_INIT(SMALL_ANSWER);
	int rc;

	imap_folder_name(&name, folder);
	if (imap_has(s, "MOVE"))
		return imap_result(s, mailimap_uid_move(s->session, set, buf_str(&name)), "MOVE",
				   err);
	rc = imap_result(s, mailimap_uid_copy(s->session, set, buf_str(&name)), "COPY", err);
	return rc == MD_OK ? delete_set(s, set, err) : rc;
}

int imap_mark(struct imap *s, const uint32_t *uids, size_t n, const char *how, struct md_err *err)
{
	int rc = MD_OK;

	for (size_t i = 0; i < n && rc == MD_OK; i += SETS_MAX) {
		size_t m = n - i < SETS_MAX ? n - i : SETS_MAX;
		md_auto(mailimap_set_free_p) struct mailimap_set *set = imap_set(uids + i, m);

		if (!set)
			return md_fail(err, MD_NOMEM, 0, "out of memory");
		imap_expect(s, SMALL_ANSWER + m * ITEM_ANSWER);
		if (strcmp(how, "seen") == 0)
			rc = add_flag(s, set, mailimap_flag_new_seen(), err);
		else if (strcmp(how, "delete") == 0)
			rc = delete_set(s, set, err);
		else if (strncmp(how, "move:", 5) == 0)
			rc = move_set(s, set, how + 5, err);
		else
			rc = md_fail(err, MD_BROKEN, 0, "no such mark: %s", how);
	}
	return rc;
}
