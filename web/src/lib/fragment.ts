/* Links of mails carry their token behind the # (/#/verify?token=...), which no server, proxy or
 * Referer sees. It is taken out of the address, and so out of the history, before anything is shown. */
let token: string | null = null;

export function takeFragment() {
	const found = /^#\/([a-z-]+)(?:\?token=([A-Za-z0-9._~-]+))?$/.exec(window.location.hash);
	if (!found) return;
	token = found[2] ?? null;
	window.history.replaceState(null, '', `/${found[1]}`);
}

/** The token the console was opened with. */
export function mailToken(): string | null {
	return token;
}

export function dropMailToken() {
	token = null;
}
