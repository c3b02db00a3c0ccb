"""Row 11 of the fault matrix, the half with tokens: mail accounts that sign in by OAuth 2.

Real Dovecot and Postfix take access tokens of a token server that the tests command, and ask it about
each of them. Mailbox and sender share one sign-in."""
import contextlib
import json
import pathlib
import signal
import socket
import subprocess

import pytest

import lib
from lib import new_mail, wait_for
from token_server import TokenServer

USER = "support@desk.test"
FRAGMENT = """\
oauth "local" { token_url = "%(token)s"  client_id = "desk"  device_url = "%(device)s"  scope = "mail"
	timeout = "5s" }
mailbox "support" { auth = "oauth:local"  password_file = "" }
smtp "main" { auth = "oauth:local"  user = "support@desk.test" }
desk { alarm_after = "500ms" }
"""
BY_SECRET = """\
oauth "local" { token_url = "%(token)s"  client_id = "desk"  client_secret_file = "%(secret)s" }
mailbox "support" { auth = "oauth:local"  password_file = "" }
smtp "main" { auth = "oauth:local"  user = "support@desk.test" }
"""


@pytest.fixture(scope="module")
def lasting():
    made = TokenServer()
    yield made
    made.stop()


@pytest.fixture
def server(lasting):
    lasting.reset()
    lasting.start()
    return lasting


@pytest.fixture(scope="module")
def mails(tmp_path_factory, lasting):
    """Mail servers of this file's own, which take tokens."""
    folder = tmp_path_factory.mktemp("oauth")
    for part in (folder, *folder.parents[:2]):
        part.chmod(0o755)
    lib.run_sandbox("start", folder, "--no-daemon", "--oauth", lasting.url("introspect"))
    yield lib.World(folder)
    lib.run_sandbox("stop", folder)


@pytest.fixture
def desk(make_desk, mails, server):
    return make_desk(mails, FRAGMENT % urls(server))


def urls(server):
    return {"token": server.url("token"), "device": server.url("device")}


