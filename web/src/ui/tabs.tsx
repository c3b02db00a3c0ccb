import { useEffect, useRef } from 'react';

/** Of a row of links that may be too wide, the one that is shown is in sight. */
export function useCurrentInSight(now: string) {
	const row = useRef<HTMLElement>(null);
	useEffect(() => {
		const current = row.current?.querySelector<HTMLElement>('[aria-current]');
		if (row.current && current) row.current.scrollLeft = current.offsetLeft - (row.current.clientWidth - current.offsetWidth) / 2;
	}, [now]);
	return row;
}

/** Parts of one page, each with an address of its own. */
export interface Tab {
	value: string;
	label: string;
}

export function Tabs({ label, tabs, value, onChange }: { label: string; tabs: Tab[]; value: string; onChange: (value: string) => void }) {
	const bar = useCurrentInSight(value);
	return (
		<nav ref={bar} aria-label={label} className="scrolls-x relative mb-4 flex border-b border-line sm:gap-1">
			{tabs.map((x) => (
				<button
					key={x.value}
					type="button"
					aria-current={x.value === value ? 'page' : undefined}
					onClick={() => onChange(x.value)}
					className={`-mb-px min-h-10 border-b-2 px-2.5 font-medium sm:px-3 whitespace-nowrap ${
						x.value === value ? 'border-accent text-accent' : 'border-transparent text-muted hover:text-ink'
					}`}
				>
					{x.label}
				</button>
			))}
		</nav>
	);
}
