/* Our own TLS: the certificate is looked at again when somebody connects, every few seconds at
 * most, so a renewed one is served without a restart; connections there are go on with theirs.
 *
 * libmicrohttpd asks for the certificate by a callback without a context, so a process serves one.
 * What a handshake may still be using is freed one change later. */
#include "http_private.h"

#include <gnutls/abstract.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { CHAIN_MAX = 10, LOOK_EVERY_MS = 2000, KEY_ID_MAX = 64 };

struct pair {
	gnutls_pcert_st chain[CHAIN_MAX];
	unsigned n;
	gnutls_privkey_t key;
};
struct stamp {
	struct timespec changed;
	ino_t inode;
	off_t size;
};

static struct {
	pthread_mutex_t lock;
	unsigned users; /* servers; while a new configuration takes over there are two */
	char *certificate, *key;
	struct stamp stamps[2];
	int64_t next_look;
	struct pair *current, *before;
} tls = { .lock = PTHREAD_MUTEX_INITIALIZER };

static void pair_free(struct pair *p)
{
	if (!p)
		return;
	for (unsigned i = 0; i < p->n; i++)
		gnutls_pcert_deinit(&p->chain[i]);
	if (p->key)
		gnutls_privkey_deinit(p->key);
	free(p);
}
MD_DEFINE_AUTO(struct pair *, pair_free)

static int bad(struct md_err *err, const char *path, int code)
{
	return md_fail(err, MD_INPUT, 0, "%s: %s", path, gnutls_strerror(code));
}

static int load_chain(struct pair *p, const char *path, struct md_err *err)
{
	gnutls_datum_t pem = { 0 };
	unsigned n = CHAIN_MAX;
	int code = gnutls_load_file(path, &pem);

	if (code >= 0)
		code = gnutls_pcert_list_import_x509_raw(p->chain, &n, &pem, GNUTLS_X509_FMT_PEM,
							 0);
	gnutls_free(pem.data);
	if (code < 0)
		return bad(err, path, code);
	p->n = n;
	return MD_OK;
}

static int load_key(struct pair *p, const char *path, struct md_err *err)
{
	gnutls_datum_t pem = { 0 };
	int code = gnutls_load_file(path, &pem);

	if (code >= 0)
		code = gnutls_privkey_init(&p->key);
	if (code >= 0)
		code = gnutls_privkey_import_x509_raw(p->key, &pem, GNUTLS_X509_FMT_PEM, NULL, 0);
	if (pem.data) {
		gnutls_memset(pem.data, 0, pem.size);
		gnutls_free(pem.data);
	}
	return code < 0 ? bad(err, path, code) : MD_OK;
}

static bool belong_together(const struct pair *p)
{
	unsigned char of_cert[KEY_ID_MAX], of_key[KEY_ID_MAX];
	size_t n = sizeof of_cert, m = sizeof of_key;
	gnutls_pubkey_t public;
	bool same = false;

	if (gnutls_pubkey_init(&public) < 0)
		return false;
	if (gnutls_pubkey_import_privkey(public, p->key, 0, 0) >= 0 &&
	    gnutls_pubkey_get_key_id(public, GNUTLS_KEYID_USE_SHA256, of_key, &m) >= 0 &&
	    gnutls_pubkey_get_key_id(p->chain[0].pubkey, GNUTLS_KEYID_USE_SHA256, of_cert, &n) >= 0)
		same = n == m && memcmp(of_cert, of_key, n) == 0;
	gnutls_pubkey_deinit(public);
	return same;
}

static int load(const char *certificate, const char *key, struct pair **ret, struct md_err *err)
{
	md_auto(pair_free_p) struct pair *p = md_calloc(1, sizeof *p);
	int rc = p ? load_chain(p, certificate, err)
		   : md_fail(err, MD_NOMEM, 0, "http: out of memory");

	if (rc == MD_OK)
		rc = load_key(p, key, err);
	if (rc == MD_OK && !belong_together(p))
		rc = md_fail(err, MD_INPUT, 0, "%s is not the key of %s", key, certificate);
	if (rc == MD_OK)
		*ret = md_take(p);
	return rc;
}

int http_check_certificate(const char *certificate, const char *key, struct md_err *err)
{
	md_auto(pair_free_p) struct pair *p = NULL;

	return load(certificate, key, &p, err);
}

