"""Rows 8, 10, 11, 12 and 16 of the fault matrix: servers that go, refuse, lie; a second daemon."""
import base64
import contextlib
import re

import pytest

import ledger
from fakes import Script, Smtp, make_server_context
from lib import new_mail, wait_for
from serving import is_running

SECRET = "correct horse battery"
no_database = pytest.mark.engine("sqlite")  # it has no part in this


@pytest.fixture
def secret(tmp_path):
    path = tmp_path / "secret"
    path.write_text(SECRET)
    path.chmod(0o600)
    return path


def by_smtp(server, **keys):
    """A fragment: mail goes out by this server."""
    more = "".join(f'  {k} = "{v}"' for k, v in keys.items())
    return f'smtp "main" {{ port = {server.port}{more} }}\n'


# ---- IMAP ----

def test_the_imap_server_goes_and_comes_under_load(make_desk, start_world, model):
    world = start_world("--no-daemon")
    desk = make_desk(world)
    book = ledger.Ledger(desk, model)
    desk.start()
    for n in range(2):
        book.offer(8)
        world.sandbox("stop", "imap")
        for k in range(5):  # Postfix keeps them until there is a mailbox again
            mail = new_mail("Carol <carol@customer.test>", ledger.SUPPORT, f"Waiting {n} {k}",
                            "x\n")
            book.singles[mail["Message-ID"].strip("<>")] = None
            world.send(mail, login="carol")
        wait_for("it to be noticed", lambda: desk.log().count("backoff") > n)
        world.sandbox("start", "imap")
    # Dovecot may have ended between a delivery and its answer: Postfix, which then repeats it, says so.
    # What the desk did is in its log.
    book.may_arrive_again = True
    wait_for("all to be sent and delivered", lambda: book.is_done()
             and ledger.queue_is_empty(world), 180)
    mail_log = (world.dir / "log" / "postfix.log").read_text()
    book.may_repeat = len(re.findall(r"status=deferred .*end of data", mail_log, re.IGNORECASE))
    book.settle()
    assert "still being delivered" not in mail_log  # it would lie there for a minute (servers.py)
    sent = re.findall(r" queued as \S+ .*message_id=(\S+)", desk.log())
    assert len(sent) == len(set(sent)) > 0
    desk.stop()


def test_large_mails(desk, book):
    desk.start()
    for megabytes in (1, 20):
        book.offer_single(*ledger.raw_mail("Carol <carol@customer.test>", f"{megabytes} MB", "x\n",
                                           megabytes << 20))
    book.settle(seconds=180)
    assert [r[0] for r in desk.rows("SELECT size FROM attachments ORDER BY size")] == \
        [1 << 20, 20 << 20]
    desk.stop()


@no_database
def test_a_wrong_password_is_tried_slowly(make_desk, mail_world, secret):
    desk = make_desk(mail_world, f'mailbox "support" {{ password_file = "{secret}" }}\n')
    desk.start(wait=False)
    wait_for("the refusal", lambda: "auth_failed" in desk.log())
    assert int(re.search(r"login refused.*next try in (\d+) s", desk.log()).group(1)) >= 45
    assert SECRET not in desk.log()
    desk.stop()


def said_nothing(server):
    """No byte of a credential in any wrapping."""
    b64 = base64.b64encode(SECRET.encode()).rstrip(b"=")
    words = (SECRET.encode(), b64, b"LOGIN", b"AUTH", b"MAIL FROM")
    return [w for w in words if w.lower() in server.heard.lower()] == []


IMAP_LIES = {
    "starttls is not there": ("starttls", None, [
        "* OK [CAPABILITY IMAP4rev1 LOGIN] hello"] + ["* CAPABILITY IMAP4rev1 LOGIN"] * 5),
    "starttls is refused": ("starttls", None, [
        "* OK [CAPABILITY IMAP4rev1 STARTTLS] hello"] + ["* BAD no"] * 5),
    "signed in before TLS": ("starttls", None, [
        "* PREAUTH [CAPABILITY IMAP4rev1 STARTTLS] welcome"] + ["* OK"] * 5),
    "wrong host": ("tls", "ours", ["* OK [CAPABILITY IMAP4rev1] hello"]),
    "wrong authority": ("tls", "self", ["* OK [CAPABILITY IMAP4rev1] hello"]),
    "no TLS at all": ("tls", None, ["* OK [CAPABILITY IMAP4rev1 LOGIN] hello"]),
}


