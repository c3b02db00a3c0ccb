/* What one value alone does not show: names that refer to sections, files, sets of keys that
 * contradict each other. Values that depend on others get their defaults here, paths and secrets
 * are resolved. When a file had a syntax error, what seems to be missing may stand behind it, so
 * only what is there is judged. */
#include "config_private.h"

#include <maildesk/desk/command.h>
#include <maildesk/net/http.h>
#include <maildesk/net/wire.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SECRET_MAX = 4096, CA_MAX = 4 << 20, READ_BYTES = 4096 };

#define ORIGIN CONF_ORIGIN

static bool is_section(const struct conf_node *n, const char *name)
{
	return n->section && strcmp(n->section->name, name) == 0;
}

struct conf_node *conf_next_node(struct conf_node *n, const char *name)
{
	while (n && !is_section(n, name))
		n = n->next;
	return n;
}

static const char *title_of(const struct conf_node *n)
{
	return *(const char **)n->object;
}

static struct conf_node *by_title(struct conf_load *l, const char *section, const char *title)
{
	struct conf_node *n = conf_next_node(l->nodes, section);

	while (n && strcmp(title_of(n), title) != 0)
		n = conf_next_node(n->next, section);
	return n;
}

static size_t count_of(struct conf_load *l, const char *section)
{
	size_t count = 0;

	for (struct conf_node *n = conf_next_node(l->nodes, section); n;
	     n = conf_next_node(n->next, section))
		count++;
	return count;
}

void conf_check_reference(struct conf_load *l, struct conf_origin o, const struct conf_node *n,
			  const char *key, const char *section, const char *title)
{
	md_auto(buf_done) struct buf b = BUF_INIT(2000);

	if (l->incomplete || by_title(l, section, title))
		return;
	for (struct conf_node *s = conf_next_node(l->nodes, section); s;
	     s = conf_next_node(s->next, section))
		buf_addf(&b, "%s\"%s\"", b.len ? ", " : "", title_of(s));
	if (b.len)
		conf_error(l, o, n, "%s = \"%.60s\": no such %s section; allowed: %s", key, title,
			   section, buf_str(&b));
	else
		conf_error(l, o, n, "%s = \"%.60s\": there is no %s section", key, title, section);
}

/* ---- what must be there ---- */

static void check_required(struct conf_load *l)
{
	for (const struct conf_node *n = l->nodes; n; n = n->next)
		for (size_t i = 0; n->section && n->section->title && i < conf_key_count; i++) {
			const struct conf_key *k = &conf_keys[i];

			if (!k->standard && strcmp(k->section, n->section->name) == 0 &&
			    !*(const char **)((char *)n->object + k->at) && n->set[i].line == 0)
				conf_error(l, n->origin, n, "%s is missing: %s", k->name, k->help);
		}
	for (size_t i = 0; i < 2; i++) {
		static const char *const needed[] = { "smtp", "mailbox" };

		if (!conf_next_node(l->nodes, needed[i]))
			conf_error(l, (struct conf_origin){ l->config->file, 1, 1 }, NULL,
				   "no %s section: at least one is needed", needed[i]);
	}
}

/* ---- files ---- */

const char *conf_beside(struct conf_load *l, const char *path)
{
	const char *slash = strrchr(l->config->file, '/');

	if (*path == '/' || !slash)
		return path;
	return arena_printf(l->arena, "%.*s%s", (int)(slash + 1 - l->config->file), l->config->file,
			    path);
}

const char *conf_way_out(int why)
{
	static const struct {
		int why;
		const char *way_out;
	} ways[] = {
		{ EACCES, "; the user who runs this must be able to read it (root:maildesk, chmod "
			  "640; secrets maildesk, chmod 600)" },
		{ ENOENT, "; write it, or name another" },
		{ EISDIR, "; name a file" },
		{ ENOTDIR, "; make a folder of it, or take it away" },
	};

	for (size_t i = 0; i < MD_COUNT(ways); i++)
		if (ways[i].why == why)
			return ways[i].way_out;
	return "";
}

static const char *secret_path(struct conf_load *l, const char *path)
{
	const char *folder = getenv("CREDENTIALS_DIRECTORY");
	const char *there;

	if (*path == '/' || !folder || !*folder)
		return conf_beside(l, path);
	there = arena_printf(l->arena, "%s/%s", folder, path);
	return there && access(there, F_OK) == 0 ? there : conf_beside(l, path);
}

