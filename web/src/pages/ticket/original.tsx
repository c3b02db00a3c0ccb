import { useQuery } from '@tanstack/react-query';
import { get } from '../../api/client';
import type { Command, Decision, Message } from '../../api/types';
import { download, fetchBlob, fileSize } from '../../lib/files';
import { evidenceText, ruleName, said } from '../../lib/evidence';
import { useLanguage, useT } from '../../lib/language';
import { reasonText } from '../../lib/reason';
import type { Text } from '../../lib/text';
import common from '../../messages/common';
import m from '../../messages/detail';
import words from '../../messages/evidence';
import mail from '../../messages/mail';
import { Badge, Button, Failure, Loading } from '../../ui/basic';
import { Dialog } from '../../ui/dialog';
import { Icon } from '../../ui/icons';
import { useWord } from '../../ui/ticket-parts';
import { useToast } from '../../ui/toast';
import { Files } from './files';

const SHOWN = 200_000; /* bytes of the source */

function Row({ name, children }: { name: string; children: React.ReactNode }) {
	return (
		<>
			<dt className="text-muted">{name}</dt>
			<dd className="min-w-0 break-words">
				<bdi>{children}</bdi>
			</dd>
		</>
	);
}

export function trustText(level: number): Text {
	return [m.trust0, m.trust1, m.trust2, m.trust3][level] ?? m.trust0;
}

/** Why a mail was held back. */
function causeText(cause: string, t: (text: Text) => string): string {
	const text = (mail as Record<string, Text>)[`cause_${cause}`];
	return text ? t(text) : cause.replaceAll('_', ' ');
}

/** A mail as it came: its head, its files, its source. */
export function OriginalMail({ id, onClose }: { id: number; onClose: () => void }) {
	const { t, times, locale } = useLanguage();
	const { fail } = useToast();
	const mail = useQuery({ queryKey: ['message', id], queryFn: ({ signal }) => get<Message>(`/messages/${id}`, undefined, signal) });
	const source = useQuery({
		queryKey: ['message', id, 'raw'],
		queryFn: async () => {
			const blob = await fetchBlob(`/messages/${id}/raw`);
			return { text: await blob.slice(0, SHOWN).text(), cut: blob.size > SHOWN };
		},
		staleTime: Infinity,
		gcTime: 60_000,
	});
	const x = mail.data;
	return (
		<Dialog wide title={t(m.original)} onClose={onClose}>
			{mail.isError ? (
				<Failure error={mail.error} onRetry={() => void mail.refetch()} />
			) : !x ? (
				<Loading />
			) : (
				<div className="space-y-4">
					<dl className="grid gap-x-4 sm:grid-cols-[auto_minmax(0,1fr)] sm:gap-y-1 max-sm:[&>dd]:mb-1.5">
						<Row name={t(m.mailFrom)}>{x.from ?? '—'}</Row>
						<Row name={t(m.mailTo)}>{x.to.join(', ') || '—'}</Row>
						{x.cc.length > 0 && <Row name={t(m.mailCc)}>{x.cc.join(', ')}</Row>}
						<Row name={t(m.date)}>{times.full(x.date)}</Row>
						<Row name="Message-ID">{x.message_id ?? '—'}</Row>
						<Row name={t(m.kind)}>{said('kind_', x.kind, t)}</Row>
						{x.direction === 'in' && <Row name={t(m.trust)}>{t(trustText(x.trust))}</Row>}
						<Row name={t(m.size)}>{fileSize(x.size, locale)}</Row>
					</dl>
					<Files files={x.attachments} />
					<div className="flex items-center justify-between gap-2">
						<h3 className="font-semibold">{t(m.source)}</h3>
						<Button small icon="download" onClick={() => download(`/messages/${id}/raw`, `mail-${id}.eml`).catch(fail)}>
							{t(m.download)}
						</Button>
					</div>
					{source.isError ? (
						<Failure error={source.error} onRetry={() => void source.refetch()} />
					) : source.data ? (
						<>
							<pre tabIndex={0} aria-label={t(m.source)} className="max-h-96 overflow-auto rounded-md bg-sunken p-3 font-mono text-xs whitespace-pre-wrap [overflow-wrap:anywhere]">
								{source.data.text}
							</pre>
							{source.data.cut && <p className="text-xs text-muted">{t(m.cut)}</p>}
						</>
					) : (
						<Loading rows={3} />
					)}
				</div>
			)}
		</Dialog>
	);
}

