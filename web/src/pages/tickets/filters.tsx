import { useQueryClient } from '@tanstack/react-query';
import { useEffect, useRef, useState } from 'react';
import { Link } from 'react-router-dom';
import { del, post } from '../../api/client';
import type { TicketRow } from '../../api/types';
import { useSavedViews, type SavedView, useStaff, useTags, useTeams } from '../../app/people';
import { useSession, useUser } from '../../app/session';
import { useLanguage, useT } from '../../lib/language';
import type { Text } from '../../lib/text';
import common from '../../messages/common';
import m from '../../messages/list';
import words from '../../messages/ticket';
import { Button, IconButton } from '../../ui/basic';
import { Dialog } from '../../ui/dialog';
import { CheckField, FormActions, FormError, SelectField, TextField } from '../../ui/form';
import { Icon } from '../../ui/icons';
import type { useUrlState } from '../../ui/page';
import { useCurrentInSight } from '../../ui/tabs';
import { useWord } from '../../ui/ticket-parts';
import { useToast } from '../../ui/toast';

type Url = ReturnType<typeof useUrlState>;

export const filterNames = [
	'status',
	'priority',
	'assignee',
	'requester',
	'tag',
	'category',
	'team',
	'organisation',
	'mailbox',
	'overdue',
	'created_after',
	'created_before',
	'updated_after',
	'breached_after',
	'q',
	'sort',
] as const;

export const UNRESOLVED = 'open,in_progress,pending,reopened';
const statuses = ['open', 'in_progress', 'pending', 'resolved', 'closed', 'reopened'];

/** Filters as one text, in a fixed order: to see whether two addresses are the same view. */
function normal(query: string): string {
	const p = new URLSearchParams(query);
	p.delete('page');
	return filterNames.flatMap((n) => (p.get(n) ? [`${n}=${p.get(n)}`] : [])).join('&');
}

function SaveView({ query, onClose }: { query: string; onClose: () => void }) {
	const t = useT();
	const { isAdmin } = useSession();
	const { say } = useToast();
	const client = useQueryClient();
	const [name, setName] = useState('');
	const [shared, setShared] = useState(false);
	const [error, setError] = useState<unknown>(null);
	return (
		<Dialog title={t(m.saveView)} onClose={onClose}>
			<form
				className="space-y-4"
				onSubmit={(e) => {
					e.preventDefault();
					post('/saved-views', { name: name.trim(), query, ...(isAdmin ? { shared } : {}) }).then(async () => {
						await client.invalidateQueries({ queryKey: ['saved-views'] });
						say(t(common.saved));
						onClose();
					}, setError);
				}}
			>
				<TextField label={t(m.viewName)} required maxLength={100} value={name} onChange={(e) => setName(e.target.value)} />
				{isAdmin && <CheckField label={t(m.viewShared)} checked={shared} onChange={(e) => setShared(e.target.checked)} />}
				<FormError error={error} />
				<FormActions onCancel={onClose} />
			</form>
		</Dialog>
	);
}

