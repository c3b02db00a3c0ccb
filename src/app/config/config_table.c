/* Every key of the configuration. What is not a row here does not exist. */
#include "config_private.h"

#include <maildesk/app/zone.h>
#include <maildesk/base/clock.h>
#include <maildesk/base/utf8.h>
#include <maildesk/mail/compose.h>

#include <arpa/inet.h>
#include <stdlib.h>
#include <stdio.h>
#include <string.h>

enum { MS = 1, SECOND = 1000, MINUTE = 60000, HOUR = 3600000 };
#define DAY INT64_C(86400000)

/* ---- checks of single values ---- */

#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS "0123456789"

static int refuse(struct md_err *err, const char *allowed)
{
	return md_fail(err, MD_INPUT, 0, "allowed: %s", allowed);
}

static bool is_line(const char *s)
{
	for (size_t n = strlen(s), step; n > 0; s += step, n -= step) {
		uint32_t cp;

		step = utf8_decode(s, n, &cp);
		if (step == 0 || utf8_is_control(cp))
			return false;
	}
	return true;
}

static int check_line(const char *s, struct md_err *err)
{
	if (!is_line(s))
		return refuse(err, "one line of UTF-8 text");
	return MD_OK;
}

static int check_some(const char *s, struct md_err *err)
{
	if (*s == '\0' || !is_line(s))
		return refuse(err, "one line of UTF-8 text, not empty");
	return MD_OK;
}

/* The words of sections `workflow` (config_workflow.c). */
static int check_word(const char *s, const struct conf_word *words, struct md_err *err)
{
	md_auto(buf_done) struct buf b = BUF_INIT(1000);

	for (size_t i = 0; words[i].name; i++) {
		if (strcmp(words[i].name, s) == 0)
			return MD_OK;
		buf_addf(&b, "%s\"%s\"", i ? ", " : "", words[i].name);
	}
	return refuse(err, buf_str(&b));
}

static int check_phase(const char *s, struct md_err *err)
{
	return check_word(s, conf_phases, err);
}

static int check_guard(const char *s, struct md_err *err)
{
	return check_word(s, conf_guards, err);
}

static int check_who(const char *s, struct md_err *err)
{
	return check_word(s, conf_who, err);
}

static int check_trigger(const char *s, struct md_err *err)
{
	return check_word(s, conf_triggers, err);
}

static int check_audience(const char *s, struct md_err *err)
{
	return check_word(s, conf_audiences, err);
}

static int check_priority(const char *s, struct md_err *err)
{
	static const struct conf_word words[] = {
		{ "low", 0 }, { "medium", 0 }, { "high", 0 }, { "critical", 0 }, { NULL, 0 }
	};

	return check_word(s, words, err);
}

static int check_raise(const char *s, struct md_err *err)
{
	if (*s == '\0' || strcmp(s, "up") == 0)
		return MD_OK;
	return check_priority(s, NULL) == MD_OK
		       ? MD_OK
		       : refuse(err, "\"up\", \"low\", \"medium\", \"high\", \"critical\"");
}

static int check_role(const char *s, struct md_err *err)
{
	return check_word(s, conf_roles, err);
}

static int check_host(const char *s, struct md_err *err)
{
	if (*s == '\0' || strspn(s, LETTERS DIGITS ".-_:") != strlen(s))
		return refuse(err, "a host name or an IP address");
	return MD_OK;
}

static int check_address(const char *s, struct md_err *err)
{
	if (!mail_address_valid(s))
		return refuse(err, "a mail address like \"support@example.com\"");
	return MD_OK;
}

static int check_database(const char *s, struct md_err *err)
{
	static const char *const engines[] = { "sqlite:", "postgres:" };

	for (size_t i = 0; i < MD_COUNT(engines); i++) {
		size_t n = strlen(engines[i]);

		if (strncmp(s, engines[i], n) == 0 && s[n])
			return MD_OK;
	}
	return refuse(err, "\"sqlite:PATH\" or \"postgres:CONNINFO\"");
}

static int check_absolute(const char *s, struct md_err *err)
{
	if (*s != '/')
		return refuse(err, "a path that begins with \"/\"");
	return MD_OK;
}

static int check_url(const char *s, struct md_err *err)
{
	size_t scheme = strncmp(s, "https://", 8) == 0 ? 8 : strncmp(s, "http://", 7) == 0 ? 7 : 0;

	if (*s != '\0' && (scheme == 0 || s[scheme] == '\0' || !is_line(s) || strpbrk(s, " \"<>")))
		return refuse(err, "an address like \"https://help.example.com\"");
	return MD_OK;
}

/* That only this machine is spoken to in the clear is seen to in config_check.c. */
static int check_server_url(const char *s, struct md_err *err)
{
	if (*s == '\0')
		return MD_OK;
	if (check_url(s, NULL) != MD_OK || strpbrk(s, "@#") != NULL)
		return refuse(err, "an address like \"https://login.example.com/token\"");
	return MD_OK;
}

static int check_auth(const char *s, struct md_err *err)
{
	if (strcmp(s, "password") != 0 && (strncmp(s, "oauth:", 6) != 0 || s[6] == '\0'))
		return refuse(err, "\"password\" or \"oauth:TITLE\" of an oauth section");
	return MD_OK;
}

static int check_locale(const char *s, struct md_err *err)
{
	size_t n = strspn(s, LETTERS "_-");

	if (n < 2 || n > 10 || s[n])
		return refuse(err, "a language like \"en\" or \"pt_BR\"");
	return MD_OK;
}

static int check_locale_or_none(const char *s, struct md_err *err)
{
	return *s ? check_locale(s, err) : MD_OK;
}

static int check_folder(const char *s, struct md_err *err)
{
	return *s ? check_absolute(s, err) : MD_OK;
}

/* {agent} and {desk}, and no other braces. */
static int check_from_format(const char *s, struct md_err *err)
{
	bool any = false;

	for (const char *p = s; (p = strpbrk(p, "{}")) != NULL; p++) {
		if (strncmp(p, "{agent}", 7) != 0 && strncmp(p, "{desk}", 6) != 0)
			return refuse(err, "text with {agent} and {desk} in it");
		p = strchr(p, '}');
		any = true;
	}
	return any && is_line(s) ? MD_OK : refuse(err, "text with {agent} and {desk} in it");
}

