/* Why something was refused, or what became of a command, in the language of the reader. The API names
 * each sentence beside its own words; what is not known here (a newer desk, something rare) is shown in
 * those words. */
import reasons from '../messages/reasons';
import words from '../messages/ticket';
import type { Params, Text } from './text';

export interface Named {
	code?: string;
	values?: string[];
}

type Translate = (text: Text, params?: Params) => string;

/** Those that speak of statuses by their names. */
const ofStatuses = /^(take_first|no_way|not_yours|needs_assignee|first_status$|snooze_status$|moved$)/;

function statuses(list: string, t: Translate): string {
	const known = words as Record<string, Text>;
	return list
		.split(', ')
		.map((s) => (known[s] ? t(known[s]) : s))
		.join(', ');
}

export function reasonText(named: Named | undefined, otherwise: string, t: Translate): string {
	const text = named?.code ? reasons[named.code] : undefined;
	if (!named?.code || !text) return otherwise;
	const values = (named.values ?? []).map((v) => (ofStatuses.test(named.code!) ? statuses(v, t) : v));
	return t(text, Object.fromEntries(values.entries()));
}
