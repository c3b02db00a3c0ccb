/* A mail's HTML in a frame without scripts and without our origin. Because nothing of it can be asked
 * for its height, that is guessed from what is in it; the reader can make it larger. */
import { useEffect, useMemo, useState } from 'react';
import type { Attachment } from '../../api/types';
import { asDataUrl, fetchBlob, isPicture } from '../../lib/files';
import { useT } from '../../lib/language';
import { mailDocument, mailHtml } from '../../lib/sanitise';
import m from '../../messages/detail';
import { Button } from '../../ui/basic';

/** The mail's own pictures, as far as its HTML names them. */
function useOwnPictures(html: string, attachments: Attachment[]) {
	const [found, setFound] = useState<ReadonlyMap<string, string>>(new Map());
	useEffect(() => {
		let gone = false;
		const wanted = attachments.filter((a) => a.content_id && isPicture(a.content_type) && /cid:/i.test(html));
		void Promise.all(
			wanted.map(async (a): Promise<[string, string] | null> => {
				try {
					const blob = await fetchBlob(`/attachments/${a.id}?inline=1`);
					return isPicture(blob.type) ? [a.content_id ?? '', await asDataUrl(blob)] : null;
				} catch {
					return null; /* it is still among the attachments */
				}
			}),
		).then((pairs) => {
			if (!gone && pairs.length) setFound(new Map(pairs.filter((p) => p !== null)));
		});
		return () => {
			gone = true;
		};
	}, [html, attachments]);
	return found;
}

function guessHeight(html: string): number {
	const text = html.replace(/<[^>]*>/g, '');
	const blocks = (html.match(/<(?:p|div|tr|li|br|h[1-6]|blockquote)\b/gi) ?? []).length;
	const images = (html.match(/<img\b/gi) ?? []).length;
	return Math.min(560, Math.max(110, 40 + Math.ceil(text.length / 90) * 22 + blocks * 20 + images * 120));
}

export function MailFrame({ html, attachments }: { html: string; attachments: Attachment[] }) {
	const t = useT();
	const [remote, setRemote] = useState(false);
	const cid = useOwnPictures(html, attachments);
	const safe = useMemo(() => mailHtml(html, { cid, remote }), [html, cid, remote]);
	return (
		<div className="space-y-2">
			{safe.remote && !remote && (
				<div className="flex flex-wrap items-center gap-x-3 gap-y-1 rounded-md bg-sunken px-3 py-2 text-muted">
					<Button small onClick={() => setRemote(true)}>
						{t(m.loadImages)}
					</Button>
					<span className="text-xs">{t(m.imagesHint)}</span>
				</div>
			)}
			<iframe
				title={t(m.mailFrame)}
				sandbox="allow-popups allow-popups-to-escape-sandbox"
				referrerPolicy="no-referrer"
				srcDoc={mailDocument(safe.html, { remote })}
				style={{ height: guessHeight(html) }}
				className="block w-full resize-y overflow-auto rounded-md border border-line bg-white"
			/>
		</div>
	);
}
