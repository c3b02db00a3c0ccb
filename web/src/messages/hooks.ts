/* Webhooks and the audit log. */
import type { Text } from '../lib/text';

const m = {
	add: ['New webhook', 'Neuer Webhook', 'Nuevo webhook', 'Nouveau webhook'],
	edit: ['Edit webhook', 'Webhook bearbeiten', 'Editar webhook', 'Modifier le webhook'],
	empty: ['No webhooks', 'Keine Webhooks', 'No hay webhooks', 'Aucun webhook'],
	emptyText: ['A webhook calls another program when something happens here.', 'Ein Webhook ruft ein anderes Programm, wenn hier etwas geschieht.', 'Un webhook llama a otro programa cuando ocurre algo aquí.', 'Un webhook appelle un autre programme quand il se passe quelque chose ici.'],
	url: ['Address', 'Adresse', 'Dirección', 'Adresse'],
	urlHint: ['https://… on the public internet', 'https://… im öffentlichen Internet', 'https://… en internet público', 'https://… sur l’internet public'],
	events: ['Events', 'Ereignisse', 'Eventos', 'Évènements'],
	active: ['is called', 'wird gerufen', 'se llama', 'est appelé'],
	isOff: ['off', 'aus', 'desactivado', 'inactif'],
	isOn: ['on', 'an', 'activo', 'actif'],
	made: ['Copy this secret now', 'Kopieren Sie dieses Geheimnis jetzt', 'Copie este secreto ahora', 'Copiez ce secret maintenant'],
	madeText: ['Calls are signed with it (X-Maildesk-Signature). It is shown this once.', 'Aufrufe sind damit signiert (X-Maildesk-Signature). Es wird nur dieses eine Mal gezeigt.', 'Las llamadas se firman con él (X-Maildesk-Signature). Solo se muestra esta vez.', 'Les appels sont signés avec lui (X-Maildesk-Signature). Il n’est montré qu’une fois.'],
	test: ['Test', 'Testen', 'Probar', 'Tester'],
	tested: ['It is being called; see its calls.', 'Er wird gerufen; siehe seine Aufrufe.', 'Se está llamando; vea sus llamadas.', 'Il est appelé ; voyez ses appels.'],
	calls: ['Calls', 'Aufrufe', 'Llamadas', 'Appels'],
	noCalls: ['It was not called yet', 'Er wurde noch nicht gerufen', 'Aún no se ha llamado', 'Il n’a pas encore été appelé'],
	event: ['Event', 'Ereignis', 'Evento', 'Évènement'],
	state: ['State', 'Stand', 'Estado', 'État'],
	answer: ['Answer', 'Antwort', 'Respuesta', 'Réponse'],
	when: ['When', 'Wann', 'Cuándo', 'Quand'],
	delivered: ['delivered', 'zugestellt', 'entregada', 'remis'],
	failed: ['failed', 'gescheitert', 'fallida', 'échoué'],
	retry: ['will be tried again', 'wird erneut versucht', 'se reintentará', 'nouvel essai prévu'],
	queued: ['waits', 'wartet', 'en espera', 'en attente'],
	sending: ['is being called', 'läuft', 'en curso', 'en cours'],

	who: ['Who', 'Wer', 'Quién', 'Qui'],
	what: ['What', 'Was', 'Qué', 'Quoi'],
	about: ['About', 'Worüber', 'Sobre', 'À propos de'],
	stranger: ['not signed in', 'nicht angemeldet', 'sin sesión', 'non connecté'],
	auditEmpty: ['Nothing here yet', 'Hier ist noch nichts', 'Aún no hay nada', 'Rien pour l’instant'],
	auditEmptyText: ['What admins do and what was refused is written here, in a chain that shows tampering.', 'Was Admins tun und was verweigert wurde, steht hier, in einer Kette, die Fälschung zeigt.', 'Aquí queda lo que hacen los administradores y lo que se rechazó, en una cadena que delata manipulaciones.', 'Ce que font les administrateurs et ce qui fut refusé est écrit ici, dans une chaîne qui révèle toute altération.'],
	action: ['Action', 'Aktion', 'Acción', 'Action'],
	actionHint: ['such as user.change', 'etwa user.change', 'como user.change', 'comme user.change'],
	from: ['From', 'Von', 'Desde', 'Du'],
	to: ['To', 'Bis', 'Hasta', 'Au'],
	times: ['{n} time|{n} times', '{n}-mal|{n}-mal', '{n} vez|{n} veces', '{n} fois|{n} fois'],
} satisfies Record<string, Text>;

export default m;