/* A file that is there to be read, or -1 when it was told of. */
static int open_file(struct conf_load *l, struct conf_origin o, const struct conf_node *n,
		     const char *key, const char *path)
{
	md_auto(md_close_p) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	struct stat st;
	int why = fd < 0 || fstat(fd, &st) < 0 ? errno : S_ISDIR(st.st_mode) ? EISDIR : 0;
	int ret = -1;

	if (why) {
		conf_error(l, o, n, "%s: %s: %s%s", key, path, strerror(why), conf_way_out(why));
	} else if (!S_ISREG(st.st_mode)) { /* a pipe, to which nobody may ever write */
		conf_error(l, o, n, "%s: %s is not a file", key, path);
	} else {
		ret = fd;
		fd = -1;
	}
	return ret;
}

static void check_private(struct conf_load *l, struct conf_origin o, const struct conf_node *n,
			  const char *key, const char *path, int fd)
{
	struct stat st;

	if (fstat(fd, &st) == 0 && st.st_mode & S_IRWXO)
		conf_error(l, o, n, "%s: %s may be read or written by everybody: chmod 600 %s", key,
			   path, path);
}

/* The first line; what follows it must be empty. */
static const char *read_secret(struct conf_load *l, struct conf_origin o, const struct conf_node *n,
			       const char *key, const char *path)
{
	char bytes[SECRET_MAX + 1];
	md_auto(md_close_p) int fd = open_file(l, o, n, key, path);
	const char *secret = "";
	ssize_t len;
	size_t line;

	if (fd < 0)
		return secret;
	len = read(fd, bytes, sizeof bytes);
	if (len < 0) {
		conf_error(l, o, n, "%s: %s: %s", key, path, strerror(errno));
		return secret;
	}
	check_private(l, o, n, key, path, fd);
	while (len > 0 && (bytes[len - 1] == '\n' || bytes[len - 1] == '\r'))
		len--;
	bytes[len < SECRET_MAX ? len : SECRET_MAX] = '\0';
	line = strcspn(bytes, "\r\n");
	if (len == 0 || len >= SECRET_MAX || line != (size_t)len)
		conf_error(l, o, n, "%s: %s: allowed: one line of 1 to %d bytes", key, path,
			   SECRET_MAX - 1);
	else
		secret = arena_strndup(l->arena, bytes, line);
	explicit_bzero(bytes, sizeof bytes);
	return secret;
}

static bool read_all(int fd, struct buf *out)
{
	ssize_t n = 1;

	while (n > 0 && out->status == MD_OK) {
		char *room = buf_reserve(out, READ_BYTES);

		n = room ? read(fd, room, READ_BYTES) : -1;
		out->len += n > 0 ? (size_t)n : 0;
	}
	return n == 0 && out->status == MD_OK;
}

static const char *check_ca_file(struct conf_load *l, struct conf_origin o,
				 const struct conf_node *n, const char *path)
{
	md_auto(wire_trust_unref_p) struct wire_trust *trust = NULL;
	md_auto(buf_done) struct buf pem = BUF_INIT(CA_MAX);
	md_auto(md_close_p) int fd = -1;

	if (*path == '\0' || !(path = conf_beside(l, path)))
		return path;
	fd = open_file(l, o, n, "ca_file", path);
	if (fd >= 0 &&
	    (!read_all(fd, &pem) || wire_trust_new(buf_str(&pem), pem.len, &trust, NULL) != MD_OK))
		conf_error(l, o, n,
			   "ca_file: %s: allowed: up to 4 MB of certificates in PEM, no "
			   "others are found in it",
			   path);
	return path;
}

/* ---- section by section ---- */

/* "sqlite:PATH" with the whole path; the URL people use. */
static void check_top(struct conf_load *l)
{
	static const char file[] = "sqlite:";
	struct config *c = l->config;
	size_t n = strlen(file);

	if (strncmp(c->database, file, n) == 0 && c->database[n] != '/')
		c->database =
			arena_printf(l->arena, "%s%s/%s", file, c->state_dir, c->database + n);
	if (*c->desk.url == '\0')
		c->desk.url = arena_printf(l->arena, "%s://%s",
					   *c->http.certificate ? "https" : "http", c->http.listen);
}

static void check_certificate(struct conf_load *l, const struct conf_node *n,
			      const char *certificate, const char *key)
{
	struct conf_origin of_certificate = ORIGIN(n, conf_http, "http", certificate);
	struct conf_origin of_key = ORIGIN(n, conf_http, "http", key);
	md_auto(md_close_p) int chain = open_file(l, of_certificate, n, "certificate", certificate);
	md_auto(md_close_p) int secret = open_file(l, of_key, n, "key", key);
	struct md_err err;

	if (secret >= 0)
		check_private(l, of_key, n, "key", key, secret);
	if (chain >= 0 && secret >= 0 && http_check_certificate(certificate, key, &err) != MD_OK)
		conf_error(l, of_certificate, n, "%s", err.text);
}