def begin(desk, section="support"):
    """`oauth login`, up to the code: the process and the code."""
    process = subprocess.Popen([lib.MAILDESK, "oauth", "login", section, "--json", "--config",
                                desk.config], text=True, stdin=subprocess.DEVNULL,
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    line = process.stdout.readline()
    assert line, process.communicate()
    return process, json.loads(line)["user_code"]


def log_in(desk, server, user=USER):
    process, code = begin(desk)
    server.approve(code, user)
    out, problems = process.communicate(timeout=60)
    assert process.returncode == 0, problems
    return json.loads(out)


def state(desk):
    """(state, error) of the mailbox, as the API tells it."""
    return next((m["state"], m["last_error"] or "") for m in health(desk) if m["name"] == "support")


def health(desk):
    return json.loads(lib.Api(desk.world["http"]).get("//healthz").body)["mailboxes"]


def wait_state(desk, *states):
    return wait_for(f"the mailbox to be {states}", lambda: state(desk)[0] in states and state(desk))


def round_trip(desk, subject):
    """A mail comes in, and its acknowledgement goes out."""
    desk.world.send(new_mail("carol@customer.test", USER, subject, "Hello."))
    wait_for(f"the ticket {subject}",
             lambda: desk.value("SELECT count(*) FROM tickets WHERE title = $1", subject))
    wait_for(f"the acknowledgement of {subject}", lambda: sent(desk, subject))


def sent(desk, subject):
    return desk.value("SELECT count(*) FROM outbox o JOIN tickets t ON t.id = o.ticket_id"
                      " WHERE t.title = $1 AND o.event = 'created' AND o.state = 'sent'"
                      " AND o.recipient = 'carol@customer.test'", subject)


def reconnect(desk):
    """The IMAP server comes back after a moment; who was signed in is not any more."""
    desk.world.sandbox("stop", "imap")
    desk.world.sandbox("start", "imap")


def start(desk):
    desk.start(wait=False)
    wait_for("the daemon to answer", lambda: answers(desk))


def answers(desk):
    assert desk.alive(), desk.log()[-2000:]
    with contextlib.suppress(OSError):
        return lib.Api(desk.world["http"]).get("//healthz").status == 200


# ---- signing in ----

def test_a_person_lets_the_desk_in(desk, server):
    start(desk)
    wait_state(desk, "auth_failed")
    assert "maildesk oauth login support" in state(desk)[1]
    assert server.count("token") == 0, "without a sign-in there is nothing to ask"
    assert log_in(desk, server) == {"mailbox": "support", "login": USER, "ok": True,
                                    "renewable": True}
    wait_state(desk, "ok")
    round_trip(desk, "by token")
    assert server.count("token") == 1 and server.refreshes() == 0, "no token is asked for in vain"
    secret_nowhere(desk, server)
    desk.stop()
    desk.start()
    round_trip(desk, "after a restart")
    assert server.refreshes() == 0


def secret_nowhere(desk, server):
    """No token in the log, in a command line or environment, nor in clear in the database."""
    shown = desk.log()
    for pid in [desk.process.pid, *desk.roles()]:
        for name in ("cmdline", "environ"):
            shown += pathlib.Path(f"/proc/{pid}/{name}").read_bytes().decode(errors="replace")
    done = subprocess.run([lib.MAILDESK, "check", "--config", desk.config], text=True,
                          capture_output=True, check=True)
    shown += done.stdout + done.stderr
    kept = b"".join(bytes(v or b"") for row in
                    desk.rows("SELECT refresh, access FROM oauth_grants") for v in tuple(row))
    assert kept, "something is kept"
    for path in desk.state.glob("desk.db*"):
        kept += path.read_bytes()
    for token in server.secrets():
        assert token not in shown and token.encode() not in kept, token


def test_sign_ins_of_two_people_do_not_mix(make_desk, mails, server):
    second = ('smtp "second" { host = "127.0.0.1"  port = %d  tls = "none"  auth = "oauth:local"'
              '  user = "anna@desk.test" }\n')
    desk = make_desk(mails, FRAGMENT % urls(server) + second % mails["smtp"]["port"])
    start(desk)
    log_in(desk, server)
    wait_state(desk, "ok")
    round_trip(desk, "support alone")
    assert [r[0] for r in desk.rows("SELECT login FROM oauth_grants WHERE version > 0")] == [USER]
    process, code = begin(desk, "second")
    server.approve(code, "anna@desk.test")
    assert json.loads(process.communicate(timeout=60)[0])["login"] == "anna@desk.test"
    assert desk.value("SELECT count(*) FROM oauth_grants WHERE version = 1") == 2


@pytest.mark.parametrize("case", ("denied", "slow", "no refresh", "garbage", "huge", "redirect",
                                  "down", "expired"))
def test_a_sign_in_that_goes_wrong_says_so(desk, server, case):
    desk.run("check")
    server.slow = int(case == "slow")
    server.gives_refresh = case != "no refresh"
    odd = {"garbage": (200, b"\xff<html>"), "huge": (200, b"{" + b" " * 200000 + b"}"),
           "redirect": (302, {}), "expired": (400, {"error": "expired_token"})}.get(case)
    if case == "down":
        server.stop()
    elif odd:
        server.answers["token" if case == "expired" else "device"] = lambda form: odd
    command = [lib.MAILDESK, "oauth", "login", "support", "--config", desk.config]
    if case in ("garbage", "huge", "redirect", "down"):
        done = subprocess.run(command, text=True, capture_output=True, timeout=60)
        assert done.returncode == 75 and f"http://127.0.0.1:{server.port}" in done.stderr, done
        assert server.count("device") == (case != "down"), "and does not follow"
        return
    process, code = begin(desk)
    if case == "denied":
        server.deny(code)
    else:
        server.approve(code, USER)
    out, problems = process.communicate(timeout=60)
    word = {"denied": "access_denied", "expired": "in time", "no refresh": "offline_access"}.get(case)
    assert process.returncode == (0 if case in ("slow", "no refresh") else 77), problems
    assert not word or word in problems
    if case == "slow":
        times = [at for at, path, _ in server.asked if path == "/token"]
        assert len(times) == 2 and times[1] - times[0] >= 5.5
    assert json.loads(out)["ok"] == (process.returncode == 0)


def test_only_what_can_sign_in_by_a_code_does(make_desk, mails, server, tmp_path):
    def says(fragment, name):
        desk = make_desk(mails, fragment, name=f"d{len(list(tmp_path.iterdir()))}")
        done = subprocess.run([lib.MAILDESK, "oauth", "login", name, "--config", desk.config],
                              text=True, capture_output=True, timeout=60)
        return done.returncode, done.stderr
    code, text = says(FRAGMENT % urls(server), "sales")
    assert code == 64 and "sales" in text and "support, main" in text
    code, text = says("", "support")
    assert code == 64 and "password" in text and "oauth:TITLE" in text
    secret = tmp_path / "secret"
    secret.write_text("s3cret\n")
    secret.chmod(0o600)
    code, text = says(BY_SECRET % {**urls(server), "secret": secret}, "support")
    assert code == 78 and "device_url" in text


# ---- tokens come and go ----

def test_each_refresh_token_is_used_once_and_never_early(desk, server):
    server.life = 4
    start(desk)
    log_in(desk, server)
    wait_state(desk, "ok")
    wait_for("some renewals", lambda: server.refreshes() >= 2)
    round_trip(desk, "renewed")
    reconnect(desk)
    round_trip(desk, "renewed and connected anew")
    times = [at for at, path, form in server.asked
             if path == "/token" and form["grant_type"] == "refresh_token"]
    assert min(b - a for a, b in zip(times, times[1:])) > 2, "near the end only"
    assert not server.ended and state(desk)[0] == "ok"
    secret_nowhere(desk, server)


def test_killed_behind_the_commit_of_a_new_token(desk, server):
    server.life = 3
    desk.start("oauth_saved", wait=False)
    wait_for("the daemon to answer", lambda: answers(desk))
    log_in(desk, server)
    desk.wait_death()
    used = server.refreshes()
    assert used == 1
    server.life = 3600
    desk.start()
    round_trip(desk, "after the kill")
    assert not server.ended, "the new refresh token was kept"


def test_by_a_secret_of_its_own(make_desk, mails, server, tmp_path):
    server.secret, server.service, server.life = "right", USER, 4
    path = tmp_path / "secret"
    path.write_text("mistaken\n")
    path.chmod(0o600)
    desk = make_desk(mails, BY_SECRET % {"token": server.url("token"), "secret": path})
    start(desk)
    assert wait_state(desk, "auth_failed")[1].endswith("says invalid_client: wrong secret")
    assert "mistaken" not in desk.log()
    desk.stop()
    path.write_text("right\n")
    desk.start()
    round_trip(desk, "by a secret")
    wait_for("a renewal", lambda: server.count("token", grant_type="client_credentials",
                                               client_secret="right") >= 2)


def test_the_watchdog_hears_of_a_renewal_that_is_stuck(make_desk, mails, server, tmp_path, monkeypatch):
    server.secret, server.service = "right", USER
    path = tmp_path / "secret"
    path.write_text("right\n")
    path.chmod(0o600)
    for name, value in (("NOTIFY_SOCKET", tmp_path / "nobody"), ("WATCHDOG_USEC", 1000000),
                        ("MAILDESK_HANG", "oauth_saved")):
        monkeypatch.setenv(name, str(value))
    desk = make_desk(mails, BY_SECRET % {"token": server.url("token"), "secret": path}
                     + 'oauth "local" { timeout = "1s" }\n')
    start(desk)
    wait_for("the stuck renewal", lambda: "oauth: at one thing for" in desk.log())
    desk.kill()


def test_a_running_desk_changes_over_from_a_password(make_desk, mails, server):
    desk = make_desk(mails)
    desk.start()
    round_trip(desk, "by password")
    (desk.dir / "conf.d" / "60-test.conf").write_text(FRAGMENT % urls(server))
    log_in(desk, server)
    desk.process.send_signal(signal.SIGHUP)
    wait_for("the new configuration", lambda: "new configuration" in desk.log())
    wait_state(desk, "ok")
    round_trip(desk, "by token")
    assert server.count("introspect") >= 2, "mailbox and sender"
    (desk.dir / "conf.d" / "60-test.conf").write_text("")
    desk.process.send_signal(signal.SIGHUP)
    wait_for("the old one again", lambda: desk.log().count("new configuration") == 2)
    round_trip(desk, "by password again")
    desk.stop()


# ---- what goes wrong ----

def test_an_access_token_that_ends_early_is_renewed_and_nothing_waits(desk, server):
    start(desk)
    log_in(desk, server)
    wait_state(desk, "ok")
    server.withdraw_access()
    reconnect(desk)
    round_trip(desk, "in spite of that")
    assert server.refreshes() == 1 and not server.ended


def test_a_withdrawn_sign_in_is_an_alarm_and_heals(desk, server):
    desk.run("user", "add", "--email", "admin@desk.test", "--name", "Admin", "--role", "admin",
             "--password-file", desk.world.dir / "secrets" / "admin@desk.test")
    start(desk)
    log_in(desk, server)
    wait_state(desk, "ok")
    server.revoke()
    asked = server.count("token")
    reconnect(desk)
    desk.world.send(new_mail("carol@customer.test", USER, "while out", "Hello."))
    wait_for("health to say what to do", lambda: "maildesk oauth login support`: http" in state(desk)[1])
    assert state(desk)[0] == "auth_failed" and "invalid_grant" in state(desk)[1]
    wait_for("the alarm", lambda: desk.value(
        "SELECT count(*) FROM outbox WHERE event = 'mailbox_alarm'"))
    assert server.count("token") - asked <= 2, "slowly, so that no account is locked"
    assert all(token not in desk.log() for token in server.secrets())
    log_in(desk, server)
    wait_state(desk, "ok")
    wait_for("the mail that waited", lambda: sent(desk, "while out"))
    wait_for("the alarm to be sent", lambda: desk.value(
        "SELECT count(*) FROM outbox WHERE event = 'mailbox_alarm' AND state = 'sent'"))


def test_mail_waits_while_the_token_server_is_down(desk, server):
    server.life = 3
    start(desk)
    log_in(desk, server)
    wait_state(desk, "ok")
    server.stop()
    reconnect(desk)
    for n in range(3):
        desk.world.send(new_mail("carol@customer.test", USER, f"waits {n}", "Hello."))
    wait_for("health to say why", lambda: f"http://127.0.0.1:{server.port}" in state(desk)[1])
    assert state(desk)[0] == "backoff" and "oauth login" not in state(desk)[1]
    server.life = 3600
    server.start()
    for n in range(3):
        wait_for("all that waited", lambda: sent(desk, f"waits {n}") == 1)
    assert not server.ended and state(desk)[0] == "ok"


@pytest.mark.engine("postgres")
def test_two_daemons_share_one_sign_in(make_desk, mails, server):
    text = FRAGMENT % urls(server)
    server.life = 4
    one = make_desk(mails, text, name="one")
    two = make_desk(mails, text + 'http { listen = "127.0.0.1:%d" }\n' % free_port(), name="two",
                    database=one.database)
    start(one)
    two.start(wait=False)
    log_in(one, server)
    wait_state(one, "ok", "paused")
    wait_for("some renewals", lambda: server.refreshes() >= 4)
    assert not server.ended, "none was used twice"
    times = [at for at, path, form in server.asked
             if path == "/token" and form["grant_type"] == "refresh_token"]
    assert min(b - a for a, b in zip(times, times[1:])) > 2, "one of them asks, both have it"
    two.kill()
    round_trip(one, "by who is left")
    keys = one.rows("SELECT count(*), count(envelope) FROM desk_keys WHERE key_id = 1")
    assert tuple(keys[0]) == (2, 2), "the second was given the key"


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def test_doctor_signs_in_by_the_token_too(desk, server):
    def doctor():
        done = subprocess.run([lib.MAILDESK, "doctor", "--json", "--config", desk.config], text=True,
                              stdin=subprocess.DEVNULL, capture_output=True, timeout=120)
        return {(f["what"], f["name"]): f for f in map(json.loads, done.stdout.splitlines())}
    missing = doctor()["mailbox", "support"]
    assert missing["finding"] == "failed" and "oauth login support" in missing["text"]
    log_in(desk, server)
    found = doctor()
    for what in (("mailbox", "support"), ("smtp", "main"), ("delivery", "support")):
        assert found[what]["finding"] == "ok", found
