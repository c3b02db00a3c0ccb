import { useCallback, useEffect, useRef, useState } from 'react';
import { keep, kept } from './store';

/** As useState for what is typed, kept by the browser until `drop`; `name` says of what it is. Changes
 * are kept also after the page that made them is gone. */
export function useDraft<T extends object>(name: string, empty: T): [T, (change: Partial<T>) => void, () => void] {
	const nothing = useRef(empty);
	const read = useCallback((): T => {
		try {
			return { ...nothing.current, ...(JSON.parse(kept(`draft.${name}`) ?? '{}') as Partial<T>) };
		} catch {
			return nothing.current;
		}
	}, [name]);
	const [value, setValue] = useState(read);
	const now = useRef(value);
	const of = useRef(name);
	useEffect(() => {
		if (of.current === name) return;
		of.current = name;
		now.current = read();
		setValue(now.current);
	}, [name, read]);
	const change = useCallback(
		(c: Partial<T>) => {
			now.current = { ...now.current, ...c };
			keep(`draft.${name}`, JSON.stringify(now.current));
			setValue(now.current);
		},
		[name],
	);
	const drop = useCallback(() => {
		now.current = nothing.current;
		keep(`draft.${name}`, null);
		setValue(now.current);
	}, [name]);
	return [value, change, drop];
}
