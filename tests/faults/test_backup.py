"""Rows 1 and 18 of the fault matrix: backups of a desk at work, and desks made of them later."""
import contextlib
import hashlib
import json
import os
import pathlib
import re
import signal
import sqlite3
import struct
import subprocess
import tempfile

import pytest

import ledger
import old_desk
from lib import MAILDESK, TREE, wait_for


def maildesk(desk, *args, fault=None):
    env = {**os.environ, **({"MAILDESK_FAULT": fault} if fault else {})}
    return subprocess.run([MAILDESK, *map(str, args), "--config", desk.config], text=True, env=env,
                          stdin=subprocess.DEVNULL, capture_output=True, timeout=120)


def result(done):
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def let_go(desk, rows):
    """An admin's decision to send them; the ledger knows no such step."""
    for row in rows:
        done = maildesk(desk, "outbox", "retry", row)
        assert done.returncode == 0, done.stderr
    desk.execute("DELETE FROM ticket_history WHERE action = 'delivery'")


@pytest.fixture
def other(make_desk, mail_world):
    """A configuration without a desk; on the engine of the run."""
    made = make_desk(mail_world, name="restored")
    old_desk.empty(made)
    return made


@pytest.fixture
def backup(desk, book, tmp_path):
    """Of a desk with three threads."""
    desk.start()
    book.offer(3)
    book.settle()
    path = tmp_path / "desk.backup"
    made = result(maildesk(desk, "backup", "--json", path))
    assert made["rows"] > 50 and path.stat().st_mode & 0o777 == 0o600
    assert sorted(p.name for p in tmp_path.iterdir() if "backup" in p.name) == ["desk.backup"]
    desk.stop()
    return path


# ---- the promise ----

def test_a_desk_of_a_day_ago(desk, book, other, model, tmp_path):
    """What came after the backup is taken in again, what came before is known; mail that waited
    then may have been sent since, and waits for an admin."""
    desk.start()
    book.offer(3)
    book.settle()
    desk.kill()  # its leases stay
    waiting = [r[0] for r in desk.rows("SELECT id FROM outbox ORDER BY id LIMIT 3")]
    for row, state in zip(waiting, ("queued", "retry", "sending")):
        desk.execute(f"UPDATE outbox SET state = '{state}', next_at = 1, holder = 'x',"
                     f" done_at = NULL WHERE id = {row}")
    user = desk.value("SELECT id FROM users WHERE email = 'anna@desk.test'")
    desk.execute("INSERT INTO refresh_tokens (user_id, family, token_hash, created_at, expires_at)"
                 f" VALUES ({user}, 'f', 'h', 1, 9000000000000)")
    maildesk(desk, "backup", tmp_path / "b")
    last = desk.value("SELECT max(id) FROM tickets")
    desk.start()
    book.may_repeat = 3
    book.offer(2)
    book.settle()
    desk.stop()
    done = result(maildesk(other, "restore", "--json", tmp_path / "b"))
    assert (done["held"], done["sessions"]) == (3, 1)
    assert done["next_ticket"] > last + 100
    assert other.value("SELECT count(*) FROM leases") == 0
    assert [r[0] for r in other.rows("SELECT action FROM audit_log WHERE source = 'cli' AND action"
                                     " LIKE 'desk.%' ORDER BY id")] == ["desk.backup", "desk.restore"]
    assert maildesk(other, "audit", "verify").returncode == 0
    assert other.value("SELECT count(*) FROM refresh_tokens WHERE revoked_at IS NULL") == 0
    other.start()
    wait_for("the lost mails", lambda: other.value("SELECT count(*) FROM tickets") == 5)
    assert [r[0] for r in other.rows("SELECT id FROM outbox WHERE state = 'held' ORDER BY id")] \
        == waiting
    assert other.value("SELECT min(id) FROM tickets WHERE id > ?", last) == done["next_ticket"]
    let_go(other, waiting)
    again = ledger.Ledger(other, model)
    again.threads, again.may_repeat = book.threads, 3  # a third time for none: sent twice before
    other_sent = again.deliveries
    again.deliveries = lambda: [(m, to, min(n, 2)) for m, to, n in other_sent()]
    again.settle()
    other.stop()


