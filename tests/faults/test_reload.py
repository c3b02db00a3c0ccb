"""A new configuration while mail flows; systemd's side of the daemon, played by a socket."""
import contextlib
import http.client
import json
import os
import signal
import socket
import subprocess
import threading
import time
import urllib.request

import pytest

from lib import MAILDESK, PATIENCE, Api, new_mail, wait_for


class Systemd:
    """The receiving end of sd_notify(3)."""

    def __init__(self, folder):
        self.path, self.told = str(folder / "notify"), []
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(self.path)
        self.socket.settimeout(0.05)

    def hear(self):
        with contextlib.suppress(TimeoutError):
            while True:
                self.told.append(self.socket.recv(8192).decode())
        return self.told

    def heard(self, word):
        return any(word in told for told in self.hear())


@pytest.fixture
def systemd(tmp_path, monkeypatch):
    heard = Systemd(tmp_path)
    monkeypatch.setenv("NOTIFY_SOCKET", heard.path)
    yield heard
    heard.socket.close()


@pytest.fixture
def desk(make_desk, mail_world, systemd):
    d = make_desk(mail_world)
    d.systemd = systemd
    d.start()
    yield d
    d.stop()


def health(desk):
    with urllib.request.urlopen(desk.world["http"] + "/healthz", timeout=60) as answer:
        return json.load(answer)


def fragment(desk, text):
    (desk.dir / "conf.d" / "70-new.conf").write_text(text)


def reload(desk, text):
    """The fragment, and SIGHUP; returns when the daemon says it is ready again."""
    fragment(desk, text)
    desk.systemd.hear()
    desk.systemd.told.append("--")
    desk.process.send_signal(signal.SIGHUP)

    def done():
        told = desk.systemd.hear()
        last = max(i for i, t in enumerate(told) if t == "--")
        return any("RELOADING=1" in t for t in told[last:]) and "READY=1" in told[last:]
    wait_for("the end of the reload", done)


def send(desk, n, to="support@desk.test", start=0):
    for i in range(start, start + n):
        desk.world.send(new_mail("carol@customer.test", to, f"Mail {i} to {to}", "It burns."),
                        login="carol", to=to)


def subjects(desk):
    return [r[0] for r in desk.rows("SELECT title FROM tickets")]


def test_a_broken_configuration_is_refused(desk):
    reload(desk, 'desk { name = "New" nmae = "x" }\nlimits { user_per_minute = many }\n')
    assert "70-new.conf:1: unknown" in desk.log() or 'did you mean "name"' in desk.log()
    assert "the old one stays in force" in desk.log()
    shown = health(desk)["configuration"]
    assert shown["state"] == "refused" and "70-new.conf:1" in shown["error"]
    wait_for("the status", lambda: desk.systemd.heard("STATUS=new configuration refused"))
    send(desk, 1)
    wait_for("the ticket", lambda: subjects(desk) == ["Mail 0 to support@desk.test"])
    reload(desk, 'desk { name = "New" }\n')
    assert health(desk)["configuration"]["state"] == "ok"
    send(desk, 1, start=1)
    wait_for("the second ticket", lambda: len(subjects(desk)) == 2)


@pytest.mark.parametrize("text, why", [
    ('http { listen = "127.0.0.1:1" }\n', "127.0.0.1:1"),
    ('desk { templates_dir = "%s/templates" }\n', "ticket_created.mustache"),
    ('mailbox "support" { password_file = "/nonexistent" }\n', "/nonexistent"),
    ('rule "r" { match "subject" { pattern = "(" } action = "tag" tag = {"x"} }\n', "rule"),
])
def test_what_cannot_work_is_refused(desk, text, why):
    if os.geteuid() == 0 and "127.0.0.1:1" in text:
        text = text.replace("127.0.0.1:1\"", "192.0.2.1:1\"")
        why = "192.0.2.1:1"
    templates = desk.dir / "templates" / "en"
    templates.mkdir(parents=True)
    (templates / "ticket_created.mustache").write_text("{{#broken}}")
    reload(desk, text % desk.dir if "%s" in text else text)
    shown = health(desk)["configuration"]
    assert shown["state"] == "refused" and why in shown["error"], shown
    send(desk, 1)
    wait_for("the ticket", lambda: len(subjects(desk)) == 1)


def test_keys_that_wait_for_a_restart_are_named(desk):
    reload(desk, 'database = "sqlite:other.db"\ndesk { name = "New" }\n')
    assert health(desk)["configuration"] == {
        **health(desk)["configuration"], "state": "needs_restart", "needs_restart": "database"}
    wait_for("the status", lambda: desk.systemd.heard("STATUS=waits for a restart: database"))
    assert not (desk.state / "other.db").exists()
    reload(desk, "")
    assert health(desk)["configuration"]["state"] == "ok"


