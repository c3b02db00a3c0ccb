/* The pattern of a page that is a table with a form: usePage + DataTable, a dialog with a form for
 * adding and editing, useAsk for deleting. The address keeps the page; live updates and writes
 * invalidate the list by its key. */
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { del, patch, post } from '../api/client';
import type { TagRow } from '../api/types';
import { useSession } from '../app/session';
import { useT } from '../lib/language';
import common from '../messages/common';
import m from '../messages/tags';
import { Button, IconButton } from '../ui/basic';
import { Dialog, useAsk } from '../ui/dialog';
import { fieldError, FormActions, FormError, TextField } from '../ui/form';
import { DataTable, PageFrame, usePage, useUrlState } from '../ui/page';
import { TagChip } from '../ui/ticket-parts';
import { useToast } from '../ui/toast';

function TagForm({ tag, onClose }: { tag: TagRow | null; onClose: () => void }) {
	const t = useT();
	const { say } = useToast();
	const client = useQueryClient();
	const [name, setName] = useState(tag?.name ?? '');
	const [color, setColor] = useState(tag?.color ?? '#0f766e');
	const save = useMutation({
		mutationFn: () => (tag ? patch(`/tags/${tag.id}`, { name, color }) : post('/tags', { name, color })),
		onSuccess: async () => {
			await client.invalidateQueries({ queryKey: ['tags'] });
			say(t(common.saved));
			onClose();
		},
	});
	return (
		<Dialog title={t(tag ? m.edit : m.add)} onClose={onClose}>
			<form
				className="space-y-4"
				onSubmit={(e) => {
					e.preventDefault();
					save.mutate();
				}}
			>
				<TextField label={t(m.name)} required autoFocus maxLength={64} value={name} onChange={(e) => setName(e.target.value)} error={fieldError(save.error, 'name')} />
				<TextField label={t(m.color)} type="color" className="h-9 max-w-24" value={color} onChange={(e) => setColor(e.target.value)} error={fieldError(save.error, 'color')} />
				<FormError error={save.error} fields={['name', 'color']} />
				<FormActions busy={save.isPending} onCancel={onClose} />
			</form>
		</Dialog>
	);
}

export default function Tags() {
	const t = useT();
	const ask = useAsk();
	const { say } = useToast();
	const { isAdmin } = useSession();
	const client = useQueryClient();
	const url = useUrlState();
	const [editing, setEditing] = useState<TagRow | 'new' | null>(null);
	const tags = usePage<TagRow>('tags', '/tags', { page: url.page, per_page: 50 });

	const remove = (tag: TagRow) =>
		ask({
			title: t(common.areYouSure),
			text: t(common.deleteQuestion, { name: tag.name }),
			action: t(common.delete),
			danger: true,
			run: async () => {
				await del(`/tags/${tag.id}`);
				await client.invalidateQueries({ queryKey: ['tags'] });
				say(t(common.deleted));
			},
		});

	return (
		<PageFrame
			title={t(common.tags)}
			actions={
				isAdmin && (
					<Button look="primary" icon="plus" onClick={() => setEditing('new')}>
						{t(m.add)}
					</Button>
				)
			}
		>
			<DataTable
				label={t(common.tags)}
				query={tags}
				rowKey={(r) => r.id}
				empty={{ title: t(m.empty), text: t(m.emptyText), icon: 'tag' }}
				onPage={(page) => url.set({ page })}
				columns={[
					{ title: t(m.name), cell: (r) => <TagChip tag={r} />, className: 'w-full' },
					...(isAdmin
						? [
								{
									title: t(common.actions),
									silent: true,
									cell: (r: TagRow) => (
										<span className="flex justify-end gap-1">
											<Button small onClick={() => setEditing(r)} aria-label={`${t(common.edit)}: ${r.name}`}>
												{t(common.edit)}
											</Button>
											<IconButton small icon="trash" label={`${t(common.delete)}: ${r.name}`} onClick={() => remove(r)} />
										</span>
									),
								},
							]
						: []),
				]}
			/>
			{editing && <TagForm tag={editing === 'new' ? null : editing} onClose={() => setEditing(null)} />}
		</PageFrame>
	);
}
