/* Reports: what the API counts, as a table and as a file. */
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { get, queryString } from '../api/client';
import type { AgentRow, SlaRow, VolumeRow } from '../api/types';
import { download } from '../lib/files';
import { useLanguage, useT } from '../lib/language';
import type { Text } from '../lib/text';
import common from '../messages/common';
import m from '../messages/reports';
import { Button, Empty, Failure, Loading } from '../ui/basic';
import { SelectField, TextField } from '../ui/form';
import { PageFrame, useUrlState } from '../ui/page';
import { useWord } from '../ui/ticket-parts';
import { Tabs } from '../ui/tabs';
import { useToast } from '../ui/toast';

type Row = Partial<VolumeRow & SlaRow & AgentRow>;
type Kind = 'number' | 'share' | 'duration' | 'metric';

interface Report {
	label: Text;
	groups: (keyof typeof m)[];
	columns: [name: keyof Row, title: Text, kind: Kind][];
}

const ticketGroups = ['agent', 'team', 'mailbox', 'priority', 'channel', 'category', 'organisation'] as const;

const reports: Record<string, Report> = {
	volume: {
		label: m.volume,
		groups: ['day', 'week', 'month', 'status', ...ticketGroups],
		columns: [
			['created', m.created, 'number'],
			['resolved', m.resolved, 'number'],
		],
	},
	sla: {
		label: m.sla,
		groups: ['metric', 'policy', 'day', 'week', 'month', ...ticketGroups],
		columns: [
			['metric', m.metric, 'metric'],
			['met', m.met, 'number'],
			['breached', m.breached, 'number'],
			['running', m.running, 'number'],
			['met_share', m.share, 'share'],
		],
	},
	agents: {
		label: m.agents,
		groups: ['agent'],
		columns: [
			['assigned', m.assigned, 'number'],
			['resolved', m.resolved, 'number'],
			['replies', m.replies, 'number'],
			['first_response_p50', m.first50, 'duration'],
			['first_response_p90', m.first90, 'duration'],
			['resolution_p50', m.whole50, 'duration'],
			['resolution_p90', m.whole90, 'duration'],
		],
	},
};

/** A local date, some days from today. */
function dateAt(days: number): string {
	const d = new Date();
	d.setDate(d.getDate() + days);
	return `${d.getFullYear()}-${String(d.getMonth() + 1).padStart(2, '0')}-${String(d.getDate()).padStart(2, '0')}`;
}

/** The day after: reports end before `to`, and days begin as they do at the desk. */
function dayAfter(date: string): string {
	const d = new Date(`${date}T00:00:00Z`);
	if (Number.isNaN(d.getTime())) return date; /* typed into the address: the API says what is wrong */
	d.setUTCDate(d.getUTCDate() + 1);
	return d.toISOString().slice(0, 10);
}

function Cell({ value, kind }: { value: Row[keyof Row]; kind: Kind }) {
	const { locale, times } = useLanguage();
	const word = useWord();
	if (value === null || value === undefined) return <span className="text-muted">–</span>;
	if (kind === 'metric') return <>{word(String(value))}</>;
	if (kind === 'duration') return <>{times.duration(Number(value))}</>;
	return <>{new Intl.NumberFormat(locale, kind === 'share' ? { style: 'percent', maximumFractionDigits: 1 } : {}).format(Number(value))}</>;
}

function Rows({ report, group, rows }: { report: Report; group: string; rows: Row[] }) {
	const t = useT();
	const word = useWord();
	const { times } = useLanguage();
	const byWord = ['priority', 'status', 'metric', 'channel'].includes(group);
	const named = (row: Row) => (!row.group ? t(m.nobody) : byWord ? word(row.group) : group === 'day' || group === 'week' || group === 'month' ? times.calendar(row.group) : row.group);
	const columns = report.columns.filter(([name]) => name !== group);
	if (!rows.length) return <Empty title={t(m.empty)} icon="report" />;
	return (
		<table className="w-full text-left">
			<caption className="sr-only">{t(report.label)}</caption>
			<thead className="border-b border-line text-xs text-muted">
				<tr>
					<th scope="col" className="px-4 py-2 font-medium first-letter:uppercase">{t(m[group as keyof typeof m])}</th>
					{columns.map(([name, title, kind]) => (
						<th key={name} scope="col" className={`px-4 py-2 font-medium ${kind === 'metric' ? '' : 'text-right'}`}>
							{t(title)}
						</th>
					))}
				</tr>
			</thead>
			<tbody className="divide-y divide-line">
				{rows.map((row, i) => (
					<tr key={i} className="hover:bg-hover/60">
						<th scope="row" className="px-4 py-2 font-medium whitespace-nowrap">
							{group === 'metric' ? word(String(row.metric)) : named(row)}
						</th>
						{columns.map(([name, , kind]) => (
							<td key={name} className={`px-4 py-2 tabular-nums ${kind === 'metric' ? '' : 'text-right'}`}>
								<Cell value={row[name]} kind={kind} />
							</td>
						))}
					</tr>
				))}
			</tbody>
		</table>
	);
}

export default function Reports() {
	const t = useT();
	const { fail } = useToast();
	const url = useUrlState();
	const name = url.value('report') in reports ? url.value('report') : 'volume';
	const report = reports[name]!;
	const group = report.groups.find((g) => g === url.value('group')) ?? report.groups[0]!;
	const from = url.value('from') || dateAt(-30);
	const to = url.value('to') || dateAt(0);
	const query = { from, to: dayAfter(to), group };
	const path = `/reports/${name}`;
	const result = useQuery({
		queryKey: ['reports', name, query],
		queryFn: ({ signal }) => get<{ rows: Row[] }>(path, query, signal),
		placeholderData: keepPreviousData,
	});
	return (
		<PageFrame
			title={t(common.reports)}
			actions={
				<Button icon="download" onClick={() => void download(path + queryString({ ...query, format: 'csv' }), `${name}-${from}-${to}.csv`).catch(fail)}>
					{t(m.csv)}
				</Button>
			}
		>
			<Tabs
				label={t(common.reports)}
				value={name}
				tabs={Object.entries(reports).map(([value, r]) => ({ value, label: t(r.label) }))}
				onChange={(to) => url.set({ report: to, group: '' })}
			/>
			<div className="mb-4 grid max-w-2xl gap-3 sm:grid-cols-3">
				<TextField label={t(m.from)} type="date" max={to} value={from} onChange={(e) => url.set({ from: e.target.value })} />
				<TextField label={t(m.to)} type="date" min={from} value={to} onChange={(e) => url.set({ to: e.target.value })} />
				{report.groups.length > 1 && (
					<SelectField label={t(m.by)} value={group} onChange={(e) => url.set({ group: e.target.value })} options={report.groups.map((g) => ({ value: g, label: t(m[g]) }))} />
				)}
			</div>
			{result.isError && !result.isPlaceholderData ? (
				<Failure error={result.error} onRetry={() => void result.refetch()} />
			) : (
				<div tabIndex={0} role="region" aria-label={t(report.label)} className="overflow-x-auto rounded-lg border border-line bg-surface">
					{result.data && !(result.isPlaceholderData && result.isFetching) ? <Rows report={report} group={group} rows={result.data.rows} /> : <Loading />}
				</div>
			)}
		</PageFrame>
	);
}
