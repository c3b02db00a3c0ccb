import { Component, lazy, Suspense, useEffect, type ReactNode } from 'react';
import { createBrowserRouter, Navigate, Outlet, useLocation, type RouteObject } from 'react-router-dom';
import { useT } from '../lib/language';
import m from '../messages/common';
import { routes, type Route } from '../routes';
import { Button, Empty, Failure, LinkButton, Loading } from '../ui/basic';
import { useTitle } from '../ui/page';
import { Frame } from './frame';
import { LiveProvider } from './live';
import { useSession, type Role } from './session';

export function NotFound() {
	const t = useT();
	useTitle(t(m.notFoundTitle));
	return (
		<Empty page title={t(m.notFoundTitle)} icon="search">
			<p className="mb-4">{t(m.notFoundText)}</p>
			<LinkButton to="/tickets">{t(m.toTickets)}</LinkButton>
		</Empty>
	);
}

function Crashed() {
	const t = useT();
	return (
		<Empty page title={t(m.crashTitle)} icon="alert">
			<p className="mb-4">{t(m.crashText)}</p>
			<Button look="primary" onClick={() => window.location.reload()}>
				{t(m.reload)}
			</Button>
		</Empty>
	);
}

/** A page that breaks takes nothing else with it; another page is another try. */
class Boundary extends Component<{ at: string; children: ReactNode }, { at: string | null }> {
	override state = { at: null as string | null };
	static getDerivedStateFromProps(props: { at: string }, state: { at: string | null }) {
		return state.at && state.at !== props.at ? { at: null } : null;
	}
	override componentDidCatch() {
		this.setState({ at: this.props.at });
	}
	static getDerivedStateFromError() {
		return { at: window.location.pathname };
	}
	override render() {
		return this.state.at ? <Crashed /> : this.props.children;
	}
}

/** The heading is where one lands on a new page, for the keyboard and for readers. */
function useFocusOnChange() {
	const { pathname } = useLocation();
	useEffect(() => {
		const at = document.activeElement;
		/* what is still there but out of sight belongs to the page that was left */
		if (at && at !== document.body && at.getClientRects().length && document.getElementById('main')?.contains(at)) return;
		document.getElementById('main')?.focus({ preventScroll: true });
	}, [pathname]);
}

function SignedIn() {
	const { user, failed, retry } = useSession();
	const at = useLocation();
	useFocusOnChange();
	if (failed) return <Failure error={failed} onRetry={retry} />;
	if (user === undefined) return <Loading />;
	if (!user) return <Navigate to={`/sign-in?to=${encodeURIComponent(at.pathname + at.search)}`} replace />;
	return (
		<LiveProvider>
			<Frame>
				<Boundary at={at.pathname}>
					<Outlet />
				</Boundary>
			</Frame>
		</LiveProvider>
	);
}

function NotSignedIn() {
	return (
		<Suspense fallback={<Loading />}>
			<Outlet />
		</Suspense>
	);
}

function Only({ roles, children }: { roles: Role[]; children: ReactNode }) {
	const { user } = useSession();
	return roles.includes(user?.role as Role) ? children : <NotFound />;
}

function Home() {
	const { isStaff } = useSession();
	return <Navigate to={isStaff ? '/tickets?status=open,in_progress,pending,reopened' : '/tickets'} replace />;
}

function element(r: Route): RouteObject {
	const Page = lazy(r.load);
	return {
		path: r.path,
		element:
			r.for === 'nobody' ? (
				<Page />
			) : (
				<Only roles={r.for}>
					<Page />
				</Only>
			),
	};
}

export function makeRouter() {
	return createBrowserRouter([
		{ element: <NotSignedIn />, children: routes.filter((r) => r.for === 'nobody').map(element) },
		{
			element: <SignedIn />,
			children: [
				{ index: true, element: <Home /> },
				...routes.filter((r) => r.for !== 'nobody').map(element),
				{ path: '*', element: <NotFound /> },
			],
		},
	]);
}
