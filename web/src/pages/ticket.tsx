import { useEffect, useMemo, useState } from 'react';
import { Link, useNavigate, useParams } from 'react-router-dom';
import { ApiError, del, post } from '../api/client';
import type { Message, Ticket } from '../api/types';
import { NotFound } from '../app/router';
import { useSession, useUser } from '../app/session';
import { useSayViewing, useViewers } from '../app/viewing';
import { useLanguage } from '../lib/language';
import { lastList } from '../lib/last-list';
import common from '../messages/common';
import m from '../messages/detail';
import words from '../messages/ticket';
import { Button, Failure, IconButton, Loading, Notice, Skeleton } from '../ui/basic';
import { useAsk } from '../ui/dialog';
import { Icon } from '../ui/icons';
import { inputClass } from '../ui/form';
import { Menu } from '../ui/menu';
import { useTitle, useUrlState } from '../ui/page';
import { Tabs } from '../ui/tabs';
import { PriorityMark, SlaBadge, StatusBadge } from '../ui/ticket-parts';
import { useToast } from '../ui/toast';
import { ChangeProvider, useChange } from './ticket/change';
import { CommandBox } from './ticket/commands';
import { CommentView } from './ticket/comment';
import { PER_PAGE, useComments, useFresh, useMails, useTicket } from './ticket/data';
import { History } from './ticket/history';
import { Mails } from './ticket/mails';
import { DecisionDialog, OriginalMail } from './ticket/original';
import { Links, OtherTicket, People } from './ticket/people';
import { Properties } from './ticket/properties';
import { ReplyEditor } from './ticket/reply';
import { SlaStories } from './ticket/sla';

function Heading({ ticket }: { ticket: Ticket }) {
	const { t } = useLanguage();
	const { isStaff } = useSession();
	const { change } = useChange();
	const [editing, setEditing] = useState<string | null>(null);
	if (editing !== null)
		return (
			<form
				className="flex flex-1 gap-2"
				onSubmit={(e) => {
					e.preventDefault();
					if (editing.trim() && editing.trim() !== ticket.title) change({ title: editing.trim() }, () => setEditing(editing));
					setEditing(null);
				}}
			>
				<input
					aria-label={t(words.title)}
					autoFocus
					required
					maxLength={500}
					className={inputClass}
					value={editing}
					onChange={(e) => setEditing(e.target.value)}
					onKeyDown={(e) => e.key === 'Escape' && setEditing(null)}
				/>
				<Button type="submit" look="primary">
					{t(common.save)}
				</Button>
				<Button onClick={() => setEditing(null)}>{t(common.cancel)}</Button>
			</form>
		);
	return (
		<h1 className="min-w-0 flex-1 basis-44 text-xl font-semibold tracking-tight [overflow-wrap:anywhere]">
			<bdi>{ticket.title}</bdi>{' '}<span className="font-normal text-muted">#{ticket.id}</span>
			{isStaff && !ticket.merged_into && (
				<IconButton small icon="edit" label={t(m.editTitle)} className="ml-1 align-middle" onClick={() => setEditing(ticket.title)} />
			)}
		</h1>
	);
}

