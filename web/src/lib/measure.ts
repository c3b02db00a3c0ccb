/* How tall a mail is. Its frame has no origin of ours and no scripts, so nothing can be asked of it;
 * and giving it our origin only to measure it would take away a wall. Instead the shape of the mail is
 * built here a second time, out of our own elements: texts, a few block and table elements, and of
 * styles only sizes and spaces. Nothing of it is parsed, linked or loaded, no attribute of the mail is
 * set, and it is never seen. */
import type { MailHtml } from './sanitise';
import { MAIL_STYLE } from './sanitise';

const TAGS = new Set(
	'a b blockquote br caption center col colgroup dd div dl dt em font h1 h2 h3 h4 h5 h6 hr i li ol p pre small span strong sub sup table tbody td tfoot th thead tr u ul'.split(' '),
);
const STYLES =
	'display width max-width min-width height max-height min-height line-height font-size font-family font-weight font-style white-space text-indent border-collapse border-spacing box-sizing float clear table-layout vertical-align letter-spacing padding-top padding-right padding-bottom padding-left margin-top margin-right margin-bottom margin-left border-top-width border-right-width border-bottom-width border-left-width border-top-style border-right-style border-bottom-style border-left-style'.split(
		' ',
	);
const NUMBERS = ['width', 'height', 'colspan', 'rowspan', 'cellpadding', 'cellspacing', 'border', 'size'];
const NODES_MAX = 20_000;
const MAIL_MARGIN = 12; /* of MAIL_STYLE */
const SCROLL_BAR = 18;

function copyShape(from: Element, to: Element, left: { n: number }) {
	for (const child of from.childNodes) {
		if (--left.n < 0) return;
		if (child.nodeType === Node.TEXT_NODE) to.append(child.textContent ?? '');
		if (!(child instanceof Element)) continue;
		const name = child.localName;
		const made = document.createElement(TAGS.has(name) ? name : name === 'img' ? 'span' : 'div');
		for (const n of NUMBERS) {
			const value = child.getAttribute(n) ?? '';
			if (/^\d{1,4}%?$/.test(value)) made.setAttribute(n, value);
		}
		const style = child instanceof HTMLElement ? child.style : null;
		if (style) for (const s of STYLES) if (style.getPropertyValue(s)) made.style.setProperty(s, style.getPropertyValue(s));
		if (child instanceof HTMLImageElement) standFor(child, made);
		copyShape(child, made, left);
		to.append(made);
	}
}

/** A picture is a box of its size; one that is not loaded stands as its words, in a box. */
function standFor(img: HTMLImageElement, box: HTMLElement) {
	if (!img.getAttribute('src')) {
		box.className = 'away';
		box.append(img.alt);
		return;
	}
	const size = (name: 'width' | 'height') => box.style.getPropertyValue(name) || (/^\d{1,4}$/.test(img.getAttribute(name) ?? '') ? `${img.getAttribute(name)}px` : '');
	const [width, height] = [size('width'), size('height')];
	box.style.display = 'inline-block';
	box.style.maxWidth = '100%';
	if (width) box.style.width = width;
	if (height) box.style.height = height;
}

export interface Measured {
	height: number;
	/** Pictures whose size only they themselves know. */
	unknown: string[];
}

/** In pixels, for a frame of that width; 0: cannot be said (yet). */
export function mailHeight(mail: MailHtml, width: number, sizes: ReadonlyMap<string, [number, number]> = new Map()): Measured {
	const unknown: string[] = [];
	if (width <= 0) return { height: 0, unknown };
	const source = new DOMParser().parseFromString(mail.html, 'text/html').body;
	for (const img of source.querySelectorAll('img')) {
		const src = img.getAttribute('src');
		if (!src || img.getAttribute('height') || img.style.height) continue;
		const size = sizes.get(src);
		if (!size) unknown.push(src);
		else {
			/* as max-width: 100% and height: auto make of it */
			const across = Math.min(Number(img.getAttribute('width')) || size[0], width - 2 * MAIL_MARGIN);
			img.setAttribute('width', String(Math.round(across)));
			img.setAttribute('height', String(Math.min(9999, Math.round((across * size[1]) / (size[0] || 1)))));
		}
	}
	const host = document.createElement('div');
	host.setAttribute('aria-hidden', 'true');
	host.inert = true;
	host.style.cssText = `position:fixed;left:-99999px;top:0;visibility:hidden;contain:strict;width:${width}px;height:1px;overflow:hidden`;
	const root = host.attachShadow({ mode: 'closed' });
	const style = document.createElement('style');
	style.textContent = `:host{all:initial}${MAIL_STYLE.replace('body', '.body').replace('img:not([src])', '.away')}`;
	const page = document.createElement('div');
	page.style.display = 'flow-root';
	const body = document.createElement('div');
	body.className = 'body';
	page.append(body);
	copyShape(source, body, { n: NODES_MAX });
	root.append(style, page);
	document.body.append(host);
	/* what is wider than the frame has a bar below */
	const height = Math.ceil(page.getBoundingClientRect().height) + (page.scrollWidth > width ? SCROLL_BAR : 0);
	host.remove();
	return { height, unknown };
}

/** The size of a picture that is data: already. */
export function pictureSize(url: string): Promise<[number, number]> {
	return new Promise((resolve) => {
		const img = new Image();
		img.onload = () => resolve([img.naturalWidth, img.naturalHeight]);
		img.onerror = () => resolve([0, 0]);
		img.src = url;
	});
}
