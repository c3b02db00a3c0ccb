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
HOLIDAYS = 'calendar "office" { mon = {"09:00-17:00"} holidays_file = "h.ics" }\n'
CA_FILE = 'mailbox "support" { ca_file = "ca.pem" }\n'
TLS = 'http { certificate = "c.pem" key = "k.pem" }\n'


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

    def add(self, text):
        self.config.write_text(self.config.read_text() + text)

    def certify(self, mode, owner):
        self.add(TLS)
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
                        "-nodes", "-days", "9", "-subj", "/CN=desk", "-keyout", self.folder / "k.pem",
                        "-out", self.folder / "c.pem"], check=True, capture_output=True)
        (self.folder / "k.pem").chmod(mode)
        os.chown(self.folder / "k.pem", owner, -1)

    def desk(self):
        """It was at work before: all its files are there."""
        assert self.run("ticket", "new", "--as", "carol@customer.test", "x").returncode == 0
        assert (self.folder / "state" / "desk.key").exists()

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
    (lambda s: s.write("conf.d", "", 0o644, 0), "{0}/conf.d:1: cannot be read: Not a directory; make a folder"),
    (lambda s: (s.make("conf.d", 0o755, 0), s.make("conf.d/1.conf", 0o755, 0)),
     "{0}/conf.d/1.conf:1: cannot be read: Is a directory; name a file"),
    (lambda s: (s.config.unlink(), s.make("maildesk.conf", 0o755, 0)),
     "{0}/maildesk.conf:1: cannot be read: Is a directory; name a file"),
    (lambda s: ((s.folder / "pw").unlink(), s.make("pw", 0o700, NOBODY)), "{0}/pw: Is a directory; name a file"),
    (lambda s: ((s.folder / "pw").unlink(), os.mkfifo(s.folder / "pw"), os.chown(s.folder / "pw", NOBODY, -1)),
     "{0}/pw is not a file"),
    (lambda s: s.add(HOLIDAYS), "holidays_file: {0}/h.ics: No such file or directory; write it"),
    (lambda s: (s.add(HOLIDAYS), s.write("h.ics", "", 0o600, 0)),
     "holidays_file: {0}/h.ics: Permission denied; the user who"),
    (lambda s: s.add(CA_FILE), "ca_file: {0}/ca.pem: No such file or directory; write it"),
    (lambda s: (s.add(CA_FILE), s.write("ca.pem", "none\n", 0o600, 0)), "{0}/ca.pem: Permission denied; the user"),
    (lambda s: (s.add(CA_FILE), s.write("ca.pem", "none\n", 0o644, 0)), "{0}/ca.pem: allowed: up to 4 MB of certif"),
    (lambda s: s.add(TLS), "http: certificate: {0}/c.pem: No such file or directory; write it"),
    (lambda s: s.certify(0o600, 0), "http: key: {0}/k.pem: Permission denied; the user who"),
    (lambda s: s.certify(0o644, NOBODY), "{0}/k.pem may be read or written by everybody: chmod 600 {0}/k.pem"),
])
def test_files_of_the_configuration(setup, change, words):
    change(setup)
    for command in ("check", "serve"):
        done = setup.run(command)
        assert done.returncode == 78 and words.format(setup.folder) in done.stderr, done.stderr


def test_what_everybody_may_write_is_warned_of(setup):
    setup.config.chmod(0o666)
    done = setup.run("check")
    assert done.returncode == 0 and f"chmod o-w {setup.config}" in done.stderr


def test_templates_that_are_not_there(setup):
    setup.add(f'desk {{ templates_dir = "{setup.folder}/t" }}\n')
    done = setup.run("check")
    assert done.returncode == 78 and "t: No such file or directory; desk.templates_dir is to be" in done.stderr


@pytest.mark.parametrize("change, words", [
    (lambda s: shutil.rmtree(s.folder / "state"), "create it or set state_dir"),
    (lambda s: (shutil.rmtree(s.folder / "state"), s.write("state", "", 0o600, NOBODY)),
     "{0}/state: Not a directory; create it or set state_dir"),
    (lambda s: s.add('database = "sqlite:gone/desk.db"\n'), "make its folder, or correct the setting"),
    (lambda s: (s.desk(), os.chown(s.folder / "state" / "desk.key", 0, 0)),
     "{0}/state/desk.key: Permission denied; it must belong to the user who runs the daemon"),
    (lambda s: (s.desk(), (s.folder / "state" / "desk.key").chmod(0o644)), "chmod 600 {0}/state/desk.key"),
    (lambda s: (s.desk(), (s.folder / "state" / "desk.key").write_text("x")), "desk.key is damaged"),
    (lambda s: (s.desk(), os.chown(s.folder / "state" / "desk.db", 0, 0)), "desk's user must be able to read"),
    (lambda s: (s.desk(), (s.folder / "state" / "desk.db").chmod(0o400)), "desk's user must be able to write"),
    (lambda s: os.chown(s.folder / "state", 0, 0), "chown -R maildesk {0}/state"),
    (lambda s: (s.folder / "state" / "desk.db").write_bytes(b"no database at all" * 100), "restore"),
])
def test_the_state_folder(setup, change, words):
    change(setup)
    done = setup.run("serve")
    assert done.returncode not in (0, -9) and words.format(setup.folder) in done.stderr, done.stderr
    told = setup.run("doctor", "--no-mail")
    assert told.returncode == 69 and words.format(setup.folder) in told.stdout, told.stdout


def test_what_root_does_first_locks_nobody_out(setup):
    """The package's README: commands are run as root, the service is not."""
    for args in (("user", "list"), ("doctor", "--no-mail"), ("ticket", "new", "--as", "carol@customer.test", "x")):
        setup.run(*args, user=0)
    backup = setup.folder / "backup"
    assert setup.run("backup", backup, user=0).returncode == 0
    assert backup.stat().st_uid == 0  # not in state_dir: whose it is, is root's to say
    owners = {p.name: p.stat().st_uid for p in (setup.folder / "state").iterdir()}
    assert set(owners) >= {"desk.db", "desk.key", "instance"} and set(owners.values()) == {NOBODY}
    (setup.folder / "state" / "desk.db").unlink()
    assert setup.run("restore", backup, user=0).returncode == 0
    assert {p.stat().st_uid for p in (setup.folder / "state").iterdir()} == {NOBODY}
    assert setup.run("ticket", "show", "1").returncode == 0


def test_the_port_is_taken(setup):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", setup.port))
        taken.listen()
        done = setup.run("serve")
    assert done.returncode == 70 and "end what listens there" in done.stderr


def test_doctor_names_them_too(setup):
    (setup.folder / "state").chmod(0o777)
    done = setup.run("doctor", "--no-mail")
    assert f"chmod 700 {setup.folder}/state" in done.stdout and "There is no admin" in done.stdout
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
