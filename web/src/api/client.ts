/* Talks to /api/v1. The access token is in memory alone; the refresh token is in a cookie that no
 * script sees, and is used up by each refresh: so tabs take turns (a lock), and within a tab there is
 * one refresh at a time. */
import type { Complaint, Token } from './types';

export const BASE = '/api/v1';

export interface Page<T> {
	items: T[];
	page: number | null;
	per_page: number;
	total: number;
	pages: number | null;
	next: string | null;
	prev: string | null;
	total_is_estimate: boolean;
}

/** "cc" of "cc.0" */
export function topOf(field: string): string {
	return field.split('.')[0]!;
}

/** Any answer that is none of success. Status 0: there was no answer. */
export class ApiError extends Error {
	constructor(
		readonly status: number,
		readonly code: string,
		readonly detail: string,
		readonly errors: Complaint[] = [],
		readonly body: Record<string, unknown> = {},
		readonly retryAfter = 0,
	) {
		super(detail || code);
	}
	/** What is wrong with it, or with the first of its members ("cc.0") that something is wrong with. */
	field(name: string): Complaint | undefined {
		return this.errors.find((e) => topOf(e.field) === name);
	}
}

export type Query = Record<string, string | number | boolean | null | undefined>;

export interface CallOptions {
	query?: Query;
	body?: unknown;
	signal?: AbortSignal;
	/** The same for each try of one and the same thing. */
	idempotencyKey?: string;
	/** Is sent although the page goes away. */
	keepalive?: boolean;
}

let access: { token: string; until: number } | null = null;
let refreshing: Promise<Token | null> | null = null;
let whenSignedOut: () => void = () => {};

export function onSignedOut(f: () => void) {
	whenSignedOut = f;
}

export function haveToken(t: Token | null) {
	access = t && { token: t.access_token, until: Date.now() + t.expires_in * 1000 };
}

export function queryString(query: Query | undefined): string {
	const p = new URLSearchParams();
	for (const [k, v] of Object.entries(query ?? {}))
		if (v !== undefined && v !== null && v !== '') p.set(k, String(v));
	const s = p.toString();
	return s ? `?${s}` : '';
}

export function randomKey(): string {
	return [...crypto.getRandomValues(new Uint8Array(16))].map((b) => b.toString(16).padStart(2, '0')).join('');
}

async function send(path: string, init: RequestInit): Promise<Response> {
	try {
		return await fetch(BASE + path, { ...init, credentials: 'same-origin', cache: 'no-store' });
	} catch (e) {
		if (e instanceof DOMException && e.name === 'AbortError') throw e;
		throw new ApiError(0, 'network', '');
	}
}

async function problem(r: Response): Promise<ApiError> {
	let body: Record<string, unknown> = {};
	try {
		body = (await r.json()) as Record<string, unknown>;
	} catch {
		/* what a proxy said in its own words */
	}
	return new ApiError(
		r.status,
		typeof body.code === 'string' ? body.code : `http_${r.status}`,
		typeof body.detail === 'string' ? body.detail : '',
		Array.isArray(body.errors) ? (body.errors as Complaint[]) : [],
		body,
		Number(r.headers.get('Retry-After')) || 0,
	);
}

async function inTurn<T>(f: () => Promise<T>): Promise<T> {
	return 'locks' in navigator ? await navigator.locks.request('maildesk.refresh', f) : f();
}

/** A new access token by the cookie; null when nobody is signed in (any more). */
export function refresh(): Promise<Token | null> {
	refreshing ??= inTurn(async () => {
		const r = await send('/auth/refresh', {
			method: 'POST',
			headers: { 'Content-Type': 'application/json' },
			body: '{}',
			keepalive: true, /* also when the page goes: the next one needs the cookie of its answer */
		});
		if (r.ok) {
			const t = (await r.json()) as Token;
			haveToken(t);
			return t;
		}
		if (r.status === 429 || r.status >= 500) throw await problem(r);
		haveToken(null);
		return null;
	}).finally(() => {
		refreshing = null;
	});
	return refreshing;
}

async function authorization(): Promise<Record<string, string>> {
	if (access && access.until - Date.now() < 30_000) await refresh();
	return access ? { Authorization: `Bearer ${access.token}` } : {};
}

/** As fetch(), signed in, with one more try after the access token ran out. */
export async function fetchApi(path: string, init: RequestInit = {}): Promise<Response> {
	for (let tries = 0; ; tries++) {
		const auth = await authorization();
		const r = await send(path, { ...init, headers: { ...(init.headers as Record<string, string>), ...auth } });
		if (r.ok) return r;
		if (r.status === 401 && auth.Authorization && !path.startsWith('/auth/token')) {
			if (tries === 0 && (await refresh())) continue;
			whenSignedOut();
		}
		throw await problem(r);
	}
}

/** A file as the body of a POST: as fetchApi(), but it says how far it is, from 0 to 1. */
export async function upload<T>(path: string, file: Blob, headers: Record<string, string>, o: { onProgress: (part: number) => void; signal: AbortSignal }): Promise<T> {
	for (let tries = 0; ; tries++) {
		const auth = await authorization();
		const r = await sendFile(path, file, { ...headers, ...auth }, o);
		if (r.ok) return (await r.json()) as T;
		if (r.status === 401 && tries === 0 && (await refresh())) continue;
		if (r.status === 401) whenSignedOut();
		throw await problem(r);
	}
}

function sendFile(path: string, file: Blob, headers: Record<string, string>, o: { onProgress: (part: number) => void; signal: AbortSignal }): Promise<Response> {
	return new Promise((resolve, reject) => {
		const x = new XMLHttpRequest();
		x.open('POST', BASE + path);
		for (const [name, value] of Object.entries(headers)) x.setRequestHeader(name, value);
		x.upload.onprogress = (e) => o.onProgress(e.total ? e.loaded / e.total : 0);
		x.onload = () => resolve(new Response(x.status === 204 ? null : x.responseText, { status: x.status, headers: { 'Retry-After': x.getResponseHeader('Retry-After') ?? '' } }));
		x.onerror = () => reject(new ApiError(0, 'network', ''));
		x.onabort = () => reject(new DOMException('', 'AbortError'));
		o.signal.addEventListener('abort', () => x.abort());
		if (o.signal.aborted) x.abort();
		else x.send(file);
	});
}

export async function call<T>(method: string, path: string, o: CallOptions = {}): Promise<T> {
	const headers: Record<string, string> = {};
	if (o.body !== undefined) headers['Content-Type'] = 'application/json';
	if (method === 'POST' && !path.startsWith('/auth/')) headers['Idempotency-Key'] = o.idempotencyKey ?? randomKey();
	const r = await fetchApi(path + queryString(o.query), {
		method,
		headers,
		body: o.body === undefined ? undefined : JSON.stringify(o.body),
		signal: o.signal,
		keepalive: o.keepalive,
	});
	return (r.status === 204 ? undefined : await r.json()) as T;
}

export const get = <T>(path: string, query?: Query, signal?: AbortSignal) => call<T>('GET', path, { query, signal });
export const post = <T>(path: string, body: unknown = {}, o: CallOptions = {}) => call<T>('POST', path, { ...o, body });
export const patch = <T>(path: string, body: unknown) => call<T>('PATCH', path, { body });
export const del = (path: string, body?: unknown) => call<undefined>('DELETE', path, { body });