MAILBOX = """mailbox "sales" { address = "bob@desk.test" host = "%s" port = %d tls = "none"
	user = "bob@desk.test" password_file = "%s" poll_interval = "1s" }
"""


def test_mailboxes_come_and_go_while_mail_flows(desk):
    world = desk.world
    secret = desk.dir / "bob.secret"
    secret.write_text(world.accounts["bob"]["password"] + "\n")
    secret.chmod(0o600)
    sales = MAILBOX % (world["imap"]["host"], world["imap"]["port"], secret)
    sent, stop = [], threading.Event()

    def flow():
        while not stop.is_set():
            send(desk, 1, start=len(sent))
            sent.append(f"Mail {len(sent)} to support@desk.test")

    def ask():
        while not stop.is_set():
            try:
                health(desk)
            except OSError as e:
                refused.append(repr(e))
    refused = []
    threads = [threading.Thread(target=flow), threading.Thread(target=ask)]
    for t in threads:
        t.start()
    try:
        for i in range(4):
            reload(desk, sales if i % 2 == 0 else "")
            names = [m["name"] for m in health(desk)["mailboxes"]]
            assert names == (["support", "sales"] if i % 2 == 0 else ["support"])
            if i == 0:
                wait_for("the first SELECT", lambda: health(desk)["mailboxes"][1]["state"] == "ok")
    finally:
        stop.set()
        for t in threads:
            t.join()
    send(desk, 1, "bob@desk.test")
    reload(desk, sales)
    sent.append("Mail 0 to bob@desk.test")
    wait_for("all tickets", lambda: len(subjects(desk)) >= len(sent))
    assert sorted(subjects(desk)) == sorted(sent)
    assert not refused, refused


def test_a_secret_is_rotated(desk):
    secret = desk.dir / "new.secret"
    secret.write_text("wrong\n")
    secret.chmod(0o600)
    reload(desk, f'mailbox "support" {{ password_file = "{secret}" }}\n')
    wait_for("the refusal", lambda: health(desk)["mailboxes"][0]["state"] == "auth_failed")
    wait_for("the status", lambda: desk.systemd.heard("support: auth_failed"))
    secret.write_text(desk.world.accounts["support"]["password"] + "\n")
    send(desk, 1)
    desk.process.send_signal(signal.SIGHUP)
    wait_for("the ticket", lambda: len(subjects(desk)) == 1)
    wait_for("the mailbox", lambda: health(desk)["mailboxes"][0]["state"] == "ok")


def test_a_standby_reads_the_configuration_too(desk):
    other = desk.spawn()
    try:
        wait_for("it to stand by", lambda: "standing by" in desk.log())
        fragment(desk, "nonsense = 1\n")
        other.send_signal(signal.SIGHUP)
        wait_for("its refusal", lambda: "stays in force" in desk.log())
        fragment(desk, 'desk { name = "New" }\n')
        other.send_signal(signal.SIGHUP)
        wait_for("it to stand by anew", lambda: desk.log().count("standing by") == 3)
        assert other.poll() is None
        other.terminate()
        assert other.wait(PATIENCE) == 0
    finally:
        other.kill()
        other.wait()


def mail_comes(desk):
    send(desk, 1)


def somebody_asks(desk):
    """What is not to be done twice; the answer never comes."""
    account = desk.world.accounts["anna"]
    anna = wait_for("the API", lambda: Api(desk.world["http"], {
        "email": account["address"], "password": account["password"]}))

    def ask():
        with contextlib.suppress(OSError, http.client.HTTPException):
            anna.request("POST", "/tickets", {"title": "Once", "description": "x"},
                         {"Idempotency-Key": "once"})
    threading.Thread(target=ask, daemon=True).start()


def somebody_forgets(desk):
    """A password; the answer comes before the mail is made."""
    wait_for("the API", lambda: Api(desk.world["http"]).post(
        "/auth/password/forgot", {"email": "anna@desk.test"}).status == 202)


WATCHDOG = 4  # seconds: nothing else may take so long, on a busy machine


