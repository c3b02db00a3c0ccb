#include <maildesk/mail/authres.h>

#include <string.h>

struct tokens {
	struct arena *arena;
	struct span rest;
};
enum token_kind { TOKEN_END, TOKEN_WORD, TOKEN_QUOTED, TOKEN_MARK /* one of ; = / */ };
struct token {
	enum token_kind kind;
	struct span text;
};

static void skip_comments(struct span *rest)
{
	size_t depth = 0, i = 0;

	for (; i < rest->n; i++) {
		char c = rest->p[i];

		if (c == '\\' && depth)
			i++;
		else if (c == '(')
			depth++;
		else if (c == ')' && depth)
			depth--;
		else if (!depth && !ascii_space(c))
			break;
	}
	*rest = span_from(*rest, i);
}

static struct token next(struct tokens *t)
{
	struct token k = { TOKEN_END, span_of("") };
	size_t n = 0;

	skip_comments(&t->rest);
	if (!t->rest.n)
		return k;
	if (*t->rest.p == '"') {
		size_t end = 1;
		char *out;

		while (end < t->rest.n && t->rest.p[end] != '"')
			end += t->rest.p[end] == '\\' ? 2 : 1;
		end = end < t->rest.n ? end : t->rest.n;
		out = arena_alloc(t->arena, end);
		k.kind = TOKEN_QUOTED;
		k.text.p = out ? out : "";
		for (n = 1; out && n < end; n++) {
			if (t->rest.p[n] == '\\' && n + 1 < end)
				n++;
			out[k.text.n++] = t->rest.p[n];
		}
		t->rest = span_from(t->rest, end + 1);
		return k;
	}
	if (strchr(";=/", *t->rest.p)) {
		k.kind = TOKEN_MARK;
		n = 1;
	} else {
		k.kind = TOKEN_WORD;
		while (n < t->rest.n && !ascii_space(t->rest.p[n]) &&
		       !strchr(";=/(\"", t->rest.p[n]))
			n++;
	}
	k.text = span_sub(t->rest, 0, n ? n : 1);
	t->rest = span_from(t->rest, k.text.n);
	return k;
}

static bool mark(const struct token *k, char c)
{
	return k->kind == TOKEN_MARK && *k->text.p == c;
}

static const char *lower(struct arena *a, struct span s)
{
	const char *text = header_text(a, s);
	char *copy = arena_strdup(a, text ? text : "");

	for (char *p = copy; p && *p; p++)
		*p = ascii_lower(*p);
	return copy;
}

/* "header.i=@example.com", "user@example.com" */
static const char *domain_of(struct arena *a, struct span s)
{
	size_t at = span_chr(s, '@');

	s = at < s.n ? span_from(s, at + 1) : s;
	while (s.n && s.p[s.n - 1] == '.')
		s.n--;
	return lower(a, s);
}

struct result {
	struct span method, value;
	struct span header_d, header_i, header_from;
};

/* A value may hold '=' and '/' ("header.b=a/b="): all that touches belongs to it. */
static struct span value_token(struct tokens *t)
{
	struct token k = next(t);

	if (k.kind == TOKEN_QUOTED || k.kind == TOKEN_END)
		return k.text;
	if (mark(&k, ';')) {
		t->rest.p--;
		t->rest.n++;
		return span_of("");
	}
	while (t->rest.n && !ascii_space(*t->rest.p) && !strchr(";(\"", *t->rest.p)) {
		k.text.n++;
		t->rest = span_from(t->rest, 1);
	}
	return k.text;
}

