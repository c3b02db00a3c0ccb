#include "letter_view.h"

#include <maildesk/app/zone.h>
#include <maildesk/base/json.h>
#include <maildesk/desk/command_words.h>
#include <maildesk/desk/markdown_html.h>
#include <maildesk/desk/reason.h>
#include <maildesk/desk/text_html.h>
#include <maildesk/desk/words.h>

#include <stdio.h>
#include <string.h>

enum { DATE_MAX = 200, REASON_MAX = 16 << 10 };

static bool set_text(json_t *object, const char *key, const char *value)
{
	return json_object_set_new(object, key, json_string(value)) == 0;
}

/* "due" of "due_at": milliseconds as a date for people. */
static bool set_date(json_t *object, const char *key, const char *from, const struct words *w,
		     const char *zone)
{
	md_auto(calendar_done) struct calendar calendar = { 0 };
	md_auto(buf_done) struct buf text = BUF_INIT(DATE_MAX);
	const json_t *at = json_object_get(object, from);
	int64_t at_ms = json_integer_value(at);

	if (!json_is_integer(at) || at_ms == 0)
		return true;
	if (!zone || zone_load(zone, &calendar, NULL) != MD_OK)
		zone = "UTC";
	words_date(w, at_ms, (int64_t)tz_offset(calendar.tz, at_ms / 1000, NULL) * 1000, zone,
		   &text);
	return set_text(object, key, buf_str(&text));
}

void letter_html(const json_t *comment, struct buf *out)
{
	const char *body = json_get_string(comment, "body");

	if (!body)
		return;
	(json_is_true(json_object_get(comment, "markdown")) ? markdown_html
							    : text_html)(out, body, strlen(body));
}

/* {{{comment.html}}}, unless whoever froze it knew better. */
static bool set_html(json_t *comment)
{
	md_auto(buf_done) struct buf html = BUF_INIT(LETTER_HTML_MAX);

	if (!json_get_string(comment, "body") || json_get_string(comment, "html"))
		return true;
	letter_html(comment, &html);
	return html.status == MD_OK && set_text(comment, "html", buf_str(&html));
}

/* What commands do, and the comments of tickets that an agent asked for by #show. */
static bool set_answers(const json_t *answers, const struct words *w, const char *zone)
{
	size_t i, k;
	json_t *answer, *comment, *row;

	json_array_foreach(answers, i, answer)
	{
		const json_t *show = json_object_get(answer, "show");
		const json_t *help = json_object_get(answer, "help");

		json_array_foreach(json_object_get(help, "rows"), k, row)
		{
			const char *verb = json_get_string(row, "verb");
			const char *words = verb ? command_help(verb, words_locale(w)) : NULL;

			if (words && !set_text(row, "help", words))
				return false;
		}

		json_array_foreach(json_object_get(show, "comments"), k, comment)
		{
			if (!set_html(comment) || !set_date(comment, "at", "at_ms", w, zone))
				return false;
		}
	}
	return true;
}

static bool set_reason(json_t *line, const char *key, const struct words *w)
{
	md_auto(buf_done) struct buf text = BUF_INIT(REASON_MAX);
	const char *reason = json_get_string(line, key);

	if (!reason)
		return true;
	reason_say(reason_rows, &text, reason, words_locale(w));
	return text.status == MD_OK && set_text(line, key, buf_str(&text));
}

/* What is wrong with a mailbox. */
static bool set_error(json_t *mailbox, const struct words *w)
{
	md_auto(buf_done) struct buf text = BUF_INIT(REASON_MAX);
	const char *error = json_get_string(mailbox, "error");

	if (!error)
		return true;
	words_mailbox_error(w, error, &text);
	return text.status == MD_OK && set_text(mailbox, "error", buf_str(&text));
}

/* What became of each command. */
static bool set_lines(const json_t *lines, const struct words *w)
{
	json_t *line;
	size_t i;

	json_array_foreach(lines, i, line)
	{
		if (!set_reason(line, "reason", w) || !set_reason(line, "result", w))
			return false;
	}
	return true;
}

