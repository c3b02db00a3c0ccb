import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import tailwindcss from '@tailwindcss/vite';
import react from '@vitejs/plugin-react';
import type { Plugin } from 'vite';
import { defineConfig } from 'vitest/config';

/* What the daemon has to know of the console beside its files: the policy that index.html is sent
 * with, and which addresses are pages of it (src/routes.ts). */
function forTheDaemon(): Plugin {
	let out = '';
	return {
		name: 'for-the-daemon',
		apply: 'build',
		configResolved(config) {
			out = join(config.root, config.build.outDir);
		},
		closeBundle() {
			const html = readFileSync(join(out, 'index.html'), 'utf8');
			const hashes = [...html.matchAll(/<script>([\s\S]*?)<\/script>/g)].map(
				(m) => `'sha256-${createHash('sha256').update(m[1] ?? '').digest('base64')}'`,
			);
			const policy = [
				"default-src 'none'",
				`script-src 'self' ${hashes.join(' ')}`,
				"style-src 'self' 'unsafe-inline'",
				/* Pictures of other hosts are for mails only: their frame has a policy of its own that
				 * allows none until the reader asks, but it cannot allow more than its page does. */
				"img-src 'self' data: blob: https:",
				"connect-src 'self'",
				"font-src 'self'",
				"frame-src 'self'",
				"manifest-src 'self'",
				"base-uri 'none'",
				"form-action 'self'",
				"frame-ancestors 'none'",
			].join('; ');
			writeFileSync(join(out, 'policy.txt'), policy);
			const table = readFileSync(join(import.meta.dirname ?? '.', 'src/routes.ts'), 'utf8');
			const routes = [...table.matchAll(/^\t\{ path: '([a-z-]+)/gm)].map((m) => m[1]);
			writeFileSync(join(out, 'routes.txt'), [...new Set(routes)].join('\n') + '\n');
		},
	};
}

export default defineConfig({
	plugins: [react(), tailwindcss(), forTheDaemon()],
	build: {
		target: 'es2022',
		assetsInlineLimit: 0,
		modulePreload: { polyfill: false },
		chunkSizeWarningLimit: 400,
	},
	/* npm run dev: a daemon that is asked for everything else, such as the sandbox's. */
	server: { proxy: { '/api': process.env.MAILDESK_URL ?? 'http://127.0.0.1:8025' } },
	test: {
		environment: 'jsdom',
		include: ['src/**/*.test.{ts,tsx}'],
		restoreMocks: true,
	},
});
