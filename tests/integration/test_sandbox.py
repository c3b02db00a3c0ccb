"""The sandbox keeps its promises; everything else stands on it."""
import os
import pathlib
import signal
import smtplib
import socket
import stat
import subprocess
import time

import pytest

import lib
from lib import SANDBOX, new_mail, run_sandbox, wait_for

pytestmark = pytest.mark.engine("sqlite")


def subject_is(text):
    return lambda mail: mail["Subject"] == text


def results(mail):
    return mail.get_all("Authentication-Results") or []


def test_every_account_signs_in_and_gets_its_mail(mail_world):
    for name, account in mail_world.accounts.items():
        subject = f"hello {name}"
        mail_world.send(new_mail("dave@customer.test", account["address"], subject, "text\n"))
        with mail_world.mailbox(name, tls=True) as box:
            box.wait_mail(subject, subject_is(subject))


def test_subaddress_reaches_the_account(mail_world):
    mail_world.send(new_mail("carol@customer.test", "support+abc.def@desk.test", "plus", "x\n"))
    with mail_world.mailbox("support") as box:
        assert box.wait_mail("it", subject_is("plus"))["To"] == "support+abc.def@desk.test"


def test_wrong_password_is_refused(mail_world):
    with pytest.raises(smtplib.SMTPAuthenticationError):
        mail_world.smtp().login("carol@customer.test", "wrong")
    with pytest.raises(Exception, match="AUTHENTICATIONFAILED"):
        mail_world.accounts["x"] = {"user": "carol@customer.test", "password": "wrong"}
        mail_world.mailbox("x")
    del mail_world.accounts["x"]


def test_idle_hears_of_a_delivery_at_once(mail_world):
    with mail_world.mailbox("bob") as box:
        box.imap.send(b"i1 IDLE\r\n")
        assert box.imap.readline().startswith(b"+")
        start = time.monotonic()
        mail_world.send(new_mail("carol@customer.test", "bob@desk.test", "idle", "x\n"))
        wait_for("EXISTS", lambda: b"EXISTS" in box.imap.readline())
        assert time.monotonic() - start < 2
        box.imap.send(b"DONE\r\n")
        wait_for("the end of IDLE", lambda: box.imap.readline().startswith(b"i1 OK"))


FORGED = "mx.desk.test; dmarc=pass header.from=customer.test"


@pytest.mark.parametrize("case, login, sender, expected", [
    ("own", "carol", "Carol <carol@customer.test>", ["dmarc=pass header.from=customer.test"]),
    ("sub", "carol", "<Carol+list@Customer.test>", ["dmarc=pass header.from=customer.test"]),
    ("named", "carol", '"dave@customer.test" <carol@customer.test>',
     ["dmarc=pass header.from=customer.test"]),
    ("other", "carol", "dave@customer.test", ["dmarc=fail header.from=customer.test"]),
    ("other-domain", "carol", "anna@desk.test (carol@customer.test)",
     ["dmarc=fail header.from=desk.test"]),
    ("prefix", "carol", "caro@customer.test", ["dmarc=fail header.from=customer.test"]),
    ("two", "carol", "carol@customer.test, dave@customer.test", ["dmarc=fail"]),
    ("anonymous", None, "carol@customer.test", []),
])
def test_authentication_results_say_what_the_login_proves(mail_world, case, login, sender, expected):
    raw = (f"Authentication-Results: {FORGED}\r\n"
           f'authentication-results : (x) "MX.desk.test"; dmarc=pass\r\n'
           f"Authentication-Results:\r\n\tmx.desk.test (y); dmarc=pass\r\n"
           f"Authentication-Results: elsewhere.test; dmarc=fail\r\n"
           f"From: {sender}\r\nTo: dave@customer.test\r\nSubject: ar {case}\r\n"
           f"Authentication-Results: {FORGED}\r\n\r\nx\r\n").encode()
    mail_world.send(raw, login, sender="carol@customer.test", to="dave@customer.test")
    with mail_world.mailbox("dave") as box:
        mail = box.wait_mail(case, subject_is(f"ar {case}"))
    ours = [f"mx.desk.test; {e}" for e in expected]
    assert results(mail) == [*ours, "elsewhere.test; dmarc=fail"]
    names = [n for n in mail.keys() if n in ("Received", "Authentication-Results")]
    if ours:
        assert names[:2] == ["Authentication-Results", "Received"], "ours stands on top"
    assert names.count("Received") == 1, "one hop, LMTP adds none"


