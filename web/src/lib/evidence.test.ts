import { describe, expect, it } from 'vitest';
import { evidenceText, ruleName, said, whyText } from './evidence';
import { format, type Params, type Text } from './text';

const de = (text: Text, params?: Params) => format(text, 'de', params);
const rule = (facts: { code: string; values: string[] }[], evidence = 'as the desk says it') => ({ rule: 'trust', matched: true, evidence, facts });

describe('evidence', () => {
	it('is told in the language of the reader', () => {
		expect(evidenceText(rule([{ code: 'from_known', values: [] }, { code: 'no_result', values: ['mx.desk.test'] }]), de)).toBe('von einer bekannten Adresse; kein Ergebnis von mx.desk.test');
		expect(evidenceText(rule([{ code: 'bad_ignored', values: ['marker'] }]), de)).toBe('Kennzeichen im Text mit falscher Signatur übergangen');
		expect(evidenceText(rule([{ code: 'not_ours', values: ['bounce'] }]), de)).toBe('Bericht über eine E-Mail, die nicht von uns ist (Unzustellbarkeit)');
		expect(ruleName('rule:gone', de)).toBe('Regel „gone“');
		expect(said('kind_', 'auto_reply', de)).toBe('automatische Antwort');
	});
	it('keeps the words of the desk where there is no name, or a new one', () => {
		expect(evidenceText({ rule: 'x', matched: true, evidence: 'old' }, de)).toBe('old');
		expect(evidenceText(rule([{ code: 'from_known', values: [] }, { code: 'of_tomorrow', values: [] }]), de)).toBe('as the desk says it');
	});
});

it('why a clock ran is told, too', () => {
	expect(whyText({ why: 'outside hours', code: 'outside_hours', about: null }, de)).toBe('außerhalb der Zeiten');
	expect(whyText({ why: 'paused: pending', code: 'paused', about: 'pending' }, de)).toBe('angehalten: Wartend');
	expect(whyText({ why: 'paused: no target', code: 'paused', about: 'no target' }, de)).toBe('angehalten: kein Ziel');
	expect(whyText({ why: 'closed: Ostermontag', code: 'closed', about: 'Ostermontag' }, de)).toBe('geschlossen: Ostermontag');
	expect(whyText({ why: 'something', code: null, about: null }, de)).toBe('something');
});