/* Reads up to the next ';'. False when no result stands there. */
static bool result_read(struct tokens *t, struct result *r)
{
	struct token k = next(t);

	*r = (struct result){ .value = span_of("") };
	while (mark(&k, ';'))
		k = next(t);
	if (k.kind == TOKEN_END)
		return false;
	r->method = k.text;
	while ((k = next(t)).kind != TOKEN_END && !mark(&k, ';')) {
		static const char *const names[] = { "header.d", "header.i", "header.from" };
		struct span name = k.text,
			    *slots[] = { &r->header_d, &r->header_i, &r->header_from };
		struct span before = t->rest;
		struct token eq = { TOKEN_END, span_of("") };

		if (mark(&k, '=') && !r->value.n) {
			r->value = value_token(t);
			continue;
		}
		if (k.kind == TOKEN_WORD)
			eq = next(t);
		if (!mark(&eq, '=')) {
			t->rest = k.kind == TOKEN_WORD ? before : t->rest;
			continue;
		}
		before = value_token(t);
		for (size_t i = 0; i < 3; i++)
			if (span_is(name, names[i]) && !slots[i]->p)
				*slots[i] = before;
	}
	return true;
}

static void use(struct arena *a, const struct result *r, struct auth_field *f, const char **dkim)
{
	if (span_is(r->method, "spf") && !f->spf) {
		f->spf = lower(a, r->value);
	} else if (span_is(r->method, "dmarc") && !f->dmarc) {
		f->dmarc = lower(a, r->value);
		f->dmarc_from = r->header_from.p ? domain_of(a, r->header_from) : NULL;
	} else if (span_is(r->method, "dmarc")) {
		/* two results that differ say nothing, as those of two fields */
		if (!span_is(r->value, f->dmarc))
			f->dmarc = "none";
	} else if (span_is(r->method, "dkim")) {
		struct span d = r->header_d.p ? r->header_d : r->header_i;
		bool pass = span_is(r->value, "pass");

		if (!*dkim || pass)
			*dkim = lower(a, r->value);
		if (pass && d.p && f->dkim_pass_domains.v &&
		    f->dkim_pass_domains.n < AUTHRES_DKIM_MAX) {
			const char *domain = domain_of(a, d);

			if (domain)
				f->dkim_pass_domains.v[f->dkim_pass_domains.n++] = domain;
		}
	}
}

static void field_read(struct arena *a, struct span value, struct auth_field *f, const char **dkim)
{
	struct tokens t = { a, header_unfold(a, value) };
	struct token k = next(&t);
	struct result r;

	f->dkim_pass_domains.v = arena_array(a, AUTHRES_DKIM_MAX, sizeof(const char *));
	if (k.kind == TOKEN_END || mark(&k, ';')) {
		f->authserv_id = "";
	} else {
		struct span start = t.rest;
		struct token eq = next(&t);

		/* Microsoft 365 writes no id: the first word is a method already. */
		if (mark(&eq, '=')) {
			f->authserv_id = "";
			t.rest = header_unfold(a, value);
		} else {
			f->authserv_id = lower(a, k.text);
			t.rest = start;
			while ((k = next(&t)).kind != TOKEN_END && !mark(&k, ';'))
				; /* the version */
		}
	}
	while (result_read(&t, &r))
		use(a, &r, f, dkim);
}

void authres_read(struct arena *a, const struct header *h, struct rec_list *ret_fields,
		  struct auth_summary *ret_summary)
{
	struct auth_field *v = NULL;
	size_t n = 0, used = 0;
	int64_t received = 0;

	while (n < AUTHRES_FIELDS_MAX && header_find(h, "Authentication-Results", n))
		n++;
	*ret_fields = (struct rec_list){ 0 };
	*ret_summary = (struct auth_summary){ 0 };
	if (n == 0 || !(v = arena_array(a, n, sizeof *v)))
		return;
	for (size_t i = 0; i < h->n && used < n; i++) {
		const char *dkim = NULL;

		received += span_is(h->v[i].name, "Received");
		if (!span_is(h->v[i].name, "Authentication-Results"))
			continue;
		v[used].received_above = received;
		field_read(a, h->v[i].value, &v[used], &dkim);
		if (used++ == 0)
			*ret_summary = (struct auth_summary){ v[0].spf, dkim, v[0].dmarc,
							      *v[0].authserv_id ? v[0].authserv_id
										: NULL };
	}
	*ret_fields = (struct rec_list){ used, v };
}
