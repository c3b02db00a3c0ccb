import { describe, expect, it } from 'vitest';
import { ApiError } from '../api/client';
import { explain } from './problem';
import { reasonText } from './reason';
import { format, type Params, type Text } from './text';

const de = (text: Text, params?: Params) => format(text, 'de', params);
const en = (text: Text, params?: Params) => format(text, 'en', params);

describe('why something was refused', () => {
	it('is told in the language of the reader, with what stands in it', () => {
		expect(reasonText({ code: 'too_long', values: ['200'] }, 'must have at most 200 characters', de)).toBe('Höchstens 200 Zeichen.');
		expect(reasonText({ code: 'too_long', values: ['200'] }, 'must have at most 200 characters', en)).toBe('Must have at most 200 characters.');
		expect(reasonText({ code: 'no_way', values: ['open', 'resolved', 'in_progress, mine'] }, '', de)).toBe('Von Offen führt kein Weg zu Gelöst; möglich ist: In Arbeit, mine');
	});
	it('keeps the words of the desk where there is no name, or a new one', () => {
		expect(reasonText(undefined, 'old', de)).toBe('old');
		expect(reasonText({}, 'open -> resolved', de)).toBe('open -> resolved');
		expect(reasonText({ code: 'of_tomorrow', values: [] }, 'new', de)).toBe('new');
	});
	it('stands in what a form says', () => {
		const fields = [{ field: 'title', message: 'must not be empty', code: 'empty', values: [] }, { field: 'tags.0', message: 'is odd' }, { field: 'x.0', message: 'is odd' }, { field: '', message: 'must be an object', code: 'no_object', values: [] }];
		expect(explain(new ApiError(422, 'validation', 'the body cannot be used', fields), de)).toBe('Bitte prüfen Sie das Markierte: Betreff: Das darf nicht leer sein. Schlagwörter: is odd. x.0: is odd. Das muss ein Objekt sein.');
	});
	it('is told of what no field is to blame for', () => {
		const taken = new ApiError(409, 'conflict', 'the name is taken', [], { reason: { code: 'name_taken', values: [] } });
		expect(explain(taken, de)).toBe('Das hat nicht geklappt: Der Name ist vergeben.');
		const waiting = new ApiError(413, 'too_large', 'too many files wait to be attached to something', [], { reason: { code: 'files_wait', values: [] } });
		expect(explain(waiting, de)).toMatch(/^Das hat nicht geklappt: Zu viele Dateien/);
		const plain = new ApiError(403, 'forbidden', 'not allowed to you', [], { reason: { code: 'not_allowed', values: [] } });
		expect(explain(plain, de)).toMatch(/Fragen Sie einen Admin/);
	});
});
