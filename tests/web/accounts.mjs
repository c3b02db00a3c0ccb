/* Ways into an account that lead through one's mailbox: the link of the mail is followed. */
import assert from 'node:assert/strict';
import { person, test } from './harness.mjs';

async function linkOf(desk, name, page) {
	const { text } = await desk.waitMail(name, `#/${page}?token=`);
	return new RegExp(`https?://\\S+#/${page}\\?token=[\\w.~-]+`).exec(text)[0];
}

test('a forgotten password is set anew by a link, which works once', async (desk, browser) => {
	const { address } = desk.account('bob');
	const page = await person(browser, desk, null);
	await page.getByRole('link', { name: 'Forgotten your password?' }).click();
	await page.getByLabel('E-mail address').fill(address);
	await page.getByRole('button', { name: 'Send the link' }).click();
	await page.getByText('a mail with a link is on its way').waitFor();
	const link = await linkOf(desk, 'bob', 'reset');
	await page.goto(link);
	await page.getByLabel('New password').fill('short');
	await page.getByRole('button', { name: 'Set a password' }).click();
	await page.getByText('shorter than 10').waitFor();
	assert.ok(!page.url().includes('token'), 'the token stays in the address');
	await page.getByLabel('New password').fill('a new one of four words');
	await page.getByRole('button', { name: 'Set a password' }).click();
	await page.getByText('Your password is set').waitFor();
	desk.account('bob').password = 'a new one of four words';
	await page.getByLabel('E-mail address').fill(address);
	await page.getByLabel('Password', { exact: true }).fill('a new one of four words');
	await page.getByRole('button', { name: 'Sign in', exact: true }).click();
	await page.waitForURL(/\/tickets/);

	const again = await person(browser, desk, null);
	await again.goto(link);
	await again.getByLabel('New password').fill('another one of four words');
	await again.getByRole('button', { name: 'Set a password' }).click();
	await again.getByText('used up or too old').waitFor();
	await again.getByRole('link', { name: 'Ask for a new link' }).click();
	await again.getByRole('button', { name: 'Send the link' }).waitFor();
	for (const p of [page, again]) assert.deepEqual(p.errors, []);
});

test('who has no password at hand signs in by a link', async (desk, browser) => {
	const ticket = await (await desk.api('carol'))('POST', '/tickets', { title: 'Led to by a mail', description: 'x' });
	const page = await person(browser, desk, null);
	await page.goto(`${desk.url}/tickets/${ticket.id}`);
	await page.getByRole('button', { name: 'Mail me a link to sign in' }).click();
	await page.getByText('Enter your address first').waitFor();
	await page.getByLabel('E-mail address').fill(desk.address('carol'));
	await page.getByRole('button', { name: 'Mail me a link to sign in' }).click();
	await page.getByText('a mail with a link is on its way').waitFor();
	const link = await linkOf(desk, 'carol', 'sign-in');
	await page.goto(link);
	await page.getByRole('heading', { name: /Led to by a mail/ }).waitFor();
	await page.getByRole('button', { name: 'Account of Carol' }).waitFor();
	assert.ok(!page.url().includes('token'), 'the token stays in the address');

	const again = await person(browser, desk, null);
	await again.goto(link);
	await again.getByText('used up or too old').waitFor();
	for (const p of [page, again]) assert.deepEqual(p.errors, []);
});
