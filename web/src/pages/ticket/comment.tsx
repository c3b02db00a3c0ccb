import { useMutation, useQueryClient } from '@tanstack/react-query';
import { memo, useState } from 'react';
import { useNavigate } from 'react-router-dom';
import { ApiError, del, patch, post } from '../../api/client';
import type { Comment, Message, Ticket } from '../../api/types';
import { useSession, useUser } from '../../app/session';
import { useLanguage, useT } from '../../lib/language';
import type { Text } from '../../lib/text';
import common from '../../messages/common';
import m from '../../messages/detail';
import { Ago, Avatar, Button } from '../../ui/basic';
import { useAsk } from '../../ui/dialog';
import { FormActions, FormError, TextArea } from '../../ui/form';
import { Icon } from '../../ui/icons';
import { MailState } from '../../ui/mail-state';
import { Menu } from '../../ui/menu';
import { Markdown, PlainText } from '../../ui/rich-text';
import { useToast } from '../../ui/toast';
import { Files } from './files';
import { MailFrame } from './mail-frame';
import { useFresh } from './data';

function Delivery({ mails }: { mails: Message[] }) {
	const t = useT();
	if (!mails.length) return null;
	return (
		<ul aria-label={t(m.delivery)} className="mt-3 space-y-1 text-xs text-muted">
			{mails.map((mail) => (
				<li key={mail.id} className="flex flex-wrap items-center gap-1.5">
					<Icon name="send" size={13} />
					<bdi>{mail.to.join(', ')}</bdi>
					<MailState state={mail.state ?? ''} />
					{mail.state !== 'sent' && mail.smtp_reply && <span>{mail.smtp_reply}</span>}
				</li>
			))}
		</ul>
	);
}

function Body({ comment }: { comment: Comment }) {
	const t = useT();
	const [whole, setWhole] = useState(false);
	const [html, setHtml] = useState(false);
	const written = comment.channel !== 'mail' && comment.body_html;
	if (written) return <Markdown html={comment.body_html ?? ''} />;
	const quoted = comment.body_full.trim() !== comment.body.trim();
	return (
		<>
			{html && comment.body_html ? (
				<MailFrame html={comment.body_html} attachments={comment.attachments} />
			) : (
				<PlainText text={whole ? comment.body_full : comment.body} />
			)}
			{(quoted || comment.body_html) && (
				<div className="mt-2 flex flex-wrap gap-1">
					{quoted && !html && (
						<Button small look="quiet" aria-expanded={whole} className="text-muted" icon="more" onClick={() => setWhole(!whole)}>
							{t(whole ? m.hideQuoted : m.showQuoted)}
						</Button>
					)}
					{comment.body_html && (
						<Button small look="quiet" className="text-muted" icon="eye" onClick={() => setHtml(!html)}>
							{t(html ? m.showText : m.showHtml)}
						</Button>
					)}
				</div>
			)}
		</>
	);
}

function Editor({ comment, onDone }: { comment: Comment; onDone: () => void }) {
	const t = useT();
	const fresh = useFresh(comment.ticket);
	const [body, setBody] = useState(comment.body);
	const save = useMutation({
		mutationFn: () => patch(`/comments/${comment.id}`, { body }),
		onSuccess: async () => {
			await fresh();
			onDone();
		},
	});
	return (
		<form
			className="space-y-3"
			onSubmit={(e) => {
				e.preventDefault();
				save.mutate();
			}}
		>
			<TextArea label={t(m.editComment)} hideLabel autoFocus required rows={6} value={body} onChange={(e) => setBody(e.target.value)} />
			<FormError error={save.error} />
			<FormActions busy={save.isPending} onCancel={onDone} />
		</form>
	);
}

interface CommentViewProps {
	comment: Comment;
	ticket: Ticket;
	first: boolean;
	mails: Message[];
	onMail: (message: number, what: 'original' | 'decision') => void;
}

