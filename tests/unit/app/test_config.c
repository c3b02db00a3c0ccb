/* The configuration: what is said about bad files, word for word; merging; defaults; the sample. */
#include <maildesk/app/config.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#define SMTP "smtp \"main\" { host = \"mx.test\" }\n"
#define MAILBOX \
	"mailbox \"support\" { address = \"s@x.test\" host = \"imap.test\" password_file = pw }\n"
#define BASE SMTP MAILBOX /* lines 1 and 2 */

static void put_file(const char *path, const char *text, mode_t mode)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
	assert_int_equal(chmod(path, mode), 0);
}

static int setup(void **state)
{
	static char dir[] = "/tmp/test_config.XXXXXX";

	*state = mkdtemp(dir);
	if (!*state || chdir(dir) < 0 || mkdir("conf.d", 0700) < 0)
		return -1;
	unsetenv("CREDENTIALS_DIRECTORY");
	put_file("pw", "secret word\n", 0600);
	put_file("pw-open", "secret\n", 0644);
	put_file("pw-empty", "\n", 0600);
	put_file("pw-two", "one\ntwo\n", 0600);
	return 0;
}

static void remove_fragments(void)
{
	unlink("conf.d/10.conf");
	unlink("conf.d/20.conf");
}

static int teardown(void **state)
{
	static const char *const files[] = { "pw",          "pw-open",   "pw-empty",
					     "pw-two",      "main.conf", "imap.secret",
					     "smtp.secret", "cred/pw",   "cred/only" };

	remove_fragments();
	for (size_t i = 0; i < sizeof files / sizeof *files; i++)
		unlink(files[i]);
	rmdir("conf.d");
	rmdir("cred");
	return chdir("/") < 0 || rmdir(*state) < 0 ? -1 : 0;
}

struct loaded {
	int rc;
	struct config *config;
	struct buf problems;
};

static struct loaded load(const char *text)
{
	struct loaded r = { .problems = BUF_INIT(1 << 20) };

	put_file("main.conf", text, 0600);
	r.rc = config_load("main.conf", &r.config, &r.problems);
	return r;
}

static void done(struct loaded *r)
{
	config_free(r->config);
	buf_done(&r->problems);
}

/* ---- bad files ---- */

