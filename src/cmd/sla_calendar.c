/* The calendar of an SLA scenario, from JSON. */
#include "sla_calendar.h"

#include <maildesk/app/zone.h>

#include <string.h>

/* A list of windows; `n` comes in as the room. */
static int read_strings(const json_t *list, const char **v, size_t *n, struct md_err *err)
{
	size_t count = json_array_size(list);

	if (!json_is_array(list) || count > *n)
		return md_fail(err, MD_INPUT, 0, "must be a list of windows, at most %zu", *n);
	for (size_t i = 0; i < count; i++)
		if (!(v[i] = json_string_value(json_array_get(list, i))))
			return md_fail(err, MD_INPUT, 0, "a window must be a string");
	*n = count;
	return MD_OK;
}

typedef int window_setter(struct calendar *c, const char *key, const char *const *windows, size_t n,
			  struct md_err *err);

static int read_day_windows(json_t *object, window_setter *set, struct calendar *c,
			    struct md_err *err)
{
	const char *windows[2 * CALENDAR_WINDOWS];
	const char *key;
	json_t *list;

	if (!json_is_object(object))
		return md_fail(err, MD_INPUT, 0, "must be an object");
	json_object_foreach(object, key, list)
	{
		size_t n = MD_COUNT(windows);
		int rc = read_strings(list, windows, &n, err);

		if (rc == MD_OK)
			rc = set(c, key, windows, n, err);
		if (rc != MD_OK)
			return rc;
	}
	return MD_OK;
}

static int read_zone(json_t *j, struct calendar *c, struct md_err *err)
{
	if (!json_is_string(j))
		return md_fail(err, MD_INPUT, 0, "must be a string");
	return zone_load(json_string_value(j), c, err);
}

static int read_hours(json_t *j, struct calendar *c, struct md_err *err)
{
	return read_day_windows(j, calendar_set_hours, c, err);
}

static int read_special(json_t *j, struct calendar *c, struct md_err *err)
{
	return read_day_windows(j, calendar_add_special, c, err);
}

static int read_holidays(json_t *j, struct calendar *c, struct md_err *err)
{
	if (!json_is_array(j))
		return md_fail(err, MD_INPUT, 0, "must be a list");
	for (size_t i = 0; i < json_array_size(j); i++) {
		const char *date = json_string_value(json_array_get(j, i));
		int rc = calendar_add_holiday(c, date ? date : "", err);

		if (rc != MD_OK)
			return rc;
	}
	return MD_OK;
}

static const struct {
	const char *key;
	int (*read)(json_t *j, struct calendar *c, struct md_err *err);
} calendar_keys[] = {
	{ "timezone", read_zone },
	{ "hours", read_hours },
	{ "holidays", read_holidays },
	{ "special", read_special },
};

int sla_read_calendar(json_t *j, struct calendar *ret, struct md_err *err)
{
	md_auto(calendar_done) struct calendar c = { 0 };
	const char *key;
	json_t *value;

	if (json_is_string(j) && strcmp(json_string_value(j), "24x7") == 0) {
		*ret = calendar_24x7;
		return MD_OK;
	}
	if (!json_object_get(j, "timezone"))
		return md_fail(err, MD_INPUT, 0,
			       "\"calendar\" must be \"24x7\" or an object "
			       "with a \"timezone\"");
	json_object_foreach(j, key, value)
	{
		size_t i = 0;
		int rc;

		while (i < MD_COUNT(calendar_keys) && strcmp(calendar_keys[i].key, key) != 0)
			i++;
		if (i == MD_COUNT(calendar_keys))
			return md_fail(err, MD_INPUT, 0, "unknown key \"%.40s\" in a calendar",
				       key);
		rc = calendar_keys[i].read(value, &c, err);
		if (rc != MD_OK)
			return md_wrap(err, rc, "%s", key);
	}
	*ret = c;
	c = (struct calendar){ 0 };
	return MD_OK;
}
