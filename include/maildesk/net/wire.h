/* wire.h - a byte stream over TCP, plain or TLS, with deadlines and a ceiling on what the peer may
 * send. IMAP speaks over it.
 *
 * TLS means TLS 1.2 or later with the chain and the host (DNS name or IP address, RFC 9525)
 * verified; there is no way to leave that out. Blocking, but never beyond the deadline. Not for two
 * threads at once. Codes: MD_AGAIN for the network, the peer's end and time-outs, MD_BROKEN for
 * what only a person can mend (name, certificate, protocol), MD_INPUT when the peer sends more than
 * it may. */
#ifndef MAILDESK_NET_WIRE_H
#define MAILDESK_NET_WIRE_H

#include <maildesk/base/err.h>
#include <maildesk/base/mem.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The authorities we trust; shared by connections and threads. */
struct wire_trust;
/* From PEM certificates. MD_BROKEN when there are none. */
int wire_trust_new(const char *pem, size_t n, struct wire_trust **ret, struct md_err *err);
/* The system's store; read again once a day, for authorities come and go. From any thread. */
int wire_trust_system(struct wire_trust **ret, struct md_err *err);
struct wire_trust *wire_trust_ref(struct wire_trust *t);
void wire_trust_unref(struct wire_trust *t);
MD_DEFINE_AUTO(struct wire_trust *, wire_trust_unref)

struct wire;

/* Connect to the first address of `host` that answers, within timeout_ms in all (looking up the
 * name follows the resolver's own limits). Keepalives notice a dead peer within two minutes. */
int wire_connect(const char *host, int port, int64_t timeout_ms, struct wire **ret,
		 struct md_err *err);
/* Switch to TLS. Afterwards everything read was sent by the verified host. Takes a reference. */
int wire_secure(struct wire *w, struct wire_trust *trust, struct md_err *err);
void wire_free(struct wire *w);
MD_DEFINE_AUTO(struct wire *, wire_free)

/* From now on: at most `total_ms` in all, no pause longer than `silence_ms`, and at most `bytes`
 * from the peer. */
void wire_limit(struct wire *w, int64_t silence_ms, int64_t total_ms, uint64_t bytes);
uint64_t wire_bytes_left(const struct wire *w);

/* At least one byte, at most n. The peer's end is MD_AGAIN. */
int wire_read(struct wire *w, void *out, size_t n, size_t *ret_n, struct md_err *err);
/* All of it. */
int wire_write(struct wire *w, const void *bytes, size_t n, struct md_err *err);

int wire_fd(const struct wire *w);
bool wire_is_secure(const struct wire *w);
bool wire_is_loopback(const struct wire *w); /* the peer is this machine */
/* Bytes that were received but not read: poll() would not tell of them. */
bool wire_has_pending(const struct wire *w);

#endif
