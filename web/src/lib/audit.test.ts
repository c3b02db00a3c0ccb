import { describe, expect, it } from 'vitest';
import { aboutText, actionText, detailText, sourceText } from './audit';
import { format, type Params, type Text } from './text';

const de = (text: Text, params?: Params) => format(text, 'de', params);

describe('the audit log in words', () => {
	it('says deeds and things in the language of its reader', () => {
		expect(actionText('user.change', de)).toBe('Person: geändert');
		expect(actionText('user.addresses.add', de)).toBe('Person: Adresse hinzugefügt');
		expect(actionText('sign_in.refused', de)).toBe('Anmeldung: verweigert');
		expect(aboutText({ about: 'canned_reply', about_id: 7 }, de)).toBe('Textbaustein 7');
		expect(aboutText({ about: null, about_id: null }, de)).toBe('');
		expect(sourceText('cli', de)).toBe('Kommandozeile');
	});
	it('names fields, and what a role became', () => {
		expect(detailText('name role version; role=agent', de)).toBe('Name, Rolle, jetzt Agent');
		expect(detailText('expires_at', de)).toBe('Ende');
		expect(detailText(null, de)).toBe('');
	});
	it('leaves what it has no word for', () => {
		expect(actionText('thing.new_deed', de)).toBe('thing: new_deed');
		expect(detailText('new_field', de)).toBe('new_field');
	});
});
