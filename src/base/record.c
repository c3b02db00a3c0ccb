#include <maildesk/base/json.h>
#include <maildesk/base/record.h>
#include <maildesk/base/utf8.h>

#include <endian.h>
#include <string.h>

enum { ABSENT = -1 }; /* length of a NULL string */

static void pack_u32(struct buf *out, uint32_t v)
{
	v = htole32(v);
	buf_add(out, &v, sizeof v);
}

static void pack_i64(struct buf *out, int64_t v)
{
	uint64_t le = htole64((uint64_t)v);

	buf_add(out, &le, sizeof le);
}

static void pack_bytes(struct buf *out, const void *bytes, size_t n)
{
	if (n >= UINT32_MAX) {
		out->status = MD_INPUT;
		return;
	}
	pack_u32(out, (uint32_t)n);
	buf_add(out, bytes, n);
}

static void pack_str(struct buf *out, const char *s)
{
	if (s)
		pack_bytes(out, s, strlen(s));
	else
		pack_u32(out, (uint32_t)ABSENT);
}

static void pack_field(struct buf *out, const struct rec_field *f, const void *member)
{
	const struct rec_strs *strs = member;
	const struct rec_bytes *bytes = member;
	const struct rec_list *list = member;

	switch (f->type) {
	case REC_STR:
		pack_str(out, *(const char *const *)member);
		break;
	case REC_STRS:
		pack_u32(out, (uint32_t)strs->n);
		for (size_t i = 0; i < strs->n; i++)
			pack_str(out, strs->v[i]);
		break;
	case REC_INT:
		pack_i64(out, *(const int64_t *)member);
		break;
	case REC_BOOL:
		pack_i64(out, *(const bool *)member);
		break;
	case REC_BYTES:
		pack_bytes(out, bytes->v, bytes->n);
		break;
	case REC_SUB:
		rec_pack(out, f->of, member);
		break;
	case REC_LIST:
		pack_u32(out, (uint32_t)list->n);
		for (size_t i = 0; i < list->n; i++)
			rec_pack(out, f->of, (const char *)list->v + i * f->of->size);
		break;
	}
}

void rec_pack(struct buf *out, const struct rec *r, const void *object)
{
	for (const struct rec_field *f = r->fields; f->name; f++)
		pack_field(out, f, (const char *)object + f->at);
}

/* ---- arrival ---- */

struct input {
	const uint8_t *p;
	size_t left;
	struct arena *arena;
	struct md_err *err;
};

static int refuse(struct input *in, const struct rec_field *f, const char *why)
{
	return md_fail(in->err, MD_INPUT, 0, "field %s: %s", f->name, why);
}

static int out_of_memory(struct input *in, const struct rec_field *f)
{
	return md_fail(in->err, MD_NOMEM, 0, "field %s: out of memory", f->name);
}

static int take(struct input *in, const struct rec_field *f, size_t n, const uint8_t **ret)
{
	if (n > in->left)
		return refuse(in, f, "cut short");
	*ret = in->p;
	in->p += n;
	in->left -= n;
	return MD_OK;
}

static int take_u32(struct input *in, const struct rec_field *f, uint32_t *ret)
{
	const uint8_t *p;
	int rc = take(in, f, 4, &p);

	if (rc == MD_OK) {
		memcpy(ret, p, 4);
		*ret = le32toh(*ret);
	}
	return rc;
}

static int take_i64(struct input *in, const struct rec_field *f, size_t max, int64_t *ret)
{
	const uint8_t *p;
	uint64_t v;
	int rc = take(in, f, 8, &p);

	if (rc != MD_OK)
		return rc;
	memcpy(&v, p, 8);
	v = le64toh(v);
	if (max && v > max)
		return refuse(in, f, "value out of range");
	*ret = (int64_t)v;
	return MD_OK;
}

static int take_str(struct input *in, const struct rec_field *f, size_t max, bool may_be_absent,
		    const char **ret)
{
	const uint8_t *p;
	uint32_t n;
	int rc = take_u32(in, f, &n);

	if (rc != MD_OK)
		return rc;
	if (n == (uint32_t)ABSENT) {
		*ret = NULL;
		return may_be_absent ? MD_OK : refuse(in, f, "absent member");
	}
	if (n > max)
		return refuse(in, f, "too long");
	rc = take(in, f, n, &p);
	if (rc != MD_OK)
		return rc;
	if (memchr(p, 0, n) || !utf8_valid((const char *)p, n))
		return refuse(in, f, "not valid UTF-8");
	*ret = arena_strndup(in->arena, (const char *)p, n);
	return *ret ? MD_OK : out_of_memory(in, f);
}

static int unpack_fields(struct input *in, const struct rec *r, void *object);

static int take_strs(struct input *in, const struct rec_field *f, struct rec_strs *ret)
{
	uint32_t n;
	int rc = take_u32(in, f, &n);

	if (rc != MD_OK)
		return rc;
	/* Every member takes 4 bytes at least: a huge count is refused before memory is taken. */
	if (n > in->left / 4)
		return refuse(in, f, "count out of range");
	ret->v = arena_array(in->arena, n, sizeof *ret->v);
	if (!ret->v)
		return out_of_memory(in, f);
	ret->n = n;
	for (uint32_t i = 0; i < n && rc == MD_OK; i++)
		rc = take_str(in, f, f->max, false, &ret->v[i]);
	return rc;
}

