import { useState } from 'react';
import type { ApiKey } from '../api/types';
import { useLanguage } from '../lib/language';
import common from '../messages/common';
import m from '../messages/settings';
import { Ago, Badge } from '../ui/basic';
import { Catalogue } from '../ui/catalogue';
import { CheckField, fieldError, TextField } from '../ui/form';
import { SecretOnce } from '../ui/secret';

const scopes = { 'tickets:read': m.scopeRead, 'tickets:write': m.scopeWrite, admin: m.scopeAdmin };
type Scope = keyof typeof scopes;

interface Draft {
	name: string;
	scopes: string[];
	/** A local date. */
	expires: string;
}

/** The end of that day where the browser is. */
function endOf(date: string): string | null {
	return date ? new Date(`${date}T23:59:59`).toISOString() : null;
}

export default function ApiKeys() {
	const { t, times } = useLanguage();
	const [made, setMade] = useState<ApiKey | null>(null);
	return (
		<>
			<Catalogue<ApiKey, Draft>
				name="api-keys"
				path="/api-keys"
				title={common.apiKeys}
				icon="key"
				texts={{ add: m.keyAdd, empty: m.keyEmpty, emptyText: m.keyEmptyText }}
				question={m.keyQuestion}
				label={(r) => r.name}
				columns={[
					{ title: t(m.name), cell: (r) => <span className="font-medium [overflow-wrap:anywhere]">{r.name}</span>, className: 'w-full min-w-40' },
					{
						title: t(m.scopes),
						cell: (r) => (
							<span className="flex flex-wrap gap-1">
								{r.scopes.map((s) => (
									<Badge key={s} tone={s === 'admin' ? 'warn' : 'neutral'}>
										{t(scopes[s as Scope])}
									</Badge>
								))}
							</span>
						),
					},
					{ title: t(m.created), spare: true, cell: (r) => <Ago at={r.created_at} /> },
					{ title: t(m.lastUsed), spare: true, cell: (r) => (r.last_used_at ? <Ago at={r.last_used_at} /> : t(m.never)) },
					{ title: t(m.expires), cell: (r) => <span className="whitespace-nowrap">{r.expires_at ? times.date(r.expires_at) : t(m.never)}</span> },
				]}
				draft={() => ({ name: '', scopes: ['tickets:read'], expires: '' })}
				body={(d) => ({ name: d.name, scopes: d.scopes, expires_at: endOf(d.expires) })}
				fields={['name', 'expires_at']}
				onMade={setMade}
				form={({ draft, set, error }) => (
					<>
						<TextField label={t(m.name)} required maxLength={100} value={draft.name} onChange={(e) => set({ name: e.target.value })} error={fieldError(error, 'name')} />
						<fieldset>
							<legend className="mb-1 font-medium">{t(m.scopes)}</legend>
							{Object.entries(scopes).map(([scope, text]) => (
								<CheckField
									key={scope}
									label={t(text)}
									checked={draft.scopes.includes(scope)}
									onChange={(e) => set({ scopes: e.target.checked ? [...draft.scopes, scope] : draft.scopes.filter((x) => x !== scope) })}
								/>
							))}
						</fieldset>
						<TextField label={t(m.expires)} type="date" optional value={draft.expires} onChange={(e) => set({ expires: e.target.value })} error={fieldError(error, 'expires_at')} />
					</>
				)}
			/>
			{made?.key && <SecretOnce title={t(m.keyMade)} text={t(m.keyMadeText)} secret={made.key} onClose={() => setMade(null)} />}
		</>
	);
}
