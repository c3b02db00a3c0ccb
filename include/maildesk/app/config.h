/* config.h - the configuration: one table of every key, typed structs, all errors at once.
 *
 * One file and conf.d/ *.conf beside it, in name order; later fragments override single keys and
 * sections of the same title merge (operations.md, "Configuration"). Relative paths: `database` and
 * `state_dir` contents to state_dir, secrets to ${CREDENTIALS_DIRECTORY} if set, else to the folder
 * of the file; secrets must not be readable by others. Strings live as long as the config. */
#ifndef MAILDESK_APP_CONFIG_H
#define MAILDESK_APP_CONFIG_H

#include <maildesk/base/arena.h>
#include <maildesk/base/buf.h>
#include <maildesk/base/err.h>
#include <maildesk/base/mem.h>
#include <maildesk/desk/escalation.h>
#include <maildesk/desk/rule.h>
#include <maildesk/desk/workflow.h>

#include <stdbool.h>
#include <stdint.h>

struct conf_strs {
	size_t n;
	const char **v;
};

struct conf_desk {
	const char *name, *url, *locale, *timezone;
	const char *templates_dir;    /* "": none */
	const char *from_format;      /* "{agent} ({desk})" */
	const char *visibility;       /* "private", "open" */
	const char *workflow;         /* "helpdesk", "strict" */
	const char *subject_tag;      /* "[#%d]" */
	const char *subject_commands; /* "strict", "loose", "off" */
	const char *transcript;       /* "errors", "always", "never" */
	const char *echo_subject;     /* "verified", "always", "never" */
	const char *cross_post;       /* "one", "each" */
	const char *assign;           /* "none", "round_robin", "least_loaded" */
	int64_t reopen_window_ms, auto_close_ms;
	int64_t pending_close_ms;    /* 0: never */
	int64_t alarm_after_ms;      /* a mailbox that fails so long is told of */
	int64_t undo_send_ms;        /* an agent's reply waits so long */
	int64_t max_outbound_bytes;  /* of a mail's files; more are links */
	int64_t lease_ms;            /* of a mailbox, among several daemons */
	struct conf_strs categories; /* empty: any */
	bool registration;           /* people make themselves accounts */
	bool organisation_shared;    /* customers read the tickets of their organisation */
	bool take_by_reply;          /* who answers an unassigned ticket has it */
};
struct conf_http {
	const char *listen; /* "127.0.0.1:8025", "[::1]:8025" */
	struct conf_strs trusted_proxies, cors;
	int64_t max_upload_bytes;
	int64_t heartbeat_ms; /* of GET /events */
	int64_t events_kept_ms;
	const char *certificate, *key; /* "": no TLS */
	bool access_log;
};
struct conf_smtp {
	const char *title, *host, *tls, *user, *password,
		*ca_file;  /* password: read from its file */
	const char *auth;  /* "password", "oauth:TITLE" */
	const char *oauth; /* that TITLE; NULL: a password */
	int64_t port, timeout_ms, lease_ms;
	int64_t retry_first_ms; /* of the schedule of mail-out.md; tests make it short */
	int64_t give_up_ms;
	int64_t connections, per_minute; /* per_minute 0: any number */
};
struct conf_mailbox {
	const char *title, *address, *host, *tls, *ca_file, *user, *password, *folder;
	const char *auth;   /* "password", "oauth:TITLE" */
	const char *oauth;  /* that TITLE; NULL: a password */
	const char *after;  /* "seen", "delete", "move:FOLDER" */
	const char *import; /* "now", "all", "since YYYY-MM-DD" */
	const char *smtp;   /* title of an smtp section */
	const char *locale; /* desk.locale when it has none of its own */
	const char *priority;
	const char *team;      /* of its new tickets; "": none */
	const char *signature; /* below answers of agents who have none; "": none */
	struct conf_strs aliases, send_as, own_lists, contact_form_senders;
	int64_t port, poll_interval_ms, timeout_ms, max_message_bytes;
	bool idle, plus_addressing, verp;
};
struct conf_webhooks {
	bool allow_private;
	int64_t timeout_ms, retry_first_ms, give_up_ms;
};
struct conf_oauth { /* net/oauth.h */
	const char *title, *token_url;
	const char *device_url; /* "": signs in by client_secret alone */
	const char *client_id, *client_secret, *scope, *ca_file; /* secret: read from its file */
	int64_t timeout_ms;
};
struct conf_keep {
	const char *title; /* a status */
	int64_t age_ms;    /* 0: for ever */
};
struct conf_retention {
	struct conf_keep *statuses;
	size_t n_statuses;
	const char *action; /* "anonymise", "delete" */
};
struct conf_trust {
	const char *authserv_id; /* "": off, "-": fields without an id */
	const char *position;    /* "above", "below" our own Received */
	int64_t trusted_hops;
	const char *unknown_sender; /* "accept", "quarantine" */
	const char *on_fail;        /* "ticket", "quarantine" */
};
struct conf_limits { /* 0: none */
	int64_t auto_per_address_hour, auto_per_address_day, auto_per_subject_hour, auto_desk_hour,
		auto_answers_hour, inbound_per_sender_hour;
	int64_t anonymous_per_minute, user_per_minute, login_per_minute;
	int64_t connections_per_address;
};
struct conf_special {
	const char *date; /* "2026-12-24" */
	struct conf_strs hours;
};
struct conf_calendar {
	const char *title, *timezone;
	struct conf_strs hours[7];     /* from Monday: "09:00-17:00" */
	struct conf_strs holidays;     /* "2026-12-25" */
	const char *holidays_file;     /* iCalendar; "": none */
	struct conf_special *specials; /* instead of a date's other hours */
	size_t n_specials;
};
struct conf_team {
	const char *title;  /* the name of a team in the database */
	const char *assign; /* instead of desk.assign: "manual", "round_robin", "least_loaded" */
};
struct conf_field { /* of tickets, beside those that every ticket has */
	const char *title;
	const char *type; /* "text", "number", "date", "choice" */
	struct conf_strs values;
};
enum { CONF_PRIORITIES = 4 }; /* low, medium, high, critical */
struct conf_escalation {      /* desk/escalation.h; what is empty is not done */
	const char *title, *metric;
	int64_t after_ms, every_ms, times;
	const char *time;        /* "calendar", "real" */
	struct conf_strs notify; /* words of conf_audiences */
	bool tells_default;      /* notify was not set: as other events of service levels */
	const char *priority;    /* "up", or at least this one */
	const char *assign;      /* an address, or a team */
	struct conf_strs tags;
	const char *note;
	bool webhook;
};
struct conf_sla {
	const char *title, *calendar; /* "" or "24x7": always open */
	struct conf_strs mailboxes, priorities, categories, tags, organisations; /* empty: any */
	struct conf_strs pause; /* statuses that pause update and resolution */
	const char *reopen;     /* "continue", "restart" */
	int64_t warn[8];
	size_t n_warn;
	int64_t first_response_ms[CONF_PRIORITIES], next_response_ms[CONF_PRIORITIES],
		update_ms[CONF_PRIORITIES], resolution_ms[CONF_PRIORITIES]; /* 0: none */
	const char *calendars[SLA_METRIC_COUNT]; /* of each metric: that above, or its own */
	struct conf_strs pauses[SLA_METRIC_COUNT];
	struct conf_escalation *escalations;
	size_t n_escalations;
};
struct conf_notice {
	const char *title;   /* an event of desk/notice.h */
	struct conf_strs to; /* words for roles */
};
struct conf_notify {
	struct conf_notice *events;
	size_t n_events;
	bool own_actions;
};
struct conf_status {
	const char *title, *phase; /* "", "active", "waiting", "resolved", "closed" */
	bool final;
};
struct conf_move {
	const char *title, *from, *to, *guard; /* guard: "", "has_assignee" */
	struct conf_strs who, by_itself;
};
struct conf_workflow { /* desk/workflow.h */
	const char *title;
	struct conf_status *statuses;
	struct conf_move *moves;
	size_t n_statuses, n_moves;
};
struct conf_rule { /* desk/rule.h */
	const char *title;
	struct rule_pair *matches, *sets;
	size_t n_matches, n_sets;
	const char *action, *mailbox, *team; /* "" for none */
	struct conf_strs tags;
};

