import { createContext, useCallback, useContext, useMemo, useRef, useState, type ReactNode } from 'react';
import { useT } from '../lib/language';
import { explain } from '../lib/problem';
import m from '../messages/common';
import { IconButton } from './basic';

interface Toast {
	id: number;
	text: string;
	tone: 'plain' | 'danger';
	action?: { label: string; run: () => void };
}

interface Toasts {
	say: (text: string, o?: { action?: Toast['action']; ms?: number; tone?: Toast['tone'] }) => () => void;
	fail: (error: unknown) => void;
}

const Context = createContext<Toasts>({ say: () => () => {}, fail: () => {} });

export function useToast() {
	return useContext(Context);
}

const SHOWN_MS = 5000;

export function ToastProvider({ children }: { children: ReactNode }) {
	const [toasts, setToasts] = useState<Toast[]>([]);
	const next = useRef(1);
	const t = useT();
	const drop = useCallback((id: number) => setToasts((all) => all.filter((x) => x.id !== id)), []);
	const say = useCallback<Toasts['say']>(
		(text, o = {}) => {
			const id = next.current++;
			setToasts((all) => [...all.slice(-3), { id, text, tone: o.tone ?? 'plain', action: o.action }]);
			const timer = setTimeout(() => drop(id), o.ms ?? SHOWN_MS);
			return () => {
				clearTimeout(timer);
				drop(id);
			};
		},
		[drop],
	);
	const value = useMemo<Toasts>(
		() => ({ say, fail: (error) => void say(explain(error, t), { tone: 'danger', ms: 10_000 }) }),
		[say, t],
	);
	return (
		<Context.Provider value={value}>
			{children}
			<div
				role="region"
				aria-live="polite"
				aria-label={t(m.actions)}
				className="pointer-events-none fixed inset-x-0 bottom-0 z-50 flex flex-col items-center gap-2 p-4"
			>
				{toasts.map((x) => (
					<div
						key={x.id}
						className={`pointer-events-auto flex max-w-xl items-center gap-3 rounded-lg py-1.5 pr-1.5 pl-4 shadow-lg ${
							x.tone === 'danger' ? 'bg-danger-soft text-danger' : 'bg-ink text-canvas'
						}`}
					>
						<span>{x.text}</span>
						{x.action && (
							<button
								type="button"
								className="min-h-7 rounded px-2 font-semibold underline"
								onClick={() => {
									x.action?.run();
									drop(x.id);
								}}
							>
								{x.action.label}
							</button>
						)}
						<IconButton small icon="close" label={t(m.close)} className="text-inherit hover:bg-transparent hover:text-inherit" onClick={() => drop(x.id)} />
					</div>
				))}
			</div>
		</Context.Provider>
	);
}
