import { describe, expect, it } from 'vitest';
import { asLocale, format, locales, type Text } from './text';

const modules = import.meta.glob<{ default: Record<string, Text> }>('../messages/*.ts', { eager: true });

describe('messages', () => {
	for (const [file, { default: messages }] of Object.entries(modules)) {
		it(`${file} has all languages, with the same placeholders`, () => {
			for (const [key, text] of Object.entries(messages)) {
				expect(text, key).toHaveLength(locales.length);
				const names = (s: string) => [...new Set(s.match(/\{\w+\}/g) ?? [])].sort();
				for (const s of text) {
					expect(s.trim(), key).not.toBe('');
					expect(names(s), `${key}: ${s}`).toEqual(names(text[0]));
					expect(s.split('|').length, `${key}: ${s}`).toBe(text[0].split('|').length);
				}
			}
		});
	}
});

describe('format', () => {
	const tickets: Text = ['{n} ticket|{n} tickets', '{n} Ticket|{n} Tickets', '{n} ticket|{n} tickets', '{n} ticket|{n} tickets'];
	it('chooses one and other by the language', () => {
		expect(format(tickets, 'en', { n: 1 })).toBe('1 ticket');
		expect(format(tickets, 'en', { n: 0 })).toBe('0 tickets');
		expect(format(tickets, 'fr', { n: 0 })).toBe('0 ticket');
		expect(format(tickets, 'de', { n: 12345 })).toBe('12.345 Tickets');
	});
	it('keeps French marks with their words', () => {
		expect(format(['', '', '', '« {name} » : oui ?'], 'fr', { name: 'a : b' })).toBe('«\u00a0a : b\u00a0»\u00a0: oui\u00a0?');
	});
	it('leaves text of parameters as it is', () => {
		expect(format(['{a} {b}', '', '', ''], 'en', { a: '{b}', b: 'x' })).toBe('{b} x');
	});
});

it('knows languages by any of their names', () => {
	expect(asLocale('de-AT')).toBe('de');
	expect(asLocale('pt')).toBeNull();
	expect(asLocale(null)).toBeNull();
});
