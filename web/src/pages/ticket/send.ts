/* Sending with a moment to think again: what is to be sent waits some seconds; leaving the page sends
 * it at once. The same key goes with each try, so that nothing is ever sent twice. */
import { useEffect, useRef, useState } from 'react';
import { randomKey } from '../../api/client';
import type { Ticket, User } from '../../api/types';
import { useToast } from '../../ui/toast';

export const UNDO_MS = 5000;

export interface Outgoing {
	body: Record<string, unknown>;
	/** What the editor held. */
	draft: unknown;
	key: string;
	/** The page goes away. */
	leaving?: boolean;
}

interface Plan {
	run: (out: Outgoing) => void;
	undo: (out: Outgoing) => void;
	text: string;
	undoText: string;
	ms: number;
}

export function useSender() {
	const { say } = useToast();
	const [waiting, setWaiting] = useState(false);
	const now = useRef<((leaving: boolean) => void) | null>(null);
	const back = useRef<(() => void) | null>(null);

	useEffect(() => {
		const leave = () => now.current?.(true);
		window.addEventListener('pagehide', leave);
		return () => {
			window.removeEventListener('pagehide', leave);
			now.current?.(false);
		};
	}, []);

	/* z, too, takes back what waits: the button for it is far away by Tab. */
	useEffect(() => {
		if (!waiting) return;
		const onKey = (e: KeyboardEvent) => {
			if (e.key !== 'z' || e.altKey || (e.target as HTMLElement).closest('input, textarea, select, dialog')) return;
			e.preventDefault();
			back.current?.();
		};
		document.addEventListener('keydown', onKey);
		return () => document.removeEventListener('keydown', onKey);
	}, [waiting]);

	const start = (what: Omit<Outgoing, 'key'>, plan: Plan) => {
		const out: Outgoing = { ...what, key: randomKey() };
		if (!plan.ms) {
			plan.run(out);
			return;
		}
		now.current?.(false);
		let over = false;
		const end = () => {
			over = true;
			now.current = null;
			clearTimeout(timer);
			drop();
			setWaiting(false);
		};
		const go = (leaving: boolean) => {
			if (over) return;
			end();
			plan.run({ ...out, leaving });
		};
		const timer = setTimeout(() => go(false), plan.ms);
		const undo = () => {
			if (over) return;
			end();
			plan.undo(out);
		};
		const drop = say(plan.text, { ms: plan.ms + 500, action: { label: plan.undoText, run: undo } });
		now.current = go;
		back.current = undo;
		setWaiting(true);
	};
	return { waiting, start };
}

/** The commands that resolve the ticket from where it is; null: nothing does. */
export function resolveCommands(t: Pick<Ticket, 'status' | 'allowed_statuses' | 'assignee'>): string | null {
	if (t.allowed_statuses.includes('resolved')) return '#resolve';
	if (!t.allowed_statuses.includes('in_progress')) return null;
	return t.assignee ? '#start\n#resolve' : '#take\n#resolve';
}

/** Variables of canned replies, as in templates: {{requester.name}}. */
export function fillIn(text: string, ticket: Ticket, user: User): string {
	const values: Record<string, string | number | null | undefined> = {
		'requester.name': ticket.requester.name,
		'requester.email': ticket.requester.email,
		'ticket.id': ticket.id,
		'ticket.title': ticket.title,
		'ticket.status': ticket.status,
		'ticket.priority': ticket.priority,
		'agent.name': user.name,
		'agent.email': user.email,
		'assignee.name': ticket.assignee?.name,
	};
	return text.replace(/\{\{\{?\s*([\w.]+)\s*\}?\}\}/g, (whole, name: string) => (name in values ? String(values[name] ?? '') : whole));
}
