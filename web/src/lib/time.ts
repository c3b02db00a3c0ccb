/* Instants and durations as people read them, in their language and zone. */
import type { Locale } from './text';

export interface Times {
	/** "5 minutes ago", "in 2 hours", from a week on the date. */
	relative: (at: string | Date, now?: number) => string;
	/** "3 Mar 2026, 14:05" */
	full: (at: string | Date) => string;
	date: (at: string | Date) => string;
	/** A day or month of the calendar, "2026-03-01" or "2026-03": the same in every zone. */
	calendar: (day: string) => string;
	/** Seconds as "2 h 5 min". */
	duration: (seconds: number) => string;
}

const MINUTE = 60;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

export function makeTimes(locale: Locale, zone: string): Times {
	let timeZone: string | undefined = zone;
	try {
		new Intl.DateTimeFormat(locale, { timeZone });
	} catch {
		timeZone = undefined; /* one the browser does not know (yet) */
	}
	const full = new Intl.DateTimeFormat(locale, { dateStyle: 'medium', timeStyle: 'short', timeZone });
	const date = new Intl.DateTimeFormat(locale, { dateStyle: 'medium', timeZone });
	const day = new Intl.DateTimeFormat(locale, { dateStyle: 'medium', timeZone: 'UTC' });
	const month = new Intl.DateTimeFormat(locale, { month: 'long', year: 'numeric', timeZone: 'UTC' });
	const relative = new Intl.RelativeTimeFormat(locale, { numeric: 'auto', style: 'short' });
	const unit = (value: number, name: string) =>
		new Intl.NumberFormat(locale, { style: 'unit', unit: name, unitDisplay: 'narrow' }).format(value);

	return {
		full: (at) => full.format(new Date(at)),
		date: (at) => date.format(new Date(at)),
		calendar: (at) => (at.length > 7 ? day : month).format(new Date(`${at.length > 7 ? at : `${at}-01`}T00:00:00Z`)),
		relative(at, now = Date.now()) {
			const then = new Date(at).getTime();
			const s = Math.round((then - now) / 1000);
			const size = Math.abs(s);
			if (size < 45) return relative.format(0, 'second');
			if (size < HOUR) return relative.format(Math.trunc(s / MINUTE) || Math.sign(s), 'minute');
			if (size < DAY) return relative.format(Math.trunc(s / HOUR), 'hour');
			if (size < 7 * DAY) return relative.format(Math.trunc(s / DAY), 'day');
			return date.format(new Date(then));
		},
		duration(seconds) {
			const s = Math.max(0, Math.round(seconds));
			if (s < MINUTE) return unit(s, 'second');
			const parts: string[] = [];
			const days = Math.floor(s / DAY);
			const hours = Math.floor((s % DAY) / HOUR);
			const minutes = Math.floor((s % HOUR) / MINUTE);
			if (days) parts.push(unit(days, 'day'));
			if (hours) parts.push(unit(hours, 'hour'));
			if (minutes && !days) parts.push(unit(minutes, 'minute'));
			return parts.join(' ');
		},
	};
}
