/* What the tests of the console share: a desk of their own, Chromium, people who sign in, mails. */
import { execFile, execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = fileURLToPath(new URL('.', import.meta.url));
const require = createRequire(join(process.env.WEB, 'package.json'));
const { chromium } = require('playwright-core');
const axeSource = readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');

/* Slow machines and sanitised daemons are waited for; only what never comes fails. */
export const PATIENCE = Number(process.env.PATIENCE ?? 90_000);

const tests = [];
export function test(name, run) {
	tests.push({ name, run });
}

export class Desk {
	constructor(dir) {
		this.dir = dir;
		const config = join(here, 'desk.conf');
		execFileSync(join(here, '../sandbox/sandbox'), ['start', dir, '--config', config], { stdio: ['ignore', 'ignore', 'inherit'] });
		this.world = JSON.parse(readFileSync(join(dir, 'sandbox.json'), 'utf8'));
		this.url = this.world.http;
	}
	stop() {
		execFileSync(join(here, '../sandbox/sandbox'), ['stop', this.dir], { stdio: 'ignore' });
	}
	account(name) {
		return this.world.accounts.find((a) => a.address.startsWith(`${name}@`));
	}
	address(name) {
		return this.account(name).address;
	}
	#mail(args, input) {
		return new Promise((resolve, reject) => {
			const child = execFile('/usr/bin/python3', [join(here, 'mail.py'), this.dir, ...args], { maxBuffer: 1 << 26 }, (e, out) => (e ? reject(e) : resolve(out)));
			child.stdin.end(input ?? '');
		});
	}
	/** Raw mails, from that person to the desk. */
	send(login, raws) {
		return this.#mail(['send', login], JSON.stringify(raws.map((raw) => ({ to: this.address('support'), raw }))));
	}
	async waitMail(name, text) {
		return JSON.parse(await this.#mail(['wait', name, text]));
	}
	async api(name) {
		const { address, password } = this.account(name);
		const signIn = await fetch(`${this.url}/api/v1/auth/token`, {
			method: 'POST',
			headers: { 'Content-Type': 'application/json' },
			body: JSON.stringify({ email: address, password }),
		});
		const { access_token } = await signIn.json();
		return async (method, path, body) => {
			const r = await fetch(`${this.url}/api/v1${path}`, {
				method,
				headers: { Authorization: `Bearer ${access_token}`, ...(body ? { 'Content-Type': 'application/json' } : {}) },
				body: body && JSON.stringify(body),
			});
			const text = await r.text();
			if (!r.ok) throw new Error(`${method} ${path}: ${r.status} ${text}`);
			return text ? JSON.parse(text) : null;
		};
	}
}

let next = 0;
export function mail(desk, from, subject, text, more = '') {
	return (
		`From: ${from}\r\nTo: ${desk.address('support')}\r\nSubject: ${subject}\r\n` +
		`Message-ID: <web.${process.pid}.${next++}@client.test>\r\nDate: ${new Date().toUTCString().replace('GMT', '+0000')}\r\nMIME-Version: 1.0\r\n${more}` +
		(more.includes('Content-Type') ? text : `Content-Type: text/plain; charset=utf-8\r\n\r\n${text}\r\n`)
	);
}

export async function until(what, look, patience = PATIENCE) {
	const end = Date.now() + patience;
	for (;;) {
		const found = await look();
		if (found) return found;
		if (Date.now() > end) throw new Error(`not seen: ${what}`);
		await new Promise((done) => setTimeout(done, 100));
	}
}

/** A browser window of somebody, who is signed in by the form. */
export async function person(browser, desk, name, options = {}) {
	const context = await browser.newContext({ locale: 'en-US', viewport: { width: 1280, height: 900 }, reducedMotion: 'reduce', ...options });
	context.setDefaultTimeout(PATIENCE);
	const page = await context.newPage();
	page.errors = [];
	page.on('pageerror', (e) => page.errors.push(e.message));
	page.on('console', (m) => {
		if (m.type() === 'error' && /Content Security Policy|Refused to/.test(m.text())) page.errors.push(m.text());
	});
	await page.goto(desk.url);
	if (name) {
		const { address, password } = desk.account(name);
		await page.getByLabel('E-mail address').fill(address);
		await page.getByLabel('Password', { exact: true }).fill(password);
		await page.getByRole('button', { name: 'Sign in', exact: true }).click();
		await page.waitForURL(/\/tickets/);
	}
	return page;
}

/** What axe finds serious of the page as it is now; of those rules alone, where some are named. */
export async function serious(page, rules) {
	if (!(await page.evaluate(() => 'axe' in globalThis))) await page.evaluate(axeSource);
	const found = await page.evaluate(
		(runOnly) => globalThis.axe.run(document, { runOnly }),
		rules ?? ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'],
	);
	return found.violations
		.filter((v) => v.impact === 'serious' || v.impact === 'critical')
		.map((v) => `${v.id}: ${v.nodes.slice(0, 3).map((n) => n.html.slice(0, 160)).join(' | ')}`);
}

export async function main(dir, only) {
	const desk = new Desk(dir);
	const browser = await chromium.launch({
		executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
		args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking', '--disable-dev-shm-usage', '--disable-extensions', '--no-first-run'],
	});
	let [passed, failed] = [0, 0];
	try {
		for (const { name, run } of tests) {
			if (only && !name.includes(only)) continue;
			const begin = Date.now();
			try {
				await run(desk, browser);
				passed++;
				console.log(`  ok     ${((Date.now() - begin) / 1000).toFixed(1).padStart(5)} s  ${name}`);
			} catch (e) {
				failed++;
				console.log(`  FAILED ${((Date.now() - begin) / 1000).toFixed(1).padStart(5)} s  ${name}\n${e.stack ?? e}`);
			} finally {
				for (const context of browser.contexts()) await context.close();
			}
		}
	} finally {
		await browser.close();
		desk.stop();
	}
	console.log(`browser: ${passed} passed, ${failed} failed`);
	process.exitCode = failed ? 1 : 0;
}
