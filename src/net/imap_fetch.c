/* Listing and fetching. The server is asked in the narrowest words that do: its answers to
 * ENVELOPE and BODYSTRUCTURE need a parser that it could crash. */
#include "imap_private.h"

#include <maildesk/base/clock.h>
#include <maildesk/base/io.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	LIST_WINDOW = 20000, /* UIDs asked for at a time; grows over gaps */
	LIST_ANSWER = 4 << 20,
};

MD_DEFINE_AUTO(struct mailimap_fetch_type *, mailimap_fetch_type_free)
MD_DEFINE_AUTO(clist *, mailimap_fetch_list_free)

struct mailimap_set *imap_set(const uint32_t *uids, size_t n)
{
	struct mailimap_set *set = mailimap_set_new_empty();

	for (size_t i = 0, end; set && i < n; i = end) {
		for (end = i + 1; end < n && uids[end] == uids[end - 1] + 1; end++)
			;
		if (mailimap_set_add_interval(set, uids[i], uids[end - 1]) != 0) {
			mailimap_set_free(set);
			set = NULL;
		}
	}
	return set;
}

/* ---- listing ---- */

static int compare_uids(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

static int keep_range(clist *found, uint32_t low, uint32_t high, uint32_t **ret_uids, size_t *ret_n)
{
	uint32_t *uids = md_calloc((size_t)clist_count(found) + 1, sizeof *uids);
	size_t n = 0, kept = 0;

	if (!uids)
		return MD_NOMEM;
	for (clistiter *i = clist_begin(found); i; i = clist_next(i)) {
		uint32_t uid = *(uint32_t *)clist_content(i);

		if (uid >= low && uid <= high) /* "n:*" names the last mail even if it is below n */
			uids[n++] = uid;
	}
	qsort(uids, n, sizeof *uids, compare_uids);
	for (size_t i = 0; i < n; i++) {
		if (i == 0 || uids[i] != uids[i - 1])
			uids[kept++] = uids[i];
	}
	*ret_uids = uids;
	*ret_n = kept;
	return MD_OK;
}

static struct mailimap_search_key *range_key(uint32_t low, uint32_t high)
{
	struct mailimap_set *set = mailimap_set_new_interval(low, high);
	struct mailimap_search_key *key = set ? mailimap_search_key_new_uid(set) : NULL;

	if (!key && set)
		mailimap_set_free(set);
	return key;
}

static struct mailimap_search_key *since_key(const char *date)
{
	int year = 0, month = 0, day = 0;
	struct mailimap_date *d = NULL;
	struct mailimap_search_key *key;

	if (sscanf(date, "%4d-%2d-%2d", &year, &month, &day) == 3)
		d = mailimap_date_new(day, month, year);
	key = d ? mailimap_search_key_new_since(d) : NULL;
	if (!key && d)
		mailimap_date_free(d);
	return key;
}

/* Both at once; takes them over, and frees them when it fails. */
static struct mailimap_search_key *both(struct mailimap_search_key *a,
					struct mailimap_search_key *b)
{
	struct mailimap_search_key *key = a && b ? mailimap_search_key_new_multiple_empty() : NULL;

	if (key && mailimap_search_key_multiple_add(key, a) == MAILIMAP_NO_ERROR) {
		a = NULL; /* is the key's */
		if (mailimap_search_key_multiple_add(key, b) == MAILIMAP_NO_ERROR)
			return key;
	}
	if (key)
		mailimap_search_key_free(key);
	if (a)
		mailimap_search_key_free(a);
	if (b)
		mailimap_search_key_free(b);
	return NULL;
}

/* high == 0: to the end; since: NULL or a date */
static int search_range(struct imap *s, uint32_t low, uint32_t high, const char *since,
			uint32_t **ret_uids, size_t *ret_n, struct md_err *err)
{
	struct mailimap_search_key *key = range_key(low, high);
	clist *found = NULL;
	int rc;

	if (since)
		key = both(key, since_key(since));
	if (!key)
		return md_fail(err, MD_NOMEM, 0, "SEARCH: out of memory");
	imap_expect(s, LIST_ANSWER);
	rc = imap_result(s, mailimap_uid_search(s->session, NULL, key, &found), "SEARCH", err);
	mailimap_search_key_free(key);
	if (rc != MD_OK)
		return rc;
	rc = keep_range(found, low, high ? high : UINT32_MAX, ret_uids, ret_n);
	mailimap_search_result_free(found);
	return rc == MD_OK ? MD_OK : md_fail(err, MD_NOMEM, 0, "SEARCH: out of memory");
}

static int same_folder(struct imap *s, struct md_err *err)
{
	const struct mailimap_selection_info *info = s->session->imap_selection_info;

	if (info && info->sel_uidvalidity == s->uidvalidity)
		return MD_OK;
	s->dead = true;
	return md_fail(err, MD_INPUT, 0, "UIDVALIDITY changed");
}

static int list(struct imap *s, uint32_t after, const char *since, uint32_t **ret_uids,
		size_t *ret_n, bool *ret_all, struct md_err *err)
{
	uint64_t low = (uint64_t)after + 1, high = 0, width = LIST_WINDOW;
	uint32_t *uids = NULL;
	size_t n = 0;
	int rc = MD_OK;

	for (; low <= UINT32_MAX && n == 0 && rc == MD_OK; low = high + 1, width *= 4) {
		/* beyond the known end there is only what came since: no need for a window */
		high = low + width - 1 < s->uidnext ? low + width - 1 : UINT32_MAX;
		free(md_take(uids));
		rc = search_range(s, (uint32_t)low, high == UINT32_MAX ? 0 : (uint32_t)high, since,
				  &uids, &n, err);
	}
	if (rc == MD_OK)
		rc = same_folder(s, err);
	if (rc != MD_OK) {
		free(uids);
		return rc;
	}
	*ret_uids = uids;
	*ret_n = n;
	*ret_all = low > UINT32_MAX;
	return MD_OK;
}

int imap_list(struct imap *s, uint32_t after, uint32_t **ret_uids, size_t *ret_n, bool *ret_all,
	      struct md_err *err)
{
	return list(s, after, NULL, ret_uids, ret_n, ret_all, err);
}

int imap_first_since(struct imap *s, const char *date, uint32_t *ret, struct md_err *err)
{
	md_auto(md_free_p) uint32_t *uids = NULL;
	size_t n = 0;
	bool all = false;
	int rc = list(s, 0, date, &uids, &n, &all, err);

	*ret = rc == MD_OK && n ? uids[0] : 0;
	return rc;
}

/* ---- reading FETCH answers ---- */

struct answer {
	uint32_t uid;
	uint32_t size;
	const struct mailimap_date_time *date;
	const struct mailimap_msg_att_body_section *body;
};

static struct answer read_answer(const struct mailimap_msg_att *att)
{
	struct answer a = { 0 };

	for (clistiter *i = clist_begin(att->att_list); i; i = clist_next(i)) {
		const struct mailimap_msg_att_item *item = clist_content(i);
		const struct mailimap_msg_att_static *st;

		if (item->att_type != MAILIMAP_MSG_ATT_ITEM_STATIC)
			continue;
		st = item->att_data.att_static;
		switch (st->att_type) {
		case MAILIMAP_MSG_ATT_UID:
			a.uid = st->att_data.att_uid;
			break;
		case MAILIMAP_MSG_ATT_RFC822_SIZE:
			a.size = st->att_data.att_rfc822_size;
			break;
		case MAILIMAP_MSG_ATT_INTERNALDATE:
			a.date = st->att_data.att_internal_date;
			break;
		case MAILIMAP_MSG_ATT_BODY_SECTION:
			a.body = st->att_data.att_body_section;
			break;
		default:
			break;
		}
	}
	return a;
}

/* Index of a mail that was asked for, or -1. */
static ssize_t index_of(const struct imap_mail *mails, size_t n, uint32_t uid)
{
	size_t low = 0, high = n;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (mails[mid].uid < uid)
			low = mid + 1;
		else
			high = mid;
	}
	return low < n && mails[low].uid == uid ? (ssize_t)low : -1;
}