static void check_http(struct conf_load *l, struct conf_node *n)
{
	struct conf_http *h = n->object;
	md_auto(md_free_p) char *host = md_strdup(h->listen + (*h->listen == '['));

	if (!host)
		return;
	host[strcspn(host, *h->listen == '[' ? "]" : ":")] = '\0';
	if (!conf_is_loopback(host) && !*h->certificate)
		conf_warning(l, ORIGIN(n, conf_http, "http", listen), n,
			     "listen = \"%s\" is reachable from the network without TLS: set "
			     "certificate and key, or put a proxy with TLS before 127.0.0.1",
			     h->listen);
	if (!*h->certificate != !*h->key) {
		conf_error(l, ORIGIN(n, conf_http, "http", certificate), n,
			   "certificate and key are set together, or not at all");
	} else if (*h->certificate) {
		h->certificate = conf_beside(l, h->certificate);
		h->key = conf_beside(l, h->key);
		if (h->certificate && h->key)
			check_certificate(l, n, h->certificate, h->key);
	}
}

static void check_tls(struct conf_load *l, struct conf_origin o, const struct conf_node *n,
		      const char *tls, const char *host)
{
	if (strcmp(tls, "none") == 0 && host && !conf_is_loopback(host))
		conf_error(
			l, o, n,
			"tls = \"none\" would send the password in clear to %s: allowed: \"tls\", "
			"\"starttls\"; \"none\" only for a loopback host",
			host);
}

/* The title of the oauth section, or NULL. */
static const char *check_auth(struct conf_load *l, struct conf_origin o, const struct conf_node *n,
			      const char *auth)
{
	static const char prefix[] = "oauth:";

	if (strncmp(auth, prefix, strlen(prefix)) != 0)
		return NULL;
	conf_check_reference(l, o, n, "auth", "oauth", auth + strlen(prefix));
	return auth + strlen(prefix);
}

/* A token is as good as a password, and so is what it is made of. */
static void check_server(struct conf_load *l, struct conf_origin o, const struct conf_node *n,
			 const char *key, const char *url)
{
	static const char plain[] = "http://";
	char host[256];

	if (!url || strncmp(url, plain, strlen(plain)) != 0)
		return;
	url += strlen(plain);
	snprintf(host, sizeof host, "%.*s", (int)strcspn(url, *url == '[' ? "]" : ":/?"),
		 url + (*url == '['));
	if (*url == '[')
		host[strcspn(host, "]")] = '\0';
	if (!conf_is_loopback(host))
		conf_error(l, o, n,
			   "%s would send tokens in clear to %s: allowed: an address that begins "
			   "with \"https://\"; \"http://\" only for a loopback host",
			   key, host);
}

static void check_oauth(struct conf_load *l, struct conf_node *n)
{
	struct conf_oauth *o = n->object;
	struct conf_origin secret = ORIGIN(n, conf_oauth, "oauth", client_secret);

	check_server(l, ORIGIN(n, conf_oauth, "oauth", token_url), n, "token_url", o->token_url);
	check_server(l, ORIGIN(n, conf_oauth, "oauth", device_url), n, "device_url", o->device_url);
	o->ca_file = check_ca_file(l, ORIGIN(n, conf_oauth, "oauth", ca_file), n, o->ca_file);
	if (*o->client_secret)
		o->client_secret = read_secret(l, secret, n, "client_secret_file",
					       secret_path(l, o->client_secret));
	else if (!*o->device_url && !l->incomplete)
		conf_error(l, n->origin, n,
			   "nothing to sign in by: device_url, for `maildesk oauth login`, or "
			   "client_secret_file, for client credentials, is missing");
}

static void check_smtp(struct conf_load *l, struct conf_node *n)
{
	struct conf_smtp *s = n->object;
	struct conf_origin password = ORIGIN(n, conf_smtp, "smtp", password);

	check_tls(l, ORIGIN(n, conf_smtp, "smtp", tls), n, s->tls, s->host);
	s->ca_file = check_ca_file(l, ORIGIN(n, conf_smtp, "smtp", ca_file), n, s->ca_file);
	if (s->lease_ms < s->timeout_ms)
		conf_warning(l, ORIGIN(n, conf_smtp, "smtp", lease_ms), n,
			     "lease is shorter than timeout: a slow server may get a mail twice");
	s->oauth = check_auth(l, ORIGIN(n, conf_smtp, "smtp", auth), n, s->auth);
	if (*s->password)
		s->password =
			read_secret(l, password, n, "password_file", secret_path(l, s->password));
	else if (s->oauth && !*s->user && !l->incomplete)
		conf_error(l, ORIGIN(n, conf_smtp, "smtp", auth), n,
			   "user is missing: who signs in at \"%s\"", s->auth);
	else if (*s->user && !s->oauth && !l->incomplete)
		conf_error(l, ORIGIN(n, conf_smtp, "smtp", user), n,
			   "user is given but no password_file");
}

