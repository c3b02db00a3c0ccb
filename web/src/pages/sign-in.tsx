import { useMutation } from '@tanstack/react-query';
import { useEffect, useRef, useState } from 'react';
import { Link, Navigate, useSearchParams } from 'react-router-dom';
import { ApiError, post } from '../api/client';
import type { Token } from '../api/types';
import { Outside } from '../app/outside';
import { useSession } from '../app/session';
import { dropMailToken, mailToken } from '../lib/fragment';
import { useT } from '../lib/language';
import { keep, kept } from '../lib/store';
import m from '../messages/auth';
import common from '../messages/common';
import { Button, Loading, Notice } from '../ui/basic';
import { FormError, TextField } from '../ui/form';

type Proof = { email: string; password: string } | { token: string };

export default function SignIn() {
	const t = useT();
	const { user, enter } = useSession();
	const [params] = useSearchParams();
	const [email, setEmail] = useState(params.get('email') ?? '');
	const [password, setPassword] = useState('');
	const [otp, setOtp] = useState('');
	const [link] = useState(mailToken);
	/* The link of a mail does not know where one was going when it was asked for. */
	const [to] = useState(() => params.get('to') ?? (link ? kept('sign-in.to') : null) ?? '/');
	const [wantsOtp, setWantsOtp] = useState(false);
	const [sent, setSent] = useState(false);
	const [hint, setHint] = useState('');
	const otpField = useRef<HTMLInputElement>(null);

	const signIn = useMutation({
		mutationFn: (proof: Proof) =>
			post<Token>('token' in proof ? '/auth/link/use' : '/auth/token', { ...proof, ...(otp ? { otp: otp.trim() } : {}), cookie: true }),
		onSuccess: (token) => {
			dropMailToken();
			keep('sign-in.to', null);
			enter(token);
		},
		onError: (e) => {
			if (e instanceof ApiError && e.code === 'otp_required') setWantsOtp(true);
		},
	});
	const askLink = useMutation({
		mutationFn: () => post('/auth/link', { email: email.trim() }),
		onSuccess: () => {
			keep('sign-in.to', to);
			setSent(true);
		},
	});

	const tried = useRef(false);
	const { mutate } = signIn;
	useEffect(() => {
		if (link && !tried.current) {
			tried.current = true;
			mutate({ token: link });
		}
	}, [link, mutate]);
	useEffect(() => {
		if (wantsOtp) otpField.current?.focus();
	}, [wantsOtp]);

	if (user) return <Navigate to={/^\/(?![/\\])/.test(to) ? to : '/'} replace />;
	if (user === undefined) return <Loading />;
	if (sent)
		return (
			<Outside title={t(m.sentTitle)} below={<Link className="underline" to="/sign-in" onClick={() => setSent(false)}>{t(common.back)}</Link>}>
				<p role="status">{t(m.sentText, { email })}</p>
			</Outside>
		);

	const error = signIn.error;
	const refused = error instanceof ApiError && error.status === 401 && error.code !== 'otp_required';
	const wrongOtp = (refused || (error instanceof ApiError && error.code === 'otp_required')) && otp !== '';
	if (link && !error) return <Outside title={t(m.signIn)}><p role="status">{t(m.signingIn)}</p></Outside>;

	return (
		<Outside
			title={t(m.signIn)}
			below={
				<>
					{t(m.noAccount)}{' '}
					<Link to="/register" className="underline">
						{t(m.register)}
					</Link>
				</>
			}
		>
			{params.get('done') && <Notice tone="good">{t(params.get('done') === 'reset' ? m.resetDone : m.verifyDone)}</Notice>}
			<form
				className="space-y-4"
				onSubmit={(e) => {
					e.preventDefault();
					setHint('');
					signIn.mutate(link && wantsOtp ? { token: link } : { email: email.trim(), password });
				}}
			>
				{wantsOtp ? (
					<TextField
						ref={otpField}
						label={t(m.otp)}
						hint={t(m.otpHint)}
						error={wrongOtp ? t(m.otpWrong) : undefined}
						autoComplete="one-time-code"
						inputMode="text"
						required
						value={otp}
						onChange={(e) => setOtp(e.target.value)}
					/>
				) : (
					<>
						<TextField label={t(m.email)} type="email" autoComplete="username" required autoFocus value={email} onChange={(e) => setEmail(e.target.value)} />
						<TextField
							label={t(m.password)}
							type="password"
							autoComplete="current-password"
							required
							value={password}
							onChange={(e) => setPassword(e.target.value)}
						/>
						{refused && <Notice tone="danger"><span role="alert">{t(link ? m.badLink : m.wrong)}</span></Notice>}
					</>
				)}
				{!refused && !wantsOtp && <FormError error={error} />}
				{wantsOtp && !wrongOtp && error instanceof ApiError && error.status !== 401 && <FormError error={error} />}
				<Button type="submit" look="primary" busy={signIn.isPending} className="w-full">
					{t(m.signIn)}
				</Button>
			</form>
			{!wantsOtp && (
				<div className="flex flex-col items-start gap-2 border-t border-line pt-4">
					<Link to="/forgot" state={{ email }} className="text-accent underline">
						{t(m.forgot)}
					</Link>
					<button
						type="button"
						className="text-accent underline"
						onClick={() => (/\S@\S/.test(email) ? askLink.mutate() : setHint(t(m.linkNeedsAddress)))}
					>
						{t(m.linkInstead)}
					</button>
					{hint && <p role="alert" className="text-warn">{hint}</p>}
					<FormError error={askLink.error} />
				</div>
			)}
		</Outside>
	);
}
