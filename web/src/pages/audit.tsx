/* What admins did and what was refused. */
import type { AuditRow } from '../api/types';
import { aboutText, actionText, detailText, sourceText } from '../lib/audit';
import { useLanguage } from '../lib/language';
import common from '../messages/common';
import m from '../messages/hooks';
import { Badge } from '../ui/basic';
import { TextField } from '../ui/form';
import { DataTable, PageFrame, usePage, useUrlState } from '../ui/page';

/** The first and the last instant of a local date. */
const dayStart = (date: string) => (date ? new Date(`${date}T00:00:00`).toISOString() : '');
const dayEnd = (date: string) => (date ? new Date(`${date}T23:59:59.999`).toISOString() : '');

export default function Audit() {
	const { t, times } = useLanguage();
	const url = useUrlState();
	const rows = usePage<AuditRow>('audit', '/audit', {
		action: url.value('action'),
		from: dayStart(url.value('from')),
		to: dayEnd(url.value('to')),
		page: url.page,
		per_page: 50,
	});
	return (
		<PageFrame title={t(common.audit)} wide>
			<div className="mb-4 grid max-w-2xl gap-3 sm:grid-cols-3">
				<TextField label={t(m.action)} placeholder={t(m.actionHint)} defaultValue={url.value('action')} onChange={(e) => url.set({ action: e.target.value.trim() }, true)} />
				<TextField label={t(m.from)} type="date" value={url.value('from')} onChange={(e) => url.set({ from: e.target.value })} />
				<TextField label={t(m.to)} type="date" value={url.value('to')} onChange={(e) => url.set({ to: e.target.value })} />
			</div>
			<DataTable
				label={t(common.audit)}
				query={rows}
				rowKey={(r) => r.id}
				empty={{ title: t(m.auditEmpty), text: t(m.auditEmptyText), icon: 'list' }}
				onPage={(at) => url.set({ page: at })}
				columns={[
					{ title: t(m.when), cell: (r) => <time dateTime={r.at} className="whitespace-nowrap">{times.full(r.at)}</time> },
					{ title: t(m.who), className: 'min-w-28', cell: (r) => <bdi className="[overflow-wrap:anywhere]">{r.actor?.name ?? (r.source === 'api' || r.source === 'console' ? t(m.stranger) : sourceText(r.source, t))}</bdi> },
					{
						title: t(m.what),
						className: 'min-w-44',
						cell: (r) => (
							<span className="sm:block">
								<span className="inline-flex flex-wrap items-center gap-x-2">
									{actionText(r.action, t)}
									{r.action.endsWith('.refused') && <Badge tone="danger">{t(m.times, { n: r.count })}</Badge>}
								</span>
								<code className="font-mono text-xs text-muted max-sm:hidden sm:block">{r.action}</code>
							</span>
						),
					},
					{ title: t(m.about), className: 'w-full min-w-48', cell: (r) => <span className="text-muted [overflow-wrap:anywhere]">{[aboutText(r, t), detailText(r.detail, t)].filter(Boolean).join(' · ')}</span> },
				]}
			/>
		</PageFrame>
	);
}
