-- 2 to 3: indexes of what missed its target, of due dates, categories and fields; checks without IN (see schema.sql). SQLite knows no statement for that: what its schema says is
-- changed in place, which its manual allows for checks.

{LITE}PRAGMA writable_schema = ON;
{LITE}UPDATE sqlite_schema SET sql = replace(sql, 'role IN (''admin'', ''agent'', ''customer'')', 'role = ''admin'' OR role = ''agent'' OR role = ''customer''') WHERE type = 'table' AND name = 'users';
{LITE}UPDATE sqlite_schema SET sql = replace(sql, 'channel IN (''mail'', ''api'', ''console'', ''cli'')', 'channel = ''mail'' OR channel = ''api'' OR channel = ''console'' OR channel = ''cli''') WHERE type = 'table' AND name = 'tickets';
{LITE}UPDATE sqlite_schema SET sql = replace(sql, 'source IN (''mail'', ''api'', ''console'', ''cli'', ''timer'', ''rule'')', 'source = ''mail'' OR source = ''api'' OR source = ''console'' OR source = ''cli'' OR source = ''timer'' OR source = ''rule''') WHERE type = 'table' AND name = 'ticket_history';
{LITE}UPDATE sqlite_schema SET sql = replace(sql, 'role IN (''requester'', ''cc'', ''watcher'')', 'role = ''requester'' OR role = ''cc'' OR role = ''watcher''') WHERE type = 'table' AND name = 'ticket_participants';
{LITE}UPDATE sqlite_schema SET sql = replace(sql, 'type IN (''relates'', ''duplicates'', ''blocks'', ''parent'')', 'type = ''relates'' OR type = ''duplicates'' OR type = ''blocks'' OR type = ''parent''') WHERE type = 'table' AND name = 'ticket_links';
{LITE}UPDATE sqlite_schema SET sql = replace(sql, 'state IN (''queued'', ''sending'', ''sent'', ''retry'', ''failed'', ''held'', ''cancelled'')', 'state = ''queued'' OR state = ''sending'' OR state = ''sent'' OR state = ''retry'' OR state = ''failed'' OR state = ''held'' OR state = ''cancelled''') WHERE type = 'table' AND name = 'outbox';
{LITE}UPDATE sqlite_schema SET sql = replace(sql, 'metric IN (''first_response'', ''next_response'', ''update'', ''resolution'')', 'metric = ''first_response'' OR metric = ''next_response'' OR metric = ''update'' OR metric = ''resolution''') WHERE type = 'table' AND name = 'clocks';
{LITE}UPDATE sqlite_schema SET sql = replace(sql, 'state IN (''running'', ''paused'', ''met'', ''breached'')', 'state = ''running'' OR state = ''paused'' OR state = ''met'' OR state = ''breached''') WHERE type = 'table' AND name = 'clocks';
{LITE}UPDATE sqlite_schema SET sql = replace(sql, 'state IN (''running'', ''paused'', ''met'', ''breached'')', 'state = ''running'' OR state = ''paused'' OR state = ''met'' OR state = ''breached''') WHERE type = 'table' AND name = 'clock_stretches';
{LITE}UPDATE sqlite_schema SET sql = replace(sql, 'kind IN (''sla_warning'', ''sla_breach'', ''escalation'', ''auto_close'', ''pending_reminder'', ''pending_close'', ''snooze'')', 'kind = ''sla_warning'' OR kind = ''sla_breach'' OR kind = ''escalation'' OR kind = ''auto_close'' OR kind = ''pending_reminder'' OR kind = ''pending_close'' OR kind = ''snooze''') WHERE type = 'table' AND name = 'timers';
{LITE}UPDATE sqlite_schema SET sql = replace(sql, 'state IN (''queued'', ''sending'', ''retry'', ''delivered'', ''failed'')', 'state = ''queued'' OR state = ''sending'' OR state = ''retry'' OR state = ''delivered'' OR state = ''failed''') WHERE type = 'table' AND name = 'webhook_deliveries';
{LITE}UPDATE sqlite_schema SET sql = replace(sql, 'kind IN (''verify'', ''reset'', ''link'')', 'kind = ''verify'' OR kind = ''reset'' OR kind = ''link''') WHERE type = 'table' AND name = 'account_links';
{LITE}PRAGMA writable_schema = RESET;

