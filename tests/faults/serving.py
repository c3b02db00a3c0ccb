"""A desk of a test's own: `maildesk serve` as a child that may be killed at any moment.

The mail servers are a sandbox's, which many desks may use one after the other; database, state and
log are the desk's own. What is killed here is killed by its pid.
"""
import contextlib
import os
import pathlib
import re
import signal
import sqlite3
import subprocess

from lib import MAILDESK, PATIENCE, open_database, wait_for
import libpq

# Nothing of the load is held back, and what failed is tried again soon.
FRAGMENT = """\
limits { auto_per_address_hour = 0  auto_per_address_day = 0  auto_desk_hour = 0
	inbound_per_sender_hour = 0 }
mailbox "support" { poll_interval = "1s" }
smtp "main" { retry_first = "100ms" }
"""


class Desk:
    def __init__(self, folder, world, fragment="", database=None):
        """database: "postgres:...", which others may share; None: a file of its own."""
        self.dir, self.world, self.process = pathlib.Path(folder), world, None
        self.database = self.look = database  # look: where the test itself looks
        self.state = self.dir / "state"
        self.log_path = self.dir / "serve.log"
        self.config = self.dir / "maildesk.conf"
        (self.dir / "conf.d").mkdir(parents=True)
        text = pathlib.Path(world["config"]).read_text()
        text = re.sub(r'state_dir = ".*"', f'state_dir = "{self.state}"', text)
        if database:
            text = re.sub(r'database = ".*"', f'database = "{database}"', text)
        self.config.write_text(text)
        (self.dir / "conf.d" / "50-faults.conf").write_text(FRAGMENT)
        (self.dir / "conf.d" / "60-test.conf").write_text(fragment)
        self.log_path.touch()

    def add_anna(self):
        self.run("user", "add", "--email", "anna@desk.test", "--name", "Anna", "--role", "agent",
                 "--password-file", self.world.dir / "secrets" / "anna@desk.test")

    def run(self, *args):
        done = subprocess.run([MAILDESK, *map(str, args), "--config", self.config], text=True,
                              stdin=subprocess.DEVNULL, capture_output=True, timeout=60)
        assert done.returncode == 0, f"maildesk {args}: {done.stdout}{done.stderr}"

    def spawn(self, fault=None):
        """`serve` on this state_dir, whatever else runs on it."""
        env = {**os.environ, **({"MAILDESK_FAULT": fault} if fault else {})}
        with open(self.log_path, "ab") as log:
            return subprocess.Popen([MAILDESK, "serve", "--config", self.config], env=env, cwd="/",
                                    stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def start(self, fault=None, wait=True):
        """wait: until it is up, and the mailbox was selected for the first time: mail counts from
        then on."""
        starts = self.log().count(" is up: ")
        self.process = self.spawn(fault)
        if wait:
            wait_for("the first SELECT",
                     lambda: self.selected() and self.log().count(" is up: ") > starts)

    def selected(self):
        assert self.process.poll() is None, f"serve ended:\n{self.log()[-2000:]}"
        return self.value("SELECT count(*) FROM mailboxes WHERE uidvalidity <> 0")

    def alive(self):
        return self.process is not None and self.process.poll() is None

    def wait_death(self):
        wait_for("the daemon to die", lambda: not self.alive())
        assert self.process.returncode == -signal.SIGKILL, self.log()[-2000:]

    def kill(self):
        self.process.kill()
        self.process.wait()

    def stop(self):
        """An orderly end, which has to be one."""
        if self.alive():
            self.process.terminate()
            assert self.process.wait(PATIENCE) == 0, self.log()[-2000:]
        assert "Sanitizer" not in self.log() and "runtime error" not in self.log(), self.log()

    def log(self):
        return self.log_path.read_text(errors="replace")

    def roles(self, name=""):
        """{pid: "fetch" or "read"} of the daemon's live children."""
        found = {}
        with contextlib.suppress(OSError):
            for task in pathlib.Path(f"/proc/{self.process.pid}/task").iterdir():
                with contextlib.suppress(OSError):
                    for pid in (task / "children").read_text().split():
                        line = pathlib.Path(f"/proc/{pid}/cmdline").read_bytes()
                        role = line.split(b"\0")[1:2]
                        if role and role[0].startswith(b"role-" + name.encode()):
                            found[int(pid)] = role[0][5:].decode()
        return found

    def db(self):
        return open_database(self.look, self.state / "desk.db")

    def execute(self, sql):
        """A change behind the desk's back."""
        if self.look:
            with contextlib.closing(libpq.Connection(self.look)) as c:
                c.execute(sql)
        else:
            with contextlib.closing(sqlite3.connect(self.state / "desk.db", timeout=10)) as c, c:
                c.execute(sql)

    def rows(self, sql, *args):
        with self.db() as c:
            return c.execute(sql, args).fetchall()

    def value(self, sql, *args):
        return self.rows(sql, *args)[0][0]


def is_running(pid):
    """Neither gone nor a zombie."""
    try:
        stat = pathlib.Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
    return stat.rpartition(")")[2].split()[0] not in "ZX"
