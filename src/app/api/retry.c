/* Idempotency-Key: a POST that comes again gets its first answer and does nothing.
 *
 * What a request does and the note that it was done are one transaction (api_txn), so a crash never
 * doubles it. Its answer follows in a second one; when that was lost, the handler runs once more
 * with its transaction left out, and answers with what is there. What cannot be answered again, a
 * secret shown this once, has its answer in the first one (api_txn_tell). What is kept on disk is
 * sealed by the key, which is not (desk/seal.h): answers hold what people wrote. Requests with a
 * password and answers that sign in are kept in memory only: not even a sealed trace of a password
 * can be guessed at, and who signs in twice has done no harm.
 *
 * Requests that are being handled are in a table of the daemon. A second one at another daemon
 * meets the first one's row. */
#include "api_private.h"

#include <maildesk/base/codec.h>
#include <maildesk/base/fault.h>
#include <maildesk/base/log.h>
#include <maildesk/desk/seal.h>
#include <maildesk/store/kept.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { KEY_MAX = 255, PLACES = 4096, ANSWER_MAX = 4 << 20, MEMORY_ANSWER_MAX = 16 << 10 };

/* ---- an answer as bytes ---- */

struct answer {
	int64_t status;
	const char *etag;
	struct rec_strs names, values; /* of header fields */
	struct rec_bytes body;
};
static const struct rec_field answer_fields[] = {
	REC(struct answer, status, REC_INT, 999),        REC(struct answer, etag, REC_STR, 1000),
	REC(struct answer, names, REC_STRS, 200),        REC(struct answer, values, REC_STRS, 1100),
	REC(struct answer, body, REC_BYTES, ANSWER_MAX), REC_END,
};
static const struct rec answer_rec = { "answer", sizeof(struct answer), answer_fields };

static void pack(const struct http_response *r, struct buf *out)
{
	const char *names[HTTP_HEADERS_MAX], *values[HTTP_HEADERS_MAX];
	const struct answer a = {
		.status = r->status,
		.etag = r->etag,
		.names = { r->n_headers, names },
		.values = { r->n_headers, values },
		.body = { r->body.len, (const uint8_t *)r->body.data },
	};

	for (size_t i = 0; i < r->n_headers; i++) {
		names[i] = r->headers[i].name;
		values[i] = r->headers[i].value;
	}
	rec_pack(out, &answer_rec, &a);
}

static int give(const void *bytes, size_t n, struct http_request *q, struct http_response *r,
		struct md_err *err)
{
	struct answer a;
	if (rec_unpack(&answer_rec, bytes, n, q->arena, &a, err) != MD_OK)
		return MD_BROKEN; /* what we wrote cannot be wrong input */
	r->status = (int)a.status;
	r->etag = a.etag;
	for (size_t i = 0; i < a.names.n && i < a.values.n; i++)
		http_header_add(q, r, a.names.v[i], "%s", a.values.v[i]);
	buf_add(&r->body, a.body.v, a.body.n);
	return MD_OK;
}

/* ---- the table of the daemon ---- */

struct place {
	enum { FREE, RUNNING, KEPT } state;
	int64_t at;
	char name[SEAL_NAME_MAX];
	uint8_t mac[SEAL_KEY_BYTES];
	char *answer; /* of a KEPT one */
	size_t n;
};
struct retries {
	pthread_mutex_t lock;
	size_t used; /* places ever used: the rest is not looked at */
	struct place places[PLACES];
};

/* One request with a key: q->kept. */
struct retry {
	struct api *api;
	struct seal seal;
	uint8_t mac[SEAL_KEY_BYTES]; /* of all that was sent */
	struct place *place;
	bool in_memory;
	bool done, taken; /* its effect: there before; there by somebody else just now */
	int64_t made;
	const struct http_response *told; /* the answer to keep with the effect; NULL: later */
	bool is_kept;
};

int api_retries_new(struct retries **ret, struct md_err *err)
{
	struct retries *t = md_calloc(1, sizeof *t); /* pages nobody needs cost nothing */

	if (!t)
		return md_fail(err, MD_NOMEM, 0, "api: out of memory");
	pthread_mutex_init(&t->lock, NULL);
	*ret = t;
	return MD_OK;
}

/* What is kept here signs people in. */
static void forget(struct place *p)
{
	if (p->answer)
		explicit_bzero(p->answer, p->n);
	free(p->answer);
	*p = (struct place){ 0 };
}

void api_retries_free(struct retries *t)
{
	if (!t)
		return;
	for (size_t i = 0; i < t->used; i++)
		forget(&t->places[i]);
	pthread_mutex_destroy(&t->lock);
	free(t);
}

/* The request's place; else a free one, or that of the oldest answer. NULL when all are busy. */
static struct place *find_place(struct retries *t, const char *name, int64_t now_ms)
{
	struct place *best = NULL;

