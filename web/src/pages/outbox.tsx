/* Mails to be sent, and what became of those that were. */
import { useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { Link } from 'react-router-dom';
import { post } from '../api/client';
import type { OutgoingMail } from '../api/types';
import { useLanguage } from '../lib/language';
import common from '../messages/common';
import m from '../messages/mail';
import { Ago, Button } from '../ui/basic';
import { useAsk } from '../ui/dialog';
import { MailState } from '../ui/mail-state';
import { DataTable, PageFrame, usePage, useUrlState } from '../ui/page';
import { Tabs } from '../ui/tabs';
import { useToast } from '../ui/toast';
import { OriginalMail } from './ticket/original';

const tabs = [
	{ value: 'queued,sending,retry,held', label: m.toSend },
	{ value: 'failed', label: m.failedOnes },
	{ value: 'sent', label: m.sentOnes },
	{ value: '', label: common.all },
] as const;

export default function Outbox() {
	const { t, times } = useLanguage();
	const ask = useAsk();
	const { say, fail } = useToast();
	const client = useQueryClient();
	const url = useUrlState();
	const [shown, setShown] = useState<number | null>(null);
	const state = url.params.has('state') ? url.value('state') : tabs[0].value;
	const mails = usePage<OutgoingMail>('outbox', '/outbox', { state: state === 'all' ? '' : state, page: url.page, per_page: 50 }, 10_000);
	const again = () => client.invalidateQueries({ queryKey: ['outbox'] });

	const sendNow = (x: OutgoingMail) =>
		post(`/outbox/${x.id}/retry`)
			.then(again)
			.then(() => say(t(m.queuedAgain)), fail);
	const takeBack = (x: OutgoingMail) =>
		ask({
			title: t(common.areYouSure),
			text: t(m.takeBackText, { name: x.to }),
			action: t(m.takeBack),
			danger: true,
			run: async () => {
				await post(`/outbox/${x.id}/cancel`);
				await again();
				say(t(m.takenBack));
			},
		});

	return (
		<PageFrame title={t(common.outbox)} wide>
			<Tabs
				label={t(common.outbox)}
				value={state === 'all' ? '' : state}
				tabs={tabs.map((x) => ({ value: x.value, label: t(x.label) }))}
				onChange={(to) => url.set({ state: to || 'all' })}
			/>
			<DataTable
				label={t(common.outbox)}
				query={mails}
				rowKey={(r) => r.id}
				empty={{ title: t(m.outboxEmpty), text: t(m.outboxEmptyText), icon: 'send' }}
				onPage={(at) => url.set({ page: at })}
				columns={[
					{
						title: t(m.to),
						className: 'w-full min-w-48',
						cell: (r) => (
							<>
								<p className="font-medium [overflow-wrap:anywhere]">
									<bdi>{r.to}</bdi>
								</p>
								<p className="line-clamp-1 text-muted [overflow-wrap:anywhere]">
									{r.ticket && (
										<Link to={`/tickets/${r.ticket}`} className="mr-1.5 text-accent hover:underline">
											#{r.ticket}
										</Link>
									)}
									<bdi>{r.subject ?? t(m.noSubject)}</bdi>
								</p>
								{r.state !== 'sent' && r.last_reply && (
									<p className="mt-0.5 text-xs text-danger [overflow-wrap:anywhere]">
										{t(m.serverSaid)}: <bdi>{r.last_reply}</bdi>
									</p>
								)}
							</>
						),
					},
					{
						title: t(m.state),
						cell: (r) => (
							<>
								<MailState state={r.state} />
								{r.attempts > 1 || (r.attempts && r.state !== 'sent') ? (
									<p className="mt-0.5 text-xs whitespace-nowrap text-muted">
										{t(m.tries, { n: r.attempts })}
										{r.state === 'retry' && r.next_at && `, ${t(m.nextTry, { time: times.relative(r.next_at) })}`}
									</p>
								) : null}
							</>
						),
					},
					{ title: t(m.since), spare: true, cell: (r) => <Ago at={r.created_at} className="text-muted" /> },
					{
						title: t(common.actions),
						silent: true,
						cell: (r) => (
							<span className="flex justify-end gap-1">
								<Button small icon="eye" onClick={() => setShown(r.message)} aria-label={`${t(m.look)}: ${r.to}`} />
								{['failed', 'retry', 'held', 'cancelled'].includes(r.state) && (
									<Button small onClick={() => void sendNow(r)} aria-label={`${t(m.sendNow)}: ${r.to}`}>
										{t(m.sendNow)}
									</Button>
								)}
								{['queued', 'retry', 'held'].includes(r.state) && (
									<Button small onClick={() => takeBack(r)} aria-label={`${t(m.takeBack)}: ${r.to}`}>
										{t(m.takeBack)}
									</Button>
								)}
							</span>
						),
					},
				]}
			/>
			{shown && <OriginalMail id={shown} onClose={() => setShown(null)} />}
		</PageFrame>
	);
}
