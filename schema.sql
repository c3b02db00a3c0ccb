-- schema.sql - the whole current schema of a desk, for both engines, embedded in the binary.
--
-- Tokens that differ between engines stand in braces and are replaced by the driver (store/db.h):
-- {ID} a growing integer key that is never used again, {INT} 64-bit integer, {BLOB} bytes,
-- {STRICT} table option, {SEARCH_INDEX} the index of words (store/search.h). Instants are UTC
-- milliseconds in columns ending in _at, _ms or _until. Booleans are 0/1. Addresses are stored folded to lower case.
-- A CHECK of several values is made of ORs: for `IN` with more than two of them SQLite fills a table at each row, at
-- three times the cost of the row. A change here needs its
-- part in the newest step of src/store/steps/ (columns are added at the end); a test proves that the oldest schema plus all steps equals this file.

CREATE TABLE settings (            -- the desk's identity and secrets: uuid, token and JWT keys
    name  TEXT PRIMARY KEY,
    value {BLOB} NOT NULL
) {STRICT};

CREATE TABLE desk_keys (           -- what secrets are sealed with (app/vault.h), once for each daemon
    key_id   {INT} NOT NULL,                  -- the highest one seals
    holder   TEXT NOT NULL,                   -- public key of the daemon
    envelope {BLOB},                          -- the key, for its eyes only; NULL: it asks for it
    PRIMARY KEY (key_id, holder)
) {STRICT};

CREATE TABLE oauth_grants (        -- sign-ins of mail accounts at token servers
    section    TEXT NOT NULL,                 -- title of the oauth section of the configuration
    login      TEXT NOT NULL,                 -- who signed in; '': the desk itself, by its secret
    version    {INT} NOT NULL,                -- grows with every token
    refresh    {BLOB},                        -- both sealed (app/vault.h)
    access     {BLOB},
    renew_at   {INT},                         -- of access; the database's clock, like all here
    expires_at {INT},
    retry_at   {INT} NOT NULL DEFAULT 0,      -- after a try to renew it that failed
    failures   {INT} NOT NULL DEFAULT 0,      -- in a row
    refused    {INT} NOT NULL DEFAULT 0,      -- why (net/oauth.h); 0: the server was not reached
    error      TEXT,
    PRIMARY KEY (section, login)
) {STRICT};

CREATE TABLE organisations (       -- whose people may share their tickets
    id      {ID},
    name    TEXT NOT NULL UNIQUE,
    domains TEXT NOT NULL DEFAULT ''          -- of addresses that belong to it, parted by spaces
) {STRICT};

CREATE TABLE users (
    id            {ID},
    name          TEXT NOT NULL,
    email         TEXT NOT NULL UNIQUE,
    folded        TEXT NOT NULL,              -- name and address in lower case, for searching
    password_hash TEXT,
    role          TEXT NOT NULL CHECK (role = 'admin' OR role = 'agent' OR role = 'customer'),
    locale        TEXT,
    timezone      TEXT,
    epoch         {INT} NOT NULL DEFAULT 0,   -- raised to end all tokens of this user
    organisation_id {INT} REFERENCES organisations (id),
    signature     TEXT,
    away_until    {INT},                      -- gets nothing assigned by the desk itself
    created_at    {INT} NOT NULL,
    disabled_at   {INT},
    undeliverable_at {INT},
    erased_at     {INT},                      -- nothing of the person is left
    digest        TEXT NOT NULL DEFAULT 'off' -- of notifications: off, hourly, daily
) {STRICT};
CREATE INDEX users_by_role ON users (role, id);

CREATE TABLE user_addresses (      -- every address of a user, the primary one included
    address TEXT PRIMARY KEY,
    user_id {INT} NOT NULL REFERENCES users (id)
) {STRICT};
CREATE INDEX user_addresses_by_user ON user_addresses (user_id);

CREATE TABLE teams (
    id   {ID},
    name TEXT NOT NULL UNIQUE,
    last_assigned_id {INT} REFERENCES users (id) -- by the desk itself: whose turn comes next
) {STRICT};
CREATE TABLE team_members (
    team_id {INT} NOT NULL REFERENCES teams (id),
    user_id {INT} NOT NULL REFERENCES users (id),
    PRIMARY KEY (team_id, user_id)
) {STRICT};
CREATE INDEX team_members_by_user ON team_members (user_id);

