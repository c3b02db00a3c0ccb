import { expect, it } from 'vitest';
import type { User } from '../../api/types';
import { mentionAt, peopleFor } from './mentions';

it.each([
	['Hello @an', { from: 6, begun: 'an' }],
	['@', { from: 0, begun: '' }],
	['(@Anna We', { from: 1, begun: 'Anna We' }],
	['@Ülkü', { from: 0, begun: 'Ülkü' }],
	['write to anna@desk', null],
	['@@an', null],
	['@Anna Weber is', null],
	['no one', null],
])('sees whether a mention is being written: %s', (text, seen) => {
	expect(mentionAt(text, text.length)).toEqual(seen);
});

it('finds people by name, later names and address, without their accents', () => {
	const people = [
		{ id: 1, name: 'Anna Weber', email: 'aweber@desk.test' },
		{ id: 2, name: 'Élodie Petit', email: 'petit@desk.test' },
		{ id: 3, name: 'Bob', email: 'bob@desk.test' },
	] as User[];
	const ids = (begun: string) => peopleFor(begun, people).map((u) => u.id);
	expect(ids('')).toEqual([1, 2, 3]);
	expect(ids('an')).toEqual([1]);
	expect(ids('web')).toEqual([1]);
	expect(ids('awe')).toEqual([1]);
	expect(ids('elo')).toEqual([2]);
	expect(ids('Anna We')).toEqual([1]);
	expect(ids('bob')).toEqual([]);
	expect(ids('zz')).toEqual([]);
});
