#include <maildesk/desk/token.h>
#include <maildesk/base/codec.h>
#include <maildesk/base/mem.h>

#include <sodium.h>
#include <string.h>
#include <strings.h>

enum {
	DAY_MS = 86400 * 1000,
	/* base32 of the shortest payload (7 octets: key, day, four numbers) is 12 digits, of the
	 * shortest tag 16; with the dot 29. What is much shorter is somebody's own +detail. */
	LOOKALIKE_MIN = 24,
	TEXT_MAX = 256, /* PAYLOAD.TAG has at most 56; longer text is not looked at */
};

_Static_assert(crypto_auth_hmacsha256_KEYBYTES == TOKEN_KEY_BYTES, "key size");
_Static_assert(crypto_auth_hmacsha256_BYTES == TOKEN_KEY_BYTES, "size of derived keys");

static const int lifetime_days[] = {
	[TOKEN_ROUTE] = TOKEN_ROUTE_DAYS,   [TOKEN_PROOF] = TOKEN_PROOF_DAYS,
	[TOKEN_BOUNCE] = TOKEN_BOUNCE_DAYS, [TOKEN_CONFIRM] = TOKEN_CONFIRM_DAYS,
	[TOKEN_MUTE] = TOKEN_MUTE_DAYS,     [TOKEN_FILE] = TOKEN_FILE_DAYS,
};
/* What stands before PAYLOAD in an address. */
static const char *const prefixes[] = {
	[TOKEN_ROUTE] = "",     [TOKEN_PROOF] = "", [TOKEN_BOUNCE] = "b.",
	[TOKEN_CONFIRM] = "c.", [TOKEN_MUTE] = "",  [TOKEN_FILE] = "",
};

int64_t token_day(int64_t now_ms)
{
	return now_ms / DAY_MS;
}

/* Each purpose has a key of its own, so that a route tag can never be taken for a proof. */
static void derive(const uint8_t *key, enum token_purpose purpose, uint8_t ret[TOKEN_KEY_BYTES])
{
	static const char *const labels[TOKEN_PURPOSES] = {
		[TOKEN_ROUTE] = "maildesk token route",
		[TOKEN_PROOF] = "maildesk token proof",
		[TOKEN_BOUNCE] = "maildesk token bounce",
		[TOKEN_CONFIRM] = "maildesk token confirm",
		[TOKEN_MUTE] = "maildesk token mute",
		[TOKEN_FILE] = "maildesk token file",
	};

	crypto_auth_hmacsha256(ret, (const unsigned char *)labels[purpose], strlen(labels[purpose]),
			       key);
}

void token_key_prepare(struct token_key *key)
{
	for (int p = 0; p < TOKEN_PURPOSES; p++)
		derive(key->bytes, (enum token_purpose)p, key->derived[p]);
	key->is_prepared = true;
}

static void sign(const struct token_key *key, enum token_purpose purpose, const uint8_t *payload,
		 size_t n, uint8_t tag[crypto_auth_hmacsha256_BYTES])
{
	uint8_t derived[TOKEN_KEY_BYTES];

	if (key->is_prepared) {
		crypto_auth_hmacsha256(tag, payload, n, key->derived[purpose]);
		return;
	}
	derive(key->bytes, purpose, derived);
	crypto_auth_hmacsha256(tag, payload, n, derived);
	sodium_memzero(derived, sizeof derived);
}

/* LEB128. Returns the octets written, 0 when there is no room. */
static size_t put_number(uint8_t *out, size_t room, int64_t value)
{
	uint64_t v = (uint64_t)value;
	size_t n = 0;

	do {
		if (n == room)
			return 0;
		out[n++] = (uint8_t)((v & 0x7f) | (v > 0x7f ? 0x80 : 0));
		v >>= 7;
	} while (v);
	return n;
}

static bool get_number(const uint8_t *p, size_t n, size_t *at, int64_t *ret)
{
	uint64_t v = 0;

	for (unsigned shift = 0; shift < 63 && *at < n; shift += 7) {
		uint8_t octet = p[(*at)++];

		v |= (uint64_t)(octet & 0x7f) << shift;
		if (!(octet & 0x80)) {
			*ret = (int64_t)v;
			return true;
		}
	}
	return false;
}

