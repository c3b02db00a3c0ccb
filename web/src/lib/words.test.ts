import { expect, test } from 'vitest';
import { names, words } from './words';

test.each([
	['', []],
	[' a.test,b.test ;c.test\n\nd.test ', ['a.test', 'b.test', 'c.test', 'd.test']],
])('words of %j', (text, all) => expect(words(text)).toEqual(all));

test.each([
	[' , ,\n', []],
	['big customer, vip\nlate', ['big customer', 'vip', 'late']],
])('names in %j', (text, all) => expect(names(text)).toEqual(all));
