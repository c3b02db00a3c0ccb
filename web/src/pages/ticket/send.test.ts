import { expect, it } from 'vitest';
import type { Ticket, User } from '../../api/types';
import { pressingClock } from '../../ui/ticket-parts';
import { fillIn, resolveCommands } from './send';

const anna = { id: 1, name: 'Anna' };

it('resolves from wherever the ticket is', () => {
	expect(resolveCommands({ status: 'in_progress', allowed_statuses: ['pending', 'resolved'], assignee: anna })).toBe('#resolve');
	expect(resolveCommands({ status: 'open', allowed_statuses: ['in_progress', 'closed'], assignee: null })).toBe('#take\n#resolve');
	expect(resolveCommands({ status: 'reopened', allowed_statuses: ['in_progress'], assignee: anna })).toBe('#start\n#resolve');
	expect(resolveCommands({ status: 'closed', allowed_statuses: ['reopened'], assignee: anna })).toBeNull();
});

it('fills in the variables it knows, and leaves the others to be seen', () => {
	const ticket = { id: 7, title: 'Lamp', requester: { id: 2, name: 'Carol' }, assignee: null } as unknown as Ticket;
	expect(fillIn('Dear {{requester.name}}, #{{ ticket.id }} {{{ticket.title}}} {{nobody.knows}}', ticket, anna as User)).toBe('Dear Carol, #7 Lamp {{nobody.knows}}');
});

it('shows the clock that is due first, and none when all is done', () => {
	const sla = {
		first_response: { due: '2026-01-01T10:00:00Z', state: 'met' },
		next_response: null,
		update: { due: '2026-01-01T12:00:00Z', state: 'running' },
		resolution: { due: '2026-01-01T11:00:00Z', state: 'running' },
	};
	expect(pressingClock({ sla, status: 'open' })?.metric).toBe('resolution');
	expect(pressingClock({ sla, status: 'resolved' })).toBeNull();
});