	for (struct place *p = t->places; p < t->places + t->used; p++) {
		if (p->state == KEPT && p->at + KEPT_MS <= now_ms)
			forget(p);
		if (p->state != FREE && strcmp(p->name, name) == 0)
			return p;
		if (p->state == FREE || (p->state == KEPT && t->used == PLACES &&
					 (!best || (best->state == KEPT && p->at < best->at))))
			best = best && best->state == FREE ? best : p;
	}
	if ((!best || best->state != FREE) && t->used < PLACES)
		best = &t->places[t->used++];
	return best;
}

static bool in_flight(struct http_request *q, struct http_response *r)
{
	http_refuse(q, r, 409, "conflict", "the same request is being worked on");
	http_header_add(q, r, "Retry-After", "1");
	return false;
}

static bool mismatch(struct http_request *q, struct http_response *r)
{
	http_refuse(q, r, 422, "idempotency_mismatch",
		    "this Idempotency-Key was used for another request");
	http_refuse_field(r, "Idempotency-Key", "was used for another request");
	return false;
}

/* True when the request is the caller's to handle; else the answer is written. */
static bool claim(struct retry *k, struct http_request *q, struct http_response *r)
{
	struct retries *t = k->api->retries;
	struct place *p;
	bool mine = false;

	pthread_mutex_lock(&t->lock);
	p = find_place(t, k->seal.name, q->now_ms);
	if (!p) {
		http_refuse(q, r, 503, "unavailable", "too many requests at once");
	} else if (p->state == FREE || strcmp(p->name, k->seal.name) != 0) {
		forget(p);
		p->state = RUNNING;
		p->at = q->now_ms;
		memcpy(p->name, k->seal.name, sizeof p->name);
		memcpy(p->mac, k->mac, sizeof p->mac);
		k->place = p;
		mine = true;
	} else if (!seal_same(p->mac, k->mac)) {
		mismatch(q, r);
	} else if (p->state == RUNNING) {
		in_flight(q, r);
	} else if (give(p->answer, p->n, q, r, NULL) != MD_OK) {
		http_refuse(q, r, 503, "unavailable", "out of memory");
	}
	pthread_mutex_unlock(&t->lock);
	return mine;
}

/* With an answer it stays, without one the place is free again. */
static void release(struct retry *k, struct buf *answer)
{
	struct retries *t = k->api->retries;

	pthread_mutex_lock(&t->lock);
	k->place->n = answer ? answer->len : 0;
	k->place->answer = answer ? buf_steal(answer) : NULL;
	if (k->place->answer)
		k->place->state = KEPT;
	else
		forget(k->place);
	pthread_mutex_unlock(&t->lock);
}

/* ---- what makes two requests the same ---- */

/* Of a caller without a name the address is one. */
static int seal_request(struct retry *k, struct http_request *q, const char *key,
			struct md_err *err)
{
	const char *caller =
		q->user ? arena_printf(q->arena, "%lld", (long long)q->user) : q->address;
	const char *words[] = { "maildesk retry 1", caller, q->path, key };

	return caller ? seal_of(words, MD_COUNT(words), &k->seal, err)
		      : md_fail(err, MD_NOMEM, 0, "out of memory");
}

static int hash_file(const struct http_request *q, uint8_t ret[SHA256_BYTES], struct md_err *err)
{
	struct sha256 *h = sha256_new();
	char chunk[64 << 10];
	off_t at = 0;
	ssize_t n = 1;

	if (!h)
		return md_fail(err, MD_NOMEM, 0, "out of memory");
	while ((n = pread(q->body_fd, chunk, sizeof chunk, at)) > 0) {
		sha256_add(h, chunk, (size_t)n);
		at += n;
	}
	sha256_end(h, ret);
	return n == 0 ? MD_OK : md_fail(err, MD_BROKEN, 0, "an upload cannot be read");
}

static struct rec_bytes bytes_of(const char *text)
{
	return (struct rec_bytes){ text ? strlen(text) : 0, (const uint8_t *)text };
}

/* The body, and what else says what is wanted; the cookie is the credential of who has no name. */
static int mac_request(struct retry *k, struct http_request *q, struct md_err *err)
{
	uint8_t file[SHA256_BYTES];
	struct rec_bytes parts[5];
	size_t n;
	int rc = MD_OK;

	parts[0].v = (const uint8_t *)http_body(q, &n);
	parts[0].n = n;
	if (q->body_fd >= 0) {
		rc = hash_file(q, file, err);
		parts[0] = (struct rec_bytes){ sizeof file, file };
	}
	parts[1] = bytes_of(http_header(q, "Content-Disposition"));
	parts[2] = bytes_of(http_header(q, "Content-Type"));
	parts[3] = bytes_of(http_header(q, "If-Match"));
	parts[4] = bytes_of(q->user ? NULL : http_header(q, "Cookie"));
	if (rc == MD_OK)
		seal_mac(&k->seal, parts, MD_COUNT(parts), k->mac);
	return rc;
}