static const struct {
	const char *text, *says;
} bad[] = {
	/* syntax */
	{ BASE "desk { name = x\n\n", "main.conf:3: section is never closed: \"}\" is missing\n" },
	{ BASE "desk {\n name = \"x\n}\n",
	  "main.conf:4: string is never closed: '\"' is missing\n" },
	{ BASE "/* one\ntwo\n", "main.conf:3: comment is never closed: \"*/\" is missing\n" },
	{ BASE "desk { name = \"\\999\" }\n",
	  "main.conf:3: escapes like \\123 are not allowed; \\x41 and \\\\ are\n" },
	{ BASE "desk {\n name x }\n", "main.conf:4: missing equal sign after option 'name'\n" },
	{ BASE "/* a comment */ /* on\ntwo lines */ desk { name x }\n",
	  "main.conf:4: missing equal sign after option 'name'\n" },
	{ BASE "desk { name = x \"\" }\n", "main.conf:3: syntax error\n" },
	{ BASE "desk {\n name =\n\n", "main.conf:4: the file ends within what begins here\n" },
	{ BASE "desk {\n name = x }\nmailbox \"a\"\n",
	  "main.conf:5: the file ends within what begins here\n" },
	{ BASE "}\n", "main.conf:3: unexpected closing brace\n" },
	{ BASE "mailbox { }\n", "main.conf:3: missing title for section 'mailbox'\n" },
	{ BASE "desk = 3\n", "main.conf:3: missing opening brace for section 'desk'\n" },
	/* a syntax error does not make up missing things, and does not hide bad values before it */
	{ "smtp \"main\" { port = 0 }\ndesk {\n",
	  "main.conf:1: smtp \"main\": port = \"0\": allowed: a number from 1 to 65535\n"
	  "main.conf:2: section is never closed: \"}\" is missing\n" },
	/* names */
	{ BASE "desk { nmae = x\n url = y }\nfoo \"bar\" {\n a { b = {1, 2} }\n}\ndatbase = x\n",
	  "main.conf:3: desk: unknown key \"nmae\"; did you mean \"name\"?\n"
	  "main.conf:4: desk: url = \"y\": allowed: an address like \"https://help.example.com\"\n"
	  "main.conf:5: unknown key or section \"foo\"; allowed: database, state_dir, log, desk, "
	  "http, notify, smtp, mailbox, webhooks, oauth, retention, trust, limits, team, field, "
	  "calendar, sla, workflow, "
	  "rule\n"
	  "main.conf:8: unknown key or section \"datbase\"; did you mean \"database\"?\n" },
	{ BASE "http { tls = none }\n", "main.conf:3: http: unknown key \"tls\"; allowed: listen, "
					"max_upload, heartbeat, events_kept, trusted_proxies, "
					"certificate, key, cors, access_log\n" },
	{ BASE "http { trusted_proxies = {\"10.0.0.0/8\", \"::1/129\", \"10.0.0.0/\"}\n"
	       " cors = {\"https://a.test\", \"*\", \"https://a.test/b\"} }\n",
	  "main.conf:3: http: trusted_proxies = \"::1/129\": allowed: an IP address or a block "
	  "like \"10.0.0.0/8\"\n"
	  "main.conf:3: http: trusted_proxies = \"10.0.0.0/\": allowed: an IP address or a block "
	  "like \"10.0.0.0/8\"\n"
	  "main.conf:4: http: cors = \"https://a.test/b\": allowed: an origin like "
	  "\"https://tools.example.com\", or \"*\"\n" },
	{ BASE "http { certificate = none.pem }\n",
	  "main.conf:3: http: certificate and key are set together, or not at all\n" },
	{ BASE "http { certificate = none.pem\n key = none.key }\n",
	  "main.conf:3: http: certificate: none.pem: No such file or directory; write it, or name "
	  "another\n"
	  "main.conf:4: http: key: none.key: No such file or directory; write it, or name "
	  "another\n" },
	{ BASE "sla \"s\" {\n first_response {\n hihg = 1h medium = 4h } }\n",
	  "main.conf:5: first_response: unknown key \"hihg\"; did you mean \"high\"?\n" },
	{ BASE "smtp \"a b\" { host = x }\n", "main.conf:3: smtp \"a b\": allowed in a title: 1 to "
					      "64 letters, digits, \".\", \"-\" and "
					      "\"_\"\n" },
	/* values */
	{ BASE "mailbox \"support\" {\n tls = ssl\n idle = maybe\n poll_interval = 5\n"
	       " max_message_size = 1T\n after = gone\n import = some }\n",
	  "main.conf:4: mailbox \"support\": tls = \"ssl\": allowed: \"tls\", \"starttls\", "
	  "\"none\"\n"
	  "main.conf:5: mailbox \"support\": idle = \"maybe\": allowed: true or false\n"
	  "main.conf:6: mailbox \"support\": poll_interval = \"5\": allowed: a time like \"30s\", "
	  "\"15m\", \"4h\" or \"14d\", from 100ms to 1d\n"
	  "main.conf:7: mailbox \"support\": max_message_size = \"1T\": allowed: a size like "
	  "\"500K\" or "
	  "\"25M\", from 1K to 1G\n"
	  "main.conf:8: mailbox \"support\": after = \"gone\": allowed: \"seen\", \"delete\" or "
	  "\"move:FOLDER\"\n"
	  "main.conf:9: mailbox \"support\": import = \"some\": allowed: \"now\", \"all\" or "
	  "\"since YYYY-MM-DD\"\n" },
	{ BASE "desk { subject_tag = \"[#%s %d]\"\n timezone = \"Europe/Bertlin\" }\n"
	       "http { listen = \"localhost:80\" }\n",
	  "main.conf:3: desk: subject_tag = \"[#%s %d]\": allowed: text with exactly one %d, "
	  "something "
	  "on both sides of it and no other %, like \"[#%d]\"\n"
	  "main.conf:4: desk: timezone = \"Europe/Bertlin\": allowed: a name of "
	  "/usr/share/zoneinfo "
	  "like \"Europe/Berlin\"\n"
	  "main.conf:5: http: listen = \"localhost:80\": allowed: ADDRESS:PORT like "
	  "\"127.0.0.1:8025\" or \"[::1]:8025\"\n" },
	{ BASE "sla \"s\" { warn = {50, 100} resolution { low = 1d } }\n",
	  "main.conf:3: sla \"s\": warn = \"50\", \"100\": allowed: up to 8 numbers from 1 to "
	  "99\n" },
	{ BASE "sla \"s\" { resolution { high = 1h low = 1x } }\n",
	  "main.conf:3: sla \"s\": resolution.low = \"1x\": allowed: a time like \"30s\", \"15m\", "
	  "\"4h\" or \"14d\", from 0 to 3650d\n" },
	{ BASE "database = \"oracle:x\"\nstate_dir = var\n",
	  "main.conf:3: database = \"oracle:x\": allowed: \"sqlite:PATH\" or "
	  "\"postgres:CONNINFO\"\n"
	  "main.conf:4: state_dir = \"var\": allowed: a path that begins with \"/\"\n" },
	/* what must be there */
	{ "", "main.conf:1: no smtp section: at least one is needed\n"
	      "main.conf:1: no mailbox section: at least one is needed\n" },
	{ "smtp \"main\" { }\n\nmailbox \"a\" { host = imap.test address = nobody }\n",
	  "main.conf:1: smtp \"main\": host is missing: Server that takes outgoing mail.\n"
	  "main.conf:3: mailbox \"a\": address = \"nobody\": allowed: a mail address like "
	  "\"support@example.com\"\n"
	  "main.conf:3: mailbox \"a\": password_file is missing: File with the password; relative "
	  "to $CREDENTIALS_DIRECTORY, else to this file.\n" },
	/* references */
	{ BASE "mailbox \"support\" { smtp = other }\n",
	  "main.conf:3: mailbox \"support\": smtp = \"other\": no such smtp section; allowed: "
	  "\"main\"\n" },
	{ BASE "smtp \"second\" { host = mx.test }\n",
	  "main.conf:2: mailbox \"support\": smtp is missing: there are several smtp sections, say "
	  "which\n" },
	{ BASE "sla \"s\" { calendar = office mailboxes = { support, sales }\n"
	       "first_response { high = 1h } }\n",
	  "main.conf:3: sla \"s\": calendar = \"office\": there is no calendar section\n"
	  "main.conf:3: sla \"s\": mailboxes = \"sales\": no such mailbox section; allowed: "
	  "\"support\"\n" },
	{ BASE "sla \"s\" { pause = { waiting } first_response { high = 1h } }\n",
	  "main.conf:3: sla \"s\": pause = \"waiting\": allowed: \"open\", \"pending\", "
	  "\"in_progress\", \"resolved\", \"closed\", \"reopened\"\n" },
	{ BASE "mailbox \"b\" { address = b@x.test host = h password_file = pw\n"
	       "aliases = { \"S@X.test\" } }\n",
	  "main.conf:4: mailbox \"b\": S@X.test belongs to mailbox \"support\" already "
	  "(main.conf:2)\n" },
	/* safety */
	{ BASE "mailbox \"support\" { tls = none }\nsmtp \"main\" { tls = none }\n",
	  "main.conf:3: mailbox \"support\": tls = \"none\" would send the password in clear to "
	  "imap.test: allowed: \"tls\", \"starttls\"; \"none\" only for a loopback host\n"
	  "main.conf:4: smtp \"main\": tls = \"none\" would send the password in clear to mx.test: "
	  "allowed: \"tls\", \"starttls\"; \"none\" only for a loopback host\n" },
	{ BASE "mailbox \"support\" { password_file = pw-open }\n",
	  "main.conf:3: mailbox \"support\": password_file: pw-open may be read or written by "
	  "everybody: chmod 600 pw-open\n" },
	{ BASE "mailbox \"support\" { password_file = pw-none }\n",
	  "main.conf:3: mailbox \"support\": password_file: pw-none: No such file or directory; "
	  "write it, or "
	  "name another\n" },
	{ BASE "mailbox \"support\" { password_file = pw-empty }\n",
	  "main.conf:3: mailbox \"support\": password_file: pw-empty: allowed: one line of 1 to "
	  "4095 "
	  "bytes\n" },
	{ BASE "mailbox \"support\" { password_file = pw-two }\n",
	  "main.conf:3: mailbox \"support\": password_file: pw-two: allowed: one line of 1 to 4095 "
	  "bytes\n" },
	{ BASE "smtp \"main\" { user = u }\n",
	  "main.conf:3: smtp \"main\": user is given but no password_file\n" },
	{ BASE "mailbox \"support\" { auth = xoauth2 }\nsmtp \"main\" { auth = \"oauth:ms365\" }\n",
	  "main.conf:3: mailbox \"support\": auth = \"xoauth2\": allowed: \"password\" or "
	  "\"oauth:TITLE\" of an oauth section\n"
	  "main.conf:4: smtp \"main\": auth = \"ms365\": there is no oauth section\n"
	  "main.conf:4: smtp \"main\": user is missing: who signs in at \"oauth:ms365\"\n" },
	{ BASE
	  "oauth \"a\" { client_id = x token_url = \"http://login.test/token\" device_url = "
	  "\"http://[::1]:80/device\" }\n"
	  "oauth \"b\" { client_id = x token_url = \"https://login.test/token\" }\n"
	  "oauth \"c\" { client_id = x token_url = \"ftp://x\" client_secret_file = pw-none }\n"
	  "oauth \"d\" { client_secret_file = pw }\n",
	  "main.conf:3: oauth \"a\": token_url would send tokens in clear to login.test: allowed: "
	  "an "
	  "address that begins with \"https://\"; \"http://\" only for a loopback host\n"
	  "main.conf:4: oauth \"b\": nothing to sign in by: device_url, for `maildesk oauth "
	  "login`, "
	  "or client_secret_file, for client credentials, is missing\n"
	  "main.conf:5: oauth \"c\": token_url = \"ftp://x\": allowed: an address like "
	  "\"https://login.example.com/token\"\n"
	  "main.conf:5: oauth \"c\": client_secret_file: pw-none: No such file or directory; write "
	  "it, or "
	  "name another\n"
	  "main.conf:6: oauth \"d\": token_url is missing: Where access tokens come from; https, "
	  "or "
	  "http to this machine.\n"
	  "main.conf:6: oauth \"d\": client_id is missing: Id of the application that was "
	  "registered there for this desk.\n" },
	{ BASE "mailbox \"support\" { ca_file = nowhere.pem }\n",
	  "main.conf:3: mailbox \"support\": ca_file: nowhere.pem: No such file or directory; "
	  "write it, or "
	  "name another\n" },
	/* workflows */
	{ BASE "desk { workflow = nope }\nworkflow \"kanban\" {\n status \"open\" { phase = odd }\n"
	       " status \"done\" { }\n move \"start\" { from = open to = done who = {boss} } }\n"
	       "workflow \"strict\" { status \"open\" { final = true } }\n",
	  "main.conf:4: workflow kanban: nothing leads out of done, which is not final\n"
	  "main.conf:5: status \"open\": phase = \"odd\": allowed: \"active\", \"waiting\", "
	  "\"resolved\", \"closed\"\n"
	  "main.conf:7: move \"start\": who = \"boss\": allowed: \"requester\", \"participant\", "
	  "\"assignee\", \"agent\", \"admin\"\n"
	  "main.conf:8: workflow \"strict\": this name is built in: choose another\n" },
	{ BASE "desk { workflow = nope }\n",
	  "main.conf:3: desk: workflow = \"nope\": allowed: \"helpdesk\", \"strict\", or the "
	  "title of a workflow section\n" },
	/* retention */
	{ BASE "retention { closed = 3y\n resolvd = 2y\n pending = soon\n acton = 1d\n x { } }\n",
	  "main.conf:4: retention: unknown key or status \"resolvd\"; allowed: action, open, "
	  "pending, in_progress, resolved, closed, reopened\n"
	  "main.conf:5: retention: pending = \"soon\": allowed: a time like \"30s\", \"15m\", "
	  "\"4h\" or \"14d\", from 0 to 36500d\n"
	  "main.conf:6: retention: unknown key or status \"acton\"; allowed: action, open, "
	  "pending, in_progress, resolved, closed, reopened\n"
	  "main.conf:7: retention: unknown key \"x\"; allowed: action, <status>\n" },
	{ BASE "retention { <status> = 3y }\n", "main.conf:3: no such option '<status>'\n" },
	/* rules */
	{ BASE "rule \"r\" { action = route\n match \"from\" { pattern = '(' }\n"
	       " match \"size\" { pattern = big }\n set \"priority\" { value = urgent }\n"
	       " set \"colour\" { value = red }\n set \"mailbox\" { value = none }\n"
	       " match \"cc\" { }\n mailbox = nowhere }\nrule \"empty\" { action = discard }\n",
	  "main.conf:3: match \"cc\": pattern is missing: A pattern (PCRE2, without regard to "
	  "case); of \"size\": \"> 10M\" or \"< 1k\".\n"
	  "main.conf:4: rule \"r\": match \"from\": at character 2: missing closing parenthesis\n"
	  "main.conf:5: rule \"r\": match \"size\": allowed: \"> 10M\" or \"< 1k\"\n"
	  "main.conf:6: set \"priority\": value = \"urgent\": allowed: \"low\", \"medium\", "
	  "\"high\", \"critical\"\n"
	  "main.conf:7: set \"colour\": allowed: priority, category, tag, team, assignee and "
	  "mailbox can be set\n"
	  "main.conf:8: set \"mailbox\": value = \"none\": allowed: the title of a mailbox "
	  "section\n"
	  "main.conf:10: rule \"r\": mailbox = \"nowhere\": no such mailbox section\n"
	  "main.conf:11: rule \"empty\": no match section: name what it looks at, like match "
	  "\"from\" { pattern = 'nagios@' }\n" },
	/* calendars */
	{ BASE "calendar \"c\" {\n mon = {\"09:00-12:00\", \"11:00-13:00\"}\n tue = {\"9-17\"}\n"
	       " holidays = {\"2026-02-30\"} }\n",
	  "main.conf:4: calendar \"c\": mon: window \"11:00-13:00\" overlaps another\n"
	  "main.conf:5: calendar \"c\": tue: \"9-17\" is no window like \"09:00-17:00\"\n"
	  "main.conf:6: calendar \"c\": holidays = \"2026-02-30\": allowed: a date like "
	  "\"2026-12-25\"\n" },
};

