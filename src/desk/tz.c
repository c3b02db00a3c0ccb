#include <maildesk/desk/tz.h>

#include <maildesk/base/clock.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum {
	HEADER = 44,
	OFFSET_LOW = -89999, /* RFC 8536 section 3.2: -25 h < utoff < 26 h */
	OFFSET_HIGH = 93599,
	SECONDS_PER_DAY = 86400,
	FOOTER_MAX = 128, /* the longest of tzdata has 45 characters */
};

enum rule_kind { RULE_JULIAN, RULE_DAY, RULE_WEEKDAY };
struct rule {
	enum rule_kind kind;
	int month, week, day; /* RULE_JULIAN 1..365 without 29 February, RULE_DAY 0..365 */
	int32_t time;         /* seconds after local midnight, -167 h to 167 h */
};

struct tz {
	size_t n;
	int64_t *at;     /* ascending */
	int32_t *offset; /* from at[i] on */
	int32_t first;   /* before at[0] */
	bool footer, dst;
	int32_t std_offset, dst_offset;
	struct rule start, end; /* of summer time, each year; only with dst */
};

void tz_free(struct tz *tz)
{
	if (!tz)
		return;
	free(tz->at);
	free(tz->offset);
	free(tz);
}

/* ---- POSIX TZ string ---- */

static bool take_name(const char **s)
{
	const char *from = *s;

	if (**s == '<') {
		while (**s && **s != '>')
			(*s)++;
		return *(*s)++ == '>' && *s - from >= 5;
	}
	while ((**s >= 'A' && **s <= 'Z') || (**s >= 'a' && **s <= 'z'))
		(*s)++;
	return *s - from >= 3;
}

static bool take_number(const char **s, int high, int *ret)
{
	int value = 0, digits = 0;

	for (; **s >= '0' && **s <= '9' && digits < 4; (*s)++, digits++)
		value = value * 10 + (**s - '0');
	*ret = value;
	return digits > 0 && value <= high;
}

/* [+-]hh[:mm[:ss]] */
static bool take_time(const char **s, int high_hour, int32_t *ret)
{
	int part[3] = { 0, 0, 0 };
	bool minus = **s == '-';

	if (**s == '-' || **s == '+')
		(*s)++;
	for (int i = 0; i < 3; i++) {
		if (i > 0 && **s != ':')
			break;
		if (i > 0)
			(*s)++;
		if (!take_number(s, i == 0 ? high_hour : 59, &part[i]))
			return false;
	}
	*ret = (part[0] * 60 + part[1]) * 60 + part[2];
	if (minus)
		*ret = -*ret;
	return true;
}

static bool take_weekday_rule(const char **s, struct rule *r)
{
	r->kind = RULE_WEEKDAY;
	return take_number(s, 12, &r->month) && r->month >= 1 && *(*s)++ == '.' &&
	       take_number(s, 5, &r->week) && r->week >= 1 && *(*s)++ == '.' &&
	       take_number(s, 6, &r->day);
}

/* ,date[/time] */
static bool take_rule(const char **s, struct rule *r)
{
	if (*(*s)++ != ',')
		return false;
	if (**s == 'M') {
		(*s)++;
		if (!take_weekday_rule(s, r))
			return false;
	} else {
		r->kind = **s == 'J' ? RULE_JULIAN : RULE_DAY;
		if (**s == 'J')
			(*s)++;
		if (!take_number(s, 365, &r->day) || (r->kind == RULE_JULIAN && r->day == 0))
			return false;
	}
	r->time = 2 * 3600;
	if (**s != '/')
		return true;
	(*s)++;
	return take_time(s, 167, &r->time);
}

