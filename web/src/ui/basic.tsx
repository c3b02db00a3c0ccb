/* The small parts that every page is made of. */
import { useQueryClient } from '@tanstack/react-query';
import { useEffect, useId, useState, type ButtonHTMLAttributes, type ReactNode } from 'react';
import { Link, type LinkProps } from 'react-router-dom';
import { useLanguage, useT } from '../lib/language';
import { explain } from '../lib/problem';
import m from '../messages/common';
import { Icon, type IconName } from './icons';

export type Look = 'primary' | 'plain' | 'quiet' | 'danger';

const looks: Record<Look, string> = {
	primary: 'bg-accent text-accent-ink hover:bg-accent-strong border-transparent',
	plain: 'bg-surface text-ink border-line-strong/60 hover:bg-hover',
	quiet: 'bg-transparent text-ink border-transparent hover:bg-hover',
	danger: 'bg-surface text-danger border-danger/50 hover:bg-danger-soft',
};

export function buttonClass(look: Look = 'plain', small = false): string {
	return `inline-flex items-center justify-center gap-1.5 rounded-md border font-medium whitespace-nowrap select-none disabled:opacity-55 disabled:cursor-not-allowed ${
		small ? 'min-h-7 px-2 text-[0.8125rem]' : 'min-h-9 px-3'
	} ${looks[look]}`;
}

interface ButtonProps extends ButtonHTMLAttributes<HTMLButtonElement> {
	look?: Look;
	small?: boolean;
	icon?: IconName;
	busy?: boolean;
}

export function Button({ look, small, icon, busy, children, className = '', disabled, ...rest }: ButtonProps) {
	return (
		<button
			type="button"
			{...rest}
			disabled={disabled || busy}
			aria-busy={busy || undefined}
			className={`${buttonClass(look, small)} ${className}`}
		>
			{icon && <Icon name={icon} size={small ? 15 : 17} />}
			{children}
		</button>
	);
}

interface IconButtonProps extends ButtonHTMLAttributes<HTMLButtonElement> {
	icon: IconName;
	label: string;
	small?: boolean;
}

export function IconButton({ icon, label, small, className = '', ...rest }: IconButtonProps) {
	return (
		<button
			type="button"
			aria-label={label}
			title={label}
			{...rest}
			className={`inline-flex items-center justify-center rounded-md text-muted hover:bg-hover hover:text-ink disabled:opacity-45 disabled:hover:bg-transparent disabled:hover:text-muted ${
				small ? 'size-7' : 'size-9'
			} ${className}`}
		>
			<Icon name={icon} size={small ? 16 : 18} />
		</button>
	);
}

export function LinkButton({ look, small, icon, children, ...rest }: LinkProps & { look?: Look; small?: boolean; icon?: IconName }) {
	return (
		<Link {...rest} className={buttonClass(look, small)}>
			{icon && <Icon name={icon} size={small ? 15 : 17} />}
			{children}
		</Link>
	);
}

export type Tone = 'neutral' | 'good' | 'warn' | 'danger' | 'info' | 'plum' | 'accent';

const tones: Record<Tone, string> = {
	neutral: 'bg-sunken text-muted border-line',
	good: 'bg-good-soft text-good border-transparent',
	warn: 'bg-warn-soft text-warn border-transparent',
	danger: 'bg-danger-soft text-danger border-transparent',
	info: 'bg-info-soft text-info border-transparent',
	plum: 'bg-plum-soft text-plum border-transparent',
	accent: 'bg-accent-soft text-accent border-transparent',
};

export function Badge({ tone = 'neutral', title, children }: { tone?: Tone; title?: string; children: ReactNode }) {
	return (
		<span
			title={title}
			className={`inline-flex items-center gap-1 rounded-full border px-2 py-px text-xs leading-5 font-medium whitespace-nowrap ${tones[tone]}`}
		>
			{children}
		</span>
	);
}

/** "5 minutes ago", and the instant itself in the title; goes on by itself. */
export function Ago({ at, className = '' }: { at: string; className?: string }) {
	const { times } = useLanguage();
	const [, tick] = useState(0);
	useEffect(() => {
		const timer = setInterval(() => tick((n) => n + 1), 30_000);
		return () => clearInterval(timer);
	}, []);
	return (
		<time dateTime={at} title={times.full(at)} className={`whitespace-nowrap ${className}`}>
			{times.relative(at)}
		</time>
	);
}