static int take_list(struct input *in, const struct rec_field *f, struct rec_list *ret)
{
	uint32_t n;
	int rc = take_u32(in, f, &n);

	if (rc != MD_OK)
		return rc;
	if (n > f->max || n > in->left)
		return refuse(in, f, "count out of range");
	ret->v = arena_array(in->arena, n, f->of->size);
	if (!ret->v)
		return out_of_memory(in, f);
	ret->n = n;
	for (uint32_t i = 0; i < n && rc == MD_OK; i++)
		rc = unpack_fields(in, f->of, (char *)ret->v + i * f->of->size);
	return rc;
}

static int take_bytes(struct input *in, const struct rec_field *f, struct rec_bytes *ret)
{
	const uint8_t *p;
	uint32_t n;
	int rc = take_u32(in, f, &n);

	if (rc == MD_OK && n > f->max)
		rc = refuse(in, f, "too long");
	if (rc == MD_OK)
		rc = take(in, f, n, &p);
	if (rc != MD_OK)
		return rc;
	ret->v = arena_copy(in->arena, p, n);
	ret->n = n;
	return ret->v ? MD_OK : out_of_memory(in, f);
}

static int unpack_field(struct input *in, const struct rec_field *f, void *member)
{
	int64_t flag = 0;
	int rc;

	switch (f->type) {
	case REC_STR:
		return take_str(in, f, f->max, true, member);
	case REC_STRS:
		return take_strs(in, f, member);
	case REC_INT:
		return take_i64(in, f, f->max, member);
	case REC_BOOL:
		rc = take_i64(in, f, 1, &flag);
		*(bool *)member = flag != 0;
		return rc;
	case REC_BYTES:
		return take_bytes(in, f, member);
	case REC_SUB:
		return unpack_fields(in, f->of, member);
	case REC_LIST:
		return take_list(in, f, member);
	}
	return refuse(in, f, "no such type");
}

static int unpack_fields(struct input *in, const struct rec *r, void *object)
{
	int rc = MD_OK;

	for (const struct rec_field *f = r->fields; f->name && rc == MD_OK; f++)
		rc = unpack_field(in, f, (char *)object + f->at);
	return rc;
}

int rec_unpack(const struct rec *r, const void *bytes, size_t n, struct arena *arena,
	       void *ret_object, struct md_err *err)
{
	struct input in = { bytes, n, arena, err };
	void *object = arena_alloc(arena, r->size);
	int rc =
		object ? unpack_fields(&in, r, object) : md_fail(err, MD_NOMEM, 0, "out of memory");

	if (rc == MD_OK && in.left)
		rc = md_fail(err, MD_INPUT, 0, "%zu bytes too many", in.left);
	if (rc != MD_OK)
		return md_wrap(err, rc, "%s", r->name);
	memcpy(ret_object, object, r->size);
	return MD_OK;
}

/* ---- JSON ---- */

static void json_field(struct buf *out, const struct rec_field *f, const void *member)
{
	const struct rec_strs *strs = member;
	const struct rec_list *list = member;
	const char *s;
	int64_t v;

	switch (f->type) {
	case REC_STR:
		s = *(const char *const *)member;
		if (!s && f->never_null)
			s = "";
		json_write_string(out, s, s ? strlen(s) : 0);
		break;
	case REC_STRS:
		buf_addc(out, '[');
		for (size_t i = 0; i < strs->n; i++) {
			buf_adds(out, i ? ", " : "");
			json_write_string(out, strs->v[i], strlen(strs->v[i]));
		}
		buf_addc(out, ']');
		break;
	case REC_INT:
		v = *(const int64_t *)member;
		if (f->names)
			json_write_string(out, f->names[v], strlen(f->names[v]));
		else
			buf_addf(out, "%lld", (long long)v);
		break;
	case REC_BOOL:
		buf_adds(out, *(const bool *)member ? "true" : "false");
		break;
	case REC_SUB:
		rec_json(out, f->of, member);
		break;
	case REC_LIST:
		buf_addc(out, '[');
		for (size_t i = 0; i < list->n; i++) {
			buf_adds(out, i ? ", " : "");
			rec_json(out, f->of, (const char *)list->v + i * f->of->size);
		}
		buf_addc(out, ']');
		break;
	case REC_BYTES:
		buf_adds(out, "null");
		break;
	}
}

void rec_json(struct buf *out, const struct rec *r, const void *object)
{
	const char *sep = "";

	buf_addc(out, '{');
	for (const struct rec_field *f = r->fields; f->name; f++) {
		if (f->hidden)
			continue;
		buf_addf(out, "%s\"%s\": ", sep, f->name);
		json_field(out, f, (const char *)object + f->at);
		sep = ", ";
	}
	buf_addc(out, '}');
}