static bool holds_secrets(const struct http_route *route)
{
	for (const struct http_field *f = route->body; f && f->name; f++)
		if (strcmp(f->name, "password") == 0)
			return true;
	return route->answer &&
	       (strcmp(route->answer, "Token") == 0 || strcmp(route->answer, "Otp") == 0);
}

/* ---- the row ---- */

/* True when the request is still to be handled. */
static bool look_up(struct retry *k, struct http_request *q, struct http_response *r)
{
	md_auto(db_read_done_p) struct db_conn *c = NULL;
	md_auto(buf_done) struct buf plain = BUF_INIT(ANSWER_MAX);
	struct kept_answer kept;
	struct md_err err = { 0 };
	int rc = db_read(k->api->desk->db, &c, &err);

	if (rc == MD_OK)
		rc = kept_answer_get(c, k->seal.name, q->now_ms, q->arena, &kept, &err);
	if (rc == MD_NOTFOUND)
		return true;
	if (rc == MD_OK &&
	    (kept.body_mac.n != SEAL_KEY_BYTES || !seal_same(kept.body_mac.v, k->mac)))
		return mismatch(q, r);
	if (rc == MD_OK && !kept.answer.n) {
		k->done = true;
		k->made = kept.made_id;
		return true;
	}
	if (rc == MD_OK)
		rc = seal_open(&k->seal, kept.answer.v, kept.answer.n, &plain, &err);
	if (rc == MD_OK)
		rc = give(plain.data, plain.len, q, r, &err);
	if (rc != MD_OK)
		api_failed(k->api, q, r, rc == MD_INPUT ? MD_BROKEN : rc, &err);
	return false;
}

struct keeping {
	const struct retry *k;
	const struct buf *sealed;
	int64_t now_ms;
};

static int keep_in_txn(struct db_conn *c, void *ctx, struct md_err *err)
{
	const struct keeping *keep = ctx;
	const struct kept_answer a = {
		.body_mac = { SEAL_KEY_BYTES, keep->k->mac },
		.answer = { keep->sealed->len, (const uint8_t *)keep->sealed->data },
	};

	return kept_answer_put(c, keep->k->seal.name, &a, keep->now_ms, err);
}

/* In the transaction of the effect. */
static int keep_told(struct db_conn *c, struct retry *k, int64_t now_ms, struct md_err *err)
{
	md_auto(buf_wipe) struct buf answer = BUF_INIT(ANSWER_MAX),
				     sealed = BUF_INIT(ANSWER_MAX + 1024);
	struct keeping ctx = { k, &sealed, now_ms };

	pack(k->told, &answer);
	if (answer.status == MD_OK)
		seal_close(&k->seal, k->api->desk->random, answer.data, answer.len, &sealed);
	if (answer.status != MD_OK || sealed.status != MD_OK)
		return md_fail(err, MD_NOMEM, 0, "out of memory");
	k->is_kept = true;
	return keep_in_txn(c, &ctx, err);
}

static void keep(struct retry *k, const struct http_request *q, const struct buf *answer)
{
	md_auto(buf_done) struct buf sealed = BUF_INIT(ANSWER_MAX + 1024);
	struct keeping ctx = { k, &sealed, q->now_ms };
	struct md_err err = { 0 };
	int rc;

	seal_close(&k->seal, k->api->desk->random, answer->data, answer->len, &sealed);
	rc = sealed.status == MD_OK ? db_txn(k->api->desk->db, keep_in_txn, &ctx, &err)
				    : md_fail(&err, MD_NOMEM, 0, "out of memory");
	/* The effect has its row: the next one asking is told what is there. */
	if (rc != MD_OK)
		log_warn(NULL, "%s %s: its answer is not kept: %s", q->method, q->path, err.text);
}

/* ---- around a request ---- */

static bool good_key(const char *key)
{
	size_t n = strlen(key);

	for (size_t i = 0; i < n; i++)
		if (key[i] <= ' ' || key[i] > '~')
			return false;
	return n > 0 && n <= KEY_MAX;
}