static int check_zone(const char *s, struct md_err *err)
{
	md_auto(calendar_done) struct calendar scratch = { 0 };

	if (*s == '\0' || zone_load(s, &scratch, NULL) == MD_OK)
		return MD_OK;
	return refuse(err, "a name of /usr/share/zoneinfo like \"Europe/Berlin\"");
}

static int check_subject_tag(const char *s, struct md_err *err)
{
	const char *d = strstr(s, "%d");

	if (!d || d == s || d[2] == '\0' || strchr(s, '%') != d || strchr(d + 1, '%') ||
	    !is_line(s))
		return refuse(err, "text with exactly one %d, something on both sides of it and no "
				   "other %, like \"[#%d]\"");
	return MD_OK;
}

static int check_import(const char *s, struct md_err *err)
{
	const char *date = conf_import_since(s);
	char instant[32];
	int64_t ms;

	if (strcmp(s, "now") == 0 || strcmp(s, "all") == 0)
		return MD_OK;
	if (!date || strlen(date) != 10)
		return refuse(err, "\"now\", \"all\" or \"since YYYY-MM-DD\"");
	snprintf(instant, sizeof instant, "%sT00:00:00Z", date);
	return time_parse(instant, &ms) == MD_OK ? MD_OK : refuse(err, "a date like 2026-01-31");
}

static int check_after(const char *s, struct md_err *err)
{
	if (strcmp(s, "seen") != 0 && strcmp(s, "delete") != 0 &&
	    (strncmp(s, "move:", 5) != 0 || s[5] == '\0' || !is_line(s)))
		return refuse(err, "\"seen\", \"delete\" or \"move:FOLDER\"");
	return MD_OK;
}

/* "127.0.0.1:8025", "[::1]:8025" */
static int check_listen(const char *s, struct md_err *err)
{
	char host[INET6_ADDRSTRLEN];
	struct in6_addr address;
	const char *colon = strrchr(s, ':');
	bool six = *s == '[';
	size_t n = colon ? (size_t)(colon - s) : 0;
	char *end;
	long port;

	if (n > 2u * six && n - 2u * six < sizeof host && (!six || s[n - 1] == ']')) {
		memcpy(host, s + six, n - 2u * six);
		host[n - 2u * six] = '\0';
		port = strtol(colon + 1, &end, 10);
		if (inet_pton(six ? AF_INET6 : AF_INET, host, &address) == 1 && *end == '\0' &&
		    strchr(DIGITS, colon[1]) && port >= 1 && port <= 65535)
			return MD_OK;
	}
	return refuse(err, "ADDRESS:PORT like \"127.0.0.1:8025\" or \"[::1]:8025\"");
}

static int check_ip(const char *s, struct md_err *err)
{
	struct in6_addr address;

	if (inet_pton(AF_INET, s, &address) != 1 && inet_pton(AF_INET6, s, &address) != 1)
		return refuse(err, "an IP address like \"127.0.0.1\" or \"::1\"");
	return MD_OK;
}

/* An address, or one with a number of leading bits. */
static int check_block(const char *s, struct md_err *err)
{
	char address[64];
	size_t n = strcspn(s, "/");
	const char *bits = s[n] ? s + n + 1 : NULL;
	int most;

	if (n >= sizeof address)
		return refuse(err, "an IP address or a block like \"10.0.0.0/8\"");
	memcpy(address, s, n);
	address[n] = '\0';
	most = strchr(address, ':') ? 128 : 32;
	if (check_ip(address, NULL) != MD_OK ||
	    (bits && (!*bits || strlen(bits) > 3 || bits[strspn(bits, "0123456789")] ||
		      strtol(bits, NULL, 10) > most)))
		return refuse(err, "an IP address or a block like \"10.0.0.0/8\"");
	return MD_OK;
}

/* As browsers write it: scheme and host, no path. */
static int check_origin(const char *s, struct md_err *err)
{
	const char *host = strstr(s, "://");

	if (strcmp(s, "*") != 0 &&
	    (check_url(s, NULL) != MD_OK || !host || strpbrk(host + 3, "/?#*@")))
		return refuse(err, "an origin like \"https://tools.example.com\", or \"*\"");
	return MD_OK;
}

static int check_date(const char *s, struct md_err *err)
{
	md_auto(calendar_done) struct calendar scratch = { 0 };

	if (calendar_add_holiday(&scratch, s, NULL) != MD_OK)
		return refuse(err, "a date like \"2026-12-25\"");
	return MD_OK;
}

const char *conf_import_since(const char *import)
{
	return strncmp(import, "since ", 6) == 0 ? import + 6 : NULL;
}

bool conf_is_loopback(const char *host)
{
	struct in6_addr six;
	struct in_addr four;

	return strcmp(host, "localhost") == 0 ||
	       (inet_pton(AF_INET, host, &four) == 1 && ntohl(four.s_addr) >> 24 == 127) ||
	       (inet_pton(AF_INET6, host, &six) == 1 && IN6_IS_ADDR_LOOPBACK(&six));
}

int conf_read_size(const char *text, int64_t *ret_bytes)
{
	static const char units[] = "KMG";
	size_t digits = strspn(text, DIGITS);
	int64_t n = 0;
	const char *unit;

	if (digits == 0 || digits > 15 || (text[digits] && text[digits + 1]))
		return MD_INPUT;
	for (size_t i = 0; i < digits; i++)
		n = n * 10 + (text[i] - '0');
	if (text[digits]) {
		unit = strchr(units, text[digits]);
		if (!unit || __builtin_mul_overflow(n, INT64_C(1024) << (unit - units) * 10, &n))
			return MD_INPUT;
	}
	*ret_bytes = n;
	return MD_OK;
}

/* ---- the rows ---- */

/* K("section", "name", struct, member, type, default, help, more...) */
#define K(sec, key, S, member, kind, std, text, ...)                                \
	{                                                                           \
		.section = (sec), .name = (key), .type = (kind), .standard = (std), \
		.at = offsetof(struct S, member), .help = (text), __VA_ARGS__       \
	}
#define RANGE(low, high) .min = (low), .max = (high)

