#include <maildesk/net/dns.h>

#include <maildesk/base/buf.h>
#include <maildesk/base/mem.h>

#include <arpa/nameser.h>
#include <netdb.h>
#include <netinet/in.h>
#include <resolv.h>
#include <string.h>

enum { ANSWER_MAX = 64 << 10, NAME_TEXT_MAX = 1025, TIMEOUT_S = 2, TRIES = 2 };

/* The strings of a TXT record are one text (RFC 7208 3.3). */
static const char *read_text(struct arena *a, const uint8_t *data, size_t n)
{
	md_auto(buf_done) struct buf text = BUF_INIT(ANSWER_MAX);

	for (size_t at = 0; at < n && at + 1 + data[at] <= n; at += 1U + data[at])
		buf_add(&text, data + at + 1, data[at]);
	return arena_strdup(a, buf_str(&text));
}

static const char *read_host(struct arena *a, ns_msg *m, const ns_rr *rr)
{
	char name[NAME_TEXT_MAX];

	if (ns_rr_rdlen(*rr) < 3 ||
	    dn_expand(ns_msg_base(*m), ns_msg_end(*m), ns_rr_rdata(*rr) + 2, name, sizeof name) < 0)
		return NULL;
	return arena_strdup(a, name);
}

static int read_answer(const uint8_t *bytes, int n, int type, struct arena *a, struct rec_strs *ret,
		       struct md_err *err)
{
	ns_msg m;
	int count;

	if (ns_initparse(bytes, n, &m) != 0)
		return md_fail(err, MD_AGAIN, 0, "the answer cannot be read");
	count = ns_msg_count(m, ns_s_an);
	ret->n = 0;
	ret->v = arena_array(a, (size_t)count + 1, sizeof *ret->v);
	if (!ret->v)
		return md_fail(err, MD_NOMEM, 0, "out of memory");
	for (int i = 0; i < count; i++) {
		const char *text;
		ns_rr rr;

		if (ns_parserr(&m, ns_s_an, i, &rr) != 0 || (int)ns_rr_type(rr) != type)
			continue;
		text = type == ns_t_mx ? read_host(a, &m, &rr)
				       : read_text(a, ns_rr_rdata(rr), ns_rr_rdlen(rr));
		if (text)
			ret->v[ret->n++] = text;
	}
	return ret->n ? MD_OK : md_fail(err, MD_NOTFOUND, 0, "there is none");
}

int dns_look_up(const char *name, enum dns_type type, struct arena *a, struct rec_strs *ret,
		struct md_err *err)
{
	int wanted = type == DNS_MX ? ns_t_mx : ns_t_txt, n, problem;
	uint8_t *bytes = arena_alloc(a, ANSWER_MAX);
	struct __res_state state = { 0 };

	if (!bytes)
		return md_fail(err, MD_NOMEM, 0, "out of memory");
	if (res_ninit(&state) != 0)
		return md_fail(err, MD_AGAIN, 0, "the resolver does not start");
	state.retrans = TIMEOUT_S;
	state.retry = TRIES;
	n = res_nquery(&state, name, ns_c_in, wanted, bytes, ANSWER_MAX);
	problem = state.res_h_errno;
	res_nclose(&state);
	if (n < 0 && (problem == HOST_NOT_FOUND || problem == NO_DATA))
		return md_fail(err, MD_NOTFOUND, 0, "there is none");
	if (n < 0)
		return md_fail(err, MD_AGAIN, 0, "no name server answers");
	return read_answer(bytes, n, wanted, a, ret, err);
}
