/* tzif.h - time zone data for the tests of desk/: of this system, or made of a footer. */
#ifndef MAILDESK_TESTS_UNIT_DESK_TZIF_H
#define MAILDESK_TESTS_UNIT_DESK_TZIF_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TZIF_MAX = 64 * 1024 };

static inline size_t tzif_system(const char *zone, uint8_t out[TZIF_MAX])
{
	char path[128];
	FILE *f;
	size_t n;

	snprintf(path, sizeof path, "/usr/share/zoneinfo/%s", zone);
	f = fopen(path, "rbe");
	if (!f)
		return 0;
	n = fread(out, 1, TZIF_MAX, f);
	fclose(f);
	return n;
}

/* Version 2, no transitions, one type (UTC), then the footer. */
static inline size_t tzif_footer(const char *footer, uint8_t out[TZIF_MAX])
{
	static const uint8_t part[54] = {
		'T', 'Z', 'i', 'f', '2', [39] = 1, [43] = 4, [50] = 'U', 'T', 'C', 0
	};
	size_t n = strlen(footer);

	memcpy(out, part, sizeof part);
	memcpy(out + sizeof part, part, sizeof part);
	out[2 * sizeof part] = '\n';
	memcpy(out + 2 * sizeof part + 1, footer, n);
	out[2 * sizeof part + 1 + n] = '\n';
	return 2 * sizeof part + n + 2;
}

#endif
