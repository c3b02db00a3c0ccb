/* What people read, in four languages side by side: a text cannot be missing in one of them. Texts
 * stand in src/messages, a file an area, so that a page loads its own alone.
 *
 *	t(['Hello {name}', ...], { name })	"{n} ticket|{n} tickets": one and other, by {n}
 */
export const locales = ['en', 'de', 'es', 'fr'] as const;
export type Locale = (typeof locales)[number];
export type Text = readonly [en: string, de: string, es: string, fr: string];
export type Params = Record<string, string | number>;

export const languageNames: Record<Locale, string> = {
	en: 'English',
	de: 'Deutsch',
	es: 'Español',
	fr: 'Français',
};

export function asLocale(name: string | null | undefined): Locale | null {
	const short = (name ?? '').toLowerCase().split(/[-_]/)[0];
	return locales.find((l) => l === short) ?? null;
}

/** French has a space before some marks, at which no line may end. */
const bound = (s: string) => s.replace(/ (?=[:;?!»])/g, '\u00a0').replace(/« /g, '«\u00a0');

export function format(text: Text, locale: Locale, params?: Params): string {
	let s = text[locales.indexOf(locale)] ?? text[0];
	if (locale === 'fr') s = bound(s);
	if (params && typeof params.n === 'number' && s.includes('|')) {
		const [one, other] = s.split('|');
		s = (new Intl.PluralRules(locale).select(params.n) === 'one' ? one : other) ?? s;
	}
	if (!params) return s;
	return s.replace(/\{(\w+)\}/g, (whole, name: string) => {
		const v = params[name];
		if (v === undefined) return whole;
		return typeof v === 'number' ? new Intl.NumberFormat(locale).format(v) : v;
	});
}
