/* The console as people use it: customers, agents and admins, with mail in between. */
import assert from 'node:assert/strict';
import { mail, PATIENCE, person, test, until } from './harness.mjs';

const row = (page, title) => page.getByRole('link', { name: title, exact: true });

test('the life of a ticket, seen by customer, agent and admin', async (desk, browser) => {
	const anna = await person(browser, desk, 'anna');
	await anna.evaluate(() => {
		window.shift = 0;
		new PerformanceObserver((list) => {
			for (const e of list.getEntries()) if (!e.hadRecentInput) window.shift += e.value;
		}).observe({ type: 'layout-shift', buffered: false });
		/* when a row came, by the page itself: who waits for it from outside asks only now and then */
		window.came = {};
		new MutationObserver(() => {
			for (const link of document.querySelectorAll('[data-row]')) window.came[link.textContent] ??= Date.now();
		}).observe(document.body, { subtree: true, childList: true, characterData: true });
	});
	await desk.send('carol', [mail(desk, 'Carol <carol@customer.test>', 'The lamp blinks', 'It blinks all day.\r\n\r\nCarol')]);
	const delivered = Date.now();
	/* by itself: nobody reloads */
	await row(anna, 'The lamp blinks').waitFor();
	const came = await anna.evaluate(() => window.came['The lamp blinks']);
	console.log(`         a customer's mail is in the open list ${came - delivered} ms after its delivery`);
	assert.ok((await anna.evaluate(() => window.shift)) < 0.05, 'the list jumped');

	await row(anna, 'The lamp blinks').click();
	await anna.getByText('It blinks all day.').waitFor();
	await anna.getByRole('button', { name: 'Note', exact: true }).click();
	await anna.getByRole('textbox', { name: 'Note' }).fill('Third lamp this week.');
	await anna.getByRole('button', { name: 'Add note' }).click();
	await anna.getByRole('article', { name: 'Anna, Internal note' }).waitFor();
	await anna.getByRole('button', { name: 'Reply', exact: true }).click();
	await anna.getByRole('textbox', { name: 'Reply' }).fill('Please **turn** the bulb.');
	await anna.getByRole('button', { name: 'Send and resolve' }).click();
	await anna.getByText('turn', { exact: true }).waitFor();
	await anna.getByText('Resolved').first().waitFor();

	const answer = await desk.waitMail('carol', 'the bulb');
	assert.match(answer.subject, /The lamp blinks/);
	assert.doesNotMatch(answer.text, /Third lamp/);

	const carol = await person(browser, desk, 'carol');
	await row(carol, 'The lamp blinks').click();
	await carol.getByText('turn', { exact: true }).waitFor();
	assert.equal(await carol.getByText('Third lamp this week.').count(), 0, 'a customer sees a note');
	await carol.getByRole('textbox', { name: 'Reply' }).fill('It still blinks.');
	await carol.getByRole('button', { name: 'Send', exact: true }).click();
	await carol.getByText('It still blinks.').waitFor();

	const admin = await person(browser, desk, 'admin');
	await row(admin, 'The lamp blinks').click();
	await admin.getByText('It still blinks.').waitFor();
	await admin.getByRole('button', { name: 'History' }).click();
	await admin.getByText('Resolved', { exact: true }).first().waitFor();
	await admin.getByRole('button', { name: 'Mails' }).click();
	await admin.getByText('sent', { exact: true }).first().waitFor();
	for (const page of [anna, carol, admin]) assert.deepEqual(page.errors, []);
});