static bool parse_footer(const char *s, struct tz *tz)
{
	int32_t west;

	if (!take_name(&s) || !take_time(&s, 24, &west))
		return false;
	tz->std_offset = -west;
	tz->footer = true;
	if (*s == '\0')
		return true;
	if (!take_name(&s))
		return false;
	tz->dst = true;
	tz->dst_offset = tz->std_offset + 3600;
	if (*s != ',') {
		if (!take_time(&s, 24, &west))
			return false;
		tz->dst_offset = -west;
	}
	return take_rule(&s, &tz->start) && take_rule(&s, &tz->end) && *s == '\0';
}

static bool is_leap(int64_t year)
{
	return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

/* The rule's local time in a year, in seconds as if local time were UTC. */
static int64_t rule_time(const struct rule *r, int64_t year)
{
	int64_t first = days_from_civil(year, 1, 1), day = 0;

	switch (r->kind) {
	case RULE_JULIAN:
		day = first + r->day - 1 + (r->day >= 60 && is_leap(year));
		break;
	case RULE_DAY:
		day = first + r->day;
		break;
	case RULE_WEEKDAY: {
		int64_t next_month = r->month == 12 ? days_from_civil(year + 1, 1, 1)
						    : days_from_civil(year, r->month + 1, 1);

		first = days_from_civil(year, r->month, 1);
		/* 1970-01-01 was a Thursday, which POSIX counts as 4. */
		day = first + (r->day - (first + 4) % 7 + 14) % 7 + (r->week - 1) * 7;
		while (day >= next_month)
			day -= 7;
		break;
	}
	}
	return day * SECONDS_PER_DAY + r->time;
}

static int32_t footer_offset(const struct tz *tz, int64_t t, int64_t *ret_until)
{
	int64_t year, last = INT64_MIN, next = TZ_FOREVER;
	int32_t offset = tz->std_offset;
	int month, day;

	*ret_until = TZ_FOREVER;
	if (!tz->dst)
		return tz->std_offset;
	civil_from_days(t / SECONDS_PER_DAY - (t % SECONDS_PER_DAY < 0), &year, &month, &day);
	for (int64_t y = year - 1; y <= year + 1; y++) {
		/* The end comes first, so that where it meets next year's start (summer time all
		 * year round) the start wins. */
		const int64_t at[2] = { rule_time(&tz->end, y) - tz->dst_offset,
					rule_time(&tz->start, y) - tz->std_offset };
		const int32_t to[2] = { tz->std_offset, tz->dst_offset };

		for (int i = 0; i < 2; i++) {
			if (at[i] <= t && at[i] >= last) {
				last = at[i];
				offset = to[i];
			}
			if (at[i] > t && at[i] < next)
				next = at[i];
		}
	}
	*ret_until = next;
	return offset;
}

/* ---- TZif ---- */

struct block {
	size_t times, types, transitions, chars, leaps, std, ut, time_size;
};

static uint32_t be32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static int64_t be_time(const uint8_t *p, size_t size)
{
	if (size == 4)
		return (int32_t)be32(p);
	return (int64_t)((uint64_t)be32(p) << 32 | be32(p + 4));
}

static bool read_header(const uint8_t *p, size_t n, size_t time_size, struct block *b)
{
	if (n < HEADER || memcmp(p, "TZif", 4) != 0)
		return false;
	*b = (struct block){ .ut = be32(p + 20),
			     .std = be32(p + 24),
			     .leaps = be32(p + 28),
			     .times = be32(p + 32),
			     .types = be32(p + 36),
			     .chars = be32(p + 40),
			     .time_size = time_size };
	return b->types > 0;
}

/* Counts have 32 bits and size_t has 64: no overflow. */
static size_t block_size(const struct block *b)
{
	return b->times * (b->time_size + 1) + b->types * 6 + b->chars +
	       b->leaps * (b->time_size + 4) + b->std + b->ut;
}

static int read_block(const uint8_t *p, const struct block *b, struct tz *tz, struct md_err *err)
{
	const uint8_t *index = p + b->times * b->time_size;
	const uint8_t *types = index + b->times;

	if (b->leaps > 0)
		return md_fail(err, MD_INPUT, 0, "time zone data with leap seconds");
	for (size_t i = 0; i < b->types; i++) {
		int32_t offset = (int32_t)be32(types + i * 6);

		if (offset < OFFSET_LOW || offset > OFFSET_HIGH)
			return md_fail(err, MD_INPUT, 0, "time zone offset out of range");
	}
	tz->first = (int32_t)be32(types);
	tz->at = md_calloc(b->times, sizeof *tz->at);
	tz->offset = md_calloc(b->times, sizeof *tz->offset);
	if (!tz->at || !tz->offset)
		return md_fail(err, MD_NOMEM, 0, "out of memory");
	for (size_t i = 0; i < b->times; i++) {
		int64_t at = be_time(p + i * b->time_size, b->time_size);

		at = at < -TZ_FOREVER ? -TZ_FOREVER : at > TZ_FOREVER ? TZ_FOREVER : at;
		if (index[i] >= b->types || (i > 0 && at < tz->at[i - 1]))
			return md_fail(err, MD_INPUT, 0, "time zone table out of order");
		tz->at[i] = at;
		tz->offset[i] = (int32_t)be32(types + index[i] * 6u);
	}
	tz->n = b->times;
	return MD_OK;
}

static int read_footer(const uint8_t *p, size_t n, struct tz *tz, struct md_err *err)
{
	char text[FOOTER_MAX];
	const uint8_t *end = n > 1 && *p == '\n' ? memchr(p + 1, '\n', n - 1) : NULL;
	size_t len;

	if (!end || (len = (size_t)(end - p) - 1) >= sizeof text)
		return md_fail(err, MD_INPUT, 0, "time zone data without footer");
	if (len == 0)
		return MD_OK;
	memcpy(text, p + 1, len);
	text[len] = '\0';
	if (!parse_footer(text, tz))
		return md_fail(err, MD_INPUT, 0, "time zone footer that can't be read");
	return MD_OK;
}

int tz_parse(const void *bytes, size_t n, struct tz **ret, struct md_err *err)
{
	const uint8_t *p = bytes;
	md_auto(tz_free_p) struct tz *tz = NULL;
	struct block b;
	bool second = n >= HEADER && p[4] >= '2';
	int rc;

	if (!read_header(p, n, 4, &b) || block_size(&b) > n - HEADER)
		return md_fail(err, MD_INPUT, 0, "no time zone data");
	p += HEADER;
	n -= HEADER;
	if (second) {
		p += block_size(&b);
		n -= block_size(&b);
		if (!read_header(p, n, 8, &b) || block_size(&b) > n - HEADER)
			return md_fail(err, MD_INPUT, 0, "time zone data cut short");
		p += HEADER;
		n -= HEADER;
	}
	tz = md_calloc(1, sizeof *tz);
	if (!tz)
		return md_fail(err, MD_NOMEM, 0, "out of memory");
	if ((rc = read_block(p, &b, tz, err)) != MD_OK)
		return rc;
	if (second && (rc = read_footer(p + block_size(&b), n - block_size(&b), tz, err)) != MD_OK)
		return rc;
	*ret = md_take(tz);
	return MD_OK;
}

int32_t tz_offset(const struct tz *tz, int64_t t, int64_t *ret_until)
{
	int64_t scratch;
	int64_t *until = ret_until ? ret_until : &scratch;
	size_t low = 0, high;

	*until = TZ_FOREVER;
	if (!tz)
		return 0;
	if (tz->n == 0 || t >= tz->at[tz->n - 1]) {
		if (tz->footer)
			return footer_offset(tz, t, until);
		return tz->n ? tz->offset[tz->n - 1] : tz->first;
	}
	/* low becomes the first transition after t */
	for (high = tz->n - 1; low < high;) {
		size_t mid = low + (high - low) / 2;

		if (tz->at[mid] <= t)
			low = mid + 1;
		else
			high = mid;
	}
	*until = tz->at[low];
	return low == 0 ? tz->first : tz->offset[low - 1];
}
