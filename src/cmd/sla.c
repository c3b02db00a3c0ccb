/* maildesk sla [FILE]: SLA scenarios as JSON Lines in, answers out, nothing else touched.
 *
 * A scenario goes through the same values as a ticket in the daemon: what is due is taken off the
 * clock before each event, then the event is applied. Its time line is written down on the way. */
#include "sla_calendar.h"

#include <maildesk/cmd/cmd.h>

#include <maildesk/base/clock.h>
#include <maildesk/base/json.h>
#include <maildesk/cmd/options.h>
#include <maildesk/desk/sla.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#define MINUTE_MS INT64_C(60000)

enum {
	LINE_MAX_BYTES = 1024 * 1024,
	JSON_DEPTH = 6, /* scenario, events, event, calendar, hours, windows */
	TARGET_MAX_MINUTES = 100 * 366 * 24 * 60,
};

struct scenario {
	struct calendar calendar;
	struct sla_terms terms;
	struct sla_clock clock;
	int64_t at_ms; /* the last event */
	json_t *warnings, *explain;
};

static void scenario_done(struct scenario *s)
{
	calendar_done(&s->calendar);
	json_decref(s->warnings);
	json_decref(s->explain);
}

/* ---- reading ---- */

static int read_instant(const json_t *from, const char *key, int64_t *ret_ms, struct md_err *err)
{
	const char *text = json_get_string(from, key);

	if (!text || time_parse(text, ret_ms) != MD_OK)
		return md_fail(err, MD_INPUT, 0, "\"%s\" must be an instant like %s", key,
			       "\"2026-03-02T09:00:00Z\"");
	return MD_OK;
}

static int read_target(const json_t *from, const char *key, int64_t *ret_ms, struct md_err *err)
{
	const json_t *j = json_object_get(from, key);

	if (!json_is_integer(j) || json_integer_value(j) < 0 ||
	    json_integer_value(j) > TARGET_MAX_MINUTES)
		return md_fail(err, MD_INPUT, 0, "\"%s\" must be minutes from 0 to %d", key,
			       TARGET_MAX_MINUTES);
	*ret_ms = json_integer_value(j) * MINUTE_MS;
	return MD_OK;
}

static int read_warn(const json_t *list, struct sla_terms *terms, struct md_err *err)
{
	if (!list) {
		terms->warnings = 2;
		terms->warn[0] = 75;
		terms->warn[1] = 90;
		return MD_OK;
	}
	if (!json_is_array(list) || json_array_size(list) > SLA_WARNINGS)
		return md_fail(err, MD_INPUT, 0, "\"warn\" must be a list of at most %d numbers",
			       SLA_WARNINGS);
	for (size_t i = 0; i < json_array_size(list); i++) {
		json_int_t percent = json_integer_value(json_array_get(list, i));
		size_t at = terms->warnings++;

		if (percent < 1 || percent > 100)
			return md_fail(err, MD_INPUT, 0, "\"warn\" takes percentages 1 to 100");
		for (; at > 0 && terms->warn[at - 1] > percent; at--)
			terms->warn[at] = terms->warn[at - 1];
		terms->warn[at] = (uint8_t)percent;
	}
	return MD_OK;
}

/* ---- the time line ---- */

/* Answers have whole seconds; what is reached within a second is shown as reached at its end. */
static json_t *instant(int64_t ms)
{
	char text[TIME_TEXT_MAX];
	int64_t into_second = (ms % 1000 + 1000) % 1000;

	if (ms == SLA_NEVER)
		return json_null();
	return json_string(time_format(into_second ? ms + 1000 - into_second : ms, 0, text));
}

static int add_stretch(json_t *explain, int64_t from_ms, int64_t to_ms, bool counted,
		       const char *why)
{
	json_t *last = json_array_get(explain, json_array_size(explain) - 1);

	if (last && strcmp(json_get_string(last, "why"), why) == 0)
		return json_object_set_new(last, "to", instant(to_ms));
	return json_array_append_new(explain, json_pack("{s:o, s:o, s:b, s:s}", "from",
							instant(from_ms), "to", instant(to_ms),
							"counted", counted, "why", why));
}

/* Write down what the clock did since the last event. */
static int explain_until(struct scenario *s, int64_t to_ms)
{
	struct calendar_stretch g;
	char why[CALENDAR_WHY_MAX];

	if (s->clock.state == SLA_PAUSED && to_ms > s->at_ms)
		return add_stretch(s->explain, s->at_ms, to_ms, false, "paused");
	if (s->clock.state != SLA_RUNNING)
		return 0;
	for (int64_t t = s->at_ms; calendar_stretch(&s->calendar, t, to_ms, &g); t = g.to_ms)
		if (add_stretch(s->explain, g.from_ms, g.to_ms, g.why == CALENDAR_OPEN,
				calendar_why(&g, why)) != 0)
			return -1;
	return 0;
}

