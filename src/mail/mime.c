/* One walk over the lines that begin with "--", with a stack of the boundaries that are open. A
 * line is held against all of them, innermost first, for an outer one ends what is inside without
 * its closing line. */
#include <maildesk/mail/mime.h>

#include <maildesk/base/err.h>
#include <maildesk/mail/scan.h>

#include <string.h>

struct level {
	struct span boundary;
	int part;
};
struct walk {
	struct arena *arena;
	struct mime_tree *tree;
	struct level levels[SCAN_MIME_DEPTH];
	size_t depth;
	int open; /* the part whose body is being read, or -1 (behind a closing boundary) */
	size_t room;
};

static bool usable_type(const char *type)
{
	const char *slash = strchr(type, '/');

	if (!slash || slash == type || !slash[1] || strchr(slash + 1, '/'))
		return false;
	for (const char *p = type; *p; p++)
		if (!ascii_alnum(*p) && !strchr("/!#$&-^_.+*", *p))
			return false;
	return true;
}

/* "<id>" or what stands instead. */
static const char *part_id(struct arena *a, const struct header *h)
{
	struct span id = header_value(h, "Content-ID");

	while (id.n && (*id.p == '<' || ascii_space(*id.p)))
		id = span_from(id, 1);
	id = span_trim(span_sub(id, 0, span_chr(id, '>')));
	return id.n ? header_text(a, id) : NULL;
}

static void part_describe(struct walk *w, struct mime_part *p)
{
	const struct mime_part *up = p->parent >= 0 ? &w->tree->v[p->parent] : NULL;
	struct span encoding = header_value(&p->header, "Content-Transfer-Encoding");
	bool known;

	header_params_read(w->arena, header_value(&p->header, "Content-Type"), &p->content_type);
	header_params_read(w->arena, header_value(&p->header, "Content-Disposition"),
			   &p->disposition);
	p->type = p->content_type.value;
	p->typed = usable_type(p->type);
	if (!p->typed && strcmp(p->type, "text") == 0)
		p->type = "text/plain";
	else if (!p->typed && *p->type && header_param(&p->content_type, "name"))
		p->type = "application/octet-stream";
	else if (!p->typed)
		p->type = up && strcmp(up->type, "multipart/digest") == 0 ? "message/rfc822"
									  : "text/plain";
	p->encoding = encoding_from_field(encoding, &known);
	if (!known)
		w->tree->trouble |= MIME_BAD_ENCODING;
	p->filename = header_param(&p->disposition, "filename");
	if (!p->filename || !*p->filename)
		p->filename = header_param(&p->content_type, "name");
	if (p->filename && !*p->filename)
		p->filename = NULL;
	p->content_id = part_id(w->arena, &p->header);
	p->attachment = strcmp(p->disposition.value, "attachment") == 0;
}

/* Without the parameter: the first line that looks like a boundary is taken for one. */
static struct span guess_boundary(struct span body)
{
	struct span rest = body, line;

	for (int i = 0; i < 50 && span_line(&rest, &line); i++) {
		line = span_trim_end(line);
		if (span_starts(line, "--") && line.n > 6 && span_chr(line, ' ') == line.n &&
		    span_chr(line, '=') + 1 < 200 && !span_starts(line, "-----"))
			return span_from(line, 2);
	}
	return span_of("");
}

static struct mime_part *part_add(struct walk *w, int parent)
{
	struct mime_tree *t = w->tree;

	if (t->n == w->room) {
		size_t room = w->room ? w->room * 4 : 8;
		struct mime_part *v = arena_array(w->arena, room, sizeof *v);

		if (!v)
			return NULL;
		if (t->n)
			memcpy(v, t->v, t->n * sizeof *v);
		t->v = v;
		w->room = room;
	}
	t->v[t->n].parent = parent;
	return &t->v[t->n++];
}

/* Enters a part whose header was read. */
static void part_open(struct walk *w, int index)
{
	struct mime_part *p = &w->tree->v[index];
	const char *boundary = header_param(&p->content_type, "boundary");
	struct span b = span_trim_end(span_of(boundary));

	w->open = index;
	if (strncmp(p->type, "message/rfc822", 14) == 0 &&
	    scan_message_depth(p->body) + (int)w->depth > SCAN_MIME_DEPTH)
		w->tree->trouble |= MIME_BOMB_DEPTH;
	if (strncmp(p->type, "multipart/", 10) != 0)
		return;
	if (!b.n)
		b = guess_boundary(p->body);
	if (!b.n) {
		w->tree->trouble |= MIME_NO_BOUNDARY;
	} else if (w->depth == SCAN_MIME_DEPTH) {
		w->tree->trouble |= MIME_BOMB_DEPTH;
	} else {
		w->levels[w->depth++] = (struct level){ b, index };
		w->open = -1;
	}
}

enum match { MATCH_NONE, MATCH_OPEN, MATCH_CLOSE };