static int pack(const struct token_key *key, enum token_purpose purpose, const struct token *t,
		uint8_t out[TOKEN_PAYLOAD_MAX], size_t *ret_n, struct md_err *err)
{
	const int64_t numbers[] = { t->ticket, t->comment, t->user, t->serial };
	size_t n = 1;

	if (key->id < 1 || key->id > TOKEN_KEY_ID_MAX)
		return md_fail(err, MD_INPUT, 0, "no key to sign tokens with");
	if (t->day < 0 || t->day > 0xffff)
		return md_fail(err, MD_INPUT, 0, "the day of a token is out of range");
	/* One bit of it; that it is another purpose of the same bit shows in the tag. */
	out[0] = (uint8_t)(key->id << 1 | ((int)purpose & 1));
	for (size_t i = 0; i < MD_COUNT(numbers); i++) {
		size_t len = numbers[i] < 0
				     ? 0
				     : put_number(out + n, TOKEN_PAYLOAD_MAX - 2 - n, numbers[i]);

		if (len == 0)
			return md_fail(err, MD_INPUT, 0, "the numbers of a token do not fit");
		n += len;
	}
	out[n++] = (uint8_t)(t->day >> 8);
	out[n++] = (uint8_t)(t->day & 0xff);
	*ret_n = n;
	return MD_OK;
}

static bool unpack(const uint8_t *p, size_t n, struct token *t)
{
	size_t at = 1;

	if (n < 3)
		return false;
	n -= 2;
	t->key = p[0] >> 1;
	t->day = p[n] << 8 | p[n + 1];
	return get_number(p, n, &at, &t->ticket) && get_number(p, n, &at, &t->comment) &&
	       get_number(p, n, &at, &t->user) && get_number(p, n, &at, &t->serial) && at == n;
}

/* Append PAYLOAD.TAG with a tag of `tag_bytes`. */
static int make(const struct token_keys *keys, enum token_purpose purpose, const struct token *t,
		size_t tag_bytes, struct buf *out, struct md_err *err)
{
	uint8_t payload[TOKEN_PAYLOAD_MAX], tag[crypto_auth_hmacsha256_BYTES];
	size_t n;
	int rc = pack(&keys->current, purpose, t, payload, &n, err);

	if (rc != MD_OK)
		return rc;
	sign(&keys->current, purpose, payload, n, tag);
	base32_encode(out, payload, n);
	buf_addc(out, '.');
	base32_encode(out, tag, tag_bytes);
	return out->status == MD_OK
		       ? MD_OK
		       : md_fail(err, (enum md_code)out->status, 0, "no room for a token");
}

int token_make_message_id(const struct token_keys *keys, const struct token *t, const char *host,
			  struct buf *out, struct md_err *err)
{
	md_auto(buf_done) struct buf text = BUF_INIT(TEXT_MAX);
	int rc = make(keys, TOKEN_ROUTE, t, TOKEN_TAG_BYTES, &text, err);

	if (rc == MD_OK)
		buf_addf(out, "md.%d.%s@%s", keys->current.id, buf_str(&text), host);
	return rc;
}

int token_make_marker(const struct token_keys *keys, const struct token *t, struct buf *out,
		      struct md_err *err)
{
	md_auto(buf_done) struct buf text = BUF_INIT(TEXT_MAX);
	int rc = make(keys, TOKEN_ROUTE, t, TOKEN_TAG_BYTES, &text, err);

	if (rc == MD_OK)
		buf_addf(out, "[md:%s]", buf_str(&text));
	return rc;
}

/* Digits of base32 for n octets. */
static size_t digits(size_t n)
{
	return (n * 8 + 4) / 5;
}

/* Octets of the tag in the signed form of a name of `local` octets: all, or as many as fit. */
static size_t address_tag(size_t local, enum token_purpose purpose, size_t payload)
{
	size_t tag = TOKEN_TAG_BYTES;

	while (tag > 0 &&
	       local + 1 + strlen(prefixes[purpose]) + digits(payload) + 1 + digits(tag) >
		       TOKEN_LOCAL_MAX)
		tag--;
	return tag;
}

int token_make_address(const struct token_keys *keys, enum token_purpose purpose,
		       const struct token *t, const char *own, struct buf *out, struct md_err *err)
{
	md_auto(buf_done) struct buf text = BUF_INIT(TEXT_MAX);
	uint8_t payload[TOKEN_PAYLOAD_MAX];
	const char *at = strrchr(own, '@');
	size_t local = at ? (size_t)(at - own) : 0, n, tag;
	int rc = pack(&keys->current, purpose, t, payload, &n, err);

	if (rc != MD_OK)
		return rc;
	if (local == 0)
		return md_fail(err, MD_INPUT, 0, "%s is no address", own);
	tag = address_tag(local, purpose, n);
	if (tag < TOKEN_TAG_BYTES_MIN)
		return md_fail(err, MD_INPUT, 0, "%s is too long for a signed form", own);
	rc = make(keys, purpose, t, tag, &text, err);
	if (rc == MD_OK)
		buf_addf(out, "%.*s+%s%s%s", (int)local, own, prefixes[purpose], buf_str(&text),
			 at);
	return rc;
}

