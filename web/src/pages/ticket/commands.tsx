import { useMutation } from '@tanstack/react-query';
import { useState } from 'react';
import { post } from '../../api/client';
import type { Ticket, Transcript } from '../../api/types';
import { useUser } from '../../app/session';
import { useDraft } from '../../lib/draft';
import { useT } from '../../lib/language';
import m from '../../messages/detail';
import { Button } from '../../ui/basic';
import { FormError, TextArea } from '../../ui/form';
import { Icon } from '../../ui/icons';
import { useFresh } from './data';
import { TranscriptLines } from './original';

/** The language of the mails, with a try that does nothing. */
export function CommandBox({ ticket }: { ticket: Ticket }) {
	const t = useT();
	const user = useUser();
	const fresh = useFresh(ticket.id);
	const [draft, change, drop] = useDraft(`commands.${user.id}.${ticket.id}`, { text: '' });
	const [tried, setTried] = useState(false);
	const run = useMutation({
		mutationFn: (dry: boolean) => post<Transcript>(`/tickets/${ticket.id}/commands`, { text: draft.text, dry_run: dry }),
		onMutate: (dry) => setTried(dry),
		onSuccess: async (r, dry) => {
			if (dry || !r.ok) return;
			drop();
			await fresh(r.ticket ?? undefined);
		},
	});
	return (
		<details className="rounded-lg border border-line bg-surface">
			<summary className="flex min-h-10 items-center gap-2 px-4 font-medium text-muted hover:text-ink">
				<Icon name="terminal" size={16} />
				{t(m.commands)}
			</summary>
			<form
				className="space-y-3 px-4 pb-4"
				onSubmit={(e) => {
					e.preventDefault();
					run.mutate(false);
				}}
			>
				<TextArea
					label={t(m.commands)}
					hideLabel
					hint={t(m.commandHint)}
					rows={3}
					className="font-mono"
					spellCheck={false}
					required
					value={draft.text}
					onChange={(e) => {
						run.reset();
						change({ text: e.target.value });
					}}
				/>
				<FormError error={run.error} />
				{run.data && (
					<div role="status" className="space-y-2">
						<p className="font-medium">{t(!run.data.ok ? m.notDone : tried ? m.wouldDo : m.done)}</p>
						<TranscriptLines lines={run.data.lines} />
					</div>
				)}
				<div className="flex gap-2">
					<Button type="submit" look="primary" busy={run.isPending}>
						{t(m.run)}
					</Button>
					<Button busy={run.isPending} disabled={!draft.text.trim()} onClick={() => run.mutate(true)}>
						{t(m.tryIt)}
					</Button>
				</div>
			</form>
		</details>
	);
}