static int64_t date_ms(const struct mailimap_date_time *d)
{
	int zone = d->dt_zone / 100 * 60 + d->dt_zone % 100;
	int64_t ms;

	if (d->dt_year < 1970 || d->dt_year > 9999 || d->dt_month < 1 || d->dt_month > 12)
		return 0;
	ms = days_from_civil(d->dt_year, d->dt_month, d->dt_day) * 86400000;
	ms += ((d->dt_hour * 60 + d->dt_min - zone) * 60 + d->dt_sec) * (int64_t)1000;
	return ms > 0 ? ms : 0;
}

/* ---- asking ---- */

/* Takes ownership of the attributes, also on failure. */
static struct mailimap_fetch_type *fetch_type(struct mailimap_fetch_att *const *atts, size_t n)
{
	struct mailimap_fetch_type *type = mailimap_fetch_type_new_fetch_att_list_empty();
	bool ok = type != NULL;

	for (size_t i = 0; i < n; i++) {
		ok = ok && atts[i] &&
		     mailimap_fetch_type_new_fetch_att_list_add(type, atts[i]) == MAILIMAP_NO_ERROR;
		if (!ok && atts[i])
			mailimap_fetch_att_free(atts[i]);
	}
	if (!ok && type) {
		mailimap_fetch_type_free(type);
		type = NULL;
	}
	return type;
}

