/* Two people changed the same ticket: the second one sees both versions and chooses. */
import type { Ticket } from '../../api/types';
import { useT } from '../../lib/language';
import m from '../../messages/detail';
import { Button } from '../../ui/basic';
import { Dialog } from '../../ui/dialog';
import { useWord } from '../../ui/ticket-parts';

export interface Clash {
	mine: Record<string, unknown>;
	current: Ticket;
}

/** Changes that would come to nothing: the fields that differ from what is there now. */
export function differing(clash: Clash): string[] {
	return Object.keys(clash.mine).filter((k) => show(clash.mine[k]) !== show((clash.current as unknown as Record<string, unknown>)[k]));
}

export function show(v: unknown): string {
	if (v === null || v === undefined || v === '') return '—';
	if (Array.isArray(v)) return v.map((x) => (typeof x === 'object' && x && 'name' in x ? String(x.name) : String(x))).join(', ') || '—';
	if (typeof v === 'object' && 'name' in v) return String(v.name);
	return String(v);
}

export function ConflictDialog({ clash, label, onMine, onTheirs }: { clash: Clash; label: (field: string, value: unknown) => string; onMine: () => void; onTheirs: () => void }) {
	const t = useT();
	const word = useWord();
	return (
		<Dialog title={t(m.conflictTitle)} onClose={onTheirs}>
			<p className="mb-3">{t(m.conflictText)}</p>
			<table className="w-full text-left">
				<thead className="text-xs text-muted">
					<tr>
						<th className="py-1 pr-3 font-medium">{t(m.field)}</th>
						<th className="py-1 pr-3 font-medium">{t(m.theirs)}</th>
						<th className="py-1 font-medium">{t(m.yours)}</th>
					</tr>
				</thead>
				<tbody className="divide-y divide-line border-y border-line">
					{Object.entries(clash.mine).map(([k, v]) => (
						<tr key={k} className="align-top">
							<th scope="row" className="py-2 pr-3 font-medium">
								{word(k)}
							</th>
							<td className="py-2 pr-3">{label(k, (clash.current as unknown as Record<string, unknown>)[k])}</td>
							<td className="py-2 font-medium">{label(k, v)}</td>
						</tr>
					))}
				</tbody>
			</table>
			<div className="mt-5 flex justify-end gap-2">
				<Button onClick={onTheirs}>{t(m.useTheirs)}</Button>
				<Button look="primary" onClick={onMine}>
					{t(m.useYours)}
				</Button>
			</div>
		</Dialog>
	);
}
