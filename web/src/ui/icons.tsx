/* Line icons of 24 units, drawn for the console: one path each. */
const paths = {
	inbox: 'M4 13h4l1.500 3h5L16 13h4M4 13v5a2 2 0 0 0 2 2h12a2 2 0 0 0 2-2v-5M4 13l3-8h10l3 8',
	chart: 'M4 20h16M7 16v-4M12 16V7M17 16v-7',
	shield: 'M12 3l7 3v5c0 4.500-3 8-7 10-4-2-7-5.500-7-10V6z',
	send: 'M21 3 10 14M21 3l-7 18-4-7-7-4z',
	mailbox: 'M3 7h18v12H3zM3 7l9 7 9-7',
	users: 'M9 11a3.500 3.500 0 1 0 0-7 3.500 3.500 0 0 0 0 7zM2.500 20a6.500 6.500 0 0 1 13 0M16 4.500a3.500 3.500 0 0 1 0 6.500M18 14.500a6.500 6.500 0 0 1 3.500 5.500',
	building: 'M5 21V4h9v17M14 9h5v12M3 21h18M8 8h3M8 12h3M8 16h3',
	tag: 'M3 12V4h8l9.500 9.500-8 8zM7.500 8.500h.01',
	reply: 'M9 7 4 12l5 5M4 12h10a6 6 0 0 1 6 6v1',
	hook: 'M8 8a4 4 0 1 1 6 3.500l2 4M12 12l-2.500 5M16 15.500a3.500 3.500 0 1 1-3 5M9.500 17A3.500 3.500 0 1 1 6 14.500',
	key: 'M8 15a4 4 0 1 1 3.500-6H21v3h-2v3h-3v-3h-4.500A4 4 0 0 1 8 15zM8 11h.01',
	list: 'M8 6h12M8 12h12M8 18h12M4 6h.01M4 12h.01M4 18h.01',
	report: 'M6 3h9l4 4v14H6zM9 12h6M9 16h6M14 3v5h5',
	pulse: 'M3 12h4l3-8 4 16 3-8h4',
	user: 'M12 12a4 4 0 1 0 0-8 4 4 0 0 0 0 8zM4 21a8 8 0 0 1 16 0',
	plus: 'M12 5v14M5 12h14',
	search: 'M11 18a7 7 0 1 0 0-14 7 7 0 0 0 0 14zM20.500 20.500 16 16',
	close: 'M6 6l12 12M18 6 6 18',
	check: 'M5 13l4.500 4.500L19 7',
	chevron: 'M6 9l6 6 6-6',
	left: 'M15 6l-6 6 6 6',
	right: 'M9 6l6 6-6 6',
	more: 'M4.75 12a.75.75 0 1 0 1.500 0 .75.75 0 1 0-1.500 0M11.25 12a.75.75 0 1 0 1.500 0 .75.75 0 1 0-1.500 0M17.75 12a.75.75 0 1 0 1.500 0 .75.75 0 1 0-1.500 0',
	menu: 'M4 7h16M4 12h16M4 17h16',
	clock: 'M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18zM12 7v5l3 2',
	lock: 'M6 11h12v9H6zM8.500 11V8a3.500 3.500 0 0 1 7 0v3',
	clip: 'M20 11.500 12 19.500a5 5 0 0 1-7-7l8.500-8.500a3.300 3.300 0 0 1 4.700 4.700L10 17a1.700 1.700 0 0 1-2.400-2.400L15 7.200',
	alert: 'M12 4 2.500 20h19zM12 10v4M12 17h.01',
	eye: 'M2 12s3.500-7 10-7 10 7 10 7-3.500 7-10 7-10-7-10-7zM12 15a3 3 0 1 0 0-6 3 3 0 0 0 0 6z',
	edit: 'M4 20l1-4.500L16 4.500l3.500 3.500L8.500 19zM13.500 7l3.500 3.500',
	terminal: 'M4 5h16v14H4zM7.500 10l2.500 2-2.500 2M12.500 14.500h4',
	trash: 'M5 7h14M10 4h4M7 7l1 13h8l1-13M10.500 11v5M13.500 11v5',
	download: 'M12 4v11M7.500 11l4.500 4.500L16.500 11M5 20h14',
	bell: 'M6 16V11a6 6 0 1 1 12 0v5l1.500 2h-15zM10 20.500h4',
	sun: 'M12 16a4 4 0 1 0 0-8 4 4 0 0 0 0 8zM12 2.500v2M12 19.500v2M2.500 12h2M19.500 12h2M5.500 5.500 7 7M17 17l1.500 1.500M5.500 18.500 7 17M17 7l1.500-1.500',
	out: 'M10 4H5v16h5M15 8l4 4-4 4M19 12H9',
	bookmark: 'M6 4h12v17l-6-4-6 4z',
	merge: 'M6 4v5a6 6 0 0 0 6 6v6M18 4v5a6 6 0 0 1-6 6',
	filter: 'M4 6h16M7 12h10M10 18h4',
} as const;

export type IconName = keyof typeof paths;

/** Decoration: what it stands for is said in words beside it, or by the label of its button. */
export function Icon({ name, size = 18, className = '' }: { name: IconName; size?: number; className?: string }) {
	return (
		<svg
			viewBox="0 0 24 24"
			width={size}
			height={size}
			fill="none"
			stroke="currentColor"
			strokeWidth={1.75}
			strokeLinecap="round"
			strokeLinejoin="round"
			aria-hidden="true"
			className={`shrink-0 ${className}`}
		>
			<path d={paths[name]} />
		</svg>
	);
}
