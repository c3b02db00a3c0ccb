import { useState } from 'react';
import { Link } from 'react-router-dom';
import type { Ticket } from '../../api/types';
import { useStaff, useTags, useTeams } from '../../app/people';
import { useSession } from '../../app/session';
import { useLanguage } from '../../lib/language';
import type { Text } from '../../lib/text';
import common from '../../messages/common';
import m from '../../messages/detail';
import words from '../../messages/ticket';
import { Badge, Button, IconButton } from '../../ui/basic';
import { SelectField, TextField } from '../../ui/form';
import { PriorityMark, SlaBadge, StatusBadge, TagChip, useWord } from '../../ui/ticket-parts';
import { useChange } from './change';

/** A local date and time for an <input>, and back. */
export function toLocalInput(at: string | null): string {
	if (!at) return '';
	const d = new Date(at);
	return new Date(d.getTime() - d.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}

export function fromLocalInput(v: string): string | null {
	return v ? new Date(v).toISOString() : null;
}

function Tags({ ticket }: { ticket: Ticket }) {
	const { t } = useLanguage();
	const { change } = useChange();
	const all = useTags();
	const [text, setText] = useState('');
	const names = ticket.tags.map((x) => x.name);
	const add = () => {
		const name = text.trim();
		if (!name) return;
		setText('');
		if (!names.includes(name)) change({ tags: [...names, name] }, () => setText((now) => now || name));
	};
	return (
		<div>
			<p className="mb-1 font-medium">{t(words.tags)}</p>
			<ul className="mb-2 flex flex-wrap gap-1.5 empty:hidden">
				{ticket.tags.map((x) => (
					<li key={x.name} className="inline-flex max-w-full items-center">
						<TagChip tag={x} />
						<IconButton small icon="close" className="size-6 shrink-0" label={t(m.removeTag, { name: x.name })} onClick={() => change({ tags: names.filter((n) => n !== x.name) })} />
					</li>
				))}
			</ul>
			<form
				className="flex gap-2"
				onSubmit={(e) => {
					e.preventDefault();
					add();
				}}
			>
				<div className="min-w-0 flex-1">
					<TextField label={t(m.addTag)} hideLabel placeholder={t(m.addTag)} list="all-tags" maxLength={64} value={text} onChange={(e) => setText(e.target.value)} />
				</div>
				<datalist id="all-tags">
					{all.filter((x) => !names.includes(x.name)).map((x) => (
						<option key={x.id} value={x.name} />
					))}
				</datalist>
				{text && <Button type="submit">{t(common.add)}</Button>}
			</form>
		</div>
	);
}

/** What is edited in place: saved on leaving the field or by Enter. */
function EditText({ label, value, onSave, ...rest }: { label: string; value: string; onSave: (v: string, onRefused: () => void) => void; type?: string; maxLength?: number }) {
	const [text, setText] = useState<string | null>(null);
	const save = () => {
		if (text !== null && text !== value) onSave(text, () => setText((now) => now ?? text));
		setText(null);
	};
	return (
		<TextField
			label={label}
			{...rest}
			value={text ?? value}
			onChange={(e) => setText(e.target.value)}
			onBlur={save}
			onKeyDown={(e) => {
				if (e.key === 'Enter') e.currentTarget.blur();
				if (e.key === 'Escape') setText(null);
			}}
		/>
	);
}

function Facts({ ticket }: { ticket: Ticket }) {
	const { t, times } = useLanguage();
	const { isStaff } = useSession();
	const channel = (m as Record<string, Text>)[`by_${ticket.channel}`];
	const rows: [string, React.ReactNode][] = [
		[t(words.created), times.full(ticket.created_at)],
		...(isStaff && ticket.mailbox ? [[t(words.mailbox), ticket.mailbox] as [string, string]] : []),
		...(isStaff ? [[t(m.channel), channel ? t(channel) : ticket.channel] as [string, string]] : []),
		...(ticket.organisation ? [[t(words.organisation), ticket.organisation.name] as [string, string]] : []),
		...(isStaff && ticket.time_spent ? [[t(m.timeSpent), times.duration(ticket.time_spent * 60)] as [string, string]] : []),
		...Object.entries(ticket.fields).filter(([, v]) => v !== null && v !== '').map(([k, v]) => [k, String(v)] as [string, string]),
	];
	return (
		<dl className="grid grid-cols-[auto_minmax(0,1fr)] gap-x-4 gap-y-1 text-muted">
			{rows.map(([k, v]) => (
				<div key={k} className="contents">
					<dt>{k}</dt>
					<dd className="break-words text-ink">{v}</dd>
				</div>
			))}
		</dl>
	);
}

export function Properties({ ticket }: { ticket: Ticket }) {
	const { t } = useLanguage();
	const word = useWord();
	const { isStaff } = useSession();
	const { change, busy } = useChange();
	const staff = useStaff();
	const teams = useTeams();
	if (!isStaff)
		return (
			<div className="space-y-3 p-4">
				<div className="flex flex-wrap items-center gap-2">
					<StatusBadge status={ticket.status} />
					<PriorityMark priority={ticket.priority} text />
				</div>
				<p>
					<span className="text-muted">{t(words.assignee)}:</span> {ticket.assignee?.name ?? t(words.unassigned)}
				</p>
				<Facts ticket={ticket} />
			</div>
		);
	const locked = busy || !!ticket.merged_into || !!ticket.deleted_at;
	const assignee = ticket.assignee;
	return (
		<div className="space-y-3.5 p-4">
			<div>
				<p className="mb-0.5 font-medium">{t(words.requester)}</p>
				<p className="break-words">
					<Link to={`/tickets?requester=${ticket.requester.id}`} title={t(m.allOf)} className="text-accent underline">
						<bdi>{ticket.requester.name}</bdi>
					</Link>
					{ticket.requester.email && <span className="block text-muted"><bdi>{ticket.requester.email}</bdi></span>}
				</p>
			</div>
			{(['first_response', 'next_response', 'update', 'resolution'] as const).some((x) => ticket.sla[x]) && (
				<div className="flex flex-wrap gap-1.5">
					{(['first_response', 'next_response', 'update', 'resolution'] as const).map((x) => {
						const clock = ticket.sla[x];
						if (!clock) return null;
						return clock.state === 'met' ? (
							<Badge key={x} tone="good">{t(m.isMet, { what: t(words[x]) })}</Badge>
						) : (
							<SlaBadge key={x} ticket={ticket} metric={x} />
						);
					})}
				</div>
			)}
			<SelectField
				label={t(words.status)}
				disabled={locked}
				value={ticket.status}
				onChange={(e) => change({ status: e.target.value })}
				options={[ticket.status, ...ticket.allowed_statuses].map((s) => ({ value: s, label: word(s) }))}
			/>
			<SelectField
				label={t(words.assignee)}
				disabled={locked}
				value={assignee ? String(assignee.id) : ''}
				onChange={(e) => change({ assignee: e.target.value ? Number(e.target.value) : null })}
				options={[
					{ value: '', label: t(words.unassigned) },
					...staff.map((u) => ({ value: String(u.id), label: u.name })),
					...(assignee && !staff.some((u) => u.id === assignee.id) ? [{ value: String(assignee.id), label: assignee.name }] : []),
				]}
			/>
			<SelectField
				label={t(words.priority)}
				disabled={locked}
				value={ticket.priority}
				onChange={(e) => change({ priority: e.target.value })}
				options={['low', 'medium', 'high', 'critical'].map((p) => ({ value: p, label: word(p) }))}
			/>
			{(teams.length > 0 || ticket.team) && (
				<SelectField
					label={t(words.team)}
					disabled={locked}
					value={ticket.team ? String(ticket.team.id) : ''}
					onChange={(e) => change({ team: e.target.value ? Number(e.target.value) : null })}
					options={[{ value: '', label: t(m.noTeam) }, ...teams.map((x) => ({ value: String(x.id), label: x.name }))]}
				/>
			)}
			<Tags ticket={ticket} />
			<details>
				<summary className="py-1 font-medium text-muted hover:text-ink">{t(common.more)}</summary>
				<div className="mt-2 space-y-3">
					<EditText label={t(words.category)} maxLength={64} value={ticket.category ?? ''} onSave={(v, onRefused) => change({ category: v.trim() || null }, onRefused)} />
					<EditText label={t(m.dueAt)} type="datetime-local" value={toLocalInput(ticket.due_at)} onSave={(v, onRefused) => change({ due_at: fromLocalInput(v) }, onRefused)} />
					<EditText label={t(m.snoozedUntil)} type="datetime-local" value={toLocalInput(ticket.snoozed_until)} onSave={(v, onRefused) => change({ snoozed_until: fromLocalInput(v) }, onRefused)} />
				</div>
			</details>
			<hr className="border-line" />
			<Facts ticket={ticket} />
		</div>
	);
}
