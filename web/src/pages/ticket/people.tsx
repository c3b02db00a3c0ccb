import { useMutation } from '@tanstack/react-query';
import { useState } from 'react';
import { Link } from 'react-router-dom';
import { del, post } from '../../api/client';
import type { Ticket } from '../../api/types';
import { useSession } from '../../app/session';
import { useT } from '../../lib/language';
import type { Text } from '../../lib/text';
import common from '../../messages/common';
import m from '../../messages/detail';
import { Avatar, Button, IconButton } from '../../ui/basic';
import { Dialog } from '../../ui/dialog';
import { FormActions, FormError, SelectField, TextField } from '../../ui/form';
import { StatusBadge } from '../../ui/ticket-parts';
import { useToast } from '../../ui/toast';
import { useFresh } from './data';

export function People({ ticket }: { ticket: Ticket }) {
	const t = useT();
	const { isStaff } = useSession();
	const fresh = useFresh(ticket.id);
	const { fail } = useToast();
	const [address, setAddress] = useState('');
	const add = useMutation({
		mutationFn: () => post(`/tickets/${ticket.id}/participants`, { user: address.trim(), role: 'cc' }),
		onSuccess: async () => {
			setAddress('');
			await fresh();
		},
	});
	const act = (p: Promise<unknown>) => void p.then(() => fresh(), fail);
	return (
		<div className="space-y-3 p-4">
			<ul className="space-y-2">
				{ticket.participants.map((p) => {
					const role = (m as Record<string, Text>)[`role_${p.role}`];
					return (
						<li key={`${p.user} ${p.role}`} className="flex items-center gap-2">
							<Avatar name={p.name} size={26} />
							<span className="min-w-0 flex-1">
								<bdi className="block truncate">{p.name}</bdi>
								<span className="block text-xs text-muted">
									{[role ? t(role) : p.role, p.muted && t(m.muted), p.pending && t(m.waiting)].filter(Boolean).join(' · ')}
								</span>
							</span>
							{isStaff && p.pending && (
								<Button small onClick={() => act(post(`/tickets/${ticket.id}/participants/${p.user}/approve`))}>
									{t(m.approvePerson)}
								</Button>
							)}
							{isStaff && p.role !== 'requester' && (
								<IconButton small icon="close" label={t(m.removePerson, { name: p.name })} onClick={() => act(del(`/tickets/${ticket.id}/participants/${p.user}`))} />
							)}
						</li>
					);
				})}
			</ul>
			{isStaff && (
				<form
					className="space-y-2"
					onSubmit={(e) => {
						e.preventDefault();
						add.mutate();
					}}
				>
					<div className="flex gap-2">
						<div className="min-w-0 flex-1">
							<TextField label={t(m.addPerson)} hideLabel placeholder={t(m.addPerson)} type="email" required value={address} onChange={(e) => setAddress(e.target.value)} />
						</div>
						{address && (
							<Button type="submit" busy={add.isPending}>
								{t(common.add)}
							</Button>
						)}
					</div>
					<FormError error={add.error} />
				</form>
			)}
		</div>
	);
}

const types = ['relates', 'duplicates', 'blocks', 'parent'] as const;

export function linkWord(type: string, inverse: boolean): Text | undefined {
	const words = m as Record<string, Text>;
	return (inverse && words[`${type}_inverse`]) || words[type];
}

export function Links({ ticket, onAdd }: { ticket: Ticket; onAdd: () => void }) {
	const t = useT();
	const fresh = useFresh(ticket.id);
	const { fail } = useToast();
	return (
		<div className="space-y-2 p-4">
			<ul className="space-y-2 empty:hidden">
				{ticket.links.map((l) => {
					const text = linkWord(l.type, l.inverse);
					return (
						<li key={`${l.type} ${l.ticket} ${l.inverse}`} className="flex items-start gap-2">
							<span className="min-w-0 flex-1">
								<span className="block text-xs text-muted">{text ? t(text) : l.type}</span>
								<Link to={`/tickets/${l.ticket}`} className="text-accent underline [overflow-wrap:anywhere]">
									#{l.ticket} {l.title}
								</Link>{' '}
								<StatusBadge status={l.status} />
							</span>
							<IconButton
								small
								icon="close"
								label={t(m.unlink, { id: String(l.ticket) })}
								onClick={() => {
									/* it is the link of the ticket that it was made on */
									const [of, to] = l.inverse ? [l.ticket, ticket.id] : [ticket.id, l.ticket];
									void del(`/tickets/${of}/links`, { type: l.type, ticket: to }).then(() => fresh(), fail);
								}}
							/>
						</li>
					);
				})}
			</ul>
			<Button small icon="plus" onClick={onAdd}>
				{t(m.link)}
			</Button>
		</div>
	);
}

/** Another ticket by its number: to link with, or to be merged into. */
export function OtherTicket({ ticket, how, onClose }: { ticket: Ticket; how: 'link' | 'merge'; onClose: () => void }) {
	const t = useT();
	const fresh = useFresh(ticket.id);
	const [number, setNumber] = useState('');
	const [type, setType] = useState<string>('relates');
	const other = Number(number.replace(/^#/, ''));
	const save = useMutation({
		mutationFn: () => (how === 'merge' ? post(`/tickets/${ticket.id}/merge`, { into: other }) : post(`/tickets/${ticket.id}/links`, { type, ticket: other })),
		onSuccess: async () => {
			await fresh();
			onClose();
		},
	});
	return (
		<Dialog title={t(m[how])} onClose={onClose}>
			<form
				className="space-y-4"
				onSubmit={(e) => {
					e.preventDefault();
					save.mutate();
				}}
			>
				{how === 'merge' && <p>{t(m.mergeText, { id: String(ticket.id) })}</p>}
				{how === 'link' && (
					<SelectField label={t(m.linkType)} value={type} onChange={(e) => setType(e.target.value)} options={types.map((x) => ({ value: x, label: t(m[x]) }))} />
				)}
				<TextField label={t(m.otherNumber)} required inputMode="numeric" pattern="#?[1-9][0-9]*" value={number} onChange={(e) => setNumber(e.target.value)} />
				<FormError error={save.error} />
				<FormActions busy={save.isPending} label={t(m[how])} onCancel={onClose} />
			</form>
		</Dialog>
	);
}
