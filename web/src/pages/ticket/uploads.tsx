import { useEffect, useRef, useState } from 'react';
import { ApiError, upload } from '../../api/client';
import type { Attachment } from '../../api/types';
import { fileSize } from '../../lib/files';
import { useLanguage } from '../../lib/language';
import { explain } from '../../lib/problem';
import m from '../../messages/detail';
import { IconButton } from '../../ui/basic';
import { Icon } from '../../ui/icons';

interface Job {
	key: number;
	name: string;
	/** Of it is up there, in percent. */
	done: number;
	/** Why it is not going there; null: it is. */
	failed: unknown;
	stop: AbortController;
}

export interface Uploads {
	files: Attachment[];
	underWay: Job[];
	busy: boolean;
	add: (files: File[]) => void;
	remove: (id: number) => void;
	drop: (job: Job) => void;
}

let next = 1;

/** Files go up as soon as they are chosen; a comment only names them. One that does not get there
 * stays in the list with the reason until it is taken away. */
export function useUploads(files: Attachment[], onFiles: (files: Attachment[]) => void): Uploads {
	const [underWay, setUnderWay] = useState<Job[]>([]);
	/* What there is by now: uploads end long after the call that began them. */
	const have = useRef(files);
	useEffect(() => {
		have.current = files;
	}, [files]);
	const set = (list: Attachment[]) => {
		have.current = list;
		onFiles(list);
	};
	const change = (key: number, c: Partial<Job>) => setUnderWay((all) => all.map((x) => (x.key === key ? { ...x, ...c } : x)));
	const drop = (job: Job) => {
		job.stop.abort();
		setUnderWay((all) => all.filter((x) => x.key !== job.key));
	};
	const send = async (job: Job, file: File) => {
		const name = encodeURIComponent(file.name).replace(/['()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);
		try {
			const made = await upload<Attachment>(
				'/attachments',
				file,
				{ 'Content-Type': file.type || 'application/octet-stream', 'Content-Disposition': `attachment; filename*=UTF-8''${name}` },
				{ signal: job.stop.signal, onProgress: (part) => change(job.key, { done: Math.floor(part * 100) }) },
			);
			set([...have.current, made]);
			drop(job);
		} catch (e) {
			if (e instanceof ApiError) change(job.key, { failed: e });
			else drop(job);
		}
	};
	const add = (chosen: File[]) => {
		const jobs = chosen.map((file) => ({ job: { key: next++, name: file.name, done: 0, failed: null, stop: new AbortController() }, file }));
		setUnderWay((all) => [...all, ...jobs.map((x) => x.job)]);
		void (async () => {
			for (const { job, file } of jobs) if (!job.stop.signal.aborted) await send(job, file);
		})();
	};
	return {
		files,
		underWay,
		busy: underWay.some((x) => !x.failed),
		add,
		remove: (id) => set(have.current.filter((f) => f.id !== id)),
		drop,
	};
}

/** Of what is too large the server says how many bytes it takes. */
function useWhy() {
	const { t, locale } = useLanguage();
	return (error: unknown) => {
		const most = error instanceof ApiError && error.code === 'too_large' && error.body.limit;
		return typeof most === 'number' ? t(m.fileTooLarge, { size: fileSize(most, locale) }) : explain(error, t);
	};
}

function UnderWay({ job, onDrop }: { job: Job; onDrop: () => void }) {
	const { t } = useLanguage();
	const why = useWhy();
	if (job.failed)
		return (
			<li role="alert" className="flex max-w-full items-center gap-2 rounded-md border border-danger/50 bg-danger-soft py-0.5 pr-0.5 pl-2.5 text-danger">
				<Icon name="alert" size={14} />
				<span className="min-w-0 [overflow-wrap:anywhere]">
					<bdi>{job.name}</bdi>: {why(job.failed)}
				</span>
				<IconButton small icon="close" label={t(m.removeFile, { name: job.name })} onClick={onDrop} />
			</li>
		);
	return (
		<li className="relative flex max-w-full items-center gap-2 overflow-hidden rounded-md border border-line py-0.5 pr-0.5 pl-2.5 text-muted">
			<bdi className="truncate">{job.name}</bdi>
			<span className="text-xs whitespace-nowrap tabular-nums">{t(m.uploading, { n: job.done })}</span>
			<IconButton small icon="close" label={t(m.stopUpload, { name: job.name })} onClick={onDrop} />
			<progress aria-label={job.name} max={100} value={job.done} className="sr-only" />
			<span aria-hidden="true" style={{ width: `${job.done}%` }} className="absolute bottom-0 left-0 h-0.5 bg-accent transition-[width]" />
		</li>
	);
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
			{uploads.underWay.map((job) => (
				<UnderWay key={job.key} job={job} onDrop={() => uploads.drop(job)} />
			))}
		</ul>
	);
}