/* Warnings that `now_ms` sees; the breach goes into the clock. */
static int take_until(struct scenario *s, int64_t now_ms)
{
	struct sla_event e;

	while (sla_take(&s->clock, &s->terms, now_ms, &e))
		if (e.percent != SLA_TOLD_BREACH &&
		    json_array_append_new(s->warnings, instant(e.at_ms)) != 0)
			return -1;
	return 0;
}

/* ---- events ---- */

static int change_calendar(struct scenario *s, const json_t *event, int64_t at_ms,
			   struct md_err *err)
{
	struct sla_terms terms = s->terms;
	struct calendar calendar;
	int rc = sla_read_calendar(json_object_get(event, "calendar"), &calendar, err);

	if (rc != MD_OK)
		return rc;
	terms.calendar = &calendar;
	sla_change(&s->clock, &s->terms, &terms, at_ms);
	calendar_done(&s->calendar);
	s->calendar = calendar;
	return MD_OK;
}

static int change_target(struct scenario *s, const json_t *event, int64_t at_ms, struct md_err *err)
{
	struct sla_terms terms = s->terms;
	int rc = read_target(event, "minutes", &terms.target_ms, err);

	if (rc != MD_OK)
		return rc;
	sla_change(&s->clock, &s->terms, &terms, at_ms);
	s->terms = terms;
	return MD_OK;
}

static const struct {
	const char *name;
	enum sla_action action;
	int (*change)(struct scenario *s, const json_t *event, int64_t at_ms, struct md_err *err);
} event_kinds[] = {
	{ "pause", SLA_PAUSE, NULL },
	{ "resume", SLA_RESUME, NULL },
	{ "stop", SLA_STOP, NULL },
	{ "target", SLA_KEEP, change_target },
	{ "calendar", SLA_KEEP, change_calendar },
};

static int apply_event(struct scenario *s, const json_t *event, struct md_err *err)
{
	const char *name = json_get_string(event, "do");
	size_t i = 0;
	int64_t at_ms;
	int rc = read_instant(event, "at", &at_ms, err);

	if (rc != MD_OK)
		return rc;
	while (i < MD_COUNT(event_kinds) && (!name || strcmp(event_kinds[i].name, name) != 0))
		i++;
	if (i == MD_COUNT(event_kinds))
		return md_fail(err, MD_INPUT, 0,
			       "\"do\" must be pause, resume, stop, target or "
			       "calendar");
	if (at_ms < s->at_ms)
		return md_fail(err, MD_INPUT, 0, "events out of order");
	if (s->clock.state == SLA_MET || s->clock.state == SLA_BREACHED)
		return md_fail(err, MD_INPUT, 0, "events out of order: \"%s\" after \"stop\"",
			       name);
	if (take_until(s, at_ms) != 0 || explain_until(s, at_ms) != 0)
		return md_fail(err, MD_NOMEM, 0, "out of memory");
	if (event_kinds[i].change)
		rc = event_kinds[i].change(s, event, at_ms, err);
	else
		sla_apply(&s->clock, event_kinds[i].action, &s->terms, at_ms);
	s->at_ms = at_ms;
	return rc;
}

static int run_events(struct scenario *s, const json_t *events, struct md_err *err)
{
	if (events && !json_is_array(events))
		return md_fail(err, MD_INPUT, 0, "\"events\" must be a list");
	for (size_t i = 0; i < json_array_size(events); i++) {
		int rc = apply_event(s, json_array_get(events, i), err);

		if (rc != MD_OK)
			return md_wrap(err, rc, "event %zu", i + 1);
	}
	return MD_OK;
}

static int run_scenario(struct scenario *s, const json_t *in, struct md_err *err)
{
	int64_t start_ms;
	int rc;

	if (!json_is_object(in))
		return md_fail(err, MD_INPUT, 0, "a scenario must be an object");
	if ((rc = sla_read_calendar(json_object_get(in, "calendar"), &s->calendar, err)) != MD_OK ||
	    (rc = read_instant(in, "start", &start_ms, err)) != MD_OK ||
	    (rc = read_target(in, "target", &s->terms.target_ms, err)) != MD_OK ||
	    (rc = read_warn(json_object_get(in, "warn"), &s->terms, err)) != MD_OK)
		return rc;
	s->terms.calendar = &s->calendar;
	s->warnings = json_array();
	s->explain = json_array();
	s->at_ms = start_ms;
	sla_apply(&s->clock, SLA_START, &s->terms, start_ms);
	return run_events(s, json_object_get(in, "events"), err);
}