static void bad_files_are_refused_with_file_line_and_what_is_allowed(void **state)
{
	size_t failed = 0;

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		struct loaded r = load(bad[i].text);

		if (r.rc != MD_INPUT || strcmp(buf_str(&r.problems), bad[i].says) != 0) {
			print_error("rc %d for:\n%s--- wanted\n%s--- got\n%s\n", r.rc, bad[i].text,
				    bad[i].says, buf_str(&r.problems));
			failed++;
		}
		done(&r);
	}
	assert_int_equal(failed, 0);
}

static void what_editors_put_first_is_passed_over(void **state)
{
	struct loaded r = load("\xef\xbb\xbf" BASE);

	(void)state;
	assert_string_equal(buf_str(&r.problems), "");
	assert_int_equal(r.rc, MD_OK);
	done(&r);
}

static void every_file_tells_its_errors(void **state)
{
	struct loaded r;

	(void)state;
	put_file("conf.d/10.conf", "desk {\n name = 'unclosed }\n", 0600);
	put_file("conf.d/20.conf", "\nhttp { listen = x }\ndesk { url }\n", 0600);
	r = load(BASE "desk { workflow = none }\n trust {");
	assert_int_equal(r.rc, MD_INPUT);
	assert_string_equal(buf_str(&r.problems),
			    "main.conf:4: section is never closed: \"}\" is missing\n"
			    "conf.d/10.conf:2: string is never closed: \"'\" is missing\n"
			    "conf.d/20.conf:2: http: listen = \"x\": allowed: ADDRESS:PORT like "
			    "\"127.0.0.1:8025\" or \"[::1]:8025\"\n"
			    "conf.d/20.conf:3: missing equal sign after option 'url'\n");
	done(&r);
	remove_fragments();
}

