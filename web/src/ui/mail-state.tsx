import { useT } from '../lib/language';
import type { Text } from '../lib/text';
import m from '../messages/mail-state';
import { Badge, type Tone } from './basic';

const tones: Record<string, Tone> = { sent: 'good', failed: 'danger', retry: 'warn', held: 'warn' };

/** What became of a mail: the states of the outbox, and "received". */
export function MailState({ state }: { state: string }) {
	const t = useT();
	const text = (m as Record<string, Text>)[state];
	return <Badge tone={tones[state] ?? 'neutral'}>{text ? t(text) : state}</Badge>;
}
