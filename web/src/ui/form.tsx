/* Fields: a label above, a hint and what is wrong below, tied together for all senses. */
import { useId, type InputHTMLAttributes, type ReactNode, type Ref, type SelectHTMLAttributes, type TextareaHTMLAttributes } from 'react';
import { ApiError, topOf } from '../api/client';
import type { Complaint } from '../api/types';
import { useT } from '../lib/language';
import { explain } from '../lib/problem';
import { reasonText } from '../lib/reason';
import m from '../messages/common';
import { Button } from './basic';
import { Icon } from './icons';

export const inputClass =
	'w-full min-h-9 rounded-md border border-line-strong bg-surface px-2.5 py-1.5 text-ink placeholder:text-muted disabled:bg-sunken disabled:text-muted aria-invalid:border-danger max-sm:text-base';

interface FieldProps {
	label: string;
	hint?: ReactNode;
	/** Of our own, or what the API said of it. */
	error?: string | Complaint;
	optional?: boolean;
	/** The label is there for those who cannot see that it is plain. */
	hideLabel?: boolean;
}

interface Wiring {
	id: string;
	'aria-describedby'?: string;
	'aria-invalid'?: true;
}

export function Field({ label, hint, error, optional, hideLabel, children }: FieldProps & { children: (w: Wiring) => ReactNode }) {
	const id = useId();
	const t = useT();
	const described = [hint && `${id}-hint`, error && `${id}-error`].filter(Boolean).join(' ');
	return (
		<div>
			<label htmlFor={id} className={hideLabel ? 'sr-only' : 'mb-1 block font-medium'}>
				{label}
				{optional && <span className="font-normal text-muted"> ({t(m.optional)})</span>}
			</label>
			{children({ id, 'aria-describedby': described || undefined, 'aria-invalid': error ? true : undefined })}
			{hint && (
				<p id={`${id}-hint`} className="mt-1 text-xs text-muted">
					{hint}
				</p>
			)}
			{error && (
				<p id={`${id}-error`} className="mt-1 text-xs text-danger">
					{typeof error === 'string' ? error : reasonText(error, error.message, t)}
				</p>
			)}
		</div>
	);
}

export function TextField({ label, hint, error, optional, hideLabel, className = '', ...rest }: FieldProps & InputHTMLAttributes<HTMLInputElement> & { ref?: Ref<HTMLInputElement> }) {
	return (
		<Field {...{ label, hint, error, optional, hideLabel }}>{(w) => <input {...w} {...rest} className={`${inputClass} ${className}`} />}</Field>
	);
}

export function TextArea({ label, hint, error, optional, hideLabel, className = '', ...rest }: FieldProps & TextareaHTMLAttributes<HTMLTextAreaElement> & { ref?: Ref<HTMLTextAreaElement> }) {
	return (
		<Field {...{ label, hint, error, optional, hideLabel }}>
			{(w) => <textarea rows={5} {...w} {...rest} className={`${inputClass} resize-y ${className}`} />}
		</Field>
	);
}

export interface Option {
	value: string;
	label: string;
}

export function SelectField({
	label,
	hint,
	error,
	optional,
	hideLabel,
	options,
	className = '',
	...rest
}: FieldProps & SelectHTMLAttributes<HTMLSelectElement> & { options: Option[] }) {
	return (
		<Field {...{ label, hint, error, optional, hideLabel }}>
			{(w) => (
				<span className="relative block">
					<select {...w} {...rest} className={`${inputClass} appearance-none truncate pr-8 ${className}`}>
						{options.map((o) => (
							<option key={o.value} value={o.value}>
								{o.label}
							</option>
						))}
					</select>
					<Icon name="chevron" size={16} className="pointer-events-none absolute top-2.5 right-2.5 text-muted" />
				</span>
			)}
		</Field>
	);
}

export function CheckField({ label, hint, ...rest }: { label: ReactNode; hint?: ReactNode } & InputHTMLAttributes<HTMLInputElement>) {
	return (
		<label className="flex min-h-7 items-start gap-2">
			<input type="checkbox" {...rest} className="mt-0.5 size-4 shrink-0 accent-accent" />
			<span className="min-w-0 [overflow-wrap:anywhere]">
				{label}
				{hint && <span className="block text-xs text-muted">{hint}</span>}
			</span>
		</label>
	);
}

/** What the API said of one field of a form. */
export function fieldError(error: unknown, name: string): Complaint | undefined {
	return error instanceof ApiError ? error.field(name) : undefined;
}

/** Of a whole form: what stands at no field of it. */
export function FormError({ error, fields = [] }: { error: unknown; fields?: string[] }) {
	const t = useT();
	if (!error) return null;
	if (error instanceof ApiError && error.errors.length && error.errors.every((e) => fields.includes(topOf(e.field)))) return null;
	return (
		<div role="alert" className="flex items-start gap-2 rounded-md bg-danger-soft px-3 py-2 text-danger">
			<Icon name="alert" className="mt-px" />
			<p>{explain(error, t)}</p>
		</div>
	);
}

export function FormActions({ busy, label, onCancel, children }: { busy?: boolean; label?: string; onCancel?: () => void; children?: ReactNode }) {
	const t = useT();
	return (
		<div className="flex flex-wrap items-center justify-end gap-2 pt-1">
			{children}
			{onCancel && <Button onClick={onCancel}>{t(m.cancel)}</Button>}
			<Button type="submit" look="primary" busy={busy}>
				{label ?? t(m.save)}
			</Button>
		</div>
	);
}
