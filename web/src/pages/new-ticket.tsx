import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useRef } from 'react';
import { useNavigate } from 'react-router-dom';
import { post, randomKey } from '../api/client';
import type { Attachment, Ticket } from '../api/types';
import { useStaff } from '../app/people';
import { useSession, useUser } from '../app/session';
import { useDraft } from '../lib/draft';
import { useT } from '../lib/language';
import common from '../messages/common';
import detail from '../messages/detail';
import m from '../messages/new-ticket';
import words from '../messages/ticket';
import { Button, buttonClass } from '../ui/basic';
import { fieldError, FormError, SelectField, TextArea, TextField } from '../ui/form';
import { Icon } from '../ui/icons';
import { PageFrame } from '../ui/page';
import { useWord } from '../ui/ticket-parts';
import { useToast } from '../ui/toast';
import { FileList, useUploads } from './ticket/uploads';

interface Draft {
	title: string;
	description: string;
	priority: string;
	requester: string;
	cc: string;
	tags: string;
	assignee: string;
	files: Attachment[];
}

const EMPTY: Draft = { title: '', description: '', priority: 'medium', requester: '', cc: '', tags: '', assignee: '', files: [] };

const list = (s: string) => s.split(/[,;]/).map((x) => x.trim()).filter(Boolean);

export default function NewTicket() {
	const t = useT();
	const word = useWord();
	const user = useUser();
	const { isStaff } = useSession();
	const staff = useStaff();
	const navigate = useNavigate();
	const client = useQueryClient();
	const { say } = useToast();
	const [draft, change, drop] = useDraft<Draft>(`new.${user.id}`, EMPTY);
	const uploads = useUploads(draft.files, (files) => change({ files }));
	const key = useRef(randomKey());

	const create = useMutation({
		mutationFn: () => {
			const cc = list(draft.cc);
			const tags = list(draft.tags);
			return post<Ticket>(
				'/tickets',
				{
					title: draft.title.trim(),
					description: draft.description,
					priority: draft.priority,
					...(cc.length ? { cc } : {}),
					...(draft.files.length ? { attachments: draft.files.map((f) => f.id) } : {}),
					...(isStaff && draft.requester.trim() ? { requester: draft.requester.trim() } : {}),
					...(isStaff && tags.length ? { tags } : {}),
					...(isStaff && draft.assignee ? { assignee: Number(draft.assignee) } : {}),
				},
				{ idempotencyKey: key.current },
			);
		},
		onSuccess: (ticket) => {
			drop();
			void client.invalidateQueries({ queryKey: ['tickets'] });
			say(t(m.created, { id: String(ticket.id) }));
			void navigate(`/tickets/${ticket.id}`, { replace: true });
		},
		onError: () => {
			/* what is mended is another request */
			key.current = randomKey();
		},
	});
	const said = (name: string) => fieldError(create.error, name);
	const filled = draft.title || draft.description;

	return (
		<PageFrame title={t(common.newTicket)}>
			<form
				className="max-w-3xl space-y-4 rounded-lg border border-line bg-surface p-4 sm:p-6"
				onSubmit={(e) => {
					e.preventDefault();
					create.mutate();
				}}
			>
				{!isStaff && <p className="text-muted">{t(m.intro)}</p>}
				{isStaff && (
					<TextField
						label={t(m.requester)}
						optional
						type="email"
						hint={t(m.requesterHint)}
						value={draft.requester}
						onChange={(e) => change({ requester: e.target.value })}
						error={said('requester')}
					/>
				)}
				<TextField label={t(words.title)} hint={t(m.subjectHint)} required maxLength={500} value={draft.title} onChange={(e) => change({ title: e.target.value })} error={said('title')} />
				<TextArea
					label={t(m.message)}
					required
					rows={9}
					value={draft.description}
					onChange={(e) => change({ description: e.target.value })}
					onPaste={(e) => {
						const files = [...e.clipboardData.files];
						if (files.length) {
							e.preventDefault();
							uploads.add(files);
						}
					}}
					error={said('description')}
				/>
				<div className="-mx-4">
					<FileList uploads={uploads} />
				</div>
				<div className="grid gap-4 sm:grid-cols-2">
					<SelectField
						label={t(words.priority)}
						value={draft.priority}
						onChange={(e) => change({ priority: e.target.value })}
						options={['low', 'medium', 'high', 'critical'].map((p) => ({ value: p, label: word(p) }))}
						error={said('priority')}
					/>
					{isStaff && (
						<SelectField
							label={t(words.assignee)}
							value={draft.assignee}
							onChange={(e) => change({ assignee: e.target.value })}
							options={[{ value: '', label: t(words.unassigned) }, ...staff.map((u) => ({ value: String(u.id), label: u.name }))]}
							error={said('assignee')}
						/>
					)}
					<TextField label={t(m.cc)} optional hint={t(m.ccHint)} value={draft.cc} onChange={(e) => change({ cc: e.target.value })} error={said('cc')} />
					{isStaff && (
						<TextField label={t(words.tags)} optional hint={t(m.tagsHint)} value={draft.tags} onChange={(e) => change({ tags: e.target.value })} error={said('tags')} />
					)}
				</div>
				<FormError error={create.error} fields={['title', 'description', 'requester', 'priority', 'assignee', 'cc', 'tags']} />
				<div className="flex flex-wrap items-center justify-between gap-3">
					<label className={`${buttonClass('plain')} focus-within:outline-2 focus-within:outline-accent`}>
						<Icon name="clip" size={16} />
						{t(detail.attach)}
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
					<span className="flex flex-wrap items-center gap-2">
						{filled && (
							<>
								<span className="text-xs text-muted">{t(detail.draftKept)}</span>
								<Button look="quiet" onClick={drop}>
									{t(m.discard)}
								</Button>
							</>
						)}
						<Button type="submit" look="primary" busy={create.isPending} disabled={uploads.busy}>
							{t(m.create)}
						</Button>
					</span>
				</div>
			</form>
		</PageFrame>
	);
}
