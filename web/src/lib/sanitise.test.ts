import { describe, expect, it } from 'vitest';
import { mailDocument, mailHtml, markdownHtml } from './sanitise';

const none = { cid: new Map<string, string>(), remote: false };

describe('a mail', () => {
	const hostile: [string, RegExp][] = [
		['<script>alert(1)</script>', /script/],
		['<img src=x onerror=alert(1)>', /onerror/],
		['<a href="javascript:alert(1)">x</a>', /javascript/],
		['<a href="java\tscript:alert(1)">x</a>', /script/],
		['<svg onload=alert(1)><script>1</script></svg>', /svg|script/],
		['<iframe src="http://evil.test"></iframe>', /iframe|evil/],
		['<form action="http://evil.test"><input></form>', /form|input|evil/],
		['<style>@import "http://evil.test"</style>', /style|evil/],
		['<link rel=stylesheet href="http://evil.test">', /link|evil/],
		['<meta http-equiv=refresh content="0;url=http://evil.test">', /meta|evil/],
		['<base href="http://evil.test">', /base|evil/],
		['<p style="background:url(http://evil.test)">x</p>', /evil/],
		['<p style="background:u\\72l(http://evil.test)">x</p>', /evil/],
		['<p style="background:image-set(\'http://evil.test\' 1x)">x</p>', /evil/],
		['<p style="position:fixed;top:0">x</p>', /fixed/],
		['<table background="http://evil.test"><tr><td>x</td></tr></table>', /evil/],
		['<img srcset="http://evil.test 1x">', /evil/],
		['<img src="data:image/svg+xml,<svg onload=alert(1)>">', /data:/],
		['<video poster="http://evil.test"></video>', /video|evil/],
		['<math><mtext><style><img src onerror=alert(1)></style></mtext></math>', /onerror|math/],
		['<div id="root" class="fixed">x</div>', /root|fixed/],
	];
	for (const [html, never] of hostile)
		it(`loses what it must not have: ${html.slice(0, 50)}`, () => {
			expect(mailHtml(html, none).html).not.toMatch(never);
			expect(markdownHtml(html)).not.toMatch(never);
		});
	it('keeps what it may have', () => {
		const { html } = mailHtml('<table border="1"><tr><td style="color:red" width="10">x</td></tr></table><a href="https://a.test/">b</a>', none);
		expect(html).toContain('style="color:red"');
		expect(html).toContain('width="10"');
		expect(html).toContain('href="https://a.test/"');
		expect(html).toContain('rel="noopener noreferrer nofollow"');
	});
	it('shows its own pictures, and those of other servers when asked', () => {
		const html = '<img src="cid:a@b"><img data-src="http://far.test/x.gif">';
		const cid = new Map([['a@b', 'data:image/png;base64,AA']]);
		const closed = mailHtml(html, { cid, remote: false });
		expect(closed.remote).toBe(true);
		expect(closed.html).toContain('data:image/png;base64,AA');
		expect(closed.html).not.toContain('far.test');
		expect(mailHtml(html, { cid, remote: true }).html).toContain('src="https://far.test/x.gif"');
	});
	it('stands in a document that allows pictures at most', () => {
		expect(mailDocument('x', { remote: false })).toContain("default-src 'none'; style-src 'unsafe-inline'; img-src data:;");
		expect(mailDocument('x', { remote: true })).toContain('img-src data: https:;');
	});
});

it('Markdown has neither styles nor pictures', () => {
	expect(markdownHtml('<p style="color:red"><img src="https://far.test/x"><strong>b</strong></p>')).toBe('<p><strong>b</strong></p>');
});
