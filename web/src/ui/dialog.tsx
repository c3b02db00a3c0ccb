import { createContext, useCallback, useContext, useEffect, useId, useRef, useState, type ReactNode } from 'react';
import { useT } from '../lib/language';
import m from '../messages/common';
import { Button, IconButton } from './basic';
import { FormError } from './form';

/* Where one begins: at what is asked for, at the answer that is likely, or else (there is only reading) where the
 * browser puts the focus. A row that its own button removed takes no focus back: the page does. */
const FIRST = '[data-first], :is(input, select, textarea):enabled';

/** The browser's own modal dialog: it keeps the focus, closes by Escape and gives the focus back. */
export function Dialog({ title, onClose, wide, children }: { title: string; onClose: () => void; wide?: boolean; children: ReactNode }) {
	const ref = useRef<HTMLDialogElement>(null);
	const id = useId();
	const t = useT();
	useEffect(() => {
		const d = ref.current;
		const before = document.activeElement;
		if (d && !d.open) d.showModal();
		d?.querySelector<HTMLElement>(FIRST)?.focus();
		return () => {
			d?.close();
			const back = before?.isConnected ? before : document.getElementById('main');
			if (back instanceof HTMLElement) back.focus({ preventScroll: back !== before });
		};
	}, []);
	return (
		<dialog
			ref={ref}
			aria-labelledby={id}
			onCancel={(e) => {
				if (e.target !== ref.current) return; /* that of a file chooser comes by here, too */
				e.preventDefault();
				onClose();
			}}
			onClick={(e) => {
				if (e.target === ref.current) onClose();
			}}
			className={`w-[calc(100%-2rem)] rounded-xl border border-line bg-surface p-0 shadow-xl ${wide ? 'max-w-4xl' : 'max-w-lg'}`}
		>
			<div className="flex max-h-[85dvh] flex-col">
				<header className="flex items-center justify-between gap-3 border-b border-line py-2.5 pr-2.5 pl-5">
					<h2 id={id} className="text-base font-semibold">
						{title}
					</h2>
					<IconButton icon="close" label={t(m.close)} onClick={onClose} />
				</header>
				<div className="overflow-auto px-5 py-4">{children}</div>
			</div>
		</dialog>
	);
}

interface Question {
	title: string;
	text: string;
	action: string;
	danger?: boolean;
	run: () => Promise<unknown>;
}

const AskContext = createContext<(q: Question) => void>(() => {});

/** `ask({ title, text, action, run })`: does it after a yes; a failure is shown in the dialog. */
export function useAsk() {
	return useContext(AskContext);
}

export function AskProvider({ children }: { children: ReactNode }) {
	const [question, setQuestion] = useState<Question | null>(null);
	const [busy, setBusy] = useState(false);
	const [error, setError] = useState<unknown>(null);
	const t = useT();
	const ask = useCallback((q: Question) => {
		setError(null);
		setBusy(false);
		setQuestion(q);
	}, []);
	const run = async (q: Question) => {
		setBusy(true);
		setError(null);
		try {
			await q.run();
			setQuestion(null);
		} catch (e) {
			setError(e);
		} finally {
			setBusy(false);
		}
	};
	return (
		<AskContext.Provider value={ask}>
			{children}
			{question && (
				<Dialog title={question.title} onClose={() => setQuestion(null)}>
					<p className="mb-4">{question.text}</p>
					<FormError error={error} />
					<div className="mt-4 flex justify-end gap-2">
						<Button data-first={question.danger || undefined} onClick={() => setQuestion(null)}>
							{t(m.cancel)}
						</Button>
						<Button look={question.danger ? 'danger' : 'primary'} data-first={question.danger ? undefined : true} busy={busy} onClick={() => void run(question)}>
							{question.action}
						</Button>
					</div>
				</Dialog>
			)}
		</AskContext.Provider>
	);
}
