import { useMutation } from '@tanstack/react-query';
import { useState } from 'react';
import { Link } from 'react-router-dom';
import { ApiError, post } from '../api/client';
import { Outside } from '../app/outside';
import { useT } from '../lib/language';
import m from '../messages/auth';
import { Button, Notice } from '../ui/basic';
import { fieldError, FormError, TextField } from '../ui/form';

export default function Register() {
	const t = useT();
	const [name, setName] = useState('');
	const [email, setEmail] = useState('');
	const [password, setPassword] = useState('');
	const [touched, setTouched] = useState(false);
	const short = new TextEncoder().encode(password).length < 10;
	const register = useMutation({ mutationFn: () => post('/auth/register', { name: name.trim(), email: email.trim(), password }) });
	const below = (
		<>
			{t(m.haveAccount)}{' '}
			<Link to="/sign-in" className="underline">
				{t(m.signIn)}
			</Link>
		</>
	);
	if (register.isSuccess)
		return (
			<Outside title={t(m.sentTitle)} below={below}>
				<p role="status">{t(m.registerSent, { email })}</p>
			</Outside>
		);
	const off = register.error instanceof ApiError && register.error.code === 'registration_off';
	return (
		<Outside title={t(m.register)} below={below}>
			<form
				className="space-y-4"
				onSubmit={(e) => {
					e.preventDefault();
					setTouched(true);
					if (!short) register.mutate();
				}}
			>
				<TextField label={t(m.name)} autoComplete="name" required autoFocus maxLength={200} value={name} onChange={(e) => setName(e.target.value)} error={fieldError(register.error, 'name')} />
				<TextField label={t(m.email)} type="email" autoComplete="username" required value={email} onChange={(e) => setEmail(e.target.value)} error={fieldError(register.error, 'email')} />
				<TextField
					label={t(m.password)}
					type="password"
					autoComplete="new-password"
					required
					hint={t(m.passwordHint)}
					value={password}
					onChange={(e) => setPassword(e.target.value)}
					error={touched && short ? t(m.passwordShort) : fieldError(register.error, 'password')}
				/>
				{off ? <Notice tone="warn"><span role="alert">{t(m.registrationOff)}</span></Notice> : <FormError error={register.error} fields={['name', 'email', 'password']} />}
				<Button type="submit" look="primary" busy={register.isPending} className="w-full">
					{t(m.register)}
				</Button>
			</form>
		</Outside>
	);
}
