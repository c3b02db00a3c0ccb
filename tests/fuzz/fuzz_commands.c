/* Commands of a mail. The input is OPTIONS (one byte) SUBJECT NUL TEXT. */
#include "fuzz.h"

#include <maildesk/desk/command.h>

static void check_refusals(const struct command_refusal *v, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		check(v[i].line && v[i].reason && *v[i].reason);
		check_utf8(v[i].line);
		check_utf8(v[i].reason);
	}
}

static void check_command(const struct command *c)
{
	check(c->row && c->args && c->line);
	check_line(c->args);
	check_utf8(c->line);
	for (size_t i = 0; i < c->words.n && c->row->verb == VERB_TAG; i++)
		check(*c->words.v[i] == '+' || *c->words.v[i] == '-');
	for (size_t i = 0; i < c->number_count; i++)
		check(c->numbers[i] > 0);
	check(c->row->argument != ARGUMENT_NUMBER || c->number_count == 1);
	check(c->row->argument != ARGUMENT_LINK || (c->key && c->number_count == 1));
	check(c->row->verb != VERB_ON && c->row->verb != VERB_STOP);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	md_auto(arena_done) struct arena a = ARENA_INIT(FUZZ_ARENA_MAX);
	md_auto(buf_done) struct buf subject = BUF_INIT(FUZZ_ARENA_MAX), text = subject;
	struct span rest = { (const char *)data, n }, first;
	struct command_list l;
	struct command_input in = { .tag_format = "[#%d]" };
	const char *tagged;

	if (n == 0)
		return 0;
	in.mode = (enum command_subjects)(data[0] % SUBJECT_COUNT);
	in.is_staff = data[0] & 0x80;
	rest = span_from(rest, 1);
	first = take_part(&rest);
	utf8_clean_line(&subject, first.p, first.n);
	utf8_clean_text(&text, rest.p, rest.n);
	in.subject = buf_str(&subject);
	in.text = buf_str(&text);
	check(command_parse(&in, &a, &l, NULL) == MD_OK);
	check(l.count <= COMMAND_MAX || l.refusal_count);
	check(l.subject && l.body && l.subject_block);
	check_line(l.subject);
	check_line(l.subject_block);
	check_utf8(l.body);
	check(strlen(l.subject) <= subject.len);
	check(strlen(l.body) <= subject.len + 1 + text.len); /* #note of a subject goes there */
	for (size_t i = 0; i < l.count; i++)
		check_command(&l.commands[i]);
	check_refusals(l.refusals, l.refusal_count);
	check_refusals(l.leftovers, l.leftover_count);
	if (in.mode == SUBJECT_OFF)
		check(strcmp(l.subject, in.subject) == 0 || !*l.subject_block);
	check(l.ticket_count <= COMMAND_TICKETS_MAX || l.refusal_count);
	check(command_ticket_tag(in.subject, "[#%d]") >= 0);
	in.text = data[0] & 0x40 ? in.subject : in.text;
	check(command_parse_box(&in, &a, &l, NULL) == MD_OK);
	tagged = command_tag_subject(&a, "[#%d]", 412, in.subject);
	check(command_ticket_tag(tagged, "[#%d]") > 0);
	command_tag_format_valid(in.subject);
	return 0;
}
