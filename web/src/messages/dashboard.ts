import type { Text } from '../lib/text';

const m = {
	open: ['Unresolved', 'Ungelöst', 'Sin resolver', 'Non résolus'],
	unassigned: ['Unassigned', 'Nicht zugewiesen', 'Sin asignar', 'Non attribués'],
	pending: ['Waiting for customers', 'Warten auf Kunden', 'Esperan al cliente', 'En attente du client'],
	overdue: ['Overdue', 'Überfällig', 'Vencidos', 'En retard'],
	breached: ['Targets missed today', 'Heute verfehlte Ziele', 'Objetivos incumplidos hoy', 'Objectifs manqués aujourd’hui'],
	trend: ['Created and resolved by day', 'Erstellt und gelöst je Tag', 'Creados y resueltos por día', 'Créés et résolus par jour'],
	created: ['Created', 'Erstellt', 'Creados', 'Créés'],
	resolved: ['Resolved', 'Gelöst', 'Resueltos', 'Résolus'],
	day: ['Day', 'Tag', 'Día', 'Jour'],
	byPriority: ['Unresolved by priority', 'Ungelöst nach Priorität', 'Sin resolver por prioridad', 'Non résolus par priorité'],
	byStatus: ['All by status', 'Alle nach Status', 'Todos por estado', 'Tous par état'],
	byAgent: ['Unresolved by agent', 'Ungelöst nach Agent', 'Sin resolver por agente', 'Non résolus par agent'],
	agent: ['Agent', 'Agent', 'Agente', 'Agent'],
	count: ['Tickets', 'Tickets', 'Tickets', 'Tickets'],
	times: ['How long it takes', 'Wie lange es dauert', 'Cuánto se tarda', 'Combien de temps cela prend'],
	firstResponse: ['First answer', 'Erste Antwort', 'Primera respuesta', 'Première réponse'],
	resolution: ['Solution', 'Lösung', 'Solución', 'Résolution'],
	p50: ['Half of them within', 'Die Hälfte innerhalb', 'La mitad en', 'La moitié en'],
	p90: ['Nine of ten within', 'Neun von zehn innerhalb', 'Nueve de diez en', 'Neuf sur dix en'],
	table: ['As a table', 'Als Tabelle', 'Como tabla', 'En tableau'],
	noAgents: ['Nobody has a ticket.', 'Niemand hat ein Ticket.', 'Nadie tiene tickets.', 'Personne n’a de ticket.'],
	most: ['most on one day: {n}', 'höchstens an einem Tag: {n}', 'máximo en un día: {n}', 'maximum en un jour : {n}'],
} satisfies Record<string, Text>;

export default m;