test('from signing up to the first ticket', async (desk, browser) => {
	const page = await person(browser, desk, null);
	await page.getByRole('link', { name: 'Make an account' }).click();
	await page.getByLabel('Your name').fill('Erin');
	await page.getByLabel('E-mail address').fill('dave+erin@customer.test');
	await page.getByLabel('Password').fill('short');
	await page.getByRole('button', { name: 'Make an account' }).click();
	await page.getByText('shorter than 10').waitFor();
	await page.getByLabel('Password').fill('correct horse battery');
	await page.getByRole('button', { name: 'Make an account' }).click();
	await page.getByText('is on its way').waitFor();
	const { text } = await desk.waitMail('dave', '#/verify?token=');
	const link = /https?:\/\/\S+#\/verify\?token=[\w.~-]+/.exec(text)[0];
	await page.goto(link);
	await page.getByText('Your address is confirmed').waitFor();
	assert.ok(!page.url().includes('token'), 'the token stays in the address');
	await page.getByLabel('E-mail address').fill('dave+erin@customer.test');
	await page.getByLabel('Password', { exact: true }).fill('correct horse battery');
	await page.getByRole('button', { name: 'Sign in', exact: true }).click();
	await page.getByText('You have no tickets yet').waitFor();
	await page.getByRole('link', { name: 'New ticket' }).first().click();
	await page.getByLabel('Subject').fill('My first ticket');
	await page.getByLabel('What is it?').fill('Hello there.');
	await page.getByRole('button', { name: 'Create ticket' }).click();
	await page.getByRole('heading', { name: /My first ticket/ }).waitFor();
	assert.deepEqual(page.errors, []);
});

async function made(desk, title) {
	const carol = await desk.api('carol');
	return carol('POST', '/tickets', { title, description: `About ${title}.` });
}

test('two agents in conflict see both versions, and nothing is lost', async (desk, browser) => {
	const ticket = await made(desk, 'Two at once');
	const [anna, bob] = [await person(browser, desk, 'anna'), await person(browser, desk, 'bob')];
	await bob.context().route('**/api/v1/events', (r) => r.abort()); /* he hears of nothing */
	for (const page of [anna, bob]) await page.goto(`${desk.url}/tickets/${ticket.id}`);
	await bob.getByLabel('Priority').waitFor();
	await anna.getByText('Bob is looking at it').waitFor();
	await bob.getByRole('textbox', { name: 'Reply' }).fill('Bob was here, too.');
	await anna.getByLabel('Priority').selectOption('high');
	await until('her change', async () => (await (await desk.api('anna'))('GET', `/tickets/${ticket.id}`)).priority === 'high');

	await bob.getByLabel('Priority').selectOption('critical');
	const dialog = bob.getByRole('dialog', { name: 'Somebody else changed this' });
	await dialog.getByRole('cell', { name: 'High' }).waitFor();
	await dialog.getByRole('cell', { name: 'Critical' }).waitFor();
	await dialog.getByRole('button', { name: 'Use mine' }).click();
	await until('his choice', async () => (await (await desk.api('anna'))('GET', `/tickets/${ticket.id}`)).priority === 'critical');

	/* answers, too: what came meanwhile is shown first */
	await anna.getByRole('textbox', { name: 'Reply' }).fill('Anna answers first.');
	await anna.getByRole('textbox', { name: 'Reply' }).press('Control+Enter');
	await anna.getByRole('article').getByText('Anna answers first.').waitFor();
	await until('her answer', async () => (await (await desk.api('bob'))('GET', `/tickets/${ticket.id}/comments`)).total === 2);
	await bob.getByRole('button', { name: 'Send', exact: true }).click();
	const both = bob.getByRole('dialog', { name: 'The ticket changed while you wrote' });
	await both.getByText('Anna answers first.').waitFor();
	await both.getByText('Bob was here, too.').waitFor();
	await both.getByRole('button', { name: 'Keep editing' }).click();
	assert.equal(await bob.getByRole('textbox', { name: 'Reply' }).inputValue(), 'Bob was here, too.');
	await bob.getByRole('button', { name: 'Send', exact: true }).click();
	await bob.getByRole('article').getByText('Bob was here, too.').waitFor();
	for (const page of [anna, bob]) assert.deepEqual(page.errors, []);
});

