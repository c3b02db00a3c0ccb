import { expect, it } from 'vitest';
import { parseEvents } from './live';

it('reads messages as they come, in pieces', () => {
	const [none, rest] = parseEvents('id: 7\nevent: ticket.cre');
	expect(none).toEqual([]);
	const [one, left] = parseEvents(`${rest}ated\ndata: {"ticket":1}\n\n: heartbeat\n\nid: 8`);
	expect(one).toEqual([{ id: '7', event: 'ticket.created', data: '{"ticket":1}' }]);
	expect(left).toBe('id: 8');
});

it('joins lines of data, bears CRLF, and takes an event without data', () => {
	expect(parseEvents('data: a\r\ndata: b\r\n\r\nevent: reset\r\n\r\n')[0]).toEqual([
		{ id: '', event: 'message', data: 'a\nb' },
		{ id: '', event: 'reset', data: '' },
	]);
	/* where one stands, without anything that happened */
	expect(parseEvents('retry: 3000\nid: 16\n\n')[0]).toEqual([{ id: '16', event: 'message', data: '' }]);
});