int token_make_word(const struct token_keys *keys, enum token_purpose purpose,
		    const struct token *t, struct buf *out, struct md_err *err)
{
	return make(keys, purpose, t, TOKEN_TAG_BYTES, out, err);
}

static const struct token_key *find_key(const struct token_keys *keys, int id)
{
	if (id == 0)
		return NULL;
	return keys->current.id == id    ? &keys->current
	       : keys->previous.id == id ? &keys->previous
	       : keys->next.id == id     ? &keys->next
					 : NULL;
}

/* So many ids behind `from`; after the last one comes the first. */
static int id_distance(int from, int to)
{
	return (to - from + TOKEN_KEY_ID_MAX) % TOKEN_KEY_ID_MAX;
}

/* Ids follow each other: the one before the first that was lost was there with it. */
static bool is_lost(const struct token_keys *keys, int id)
{
	int first = keys->lost - 1;

	return keys->lost && id_distance(first, id) < id_distance(first, keys->current.id);
}

/* PAYLOAD.TAG of n characters that must be of that purpose; `local`: octets of the name it stands
 * behind, 0 in what is no address. A tag is as long as it was made. */
static enum token_result check(const struct token_keys *keys, const char *text, size_t n,
			       enum token_purpose purpose, size_t local, int64_t today,
			       struct token *ret)
{
	uint8_t payload[TOKEN_PAYLOAD_MAX], given[TOKEN_TAG_BYTES];
	uint8_t tag[crypto_auth_hmacsha256_BYTES];
	const char *dot = memchr(text, '.', n);
	const struct token_key *key;
	struct token t = { 0 };
	size_t payload_n, tag_n;

	if (!dot ||
	    base32_decode(text, (size_t)(dot - text), payload, sizeof payload, &payload_n) !=
		    MD_OK ||
	    base32_decode(dot + 1, n - (size_t)(dot - text) - 1, given, sizeof given, &tag_n) !=
		    MD_OK ||
	    tag_n != address_tag(local, purpose, payload_n) || tag_n < TOKEN_TAG_BYTES_MIN ||
	    !unpack(payload, payload_n, &t) || (payload[0] & 1) != ((int)purpose & 1))
		return TOKEN_BAD;
	t.purpose = purpose;
	key = find_key(keys, t.key);
	/* A key that was retired long ago signed tokens that have expired since. The day stands far
	 * from the key, so that no single damaged digit looks like that. */
	if (!key)
		return is_lost(keys, t.key) || t.day + lifetime_days[purpose] < today
			       ? TOKEN_EXPIRED
			       : TOKEN_BAD;
	sign(key, purpose, payload, payload_n, tag);
	if (sodium_memcmp(tag, given, tag_n) != 0)
		return TOKEN_BAD;
	if (t.day + lifetime_days[purpose] < today)
		return TOKEN_EXPIRED;
	*ret = t;
	return TOKEN_VALID;
}

/* `address` without the +detail of its local part against `own`; *ret_detail is what follows the
 * plus, NULL without one. */
static bool same_mailbox(const char *address, const char *own, const char **ret_detail,
			 size_t *ret_n)
{
	const char *at = strrchr(address, '@'), *own_at = strrchr(own, '@');
	size_t local, own_local;

	if (!at || !own_at || strcasecmp(at, own_at) != 0)
		return false;
	local = (size_t)(at - address);
	own_local = (size_t)(own_at - own);
	if (local < own_local || strncasecmp(address, own, own_local) != 0)
		return false;
	*ret_detail = local > own_local ? address + own_local + 1 : NULL;
	*ret_n = local > own_local ? local - own_local - 1 : 0;
	return local == own_local || address[own_local] == '+';
}

/* "PAYLOAD.TAG" as far as a glance can tell: long enough, letters and digits around one dot. */
static bool looks_signed(const char *s, size_t n)
{
	size_t dots = 0;

	for (size_t i = 0; i < n; i++) {
		bool letter = (s[i] >= 'a' && s[i] <= 'z') || (s[i] >= 'A' && s[i] <= 'Z') ||
			      (s[i] >= '0' && s[i] <= '9');

		if (!letter && s[i] != '.')
			return false;
		dots += s[i] == '.';
	}
	return dots == 1 && n >= LOOKALIKE_MIN && n <= TEXT_MAX;
}

