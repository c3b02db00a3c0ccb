import { memo } from 'react';
import { Link } from 'react-router-dom';
import type { TicketRow } from '../../api/types';
import { useT } from '../../lib/language';
import m from '../../messages/list';
import ticketWords from '../../messages/ticket';
import { Ago, Avatar } from '../../ui/basic';
import { Icon } from '../../ui/icons';
import { PriorityMark, SlaBadge, StatusBadge, TagChip } from '../../ui/ticket-parts';

interface RowProps {
	ticket: TicketRow;
	at: number;
	selectable: boolean;
	selected: boolean;
	viewers: string[];
	onToggle: () => void;
}

export const Row = memo(
	function Row({ ticket, at, selectable, selected, viewers, onToggle }: RowProps) {
		const t = useT();
		return (
			<li
				style={{ transform: `translateY(calc(${at} * var(--row)))` }}
				className={`group absolute inset-x-0 top-0 grid h-(--row) items-center gap-x-3 border-b border-line px-3 transition-transform duration-200 sm:px-4 ${
					selectable ? 'grid-cols-[auto_minmax(0,1fr)_auto]' : 'grid-cols-[minmax(0,1fr)_auto]'
				} ${selected ? 'bg-accent-soft' : 'focus-within:bg-hover hover:bg-hover'}`}
			>
				{selectable && (
					<label className="relative z-10 -m-2 flex p-2">
						<input type="checkbox" className="size-4 accent-accent" checked={selected} onChange={onToggle} />
						<span className="sr-only">{t(m.select, { id: String(ticket.id) })}</span>
					</label>
				)}
				<div className="min-w-0">
					<div className="flex min-w-0 items-center gap-2">
						<PriorityMark priority={ticket.priority} />
						<Link
							to={`/tickets/${ticket.id}`}
							data-row={at}
							dir="auto"
							className="line-clamp-2 font-medium text-ink [overflow-wrap:anywhere] before:absolute sm:line-clamp-1 before:inset-0 before:content-[''] focus-visible:outline-none focus-visible:before:outline-2 focus-visible:before:-outline-offset-2 focus-visible:before:outline-accent"
						>
							{ticket.title}
						</Link>
						{viewers.length > 0 && (
							<span
								className="relative flex items-center gap-1 text-plum"
								title={t(viewers.length > 1 ? ticketWords.lookingMany : ticketWords.looking, { names: viewers.join(', ') })}
							>
								<Icon name="eye" size={15} />
								<span className="text-xs max-sm:sr-only">{viewers.join(', ')}</span>
							</span>
						)}
					</div>
					<div className="mt-1 flex min-w-0 items-center gap-2 text-xs text-muted">
						<span className="tabular-nums">#{ticket.id}</span>
						{selectable && <bdi className="max-w-48 shrink-0 truncate max-sm:shrink">{ticket.requester.name}</bdi>}
						<span className="flex min-w-0 gap-1 overflow-hidden max-sm:hidden">
							{ticket.tags.slice(0, 3).map((tag) => (
								<TagChip key={tag.name} tag={tag} />
							))}
							{ticket.tags.length > 3 && <span>+{ticket.tags.length - 3}</span>}
						</span>
						<Ago at={ticket.updated_at} className="ml-auto lg:hidden" />
					</div>
					<div className="mt-1 flex min-w-0 items-center gap-1.5 overflow-hidden lg:hidden">
						<StatusBadge status={ticket.status} />
						{selectable && <SlaBadge short ticket={ticket} />}
					</div>
				</div>
				<div className="flex items-center gap-3 max-lg:hidden">
					{selectable && (
						<>
							<span className="xl:hidden">
								<SlaBadge short ticket={ticket} />
							</span>
							<span className="max-xl:hidden">
								<SlaBadge ticket={ticket} />
							</span>
						</>
					)}
					<span className="flex w-28 justify-end">
						<StatusBadge status={ticket.status} />
					</span>
					{selectable && (
						<span className="flex w-7 justify-center" title={ticket.assignee?.name ?? t(ticketWords.unassigned)}>
							{ticket.assignee ? (
								<>
									<Avatar name={ticket.assignee.name} size={26} />
									<span className="sr-only">{ticket.assignee.name}</span>
								</>
							) : (
								<>
									<span aria-hidden="true" className="size-6 rounded-full border border-dashed border-line-strong" />
									<span className="sr-only">{t(ticketWords.unassigned)}</span>
								</>
							)}
						</span>
					)}
					<Ago at={ticket.updated_at} className="w-24 text-right text-xs text-muted" />
				</div>
			</li>
		);
	},
	(a, b) =>
		a.ticket === b.ticket && a.at === b.at && a.selected === b.selected && a.viewers.join() === b.viewers.join() && a.selectable === b.selectable,
);