/** Views as tabs, and the search. */
export function Toolbar({ url }: { url: Url }) {
	const t = useT();
	const { isStaff } = useSession();
	const user = useUser();
	const client = useQueryClient();
	const { views, available } = useSavedViews();
	const [saving, setSaving] = useState(false);
	const { fail } = useToast();
	const here = normal(url.params.toString());
	const fixed: { name: string; query: string; saved?: SavedView }[] = isStaff
		? [
				{ name: t(m.unresolved), query: `status=${UNRESOLVED}` },
				{ name: t(m.mine), query: `status=${UNRESOLVED}&assignee=me` },
				{ name: t(m.unassigned), query: `status=${UNRESOLVED}&assignee=none` },
				{ name: t(m.overdue), query: 'overdue=true' },
				{ name: t(m.all), query: '' },
			]
		: [
				{ name: t(m.all), query: '' },
				{ name: t(m.unresolved), query: `status=${UNRESOLVED}` },
			];
	const tabs = [...fixed, ...views.map((v) => ({ name: v.name, query: v.query, saved: v }))];
	const bar = useCurrentInSight(here);
	const known = tabs.some((x) => normal(x.query) === here);
	return (
		<div className="flex flex-wrap items-center gap-x-4 gap-y-2">
			<nav ref={bar} aria-label={t(m.views)} className="scrolls-x relative -mx-1 flex max-w-full gap-1 px-1 py-1">
				{tabs.map((tab) => {
					const active = normal(tab.query) === here;
					return (
						<span key={tab.name + tab.query} className="inline-flex items-center">
							<Link
								to={`/tickets${tab.query ? `?${tab.query}` : ''}`}
								aria-current={active ? 'page' : undefined}
								title={tab.saved && tab.name}
								className={`max-w-60 truncate rounded-full px-3 py-1.5 font-medium ${
									active ? 'bg-ink text-canvas' : 'text-muted hover:bg-hover hover:text-ink'
								}`}
							>
								{tab.name}
							</Link>
							{active && tab.saved && (
								<IconButton
									small
									icon="close"
									label={t(m.deleteView, { name: tab.name })}
									onClick={() =>
										void del(`/saved-views/${tab.saved?.id}`).then(() => client.invalidateQueries({ queryKey: ['saved-views'] }), fail)
									}
								/>
							)}
						</span>
					);
				})}
			</nav>
			{available && !known && user && (
				<Button small icon="bookmark" onClick={() => setSaving(true)}>
					{t(m.saveView)}
				</Button>
			)}
			<Search url={url} />
			{saving && <SaveView query={here} onClose={() => setSaving(false)} />}
		</div>
	);
}

const TYPING_MS = 250;

function Search({ url }: { url: Url }) {
	const t = useT();
	const given = url.value('q');
	const [text, setText] = useState(given);
	const timer = useRef(0);
	const last = useRef(given);
	useEffect(() => {
		/* the address changed by itself: back, a view */
		if (given !== last.current) {
			last.current = given;
			setText(given);
		}
	}, [given]);
	const go = (q: string) => {
		last.current = q.trim();
		url.set({ q: q.trim() }, true);
	};
	return (
		<div role="search" className="relative ml-auto w-full sm:w-72">
			<Icon name="search" size={16} className="pointer-events-none absolute top-2.5 left-2.5 text-muted" />
			<input
				data-search
				type="search"
				aria-label={t(m.search)}
				placeholder={t(m.search)}
				autoComplete="off"
				value={text}
				onChange={(e) => {
					const q = e.target.value;
					setText(q);
					clearTimeout(timer.current);
					timer.current = window.setTimeout(() => go(q), TYPING_MS);
				}}
				onKeyDown={(e) => {
					if (e.key !== 'Enter') return;
					clearTimeout(timer.current);
					go(text);
				}}
				className="h-9 w-full rounded-md border border-line-strong bg-surface pr-2 pl-8 placeholder:text-muted max-sm:text-base"
			/>
		</div>
	);
}

/** Filters that came by a link, and have no field: said, and taken away by a click. */
function Others({ url, items }: { url: Url; items: TicketRow[] }) {
	const { t, times } = useLanguage();
	const requester = items.find((x) => String(x.requester.id) === url.value('requester'))?.requester.name;
	const organisation = items.find((x) => String(x.organisation?.id) === url.value('organisation'))?.organisation?.name;
	const day = (v: string) => (Number.isNaN(Date.parse(v)) ? v : times.full(v));
	const shown: [name: string, label: Text, value?: string][] = [
		['requester', words.requester, requester],
		['organisation', words.organisation, organisation],
		['category', words.category],
		['mailbox', words.mailbox],
		['overdue', m.overdue, ''],
		['created_after', m.createdSince, day(url.value('created_after'))],
		['created_before', m.createdBefore, day(url.value('created_before'))],
		['updated_after', m.updatedSince, day(url.value('updated_after'))],
		['breached_after', m.missedSince, day(url.value('breached_after'))],
	];
	const here = shown.filter(([name]) => url.value(name));
	if (!here.length) return null;
	return (
		<ul aria-label={t(m.filters)} className="mt-2 flex flex-wrap gap-2 px-1">
			{here.map(([name, label, value]) => {
				const text = [t(label), value ?? url.value(name)].filter(Boolean).join(': ');
				return (
					<li key={name} className="inline-flex max-w-full items-center rounded-full border border-line bg-surface pl-3">
						<bdi className="truncate">{text}</bdi>
						<IconButton small icon="close" label={t(m.without, { name: text })} onClick={() => url.set({ [name]: '' })} />
					</li>
				);
			})}
		</ul>
	);
}

