import { useMemo } from 'react';
import { markdownHtml } from '../lib/sanitise';

/** The one place of the console that makes elements of a string, after sanitise.ts. */
export function Markdown({ html }: { html: string }) {
	const safe = useMemo(() => markdownHtml(html), [html]);
	// eslint-disable-next-line no-restricted-syntax
	return <div className="prose-text" dangerouslySetInnerHTML={{ __html: safe }} />;
}

const LINK = /\bhttps?:\/\/[^\s<>"']+[^\s<>"'.,;:!?)\]}]/g;

/** Plain text with its links. */
export function PlainText({ text }: { text: string }) {
	const parts = useMemo(() => {
		const out: (string | { url: string })[] = [];
		let at = 0;
		for (const m of text.matchAll(LINK)) {
			out.push(text.slice(at, m.index), { url: m[0] });
			at = m.index + m[0].length;
		}
		out.push(text.slice(at));
		return out;
	}, [text]);
	return (
		<div className="prose-text whitespace-pre-wrap">
			{parts.map((p, i) =>
				typeof p === 'string' ? (
					p
				) : (
					<a key={i} href={p.url} target="_blank" rel="noopener noreferrer nofollow">
						{p.url}
					</a>
				),
			)}
		</div>
	);
}
