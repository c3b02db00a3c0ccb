import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import qrcode from 'qrcode-generator';
import { useMemo, useState } from 'react';
import { del, get, patch, post } from '../api/client';
import type { Me, Otp, Session } from '../api/types';
import { useSession } from '../app/session';
import { useLanguage } from '../lib/language';
import { languageNames, locales } from '../lib/text';
import common from '../messages/common';
import m from '../messages/profile';
import { Ago, Badge, Button, Card, Failure, Loading } from '../ui/basic';
import { Dialog } from '../ui/dialog';
import { fieldError, FormActions, FormError, SelectField, TextArea, TextField } from '../ui/form';
import { Icon } from '../ui/icons';
import { PageFrame, usePage } from '../ui/page';
import { useToast } from '../ui/toast';

const useMe = () => useQuery({ queryKey: ['me'], queryFn: ({ signal }) => get<Me>('/auth/me', undefined, signal) });

function useSaveMe() {
	const client = useQueryClient();
	const { choose, t } = useLanguage();
	const { say } = useToast();
	return useMutation({
		mutationFn: (changes: Partial<Me> & { password?: string; old_password?: string }) => patch<Me>('/auth/me', changes),
		onSuccess: (me) => {
			client.setQueryData(['me'], me);
			choose(me.locale ?? null, me.timezone ?? null);
			say(t(common.saved));
		},
	});
}

function zones(now: string): string[] {
	const all = 'supportedValuesOf' in Intl ? (Intl as unknown as { supportedValuesOf(k: string): string[] }).supportedValuesOf('timeZone') : [];
	return [...new Set(['UTC', ...all, ...(now ? [now] : [])])];
}

function About({ me }: { me: Me }) {
	const { t } = useLanguage();
	const { isStaff } = useSession();
	const [name, setName] = useState(me.name);
	const [locale, setLocale] = useState(me.locale ?? '');
	const [zone, setZone] = useState(me.timezone ?? '');
	const [signature, setSignature] = useState(me.signature ?? '');
	const save = useSaveMe();
	return (
		<Card title={t(m.about)}>
			<form
				className="space-y-4 p-4"
				onSubmit={(e) => {
					e.preventDefault();
					save.mutate({ name: name.trim(), locale: locale || null, timezone: zone || null, ...(isStaff ? { signature: signature || null } : {}) });
				}}
			>
				<div className="grid gap-4 sm:grid-cols-2">
					<TextField label={t(m.name)} required maxLength={200} autoComplete="name" value={name} onChange={(e) => setName(e.target.value)} error={fieldError(save.error, 'name')} />
					<TextField label={t(m.email)} hint={t(m.emailHint)} value={me.email ?? ''} readOnly disabled />
					<SelectField
						label={t(m.language)}
						hint={t(m.languageHint)}
						value={locale}
						onChange={(e) => setLocale(e.target.value)}
						options={[
							{ value: '', label: t(m.ofDesk) },
							...locales.map((l) => ({ value: l as string, label: languageNames[l] })),
							...(locale && !(locales as readonly string[]).includes(locale) ? [{ value: locale, label: locale }] : []),
						]}
					/>
					<SelectField
						label={t(m.zone)}
						value={zone}
						onChange={(e) => setZone(e.target.value)}
						options={[{ value: '', label: t(m.ofDesk) }, ...zones(zone).map((z) => ({ value: z, label: z.replaceAll('_', ' ') }))]}
						error={fieldError(save.error, 'timezone')}
					/>
				</div>
				{isStaff && <TextArea label={t(m.signature)} optional hint={t(m.signatureHint)} rows={3} maxLength={2000} value={signature} onChange={(e) => setSignature(e.target.value)} />}
				<FormError error={save.error} fields={['name', 'timezone']} />
				<FormActions busy={save.isPending} />
			</form>
		</Card>
	);
}

function Notifications({ me }: { me: Me }) {
	const { t } = useLanguage();
	const save = useSaveMe();
	return (
		<Card title={t(m.notifications)}>
			<div className="space-y-3 p-4">
				<SelectField
					label={t(m.digest)}
					hint={t(m.digestHint)}
					disabled={save.isPending}
					value={me.digest}
					onChange={(e) => save.mutate({ digest: e.target.value as Me['digest'] })}
					options={(['off', 'hourly', 'daily'] as const).map((d) => ({ value: d, label: t(m[d]) }))}
				/>
				<FormError error={save.error} />
			</div>
		</Card>
	);
}

