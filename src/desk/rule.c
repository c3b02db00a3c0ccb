/* A match is a pattern over one text of the mail; which text, says a table by its name. The time a
 * pattern may take is held by a callout that PCRE2 makes between any two items, for its own limits
 * count steps and not time. */
#define PCRE2_CODE_UNIT_WIDTH 8
#include <maildesk/base/buf.h>
#include <maildesk/base/mem.h>
#include <maildesk/desk/rule.h>

#include <pcre2.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum {
	MATCH_STEPS = 10000000,
	MATCH_DEPTH = 100000,
	MATCH_HEAP_KIB = 20000,
	CALLOUTS_BETWEEN_LOOKS = 256,
	EVIDENCE_MAX = 200,
	PATTERN_MAX = 4096,
};

static const char *const action_names[RULE_ACTIONS] = { "set", "route", "tag", "quarantine",
							"discard" };

const char *rule_action_name(enum rule_action action)
{
	return action_names[action];
}

/* ---- the texts of a mail ---- */

static void add_people(const struct rec_list *people, struct buf *out)
{
	const struct mail_address *all = people->v;

	for (size_t i = 0; i < people->n; i++)
		buf_addf(out, "%s%s%s<%s>", i ? "\n" : "", all[i].name ? all[i].name : "",
			 all[i].name ? " " : "", all[i].address);
}

static void text_from(const struct rule_input *in, struct buf *out)
{
	add_people(&in->message->from, out);
}

static void text_to(const struct rule_input *in, struct buf *out)
{
	add_people(&in->message->to, out);
}

static void text_cc(const struct rule_input *in, struct buf *out)
{
	add_people(&in->message->cc, out);
}

static void text_subject(const struct rule_input *in, struct buf *out)
{
	buf_adds(out, in->message->subject ? in->message->subject : "");
}

static void text_body(const struct rule_input *in, struct buf *out)
{
	size_t n = strlen(in->message->text);

	buf_add(out, in->message->text, n < RULE_SUBJECT_MAX ? n : RULE_SUBJECT_MAX);
}

static void text_kind(const struct rule_input *in, struct buf *out)
{
	buf_adds(out, message_kind_name((enum message_kind)in->message->kind));
}

static void text_trust(const struct rule_input *in, struct buf *out)
{
	buf_addf(out, "%d", in->trust);
}

static void text_attachment(const struct rule_input *in, struct buf *out)
{
	const struct attachment *all = in->message->attachments.v;

	for (size_t i = 0; i < in->message->attachments.n; i++)
		buf_addf(out, "%s%s", i ? "\n" : "", all[i].filename ? all[i].filename : "");
}

static void text_size(const struct rule_input *in, struct buf *out)
{
	buf_addf(out, "%lld", (long long)in->size);
}

static const struct place {
	const char *name;
	void (*text)(const struct rule_input *in, struct buf *out);
} places[] = {
	{ "from", text_from },       { "to", text_to },     { "cc", text_cc },
	{ "subject", text_subject }, { "body", text_body }, { "kind", text_kind },
	{ "trust", text_trust },     { "size", text_size }, { "attachment", text_attachment },
};

static const struct place *find_place(const char *name)
{
	for (size_t i = 0; i < MD_COUNT(places); i++)
		if (strcasecmp(places[i].name, name) == 0)
			return &places[i];
	return NULL;
}

static void text_of(const struct rule_input *in, const char *name, struct buf *out)
{
	const struct place *place = find_place(name);
	const struct mail_field *fields = in->message->fields.v;

	if (place) {
		place->text(in, out);
		return;
	}
	for (size_t i = 0; i < in->message->fields.n; i++)
		if (strcasecmp(fields[i].name, name) == 0)
			buf_addf(out, "%s%s", out->len ? "\n" : "", fields[i].value);
}

/* ---- compiling ---- */

/* One match: a pattern, or for "size" a bound. */
struct test {
	const struct rule_pair *pair;
	pcre2_code *code; /* NULL: a bound */
	bool above;
	int64_t bound;
};
struct compiled {
	const struct rule *rule;
	struct test *tests; /* n_matches */
};
struct rules {
	struct compiled *v;
	size_t n;
	struct rec_strs fields;
};

/* "> 10M", "< 500k" */
static int read_bound(const char *text, struct test *t)
{
	static const char units[] = "kMG";
	const char *unit;
	char *end;

	if (*text != '>' && *text != '<')
		return MD_INPUT;
	t->above = *text == '>';
	text += 1 + strspn(text + 1, " ");
	if (*text < '0' || *text > '9')
		return MD_INPUT;
	t->bound = strtoll(text, &end, 10);
	unit = *end ? strchr(units, *end) : NULL;
	if (t->bound > INT64_C(1) << 32 || (*end && !unit) || (*end && end[1]))
		return MD_INPUT;
	for (const char *u = units; unit && u <= unit; u++)
		t->bound *= 1024;
	return MD_OK;
}

