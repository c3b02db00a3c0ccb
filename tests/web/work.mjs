/* What agents do with tickets beside answering them: each thing once, as they would do it. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { mail, person, test, until } from './harness.mjs';

async function made(desk, title, by = 'carol') {
	return (await desk.api(by))('POST', '/tickets', { title, description: `About ${title}.` });
}

async function at(browser, desk, name, path) {
	const page = await person(browser, desk, name);
	await page.goto(desk.url + path);
	return page;
}

test('files go up with their progress, and come down as they were', async (desk, browser) => {
	const ticket = await made(desk, 'With files');
	const anna = await at(browser, desk, 'anna', `/tickets/${ticket.id}`);
	const files = anna.locator('input[type=file]');
	const list = anna.getByRole('list', { name: 'Attachments' });
	await anna.getByRole('textbox', { name: 'Reply' }).fill('Here they are.');

	/* a slow line: the upload is seen on its way, then stopped */
	const line = await anna.context().newCDPSession(anna);
	const speed = (uploadThroughput) => line.send('Network.emulateNetworkConditions', { offline: false, latency: 0, downloadThroughput: -1, uploadThroughput });
	await speed(100_000);
	await files.setInputFiles({ name: 'slow.bin', mimeType: 'application/octet-stream', buffer: Buffer.alloc(1_500_000) });
	const progress = anna.getByRole('progressbar', { name: 'slow.bin' });
	await until('it is under way', async () => (await progress.count()) && (await progress.evaluate((e) => e.value)) > 0);
	assert.ok(await anna.getByRole('button', { name: 'Send', exact: true }).isDisabled(), 'half a file could be sent');
	await anna.getByRole('button', { name: 'Stop uploading slow.bin' }).click();
	await progress.waitFor({ state: 'detached' });
	await speed(-1);

	await files.setInputFiles({ name: 'huge.bin', mimeType: 'application/octet-stream', buffer: Buffer.alloc(2_500_000) });
	await anna.getByRole('alert').getByText('too large; up to 2.1 MB').waitFor();
	await anna.getByRole('button', { name: 'Remove huge.bin' }).click();

	const text = 'Lamp & sons\n'.repeat(1000);
	await files.setInputFiles([
		{ name: 'Übersicht (2) "final".txt', mimeType: 'text/plain', buffer: Buffer.from(text) },
		{ name: 'wrong.txt', mimeType: 'text/plain', buffer: Buffer.from('x') },
	]);
	await anna.getByRole('button', { name: 'Remove wrong.txt' }).click();
	await list.getByText('Übersicht (2)').waitFor();
	assert.equal(await anna.getByRole('textbox', { name: 'Reply' }).inputValue(), 'Here they are.');
	await anna.getByRole('button', { name: 'Send', exact: true }).click();
	await anna.getByRole('article').getByText('Here they are.').waitFor();

	const carol = await at(browser, desk, 'carol', `/tickets/${ticket.id}`);
	const [file] = await Promise.all([carol.waitForEvent('download'), carol.getByRole('button', { name: /^Übersicht/ }).click()]);
	assert.match(file.suggestedFilename(), /^Übersicht \(2\) .final.\.txt$/);
	assert.equal(readFileSync(await file.path(), 'utf8'), text);
	assert.equal(await carol.getByText('wrong.txt').count(), 0);
	for (const page of [anna, carol]) assert.deepEqual(page.errors, []);
});