def test_unknown_recipient_is_refused_at_once(mail_world):
    for address in ("nobody@desk.test", "bounce-x@desk.test"):
        with mail_world.smtp() as smtp:
            smtp.mail("carol@customer.test")
            code, text = smtp.rcpt(address)
        assert (code, text[:5]) == (550, b"5.1.1")


def test_nothing_leaves_the_sandbox(mail_world):
    with mail_world.smtp("carol") as smtp:
        smtp.mail("carol@customer.test")
        assert smtp.rcpt("someone@example.com")[0] >= 500


def test_bounce_address_returns_a_real_dsn(mail_world):
    mail_world.send(new_mail("anna@desk.test", "bounce-7@customer.test", "to bounce", "x\n"),
                    sender="anna+tag@desk.test")
    with mail_world.mailbox("anna") as box:
        dsn = box.wait_mail("a DSN", lambda m: m.get_content_type() == "multipart/report")
    assert dsn["To"] == "anna+tag@desk.test" and dsn["Return-Path"] == "<>"
    report = next(p for p in dsn.walk() if p.get_content_type() == "message/delivery-status")
    fields = report.get_payload()[1]
    assert fields["Action"] == "failed" and fields["Status"].startswith("5.1.1")
    assert "bounce-7@customer.test" in fields["Final-Recipient"]


