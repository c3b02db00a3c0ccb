import { expect, it } from 'vitest';
import { makeTimes } from './time';

const now = Date.parse('2026-03-03T12:00:00Z');

it('says how long ago, in words of the language', () => {
	const en = makeTimes('en', 'UTC');
	expect(en.relative('2026-03-03T11:59:50Z', now)).toBe('now');
	expect(en.relative('2026-03-03T11:55:00Z', now)).toBe('5 min. ago');
	expect(en.relative('2026-03-03T14:00:00Z', now)).toBe('in 2 hr.');
	expect(en.relative('2026-02-01T12:00:00Z', now)).toBe('Feb 1, 2026');
	expect(makeTimes('de', 'UTC').relative('2026-03-02T10:00:00Z', now)).toBe('gestern');
});

it('shows instants in the zone of the reader, and bears a zone that nobody knows', () => {
	expect(makeTimes('en', 'Asia/Tokyo').full('2026-03-03T20:00:00Z')).toContain('Mar 4');
	expect(makeTimes('en', 'Nowhere/At-All').date('2026-03-03T12:00:00Z')).toContain('2026');
});

it('shows durations in their two largest units', () => {
	const { duration } = makeTimes('en', 'UTC');
	expect(duration(42)).toBe('42s');
	expect(duration(7500)).toBe('2h 5m');
	expect(duration(2 * 86400 + 3 * 3600 + 59)).toBe('2d 3h');
	expect(duration(-5)).toBe('0s');
});

it('says days of the calendar as they are, in every zone', () => {
	for (const zone of ['Pacific/Kiritimati', 'Pacific/Pago_Pago']) {
		expect(makeTimes('de', zone).calendar('2026-10-31')).toBe('31.10.2026');
		expect(makeTimes('de', zone).calendar('2026-10')).toBe('Oktober 2026');
	}
});
