/* People: finding, adding, changing them; and what the law asks for: export, merge, erase. */
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { Link } from 'react-router-dom';
import { del, get, post } from '../api/client';
import type { Addresses, User } from '../api/types';
import { useOrganisations } from '../app/people';
import { useSession } from '../app/session';
import { download } from '../lib/files';
import { useT } from '../lib/language';
import common from '../messages/common';
import m from '../messages/people';
import { Avatar, Badge, Button, Failure, IconButton, Loading } from '../ui/basic';
import { Catalogue } from '../ui/catalogue';
import { Dialog, useAsk } from '../ui/dialog';
import { CheckField, fieldError, FormActions, FormError, inputClass, SelectField, TextField } from '../ui/form';
import { Icon } from '../ui/icons';
import { Menu } from '../ui/menu';
import { useUrlState } from '../ui/page';
import { useToast } from '../ui/toast';

const roles = { customer: m.role_customer, agent: m.role_agent, admin: m.role_admin };

interface Draft {
	email: string;
	name: string;
	role: User['role'];
	password: string;
	organisation: string;
	disabled: boolean;
}

function AddressesDialog({ user, onClose }: { user: User; onClose: () => void }) {
	const t = useT();
	const client = useQueryClient();
	const [address, setAddress] = useState('');
	const [error, setError] = useState<unknown>(null);
	const key = ['addresses', user.id];
	const path = `/users/${user.id}/addresses`;
	const all = useQuery({ queryKey: key, queryFn: ({ signal }) => get<Addresses>(path, undefined, signal) });
	const change = (what: Promise<unknown>) =>
		what.then(
			async () => {
				setError(null);
				setAddress('');
				await client.invalidateQueries({ queryKey: key });
				await client.invalidateQueries({ queryKey: ['users'] });
			},
			setError,
		);
	return (
		<Dialog title={`${t(m.addresses)}: ${user.name}`} onClose={onClose}>
			{all.isError ? (
				<Failure error={all.error} onRetry={() => void all.refetch()} />
			) : !all.data ? (
				<Loading rows={2} />
			) : (
				<ul className="mb-4 divide-y divide-line rounded-md border border-line">
					{all.data.addresses.map((x) => (
						<li key={x} className="flex flex-wrap items-center justify-between gap-x-2 gap-y-1 px-3 py-1.5">
							<bdi className="[overflow-wrap:anywhere]">{x}</bdi>
							{x === all.data.email ? (
								<Badge>{t(m.primary)}</Badge>
							) : (
								<IconButton small icon="trash" label={`${t(common.remove)}: ${x}`} onClick={() => void change(del(path, { address: x }))} />
							)}
						</li>
					))}
				</ul>
			)}
			<form
				className="space-y-3"
				onSubmit={(e) => {
					e.preventDefault();
					void change(post(path, { address: address.trim() }));
				}}
			>
				<TextField label={t(m.addAddress)} type="email" required value={address} onChange={(e) => setAddress(e.target.value)} error={fieldError(error, 'address')} />
				<FormError error={error} fields={['address']} />
				<div className="flex justify-end">
					<Button type="submit" look="primary">
						{t(common.add)}
					</Button>
				</div>
			</form>
		</Dialog>
	);
}

function MergeDialog({ user, onClose }: { user: User; onClose: () => void }) {
	const t = useT();
	const client = useQueryClient();
	const { say } = useToast();
	const [into, setInto] = useState('');
	const [error, setError] = useState<unknown>(null);
	return (
		<Dialog title={t(m.merge)} onClose={onClose}>
			<form
				className="space-y-4"
				onSubmit={(e) => {
					e.preventDefault();
					post(`/users/${user.id}/merge`, { into: into.trim() }).then(async () => {
						await client.invalidateQueries({ queryKey: ['users'] });
						say(t(common.saved));
						onClose();
					}, setError);
				}}
			>
				<p>{t(m.mergeText, { name: user.name })}</p>
				<TextField label={t(m.mergeInto)} type="email" required value={into} onChange={(e) => setInto(e.target.value)} error={fieldError(error, 'into')} />
				<FormError error={error} fields={['into']} />
				<FormActions onCancel={onClose} label={t(m.merge)} />
			</form>
		</Dialog>
	);
}

