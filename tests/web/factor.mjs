/* The second factor, from its set-up to a sign-in with it. */
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { person, test } from './harness.mjs';

/** RFC 6238, 30 seconds, six digits; `step` ahead of now. */
function code(secret, step = 0) {
	const bits = [...secret.replace(/=+$/, '')].map((c) => 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'.indexOf(c).toString(2).padStart(5, '0')).join('');
	const key = Buffer.from(bits.match(/.{8}/g).map((b) => parseInt(b, 2)));
	const counter = Buffer.alloc(8);
	counter.writeBigUInt64BE(BigInt(Math.floor(Date.now() / 30_000) + step));
	const mac = createHmac('sha1', key).update(counter).digest();
	const at = mac[19] & 15;
	return String((mac.readUInt32BE(at) & 0x7fffffff) % 1_000_000).padStart(6, '0');
}

test('a second factor is set up, asked for, and turned off', async (desk, browser) => {
	const dave = await person(browser, desk, 'dave');
	await dave.goto(`${desk.url}/profile`);
	await dave.getByRole('button', { name: 'Set it up' }).click();
	const dialog = dave.getByRole('dialog', { name: 'Second factor' });
	const secret = await dialog.locator('code').first().textContent();
	const spare = await dialog.getByRole('listitem').first().textContent();
	await dialog.getByLabel('Code of the app').fill('000000');
	await dialog.getByRole('button', { name: 'Confirm' }).click();
	await dialog.locator('[aria-invalid=true]').waitFor();
	await dialog.getByLabel('Code of the app').fill(code(secret));
	await dialog.getByRole('button', { name: 'Confirm' }).click();
	await dave.getByText('It is on.').waitFor();

	await dave.getByRole('button', { name: 'Account of Dave' }).click();
	await dave.getByRole('menuitem', { name: 'Sign out' }).click();
	const { address, password } = desk.account('dave');
	await dave.getByLabel('E-mail address').fill(address);
	await dave.getByLabel('Password', { exact: true }).fill(password);
	await dave.getByRole('button', { name: 'Sign in', exact: true }).click();
	const field = dave.getByLabel('Code of your authenticator app');
	await field.fill('123');
	await dave.getByRole('button', { name: 'Sign in', exact: true }).click();
	await dave.getByText('That code is not right').waitFor();
	await field.fill(spare);
	await dave.getByRole('button', { name: 'Sign in', exact: true }).click();
	await dave.waitForURL(/\/profile|\/tickets/);

	await dave.goto(`${desk.url}/profile`);
	await dave.getByRole('button', { name: 'Turn it off' }).click();
	await dave.getByRole('dialog').getByLabel('Code of the app').fill(code(secret, 1));
	await dave.getByRole('dialog').getByRole('button', { name: 'Turn it off' }).click();
	await dave.getByRole('button', { name: 'Set it up' }).waitFor();
	assert.deepEqual(dave.errors, []);
});