static void check_mailbox(struct conf_load *l, struct conf_node *n)
{
	struct conf_mailbox *m = n->object;
	struct conf_origin smtp = ORIGIN(n, conf_mailbox, "mailbox", smtp);
	struct conf_origin password = ORIGIN(n, conf_mailbox, "mailbox", password);

	check_tls(l, ORIGIN(n, conf_mailbox, "mailbox", tls), n, m->tls, m->host);
	m->ca_file = check_ca_file(l, ORIGIN(n, conf_mailbox, "mailbox", ca_file), n, m->ca_file);
	m->oauth = check_auth(l, ORIGIN(n, conf_mailbox, "mailbox", auth), n, m->auth);
	if (*m->password)
		m->password =
			read_secret(l, password, n, "password_file", secret_path(l, m->password));
	else if (!m->oauth && !l->incomplete)
		conf_error(l, password, n,
			   "password_file is missing: File with the password; relative to "
			   "$CREDENTIALS_DIRECTORY, else to this file.");
	if (*m->user == '\0')
		m->user = m->address;
	if (*m->locale == '\0')
		m->locale = l->config->desk.locale;
	if (*m->smtp)
		conf_check_reference(l, smtp, n, "smtp", "smtp", m->smtp);
	else if (count_of(l, "smtp") == 1)
		m->smtp = title_of(conf_next_node(l->nodes, "smtp"));
	else if (conf_next_node(l->nodes, "smtp"))
		conf_error(l, smtp, n,
			   "smtp is missing: there are several smtp sections, say which");
}

/* Whether that mailbox has the address; origin of where it says so. */
static bool has_address(const struct conf_node *n, const char *address, struct conf_origin *ret)
{
	const struct conf_mailbox *m = n->object;

	if (m->address && strcasecmp(m->address, address) == 0) {
		*ret = ORIGIN(n, conf_mailbox, "mailbox", address);
		return true;
	}
	for (size_t i = 0; i < m->aliases.n; i++)
		if (strcasecmp(m->aliases.v[i], address) == 0) {
			*ret = ORIGIN(n, conf_mailbox, "mailbox", aliases);
			return true;
		}
	return false;
}

static void check_address_once(struct conf_load *l, const struct conf_node *n, const char *address)
{
	struct conf_origin here, there;

	for (struct conf_node *o = conf_next_node(l->nodes, "mailbox"); o != n;
	     o = conf_next_node(o->next, "mailbox"))
		if (has_address(n, address, &here) && has_address(o, address, &there)) {
			conf_error(l, here, n, "%s belongs to mailbox \"%s\" already (%s:%d)",
				   address, title_of(o), there.file, there.line);
			return;
		}
}

static void check_addresses(struct conf_load *l, struct conf_node *n)
{
	const struct conf_mailbox *m = n->object;

	if (m->address)
		check_address_once(l, n, m->address);
	for (size_t i = 0; i < m->aliases.n; i++)
		check_address_once(l, n, m->aliases.v[i]);
}

/* A choice has values, nothing else has; the name is a word of the command language. */
static void check_field(struct conf_load *l, struct conf_node *n)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789_-";
	const struct conf_field *f = n->object;
	bool is_choice = strcmp(f->type, "choice") == 0;

	if (strspn(f->title, letters) != strlen(f->title) || strlen(f->title) > 40 ||
	    !strchr(letters, f->title[0]) || f->title[0] == '\0' || f->title[0] == '-')
		conf_error(l, n->origin, n,
			   "allowed as title: up to 40 small letters, digits, \"_\" and \"-\"");
	if (command_find(f->title, strlen(f->title)))
		conf_warning(l, n->origin, n, "#%s is a command: mails cannot set this field",
			     f->title);
	if (is_choice != (f->values.n > 0) && !l->incomplete)
		conf_error(l, ORIGIN(n, conf_field, "field", values), n,
			   is_choice ? "values is missing: a choice needs some"
				     : "values are for type = \"choice\" only");
}

void config_check(struct conf_load *l)
{
	static const struct {
		const char *section;
		void (*check)(struct conf_load *l, struct conf_node *n);
	} checks[] = { { "http", check_http },
		       { "event", config_check_notice },
		       { "oauth", check_oauth },
		       { "smtp", check_smtp },
		       { "mailbox", check_mailbox },
		       { "mailbox", check_addresses },
		       { "calendar", config_check_calendar },
		       { "field", check_field },
		       { "<status>", config_check_keep },
		       { "sla", config_check_sla } };

	if (l->arena->failed)
		return;
	if (!l->incomplete)
		check_required(l);
	check_top(l);
	for (size_t i = 0; i < MD_COUNT(checks); i++)
		for (struct conf_node *n = conf_next_node(l->nodes, checks[i].section); n;
		     n = conf_next_node(n->next, checks[i].section))
			checks[i].check(l, n);
	config_check_workflows(l);
	config_check_rules(l);
}