def tls_context(kind, folder, world):
    if kind is None:
        return None
    return make_server_context(folder, world.dir / "tls" if kind == "ours" else None,
                               "other.test" if kind == "ours" else "localhost")


@no_database
@pytest.mark.parametrize("case", IMAP_LIES)
def test_imap_no_credential_without_proof(case, make_desk, mail_world, tmp_path, secret):
    mode, kind, lines = IMAP_LIES[case]
    with Script(lines, tls_context(kind, tmp_path, mail_world)) as server:
        desk = make_desk(mail_world, f'mailbox "support" {{ host = "localhost" tls = "{mode}"'
                                     f' port = {server.port} timeout = "1s"'
                                     f' password_file = "{secret}" }}\n')
        desk.start(wait=False)
        wait_for("the failure to be told", lambda: "backoff: " in desk.log())
        wait_for("another try", lambda: server.connections > 1)
        assert said_nothing(server), server.heard
        assert "auth_failed" not in desk.log()
        desk.stop()


# ---- SMTP ----

def expect_in_order(desk, book, server, repeats=0):
    """All sent, each taken once, and in the order of the outbox for each ticket and recipient."""
    wait_for("all to be taken in", book.is_done)
    wait_for("the outbox to be empty", lambda: desk.value(
        "SELECT count(*) > 0 AND count(*) FILTER (WHERE state <> 'sent') = 0 FROM outbox"))
    rows = desk.rows("SELECT o.ticket_id AS t, o.recipient AS r, m.message_id AS mid FROM outbox o"
                     " JOIN messages m ON m.id = o.message_id ORDER BY o.id")
    taken = [mid for _, mid in server.mails]
    assert set(taken) == {r["mid"] for r in rows}
    assert len(taken) <= len(rows) + repeats
    place = {mid: n for n, mid in reversed(list(enumerate(taken)))}
    for pair in {(r["t"], r["r"]) for r in rows}:
        places = [place[r["mid"]] for r in rows if (r["t"], r["r"]) == pair]
        assert places == sorted(places), f"out of order for {pair}"


def test_the_smtp_server_is_down_for_a_while(make_desk, mail_world, model):
    with Smtp() as server:
        server.close()
        desk = make_desk(mail_world, by_smtp(server))
        book = ledger.Ledger(desk, model)
        desk.start()
        book.offer(5)
        wait_for("each mail to have been tried twice", lambda: desk.value(
            "SELECT count(*) >= 10 AND min(attempts) >= 2 FROM outbox o WHERE NOT EXISTS (SELECT 1"
            " FROM outbox e WHERE e.ticket_id = o.ticket_id AND e.recipient = o.recipient"
            " AND e.id < o.id)"))
        assert desk.value("SELECT count(*) FROM outbox WHERE state IN ('sent', 'failed')") == 0
        server.open()
        expect_in_order(desk, book, server)
        desk.stop()


SMTP_FAULTS = {
    "421 greeting": {"connect": ["421 later"]},
    "lost at connect": {"connect": ["drop"]},
    "lost at EHLO": {"EHLO": ["drop"]},
    "lost at MAIL": {"MAIL": ["drop"]},
    "451 MAIL": {"MAIL": ["451 later", "421 going"]},
    "lost at RCPT": {"RCPT": ["drop"]},
    "450 RCPT": {"RCPT": ["450 greylisted"] * 3},
    "lost at DATA": {"DATA": ["drop"]},
    "451 DATA": {"DATA": ["451 later"]},
    "lost after the dot": {"end": ["drop"]},
    "452 after the dot": {"end": ["452 full", "421 going"]},
    "silence": {"EHLO": ["silence"], "RCPT": ["silence"]},
}


