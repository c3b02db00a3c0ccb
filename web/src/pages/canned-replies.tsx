import type { CannedReply } from '../api/types';
import { useT } from '../lib/language';
import { names } from '../lib/words';
import common from '../messages/common';
import m from '../messages/settings';
import { Catalogue } from '../ui/catalogue';
import { fieldError, TextArea, TextField } from '../ui/form';

interface Draft {
	name: string;
	body: string;
	commands: string;
	tags: string;
}

export default function CannedReplies() {
	const t = useT();
	return (
		<Catalogue<CannedReply, Draft>
			name="canned-replies"
			path="/canned-replies"
			title={common.cannedReplies}
			icon="reply"
			texts={{ add: m.replyAdd, edit: m.replyEdit, empty: m.replyEmpty, emptyText: m.replyEmptyText }}
			label={(r) => r.name}
			columns={[
				{ title: t(m.name), cell: (r) => <span className="font-medium">{r.name}</span>, className: 'min-w-44 [overflow-wrap:anywhere]' },
				{ title: t(m.body), cell: (r) => <span className="line-clamp-2 text-muted [overflow-wrap:anywhere]">{r.body}</span>, className: 'w-full min-w-48' },
			]}
			draft={(r) => ({ name: r?.name ?? '', body: r?.body ?? '', commands: r?.commands ?? '', tags: r?.tags.join(', ') ?? '' })}
			body={(d) => ({ name: d.name, body: d.body, commands: d.commands.trim() || null, tags: names(d.tags) })}
			fields={['name', 'body', 'commands', 'tags']}
			form={({ draft, set, error }) => (
				<>
					<TextField label={t(m.name)} required maxLength={100} value={draft.name} onChange={(e) => set({ name: e.target.value })} error={fieldError(error, 'name')} />
					<TextArea label={t(m.body)} hint={t(m.bodyHint)} required rows={8} value={draft.body} onChange={(e) => set({ body: e.target.value })} error={fieldError(error, 'body')} />
					<TextArea label={t(m.commands)} hint={t(m.commandsHint)} optional rows={2} className="font-mono" value={draft.commands} onChange={(e) => set({ commands: e.target.value })} error={fieldError(error, 'commands')} />
					<TextField label={t(common.tags)} hint={t(m.tagsHint)} optional value={draft.tags} onChange={(e) => set({ tags: e.target.value })} error={fieldError(error, 'tags')} />
				</>
			)}
		/>
	);
}