static void sections_within_sections_merge_by_their_titles(void **state)
{
	struct loaded r;

	(void)state;
	put_file("conf.d/10.conf",
		 "rule \"b\" { match \"to\" { pattern = x } }\n"
		 "rule \"a\" { match \"from\" { pattern = 'other@' } tag = {late} }\n",
		 0600);
	r = load(BASE "rule \"a\" { match \"from\" { pattern = 'nagios@' }\n"
		      " match \"X-Host\" { pattern = db } set \"priority\" { value = high } }\n");
	assert_int_equal(r.rc, MD_OK);
	assert_int_equal(r.config->n_rules, 2);
	assert_string_equal(r.config->rules[0].title, "a");
	assert_int_equal(r.config->rules[0].n_matches, 2);
	assert_string_equal(r.config->rules[0].matches[0].name, "from");
	assert_string_equal(r.config->rules[0].matches[0].value, "other@");
	assert_string_equal(r.config->rules[0].matches[1].name, "X-Host");
	assert_int_equal(r.config->rules[0].n_sets, 1);
	assert_string_equal(r.config->rules[0].sets[0].value, "high");
	assert_string_equal(r.config->rules[0].tags.v[0], "late");
	assert_int_equal(r.config->rules[1].n_matches, 1);
	assert_int_equal(r.config->rules[1].n_sets, 0);
	done(&r);
	remove_fragments();
}

