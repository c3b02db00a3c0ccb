/* One value: from its text, as a file or the table has it, to a member of a struct of config.h. */
#include "config_private.h"

#include <maildesk/base/clock.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int read_bool(const char *s, bool *ret)
{
	static const char *const words[][3] = { { "false", "no", "off" }, { "true", "yes", "on" } };

	for (int yes = 0; yes < 2; yes++)
		for (size_t i = 0; i < 3; i++)
			if (strcmp(s, words[yes][i]) == 0) {
				*ret = yes;
				return MD_OK;
			}
	return MD_INPUT;
}

static int read_int(const char *s, int64_t *ret)
{
	char *end;

	errno = 0;
	*ret = strtoll(s, &end, 10);
	return end == s || *end || errno ? MD_INPUT : MD_OK;
}

static bool is_word_of(const char *words, const char *s)
{
	size_t n = strlen(s);

	for (const char *at = words; n && at && (at = strstr(at, s)); at++)
		if ((at == words || at[-1] == ' ') && (at[n] == ' ' || at[n] == '\0'))
			return true;
	return false;
}

static int read_number(const struct conf_key *k, const char *s, int64_t *ret)
{
	int rc = k->type == CONF_DURATION ? duration_parse(s, ret)
		 : k->type == CONF_SIZE   ? conf_read_size(s, ret)
					  : read_int(s, ret);

	return rc != MD_OK || *ret < k->min || *ret > k->max ? MD_INPUT : MD_OK;
}

/* Ascending, each once. */
static int read_percents(const struct conf_key *k, const struct conf_value *v, struct conf_sla *sla)
{
	int64_t got[MD_COUNT(sla->warn)];
	size_t n = 0, at;

	for (size_t i = 0; i < v->n; i++) {
		int64_t p;

		if (read_number(k, v->v[i], &p) != MD_OK)
			return MD_INPUT;
		for (at = 0; at < n && got[at] < p; at++)
			;
		if (at < n && got[at] == p)
			continue;
		if (n == MD_COUNT(got))
			return MD_INPUT;
		memmove(got + at + 1, got + at, (n - at) * sizeof *got);
		got[at] = p;
		n++;
	}
	memcpy(sla->warn, got, n * sizeof *got);
	sla->n_warn = n;
	return MD_OK;
}

static int put_strs(struct arena *a, struct conf_strs *out, const struct conf_value *v)
{
	size_t kept = v->append ? out->n : 0;
	const char **all = arena_array(a, kept + v->n, sizeof *all);

	if (!all && kept + v->n > 0)
		return MD_NOMEM;
	if (kept)
		memcpy(all, out->v, kept * sizeof *all);
	if (v->n)
		memcpy(all + kept, v->v, v->n * sizeof *all);
	*out = (struct conf_strs){ kept + v->n, all };
	return MD_OK;
}

int conf_put_value(struct arena *a, void *object, const struct conf_key *k,
		   const struct conf_value *v)
{
	void *target = (char *)object + k->at;
	const char *s = v->n ? v->v[0] : "";

	switch (k->type) {
	case CONF_ENUM:
		if (!is_word_of(k->words, s))
			return MD_INPUT;
		*(const char **)target = s;
		return MD_OK;
	case CONF_STR:
	case CONF_SECRET:
		*(const char **)target = s;
		return MD_OK;
	case CONF_BOOL:
		return read_bool(s, target);
	case CONF_DURATION:
	case CONF_SIZE:
	case CONF_INT:
		return read_number(k, s, target);
	case CONF_STRS:
		return put_strs(a, target, v);
	case CONF_PERCENTS:
		return read_percents(k, v, object);
	}
	return MD_INPUT;
}

/* Parts of a default at spaces, as many as the type wants. */
static void split_default(struct arena *a, const struct conf_key *k, struct conf_value *ret)
{
	bool list = k->type == CONF_STRS || k->type == CONF_PERCENTS;
	const char *s = k->standard;

	ret->v = arena_array(a, strlen(s) + 1, sizeof *ret->v);
	ret->n = 0;
	for (size_t n; ret->v && (*s || !list); s += n + (s[n] == ' ')) {
		n = list ? strcspn(s, " ") : strlen(s);
		ret->v[ret->n++] = arena_strndup(a, s, n);
		if (!list)
			break;
	}
}

int conf_put_default(struct arena *a, void *object, const struct conf_key *k)
{
	struct conf_value v = { .n = 0 };

	split_default(a, k, &v);
	return a->failed ? MD_NOMEM : conf_put_value(a, object, k, &v);
}
