/* Teams, organisations, canned replies and keys of programs. */
import type { Text } from '../lib/text';

const m = {
	name: ['Name', 'Name', 'Nombre', 'Nom'],

	teamAdd: ['New team', 'Neues Team', 'Nuevo equipo', 'Nouvelle équipe'],
	teamEdit: ['Edit team', 'Team bearbeiten', 'Editar equipo', 'Modifier l’équipe'],
	teamEmpty: ['No teams yet', 'Noch keine Teams', 'Aún no hay equipos', 'Pas encore d’équipes'],
	teamEmptyText: ['New tickets of a mailbox can go to a team; its members are told and take turns.', 'Neue Tickets eines Postfachs können an ein Team gehen; seine Mitglieder werden benachrichtigt und wechseln sich ab.', 'Los tickets nuevos de un buzón pueden ir a un equipo; sus miembros reciben aviso y se turnan.', 'Les nouveaux tickets d’une boîte peuvent aller à une équipe ; ses membres sont prévenus et se relaient.'],
	members: ['Members', 'Mitglieder', 'Miembros', 'Membres'],
	noMembers: ['Nobody', 'Niemand', 'Nadie', 'Personne'],

	orgAdd: ['New organisation', 'Neue Organisation', 'Nueva organización', 'Nouvelle organisation'],
	orgEdit: ['Edit organisation', 'Organisation bearbeiten', 'Editar organización', 'Modifier l’organisation'],
	orgEmpty: ['No organisations yet', 'Noch keine Organisationen', 'Aún no hay organizaciones', 'Pas encore d’organisations'],
	orgEmptyText: ['Customers whose address is in one of its domains belong to an organisation by themselves.', 'Kunden, deren Adresse in einer ihrer Domains liegt, gehören von selbst zur Organisation.', 'Los clientes con dirección en uno de sus dominios pertenecen a la organización automáticamente.', 'Les clients dont l’adresse est dans un de ses domaines en font partie d’office.'],
	domains: ['Domains', 'Domains', 'Dominios', 'Domaines'],
	domainsHint: ['One a line, such as example.com', 'Eine je Zeile, etwa example.com', 'Uno por línea, como example.com', 'Un par ligne, comme example.com'],

	replyAdd: ['New canned reply', 'Neuer Textbaustein', 'Nueva respuesta predefinida', 'Nouvelle réponse type'],
	replyEdit: ['Edit canned reply', 'Textbaustein bearbeiten', 'Editar respuesta predefinida', 'Modifier la réponse type'],
	replyEmpty: ['No canned replies yet', 'Noch keine Textbausteine', 'Aún no hay respuestas predefinidas', 'Pas encore de réponses types'],
	replyEmptyText: ['Answers that are given again and again, ready in the reply editor and by “#canned NAME” in mail.', 'Antworten, die immer wieder gegeben werden: bereit im Antwortfeld und per „#canned NAME“ in der E-Mail.', 'Respuestas que se dan una y otra vez: en el editor y con «#canned NOMBRE» en el correo.', 'Des réponses données sans cesse : dans l’éditeur et par « #canned NOM » dans un e-mail.'],
	body: ['Text', 'Text', 'Texto', 'Texte'],
	bodyHint: ['{{requester.name}}, {{ticket.id}} and the like are filled in.', '{{requester.name}}, {{ticket.id}} und Ähnliches werden ausgefüllt.', '{{requester.name}}, {{ticket.id}} y similares se rellenan.', '{{requester.name}}, {{ticket.id}} et autres sont remplis.'],
	commands: ['Commands that run with it', 'Befehle, die mitlaufen', 'Órdenes que se ejecutan con ella', 'Commandes exécutées avec elle'],
	commandsHint: ['As in a mail, one a line: #resolve, #tag +hardware', 'Wie in einer E-Mail, einer je Zeile: #resolve, #tag +hardware', 'Como en un correo, una por línea: #resolve, #tag +hardware', 'Comme dans un e-mail, une par ligne : #resolve, #tag +hardware'],
	tagsHint: ['Names with commas between them', 'Namen mit Kommas dazwischen', 'Nombres separados por comas', 'Noms séparés par des virgules'],

	keyAdd: ['New API key', 'Neuer API-Schlüssel', 'Nueva clave de API', 'Nouvelle clé d’API'],
	keyEmpty: ['No API keys', 'Keine API-Schlüssel', 'No hay claves de API', 'Aucune clé d’API'],
	keyEmptyText: ['A key lets a program use the API in your name, within its scopes.', 'Ein Schlüssel lässt ein Programm die API in Ihrem Namen nutzen, im Rahmen seiner Rechte.', 'Una clave permite a un programa usar la API en su nombre, dentro de sus ámbitos.', 'Une clé permet à un programme d’utiliser l’API en votre nom, dans ses portées.'],
	keyQuestion: ['“{name}” stops working at once. Programs that use it are refused.', '„{name}“ gilt ab sofort nicht mehr. Programme, die ihn nutzen, werden abgewiesen.', '«{name}» deja de funcionar en el acto. Los programas que la usan serán rechazados.', '« {name} » cesse de fonctionner aussitôt. Les programmes qui l’utilisent seront refusés.'],
	keyMade: ['Copy this key now', 'Kopieren Sie diesen Schlüssel jetzt', 'Copie esta clave ahora', 'Copiez cette clé maintenant'],
	keyMadeText: ['It is shown this once; only its fingerprint is kept.', 'Er wird nur dieses eine Mal gezeigt; gespeichert ist allein sein Fingerabdruck.', 'Solo se muestra esta vez; únicamente se guarda su huella.', 'Elle n’est montrée qu’une fois ; seule son empreinte est gardée.'],
	scopes: ['It may', 'Er darf', 'Puede', 'Elle peut'],
	scopeRead: ['read tickets', 'Tickets lesen', 'leer tickets', 'lire les tickets'],
	scopeWrite: ['write tickets', 'Tickets ändern', 'modificar tickets', 'modifier les tickets'],
	scopeAdmin: ['administrate', 'verwalten', 'administrar', 'administrer'],
	expires: ['Ends', 'Endet', 'Caduca', 'Expire'],
	never: ['never', 'nie', 'nunca', 'jamais'],
	lastUsed: ['Last used', 'Zuletzt benutzt', 'Último uso', 'Dernière utilisation'],
	created: ['Made', 'Erstellt', 'Creada', 'Créée'],
	done: ['Done', 'Fertig', 'Listo', 'Terminé'],
} satisfies Record<string, Text>;

export default m;
