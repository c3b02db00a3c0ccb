import { useEffect, useRef } from 'react';

/** Parts of one page, each with an address of its own. */
export interface Tab {
	value: string;
	label: string;
}

export function Tabs({ label, tabs, value, onChange }: { label: string; tabs: Tab[]; value: string; onChange: (value: string) => void }) {
	const bar = useRef<HTMLElement>(null);
	/* Where they do not fit beside each other, the one that is shown is in sight. */
	useEffect(() => {
		const now = bar.current?.querySelector<HTMLElement>('[aria-current]');
		if (bar.current && now) bar.current.scrollLeft = now.offsetLeft - (bar.current.clientWidth - now.offsetWidth) / 2;
	}, [value]);
	return (
		<nav ref={bar} aria-label={label} className="relative mb-4 flex overflow-x-auto overflow-y-hidden border-b border-line sm:gap-1">
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
