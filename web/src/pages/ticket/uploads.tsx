import { useState } from 'react';
import { fetchApi } from '../../api/client';
import type { Attachment } from '../../api/types';
import { fileSize } from '../../lib/files';
import { useLanguage } from '../../lib/language';
import m from '../../messages/detail';
import { IconButton } from '../../ui/basic';
import { Icon } from '../../ui/icons';
import { useToast } from '../../ui/toast';

export interface Uploads {
	files: Attachment[];
	underWay: { key: number; name: string }[];
	busy: boolean;
	add: (files: File[]) => void;
	remove: (id: number) => void;
}

let next = 1;

/** Files go up as soon as they are chosen; a comment only names them. */
export function useUploads(files: Attachment[], onFiles: (files: Attachment[]) => void): Uploads {
	const [underWay, setUnderWay] = useState<{ key: number; name: string }[]>([]);
	const { fail } = useToast();
	const add = (chosen: File[]) => {
		const jobs = chosen.map((file) => ({ key: next++, name: file.name, file }));
		setUnderWay((all) => [...all, ...jobs]);
		void (async () => {
			let have = files;
			for (const job of jobs) {
				try {
					const r = await fetchApi('/attachments', {
						method: 'POST',
						headers: {
							'Content-Type': job.file.type || 'application/octet-stream',
							'Content-Disposition': `attachment; filename*=UTF-8''${encodeURIComponent(job.name).replace(/['()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`)}`,
						},
						body: job.file,
					});
					have = [...have, (await r.json()) as Attachment];
					onFiles(have);
				} catch (e) {
					fail(e);
				} finally {
					setUnderWay((all) => all.filter((x) => x.key !== job.key));
				}
			}
		})();
	};
	return { files, underWay, busy: underWay.length > 0, add, remove: (id) => onFiles(files.filter((f) => f.id !== id)) };
}

export function FileList({ uploads }: { uploads: Uploads }) {
	const { t, locale } = useLanguage();
	if (!uploads.files.length && !uploads.underWay.length) return null;
	return (
		<ul aria-label={t(m.attachments)} className="flex flex-wrap gap-2 px-4 pb-3">
			{uploads.files.map((f) => (
				<li key={f.id} className="flex max-w-full items-center gap-2 rounded-md border border-line bg-surface py-0.5 pr-0.5 pl-2.5">
					<Icon name="clip" size={14} className="text-muted" />
					<bdi className="truncate">{f.filename ?? t(m.noName)}</bdi>
					<span className="text-xs whitespace-nowrap text-muted">{fileSize(f.size, locale)}</span>
					<IconButton small icon="close" label={t(m.removeFile, { name: f.filename ?? t(m.noName) })} onClick={() => uploads.remove(f.id)} />
				</li>
			))}
			{uploads.underWay.map((u) => (
				<li key={u.key} role="status" className="flex max-w-full items-center gap-2 rounded-md border border-dashed border-line px-2.5 py-1 text-muted">
					<span className="truncate">{u.name}</span> {t(m.uploading)}
				</li>
			))}
		</ul>
	);
}