def test_a_backup_of_a_desk_under_load(desk, book, other, tmp_path):
    """It is of one instant: each mail in it has all its effects."""
    desk.start()
    book.offer(10)
    wait_for("work", lambda: desk.value("SELECT count(*) FROM messages") > 3)
    assert maildesk(desk, "backup", tmp_path / "b").returncode == 0
    book.settle()
    desk.stop()
    assert maildesk(other, "restore", tmp_path / "b").returncode == 0
    whole = "SELECT count(*) FROM messages WHERE direction = 'in'"
    assert other.value(whole) == other.value("SELECT count(*) FROM decisions") > 0
    with sqlite3.connect(tmp_path / "b") as db:
        assert db.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert db.execute("PRAGMA foreign_key_check").fetchall() == []
        assert db.execute("PRAGMA journal_mode").fetchone() == ("delete",)
    db.close()
    other.start()
    again = ledger.Ledger(other, book.model)
    again.threads = book.threads
    held = [r[0] for r in other.rows("SELECT id FROM outbox WHERE state = 'held'")]
    again.may_repeat = len(held)
    let_go(other, held)
    again.settle()
    other.stop()


# ---- death ----

@pytest.mark.parametrize("point", ["transfer_page", "transfer_page:9", "transfer_end",
                                   "backup_unsealed", "backup_sealed"])
def test_a_backup_dies_at(point, desk, book, backup, other, tmp_path):
    path = tmp_path / "second"
    done = maildesk(desk, "backup", path, fault=point)
    assert done.returncode == -signal.SIGKILL and not path.exists()
    assert maildesk(desk, "backup", path).returncode == 0
    assert not list(tmp_path.glob("second.*"))
    assert maildesk(other, "restore", path).returncode == 0


@pytest.mark.parametrize("point", ["transfer_page", "transfer_page:9", "transfer_end"])
def test_a_restore_dies_at(point, desk, book, model, backup, other):
    done = maildesk(other, "restore", backup, fault=point)
    assert done.returncode == -signal.SIGKILL
    done = maildesk(other, "user", "list")
    assert done.returncode == 77 and "maildesk restore" in done.stderr
    assert maildesk(other, "restore", backup).returncode == 0
    other.start()
    again = ledger.Ledger(other, model)
    again.threads = book.threads
    again.settle()
    other.stop()
    done = maildesk(other, "restore", backup)
    assert done.returncode == 77 and "not empty" in done.stderr


def test_a_restore_goes_on_with_its_own_backup_only(desk, backup, other, tmp_path):
    assert maildesk(desk, "backup", tmp_path / "second").returncode == 0
    maildesk(other, "restore", backup, fault="transfer_end")
    done = maildesk(other, "restore", tmp_path / "second")
    assert done.returncode == 77 and "another" in done.stderr
    assert maildesk(other, "restore", backup).returncode == 0


def test_interrupted_by_a_person(desk, backup, tmp_path):
    with contextlib.closing(sqlite3.connect(backup)) as db, db:
        db.execute("CREATE TABLE blocker (a TEXT)")  # no part of it: what is added is not read
    if not desk.database:
        with contextlib.closing(sqlite3.connect(desk.state / "desk.db")) as db, db:
            db.execute("INSERT INTO comments (ticket_id, is_internal, channel, body, created_at)"
                       " WITH RECURSIVE k (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM k WHERE"
                       " n < 100000) SELECT (SELECT min(id) FROM tickets), 0, 'api', 'x', 1 FROM k")
    else:
        desk.execute("INSERT INTO comments (ticket_id, is_internal, channel, body, created_at)"
                     " SELECT (SELECT min(id) FROM tickets), 0, 'api', 'x', 1"
                     " FROM generate_series(1, 100000)")
    process = subprocess.Popen([MAILDESK, "backup", "--json", tmp_path / "long", "--config",
                                desk.config], stdout=subprocess.PIPE, text=True)
    assert json.loads(process.stdout.readline())["phase"] == "copying"
    process.send_signal(signal.SIGINT)
    process.communicate()
    assert process.returncode == -signal.SIGINT
    assert not list(tmp_path.glob("long*"))


# ---- refusals ----

