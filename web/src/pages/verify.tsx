import { useMutation } from '@tanstack/react-query';
import { useEffect, useRef, useState } from 'react';
import { Link, Navigate } from 'react-router-dom';
import { ApiError, post } from '../api/client';
import { Outside } from '../app/outside';
import { mailToken } from '../lib/fragment';
import { useT } from '../lib/language';
import m from '../messages/auth';
import { Loading, Notice } from '../ui/basic';
import { FormError } from '../ui/form';

export default function Verify() {
	const t = useT();
	const [token] = useState(mailToken);
	const verify = useMutation({ mutationFn: () => post('/auth/verify', { token }) });
	const tried = useRef(false);
	const { mutate } = verify;
	useEffect(() => {
		if (token && !tried.current) {
			tried.current = true;
			mutate();
		}
	}, [token, mutate]);
	if (verify.isSuccess) return <Navigate to="/sign-in?done=verify" replace />;
	const dead = !token || (verify.error instanceof ApiError && verify.error.status >= 400 && verify.error.status < 429);
	return (
		<Outside
			title={t(m.verifyTitle)}
			below={
				<Link to="/sign-in" className="underline">
					{t(m.toSignIn)}
				</Link>
			}
		>
			{dead ? (
				<>
					<Notice tone="warn"><span role="alert">{t(m.badLink)}</span></Notice>
					<Link to="/register" className="text-accent underline">
						{t(m.askAgain)}
					</Link>
				</>
			) : verify.error ? (
				<FormError error={verify.error} />
			) : (
				<Loading rows={2} />
			)}
		</Outside>
	);
}