@pytest.mark.parametrize("point, begin, part", [
    ("account_asked", somebody_forgets, "account mails"),
    ("before_commit", mail_comes, "mailboxes"),
    ("smtp_data", mail_comes, "sender"),
    ("api_done", somebody_asks, "api"),
])
def test_the_watchdog_hears_of_a_part_that_is_stuck(point, begin, part, make_desk, mail_world, systemd,
                                                    monkeypatch):
    monkeypatch.setenv("WATCHDOG_USEC", str(WATCHDOG * 1000000))
    monkeypatch.setenv("MAILDESK_HANG", point)
    desk = make_desk(mail_world)
    fragment(desk, 'smtp "main" { lease = "1s" timeout = "1s" }\n')
    desk.start()
    try:
        wait_for("signs of life", lambda: systemd.hear().count("WATCHDOG=1") >= 3)
        begin(desk)
        wait_for("the stuck part", lambda: f"{part}: at one thing for" in desk.log())
        systemd.hear()
        systemd.told.clear()
        until = time.monotonic() + WATCHDOG
        wait_for("that time", lambda: time.monotonic() > until)
        assert not systemd.heard("WATCHDOG=1")
        assert desk.log().count("at one thing for") == 1
    finally:
        desk.kill()


def test_the_socket_of_systemd_is_used(make_desk, mail_world):
    """What systemd does for maildesk.socket: it listens, and whoever comes early waits."""
    desk = make_desk(mail_world)
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        port = listening.getsockname()[1]
        early = socket.create_connection(("127.0.0.1", port), timeout=60)
        early.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        script = 'export LISTEN_PID=$$ LISTEN_FDS=1; exec "$@" 3<&"$FD"'
        for _ in range(2):
            with open(desk.log_path, "ab") as log:
                desk.process = subprocess.Popen(
                    ["/bin/bash", "-c", script, "sh", MAILDESK, "serve", "--config", desk.config],
                    env={**os.environ, "FD": str(listening.fileno())}, stdin=subprocess.DEVNULL,
                    pass_fds=(listening.fileno(),), stdout=log, stderr=log)
            with early, early.makefile("rb") as answer:
                assert b"200" in answer.readline()
            desk.process.terminate()
            assert desk.process.wait(PATIENCE) == 0
            early = socket.create_connection(("127.0.0.1", port), timeout=60)
            early.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        early.close()
    assert f"http on 127.0.0.1:{port}" in desk.log()


def test_a_socket_that_is_none_is_refused(make_desk, mail_world):
    desk = make_desk(mail_world)
    script = 'export LISTEN_PID=$$ LISTEN_FDS=1; exec "$@" 3</dev/null'
    done = subprocess.run(["/bin/bash", "-c", script, "sh", MAILDESK, "serve", "--config",
                           desk.config], capture_output=True, text=True, timeout=60)
    assert done.returncode == 65 and "maildesk.socket" in done.stderr


def test_mails_of_a_renamed_account_go_out_by_the_new_one(desk):
    """What waits for a section that is gone goes out by the one that its mailbox has now."""
    reload(desk, 'smtp "main" { port = 1  retry_first = "1h" }\n')
    send(desk, 1)
    wait_for("the mail to wait", lambda: desk.value(
        "SELECT count(*) FROM outbox WHERE state = 'retry' AND recipient = 'carol@customer.test'"))
    for path in (desk.config, desk.dir / "conf.d" / "50-faults.conf"):
        text = path.read_text().replace('smtp "main"', 'smtp "second"')
        path.write_text(text.replace('smtp = "main"', 'smtp = "second"'))
    reload(desk, "")
    wait_for("it to be sent", lambda: desk.value(
        "SELECT count(*) FROM outbox WHERE state = 'sent' AND recipient = 'carol@customer.test'"))
    assert 'go out by "second"' in desk.log()


class NoGoodbye(threading.Thread):
    """An SMTP server that takes every mail and never answers QUIT."""

    def __init__(self):
        super().__init__(daemon=True)
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port, self.quits = self.socket.getsockname()[1], threading.Event()

    def run(self):
        with contextlib.suppress(OSError):
            while True:
                threading.Thread(target=self.serve, args=(self.socket.accept()[0],),
                                 daemon=True).start()

    def serve(self, connection):
        with connection, connection.makefile("rwb", buffering=0) as peer:
            peer.write(b"220 here\r\n")
            in_data = False
            for line in iter(peer.readline, b""):
                if line[:4].upper() == b"QUIT" and not in_data:
                    self.quits.set()
                    threading.Event().wait()
                in_data = line.upper() == b"DATA\r\n" or (in_data and line != b".\r\n")
                if not in_data or line.upper() == b"DATA\r\n":
                    peer.write(b"354 go on\r\n" if in_data else b"250 done\r\n")


def test_a_server_without_goodbye_holds_nothing_up(desk):
    server = NoGoodbye()
    server.start()
    reload(desk, f'smtp "main" {{ port = {server.port} }}\n')
    send(desk, 1)
    wait_for("the mail to be sent", lambda: desk.value(
        "SELECT count(*) FROM outbox WHERE state = 'sent' AND recipient = 'carol@customer.test'"))
    begun = time.monotonic()
    reload(desk, "")
    assert server.quits.wait(60) and time.monotonic() - begun < 60
    server.socket.close()
