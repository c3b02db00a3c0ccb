/** Parts of one page, each with an address of its own. */
export interface Tab {
	value: string;
	label: string;
}

export function Tabs({ label, tabs, value, onChange }: { label: string; tabs: Tab[]; value: string; onChange: (value: string) => void }) {
	return (
		<nav aria-label={label} className="mb-4 flex gap-1 overflow-x-auto border-b border-line">
			{tabs.map((x) => (
				<button
					key={x.value}
					type="button"
					aria-current={x.value === value ? 'page' : undefined}
					onClick={() => onChange(x.value)}
					className={`-mb-px min-h-9 border-b-2 px-3 font-medium whitespace-nowrap ${
						x.value === value ? 'border-accent text-accent' : 'border-transparent text-muted hover:text-ink'
					}`}
				>
					{x.label}
				</button>
			))}
		</nav>
	);
}
