import { useQuery } from '@tanstack/react-query';
import { Link } from 'react-router-dom';
import { get, type Page } from '../api/client';
import type { Dashboard, Day } from '../api/types';
import { useLanguage, useT } from '../lib/language';
import common from '../messages/common';
import m from '../messages/dashboard';
import words from '../messages/ticket';
import { Card, Failure, Loading } from '../ui/basic';
import { PageFrame } from '../ui/page';
import { useWord } from '../ui/ticket-parts';
import { UNRESOLVED } from './tickets/filters';

function Figure({ label, value, to, tone }: { label: string; value: number; to: string; tone?: 'danger' | 'warn' }) {
	const { locale } = useLanguage();
	return (
		<Link to={to} className="flex flex-col justify-between rounded-lg border border-line bg-surface p-4 hover:bg-hover">
			<span className="block text-muted">{label}</span>
			<span className={`mt-1 block text-2xl font-semibold tabular-nums ${value && tone ? { danger: 'text-danger', warn: 'text-warn' }[tone] : ''}`}>
				{new Intl.NumberFormat(locale).format(value)}
			</span>
		</Link>
	);
}

/** Two lines over the days; the table below says the same. */
function Trend({ created, resolved }: { created: Day[]; resolved: Day[] }) {
	const { t, times } = useLanguage();
	const most = Math.max(0, ...created.map((d) => d.count), ...resolved.map((d) => d.count));
	const top = most || 1;
	const n = Math.max(2, created.length);
	const [w, h] = [600, 160];
	const x = (i: number) => (i / (n - 1)) * w;
	const y = (v: number) => h - 4 - (v / top) * (h - 12);
	const line = (days: Day[]) => days.map((d, i) => `${i ? 'L' : 'M'}${x(i).toFixed(1)} ${y(d.count).toFixed(1)}`).join('');
	const first = created[0]?.day;
	const last = created[created.length - 1]?.day;
	return (
		<Card title={t(m.trend)}>
			<div className="p-4">
				<p className="mb-2 flex flex-wrap gap-x-5 gap-y-1">
					<span className="flex items-center gap-2">
						<svg width="22" height="6" aria-hidden="true"><path d="M0 3h22" className="stroke-info" strokeWidth="2.5" /></svg>
						{t(m.created)}
					</span>
					<span className="flex items-center gap-2">
						<svg width="22" height="6" aria-hidden="true"><path d="M0 3h22" className="stroke-good" strokeWidth="2.5" strokeDasharray="5 3" /></svg>
						{t(m.resolved)}
					</span>
					<span className="ml-auto text-muted">{t(m.most, { n: most })}</span>
				</p>
				<svg viewBox={`0 0 ${w} ${h}`} preserveAspectRatio="none" className="h-44 w-full overflow-visible" role="img" aria-label={t(m.trend)}>
					{[0.25, 0.5, 0.75, 1].map((f) => (
						<path key={f} d={`M0 ${y(top * f)}H${w}`} className="stroke-line" strokeWidth="1" vectorEffect="non-scaling-stroke" />
					))}
					<path d={`M0 ${y(0)}H${w}`} className="stroke-line-strong" strokeWidth="1" vectorEffect="non-scaling-stroke" />
					<path d={line(created)} fill="none" className="stroke-info" strokeWidth="2" strokeLinejoin="round" vectorEffect="non-scaling-stroke" />
					<path d={line(resolved)} fill="none" className="stroke-good" strokeWidth="2" strokeDasharray="5 3" strokeLinejoin="round" vectorEffect="non-scaling-stroke" />
				</svg>
				{first && last && (
					<p className="mt-1 flex justify-between text-xs text-muted">
						<span>{times.calendar(first)}</span>
						<span>{times.calendar(last)}</span>
					</p>
				)}
				<details className="mt-3">
					<summary className="text-muted hover:text-ink">{t(m.table)}</summary>
					<div tabIndex={0} role="region" aria-label={t(m.trend)} className="mt-2 max-h-64 overflow-auto">
						<table className="w-full text-left tabular-nums">
							<thead className="text-xs text-muted">
								<tr>
									<th scope="col" className="py-1 font-medium">{t(m.day)}</th>
									<th scope="col" className="py-1 text-right font-medium">{t(m.created)}</th>
									<th scope="col" className="py-1 text-right font-medium">{t(m.resolved)}</th>
								</tr>
							</thead>
							<tbody className="divide-y divide-line">
								{created.map((d, i) => (
									<tr key={d.day}>
										<td className="py-1">{times.calendar(d.day)}</td>
										<td className="py-1 text-right">{d.count}</td>
										<td className="py-1 text-right">{resolved[i]?.count ?? 0}</td>
									</tr>
								))}
							</tbody>
						</table>
					</div>
				</details>
			</div>
		</Card>
	);
}

