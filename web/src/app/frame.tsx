/* What stands around every page of the signed in: navigation, account, whether we are connected. */
import { Suspense, useEffect, useState, type ReactNode } from 'react';
import { Link, NavLink, useLocation, useNavigate } from 'react-router-dom';
import { useT } from '../lib/language';
import { keep, kept } from '../lib/store';
import m from '../messages/common';
import { routes } from '../routes';
import { Avatar, IconButton, Loading, LinkButton } from '../ui/basic';
import { Icon } from '../ui/icons';
import { Menu } from '../ui/menu';
import { KeyHelp } from './keys';
import { useLiveState } from './live';
import { useSession, type Role } from './session';

type Theme = 'light' | 'dark' | 'system';

function useTheme(): [Theme, (t: Theme) => void] {
	const [theme, setTheme] = useState<Theme>(() => (kept('theme') as Theme | null) ?? 'system');
	useEffect(() => {
		if (theme === 'system') delete document.documentElement.dataset.theme;
		else document.documentElement.dataset.theme = theme;
		keep('theme', theme === 'system' ? null : theme);
	}, [theme]);
	return [theme, setTheme];
}

export function Logo() {
	return (
		<span className="flex items-center gap-2 font-semibold tracking-tight">
			<img src="/favicon.svg" alt="" width={24} height={24} />
			maildesk
		</span>
	);
}

function AccountMenu() {
	const { user, signOut } = useSession();
	const [theme, setTheme] = useTheme();
	const navigate = useNavigate();
	const t = useT();
	if (!user) return null;
	return (
		<Menu
			label={t(m.account, { name: user.name })}
			align="right"
			className="flex size-9 items-center justify-center rounded-full hover:bg-hover"
			items={[
				{ label: t(m.profile), icon: 'user', run: () => void navigate('/profile') },
				null,
				...(['system', 'light', 'dark'] as const).map((x) => ({
					label: t({ system: m.themeSystem, light: m.themeLight, dark: m.themeDark }[x]),
					icon: 'sun' as const,
					checked: theme === x,
					run: () => setTheme(x),
				})),
				null,
				{ label: t(m.signOut), icon: 'out', run: () => void signOut() },
			]}
		>
			<Avatar name={user.name} />
		</Menu>
	);
}

function Navigation({ onGo }: { onGo?: () => void }) {
	const { user } = useSession();
	const t = useT();
	const mine = routes.filter((r) => r.nav && r.for !== 'nobody' && r.for.includes(user?.role as Role));
	return (
		<nav aria-label={t(m.navigation)} className="space-y-5">
			{(['work', 'mail', 'settings'] as const).map((group) => {
				const rows = mine.filter((r) => r.nav?.group === group);
				if (!rows.length) return null;
				return (
					<div key={group}>
						<p className="px-2.5 pb-1 text-xs font-medium text-muted">{t(m[group])}</p>
						<ul className="space-y-0.5">
							{rows.map((r) => (
								<li key={r.path}>
									<NavLink
										to={`/${r.path}`}
										onClick={onGo}
										className={({ isActive }) =>
											`flex min-h-8 items-center gap-2.5 rounded-md px-2.5 ${
												isActive ? 'bg-accent-soft font-medium text-accent' : 'text-ink hover:bg-hover'
											}`
										}
									>
										<Icon name={r.nav!.icon} size={17} />
										{t(r.path === 'tickets' && user?.role === 'customer' ? m.myTickets : r.nav!.label)}
									</NavLink>
								</li>
							))}
						</ul>
					</div>
				);
			})}
		</nav>
	);
}

function Connection() {
	const state = useLiveState();
	const t = useT();
	const [online, setOnline] = useState(navigator.onLine);
	useEffect(() => {
		const on = () => setOnline(navigator.onLine);
		window.addEventListener('online', on);
		window.addEventListener('offline', on);
		return () => {
			window.removeEventListener('online', on);
			window.removeEventListener('offline', on);
		};
	}, []);
	const lost = !online || state === 'offline';
	return (
		<div role="status" aria-live="polite" className="pointer-events-none fixed inset-x-0 top-0 z-50 flex justify-center">
			{lost && (
				<p className="pointer-events-auto mt-2 flex items-center gap-2 rounded-full bg-warn-soft px-4 py-1.5 text-warn shadow-lg">
					<Icon name="alert" size={16} />
					{t(m.offline)}
				</p>
			)}
		</div>
	);
}

