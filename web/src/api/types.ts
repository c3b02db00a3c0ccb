/* Made by tools/types.mjs from the OpenAPI document: not to be edited. */

export interface Accepted {
	accepted: boolean;
}

export interface Actor {
	id: number;
	name: string;
	role: string;
}

export interface Addresses {
	user: number;
	email: string;
	addresses: string[];
}

export interface AgentReport {
	from: string;
	to: string;
	group: string;
	rows: AgentRow[];
}

export interface AgentRow {
	group: string;
	id: number;
	assigned: number;
	resolved: number;
	replies: number;
	first_response_p50: number | null;
	first_response_p90: number | null;
	resolution_p50: number | null;
	resolution_p90: number | null;
}

export interface ApiKey {
	id: number;
	name: string;
	user: number;
	scopes: string[];
	created_at: string;
	expires_at: string | null;
	last_used_at: string | null;
	key?: string;
}

export interface Attachment {
	id: number;
	filename: string | null;
	content_type: string;
	size: number;
	inline: boolean;
	content_id: string | null;
}

export interface AuditRow {
	id: number;
	at: string;
	actor: null | Actor;
	source: string;
	action: string;
	about: string | null;
	about_id: number | null;
	detail: string | null;
	account: string | null;
	network: string | null;
	count: number;
	daemon: string;
	seq: number | null;
	hash: string | null;
}

export interface BlockedSender {
	id: number;
	address: string | null;
	domain: string | null;
	created_by: number | null;
	created_at: string;
}

export interface Bulk {
	results: BulkResult[];
}

export interface BulkResult {
	id: number;
	ok: boolean;
	message: string | null;
	code?: string;
	values?: string[];
}

export interface CannedReply {
	id: number;
	name: string;
	body: string;
	commands: string | null;
	tags: string[];
}

export interface Clock {
	due: string | null;
	state: string;
}

export interface ClockEffect {
	metric: string;
	effect: string;
}

export interface ClockLine {
	from: string;
	to: string;
	counted: boolean;
	why: string;
	code: string | null;
	about: string | null;
}

export interface ClockStories {
	ticket: number;
	clocks: ClockStory[];
}

export interface ClockStory {
	metric: string;
	cycle: number;
	policy: string;
	state: string;
	started_at: string;
	target: number;
	used: number;
	rest: number;
	due: string | null;
	breached_at: string | null;
	explain: ClockLine[];
}

export interface Command {
	line: string;
	ok: boolean;
	reason: string | null;
	code?: string;
	values?: string[];
}

export interface Comment {
	id: number;
	ticket: number;
	author: null | Actor;
	body: string;
	body_full: string;
	body_html: string | null;
	is_internal: boolean;
	held: string | null;
	channel: string;
	message: number | null;
	attachments: Attachment[];
	created_at: string;
	edited_at: string | null;
}

export interface Complaint {
	field: string;
	message: string;
	code?: string;
	values?: string[];
}

export type Counts = Record<string, unknown>;

export interface Dashboard {
	by_status: Counts;
	by_priority: Counts;
	by_assignee: Load[];
	unassigned: number;
	overdue: number;
	breached: number;
	created_by_day: Day[];
	resolved_by_day: Day[];
	first_response: Percentiles;
	resolution: Percentiles;
}

export interface Day {
	day: string;
	count: number;
}

export interface Decision {
	message: number;
	mailbox: string | null;
	outcome: string;
	cause: string | null;
	ticket: number | null;
	comment: number | null;
	trust: number;
	auth: string;
	rules: Rule[];
	commands: Command[];
	sla: ClockEffect[];
	at: string;
}

export interface Delivery {
	id: number;
	webhook: number;
	event: string;
	ticket: number | null;
	state: 'queued' | 'sending' | 'retry' | 'delivered' | 'failed';
	attempts: number;
	next_at: string | null;
	status: number | null;
	reply: string | null;
	body: string | null;
	created_at: string;
	done_at: string | null;
}

