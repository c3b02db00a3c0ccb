/* Dialogs and menus by keys alone: the focus goes in, stays in and comes back; axe looks at each. */
import assert from 'node:assert/strict';
import { mail, person, serious, test, until } from './harness.mjs';

const focusIn = (page, selector) => page.evaluate((s) => !!document.activeElement?.closest(s), selector);

async function pressed(page, opener) {
	await opener.focus();
	await page.keyboard.press('Enter');
}

/** As it is open, in both themes: the colours change beneath it. */
async function looked(page, where, problems) {
	for (const colorScheme of ['dark', 'light']) {
		await page.emulateMedia({ colorScheme });
		for (const line of await serious(page)) problems.push(`${where}, ${colorScheme}: ${line}`);
	}
}

async function dialogByKeys(page, opener, name, problems) {
	const where = name instanceof RegExp ? name.source : name;
	await pressed(page, opener);
	const dialog = page.getByRole('dialog', { name });
	await dialog.waitFor();
	await page.waitForFunction(() => !document.querySelector('dialog .skeleton'));
	await looked(page, where, problems);
	if (!(await focusIn(page, 'dialog'))) problems.push(`${where}: the focus is not in it`);
	const first = dialog.locator('input, select, textarea').first();
	/* of the second factor the picture comes first, to be scanned */
	if (name !== 'Second factor' && (await first.count()) && !(await first.evaluate((e) => e === document.activeElement))) problems.push(`${where}: one cannot begin to type`);
	for (let i = 0; i < 12; i++) {
		await page.keyboard.press('Tab');
		/* the browser's own buttons come between, but nothing of the page below */
		if (await page.evaluate(() => document.activeElement !== document.body && !document.activeElement?.closest('dialog'))) problems.push(`${where}: Tab leaves it`);
	}
	await page.keyboard.press('Escape');
	await dialog.waitFor({ state: 'detached' });
	if (!(await opener.evaluate((e) => e === document.activeElement))) problems.push(`${where}: the focus does not come back`);
}

async function menuByKeys(page, opener, problems) {
	const where = await opener.getAttribute('aria-label');
	await pressed(page, opener);
	await page.getByRole('menu').waitFor();
	await looked(page, `menu ${where}`, problems);
	const covered = await page.evaluate(() =>
		[...document.querySelectorAll('[role^=menuitem]')].filter((item) => {
			const r = item.getBoundingClientRect();
			return !item.contains(document.elementFromPoint(r.x + r.width / 2, r.y + r.height / 2));
		}).length,
	);
	if (covered) problems.push(`menu ${where}: ${covered} of its items are cut off or covered`);
	if (!(await focusIn(page, '[role=menu]'))) problems.push(`menu ${where}: the focus is not in it`);
	await page.keyboard.press('End');
	await page.keyboard.press('ArrowDown');
	if (!(await focusIn(page, '[role=menu]'))) problems.push(`menu ${where}: arrows leave it`);
	await page.keyboard.press('Escape');
	await page.getByRole('menu').waitFor({ state: 'detached' });
	if (!(await opener.evaluate((e) => e === document.activeElement))) problems.push(`menu ${where}: the focus does not come back`);
}

test('dialogs and menus work by keys, and axe finds nothing serious in them', async (desk, browser) => {
	const problems = [];
	const title = 'By keys';
	await desk.send('dave', [mail(desk, 'Dave <dave@customer.test>', title, 'Text of it.')]);
	const admin = await person(browser, desk, 'admin');
	await admin.getByRole('link', { name: title, exact: true }).click();
	await admin.getByRole('article').first().waitFor();
	const button = (name) => admin.getByRole('button', { name, exact: true }).first();
	await menuByKeys(admin, button('Actions'), problems);
	await menuByKeys(admin, button('Actions for this comment'), problems);
	await menuByKeys(admin, admin.getByRole('button', { name: /^Account of/ }), problems);
	await admin.locator('summary', { hasText: 'Links' }).click();
	await dialogByKeys(admin, admin.getByRole('button', { name: 'Link to another ticket' }).last(), 'Link to another ticket', problems);
	await admin.getByRole('button', { name: 'Mails', exact: true }).click();
	await dialogByKeys(admin, admin.getByRole('button', { name: /^Original mail/ }).first(), 'Original mail', problems);
	await dialogByKeys(admin, admin.getByRole('button', { name: /^What was done with it/ }).first(), /^What was done/, problems);
	for (const [path, opener] of [
		['/users', 'New person'],
		['/teams', 'New team'],
		['/tags', 'New tag'],
		['/canned-replies', 'New canned reply'],
		['/webhooks', 'New webhook'],
		['/api-keys', 'New API key'],
		['/quarantine?show=blocked', 'Block a sender'],
		['/profile', 'Set it up'],
	]) {
		await admin.goto(desk.url + path);
		await dialogByKeys(admin, button(opener), opener === 'Set it up' ? 'Second factor' : opener, problems);
	}
	await admin.goto(`${desk.url}/users`);
	await menuByKeys(admin, admin.getByRole('button', { name: /^More/ }).first(), problems);
	await menuByKeys(admin, admin.getByRole('button', { name: /^More/ }).last(), problems); /* no room below it in its table */
	assert.deepEqual(problems, []);
	assert.deepEqual(admin.errors, []);
});

