import { useQuery } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import type { Attachment } from '../../api/types';
import { download, fetchBlob, fileSize, isPicture } from '../../lib/files';
import { useLanguage } from '../../lib/language';
import m from '../../messages/detail';
import { Icon } from '../../ui/icons';
import { Dialog } from '../../ui/dialog';
import { useToast } from '../../ui/toast';

const PREVIEW_MAX = 10_000_000;

function Preview({ file, onOpen }: { file: Attachment; onOpen: (url: string) => void }) {
	const { t } = useLanguage();
	const { data } = useQuery({
		queryKey: ['picture', file.id],
		queryFn: () => fetchBlob(`/attachments/${file.id}?inline=1`),
		staleTime: Infinity,
		gcTime: 60_000,
	});
	const [url, setUrl] = useState<string | null>(null);
	useEffect(() => {
		if (!data || !isPicture(data.type)) return;
		const made = URL.createObjectURL(data);
		setUrl(made);
		return () => URL.revokeObjectURL(made);
	}, [data]);
	return (
		<button
			type="button"
			disabled={!url}
			onClick={() => url && onOpen(url)}
			aria-label={t(m.preview, { name: file.filename ?? t(m.noName) })}
			className="flex size-24 items-center justify-center overflow-hidden rounded-md border border-line bg-sunken"
		>
			{url && <img src={url} alt="" className="max-h-full max-w-full object-contain" />}
		</button>
	);
}

export function Files({ files }: { files: Attachment[] }) {
	const { t, locale } = useLanguage();
	const { fail } = useToast();
	const [open, setOpen] = useState<{ url: string; name: string } | null>(null);
	if (!files.length) return null;
	const nameOf = (f: Attachment) => f.filename ?? t(m.noName);
	return (
		<div className="mt-3 space-y-2">
			<div className="flex flex-wrap gap-2">
				{files
					.filter((f) => isPicture(f.content_type) && f.size <= PREVIEW_MAX)
					.map((f) => (
						<Preview key={f.id} file={f} onOpen={(url) => setOpen({ url, name: nameOf(f) })} />
					))}
			</div>
			<ul aria-label={t(m.attachments)} className="flex flex-wrap gap-2">
				{files.map((f) => (
					<li key={f.id} className="max-w-full">
						<button
							type="button"
							onClick={() => download(`/attachments/${f.id}`, nameOf(f)).catch(fail)}
							className="flex min-h-8 max-w-full items-center gap-2 rounded-md border border-line bg-surface px-2.5 text-ink hover:bg-hover"
						>
							<Icon name="clip" size={15} className="text-muted" />
							<span className="truncate">
								<bdi>{nameOf(f)}</bdi>
							</span>
							<span className="text-xs whitespace-nowrap text-muted">{fileSize(f.size, locale)}</span>
						</button>
					</li>
				))}
			</ul>
			{open && (
				<Dialog wide title={open.name} onClose={() => setOpen(null)}>
					<img src={open.url} alt={open.name} className="mx-auto max-h-[70dvh] max-w-full" />
				</Dialog>
			)}
		</div>
	);
}
