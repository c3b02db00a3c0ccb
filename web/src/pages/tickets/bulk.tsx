import { useMutation, useQueryClient } from '@tanstack/react-query';
import { post } from '../../api/client';
import type { Bulk, BulkResult } from '../../api/types';
import { useStaff, useTags } from '../../app/people';
import { useT } from '../../lib/language';
import { reasonText } from '../../lib/reason';
import m from '../../messages/list';
import { buttonClass, Button, IconButton } from '../../ui/basic';
import { Dialog } from '../../ui/dialog';
import { Icon } from '../../ui/icons';
import { Menu } from '../../ui/menu';
import { useWord } from '../../ui/ticket-parts';
import { useToast } from '../../ui/toast';

/** The same commands as in mails, given to all that are selected; those that refuse stay so. */
export function BulkBar({ ids, onDone }: { ids: number[]; onDone: (refused: BulkResult[]) => void }) {
	const t = useT();
	const word = useWord();
	const staff = useStaff();
	const tags = useTags();
	const client = useQueryClient();
	const { say, fail } = useToast();
	const run = useMutation({
		mutationFn: (text: string) => post<Bulk>('/tickets/bulk', { ids, text }),
		onSuccess: (r) => {
			void client.invalidateQueries({ queryKey: ['tickets'] });
			void client.invalidateQueries({ queryKey: ['ticket'] });
			const bad = r.results.filter((x) => !x.ok);
			if (bad.length < r.results.length) say(t(m.bulkDone, { n: r.results.length - bad.length }));
			onDone(bad);
		},
		onError: fail,
	});
	const look = buttonClass('plain', true);
	const chevron = <Icon name="chevron" size={14} />;
	return (
		<div className="pointer-events-none sticky bottom-4 z-20 mt-4 flex justify-center">
			<div
				role="toolbar"
				aria-label={t(m.selected, { n: ids.length })}
				className="pointer-events-auto flex flex-wrap items-center gap-2 rounded-xl border border-line-strong bg-surface p-2 shadow-xl"
			>
				<span className="px-2 font-medium tabular-nums" role="status">
					{t(m.selected, { n: ids.length })}
				</span>
				<Button small look="primary" busy={run.isPending} onClick={() => run.mutate('#take')}>
					{t(m.take)}
				</Button>
				<Menu
					up
					align="left"
					label={t(m.assignTo)}
					className={look}
					items={staff.map((u) => ({ label: u.name, run: () => run.mutate(`#assign ${u.email ?? u.name}`) }))}
				>
					{t(m.assignTo)} {chevron}
				</Menu>
				<Menu
					up
					align="left"
					label={t(m.setStatus)}
					className={look}
					items={['in_progress', 'pending', 'resolved', 'closed', 'reopened'].map((s) => ({ label: word(s), run: () => run.mutate(`#status ${s}`) }))}
				>
					{t(m.setStatus)} {chevron}
				</Menu>
				<Menu
					up
					align="left"
					label={t(m.setPriority)}
					className={look}
					items={['critical', 'high', 'medium', 'low'].map((p) => ({ label: word(p), run: () => run.mutate(`#priority ${p}`) }))}
				>
					{t(m.setPriority)} {chevron}
				</Menu>
				{tags.length > 0 && (
					<Menu
						up
						align="left"
						label={t(m.addTag)}
						className={look}
						items={tags.map((x) => ({ label: x.name, run: () => run.mutate(`#tag +${x.name}`) }))}
					>
						{t(m.addTag)} {chevron}
					</Menu>
				)}
				<IconButton small icon="close" label={t(m.unselect)} onClick={() => onDone([])} />
			</div>
		</div>
	);
}

/** Which refused, and why; whatever becomes of them in the list meanwhile. */
export function Refused({ results, onClose }: { results: BulkResult[]; onClose: () => void }) {
	const t = useT();
	return (
		<Dialog title={t(m.bulkRefused)} onClose={onClose}>
			<ul className="space-y-2">
				{results.map((r) => (
					<li key={r.id}>
						<span className="font-medium">#{r.id}</span> {reasonText(r, r.message ?? '', t)}
					</li>
				))}
			</ul>
		</Dialog>
	);
}
