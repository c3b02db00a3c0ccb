/* Every page of the console: one row each. From it come the router, the navigation, who is shown what,
 * and the list of addresses at which the daemon serves the console (vite.config.ts). */
import type { ComponentType } from 'react';
import type { Role } from './app/session';
import type { Text } from './lib/text';
import m from './messages/common';
import type { IconName } from './ui/icons';

export interface Route {
	path: string;
	/** Whose page it is; 'nobody': shown without being signed in. */
	for: 'nobody' | Role[];
	load: () => Promise<{ default: ComponentType }>;
	/** In the navigation. */
	nav?: { label: Text; icon: IconName; group: 'work' | 'mail' | 'settings' };
}

const everyone: Role[] = ['customer', 'agent', 'admin'];
const staff: Role[] = ['agent', 'admin'];
const admin: Role[] = ['admin'];

// prettier-ignore
export const routes: Route[] = [
	{ path: 'sign-in', for: 'nobody', load: () => import('./pages/sign-in') },
	{ path: 'register', for: 'nobody', load: () => import('./pages/register') },
	{ path: 'forgot', for: 'nobody', load: () => import('./pages/forgot') },
	{ path: 'verify', for: 'nobody', load: () => import('./pages/verify') },
	{ path: 'reset', for: 'nobody', load: () => import('./pages/reset') },

	{ path: 'tickets/new', for: everyone, load: () => import('./pages/new-ticket') },
	{ path: 'tickets/:id', for: everyone, load: () => import('./pages/ticket') },
	{ path: 'tickets', for: everyone, load: () => import('./pages/tickets'), nav: { label: m.tickets, icon: 'inbox', group: 'work' } },
	{ path: 'dashboard', for: staff, load: () => import('./pages/dashboard'), nav: { label: m.dashboard, icon: 'chart', group: 'work' } },
	{ path: 'reports', for: staff, load: () => import('./pages/reports'), nav: { label: m.reports, icon: 'report', group: 'work' } },
	{ path: 'profile', for: everyone, load: () => import('./pages/profile') },

	{ path: 'quarantine', for: staff, load: () => import('./pages/quarantine'), nav: { label: m.quarantine, icon: 'shield', group: 'mail' } },
	{ path: 'outbox', for: staff, load: () => import('./pages/outbox'), nav: { label: m.outbox, icon: 'send', group: 'mail' } },
	{ path: 'mailboxes', for: admin, load: () => import('./pages/mailboxes'), nav: { label: m.mailboxes, icon: 'mailbox', group: 'mail' } },
	{ path: 'health', for: staff, load: () => import('./pages/health'), nav: { label: m.health, icon: 'pulse', group: 'mail' } },

	{ path: 'users', for: staff, load: () => import('./pages/users'), nav: { label: m.users, icon: 'user', group: 'settings' } },
	{ path: 'teams', for: staff, load: () => import('./pages/teams'), nav: { label: m.teams, icon: 'users', group: 'settings' } },
	{ path: 'organisations', for: staff, load: () => import('./pages/organisations'), nav: { label: m.organisations, icon: 'building', group: 'settings' } },
	{ path: 'tags', for: staff, load: () => import('./pages/tags'), nav: { label: m.tags, icon: 'tag', group: 'settings' } },
	{ path: 'canned-replies', for: staff, load: () => import('./pages/canned-replies'), nav: { label: m.cannedReplies, icon: 'reply', group: 'settings' } },
	{ path: 'api-keys', for: admin, load: () => import('./pages/api-keys'), nav: { label: m.apiKeys, icon: 'key', group: 'settings' } },
	{ path: 'webhooks', for: admin, load: () => import('./pages/webhooks'), nav: { label: m.webhooks, icon: 'hook', group: 'settings' } },
	{ path: 'audit', for: admin, load: () => import('./pages/audit'), nav: { label: m.audit, icon: 'list', group: 'settings' } },
];