static void a_workflow_of_ones_own_is_the_desks(void **state)
{
	md_auto(arena_done) struct arena a = ARENA_INIT(1 << 16);
	struct loaded r =
		load(BASE "desk { workflow = kanban }\n"
			  "workflow \"kanban\" { status \"open\" { } status \"pending\" { }\n"
			  " status \"done\" { final = true }\n"
			  " move \"ask\" { from = open to = pending who = {agent, assignee} }\n"
			  " move \"finish\" { from = pending to = done guard = has_assignee\n"
			  "   who = {admin} by_itself = {auto_close, pending_close} } }\n");
	const struct workflow *w;
	const char *allowed[3];

	(void)state;
	assert_int_equal(r.rc, MD_OK);
	assert_int_equal(config_workflow(r.config, &a, &w, NULL), MD_OK);
	assert_string_equal(w->name, "kanban");
	assert_int_equal(w->statuses[1].phase, PHASE_WAITING);
	assert_int_equal(w->statuses[2].phase, PHASE_CLOSED);
	assert_int_equal(workflow_allowed(w, "open", WHO_ASSIGNEE, true, allowed, 3), 1);
	assert_int_equal(workflow_allowed(w, "pending", WHO_ADMIN, false, allowed, 3), 0);
	assert_string_equal(workflow_target(w, "FINISH"), "done");
	assert_string_equal(workflow_by_itself(w, "pending", TRIGGER_PENDING_CLOSE, true), "done");
	done(&r);
}

