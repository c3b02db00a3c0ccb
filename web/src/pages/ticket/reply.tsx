import { useMutation } from '@tanstack/react-query';
import { useEffect, useId, useRef, useState } from 'react';
import { ApiError, get, post, type Page } from '../../api/client';
import type { Attachment, Comment, Command, Ticket } from '../../api/types';
import { useCannedReplies, useStaff } from '../../app/people';
import { useSession, useUser } from '../../app/session';
import { useDraft } from '../../lib/draft';
import { useLanguage } from '../../lib/language';
import common from '../../messages/common';
import m from '../../messages/detail';
import { Button, buttonClass } from '../../ui/basic';
import { Dialog } from '../../ui/dialog';
import { FormError } from '../../ui/form';
import { Icon } from '../../ui/icons';
import { Menu } from '../../ui/menu';
import { PlainText } from '../../ui/rich-text';
import { useToast } from '../../ui/toast';
import { useFresh } from './data';
import { MentionList, useMentions } from './mentions';
import { TranscriptLines } from './original';
import { FileList, useUploads } from './uploads';
import { fillIn, resolveCommands, UNDO_MS, useSender, type Outgoing } from './send';

interface Draft {
	body: string;
	note: boolean;
	commands: string;
	files: Attachment[];
	/** Of the ticket, and its last comment, when the first letter was typed. */
	version: number;
	seen: number;
}

const EMPTY: Draft = { body: '', note: false, commands: '', files: [], version: 0, seen: 0 };

