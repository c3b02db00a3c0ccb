/* init.h - between the parts of `maildesk init`. */
#ifndef MAILDESK_CMD_INIT_H
#define MAILDESK_CMD_INIT_H

#include <maildesk/base/arena.h>
#include <maildesk/base/buf.h>

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum answer { ADDRESS, PROVIDER, SMTP, PASSWORD, CLIENT_ID, ADMIN_EMAIL, ADMIN_PASSWORD, ANSWERS };

enum { INIT_HOST_MAX = 256 };

/* A server, as HOST or HOST:PORT names it. */
struct place {
	char host[INIT_HOST_MAX];
	const char *port; /* in the text it was read from; NULL: the usual one */
};

/* What is known of a mail provider. */
struct preset {
	const char *name, *domains; /* of addresses that are surely there, parted by spaces */
	const char *imap_host, *smtp_host;
	const char *keys;  /* of its mailbox section, beside the usual ones; NULL: none */
	const char *oauth; /* title of the section to sign in by; NULL: by a password */
	const char *token_url, *device_url, *scope;
	const char *hint; /* what to know before the next question */
};

struct plan {
	const char *config, *state_dir;
	char folder[PATH_MAX];      /* of the configuration, with its slash */
	const char *given[ANSWERS]; /* by options; of passwords: the name of a file */
	char *answer[ANSWERS];      /* NULL: not needed */
	const struct preset *preset;
	struct place imap, smtp; /* of servers that are no provider's; "": as the preset has it */
	/* by options; NULL: as the provider has it */
	const char *name, *url, *imap_host, *imap_port, *imap_tls, *imap_user, *smtp_port;
	const char *smtp_tls, *smtp_user, *smtp_secret, *ca_file, *listen;
	bool no_mail, no_start;
	bool again; /* the mailbox could not be used: its questions are asked once more */
	char imap_secret[PATH_MAX],
		smtp_secret_path[PATH_MAX]; /* as the configuration names them */
	char secret_file[PATH_MAX + 16];
	const char *written[3]; /* files to take away when it fails */
	size_t n_written;
};

/* What a mail to itself showed. */
struct init_found {
	bool works; /* the mailbox and the way out of it */
	bool any, no_plus;
	const char *authserv_id; /* NULL: it proves nothing */
	int64_t hops;
	bool below;
};

#define INIT_NAME "init"

/* init_ask.c: fills `answer` and what follows from it; on a terminal what is wrong is asked again.
 * One of sysexits(3). */
int init_gather(struct plan *p);
/* init_write.c */
const struct preset *init_preset(const char *name); /* NULL: no such one; "own" is one */
const char *init_guess(const char *address);        /* by its domain; NULL */
/* found NULL: nothing is known yet. */
void init_compose(const struct plan *p, const struct init_found *found, struct buf *out);
/* init_try.c: says on standard output what is found; nothing found is no failure. */
void init_try(const struct plan *p, struct arena *a, struct init_found *ret);

#endif
