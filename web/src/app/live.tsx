import { useQueryClient } from '@tanstack/react-query';
import { createContext, useContext, useEffect, useRef, useState, type ReactNode } from 'react';
import { Live, type LiveEvent, type LiveState } from '../api/live';
import { useSession } from './session';

interface Value {
	state: LiveState;
	listen: (f: (e: LiveEvent) => void) => () => void;
}

const Context = createContext<Value>({ state: 'connecting', listen: () => () => {} });

export function LiveProvider({ children }: { children: ReactNode }) {
	const { user } = useSession();
	const client = useQueryClient();
	const [state, setState] = useState<LiveState>('connecting');
	const live = useRef<Live | null>(null);
	const [, started] = useState(0);
	const id = user?.id;
	useEffect(() => {
		if (!id) return;
		const l = new Live(client, setState);
		live.current = l;
		started((n) => n + 1);
		l.start(String(id));
		return () => l.stop();
	}, [id, client]);
	return (
		<Context.Provider value={{ state, listen: (f) => live.current?.listen(f) ?? (() => {}) }}>{children}</Context.Provider>
	);
}

export const useLiveState = () => useContext(Context).state;

/** Calls back for each event that comes. */
export function useLiveEvents(f: (e: LiveEvent) => void) {
	const { listen } = useContext(Context);
	const last = useRef(f);
	last.current = f;
	useEffect(() => listen((e) => last.current(e)), [listen]);
}
