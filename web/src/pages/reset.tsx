import { useMutation } from '@tanstack/react-query';
import { useState } from 'react';
import { Link, Navigate } from 'react-router-dom';
import { ApiError, post } from '../api/client';
import { Outside } from '../app/outside';
import { mailToken } from '../lib/fragment';
import { useT } from '../lib/language';
import m from '../messages/auth';
import { Button, Notice } from '../ui/basic';
import { fieldError, FormError, TextField } from '../ui/form';

export default function Reset() {
	const t = useT();
	const [token] = useState(mailToken);
	const [password, setPassword] = useState('');
	const [touched, setTouched] = useState(false);
	const short = new TextEncoder().encode(password).length < 10;
	const reset = useMutation({ mutationFn: () => post('/auth/password/reset', { token, password }) });
	if (reset.isSuccess) return <Navigate to="/sign-in?done=reset" replace />;
	const said = fieldError(reset.error, 'password');
	const dead = !token || (reset.error instanceof ApiError && reset.error.status >= 400 && reset.error.status < 429 && !said);
	return (
		<Outside
			title={t(m.resetTitle)}
			below={
				<Link to="/sign-in" className="underline">
					{t(m.toSignIn)}
				</Link>
			}
		>
			{dead ? (
				<>
					<Notice tone="warn"><span role="alert">{t(m.badLink)}</span></Notice>
					<Link to="/forgot" className="text-accent underline">
						{t(m.askAgain)}
					</Link>
				</>
			) : (
				<form
					className="space-y-4"
					onSubmit={(e) => {
						e.preventDefault();
						setTouched(true);
						if (!short) reset.mutate();
					}}
				>
					<TextField
						label={t(m.newPassword)}
						type="password"
						autoComplete="new-password"
						required
						autoFocus
						hint={t(m.passwordHint)}
						value={password}
						onChange={(e) => setPassword(e.target.value)}
						error={touched && short ? t(m.passwordShort) : said}
					/>
					{!said && <FormError error={reset.error} />}
					<Button type="submit" look="primary" busy={reset.isPending} className="w-full">
						{t(m.resetTitle)}
					</Button>
				</form>
			)}
		</Outside>
	);
}