@pytest.mark.parametrize("case", SMTP_FAULTS)
def test_smtp_fails_and_recovers(case, make_desk, mail_world, model):
    faults = {step: list(answers) for step, answers in SMTP_FAULTS[case].items()}
    with Smtp(faults) as server:
        desk = make_desk(mail_world, by_smtp(server, timeout="1s"))
        desk.start()
        book = ledger.Ledger(desk, model)
        book.offer(2)
        expect_in_order(desk, book, server, repeats=case == "lost after the dot")
        assert not any(faults.values()), "not all faults were met"
        assert desk.value("SELECT max(attempts) FROM outbox") >= 2
        desk.stop()


@no_database
def test_a_stop_does_not_wait_for_a_silent_smtp_server(make_desk, mail_world, model):
    with Smtp({"connect": ["silence"] * 10}) as server:
        desk = make_desk(mail_world, by_smtp(server))
        desk.start()
        ledger.Ledger(desk, model).offer(1)
        wait_for("a connection", lambda: server.connections > 0)
        desk.stop()  # well before smtp.timeout


def test_smtp_one_of_several_recipients_is_refused(make_desk, mail_world, model):
    with Smtp({"RCPT anna@desk.test": ["550 5.1.1 nobody of that name"] * 99}) as server:
        desk = make_desk(mail_world, by_smtp(server))
        desk.start()
        ledger.Ledger(desk, model).offer(1)
        wait_for("every mail's end", lambda: desk.value(
            "SELECT count(*) > 1 AND count(*) FILTER (WHERE state NOT IN ('sent', 'failed')) = 0 FROM outbox"))
        ends = {(r[0], r[1], r[2]) for r in desk.rows(
            "SELECT recipient = 'anna@desk.test', state, attempts FROM outbox")}
        assert ends == {(1, "failed", 1), (0, "sent", 1)}
        assert "550 5.1.1" in desk.value(
            "SELECT new_value FROM ticket_history WHERE action = 'delivery'")
        desk.stop()


def test_smtp_that_never_comes_back_is_given_up(make_desk, mail_world, model):
    """After its days a mail fails for good, and the ticket and its agents say so: once for each
    that was for a customer."""
    with Smtp() as server:
        server.close()
        desk = make_desk(mail_world, by_smtp(server, retry_first="100ms", give_up="2s"))
        desk.start()
        ledger.Ledger(desk, model).offer(1)
        wait_for("every mail's end", lambda: desk.value(
            "SELECT count(*) FILTER (WHERE event = 'undelivered') > 0"
            " AND count(*) FILTER (WHERE state <> 'failed') = 0 FROM outbox"))
        assert desk.value("SELECT min(attempts) FROM outbox") >= 2
        failed = desk.rows("SELECT old_value, new_value FROM ticket_history"
                           " WHERE action = 'delivery'")
        assert len(failed) == desk.value("SELECT count(*) FROM outbox")
        assert all(reply.startswith("failed ") for _, reply in failed)
        told = desk.rows("SELECT recipient, count(*) FROM outbox WHERE event = 'undelivered'"
                         " GROUP BY recipient ORDER BY recipient")
        lost = desk.value("SELECT count(*) FROM outbox WHERE recipient NOT LIKE '%@desk.test'")
        assert told and all(who.endswith("@desk.test") and n == lost for who, n in told)
        desk.stop()


def test_smtp_is_back_and_gets_what_waited(make_desk, mail_world, model):
    with Smtp() as server:
        server.close()
        desk = make_desk(mail_world, by_smtp(server, retry_first="1h"))
        desk.start()
        book = ledger.Ledger(desk, model)
        book.offer(1)
        wait_for("all to wait", lambda: desk.value(
            "SELECT count(*) FILTER (WHERE state = 'retry') > 0"
            " AND count(*) FILTER (WHERE state = 'sending') = 0 FROM outbox"))
        server.open()
        book.offer(1)  # one that is sent at once
        wait_for("all to be sent", lambda: desk.value(
            "SELECT count(*) FILTER (WHERE state <> 'sent') = 0 FROM outbox"))
        desk.stop()


