/* "@" in a note: the colleagues whose names go on like that, to choose from by arrows and Enter. */
import { useId, useState, type KeyboardEvent, type RefObject } from 'react';
import type { User } from '../../api/types';
import { useT } from '../../lib/language';
import m from '../../messages/detail';
import { Avatar } from '../../ui/basic';

const MOST = 6;

/** What stands between an "@" and the cursor; null: no mention is being written. */
export function mentionAt(text: string, cursor: number): { from: number; begun: string } | null {
	const found = /(?:^|[^\p{L}\p{N}_.@])@([\p{L}\p{N}_.-]*(?: [\p{L}\p{N}_.-]*)?)$/u.exec(text.slice(0, cursor));
	if (!found) return null;
	const begun = found[1] ?? '';
	return { from: cursor - begun.length - 1, begun };
}

const fold = (s: string) => s.normalize('NFD').replace(/\p{M}/gu, '').toLowerCase();

/** Those whose name, a later word of it or address begins so. */
export function peopleFor(begun: string, people: User[]): User[] {
	const b = fold(begun);
	const fits = (u: User) => {
		const name = fold(u.name);
		return name !== b.trimEnd() && (name.startsWith(b) || name.includes(` ${b}`) || (!b.includes(' ') && fold(u.email ?? '').startsWith(b)));
	};
	return people.filter(fits).slice(0, MOST);
}

export interface Mentions {
	found: User[];
	at: number;
	id: string;
	/** After each change of the text or the cursor. */
	look: () => void;
	close: () => void;
	choose: (u: User) => void;
	/** True: the key was for the list. */
	onKey: (e: KeyboardEvent) => boolean;
}

export function useMentions(box: RefObject<HTMLTextAreaElement | null>, people: User[], onText: (text: string, cursor: number) => void): Mentions {
	const id = useId();
	const [open, setOpen] = useState<{ from: number; begun: string } | null>(null);
	const [at, setAt] = useState(0);
	const found = open ? peopleFor(open.begun, people) : [];
	const look = () => {
		const el = box.current;
		const now = el && el.selectionStart === el.selectionEnd ? mentionAt(el.value, el.selectionStart) : null;
		if (now?.begun !== open?.begun || now?.from !== open?.from) {
			setOpen(now);
			setAt(0);
		}
	};
	const close = () => setOpen(null);
	const choose = (u: User) => {
		const el = box.current;
		if (!el || !open) return;
		const name = `@${u.name} `;
		onText(el.value.slice(0, open.from) + name + el.value.slice(el.selectionStart).replace(/^ /, ''), open.from + name.length);
		close();
	};
	const onKey = (e: KeyboardEvent) => {
		const here = found[at];
		if (!here) return false;
		if (e.key === 'ArrowDown') setAt((at + 1) % found.length);
		else if (e.key === 'ArrowUp') setAt((at + found.length - 1) % found.length);
		else if ((e.key === 'Enter' && !e.ctrlKey && !e.metaKey) || e.key === 'Tab') choose(here);
		else if (e.key === 'Escape') close();
		else return false;
		e.preventDefault();
		e.stopPropagation();
		return true;
	};
	return { found, at, id, look, close, choose, onKey };
}

export function MentionList({ mentions }: { mentions: Mentions }) {
	const t = useT();
	const { found, at, id } = mentions;
	return (
		<>
			<span role="status" className="sr-only">
				{found.length > 0 && `${t(m.mentions)}: ${found.map((u) => u.name).join(', ')}`}
			</span>
			{found.length > 0 && (
				<ul id={id} role="listbox" aria-label={t(m.mentions)} className="mx-3 mb-3 max-w-sm overflow-hidden rounded-lg border border-line-strong bg-surface shadow-lg">
					{found.map((u, i) => (
						<li
							key={u.id}
							id={`${id}-${i}`}
							role="option"
							aria-selected={i === at}
							onPointerDown={(e) => {
								e.preventDefault(); /* the focus stays in the text */
								mentions.choose(u);
							}}
							className={`flex min-h-10 cursor-pointer items-center gap-2.5 px-3 ${i === at ? 'bg-accent-soft' : 'hover:bg-hover'}`}
						>
							<Avatar name={u.name} size={24} />
							<bdi className="truncate">{u.name}</bdi>
							<bdi className="ml-auto truncate text-xs text-muted">{u.email}</bdi>
						</li>
					))}
				</ul>
			)}
		</>
	);
}