test('tickets are merged, taken out again, split and linked', async (desk, browser) => {
	const [one, two, third] = [await made(desk, 'Merge me'), await made(desk, 'The main one'), await made(desk, 'A neighbour')];
	await (await desk.api('carol'))('POST', `/tickets/${two.id}/comments`, { body: 'And something else entirely.' });
	const anna = await at(browser, desk, 'anna', `/tickets/${one.id}`);
	const dialog = anna.getByRole('dialog');
	const act = async (name) => {
		await anna.getByRole('button', { name: 'Actions', exact: true }).click();
		await anna.getByRole('menuitem', { name }).click();
	};

	await act('Merge into another ticket');
	await dialog.getByLabel('Number of the other ticket').fill(String(one.id));
	await dialog.getByRole('button', { name: 'Merge into another ticket' }).click();
	await dialog.getByRole('alert').waitFor(); /* into itself */
	await dialog.getByLabel('Number of the other ticket').fill(`#${two.id}`);
	await dialog.getByRole('button', { name: 'Merge into another ticket' }).click();
	await anna.getByText(`merged into #${two.id}`).waitFor();
	assert.equal(await anna.getByRole('textbox', { name: 'Reply' }).count(), 0, 'a merged ticket can be answered');
	await anna.getByRole('link', { name: new RegExp(`merged into #${two.id}`) }).click();
	await anna.getByRole('article').getByText('About Merge me.').waitFor();
	await anna.goto(`${desk.url}/tickets/${one.id}`);
	await anna.getByRole('button', { name: 'Take it out again' }).click();
	await anna.getByRole('article').getByText('About Merge me.').waitFor();
	await anna.getByRole('textbox', { name: 'Reply' }).waitFor();

	await anna.goto(`${desk.url}/tickets/${two.id}`);
	const comment = anna.getByRole('article').filter({ hasText: 'something else entirely' });
	await comment.getByRole('button', { name: 'Actions for this comment' }).click();
	await anna.getByRole('menuitem', { name: 'Make it a ticket of its own' }).click();
	await dialog.getByRole('button', { name: 'Make it a ticket of its own' }).click();
	await anna.waitForURL((u) => u.pathname !== `/tickets/${two.id}`);
	await anna.getByRole('article').getByText('And something else entirely.').waitFor();

	await act('Link to another ticket');
	await dialog.getByLabel('How').selectOption('blocks');
	await dialog.getByLabel('Number of the other ticket').fill(String(third.id));
	await dialog.getByRole('button', { name: 'Link to another ticket' }).click();
	await anna.getByRole('link', { name: `#${third.id} A neighbour` }).click();
	await anna.getByRole('heading', { name: /A neighbour/ }).waitFor();
	await anna.getByText('is blocked by').waitFor();
	await anna.getByRole('button', { name: /Remove link to/ }).click();
	await anna.getByText('is blocked by').waitFor({ state: 'detached' });
	assert.deepEqual(anna.errors, []);
});

test('what is refused is not lost: subject, tag, category', async (desk, browser) => {
	const ticket = await made(desk, 'Kept');
	const anna = await at(browser, desk, 'anna', `/tickets/${ticket.id}`);
	await anna.getByLabel('Priority').waitFor();
	await anna.route(`**/api/v1/tickets/${ticket.id}`, (r) => (r.request().method() === 'PATCH' ? r.fulfill({ status: 503, body: '' }) : r.continue()));
	const refused = () => anna.getByText('The desk is busy').last().waitFor();
	await anna.getByRole('button', { name: 'Edit the subject' }).click();
	const subject = anna.getByRole('textbox', { name: 'Subject' });
	await subject.fill('A better subject');
	await subject.press('Enter');
	await refused();
	assert.equal(await subject.inputValue(), 'A better subject');
	const tag = anna.getByRole('combobox', { name: 'Add a tag' });
	await tag.fill('long-thought-of');
	await tag.press('Enter');
	await until('the tag is back', async () => (await tag.inputValue()) === 'long-thought-of');
	await anna.locator('summary', { hasText: 'More' }).click();
	const category = anna.getByLabel('Category');
	await category.fill('Lamps');
	await category.press('Enter');
	await until('the category is back', async () => (await category.inputValue()) === 'Lamps');
	await anna.unroute(`**/api/v1/tickets/${ticket.id}`);
	await subject.press('Enter');
	await anna.getByRole('heading', { name: /A better subject/ }).waitFor();
	assert.deepEqual(anna.errors, []);
});

test('a canned reply knows who it is for, and does what it carries', async (desk, browser) => {
	const ticket = await made(desk, 'Where is it');
	const admin = await at(browser, desk, 'admin', '/canned-replies');
	await admin.getByRole('button', { name: 'New canned reply' }).first().click();
	const form = admin.getByRole('dialog');
	await form.getByLabel('Name').fill('On its way');
	await form.getByLabel('Text').fill('Hello {{requester.name}}, it is on its way.');
	await form.getByLabel(/Commands/).fill('#tag +parcel');
	await form.getByRole('button', { name: 'Save' }).click();
	await admin.getByText('On its way', { exact: true }).waitFor();

	const anna = await at(browser, desk, 'anna', `/tickets/${ticket.id}`);
	await anna.getByRole('button', { name: 'Canned replies' }).click();
	await anna.getByRole('menuitem', { name: 'On its way' }).click();
	assert.equal(await anna.getByRole('textbox', { name: 'Reply' }).inputValue(), 'Hello Carol, it is on its way.');
	await anna.getByRole('button', { name: 'Send', exact: true }).click();
	await anna.getByRole('article').getByText('it is on its way.').waitFor();
	const api = await desk.api('anna');
	await until('its command', async () => (await api('GET', `/tickets/${ticket.id}`)).tags.some((x) => x.name === 'parcel'));
	for (const page of [admin, anna]) assert.deepEqual(page.errors, []);
});