const hues = ['bg-info-soft text-info', 'bg-plum-soft text-plum', 'bg-good-soft text-good', 'bg-warn-soft text-warn', 'bg-accent-soft text-accent'];

export function Avatar({ name, size = 28 }: { name: string; size?: number }) {
	const words = name.trim().split(/\s+/);
	const letters = ((words[0]?.[0] ?? '?') + (words.length > 1 ? (words[words.length - 1]?.[0] ?? '') : '')).toUpperCase();
	const hue = hues[[...name].reduce((h, c) => h + (c.codePointAt(0) ?? 0), 0) % hues.length];
	return (
		<span
			aria-hidden="true"
			style={{ width: size, height: size, fontSize: size * 0.4 }}
			className={`inline-flex shrink-0 items-center justify-center rounded-full font-semibold ${hue}`}
		>
			{letters}
		</span>
	);
}

export function Skeleton({ className = 'h-4 w-full' }: { className?: string }) {
	return <span aria-hidden="true" className={`skeleton block ${className}`} />;
}

const PATIENCE_MS = 2000;

/** What is still not there after a while: a sentence and a way out. It is asked for again by itself. */
function Late() {
	const t = useT();
	const client = useQueryClient();
	const [late, setLate] = useState(false);
	useEffect(() => {
		const timer = setTimeout(() => setLate(true), PATIENCE_MS);
		return () => clearTimeout(timer);
	}, []);
	if (!late) return <span className="sr-only">{t(m.loading)}</span>;
	return (
		<p className="flex flex-wrap items-center gap-x-3 gap-y-2 text-muted">
			<span className="min-w-0 flex-1 basis-52">{t(m.late)}</span>
			<Button small onClick={() => void client.refetchQueries({ type: 'active', predicate: (q) => q.state.status !== 'success' })}>
				{t(m.retry)}
			</Button>
		</p>
	);
}

export function Loading({ rows = 6 }: { rows?: number }) {
	return (
		<div role="status" className="space-y-3 p-4">
			<Late />
			{Array.from({ length: rows }, (_, i) => (
				<Skeleton key={i} className={`h-5 ${i % 3 === 2 ? 'w-2/3' : 'w-full'}`} />
			))}
		</div>
	);
}

/** `page`: it is all that there is, and its title the heading. */
export function Empty({ icon = 'inbox', title, page, children }: { icon?: IconName; title: string; page?: boolean; children?: ReactNode }) {
	const Title = page ? 'h1' : 'p';
	return (
		<div className="flex flex-col items-center gap-2 px-4 py-14 text-center">
			<span className="rounded-full bg-sunken p-3 text-muted">
				<Icon name={icon} size={26} />
			</span>
			<Title className="text-base font-semibold">{title}</Title>
			{children && <div className="max-w-md text-balance text-muted">{children}</div>}
		</div>
	);
}

/** What went wrong, in a sentence, and a way out. */
export function Failure({ error, onRetry }: { error: unknown; onRetry?: () => void }) {
	const t = useT();
	return (
		<div role="alert" className="m-4 flex flex-wrap items-center gap-3 rounded-md bg-danger-soft p-3 text-danger">
			<Icon name="alert" />
			<p className="min-w-0 flex-1 basis-40">{explain(error, t)}</p>
			{onRetry && (
				<Button small onClick={onRetry}>
					{t(m.retry)}
				</Button>
			)}
		</div>
	);
}

export function Notice({ tone = 'info', children }: { tone?: 'info' | 'warn' | 'good' | 'danger'; children: ReactNode }) {
	const look = { info: 'bg-info-soft text-info', warn: 'bg-warn-soft text-warn', good: 'bg-good-soft text-good', danger: 'bg-danger-soft text-danger' }[tone];
	return <div className={`rounded-md px-3 py-2 ${look}`}>{children}</div>;
}

export function Card({ title, actions, children, className = '' }: { title?: string; actions?: ReactNode; children: ReactNode; className?: string }) {
	const id = useId();
	return (
		<section aria-labelledby={title ? id : undefined} className={`rounded-lg border border-line bg-surface ${className}`}>
			{title && (
				<header className="flex min-h-11 flex-wrap items-center justify-between gap-x-3 gap-y-1 border-b border-line px-4 py-2">
					<h2 id={id} className="font-semibold whitespace-nowrap max-sm:whitespace-normal">
						{title}
					</h2>
					{actions}
				</header>
			)}
			{children}
		</section>
	);
}
