"""`maildesk init`: from nothing to a desk, with the sandbox's mail servers."""
import os
import pty
import select
import stat
import subprocess
import time

import pytest

from lib import MAILDESK, PATIENCE, run


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "admin.pw").write_text("correct horse\n")
    return tmp_path


def options(world, folder, **changes):
    """Of a desk on the sandbox's servers, as a dictionary without the dashes."""
    account = world.accounts["support"]
    given = {"config": folder / "etc" / "maildesk.conf", "state-dir": folder / "state",
             "address": account["address"], "imap-host": world["imap"]["host"],
             "imap-port": world["imap"]["tls_port"], "ca-file": world["imap"]["ca_file"],
             "imap-password-file": world.dir / "secrets" / account["address"],
             "smtp-port": world["smtp"]["port"], "smtp-tls": "none",
             "admin-email": "admin@desk.test", "admin-password-file": folder / "admin.pw",
             "listen": "127.0.0.1:1", **{k.replace("_", "-"): v for k, v in changes.items()}}
    return [x for k, v in given.items() if v is not None
            for x in ([f"--{k}"] if v is True else [f"--{k}", v])]


def test_a_desk_by_options_finds_out_what_its_server_does(mail_world, folder):
    done = run("init", *options(mail_world, folder))
    assert done.returncode == 0, done.stderr
    config = folder / "etc" / "maildesk.conf"
    text = config.read_text()
    assert 'authserv_id = "mx.desk.test"' in text and "trusted_hops = 1" in text
    assert "plus_addressing" not in text and "maildesk doctor --config" in done.stdout
    assert run("check", "--config", config).returncode == 0
    users = run("user", "list", "--json", "--config", config).stdout
    assert '"admin@desk.test"' in users and '"role":"admin"' in users
    doctor = run("doctor", "--config", config)
    assert doctor.returncode == 0 and "All is well." in doctor.stdout, doctor.stdout
    with mail_world.mailbox("support") as box:
        assert not [m for m in box.mails() if "tries its mailbox" in str(m["Subject"])]
    again = run("init", *options(mail_world, folder))
    assert again.returncode == 73 and "exists and is left alone" in again.stderr


def test_what_cannot_be_tried_is_no_failure(mail_world, folder):
    done = run("init", *options(mail_world, folder, imap_port=1))
    assert done.returncode == 0 and "cannot be used yet" in done.stdout
    assert run("check", "--config", folder / "etc" / "maildesk.conf").returncode == 0


@pytest.mark.parametrize("changes, code, words", [
    ({"address": "nonsense"}, 65, "no mail address"),
    ({"address": None}, 64, "--address is missing"),
    ({"imap_host": None}, 64, "--provider is missing"),
    ({"admin_password_file": "/nonexistent"}, 66, "/nonexistent"),
    ({"imap_tls": "maybe"}, 78, "tls"),
    ({"smtp_port": "x"}, 78, "port"),
])
def test_a_wrong_answer_leaves_nothing(mail_world, folder, changes, code, words):
    done = run("init", *options(mail_world, folder, no_mail=True, **changes))
    assert done.returncode == code and words in done.stderr, (done.returncode, done.stderr)
    assert not (folder / "etc" / "maildesk.conf").exists()


@pytest.mark.parametrize("provider, lines", [
    ("gmail", ['host = "imap.gmail.com"', 'host = "smtp.gmail.com"', "verp = false"]),
    ("fastmail", ['host = "imap.fastmail.com"', 'host = "smtp.fastmail.com"']),
    ("mail.example.org", ['host = "mail.example.org"']),
    ("microsoft365", ['host = "outlook.office365.com"', 'auth = "oauth:microsoft365"',
                      "/v2.0/devicecode"]),
])
def test_providers(mail_world, folder, provider, lines):
    given = options(mail_world, folder, provider=provider, imap_host=None, imap_port=None,
                    smtp_port=None, smtp_tls=None, ca_file=None, no_mail=True,
                    oauth_client_id="abc")
    done = run("init", *given)
    assert done.returncode == 0, done.stderr
    text = (folder / "etc" / "maildesk.conf").read_text()
    for line in lines:
        assert line in text
    assert run("check", "--config", folder / "etc" / "maildesk.conf").returncode == 0