CREATE TABLE mailboxes (           -- state only; settings are in the configuration
    id          {ID},
    name        TEXT NOT NULL UNIQUE,
    uidvalidity {INT} NOT NULL DEFAULT 0,     -- 0: never selected
    last_uid    {INT} NOT NULL DEFAULT 0,
    import_below {INT} NOT NULL DEFAULT 0     -- uids below were there before the desk: no mail is sent
) {STRICT};

CREATE TABLE mailbox_uids (        -- mails between the first attempt and the mark on the server
    mailbox_id  {INT} NOT NULL REFERENCES mailboxes (id),
    uidvalidity {INT} NOT NULL,
    uid         {INT} NOT NULL,
    attempts    {INT} NOT NULL DEFAULT 0,     -- counted before each is made
    done        {INT} NOT NULL DEFAULT 0,     -- 1: committed, mark owed
    PRIMARY KEY (mailbox_id, uidvalidity, uid)
) {STRICT};

CREATE TABLE leases (              -- who does what, with a fencing token
    name       TEXT PRIMARY KEY,
    holder     TEXT NOT NULL,
    fence      {INT} NOT NULL,
    held_until {INT} NOT NULL
) {STRICT};

CREATE TABLE commits (             -- the last transaction of each session with a server: was it done?
    session TEXT PRIMARY KEY,
    n       {INT} NOT NULL,
    at      {INT} NOT NULL
) {STRICT};

CREATE TABLE blobs (               -- content-addressed bytes
    id       {ID},
    sha256   TEXT NOT NULL UNIQUE,
    size     {INT} NOT NULL,                  -- before compression
    encoding TEXT NOT NULL CHECK (encoding IN ('identity', 'zstd')),
    put_at   {INT} NOT NULL,                  -- the last time; long ago and referred to by nothing:
                                              -- an orphan, removed by store/blob_collect.c
    bytes    {BLOB} NOT NULL                  -- the first 256 KiB; the rest in blob_chunks
) {STRICT};
CREATE TABLE blob_chunks (
    blob_id {INT} NOT NULL REFERENCES blobs (id) ON DELETE CASCADE,
    n       {INT} NOT NULL,                   -- from 1
    bytes   {BLOB} NOT NULL,
    PRIMARY KEY (blob_id, n)
) {STRICT};

CREATE TABLE tickets (
    id           {ID},
    title        TEXT NOT NULL,
    status       TEXT NOT NULL,
    priority     {INT} NOT NULL CHECK (priority BETWEEN 0 AND 3), -- low, medium, high, critical
    category     TEXT,
    requester_id {INT} NOT NULL REFERENCES users (id),
    created_by   {INT} REFERENCES users (id),
    assignee_id  {INT} REFERENCES users (id),
    team_id      {INT} REFERENCES teams (id),
    organisation_id {INT} REFERENCES organisations (id), -- of the requester
    mailbox_id   {INT} REFERENCES mailboxes (id),
    channel      TEXT NOT NULL CHECK (channel = 'mail' OR channel = 'api' OR channel = 'console' OR channel = 'cli'),
    created_at   {INT} NOT NULL,
    updated_at   {INT} NOT NULL,
    first_response_at {INT},
    resolved_at  {INT},
    closed_at    {INT},
    due_at       {INT},
    snoozed_until {INT},
    time_spent_ms {INT} NOT NULL DEFAULT 0,
    fields       TEXT,                        -- custom fields as a JSON object of texts
    merged_into  {INT} REFERENCES tickets (id),
    deleted_at   {INT},
    anonymised_at {INT},                      -- its people and texts are forgotten
    epoch        {INT} NOT NULL DEFAULT 0,    -- raised to end all mail tokens of this ticket
    alias        TEXT,                        -- of the mailbox, that the requester wrote to
    version      {INT} NOT NULL DEFAULT 1,
    deadline_at  {INT}                        -- due_at or the end of the resolution clock, the earlier
) {STRICT};
-- Of what lists show; a total is then counted in the index alone.
CREATE INDEX tickets_by_creation ON tickets (created_at, id)
    WHERE deleted_at IS NULL AND merged_into IS NULL;
CREATE INDEX tickets_by_update ON tickets (updated_at, id)
    WHERE deleted_at IS NULL AND merged_into IS NULL;
CREATE INDEX tickets_by_status ON tickets (status, updated_at)
    WHERE deleted_at IS NULL AND merged_into IS NULL;
