/* The settings of one mailbox, as they come from the desk. The loop alone makes them. */
#include "fetch_private.h"

#include <maildesk/base/codec.h>

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { CA_FILE_MAX = 4 << 20, SHORTEST_MS = 100 };

void settings_free(struct settings *set)
{
	if (!set)
		return;
	wire_trust_unref(set->trust);
	arena_done(&set->arena);
	free(set);
}

/* Mailboxes of one CA file share what was made of it. Grows with the
 * files seen, which are few. */
static int shared_trust(const char *pem, size_t n, struct wire_trust **ret, struct md_err *err)
{
	static struct known {
		uint8_t hash[SHA256_BYTES];
		struct wire_trust *trust;
		struct known *next;
	} * known;
	struct known *k, key = { 0 };
	int rc;

	sha256(pem, n, key.hash);
	for (k = known; k && memcmp(k->hash, key.hash, sizeof key.hash) != 0; k = k->next)
		;
	if (!k) {
		k = md_malloc(sizeof *k);
		if (!k)
			return md_fail(err, MD_NOMEM, 0, "out of memory");
		rc = wire_trust_new(pem, n, &key.trust, err);
		if (rc != MD_OK) {
			free(k);
			return rc;
		}
		key.next = known;
		*k = key;
		known = k;
	}
	*ret = wire_trust_ref(k->trust);
	return MD_OK;
}

/* The jail has no way to the CA file: the desk passes it along, open. */
static int read_ca_file(int fd, struct settings *set)
{
	md_auto(md_free_p) char *pem = NULL;
	struct stat st;
	ssize_t n;

	if (fd < 0)
		return md_fail(&set->trust_err, MD_BROKEN, 0, "%s: did not come along",
			       set->box.ca_file);
	if (fstat(fd, &st) != 0 || st.st_size <= 0 || st.st_size > CA_FILE_MAX)
		return md_fail(&set->trust_err, MD_BROKEN, 0, "%s: empty or too large",
			       set->box.ca_file);
	pem = md_malloc((size_t)st.st_size);
	n = pem ? pread(fd, pem, (size_t)st.st_size, 0) : -1;
	if (n < 0)
		return md_fail(&set->trust_err, MD_BROKEN, 0, "%s: cannot be read",
			       set->box.ca_file);
	return shared_trust(pem, (size_t)n, &set->trust, &set->trust_err);
}

static const char *or_empty(const char *s)
{
	return s ? s : "";
}

struct settings *settings_new(const struct frame *f, struct md_err *err)
{
	md_auto(settings_free_p) struct settings *set = md_calloc(1, sizeof *set);
	struct frame_mailbox *b;

	if (!set) {
		md_fail(err, MD_NOMEM, 0, "out of memory");
		return NULL;
	}
	set->arena = (struct arena)ARENA_INIT(1 << 20);
	b = &set->box;
	if (rec_unpack(&frame_mailbox_rec, f->bytes, f->n, &set->arena, b, err) != MD_OK)
		return NULL;
	b->name = or_empty(b->name);
	b->host = or_empty(b->host);
	b->user = or_empty(b->user);
	b->secret = or_empty(b->secret);
	b->folder = b->folder && *b->folder ? b->folder : "INBOX";
	b->tls = or_empty(b->tls);
	b->auth = or_empty(b->auth);
	b->after = or_empty(b->after);
	b->since = or_empty(b->since);
	b->ca_file = or_empty(b->ca_file);
	b->timeout_ms = b->timeout_ms < SHORTEST_MS ? SHORTEST_MS : b->timeout_ms;
	b->poll_interval_ms = b->poll_interval_ms < SHORTEST_MS ? SHORTEST_MS : b->poll_interval_ms;
	if (*b->ca_file)
		(void)read_ca_file(f->fd, set); /* told when it connects */
	return md_take(set);
}
