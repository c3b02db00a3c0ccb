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
