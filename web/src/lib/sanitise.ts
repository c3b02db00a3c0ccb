/* Strangers' HTML, once more: the server wrote it anew by an allow-list already; here DOMPurify does
 * the same on its own, and what may load anything is taken out by us.
 *
 * Mails are shown in a frame without scripts or our origin, whose policy allows pictures in `data:`
 * alone, or of the network when the reader asked for them. */
import DOMPurify from 'dompurify';

const TAGS =
	'a abbr address b bdi bdo big blockquote br caption center cite code col colgroup dd del dfn div dl dt em figcaption figure font h1 h2 h3 h4 h5 h6 hr i img ins kbd li mark ol p pre q s samp small span strike strong sub sup table tbody td tfoot th thead time tr tt u ul var wbr'.split(
		' ',
	);
const ATTRIBUTES =
	'align alt bgcolor border cellpadding cellspacing cite color cols colspan data-src datetime dir face height href lang nowrap rowspan scope size span src start style title valign width'.split(
		' ',
	);
const MARKDOWN_TAGS = 'a b blockquote br code del em h1 h2 h3 h4 h5 h6 hr i li ol p pre s strong ul'.split(' ');

const LINK = /^(?:https?:|mailto:|tel:)/i;

function safeLinks(root: ParentNode) {
	for (const a of root.querySelectorAll('a')) {
		if (!LINK.test(a.getAttribute('href') ?? '')) a.removeAttribute('href');
		a.setAttribute('target', '_blank');
		a.setAttribute('rel', 'noopener noreferrer nofollow');
	}
}

/** What our own Markdown makes, as nodes for our own page: no styles, no pictures. */
export function markdownHtml(html: string): string {
	const root = DOMPurify.sanitize(html, {
		ALLOWED_TAGS: MARKDOWN_TAGS,
		ALLOWED_ATTR: ['href', 'title', 'start'],
		ALLOW_DATA_ATTR: false,
		RETURN_DOM_FRAGMENT: true,
	});
	safeLinks(root);
	const box = document.createElement('div');
	box.append(root);
	return box.innerHTML;
}

export interface MailHtml {
	html: string;
	/** There are pictures of other servers in it, shown or not. */
	remote: boolean;
}

/** `cid`: the mail's own pictures as data: addresses, by their ids. */
export function mailHtml(html: string, o: { cid: ReadonlyMap<string, string>; remote: boolean }): MailHtml {
	const root = DOMPurify.sanitize(html, {
		ALLOWED_TAGS: TAGS,
		ALLOWED_ATTR: ATTRIBUTES,
		ALLOW_DATA_ATTR: false,
		ALLOWED_URI_REGEXP: /^(?:(?:https?|mailto|tel|cid):|[^a-z]|[a-z+.-]+(?:[^a-z+.\-:]|$))/i,
		RETURN_DOM_FRAGMENT: true,
	});
	let remote = false;
	safeLinks(root);
	for (const img of root.querySelectorAll('img')) {
		const far = img.getAttribute('data-src') ?? img.getAttribute('src') ?? '';
		img.removeAttribute('data-src');
		img.removeAttribute('src');
		img.setAttribute('loading', 'lazy');
		img.setAttribute('referrerpolicy', 'no-referrer');
		if (/^cid:/i.test(far)) {
			let id = far.slice(4);
			try {
				id = decodeURIComponent(id);
			} catch {
				/* as it is */
			}
			const near = o.cid.get(id);
			if (near) img.setAttribute('src', near);
		} else if (/^https?:\/\//i.test(far)) {
			remote = true;
			/* plain http would be refused on a page of https */
			if (o.remote) img.setAttribute('src', far.replace(/^http:/i, 'https:'));
		}
	}
	/* Styles stay where they load nothing: no function that takes an address, nothing escaped. */
	for (const e of root.querySelectorAll<HTMLElement>('[style]')) {
		const style = e.getAttribute('style') ?? '';
		if (/url|image|expression|import|\\|position|@|var\s*\(|attr\s*\(/i.test(style)) e.removeAttribute('style');
	}
	for (const e of root.querySelectorAll('[background], [srcset], [poster], [formaction], [action], [ping]'))
		for (const name of ['background', 'srcset', 'poster', 'formaction', 'action', 'ping']) e.removeAttribute(name);
	const box = document.createElement('div');
	box.append(root);
	return { html: box.innerHTML, remote };
}

/** How mails look that say nothing about it themselves; measure.ts builds on it, too. */
export const MAIL_STYLE = `body{margin:12px;font:14px/1.55 system-ui,sans-serif;color:#15191d;background:#fff;overflow-wrap:break-word}
img{max-width:100%;height:auto}table{max-width:100%}a{color:#0f766e}
img:not([src]){display:inline-block;width:auto;height:auto;padding:2px 8px;border:1px dashed #868f98;border-radius:4px;color:#525b64;font-size:12px;line-height:18px}
blockquote{margin:.5em 0;padding-left:.8em;border-left:3px solid #dfe3e6;color:#525b64}pre{white-space:pre-wrap}`;

/** The whole document of the frame. */
export function mailDocument(body: string, o: { remote: boolean }): string {
	const policy = `default-src 'none'; style-src 'unsafe-inline'; img-src data:${o.remote ? ' https:' : ''}; form-action 'none'; base-uri 'none'`;
	return `<!DOCTYPE html><html><head><meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="${policy}"><meta name="referrer" content="no-referrer"><style>
:root{color-scheme:light}${MAIL_STYLE}
</style></head><body>${body}</body></html>`;
}
