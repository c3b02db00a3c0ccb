import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { useEffect, useRef, useState } from 'react';
import { useNavigate } from 'react-router-dom';
import { ApiError, get, type Page, type Query } from '../api/client';
import type { BulkResult, TicketRow } from '../api/types';
import { useSession } from '../app/session';
import { useViewers } from '../app/viewing';
import { useT } from '../lib/language';
import { rememberList } from '../lib/last-list';
import common from '../messages/common';
import m from '../messages/list';
import { Empty, Failure, LinkButton, Loading } from '../ui/basic';
import { Pager, useTitle, useUrlState } from '../ui/page';
import { BulkBar, Refused } from './tickets/bulk';
import { Filters, filterNames, Toolbar, UNRESOLVED } from './tickets/filters';
import { Row } from './tickets/row';

export const PER_PAGE = 50;

function useTickets(query: Query) {
	return useQuery({
		queryKey: ['tickets', query],
		queryFn: ({ signal }) => get<Page<TicketRow>>('/tickets', query, signal),
		placeholderData: keepPreviousData,
	});
}

export default function Tickets() {
	const t = useT();
	const url = useUrlState();
	const navigate = useNavigate();
	const { isStaff } = useSession();
	const viewers = useViewers();
	const [selected, setSelected] = useState<ReadonlySet<number>>(new Set());
	const [refused, setRefused] = useState<BulkResult[]>([]);
	const list = useRef<HTMLUListElement>(null);
	useTitle(t(isStaff ? common.tickets : common.myTickets));

	const search = url.params.toString();
	useEffect(() => rememberList(search && `?${search}`), [search]);
	const query: Query = { page: url.page, per_page: PER_PAGE };
	for (const name of filterNames) query[name] = url.value(name);
	const tickets = useTickets(query);
	const items = tickets.data?.items ?? [];
	const filtered = filterNames.some((n) => n !== 'sort' && url.value(n));
	/* Where one lands: that nothing is left there is no fault of a filter. */
	const home = isStaff && filterNames.every((n) => n === 'sort' || url.value(n) === (n === 'status' ? UNRESOLVED : ''));

	/* What is not shown any more is not selected any more. */
	const ids = items.map((x) => x.id).join();
	useEffect(() => {
		const shown = new Set(ids.split(',').map(Number));
		setSelected((old) => ([...old].every((id) => shown.has(id)) ? old : new Set([...old].filter((id) => shown.has(id)))));
	}, [ids]);

	const toggle = (id: number) =>
		setSelected((old) => {
			const next = new Set(old);
			if (!next.delete(id)) next.add(id);
			return next;
		});

	const done = (left: BulkResult[]) => {
		setSelected(new Set(left.map((x) => x.id)));
		setRefused(left);
	};

	/* j and k go from row to row wherever the focus is, except where one types. */
	const keys = useRef<(e: KeyboardEvent) => void>(() => {});
	keys.current = (e) => {
		const at = e.target as HTMLElement;
		if (e.ctrlKey || e.metaKey || e.altKey || at.closest('input:not([type=checkbox]), textarea, select, dialog, [role=menu]')) return;
		const links = [...(list.current?.querySelectorAll<HTMLElement>('[data-row]') ?? [])].sort(
			(a, b) => Number(a.dataset.row) - Number(b.dataset.row),
		);
		const here = links.findIndex((l) => l.closest('li')?.contains(document.activeElement));
		const go = (i: number) => {
			e.preventDefault();
			links[i]?.focus({ preventScroll: true });
			links[i]?.closest('li')?.scrollIntoView({ block: 'nearest' });
		};
		if (e.key === 'j') go(Math.min(here + 1, links.length - 1));
		else if (e.key === 'k') go(Math.max(here - 1, 0));
		else if (e.key === 'x' && isStaff && here >= 0) {
			e.preventDefault();
			const row = items[here];
			if (row) toggle(row.id);
		} else if (e.key === 'Escape' && selected.size) setSelected(new Set());
		else if (e.key === 'c' && !at.closest('a, button')) void navigate('/tickets/new');
	};
	useEffect(() => {
		const f = (e: KeyboardEvent) => keys.current(e);
		document.addEventListener('keydown', f);
		return () => document.removeEventListener('keydown', f);
	}, []);

	return (
		<div className="mx-auto w-full max-w-[100rem] px-3 py-4 sm:px-6">
			<h1 className="sr-only">{t(isStaff ? common.tickets : common.myTickets)}</h1>
			<Toolbar url={url} />
			<Filters url={url} items={items} />
			<div className="flex min-h-11 items-center justify-between gap-2 px-1">
				{isStaff && items.length > 0 ? (
					<label className="flex items-center gap-2 pl-3 text-muted">
						<input
							type="checkbox"
							className="size-4 accent-accent"
							checked={selected.size > 0 && selected.size === items.length}
							ref={(el) => {
								if (el) el.indeterminate = selected.size > 0 && selected.size < items.length;
							}}
							onChange={() => setSelected(selected.size === items.length ? new Set() : new Set(items.map((x) => x.id)))}
						/>
						<span className="max-sm:sr-only">{t(m.selectAll)}</span>
					</label>
				) : (
					<span />
				)}
				{tickets.data && <Pager page={tickets.data} onPage={(page) => url.set({ page })} />}
			</div>
			{tickets.isPending ? (
				<div className="rounded-lg border border-line bg-surface">
					<Loading rows={10} />
				</div>
			) : tickets.isError && (!tickets.data || !(tickets.error instanceof ApiError) || tickets.error.status !== 0) ? (
				<Failure error={tickets.error} onRetry={() => void tickets.refetch()} />
			) : items.length === 0 ? (
				<div className="rounded-lg border border-line bg-surface">
					<Empty title={t(home ? m.emptyUnresolved : m.empty)} icon={home ? 'check' : filtered ? 'search' : 'inbox'}>
						<p className="mb-4">{t(filtered && !home ? m.emptyFiltered : isStaff ? m.emptyText : m.emptyCustomer)}</p>
						{filtered && !home ? <LinkButton to="/tickets">{t(m.clear)}</LinkButton> : <LinkButton to="/tickets/new">{t(common.newTicket)}</LinkButton>}
					</Empty>
				</div>
			) : (
				/* Rows stand at their places by transforms: one that comes or goes moves the others without
				 * any layout shift. */
				<ul
					ref={list}
					aria-label={t(m.results)}
					aria-busy={tickets.isPlaceholderData}
					className="relative overflow-hidden rounded-lg border border-line bg-surface [--row:6.25rem] lg:[--row:3.875rem]"
					style={{ height: `calc(${items.length} * var(--row) + 1px)` }}
				>
					{items.map((ticket, i) => (
						<Row
							key={ticket.id}
							ticket={ticket}
							at={i}
							selectable={isStaff}
							selected={selected.has(ticket.id)}
							onToggle={() => toggle(ticket.id)}
							viewers={viewers(ticket.id)}
						/>
					))}
				</ul>
			)}
			{selected.size > 0 && <BulkBar ids={[...selected]} onDone={done} />}
			{refused.length > 0 && <Refused results={refused} onClose={() => setRefused([])} />}
		</div>
	);
}