static int compile_pattern(const struct rule *rule, const struct rule_pair *m, struct test *t,
			   struct md_err *err)
{
	size_t n = strlen(m->value), at = 0;
	PCRE2_UCHAR8 why[200];
	int code = 0;

	if (n == 0 || n > PATTERN_MAX)
		return md_fail(err, MD_INPUT, 0,
			       "rule \"%s\": match \"%s\": a pattern has 1 to %d characters",
			       rule->title, m->name, PATTERN_MAX);
	t->code = pcre2_compile_8((PCRE2_SPTR8)m->value, n,
				  PCRE2_CASELESS | PCRE2_UTF | PCRE2_MULTILINE |
					  PCRE2_AUTO_CALLOUT | PCRE2_NEVER_BACKSLASH_C,
				  &code, &at, NULL);
	if (t->code)
		return MD_OK;
	pcre2_get_error_message_8(code, why, sizeof why);
	return md_fail(err, MD_INPUT, 0, "rule \"%s\": match \"%s\": at character %zu: %s",
		       rule->title, m->name, at + 1, (const char *)why);
}

static int compile_rule(const struct rule *rule, struct compiled *c, struct rec_strs *fields,
			struct md_err *err)
{
	int rc = MD_OK;

	c->rule = rule;
	c->tests = md_calloc(rule->n_matches + 1, sizeof *c->tests);
	if (!c->tests)
		return md_fail(err, MD_NOMEM, 0, "out of memory");
	if (rule->n_matches == 0)
		return md_fail(err, MD_INPUT, 0,
			       "rule \"%s\": it has no match section: name what it looks at, like "
			       "match \"from\" { pattern = 'nagios@' }",
			       rule->title);
	for (size_t i = 0; i < rule->n_matches && rc == MD_OK; i++) {
		const struct rule_pair *m = &rule->matches[i];

		c->tests[i].pair = m;
		if (strcasecmp(m->name, "size") != 0)
			rc = compile_pattern(rule, m, &c->tests[i], err);
		else if (read_bound(m->value, &c->tests[i]) != MD_OK)
			rc = md_fail(err, MD_INPUT, 0,
				     "rule \"%s\": match \"size\": allowed: \"> 10M\" or \"< 1k\"",
				     rule->title);
		if (!find_place(m->name))
			fields->v[fields->n++] = m->name;
	}
	return rc;
}

int rules_compile(const struct rule *rules, size_t n, struct rules **ret, struct md_err *err)
{
	md_auto(rules_free_p) struct rules *r = md_calloc(1, sizeof *r);
	size_t matches = 1;
	int rc = MD_OK;

	for (size_t i = 0; i < n; i++)
		matches += rules[i].n_matches;
	if (r) {
		r->v = md_calloc(n + 1, sizeof *r->v);
		r->fields.v = md_calloc(matches, sizeof *r->fields.v);
	}
	if (!r || !r->v || !r->fields.v)
		return md_fail(err, MD_NOMEM, 0, "out of memory");
	for (; r->n < n && rc == MD_OK; r->n++)
		rc = compile_rule(&rules[r->n], &r->v[r->n], &r->fields, err);
	if (rc == MD_OK)
		*ret = md_take(r);
	return rc;
}

void rules_free(struct rules *r)
{
	if (!r)
		return;
	for (size_t i = 0; i < r->n; i++) {
		for (size_t k = 0; r->v[i].tests && k < r->v[i].rule->n_matches; k++)
			pcre2_code_free_8(r->v[i].tests[k].code);
		free(r->v[i].tests);
	}
	free(r->v);
	free(r->fields.v);
	free(r);
}

const struct rec_strs *rules_fields(const struct rules *r)
{
	return &r->fields;
}

/* ---- applying ---- */

struct applying {
	const struct rule_input *in;
	const struct clock *clock;
	struct arena *arena;
	pcre2_match_context *limits;
	pcre2_match_data *data;
	int64_t deadline_ms; /* monotonic */
	unsigned callouts;
	const char *hit; /* a limit that was hit */
};

static int on_callout(pcre2_callout_block *block, void *ctx)
{
	struct applying *a = ctx;

	(void)block;
	if (++a->callouts % CALLOUTS_BETWEEN_LOOKS || clock_mono(a->clock) < a->deadline_ms)
		return 0;
	return PCRE2_ERROR_CALLOUT;
}

