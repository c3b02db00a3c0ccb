/* A failure as a sentence with a way out. */
import { ApiError } from '../api/client';
import m from '../messages/common';
import type { Params, Text } from './text';

const byCode: Record<string, Text> = {
	network: m.errNetwork,
	unauthorized: m.errUnauthorized,
	forbidden: m.errForbidden,
	not_found: m.errNotFound,
	version_conflict: m.errConflict,
	too_large: m.errTooLarge,
	rate_limited: m.errRateLimited,
	unavailable: m.errUnavailable,
	insufficient_storage: m.errFull,
	validation: m.errInput,
};

export function explain(error: unknown, t: (text: Text, params?: Params) => string): string {
	if (!(error instanceof ApiError)) return t(m.errOther, { detail: String(error) });
	const fields = error.errors.map((e) => `${e.field}: ${e.message}`).join('; ');
	const text = byCode[error.code] ?? (error.status >= 500 ? m.errUnavailable : m.errOther);
	return t(text, { detail: fields || error.detail || error.code, n: Math.max(1, error.retryAfter) });
}