function Password({ me }: { me: Me }) {
	const { t } = useLanguage();
	const [old, setOld] = useState('');
	const [next, setNext] = useState('');
	const save = useSaveMe();
	return (
		<Card title={t(m.password)}>
			<form
				className="space-y-4 p-4"
				onSubmit={(e) => {
					e.preventDefault();
					save.mutate(
						{ password: next, ...(me.has_password ? { old_password: old } : {}) },
						{
							onSuccess: () => {
								setOld('');
								setNext('');
							},
						},
					);
				}}
			>
				<input type="text" hidden readOnly autoComplete="username" value={me.email ?? ''} />
				<div className="grid gap-4 sm:grid-cols-2">
					{me.has_password && (
						<TextField label={t(m.oldPassword)} type="password" autoComplete="current-password" required value={old} onChange={(e) => setOld(e.target.value)} error={fieldError(save.error, 'old_password')} />
					)}
					<TextField
						label={t(m.newPassword)}
						type="password"
						autoComplete="new-password"
						minLength={10}
						required
						hint={t(m.passwordHint)}
						value={next}
						onChange={(e) => setNext(e.target.value)}
						error={fieldError(save.error, 'password')}
					/>
				</div>
				<FormError error={save.error} fields={['password', 'old_password']} />
				<FormActions busy={save.isPending} label={t(m.changePassword)} />
			</form>
		</Card>
	);
}

function QrCode({ text }: { text: string }) {
	const path = useMemo(() => {
		const qr = qrcode(0, 'M');
		qr.addData(text);
		qr.make();
		const n = qr.getModuleCount();
		let d = '';
		for (let y = 0; y < n; y++) for (let x = 0; x < n; x++) if (qr.isDark(y, x)) d += `M${x} ${y}h1v1h-1z`;
		return { d, n };
	}, [text]);
	/* dark on light in both themes: cameras want it so */
	return (
		<svg viewBox={`-3 -3 ${path.n + 6} ${path.n + 6}`} className="size-44 rounded-md bg-white" aria-hidden="true" shapeRendering="crispEdges">
			<path d={path.d} fill="#000" />
		</svg>
	);
}

function SetUpFactor({ onClose }: { onClose: () => void }) {
	const { t } = useLanguage();
	const client = useQueryClient();
	const { say } = useToast();
	const [otp, setOtp] = useState('');
	const start = useQuery({ queryKey: ['otp-setup'], queryFn: () => post<Otp>('/auth/otp', {}), staleTime: Infinity, gcTime: 0, retry: false });
	const confirm = useMutation({
		mutationFn: () => post<Otp>('/auth/otp', { otp: otp.trim() }),
		onSuccess: async () => {
			await client.invalidateQueries({ queryKey: ['me'] });
			say(t(common.saved));
			onClose();
		},
	});
	const made = start.data;
	return (
		<Dialog title={t(m.factor)} onClose={onClose}>
			{start.isError ? (
				<Failure error={start.error} onRetry={() => void start.refetch()} />
			) : !made ? (
				<Loading rows={3} />
			) : (
				<form
					className="space-y-4"
					onSubmit={(e) => {
						e.preventDefault();
						confirm.mutate();
					}}
				>
					<p>{t(m.scan)}</p>
					<div className="flex flex-wrap items-center gap-4">
						{made.uri && <QrCode text={made.uri} />}
						<div className="min-w-0">
							<p className="text-xs text-muted">{t(m.key)}</p>
							<code className="font-mono [overflow-wrap:anywhere]">{made.secret}</code>
						</div>
					</div>
					{made.recovery_codes && (
						<div>
							<p className="font-medium">{t(m.recovery)}</p>
							<p className="mb-2 text-xs text-muted">{t(m.recoveryHint)}</p>
							<ul className="grid grid-cols-2 gap-x-4 gap-y-1 rounded-md bg-sunken p-3 font-mono text-xs">
								{made.recovery_codes.map((c) => (
									<li key={c}>{c}</li>
								))}
							</ul>
						</div>
					)}
					<TextField label={t(m.code)} required autoComplete="one-time-code" inputMode="numeric" value={otp} onChange={(e) => setOtp(e.target.value)} error={fieldError(confirm.error, 'otp')} />
					<FormError error={confirm.error} fields={['otp']} />
					<FormActions busy={confirm.isPending} label={t(m.confirm)} onCancel={onClose} />
				</form>
			)}
		</Dialog>
	);
}

