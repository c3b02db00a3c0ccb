import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { get, type Page } from '../../api/client';
import type { HistoryRow } from '../../api/types';
import { useT } from '../../lib/language';
import type { Text } from '../../lib/text';
import common from '../../messages/common';
import m from '../../messages/detail';
import kinds from '../../messages/evidence';
import done from '../../messages/history';
import mail from '../../messages/mail-state';
import words from '../../messages/ticket';
import { Ago, Empty, Failure, Loading } from '../../ui/basic';
import { Pager } from '../../ui/page';
import { useWord } from '../../ui/ticket-parts';

/* What begins with an id of ours: what became of a mail, how tickets hang together. */
const states: Record<string, Text> = { ...mail, 'queued again': done.queued_again, bounce: kinds.kind_bounce, delay: kinds.kind_delay };
const begun: Record<string, Record<string, Text>> = { delivery: states, link_added: m, link_removed: m };

/* What became of them is an id of ours; of an escalation the clock is, its step has a name. */
const worded = ['status', 'priority', 'sla_warning', 'sla_breach'];

export function History({ ticket }: { ticket: number }) {
	const t = useT();
	const word = useWord();
	const [page, setPage] = useState(1);
	const q = useQuery({
		queryKey: ['ticket', ticket, 'history', page],
		queryFn: ({ signal }) => get<Page<HistoryRow>>(`/tickets/${ticket}/history`, { page, per_page: 100 }, signal),
	});
	if (q.isError) return <Failure error={q.error} onRetry={() => void q.refetch()} />;
	if (!q.data) return <Loading />;
	if (!q.data.items.length) return <Empty title={t(m.historyEmpty)} icon="list" />;
	const name = (action: string) => {
		const text = (done as Record<string, Text>)[action] ?? (words as Record<string, Text>)[action];
		return text ? t(text) : action.replaceAll('_', ' ');
	};
	const value = (row: HistoryRow, v: string | null) => {
		if (v === null || v === '') return '—';
		const known = v === row.new_value && begun[row.action];
		if (known) return v.replace(/^(queued again|\w+)/, (id) => (known[id] ? t(known[id]) : id));
		if (row.action === 'commented' || (row.action === 'not_sent' && v === row.new_value)) return name(v);
		return worded.includes(row.action) || (row.action.startsWith('escalat') && v === row.old_value) ? word(v) : v;
	};
	const way = (source: string) => {
		const text = (done as Record<string, Text>)[`by_${source}`];
		return text ? t(text) : source;
	};
	return (
		<>
			<ol className="rounded-lg border border-line bg-surface px-4 py-1">
				{q.data.items.map((row) => (
					<li key={row.id} className="flex gap-3 border-b border-line py-2.5 last:border-0">
						<span aria-hidden="true" className="mt-1.5 size-2 shrink-0 rounded-full bg-line-strong" />
						<div className="min-w-0 flex-1">
							<p className="[overflow-wrap:anywhere] first-letter:uppercase">
								{row.old_value === null && row.new_value === null ? (
									<span className="font-medium">{name(row.action)}</span>
								) : row.old_value === null ? (
									<>
										<span className="font-medium">{name(row.action)}</span>{t(common.colon)} {value(row, row.new_value)}
									</>
								) : (
									<>
										<span className="font-medium">{name(row.action)}</span>{t(common.colon)} <span className="text-muted">{value(row, row.old_value)}</span> →{' '}
										{value(row, row.new_value)}
									</>
								)}
							</p>
							<p className="text-xs text-muted">
								<Ago at={row.at} /> · {row.actor ? t(m.by, { name: row.actor.name }) : t(m.byItself)}
								{row.source && ` · ${way(row.source)}`}
							</p>
						</div>
					</li>
				))}
			</ol>
			{(q.data.next || page > 1) && (
				<div className="mt-2 flex justify-end">
					<Pager page={q.data} onPage={setPage} />
				</div>
			)}
		</>
	);
}
