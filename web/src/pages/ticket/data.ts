/* What the ticket page reads and writes. Everything it shows has a key below ['ticket', id], so that
 * one live event makes all of it fresh. */
import { useInfiniteQuery, useQuery, useQueryClient } from '@tanstack/react-query';
import { useCallback } from 'react';
import { get, type Page } from '../../api/client';
import type { Comment, Message, Ticket } from '../../api/types';
import { useSession } from '../../app/session';

export function useTicket(id: number) {
	return useQuery({
		queryKey: ['ticket', id],
		queryFn: ({ signal }) => get<Ticket>(`/tickets/${id}`, undefined, signal),
	});
}

export const PER_PAGE = 100;

export function useComments(id: number) {
	return useInfiniteQuery({
		queryKey: ['ticket', id, 'comments'],
		queryFn: ({ pageParam, signal }) => get<Page<Comment>>(`/tickets/${id}/comments`, { page: pageParam, per_page: PER_PAGE }, signal),
		initialPageParam: 1,
		getNextPageParam: (last, all) => (last.next ? all.length + 1 : undefined),
	});
}

/** The mails of the ticket: for staff. */
export function useMails(id: number) {
	const { isStaff } = useSession();
	return useQuery({
		queryKey: ['ticket', id, 'mails'],
		queryFn: ({ signal }) => get<Page<Message>>(`/tickets/${id}/messages`, { per_page: 100 }, signal),
		enabled: isStaff,
	});
}

/** After a write: the answer is the ticket as it is now, the rest is read again. */
export function useFresh(id: number) {
	const client = useQueryClient();
	return useCallback(
		async (ticket?: Ticket) => {
			if (ticket && ticket.id === id) client.setQueryData(['ticket', id], ticket);
			void client.invalidateQueries({ queryKey: ['tickets'] });
			await client.invalidateQueries({ queryKey: ['ticket', id] });
		},
		[client, id],
	);
}