{PG}ALTER TABLE users DROP CONSTRAINT users_role_check, ADD CHECK (role = 'admin' OR role = 'agent' OR role = 'customer');
{PG}ALTER TABLE tickets DROP CONSTRAINT tickets_channel_check, ADD CHECK (channel = 'mail' OR channel = 'api' OR channel = 'console' OR channel = 'cli');
{PG}ALTER TABLE ticket_history DROP CONSTRAINT ticket_history_source_check, ADD CHECK (source = 'mail' OR source = 'api' OR source = 'console' OR source = 'cli' OR source = 'timer' OR source = 'rule');
{PG}ALTER TABLE ticket_participants DROP CONSTRAINT ticket_participants_role_check, ADD CHECK (role = 'requester' OR role = 'cc' OR role = 'watcher');
{PG}ALTER TABLE ticket_links DROP CONSTRAINT ticket_links_type_check, ADD CHECK (type = 'relates' OR type = 'duplicates' OR type = 'blocks' OR type = 'parent');
{PG}ALTER TABLE outbox DROP CONSTRAINT outbox_state_check, ADD CHECK (state = 'queued' OR state = 'sending' OR state = 'sent' OR state = 'retry' OR state = 'failed' OR state = 'held' OR state = 'cancelled');
{PG}ALTER TABLE clocks DROP CONSTRAINT clocks_metric_check, ADD CHECK (metric = 'first_response' OR metric = 'next_response' OR metric = 'update' OR metric = 'resolution');
{PG}ALTER TABLE clocks DROP CONSTRAINT clocks_state_check, ADD CHECK (state = 'running' OR state = 'paused' OR state = 'met' OR state = 'breached');
{PG}ALTER TABLE clock_stretches DROP CONSTRAINT clock_stretches_state_check, ADD CHECK (state = 'running' OR state = 'paused' OR state = 'met' OR state = 'breached');
{PG}ALTER TABLE timers DROP CONSTRAINT timers_kind_check, ADD CHECK (kind = 'sla_warning' OR kind = 'sla_breach' OR kind = 'escalation' OR kind = 'auto_close' OR kind = 'pending_reminder' OR kind = 'pending_close' OR kind = 'snooze');
{PG}ALTER TABLE webhook_deliveries DROP CONSTRAINT webhook_deliveries_state_check, ADD CHECK (state = 'queued' OR state = 'sending' OR state = 'retry' OR state = 'delivered' OR state = 'failed');
{PG}ALTER TABLE account_links DROP CONSTRAINT account_links_kind_check, ADD CHECK (kind = 'verify' OR kind = 'reset' OR kind = 'link');

CREATE INDEX clocks_breached ON clocks (breached_at) WHERE breached_at IS NOT NULL;

ALTER TABLE tickets ADD COLUMN deadline_at {INT};
UPDATE tickets SET deadline_at = COALESCE(
    (SELECT CASE WHEN tickets.due_at < k.due_at THEN tickets.due_at ELSE k.due_at END FROM clocks k
     WHERE k.ticket_id = tickets.id AND k.metric = 'resolution' ORDER BY k.cycle DESC LIMIT 1),
    due_at);
CREATE INDEX tickets_by_deadline ON tickets (deadline_at, id)
    WHERE deleted_at IS NULL AND merged_into IS NULL;
CREATE INDEX tickets_by_category ON tickets (category, updated_at)
    WHERE category IS NOT NULL AND deleted_at IS NULL AND merged_into IS NULL;
CREATE INDEX tickets_with_fields ON tickets (updated_at, id)
    WHERE fields IS NOT NULL AND deleted_at IS NULL AND merged_into IS NULL;
DROP INDEX tickets_unresolved;
CREATE INDEX tickets_unresolved ON tickets (priority, assignee_id, deadline_at)
    WHERE resolved_at IS NULL AND deleted_at IS NULL AND merged_into IS NULL;