export const CommentView = memo(function CommentView({ comment, ticket, first, mails, onMail }: CommentViewProps) {
	const { t } = useLanguage();
	const user = useUser();
	const { isStaff, isAdmin } = useSession();
	const ask = useAsk();
	const { say, fail } = useToast();
	const fresh = useFresh(ticket.id);
	const client = useQueryClient();
	const navigate = useNavigate();
	const [editing, setEditing] = useState(false);
	const author = comment.author?.name ?? t(m.nobody);
	const mine = comment.author?.id === user.id;
	const message = comment.message;

	const approve = () => {
		post(`/comments/${comment.id}/approve`).then(() => fresh(), (e: unknown) => {
			/* approved by somebody else meanwhile: it is there to be seen */
			if (e instanceof ApiError && e.status === 409) void fresh();
			fail(e);
		});
	};
	const items = [
		...(mine ? [{ label: t(common.edit), icon: 'edit' as const, run: () => setEditing(true) }] : []),
		...(isStaff && message
			? [
					{ label: t(m.original), icon: 'mailbox' as const, run: () => onMail(message, 'original') },
					...(comment.channel === 'mail' ? [{ label: t(m.decision), icon: 'shield' as const, run: () => onMail(message, 'decision') }] : []),
				]
			: []),
		...(isStaff && !first
			? [
					{
						label: t(m.split),
						icon: 'merge' as const,
						run: () =>
							ask({
								title: t(m.split),
								text: t(m.splitText),
								action: t(m.split),
								run: async () => {
									const made = await post<Ticket>(`/tickets/${ticket.id}/split`, { comment: comment.id });
									await client.invalidateQueries({ queryKey: ['tickets'] });
									void navigate(`/tickets/${made.id}`);
								},
							}),
					},
				]
			: []),
		...((mine || isAdmin) && !first
			? [
					{
						label: t(m.deleteComment),
						icon: 'trash' as const,
						danger: true,
						run: () =>
							ask({
								title: t(m.deleteComment),
								text: t(m.deleteCommentText),
								action: t(common.delete),
								danger: true,
								run: async () => {
									await del(`/comments/${comment.id}`);
									await fresh();
									say(t(common.deleted));
								},
							}),
					},
				]
			: []),
	];
	const channel = (m as Record<string, Text>)[`by_${comment.channel}`];
	const look = comment.held
		? 'border-warn bg-surface'
		: comment.is_internal
			? 'border-note-line bg-note'
			: comment.author && comment.author.role !== 'customer'
				? 'border-line bg-accent-soft/45'
				: 'border-line bg-surface';
	return (
		<article id={`comment-${comment.id}`} aria-label={`${author}${comment.is_internal ? `, ${t(m.internal)}` : ''}`} className="flex gap-3">
			<span className="pt-2.5 max-sm:hidden">
				<Avatar name={author} size={32} />
			</span>
			<div className={`min-w-0 flex-1 rounded-lg border ${look}`}>
				<header className="flex flex-wrap items-center gap-x-2 gap-y-0.5 py-1.5 pr-1.5 pl-4">
					<span className="font-semibold">
						<bdi>{author}</bdi>
					</span>
					{comment.is_internal && !comment.held && (
						<span className="inline-flex items-center gap-1 text-xs font-medium text-note-ink">
							<Icon name="lock" size={13} />
							{t(m.internal)} · {t(m.internalHint)}
						</span>
					)}
					<span className="text-xs text-muted">
						<Ago at={comment.created_at} /> {channel ? t(channel) : ''}
						{comment.edited_at && ` · ${t(m.edited)}`}
					</span>
					<span className="ml-auto">
						{items.length > 0 ? (
							<Menu label={t(m.commentActions)} items={items} className="inline-flex size-8 items-center justify-center rounded-md text-muted hover:bg-hover">
								<Icon name="more" />
							</Menu>
						) : (
							<span className="block h-8" />
						)}
					</span>
				</header>
				<div className="px-4 pb-3.5">
					{comment.held && (
						<div className="mb-3 flex flex-wrap items-center gap-x-3 gap-y-2 rounded-md bg-warn-soft px-3 py-2 text-warn">
							<Icon name="shield" />
							<p className="min-w-0 flex-1 basis-56">{t(comment.held === 'unverified' ? m.heldUnverified : m.heldNotParticipant)}</p>
							<Button small onClick={approve} title={t(m.approveHint)}>
								{t(m.approve)}
							</Button>
						</div>
					)}
					{editing ? <Editor comment={comment} onDone={() => setEditing(false)} /> : <Body comment={comment} />}
					<Files files={comment.attachments} />
					{isStaff && <Delivery mails={mails} />}
				</div>
			</div>
		</article>
	);
});
