"""maildesk migrate --to: SQLite to a private PostgreSQL and back, killed on the way, and refusals."""
import fcntl
import json
import pathlib
import re
import signal
import socket
import sqlite3
import subprocess

import pytest

import lib

POSTGRES = lib.TREE / "tests" / "sandbox" / "postgres"
TICKETS = 20000
CONFIG = """\
database = {database}
state_dir = "{dir}/state"
http {{ listen = "127.0.0.1:{port}" }}
smtp "main" {{ host = "127.0.0.1" port = 9 tls = "none" }}
mailbox "support" {{ address = "support@desk.test" host = "127.0.0.1" port = 9 tls = "none"
	user = "x" password_file = "{dir}/secret" }}
"""


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    """Makes empty databases: cluster() gives the value of `database`."""
    folder = tmp_path_factory.mktemp("pg")
    for path in (folder, folder.parent):
        path.chmod(0o755)
    done = subprocess.run([POSTGRES, "start", folder], text=True, capture_output=True, check=True)
    where, made = done.stdout.strip(), []

    def make():
        made.append(f"d{len(made)}")
        subprocess.run(["psql", "-qX", where.removeprefix("postgres:"), "-c",
                        f"CREATE DATABASE {made[-1]}"], check=True, stdout=subprocess.DEVNULL)
        return where.replace("dbname=maildesk", f"dbname={made[-1]}")
    yield make
    subprocess.run([POSTGRES, "stop", folder], check=True)


