import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ApiError, call, get, haveToken, onSignedOut, post, queryString } from './client';
import type { Token } from './types';

type Answer = { status: number; body?: unknown; headers?: Record<string, string> } | Error;

let asked: { path: string; init: RequestInit }[];

function answer(script: (path: string, n: number) => Answer) {
	asked = [];
	vi.stubGlobal('fetch', (path: string, init: RequestInit) => {
		asked.push({ path, init });
		const a = script(path, asked.length);
		if (a instanceof Error) return Promise.reject(a);
		return Promise.resolve(new Response(a.status === 204 ? null : JSON.stringify(a.body ?? {}), { status: a.status, headers: a.headers }));
	});
}

const token = (name: string, seconds = 600) => ({ access_token: name, token_type: 'Bearer', expires_in: seconds, user: {} }) as Token;
const auth = (i: number) => (asked[i]?.init.headers as Record<string, string>).Authorization;

beforeEach(() => {
	haveToken(token('first'));
	onSignedOut(() => {});
});
afterEach(() => vi.unstubAllGlobals());

describe('a call', () => {
	it('renews a token that ran out, once, and goes on', async () => {
		answer((path, n) => (path.endsWith('/auth/refresh') ? { status: 200, body: token('second') } : n === 1 ? { status: 401, body: { code: 'unauthorized' } } : { status: 200, body: { id: 1 } }));
		await expect(get('/tickets/1')).resolves.toEqual({ id: 1 });
		expect(asked.map((a) => a.path)).toEqual(['/api/v1/tickets/1', '/api/v1/auth/refresh', '/api/v1/tickets/1']);
		expect([auth(0), auth(2)]).toEqual(['Bearer first', 'Bearer second']);
	});
	it('renews for many calls at a time once', async () => {
		haveToken(token('old', 1));
		answer((path) => (path.endsWith('/auth/refresh') ? { status: 200, body: token('new') } : { status: 200 }));
		await Promise.all([get('/a'), get('/b'), get('/c')]);
		expect(asked.filter((a) => a.path.endsWith('/auth/refresh'))).toHaveLength(1);
	});
	it('says when nobody is signed in any more', async () => {
		const out = vi.fn();
		onSignedOut(out);
		answer(() => ({ status: 401, body: { code: 'unauthorized' } }));
		await expect(get('/tickets')).rejects.toMatchObject({ status: 401 });
		expect(out).toHaveBeenCalledOnce();
	});
	it('does not sign out when the desk is restarted meanwhile', async () => {
		const out = vi.fn();
		onSignedOut(out);
		answer((path) => (path.endsWith('/auth/refresh') ? { status: 503, body: { code: 'unavailable' } } : { status: 401, body: { code: 'unauthorized' } }));
		await expect(get('/tickets')).rejects.toMatchObject({ status: 503 });
		expect(out).not.toHaveBeenCalled();
	});
	it('makes a problem an error with its fields', async () => {
		answer(() => ({ status: 422, body: { code: 'validation', detail: 'no', errors: [{ field: 'name', message: 'too long' }] } }));
		const e = (await post('/tags', {}).catch((x: unknown) => x)) as ApiError;
		expect(e.code).toBe('validation');
		expect(e.field('name')?.message).toBe('too long');
	});
	it('makes no answer at all an error of status 0, and what no problem+json is one, too', async () => {
		answer(() => new TypeError('failed to fetch'));
		await expect(get('/x')).rejects.toMatchObject({ status: 0, code: 'network' });
		vi.stubGlobal('fetch', () => Promise.resolve(new Response('<html>', { status: 502, headers: { 'Retry-After': '7' } })));
		await expect(get('/x')).rejects.toMatchObject({ status: 502, code: 'http_502', retryAfter: 7 });
	});
	it('sends each POST with a key of its own, and the same for a second try', async () => {
		answer(() => ({ status: 201 }));
		await post('/tickets', {});
		await post('/tickets', {});
		await call('POST', '/tickets', { body: {}, idempotencyKey: 'k' });
		const keys = asked.map((a) => (a.init.headers as Record<string, string>)['Idempotency-Key']);
		expect(new Set(keys).size).toBe(3);
		expect(keys[2]).toBe('k');
	});
});

it('leaves out what a query has not', () => {
	expect(queryString({ a: '', b: null, c: undefined, d: 'x y', e: 0, f: false })).toBe('?d=x+y&e=0&f=false');
	expect(queryString({})).toBe('');
});