/** `last`: the newest comment there is; `own`: the text of the writer's newest. */
export function ReplyEditor({ ticket, last, own }: { ticket: Ticket; last: number; own?: string }) {
	const { t } = useLanguage();
	const { isStaff } = useSession();
	const user = useUser();
	const { say, fail } = useToast();
	const fresh = useFresh(ticket.id);
	const canned = useCannedReplies();
	const [draft, change, drop] = useDraft<Draft>(`reply.${user.id}.${ticket.id}`, EMPTY);
	const uploads = useUploads(draft.files, (files) => change({ files }));
	const [refused, setRefused] = useState<Command[]>([]);
	const [newer, setNewer] = useState<{ comments: Comment[]; version: number; then: Outgoing } | null>(null);
	const box = useRef<HTMLTextAreaElement>(null);
	const editor = useRef<HTMLElement>(null);
	const id = useId();
	const note = isStaff && draft.note;
	const { waiting, start } = useSender();

	useEffect(() => {
		const el = box.current;
		if (!el) return;
		el.style.height = 'auto';
		el.style.height = `${Math.min(Math.max(el.scrollHeight + 2, 112), 480)}px`;
	}, [draft.body, note]);

	/* What was sent as the page went away is a draft no more, if it arrived. */
	const looked = useRef(false);
	useEffect(() => {
		if (looked.current || !last) return;
		looked.current = true;
		if (own && draft.body.trim() === own.trim()) drop();
	}, [last, own, draft.body, drop]);

	/* r and n start writing from anywhere on the page. */
	useEffect(() => {
		const onKey = (e: KeyboardEvent) => {
			const at = e.target as HTMLElement;
			if (e.ctrlKey || e.metaKey || e.altKey || at.closest('input, textarea, select, dialog, [role=menu]')) return;
			if (e.key !== 'r' && (e.key !== 'n' || !isStaff)) return;
			e.preventDefault();
			change({ note: e.key === 'n' });
			box.current?.focus();
			box.current?.scrollIntoView({ block: 'center' });
		};
		document.addEventListener('keydown', onKey);
		return () => document.removeEventListener('keydown', onKey);
	}, [change, isStaff]);

	const failed = useMutation<void, unknown, Outgoing>({
		mutationFn: async (out) => {
			await post<Comment>(`/tickets/${ticket.id}/comments`, out.body, { idempotencyKey: out.key, keepalive: out.leaving });
		},
		onSuccess: async (_, out) => {
			if (out.leaving) drop();
			else say(t(m.sentToast));
			await fresh();
		},
		onError: async (e, out) => {
			/* What was typed is back where it was, unless something else stands there by now. */
			if (!box.current?.value) change(out.draft as Draft);
			if (!box.current) fail(e);
			if (!(e instanceof ApiError)) return;
			if (e.code === 'version_conflict') {
				const version = (e.body.current as Ticket | undefined)?.version ?? 0;
				const comments = await commentsAfter(ticket.id, (out.draft as Draft).seen).catch(() => []);
				const others = comments.filter((c) => c.author?.id !== user.id);
				/* A changed priority is no reason to stop an answer; another answer is. */
				if (others.length) setNewer({ comments: others, version, then: out });
				else {
					drop();
					failed.mutate({ ...out, key: `${out.key}-${version}`, body: { ...out.body, version } });
				}
				await fresh();
			} else if (Array.isArray(e.body.lines)) setRefused(e.body.lines as Command[]);
		},
	});

	/* What the writer had seen when they began. */
	const began = () => (draft.body && draft.version ? {} : { version: ticket.version, seen: last });

	const submit = (commands?: string) => {
		if (!draft.body.trim() || uploads.busy) return;
		const all = [draft.commands, commands].filter(Boolean).join('\n');
		const body: Record<string, unknown> = { body: draft.body, ...(draft.files.length ? { attachments: draft.files.map((f) => f.id) } : {}) };
		if (note) body.is_internal = true;
		if (isStaff && all) body.commands = all;
		/* A colleague's note or answer meanwhile should be read first; a draft of last week knows no better. */
		if (isStaff && !note && draft.version) body.version = draft.version;
		setRefused([]);
		failed.reset();
		start({ body, draft }, {
			run: (out) => {
				if (out.leaving) change(out.draft as Draft);
				failed.mutate(out);
			},
			undo: (out) => change(out.draft as Draft),
			text: t(m.sendingSoon),
			undoText: t(common.undo),
			ms: isStaff && !note ? UNDO_MS : 0,
		});
		drop();
		/* the button that was pressed has nothing to send any more, and cannot keep the focus */
		if (document.activeElement !== box.current) editor.current?.focus({ preventScroll: true });
	};

	const put = (body: string, cursor: number, more: Partial<Draft> = {}) => {
		change({ body, ...more, ...began() });
		requestAnimationFrame(() => {
			box.current?.focus();
			box.current?.setSelectionRange(cursor, cursor);
		});
	};
	const staff = useStaff();
	const mentions = useMentions(box, note ? staff.filter((u) => u.id !== user.id) : [], put);
	const insert = (text: string, commands: string | null) => {
		const el = box.current;
		const at = el ? el.selectionStart : draft.body.length;
		const filled = fillIn(text, ticket, user);
		const body = draft.body.slice(0, at) + filled + draft.body.slice(el ? el.selectionEnd : at);
		put(body, at + filled.length, { commands: commands ?? draft.commands });
	};
	const names = ticket.participants.filter((p) => !p.pending && p.user !== user.id).map((p) => p.name);
	const resolve = isStaff && !note ? resolveCommands(ticket) : null;
	const pending = isStaff && !note && ticket.allowed_statuses.includes('pending') ? '#pending' : null;
	const tab = (active: boolean) => `min-h-9 border-b-2 px-3 font-medium ${active ? 'border-accent text-ink' : 'border-transparent text-muted hover:text-ink'}`;

	return (
		<section ref={editor} tabIndex={-1} aria-label={t(note ? m.note : m.reply)} className={`rounded-lg border ${note ? 'border-note-line bg-note' : 'border-line-strong bg-surface'}`}>
			{isStaff && (
				<div className="flex items-center gap-1 border-b border-line px-2" role="group">
					<button type="button" aria-pressed={!note} className={tab(!note)} onClick={() => change({ note: false })}>
						{t(m.reply)}
					</button>
					<button type="button" aria-pressed={note} className={tab(note)} onClick={() => change({ note: true })}>
						{t(m.note)}
					</button>
					<span className="ml-auto truncate px-2 text-xs text-muted max-sm:hidden">
						{note ? t(m.internalHint) : names.length > 0 && t(m.replyTo, { names: names.join(', ') })}
					</span>
				</div>
			)}
			<div
				onDragOver={(e) => e.preventDefault()}
				onDrop={(e) => {
					e.preventDefault();
					uploads.add([...e.dataTransfer.files]);
				}}
			>
				<label htmlFor={id} className="sr-only">
					{t(note ? m.note : m.reply)}
				</label>
				<textarea
					dir="auto"
					id={id}
					ref={box}
					rows={4}
					value={draft.body}
					placeholder={t(note ? m.notePlaceholder : m.replyPlaceholder)}
					aria-autocomplete={note ? 'list' : undefined}
					aria-controls={mentions.found.length ? mentions.id : undefined}
					aria-activedescendant={mentions.found.length ? `${mentions.id}-${mentions.at}` : undefined}
					onChange={(e) => change({ body: e.target.value, ...began() })}
					onSelect={mentions.look}
					onBlur={mentions.close}
					onPaste={(e) => {
						const files = [...e.clipboardData.files];
						if (!files.length) return;
						e.preventDefault();
						uploads.add(files);
					}}
					onKeyDown={(e) => {
						if (mentions.onKey(e)) return;
						if (e.key === 'Enter' && (e.ctrlKey || e.metaKey)) {
							e.preventDefault();
							submit();
						}
					}}
					className="block w-full resize-none bg-transparent px-4 py-3 leading-relaxed placeholder:text-muted focus-visible:outline-offset-[-2px] max-sm:text-base"
				/>
				{note && <MentionList mentions={mentions} />}
				<FileList uploads={uploads} />
				{draft.commands && (
					<p className="flex items-center gap-2 px-4 pb-2 text-xs text-muted">
						<Icon name="terminal" size={14} />
						<code className="font-mono">{draft.commands}</code>
						<button type="button" className="underline" onClick={() => change({ commands: '' })}>
							{t(common.remove)}
						</button>
					</p>
				)}
				{(refused.length > 0 || (failed.isError && !newer)) && (
					<div className="space-y-2 px-4 pb-3">
						<FormError error={failed.error} />
						<TranscriptLines lines={refused} />
					</div>
				)}
				<div className="flex flex-wrap items-center gap-2 border-t border-line px-2 py-2">
					<label className={`${buttonClass('quiet', true)} text-muted focus-within:outline-2 focus-within:outline-accent`}>
						<Icon name="clip" size={16} />
						<span className="max-sm:sr-only">{t(m.attach)}</span>
						<input
							type="file"
							multiple
							className="sr-only"
							onChange={(e) => {
								uploads.add([...(e.target.files ?? [])]);
								e.target.value = '';
							}}
						/>
					</label>
					{isStaff && canned.length > 0 && (
						<Menu
							up
							align="left"
							label={t(m.canned)}
							className={`${buttonClass('quiet', true)} text-muted`}
							items={canned.map((c) => ({ label: c.name, run: () => insert(c.body, c.commands) }))}
						>
							<Icon name="reply" size={16} />
							<span className="max-sm:sr-only">{t(m.canned)}</span>
						</Menu>
					)}
					<span className="text-xs text-muted max-md:hidden">{draft.body ? t(m.draftKept) : t(m.markdownHint)}</span>
					<span className="ml-auto flex flex-wrap items-center justify-end gap-2">
						{resolve && (
							<Button disabled={!draft.body.trim() || uploads.busy || waiting} onClick={() => submit(resolve)}>
								{t(m.sendResolve)}
							</Button>
						)}
						<span className="inline-flex gap-1">
							<Button look="primary" disabled={!draft.body.trim() || uploads.busy || waiting} onClick={() => submit()}>
								{t(note ? m.addNote : m.send)}
							</Button>
							{pending && (
								<Menu
									up
									label={t(m.sendMore)}
									className={`${buttonClass('plain')} px-2`}
									items={[{ label: t(m.sendPending), icon: 'clock', run: () => submit(pending) }]}
								>
									<Icon name="chevron" size={16} />
								</Menu>
							)}
						</span>
					</span>
				</div>
			</div>
			{newer && (
				<Dialog title={t(m.changedMeanwhile)} onClose={() => setNewer(null)}>
					<p className="mb-3">{t(m.changedMeanwhileText)}</p>
					{newer.comments.length > 0 && <h3 className="mb-1 font-semibold">{t(m.newSince)}</h3>}
					<ul className="mb-3 space-y-2">
						{newer.comments.map((c) => (
							<li key={c.id} className={`rounded-md border px-3 py-2 ${c.is_internal ? 'border-note-line bg-note' : 'border-line'}`}>
								<p className="mb-1 font-medium">{c.author?.name ?? t(m.nobody)}</p>
								<PlainText text={c.body} />
							</li>
						))}
					</ul>
					<h3 className="mb-1 font-semibold">{t(m.yourText)}</h3>
					<div className="mb-4 max-h-48 overflow-auto rounded-md border border-line px-3 py-2">
						<PlainText text={String(newer.then.body.body)} />
					</div>
					<div className="flex flex-wrap justify-end gap-2">
						<Button
							onClick={() => {
								change({ version: newer.version, seen: Math.max(...newer.comments.map((c) => c.id)) });
								setNewer(null);
								box.current?.focus();
							}}
						>
							{t(m.keepEditing)}
						</Button>
						<Button
							look="primary"
							onClick={() => {
								const out = newer.then;
								setNewer(null);
								drop();
								failed.mutate({ ...out, key: `${out.key}-again`, body: { ...out.body, version: newer.version || undefined } });
							}}
						>
							{t(m.sendAnyway)}
						</Button>
					</div>
				</Dialog>
			)}
		</section>
	);
}

async function commentsAfter(ticket: number, seen: number): Promise<Comment[]> {
	const { total } = await get<Page<Comment>>(`/tickets/${ticket}/comments`, { per_page: 1 });
	const page = await get<Page<Comment>>(`/tickets/${ticket}/comments`, { per_page: 100, page: Math.max(1, Math.ceil(total / 100)) });
	return page.items.filter((c) => c.id > seen);
}