static const char *limit_name(int code)
{
	switch (code) {
	case PCRE2_ERROR_CALLOUT:
		return "took too long";
	case PCRE2_ERROR_MATCHLIMIT:
	case PCRE2_ERROR_DEPTHLIMIT:
	case PCRE2_ERROR_HEAPLIMIT:
		return "took too many steps";
	case PCRE2_ERROR_NOMEMORY:
		return "took too much memory";
	default:
		return "could not be matched";
	}
}

/* Does it match? What it found is added to `evidence`. */
static bool passes(struct applying *a, const struct test *t, struct buf *evidence)
{
	md_auto(buf_done) struct buf text = BUF_INIT(RULE_SUBJECT_MAX + 4096);
	size_t begin, end;
	int rc;

	if (!t->code) {
		if (t->above ? a->in->size <= t->bound : a->in->size >= t->bound)
			return false;
		buf_addf(evidence, "%ssize: %lld", evidence->len ? "; " : "",
			 (long long)a->in->size);
		return true;
	}
	text_of(a->in, t->pair->name, &text);
	rc = pcre2_match_8(t->code, (PCRE2_SPTR8)buf_str(&text), text.len, 0, 0, a->data,
			   a->limits);
	if (rc < 0) {
		if (rc != PCRE2_ERROR_NOMATCH)
			a->hit = limit_name(rc);
		return false;
	}
	begin = pcre2_get_ovector_pointer_8(a->data)[0];
	end = pcre2_get_ovector_pointer_8(a->data)[1];
	if (end < begin) /* \K may put it behind */
		end = begin;
	buf_addf(evidence, "%s%s: %.*s", evidence->len ? "; " : "", t->pair->name,
		 (int)(end - begin < EVIDENCE_MAX ? end - begin : EVIDENCE_MAX),
		 buf_str(&text) + begin);
	return true;
}

static int apply_one(struct applying *a, const struct compiled *c, struct rule_outcome *out,
		     struct md_err *err)
{
	md_auto(buf_done) struct buf evidence = BUF_INIT(1 << 16);
	struct rule_hit *hit = &out->hits[out->n_hits];
	size_t passed = 0;

	a->deadline_ms = clock_mono(a->clock) + RULE_DEADLINE_MS;
	a->callouts = 0;
	a->hit = NULL;
	while (passed < c->rule->n_matches && passes(a, &c->tests[passed], &evidence))
		passed++;
	if (passed < c->rule->n_matches && !a->hit)
		return MD_OK;
	*hit = (struct rule_hit){ .rule = c->rule, .matched = !a->hit };
	hit->evidence = a->hit ? arena_printf(a->arena, "match \"%s\" %s",
					      c->tests[passed].pair->name, a->hit)
			       : arena_strdup(a->arena, buf_str(&evidence));
	if (!hit->evidence)
		return md_fail(err, MD_NOMEM, 0, "out of memory");
	out->n_hits++;
	out->quarantine = hit->matched && c->rule->action == RULE_QUARANTINE;
	out->discard = hit->matched && c->rule->action == RULE_DISCARD;
	return MD_OK;
}

MD_DEFINE_AUTO(pcre2_match_context *, pcre2_match_context_free_8)
MD_DEFINE_AUTO(pcre2_match_data *, pcre2_match_data_free_8)

int rules_apply(const struct rules *r, const struct rule_input *in, const struct clock *clock,
		struct arena *arena, struct rule_outcome *ret, struct md_err *err)
{
	md_auto(pcre2_match_context_free_8_p) pcre2_match_context *limits =
		pcre2_match_context_create_8(NULL);
	md_auto(pcre2_match_data_free_8_p) pcre2_match_data *data =
		pcre2_match_data_create_8(1, NULL);
	struct applying a = { in, clock, arena, limits, data, 0, 0, NULL };
	int rc = MD_OK;

	*ret = (struct rule_outcome){ .hits = arena_array(arena, r->n + 1, sizeof *ret->hits) };
	if (!limits || !data || !ret->hits)
		return md_fail(err, MD_NOMEM, 0, "out of memory");
	pcre2_set_match_limit_8(limits, MATCH_STEPS);
	pcre2_set_depth_limit_8(limits, MATCH_DEPTH);
	pcre2_set_heap_limit_8(limits, MATCH_HEAP_KIB);
	pcre2_set_callout_8(limits, on_callout, &a);
	for (size_t i = 0; i < r->n && rc == MD_OK && !ret->quarantine && !ret->discard; i++)
		rc = apply_one(&a, &r->v[i], ret, err);
	return rc;
}