static void tickets_of_any_status_are_kept_for_a_while(void **state)
{
	const struct conf_retention *k;
	struct loaded r;

	(void)state;
	put_file("conf.d/10.conf", "retention { done = 0 stuck-2 = 1d action = delete }\n", 0600);
	r = load(BASE
		 "retention { stuck-2 = 30d done = 2y stuck-2 = 60d }\n"
		 "desk { workflow = kanban }\n"
		 "workflow \"kanban\" { status \"stuck-2\" { } status \"done\" { final = true }\n"
		 " move \"finish\" { from = stuck-2 to = done who = {admin} } }\n");
	assert_string_equal(buf_str(&r.problems), "");
	assert_int_equal(r.rc, MD_OK);
	k = &r.config->retention;
	assert_int_equal(k->n_statuses, 2);
	assert_string_equal(k->statuses[0].title, "stuck-2");
	assert_int_equal(k->statuses[0].age_ms, 86400000);
	assert_string_equal(k->statuses[1].title, "done");
	assert_int_equal(k->statuses[1].age_ms, 0);
	assert_string_equal(k->action, "delete");
	done(&r);
	remove_fragments();
}

static void a_missing_file_is_told_apart(void **state)
{
	struct loaded r = { .problems = BUF_INIT(1 << 16) };

	(void)state;
	r.rc = config_load("none.conf", &r.config, &r.problems);
	assert_int_equal(r.rc, MD_NOTFOUND);
	assert_string_equal(
		buf_str(&r.problems),
		"none.conf:1: cannot be read: No such file or directory; \"maildesk init\" "
		"writes one, --config names another\n");
	done(&r);
}

/* ---- good files ---- */

static struct loaded load_good(const char *text)
{
	struct loaded r = load(text);

	if (r.rc != MD_OK)
		print_error("%s", buf_str(&r.problems));
	assert_int_equal(r.rc, MD_OK);
	return r;
}

static void a_desk_needs_little_and_the_rest_is_default(void **state)
{
	struct loaded r = load_good(BASE);
	const struct config *c = r.config;
	const struct conf_mailbox *m = config_mailbox(c, "support");

	(void)state;
	assert_string_equal(buf_str(&r.problems), "");
	assert_string_equal(c->database, "sqlite:/var/lib/maildesk/desk.db");
	assert_string_equal(c->desk.subject_tag, "[#%d]");
	assert_string_equal(c->desk.visibility, "private");
	assert_string_equal(c->desk.subject_commands, "loose");
	assert_int_equal(c->desk.reopen_window_ms, INT64_C(14) * 86400000);
	assert_string_equal(c->http.listen, "127.0.0.1:8025");
	assert_string_equal(c->desk.url, "http://127.0.0.1:8025");
	assert_int_equal(c->http.trusted_proxies.n, 0);
	assert_int_equal(c->limits.auto_desk_hour, 1000);
	assert_int_equal(c->trust.trusted_hops, 1);
	assert_int_equal(c->n_smtp, 1);
	assert_int_equal(c->smtp[0].port, 587);
	assert_string_equal(c->smtp[0].password, "");
	assert_int_equal(c->smtp[0].retry_first_ms, 60000);
	assert_int_equal(c->n_mailboxes, 1);
	assert_non_null(m);
	assert_string_equal(m->user, "s@x.test");
	assert_string_equal(m->password, "secret word");
	assert_string_equal(m->smtp, "main");
	assert_string_equal(m->tls, "tls");
	assert_int_equal(m->port, 993);
	assert_int_equal(m->max_message_bytes, 50 << 20);
	assert_true(m->idle && m->plus_addressing);
	assert_null(config_mailbox(c, "other"));
	assert_null(config_smtp(c, "other"));
	done(&r);
}

static void a_server_as_database_is_taken_as_it_is(void **state)
{
	static const char where[] = "postgres:host=/run/postgresql dbname=desk";
	struct loaded r =
		load_good(BASE "database = \"postgres:host=/run/postgresql dbname=desk\"\n");

	(void)state;
	assert_string_equal(buf_str(&r.problems), "");
	assert_string_equal(r.config->database, where);
	done(&r);
}

static void later_values_win_and_sections_of_a_title_merge(void **state)
{
	struct loaded r;
	const struct conf_mailbox *m;
	const struct conf_sla *s;

	(void)state;
	put_file("conf.d/20.conf",
		 "mailbox \"support\" { port = 1143 aliases += { c@x.test } }\n"
		 "mailbox \"sales\" { address = sales@x.test host = h password_file = pw }\n"
		 "sla \"s\" { first_response { high = 2h } }\n",
		 0600);
	put_file("conf.d/10.conf",
		 "mailbox \"support\" { port = 143 idle = off folder = A } desk { name = Ten }\n",
		 0600);
	r = load_good(BASE
		      "desk { name = One locale = de } desk { timezone = UTC }\n"
		      "mailbox \"support\" { tls = starttls aliases = { a@x.test, b@x.test } }\n"
		      "sla \"s\" { warn = { 90, 50, 90 } pause = { }\n"
		      " first_response { high = 1h low = 90m } first_response { medium = 4h } }\n");
	m = config_mailbox(r.config, "support");
	s = r.config->slas;
	assert_int_equal(r.config->n_mailboxes, 2);
	assert_string_equal(r.config->mailboxes[0].title, "support");
	assert_int_equal(m->port, 1143);
	assert_false(m->idle);
	assert_string_equal(m->folder, "A");
	assert_string_equal(m->tls, "starttls");
	assert_string_equal(m->host, "imap.test");
	assert_int_equal(m->aliases.n, 3);
	assert_string_equal(m->aliases.v[0], "a@x.test");
	assert_string_equal(m->aliases.v[2], "c@x.test");
	assert_string_equal(r.config->desk.name, "Ten");
	assert_string_equal(r.config->desk.locale, "de");
	assert_string_equal(r.config->desk.timezone, "UTC");
	assert_int_equal(s->n_warn, 2);
	assert_int_equal(s->warn[0], 50);
	assert_int_equal(s->pause.n, 0);
	assert_int_equal(s->first_response_ms[0], 5400000);
	assert_int_equal(s->first_response_ms[1], 14400000);
	assert_int_equal(s->first_response_ms[2], 7200000);
	assert_int_equal(s->first_response_ms[3], 0);
	done(&r);
	remove_fragments();
}