CREATE INDEX tickets_by_priority ON tickets (priority, updated_at)
    WHERE deleted_at IS NULL AND merged_into IS NULL;
CREATE INDEX tickets_by_assignee ON tickets (assignee_id, updated_at)
    WHERE deleted_at IS NULL AND merged_into IS NULL;
CREATE INDEX tickets_by_requester ON tickets (requester_id, updated_at)
    WHERE deleted_at IS NULL AND merged_into IS NULL;

CREATE INDEX tickets_by_deadline ON tickets (deadline_at, id)
    WHERE deleted_at IS NULL AND merged_into IS NULL;
CREATE INDEX tickets_by_category ON tickets (category, updated_at)
    WHERE category IS NOT NULL AND deleted_at IS NULL AND merged_into IS NULL;
CREATE INDEX tickets_with_fields ON tickets (updated_at, id)
    WHERE fields IS NOT NULL AND deleted_at IS NULL AND merged_into IS NULL;

-- Of what is not resolved yet, and of when the rest was: for the dashboard.
CREATE INDEX tickets_unresolved ON tickets (priority, assignee_id, deadline_at)
    WHERE resolved_at IS NULL AND deleted_at IS NULL AND merged_into IS NULL;
CREATE INDEX tickets_by_resolution ON tickets (resolved_at)
    WHERE resolved_at IS NOT NULL AND deleted_at IS NULL AND merged_into IS NULL;
CREATE INDEX tickets_by_team ON tickets (team_id, updated_at)
    WHERE team_id IS NOT NULL AND deleted_at IS NULL AND merged_into IS NULL;
CREATE INDEX tickets_by_organisation ON tickets (organisation_id, updated_at)
    WHERE organisation_id IS NOT NULL AND deleted_at IS NULL AND merged_into IS NULL;

CREATE INDEX tickets_by_merge ON tickets (merged_into) WHERE merged_into IS NOT NULL;

CREATE TABLE messages (            -- mails in and out
    id         {ID},
    direction  TEXT NOT NULL CHECK (direction IN ('in', 'out')),
    mailbox_id {INT} REFERENCES mailboxes (id),
    ticket_id  {INT} REFERENCES tickets (id),
    origin_id  {INT} REFERENCES tickets (id), -- the ticket it came from when that was merged
    message_id TEXT,                          -- without <>
    identity   TEXT,                          -- of an incoming one: what makes it the same mail
    subject    TEXT,
    from_address TEXT,
    from_name  TEXT,
    kind       TEXT NOT NULL,
    trust      {INT} NOT NULL DEFAULT 0,
    size       {INT} NOT NULL,
    date_at    {INT},
    blob_id    {INT} REFERENCES blobs (id),
    comment_id {INT},                         -- of an outgoing one: what it tells of
    head       TEXT,                          -- JSON: in_reply_to, references, to, cc
    created_at {INT} NOT NULL
) {STRICT};
CREATE UNIQUE INDEX messages_by_message_id ON messages (message_id, identity);
CREATE INDEX messages_by_sender ON messages (from_address, created_at) WHERE direction = 'in';
CREATE INDEX messages_by_ticket ON messages (ticket_id, id);
CREATE INDEX messages_by_blob ON messages (blob_id) WHERE blob_id IS NOT NULL;

CREATE TABLE thread_ids (          -- every Message-ID sent, received or referred to, and its ticket
    message_id TEXT PRIMARY KEY,
    ticket_id  {INT} NOT NULL REFERENCES tickets (id)
) {STRICT};

CREATE TABLE comments (
    id         {ID},
    ticket_id  {INT} NOT NULL REFERENCES tickets (id),
    origin_id  {INT} REFERENCES tickets (id), -- as of messages
    author_id  {INT} REFERENCES users (id),
    message_id {INT} REFERENCES messages (id), -- the mail it came by
    is_internal {INT} NOT NULL,
    held       TEXT CHECK (held IN ('unverified', 'not_participant')),
    channel    TEXT NOT NULL,
    body       TEXT NOT NULL,                 -- what is new in it
    body_full  TEXT,                          -- NULL when body is all of it
    body_html  TEXT,                          -- of a mail, rewritten by an allow-list; NULL: none
    created_at {INT} NOT NULL,
    edited_at  {INT},
    deleted_at {INT}
) {STRICT};
CREATE INDEX comments_by_ticket ON comments (ticket_id, id);
CREATE INDEX comments_by_author ON comments (author_id, id);

