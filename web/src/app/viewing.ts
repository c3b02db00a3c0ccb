/* Who looks at a ticket now: said every while to the desk, heard of others by live events. */
import { useEffect, useSyncExternalStore } from 'react';
import { call } from '../api/client';
import type { Viewers } from '../api/types';
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

function see(ticket: number, id: number, name: string, until: number) {
	const others = (lookers.get(ticket) ?? []).filter((l) => l.id !== id);
	lookers.set(ticket, [...others, { id, name, until }]);
	tell();
}

/** Mounted by pages that show lookers: hears of them. */
export function useViewers(): (ticket: number) => string[] {
	const { user } = useSession();
	const all = useSyncExternalStore(subscribe, () => lookers);
	useLiveEvents((e) => {
		if (e.type !== 'ticket.viewing' || !e.ticket || !e.actor || e.actor.id === user?.id) return;
		see(e.ticket, e.actor.id, e.actor.name, Date.now() + SEEN_MS);
	});
	return (ticket) => (all.get(ticket) ?? []).map((l) => l.name);
}

export function useSayViewing(ticket: number) {
	const { isStaff, user } = useSession();
	const me = user?.id;
	useEffect(() => {
		if (!isStaff) return;
		const say = () => {
			if (document.visibilityState !== 'visible') return;
			call<Viewers>('PUT', `/tickets/${ticket}/viewing`, { body: {} }).then(
				(all) => {
					for (const v of all.viewers) if (v.user.id !== me) see(ticket, v.user.id, v.user.name, Date.parse(v.until));
				},
				() => {} /* it is a courtesy */,
			);
		};
		say();
		const timer = setInterval(say, SAY_MS);
		document.addEventListener('visibilitychange', say);
		return () => {
			clearInterval(timer);
			document.removeEventListener('visibilitychange', say);
		};
	}, [ticket, isStaff, me]);
}
