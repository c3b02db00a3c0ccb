import { QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { RouterProvider } from 'react-router-dom';
import { ApiError } from './api/client';
import { makeRouter } from './app/router';
import { SessionProvider } from './app/session';
import { takeFragment } from './lib/fragment';
import { LanguageProvider } from './lib/language';
import './styles.css';
import { AskProvider } from './ui/dialog';
import { ToastProvider } from './ui/toast';

takeFragment();
/* A link of a mail that is put into the address of an open console changes its fragment alone. */
window.addEventListener('hashchange', () => window.location.hash.startsWith('#/') && window.location.reload());

const client = new QueryClient({
	defaultOptions: {
		queries: {
			staleTime: 10_000,
			networkMode: 'always',
			/* What the API refuses it refuses again; a busy desk or a lost connection comes back. */
			retry: (n, e) => n < 3 && e instanceof ApiError && (e.status === 0 || e.status === 503),
			retryDelay: (n) => Math.min(1000 * 2 ** n, 8000),
		},
		mutations: { networkMode: 'always' },
	},
});

createRoot(document.getElementById('root')!).render(
	<StrictMode>
		<QueryClientProvider client={client}>
			<LanguageProvider>
				<ToastProvider>
					<AskProvider>
						<SessionProvider>
							<RouterProvider router={makeRouter()} />
						</SessionProvider>
					</AskProvider>
				</ToastProvider>
			</LanguageProvider>
		</QueryClientProvider>
	</StrictMode>,
);