CREATE TABLE attachments (
    id           {ID},
    message_id   {INT} REFERENCES messages (id), -- the mail it lies in; NULL: it was uploaded
    comment_id   {INT} REFERENCES comments (id),
    blob_id      {INT} REFERENCES blobs (id), -- of an upload: its bytes
    uploader_id  {INT} REFERENCES users (id),
    uploaded_at  {INT},                       -- without comment_id a day later it is gone
    filename     TEXT,
    content_type TEXT NOT NULL,
    size         {INT} NOT NULL,
    sha256       TEXT NOT NULL,
    content_id   TEXT,
    is_inline    {INT} NOT NULL,
    raw_offset   {INT} NOT NULL,              -- where it lies in the raw mail, still encoded
    raw_length   {INT} NOT NULL,
    encoding     TEXT NOT NULL
) {STRICT};
CREATE INDEX attachments_by_message ON attachments (message_id);
CREATE INDEX attachments_by_comment ON attachments (comment_id);
CREATE INDEX attachments_by_blob ON attachments (blob_id) WHERE blob_id IS NOT NULL;
CREATE INDEX attachments_waiting ON attachments (uploader_id, uploaded_at)
    WHERE uploader_id IS NOT NULL AND comment_id IS NULL;

CREATE TABLE ticket_history (
    id         {ID},
    ticket_id  {INT} NOT NULL REFERENCES tickets (id),
    actor_id   {INT} REFERENCES users (id),
    action     TEXT NOT NULL,
    old_value  TEXT,
    new_value  TEXT,
    old_number {INT},                         -- what is behind the texts, for undo: an id, an
    new_number {INT},                         -- instant, a duration (app/undo.c)
    version    {INT},                         -- of the ticket before the step
    source     TEXT NOT NULL CHECK (source = 'mail' OR source = 'api' OR source = 'console' OR source = 'cli' OR source = 'timer' OR source = 'rule'),
    trust      {INT},
    message_id {INT} REFERENCES messages (id),
    is_public  {INT} NOT NULL,                -- 1: customers on the ticket may see it
    at         {INT} NOT NULL
) {STRICT};
CREATE INDEX ticket_history_by_ticket ON ticket_history (ticket_id, id);

CREATE TABLE tags (
    id    {ID},
    name  TEXT NOT NULL UNIQUE,
    color TEXT NOT NULL
) {STRICT};
CREATE TABLE ticket_tags (
    ticket_id {INT} NOT NULL REFERENCES tickets (id),
    tag_id    {INT} NOT NULL REFERENCES tags (id),
    PRIMARY KEY (ticket_id, tag_id)
) {STRICT};
CREATE INDEX ticket_tags_by_tag ON ticket_tags (tag_id, ticket_id);

CREATE TABLE ticket_participants ( -- the requester included
    ticket_id {INT} NOT NULL REFERENCES tickets (id),
    user_id   {INT} NOT NULL REFERENCES users (id),
    role      TEXT NOT NULL CHECK (role = 'requester' OR role = 'cc' OR role = 'watcher'),
    muted     {INT} NOT NULL DEFAULT 0,
    pending   {INT} NOT NULL DEFAULT 0,       -- 1: named by mail, waits for an agent; is told nothing
    since_at  {INT} NOT NULL,
    origin_id {INT} REFERENCES tickets (id),  -- as of messages
    PRIMARY KEY (ticket_id, user_id)
) {STRICT};
CREATE INDEX ticket_participants_by_user ON ticket_participants (user_id, ticket_id);

CREATE TABLE ticket_links (
    ticket_id {INT} NOT NULL REFERENCES tickets (id),
    type      TEXT NOT NULL CHECK (type = 'relates' OR type = 'duplicates' OR type = 'blocks' OR type = 'parent'),
    other_id  {INT} NOT NULL REFERENCES tickets (id),
    PRIMARY KEY (ticket_id, type, other_id)
) {STRICT};
CREATE INDEX ticket_links_by_other ON ticket_links (other_id);

CREATE TABLE canned_replies (
    id       {ID},
    name     TEXT NOT NULL UNIQUE,
    body     TEXT NOT NULL,                   -- a template: {{requester.name}}
    commands TEXT,                            -- as in a mail: run with it
    tags     TEXT                             -- added with it, parted by spaces
) {STRICT};

