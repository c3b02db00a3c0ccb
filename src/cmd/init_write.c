/* Providers, and the configuration that init writes. */
#include "init.h"

#include <maildesk/base/mem.h>

#include <string.h>
#include <strings.h>

/* Sources: the providers' help pages on IMAP, SMTP and application passwords. Google and Microsoft
 * rewrite or refuse an envelope sender that is not the account's own: no VERP there. */
static const struct preset presets[] = {
	{ .name = "gmail",
	  .domains = "gmail.com googlemail.com",
	  .imap_host = "imap.gmail.com",
	  .smtp_host = "smtp.gmail.com",
	  .keys = "\tverp = false\n",
	  .hint = "Gmail wants an app password: https://myaccount.google.com/apppasswords" },
	{ .name = "microsoft365",
	  .domains = "outlook.com hotmail.com live.com",
	  .imap_host = "outlook.office365.com",
	  .smtp_host = "smtp.office365.com",
	  .keys = "\tverp = false\n",
	  .oauth = "microsoft365",
	  .token_url = "https://login.microsoftonline.com/organizations/oauth2/v2.0/token",
	  .device_url = "https://login.microsoftonline.com/organizations/oauth2/v2.0/devicecode",
	  .scope = "https://outlook.office.com/IMAP.AccessAsUser.All "
		   "https://outlook.office.com/SMTP.Send offline_access",
	  .hint = "Microsoft 365 takes no passwords: register an application (public client, "
		  "device "
		  "code flow) in Entra ID, and enable SMTP AUTH for the mailbox." },
	{ .name = "fastmail",
	  .domains = "fastmail.com fastmail.fm",
	  .imap_host = "imap.fastmail.com",
	  .smtp_host = "smtp.fastmail.com",
	  .hint = "Fastmail wants an app password: Settings, Privacy & Security, Manage app "
		  "passwords." },
	{ .name = "own", .domains = "" },
};

const struct preset *init_preset(const char *name)
{
	for (size_t i = 0; i < MD_COUNT(presets); i++)
		if (strcasecmp(presets[i].name, name) == 0)
			return &presets[i];
	return NULL;
}

static bool is_word_of(const char *words, const char *word)
{
	size_t n = strlen(word);

	for (const char *at = words; *at; at += strspn(at, " ")) {
		size_t k = strcspn(at, " ");

		if (k == n && strncasecmp(at, word, n) == 0)
			return true;
		at += k;
	}
	return false;
}

const char *init_guess(const char *address)
{
	const char *at = strrchr(address, '@');

	for (size_t i = 0; at && i < MD_COUNT(presets); i++)
		if (is_word_of(presets[i].domains, at + 1))
			return presets[i].name;
	return NULL;
}

/* A value between double quotes. */
static void add(struct buf *out, const char *key, const char *value)
{
	if (!value || !*value)
		return;
	buf_addf(out, "%s = \"", key);
	for (; *value; value++) {
		if (strchr("\"\\$", *value))
			buf_addc(out, '\\');
		buf_addc(out, *value);
	}
	buf_adds(out, "\"\n");
}

static void add_number(struct buf *out, const char *key, const char *value)
{
	if (value)
		buf_addf(out, "%s = %s\n", key, value);
}

static const char * or (const char *a, const char *b)
{
	return a ? a : b;
}

static const char *host_of(const struct place *at, const char *usual)
{
	return *at->host ? at->host : usual;
}

static void add_auth(const struct plan *p, const char *secret, struct buf *out)
{
	if (p->preset->oauth)
		buf_addf(out, "\tauth = \"oauth:%s\"\n", p->preset->oauth);
	else
		add(out, "\tpassword_file", secret);
}

static void add_mailbox(const struct plan *p, const struct init_found *found, struct buf *out)
{
	const char *tls = or (p->imap_tls, "tls");

	buf_adds(out, "\n# The mailbox whose mail becomes tickets.\nmailbox \"support\" {\n");
	add(out, "\taddress", p->answer[ADDRESS]);
	add(out, "\thost", host_of(&p->imap, p->preset->imap_host));
	add(out, "\ttls", p->imap_tls);
	add_number(out, "\tport",
		   or (p->imap_port,
		       or (p->imap.port, strcmp(tls, "starttls") == 0 ? "143" : NULL)));
	add(out, "\tca_file", p->ca_file);
	add(out, "\tuser", or (p->imap_user, p->answer[ADDRESS]));
	add_auth(p, p->imap_secret, out);
	buf_adds(out, or (p->preset->keys, ""));
	if (found && found->no_plus)
		buf_adds(out, "\tplus_addressing = false # mail to address+anything does not "
			      "arrive\n");
	buf_adds(out, "\tsmtp = \"main\"\n}\n");
}

static void add_smtp(const struct plan *p, struct buf *out)
{
	const char *user = or (p->smtp_user, or (p->imap_user, p->answer[ADDRESS]));

	buf_adds(out, "\n# The server that takes our mail.\nsmtp \"main\" {\n");
	add(out, "\thost",
	    host_of(&p->smtp, or (p->preset->smtp_host, host_of(&p->imap, p->preset->imap_host))));
	add_number(out, "\tport", or (p->smtp_port, p->smtp.port));
	add(out, "\ttls", p->smtp_tls);
	add(out, "\tca_file", p->ca_file);
	if (strcmp(user, "-") != 0) {
		add(out, "\tuser", user);
		add_auth(p, p->smtp_secret ? p->smtp_secret_path : p->imap_secret, out);
	}
	buf_adds(out, "}\n");
}

static void add_oauth(const struct plan *p, struct buf *out)
{
	const struct preset *s = p->preset;

	if (!s->oauth)
		return;
	buf_addf(out, "\noauth \"%s\" {\n", s->oauth);
	add(out, "\ttoken_url", s->token_url);
	add(out, "\tdevice_url", s->device_url);
	add(out, "\tclient_id", p->answer[CLIENT_ID]);
	add(out, "\tscope", s->scope);
	buf_adds(out, "}\n");
}

void init_compose(const struct plan *p, const struct init_found *found, struct buf *out)
{
	buf_adds(out,
		 "# Configuration of maildesk, made by \"maildesk init\". Every other key, its\n"
		 "# default and its meaning: maildesk check --sample, maildesk.conf(5)\n"
		 "# After a change: maildesk check && systemctl reload maildesk\n\n");
	add(out, "state_dir", p->state_dir);
	if (p->name || p->url) {
		buf_adds(out, "\ndesk {\n");
		add(out, "\tname", p->name);
		add(out, "\turl", p->url);
		buf_adds(out, "}\n");
	}
	if (p->listen) {
		buf_adds(out, "\n# API and console.\nhttp {\n");
		add(out, "\tlisten", p->listen);
		buf_adds(out, "}\n");
	}
	add_mailbox(p, found, out);
	add_smtp(p, out);
	add_oauth(p, out);
	if (found && found->authserv_id) {
		buf_adds(out, "\n# Whose word on a sender counts, as a mail to itself showed.\n"
			      "trust {\n");
		add(out, "\tauthserv_id", found->authserv_id);
		buf_addf(out, "\ttrusted_hops = %lld\n", (long long)found->hops);
		if (found->below)
			buf_adds(out, "\tposition = \"below\"\n");
		buf_adds(out, "}\n");
	}
}
