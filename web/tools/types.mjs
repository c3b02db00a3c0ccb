/* src/api/types.ts from the OpenAPI document of a running daemon:
 *
 *	node tools/types.mjs URL|FILE [--check]
 *
 * --check: fails when something that the file in the tree knows is not so in the document (any more);
 * what the API has beside it does not matter to the console. */
import { readFileSync, writeFileSync } from 'node:fs';

const [from, check] = process.argv.slice(2);
const target = new URL('../src/api/types.ts', import.meta.url);
const text = /^https?:/.test(from) ? await (await fetch(from)).text() : readFileSync(from, 'utf8');
const { components } = JSON.parse(text);

function type(s, depth) {
	if (!s) return 'unknown';
	if (s.$ref) return s.$ref.split('/').pop();
	for (const union of [s.anyOf, s.oneOf])
		if (union) return union.map((u) => type(u, depth)).join(' | ');
	if (s.enum) return s.enum.map((v) => JSON.stringify(v).replaceAll('"', "'")).join(' | ');
	if (Array.isArray(s.type)) return s.type.map((t) => type({ ...s, type: t }, depth)).join(' | ');
	switch (s.type) {
		case 'integer':
		case 'number':
			return 'number';
		case 'boolean':
		case 'string':
		case 'null':
			return s.type;
		case 'array': {
			const of = type(s.items, depth);
			return of.includes(' ') ? `(${of})[]` : `${of}[]`;
		}
		case 'object':
			if (s.properties) return shape(s, depth + 1);
			return `Record<string, ${s.additionalProperties ? type(s.additionalProperties === true ? null : s.additionalProperties, depth) : 'unknown'}>`;
	}
	return 'unknown';
}

function shape(s, depth) {
	const required = new Set(s.required ?? []);
	const rows = Object.entries(s.properties).map(
		([name, of]) => `${'\t'.repeat(depth)}${name}${required.has(name) ? '' : '?'}: ${type(of, depth)};\n`,
	);
	return `{\n${rows.join('')}${'\t'.repeat(depth - 1)}}`;
}

let out = '/* Made by tools/types.mjs from the OpenAPI document: not to be edited. */\n';
for (const [name, s] of Object.entries(components.schemas).sort(([a], [b]) => (a < b ? -1 : 1)))
	out += s.properties ? `\nexport interface ${name} ${shape(s, 1)}\n` : `\nexport type ${name} = ${type(s, 1)};\n`;

/* "Ticket.id: number" for each member of each object */
function members(source) {
	const found = new Set();
	for (const [, name, body] of source.matchAll(/^export interface (\w+) \{\n([\s\S]*?)^\}/gm))
		for (const line of body.split('\n')) if (line.trim()) found.add(`${name}.${line.trim()}`);
	return found;
}

if (!check) writeFileSync(target, out);
else {
	const now = members(out);
	const gone = [...members(readFileSync(target, 'utf8'))].filter((m) => !now.has(m));
	if (gone.length) {
		console.error(`web/src/api/types.ts is not what the API is (node web/tools/types.mjs URL):\n${gone.join('\n')}`);
		process.exit(1);
	}
}
