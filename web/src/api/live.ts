/* Live updates: GET /events, read as a stream because EventSource cannot say who asks. Resumes
 * after what was seen last; where there is no such route, what is shown is read again now and then.
 *
 * One tab of a browser holds the stream (a lock says which) and tells the others: browsers make no
 * more than six connections to a host, and people open more tabs than that. */
import type { QueryClient } from '@tanstack/react-query';
import { ApiError, fetchApi } from './client';

export interface LiveEvent {
	type: string;
	ticket?: number;
	comment?: number;
	version?: number;
	at?: string;
	actor?: { id: number; name: string; role: string } | null;
}

export type LiveState = 'connecting' | 'live' | 'polling' | 'offline';

interface Message {
	id: string;
	event: string;
	data: string;
}

/** The messages of a text/event-stream, as far as they are whole; the rest is for the next call. */
export function parseEvents(text: string): [Message[], string] {
	const out: Message[] = [];
	const blocks = text.replace(/\r\n?/g, '\n').split('\n\n');
	const rest = blocks.pop() ?? '';
	for (const block of blocks) {
		const m: Message = { id: '', event: 'message', data: '' };
		for (const line of block.split('\n')) {
			const colon = line.indexOf(':');
			if (colon <= 0) continue;
			const value = line.slice(colon + 1).replace(/^ /, '');
			const field = line.slice(0, colon);
			if (field === 'id') m.id = value;
			else if (field === 'event') m.event = value;
			else if (field === 'data') m.data += (m.data ? '\n' : '') + value;
		}
		if (m.id || m.data || m.event !== 'message') out.push(m);
	}
	return [out, rest];
}

const GATHER_MS = 150;
const POLL_MS = 15_000;
const SILENCE_MS = 40_000; /* two heartbeats and some */

export class Live {
	private stopped = false;
	private last = '';
	private abort = new AbortController();
	private leaving = new AbortController();
	private tabs: BroadcastChannel | null = null;
	private waiting: (() => void) | null = null;
	private listeners = new Set<(e: LiveEvent) => void>();
	state: LiveState = 'connecting';

	constructor(
		private client: QueryClient,
		private onState: (s: LiveState) => void,
	) {}

	/** `who`: tabs of another person are told nothing. */
	start(who: string) {
		window.addEventListener('online', this.wake);
		if (!('locks' in navigator)) {
			void this.run();
			return;
		}
		this.tabs = new BroadcastChannel(`maildesk.live.${who}`);
		this.tabs.onmessage = (e: MessageEvent<Message | LiveState>) => {
			if (typeof e.data === 'string') this.set(e.data);
			else this.take(e.data);
		};
		navigator.locks
			.request(`maildesk.live.${who}`, { signal: this.leaving.signal }, () => (this.stopped ? undefined : this.run()))
			.catch(() => {}); /* left while it waited */
	}

	stop() {
		this.stopped = true;
		window.removeEventListener('online', this.wake);
		this.leaving.abort();
		this.abort.abort();
		this.tabs?.close();
		this.tabs = null;
		this.wake();
	}

	listen(f: (e: LiveEvent) => void): () => void {
		this.listeners.add(f);
		return () => this.listeners.delete(f);
	}

	private wake = () => this.waiting?.();

	private set(s: LiveState) {
		if (this.state === s || this.stopped) return;
		this.state = s;
		this.onState(s);
	}

	private say(s: LiveState) {
		this.tabs?.postMessage(s);
		this.set(s);
	}

	private sleep(ms: number) {
		return new Promise<void>((done) => {
			const timer = setTimeout(done, ms);
			this.waiting = () => {
				clearTimeout(timer);
				done();
			};
		});
	}

	private everything() {
		void this.client.invalidateQueries();
	}

	private async run() {
		let failures = 0;
		while (!this.stopped) {
			try {
				await this.stream(() => {
					/* what happened meanwhile comes by Last-Event-ID; the first time there is none */
					if (failures && !this.last) this.everything();
					else if (failures) void this.client.refetchQueries({ predicate: (q) => q.state.status === 'error' });
					failures = 0;
				});
			} catch (e) {
				if (this.stopped) return;
				if (e instanceof ApiError && (e.status === 404 || e.status === 405)) {
					this.say('polling');
					await this.sleep(POLL_MS);
					if (document.visibilityState === 'visible') this.everything();
					continue;
				}
				if (e instanceof ApiError && e.status === 401) return;
			}
			if (this.stopped) return;
			failures++;
			if (failures > 1) this.say('offline');
			await this.sleep(Math.min(1000 * 2 ** Math.min(failures - 1, 5), 30_000) * (0.75 + Math.random() / 2));
		}
	}

	private async stream(onOpen: () => void) {
		this.abort = new AbortController();
		const headers: Record<string, string> = { Accept: 'text/event-stream' };
		if (this.last) headers['Last-Event-ID'] = this.last;
		const r = await fetchApi('/events', { headers, signal: this.abort.signal });
		const reader = r.body!.pipeThrough(new TextDecoderStream()).getReader();
		let text = '';
		let timer = 0;
		const silence = () => {
			clearTimeout(timer);
			timer = window.setTimeout(() => this.abort.abort(), SILENCE_MS);
		};
		this.say('live');
		onOpen();
		silence();
		try {
			for (;;) {
				const { done, value } = await reader.read();
				if (done) return;
				silence();
				const [messages, rest] = parseEvents(text + value);
				text = rest;
				for (const m of messages) {
					this.tabs?.postMessage(m);
					this.take(m);
				}
			}
		} finally {
			clearTimeout(timer);
		}
	}

	private take(m: Message) {
		if (m.id) this.last = m.id;
		if (m.event === 'reset') {
			this.last = '';
			this.everything();
			return;
		}
		if (!m.data) return;
		let e: LiveEvent;
		try {
			e = JSON.parse(m.data) as LiveEvent;
		} catch {
			return;
		}
		e.type = e.type ?? m.event;
		for (const f of this.listeners) f(e);
		if (e.type === 'ticket.viewing') return;
		this.soon(e);
	}

	private due = new Set<string>();
	private timer = 0;
	private read = 0; /* when what is shown was read again */

	/** At once after a while of quiet; many events at a time (a bulk command) read a list again once. */
	private soon(e: LiveEvent) {
		if (e.ticket) this.due.add(`ticket ${e.ticket}`);
		this.due.add(e.type.split('.')[0] === 'ticket' || e.ticket ? 'tickets' : (e.type.split('.')[0] ?? ''));
		if (this.timer) return;
		this.timer = window.setTimeout(() => {
			this.timer = 0;
			this.read = Date.now();
			for (const what of this.due) {
				const [kind, id] = what.split(' ');
				if (id) void this.client.invalidateQueries({ queryKey: ['ticket', Number(id)] });
				else void this.client.invalidateQueries({ queryKey: [kind] });
			}
			if (this.due.has('tickets')) void this.client.invalidateQueries({ queryKey: ['dashboard'] });
			this.due.clear();
		}, Math.min(GATHER_MS, Math.max(0, this.read + GATHER_MS - Date.now())));
	}
}