@no_database
def test_smtp_as_many_connections_as_allowed(make_desk, mail_world, model):
    """Each is held at its greeting: a third would be seen."""
    with Smtp({"connect": ["silence"] * 99}) as server:
        desk = make_desk(mail_world, by_smtp(server) + 'smtp "main" { connections = 2 }\n')
        desk.start()
        book = ledger.Ledger(desk, model)
        book.offer(24)
        wait_for("two connections", lambda: server.connections == 2)
        wait_for("all to be taken in", lambda: desk.value("SELECT count(*) FROM decisions") >= 72)
        assert desk.value("SELECT count(*) FROM outbox WHERE state = 'sending'") > 2 * 16
        assert server.connections == 2
        desk.stop()


@no_database
def test_smtp_no_more_than_so_many_a_minute(make_desk, mail_world, model):
    with Smtp() as server:
        desk = make_desk(mail_world, by_smtp(server) + 'smtp "main" { per_minute = 2 }\n')
        desk.start()
        book = ledger.Ledger(desk, model)
        book.offer(3)
        wait_for("all to be taken in", lambda: desk.value("SELECT count(*) FROM decisions") >= 3)
        wait_for("two mails", lambda: len(server.mails) >= 2)
        waiting = desk.value("SELECT count(*) FROM outbox WHERE state = 'queued'")
        assert waiting >= 3
        before = desk.value("SELECT count(*) FROM decisions")
        book.offer(1)
        wait_for("it to be taken in", lambda: desk.value("SELECT count(*) FROM decisions") > before)
        assert len(server.mails) == 2
        assert desk.value("SELECT count(*) FROM outbox WHERE state NOT IN ('queued', 'sent')") == 0
        desk.stop()


def test_smtp_refuses_the_login(make_desk, mail_world, model, secret):
    with Smtp({"AUTH": ["535 5.7.8 no"] * 99}, ["AUTH PLAIN LOGIN"]) as server:
        desk = make_desk(mail_world, by_smtp(server, user="desk", password_file=secret))
        desk.start()
        book = ledger.Ledger(desk, model)
        book.offer(1)
        wait_for("two tries", lambda: (desk.value("SELECT max(attempts) FROM outbox") or 0) >= 2)
        assert desk.value("SELECT count(*) FROM outbox WHERE state IN ('sent', 'failed')") == 0
        assert SECRET not in desk.log() and "refuses this desk" in desk.log()
        server.faults.clear()
        expect_in_order(desk, book, server)
        desk.stop()


@no_database
@pytest.mark.parametrize("mode, kind", [("starttls", None), ("tls", "ours"), ("tls", "self"),
                                        ("tls", None)])
def test_smtp_no_credential_without_proof(mode, kind, make_desk, mail_world, model, tmp_path,
                                          secret):
    context = tls_context(kind, tmp_path, mail_world)
    with Smtp({}, ["AUTH PLAIN LOGIN"], context) as server:
        desk = make_desk(mail_world, by_smtp(
            server, host="localhost", tls=mode, user="desk", password_file=secret, timeout="1s",
            ca_file=mail_world.dir / "tls" / "ca.pem"))
        desk.start()
        ledger.Ledger(desk, model).offer(1)
        wait_for("two tries", lambda: (desk.value("SELECT max(attempts) FROM outbox") or 0) >= 2)
        assert said_nothing(server), server.heard
        assert server.mails == [] and server.connections >= 1
        desk.stop()


# ---- two daemons ----

def test_a_second_daemon_stands_by_and_takes_over(desk, book):
    desk.start()
    first, standby = desk.process, desk.spawn()
    with contextlib.ExitStack() as stack:
        stack.callback(standby.kill)
        wait_for("it to stand by", lambda: "standing by" in desk.log())
        book.offer(3)
        wait_for("the first to do it", book.is_done)
        book.offer(3)
        roles = desk.roles()
        book.may_repeat, book.tries_tell = ledger.CONNECTIONS, True
        first.kill()
        first.wait()
        wait_for("the first one's roles to end", lambda: not any(map(is_running, roles)))
        desk.process = standby
        book.offer(2)
        book.settle()
        stack.pop_all()
    desk.stop()
