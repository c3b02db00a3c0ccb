import { useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { post } from '../api/client';
import type { Delivery, Webhook } from '../api/types';
import { useT } from '../lib/language';
import common from '../messages/common';
import m from '../messages/hooks';
import { Ago, Badge, Button, type Tone } from '../ui/basic';
import { Catalogue } from '../ui/catalogue';
import { Dialog } from '../ui/dialog';
import { CheckField, fieldError, TextField } from '../ui/form';
import { DataTable, usePage } from '../ui/page';
import { SecretOnce } from '../ui/secret';
import { useToast } from '../ui/toast';

const events = ['ticket.created', 'ticket.updated', 'ticket.deleted', 'ticket.restored', 'comment.created', 'comment.updated', 'comment.deleted', 'sla.warning', 'sla.breached', 'sla.escalated'];
const tones: Record<Delivery['state'], Tone> = { delivered: 'good', failed: 'danger', retry: 'warn', queued: 'neutral', sending: 'info' };

function Calls({ hook, onClose }: { hook: Webhook; onClose: () => void }) {
	const t = useT();
	const [page, setPage] = useState(1);
	const calls = usePage<Delivery>('deliveries', `/webhooks/${hook.id}/deliveries`, { page, per_page: 20 });
	return (
		<Dialog wide title={`${t(m.calls)}: ${hook.url}`} onClose={onClose}>
			<DataTable
				label={t(m.calls)}
				query={calls}
				rowKey={(r) => r.id}
				empty={{ title: t(m.noCalls), icon: 'hook' }}
				onPage={setPage}
				columns={[
					{ title: t(m.event), cell: (r) => <code className="font-mono text-xs">{r.event}</code> },
					{ title: t(m.state), cell: (r) => <Badge tone={tones[r.state]}>{t(m[r.state])}</Badge> },
					{ title: t(m.answer), className: 'w-full min-w-48', cell: (r) => <span className="text-muted [overflow-wrap:anywhere]">{[r.status, r.reply].filter(Boolean).join(' ')}</span> },
					{ title: t(m.when), cell: (r) => <Ago at={r.created_at} /> },
				]}
			/>
		</Dialog>
	);
}

interface Draft {
	url: string;
	events: string[];
	active: boolean;
}

export default function Webhooks() {
	const t = useT();
	const { say, fail } = useToast();
	const client = useQueryClient();
	const [made, setMade] = useState<Webhook | null>(null);
	const [shown, setShown] = useState<Webhook | null>(null);
	const test = (hook: Webhook) =>
		post(`/webhooks/${hook.id}/test`)
			.then(() => client.invalidateQueries({ queryKey: ['deliveries'] }))
			.then(() => say(t(m.tested), { action: { label: t(m.calls), run: () => setShown(hook) } }), fail);
	return (
		<>
			<Catalogue<Webhook, Draft>
				name="webhooks"
				path="/webhooks"
				title={common.webhooks}
				icon="hook"
				texts={m}
				label={(r) => r.url}
				columns={[
					{
						title: t(m.url),
						className: 'w-full min-w-48',
						cell: (r) => (
							<>
								<bdi className="font-medium [overflow-wrap:anywhere]">{r.url}</bdi>
								<p className="text-xs text-muted">{r.events.join(', ')}</p>
							</>
						),
					},
					{ title: t(m.state), cell: (r) => <Badge tone={r.active ? 'good' : 'neutral'}>{t(r.active ? m.isOn : m.isOff)}</Badge> },
				]}
				actions={(r) => (
					<>
						<Button small onClick={() => setShown(r)} aria-label={`${t(m.calls)}: ${r.url}`}>
							{t(m.calls)}
						</Button>
						<Button small onClick={() => void test(r)} aria-label={`${t(m.test)}: ${r.url}`}>
							{t(m.test)}
						</Button>
					</>
				)}
				draft={(r) => ({ url: r?.url ?? 'https://', events: r?.events ?? ['ticket.created'], active: r?.active ?? true })}
				body={(d) => d}
				fields={['url', 'events']}
				onMade={setMade}
				form={({ draft, set, error }) => (
					<>
						<TextField label={t(m.url)} hint={t(m.urlHint)} type="url" required value={draft.url} onChange={(e) => set({ url: e.target.value })} error={fieldError(error, 'url')} />
						<fieldset>
							<legend className="mb-1 font-medium">{t(m.events)}</legend>
							<div className="grid gap-x-4 sm:grid-cols-2">
								{events.map((x) => (
									<CheckField
										key={x}
										label={<code className="font-mono text-xs">{x}</code>}
										checked={draft.events.includes(x)}
										onChange={(e) => set({ events: e.target.checked ? [...draft.events, x] : draft.events.filter((y) => y !== x) })}
									/>
								))}
							</div>
						</fieldset>
						<CheckField label={t(m.active)} checked={draft.active} onChange={(e) => set({ active: e.target.checked })} />
					</>
				)}
			/>
			{made?.secret && <SecretOnce title={t(m.made)} text={t(m.madeText)} secret={made.secret} onClose={() => setMade(null)} />}
			{shown && <Calls hook={shown} onClose={() => setShown(null)} />}
		</>
	);
}
