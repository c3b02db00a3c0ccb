/** What somebody typed as a list: parted by commas or white space. */
export function words(text: string): string[] {
	return text.split(/[\s,;]+/).filter(Boolean);
}
/** The same where the parts may hold spaces: parted by commas and lines. */
export function names(text: string): string[] {
	return text
		.split(/[,\n]/)
		.map((x) => x.trim())
		.filter(Boolean);
}
