import { fireEvent, render, screen } from '@testing-library/react';
import { afterEach, expect, it, vi } from 'vitest';
import { cleanup } from '@testing-library/react';
import { Menu } from './menu';

afterEach(cleanup);

it('is worked by keys alone', () => {
	const [a, b] = [vi.fn(), vi.fn()];
	render(
		<Menu label="Actions" items={[{ label: 'First', run: a }, null, { label: 'Second', run: b }]}>
			…
		</Menu>,
	);
	const button = screen.getByRole('button', { name: 'Actions' });
	button.focus();
	fireEvent.keyDown(button, { key: 'ArrowDown' });
	expect(document.activeElement?.textContent).toBe('First');
	fireEvent.keyDown(document.activeElement!, { key: 's' });
	expect(document.activeElement?.textContent).toBe('Second');
	fireEvent.keyDown(document.activeElement!, { key: 'ArrowDown' });
	expect(document.activeElement?.textContent).toBe('First');
	fireEvent.keyDown(document.activeElement!, { key: 'Escape' });
	expect(screen.queryByRole('menu')).toBeNull();
	expect(document.activeElement).toBe(button);
	fireEvent.click(button);
	fireEvent.click(screen.getByRole('menuitem', { name: 'Second' }));
	expect(b).toHaveBeenCalledOnce();
	expect(a).not.toHaveBeenCalled();
});
