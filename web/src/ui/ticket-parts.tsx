/* Status, priority, tags, time left: how tickets show themselves everywhere. */
import { useEffect, useState } from 'react';
import type { Clock, TicketRow } from '../api/types';
import { useLanguage, useT } from '../lib/language';
import type { Text } from '../lib/text';
import m from '../messages/ticket';
import { Badge, type Tone } from './basic';
import { Icon } from './icons';

const statusTones: Record<string, Tone> = {
	open: 'info',
	reopened: 'plum',
	in_progress: 'accent',
	pending: 'warn',
	resolved: 'good',
	closed: 'neutral',
};

/** A word the desk's own workflow may have: shown as it is if we have none for it. */
export function useWord(): (id: string) => string {
	const t = useT();
	return (id) => {
		const text = (m as Record<string, Text>)[id];
		return text ? t(text) : id.replaceAll('_', ' ');
	};
}

export function StatusBadge({ status }: { status: string }) {
	const word = useWord();
	return <Badge tone={statusTones[status] ?? 'neutral'}>{word(status)}</Badge>;
}

const bars: Record<string, [number, string]> = {
	low: [1, 'text-muted'],
	medium: [2, 'text-muted'],
	high: [3, 'text-warn'],
	critical: [4, 'text-danger'],
};

/** Bars that grow: read without colour, too. */
export function PriorityMark({ priority, text }: { priority: string; text?: boolean }) {
	const word = useWord();
	const t = useT();
	const [n, color] = bars[priority] ?? [2, 'text-muted'];
	const label = `${t(m.priority)}: ${word(priority)}`;
	return (
		<span className={`inline-flex items-center gap-1.5 ${color}`} title={label}>
			<svg viewBox="0 0 16 14" width="16" height="14" aria-hidden="true">
				{[0, 1, 2, 3].map((i) => (
					<rect key={i} x={i * 4} y={10 - i * 3} width="2.6" height={4 + i * 3} rx="1" fill="currentColor" opacity={i < n ? 1 : 0.25} />
				))}
			</svg>
			{text ? <span>{word(priority)}</span> : <span className="sr-only">{label}</span>}
		</span>
	);
}

export function TagChip({ tag }: { tag: { name: string; color: string } }) {
	return (
		<span className="inline-flex max-w-full min-w-0 items-center gap-1.5 rounded-full border border-line bg-surface px-2 text-xs leading-5 whitespace-nowrap">
			<span aria-hidden="true" className="size-2 shrink-0 rounded-full" style={{ background: tag.color }} />
			<span className="truncate">{tag.name}</span>
		</span>
	);
}

export type Metric = 'first_response' | 'next_response' | 'update' | 'resolution';

/** The clock that matters now: what runs and is due first; null: none. */
export function pressingClock(t: Pick<TicketRow, 'sla' | 'status'>): { metric: Metric; clock: Clock } | null {
	let best: { metric: Metric; clock: Clock } | null = null;
	if (t.status === 'resolved' || t.status === 'closed') return null;
	for (const metric of ['first_response', 'next_response', 'update', 'resolution'] as const) {
		const clock = t.sla[metric];
		if (!clock || !['running', 'breached', 'paused', 'warned'].includes(clock.state)) continue;
		if (!best || (clock.due && (!best.clock.due || clock.due < best.clock.due))) best = { metric, clock };
	}
	return best;
}

function useMinute() {
	const [now, setNow] = useState(Date.now);
	useEffect(() => {
		const timer = setInterval(() => setNow(Date.now()), 15_000);
		return () => clearInterval(timer);
	}, []);
	return now;
}

/** `short`: where there is little room, the time alone is seen. */
export function SlaBadge({ ticket, metric, short }: { ticket: Pick<TicketRow, 'sla' | 'status'>; metric?: Metric; short?: boolean }) {
	const { t, times } = useLanguage();
	const now = useMinute();
	const clock = metric ? ticket.sla[metric] : null;
	const found = metric ? clock && { metric, clock } : pressingClock(ticket);
	if (!found) return null;
	const what = t(m[found.metric]);
	if (!found.clock.due) return found.clock.state === 'paused' ? (
			<Badge title={t(m.slaPaused, { what })}>
				<Icon name="clock" size={13} />
				{t(short ? m.paused : m.slaPaused, { what })}
			</Badge>
		) : null;
	const left = (new Date(found.clock.due).getTime() - now) / 1000;
	const late = left < 0 || found.clock.state === 'breached';
	const tone: Tone = late ? 'danger' : left < 3600 ? 'warn' : 'neutral';
	return (
		<Badge tone={tone} title={times.full(found.clock.due)}>
			<Icon name="clock" size={13} />
			{short && <span className="sr-only">{what}: </span>}
			{t(short ? (late ? m.late : m.left) : late ? m.slaLate : m.slaLeft, { what, time: times.duration(Math.abs(left)) })}
		</Badge>
	);
}