/* The whole line counts, so that one boundary may be the beginning of another. */
static enum match match_line(struct span line, struct span boundary)
{
	struct span rest;

	line = span_from(span_trim_end(line), 2);
	if (line.n < boundary.n || memcmp(line.p, boundary.p, boundary.n) != 0)
		return MATCH_NONE;
	rest = span_from(line, boundary.n);
	if (rest.n == 0)
		return MATCH_OPEN;
	return rest.n == 2 && rest.p[0] == '-' && rest.p[1] == '-' ? MATCH_CLOSE : MATCH_NONE;
}

static void body_end(struct walk *w, const char *end)
{
	struct span *body;

	if (w->open < 0)
		return;
	body = &w->tree->v[w->open].body;
	body->n = end > body->p ? (size_t)(end - body->p) : 0;
	/* The line end before a boundary belongs to the boundary. */
	if (body->n && body->p[body->n - 1] == '\n')
		body->n--;
	if (body->n && body->p[body->n - 1] == '\r' && body->p[body->n] == '\n')
		body->n--;
	w->open = -1;
}

/* Reads the part that begins at `rest`; false when no more parts are read. */
static bool next_part(struct walk *w, int parent, struct span *rest)
{
	struct span head, body;
	struct mime_part *p;
	bool junk;

	if (w->tree->n >= SCAN_PARTS) {
		w->tree->trouble |= MIME_MANY_PARTS;
		return false;
	}
	p = part_add(w, parent);
	if (!p)
		return false;
	header_split(*rest, HEADER_PART, &head, &body, &junk);
	if (head.n > SCAN_HEADER_BYTES) {
		w->tree->trouble |= MIME_BAD_HEADER;
		head.n = SCAN_HEADER_BYTES;
	}
	if (junk && head.n)
		w->tree->trouble |= MIME_BAD_HEADER;
	header_read(w->arena, head, SCAN_PART_HEADER_FIELDS, &p->header);
	p->body = body;
	part_describe(w, p);
	part_open(w, (int)w->tree->n - 1);
	*rest = body;
	return !(w->tree->trouble & MIME_BOMB_DEPTH);
}

static bool boundary_line(struct walk *w, struct span line, struct span *rest)
{
	enum match m = MATCH_NONE;
	size_t k = w->depth;

	while (k > 0 && m == MATCH_NONE)
		m = match_line(line, w->levels[--k].boundary);
	if (m == MATCH_NONE)
		return true;
	body_end(w, line.p);
	if (k + 1 < w->depth)
		w->tree->trouble |= MIME_NO_END;
	if (m == MATCH_CLOSE) {
		w->depth = k;
		return true;
	}
	w->depth = k + 1;
	return next_part(w, w->levels[k].part, rest);
}

static void walk_lines(struct walk *w, struct span rest)
{
	const char *end = rest.p + rest.n;
	struct span line;

	while (w->depth && rest.n) {
		/* Only lines that begin with "--" matter; memchr finds them faster than a loop. */
		if (rest.n < 2 || rest.p[0] != '-' || rest.p[1] != '-') {
			rest = span_from(rest, span_chr(rest, '\n') + 1);
			continue;
		}
		span_line(&rest, &line);
		if (!boundary_line(w, line, &rest))
			return;
	}
	if (w->depth)
		w->tree->trouble |= MIME_NO_END;
	if (w->open >= 0) /* no boundary any more: it reaches to the end */
		w->tree->v[w->open].body.n = (size_t)(end - w->tree->v[w->open].body.p);
}

/* Where each part's descendants end. */
static void link_tree(struct mime_tree *t)
{
	for (size_t i = 0; i < t->n; i++)
		t->v[i].next = (int)i + 1;
	for (size_t i = t->n; i-- > 1;) {
		struct mime_part *up = &t->v[t->v[i].parent];

		if (up->next < t->v[i].next)
			up->next = t->v[i].next;
	}
}

int mime_read(struct arena *a, const struct header *top, struct span body, struct mime_tree *ret)
{
	struct walk w = { .arena = a, .tree = ret, .open = -1 };
	struct mime_part *root;

	*ret = (struct mime_tree){ 0 };
	root = part_add(&w, MIME_NO_PARENT);
	if (!root)
		return MD_NOMEM;
	root->header = *top;
	root->body = body;
	part_describe(&w, root);
	part_open(&w, 0);
	if (!(ret->trouble & MIME_BOMB_DEPTH))
		walk_lines(&w, body);
	link_tree(ret);
	for (size_t i = 0; i < ret->n; i++)
		if (strncmp(ret->v[i].type, "multipart/", 10) == 0 && ret->v[i].next == (int)i + 1)
			ret->trouble |= MIME_NO_BOUNDARY;
	return a->failed ? MD_NOMEM : MD_OK;
}

bool mime_is_container(const struct mime_tree *t, size_t index)
{
	return t->v[index].next > (int)index + 1;
}