CREATE TABLE saved_views (         -- queries over tickets that agents keep
    id      {ID},
    user_id {INT} NOT NULL REFERENCES users (id),
    name    TEXT NOT NULL,
    query   TEXT NOT NULL,                    -- as in the address of a list: "status=open&sort=due"
    shared  {INT} NOT NULL DEFAULT 0,         -- an admin's, for all agents
    UNIQUE (user_id, name)
) {STRICT};

CREATE TABLE decisions (           -- what intake did with a message, and why
    message_id {INT} PRIMARY KEY REFERENCES messages (id),
    outcome    TEXT NOT NULL,
    cause      TEXT,
    ticket_id  {INT},
    comment_id {INT},
    auth       TEXT NOT NULL,                 -- verdict: pass, fail, none
    rules      TEXT NOT NULL,                 -- JSON: [{rule, matched, evidence}]
    commands   TEXT NOT NULL,                 -- JSON: [{line, ok, reason}]
    sla        TEXT NOT NULL,                 -- JSON: [{metric, effect}], of clocks it moved
    at         {INT} NOT NULL
) {STRICT};

CREATE TABLE quarantine (
    id         {ID},
    message_id {INT} NOT NULL UNIQUE REFERENCES messages (id),
    cause      TEXT NOT NULL,
    detail     TEXT,
    created_at {INT} NOT NULL
) {STRICT};

CREATE TABLE blocked_senders (     -- whose mails go to quarantine
    id         {ID},
    sender     TEXT NOT NULL UNIQUE,          -- an address, or "@" and a domain
    created_by {INT} REFERENCES users (id),
    created_at {INT} NOT NULL
) {STRICT};

CREATE TABLE outbox (              -- mails to send, recipients and content frozen when queued
    id         {ID},
    message_id {INT} NOT NULL UNIQUE REFERENCES messages (id),
    ticket_id  {INT} REFERENCES tickets (id),
    user_id    {INT} REFERENCES users (id),
    event      TEXT NOT NULL,                 -- name of the notification
    smtp       TEXT NOT NULL,                 -- title of the smtp section
    sender     TEXT NOT NULL,                 -- envelope
    recipient  TEXT NOT NULL,
    state      TEXT NOT NULL CHECK (state = 'queued' OR state = 'sending' OR state = 'sent' OR state = 'retry' OR state = 'failed' OR state = 'held' OR state = 'cancelled'),
    data       TEXT NOT NULL,                 -- what the template is filled with, as JSON; the
                                              -- sender renders it once, into the message's blob;
                                              -- '': done long ago, no more shown in the outbox
    subject_key TEXT,                         -- of an automatic one to a customer: its subject
                                              -- without tag and reply prefixes, folded
    answers    {INT} NOT NULL DEFAULT 0,      -- 1: an automatic one caused by an answer to us
    attempts   {INT} NOT NULL DEFAULT 0,
    next_at    {INT} NOT NULL,                -- when it may be claimed; a lease's end while sending
    holder     TEXT,
    last_reply TEXT,
    created_at {INT} NOT NULL,
    done_at    {INT}
) {STRICT};
CREATE INDEX outbox_due ON outbox (next_at, id) WHERE state IN ('queued', 'retry', 'sending');
CREATE INDEX outbox_by_ticket ON outbox (ticket_id, recipient, id);
CREATE INDEX outbox_done ON outbox (done_at) WHERE state IN ('sent', 'cancelled') AND data <> '';
CREATE INDEX outbox_by_recipient ON outbox (recipient, created_at);
CREATE INDEX outbox_automatic ON outbox (created_at) WHERE subject_key IS NOT NULL;

CREATE TABLE digest_items (        -- what people are told together, at the full hour of their zone
    id         {ID},
    user_id    {INT} NOT NULL REFERENCES users (id),
    ticket_id  {INT} NOT NULL REFERENCES tickets (id),
    comment_id {INT},
    actor_id   {INT} REFERENCES users (id),
    event      TEXT NOT NULL,                 -- the letter it would have been
    detail     TEXT,                          -- of an undelivered mail, its address
    due_at     {INT} NOT NULL,
    created_at {INT} NOT NULL
) {STRICT};
CREATE INDEX digest_items_due ON digest_items (due_at, user_id);
CREATE INDEX digest_items_by_user ON digest_items (user_id, due_at);