function DropFactor({ onClose }: { onClose: () => void }) {
	const { t } = useLanguage();
	const client = useQueryClient();
	const [otp, setOtp] = useState('');
	const drop = useMutation({
		mutationFn: () => del('/auth/otp', { otp: otp.trim() }),
		onSuccess: async () => {
			await client.invalidateQueries({ queryKey: ['me'] });
			onClose();
		},
	});
	return (
		<Dialog title={t(m.turnOff)} onClose={onClose}>
			<form
				className="space-y-4"
				onSubmit={(e) => {
					e.preventDefault();
					drop.mutate();
				}}
			>
				<TextField label={t(m.code)} required autoComplete="one-time-code" value={otp} onChange={(e) => setOtp(e.target.value)} error={fieldError(drop.error, 'otp')} />
				<FormError error={drop.error} fields={['otp']} />
				<FormActions busy={drop.isPending} label={t(m.turnOff)} onCancel={onClose} />
			</form>
		</Dialog>
	);
}

function Factor({ me }: { me: Me }) {
	const { t } = useLanguage();
	const [open, setOpen] = useState<'set' | 'drop' | null>(null);
	return (
		<Card title={t(m.factor)}>
			<div className="flex flex-wrap items-center gap-3 p-4">
				<Icon name="shield" className={me.otp_enabled ? 'text-good' : 'text-muted'} />
				<p className="min-w-0 flex-1 basis-44">{t(me.otp_enabled ? m.factorOn : m.factorOff)}</p>
				<Button onClick={() => setOpen(me.otp_enabled ? 'drop' : 'set')}>{t(me.otp_enabled ? m.turnOff : m.setUp)}</Button>
			</div>
			{open === 'set' && <SetUpFactor onClose={() => setOpen(null)} />}
			{open === 'drop' && <DropFactor onClose={() => setOpen(null)} />}
		</Card>
	);
}

/** "Firefox, Linux": enough of a User-Agent to know one's own again. */
export function browserName(agent: string | null): string | null {
	if (!agent) return null;
	const names = ['Edg', 'OPR', 'Firefox', 'Chrome', 'Safari'];
	const shown: Record<string, string> = { Edg: 'Edge', OPR: 'Opera' };
	const name = names.find((x) => agent.includes(`${x}/`));
	const system = ['Android', 'iPhone', 'iPad', 'Windows', 'Mac OS', 'Linux'].find((x) => agent.includes(x));
	if (!name) return agent.length > 60 ? `${agent.slice(0, 60)}…` : agent;
	return [shown[name] ?? name, system].filter(Boolean).join(', ');
}

function Sessions() {
	const { t } = useLanguage();
	const client = useQueryClient();
	const { say, fail } = useToast();
	const sessions = usePage<Session>('sessions', '/auth/sessions', { per_page: 100 });
	const end = (path: string) =>
		void del(path).then(async () => {
			await client.invalidateQueries({ queryKey: ['sessions'] });
			say(t(m.ended));
		}, fail);
	const items = sessions.data?.items ?? [];
	return (
		<Card
			title={t(m.sessions)}
			actions={
				items.length > 1 && (
					<Button small onClick={() => end('/auth/sessions')}>
						{t(m.endOthers)}
					</Button>
				)
			}
		>
			{sessions.isError ? (
				<Failure error={sessions.error} onRetry={() => void sessions.refetch()} />
			) : sessions.isPending ? (
				<Loading rows={2} />
			) : (
				<ul className="divide-y divide-line">
					{items.map((s) => (
						<li key={s.id} className="flex items-center gap-3 px-4 py-2.5">
							<div className="min-w-0 flex-1">
								<p className="truncate">
									{browserName(s.user_agent) ?? t(m.unknownBrowser)} {s.current && <Badge tone="good">{t(m.thisOne)}</Badge>}
								</p>
								<p className="text-xs text-muted">
									{t(m.lastUsed)} <Ago at={s.last_used_at} />
								</p>
							</div>
							{!s.current && (
								<Button small onClick={() => end(`/auth/sessions/${s.id}`)} aria-label={`${t(m.end)}: ${browserName(s.user_agent) ?? t(m.unknownBrowser)}`}>
									{t(m.end)}
								</Button>
							)}
						</li>
					))}
				</ul>
			)}
		</Card>
	);
}

export default function Profile() {
	const { t } = useLanguage();
	const me = useMe();
	return (
		<PageFrame title={t(common.profile)}>
			{me.isError ? (
				<Failure error={me.error} onRetry={() => void me.refetch()} />
			) : !me.data ? (
				<Loading />
			) : (
				<div className="max-w-3xl space-y-4">
					<About me={me.data} />
					<Notifications me={me.data} />
					<Factor me={me.data} />
					<Password me={me.data} />
					<Sessions />
				</div>
			)}
		</PageFrame>
	);
}
