-- 1 to 2: what desks of before 2026-12 do not have. Comments of columns are in schema.sql.

CREATE TABLE saved_views (
    id      {ID},
    user_id {INT} NOT NULL REFERENCES users (id),
    name    TEXT NOT NULL,
    query   TEXT NOT NULL,
    shared  {INT} NOT NULL DEFAULT 0,
    UNIQUE (user_id, name)
) {STRICT};

CREATE TABLE kept_answers (
    request  TEXT PRIMARY KEY,
    body_mac {BLOB} NOT NULL,
    made_id  {INT},
    answer   {BLOB},
    kept_at  {INT} NOT NULL
) {STRICT};
CREATE INDEX kept_answers_by_age ON kept_answers (kept_at);

CREATE TABLE desk_keys (
    key_id   {INT} NOT NULL,
    holder   TEXT NOT NULL,
    envelope {BLOB},
    PRIMARY KEY (key_id, holder)
) {STRICT};

ALTER TABLE users ADD COLUMN digest TEXT NOT NULL DEFAULT 'off';
CREATE TABLE digest_items (
    id         {ID},
    user_id    {INT} NOT NULL REFERENCES users (id),
    ticket_id  {INT} NOT NULL REFERENCES tickets (id),
    comment_id {INT},
    actor_id   {INT} REFERENCES users (id),
    event      TEXT NOT NULL,
    detail     TEXT,
    due_at     {INT} NOT NULL,
    created_at {INT} NOT NULL
) {STRICT};
CREATE INDEX digest_items_due ON digest_items (due_at, user_id);
CREATE INDEX digest_items_by_user ON digest_items (user_id, due_at);

CREATE TABLE webhooks (
    id         {ID},
    url        TEXT NOT NULL,
    events     TEXT NOT NULL,
    secret     TEXT NOT NULL,
    active     {INT} NOT NULL,
    created_by {INT} REFERENCES users (id),
    created_at {INT} NOT NULL
) {STRICT};
CREATE TABLE webhook_deliveries (
    id         {ID},
    webhook_id {INT} NOT NULL REFERENCES webhooks (id),
    event_id   {INT},
    type       TEXT NOT NULL,
    ticket_id  {INT},
    comment_id {INT},
    version    {INT},
    actor_id   {INT},
    at         {INT} NOT NULL,
    state      TEXT NOT NULL CHECK (state IN ('queued', 'sending', 'retry', 'delivered', 'failed')),
    attempts   {INT} NOT NULL DEFAULT 0,
    next_at    {INT} NOT NULL,
    holder     TEXT,
    status     {INT},
    reply      TEXT,
    body       TEXT,
    created_at {INT} NOT NULL,
    done_at    {INT}
) {STRICT};
CREATE INDEX webhook_deliveries_due ON webhook_deliveries (webhook_id, next_at, id)
    WHERE state IN ('queued', 'retry', 'sending');
CREATE INDEX webhook_deliveries_by_webhook ON webhook_deliveries (webhook_id, id);
CREATE INDEX webhook_deliveries_done ON webhook_deliveries (done_at) WHERE done_at IS NOT NULL;

CREATE TABLE audit_log (
    id        {ID},
    daemon    TEXT NOT NULL,
    seq       {INT},
    at        {INT} NOT NULL,
    actor_id  {INT},
    source    TEXT NOT NULL,
    action    TEXT NOT NULL,
    about     TEXT,
    about_id  {INT},
    detail    TEXT,
    account   TEXT,
    network   TEXT,
    minute    {INT},
    count     {INT} NOT NULL,
    hash      TEXT,
    UNIQUE (daemon, seq)
) {STRICT};
CREATE UNIQUE INDEX audit_log_open ON audit_log (daemon, action, account, network, minute)
    WHERE seq IS NULL;
CREATE INDEX audit_log_by_actor ON audit_log (actor_id, id) WHERE actor_id IS NOT NULL;
CREATE INDEX audit_log_by_account ON audit_log (account, id) WHERE account IS NOT NULL;
CREATE INDEX audit_log_by_action ON audit_log (action, id);

CREATE TABLE mailbox_orders (
    mailbox_id {INT} PRIMARY KEY REFERENCES mailboxes (id),
    paused     {INT} NOT NULL,
    polled_at  {INT}
) {STRICT};

CREATE TABLE viewing (
    ticket_id {INT} NOT NULL,
    user_id   {INT} NOT NULL,
    until_at  {INT} NOT NULL,
    told_at   {INT} NOT NULL,
    PRIMARY KEY (ticket_id, user_id)
) {STRICT};

CREATE TABLE event_queue (
    id          {ID},
    type        TEXT NOT NULL,
    ticket_id   {INT} NOT NULL,
    comment_id  {INT},
    version     {INT},
    actor_id    {INT},
    is_internal {INT} NOT NULL,
    at          {INT} NOT NULL
) {STRICT};

CREATE TABLE events (
    id          {ID},
    type        TEXT NOT NULL,
    ticket_id   {INT} NOT NULL,
    comment_id  {INT},
    version     {INT},
    actor_id    {INT},
    is_internal {INT} NOT NULL,
    at          {INT} NOT NULL
) {STRICT};

CREATE TABLE imports (
    source     TEXT NOT NULL,
    kind       TEXT NOT NULL,
    foreign_id TEXT NOT NULL,
    local_id   {INT} NOT NULL,
    PRIMARY KEY (source, kind, foreign_id)
) {STRICT};

CREATE TABLE oauth_grants (
    section    TEXT NOT NULL,
    login      TEXT NOT NULL,
    version    {INT} NOT NULL,
    refresh    {BLOB},
    access     {BLOB},
    renew_at   {INT},
    expires_at {INT},
    retry_at   {INT} NOT NULL DEFAULT 0,
    failures   {INT} NOT NULL DEFAULT 0,
    refused    {INT} NOT NULL DEFAULT 0,
    error      TEXT,
    PRIMARY KEY (section, login)
) {STRICT};

CREATE INDEX comments_by_author ON comments (author_id, id);

ALTER TABLE clocks ADD COLUMN sla_version {INT} NOT NULL DEFAULT 0;
CREATE INDEX clocks_live ON clocks (sla_version, ticket_id) WHERE state IN ('running', 'paused');
CREATE TABLE sla_versions (
    id         {ID},
    since_at   {INT} NOT NULL,
    definition TEXT NOT NULL
) {STRICT};
