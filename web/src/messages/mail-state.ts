import type { Text } from '../lib/text';

const m = {
	queued: ['waits to be sent', 'wartet auf den Versand', 'espera para enviarse', 'en attente d’envoi'],
	sending: ['is being sent', 'wird gesendet', 'se está enviando', 'envoi en cours'],
	sent: ['sent', 'gesendet', 'enviado', 'envoyé'],
	retry: ['will be tried again', 'wird erneut versucht', 'se reintentará', 'nouvel essai prévu'],
	failed: ['not delivered', 'nicht zugestellt', 'no entregado', 'non remis'],
	held: ['held', 'angehalten', 'retenido', 'retenu'],
	cancelled: ['cancelled', 'abgebrochen', 'cancelado', 'annulé'],
	received: ['received', 'empfangen', 'recibido', 'reçu'],
} satisfies Record<string, Text>;

export default m;
