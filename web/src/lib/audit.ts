/* The audit log in words: actions are "thing.deed", details the names of the fields that were
 * written and what a role became ("name role; role=agent"). What has no word here stays as it is. */
import type { AuditRow } from '../api/types';
import m from '../messages/audit';
import people from '../messages/people';
import type { Params, Text } from './text';

type Translate = (text: Text, params?: Params) => string;

function word(key: string, plain: string, t: Translate): string {
	const text = (m as Record<string, Text>)[key];
	return text ? t(text) : plain;
}

export function actionText(action: string, t: Translate): string {
	const thing = action.slice(0, action.indexOf('.'));
	const deed = action.slice(action.indexOf('.') + 1);
	return `${word(`thing_${thing}`, thing, t)}: ${word(`do_${deed}`, deed, t)}`;
}

export function aboutText(row: Pick<AuditRow, 'about' | 'about_id'>, t: Translate): string {
	if (!row.about) return '';
	const thing = word(`thing_${row.about}`, row.about, t);
	return row.about_id ? `${thing} ${row.about_id}` : thing;
}

export function detailText(detail: string | null, t: Translate): string {
	const [fields = '', role] = (detail ?? '').split('; role=');
	const roles: Record<string, Text> = { customer: people.role_customer, agent: people.role_agent, admin: people.role_admin };
	/* Which version was changed is the API's own business. */
	const names = fields.split(' ').filter((f) => f && f !== 'version');
	const parts = names.map((f) => word(`field_${f}`, f, t));
	if (role) parts.push(t(m.role_is, { role: roles[role] ? t(roles[role]) : role }));
	return parts.join(', ');
}

export function sourceText(source: string, t: Translate): string {
	return word(source, source, t);
}
