/* Files of the API, which want a token: fetched, then given to the browser as its own. */
import { fetchApi } from '../api/client';

export async function fetchBlob(path: string): Promise<Blob> {
	return (await fetchApi(path)).blob();
}

export function saveBlob(blob: Blob, name: string) {
	const url = URL.createObjectURL(blob);
	const a = document.createElement('a');
	a.href = url;
	a.download = name;
	a.click();
	setTimeout(() => URL.revokeObjectURL(url), 60_000);
}

export async function download(path: string, name: string) {
	saveBlob(await fetchBlob(path), name);
}

/** Raster images only; what they are was looked at by the server, too (?inline=1). */
export function isPicture(type: string): boolean {
	return /^image\/(png|jpe?g|gif|webp)$/i.test(type);
}

export function asDataUrl(blob: Blob): Promise<string> {
	return new Promise((resolve, reject) => {
		const reader = new FileReader();
		reader.onload = () => resolve(String(reader.result));
		reader.onerror = () => reject(reader.error ?? new Error('the file cannot be read'));
		reader.readAsDataURL(blob);
	});
}

export function fileSize(bytes: number, locale: string): string {
	const steps: [number, string][] = [
		[1e6, 'megabyte'],
		[1e3, 'kilobyte'],
	];
	for (const [size, unit] of steps)
		if (bytes >= size) return new Intl.NumberFormat(locale, { style: 'unit', unit, maximumFractionDigits: 1 }).format(bytes / size);
	return new Intl.NumberFormat(locale, { style: 'unit', unit: 'byte', unitDisplay: 'long' }).format(bytes);
}
