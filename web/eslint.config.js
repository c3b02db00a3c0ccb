import js from '@eslint/js';
import hooks from 'eslint-plugin-react-hooks';
import ts from 'typescript-eslint';

export default ts.config(
	{ ignores: ['dist', 'node_modules', 'vite.config.ts', 'tools'] },
	js.configs.recommended,
	...ts.configs.strict,
	{
		files: ['src/**/*.{ts,tsx}'],
		plugins: { 'react-hooks': hooks },
		rules: {
			...hooks.configs.recommended.rules,
			'react-hooks/exhaustive-deps': 'error',
			'@typescript-eslint/no-non-null-assertion': 'off',
			'@typescript-eslint/no-invalid-void-type': 'off',
			/* One place makes HTML of strings: lib/sanitise.ts and its users say why. */
			'no-restricted-syntax': [
				'error',
				{ selector: "JSXAttribute[name.name='dangerouslySetInnerHTML']", message: 'Use <SafeHtml>.' },
			],
		},
	},
);
