import type { TagRow } from '../api/types';
import { useT } from '../lib/language';
import common from '../messages/common';
import m from '../messages/tags';
import { Catalogue } from '../ui/catalogue';
import { fieldError, TextField } from '../ui/form';
import { TagChip } from '../ui/ticket-parts';

export default function Tags() {
	const t = useT();
	return (
		<Catalogue<TagRow, { name: string; color: string }>
			name="tags"
			path="/tags"
			title={common.tags}
			icon="tag"
			texts={m}
			label={(r) => r.name}
			columns={[{ title: t(m.name), cell: (r) => <TagChip tag={r} />, className: 'w-full' }]}
			draft={(r) => ({ name: r?.name ?? '', color: r?.color ?? '#0f766e' })}
			body={(d) => d}
			fields={['name', 'color']}
			form={({ draft, set, error }) => (
				<>
					<TextField label={t(m.name)} required maxLength={64} value={draft.name} onChange={(e) => set({ name: e.target.value })} error={fieldError(error, 'name')} />
					<TextField label={t(m.color)} type="color" className="h-9 max-w-24" value={draft.color} onChange={(e) => set({ color: e.target.value })} error={fieldError(error, 'color')} />
				</>
			)}
		/>
	);
}
