/* Small things that outlive a page: the theme, drafts. A browser may refuse to keep them. */
export function keep(key: string, value: string | null) {
	try {
		if (value === null) localStorage.removeItem(`maildesk.${key}`);
		else localStorage.setItem(`maildesk.${key}`, value);
	} catch {
		/* full, or private: it is kept as long as the page is */
	}
}

export function kept(key: string): string | null {
	try {
		return localStorage.getItem(`maildesk.${key}`);
	} catch {
		return null;
	}
}

/** What was typed is somebody's own: it goes when another one signs in here, or on signing out. */
export function dropDrafts() {
	try {
		for (const key of Object.keys(localStorage)) if (key.startsWith('maildesk.draft.')) localStorage.removeItem(key);
	} catch {
		/* nothing was kept */
	}
}
