"""Rows 5, 6 and 7 of the fault matrix: no room on the disk, a database that others hold, or that is
no desk's (any more)."""
import contextlib
import os
import sqlite3
import subprocess
import time

import pytest

import ledger
from lib import MAILDESK, PATIENCE, Api, wait_for

pytestmark = pytest.mark.engine("sqlite")
MEGABYTES = 12
LOCKED = 60 if os.environ.get("MAILDESK_SOAK") else 8  # seconds; writes wait for 5


@pytest.fixture
def small(make_desk, mail_world):
    """A desk whose database, contents and log are on a file system of a few MB."""
    desk = make_desk(mail_world)
    for file in desk.state.iterdir():
        file.unlink()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={MEGABYTES}M,mode=700", "none",
                       desk.state], capture_output=True).returncode:
        pytest.skip("nothing can be mounted here")
    desk.add_anna()
    desk.log_path = desk.state / "serve.log"
    desk.log_path.touch()
    yield desk
    if desk.alive():
        desk.kill()
    subprocess.run(["umount", "-l", desk.state], check=True)


def fill(folder):
    """Nothing more fits; what gives the room back."""
    path = folder / "filler"
    with open(path, "wb", buffering=0) as f, contextlib.suppress(OSError):
        while f.write(b"x" * 4096):
            pass
    return path


def sign_in(world):
    account = world.accounts["anna"]
    return Api(world["http"], {"email": account["address"], "password": account["password"]})


def test_no_room(small, model):
    book = ledger.Ledger(small, model)
    small.start()
    wait_for("the API", lambda: Api(small.world["http"]).get("//readyz").status == 200)
    book.offer(1)
    book.settle()
    api = sign_in(small.world)
    assert api.get("/tickets").json["items"]
    filler = fill(small.state)
    # What is left in the log's last page is used up first.
    ticket = {"title": "x" * 400, "requester": "carol@customer.test", "description": "y" * 60000}
    answer = wait_for("a write to be refused", lambda: next(
        (a for a in [api.post("/tickets", ticket)] if a.status != 201), None))
    assert (answer.status, answer.json["code"]) == (507, "insufficient_storage"), answer.body
    assert api.get("/tickets").status == 200
    before = small.value("SELECT count(*) FROM messages WHERE direction = 'in'")
    book.offer(2, padding=100000)
    wait_for("it to be told of", lambda: "no room" in Api(small.world["http"]).get(
        "//readyz").body.decode() or "no room" in small.log())
    assert small.value("SELECT count(*) FROM messages WHERE direction = 'in'") == before
    unseen = book.unmarked()
    assert len(unseen) == 6, unseen
    assert small.alive()
    filler.unlink()
    wait_for("the mails", lambda: not book.unmarked())
    assert small.value("SELECT count(*) FROM messages WHERE direction = 'in'") == before + 6
    assert api.post("/tickets", ticket).status == 201
    small.stop()


def command(desk, *args):
    return subprocess.run([MAILDESK, *map(str, args), "--config", desk.config], text=True,
                          stdin=subprocess.DEVNULL, capture_output=True, timeout=120)


def test_no_room_for_a_backup_or_what_is_made_of_it(small, tmp_path):
    """Neither costs anything: a backup leaves no half of itself, a restore goes on."""
    for n in range(5):
        text = tmp_path / "text"
        text.write_text(f"{n} " + "y" * 900_000)
        done = command(small, "ticket", "new", "--as", "carol@customer.test", "--body-file", text, f"T{n}")
        assert done.returncode == 0, done.stderr
    backup = tmp_path / "desk.backup"
    assert command(small, "backup", backup).returncode == 0
    kept = small.state / "desk.backup"
    done = command(small, "backup", kept)
    assert done.returncode == 70 and "no room left" in done.stderr, done.stderr
    assert not list(small.state.glob("desk.backup*"))
    (small.state / "desk.db").unlink()
    filler = fill(small.state)
    filler.open("r+b").truncate(filler.stat().st_size - 3_000_000)
    done = command(small, "restore", backup)
    assert done.returncode == 70 and "no room left" in done.stderr, done.stderr
    told = command(small, "user", "list")
    assert told.returncode == 77 and "maildesk restore" in told.stderr
    filler.unlink()
    done = command(small, "restore", backup)
    assert done.returncode == 0, done.stderr
    for n in range(5):
        shown = command(small, "ticket", "show", str(n + 1), "--json")
        assert f"T{n}" in shown.stdout, shown.stderr


def test_locked_by_another(desk, book):
    desk.start()
    book.offer(1)
    book.settle()
    api = sign_in(desk.world)
    ticket = {"title": "While locked", "requester": "carol@customer.test", "description": "y"}
    with contextlib.closing(sqlite3.connect(desk.state / "desk.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        began = time.monotonic()
        book.offer(1)
        answer = api.post("/tickets", ticket)
        assert answer.status == 503 and int(answer.headers["Retry-After"]) > 0, answer.body
        assert api.get("/tickets").status == 200
        assert Api(desk.world["http"]).get("//healthz").status == 200
        assert len(book.unmarked()) == 3
        wait_for("the time", lambda: time.monotonic() > began + LOCKED, LOCKED + 10)
        other.execute("ROLLBACK")
    book.settle()
    assert api.post("/tickets", ticket).status == 201
    desk.stop()


# ---- what is no desk (any more) ----

def root_of(path, table):
    """Where its first page begins in the file."""
    with contextlib.closing(sqlite3.connect(path)) as c:
        size = c.execute("PRAGMA page_size").fetchone()[0]
        return size * (c.execute("SELECT rootpage FROM sqlite_schema WHERE name = ?",
                                 (table,)).fetchone()[0] - 1)


def overwrite(path, at):
    with open(path, "r+b") as f:
        f.seek(at)
        f.write(b"\xa5" * 64)


def execute(path, sql):
    with contextlib.closing(sqlite3.connect(path)) as c, c:
        c.execute(sql)


UNFIT = {
    "no database": (lambda p: overwrite(p, 0), "restore the last backup"),
    "schema page": (lambda p: overwrite(p, 100), "restore the last backup"),
    "a page": (lambda p: overwrite(p, root_of(p, "settings")), "restore the last backup"),
    "newer": (lambda p: execute(p, "UPDATE schema_version SET version = 999"),
              "run the newer maildesk"),
    "too old": (lambda p: execute(p, "UPDATE schema_version SET version = 0"), "older maildesk"),
    "half a desk": (lambda p: execute(p, "DROP TABLE quarantine"), "restore a backup"),
    "no version": (lambda p: execute(p, "DELETE FROM schema_version"), "restore a backup"),
    "another program's": (lambda p: execute(p, "DROP TABLE schema_version"), "name another one"),
    "half moved": (lambda p: execute(p, "CREATE TABLE transfer (origin TEXT)"),
                   "maildesk restore"),
}


@pytest.mark.parametrize("case", UNFIT)
def test_refused_untouched(case, desk):
    spoil, text = UNFIT[case]
    path = desk.state / "desk.db"
    spoil(path)
    before = path.read_bytes()
    with desk.spawn() as serve:
        assert serve.wait(PATIENCE) not in (0, 75), desk.log()
    assert text in desk.log(), desk.log()
    assert path.read_bytes() == before
    assert not (desk.state / "desk.db-wal").exists() or \
        (desk.state / "desk.db-wal").stat().st_size == 0