const struct conf_key conf_keys[] = {
	K("", "database", config, database, CONF_STR, "sqlite:desk.db",
	  "Where everything is kept: sqlite:PATH, relative to state_dir, or postgres:CONNINFO as "
	  "in "
	  "\"postgres:host=db.example.com dbname=maildesk user=maildesk sslmode=verify-full "
	  "passfile=/etc/maildesk/pgpass\" (made with ENCODING 'UTF8' LOCALE 'C.UTF-8').",
	  .check = check_database, .restart = true),
	K("", "state_dir", config, state_dir, CONF_STR, "/var/lib/maildesk",
	  "Folder of the daemon's own files.", .check = check_absolute, .restart = true),

	K("", "log", config, log, CONF_ENUM, "auto",
	  "Format of the log on standard error: journald's fields where journald reads it (auto), "
	  "plain lines, or one JSON object per line.",
	  .words = "auto plain json journal", .restart = true),

	K("desk", "name", conf_desk, name, CONF_STR, "Support", "Name shown in mails.",
	  .example = "Example Support", .check = check_some),
	K("desk", "url", conf_desk, url, CONF_STR, "",
	  "Where people reach the desk; empty: http:// and http.listen.", .check = check_url),
	K("desk", "locale", conf_desk, locale, CONF_STR, "en", "Language of mails.",
	  .check = check_locale),
	K("desk", "timezone", conf_desk, timezone, CONF_STR, "UTC", "Time zone of dates in mails.",
	  .check = check_zone),
	K("desk", "from_format", conf_desk, from_format, CONF_STR, "{agent} ({desk})",
	  "Sender name of what agents write. Everything else has the desk's name.",
	  .check = check_from_format),
	K("desk", "templates_dir", conf_desk, templates_dir, CONF_STR, "",
	  "Folder of your own templates (LOCALE/NAME.mustache); each replaces the built-in one.",
	  .check = check_folder),
	K("desk", "visibility", conf_desk, visibility, CONF_ENUM, "private",
	  "Whether customers see only the tickets they take part in, or all.",
	  .words = "private open"),
	K("desk", "registration", conf_desk, registration, CONF_BOOL, "true",
	  "Whether people may create an account for themselves."),
	K("desk", "workflow", conf_desk, workflow, CONF_STR, "helpdesk",
	  "Which status may follow which: helpdesk, strict, or the title of a workflow section.",
	  .check = check_some),
	K("desk", "subject_tag", conf_desk, subject_tag, CONF_STR, "[#%d]",
	  "Ticket number in subjects.", .check = check_subject_tag),
	K("desk", "subject_commands", conf_desk, subject_commands, CONF_ENUM, "loose",
	  "Commands in subjects: unknown ones are refused, or ignored, or no command runs.",
	  .words = "strict loose off"),
	K("desk", "transcript", conf_desk, transcript, CONF_ENUM, "errors",
	  "When the sender of commands is told what they did.", .words = "errors always never"),
	K("desk", "echo_subject", conf_desk, echo_subject, CONF_ENUM, "verified",
	  "Whose subject the acknowledgement repeats.", .words = "verified always never"),
	K("desk", "cross_post", conf_desk, cross_post, CONF_ENUM, "one",
	  "A mail that was sent to several mailboxes becomes one ticket, or one for each.",
	  .words = "one each"),
	K("desk", "reopen_window", conf_desk, reopen_window_ms, CONF_DURATION, "14d",
	  "How long an answer reopens a closed ticket; after that it opens a linked one.",
	  RANGE(0, 3650 * DAY)),
	K("desk", "auto_close", conf_desk, auto_close_ms, CONF_DURATION, "7d",
	  "A resolved ticket is closed after this time; 0s: never.", RANGE(0, 3650 * DAY)),
	K("desk", "pending_close", conf_desk, pending_close_ms, CONF_DURATION, "0s",
	  "A ticket that waits for its customer is resolved after this time, if nobody says a "
	  "word; "
	  "a reminder goes out after half of it. 0s: never.",
	  RANGE(0, 3650 * DAY)),
	K("desk", "categories", conf_desk, categories, CONF_STRS, "",
	  "The categories of tickets; empty: any word may be one.", .example = "hardware",
	  .check = check_some),
	K("desk", "organisation_shared", conf_desk, organisation_shared, CONF_BOOL, "false",
	  "Customers read all tickets of their organisation."),
	K("desk", "take_by_reply", conf_desk, take_by_reply, CONF_BOOL, "false",
	  "An agent who answers an unassigned ticket becomes its assignee."),
	K("desk", "assign", conf_desk, assign, CONF_ENUM, "none",
	  "How tickets get an assignee: by hand, in turn, or whoever has the fewest open ones, of "
	  "the ticket's team or else of all agents. Nobody who is away is chosen. A team section "
	  "says it for one team.",
	  .words = "none round_robin least_loaded"),
	K("desk", "alarm_after", conf_desk, alarm_after_ms, CONF_DURATION, "15m",
	  "The admins are mailed, once, when a mailbox could not be read, or its mails not marked, "
	  "for this long.",
	  RANGE(100 * MS, DAY)),
	K("desk", "undo_send", conf_desk, undo_send_ms, CONF_DURATION, "0s",
	  "An agent's reply is mailed after this time; edited or deleted before, it is sent so, or "
	  "not at all.",
	  RANGE(0, DAY)),
	K("desk", "max_outbound", conf_desk, max_outbound_bytes, CONF_SIZE, "10M",
	  "Up to this size files are sent with a reply; beyond it they are links in the mail.",
	  RANGE(0, 40 << 20)),
	K("desk", "lease", conf_desk, lease_ms, CONF_DURATION, "20s",
	  "The mailboxes of a daemon that died are taken over by others after this time.",
	  RANGE(100 * MS, HOUR)),

	K("http", "listen", conf_http, listen, CONF_STR, "127.0.0.1:8025",
	  "Address and port of the API.", .check = check_listen),
	K("http", "max_upload", conf_http, max_upload_bytes, CONF_SIZE, "25M",
	  "The largest file that may be attached.", RANGE(1024, 60 << 20)),
	K("http", "heartbeat", conf_http, heartbeat_ms, CONF_DURATION, "15s",
	  "How often a stream of GET /events gets a sign of life, and its caller is checked again.",
	  RANGE(100 * MS, 30 * SECOND)),
	K("http", "events_kept", conf_http, events_kept_ms, CONF_DURATION, "24h",
	  "How long a caller may be away from GET /events and still miss nothing.",
	  RANGE(100 * MS, 30 * DAY)),
	K("http", "trusted_proxies", conf_http, trusted_proxies, CONF_STRS, "",
	  "Proxies whose X-Forwarded-For and X-Request-Id count: addresses, or blocks like "
	  "10.0.0.0/8.",
	  .check = check_block),
	K("http", "certificate", conf_http, certificate, CONF_STR, "",
	  "PEM file with the certificate and its chain, for HTTPS. A renewed one is served within "
	  "seconds. Empty: no TLS."),
	K("http", "key", conf_http, key, CONF_STR, "", "PEM file with its private key."),
	K("http", "cors", conf_http, cors, CONF_STRS, "",
	  "Origins whose scripts may use the API with a token, or \"*\".",
	  .example = "https://tools.example.com", .check = check_origin),
	K("http", "access_log", conf_http, access_log, CONF_BOOL, "true",
	  "Whether each request to the API gets a line in the log."),

	K("notify", "own_actions", conf_notify, own_actions, CONF_BOOL, "false",
	  "Whether people are told of what they did themselves, too."),
	K("event", "to", conf_notice, to, CONF_STRS, "",
	  "Roles: requester, participants, assignee, team, watchers, agents, admins; {}: nobody.",
	  .example = "requester", .check = check_role),

	K("smtp", "host", conf_smtp, host, CONF_STR, NULL, "Server that takes outgoing mail.",
	  .example = "smtp.example.com", .check = check_host),
	K("smtp", "port", conf_smtp, port, CONF_INT, "587", "Its port.", RANGE(1, 65535)),
	K("smtp", "tls", conf_smtp, tls, CONF_ENUM, "starttls",
	  "TLS from the start, by STARTTLS, or none (loopback only).",
	  .words = "tls starttls none"),
	K("smtp", "user", conf_smtp, user, CONF_STR, "", "User name; empty: no login.",
	  .example = "support", .check = check_line),
	K("smtp", "password_file", conf_smtp, password, CONF_SECRET, "",
	  "File with the password, relative to $CREDENTIALS_DIRECTORY, else to this file.",
	  .example = "smtp.secret", .check = check_line),
	K("smtp", "auth", conf_smtp, auth, CONF_STR, "password",
	  "How to sign in: password, or oauth: and the title of an oauth section.",
	  .check = check_auth),
	K("smtp", "ca_file", conf_smtp, ca_file, CONF_STR, "",
	  "Certificates to trust instead of the system's.", .check = check_line),
	K("smtp", "connections", conf_smtp, connections, CONF_INT, "4",
	  "Connections to it at a time. After a crash the mail of each may go out again, with the "
	  "same "
	  "Message-ID.",
	  RANGE(1, 64)),
	K("smtp", "per_minute", conf_smtp, per_minute, CONF_INT, "600",
	  "Mails per minute that each daemon hands to it; 0: any number.", RANGE(0, 1000000)),
	K("smtp", "timeout", conf_smtp, timeout_ms, CONF_DURATION, "60s",
	  "After how long a silence of the server a try has failed.", RANGE(100 * MS, HOUR)),
	K("smtp", "lease", conf_smtp, lease_ms, CONF_DURATION, "5m",
	  "When a mail is sent by another daemon after the one sending it died.",
	  RANGE(100 * MS, DAY)),
	K("smtp", "retry_first", conf_smtp, retry_first_ms, CONF_DURATION, "1m",
	  "Wait before the second try; later ones wait longer.", RANGE(100 * MS, DAY)),
	K("smtp", "give_up", conf_smtp, give_up_ms, CONF_DURATION, "5d",
	  "After which time a mail that cannot be sent fails for good.", RANGE(100 * MS, 60 * DAY)),

	K("mailbox", "address", conf_mailbox, address, CONF_STR, NULL,
	  "Its mail address, and the sender of what the desk writes.",
	  .example = "support@example.com", .check = check_address),
	K("mailbox", "aliases", conf_mailbox, aliases, CONF_STRS, "",
	  "Further addresses that end up in it.", .check = check_address),
	K("mailbox", "host", conf_mailbox, host, CONF_STR, NULL, "IMAP server.",
	  .example = "imap.example.com", .check = check_host),
	K("mailbox", "port", conf_mailbox, port, CONF_INT, "993", "Its port.", RANGE(1, 65535)),
	K("mailbox", "tls", conf_mailbox, tls, CONF_ENUM, "tls",
	  "TLS from the start, by STARTTLS, or none (loopback only).",
	  .words = "tls starttls none"),
	K("mailbox", "ca_file", conf_mailbox, ca_file, CONF_STR, "",
	  "Certificates to trust instead of the system's.", .check = check_line),
	K("mailbox", "user", conf_mailbox, user, CONF_STR, "", "User name; empty: the address.",
	  .example = "support", .check = check_line),
	K("mailbox", "password_file", conf_mailbox, password, CONF_SECRET, "",
	  "File with the password, relative to $CREDENTIALS_DIRECTORY, else to this file.",
	  .example = "imap.secret", .check = check_line),
	K("mailbox", "auth", conf_mailbox, auth, CONF_STR, "password",
	  "How to sign in: password, or oauth: and the title of an oauth section.",
	  .check = check_auth),
	K("mailbox", "folder", conf_mailbox, folder, CONF_STR, "INBOX", "Folder to read.",
	  .check = check_some),
	K("mailbox", "after", conf_mailbox, after, CONF_STR, "seen",
	  "What happens to a mail on the server once the desk has it: seen, delete or move:FOLDER.",
	  .check = check_after),
	K("mailbox", "import", conf_mailbox, import, CONF_STR, "now",
	  "What the first start takes in: only mail from now on, all that is there, or mail since "
	  "a "
	  "date (\"since 2026-01-01\").",
	  .check = check_import),
	K("mailbox", "poll_interval", conf_mailbox, poll_interval_ms, CONF_DURATION, "60s",
	  "How often to look for mail when the server does not announce it.", RANGE(100 * MS, DAY)),
	K("mailbox", "idle", conf_mailbox, idle, CONF_BOOL, "true",
	  "Whether the server is asked to announce new mail (IMAP IDLE)."),
	K("mailbox", "plus_addressing", conf_mailbox, plus_addressing, CONF_BOOL, "true",
	  "Whether mail to support+anything@... arrives here, too."),
	K("mailbox", "verp", conf_mailbox, verp, CONF_BOOL, "true",
	  "Whether bounces come back to an address of their own; needs plus_addressing."),
	K("mailbox", "smtp", conf_mailbox, smtp, CONF_STR, "",
	  "Title of the smtp section to send through; empty: the only one.", .check = check_line),
	K("mailbox", "locale", conf_mailbox, locale, CONF_STR, "",
	  "Language of mails to people whose language is unknown; empty: desk.locale.",
	  .example = "de", .check = check_locale_or_none),
	K("mailbox", "priority", conf_mailbox, priority, CONF_ENUM, "medium",
	  "Priority of its new tickets.", .words = "low medium high critical"),
	K("mailbox", "team", conf_mailbox, team, CONF_STR, "", "Team of its new tickets.",
	  .check = check_line),
	K("mailbox", "send_as", conf_mailbox, send_as, CONF_STRS, "",
	  "Aliases that answers are sent from when a customer wrote to them.",
	  .check = check_address),
	K("mailbox", "own_lists", conf_mailbox, own_lists, CONF_STRS, "",
	  "List-Id of mailing lists whose mail is meant for the desk.", .check = check_some),
	K("mailbox", "signature", conf_mailbox, signature, CONF_STR, "",
	  "Below the answers of agents who have none of their own.", .example = "Example Support"),
	K("mailbox", "contact_form_senders", conf_mailbox, contact_form_senders, CONF_STRS, "",
	  "Senders (contact forms) whose Reply-To names the requester.", .check = check_address),
	K("mailbox", "timeout", conf_mailbox, timeout_ms, CONF_DURATION, "60s",
	  "After how long a silence of the server a connection is given up.",
	  RANGE(100 * MS, HOUR)),
	K("mailbox", "max_message_size", conf_mailbox, max_message_bytes, CONF_SIZE, "50M",
	  "Of a larger mail only the header is taken in.", RANGE(1024, INT64_C(1) << 30)),

	K("webhooks", "allow_private", conf_webhooks, allow_private, CONF_BOOL, "false",
	  "Whether webhooks may call addresses outside the public internet."),
	K("webhooks", "timeout", conf_webhooks, timeout_ms, CONF_DURATION, "10s",
	  "The longest that a call may take.", RANGE(100 * MS, 5 * MINUTE)),
	K("webhooks", "retry_first", conf_webhooks, retry_first_ms, CONF_DURATION, "1m",
	  "Wait before the second try; later ones wait longer.", RANGE(100 * MS, DAY)),
	K("webhooks", "give_up", conf_webhooks, give_up_ms, CONF_DURATION, "24h",
	  "After which time a call that nobody answers fails for good.", RANGE(100 * MS, 30 * DAY)),

	K("oauth", "token_url", conf_oauth, token_url, CONF_STR, NULL,
	  "Where access tokens come from; https, or http to this machine.",
	  .example = "https://login.microsoftonline.com/organizations/oauth2/v2.0/token",
	  .check = check_server_url),
	K("oauth", "client_id", conf_oauth, client_id, CONF_STR, NULL,
	  "Id of the application that was registered there for this desk.",
	  .example = "4a1aa1d5-c567-49d0-ad0b-cd957a47f842", .check = check_some),
	K("oauth", "client_secret_file", conf_oauth, client_secret, CONF_SECRET, "",
	  "File with its secret, like password_file. Without device_url the desk signs in with it "
	  "alone (client credentials).",
	  .example = "ms365.secret", .check = check_line),
	K("oauth", "scope", conf_oauth, scope, CONF_STR, "",
	  "Scopes to ask for, separated by spaces. Where the server knows offline_access, add it, "
	  "so "
	  "that nobody has to sign in again.",
	  .example = "https://outlook.office.com/IMAP.AccessAsUser.All "
		     "https://outlook.office.com/SMTP.Send offline_access",
	  .check = check_line),
	K("oauth", "device_url", conf_oauth, device_url, CONF_STR, "",
	  "Where a sign-in begins: a person lets the desk in once, with `maildesk oauth login "
	  "MAILBOX` and a browser anywhere.",
	  .example = "https://login.microsoftonline.com/organizations/oauth2/v2.0/devicecode",
	  .check = check_server_url),
	K("oauth", "ca_file", conf_oauth, ca_file, CONF_STR, "",
	  "Certificates to trust instead of the system's.", .check = check_line),
	K("oauth", "timeout", conf_oauth, timeout_ms, CONF_DURATION, "30s",
	  "How long an answer may take.", RANGE(100 * MS, HOUR)),

	K("retention", "action", conf_retention, action, CONF_ENUM, "anonymise",
	  "Whether the people and texts of a ticket that is kept no longer are forgotten, or it "
	  "goes altogether.",
	  .words = "anonymise delete"),
	K("<status>", "age", conf_keep, age_ms, CONF_DURATION, "0",
	  "A status of the workflow, like closed or pending: how long a ticket may be in it before "
	  "that is done. It counts from when the ticket got there; while it is not resolved, from "
	  "the last comment on it if that is later. 0: for ever.",
	  .example = "3y", RANGE(0, 36500 * DAY)),

	K("trust", "authserv_id", conf_trust, authserv_id, CONF_STR, "",
	  "Our mail server's name in Authentication-Results; empty: such fields prove nothing.",
	  .check = check_line),
	K("trust", "position", conf_trust, position, CONF_ENUM, "above",
	  "Where our server writes that field: above its Received, or below (Gmail, Microsoft "
	  "365); "
	  "below needs `maildesk doctor` to see that it removes forged ones.",
	  .words = "above below"),
	K("trust", "trusted_hops", conf_trust, trusted_hops, CONF_INT, "1",
	  "How many Received fields, from the top, were written by our own servers.", RANGE(0, 20)),
	K("trust", "unknown_sender", conf_trust, unknown_sender, CONF_ENUM, "accept",
	  "What happens to mail from people the desk does not know.", .words = "accept quarantine"),
	K("trust", "on_fail", conf_trust, on_fail, CONF_ENUM, "ticket",
	  "What happens to mail whose sender is proven false.", .words = "ticket quarantine"),

	K("limits", "auto_per_address_hour", conf_limits, auto_per_address_hour, CONF_INT, "10",
	  "Automatic mails to one address in an hour. 0 also lifts the limits per subject and of "
	  "answers, and the digest of agents who get more than 60.",
	  RANGE(0, 1000000)),
	K("limits", "auto_per_address_day", conf_limits, auto_per_address_day, CONF_INT, "40",
	  "Automatic mails to one address in a day.", RANGE(0, 1000000)),
	K("limits", "auto_per_subject_hour", conf_limits, auto_per_subject_hour, CONF_INT, "2",
	  "Automatic mails with one subject to one address in an hour.", RANGE(0, 1000000)),
	K("limits", "auto_answers_hour", conf_limits, auto_answers_hour, CONF_INT, "4",
	  "Automatic mails in an hour that reply to replies of one address, or on one ticket; then "
	  "it gets none for a day.",
	  RANGE(0, 1000000)),
	K("limits", "auto_desk_hour", conf_limits, auto_desk_hour, CONF_INT, "1000",
	  "Automatic mails of the whole desk in an hour.", RANGE(0, 1000000)),
	K("limits", "inbound_per_sender_hour", conf_limits, inbound_per_sender_hour, CONF_INT, "60",
	  "Mails from one sender in an hour.", RANGE(0, 1000000)),
	K("limits", "anonymous_per_minute", conf_limits, anonymous_per_minute, CONF_INT, "60",
	  "Requests in a minute from one address without signing in.", RANGE(0, 1000000)),
	K("limits", "user_per_minute", conf_limits, user_per_minute, CONF_INT, "600",
	  "Requests of one user in a minute.", RANGE(0, 1000000)),
	K("limits", "connections_per_address", conf_limits, connections_per_address, CONF_INT,
	  "600",
	  "Open connections from one address. For one more, the one that waited longest is closed. "
	  "trusted_proxies are exempt.",
	  RANGE(0, 1000000)),
	K("limits", "login_per_minute", conf_limits, login_per_minute, CONF_INT, "10",
	  "Sign-ins to one account in a minute.", RANGE(0, 1000000)),

	K("team", "assign", conf_team, assign, CONF_ENUM, "manual",
	  "How its tickets get an assignee: by hand, in turn, or whoever has the fewest open ones. "
	  "Nobody who is away is chosen.",
	  .words = "manual round_robin least_loaded"),

	K("field", "type", conf_field, type, CONF_ENUM, "text", "Type of its values.",
	  .words = "text number date choice"),
	K("field", "values", conf_field, values, CONF_STRS, "",
	  "The values to choose from, for type \"choice\".", .check = check_some),

	K("calendar", "timezone", conf_calendar, timezone, CONF_STR, "",
	  "Its time zone; empty: desk.timezone.", .example = "Europe/Berlin", .check = check_zone),
	K("calendar", "mon", conf_calendar, hours[0], CONF_STRS, "", "Opening hours on Mondays.",
	  .example = "09:00-12:00 13:00-17:00"),
	K("calendar", "tue", conf_calendar, hours[1], CONF_STRS, "", "On Tuesdays.",
	  .example = "09:00-17:00"),
	K("calendar", "wed", conf_calendar, hours[2], CONF_STRS, "", "On Wednesdays.",
	  .example = "09:00-17:00"),
	K("calendar", "thu", conf_calendar, hours[3], CONF_STRS, "", "On Thursdays.",
	  .example = "09:00-17:00"),
	K("calendar", "fri", conf_calendar, hours[4], CONF_STRS, "", "On Fridays.",
	  .example = "09:00-17:00"),
	K("calendar", "sat", conf_calendar, hours[5], CONF_STRS, "", "On Saturdays."),
	K("calendar", "sun", conf_calendar, hours[6], CONF_STRS, "", "On Sundays."),
	K("calendar", "holidays", conf_calendar, holidays, CONF_STRS, "",
	  "Dates on which it is closed.", .example = "2026-12-25", .check = check_date),
	K("calendar", "holidays_file", conf_calendar, holidays_file, CONF_STR, "",
	  "An iCalendar file (.ics) with more of them; events with a time of day are skipped.",
	  .check = check_line),
	K("special", "date", conf_special, date, CONF_STR, NULL, "Which date.",
	  .example = "2026-12-24", .check = check_date),
	K("special", "hours", conf_special, hours, CONF_STRS, "",
	  "Its opening hours, also on a holiday; empty: closed.", .example = "09:00-12:00"),

	K("status", "phase", conf_status, phase, CONF_STR, "",
	  "What it means to clocks: work goes on, the customer is waited for, it is resolved, it "
	  "is closed. Default: as the built-in status of that name; closed for a final one; else "
	  "active.",
	  .example = "active", .check = check_phase),
	K("status", "final", conf_status, final, CONF_BOOL, "false",
	  "Whether the status may have no way out."),
	K("move", "from", conf_move, from, CONF_STR, NULL, "The status it has.", .example = "open",
	  .check = check_some),
	K("move", "to", conf_move, to, CONF_STR, NULL, "The status it becomes.", .example = "done",
	  .check = check_some),
	K("move", "who", conf_move, who, CONF_STRS, "",
	  "Who may: requester, participant, assignee, agent, admin; empty: it happens only by "
	  "itself.",
	  .example = "assignee admin", .check = check_who),
	K("move", "by_itself", conf_move, by_itself, CONF_STRS, "",
	  "What moves it without anybody asking: assigned, customer_reply, auto_close, "
	  "pending_close.",
	  .check = check_trigger),
	K("move", "guard", conf_move, guard, CONF_STR, "", "A condition: has_assignee, or none.",
	  .check = check_guard),
	K("match", "pattern", rule_pair, value, CONF_STR, NULL,
	  "A pattern (PCRE2, without regard to case); of \"size\": \"> 10M\" or \"< 1k\".",
	  .example = "nagios@", .check = check_some),
	K("set", "value", rule_pair, value, CONF_STR, NULL, "What it is set to.", .example = "high",
	  .check = check_some),
	K("rule", "action", conf_rule, action, CONF_ENUM, "set",
	  "What happens to mail that all match sections fit: set, route and tag fill in new "
	  "tickets; quarantine and discard keep it away from them (its raw bytes stay for 30 "
	  "days).",
	  .words = "set route tag quarantine discard"),
	K("rule", "mailbox", conf_rule, mailbox, CONF_STR, "",
	  "Title of the mailbox that new tickets belong to, and are answered from.",
	  .check = check_line),
	K("rule", "team", conf_rule, team, CONF_STR, "", "Team of new tickets.", .example = "ops",
	  .check = check_line),
	K("rule", "tag", conf_rule, tags, CONF_STRS, "", "Tags of new tickets.",
	  .check = check_some),

	K("sla", "mailboxes", conf_sla, mailboxes, CONF_STRS, "",
	  "Titles of the mailboxes it is for; empty: all."),
	K("sla", "priorities", conf_sla, priorities, CONF_STRS, "",
	  "Only tickets of one of these priorities.", .check = check_priority),
	K("sla", "categories", conf_sla, categories, CONF_STRS, "",
	  "Only tickets of one of these categories.", .check = check_some),
	K("sla", "tags", conf_sla, tags, CONF_STRS, "", "Only tickets with one of these tags.",
	  .check = check_some),
	K("sla", "organisations", conf_sla, organisations, CONF_STRS, "",
	  "Only tickets of people of one of these organisations, by name.", .check = check_some),
	K("sla", "calendar", conf_sla, calendar, CONF_STR, "",
	  "Title of the calendar whose hours count; empty or \"24x7\": all.", .example = "office",
	  .check = check_line),
	K("sla", "pause", conf_sla, pause, CONF_STRS, "pending",
	  "Statuses in which the clocks of update and resolution stand still."),
	K("sla", "reopen", conf_sla, reopen, CONF_ENUM, "continue",
	  "Whether the clocks of a reopened ticket go on with the time left, or start again.",
	  .words = "continue restart"),
	K("sla", "warn", conf_sla, warn, CONF_PERCENTS, "75 90",
	  "Warnings, in percent of the target.", RANGE(1, 99)),

#define TARGET(metric, text, name, i, ...)                                                         \
	K(#metric, name, conf_sla, metric##_ms[i], CONF_DURATION, "0", text, RANGE(0, 3650 * DAY), \
	  __VA_ARGS__)
	TARGET(first_response, "Target for critical tickets; 0: none.", "critical", 3,
	       .example = "30m"),
	TARGET(first_response, "For high ones.", "high", 2, .example = "1h"),
	TARGET(first_response, "For medium ones.", "medium", 1, .example = "4h"),
	TARGET(first_response, "For low ones.", "low", 0, .example = "8h"),
	TARGET(next_response, "Target for critical tickets; 0: none.", "critical", 3),
	TARGET(next_response, "For high ones.", "high", 2),
	TARGET(next_response, "For medium ones.", "medium", 1),
	TARGET(next_response, "For low ones.", "low", 0),
	TARGET(update, "Target for critical tickets; 0: none.", "critical", 3),
	TARGET(update, "For high ones.", "high", 2),
	TARGET(update, "For medium ones.", "medium", 1),
	TARGET(update, "For low ones.", "low", 0),
	TARGET(resolution, "Target for critical tickets; 0: none.", "critical", 3, .example = "8h"),
	TARGET(resolution, "For high ones.", "high", 2, .example = "16h"),
	TARGET(resolution, "For medium ones.", "medium", 1, .example = "24h"),
	TARGET(resolution, "For low ones.", "low", 0, .example = "40h"),

#define OWN(metric, i, pause)                                                             \
	K(metric, "calendar", conf_sla, calendars[i], CONF_STR, "",                       \
	  "A calendar of its own; empty: that of the sla section.", .check = check_line), \
		K(metric, "pause", conf_sla, pauses[i], CONF_STRS, "", pause)
	OWN("first_response", SLA_FIRST_RESPONSE, "Statuses in which it stands still."),
	OWN("next_response", SLA_NEXT_RESPONSE, "Statuses in which it stands still."),
	OWN("update", SLA_UPDATE, "Instead of the sla section's."),
	OWN("resolution", SLA_RESOLUTION, "Instead of the sla section's."),

	K("escalate", "metric", conf_escalation, metric, CONF_ENUM, NULL, "Which clock.",
	  .example = "first_response", .words = "first_response next_response update resolution"),
	K("escalate", "after", conf_escalation, after_ms, CONF_DURATION, "0s",
	  "How long after the due time.", RANGE(0, 3650 * DAY)),
	K("escalate", "every", conf_escalation, every_ms, CONF_DURATION, "0s",
	  "How long until it is repeated.", .example = "2h", RANGE(0, 3650 * DAY)),
	K("escalate", "times", conf_escalation, times, CONF_INT, "1",
	  "How often in all. What was missed while the daemon was down is not made up for.",
	  .example = "3", RANGE(1, ESCALATION_TIMES)),
	K("escalate", "time", conf_escalation, time, CONF_ENUM, "calendar",
	  "Whether after and every are opening hours, or just time.", .words = "calendar real"),
	K("escalate", "notify", conf_escalation, notify, CONF_STRS, "",
	  "Who is told: assignee, team, watchers, agents, admins; {}: nobody. Not set: the "
	  "assignee, else the team, else the admins.",
	  .check = check_audience),
	K("escalate", "priority", conf_escalation, priority, CONF_STR, "",
	  "\"up\", or the priority that the ticket gets at least.", .check = check_raise),
	K("escalate", "assign", conf_escalation, assign, CONF_STR, "",
	  "Who gets the ticket: an agent's address, or a team.", .check = check_line),
	K("escalate", "tag", conf_escalation, tags, CONF_STRS, "", "Tags that it gets.",
	  .check = check_some),
	K("escalate", "note", conf_escalation, note, CONF_STR, "", "An internal note."),
	K("escalate", "webhook", conf_escalation, webhook, CONF_BOOL, "false",
	  "Whether webhooks for sla.escalated are called."),
};
const size_t conf_key_count = MD_COUNT(conf_keys);