test('a ticket is read, answered and resolved by keys alone, and an answer taken back', async (desk, browser) => {
	await (await desk.api('carol'))('POST', '/tickets', { title: 'Only keys', description: 'No mouse here.' });
	const anna = await person(browser, desk, 'anna');
	const key = (name) => anna.keyboard.press(name);
	await anna.goto(`${desk.url}/tickets?q=Only+keys`);
	await anna.getByRole('link', { name: 'Only keys', exact: true }).waitFor();
	await key('j');
	await key('Enter');
	await anna.getByRole('article').getByText('No mouse here.').waitFor();
	assert.ok(await focusIn(anna, 'main'), 'the focus is lost on the way to the ticket');
	await key('r');
	await anna.keyboard.type('Nor here.');
	const send = async () => {
		const button = anna.getByRole('button', { name: 'Send and resolve' });
		for (let i = 0; i < 8 && !(await button.evaluate((e) => e === document.activeElement)); i++) await key('Tab');
		await key('Enter');
	};
	await send();
	assert.ok(await focusIn(anna, 'section'), 'the focus is lost with what was sent');
	await key('z');
	await key('r');
	const reply = anna.getByRole('textbox', { name: 'Reply' });
	assert.equal(await reply.inputValue(), 'Nor here.', 'it was not taken back');
	await send();
	await anna.getByText('Resolved').first().waitFor();
	assert.equal(await anna.getByRole('article').getByText('Nor here.').count(), 1);
	assert.deepEqual(anna.errors, []);
});

test('a field that is missing is in sight, below the header', async (desk, browser) => {
	const carol = await person(browser, desk, 'carol', { viewport: { width: 320, height: 500 } });
	await carol.goto(`${desk.url}/tickets/new`);
	await carol.getByRole('button', { name: 'Create ticket' }).click();
	const subject = carol.getByLabel('Subject');
	await until('it has the focus', () => subject.evaluate((e) => e === document.activeElement));
	const hidden = () => subject.evaluate((e) => e.getBoundingClientRect().top < document.querySelector('header').getBoundingClientRect().bottom);
	await until('it is in sight', async () => !(await hidden()));
});

/* WCAG 2.5.8: 24 by 24, or with so much room around it that a circle of that size meets no other. */
test('what is touched is large enough, or far enough from others', async (desk, browser) => {
	const small = [];
	const ticket = await (await desk.api('carol'))('POST', '/tickets', { title: 'Touched', description: 'x' });
	await (await desk.api('anna'))('PATCH', `/tickets/${ticket.id}`, { tags: ['one', 'two'] });
	const admin = await person(browser, desk, 'admin', { viewport: { width: 320, height: 700 }, hasTouch: true });
	for (const path of ['/tickets', `/tickets/${ticket.id}`, '/users', '/quarantine', '/dashboard', '/profile', '/tickets/new']) {
		await admin.goto(desk.url + path);
		await admin.getByRole('heading', { level: 1 }).first().waitFor();
		await admin.waitForFunction(() => !document.querySelector('.skeleton'));
		small.push(
			...(await admin.evaluate((where) => {
				const all = [...document.querySelectorAll('a[href], button, summary, select, textarea, input:not([type=hidden])')].filter((e) => e.checkVisibility({ visibilityProperty: true }) && !e.closest('.sr-only'));
				const boxes = all.map((e) => (e.matches('input[type=checkbox], input[type=radio], input[type=file]') ? (e.closest('label') ?? e) : e).getBoundingClientRect());
				const near = (a, b) => {
					const [x, y] = [(a.left + a.right) / 2, (a.top + a.bottom) / 2];
					const [dx, dy] = [Math.max(b.left - x, 0, x - b.right), Math.max(b.top - y, 0, y - b.bottom)];
					return Math.hypot(dx, dy) < 12;
				};
				return all.flatMap((e, i) => {
					const box = boxes[i];
					const inText = e.matches('a') && e.parentElement && getComputedStyle(e).display === 'inline';
					if (!box.width || inText || (box.width >= 24 && box.height >= 24)) return [];
					return boxes.some((b, j) => j !== i && b.width && !all[j].contains(e) && !e.contains(all[j]) && near(box, b)) ? [`${where}: ${e.outerHTML.slice(0, 120)} ${Math.round(box.width)}×${Math.round(box.height)}`] : [];
				});
			}, path)),
		);
	}
	assert.deepEqual(small, []);
});

test('within a minute of signing in: the first answer, without reading anything', async (desk, browser) => {
	await desk.send('carol', [mail(desk, 'Carol <carol@customer.test>', 'First minute', 'Can you help me?')]);
	const api = await desk.api('anna');
	await until('the mail is a ticket', async () => (await api('GET', '/tickets?q=First+minute')).total === 1);
	const begin = Date.now();
	const anna = await person(browser, desk, 'anna');
	let clicks = 0;
	const click = async (what) => {
		clicks++;
		await what.click();
	};
	await click(anna.getByRole('link', { name: 'First minute', exact: true }));
	await anna.getByRole('textbox', { name: 'Reply' }).fill('Gladly.');
	await click(anna.getByRole('button', { name: 'Send and resolve' }));
	await anna.getByText('Resolved').first().waitFor();
	const ms = Date.now() - begin;
	console.log(`         signed in, answered and resolved in ${(ms / 1000).toFixed(1)} s and ${clicks} clicks`);
	assert.ok(ms < 60_000 && clicks === 2);
	assert.match((await desk.waitMail('carol', 'Gladly.')).subject, /First minute/);
	const ticket = (await api('GET', '/tickets?q=First+minute')).items[0];
	assert.equal(ticket.status, 'resolved');
	const history = (await api('GET', `/tickets/${ticket.id}/history`)).items;
	assert.equal(history.find((h) => h.new_value === 'resolved').source, 'console');
});