class Terminal:
    """A command and somebody who answers what it asks."""

    def __init__(self, *args):
        self.master, slave = pty.openpty()
        self.child = subprocess.Popen([MAILDESK, *map(str, args)], stdin=slave, stdout=slave,
                                      stderr=slave)
        os.close(slave)
        self.shown = self.fresh = b""

    def expect(self, words):
        deadline = time.monotonic() + PATIENCE
        while words not in self.fresh:
            assert time.monotonic() < deadline, self.shown
            if select.select([self.master], [], [], 1)[0]:
                try:
                    new = os.read(self.master, 4096)
                except OSError:
                    break
                self.shown += new
                self.fresh += new
        assert words in self.fresh, self.shown
        self.fresh = self.fresh.partition(words)[2]

    def answer(self, *pairs):
        for question, answer in pairs:
            self.expect(question)
            os.write(self.master, answer + b"\n")

    def end(self):
        code = self.child.wait(PATIENCE)
        os.close(self.master)
        return code


def test_five_questions(folder):
    """On a terminal: each is answered, a wrong answer is asked again, passwords are not echoed."""
    config = folder / "etc" / "maildesk.conf"
    terminal = Terminal("init", "--config", config, "--state-dir", folder / "state", "--no-mail")
    terminal.answer((b"Mail address of the desk", b"helpdesk"),
                    (b"Mail address of the desk", b"helpdesk@gmail.com"),
                    (b"[gmail]", b""),
                    (b"Password of the mailbox", b"abcd efgh ijkl mnop"),
                    (b"Your own mail address", b"me@gmail.com"),
                    (b"Your password", b"short"),
                    (b"Your password", b"long enough for it"))
    terminal.expect(b"Now: maildesk doctor")
    assert terminal.end() == 0
    assert b"apppasswords" in terminal.shown and b"abcd" not in terminal.shown
    assert b"long enough" not in terminal.shown
    secret = folder / "etc" / "imap.secret"
    assert secret.read_text() == "abcd efgh ijkl mnop\n"
    assert stat.S_IMODE(secret.stat().st_mode) == 0o600
    assert 'host = "imap.gmail.com"' in config.read_text()


def test_a_mailbox_that_cannot_be_used_is_asked_about_once_more(mail_world, folder):
    account = mail_world.accounts["support"]
    config = folder / "etc" / "maildesk.conf"
    imap = f"127.0.0.1:{mail_world['imap']['tls_port']}".encode()
    smtp = f"127.0.0.1:{mail_world['smtp']['port']}".encode()
    password = account["password"].encode()
    terminal = Terminal("init", "--config", config, "--state-dir", folder / "state", "--ca-file",
                        mail_world["imap"]["ca_file"], "--smtp-tls", "none")
    terminal.answer((b"Mail address of the desk", account["address"].encode()),
                    (b"HOST:PORT", b"127.0.0.1:1"), (b"Password of the mailbox", password),
                    (b"Your own mail address", b"admin@desk.test"),
                    (b"Your password", b"correct horse"),
                    (b"[yes]", b""),
                    (b"[support@desk.test]", b""), (b"[127.0.0.1:1]", imap),
                    (b"SMTP server", smtp), (b"Password of the mailbox", b"wrong"),
                    (b"[yes]", b"yes"),
                    (b"[support@desk.test]", b""), (b"[" + imap + b"]", b""),
                    (b"[" + smtp + b"]", b""), (b"Password of the mailbox", password))
    terminal.expect(b"Now: maildesk doctor")
    assert terminal.end() == 0 and b"arrived" in terminal.shown
    assert (folder / "etc" / "imap.secret").read_text() == account["password"] + "\n"
    assert run("doctor", "--config", config).returncode == 0
    assert '"admin@desk.test"' in run("user", "list", "--json", "--config", config).stdout


def test_who_mends_the_file_is_not_asked_again(mail_world, folder):
    config = folder / "etc" / "maildesk.conf"
    terminal = Terminal("init", *options(mail_world, folder, imap_host=None, imap_port=None))
    terminal.answer((b"HOST:PORT", b"127.0.0.1:1"), (b"[yes]", b"no"))
    terminal.expect(b"Now: maildesk doctor")
    assert terminal.end() == 0 and "port = 1\n" in config.read_text()