export interface Export {
	user: User;
	addresses: string[];
	tickets: ExportedTicket[];
	comments: ExportedComment[];
	messages: ExportedMessage[];
	exported_at: string;
}

export interface ExportedComment {
	id: number;
	ticket: number;
	body: string;
	channel: string;
	created_at: string;
	attachments: Attachment[];
}

export interface ExportedMessage {
	id: number;
	direction: string;
	message_id: string | null;
	subject: string | null;
	from: string | null;
	ticket: number | null;
	size: number;
	created_at: string;
	raw_url: string | null;
	raw: string | null;
}

export interface ExportedTicket {
	id: number;
	title: string;
	status: string;
	channel: string;
	created_at: string;
	closed_at: string | null;
}

export interface Fact {
	code: string;
	values: string[];
}

export interface Found {
	type: 'ticket' | 'comment';
	id: number;
	ticket: number;
	title: string;
	snippet: string;
	score: number;
}

export interface Health {
	status: string;
	desk: string;
	templates: string;
	configuration: HealthConfiguration;
	mailboxes: HealthMailbox[];
}

export interface HealthConfiguration {
	state: string;
	loaded_at: string | null;
	refused_at: string | null;
	error?: string | null;
	needs_restart?: string | null;
}

export interface HealthMailbox {
	name: string;
	state: string;
	lag: number | null;
	last_success: string | null;
	last_error: string | null;
}

export interface HeldMail {
	id: number;
	cause: string;
	detail: string | null;
	message: number;
	mailbox: string | null;
	from: string | null;
	subject: string | null;
	message_id: string | null;
	size: number;
	created_at: string;
}

export interface HistoryRow {
	id: number;
	ticket: number;
	action: string;
	old_value: string | null;
	new_value: string | null;
	actor: null | Actor;
	source: string;
	at: string;
}

export interface Intake {
	message: number;
	outcome: string;
	ticket: number | null;
	comment: number | null;
}

export interface Link {
	type: string;
	ticket: number;
	title: string;
	status: string;
	inverse: boolean;
}

export interface Load {
	id: number;
	name: string | null;
	count: number;
}

export interface Mailbox {
	name: string;
	address: string;
	state: string;
	lag: number | null;
	last_success: string | null;
	last_error: string | null;
}

export interface Me {
	id: number;
	name: string;
	role: 'admin' | 'agent' | 'customer';
	email?: string;
	locale?: string | null;
	timezone?: string | null;
	disabled?: boolean;
	created_at?: string;
	undeliverable_at?: string | null;
	erased_at?: string | null;
	organisation?: number | null;
	away_until?: string | null;
	signature: string | null;
	digest: 'off' | 'hourly' | 'daily';
	otp_enabled: boolean;
	has_password: boolean;
}

export interface Message {
	id: number;
	direction: string;
	message_id: string | null;
	in_reply_to: string[];
	references: string[];
	subject: string | null;
	from: string | null;
	to: string[];
	cc: string[];
	date: string;
	kind: string;
	trust: number;
	ticket: number | null;
	comment: number | null;
	mailbox: string | null;
	size: number;
	state: string | null;
	smtp_reply: string | null;
	attachments: Attachment[];
	created_at: string;
}

export interface Named {
	id: number;
	name: string;
}

export type OpenApi = Record<string, unknown>;

export interface Organisation {
	id: number;
	name: string;
	domains: string[];
}

export interface Otp {
	enabled: boolean;
	secret?: string;
	uri?: string;
	recovery_codes?: string[];
}

export interface OutgoingMail {
	id: number;
	message: number;
	ticket: number | null;
	to: string;
	subject: string | null;
	message_id: string | null;
	state: string;
	attempts: number;
	next_at: string | null;
	last_reply: string | null;
	created_at: string;
}

export interface Participant {
	user: number;
	name: string;
	role: string;
	muted: boolean;
	pending: boolean;
}

