import { said } from '../../lib/evidence';
import { useLanguage } from '../../lib/language';
import m from '../../messages/detail';
import { Ago, Button, Empty, Failure, Loading } from '../../ui/basic';
import { MailState } from '../../ui/mail-state';
import { useMails } from './data';

export function Mails({ ticket, onMail }: { ticket: number; onMail: (id: number, what: 'original' | 'decision') => void }) {
	const { t } = useLanguage();
	const q = useMails(ticket);
	if (q.isError) return <Failure error={q.error} onRetry={() => void q.refetch()} />;
	if (!q.data) return <Loading />;
	if (!q.data.items.length) return <Empty title={t(m.noMails)} icon="mailbox" />;
	return (
		<ul className="divide-y divide-line rounded-lg border border-line bg-surface">
			{q.data.items.map((x) => (
				<li key={x.id} className="flex flex-wrap items-center gap-x-3 gap-y-1 px-4 py-2.5">
					<div className="min-w-0 flex-1 basis-64">
						<p className="font-medium [overflow-wrap:anywhere]">
							<span className="font-normal text-muted">{t(x.direction === 'in' ? m.mailFrom : m.mailTo)}</span> <bdi>{x.direction === 'in' ? x.from : x.to.join(', ')}</bdi>
						</p>
						{x.subject && (
							<p className="truncate" dir="auto" title={x.subject}>
								{x.subject}
							</p>
						)}
						<p className="text-xs text-muted">
							<Ago at={x.created_at} />
							{x.kind !== 'normal' && ` · ${said('kind_', x.kind, t)}`}
							{x.state !== 'sent' && x.smtp_reply ? ` · ${x.smtp_reply}` : ''}
						</p>
					</div>
					<MailState state={x.direction === 'in' ? 'received' : (x.state ?? '')} />
					<Button small onClick={() => onMail(x.id, 'original')} aria-label={`${t(m.original)}: ${x.subject ?? ''}`}>
						{t(m.original)}
					</Button>
					{x.direction === 'in' && (
						<Button small onClick={() => onMail(x.id, 'decision')} aria-label={`${t(m.decision)}: ${x.subject ?? ''}`}>
							{t(m.why)}
						</Button>
					)}
				</li>
			))}
		</ul>
	);
}
