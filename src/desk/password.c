#include <maildesk/desk/password.h>

#include <sodium.h>
#include <string.h>

enum { PASSES = 2, MEMORY = 19 << 20 };

/* Of random bytes nobody kept, at the cost above. */
static const char nobody[] = "$argon2id$v=19$m=19456,t=2,p=1$RZj9OS8CUmf+RtlnOxHlTA$"
			     "AkZlnacaGk615LOnmdx2MwWRgB54N+2U3fLCb/KokRc";

_Static_assert(PASSWORD_HASH_MAX >= crypto_pwhash_STRBYTES, "room for a hash");

int password_check(const char *password, struct md_err *err)
{
	size_t n = strlen(password);

	if (n < PASSWORD_MIN || n > PASSWORD_MAX)
		return md_fail(err, MD_INPUT, 0, "a password has %d to %d characters", PASSWORD_MIN,
			       PASSWORD_MAX);
	return MD_OK;
}

int password_hash(const char *password, char ret_hash[PASSWORD_HASH_MAX], struct md_err *err)
{
	char hash[PASSWORD_HASH_MAX] = "";
	int rc = password_check(password, err);

	if (rc != MD_OK)
		return rc;
	if (crypto_pwhash_str(hash, password, strlen(password), PASSES, MEMORY) != 0)
		return md_fail(err, MD_NOMEM, 0, "out of memory for a password hash");
	memcpy(ret_hash, hash, sizeof hash);
	return MD_OK;
}

bool password_verify(const char *hash, const char *password)
{
	const char *against = hash ? hash : nobody;
	size_t n = strlen(password);

	if (n > PASSWORD_MAX)
		return false;
	return crypto_pwhash_str_verify(against, password, n) == 0 && hash;
}