def test_large_mail_passes_and_a_larger_one_does_not(mail_world):
    line = b"x" * 76 + b"\r\n"
    head = b"From: dave@customer.test\r\nTo: admin@desk.test\r\nSubject: large\r\n\r\n"
    mail_world.send(head + line * (60 * 2**20 // len(line)))
    with pytest.raises(smtplib.SMTPException):
        mail_world.send(head + line * (65 * 2**20 // len(line)))
    with mail_world.mailbox("admin") as box:
        wait_for("a mail of 60 MB", lambda: box.imap.search(None, "LARGER 60000000")[1] != [b""])


def processes_of(folder):
    """Processes that work in or with this sandbox, by their command lines, folders and mounts."""
    found = []
    for proc in pathlib.Path("/proc").iterdir():
        if not proc.name.isdigit() or int(proc.name) == os.getpid():
            continue
        try:
            text = (proc / "cmdline").read_bytes().decode(errors="replace")
            mounts = (proc / "mountinfo").read_text()
            if str(folder) in text or f"{folder} " in mounts:
                found.append((proc.name, text))
        except OSError:
            continue
    return found


def outside():
    """Names in the places where servers like to leave something."""
    places = (os.environ["TMPDIR"], "/run", "/var/spool/postfix/pid", "/var/lib/postfix",
              "/var/lib/dovecot", "/var/mail", "/var/log", "/etc/postfix", "/etc/dovecot", "/mnt")
    return {str(p) for place in places if os.path.isdir(place) for p in pathlib.Path(place).iterdir()}


def test_two_side_by_side_and_nothing_left(tmp_path, start_world, monkeypatch):
    (tmp_path / "tmp").mkdir()
    monkeypatch.setenv("TMPDIR", str(tmp_path / "tmp"))
    before = outside()
    worlds = [start_world("--no-daemon", name=n) for n in ("a", "b")]
    a, b = worlds
    assert a["smtp"]["port"] != b["smtp"]["port"] and a["imap"]["port"] != b["imap"]["port"]
    for world, subject in zip(worlds, ("for a", "for b")):
        world.send(new_mail("dave@customer.test", "carol@customer.test", subject, "x\n"))
    for world, subject in zip(worlds, ("for a", "for b")):
        with world.mailbox("carol") as box:
            box.wait_mail(subject, subject_is(subject))
            assert len(box.mails()) == 1
    a.sandbox("stop")
    assert processes_of(a.dir) == [] and a["pid"] is None
    with b.mailbox("carol") as box:
        assert len(box.mails()) == 1, "the other goes on"
    b.sandbox("stop")
    assert processes_of(tmp_path) == []
    assert outside() - before == set()


def test_parts_stop_and_start_with_their_data(start_world):
    world = start_world("--no-daemon")
    ports = world["imap"], world["smtp"]
    world.sandbox("stop", "imap")
    with pytest.raises(OSError):
        world.mailbox("carol")
    world.send(new_mail("dave@customer.test", "carol@customer.test", "waits", "x\n"), login="dave")
    world.sandbox("start", "imap")
    assert (world["imap"], world["smtp"]) == ports
    with world.mailbox("carol") as box:
        box.wait_mail("what waited in the queue", subject_is("waits"))
    world.sandbox("stop")
    world.sandbox("start", "--no-daemon")
    assert (world["imap"], world["smtp"]) == ports
    with world.mailbox("carol") as box:
        assert [m["Subject"] for m in box.mails()] == ["waits"]


def test_stop_ends_what_a_crash_left(tmp_path, start_world):
    world = start_world("--no-daemon")
    idle = world.mailbox("carol")  # a logged-in imap process outlives its master
    masters = [int(pid) for pid, command in processes_of(world.dir)
               if "dovecot.conf" in command or "master" in command]
    masters += [p for p in leaders(world.dir)]
    for pid in set(masters):
        os.kill(pid, signal.SIGKILL)
    world.sandbox("stop")
    assert processes_of(tmp_path) == []
    with pytest.raises(Exception):
        idle.imap.noop()
    for port in (world["imap"]["port"], world["smtp"]["port"]):
        with socket.socket() as s:
            s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            s.bind(("127.0.0.1", port))


def leaders(folder):
    import json
    return [r["pid"] for r in json.loads((folder / "run" / "processes.json").read_text()).values()]


def test_secrets_are_the_owners_alone(mail_world):
    for path in (mail_world.dir / "sandbox.json", *(mail_world.dir / "secrets").iterdir()):
        assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0, path


def test_stop_without_a_sandbox_fails(tmp_path):
    assert run_sandbox("stop", tmp_path, check=False).returncode != 0


# ---- the demo, where its servers do not come up ----

DEMO = SANDBOX.with_name("demo")


def test_the_demo_says_what_to_do_when_a_server_ends(tmp_path):
    done = subprocess.run([DEMO, "--exit"], text=True, capture_output=True, timeout=300,
                          env={**os.environ, "MAILDESK": "/bin/false", "TMPDIR": str(tmp_path)})
    assert done.returncode == 1 and "Traceback" not in done.stdout + done.stderr, done.stderr
    assert "The servers did not come up" in done.stdout and "tests/sandbox/sandbox start" in done.stdout
    assert list(tmp_path.iterdir()) == []


def test_a_sandbox_that_takes_too_long_is_a_sentence(monkeypatch, tmp_path):
    slow = tmp_path / "slow"
    slow.write_text("#!/bin/sh\nexec sleep 60\n")
    slow.chmod(0o755)
    monkeypatch.setattr(lib, "SANDBOX", slow)
    monkeypatch.setattr(lib, "SANDBOX_PATIENCE", 0.1)
    with pytest.raises(AssertionError, match="sandbox start x: not done after 0.1 s"):
        lib.run_sandbox("start", "x")