/* The admin: agents, who hear of every mail of the other tests, may be past what is told one by one. */
test('a colleague is named by a few letters, and told', async (desk, browser) => {
	const ticket = await made(desk, 'Ask the admin');
	const anna = await at(browser, desk, 'anna', `/tickets/${ticket.id}`);
	const reply = anna.getByRole('textbox', { name: 'Reply' });
	await reply.pressSequentially('Not @a');
	assert.equal(await anna.getByRole('listbox').count(), 0, 'customers are shown who works here');
	await reply.fill('');
	await anna.getByRole('button', { name: 'Note', exact: true }).click();
	const note = anna.getByRole('textbox', { name: 'Note' });
	await note.pressSequentially('Look here, @');
	const list = anna.getByRole('listbox', { name: 'Colleagues to tell' });
	await list.getByRole('option').nth(1).waitFor();
	await note.press('Escape');
	await list.waitFor({ state: 'detached' });
	await note.pressSequentially('ad');
	await list.getByRole('option', { name: /Admin/, selected: true }).waitFor();
	await note.press('Enter');
	assert.equal(await note.inputValue(), 'Look here, @Admin ');
	await note.pressSequentially('please');
	await note.press('Control+Enter');
	await anna.getByRole('article').getByText('@Admin please').waitFor();
	assert.match((await desk.waitMail('admin', 'Look here, @Admin please')).subject, /Ask the admin/);
});

test('a view is saved, found again and dropped', async (desk, browser) => {
	const ticket = await made(desk, 'Seen in a view');
	await (await desk.api('anna'))('PATCH', `/tickets/${ticket.id}`, { tags: ['viewed'], priority: 'critical' });
	const anna = await at(browser, desk, 'anna', '/tickets');
	await anna.locator('summary', { hasText: 'Filters' }).click();
	await anna.getByLabel('Tags').selectOption('viewed');
	await anna.getByLabel('Priority').selectOption('critical');
	await anna.getByRole('button', { name: 'Save this view' }).click();
	await anna.getByRole('dialog').getByLabel('Name of the view').fill('Critical ones');
	await anna.getByRole('dialog').getByRole('button', { name: 'Save' }).click();
	const view = anna.getByRole('link', { name: 'Critical ones', exact: true });
	await view.waitFor();
	await anna.getByRole('link', { name: 'All', exact: true }).click();
	await view.click();
	await anna.getByRole('link', { name: 'Seen in a view', exact: true }).waitFor();
	assert.equal(await anna.getByRole('list', { name: 'Tickets' }).getByRole('listitem').count(), 1);
	await anna.reload();
	assert.equal(await view.getAttribute('aria-current'), 'page');
	await anna.getByRole('button', { name: 'Delete view “Critical ones”' }).click();
	await view.waitFor({ state: 'detached' });
	assert.deepEqual(anna.errors, []);
});

test('of many tickets those that refuse are named, and stay selected', async (desk, browser) => {
	const [done, closed] = [await made(desk, 'Mass 1'), await made(desk, 'Mass 2')];
	const api = await desk.api('anna');
	await api('POST', `/tickets/${closed.id}/commands`, { text: '#take\n#resolve\n#close' });
	await api('POST', `/tickets/${done.id}/commands`, { text: '#take' });
	const anna = await at(browser, desk, 'anna', '/tickets?q=Mass');
	for (const t of [done, closed]) await anna.getByRole('checkbox', { name: `Select #${t.id}` }).check();
	await anna.getByRole('button', { name: 'Status', exact: true }).click();
	await anna.getByRole('menuitem', { name: 'Resolved' }).click();
	await anna.getByText('1 ticket changed.').waitFor();
	const dialog = anna.getByRole('dialog', { name: 'Not all could be changed' });
	await dialog.getByText(`#${closed.id}`).waitFor();
	assert.equal(await dialog.getByRole('listitem').count(), 1);
	await anna.keyboard.press('Escape');
	await dialog.waitFor({ state: 'detached' });
	await anna.getByRole('toolbar', { name: '1 selected' }).waitFor();
	assert.ok(await anna.getByRole('checkbox', { name: `Select #${closed.id}` }).isChecked());

	/* whatever becomes of it in the list, why it refused can be read to the end */
	await anna.goto(`${desk.url}/tickets?q=Mass&status=closed`);
	await anna.getByRole('checkbox', { name: `Select #${closed.id}` }).check();
	await anna.getByRole('button', { name: 'Status', exact: true }).click();
	await anna.getByRole('menuitem', { name: 'Resolved' }).click();
	await dialog.waitFor();
	await api('POST', `/tickets/${closed.id}/commands`, { text: '#reopen' });
	await anna.locator('main li [data-row]').waitFor({ state: 'detached' });
	assert.ok(await dialog.isVisible(), 'the reason is gone with the row');
	await dialog.getByText(`#${closed.id}`).waitFor();
	assert.deepEqual(anna.errors, []);
});

