/* How the desk does: what needs somebody is said in a sentence with a way out. */
import { useQuery } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { Link } from 'react-router-dom';
import { get, type Page } from '../api/client';
import { useSession } from '../app/session';
import { useT } from '../lib/language';
import common from '../messages/common';
import m from '../messages/mail';
import { Ago, Badge, Card, Failure, Loading, Notice, type Tone } from '../ui/basic';
import { PageFrame } from '../ui/page';
import { MailboxState } from './mailboxes';

interface HealthReport {
	status: string;
	templates: string;
	configuration: { state: string; loaded_at: string | null; refused_at: string | null };
	mailboxes: { name: string; state: string; last_success: string | null; last_error: string | null }[];
}

const EVERY_MS = 10_000;

/** /healthz and /readyz stand beside the API, and need nobody signed in. */
async function probe(path: string): Promise<{ ok: boolean; report: HealthReport | null }> {
	const r = await fetch(path, { cache: 'no-store' });
	return { ok: r.ok, report: r.headers.get('Content-Type')?.includes('json') ? ((await r.json()) as HealthReport) : null };
}

function useTotal(path: string, query: Record<string, string>) {
	return useQuery({
		queryKey: [path.slice(1), 'total', query],
		queryFn: async ({ signal }) => (await get<Page<unknown>>(path, { per_page: 1, ...query }, signal)).total,
		refetchInterval: EVERY_MS,
	}).data;
}

function Fact({ name, tone, state, children }: { name: string; tone: Tone; state: string; children?: ReactNode }) {
	return (
		<li className="flex flex-wrap items-center gap-x-3 gap-y-1 px-4 py-2.5">
			<span className="min-w-40 font-medium">{name}</span>
			<Badge tone={tone}>{state}</Badge>
			{children && <span className="text-muted [overflow-wrap:anywhere]">{children}</span>}
		</li>
	);
}

function Count({ name, to, n, bad }: { name: string; to: string; n: number | undefined; bad?: boolean }) {
	return (
		<Link to={to} className="flex flex-col rounded-lg border border-line bg-surface px-4 py-3 hover:bg-hover">
			<span className={`text-2xl font-semibold tabular-nums ${bad && n ? 'text-danger' : ''}`}>{n ?? '–'}</span>
			<span className="text-muted">{name}</span>
		</Link>
	);
}

export default function Health() {
	const t = useT();
	const { isAdmin } = useSession();
	const live = useQuery({ queryKey: ['health'], queryFn: () => probe('/healthz'), refetchInterval: EVERY_MS });
	const ready = useQuery({ queryKey: ['health', 'ready'], queryFn: () => probe('/readyz'), refetchInterval: EVERY_MS });
	const waiting = useTotal('/outbox', { state: 'queued,sending,retry' });
	const failed = useTotal('/outbox', { state: 'failed' });
	const held = useTotal('/quarantine', {});
	const report = live.data?.report;
	const answers = ready.data?.ok === true;

	if (live.isError) return <Failure error={live.error} onRetry={() => void live.refetch()} />;
	if (!report || ready.isPending) return <PageFrame title={t(common.health)}><Loading /></PageFrame>;

	const config = report.configuration.state;
	const boxesBad = report.mailboxes.some((b) => b.state === 'auth_failed' || b.state === 'backoff');
	const bad = !answers || config === 'refused' || report.templates !== 'ok' || boxesBad || !!failed;
	return (
		<PageFrame title={t(common.health)}>
			<div className="space-y-4">
				<Notice tone={bad ? 'warn' : 'good'}>
					<p role="status">{t(bad ? m.healthBad : m.healthGood)}</p>
				</Notice>
				<div className="grid gap-3 sm:grid-cols-3">
					<Count name={t(m.waiting)} to="/outbox" n={waiting} />
					<Count name={t(m.notDelivered)} to="/outbox?state=failed" n={failed} bad />
					<Count name={t(m.heldBack)} to="/quarantine" n={held} />
				</div>
				<Card title={t(m.daemon)}>
					<ul className="divide-y divide-line">
						<Fact name={t(m.database)} tone={answers ? 'good' : 'danger'} state={t(answers ? m.answers : m.silent)} />
						<Fact name={t(m.configuration)} tone={config === 'ok' ? 'good' : 'warn'} state={t(m.inUse)}>
							{config === 'refused' ? t(m.refused) : config === 'needs_restart' ? t(m.needsRestart) : report.configuration.loaded_at && <Ago at={report.configuration.loaded_at} />}
						</Fact>
						<Fact name={t(m.templates)} tone={report.templates === 'ok' ? 'good' : 'warn'} state={t(m.inUse)}>
							{report.templates !== 'ok' && t(m.templateAlarm)}
						</Fact>
					</ul>
				</Card>
				<Card title={t(common.mailboxes)} actions={isAdmin && <Link to="/mailboxes" className="text-accent hover:underline">{t(m.manage)}</Link>}>
					<ul className="divide-y divide-line">
						{report.mailboxes.map((b) => (
							<li key={b.name} className="flex flex-wrap items-center gap-x-3 gap-y-1 px-4 py-2.5">
								<span className="min-w-40 font-medium">{b.name}</span>
								<MailboxState state={b.state} />
								<span className="text-muted">
									{t(m.lastSuccess)}: {b.last_success ? <Ago at={b.last_success} /> : t(m.never)}
								</span>
								{b.last_error && <span className="basis-full text-xs text-danger [overflow-wrap:anywhere]">{b.last_error}</span>}
							</li>
						))}
					</ul>
				</Card>
			</div>
		</PageFrame>
	);
}