static void secrets_come_from_credentials_first(void **state)
{
	struct loaded r;

	(void)state;
	assert_int_equal(mkdir("cred", 0700), 0);
	put_file("cred/pw", "from credentials\r\n", 0400);
	setenv("CREDENTIALS_DIRECTORY", "cred", 1);
	r = load_good(BASE);
	assert_string_equal(r.config->mailboxes[0].password, "from credentials");
	done(&r);
	unsetenv("CREDENTIALS_DIRECTORY");
}

static void what_works_but_is_odd_is_a_warning(void **state)
{
	struct loaded r = load_good(
		BASE "http { listen = \"0.0.0.0:80\" }\n"
		     "sla \"a\" { tags = { x, y } resolution { low = 1d } }\n"
		     "sla \"b\" { tags = { x } mailboxes = { support } resolution { low = 1d } }\n"
		     "sla \"c\" { calendar = c }\ncalendar \"c\" { }\n");

	(void)state;
	assert_string_equal(buf_str(&r.problems),
			    "main.conf:3: warning: http: listen = \"0.0.0.0:80\" is reachable from "
			    "the network without TLS: set certificate and key, or put a proxy with "
			    "TLS before 127.0.0.1\n"
			    "main.conf:5: warning: sla \"b\": is never reached: sla \"a\" "
			    "(main.conf:4) fits every ticket of it\n"
			    "main.conf:6: warning: sla \"c\": has no target: it does nothing\n"
			    "main.conf:7: warning: calendar \"c\": is never open: its targets "
			    "never come due\n");
	done(&r);
}

/* A field that is called as a command, which its mails would run. */
static void a_field_that_mails_cannot_set_is_told(void **state)
{
	struct loaded r =
		load_good(BASE "field \"status\" { }\nfield \"prio\" { }\nfield \"asset\" { }\n");

	(void)state;
	assert_string_equal(
		buf_str(&r.problems),
		"main.conf:3: warning: field \"status\": #status is a command: mails "
		"cannot set this field\n"
		"main.conf:4: warning: field \"prio\": #prio is a command: mails cannot set "
		"this field\n");
	done(&r);
}

/* Hours within 400 days, whatever they come from. */
static void a_calendar_that_is_never_open_is_told(void **state)
{
	static const struct {
		const char *body;
		bool open;
	} cases[] = {
		{ "", false },
		{ "mon = {\"09:00-09:00\"}", false },
		{ "mon = {\"09:00-09:01\"}", true },
		{ "special { date = \"2001-01-01\" hours = {\"09:00-17:00\"} }", false },
		{ "special { date = \"%s\" hours = {\"09:00-17:00\"} }", true },
		{ "special { date = \"%s\" hours = {\"09:00-09:00\"} }", false },
		{ "special { date = \"9999-01-01\" hours = {\"09:00-17:00\"} }", false },
	};
	char soon[40];
	time_t then = time(NULL) + 100 * 86400;

	(void)state;
	strftime(soon, sizeof soon, "%Y-%m-%d", gmtime(&then));
	for (size_t i = 0; i < MD_COUNT(cases); i++) {
		char body[200], text[2000];
		const char *at = strstr(cases[i].body, "%s");
		struct loaded r;

		snprintf(body, sizeof body, "%.*s%s%s", at ? (int)(at - cases[i].body) : 200,
			 cases[i].body, at ? soon : "", at ? at + 2 : "");
		snprintf(text, sizeof text, "%scalendar \"c\" { %s }\n", BASE, body);
		r = load_good(text);
		assert_int_equal(strstr(buf_str(&r.problems), "is never open") == NULL,
				 cases[i].open);
		done(&r);
	}
}