export default function Users() {
	const t = useT();
	const ask = useAsk();
	const { say, fail } = useToast();
	const { isAdmin } = useSession();
	const client = useQueryClient();
	const url = useUrlState();
	const organisations = useOrganisations();
	const [open, setOpen] = useState<{ user: User; what: 'addresses' | 'merge' } | null>(null);

	const erase = (u: User) =>
		ask({
			title: t(common.areYouSure),
			text: t(m.eraseText, { name: u.name }),
			action: t(m.erase),
			danger: true,
			run: async () => {
				await post(`/users/${u.id}/erase`);
				await client.invalidateQueries({ queryKey: ['users'] });
				say(t(m.erased));
			},
		});

	return (
		<>
			<Catalogue<User, Draft>
				name="users"
				path="/users"
				title={common.users}
				icon="user"
				texts={m}
				question={m.disableText}
				removal={m.disable}
				query={{ q: url.value('q'), role: url.value('role') }}
				label={(r) => r.name}
				above={
					<div className="mb-4 flex flex-wrap gap-2">
						<span className="relative w-full max-w-sm">
							<Icon name="search" size={16} className="pointer-events-none absolute top-2.5 left-2.5 text-muted" />
							<input
								type="search"
								data-search=""
								aria-label={t(m.find)}
								placeholder={t(m.find)}
								defaultValue={url.value('q')}
								onChange={(e) => url.set({ q: e.target.value.trim() }, true)}
								className={`${inputClass} pl-8`}
							/>
						</span>
						<SelectField
							label={t(m.role)}
							hideLabel
							value={url.value('role')}
							onChange={(e) => url.set({ role: e.target.value })}
							options={[{ value: '', label: t(m.anyRole) }, ...Object.entries(roles).map(([value, text]) => ({ value, label: t(text) }))]}
						/>
					</div>
				}
				columns={[
					{
						title: t(m.name),
						className: 'w-full min-w-48',
						cell: (r) => (
							<span className="flex items-center gap-3">
								<Avatar name={r.name} size={30} />
								<span className="min-w-0">
									<span className="flex flex-wrap items-center gap-1.5">
										<bdi className="font-medium [overflow-wrap:anywhere]">{r.name}</bdi>
										{r.disabled && <Badge>{t(m.isDisabled)}</Badge>}
										{r.erased_at && <Badge>{t(m.isErased)}</Badge>}
										{r.undeliverable_at && <Badge tone="danger">{t(m.isUndeliverable)}</Badge>}
									</span>
									<bdi className="block text-muted [overflow-wrap:anywhere]">{r.email}</bdi>
								</span>
							</span>
						),
					},
					{ title: t(m.role), cell: (r) => <Badge tone={r.role === 'admin' ? 'plum' : r.role === 'agent' ? 'info' : 'neutral'}>{t(roles[r.role])}</Badge> },
					{ title: t(m.organisation), className: 'min-w-36 max-xl:hidden [overflow-wrap:anywhere]', cell: (r) => organisations.find((o) => o.id === r.organisation)?.name ?? '' },
					...(isAdmin
						? []
						: [
								{
									title: t(m.tickets),
									silent: true,
									cell: (r: User) => (
										<Link className="text-accent hover:underline" to={`/tickets?requester=${r.id}`}>
											{t(m.tickets)}
										</Link>
									),
								},
							]),
				]}
				actions={(r) => (
					<>
						<Link className="inline-flex min-h-7 items-center px-2 text-accent hover:underline" to={`/tickets?requester=${r.id}`}>
							{t(m.tickets)}
						</Link>
						<Menu
							label={t(m.more, { name: r.name })}
							align="right"
							className="inline-flex size-7 items-center justify-center rounded-md text-ink hover:bg-hover"
							items={[
								{ label: t(m.addresses), icon: 'mailbox', run: () => setOpen({ user: r, what: 'addresses' }) },
								{ label: t(m.merge), icon: 'merge', run: () => setOpen({ user: r, what: 'merge' }) },
								{ label: t(m.export), icon: 'download', run: () => void download(`/users/${r.id}/export`, `user-${r.id}.json`).catch(fail) },
								null,
								{ label: t(m.erase), icon: 'trash', danger: true, run: () => erase(r) },
							]}
						>
							<Icon name="more" size={16} />
						</Menu>
					</>
				)}
				draft={(r) => ({ email: r?.email ?? '', name: r?.name ?? '', role: r?.role ?? 'customer', password: '', organisation: String(r?.organisation ?? ''), disabled: r?.disabled ?? false })}
				body={(d, r) => ({
					name: d.name.trim(),
					role: d.role,
					organisation: d.organisation ? Number(d.organisation) : null,
					...(d.password ? { password: d.password } : {}),
					...(r ? { disabled: d.disabled } : { email: d.email.trim() }),
				})}
				fields={['email', 'name', 'role', 'password', 'organisation']}
				form={({ draft, set, error, isNew }) => (
					<>
						{isNew && <TextField label={t(m.email)} type="email" required value={draft.email} onChange={(e) => set({ email: e.target.value })} error={fieldError(error, 'email')} />}
						<TextField label={t(m.name)} required maxLength={200} value={draft.name} onChange={(e) => set({ name: e.target.value })} error={fieldError(error, 'name')} />
						<SelectField
							label={t(m.role)}
							value={draft.role}
							onChange={(e) => set({ role: e.target.value as User['role'] })}
							options={Object.entries(roles).map(([value, text]) => ({ value, label: t(text) }))}
							error={fieldError(error, 'role')}
						/>
						<SelectField
							label={t(m.organisation)}
							value={draft.organisation}
							onChange={(e) => set({ organisation: e.target.value })}
							options={[{ value: '', label: t(m.noOrganisation) }, ...organisations.map((o) => ({ value: String(o.id), label: o.name }))]}
							error={fieldError(error, 'organisation')}
						/>
						<TextField
							label={t(m.password)}
							type="password"
							autoComplete="new-password"
							optional
							hint={t(isNew ? m.passwordNew : m.passwordKept)}
							value={draft.password}
							onChange={(e) => set({ password: e.target.value })}
							error={fieldError(error, 'password')}
						/>
						{!isNew && <CheckField label={t(m.disabled)} checked={draft.disabled} onChange={(e) => set({ disabled: e.target.checked })} />}
					</>
				)}
			/>
			{open?.what === 'addresses' && <AddressesDialog user={open.user} onClose={() => setOpen(null)} />}
			{open?.what === 'merge' && <MergeDialog user={open.user} onClose={() => setOpen(null)} />}
		</>
	);
}