test('an answer can be taken back, and goes at once when the page goes', async (desk, browser) => {
	const ticket = await made(desk, 'Second thoughts');
	const anna = await person(browser, desk, 'anna');
	await anna.goto(`${desk.url}/tickets/${ticket.id}`);
	const box = anna.getByRole('textbox', { name: 'Reply' });
	await box.fill('No.');
	await anna.getByRole('button', { name: 'Send', exact: true }).click();
	await anna.getByRole('button', { name: 'Undo' }).click();
	assert.equal(await box.inputValue(), 'No.');
	await box.fill('Yes, with pleasure.');
	await anna.getByRole('button', { name: 'Send', exact: true }).click();
	await anna.getByRole('button', { name: 'Undo' }).waitFor();
	await anna.getByRole('link', { name: 'Dashboard' }).click();
	const api = await desk.api('anna');
	const bodies = await until('the answer', async () => {
		const { items } = await api('GET', `/tickets/${ticket.id}/comments`);
		return items.length === 2 && items.map((c) => c.body);
	});
	assert.equal(bodies[1], 'Yes, with pleasure.');

	await anna.goto(`${desk.url}/tickets/${ticket.id}`);
	await box.fill('And goodbye.');
	await anna.getByRole('button', { name: 'Send', exact: true }).click();
	await anna.getByRole('button', { name: 'Undo' }).waitFor();
	await anna.reload();
	await until('the last answer', async () => (await api('GET', `/tickets/${ticket.id}/comments`)).total === 3);
	await anna.getByRole('article').getByText('And goodbye.').waitFor();
	await anna.reload();
	await anna.getByRole('article').getByText('And goodbye.').waitFor();
	assert.equal(await box.inputValue(), '', 'what was sent is still a draft');
});

test('a lost connection is said, nothing typed is lost, and all goes on', async (desk, browser) => {
	const ticket = await made(desk, 'Far away');
	const anna = await person(browser, desk, 'anna');
	await anna.goto(`${desk.url}/tickets/${ticket.id}`);
	const box = anna.getByRole('textbox', { name: 'Reply' });
	await box.fill('Written on a train.');
	await anna.context().setOffline(true);
	await anna.getByText('No connection.').waitFor();
	await anna.getByLabel('Priority').selectOption('low');
	await anna.getByText('The desk cannot be reached').first().waitFor();
	assert.equal(await box.inputValue(), 'Written on a train.');
	await anna.context().setOffline(false);
	await anna.getByText('No connection.').waitFor({ state: 'detached' });
	await anna.reload();
	assert.equal(await box.inputValue(), 'Written on a train.', 'the draft is gone');
	await anna.getByRole('button', { name: 'Send', exact: true }).click();
	await anna.getByRole('article').getByText('Written on a train.').waitFor();
});

test('a desk that cannot be reached is said soon, and asked again by itself', async (desk, browser) => {
	await made(desk, 'Out of reach');
	const anna = await person(browser, desk, 'anna');
	const lost = (route) => route.abort();
	await anna.context().route('**/api/v1/**', lost);
	const begin = Date.now();
	await anna.getByRole('link', { name: 'Dashboard' }).click();
	await anna.getByText('does not answer yet').waitFor();
	assert.ok(Date.now() - begin < 5000, 'it took long to say so');
	await anna.context().unroute('**/api/v1/**', lost);
	await anna.getByRole('heading', { name: 'Unresolved by priority' }).waitFor();

	/* who comes while it is down waits at the same place, and goes on by themselves */
	await anna.context().route('**/api/v1/**', lost);
	await anna.goto(`${desk.url}/tickets`);
	await anna.getByText('The desk cannot be reached').waitFor();
	await anna.context().unroute('**/api/v1/**', lost);
	await row(anna, 'Out of reach').waitFor();
});

