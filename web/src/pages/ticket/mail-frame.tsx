/* A mail's HTML in a frame without scripts and without our origin. Nothing of it can be asked for its
 * height: lib/measure.ts finds it. Very long ones scroll in their frame, which the reader can make
 * larger. */
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from 'react';
import type { Attachment } from '../../api/types';
import { asDataUrl, fetchBlob, isPicture } from '../../lib/files';
import { useT } from '../../lib/language';
import { mailHeight, pictureSize } from '../../lib/measure';
import { mailDocument, mailHtml, type MailHtml } from '../../lib/sanitise';
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

const TALLEST = 4000;

/** The height of the frame for this mail, in its present width; 0 until that is known. */
function useHeight(mail: MailHtml) {
	const frame = useRef<HTMLIFrameElement>(null);
	const [width, setWidth] = useState(0);
	const [height, setHeight] = useState(0);
	const [sizes, setSizes] = useState<ReadonlyMap<string, [number, number]>>(new Map());
	useLayoutEffect(() => {
		const el = frame.current;
		if (!el) return;
		setWidth(el.clientWidth);
		const watch = new ResizeObserver(() => setWidth(el.clientWidth));
		watch.observe(el);
		return () => watch.disconnect();
	}, []);
	useLayoutEffect(() => {
		let gone = false;
		const { height, unknown } = mailHeight(mail, width, sizes);
		setHeight(Math.min(height, TALLEST));
		/* pictures of other servers are not asked twice: theirs is the frame's business */
		const own = unknown.filter((u) => u.startsWith('data:'));
		if (own.length)
			void Promise.all(own.map(async (u): Promise<[string, [number, number]]> => [u, await pictureSize(u)])).then((found) => {
				if (!gone) setSizes((old) => new Map([...old, ...found]));
			});
		return () => {
			gone = true;
		};
	}, [mail, width, sizes]);
	return { frame, height };
}

export function MailFrame({ html, attachments }: { html: string; attachments: Attachment[] }) {
	const t = useT();
	const [remote, setRemote] = useState(false);
	const cid = useOwnPictures(html, attachments);
	const safe = useMemo(() => mailHtml(html, { cid, remote }), [html, cid, remote]);
	const { frame, height } = useHeight(safe);
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
				ref={frame}
				title={t(m.mailFrame)}
				sandbox="allow-popups allow-popups-to-escape-sandbox"
				referrerPolicy="no-referrer"
				srcDoc={mailDocument(safe.html, { remote })}
				style={{ height: height ? height + 2 : undefined }}
				className="block w-full resize-y overflow-auto rounded-md border border-line bg-white"
			/>
		</div>
	);
}