test('customers see what is theirs, and nothing of the desk', async (desk, browser) => {
	const [mine, other] = [await made(desk, 'Mine to see'), await made(desk, 'Not hers', 'dave')];
	const carol = await at(browser, desk, 'carol', '/tickets');
	await carol.getByRole('searchbox').fill('see');
	await carol.getByRole('link', { name: 'Mine to see', exact: true }).waitFor();
	assert.equal(await carol.getByRole('link', { name: 'Not hers' }).count(), 0);
	for (const name of ['Dashboard', 'Quarantine', 'People', 'Audit log']) assert.equal(await carol.getByRole('link', { name }).count(), 0, name);
	assert.equal(await carol.getByRole('checkbox').count(), 0, 'a customer selects tickets');
	for (const path of [`/tickets/${other.id}`, '/dashboard', '/quarantine', '/users', '/audit', '/mailboxes']) {
		await carol.goto(desk.url + path);
		await carol.getByRole('heading', { name: 'There is nothing here' }).waitFor();
	}
	await carol.goto(`${desk.url}/tickets/${mine.id}`);
	await carol.getByRole('textbox', { name: 'Reply' }).waitFor();
	for (const name of ['Mails', 'Service levels', 'Note', 'Commands']) assert.equal(await carol.getByRole('button', { name, exact: true }).count(), 0, name);
	await carol.getByRole('button', { name: 'Close', exact: true }).click();
	await carol.getByText('Closed').first().waitFor();
	assert.deepEqual(carol.errors, []);
});

test('an admin sees why a mail was held back, lets it in, and has a ticket', async (desk, browser) => {
	const admin = await person(browser, desk, 'admin');
	await admin.getByRole('link', { name: 'Quarantine' }).click();
	await admin.getByRole('button', { name: 'Blocked senders' }).click();
	await admin.getByRole('button', { name: 'Block a sender' }).first().click();
	await admin.getByRole('dialog').getByLabel('Address or domain').fill('shady.test');
	await admin.getByRole('dialog').getByRole('button', { name: 'Save' }).click();
	await admin.getByText('shady.test').first().waitFor();
	await desk.send('dave', [mail(desk, 'Sue <sue@shady.test>', 'A real question', 'May I ask something?')]);
	await admin.getByRole('button', { name: 'Held back' }).click();
	/* by itself: nobody reloads */
	const row = admin.getByRole('listitem').filter({ hasText: 'A real question' });
	await row.getByText('Its sender is blocked.').waitFor();
	await row.getByRole('button', { name: 'Why: A real question' }).click();
	const dialog = admin.getByRole('dialog');
	await dialog.getByText('Its sender is blocked.').first().waitFor();
	await dialog.getByRole('button', { name: 'Close' }).click();
	await row.getByRole('button', { name: 'Look at it: A real question' }).click();
	await dialog.getByLabel('Source of the mail').getByText('May I ask something?').waitFor();
	await dialog.getByRole('button', { name: 'Close' }).click();
	await row.getByRole('button', { name: 'Let it in: A real question' }).click();
	await dialog.getByRole('button', { name: 'Let it in' }).click();
	await admin.getByRole('button', { name: /Open ticket/ }).click();
	await admin.getByRole('article').getByText('May I ask something?').waitFor();
	assert.deepEqual(admin.errors, []);
});

test('what is refused is told in the language of the reader', async (desk, browser) => {
	const ticket = await made(desk, 'Refused in German');
	const anna = await at(browser, desk, 'anna', '/tickets/new');
	/* a person would not leave it sooner */
	await anna.getByLabel('What is it?').waitFor();
	await anna.evaluate(() => localStorage.setItem('maildesk.locale', 'de'));
	await anna.reload();
	await anna.getByLabel('Betreff').fill('   ');
	await anna.getByLabel('Worum geht es?').fill('x');
	await anna.getByLabel(/^Schlagwörter/).fill('s'.repeat(65));
	await anna.getByRole('button', { name: 'Ticket anlegen' }).click();
	await anna.getByText('Das darf nicht leer sein.', { exact: true }).waitFor();
	await anna.getByText('Höchstens 64 Zeichen.', { exact: true }).waitFor();
	await anna.goto(`${desk.url}/tickets/${ticket.id}`);
	await anna.locator('summary').filter({ hasText: 'Befehle' }).click();
	await anna.getByRole('textbox', { name: 'Befehle' }).fill('#resolve');
	await anna.getByRole('button', { name: 'Ausführen' }).click();
	await anna.getByText('Von Offen führt kein Weg zu Gelöst').waitFor();
	assert.deepEqual(anna.errors, []);
});