CREATE TABLE spent_tokens (        -- signed reply addresses that prove less than they did
    token   TEXT PRIMARY KEY,                 -- its payload
    ran_at  {INT},                            -- its commands were run
    dead_at {INT}                             -- others saw it: it proves nobody
) {STRICT};

CREATE TABLE confirmations (       -- mails that wait for a one-time answer of their sender
    id         {ID},
    message_id {INT} NOT NULL REFERENCES messages (id), -- the mail that is held
    ticket_id  {INT} NOT NULL REFERENCES tickets (id),
    comment_id {INT} REFERENCES comments (id),
    user_id    {INT} NOT NULL REFERENCES users (id),
    mail_id    TEXT,                          -- Message-ID of the mail that asks
    expires_at {INT} NOT NULL,
    used_at    {INT}
) {STRICT};
CREATE INDEX confirmations_by_mail ON confirmations (mail_id);

CREATE TABLE delivery_events (     -- what mail systems say of our mails
    id         {ID},
    address    TEXT NOT NULL,
    kind       TEXT NOT NULL,                 -- of the report: bounce, delay, receipt
    status     TEXT,                          -- 5.1.1
    diagnostic TEXT,
    message_id {INT} NOT NULL REFERENCES messages (id), -- the report
    original   TEXT,                          -- Message-ID of ours
    at         {INT} NOT NULL
) {STRICT};
CREATE INDEX delivery_events_by_address ON delivery_events (address, at);

CREATE TABLE silences (            -- nothing automatic goes there for a while: it only comes back
    name     TEXT PRIMARY KEY,                -- address, or ticket number; 'breaker': alarmed of
    until_at {INT} NOT NULL
) {STRICT};

CREATE TABLE clocks (              -- SLA targets running on tickets, and the ledger of past cycles
    id         {ID},
    ticket_id  {INT} NOT NULL REFERENCES tickets (id),
    metric     TEXT NOT NULL CHECK (metric = 'first_response' OR metric = 'next_response' OR metric = 'update' OR metric = 'resolution'),
    cycle      {INT} NOT NULL,
    policy     TEXT NOT NULL,
    state      TEXT NOT NULL CHECK (state = 'running' OR state = 'paused' OR state = 'met' OR state = 'breached'),
    started_at {INT} NOT NULL,
    target_ms  {INT} NOT NULL,
    since_at   {INT} NOT NULL,                -- last settlement; of a stopped one, when it stopped
    used_ms    {INT} NOT NULL,                -- open time up to since_at
    due_at     {INT},
    breached_at {INT},
    told       {INT} NOT NULL DEFAULT 0,      -- highest percentage already told; 101: the breach
    limit_ms   {INT} NOT NULL DEFAULT 0,      -- used_ms at due: the target, or more after a change
    escalated  {INT} NOT NULL DEFAULT 0,      -- how often each step was taken, 8 bits a step
    sla_version {INT} NOT NULL DEFAULT 0,     -- of the calendar and target it was settled by
    UNIQUE (ticket_id, metric, cycle)
) {STRICT};
CREATE INDEX clocks_breached ON clocks (breached_at) WHERE breached_at IS NOT NULL;
CREATE INDEX clocks_live ON clocks (sla_version, ticket_id) WHERE state IN ('running', 'paused');

CREATE TABLE sla_versions (        -- calendars and targets of the configuration, whenever they changed
    id         {ID},
    since_at   {INT} NOT NULL,
    definition TEXT NOT NULL                  -- JSON
) {STRICT};

CREATE TABLE clock_stretches (     -- what clocks did up to since_at, for explaining them
    id        {ID},
    clock_id  {INT} NOT NULL REFERENCES clocks (id),
    to_at     {INT} NOT NULL,                 -- it began where the last one ended, or with the clock
    used_ms   {INT} NOT NULL,                 -- in all, at its end
    state     TEXT NOT NULL CHECK (state = 'running' OR state = 'paused' OR state = 'met' OR state = 'breached'),
    why       TEXT,                           -- of one that is not running
    calendar  TEXT NOT NULL,                  -- title of the one that it ran by
    target_ms {INT} NOT NULL
) {STRICT};
CREATE INDEX clock_stretches_by_clock ON clock_stretches (clock_id, id);