#define PLAIN(key, member, text)                                                     \
	{                                                                            \
		.name = (key), .at = offsetof(struct config, member), .help = (text) \
	}
#define TITLED(key, S, array, count, example, text)                          \
	{                                                                    \
		.name = (key), .title = (example), .size = sizeof(struct S), \
		.array_at = offsetof(struct config, array),                  \
		.count_at = offsetof(struct config, count), .help = (text)   \
	}
_Static_assert(offsetof(struct conf_smtp, title) == 0 && offsetof(struct conf_oauth, title) == 0 &&
		       offsetof(struct conf_mailbox, title) == 0 &&
		       offsetof(struct conf_calendar, title) == 0 &&
		       offsetof(struct conf_team, title) == 0 &&
		       offsetof(struct conf_field, title) == 0 &&
		       offsetof(struct conf_sla, title) == 0 &&
		       offsetof(struct conf_rule, title) == 0 &&
		       offsetof(struct conf_workflow, title) == 0 &&
		       offsetof(struct conf_special, date) == 0 &&
		       offsetof(struct conf_escalation, title) == 0 &&
		       offsetof(struct conf_status, title) == 0 &&
		       offsetof(struct conf_keep, title) == 0 &&
		       offsetof(struct conf_notice, title) == 0 &&
		       offsetof(struct conf_move, title) == 0 &&
		       offsetof(struct rule_pair, name) == 0,
	       "titles come first");

