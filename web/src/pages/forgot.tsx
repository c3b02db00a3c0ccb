import { useMutation } from '@tanstack/react-query';
import { useState } from 'react';
import { Link, useLocation } from 'react-router-dom';
import { post } from '../api/client';
import { Outside } from '../app/outside';
import { useT } from '../lib/language';
import m from '../messages/auth';
import { Button } from '../ui/basic';
import { FormError, TextField } from '../ui/form';

export default function Forgot() {
	const t = useT();
	const from = useLocation().state as { email?: string } | null;
	const [email, setEmail] = useState(from?.email ?? '');
	const ask = useMutation({ mutationFn: () => post('/auth/password/forgot', { email: email.trim() }) });
	const below = (
		<Link to="/sign-in" className="underline">
			{t(m.toSignIn)}
		</Link>
	);
	if (ask.isSuccess)
		return (
			<Outside title={t(m.sentTitle)} below={below}>
				<p role="status">{t(m.sentText, { email })}</p>
			</Outside>
		);
	return (
		<Outside title={t(m.forgotTitle)} below={below}>
			<p className="text-muted">{t(m.forgotText)}</p>
			<form
				className="space-y-4"
				onSubmit={(e) => {
					e.preventDefault();
					ask.mutate();
				}}
			>
				<TextField label={t(m.email)} type="email" autoComplete="username" required autoFocus value={email} onChange={(e) => setEmail(e.target.value)} />
				<FormError error={ask.error} />
				<Button type="submit" look="primary" busy={ask.isPending} className="w-full">
					{t(m.sendLink)}
				</Button>
			</form>
		</Outside>
	);
}