static int uid_fetch(struct imap *s, const struct imap_mail *mails, size_t n,
		     struct mailimap_fetch_type *type, clist **ret, struct md_err *err)
{
	uint32_t uids[SETS_MAX];
	clist *list = NULL;
	int rc;

	for (size_t i = 0; i < n; i++)
		uids[i] = mails[i].uid;
	md_auto(mailimap_set_free_p) struct mailimap_set *set = imap_set(uids, n);
	if (!set || !type)
		return md_fail(err, MD_NOMEM, 0, "FETCH: out of memory");
	rc = imap_result(s, mailimap_uid_fetch(s->session, set, type, &list), "FETCH", err);
	if (rc == MD_OK) /* else what it points to is gone */
		*ret = list;
	return rc;
}

static int sizes_of(struct imap *s, struct imap_mail *mails, size_t n, struct md_err *err)
{
	struct mailimap_fetch_att *atts[] = { mailimap_fetch_att_new_uid(),
					      mailimap_fetch_att_new_internaldate(),
					      mailimap_fetch_att_new_rfc822_size() };
	md_auto(mailimap_fetch_type_free_p) struct mailimap_fetch_type *type =
		fetch_type(atts, MD_COUNT(atts));
	md_auto(mailimap_fetch_list_free_p) clist *list = NULL;
	int rc;

	imap_expect(s, SMALL_ANSWER + n * ITEM_ANSWER);
	rc = uid_fetch(s, mails, n, type, &list, err);
	for (clistiter *i = rc == MD_OK ? clist_begin(list) : NULL; i; i = clist_next(i)) {
		struct answer a = read_answer(clist_content(i));
		ssize_t at = index_of(mails, n, a.uid);

		if (at < 0)
			continue;
		if (a.size)
			mails[at].size = a.size;
		if (a.date)
			mails[at].internaldate_ms = date_ms(a.date);
	}
	return rc;
}

int imap_sizes(struct imap *s, struct imap_mail *mails, size_t n, struct md_err *err)
{
	int rc = MD_OK;

	for (size_t i = 0; i < n && rc == MD_OK; i += SETS_MAX)
		rc = sizes_of(s, mails + i, n - i < SETS_MAX ? n - i : SETS_MAX, err);
	return rc;
}

/* RFC822.SIZE is a server's word, and some only guess. */
static uint64_t answer_bytes(const struct imap_mail *mails, size_t n)
{
	uint64_t sum = SMALL_ANSWER;

	for (size_t i = 0; i < n; i++)
		sum += ITEM_ANSWER + 2 * (uint64_t)mails[i].size;
	return sum;
}

/* Call `each` for the mails that came, in our order; of doubles the first counts. */
static int hand_over(clist *list, const struct imap_mail *mails, size_t n, imap_mail_fn *each,
		     void *ctx, struct md_err *err)
{
	const struct mailimap_msg_att_body_section *bodies[SETS_MAX] = { 0 };
	int rc = MD_OK;

	for (clistiter *i = clist_begin(list); i; i = clist_next(i)) {
		struct answer a = read_answer(clist_content(i));
		ssize_t at = a.body && a.body->sec_body_part ? index_of(mails, n, a.uid) : -1;

		if (at >= 0 && !bodies[at])
			bodies[at] = a.body;
	}
	for (size_t i = 0; i < n && rc == MD_OK; i++) {
		if (bodies[i])
			rc = each(ctx, i, bodies[i]->sec_body_part, bodies[i]->sec_length, err);
	}
	return rc;
}