/** A table whose rows carry their bars. */
function Bars({ title, head, rows }: { title: string; head: string; rows: { key: string; label: string; count: number; to?: string }[] }) {
	const { t, locale } = useLanguage();
	const most = Math.max(1, ...rows.map((r) => r.count));
	return (
		<Card title={title}>
			<div className="p-4">
				{!rows.length && <p className="text-muted">{t(m.noAgents)}</p>}
				{rows.length > 0 && (
					<table className="w-full text-left">
						<thead className="sr-only">
							<tr>
								<th scope="col">{head}</th>
								<th scope="col">{t(m.count)}</th>
							</tr>
						</thead>
						<tbody>
							{rows.map((r) => (
								<tr key={r.key}>
									<th scope="row" className="w-2/5 max-w-0 truncate py-1.5 pr-3 font-normal">
										{r.to ? (
											<Link to={r.to} className="hover:underline">
												{r.label}
											</Link>
										) : (
											r.label
										)}
									</th>
									<td className="py-1.5">
										<span className="flex items-center gap-2">
											<span aria-hidden="true" className="h-3 flex-1 overflow-hidden rounded-full bg-sunken">
												<span className="block h-full rounded-full bg-accent" style={{ width: `${(r.count / most) * 100}%` }} />
											</span>
											<span className="w-14 text-right tabular-nums">{new Intl.NumberFormat(locale).format(r.count)}</span>
										</span>
									</td>
								</tr>
							))}
						</tbody>
					</table>
				)}
			</div>
		</Card>
	);
}

/** Of the day of who looks at it. */
function startOfToday(): string {
	const d = new Date();
	d.setHours(0, 0, 0, 0);
	return d.toISOString();
}

export default function DashboardPage() {
	const t = useT();
	const { times } = useLanguage();
	const word = useWord();
	const q = useQuery({ queryKey: ['dashboard'], queryFn: ({ signal }) => get<Dashboard>('/dashboard', undefined, signal), refetchInterval: 60_000 });
	const today = startOfToday();
	const missed = useQuery({
		queryKey: ['dashboard', 'missed', today],
		queryFn: async ({ signal }) => (await get<Page<unknown>>('/tickets', { breached_after: today, per_page: 1 }, signal)).total,
		refetchInterval: 60_000,
	});
	const d = q.data;
	const seconds = (s: number | null) => (s === null ? '—' : times.duration(s));
	const counts = (of: unknown) => Object.entries((of ?? {}) as Record<string, number>);
	return (
		<PageFrame title={t(common.dashboard)} wide>
			{q.isError && !d ? (
				<Failure error={q.error} onRetry={() => void q.refetch()} />
			) : !d ? (
				<Loading rows={8} />
			) : (
				<div className="space-y-4">
					<div className="grid grid-cols-2 gap-3 max-md:[&>:last-child]:col-span-2 md:grid-cols-5">
						<Figure label={t(m.open)} to={`/tickets?status=${UNRESOLVED}`} value={counts(d.by_priority).reduce((sum, [, n]) => sum + n, 0)} />
						<Figure label={t(m.unassigned)} to={`/tickets?status=${UNRESOLVED}&assignee=none`} value={d.unassigned} tone="warn" />
						<Figure label={t(m.pending)} to="/tickets?status=pending" value={counts(d.by_status).find(([k]) => k === 'pending')?.[1] ?? 0} />
						<Figure label={t(m.overdue)} to="/tickets?overdue=true" value={d.overdue} tone="danger" />
						<Figure label={t(m.breached)} to={`/tickets?breached_after=${encodeURIComponent(today)}`} value={missed.data ?? 0} tone="danger" />
					</div>
					<div className="grid gap-4 lg:grid-cols-3">
						<div className="lg:col-span-2">
							<Trend created={d.created_by_day} resolved={d.resolved_by_day} />
						</div>
						<Card title={t(m.times)}>
							<table className="m-4 w-[calc(100%-2rem)] text-left">
								<thead className="text-xs text-muted">
									<tr>
										<td />
										<th scope="col" className="py-1 pr-2 font-medium">{t(m.p50)}</th>
										<th scope="col" className="py-1 font-medium">{t(m.p90)}</th>
									</tr>
								</thead>
								<tbody className="divide-y divide-line">
									{(
										[
											[m.firstResponse, d.first_response],
											[m.resolution, d.resolution],
										] as const
									).map(([label, p]) => (
										<tr key={label[0]}>
											<th scope="row" className="py-3 pr-2 font-normal">{t(label)}</th>
											<td className="py-3 pr-2 text-lg font-semibold whitespace-nowrap">{seconds(p.p50)}</td>
											<td className="py-3 text-lg font-semibold whitespace-nowrap">{seconds(p.p90)}</td>
										</tr>
									))}
								</tbody>
							</table>
						</Card>
					</div>
					<div className="grid gap-4 lg:grid-cols-3">
						<Bars
							title={t(m.byPriority)}
							head={t(words.priority)}
							rows={['critical', 'high', 'medium', 'low'].map((p) => ({
								key: p,
								label: word(p),
								count: counts(d.by_priority).find(([k]) => k === p)?.[1] ?? 0,
								to: `/tickets?status=${UNRESOLVED}&priority=${p}`,
							}))}
						/>
						<Bars
							title={t(m.byAgent)}
							head={t(m.agent)}
							rows={d.by_assignee.map((a) => ({ key: String(a.id), label: a.name ?? `#${a.id}`, count: a.count, to: `/tickets?status=${UNRESOLVED}&assignee=${a.id}` }))}
						/>
						<Bars title={t(m.byStatus)} head={t(words.status)} rows={counts(d.by_status).map(([s, n]) => ({ key: s, label: word(s), count: n, to: `/tickets?status=${s}` }))} />
					</div>
				</div>
			)}
		</PageFrame>
	);
}
