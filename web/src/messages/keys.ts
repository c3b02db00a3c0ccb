import type { Text } from '../lib/text';

const m = {
	title: ['Keyboard', 'Tastatur', 'Teclado', 'Clavier'],
	help: ['this help', 'diese Hilfe', 'esta ayuda', 'cette aide'],
	search: ['search', 'suchen', 'buscar', 'rechercher'],
	move: ['next and previous ticket', 'nächstes und voriges Ticket', 'ticket siguiente y anterior', 'ticket suivant et précédent'],
	select: ['select', 'auswählen', 'seleccionar', 'sélectionner'],
	open: ['open', 'öffnen', 'abrir', 'ouvrir'],
	create: ['new ticket', 'neues Ticket', 'nuevo ticket', 'nouveau ticket'],
	reply: ['answer', 'antworten', 'responder', 'répondre'],
	note: ['internal note', 'interne Notiz', 'nota interna', 'note interne'],
	undo: ['take back what is being sent', 'zurückholen, was gerade gesendet wird', 'recuperar lo que se está enviando', 'reprendre ce qui est en cours d’envoi'],
	send: ['send', 'senden', 'enviar', 'envoyer'],
} satisfies Record<string, Text>;

export default m;
