/** The list as it was left: where "back to the list" leads. */
let query = '';

export function rememberList(search: string) {
	query = search;
}

export function lastList(): string {
	return `/tickets${query}`;
}