function Actions({ ticket, onOther }: { ticket: Ticket; onOther: (how: 'link' | 'merge') => void }) {
	const { t } = useLanguage();
	const user = useUser();
	const { isStaff, isAdmin } = useSession();
	const { change, busy } = useChange();
	const fresh = useFresh(ticket.id);
	const ask = useAsk();
	const navigate = useNavigate();
	const { say, fail } = useToast();
	const me = ticket.participants.find((p) => p.user === user.id);
	const act = (p: Promise<Ticket>) => void p.then((now) => fresh(now).then(() => say(t(m.changed))), fail);
	const canDelete = isAdmin || ticket.requester.id === user.id;
	const word = (s: string) => (words as Record<string, readonly [string, string, string, string]>)[s];
	return (
		<div className="flex items-center gap-2">
			{isStaff && !ticket.assignee && !ticket.merged_into && (
				<Button look="primary" busy={busy} onClick={() => change({ assignee: user.id })}>
					{t(m.take)}
				</Button>
			)}
			{!isStaff &&
				ticket.allowed_statuses.map((s) => (
					<Button key={s} busy={busy} onClick={() => change({ status: s })}>
						{s === 'closed' ? t(common.close) : word(s) ? t(word(s)!) : s}
					</Button>
				))}
			<Menu
				label={t(common.actions)}
				className="inline-flex size-9 items-center justify-center rounded-md border border-line-strong/60 bg-surface hover:bg-hover"
				items={[
					...(isStaff
						? [
								{
									label: t(me?.role === 'watcher' ? m.unwatch : m.watch),
									icon: 'eye' as const,
									run: () => act(post<Ticket>(`/tickets/${ticket.id}/watch`, { watching: me?.role !== 'watcher' })),
								},
							]
						: []),
					...(me
						? [
								{
									label: t(me.muted ? m.unmute : m.mute),
									icon: 'bell' as const,
									run: () => act(post<Ticket>(`/tickets/${ticket.id}/mute`, { muted: !me.muted })),
								},
							]
						: []),
					...(isStaff && !ticket.merged_into
						? [
								{ label: t(m.link), icon: 'hook' as const, run: () => onOther('link') },
								{ label: t(m.merge), icon: 'merge' as const, run: () => onOther('merge') },
							]
						: []),
					...(canDelete && !ticket.deleted_at
						? [
								null,
								{
									label: t(m.deleteTicket),
									icon: 'trash' as const,
									danger: true,
									run: () =>
										ask({
											title: t(m.deleteTicket),
											text: t(m.deleteText, { id: String(ticket.id) }),
											action: t(common.delete),
											danger: true,
											run: async () => {
												await del(`/tickets/${ticket.id}`);
												void navigate('/tickets');
												say(t(common.deleted));
												void fresh();
											},
										}),
								},
							]
						: []),
				]}
			>
				<Icon name="more" />
			</Menu>
		</div>
	);
}

const PAGES_A_CLICK = 20;
const NO_MAILS: Message[] = [];

function Conversation({ ticket, onMail }: { ticket: Ticket; onMail: (id: number, what: 'original' | 'decision') => void }) {
	const { t } = useLanguage();
	const comments = useComments(ticket.id);
	const mails = useMails(ticket.id);
	const user = useUser();
	const { isStaff } = useSession();
	const all = comments.data?.pages.flatMap((p) => p.items) ?? [];
	const rest = (comments.data?.pages[0]?.total ?? 0) - all.length;
	/* The newest ones matter, and are last: a click shows them, not just another page on the way to them. */
	const more = async () => {
		for (let i = 0; i < PAGES_A_CLICK; i++) if (!(await comments.fetchNextPage()).hasNextPage) return;
	};
	/* The same lists as long as they are the same mails: a thousand comments are not drawn anew for each page. */
	const sent = useMemo(() => {
		const by = new Map<number, Message[]>();
		for (const x of mails.data?.items ?? [])
			if (x.direction === 'out' && x.comment) by.set(x.comment, [...(by.get(x.comment) ?? []), x]);
		return by;
	}, [mails.data]);
	const closed = ticket.merged_into || ticket.deleted_at;
	if (comments.isError && !comments.data) return <Failure error={comments.error} onRetry={() => void comments.refetch()} />;
	return (
		<div className="space-y-4">
			{!comments.data && (
				<div className="space-y-3 rounded-lg border border-line bg-surface p-4">
					<Skeleton className="h-4 w-40" />
					<Skeleton />
					<Skeleton className="h-4 w-2/3" />
				</div>
			)}
			{all.map((c, i) => (
				<CommentView
					key={c.id}
					comment={c}
					ticket={ticket}
					first={i === 0}
					mails={(c.author?.role !== 'customer' && sent.get(c.id)) || NO_MAILS}
					onMail={onMail}
				/>
			))}
			{comments.hasNextPage && (
				<div className="text-center">
					<Button busy={comments.isFetchingNextPage} onClick={() => void more()}>
						{t(m.loadMore, { n: Math.min(rest, PAGES_A_CLICK * PER_PAGE) })}
					</Button>
				</div>
			)}
			{!closed && (
				<div className="space-y-3 sm:pl-11">
					<ReplyEditor ticket={ticket} last={all[all.length - 1]?.id ?? 0} own={all.findLast((c) => c.author?.id === user.id)?.body} />
					{isStaff && <CommandBox ticket={ticket} />}
				</div>
			)}
		</div>
	);
}

