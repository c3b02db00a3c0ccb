"""A desk of as many tickets as asked, written straight into its database: what years of work leave
behind (people, comments, mails, history, clocks, timers, tags), and the search index of it. The
same for the same number and instant. Its indexes are made afterwards, each in one go."""
import random
import sqlite3

from searching import WEIGHTS, WORDS

AGENTS, TAGS, YEARS = 20, 30, 3
DAY = 86_400_000

# i: 1..n; r: some number below 1000 of it
TICKETS = """
INSERT INTO tickets (id, title, status, priority, category, requester_id, created_by, assignee_id,
    mailbox_id, channel, created_at, updated_at, first_response_at, resolved_at, closed_at, due_at,
    fields)
WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < :tickets),
h AS (SELECT i, (i * 2654435761 >> 8) % 1000 AS r,
    :now - CAST((:tickets - i) * (:years * 365.0 * :day / :tickets) AS INTEGER) - 1000 AS at FROM n),
s AS (SELECT *, CASE WHEN i > :tickets * 0.97 THEN
        CASE WHEN r < 300 THEN 'open' WHEN r < 550 THEN 'in_progress' WHEN r < 700 THEN 'pending'
            WHEN r < 900 THEN 'resolved' ELSE 'closed' END
    WHEN r < 2 THEN 'pending' WHEN r < 6 THEN 'resolved' ELSE 'closed' END AS status FROM h)
SELECT i, words(6), status, r % 4, CASE r % 5 WHEN 0 THEN 'hardware' END,
    :customer + r * 31 % :customers, :customer + r * 31 % :customers,
    CASE WHEN status = 'open' AND r % 5 THEN NULL ELSE :agent + r % :agents END, 1, 'mail', at,
    MIN(:now, at + r * 500000), CASE WHEN status <> 'open' THEN at + r * 5000 END,
    CASE WHEN status IN ('resolved', 'closed') THEN MIN(:now, at + r * 400000) END,
    CASE WHEN status = 'closed' THEN MIN(:now, at + r * 500000) END,
    CASE WHEN r % 10 = 3 THEN at + r * :day / 50 END,
    CASE WHEN r % 20 = 7 THEN '{"asset":"' || i % 5000 || '"}' END
FROM s
"""
COMMENTS = """
INSERT INTO comments (id, ticket_id, author_id, message_id, is_internal, channel, body, created_at)
SELECT t.id * 2 - 1, t.id, t.requester_id, t.id * 2 - 1, 0, 'mail', words(12), t.created_at
FROM tickets t UNION ALL
SELECT t.id * 2, t.id, t.assignee_id, NULL, 0, 'api', words(8), t.first_response_at
FROM tickets t WHERE t.first_response_at IS NOT NULL AND t.assignee_id IS NOT NULL AND t.id % 2 = 0
"""
MESSAGES = """
INSERT INTO messages (id, direction, mailbox_id, ticket_id, message_id, identity, subject,
    from_address, kind, size, date_at, created_at)
SELECT id * 2 - 1, 'in', 1, id, 'm' || id || '@client.test', 'i' || id, title,
    'c' || requester_id || '@client.test', 'normal', 3000, created_at, created_at FROM tickets
"""
REST = [
    "INSERT INTO thread_ids (message_id, ticket_id) SELECT message_id, ticket_id FROM messages"
    " ORDER BY message_id",
    "INSERT INTO decisions (message_id, outcome, ticket_id, comment_id, auth, rules, commands, sla, at)"
    " SELECT id, 'new_ticket', ticket_id, id, 'pass', '[]', '[]', '[]', created_at FROM messages",
    "INSERT INTO ticket_participants (ticket_id, user_id, role, since_at)"
    " SELECT id, requester_id, 'requester', created_at FROM tickets",
    "INSERT INTO ticket_history (ticket_id, actor_id, action, new_value, source, is_public, at)"
    " SELECT id, requester_id, 'created', NULL, 'mail', 1, created_at FROM tickets UNION ALL"
    " SELECT id, assignee_id, 'status', status, 'api', 1, updated_at FROM tickets"
    " WHERE status <> 'open' ORDER BY 7",
    "INSERT INTO tags (name, color) SELECT 'tag' || value, '#336699'"
    " FROM json_each(json_array(" + ", ".join(map(str, range(1, TAGS + 1))) + "))",
    f"INSERT INTO ticket_tags (ticket_id, tag_id) SELECT id, 1 + id / 3 % {TAGS} FROM tickets"
    " WHERE id % 3 = 0",
    "INSERT INTO clocks (ticket_id, metric, cycle, policy, state, started_at, target_ms, since_at,"
    " used_ms, due_at, breached_at, limit_ms, sla_version)"
    " SELECT id, 'first_response', 1, 'default',"
    " CASE WHEN first_response_at IS NULL THEN 'running' ELSE 'met' END, created_at, 14400000,"
    " created_at, 0, created_at + 14400000, NULL, 14400000, 1 FROM tickets UNION ALL"
    " SELECT id, 'resolution', 1, 'default', CASE WHEN closed_at IS NOT NULL THEN 'met'"
    " WHEN resolved_at IS NOT NULL THEN 'paused' ELSE 'running' END, created_at, 172800000,"
    " created_at, 0, created_at + 172800000, CASE WHEN priority = 0 AND id % 7 = 0"
    " THEN created_at + 172800000 END, 172800000, 1 FROM tickets ORDER BY 1",
    "INSERT INTO timers (due_at, kind, ticket_id) SELECT :now + 3600000 + id * 1000, 'auto_close', id"
    " FROM tickets",
]
INDEX = [
    "INSERT INTO search_index (rowid, title, body, words) SELECT -id, title, '', NULL FROM tickets"
    " ORDER BY id DESC",
    "INSERT INTO search_index (rowid, title, body, words) SELECT m.id, t.title, m.body, NULL"
    " FROM comments m JOIN tickets t ON t.id = m.ticket_id ORDER BY m.id",
]


