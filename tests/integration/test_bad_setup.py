"""What an admin may get wrong: each has a sentence that says what to do, and nothing else happens."""
import os
import pathlib
import shutil
import socket
import subprocess

import pytest

from lib import MAILDESK

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="needs another user to be refused as")

CONFIG = """state_dir = "{0}/state"
http {{ listen = "127.0.0.1:{1}" }}
smtp "main" {{ host = "127.0.0.1"  port = 1  tls = "none" }}
mailbox "support" {{ address = "support@desk.test"  host = "127.0.0.1"  port = 1  tls = "none"
	password_file = "pw" }}
"""
NOBODY = 65534


class Setup:
    """A configuration in a folder that everybody may enter; commands run as nobody."""

    def __init__(self, folder):
        self.folder, self.config = folder, folder / "maildesk.conf"
        self.program = folder / "maildesk"  # where nobody may read it
        shutil.copy(MAILDESK, self.program)
        for path in (folder, *folder.parents[:2]):
            path.chmod(0o755)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.write("pw", "secret\n", 0o600, NOBODY)
        self.write("maildesk.conf", CONFIG.format(folder, self.port), 0o644, 0)
        self.make("state", 0o700, NOBODY)

    def write(self, name, text, mode, owner):
        path = self.folder / name
        path.write_text(text)
        path.chmod(mode)
        os.chown(path, owner, -1)

    def make(self, name, mode, owner):
        path = self.folder / name
        path.mkdir()
        path.chmod(mode)
        os.chown(path, owner, -1)

    def run(self, *args, user=NOBODY):
        return subprocess.run([self.program, *map(str, args), "--config", self.config], text=True,
                              capture_output=True, timeout=60, stdin=subprocess.DEVNULL, user=user,
                              group=user, extra_groups=[], cwd="/")


@pytest.fixture
def setup(tmp_path):
    return Setup(tmp_path)


def test_as_it_should_be(setup):
    assert setup.run("check").returncode == 0
    assert setup.run("user", "list").returncode == 0


@pytest.mark.parametrize("change, words", [
    (lambda s: s.config.unlink(), '"maildesk init" writes one'),
    (lambda s: s.config.chmod(0o600), "must be able to read it"),
    (lambda s: (s.folder / "pw").unlink(), "password_file: {0}/pw: No such file or directory; write it"),
    (lambda s: os.chown(s.folder / "pw", 0, 0), "password_file: {0}/pw: Permission denied; the user who"),
    (lambda s: (s.folder / "pw").chmod(0o644), "may be read or written by everybody: chmod 600 {0}/pw"),
    (lambda s: (s.folder / "pw").write_text(""), "one line"),
    (lambda s: s.make("conf.d", 0o700, 0), "{0}/conf.d:1: cannot be read: Permission denied"),
    (lambda s: (s.make("conf.d", 0o755, 0), s.write("conf.d/1.conf", "x", 0o600, 0)),
     "{0}/conf.d/1.conf:1: cannot be read: Permission denied"),
])
def test_files_of_the_configuration(setup, change, words):
    change(setup)
    for command in ("check", "serve"):
        done = setup.run(command)
        assert done.returncode == 78 and words.format(setup.folder) in done.stderr, done.stderr


@pytest.mark.parametrize("change, words", [
    (lambda s: shutil.rmtree(s.folder / "state"), "create it or set state_dir"),
    (lambda s: os.chown(s.folder / "state", 0, 0), "chown -R maildesk {0}/state"),
    (lambda s: s.run("user", "list", user=0), "the desk's user must be able to read and write"),
    (lambda s: (s.folder / "state" / "desk.db").write_bytes(b"no database at all" * 100), "restore"),
])
def test_the_state_folder(setup, change, words):
    change(setup)
    done = setup.run("serve")
    assert done.returncode not in (0, -9) and words.format(setup.folder) in done.stderr, done.stderr


def test_the_port_is_taken(setup):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", setup.port))
        taken.listen()
        done = setup.run("serve")
    assert done.returncode == 70 and "end what listens there" in done.stderr


def test_doctor_names_them_too(setup):
    (setup.folder / "state").chmod(0o777)
    done = setup.run("doctor", "--no-mail")
    assert f"chmod 700 {setup.folder}/state" in done.stdout and "Nobody is admin" in done.stdout
    assert done.returncode == 69 and "check host, port and firewall" in done.stdout
    os.chown(setup.folder / "state", 0, 0)
    (setup.folder / "state").chmod(0o700)
    assert "cannot be written by this user" in setup.run("doctor", "--no-mail").stdout


def test_init_where_it_may_not_write(setup):
    done = subprocess.run([setup.program, "init", "--config", setup.folder / "new" / "m.conf",
                           "--state-dir", setup.folder / "state", "--address", "a@desk.test",
                           "--imap-host", "127.0.0.1", "--imap-password-file", setup.folder / "pw",
                           "--admin-email", "a@desk.test", "--admin-password-file", "-", "--no-mail"],
                          text=True, capture_output=True, timeout=60, input="long enough for it\n",
                          user=NOBODY, group=NOBODY, extra_groups=[])
    assert done.returncode == 73 and "run it as root" in done.stderr
    assert not pathlib.Path(setup.folder / "new").exists()