static bool set_word(json_t *object, const char *key, const char *from, const struct words *w,
		     const char *(*word)(const struct words *, const char *))
{
	const char *id = json_get_string(object, from);

	return !id || set_text(object, key, word(w, id));
}

/* What happened meanwhile. */
static bool set_digest(const json_t *digest, const struct words *w, const char *zone)
{
	size_t i, k;
	json_t *ticket, *item;

	json_array_foreach(json_object_get(digest, "tickets"), i, ticket)
	{
		json_array_foreach(json_object_get(ticket, "items"), k, item)
		{
			if (!set_html(item) || !set_date(item, "at", "at_ms", w, zone) ||
			    !set_word(item, "status_name", "status", w, words_status))
				return false;
		}
	}
	return true;
}

static bool set_sizes(const json_t *files, const struct words *w)
{
	json_t *file;
	size_t i;

	json_array_foreach(files, i, file)
	{
		const json_t *n = json_object_get(file, "megabytes");

		if (n && json_object_set_new(file, "size",
					     json_sprintf("%lld\xc2\xa0%s",
							  (long long)json_integer_value(n),
							  words_megabyte(w))) != 0)
			return false;
	}
	return true;
}

static bool set_labels(json_t *actions, const struct words *w)
{
	json_t *action;
	size_t i;

	json_array_foreach(actions, i, action) if (!set_word(action, "label", "verb", w,
							     words_action)) return false;
	return true;
}

/* The locale of the event's text, as a tag of RFC 5646. */
static void language_of(const struct templates_view *view, const char *event,
			char tag[TEMPLATES_LOCALE_LEN])
{
	char name[100];
	const char *locale;

	snprintf(name, sizeof name, "%s.text", event);
	locale = templates_locale_of(view, name);
	snprintf(tag, TEMPLATES_LOCALE_LEN, "%s", locale ? locale : "en");
	for (char *c = tag; *c; c++)
		*c = *c == '_' ? '-' : *c;
}

int letter_view(const struct templates *t, const char *event, json_t *data,
		struct templates_view *ret, struct md_err *err)
{
	const char *wanted[] = { json_get_string(data, "locale"),
				 json_get_string(data, "desk_locale") };
	const char *zone = json_get_string(data, "timezone");
	json_t *ticket = json_object_get(data, "ticket"), *sla = json_object_get(data, "sla"),
	       *mailbox = json_object_get(data, "mailbox");
	char lang[TEMPLATES_LOCALE_LEN];
	const struct words *w;
	bool ok;

	if (!json_is_object(data))
		return md_fail(err, MD_INPUT, 0, "frozen data that is no object");
	templates_view(t, wanted, MD_COUNT(wanted), ret);
	language_of(ret, event, lang);
	w = words_choose((const char *[]){ lang, wanted[0], wanted[1] }, 3);
	ok = set_text(data, "lang", lang) && set_text(data, "dir", words_direction(lang)) &&
	     set_text(data, "align",
		      strcmp(words_direction(lang), "rtl") == 0 ? "right" : "left") &&
	     set_text(data, "reply_marker", words_reply_marker(w)) &&
	     (!json_object_get(data, "files") || set_text(data, "files_note", words_files(w))) &&
	     set_sizes(json_object_get(data, "files"), w) &&
	     set_html(json_object_get(data, "comment")) &&
	     set_html(json_object_get(data, "signature")) &&
	     set_lines(json_object_get(data, "lines"), w) &&
	     set_answers(json_object_get(data, "answers"), w, zone) &&
	     set_digest(json_object_get(data, "digest"), w, zone) &&
	     set_word(ticket, "status_name", "status", w, words_status) &&
	     set_labels(json_object_get(data, "actions"), w) &&
	     set_word(sla, "metric", "metric", w, words_metric) &&
	     set_date(sla, "due", "due_at", w, zone) && set_error(mailbox, w) &&
	     set_date(mailbox, "since", "since_at", w, zone);
	return ok ? MD_OK : md_fail(err, MD_NOMEM, 0, "out of memory");
}
