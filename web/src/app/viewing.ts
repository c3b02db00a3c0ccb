/* Who looks at a ticket now: said every while to the desk, heard of others by live events. */
import { useEffect, useSyncExternalStore } from 'react';
import { call } from '../api/client';
import { useLiveEvents } from './live';
import { useSession } from './session';

const SEEN_MS = 60_000;
const SAY_MS = 25_000;

interface Looker {
	id: number;
	name: string;
	until: number;
}

let lookers = new Map<number, Looker[]>();
const listeners = new Set<() => void>();

function tell() {
	lookers = new Map(lookers);
	for (const f of listeners) f();
}

function subscribe(f: () => void) {
	listeners.add(f);
	const timer = setInterval(() => {
		const now = Date.now();
		let changed = false;
		for (const [ticket, all] of lookers) {
			const still = all.filter((l) => l.until > now);
			if (still.length === all.length) continue;
			changed = true;
			if (still.length) lookers.set(ticket, still);
			else lookers.delete(ticket);
		}
		if (changed) tell();
	}, 5000);
	return () => {
		listeners.delete(f);
		clearInterval(timer);
	};
}

/** Mounted by pages that show lookers: hears of them. */
export function useViewers(): (ticket: number) => string[] {
	const { user } = useSession();
	const all = useSyncExternalStore(subscribe, () => lookers);
	useLiveEvents((e) => {
		if (e.type !== 'ticket.viewing' || !e.ticket || !e.actor || e.actor.id === user?.id) return;
		const others = (lookers.get(e.ticket) ?? []).filter((l) => l.id !== e.actor?.id);
		lookers.set(e.ticket, [...others, { id: e.actor.id, name: e.actor.name, until: Date.now() + SEEN_MS }]);
		tell();
	});
	return (ticket) => (all.get(ticket) ?? []).map((l) => l.name);
}

export function useSayViewing(ticket: number) {
	const { isStaff } = useSession();
	useEffect(() => {
		if (!isStaff) return;
		const say = () => {
			if (document.visibilityState === 'visible') call('PUT', `/tickets/${ticket}/viewing`, { body: {} }).catch(() => {});
		};
		say();
		const timer = setInterval(say, SAY_MS);
		document.addEventListener('visibilitychange', say);
		return () => {
			clearInterval(timer);
			document.removeEventListener('visibilitychange', say);
		};
	}, [ticket, isStaff]);
}
