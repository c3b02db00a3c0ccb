import type { Text } from '../lib/text';

const m = {
	add: ['New tag', 'Neues Schlagwort', 'Nueva etiqueta', 'Nouvelle étiquette'],
	edit: ['Edit tag', 'Schlagwort bearbeiten', 'Editar etiqueta', 'Modifier l’étiquette'],
	name: ['Name', 'Name', 'Nombre', 'Nom'],
	color: ['Colour', 'Farbe', 'Color', 'Couleur'],
	empty: ['No tags yet', 'Noch keine Schlagwörter', 'Aún no hay etiquetas', 'Pas encore d’étiquettes'],
	emptyText: ['Tags group tickets across teams. Agents make them while they tag, too.', 'Schlagwörter ordnen Tickets über Teams hinweg. Agenten legen sie auch beim Verschlagworten an.', 'Las etiquetas agrupan tickets de varios equipos. Los agentes también las crean al etiquetar.', 'Les étiquettes regroupent les tickets de plusieurs équipes. Les agents en créent aussi en étiquetant.'],
} satisfies Record<string, Text>;

export default m;