test('with the keyboard alone: find, select, open, answer', async (desk, browser) => {
	await made(desk, 'Keys 1');
	await made(desk, 'Keys 2');
	const page = await person(browser, desk, null);
	const { address, password } = desk.account('anna');
	await page.getByLabel('E-mail address').waitFor();
	await page.keyboard.type(address);
	await page.keyboard.press('Tab');
	await page.keyboard.type(password);
	await page.keyboard.press('Enter');
	await page.waitForURL(/\/tickets/);
	await page.getByRole('searchbox').waitFor();
	await page.keyboard.press('/');
	await page.keyboard.type('Keys');
	await page.waitForURL(/q=Keys/);
	await row(page, 'Keys 2').waitFor();
	await page.evaluate(() => document.activeElement?.blur());
	await page.keyboard.press('?');
	await page.getByRole('dialog', { name: 'Keyboard' }).waitFor();
	await page.keyboard.press('Escape');
	await page.getByRole('dialog', { name: 'Keyboard' }).waitFor({ state: 'detached' });
	await page.keyboard.press('j');
	await page.keyboard.press('x');
	await page.getByRole('toolbar', { name: '1 selected' }).waitFor();
	await page.keyboard.press('Escape');
	await page.keyboard.press('j');
	await page.keyboard.press('k');
	const first = await page.evaluate(() => document.activeElement?.textContent);
	await page.keyboard.press('Enter');
	await page.getByRole('heading', { name: new RegExp(first) }).waitFor();
	await page.keyboard.press('r');
	await page.keyboard.type('By keys.');
	await page.keyboard.press('Control+Enter');
	await page.getByRole('article').getByText('By keys.').waitFor();
});

test('what many commands did is said of each ticket', async (desk, browser) => {
	const tickets = [await made(desk, 'Bulk 1'), await made(desk, 'Bulk 2')];
	const anna = await person(browser, desk, 'anna');
	await anna.goto(`${desk.url}/tickets?q=Bulk`);
	for (const t of tickets) await anna.getByRole('checkbox', { name: `Select #${t.id}` }).check();
	await anna.getByRole('button', { name: 'Take', exact: true }).click();
	await anna.getByText('2 tickets changed.').waitFor();
	const api = await desk.api('anna');
	for (const t of tickets) assert.equal((await api('GET', `/tickets/${t.id}`)).assignee.name, 'Anna');
});

test('a command is tried without being done, then done', async (desk, browser) => {
	const ticket = await made(desk, 'Commands');
	const anna = await person(browser, desk, 'anna');
	await anna.goto(`${desk.url}/tickets/${ticket.id}`);
	await anna.locator('summary', { hasText: 'Commands' }).click();
	await anna.getByRole('textbox', { name: 'Commands' }).fill('#take\n#tag +lamp');
	await anna.getByRole('button', { name: 'Try without doing it' }).click();
	await anna.getByText('This would be done:').waitFor();
	const api = await desk.api('anna');
	assert.equal((await api('GET', `/tickets/${ticket.id}`)).assignee, null);
	await anna.getByRole('button', { name: 'Run' }).click();
	await until('it is done', async () => (await api('GET', `/tickets/${ticket.id}`)).tags.length === 1);
});

test('an ended session asks to sign in again, and leads back', async (desk, browser) => {
	const ticket = await made(desk, 'Session');
	const anna = await person(browser, desk, 'anna');
	await anna.goto(`${desk.url}/tickets/${ticket.id}`);
	await anna.getByRole('textbox', { name: 'Reply' }).fill('Half a sentence');
	await anna.context().clearCookies();
	await anna.reload();
	await anna.getByLabel('E-mail address').fill(desk.account('anna').address);
	await anna.getByLabel('Password', { exact: true }).fill(desk.account('anna').password);
	await anna.getByRole('button', { name: 'Sign in', exact: true }).click();
	await anna.waitForURL(new RegExp(`/tickets/${ticket.id}`), { timeout: PATIENCE });
	assert.equal(await anna.getByRole('textbox', { name: 'Reply' }).inputValue(), 'Half a sentence');
});