struct config {
	const char *file, *database, *state_dir, *log;
	struct conf_desk desk;
	struct conf_http http;
	struct conf_trust trust;
	struct conf_webhooks webhooks;
	struct conf_retention retention;
	struct conf_limits limits;
	struct conf_notify notify;
	struct conf_smtp *smtp;
	struct conf_mailbox *mailboxes;
	struct conf_oauth *oauths;
	struct conf_calendar *calendars;
	struct conf_sla *slas;
	struct conf_workflow *workflows;
	struct conf_rule *rules;
	struct conf_team *teams;
	struct conf_field *fields;
	size_t n_smtp, n_mailboxes, n_oauths, n_calendars, n_slas, n_workflows, n_rules, n_teams,
		n_fields;
	struct arena arena;
};

/* A word and what it stands for; lists end with a NULL name. */
struct conf_word {
	const char *name;
	unsigned value;
};
extern const struct conf_word conf_audiences[]; /* whom escalations tell: enum notice_role */

/* Read everything. Errors ("FILE:LINE: what, and what is allowed"), one a line, are appended to
 * `problems`, then warnings ("FILE:LINE: warning: ..."). MD_INPUT if there was an error,
 * MD_NOTFOUND when there is no such file. */
int config_load(const char *file, struct config **ret, struct buf *problems);
/* The same, and the templates of desk.templates_dir: all that `maildesk check` looks at. */
int config_load_all(const char *file, struct config **ret, struct buf *problems);
void config_free(struct config *c);
MD_DEFINE_AUTO(struct config *, config_free)

/* For a daemon that runs by `old`: keys that need a restart keep their old value. Appends the names
 * of those that differ, parted by ", ". MD_NOMEM. */
int config_keep(struct config *c, const struct config *old, struct buf *ret_names);

/* NULL when there is none of that title. */
const struct conf_mailbox *config_mailbox(const struct config *c, const char *title);
const struct conf_smtp *config_smtp(const struct config *c, const char *title);
const struct conf_oauth *config_oauth(const struct config *c, const char *title);
const struct conf_team *config_team(const struct config *c, const char *title);
const struct conf_field *config_field(const struct config *c, const char *title);

/* enum notice_role, or-ed. */
unsigned config_roles(const struct conf_strs *words);

/* The workflow of desk.workflow, built in or made of its section; in `a`. MD_NOMEM. */
int config_workflow(const struct config *c, struct arena *a, const struct workflow **ret,
		    struct md_err *err);
/* The sections `rule`, ready for rules_compile(); in `a`. MD_NOMEM. */
int config_rules(const struct config *c, struct arena *a, struct rule **ret, struct md_err *err);

/* The annotated sample: every section and key with default and help, from the table. */
void config_sample(struct buf *out);
/* The same as the part of maildesk.conf(5) that lists them, in mdoc(7). */
void config_manual(struct buf *out);

/* The date of "since 2026-01-31"; NULL of the other words. */
const char *conf_import_since(const char *import);

#endif