CREATE TABLE timers (              -- everything that happens by the clock; the daemon sleeps until the next
    id        {ID},
    due_at    {INT} NOT NULL,
    kind      TEXT NOT NULL CHECK (kind = 'sla_warning' OR kind = 'sla_breach' OR kind = 'escalation' OR kind = 'auto_close' OR kind = 'pending_reminder' OR kind = 'pending_close' OR kind = 'snooze'),
    ticket_id {INT} NOT NULL REFERENCES tickets (id),
    clock_id  {INT} REFERENCES clocks (id),
    argument  {INT} NOT NULL DEFAULT 0        -- sla_warning: percentage
) {STRICT};
CREATE INDEX timers_due ON timers (due_at, id);
CREATE INDEX timers_by_ticket ON timers (ticket_id, kind);

CREATE TABLE search_queue (         -- what the search index does not have yet, newest first
    id        {ID},
    ticket_id {INT},                          -- its title
    low       {INT} NOT NULL,                 -- comments low..high, gone ones too
    high      {INT} NOT NULL
) {STRICT};
{SEARCH_INDEX}

CREATE TABLE webhooks (            -- who is called when something happens
    id         {ID},
    url        TEXT NOT NULL,
    events     TEXT NOT NULL,                 -- names, parted by spaces
    secret     TEXT NOT NULL,                 -- sealed
    active     {INT} NOT NULL,
    created_by {INT} REFERENCES users (id),
    created_at {INT} NOT NULL
) {STRICT};
CREATE TABLE webhook_deliveries (  -- each call, until a week after its end
    id         {ID},
    webhook_id {INT} NOT NULL REFERENCES webhooks (id),
    event_id   {INT},                         -- NULL: a test
    type       TEXT NOT NULL,
    ticket_id  {INT},                         -- as in events
    comment_id {INT},
    version    {INT},
    actor_id   {INT},
    at         {INT} NOT NULL,
    state      TEXT NOT NULL CHECK (state = 'queued' OR state = 'sending' OR state = 'retry' OR state = 'delivered' OR state = 'failed'),
    attempts   {INT} NOT NULL DEFAULT 0,
    next_at    {INT} NOT NULL,                -- when it may be claimed; a lease's end while sending
    holder     TEXT,
    status     {INT},                         -- of the last answer; NULL: there was none
    reply      TEXT,                          -- its beginning, or what went wrong
    body       TEXT,                          -- as it was sent
    created_at {INT} NOT NULL,
    done_at    {INT}
) {STRICT};
CREATE INDEX webhook_deliveries_due ON webhook_deliveries (webhook_id, next_at, id)
    WHERE state IN ('queued', 'retry', 'sending');
CREATE INDEX webhook_deliveries_by_webhook ON webhook_deliveries (webhook_id, id);
CREATE INDEX webhook_deliveries_done ON webhook_deliveries (done_at) WHERE done_at IS NOT NULL;

CREATE TABLE audit_log (           -- what admins did and what was refused; rows are only added
    id        {ID},
    daemon    TEXT NOT NULL,                  -- whose chain
    seq       {INT},                          -- in it, from 1; NULL: still counted
    at        {INT} NOT NULL,
    actor_id  {INT},                          -- no reference: it outlives everything
    source    TEXT NOT NULL,
    action    TEXT NOT NULL,
    about     TEXT,                           -- kind of the object
    about_id  {INT},
    detail    TEXT,
    account   TEXT,                           -- keyed hashes
    network   TEXT,
    minute    {INT},                          -- since 1970, of one that is counted
    count     {INT} NOT NULL,
    hash      TEXT,                           -- of the row and of the hash before it
    UNIQUE (daemon, seq)
) {STRICT};
CREATE UNIQUE INDEX audit_log_open ON audit_log (daemon, action, account, network, minute)
    WHERE seq IS NULL;
CREATE INDEX audit_log_by_actor ON audit_log (actor_id, id) WHERE actor_id IS NOT NULL;
CREATE INDEX audit_log_by_account ON audit_log (account, id) WHERE account IS NOT NULL;
CREATE INDEX audit_log_by_action ON audit_log (action, id);

CREATE TABLE mailbox_orders (      -- what admins want of mailboxes; apart from what intake writes
    mailbox_id {INT} PRIMARY KEY REFERENCES mailboxes (id),
    paused     {INT} NOT NULL,
    polled_at  {INT}                          -- the last wish to look now
) {STRICT};

CREATE TABLE viewing (             -- which agents look at which ticket now
    ticket_id {INT} NOT NULL,                 -- no references: it is gone in a minute
    user_id   {INT} NOT NULL,
    until_at  {INT} NOT NULL,
    told_at   {INT} NOT NULL,                 -- when others were
    PRIMARY KEY (ticket_id, user_id)
) {STRICT};

