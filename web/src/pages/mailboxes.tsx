import { useQueryClient } from '@tanstack/react-query';
import { post } from '../api/client';
import type { Mailbox } from '../api/types';
import { useT } from '../lib/language';
import type { Text } from '../lib/text';
import common from '../messages/common';
import m from '../messages/mail';
import { Ago, Badge, Button, type Tone } from '../ui/basic';
import { DataTable, PageFrame, usePage, useUrlState } from '../ui/page';
import { useToast } from '../ui/toast';

const tones: Record<string, Tone> = { ok: 'good', connecting: 'info', backoff: 'warn', auth_failed: 'danger', paused: 'neutral' };

export function MailboxState({ state }: { state: string }) {
	const t = useT();
	const text = (m as Record<string, Text>)[`box_${state}`];
	return <Badge tone={tones[state] ?? 'neutral'}>{text ? t(text) : state}</Badge>;
}

export default function Mailboxes() {
	const t = useT();
	const { say, fail } = useToast();
	const client = useQueryClient();
	const url = useUrlState();
	const boxes = usePage<Mailbox>('mailboxes', '/mailboxes', { page: url.page, per_page: 50 }, 10_000);
	const act = (box: Mailbox, what: 'poll' | 'pause' | 'resume', done: Text) =>
		post(`/mailboxes/${encodeURIComponent(box.name)}/${what}`)
			.then(() => client.invalidateQueries({ queryKey: ['mailboxes'] }))
			.then(() => say(t(done)), fail);
	return (
		<PageFrame title={t(common.mailboxes)}>
			<DataTable
				label={t(common.mailboxes)}
				query={boxes}
				rowKey={(r) => r.name}
				empty={{ title: t(m.boxesEmpty), text: t(m.boxesEmptyText), icon: 'mailbox' }}
				onPage={(at) => url.set({ page: at })}
				columns={[
					{
						title: t(m.mailbox),
						className: 'w-full min-w-48',
						cell: (r) => (
							<>
								<p className="font-medium">{r.name}</p>
								<p className="text-muted">{r.address}</p>
								{r.last_error && <p className="mt-0.5 text-xs text-danger [overflow-wrap:anywhere]">{r.last_error}</p>}
							</>
						),
					},
					{ title: t(m.state), cell: (r) => <MailboxState state={r.state} /> },
					{ title: t(m.lastSuccess), spare: true, cell: (r) => (r.last_success ? <Ago at={r.last_success} /> : t(m.never)) },
					{
						title: t(common.actions),
						silent: true,
						cell: (r) => (
							<span className="flex justify-end gap-1">
								{r.state === 'paused' ? (
									<Button small onClick={() => void act(r, 'resume', common.saved)} aria-label={`${t(m.resume)}: ${r.name}`}>
										{t(m.resume)}
									</Button>
								) : (
									<>
										<Button small onClick={() => void act(r, 'poll', m.polled)} aria-label={`${t(m.poll)}: ${r.name}`}>
											{t(m.poll)}
										</Button>
										<Button small onClick={() => void act(r, 'pause', common.saved)} aria-label={`${t(m.pause)}: ${r.name}`}>
											{t(m.pause)}
										</Button>
									</>
								)}
							</span>
						),
					},
				]}
			/>
		</PageFrame>
	);
}
