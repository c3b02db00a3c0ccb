#include <maildesk/desk/digest.h>

#include <string.h>

enum { HOUR = 3600 };
#define DAY INT64_C(86400)

const char *const digest_names[DIGEST_COUNT + 1] = {
	[DIGEST_OFF] = "off",
	[DIGEST_HOURLY] = "hourly",
	[DIGEST_DAILY] = "daily",
};

enum digest digest_from_name(const char *name)
{
	for (int d = 0; name && d < DIGEST_COUNT; d++)
		if (strcmp(digest_names[d], name) == 0)
			return (enum digest)d;
	return DIGEST_OFF;
}

/* Where the offset changes by less than an hour on the way, the rest is added. */
static int64_t next_hour(const struct tz *tz, int64_t now)
{
	int64_t t = now + HOUR - (now + tz_offset(tz, now, NULL)) % HOUR;

	return t + (HOUR - (t + tz_offset(tz, t, NULL)) % HOUR) % HOUR;
}

static int64_t next_morning(const struct tz *tz, int64_t now)
{
	int64_t local = now + tz_offset(tz, now, NULL);
	int64_t at = local - local % DAY + DIGEST_MORNING * HOUR, t;

	/* the offset is that of the morning, which may not be the present one */
	for (;; at += DAY) {
		t = at - tz_offset(tz, at, NULL);
		t = at - tz_offset(tz, t, NULL);
		if (t > now)
			return t;
	}
}

int64_t digest_due(enum digest d, const struct tz *tz, int64_t now_ms)
{
	int64_t now = now_ms / 1000;

	return (d == DIGEST_DAILY ? next_morning(tz, now) : next_hour(tz, now)) * 1000;
}