static int fetch_sections(struct imap *s, const struct imap_mail *mails, size_t n,
			  struct mailimap_fetch_att *what, imap_mail_fn *each, void *ctx,
			  struct md_err *err)
{
	struct mailimap_fetch_att *atts[] = { mailimap_fetch_att_new_uid(), what };
	md_auto(mailimap_fetch_type_free_p) struct mailimap_fetch_type *type =
		fetch_type(atts, MD_COUNT(atts));
	md_auto(mailimap_fetch_list_free_p) clist *list = NULL;
	int rc = uid_fetch(s, mails, n, type, &list, err);

	return rc == MD_OK ? hand_over(list, mails, n, each, ctx, err) : rc;
}

static struct mailimap_fetch_att *whole_mail(void)
{
	struct mailimap_section *all = mailimap_section_new(NULL);

	return all ? mailimap_fetch_att_new_body_peek_section(all) : NULL;
}

int imap_fetch(struct imap *s, const struct imap_mail *mails, size_t n, imap_mail_fn *each,
	       void *ctx, struct md_err *err)
{
	int rc = MD_OK;

	for (size_t i = 0; i < n && rc == MD_OK; i += SETS_MAX) {
		size_t m = n - i < SETS_MAX ? n - i : SETS_MAX;

		imap_expect(s, answer_bytes(mails + i, m));
		rc = fetch_sections(s, mails + i, m, whole_mail(), each, ctx, err);
	}
	return rc;
}

int imap_fetch_header(struct imap *s, const struct imap_mail *mail, size_t max, imap_mail_fn *each,
		      void *ctx, struct md_err *err)
{
	struct mailimap_section *header = mailimap_section_new_header();
	struct mailimap_fetch_att *att =
		header ? mailimap_fetch_att_new_body_peek_section_partial(header, 0, (uint32_t)max)
		       : NULL;

	imap_expect(s, SMALL_ANSWER + 2 * max);
	return fetch_sections(s, mail, 1, att, each, ctx, err);
}

/* ---- to a file ---- */

struct file_sink {
	struct imap *s;
	int fd;
	uint64_t written;
	const struct mailimap_msg_att_body_section *section;
	bool doubled;
};

static bool sink_take(int type, struct mailimap_msg_att_body_section *section, const char *bytes,
		      size_t n, void *ctx)
{
	struct file_sink *sink = ctx;

	(void)type;
	if (sink->section && sink->section != section)
		sink->doubled = true;
	sink->section = section;
	if (!io_write_all(sink->fd, bytes, n)) {
		md_fail(&sink->s->io, MD_BROKEN, errno, "spool: %s", strerror(errno));
		return false;
	}
	sink->written += n;
	return true;
}

int imap_fetch_to_file(struct imap *s, const struct imap_mail *mail, int fd, struct md_err *err)
{
	struct mailimap_fetch_att *atts[] = { mailimap_fetch_att_new_uid(), whole_mail() };
	md_auto(mailimap_fetch_type_free_p) struct mailimap_fetch_type *type =
		fetch_type(atts, MD_COUNT(atts));
	md_auto(mailimap_fetch_list_free_p) clist *list = NULL;
	struct file_sink sink = { .s = s, .fd = fd };
	size_t bodies = 0;
	bool ours = false;
	int rc;

	imap_expect(s, answer_bytes(mail, 1));
	mailimap_set_msg_body_handler(s->session, sink_take, &sink);
	rc = uid_fetch(s, mail, 1, type, &list, err);
	mailimap_set_msg_body_handler(s->session, NULL, NULL);
	if (rc != MD_OK)
		return rc;
	for (clistiter *i = clist_begin(list); i; i = clist_next(i)) {
		struct answer a = read_answer(clist_content(i));

		if (!a.body)
			continue;
		bodies++;
		ours = a.uid == mail->uid;
		/* a mail that came as a quoted string does not pass through the handler */
		if (a.body->sec_body_part && !sink.written)
			sink_take(0, NULL, a.body->sec_body_part, a.body->sec_length, &sink);
	}
	if (s->io.code != MD_OK)
		return imap_result(s, MAILIMAP_ERROR_STREAM, "FETCH", err);
	if (bodies > 1 || sink.doubled) {
		s->dead = true;
		return md_fail(err, MD_INPUT, 0, "FETCH: more than one mail came for one");
	}
	if (!ours || !sink.written)
		return md_fail(err, MD_NOTFOUND, 0, "FETCH: mail %u did not come", mail->uid);
	return MD_OK;
}
