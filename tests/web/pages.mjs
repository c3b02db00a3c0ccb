/* Every page: usable by all (axe), in both themes, on narrow screens, and small. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { mail, person, serious, test, until } from './harness.mjs';

const web = fileURLToPath(new URL('../../web', import.meta.url));

/* Of routes.ts, so that a new page is looked at, too. */
const staffPages = [...readFileSync(`${web}/src/routes.ts`, 'utf8').matchAll(/^\t\{ path: '([\w/-]+)', for: (?!'nobody')/gm)].map((m) => `/${m[1]}`);
const openPages = ['/sign-in', '/register', '/forgot', '/verify', '/reset'];

async function settled(page) {
	await page.getByRole('heading', { level: 1 }).first().waitFor();
	await page.waitForFunction(() => !document.querySelector('.skeleton'));
}

/* What is wrong with its structure is so in both themes; in the second one its colours are looked at. */
const COLOURS = ['color-contrast', 'link-in-text-block'];

async function look(page, path, problems, where) {
	await settled(page);
	for (const line of await serious(page)) problems.push(`${where} ${path}: ${line}`);
	await page.emulateMedia({ colorScheme: 'dark', reducedMotion: 'reduce' });
	for (const line of await serious(page, COLOURS)) problems.push(`${where} ${path}, dark: ${line}`);
	await page.emulateMedia({ colorScheme: 'light', reducedMotion: 'reduce' });
	await page.setViewportSize({ width: 320, height: 700 });
	if (await page.evaluate(() => document.documentElement.scrollWidth > window.innerWidth)) problems.push(`${where} ${path}: wider than 320 px`);
	await page.setViewportSize({ width: 1280, height: 900 });
}

test('axe finds nothing serious on any page, light and dark, and none is too wide', async (desk, browser) => {
	const problems = [];
	const agent = await desk.api('anna');
	const ticket = await (await desk.api('carol'))('POST', '/tickets', { title: 'Looked at', description: 'Text with https://example.com/ in it.' });
	await agent('POST', `/tickets/${ticket.id}/comments`, { body: '**An** answer.\n\n- one\n- two', commands: '#take\n#tag +web' });
	await agent('POST', `/tickets/${ticket.id}/comments`, { body: 'A note.', is_internal: true });

	const nobody = await person(browser, desk, null);
	for (const path of openPages) {
		await nobody.goto(desk.url + path);
		await look(nobody, path, problems, 'nobody');
	}
	const admin = await person(browser, desk, 'admin');
	const one = [`/tickets/${ticket.id}`, `/tickets/${ticket.id}?tab=history`, `/tickets/${ticket.id}?tab=sla`, `/tickets/${ticket.id}?tab=mails`];
	for (const path of [...staffPages, ...one]) {
		await admin.goto(desk.url + path);
		await look(admin, path, problems, 'admin');
	}
	const carol = await person(browser, desk, 'carol');
	for (const path of ['/tickets', '/tickets/new', `/tickets/${ticket.id}`, '/profile', '/tickets/999999', '/nothing-here']) {
		await carol.goto(desk.url + path);
		await look(carol, path, problems, 'customer');
	}
	assert.deepEqual(problems, []);
	for (const page of [nobody, admin, carol]) assert.deepEqual(page.errors, []);
});

test('the first load is small, and the list is there in no time', async (desk, browser) => {
	const carol = await desk.api('carol');
	for (let i = 0; i < 50; i++) await carol('POST', '/tickets', { title: `Many ${i}`, description: 'x' });
	const anna = await person(browser, desk, 'anna');
	await anna.goto('about:blank');
	let bytes = 0;
	anna.on('response', async (r) => {
		if (!r.url().includes('/assets/') || !r.url().endsWith('.js')) return;
		bytes += Number((await r.allHeaders())['content-length'] ?? 0);
	});
	const session = await anna.context().newCDPSession(anna);
	await session.send('Network.setCacheDisabled', { cacheDisabled: true });
	const begin = Date.now();
	await anna.goto(`${desk.url}/tickets`);
	await anna.getByRole('link', { name: 'Many 49', exact: true }).waitFor();
	const ms = Date.now() - begin;
	await until('all scripts are counted', () => bytes > 50_000);
	console.log(`         ${Math.round(bytes / 1000)} kB of script; list of 50 after ${ms} ms`);
	assert.ok(bytes <= 200_000, `${bytes} bytes of script`);
	assert.equal(await anna.getByRole('list', { name: 'Tickets' }).getByRole('listitem').count(), 50);
});

test('the types of the console are those of the API', async (desk) => {
	execFileSync('node', [`${web}/tools/types.mjs`, `${desk.url}/api/v1/openapi.json`, '--check'], { stdio: 'inherit' });
});

test('what a webhook can be called for is offered, and what can happen to a ticket has a name', () => {
	const at = (path) => readFileSync(fileURLToPath(new URL(`../../${path}`, import.meta.url)), 'utf8');
	const events = [.../event_names\[\] = \{([^}]*)\}/.exec(at('src/app/api/webhooks.c'))[1].matchAll(/"([\w.]+)"/g)].map((m) => m[1]);
	const page = at('web/src/pages/webhooks.tsx');
	assert.deepEqual(events.filter((e) => e !== 'ticket.viewing' && !page.includes(`'${e}'`)), []);
	const sources = ['ticket', 'intake', 'notify', 'mailboxes'].flatMap((room) => readdirSync(new URL(`../../src/app/${room}`, import.meta.url)).map((file) => at(`src/app/${room}/${file}`)));
	const written = /work_history\([^;"]*?"(\w+)"(?: : "(\w+)")?|\.action = (?:\w+ \? )?"(\w+)"(?: : "(\w+)")?/g;
	const actions = sources.flatMap((text) => [...text.matchAll(written)].flatMap((m) => m.slice(1).filter(Boolean)));
	const words = at('web/src/messages/history.ts') + at('web/src/messages/ticket.ts');
	assert.ok(actions.includes('sla_breach') && actions.includes('participant_proposed') && actions.includes('link_removed'));
	assert.deepEqual([...new Set(actions)].filter((a) => !words.includes(`\t${a}: [`)), []);
});

test('what decisions say is said in each language of the console', () => {
	const source = readFileSync(fileURLToPath(new URL('../../src/desk/evidence.c', import.meta.url)), 'utf8');
	const names = [...source.matchAll(/\] = \{\s*"(\w+)",/g)].map((m) => m[1]);
	const texts = readFileSync(`${web}/src/messages/evidence.ts`, 'utf8');
	assert.ok(names.length > 30, 'the sentences of the desk were not found');
	assert.deepEqual(names.filter((name) => !texts.includes(`\t${name}: [`)), []);
});

test('an admin sees why a mail was treated as it was', async (desk, browser) => {
	await desk.send('dave', [mail(desk, 'Dave <dave@customer.test>', 'Why so', 'Explain it.')]);
	const admin = await person(browser, desk, 'admin');
	await admin.getByRole('link', { name: 'Why so', exact: true }).click();
	await admin.getByRole('button', { name: 'Mails' }).click();
	await admin.getByRole('button', { name: /What was done with it/ }).first().click();
	await admin.getByText('It became a ticket').waitFor();
	await admin.getByText('nothing in it names a ticket').waitFor();
	await admin.getByRole('button', { name: 'Close' }).click();
	await admin.getByRole('button', { name: 'Original mail' }).last().click();
	await admin.getByText('Message-ID', { exact: true }).waitFor();
	await admin.getByLabel('Source of the mail').waitFor();
});
