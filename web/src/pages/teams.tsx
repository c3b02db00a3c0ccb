import type { Team } from '../api/types';
import { useStaff } from '../app/people';
import { useT } from '../lib/language';
import common from '../messages/common';
import m from '../messages/settings';
import { Catalogue } from '../ui/catalogue';
import { CheckField, fieldError, TextField } from '../ui/form';

export default function Teams() {
	const t = useT();
	const staff = useStaff();
	const nameOf = (id: number) => staff.find((u) => u.id === id)?.name ?? `#${id}`;
	return (
		<Catalogue<Team, { name: string; members: number[] }>
			name="teams"
			path="/teams"
			title={common.teams}
			icon="users"
			texts={{ add: m.teamAdd, edit: m.teamEdit, empty: m.teamEmpty, emptyText: m.teamEmptyText }}
			label={(r) => r.name}
			columns={[
				{ title: t(m.name), className: 'min-w-44 [overflow-wrap:anywhere]', cell: (r) => <span className="font-medium">{r.name}</span> },
				{ title: t(m.members), cell: (r) => r.members.map(nameOf).join(', ') || <span className="text-muted">{t(m.noMembers)}</span>, className: 'w-full min-w-44 [overflow-wrap:anywhere]' },
			]}
			draft={(r) => ({ name: r?.name ?? '', members: r?.members ?? [] })}
			body={(d) => d}
			fields={['name']}
			form={({ draft, set, error }) => (
				<>
					<TextField label={t(m.name)} required maxLength={100} value={draft.name} onChange={(e) => set({ name: e.target.value })} error={fieldError(error, 'name')} />
					<fieldset className="min-w-0">
						<legend className="mb-1 font-medium">{t(m.members)}</legend>
						<div className="max-h-60 overflow-auto rounded-md border border-line p-2">
							{staff.map((u) => (
								<CheckField
									key={u.id}
									label={u.name}
									hint={u.email}
									checked={draft.members.includes(u.id)}
									onChange={(e) => set({ members: e.target.checked ? [...draft.members, u.id] : draft.members.filter((x) => x !== u.id) })}
								/>
							))}
						</div>
					</fieldset>
				</>
			)}
		/>
	);
}
