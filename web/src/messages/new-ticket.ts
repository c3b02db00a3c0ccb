import type { Text } from '../lib/text';

const m = {
	intro: ['Tell us what you need. Answers come by mail and stand here, too.', 'Sagen Sie uns, was Sie brauchen. Antworten kommen per E-Mail und stehen auch hier.', 'Díganos qué necesita. Las respuestas llegan por correo y también aparecen aquí.', 'Dites-nous ce qu’il vous faut. Les réponses arrivent par e-mail et figurent aussi ici.'],
	subjectHint: ['A few words that say what it is about.', 'Ein paar Worte, worum es geht.', 'Unas palabras que digan de qué se trata.', 'Quelques mots qui disent de quoi il s’agit.'],
	message: ['What is it?', 'Worum geht es?', '¿De qué se trata?', 'De quoi s’agit-il ?'],
	requester: ['For which customer', 'Für welchen Kunden', 'Para qué cliente', 'Pour quel client'],
	requesterHint: ['An address; new ones become customers. Empty: for yourself.', 'Eine Adresse; neue werden Kunden. Leer: für Sie selbst.', 'Una dirección; las nuevas serán clientes. Vacío: para usted.', 'Une adresse ; les nouvelles deviennent des clients. Vide : pour vous-même.'],
	cc: ['Copy to', 'Kopie an', 'Copia a', 'Copie à'],
	ccHint: ['Addresses, with commas between them.', 'Adressen, durch Kommas getrennt.', 'Direcciones separadas por comas.', 'Adresses séparées par des virgules.'],
	tagsHint: ['With commas between them.', 'Durch Kommas getrennt.', 'Separadas por comas.', 'Séparées par des virgules.'],
	create: ['Create ticket', 'Ticket anlegen', 'Crear ticket', 'Créer le ticket'],
	created: ['Ticket #{id} is created.', 'Ticket #{id} ist angelegt.', 'Ticket #{id} creado.', 'Le ticket #{id} est créé.'],
	discard: ['Discard', 'Verwerfen', 'Descartar', 'Abandonner'],
} satisfies Record<string, Text>;

export default m;