def fill(path, tickets, now, with_search=True):
    """Into a desk's database that nobody uses and that has no tickets yet."""
    rnd = random.Random(11)

    def words(n):
        return " ".join(rnd.choices(WORDS, cum_weights=WEIGHTS, k=n))

    db = sqlite3.connect(path, isolation_level=None)
    db.create_function("words", 1, words)
    for pragma in ("synchronous = OFF", "cache_size = -400000", "temp_store = MEMORY",
                   "foreign_keys = OFF"):
        db.execute(f"PRAGMA {pragma}")
    db.execute("BEGIN")
    customers, first = max(tickets // 100, 10), db.execute(
        "SELECT COALESCE(MAX(id), 0) FROM users").fetchone()[0] + 1
    of = {"tickets": tickets, "now": now, "years": YEARS, "day": DAY, "agent": first,
          "agents": AGENTS, "customer": first + AGENTS, "customers": customers}
    db.executemany("INSERT INTO users (id, name, email, folded, role, created_at)"
                   " VALUES (?1, ?2, ?3, ?3, ?4, 1)",
                   ((i, f"Person {i}", f"c{i}@client.test",
                     "agent" if i < first + AGENTS else "customer")
                    for i in range(first, first + AGENTS + customers)))
    db.execute("INSERT INTO user_addresses (address, user_id) SELECT email, id FROM users"
               " WHERE id >= ?", (first,))
    indexes = db.execute("SELECT name, sql FROM sqlite_schema WHERE type = 'index' AND sql IS NOT NULL"
                         " AND tbl_name IN ('tickets', 'comments', 'messages', 'ticket_history',"
                         " 'ticket_tags', 'ticket_participants', 'clocks', 'timers')").fetchall()
    for name, _ in indexes:
        db.execute(f"DROP INDEX {name}")
    db.execute("INSERT INTO mailboxes (id, name) VALUES (1, 'support') ON CONFLICT DO NOTHING")
    for sql in [TICKETS, COMMENTS, MESSAGES, *REST, *(INDEX if with_search else [])]:
        db.execute(sql, {k: v for k, v in of.items() if f":{k}" in sql})
    for _, sql in indexes:
        db.execute(sql)
    db.execute("COMMIT")
    db.close()