export function Frame({ children }: { children: ReactNode }) {
	const { user } = useSession();
	const [open, setOpen] = useState(false);
	const at = useLocation();
	const t = useT();
	const customer = user?.role === 'customer';
	useEffect(() => setOpen(false), [at.pathname]);
	useSearchKey();
	return (
		<div className={`min-h-dvh ${customer ? '' : 'lg:grid lg:grid-cols-[13.5rem_minmax(0,1fr)]'}`}>
			<a href="#main" className="sr-only z-50 rounded-md bg-accent px-3 py-2 text-accent-ink focus:not-sr-only focus:fixed focus:top-2 focus:left-2">
				{t(m.skip)}
			</a>
			<Connection />
			<KeyHelp />
			{!customer && (
				<aside className="sticky top-0 hidden h-dvh flex-col gap-5 overflow-auto border-r border-line bg-surface p-3 lg:flex">
					<Link to="/tickets" className="px-2 pt-1">
						<Logo />
					</Link>
					<LinkButton to="/tickets/new" look="primary" icon="plus">
						{t(m.newTicket)}
					</LinkButton>
					<Navigation />
				</aside>
			)}
			<div className="flex min-w-0 flex-col">
				<header className="sticky top-0 z-30 flex h-13 items-center gap-2 border-b border-line bg-surface px-3 sm:px-5">
					{!customer && (
						<IconButton
							icon="menu"
							label={t(m.menu)}
							className="lg:hidden"
							aria-expanded={open}
							aria-controls="drawer"
							onClick={() => setOpen(!open)}
						/>
					)}
					<Link to="/tickets" className={customer ? '' : 'mr-2 lg:hidden'}>
						<Logo />
					</Link>
					{!customer && at.pathname !== '/tickets' && <QuickSearch />}
					<div className="ml-auto flex items-center gap-2">
						{customer && (
							<>
								<NavLink to="/tickets" end className="rounded-md px-2 py-1.5 hover:bg-hover max-sm:hidden">
									{t(m.myTickets)}
								</NavLink>
								<LinkButton to="/tickets/new" look="primary" icon="plus">
									<span className="max-sm:sr-only">{t(m.newTicket)}</span>
								</LinkButton>
							</>
						)}
						<AccountMenu />
					</div>
				</header>
				{open && (
					<div id="drawer" className="fixed inset-x-0 top-13 bottom-0 z-30 overflow-auto bg-surface p-3 lg:hidden">
						<div className="mb-4 grid">
							<LinkButton to="/tickets/new" look="primary" icon="plus">
								{t(m.newTicket)}
							</LinkButton>
						</div>
						<Navigation onGo={() => setOpen(false)} />
					</div>
				)}
				<main id="main" tabIndex={-1} className="min-w-0 flex-1 outline-none">
					<Suspense fallback={<Loading />}>{children}</Suspense>
				</main>
			</div>
		</div>
	);
}

/** "/" goes to the search of the page, or to that of the frame. */
function useSearchKey() {
	useEffect(() => {
		const onKey = (e: KeyboardEvent) => {
			const at = e.target as HTMLElement;
			if (e.key !== '/' || e.ctrlKey || e.metaKey || e.altKey || /^(INPUT|TEXTAREA|SELECT)$/.test(at.tagName) || at.closest('dialog')) return;
			e.preventDefault();
			const here = document.querySelector<HTMLElement>('[data-search]') ?? document.getElementById('quick-search');
			here?.focus();
		};
		document.addEventListener('keydown', onKey);
		return () => document.removeEventListener('keydown', onKey);
	}, []);
}

/** Enter lists what was found; a number is the ticket itself. */
function QuickSearch() {
	const navigate = useNavigate();
	const t = useT();
	return (
		<form
			role="search"
			className="relative w-full max-w-md max-sm:hidden"
			onSubmit={(e) => {
				e.preventDefault();
				const q = String(new FormData(e.currentTarget).get('q') ?? '').trim();
				const number = /^#?(\d+)$/.exec(q);
				if (number) void navigate(`/tickets/${number[1]}`);
				else if (q) void navigate(`/tickets?q=${encodeURIComponent(q)}`);
				e.currentTarget.reset();
			}}
		>
			<Icon name="search" size={16} className="pointer-events-none absolute top-2.5 left-2.5 text-muted" />
			<input
				id="quick-search"
				name="q"
				type="search"
				aria-label={t(m.search)}
				placeholder={`${t(m.search)}  ( / )`}
				autoComplete="off"
				className="h-9 w-full rounded-md border border-line bg-sunken pr-2 pl-8 placeholder:text-muted focus:bg-surface"
			/>
		</form>
	);
}
