/* Why a clock counted a stretch of time, or did not. */
import type { Text } from '../lib/text';

const m = {
	open: ['open', 'geöffnet', 'abierto', 'ouvert'],
	open_then: ['open hours, as they were then', 'Öffnungszeit, wie sie damals war', 'horario de entonces', 'heures ouvertes d’alors'],
	outside_hours: ['outside hours', 'außerhalb der Zeiten', 'fuera de horario', 'hors des heures'],
	closed: ['closed', 'geschlossen', 'cerrado', 'fermé'],
	paused: ['paused', 'angehalten', 'en pausa', 'en pause'],
	stopped: ['stopped', 'beendet', 'detenido', 'arrêtée'],
	about_deleted: ['deleted', 'gelöscht', 'eliminado', 'supprimé'],
	about_merged: ['merged', 'überführt', 'fusionado', 'fusionné'],
	'about_no target': ['no target', 'kein Ziel', 'sin objetivo', 'sans objectif'],
	about_snoozed: ['snoozed', 'zurückgestellt', 'pospuesto', 'reporté'],
} satisfies Record<string, Text>;

export default m;
