import { act, renderHook } from '@testing-library/react';
import { beforeEach, describe, expect, it } from 'vitest';
import { useDraft } from './draft';
import { dropDrafts } from './store';

const EMPTY = { body: '', note: false };
beforeEach(() => localStorage.clear());

describe('a draft', () => {
	it('is there again after a reload, until it is dropped', () => {
		const first = renderHook(() => useDraft('t', EMPTY));
		act(() => first.result.current[1]({ body: 'half' }));
		first.unmount();
		const second = renderHook(() => useDraft('t', EMPTY));
		expect(second.result.current[0]).toEqual({ body: 'half', note: false });
		act(() => second.result.current[2]());
		expect(renderHook(() => useDraft('t', EMPTY)).result.current[0]).toEqual(EMPTY);
	});
	it('is kept also when the page that writes it is gone', () => {
		const gone = renderHook(() => useDraft('t', EMPTY));
		const change = gone.result.current[1];
		gone.unmount();
		change({ body: 'back again' });
		expect(renderHook(() => useDraft('t', EMPTY)).result.current[0].body).toBe('back again');
	});
	it('is of one thing each', () => {
		const hook = renderHook(({ name }) => useDraft(name, EMPTY), { initialProps: { name: 'a' } });
		act(() => hook.result.current[1]({ body: 'of a' }));
		hook.rerender({ name: 'b' });
		expect(hook.result.current[0].body).toBe('');
	});
	it('goes with its writer', () => {
		const hook = renderHook(() => useDraft('t', EMPTY));
		act(() => hook.result.current[1]({ body: 'secret' }));
		localStorage.setItem('maildesk.theme', 'dark');
		dropDrafts();
		expect(localStorage.length).toBe(1);
	});
	it('bears what is no draft', () => {
		localStorage.setItem('maildesk.draft.t', '{broken');
		expect(renderHook(() => useDraft('t', EMPTY)).result.current[0]).toEqual(EMPTY);
	});
});