type Part = 'conversation' | 'history' | 'sla' | 'mails';

function Loaded({ ticket }: { ticket: Ticket }) {
	const { t } = useLanguage();
	const { isStaff } = useSession();
	const url = useUrlState();
	const viewers = useViewers()(ticket.id);
	const fresh = useFresh(ticket.id);
	const { fail } = useToast();
	const [mail, setMail] = useState<{ id: number; what: 'original' | 'decision' } | null>(null);
	const [other, setOther] = useState<'link' | 'merge' | null>(null);
	useSayViewing(ticket.id);
	useTitle(`#${ticket.id} ${ticket.title}`);
	const tabs: { value: Part; label: string }[] = [
		{ value: 'conversation', label: t(m.conversation) },
		{ value: 'history', label: t(m.history) },
		...(isStaff
			? ([
					{ value: 'sla', label: t(m.sla) },
					{ value: 'mails', label: t(m.mails) },
				] as const)
			: []),
	];
	const asked = url.value('tab');
	const tab = tabs.find((x) => x.value === asked)?.value ?? 'conversation';
	const onMail = (id: number, what: 'original' | 'decision') => setMail({ id, what });
	return (
		<ChangeProvider ticket={ticket}>
			<div className="mx-auto w-full max-w-[92rem] px-3 py-4 sm:px-6">
				<Link to={lastList()} className="mb-2 inline-flex items-center gap-1 text-muted hover:text-ink">
					<Icon name="left" size={16} />
					{t(m.backToList)}
				</Link>
				<div className="flex flex-wrap items-start justify-between gap-x-4 gap-y-2">
					<Heading ticket={ticket} />
					<Actions ticket={ticket} onOther={setOther} />
				</div>
				<div className="mt-2 flex min-h-6 flex-wrap items-center gap-2">
					<StatusBadge status={ticket.status} />
					<PriorityMark priority={ticket.priority} text />
					{isStaff && <SlaBadge ticket={ticket} />}
					{viewers.length > 0 && (
						<span role="status" className="inline-flex items-center gap-1 text-plum">
							<Icon name="eye" size={15} />
							{t(viewers.length > 1 ? words.lookingMany : words.looking, { names: viewers.join(', ') })}
						</span>
					)}
				</div>
				{ticket.merged_into && (
					<div className="mt-3">
						<Notice tone="warn">
							<Link to={`/tickets/${ticket.merged_into}`} className="underline">
								{t(m.mergedInto, { id: String(ticket.merged_into) })}
							</Link>{' '}
							{isStaff && (
								<Button small onClick={() => void post<Ticket>(`/tickets/${ticket.id}/unmerge`).then(fresh, fail)}>
									{t(m.unmerge)}
								</Button>
							)}
						</Notice>
					</div>
				)}
				{ticket.deleted_at && (
					<div className="mt-3">
						<Notice tone="danger">
							{t(m.isDeleted)}{' '}
							<Button small onClick={() => void post<Ticket>(`/tickets/${ticket.id}/restore`).then(fresh, fail)}>
								{t(m.restore)}
							</Button>
						</Notice>
					</div>
				)}
				<div className="mt-3">
					<Tabs label={t(m.details)} tabs={tabs} value={tab} onChange={(to) => url.set({ tab: to === 'conversation' ? '' : to })} />
				</div>
				<div className="grid items-start gap-5 lg:grid-cols-[minmax(0,1fr)_19rem]">
					<div className="min-w-0 max-lg:order-2">
						{tab === 'conversation' && <Conversation ticket={ticket} onMail={onMail} />}
						{tab === 'history' && <History ticket={ticket.id} />}
						{tab === 'sla' && <SlaStories ticket={ticket.id} />}
						{tab === 'mails' && <Mails ticket={ticket.id} onMail={onMail} />}
					</div>
					<Aside>
						<Section title={t(m.details)} open>
							<Properties ticket={ticket} />
						</Section>
						<Section title={t(m.people)} open>
							<People ticket={ticket} />
						</Section>
						{isStaff && (
							<Section title={t(m.links)} open={ticket.links.length > 0}>
								<Links ticket={ticket} onAdd={() => setOther('link')} />
							</Section>
						)}
					</Aside>
				</div>
			</div>
			{mail?.what === 'original' && <OriginalMail id={mail.id} onClose={() => setMail(null)} />}
			{mail?.what === 'decision' && <DecisionDialog id={mail.id} onClose={() => setMail(null)} />}
			{other && <OtherTicket ticket={ticket} how={other} onClose={() => setOther(null)} />}
		</ChangeProvider>
	);
}

