import { createContext, useContext, useEffect, useMemo, useState, type ReactNode } from 'react';
import { asLocale, format, type Locale, type Params, type Text } from './text';
import { makeTimes, type Times } from './time';

interface Language {
	locale: Locale;
	zone: string;
	/** What the signed-in person chose; null: the browser's. */
	choose: (locale: string | null, zone: string | null) => void;
	t: (text: Text, params?: Params) => string;
	times: Times;
}

const Context = createContext<Language | null>(null);
const KEY = 'maildesk.locale';

function ofBrowser(): Locale {
	const kept = asLocale(localStorage.getItem(KEY));
	if (kept) return kept;
	for (const name of navigator.languages) {
		const locale = asLocale(name);
		if (locale) return locale;
	}
	return 'en';
}

export function LanguageProvider({ children }: { children: ReactNode }) {
	const [locale, setLocale] = useState<Locale>(ofBrowser);
	const [zone, setZone] = useState(() => Intl.DateTimeFormat().resolvedOptions().timeZone || 'UTC');

	useEffect(() => {
		document.documentElement.lang = locale;
	}, [locale]);
	const value = useMemo<Language>(
		() => ({
			locale,
			zone,
			choose(name, chosenZone) {
				const chosen = asLocale(name);
				if (chosen) {
					localStorage.setItem(KEY, chosen);
					setLocale(chosen);
				}
				if (chosenZone) setZone(chosenZone);
			},
			t: (text, params) => format(text, locale, params),
			times: makeTimes(locale, zone),
		}),
		[locale, zone],
	);
	return <Context.Provider value={value}>{children}</Context.Provider>;
}

export function useLanguage(): Language {
	const language = useContext(Context);
	if (!language) throw new Error('no LanguageProvider');
	return language;
}

export function useT(): Language['t'] {
	return useLanguage().t;
}
