/* A list of addresses: clean names, domains in lower case, and what can be sent to is read the same
 * when it comes back. */
#include "fuzz.h"

#include <maildesk/mail/address.h>
#include <maildesk/mail/compose.h>

static void check_address(struct arena *a, const struct mail_address *m)
{
	struct rec_list again = { 0 };
	const char *at;

	check(m->address);
	check_line(m->address);
	check_line(m->name);
	at = strrchr(m->address, '@');
	for (const char *p = at; p && *p; p++)
		check(*p < 'A' || *p > 'Z');
	if (!mail_address_valid(m->address))
		return;
	address_list_read(a, span_of(arena_printf(a, "<%s>", m->address)), &again);
	check(again.n == 1);
	check(strcmp(((struct mail_address *)again.v)[0].address, m->address) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	md_auto(arena_done) struct arena a = ARENA_INIT(FUZZ_ARENA_MAX);
	struct span value = { (const char *)data, n };
	struct rec_list list = { 0 };
	struct rec_strs ids = { 0 };
	unsigned odd = address_list_read(&a, value, &list);

	check(list.n <= ADDRESS_LIST_MAX && !a.failed);
	check(list.n == 1 || (odd & ADDRESS_ODD_COUNT));
	for (size_t i = 0; i < list.n; i++)
		check_address(&a, (struct mail_address *)list.v + i);
	address_ids_read(&a, value, &ids);
	for (size_t i = 0; i < ids.n; i++) {
		check(ids.v[i] && *ids.v[i]);
		check_line(ids.v[i]);
		for (size_t k = 0; k < i && i < 20; k++)
			check(strcmp(ids.v[i], ids.v[k]) != 0);
	}
	check_line(address_clean(&a, value));
	check(!a.failed);
	return 0;
}
