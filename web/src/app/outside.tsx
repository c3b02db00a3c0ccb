import type { ReactNode } from 'react';
import { useLanguage } from '../lib/language';
import { languageNames, locales } from '../lib/text';
import m from '../messages/auth';
import { useTitle } from '../ui/page';
import { Logo } from './frame';

/** The frame of pages that are shown to nobody in particular. */
export function Outside({ title, children, below }: { title: string; children: ReactNode; below?: ReactNode }) {
	const { locale, choose, t } = useLanguage();
	useTitle(title);
	return (
		<main className="mx-auto flex min-h-dvh w-full max-w-sm flex-col justify-center gap-5 px-4 py-8">
			<Logo />
			<div className="space-y-4 rounded-xl border border-line bg-surface p-6">
				<h1 className="text-xl font-semibold tracking-tight">{title}</h1>
				{children}
			</div>
			<div className="flex flex-wrap items-center justify-between gap-3 text-muted">
				<div>{below}</div>
				<label>
					<span className="sr-only">{t(m.language)}</span>
					<select value={locale} onChange={(e) => choose(e.target.value, null)} className="rounded-md border border-line bg-surface px-2 py-1 text-ink">
						{locales.map((l) => (
							<option key={l} value={l}>
								{languageNames[l]}
							</option>
						))}
					</select>
				</label>
			</div>
		</main>
	);
}