bool api_enter(void *ctx, struct http_request *q, struct http_response *r,
	       const struct http_route *route)
{
	const char *key = http_header(q, "Idempotency-Key");
	struct retry *k;
	struct md_err err = { 0 };
	int rc;

	if (!key || strcmp(route->method, "POST") != 0)
		return true;
	if (!good_key(key)) {
		http_refuse(q, r, 400, "malformed", "the key of a request has 1 to %d characters",
			    KEY_MAX);
		http_refuse_field(r, "Idempotency-Key",
				  "must be of printable ASCII, without blanks");
		return false;
	}
	k = arena_alloc(q->arena, sizeof *k);
	rc = k ? MD_OK : md_fail(&err, MD_NOMEM, 0, "out of memory");
	if (rc == MD_OK) {
		*k = (struct retry){ .api = ctx, .in_memory = holds_secrets(route) };
		rc = seal_request(k, q, key, &err);
	}
	if (rc == MD_OK)
		rc = mac_request(k, q, &err);
	if (rc != MD_OK) {
		api_failed(ctx, q, r, rc, &err);
		return false;
	}
	if (!claim(k, q, r))
		return false;
	if (!k->in_memory && !look_up(k, q, r)) {
		release(k, NULL);
		return false;
	}
	q->kept = k;
	return true;
}

/* Errors are not kept: who mends what was wrong may use the key again. */
void api_leave(void *ctx, struct http_request *q, struct http_response *r)
{
	md_auto(buf_wipe) struct buf answer = BUF_INIT(ANSWER_MAX);
	struct retry *k = q->kept;

	(void)ctx;
	if (!k)
		return;
	if (k->taken)
		in_flight(q, r);
	if (!r->code && !k->in_memory)
		fault_point("api_done"); /* its effect is there, nobody was told */
	if (!r->code)
		pack(r, &answer);
	if (!r->code && answer.status == MD_OK && !k->in_memory && !k->is_kept)
		keep(k, q, &answer);
	release(k, !r->code && k->in_memory && answer.len <= MEMORY_ANSWER_MAX ? &answer : NULL);
}

/* ---- what it does, once ---- */

struct once {
	struct retry *k;
	const char *name;
	int64_t now_ms;
	db_txn_fn fn;
	void *ctx;
	const int64_t *made;
};

static int once_in_txn(struct db_conn *c, void *ctx, struct md_err *err)
{
	struct once *o = ctx;
	int rc = kept_begin(c, o->name, o->k->mac, sizeof o->k->mac, o->now_ms, err);

	o->k->taken = rc == MD_CONFLICT;
	if (rc == MD_OK)
		rc = o->fn(c, o->ctx, err);
	if (rc == MD_OK && o->made)
		rc = kept_made(c, o->name, *o->made, err);
	return rc == MD_OK && o->k->told ? keep_told(c, o->k, o->now_ms, err) : rc;
}

int api_once(struct api *api, struct http_request *q, db_txn_fn fn, void *ctx, int64_t *made,
	     struct md_err *err)
{
	struct retry *k = q->kept;
	struct once o = { k, k ? k->seal.name : NULL, q->now_ms, fn, ctx, made };

	if (!k || k->in_memory)
		return db_txn(api->desk->db, fn, ctx, err);
	if (!k->done)
		return db_txn(api->desk->db, once_in_txn, &o, err);
	if (made)
		*made = k->made;
	return MD_OK;
}

struct telling {
	const struct api_telling *t;
	size_t n_headers;
};

static int tell_in_txn(struct db_conn *c, void *ctx, struct md_err *err)
{
	const struct telling *l = ctx;
	int rc = l->t->fn(c, l->t->ctx, err);

	buf_cut(&l->t->r->body, 0);
	l->t->r->n_headers = l->n_headers;
	return rc == MD_OK ? l->t->show(c, l->t->ctx, err) : rc;
}

int api_txn_tell(struct api *api, struct http_request *q, const struct api_telling *t,
		 int64_t *made, struct md_err *err)
{
	struct telling l = { t, t->r->n_headers };
	struct retry *k = q->kept;
	int rc;

	if (api_was_done(q)) /* by a maildesk that did not keep its answer */
		return md_fail(err, MD_CONFLICT, 0, "it was done, and cannot be told again");
	if (k && !k->in_memory)
		k->told = t->r;
	rc = api_txn(api, q, tell_in_txn, &l, made, err);
	if (k && rc != MD_OK)
		k->is_kept = false;
	return rc;
}

bool api_was_done(const struct http_request *q)
{
	const struct retry *k = q->kept;

	return k && k->done;
}

int api_txn_part(struct api *api, struct http_request *q, int64_t part, db_txn_fn fn, void *ctx,
		 struct md_err *err)
{
	struct retry *k = q->kept;
	struct once o = { k, NULL, q->now_ms, fn, ctx, NULL };
	int rc;

	if (!k)
		return db_txn(api->desk->db, fn, ctx, err);
	o.name = arena_printf(q->arena, "%s.%lld", k->seal.name, (long long)part);
	if (!o.name)
		return md_fail(err, MD_NOMEM, 0, "out of memory");
	rc = db_txn(api->desk->db, once_in_txn, &o, err);
	if (rc == MD_CONFLICT && k->taken)
		rc = MD_OK; /* before the crash */
	k->taken = false;
	return rc;
}