export function DecisionView({ id }: { id: number }) {
	const { t, times } = useLanguage();
	const word = useWord();
	const q = useQuery({ queryKey: ['message', id, 'decision'], queryFn: ({ signal }) => get<Decision>(`/messages/${id}/decision`, undefined, signal) });
	if (q.isError) return <Failure error={q.error} onRetry={() => void q.refetch()} />;
	const d = q.data;
	if (!d) return <Loading />;
	return (
		<div className="space-y-4">
			<dl className="grid gap-x-4 sm:grid-cols-[auto_minmax(0,1fr)] sm:gap-y-1 max-sm:[&>dd]:mb-1.5">
				<Row name={t(m.outcome)}>{said(d.outcome === 'duplicate' ? 'outcome_' : '', d.outcome, t)}</Row>
				{d.cause && <Row name={t(m.cause)}>{causeText(d.cause, t)}</Row>}
				<Row name={t(m.trust)}>
					{t(trustText(d.trust))} ({said('auth_', d.auth, t)})
				</Row>
				<Row name={t(m.date)}>{times.full(d.at)}</Row>
				{d.sla.length > 0 && <Row name={t(words.clocks)}>{d.sla.map((x) => `${word(x.metric)}: ${said('', x.effect, t)}`).join(', ')}</Row>}
			</dl>
			{d.rules.length > 0 && (
				<table className="w-full text-left">
					<thead className="border-b border-line text-xs text-muted">
						<tr>
							<th scope="col" className="py-1 pr-3 font-medium">{t(m.rule)}</th>
							<th scope="col" className="py-1 pr-3 font-medium">{t(m.matched)}</th>
							<th scope="col" className="py-1 font-medium">{t(m.evidence)}</th>
						</tr>
					</thead>
					<tbody className="divide-y divide-line">
						{d.rules.map((r, i) => (
							<tr key={i} className="align-top">
								<td className="py-1.5 pr-3 font-medium">{ruleName(r.rule, t)}</td>
								<td className="py-1.5 pr-3">
									<Badge tone={r.matched ? 'good' : 'neutral'}>{t(r.matched ? common.yes : common.no)}</Badge>
								</td>
								<td className="py-1.5 text-muted [overflow-wrap:anywhere]">{evidenceText(r, t)}</td>
							</tr>
						))}
					</tbody>
				</table>
			)}
			{d.commands.length > 0 && <TranscriptLines lines={d.commands} />}
		</div>
	);
}

export function DecisionDialog({ id, onClose }: { id: number; onClose: () => void }) {
	const t = useT();
	return (
		<Dialog wide title={t(m.decision)} onClose={onClose}>
			<DecisionView id={id} />
		</Dialog>
	);
}

export function TranscriptLines({ lines }: { lines: Command[] }) {
	const t = useT();
	return (
		<ul className="space-y-1">
			{lines.map((l, i) => (
				<li key={i} className={`flex items-start gap-2 ${l.ok ? '' : 'text-danger'}`}>
					<Icon name={l.ok ? 'check' : 'close'} size={16} className={`mt-0.5 ${l.ok ? 'text-good' : ''}`} />
					<span>
						<code className="font-mono">{l.line}</code>
						{l.reason && <span className="block">{reasonText(l, l.reason, t)}</span>}
					</span>
				</li>
			))}
		</ul>
	);
}
