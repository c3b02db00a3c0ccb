import { useEffect, useState } from 'react';
import { useT } from '../lib/language';
import m from '../messages/keys';
import { Dialog } from '../ui/dialog';

const keys = [
	['?', m.help],
	['/', m.search],
	['j k', m.move],
	['x', m.select],
	['Enter', m.open],
	['c', m.create],
	['r', m.reply],
	['n', m.note],
	['Ctrl Enter', m.send],
	['z', m.undo],
] as const;

/** "?" shows which keys there are. */
export function KeyHelp() {
	const t = useT();
	const [open, setOpen] = useState(false);
	useEffect(() => {
		const onKey = (e: KeyboardEvent) => {
			const at = e.target as HTMLElement;
			if (e.key !== '?' || e.ctrlKey || e.metaKey || at.closest('input, textarea, select, dialog')) return;
			e.preventDefault();
			setOpen(true);
		};
		document.addEventListener('keydown', onKey);
		return () => document.removeEventListener('keydown', onKey);
	}, []);
	if (!open) return null;
	return (
		<Dialog title={t(m.title)} onClose={() => setOpen(false)}>
			<dl className="grid grid-cols-[auto_minmax(0,1fr)] items-center gap-x-6 gap-y-2.5">
				{keys.map(([key, text]) => (
					<div key={key} className="contents">
						<dt className="flex gap-1">
							{key.split(' ').map((k) => (
								<kbd key={k} className="min-w-7 rounded border border-line-strong bg-sunken px-1.5 py-0.5 text-center font-mono text-xs">
									{k}
								</kbd>
							))}
						</dt>
						<dd>{t(text)}</dd>
					</div>
				))}
			</dl>
		</Dialog>
	);
}
