/* Nobody without the key makes a token of either kind; what we made is read as it was made, and not
 * with one bit changed. The first 33 bytes of the input are the numbers. */
#include "fuzz.h"

#include <maildesk/desk/jwt.h>
#include <maildesk/desk/token.h>

#include <sodium.h>

static const struct token_keys keys = {
	.current = { .id = 2, .bytes = "current key of the fuzz target" },
	.previous = { .id = 1, .bytes = "previous key of the fuzz target" },
};
static const char *own_list[] = { "support@desk.example" };
static const struct rec_strs own = { 1, own_list };

static int64_t number(const uint8_t *p)
{
	int64_t v;

	memcpy(&v, p, sizeof v);
	return v & INT64_MAX;
}

static void check_foreign(const char *text, int64_t today)
{
	static const struct jwt_keys access = {
		.current = { .id = 2, .bytes = "key of access tokens" },
		.previous = { .id = 1, .bytes = "previous key of access tokens" },
	};
	struct jwt_claims claims;
	struct token t;

	check(token_read_address(&keys, text, &own, today, &t) != TOKEN_VALID);
	check(token_read_message_id(&keys, text, today, &t) != TOKEN_VALID);
	check(token_read_marker(&keys, text, today, &t) != TOKEN_VALID);
	check(jwt_check(&access, text, strlen(text), 0, &claims, NULL) == MD_REFUSED);
	token_is_own_address(text, &own);
}

static void check_same(const struct token *a, const struct token *b)
{
	check(a->ticket == b->ticket && a->comment == b->comment && a->user == b->user);
	check(a->serial == b->serial && a->day == b->day);
}

static void check_own(const struct token *t, uint8_t bit)
{
	md_auto(buf_done) struct buf id = BUF_INIT(1000), address = id, marker = id;
	struct token back;
	size_t at;

	if (token_make_marker(&keys, t, &marker, NULL) != MD_OK)
		return;
	check(token_read_marker(&keys, buf_str(&marker), t->day, &back) == TOKEN_VALID);
	check_same(t, &back);
	check(token_make_message_id(&keys, t, "desk.example", &id, NULL) == MD_OK);
	check(token_read_message_id(&keys, buf_str(&id), t->day, &back) == TOKEN_VALID);
	check_same(t, &back);
	/* A marker is no address, and the other way round. */
	if (token_make_address(&keys, TOKEN_PROOF, t, own.v[0], &address, NULL) == MD_OK) {
		check(token_read_address(&keys, buf_str(&address), &own, t->day, &back) ==
		      TOKEN_VALID);
		check_same(t, &back);
		check(token_read_marker(&keys, strchr(address.data, '+') + 1, t->day, &back) !=
		      TOKEN_VALID);
	}
	at = strlen("[md:") + bit % (marker.len - strlen("[md:]"));
	marker.data[at] = marker.data[at] == 'a' ? 'b' : 'a';
	if (marker.data[at] != '.')
		check(token_read_marker(&keys, marker.data, t->day, &back) != TOKEN_VALID);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	md_auto(md_free_p) char *text = md_malloc(n + 1);
	struct token t;

	check(sodium_init() >= 0 && text);
	memcpy(text, data, n);
	text[n] = '\0';
	check_foreign(text, 20000);
	if (n < 33)
		return 0;
	t = (struct token){ .day = number(data) & 0xffff,
			    .ticket = number(data + 8) >> (data[32] & 63),
			    .comment = number(data + 16) >> (data[31] & 63),
			    .user = number(data + 24) >> (data[30] & 63) };
	check_own(&t, data[32]);
	return 0;
}