CREATE TABLE event_queue (         -- what happened, written by what did it and not numbered yet
    id          {ID},
    type        TEXT NOT NULL,                -- "ticket.created"
    ticket_id   {INT} NOT NULL,               -- no reference: it may go while this is told
    comment_id  {INT},
    version     {INT},                        -- of the ticket, after it
    actor_id    {INT},                        -- NULL: the desk itself
    is_internal {INT} NOT NULL,               -- 1: for agents alone
    at          {INT} NOT NULL
) {STRICT};

CREATE TABLE events (              -- the same in the order of their numbers, for a day
    id          {ID},                         -- given after the commit, by one daemon at a time
    type        TEXT NOT NULL,
    ticket_id   {INT} NOT NULL,
    comment_id  {INT},
    version     {INT},
    actor_id    {INT},
    is_internal {INT} NOT NULL,
    at          {INT} NOT NULL
) {STRICT};

CREATE TABLE refresh_tokens (
    id         {ID},
    user_id    {INT} NOT NULL REFERENCES users (id),
    family     TEXT NOT NULL,
    token_hash TEXT NOT NULL UNIQUE,
    user_agent TEXT,                          -- of the sign-in
    created_at {INT} NOT NULL,
    expires_at {INT} NOT NULL,
    used_at    {INT},
    revoked_at {INT}
) {STRICT};
CREATE INDEX refresh_tokens_by_family ON refresh_tokens (family);
CREATE INDEX refresh_tokens_by_user ON refresh_tokens (user_id);

CREATE TABLE account_links (       -- one-time links sent by mail
    id         {ID},
    kind       TEXT NOT NULL CHECK (kind = 'verify' OR kind = 'reset' OR kind = 'link'),
    email      TEXT NOT NULL,                 -- where the mail went
    user_id    {INT} REFERENCES users (id),   -- NULL: somebody new, made of the next three
    name       TEXT,
    locale     TEXT,
    password_hash TEXT,
    token_hash TEXT NOT NULL UNIQUE,
    created_at {INT} NOT NULL,
    expires_at {INT} NOT NULL,
    used_at    {INT}
) {STRICT};
CREATE INDEX account_links_by_email ON account_links (email, created_at);
CREATE INDEX account_links_by_user ON account_links (user_id);
CREATE INDEX account_links_by_end ON account_links (expires_at);

CREATE TABLE user_otp (            -- second factors (RFC 6238)
    user_id      {INT} PRIMARY KEY REFERENCES users (id),
    secret       {BLOB} NOT NULL,
    confirmed_at {INT},                       -- NULL: offered, not asked for yet
    last_step    {INT} NOT NULL DEFAULT 0     -- of the last code: it and older ones are spent
) {STRICT};
CREATE TABLE recovery_codes (      -- instead of one, once each
    id        {ID},
    user_id   {INT} NOT NULL REFERENCES users (id),
    code_hash TEXT NOT NULL,
    used_at   {INT}
) {STRICT};
CREATE INDEX recovery_codes_by_user ON recovery_codes (user_id, code_hash);

CREATE TABLE api_keys (            -- for programs that act as their maker
    id         {ID},
    user_id    {INT} NOT NULL REFERENCES users (id),
    name       TEXT NOT NULL,
    key_hash   TEXT NOT NULL UNIQUE,
    scopes     TEXT NOT NULL,                 -- parted by spaces
    created_at {INT} NOT NULL,
    expires_at {INT},
    last_used_at {INT}                        -- to the minute
) {STRICT};

CREATE TABLE kept_answers (        -- for requests with an Idempotency-Key that come again
    request  TEXT PRIMARY KEY,                -- hash of caller, route and key
    body_mac {BLOB} NOT NULL,
    made_id  {INT},                           -- what it made
    answer   {BLOB},                          -- sealed by the key; NULL: done, not answered yet
    kept_at  {INT} NOT NULL
) {STRICT};
CREATE INDEX kept_answers_by_age ON kept_answers (kept_at);

CREATE TABLE imports (             -- which row here is which of another system, and how far it came
    source     TEXT NOT NULL,
    kind       TEXT NOT NULL,
    foreign_id TEXT NOT NULL,
    local_id   {INT} NOT NULL,
    PRIMARY KEY (source, kind, foreign_id)
) {STRICT};
