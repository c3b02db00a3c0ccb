/* A failure as a sentence with a way out. */
import { ApiError, topOf } from '../api/client';
import type { Complaint } from '../api/types';
import m from '../messages/common';
import words from '../messages/ticket';
import { reasonText, type Named } from './reason';
import type { Params, Text } from './text';

type Translate = (text: Text, params?: Params) => string;

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

/** Of these the reason, where there is more of one, says more than the code of the problem. */
const sayWhy = ['forbidden', 'too_large'];

function complaintText(c: Complaint, t: Translate): string {
	const text = reasonText(c, c.message, t);
	const label = (words as Record<string, Text>)[topOf(c.field)];
	const sentence = /[.?:]$/.test(text) ? text : `${text}.`;
	return c.field ? t(m.errField, { field: label ? t(label) : c.field, why: sentence }) : sentence;
}

export function explain(error: unknown, t: Translate): string {
	if (!(error instanceof ApiError)) return t(m.errOther, { detail: String(error) });
	const reason = error.body.reason as Named | undefined;
	const fields = error.errors.map((c) => complaintText(c, t)).join(' ');
	const told = sayWhy.includes(error.code) && reason?.code && reason.code !== 'not_allowed';
	const text = (told ? undefined : byCode[error.code]) ?? (error.status >= 500 ? m.errUnavailable : m.errOther);
	return t(text, { detail: fields || reasonText(reason, error.detail || error.code, t), n: Math.max(1, error.retryAfter) });
}
