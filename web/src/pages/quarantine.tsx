/* Mails that were held back: why, what they are, and letting them in. */
import { useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { useNavigate } from 'react-router-dom';
import { del, post } from '../api/client';
import type { BlockedSender, HeldMail, Intake } from '../api/types';
import { useT } from '../lib/language';
import type { Text } from '../lib/text';
import common from '../messages/common';
import words from '../messages/evidence';
import m from '../messages/mail';
import { Ago, Badge, Button, Empty, Failure, IconButton, Loading } from '../ui/basic';
import { Dialog, useAsk } from '../ui/dialog';
import { FormActions, FormError, TextField } from '../ui/form';
import { DataTable, PageFrame, Pager, usePage, useUrlState } from '../ui/page';
import { Tabs } from '../ui/tabs';
import { useToast } from '../ui/toast';
import { DecisionDialog, OriginalMail } from './ticket/original';

/* Causes whose detail says more than the cause, in whose words ever. Of the others "Why" tells. */
const told = ['parser_crashed', 'parser_timed_out', 'database_rejected', 'too_large'];

function Held() {
	const t = useT();
	const ask = useAsk();
	const { say } = useToast();
	const client = useQueryClient();
	const navigate = useNavigate();
	const url = useUrlState();
	const [shown, setShown] = useState<{ message: number; what: 'original' | 'decision' } | null>(null);
	const mails = usePage<HeldMail>('quarantine', '/quarantine', { page: url.page, per_page: 20 }, 10_000);
	const again = () => client.invalidateQueries({ queryKey: ['quarantine'] });

	const release = (x: HeldMail) =>
		ask({
			title: t(m.release),
			text: t(m.releaseText),
			action: t(m.release),
			run: async () => {
				const done = await post<Intake>(`/quarantine/${x.id}/release`);
				await again();
				const ticket = done.ticket;
				say(t(m.released), ticket ? { action: { label: t(m.openTicket, { id: String(ticket) }), run: () => void navigate(`/tickets/${ticket}`) }, ms: 10_000 } : {});
			},
		});
	const block = (x: HeldMail) =>
		ask({
			title: t(m.block),
			text: t(m.blockText, { name: x.from ?? '' }),
			action: t(m.block),
			danger: true,
			run: async () => {
				await post(`/quarantine/${x.id}/block`);
				await client.invalidateQueries({ queryKey: ['blocked-senders'] });
				say(t(m.isBlocked, { name: x.from ?? '' }));
			},
		});
	const drop = (x: HeldMail) =>
		ask({
			title: t(common.areYouSure),
			text: t(m.dropText),
			action: t(common.delete),
			danger: true,
			run: async () => {
				await del(`/quarantine/${x.id}`);
				await again();
				say(t(common.deleted));
			},
		});

	if (mails.isError && !mails.data) return <Failure error={mails.error} onRetry={() => void mails.refetch()} />;
	const page = mails.data;
	return (
		<div className="rounded-lg border border-line bg-surface">
			{!page ? (
				<Loading />
			) : !page.items.length ? (
				<Empty title={t(m.heldEmpty)} icon="shield">
					{t(m.heldEmptyText)}
				</Empty>
			) : (
				<>
					<ul className="divide-y divide-line">
						{page.items.map((x) => {
							const why = (m as Record<string, Text>)[`cause_${x.cause}`];
							const subject = x.subject ?? t(m.noSubject);
							const rule = /^rule "(.+)"$/.exec(x.detail ?? '')?.[1];
							const detail = rule ? t(words.rule_own, { name: rule }) : x.detail;
							return (
								<li key={x.id} className="flex flex-wrap items-start gap-x-4 gap-y-2 px-4 py-3">
									<div className="min-w-0 flex-1 basis-80">
										<p className="flex flex-wrap items-baseline gap-x-2">
											<bdi className="line-clamp-3 font-semibold [overflow-wrap:anywhere]">{subject}</bdi>
											<Ago at={x.created_at} className="text-xs text-muted" />
										</p>
										<p className="text-muted [overflow-wrap:anywhere]">
											<bdi>{x.from ?? t(m.noSender)}</bdi>
											{x.mailbox && ` → ${x.mailbox}`}
										</p>
										<p className="mt-1 flex flex-wrap items-center gap-2">
											{why ? (
												<span className="font-medium text-warn">{t(why)}</span>
											) : (
												<>
													<Badge tone="warn">{x.cause.replaceAll('_', ' ')}</Badge>
													<span>{detail}</span>
												</>
											)}
										</p>
										{why && detail && (rule || told.includes(x.cause)) && <p className="mt-0.5 text-xs text-muted [overflow-wrap:anywhere]">{detail}</p>}
									</div>
									<div className="flex flex-wrap gap-1">
										<Button small look="primary" icon="check" onClick={() => release(x)} aria-label={`${t(m.release)}: ${subject}`}>
											{t(m.release)}
										</Button>
										<Button small icon="eye" onClick={() => setShown({ message: x.message, what: 'original' })} aria-label={`${t(m.look)}: ${subject}`}>
											{t(m.look)}
										</Button>
										<Button small onClick={() => setShown({ message: x.message, what: 'decision' })} aria-label={`${t(m.why)}: ${subject}`}>
											{t(m.why)}
										</Button>
										{x.from && (
											<Button small onClick={() => block(x)} aria-label={`${t(m.block)}: ${x.from}`}>
												{t(m.block)}
											</Button>
										)}
										<IconButton small icon="trash" label={`${t(common.delete)}: ${subject}`} onClick={() => drop(x)} />
									</div>
								</li>
							);
						})}
					</ul>
					<div className="flex justify-end border-t border-line px-2 py-1">
						<Pager page={page} onPage={(at) => url.set({ page: at })} />
					</div>
				</>
			)}
			{shown?.what === 'original' && <OriginalMail id={shown.message} onClose={() => setShown(null)} />}
			{shown?.what === 'decision' && <DecisionDialog id={shown.message} onClose={() => setShown(null)} />}
		</div>
	);
}

function BlockForm({ onClose }: { onClose: () => void }) {
	const t = useT();
	const { say } = useToast();
	const client = useQueryClient();
	const [sender, setSender] = useState('');
	const [error, setError] = useState<unknown>(null);
	const [busy, setBusy] = useState(false);
	const save = async () => {
		const name = sender.trim().replace(/^@/, '');
		setBusy(true);
		try {
			await post('/blocked-senders', name.includes('@') ? { address: name } : { domain: name });
			await client.invalidateQueries({ queryKey: ['blocked-senders'] });
			say(t(m.isBlocked, { name }));
			onClose();
		} catch (e) {
			setError(e);
			setBusy(false);
		}
	};
	return (
		<Dialog title={t(m.blockedAdd)} onClose={onClose}>
			<form
				className="space-y-4"
				onSubmit={(e) => {
					e.preventDefault();
					void save();
				}}
			>
				<TextField label={t(m.sender)} hint={t(m.senderHint)} required value={sender} onChange={(e) => setSender(e.target.value)} />
				<FormError error={error} />
				<FormActions busy={busy} onCancel={onClose} />
			</form>
		</Dialog>
	);
}

function Blocked() {
	const t = useT();
	const ask = useAsk();
	const client = useQueryClient();
	const url = useUrlState();
	const rows = usePage<BlockedSender>('blocked-senders', '/blocked-senders', { page: url.page, per_page: 50 });
	const nameOf = (r: BlockedSender) => r.address ?? r.domain ?? '';
	return (
		<DataTable
			label={t(m.blocked)}
			query={rows}
			rowKey={(r) => r.id}
			empty={{ title: t(m.blockedEmpty), text: t(m.blockedEmptyText), icon: 'shield' }}
			onPage={(at) => url.set({ page: at })}
			columns={[
				{ title: t(m.sender), cell: (r) => <bdi className="font-medium [overflow-wrap:anywhere]">{nameOf(r)}</bdi>, className: 'w-full' },
				{ title: t(m.since), cell: (r) => <Ago at={r.created_at} /> },
				{
					title: t(common.actions),
					silent: true,
					cell: (r) => (
						<IconButton
							small
							icon="trash"
							label={`${t(common.remove)}: ${nameOf(r)}`}
							onClick={() =>
								ask({
									title: t(common.areYouSure),
									text: t(m.blockedQuestion, { name: nameOf(r) }),
									action: t(common.remove),
									run: async () => {
										await del(`/blocked-senders/${r.id}`);
										await client.invalidateQueries({ queryKey: ['blocked-senders'] });
									},
								})
							}
						/>
					),
				},
			]}
		/>
	);
}

export default function Quarantine() {
	const t = useT();
	const url = useUrlState();
	const [blocking, setBlocking] = useState(false);
	const tab = url.value('show') === 'blocked' ? 'blocked' : 'held';
	return (
		<PageFrame
			title={t(common.quarantine)}
			actions={
				tab === 'blocked' && (
					<Button look="primary" icon="plus" onClick={() => setBlocking(true)}>
						{t(m.blockedAdd)}
					</Button>
				)
			}
		>
			<Tabs
				label={t(common.quarantine)}
				value={tab}
				tabs={[
					{ value: 'held', label: t(m.held) },
					{ value: 'blocked', label: t(m.blocked) },
				]}
				onChange={(show) => url.set({ show: show === 'held' ? '' : show })}
			/>
			{tab === 'held' ? <Held /> : <Blocked />}
			{blocking && <BlockForm onClose={() => setBlocking(false)} />}
		</PageFrame>
	);
}
