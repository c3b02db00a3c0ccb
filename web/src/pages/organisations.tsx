import { Link } from 'react-router-dom';
import type { Organisation } from '../api/types';
import { useT } from '../lib/language';
import { words } from '../lib/words';
import common from '../messages/common';
import m from '../messages/settings';
import { Catalogue } from '../ui/catalogue';
import { fieldError, TextArea, TextField } from '../ui/form';

export default function Organisations() {
	const t = useT();
	return (
		<Catalogue<Organisation, { name: string; domains: string }>
			name="organisations"
			path="/organisations"
			title={common.organisations}
			icon="building"
			texts={{ add: m.orgAdd, edit: m.orgEdit, empty: m.orgEmpty, emptyText: m.orgEmptyText }}
			label={(r) => r.name}
			columns={[
				{
					title: t(m.name),
					className: 'min-w-44 [overflow-wrap:anywhere]',
					cell: (r) => (
						<Link className="font-medium hover:underline" to={`/tickets?organisation=${r.id}`}>
							{r.name}
						</Link>
					),
				},
				{ title: t(m.domains), cell: (r) => r.domains.join(', '), className: 'w-full min-w-44 [overflow-wrap:anywhere]' },
			]}
			draft={(r) => ({ name: r?.name ?? '', domains: r?.domains.join('\n') ?? '' })}
			body={(d) => ({ name: d.name, domains: words(d.domains) })}
			fields={['name', 'domains']}
			form={({ draft, set, error }) => (
				<>
					<TextField label={t(m.name)} required maxLength={100} value={draft.name} onChange={(e) => set({ name: e.target.value })} error={fieldError(error, 'name')} />
					<TextArea label={t(m.domains)} hint={t(m.domainsHint)} optional value={draft.domains} onChange={(e) => set({ domains: e.target.value })} error={fieldError(error, 'domains')} />
				</>
			)}
		/>
	);
}
