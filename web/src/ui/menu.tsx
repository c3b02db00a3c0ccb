import { useEffect, useId, useLayoutEffect, useRef, useState, type ReactNode } from 'react';
import { Icon, type IconName } from './icons';

export interface MenuItem {
	label: string;
	icon?: IconName;
	danger?: boolean;
	checked?: boolean;
	run: () => void;
}

interface MenuProps {
	label: string;
	/** What the button shows. */
	children: ReactNode;
	items: (MenuItem | null)[]; /* null: a line */
	className?: string;
	align?: 'left' | 'right';
	up?: boolean;
}

const GAP = 4; /* between button and list */
const EDGE = 8; /* that the list keeps from the window's */

/** Beside the button, where there is room: above all else, so that no table or box cuts it off. */
function place(box: HTMLElement, button: HTMLElement, align: 'left' | 'right', up?: boolean) {
	const at = button.getBoundingClientRect();
	const { clientWidth, clientHeight } = document.documentElement;
	const below = clientHeight - at.bottom;
	const needs = box.offsetHeight + GAP + EDGE;
	const above = up ? at.top >= needs || at.top > below : below < needs && at.top > below;
	const left = align === 'right' ? at.right - box.offsetWidth : at.left;
	box.style.left = `${Math.max(EDGE, Math.min(left, clientWidth - box.offsetWidth - EDGE))}px`;
	box.style.top = `${above ? Math.max(EDGE, at.top - box.offsetHeight - GAP) : at.bottom + GAP}px`;
}

/** A button that opens a list of actions; arrows, Home, End, Escape and first letters work. */
export function Menu({ label, children, items, className = '', align = 'right', up }: MenuProps) {
	const [open, setOpen] = useState(false);
	const box = useRef<HTMLDivElement>(null);
	const button = useRef<HTMLButtonElement>(null);
	const id = useId();

	useLayoutEffect(() => {
		const [list, opener] = [box.current, button.current];
		if (!open || !list || !opener) return;
		list.showPopover?.();
		const stay = () => place(list, opener, align, up);
		stay();
		list.querySelector<HTMLElement>('[role^=menuitem]')?.focus({ preventScroll: true });
		window.addEventListener('scroll', stay, true);
		window.addEventListener('resize', stay);
		return () => {
			window.removeEventListener('scroll', stay, true);
			window.removeEventListener('resize', stay);
		};
	}, [open, align, up]);

	useEffect(() => {
		if (!open) return;
		const away = (e: PointerEvent) => {
			const at = e.target as Node;
			if (!box.current?.contains(at) && !button.current?.contains(at)) setOpen(false);
		};
		document.addEventListener('pointerdown', away);
		return () => document.removeEventListener('pointerdown', away);
	}, [open]);

	const onKey = (e: React.KeyboardEvent) => {
		const all = [...(box.current?.querySelectorAll<HTMLElement>('[role^=menuitem]') ?? [])];
		const at = all.indexOf(document.activeElement as HTMLElement);
		const to = (i: number) => {
			e.preventDefault();
			all[(i + all.length) % all.length]?.focus();
		};
		if (e.key === 'ArrowDown') to(at + 1);
		else if (e.key === 'ArrowUp') to(at - 1);
		else if (e.key === 'Home') to(0);
		else if (e.key === 'End') to(-1);
		else if (e.key === 'Escape' || e.key === 'Tab') {
			if (e.key === 'Escape') e.preventDefault();
			e.stopPropagation();
			setOpen(false);
			button.current?.focus();
		} else if (e.key.length === 1) {
			const hit = all.findIndex((x, i) => i > at && x.textContent?.trim().toLowerCase().startsWith(e.key.toLowerCase()));
			if (hit >= 0) to(hit);
		}
	};

	return (
		<div className="relative inline-block">
			<button
				ref={button}
				type="button"
				aria-label={label}
				title={label}
				aria-haspopup="menu"
				aria-expanded={open}
				aria-controls={open ? id : undefined}
				onClick={() => setOpen(!open)}
				onKeyDown={(e) => {
					if (e.key === 'ArrowDown' && !open) {
						e.preventDefault();
						setOpen(true);
					}
				}}
				className={className}
			>
				{children}
			</button>
			{open && (
				<div
					ref={box}
					id={id}
					role="menu"
					popover="manual"
					aria-label={label}
					tabIndex={-1}
					onKeyDown={onKey}
					className="fixed inset-auto z-40 m-0 max-h-80 w-max max-w-[min(28rem,calc(100vw-2rem))] min-w-48 overflow-auto rounded-lg border border-line bg-surface p-1 text-ink shadow-lg"
				>
					{items.map((item, i) =>
						item ? (
							<button
								key={i}
								type="button"
								role={item.checked === undefined ? 'menuitem' : 'menuitemradio'}
								aria-checked={item.checked}
								tabIndex={-1}
								onClick={() => {
									setOpen(false);
									button.current?.focus();
									item.run();
								}}
								className={`flex min-h-8 w-full items-center gap-2 rounded-md px-2.5 text-left hover:bg-hover focus:bg-hover focus:outline-none ${item.danger ? 'text-danger' : ''}`}
							>
								{item.icon && <Icon name={item.icon} size={16} />}
								<span className="min-w-0 flex-1 pr-2 [overflow-wrap:anywhere]">{item.label}</span>
								{item.checked && <Icon name="check" size={16} />}
							</button>
						) : (
							<hr key={i} className="my-1 border-line" />
						),
					)}
				</div>
			)}
		</div>
	);
}
