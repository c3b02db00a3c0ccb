import { useT } from '../lib/language';
import common from '../messages/common';
import m from '../messages/settings';
import { Button } from './basic';
import { Dialog } from './dialog';
import { useToast } from './toast';

/** What the API tells this once. */
export function SecretOnce({ title, text, secret, onClose }: { title: string; text: string; secret: string; onClose: () => void }) {
	const t = useT();
	const { say, fail } = useToast();
	const copy = () => navigator.clipboard.writeText(secret).then(() => say(t(common.copied)), fail);
	return (
		<Dialog title={title} onClose={onClose}>
			<p className="mb-3">{text}</p>
			<code tabIndex={0} className="block rounded-md bg-sunken p-3 font-mono break-all select-all">
				{secret}
			</code>
			<div className="mt-4 flex justify-end gap-2">
				<Button onClick={() => void copy()}>{t(common.copy)}</Button>
				<Button look="primary" onClick={onClose}>
					{t(m.done)}
				</Button>
			</div>
		</Dialog>
	);
}