export interface Percentiles {
	p50: number | null;
	p90: number | null;
}

export interface Person {
	id: number;
	name: string;
	email?: string;
}

export interface Problem {
	type: string;
	title: string;
	status: number;
	code: string;
	detail: string;
	errors: Complaint[];
	limit?: number;
	reason?: Reason;
}

export interface Reason {
	code: string;
	values: string[];
}

export interface Rule {
	rule: string;
	matched: boolean;
	evidence: string | null;
	facts?: Fact[];
}

export interface SavedView {
	id: number;
	name: string;
	query: string;
	shared: boolean;
	user: number;
}

export interface Session {
	id: number;
	current: boolean;
	user_agent: string | null;
	created_at: string;
	last_used_at: string;
	expires_at: string;
}

export interface Sla {
	first_response: null | Clock;
	next_response: null | Clock;
	update: null | Clock;
	resolution: null | Clock;
}

export interface SlaReport {
	from: string;
	to: string;
	group: string;
	rows: SlaRow[];
}

export interface SlaRow {
	group: string | null;
	id: number | null;
	metric: string;
	met: number;
	breached: number;
	running: number;
	met_share: number | null;
}

export interface Tag {
	name: string;
	color: string;
}

export interface TagRow {
	id: number;
	name: string;
	color: string;
}

export interface Team {
	id: number;
	name: string;
	members: number[];
}

export interface Ticket {
	id: number;
	title: string;
	status: string;
	priority: 'low' | 'medium' | 'high' | 'critical';
	category: string | null;
	tags: Tag[];
	requester: Person;
	assignee: null | Person;
	team: null | Named;
	organisation: null | Named;
	mailbox: string | null;
	channel: string;
	created_at: string;
	updated_at: string;
	first_response_at: string | null;
	resolved_at: string | null;
	closed_at: string | null;
	due_at: string | null;
	snoozed_until: string | null;
	time_spent: number;
	fields: Record<string, string | null>;
	sla: Sla;
	overdue: boolean;
	allowed_statuses: string[];
	merged_into: number | null;
	version: number;
	description: string;
	created_by: null | Actor;
	participants: Participant[];
	links: Link[];
	deleted_at: string | null;
}

export interface TicketRow {
	id: number;
	title: string;
	status: string;
	priority: 'low' | 'medium' | 'high' | 'critical';
	category: string | null;
	tags: Tag[];
	requester: Person;
	assignee: null | Person;
	team: null | Named;
	organisation: null | Named;
	mailbox: string | null;
	channel: string;
	created_at: string;
	updated_at: string;
	first_response_at: string | null;
	resolved_at: string | null;
	closed_at: string | null;
	due_at: string | null;
	snoozed_until: string | null;
	time_spent: number;
	fields: Record<string, string | null>;
	sla: Sla;
	overdue: boolean;
	allowed_statuses: string[];
	merged_into: number | null;
	version: number;
}

export interface Token {
	access_token: string;
	token_type: string;
	expires_in: number;
	refresh_token?: string;
	user: User;
}

export interface Transcript {
	ok: boolean;
	lines: Command[];
	ticket: null | Ticket;
}

export interface User {
	id: number;
	name: string;
	role: 'admin' | 'agent' | 'customer';
	email?: string;
	locale?: string | null;
	timezone?: string | null;
	disabled?: boolean;
	created_at?: string;
	undeliverable_at?: string | null;
	erased_at?: string | null;
	organisation?: number | null;
	away_until?: string | null;
}

export interface Viewer {
	user: Actor;
	until: string;
}

export interface Viewers {
	viewers: Viewer[];
}

export interface VolumeReport {
	from: string;
	to: string;
	group: string;
	rows: VolumeRow[];
}

export interface VolumeRow {
	group: string | null;
	id: number | null;
	created: number;
	resolved: number;
}

export interface Webhook {
	id: number;
	url: string;
	events: string[];
	active: boolean;
	created_at: string | null;
	secret?: string;
}