int http_certificate_end(const char *certificate, int64_t *ret_ms, struct md_err *err)
{
	md_auto(pair_free_p) struct pair *p = md_calloc(1, sizeof *p);
	gnutls_x509_crt_t crt;
	int rc = p ? load_chain(p, certificate, err)
		   : md_fail(err, MD_NOMEM, 0, "http: out of memory");

	if (rc != MD_OK)
		return rc;
	if (gnutls_x509_crt_init(&crt) < 0)
		return md_fail(err, MD_NOMEM, 0, "http: out of memory");
	if (gnutls_x509_crt_import(crt, &p->chain[0].cert, GNUTLS_X509_FMT_DER) < 0)
		rc = md_fail(err, MD_INPUT, 0, "%s: no X.509 certificate", certificate);
	else
		*ret_ms = (int64_t)gnutls_x509_crt_get_expiration_time(crt) * 1000;
	gnutls_x509_crt_deinit(crt);
	return rc;
}

static void stamp_of(const char *path, struct stamp *ret)
{
	struct stat st;

	memset(ret, 0, sizeof *ret);
	if (stat(path, &st) == 0)
		*ret = (struct stamp){ st.st_mtim, st.st_ino, st.st_size };
}

static bool changed(const char *path, struct stamp *known)
{
	struct stamp now;
	bool yes;

	stamp_of(path, &now);
	yes = now.inode != known->inode || now.size != known->size ||
	      now.changed.tv_sec != known->changed.tv_sec ||
	      now.changed.tv_nsec != known->changed.tv_nsec;
	*known = now;
	return yes;
}

static void serve(struct pair *p)
{
	pair_free(tls.before);
	tls.before = tls.current;
	tls.current = p;
}

int http_tls_start(const char *certificate, const char *key, struct md_err *err)
{
	struct pair *p = NULL;
	int rc = load(certificate, key, &p, err);

	if (rc != MD_OK)
		return rc;
	pthread_mutex_lock(&tls.lock);
	free(tls.certificate);
	free(tls.key);
	tls.certificate = md_strdup(certificate);
	tls.key = md_strdup(key);
	if (tls.certificate && tls.key) {
		stamp_of(certificate, &tls.stamps[0]);
		stamp_of(key, &tls.stamps[1]);
		serve(p);
		tls.users++;
	} else {
		rc = md_fail(err, MD_NOMEM, 0, "http: out of memory");
		pair_free(p);
	}
	pthread_mutex_unlock(&tls.lock);
	return rc;
}

void http_tls_stop(void)
{
	pthread_mutex_lock(&tls.lock);
	if (--tls.users == 0) {
		serve(NULL);
		serve(NULL);
		free(md_take(tls.certificate));
		free(md_take(tls.key));
	}
	pthread_mutex_unlock(&tls.lock);
}

/* Files half written, or of two generations, are tried again; until then the old ones serve. */
void http_tls_look(void)
{
	int64_t now = clock_mono(&clock_system);
	struct pair *p = NULL;
	bool new_certificate, new_key;

	pthread_mutex_lock(&tls.lock);
	if (now >= tls.next_look && tls.certificate) {
		tls.next_look = now + LOOK_EVERY_MS;
		new_certificate = changed(tls.certificate, &tls.stamps[0]);
		new_key = changed(tls.key, &tls.stamps[1]);
		if (new_certificate || new_key) {
			if (load(tls.certificate, tls.key, &p, NULL) == MD_OK)
				serve(p);
			else
				memset(tls.stamps, 0, sizeof tls.stamps);
		}
	}
	pthread_mutex_unlock(&tls.lock);
}

int http_tls_certificate(gnutls_session_t session, const gnutls_datum_t *authorities, int n,
			 const gnutls_pk_algorithm_t *algorithms, int n_algorithms,
			 gnutls_pcert_st **ret_chain, unsigned *ret_n, gnutls_privkey_t *ret_key)
{
	(void)session, (void)authorities, (void)n, (void)algorithms, (void)n_algorithms;
	pthread_mutex_lock(&tls.lock);
	*ret_chain = tls.current->chain;
	*ret_n = tls.current->n;
	*ret_key = tls.current->key;
	pthread_mutex_unlock(&tls.lock);
	return 0;
}
