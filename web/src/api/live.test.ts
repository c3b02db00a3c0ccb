import { QueryClient } from '@tanstack/react-query';
import { expect, it, vi } from 'vitest';
import { Live, parseEvents } from './live';

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

it('reads again at once after a while of quiet, and once for many events', () => {
	vi.useFakeTimers();
	const client = new QueryClient();
	const read = vi.spyOn(client, 'invalidateQueries');
	const lists = () => read.mock.calls.filter(([what]) => what?.queryKey?.[0] === 'tickets').length;
	const live = new Live(client, () => {});
	const created = (ticket: number) => live['take']({ id: String(ticket), event: 'ticket.created', data: JSON.stringify({ ticket }) });
	created(1);
	created(2);
	vi.advanceTimersByTime(1);
	expect(lists()).toBe(1);
	for (let i = 3; i < 50; i++) created(i);
	vi.advanceTimersByTime(100);
	expect(lists()).toBe(1);
	vi.advanceTimersByTime(100);
	expect(lists()).toBe(2);
	vi.advanceTimersByTime(10_000);
	created(50);
	vi.advanceTimersByTime(1);
	expect(lists()).toBe(3);
	vi.useRealTimers();
});