def test_refusals(desk, backup, other, tmp_path):
    for args, code, text in ((("backup", backup), 77, "exists"),
                             (("backup", "/nowhere/at/all"), 73, "/nowhere/at/all"),
                             (("restore", tmp_path / "none"), 66, "No such file"),
                             (("restore", desk.config), 70, "not a database")):
        done = maildesk(desk, *args)
        assert (done.returncode, text in done.stderr) == (code, True), done.stderr
    if not desk.database:
        done = maildesk(other, "restore", desk.state / "desk.db")
        assert done.returncode == 77 and "no backup" in done.stderr
    before = desk.log().count(" is up")
    desk.start()
    wait_for("the daemon", lambda: desk.log().count(" is up") > before)
    done = maildesk(desk, "restore", backup)
    assert done.returncode == 75 and "stop it" in done.stderr
    desk.stop()
    done = maildesk(desk, "restore", backup)
    assert done.returncode == 77 and "not empty" in done.stderr
    other.config.write_text(re.sub(r'database = ".*"', f'database = "sqlite:{backup}"',
                                   other.config.read_text()))
    done = maildesk(other, "user", "list")
    assert done.returncode == 77 and "is a backup" in done.stderr
    assert not maildesk(desk, "user", "list").returncode


def test_a_damaged_backup_is_refused_untouched(desk, backup, other):
    raw = bytearray(backup.read_bytes())
    at = raw.index(b"It still does not.")
    raw[at] ^= 1
    backup.write_bytes(raw)
    done = maildesk(other, "restore", backup)
    assert done.returncode == 65 and "damaged" in done.stderr and "comments" in done.stderr
    raw[at] ^= 1
    backup.write_bytes(raw)
    with contextlib.closing(sqlite3.connect(backup)) as db, db:
        db.execute("UPDATE schema_version SET version = 999")
    done = maildesk(other, "restore", backup)
    assert done.returncode == 77 and "the newer maildesk" in done.stderr
    with contextlib.closing(sqlite3.connect(backup)) as db, db:
        version = int((TREE / "src/store/schema.c").read_text().split("NEWEST = ")[1].split()[0])
        db.execute("UPDATE schema_version SET version = ?", (version,))
    assert maildesk(other, "restore", backup).returncode == 0


# ---- of an older maildesk ----

def sum_table(db, table):
    """The checksum as the daemon makes it (src/store/transfer_sums.c), made anew."""
    keys = [r[0] for r in db.execute("SELECT name FROM pragma_table_info(?) WHERE pk > 0"
                                     " ORDER BY pk", (table,))]
    digest, n = hashlib.sha256(), 0
    for row in db.execute(f"SELECT * FROM {table} ORDER BY {', '.join(keys)}"):
        n += 1
        for v in row:
            if v is None:
                digest.update(b"n")
            elif isinstance(v, int):
                digest.update(b"i" + struct.pack(">q", v))
            else:
                data = v.encode() if isinstance(v, str) else v
                digest.update((b"t" if isinstance(v, str) else b"b")
                              + struct.pack(">Q", len(data)) + data)
    return n, digest.hexdigest()


@pytest.fixture
def elsewhere():
    """A folder on a file system of another kind than the desk's, as where backups are kept."""
    with tempfile.TemporaryDirectory(dir="/dev/shm") as folder:
        yield pathlib.Path(folder)


def test_a_backup_of_the_first_schema(other, elsewhere):
    path = elsewhere / "old.backup"
    with contextlib.closing(sqlite3.connect(path)) as db, db:
        for statement in old_desk.script("sqlite", 20):
            db.execute(statement)
        tables = [r[0] for r in db.execute(
            "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
            " AND name NOT IN ('schema_version', 'commits', 'search_queue')"
            " AND name NOT LIKE 'search_index%'")]
        db.executescript("CREATE TABLE backup (made_at INTEGER NOT NULL, program TEXT NOT NULL);"
                         "INSERT INTO backup VALUES (1700000000000, 'maildesk 0');"
                         "CREATE TABLE backup_sums (name TEXT PRIMARY KEY, row_count INTEGER NOT"
                         " NULL, sha256 TEXT NOT NULL)")
        for t in tables:
            db.execute("INSERT INTO backup_sums VALUES (?, ?, ?)", (t, *sum_table(db, t)))
    before = path.read_bytes()
    assert maildesk(other, "restore", path).returncode == 0
    assert path.read_bytes() == before and not list(other.state.glob("restoring*"))
    assert "zoe@desk.test" in maildesk(other, "user", "list").stdout


def test_its_checksums_are_those_of_the_file(backup):
    with contextlib.closing(sqlite3.connect(backup)) as db:
        for name, n, digest in db.execute("SELECT * FROM backup_sums").fetchall():
            assert sum_table(db, name) == (n, digest), name