export function Filters({ url, items }: { url: Url; items: TicketRow[] }) {
	const t = useT();
	const word = useWord();
	const { isStaff } = useSession();
	const staff = useStaff();
	const tags = useTags();
	const teams = useTeams();
	const any = { value: '', label: t(m.any) };
	const set = (name: string) => (e: React.ChangeEvent<HTMLSelectElement>) => url.set({ [name]: e.target.value });
	const states = [...new Set([...statuses, ...items.flatMap((x) => [x.status, ...x.allowed_statuses])])];
	const status = url.value('status');
	const active = ['priority', 'assignee', 'tag', 'team'].filter((n) => url.value(n)).length;
	const keep = (value: string, options: { value: string; label: string }[]) =>
		value && !options.some((o) => o.value === value) ? [...options, { value, label: value }] : options;

	const fields = (
		<>
			<SelectField
				label={t(words.status)}
				value={status}
				onChange={set('status')}
				options={keep(status, [any, { value: UNRESOLVED, label: t(m.unresolved) }, ...states.map((s) => ({ value: s, label: word(s) }))])}
			/>
			<SelectField
				label={t(words.priority)}
				value={url.value('priority')}
				onChange={set('priority')}
				options={keep(url.value('priority'), [any, ...['critical', 'high', 'medium', 'low'].map((p) => ({ value: p, label: word(p) }))])}
			/>
			{isStaff && (
				<>
					<SelectField
						label={t(words.assignee)}
						value={url.value('assignee')}
						onChange={set('assignee')}
						options={keep(url.value('assignee'), [
							any,
							{ value: 'me', label: t(words.me) },
							{ value: 'none', label: t(words.unassigned) },
							...staff.map((u) => ({ value: String(u.id), label: u.name })),
						])}
					/>
					<SelectField
						label={t(words.tags)}
						value={url.value('tag')}
						onChange={set('tag')}
						options={keep(url.value('tag'), [any, ...tags.map((x) => ({ value: x.name, label: x.name }))])}
					/>
					{(teams.length > 0 || url.value('team')) && (
						<SelectField
							label={t(words.team)}
							value={url.value('team')}
							onChange={set('team')}
							options={keep(url.value('team'), [any, ...teams.map((x) => ({ value: String(x.id), label: x.name }))])}
						/>
					)}
				</>
			)}
			<SelectField
				label={t(m.sort)}
				value={url.value('sort')}
				onChange={set('sort')}
				options={keep(url.value('sort'), [
					{ value: '', label: t(m.sortUpdated) },
					{ value: '-created_at', label: t(m.sortCreated) },
					{ value: 'created_at', label: t(m.sortOldest) },
					{ value: '-priority', label: t(m.sortPriority) },
					{ value: 'due', label: t(m.sortDue) },
				])}
			/>
		</>
	);
	return (
		<>
			<details className="group mt-2">
				<summary className="inline-flex min-h-8 items-center gap-2 rounded-md px-2 font-medium text-muted select-none hover:bg-hover hover:text-ink">
					<Icon name="filter" size={16} />
					{t(m.filters)}
					{active > 0 && <span className="rounded-full bg-accent px-1.5 text-xs text-accent-ink tabular-nums">{active}</span>}
				</summary>
				<div className="mt-2 grid grid-cols-2 gap-3 rounded-lg border border-line bg-surface p-3 sm:grid-cols-3 lg:grid-cols-6">{fields}</div>
			</details>
			<Others url={url} items={items} />
		</>
	);
}
