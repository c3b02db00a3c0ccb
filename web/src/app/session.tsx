/* Who is signed in. The first thing the console does is ask the cookie. */
import { useQueryClient } from '@tanstack/react-query';
import { createContext, useCallback, useContext, useEffect, useMemo, useState, type ReactNode } from 'react';
import { haveToken, onSignedOut, post, refresh } from '../api/client';
import type { Token, User } from '../api/types';
import { useLanguage } from '../lib/language';
import { dropDrafts, keep, kept } from '../lib/store';

export type Role = 'admin' | 'agent' | 'customer';

interface Session {
	/** undefined: not known yet; null: nobody. */
	user: User | null | undefined;
	/** The desk could not be asked. */
	failed: unknown;
	isStaff: boolean;
	isAdmin: boolean;
	enter: (token: Token) => void;
	signOut: () => Promise<void>;
	retry: () => void;
}

const AGAIN_MS = 3000; /* the desk could not be asked who is there */

const Context = createContext<Session | null>(null);

export function SessionProvider({ children }: { children: ReactNode }) {
	const [user, setUser] = useState<User | null | undefined>(undefined);
	const [failed, setFailed] = useState<unknown>(null);
	const client = useQueryClient();
	const { choose } = useLanguage();

	const enter = useCallback(
		(token: Token) => {
			haveToken(token);
			/* what somebody else had typed or seen here is not for this one */
			if (kept('user') !== String(token.user.id)) dropDrafts();
			keep('user', String(token.user.id));
			client.clear();
			choose(token.user.locale ?? null, token.user.timezone ?? null);
			setUser(token.user);
		},
		// eslint-disable-next-line react-hooks/exhaustive-deps
		[client],
	);
	const retry = useCallback(() => {
		refresh().then(
			(token) => {
				setFailed(null);
				if (token) enter(token);
				else setUser(null);
			},
			(e: unknown) => setFailed(e),
		);
	}, [enter]);
	/* Whoever waits need not press anything; each failure is another one. */
	useEffect(() => {
		if (!failed) return;
		const timer = setTimeout(retry, AGAIN_MS);
		return () => clearTimeout(timer);
	}, [failed, retry]);
	useEffect(() => {
		onSignedOut(() => setUser(null));
		retry();
	}, [retry]);

	const value = useMemo<Session>(
		() => ({
			user,
			failed,
			isStaff: user?.role === 'agent' || user?.role === 'admin',
			isAdmin: user?.role === 'admin',
			enter,
			retry,
			async signOut() {
				await post('/auth/logout').catch(() => {});
				haveToken(null);
				dropDrafts();
				client.clear();
				setUser(null);
			},
		}),
		[user, failed, enter, retry, client],
	);
	return <Context.Provider value={value}>{children}</Context.Provider>;
}

export function useSession(): Session {
	const session = useContext(Context);
	if (!session) throw new Error('no SessionProvider');
	return session;
}

/** On pages that only the signed in see. */
export function useUser(): User {
	const { user } = useSession();
	if (!user) throw new Error('nobody is signed in');
	return user;
}
