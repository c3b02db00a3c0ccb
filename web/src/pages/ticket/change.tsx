import { useMutation } from '@tanstack/react-query';
import { createContext, useContext, useState, type ReactNode } from 'react';
import { ApiError, patch } from '../../api/client';
import type { Ticket } from '../../api/types';
import { useStaff, useTeams } from '../../app/people';
import { useWord } from '../../ui/ticket-parts';
import { useToast } from '../../ui/toast';
import { ConflictDialog, differing, show, type Clash } from './conflict';
import { useFresh } from './data';

/** `onRefused`: what was typed is not there; whoever typed it can have it back. */
type Change = (fields: Record<string, unknown>, onRefused?: () => void) => void;

interface Saving {
	fields: Record<string, unknown>;
	version: number;
	/** What the change was made on. */
	base: Ticket;
	onRefused?: () => void;
}

const Context = createContext<{ change: Change; busy: boolean }>({ change: () => {}, busy: false });

export const useChange = () => useContext(Context);

/** PATCH with the version that is shown. If somebody was faster with other fields, the change is made
 * on top of theirs; with the same ones, both versions are shown. */
export function ChangeProvider({ ticket, children }: { ticket: Ticket; children: ReactNode }) {
	const fresh = useFresh(ticket.id);
	const { fail } = useToast();
	const staff = useStaff();
	const teams = useTeams();
	const word = useWord();
	const [clash, setClash] = useState<Clash | null>(null);
	const save = useMutation({
		mutationFn: ({ fields, version }: Saving) =>
			patch<Ticket>(`/tickets/${ticket.id}`, { ...fields, version }),
		onSuccess: (now) => fresh(now),
		onError: (e, { fields, base, onRefused }) => {
			const current = e instanceof ApiError && e.code === 'version_conflict' ? (e.body.current as Ticket | undefined) : undefined;
			if (!current) {
				fail(e);
				onRefused?.();
				void fresh();
				return;
			}
			const touched = Object.keys(fields).some(
				(k) => show((base as unknown as Record<string, unknown>)[k]) !== show((current as unknown as Record<string, unknown>)[k]),
			);
			const found = { mine: fields, current };
			if (!touched) save.mutate({ fields, version: current.version, base: current, onRefused });
			else if (!differing(found).length) void fresh(current);
			else setClash(found);
		},
	});
	const label = (field: string, v: unknown) => {
		if (field === 'assignee' && typeof v === 'number') return staff.find((u) => u.id === v)?.name ?? String(v);
		if (field === 'team' && typeof v === 'number') return teams.find((x) => x.id === v)?.name ?? String(v);
		if (field === 'status' || field === 'priority') return word(String(v));
		return show(v);
	};
	return (
		<Context.Provider value={{ busy: save.isPending, change: (fields, onRefused) => save.mutate({ fields, version: ticket.version, base: ticket, onRefused }) }}>
			{children}
			{clash && (
				<ConflictDialog
					clash={clash}
					label={label}
					onTheirs={() => {
						setClash(null);
						void fresh(clash.current);
					}}
					onMine={() => {
						setClash(null);
						save.mutate({ fields: clash.mine, version: clash.current.version, base: clash.current });
					}}
				/>
			)}
		</Context.Provider>
	);
}