static void an_account_may_sign_in_by_tokens(void **state)
{
	struct loaded r = load("smtp \"main\" { host = \"mx.test\" user = u auth = \"oauth:x\" }\n"
			       "mailbox \"support\" { address = \"s@x.test\" host = \"imap.test\""
			       " auth = \"oauth:x\" }\n"
			       "oauth \"x\" { token_url = \"http://localhost:1/t\" client_id = desk"
			       " client_secret_file = pw }\n");

	(void)state;
	assert_string_equal(buf_str(&r.problems), "");
	assert_string_equal(r.config->smtp[0].oauth, "x");
	assert_string_equal(r.config->mailboxes[0].oauth, "x");
	assert_string_equal(config_oauth(r.config, "x")->client_secret, "secret word");
	assert_null(config_oauth(r.config, "y"));
	done(&r);
}

static void strings_keep_what_they_say(void **state)
{
	struct loaded r;

	(void)state;
	setenv("TEST_NAME", "Expanded", 1);
	r = load_good(BASE
		      "# comment { \"\n// another '\n"
		      "desk { name = \"# ${TEST_NAME} /* \\\"x\\\" */ \\x41\"\n"
		      "url = https://a.test/b subject_tag = '[\\'%d]' }\n"
		      "mailbox \"support\" { folder = \"a\\\n b\" contact_form_senders = { } }\n");
	assert_string_equal(r.config->desk.name, "# Expanded /* \"x\" */ A");
	assert_string_equal(r.config->desk.url, "https://a.test/b");
	assert_string_equal(r.config->desk.subject_tag, "['%d]");
	assert_string_equal(r.config->mailboxes[0].folder, "a b");
	done(&r);
}

static void the_sample_is_clean(void **state)
{
	md_auto(buf_done) struct buf sample = BUF_INIT(1 << 16);
	struct loaded r;

	(void)state;
	put_file("imap.secret", "a\n", 0600);
	put_file("smtp.secret", "b\n", 0600);
	config_sample(&sample);
	assert_int_equal(sample.status, MD_OK);
	r = load_good(buf_str(&sample));
	assert_string_equal(buf_str(&r.problems), "");
	assert_int_equal(r.config->calendars[0].hours[0].n, 2);
	assert_string_equal(r.config->calendars[0].timezone, "Europe/Berlin");
	assert_int_equal(r.config->slas[0].first_response_ms[3], 1800000);
	done(&r);
}

static void every_default_of_the_sample_is_accepted(void **state)
{
	md_auto(buf_done) struct buf sample = BUF_INIT(1 << 16);
	struct loaded r;

	(void)state;
	config_sample(&sample);
	for (char *at = sample.data; (at = strchr(at, '#')); at++)
		if (at[1] != ' ')
			*at = ' ';
	r = load(buf_str(&sample));
	assert_string_equal(buf_str(&r.problems), "");
	done(&r);
}

static void running_out_of_memory_is_told(void **state)
{
	int rc = MD_NOMEM;

	(void)state;
	for (long n = 1; rc != MD_OK; n++) {
		struct loaded r = { .problems = BUF_INIT(1 << 20) };

		put_file("main.conf",
			 BASE "desk { name = x } calendar \"c\" { mon = {\"09:00-10:00\"} }\n",
			 0600);
		md_alloc_fail(n, 1);
		rc = config_load("main.conf", &r.config, &r.problems);
		md_alloc_fail(0, 0);
		if (rc != MD_OK)
			assert_int_equal(rc, MD_NOMEM);
		done(&r);
		assert_in_range(n, 1, 1000);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bad_files_are_refused_with_file_line_and_what_is_allowed),
		cmocka_unit_test(what_editors_put_first_is_passed_over),
		cmocka_unit_test(every_file_tells_its_errors),
		cmocka_unit_test(sections_within_sections_merge_by_their_titles),
		cmocka_unit_test(a_workflow_of_ones_own_is_the_desks),
		cmocka_unit_test(tickets_of_any_status_are_kept_for_a_while),
		cmocka_unit_test(a_missing_file_is_told_apart),
		cmocka_unit_test(a_desk_needs_little_and_the_rest_is_default),
		cmocka_unit_test(a_server_as_database_is_taken_as_it_is),
		cmocka_unit_test(later_values_win_and_sections_of_a_title_merge),
		cmocka_unit_test(secrets_come_from_credentials_first),
		cmocka_unit_test(what_works_but_is_odd_is_a_warning),
		cmocka_unit_test(a_field_that_mails_cannot_set_is_told),
		cmocka_unit_test(a_calendar_that_is_never_open_is_told),
		cmocka_unit_test(an_account_may_sign_in_by_tokens),
		cmocka_unit_test(strings_keep_what_they_say),
		cmocka_unit_test(the_sample_is_clean),
		cmocka_unit_test(every_default_of_the_sample_is_accepted),
		cmocka_unit_test(running_out_of_memory_is_told),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
