/* What decided about a mail, and why a clock ran or not, in the language of the reader. The API names
 * each sentence beside its own words; what is not known here (an older decision, a newer desk, a rule
 * of one's own) is shown in those words. */
import type { ClockLine, Rule } from '../api/types';
import m from '../messages/evidence';
import clock from '../messages/clock';
import words from '../messages/ticket';
import type { Params, Text } from './text';

type Translate = (text: Text, params?: Params) => string;

const texts: Record<string, Text> = m;

/** A word of the API by its kind ("rule", "kind"), or as it is. */
export function said(prefix: string, id: string, t: Translate): string {
	const text = texts[`${prefix}${id}`];
	return text ? t(text) : id.replaceAll('_', ' ');
}

export function ruleName(rule: string, t: Translate): string {
	return rule.startsWith('rule:') ? t(m.rule_own, { name: rule.slice(5) }) : said('rule_', rule, t);
}

export function evidenceText(rule: Rule, t: Translate): string {
	const facts = rule.facts ?? [];
	if (!facts.length || facts.some((f) => !texts[f.code])) return rule.evidence ?? '';
	return facts
		.map((f) => {
			/* The way that is passed over, or the kind of a report, has a word, too. */
			const values = f.values.map((v) => (f.code.endsWith('_ignored') ? ruleName(v, t) : f.code === 'not_ours' ? said('kind_', v, t) : v));
			return t(texts[f.code]!, Object.fromEntries(values.entries()));
		})
		.join('; ');
}

export function whyText(line: Pick<ClockLine, 'why' | 'code' | 'about'>, t: Translate): string {
	const text = line.code ? (clock as Record<string, Text>)[line.code] : undefined;
	if (!text) return line.why;
	if (!line.about) return t(text);
	const about = (clock as Record<string, Text>)[`about_${line.about}`] ?? (words as Record<string, Text>)[line.about];
	return `${t(text)}: ${about ? t(about) : line.about}`;
}
