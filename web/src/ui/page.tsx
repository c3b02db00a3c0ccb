/* The frame of a page, and the pattern of pages that are a table with a form (see pages/tags.tsx). */
import { keepPreviousData, useQuery, type UseQueryResult } from '@tanstack/react-query';
import { useEffect, type ReactNode } from 'react';
import { useSearchParams } from 'react-router-dom';
import { get, type Page, type Query } from '../api/client';
import { useLanguage, useT } from '../lib/language';
import m from '../messages/common';
import { Empty, Failure, IconButton, Loading } from './basic';
import type { IconName } from './icons';

export function useTitle(title: string) {
	useEffect(() => {
		document.title = `${title} · maildesk`;
	}, [title]);
}

export function PageFrame({ title, actions, wide, children }: { title: string; actions?: ReactNode; wide?: boolean; children: ReactNode }) {
	useTitle(title);
	return (
		<div className={`mx-auto w-full px-4 py-5 sm:px-6 ${wide ? 'max-w-[100rem]' : 'max-w-5xl'}`}>
			<div className="mb-4 flex min-h-9 flex-wrap items-center justify-between gap-x-4 gap-y-2">
				<h1 className="text-xl font-semibold tracking-tight">{title}</h1>
				<div className="flex flex-wrap items-center gap-2">{actions}</div>
			</div>
			{children}
		</div>
	);
}

/** Filters and the page number, kept in the address. Setting a filter goes back to the first page. */
export function useUrlState() {
	const [params, setParams] = useSearchParams();
	return {
		params,
		value: (name: string) => params.get(name) ?? '',
		page: Math.max(1, Number(params.get('page')) || 1),
		set(changes: Query, replace = false) {
			setParams(
				(old) => {
					const next = new URLSearchParams(old);
					if (!('page' in changes)) next.delete('page');
					for (const [k, v] of Object.entries(changes))
						if (v === '' || v === null || v === undefined) next.delete(k);
						else next.set(k, String(v));
					return next;
				},
				{ replace },
			);
		},
	};
}

/** One page of a list of the API: `key` is what live updates and writes invalidate; what no event
 * tells of is asked for again `everyMs`. */
export function usePage<T>(key: string, path: string, query: Query, everyMs?: number): UseQueryResult<Page<T>> {
	return useQuery({
		queryKey: [key, query],
		queryFn: ({ signal }) => get<Page<T>>(path, query, signal),
		placeholderData: keepPreviousData,
		refetchInterval: everyMs,
	});
}

export function Pager({ page, onPage }: { page: Page<unknown>; onPage: (page: number) => void }) {
	const t = useT();
	const at = page.page ?? 1;
	if (!page.items.length && at === 1) return null;
	const from = (at - 1) * page.per_page + 1;
	return (
		<nav aria-label={t(m.next)} className="flex items-center gap-1 text-muted">
			<span className="px-1 tabular-nums">
				{t(page.total_is_estimate ? m.pageOfAbout : m.pageOf, { from, to: from + page.items.length - 1, total: page.total })}
			</span>
			<IconButton icon="left" label={t(m.previous)} disabled={at <= 1} onClick={() => onPage(at - 1)} />
			<IconButton icon="right" label={t(m.next)} disabled={!page.next} onClick={() => onPage(at + 1)} />
		</nav>
	);
}

export interface Column<T> {
	title: string;
	cell: (row: T) => ReactNode;
	/** Narrow screens do without it. */
	spare?: boolean;
	className?: string;
	/** The heading is for those who hear it. */
	silent?: boolean;
}

interface TableProps<T> {
	label: string;
	query: UseQueryResult<Page<T>>;
	columns: Column<T>[];
	rowKey: (row: T) => string | number;
	empty: { title: string; text?: string; icon?: IconName };
	onPage: (page: number) => void;
}

/** A list of the API as a table, with its loading, empty and failed states and its pager. Where there
 * is no room for columns each row is a card with its headings in it; the roles say that it is a table
 * still, which it is no more for some readers once its parts are no table's by their style. */
export function DataTable<T>({ label, query, columns, rowKey, empty, onPage }: TableProps<T>) {
	const { locale } = useLanguage();
	if (query.isPending) return <div className="rounded-lg border border-line bg-surface"><Loading /></div>;
	if (query.isError && !query.data) return <Failure error={query.error} onRetry={() => void query.refetch()} />;
	const page = query.data as Page<T>;
	if (!page.items.length)
		return (
			<div className="rounded-lg border border-line bg-surface">
				<Empty title={empty.title} icon={empty.icon}>
					{empty.text}
				</Empty>
			</div>
		);
	return (
		<div lang={locale}>
			<div tabIndex={0} role="region" aria-label={label} className="relative overflow-x-auto rounded-lg border border-line bg-surface">
				<table role="table" className="w-full text-left max-sm:block">
					<caption className="sr-only">{label}</caption>
					<thead role="rowgroup" className="border-b border-line text-xs text-muted max-sm:sr-only">
						<tr role="row">
							{columns.map((c) => (
								<th key={c.title} role="columnheader" scope="col" className={`px-4 py-2 font-medium whitespace-nowrap ${c.spare ? 'max-md:hidden' : ''} ${c.className ?? ''}`}>
									{c.silent ? <span className="sr-only">{c.title}</span> : c.title}
								</th>
							))}
						</tr>
					</thead>
					<tbody role="rowgroup" className="divide-y divide-line max-sm:block">
						{page.items.map((row) => (
							<tr key={rowKey(row)} role="row" className="hover:bg-hover/60 max-sm:flex max-sm:flex-wrap max-sm:items-center max-sm:gap-x-3 max-sm:gap-y-1 max-sm:px-4 max-sm:py-3">
								{columns.map((c, i) => {
									const cell = c.cell(row);
									return <td
										key={c.title}
										role="cell"
										className={`px-4 py-2 align-middle max-sm:min-w-0 max-sm:p-0 max-sm:empty:hidden ${c.spare ? 'max-md:hidden' : ''} ${c.silent ? 'max-sm:ml-auto' : ''} ${c.className ?? ''} ${i ? '' : 'max-sm:w-full'}`}
									>
										{i > 0 && !c.silent && cell !== '' && (
											<span aria-hidden="true" className="mr-1.5 text-xs text-muted sm:hidden">
												{c.title}
											</span>
										)}
										{cell}
									</td>;
								})}
							</tr>
						))}
					</tbody>
				</table>
			</div>
			<div className="mt-2 flex justify-end">
				<Pager page={page} onPage={onPage} />
			</div>
		</div>
	);
}