/* PAYLOAD.TAG of an address of ours, its purpose, and the octets of the name before it. */
static const char *find_signed(const char *address, const struct rec_strs *own, size_t *ret_n,
			       enum token_purpose *ret_purpose, size_t *ret_local)
{
	const char *detail;
	size_t n;

	for (size_t i = 0; i < own->n; i++) {
		enum token_purpose purpose = TOKEN_PROOF;

		if (!same_mailbox(address, own->v[i], &detail, &n) || !detail)
			continue;
		for (int k = TOKEN_BOUNCE; k <= TOKEN_CONFIRM; k++)
			if (n > 2 && strncasecmp(detail, prefixes[k], 2) == 0)
				purpose = (enum token_purpose)k;
		detail += strlen(prefixes[purpose]);
		n -= strlen(prefixes[purpose]);
		if (!looks_signed(detail, n))
			continue;
		*ret_n = n;
		*ret_purpose = purpose;
		*ret_local = strcspn(own->v[i], "@");
		return detail;
	}
	return NULL;
}

enum token_result token_read_address(const struct token_keys *keys, const char *address,
				     const struct rec_strs *own, int64_t today, struct token *ret)
{
	enum token_purpose purpose;
	size_t n, local;
	const char *text = find_signed(address, own, &n, &purpose, &local);

	return text ? check(keys, text, n, purpose, local, today, ret) : TOKEN_NONE;
}

bool token_peek_address(const char *address, const struct rec_strs *own, struct token *ret)
{
	uint8_t payload[TOKEN_PAYLOAD_MAX];
	enum token_purpose purpose;
	size_t n, local, payload_n;
	const char *text = find_signed(address, own, &n, &purpose, &local);
	const char *dot = text ? memchr(text, '.', n) : NULL;
	struct token t = { 0 };

	if (!dot ||
	    base32_decode(text, (size_t)(dot - text), payload, sizeof payload, &payload_n) !=
		    MD_OK ||
	    !unpack(payload, payload_n, &t))
		return false;
	t.purpose = purpose;
	*ret = t;
	return true;
}

bool token_same_mailbox(const char *one, const char *other)
{
	const char *one_at = strrchr(one, '@'), *other_at = strrchr(other, '@');
	size_t n, m;

	if (!one_at || !other_at || strcasecmp(one_at, other_at) != 0)
		return false;
	n = strcspn(one, "+@");
	m = strcspn(other, "+@");
	return n > 0 && n == m && strncasecmp(one, other, n) == 0;
}

bool token_is_own_address(const char *address, const struct rec_strs *own)
{
	const char *detail;
	size_t n;

	for (size_t i = 0; i < own->n; i++)
		if (same_mailbox(address, own->v[i], &detail, &n))
			return true;
	return false;
}

enum token_result token_read_word(const struct token_keys *keys, enum token_purpose purpose,
				  const char *word, int64_t today, struct token *ret)
{
	size_t n = strlen(word);

	return looks_signed(word, n) ? check(keys, word, n, purpose, TOKEN_TAG_BYTES, today, ret)
				     : TOKEN_NONE;
}

enum token_result token_read_message_id(const struct token_keys *keys, const char *id,
					int64_t today, struct token *ret)
{
	const char *body, *dot;
	size_t n;

	if (strncasecmp(id, "md.", 3) != 0)
		return TOKEN_NONE;
	/* KEYID is for people and for a glance at the key; what is signed is the one inside. */
	body = id + 3 + strspn(id + 3, "0123456789");
	dot = body;
	n = strcspn(body, "@");
	if (body == id + 3 || *dot != '.' || n - 1 > TEXT_MAX)
		return TOKEN_BAD;
	return check(keys, body + 1, n - 1, TOKEN_ROUTE, 0, today, ret);
}

enum token_result token_read_marker(const struct token_keys *keys, const char *marker,
				    int64_t today, struct token *ret)
{
	size_t n;

	if (strncasecmp(marker, "[md:", 4) == 0)
		marker += 4;
	n = strcspn(marker, "]");
	if (n > TEXT_MAX)
		return TOKEN_BAD;
	return check(keys, marker, n, TOKEN_ROUTE, 0, today, ret);
}
