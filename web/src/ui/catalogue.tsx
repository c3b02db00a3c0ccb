/* The pattern of a page that is a table with a form: a list of the API, a dialog with a form for
 * adding and editing, a question before deleting. A page says what its rows and its form are. */
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState, type ReactNode } from 'react';
import { del, patch, post, type Query } from '../api/client';
import { useSession } from '../app/session';
import { useT } from '../lib/language';
import type { Text } from '../lib/text';
import common from '../messages/common';
import { Button, IconButton } from './basic';
import { Dialog, useAsk } from './dialog';
import { FormActions, FormError } from './form';
import type { IconName } from './icons';
import { DataTable, PageFrame, usePage, useUrlState, type Column } from './page';
import { useToast } from './toast';

/** A form at work: its values, how to change them, and what the API said of them. */
export interface FormState<D> {
	draft: D;
	set: (changes: Partial<D>) => void;
	error: unknown;
	isNew: boolean;
}

export interface CatalogueProps<T extends { id: number }, D extends object> {
	/** Key of the query, the same for all that read the list. */
	name: string;
	path: string;
	title: Text;
	icon: IconName;
	texts: { add: Text; edit?: Text; empty: Text; emptyText: Text };
	columns: Column<T>[];
	label: (row: T) => string;
	/** What the form begins with: a row, or null for a new one. */
	draft: (row: T | null) => D;
	/** What of it is sent; `row` is null for a new one. */
	body: (draft: D, row: T | null) => unknown;
	/** Names of the API's fields that the form shows complaints at. */
	fields: string[];
	form: (f: FormState<D>) => ReactNode;
	/** More than editing and deleting. */
	actions?: (row: T) => ReactNode;
	/** What is to be seen once, after a new one was made. */
	onMade?: (made: T) => void;
	question?: Text;
	/** The word for deleting, where it is none. */
	removal?: Text;
	/** Filters of the list. */
	query?: Query;
	above?: ReactNode;
}

function CatalogueForm<T extends { id: number }, D extends object>({ row, page, onClose }: { row: T | null; page: CatalogueProps<T, D>; onClose: () => void }) {
	const t = useT();
	const { say } = useToast();
	const client = useQueryClient();
	const [draft, setDraft] = useState(() => page.draft(row));
	const save = useMutation({
		mutationFn: () => (row ? patch<T>(`${page.path}/${row.id}`, page.body(draft, row)) : post<T>(page.path, page.body(draft, null))),
		onSuccess: async (made) => {
			await client.invalidateQueries({ queryKey: [page.name] });
			onClose();
			if (!row && page.onMade) page.onMade(made);
			else say(t(common.saved));
		},
	});
	return (
		<Dialog title={t(row ? (page.texts.edit ?? page.texts.add) : page.texts.add)} onClose={onClose}>
			<form
				className="space-y-4"
				onSubmit={(e) => {
					e.preventDefault();
					save.mutate();
				}}
			>
				{page.form({ draft, set: (changes) => setDraft((old) => ({ ...old, ...changes })), error: save.error, isNew: !row })}
				<FormError error={save.error} fields={page.fields} />
				<FormActions busy={save.isPending} onCancel={onClose} />
			</form>
		</Dialog>
	);
}

export function Catalogue<T extends { id: number }, D extends object>(page: CatalogueProps<T, D>) {
	const t = useT();
	const ask = useAsk();
	const { say } = useToast();
	const { isAdmin } = useSession();
	const client = useQueryClient();
	const url = useUrlState();
	const [editing, setEditing] = useState<T | 'new' | null>(null);
	const rows = usePage<T>(page.name, page.path, { ...page.query, page: url.page, per_page: 50 });

	const remove = (row: T) =>
		ask({
			title: t(common.areYouSure),
			text: t(page.question ?? common.deleteQuestion, { name: page.label(row) }),
			action: t(page.removal ?? common.delete),
			danger: true,
			run: async () => {
				await del(`${page.path}/${row.id}`);
				await client.invalidateQueries({ queryKey: [page.name] });
				say(t(page.removal ? common.saved : common.deleted));
			},
		});

	const actions: Column<T> = {
		title: t(common.actions),
		silent: true,
		cell: (row) => (
			<span className="flex justify-end gap-1">
				{page.actions?.(row)}
				{page.texts.edit && (
					<Button small onClick={() => setEditing(row)} aria-label={`${t(common.edit)}: ${page.label(row)}`}>
						{t(common.edit)}
					</Button>
				)}
				<IconButton small icon="trash" label={`${t(page.removal ?? common.delete)}: ${page.label(row)}`} onClick={() => remove(row)} />
			</span>
		),
	};

	return (
		<PageFrame
			title={t(page.title)}
			actions={
				isAdmin && (
					<Button look="primary" icon="plus" onClick={() => setEditing('new')}>
						{t(page.texts.add)}
					</Button>
				)
			}
		>
			{page.above}
			<DataTable
				label={t(page.title)}
				query={rows}
				rowKey={(r) => r.id}
				empty={{ title: t(page.texts.empty), text: t(page.texts.emptyText), icon: page.icon }}
				onPage={(at) => url.set({ page: at })}
				columns={isAdmin ? [...page.columns, actions] : page.columns}
			/>
			{editing && <CatalogueForm row={editing === 'new' ? null : editing} page={page} onClose={() => setEditing(null)} />}
		</PageFrame>
	);
}