class Desk:
    def __init__(self, folder):
        self.dir, self.config = folder, folder / "desk.conf"
        (folder / "state").mkdir()
        (folder / "secret").touch(mode=0o600)
        (folder / "secret").write_text("secret\n")
        with socket.socket() as s:
            s.bind(("127.0.0.1", 0))
            self.port = s.getsockname()[1]
        self.set('"sqlite:desk.db"')
        done = self.run("user", "add", "--email", "zoe@desk.test", "--role", "admin")
        assert done.returncode == 0, done.stderr

    def set(self, database):
        """`database` as it stands in the configuration, quotes and all."""
        self.config.write_text(CONFIG.format(database=database, dir=self.dir,
                                             port=self.port))

    def run(self, *args):
        return subprocess.run([lib.MAILDESK, *args, "--config", self.config], text=True,
                              capture_output=True, timeout=120)

    def start(self, *args):
        return subprocess.Popen([lib.MAILDESK, *args, "--config", self.config], text=True,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def fill(self):
        with sqlite3.connect(self.dir / "state" / "desk.db") as db:
            db.execute("INSERT INTO tickets (title, status, priority, requester_id, channel,"
                       " created_at, updated_at) WITH RECURSIVE k (n) AS (SELECT 1 UNION ALL"
                       " SELECT n + 1 FROM k WHERE n < ?) SELECT 'ticket ' || n, 'open', 1, 1,"
                       " 'api', n, n FROM k", (TICKETS,))
            db.execute("INSERT INTO comments (ticket_id, is_internal, channel, body, created_at)"
                       " SELECT id, 0, 'api', 'Grüße 🦀 ' || hex(randomblob(200)), 1 FROM tickets")
        db.close()


@pytest.fixture
def desk(tmp_path):
    return Desk(tmp_path)


def sums(done):
    """{table: (rows, checksum)} of a move with --json."""
    assert done.returncode == 0, done.stderr
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert lines[-1]["done"] is True
    found = {v["table"]: (v["rows"], v["sha256"]) for v in lines if "sha256" in v}
    assert lines[-1]["tables"] == len(found)
    return found


def kill_while(desk, to, phase):
    """A move that dies by SIGKILL as soon as it says that it is in this phase."""
    with desk.start("migrate", "--json", "--to", to) as move:
        for line in move.stdout:
            if json.loads(line).get("phase") == phase:
                move.kill()
        assert move.wait(timeout=lib.PATIENCE) == -signal.SIGKILL, move.stderr.read()


def test_killed_resumed_and_back(desk, cluster, tmp_path):
    desk.fill()
    there = cluster()
    kill_while(desk, there, "copying")
    done = desk.run("user", "list", "--json")
    assert done.returncode == 0  # the source is a desk as before
    desk.set(json.dumps(there))
    done = desk.run("user", "list")
    assert (done.returncode, "migrate --to" in done.stderr) == (77, True), done.stderr
    desk.set('"sqlite:desk.db"')
    kill_while(desk, there, "comparing")
    first = sums(desk.run("migrate", "--json", "--to", there))
    assert first["tickets"][0] == first["comments"][0] == TICKETS
    desk.set(json.dumps(there))
    back = tmp_path / "back.db"
    again = sums(desk.run("migrate", "--json", "--to", f"sqlite:{back}"))
    # Where it arrived the move itself was noted.
    assert again.pop("audit_log")[0] == first.pop("audit_log")[0] + 1 and again == first
    assert back.stat().st_mode & 0o777 == 0o600
    with sqlite3.connect(back) as db:
        assert db.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert db.execute("PRAGMA foreign_key_check").fetchall() == []
    db.close()


def test_the_setting_it_prints_is_the_one_to_use(desk, cluster):
    done = desk.run("migrate", "--to", cluster() + " application_name='a \\\\ b'")
    assert done.returncode == 0, done.stderr
    assert "copying" in done.stderr and "rows/s" in done.stderr
    database = re.search(r"^\tdatabase = (.*)$", done.stdout, re.M)[1]
    before = desk.run("user", "list").stdout
    desk.set(database)
    done = desk.run("user", "list")
    assert (done.returncode, done.stdout) == (0, before), done.stderr
    # It is a desk now, and no target any more.
    done = desk.run("migrate", "--to", json.loads(database))
    assert done.returncode == 77 and "not empty" in done.stderr
    done = desk.run("user", "add", "--email", "next@desk.test")
    assert done.stdout == "user 2 added\n", done.stderr


def test_a_password_is_not_shown(desk, cluster):
    for more in ((), ("--json",)):
        done = desk.run("migrate", *more, "--to", cluster() + " password=hunter2")
        assert done.returncode == 0, done.stderr
        assert "hunter2" not in done.stdout + done.stderr
    # Neither where it cannot be read at all, nor where nobody answers.
    for wrong in ("password=hunter2 nonsense", "host=127.0.0.1 port=1 password=hunter2"):
        desk.set(f'"postgres:{wrong}"')
        for command in (("check",), ("user", "list"), ("serve",)):
            done = desk.run(*command)
            assert "hunter2" not in done.stdout + done.stderr, done.stderr


def is_locked(path):
    with open(path, "a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def test_a_daemon_at_work_is_in_the_way(desk, tmp_path):
    with desk.start("serve") as daemon:
        lib.wait_for("the daemon's lock", lambda: is_locked(tmp_path / "state" / "lock"))
        done = desk.run("migrate", "--to", f"sqlite:{tmp_path}/none.db")
        assert "stop" in done.stderr and done.returncode == 75
        daemon.terminate()
        daemon.communicate(timeout=lib.PATIENCE)
    assert not (tmp_path / "none.db").exists()


REFUSED = [
    ((), 64, "--to is missing"),
    (("--to", "mysql:x"), 65, "sqlite:PATH or postgres:CONNINFO"),
    (("--to", "sqlite:/nowhere/at/all/x.db"), 70, "/nowhere/at/all/x.db"),
    (("--to", "postgres:host=127.0.0.1 port=1 dbname=x user=x"), 75, "goes on"),
    (("--to", "sqlite:{dir}/state/desk.db"), 77, "not empty"),
]


@pytest.mark.parametrize("args, code, text", REFUSED)
def test_refusals(desk, args, code, text):
    done = desk.run("migrate", *(a.format(dir=desk.dir) for a in args))
    assert (done.returncode, done.stdout) == (code, ""), done.stderr
    assert text in done.stderr


def test_a_source_that_is_not_there(desk, tmp_path):
    desk.set('"sqlite:other.db"')
    done = desk.run("migrate", "--to", f"sqlite:{tmp_path}/x.db")
    assert done.returncode == 66 and "other.db" in done.stderr
    assert not pathlib.Path(tmp_path / "state" / "other.db").exists()


def test_help(desk):
    done = desk.run("migrate", "--help")
    assert done.returncode == 0 and "--to DATABASE" in done.stdout
