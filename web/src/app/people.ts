/* Lists that many pages choose from: fetched once in a while. */
import { useQuery } from '@tanstack/react-query';
import { ApiError, get, type Page } from '../api/client';
import type { CannedReply, Organisation, TagRow, Team, User } from '../api/types';
import { useSession } from './session';

const minutes = 60_000;

function useAll<T>(key: string, path: string, query: Record<string, string | number> = {}) {
	const { isStaff } = useSession();
	return (
		useQuery({
			queryKey: [key, 'all', query],
			queryFn: ({ signal }) => get<Page<T>>(path, { per_page: 100, ...query }, signal),
			staleTime: 5 * minutes,
			enabled: isStaff,
		}).data?.items ?? []
	);
}

/** Who tickets can be assigned to. */
export function useStaff(): User[] {
	const agents = useAll<User>('users', '/users', { role: 'agent' });
	const admins = useAll<User>('users', '/users', { role: 'admin' });
	return [...agents, ...admins].filter((u) => !u.disabled).sort((a, b) => a.name.localeCompare(b.name));
}
export const useTeams = () => useAll<Team>('teams', '/teams');
export const useOrganisations = () => useAll<Organisation>('organisations', '/organisations');
export const useTags = () => useAll<TagRow>('tags', '/tags');
export const useCannedReplies = () => useAll<CannedReply>('canned-replies', '/canned-replies');

export interface SavedView {
	id: number;
	name: string;
	query: string;
	shared: boolean;
}

/** None where the desk has no saved views. */
export function useSavedViews(): { views: SavedView[]; available: boolean } {
	const { isStaff } = useSession();
	const q = useQuery({
		queryKey: ['saved-views'],
		queryFn: async ({ signal }) => {
			try {
				return (await get<Page<SavedView>>('/saved-views', { per_page: 100 }, signal)).items;
			} catch (e) {
				if (e instanceof ApiError && e.status === 404) return null;
				throw e;
			}
		},
		staleTime: 5 * minutes,
		enabled: isStaff,
	});
	return { views: q.data ?? [], available: !!q.data };
}