const struct conf_section conf_sections[] = {
	PLAIN("desk", desk, "The desk as a whole."),
	PLAIN("http", http, "API and console."),
	PLAIN("notify", notify, "Who is told of what."),
	{ .name = "event",
	  .parent = "notify",
	  .title = "public_reply",
	  .size = sizeof(struct conf_notice),
	  .array_at = offsetof(struct conf_notify, events),
	  .count_at = offsetof(struct conf_notify, n_events),
	  .optional = true,
	  .help = "Who is told of that event, instead of the default: created, public_reply, "
		  "internal_note, assigned, status_changed, merged, sla_warning, sla_breach, "
		  "escalated, undelivered. People named in a note are told of it in any case." },
	TITLED("smtp", conf_smtp, smtp, n_smtp, "main", "An account to send mail through."),
	TITLED("mailbox", conf_mailbox, mailboxes, n_mailboxes, "support",
	       "A mailbox whose mail becomes tickets."),
	PLAIN("webhooks", webhooks, "Who is called when something happens: POST /webhooks."),
	{ .name = "oauth",
	  .title = "ms365",
	  .size = sizeof(struct conf_oauth),
	  .array_at = offsetof(struct config, oauths),
	  .count_at = offsetof(struct config, n_oauths),
	  .optional = true,
	  .help = "A token server (OAuth 2), for auth = \"oauth:ms365\" of mailbox and smtp "
		  "sections. The account that signs in is their user." },
	PLAIN("retention", retention,
	      "How long tickets are kept: the names of statuses, each with an age."),
	{ .name = "<status>",
	  .parent = "retention",
	  .title = "closed",
	  .only_key = "age",
	  .size = sizeof(struct conf_keep),
	  .array_at = offsetof(struct conf_retention, statuses),
	  .count_at = offsetof(struct conf_retention, n_statuses) },
	PLAIN("trust", trust, "When a sender is believed."),
	PLAIN("limits", limits, "Ceilings; 0: none."),
	TITLED("team", conf_team, teams, n_teams, "support",
	       "How the tickets of a team are assigned. Teams and members are made in the "
	       "console."),
	TITLED("field", conf_field, fields, n_fields, "asset",
	       "A custom field of tickets; in a mail, #asset VALUE sets it."),
	TITLED("calendar", conf_calendar, calendars, n_calendars, "office",
	       "Opening hours in which service levels count."),
	TITLED("sla", conf_sla, slas, n_slas, "standard",
	       "Service levels. The first section that fits a ticket applies."),
	{ .name = "workflow",
	  .title = "mine",
	  .size = sizeof(struct conf_workflow),
	  .array_at = offsetof(struct config, workflows),
	  .count_at = offsetof(struct config, n_workflows),
	  .optional = true,
	  .help = "Your own statuses and moves, for desk.workflow. The first status is that of new "
		  "tickets." },
	{ .name = "status",
	  .parent = "workflow",
	  .title = "open",
	  .size = sizeof(struct conf_status),
	  .array_at = offsetof(struct conf_workflow, statuses),
	  .count_at = offsetof(struct conf_workflow, n_statuses),
	  .help = "A status, by its name." },
	{ .name = "move",
	  .parent = "workflow",
	  .title = "finish",
	  .size = sizeof(struct conf_move),
	  .array_at = offsetof(struct conf_workflow, moves),
	  .count_at = offsetof(struct conf_workflow, n_moves),
	  .help = "From one status to another; its name is a verb for #status." },
	{ .name = "rule",
	  .title = "monitoring",
	  .size = sizeof(struct conf_rule),
	  .array_at = offsetof(struct config, rules),
	  .count_at = offsetof(struct config, n_rules),
	  .optional = true,
	  .help = "What is done with certain mail. Rules are tried in this order; the first that "
		  "quarantines or discards is the last." },
	{ .name = "match",
	  .parent = "rule",
	  .title = "from",
	  .size = sizeof(struct rule_pair),
	  .array_at = offsetof(struct conf_rule, matches),
	  .count_at = offsetof(struct conf_rule, n_matches),
	  .help = "from, to, cc, subject, body, attachment, kind, trust, size, or the name of a "
		  "header field." },
	{ .name = "set",
	  .parent = "rule",
	  .title = "priority",
	  .size = sizeof(struct rule_pair),
	  .array_at = offsetof(struct conf_rule, sets),
	  .count_at = offsetof(struct conf_rule, n_sets),
	  .help = "priority, category, tag, team, assignee (an address) or mailbox of new "
		  "tickets." },
	{ .name = "special",
	  .parent = "calendar",
	  .title = "2026-12-24",
	  .title_key = "date",
	  .size = sizeof(struct conf_special),
	  .array_at = offsetof(struct conf_calendar, specials),
	  .count_at = offsetof(struct conf_calendar, n_specials),
	  .help = "A date with hours of its own; one section for each." },
	{ .name = "first_response", .parent = "sla", .help = "Until an agent's first reply." },
	{ .name = "next_response",
	  .parent = "sla",
	  .help = "From a customer's oldest unanswered message to an agent's reply." },
	{ .name = "update",
	  .parent = "sla",
	  .help = "The longest silence towards the customer while the ticket is open." },
	{ .name = "resolution", .parent = "sla", .help = "Until the ticket is resolved." },
	{ .name = "escalate",
	  .parent = "sla",
	  .title = "first",
	  .size = sizeof(struct conf_escalation),
	  .array_at = offsetof(struct conf_sla, escalations),
	  .count_at = offsetof(struct conf_sla, n_escalations),
	  .help = "What is done when a target is missed." },
};
const size_t conf_section_count = MD_COUNT(conf_sections);

/* ---- looking up ---- */

static bool same(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

const struct conf_section *conf_section_find(const char *parent, const char *name)
{
	for (size_t i = 0; i < conf_section_count; i++)
		if (same(conf_sections[i].parent, parent) && same(conf_sections[i].name, name))
			return &conf_sections[i];
	return NULL;
}

const struct conf_section *conf_section_by_title(const char *parent)
{
	for (size_t i = 0; i < conf_section_count; i++)
		if (conf_sections[i].only_key && same(conf_sections[i].parent, parent))
			return &conf_sections[i];
	return NULL;
}

const struct conf_key *conf_key_find(const char *section, const char *name)
{
	for (size_t i = 0; i < conf_key_count; i++)
		if (same(conf_keys[i].section, section) && same(conf_keys[i].name, name))
			return &conf_keys[i];
	return NULL;
}