const WIDE = '(min-width: 64rem)';

function useWide(): boolean {
	const [wide, setWide] = useState(() => window.matchMedia(WIDE).matches);
	useEffect(() => {
		const query = window.matchMedia(WIDE);
		const on = () => setWide(query.matches);
		query.addEventListener('change', on);
		return () => query.removeEventListener('change', on);
	}, []);
	return wide;
}

/** Beside the conversation; where there is no room for that, folded above it. */
function Aside({ children }: { children: React.ReactNode }) {
	const { t } = useLanguage();
	const wide = useWide();
	const [open, setOpen] = useState(false);
	return (
		<aside aria-label={t(m.details)} className="min-w-0 max-lg:order-1">
			{wide ? (
				<div className="space-y-3">{children}</div>
			) : (
				<details open={open} onToggle={(e) => setOpen(e.currentTarget.open)}>
					<summary className="flex min-h-10 items-center gap-2 rounded-lg border border-line bg-surface px-4 font-semibold select-none">
						{t(m.details)}, {t(m.people)}
						<Icon name="chevron" size={16} className={`ml-auto text-muted ${open ? 'rotate-180' : ''}`} />
					</summary>
					<div className="mt-3 space-y-3">{children}</div>
				</details>
			)}
		</aside>
	);
}

function Section({ title, open, children }: { title: string; open: boolean; children: React.ReactNode }) {
	const [shown, setShown] = useState(open);
	useEffect(() => {
		if (open) setShown(true);
	}, [open]);
	return (
		<details open={shown} onToggle={(e) => setShown(e.currentTarget.open)} className="rounded-lg border border-line bg-surface">
			<summary className="flex min-h-10 items-center px-4 font-semibold select-none">
				{title}
				<Icon name="chevron" size={16} className={`ml-auto text-muted ${shown ? 'rotate-180' : ''}`} />
			</summary>
			<div className="border-t border-line">{children}</div>
		</details>
	);
}

export default function TicketPage() {
	const { id } = useParams();
	const number = Number(id);
	const valid = Number.isSafeInteger(number) && number > 0;
	const ticket = useTicket(valid ? number : 0);
	if (!valid || (ticket.error instanceof ApiError && ticket.error.status === 404)) return <NotFound />;
	if (!ticket.data) return ticket.isError ? <Failure error={ticket.error} onRetry={() => void ticket.refetch()} /> : <Loading />;
	return <Loaded key={ticket.data.id} ticket={ticket.data} />;
}
