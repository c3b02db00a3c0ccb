import { useCallback, useEffect, useRef, useState } from 'react';
import { keep, kept } from './store';

/** As useState for what is typed, kept by the browser until `drop`; `name` says of what it is. */
export function useDraft<T extends object>(name: string, empty: T): [T, (change: Partial<T>) => void, () => void] {
	const read = useCallback((): T => {
		try {
			return { ...empty, ...(JSON.parse(kept(`draft.${name}`) ?? '{}') as Partial<T>) };
		} catch {
			return empty;
		}
		// eslint-disable-next-line react-hooks/exhaustive-deps
	}, [name]);
	const [value, setValue] = useState(read);
	const of = useRef(name);
	useEffect(() => {
		if (of.current !== name) {
			of.current = name;
			setValue(read());
		}
	}, [name, read]);
	const change = useCallback(
		(c: Partial<T>) => {
			setValue((old) => {
				const next = { ...old, ...c };
				keep(`draft.${name}`, JSON.stringify(next));
				return next;
			});
		},
		[name],
	);
	const drop = useCallback(() => {
		keep(`draft.${name}`, null);
		setValue(empty);
		// eslint-disable-next-line react-hooks/exhaustive-deps
	}, [name]);
	return [value, change, drop];
}