/* ---- answering ---- */

/* The warnings still to come, as things stand. */
static int foresee_warnings(struct scenario *s)
{
	struct sla_clock ahead = s->clock;
	struct sla_event e;

	for (; sla_next(&ahead, &s->terms, &e) && e.percent != SLA_TOLD_BREACH;
	     ahead.told = e.percent)
		if (json_array_append_new(s->warnings, instant(e.at_ms)) != 0)
			return -1;
	return 0;
}

/* NULL when out of memory. */
static json_t *make_answer(struct scenario *s, json_t *name, struct md_err *err)
{
	const struct sla_clock *k = &s->clock;
	json_t *out;

	if (foresee_warnings(s) != 0) {
		md_fail(err, MD_NOMEM, 0, "out of memory");
		return NULL;
	}
	out = json_pack("{s:O, s:o, s:s, s:I}", "name", name, "due", instant(k->due_ms), "state",
			sla_state_names[k->state], "elapsed",
			(json_int_t)(sla_used(k, &s->terms, s->at_ms) / MINUTE_MS));
	if (!out ||
	    (k->breached_ms != SLA_NEVER &&
	     json_object_set_new(out, "breached_at", instant(k->breached_ms)) != 0) ||
	    json_object_set(out, "warnings", s->warnings) != 0 ||
	    json_object_set(out, "explain", s->explain) != 0) {
		json_decref(out);
		md_fail(err, MD_NOMEM, 0, "out of memory");
		return NULL;
	}
	return out;
}

/* Answer one line. MD_OK, MD_INPUT for a bad scenario, which is answered too, or MD_NOMEM. */
static int answer_line(const char *line, size_t n, size_t number)
{
	md_auto(scenario_done) struct scenario s = { 0 };
	md_auto(json_decref_p) json_t *in = NULL;
	md_auto(json_decref_p) json_t *out = NULL;
	md_auto(buf_done) struct buf text = BUF_INIT(64 * LINE_MAX_BYTES);
	struct md_err err = { 0 };
	json_t *name;
	int rc = n > LINE_MAX_BYTES ? md_fail(&err, MD_INPUT, 0, "line longer than 1 MiB")
				    : json_read(line, n, JSON_DEPTH, &in, &err);

	if (rc == MD_OK)
		rc = run_scenario(&s, in, &err);
	name = json_object_get(in, "name");
	if (!json_is_string(name))
		name = json_null();
	if (rc == MD_OK)
		out = make_answer(&s, name, &err);
	else if (rc != MD_NOMEM)
		out = json_pack("{s:O, s:s}", "name", name, "error", err.text);
	json_write(&text, out);
	if (!out || text.status != MD_OK) {
		fprintf(stderr, "maildesk sla: line %zu: out of memory\n", number);
		return MD_NOMEM;
	}
	if (rc == MD_OK && s.clock.state == SLA_RUNNING && s.clock.due_ms == SLA_NEVER)
		fprintf(stderr,
			"maildesk sla: line %zu: the calendar is not open long enough for "
			"a due time\n",
			number);
	printf("%s\n", buf_str(&text));
	return rc == MD_OK ? MD_OK : MD_INPUT;
}

static int answer_all(FILE *in)
{
	md_auto(md_free_p) char *line = NULL;
	size_t room = 0, number = 0;
	ssize_t n;
	int code = EX_OK;

	while ((n = getline(&line, &room, in)) >= 0) {
		int rc;

		number++;
		if (strspn(line, " \t\r\n") == (size_t)n)
			continue;
		rc = answer_line(line, (size_t)n, number);
		if (rc == MD_NOMEM)
			return EX_OSERR;
		if (rc != MD_OK)
			code = EX_DATAERR;
	}
	if (ferror(in) || fflush(stdout) != 0) {
		fprintf(stderr, "maildesk sla: %s\n", strerror(errno));
		return EX_IOERR;
	}
	return code;
}

int cmd_sla(int argc, char **argv)
{
	const struct cmd_option options[] = { CMD_OPTIONS_END };
	const struct cmd_usage usage = {
		"sla",   "[FILE]", "Works out service level scenarios, one JSON object a line.",
		options, 0,        1
	};
	FILE *in = stdin;
	int first, code;

	if (!cmd_options(&usage, argc, argv, &first, &code))
		return code;
	if (first < argc && !(in = fopen(argv[first], "re"))) {
		fprintf(stderr, "maildesk sla: %s: %s\n", argv[first], strerror(errno));
		return EX_NOINPUT;
	}
	code = answer_all(in);
	if (in != stdin)
		fclose(in);
	return code;
}
