import { useQuery } from '@tanstack/react-query';
import { get } from '../../api/client';
import type { ClockStories, ClockStory } from '../../api/types';
import { whyText } from '../../lib/evidence';
import { useLanguage, useT } from '../../lib/language';
import type { Text } from '../../lib/text';
import m from '../../messages/detail';
import words from '../../messages/ticket';
import { Badge, Card, Empty, Failure, Loading, type Tone } from '../../ui/basic';

const tones: Record<string, Tone> = { running: 'info', paused: 'neutral', met: 'good', breached: 'danger' };

/** Seconds between two instants. */
function between(from: string, to: string) {
	return Math.max(0, (Date.parse(to) - Date.parse(from)) / 1000);
}

function Story({ story }: { story: ClockStory }) {
	const { t, times } = useLanguage();
	const metric = (words as Record<string, Text>)[story.metric];
	const state = (m as Record<string, Text>)[story.state];
	/* What is left of the target belongs to the picture: a bar that is full has used it all. */
	const whole = story.explain.reduce((sum, l) => sum + between(l.from, l.to), 0) + Math.max(0, story.rest) || 1;
	const rows: [string, string][] = [
		[t(m.policy), story.policy],
		[t(m.target), times.duration(story.target)],
		[t(m.used), times.duration(story.used)],
		[t(m.rest), times.duration(story.rest)],
		...(story.due ? [[t(words.due), times.full(story.due)] as [string, string]] : []),
		...(story.breached_at ? [[t(m.breached), times.full(story.breached_at)] as [string, string]] : []),
	];
	return (
		<Card
			title={`${metric ? t(metric) : story.metric}${story.cycle > 1 ? ` (${story.cycle})` : ''}`}
			actions={<Badge tone={tones[story.state] ?? 'neutral'}>{state ? t(state) : story.state}</Badge>}
		>
			<div className="space-y-4 p-4">
				<dl className="flex flex-wrap gap-x-6 gap-y-2">
					{rows.map(([k, v]) => (
						<div key={k}>
							<dt className="text-xs text-muted">{k}</dt>
							<dd className="font-medium">{v}</dd>
						</div>
					))}
				</dl>
				{story.explain.length > 0 && (
					<>
						<div aria-hidden="true" className="flex h-3 overflow-hidden rounded-full bg-sunken">
							{story.explain.map((l, i) => (
								<span
									key={i}
									title={whyText(l, t)}
									style={{ width: `${(between(l.from, l.to) / whole) * 100}%` }}
									className={l.counted ? (story.breached_at ? 'bg-danger' : 'bg-accent') : 'bg-line-strong/40'}
								/>
							))}
						</div>
						<div tabIndex={0} role="region" aria-label={t(m.timeline)} className="overflow-x-auto">
							<table role="table" className="w-full text-left max-sm:block">
								<caption className="sr-only">{t(m.timeline)}</caption>
								<thead role="rowgroup" className="border-b border-line text-xs text-muted max-sm:sr-only">
									<tr role="row">
										<th role="columnheader" scope="col" className="py-1 pr-4 font-medium">{t(m.from)}</th>
										<th role="columnheader" scope="col" className="py-1 pr-4 font-medium">{t(m.to)}</th>
										<th role="columnheader" scope="col" className="py-1 pr-4 font-medium">{t(m.time)}</th>
										<th role="columnheader" scope="col" className="py-1 font-medium">{t(m.why)}</th>
									</tr>
								</thead>
								<tbody role="rowgroup" className="divide-y divide-line max-sm:block">
									{story.explain.map((l, i) => (
										<tr key={i} role="row" className="max-sm:flex max-sm:flex-wrap max-sm:gap-x-2 max-sm:py-2">
											<td role="cell" className="py-1.5 pr-4 whitespace-nowrap max-sm:p-0">{times.full(l.from)}</td>
											<td role="cell" className="py-1.5 pr-4 whitespace-nowrap max-sm:p-0">
												<span aria-hidden="true" className="sm:hidden">– </span>
												{times.full(l.to)}
											</td>
											<td role="cell" className="py-1.5 pr-4 whitespace-nowrap max-sm:p-0 max-sm:text-muted">
												{times.duration(between(l.from, l.to))} {t(l.counted ? m.counted : m.notCounted)}
											</td>
											<td role="cell" className="py-1.5 max-sm:p-0">{whyText(l, t)}</td>
										</tr>
									))}
								</tbody>
							</table>
						</div>
					</>
				)}
			</div>
		</Card>
	);
}

export function SlaStories({ ticket }: { ticket: number }) {
	const t = useT();
	const q = useQuery({
		queryKey: ['ticket', ticket, 'sla'],
		queryFn: ({ signal }) => get<ClockStories>(`/tickets/${ticket}/sla`, undefined, signal),
	});
	if (q.isError) return <Failure error={q.error} onRetry={() => void q.refetch()} />;
	if (!q.data) return <Loading />;
	if (!q.data.clocks.length) return <div className="rounded-lg border border-line bg-surface"><Empty title={t(m.slaNone)} icon="clock" /></div>;
	return (
		<div className="space-y-4">
			{q.data.clocks.map((c) => (
				<Story key={`${c.metric} ${c.cycle}`} story={c} />
			))}
		</div>
	);
}
